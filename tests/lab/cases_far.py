"""The same troubles under other circumstances: far away, on a path that loses a little anyway, inside TLS, over the second address. Only the exam runs them."""
from case import CURL, TALK, case, everywhere, talks

TIMED_OUT, REFUSED, PARTIAL, RECEIVE = 28, 7, 18, 56
MIDDLE = "router1-router2"
FAR = {MIDDLE: ["delay=30"]}
LOSSY = {MIDDLE: ["delay=10", "down data every=150 drop"]}
GIVES_UP = CURL + ["-m", "7"]


def on_the_way(text):
    """What the client and the middle link see."""
    return {"client": text, "router": text}


def far(name, about, client, expect, wire=None, **more):
    case(f"far-{name}", f"{about}, far away", client=[client], expect=expect, wire=wire or FAR, check=False, **more)


def tls_talks(lab, *options):
    lab.name_server()
    lab.s_server(*options)


far("refused", "nothing listens on the port", GIVES_UP + ["http://{name}:81/"], everywhere("broken syn_refused"), status=REFUSED)
far("silent", "the request is never answered", CURL + ["-m", "12", "{url}"], everywhere("broken server_silent"), status=TIMED_OUT, server=talks("silent"))
far("slow", "the first byte takes 1.5 s", CURL + ["{url}"], everywhere("degraded slow_server at server"), server=talks("slow"))
far("resets-middle", "RST in the middle of the answer", CURL + ["{url}"], everywhere("broken reset_by_server at server"), status=RECEIVE, server=talks("resets-middle"))
far("closes-early", "FIN in the middle of the answer", CURL + ["{url}"], everywhere("broken response_truncated at server"), status=PARTIAL, server=talks("closes-early"))
far("never-reads", "the server's window stays shut", ["timeout", "5", *TALK, "80", "send=1000000"], everywhere("broken zero_window_stall at server"), status=124, server=talks("never-reads"))
far(
    "oneway-down", "the server's packets stop arriving", GIVES_UP + ["{url}big"],
    {**on_the_way("broken response_truncated"), "server": "broken path_went_dead at path"}, status=TIMED_OUT,
    faults=[("drop", {"towards": "client", "port": 80, "after": 300000})],
)
far(
    "cut-download", "the path dies while the server sends", GIVES_UP + ["{url}big"],
    {"server": "broken path_went_dead at path", **on_the_way("broken path_went_dead at path | broken response_truncated")}, status=TIMED_OUT, settle=3,
    faults=[("path_cut", {"after": 300000})],
)
far(
    "cut-upload", "the path dies while the client sends", ["timeout", "7", *TALK, "80", "send=3000000"],
    {"client": "broken path_went_dead at path"}, status=124, server=talks("drain", "answer=10"), faults=[("path_cut", {"after": 300000})],
)
far(
    "hole", "packets above 1400 bytes vanish", GIVES_UP + ["{url}big"], {"server": "broken pmtu_blackhole at path"}, status=TIMED_OUT,
    faults=[("link_mtu", {"icmp": False, "link": "router2-server", "ends": "routers"})],
)
far(
    "hole-upload", "packets above 1400 bytes vanish, and the client sends", ["timeout", "7", *TALK, "80", "send=300000"],
    {"client": "broken pmtu_blackhole at path"}, status=124, server=talks("drain", "answer=10"), faults=[("link_mtu", {"icmp": False})],
)
far("lossy", "every 30th segment is lost", CURL + ["-m", "40", "{url}big"], everywhere("degraded packet_loss"), wire={MIDDLE: ["delay=10", "down data every=30 drop"]})
far("reordered", "every 12th segment comes 4 later", CURL + ["{url}big"], on_the_way("degraded reordering"), wire={MIDDLE: ["delay=15", "down data every=12 hold=4"]})
far("synack-lost", "no SYN-ACK comes back", GIVES_UP + ["-m", "4", "{url}"], {"client": "broken syn_unanswered", "server": "broken handshake_unfinished"}, status=TIMED_OUT,
    wire={MIDDLE: ["delay=30", "down synack drop"]})
far("client-leaves", "the client resets in the middle", [*TALK, "80", "rcvbuf=8192", "get=/", "read=100000", "reset"], everywhere("broken reset_by_client at client"), server=talks("big"))
far("tls-closed", "the server closes when it has the ClientHello", CURL + ["{https}"], everywhere("broken tls_reset"), status=35, server=talks("read=200", "fin", "drain", port=443))
far("tls-expired", "the certificate is out of date", CURL + ["--tls-max", "1.2", "{https}"], everywhere("broken tls_certificate_expired"), status=60, server=lambda lab: lab.serve("expired"))
far("tls-cut", "the path dies in the middle of an https download", GIVES_UP + ["{https}big"],
    {"server": "broken path_went_dead at path", "client": "broken path_went_dead"}, status=TIMED_OUT, settle=3, faults=[("path_cut", {"after": 400000})])
far("injected", "both sides are reset by somebody between", CURL + ["{url}big"], everywhere("broken reset_injected at path"), status=RECEIVE,
    wire={MIDDLE: ["delay=30", "down data n=60 rst=on rst-ttl=120", "down data n=60 rst=back rst-ttl=120"]})
far("icmp-mid", "a router rejects the server's packets in mid-transfer", GIVES_UP + ["{url}big"], {"server": "broken admin_prohibited", **on_the_way("broken response_truncated")}, status=TIMED_OUT,
    faults=[("reject_icmp", {"icmp": "admin-prohibited", "towards": "client", "port": 80, "after": 300000})])

for name, client in (("big", CURL + ["{url}big"]), ("tls", CURL + ["{https}medium"])):
    case(f"well-lossy-{name}", "a path that loses less than 1 %", client=[client], wire=LOSSY, expect=everywhere("ok"), check=False)
    case(f"well-jitter-{name}", "every 50th segment comes 2 later", client=[client], wire={MIDDLE: ["up delay=15", "down data every=50 hold=2"]},
         expect=everywhere("ok"), check=False)
case("well-far-upload", "3 MB from the client, far away", server=talks("read=3000000", "fin", "drain"), client=[[*TALK, "80", "send=3000000", "fin", "drain"]], wire=FAR,
     expect=everywhere("ok"), check=False)
case("well-spare", "the server's second address", client=[CURL + ["http://{at_spare}/medium"]], expect=everywhere("ok"), check=False)
case("well-many-far", "10 connections side by side, far away", client=[["curl", "-Z", "-sS", "-o", "/dev/null", "-m", "20", "--parallel-max", "10", "http://{at_server}/medium?[1-10]"]],
     wire=FAR, expect=everywhere("ok"), check=False)
case("well-reset-far", "the client has all and closes with a RST, far away", server=talks("request", "answer=1000", "drain"),
     client=[[*TALK, "80", "get=/", "read=1067", "reset"]], wire=FAR, expect=everywhere("ok"), check=False)
