"""How a conversation ends: by whom, and whether that was the cause or only the end of something else."""
from case import CURL, TALK, case, everywhere, talks

TIMED_OUT, RECEIVE, TLS_FAILED = 28, 56, 35
MIDDLE = "router1-router2"
GIVES_UP = CURL + ["-m", "6"]


def on_the_way(text):
    """What the client and the middle link see."""
    return {"client": text, "router": text}


def limited(lab):
    """nginx sends 50 KB a second."""
    lab.name_server()
    lab.web("limit_rate 50k; server { listen 80; listen [::]:80; location / { } }", (80,))


# --- one direction dies in the middle: who sends sees it, who waits cannot tell it from a server that stopped ---

# Who saw that the client, leaving, is not heard either says more: the path is dead.
STOPS = "broken response_truncated | broken path_went_dead at path"
case(
    "oneway-down",
    "after 300 KB nothing of the server arrives any more; the client gives up",
    faults=[("drop", {"towards": "client", "port": 80, "after": 300000})],
    client=[GIVES_UP + ["{url}big"]],
    status=TIMED_OUT,
    expect={**on_the_way(STOPS), "server": "broken path_went_dead at path"},
)
case(
    "icmp-mid",
    "after 300 KB router 2 rejects all that the server sends with ICMP errors",
    faults=[("reject_icmp", {"icmp": "admin-prohibited", "towards": "client", "port": 80, "after": 300000})],
    client=[GIVES_UP + ["{url}big"]],
    status=TIMED_OUT,
    expect={**on_the_way(STOPS), "server": "broken admin_prohibited"},
)
case(
    "rst-mid-router",
    "after 300 KB router 2 resets the server's side; the client knows nothing of it",
    faults=[("reject_rst", {"towards": "client", "port": 80, "after": 300000})],
    client=[GIVES_UP + ["{url}big"]],
    status=TIMED_OUT,
    expect={**on_the_way(STOPS), "server": "broken reset_injected at path"},
)
case(
    "rst-mid-router-up",
    "after 300 KB of an upload router 2 resets the client's side",
    server=talks("drain", "answer=10"),
    faults=[("reject_rst", {"towards": "server", "port": 80, "after": 300000})],
    client=[["timeout", "6", *TALK, "80", "send=3000000"]],
    status=1,
    expect=on_the_way("broken reset_injected at path"),
)
case(
    "tls-cut",
    "of an https download the first two data segments arrive, then nothing but bare ACKs",
    wire={MIDDLE: ["delay=5", "down data port=443 n=3- drop"]},
    client=[GIVES_UP + ["{https}big"]],
    status=TIMED_OUT,
    expect={**on_the_way("broken path_went_dead at path | broken pmtu_blackhole at path"), "server": "broken path_went_dead at path"},
)
case(
    "hole-download",
    "a link takes 1400 bytes, no router says so, and the answer is larger",
    faults=[("link_mtu", {"icmp": False})],
    client=[GIVES_UP + ["{url}big"]],
    status=TIMED_OUT,
    expect=everywhere("broken pmtu_blackhole at path"),
)
case(
    "hole-tls",
    "the same, and the server's part of the TLS handshake is larger",
    faults=[("link_mtu", {"icmp": False, "mtu": 1300})],
    client=[GIVES_UP + ["{https}ca"]],
    status=TIMED_OUT,
    expect={"server": "broken pmtu_blackhole at path"},
    check=False,
)
case(
    "hole-probing",
    "the same hole, and the server's kernel finds its way around it (tcp_mtu_probing)",
    faults=[("link_mtu", {"icmp": False})],
    sysctl={"server": {"net.ipv4.tcp_mtu_probing": 1}},
    client=[CURL + ["{url}medium"]],
    expect={**on_the_way("degraded pmtu_blackhole | degraded packet_loss"), "server": "degraded pmtu_blackhole at path"},
)

# --- the client ends it ---

case(
    "client-leaves",
    "the client closes in the middle of an answer that comes on time, between two pieces of it: what is unread would make its FIN a RST",
    server=limited,
    client=[CURL + ["-m", "1.5", "{url}medium"]],
    status=TIMED_OUT,
    expect=everywhere("broken response_truncated at client"),
)
case(
    "client-resets",
    "the client resets in the middle of the answer",
    server=talks("big"),
    client=[[*TALK, "80", "rcvbuf=8192", "get=/", "read=100000", "reset"]],
    expect=everywhere("broken reset_by_client at client"),
)
case(
    "client-resets-waiting",
    "the client resets before it is answered",
    server=talks("request", "sleep=5", "answer=10"),
    client=[[*TALK, "80", "get=/", "sleep=1", "reset"]],
    expect=everywhere("broken reset_by_client at client"),
    check=False,
)
case(
    "client-never-reads",
    "the client's window stays shut",
    server=talks("big"),
    client=[["timeout", "6", *TALK, "80", "rcvbuf=4096", "get=/", "sleep=50"]],
    status=124,
    expect=everywhere("broken zero_window_stall at client"),
    check=False,
)
case(
    "tls-left",
    "the ClientHello is not answered in 3 s and the client leaves: too early to blame anybody",
    server=talks("drain", port=443),
    client=[CURL + ["-m", "3", "{https}"]],
    status=TIMED_OUT,
    expect=everywhere("unknown incomplete_capture"),
)

# --- the server ends it ---

case(
    "tls-closed",
    "the server closes when it has the ClientHello",
    server=talks("read=200", "fin", "drain", port=443),
    client=[CURL + ["{https}"]],
    status=TLS_FAILED,
    expect=everywhere("broken tls_reset"),
)
case(
    "tls-reset",
    "the server resets when it has the ClientHello",
    server=talks("read=200", "sleep=0.2", "reset", port=443),
    client=[CURL + ["{https}"]],
    status=(TLS_FAILED, RECEIVE),
    expect=everywhere("broken tls_reset | broken reset_by_server"),
)
case(
    "second-silent",
    "the second request on a kept connection is never answered",
    server=talks("request", "answer=1000", "request", "hold"),
    client=[["timeout", "12", *TALK, "80", "get=/", "read=1067", "get=/", "read=1"]],
    status=124,
    expect=everywhere("broken server_silent at server"),
    check=False,
)
case(
    "second-resets",
    "the server resets instead of answering the second request",
    server=talks("request", "answer=1000", "request", "sleep=0.3", "reset"),
    client=[[*TALK, "80", "get=/", "read=1067", "get=/", "read=1"]],
    status=1,
    expect=everywhere("broken reset_by_server at server"),
    check=False,
)
case(
    "second-slow",
    "the second request on a kept connection takes 1.5 s",
    server=talks("request", "answer=1000", "request", "sleep=1.5", "answer=1000", "drain"),
    client=[[*TALK, "80", "get=/", "read=1067", "get=/", "read=1067"]],
    expect=everywhere("degraded slow_server at server"),
    check=False,
)
case(
    "tls-server-silent",
    "the handshake is done and the request is never answered",
    server=lambda lab: (lab.name_server(), lab.s_server("-num_tickets", "0", www=False)),
    client=[CURL + ["-m", "12", "{https}"]],
    status=TIMED_OUT,
    expect=everywhere("broken server_silent"),
    check=False,
)

# --- somebody on the way ---

case(
    "tls-filtered",
    "a filter on the way resets the client for its ClientHello, and the server never gets that",
    wire={MIDDLE: ["up data port=443 n=1 rst=back rst-ttl=40 drop"]},
    client=[CURL + ["{https}"]],
    status=(TLS_FAILED, RECEIVE),
    expect=on_the_way("broken reset_injected at path"),
)
case(
    "request-filtered",
    "the same for a request in clear",
    wire={MIDDLE: ["up data port=80 n=1 rst=back rst-ttl=40 drop"]},
    client=[CURL + ["{url}"]],
    status=(RECEIVE, 52),
    expect=on_the_way("broken reset_injected at path"),
)
case(
    "reset-both-near",
    "both sides are reset in mid-transfer by a hop that is next to the server",
    wire={MIDDLE: ["down data n=40 rst=on rst-ttl=62", "down data n=40 rst=back rst-ttl=61"]},
    client=[CURL + ["{url}big"]],
    status=RECEIVE,
    expect=everywhere("broken reset_injected at path"),
)
case(
    "fragments",
    "the server forbids no fragments, and a router cuts its packets for a link of 1400 bytes",
    family=4,
    faults=[("link_mtu", {})],
    sysctl={"server": {"net.ipv4.ip_no_pmtu_disc": 1}},
    client=[CURL + ["{url}medium"]],
    expect=on_the_way("degraded ip_fragmented"),
    offload=False,
    check=False,
)
for family, verdict in ((4, "host_unreachable"), (6, "network_unreachable")):  # Linux says "no route" over IPv6
    case(
        "no-route-unreachable",
        "router 1 has a route that says unreachable",
        family=family,
        faults=[("no_route", {"kind": "unreachable"})],
        client=[CURL + ["-m", "3", "http://{at_server}/"]],
        status=7,
        expect={"client": f"broken {verdict}"},
    )
case(
    "cut-kept",
    "the path dies between two requests on a kept connection",
    server=talks("keeps-alive"),
    faults=[("drop", {"towards": "server", "port": 80, "match": "meta length > 52 tcp flags & syn == 0", "after": 200})],
    client=[["timeout", "5", *TALK, "80", "get=/", "read=1067", "sleep=0.5", "get=/", "read=1067"]],
    status=124,
    expect=on_the_way("broken path_went_dead at path"),
    check=False,
)
