"""Connections that come about and then go wrong, or badly."""
from case import CURL, TALK, case, everywhere, talks

TIMED_OUT, PARTIAL, NOTHING, RECEIVE = 28, 18, 52, 56


def only_tls13(lab):
    lab.name_server()
    lab.s_server("-tls1_3")


def answers(text):
    """nginx with this for every page."""

    def start(lab):
        lab.name_server()
        lab.web(f"server {{ listen 80; listen [::]:80; location / {{ {text} }} }}", (80,))

    return start


# --- the program at the server ---

case(
    "server-silent",
    "the request is acknowledged and never answered",
    server=talks("silent"),
    client=[CURL + ["-m", "11", "{url}"]],
    status=TIMED_OUT,
    expect=everywhere("broken server_silent"),
)
case(
    "server-slow",
    "the first byte takes 1.5 s",
    server=talks("slow"),
    client=[CURL + ["{url}"]],
    expect=everywhere("degraded slow_server"),
)
case(
    "server-resets-middle",
    "RST in the middle of the answer",
    server=talks("resets-middle"),
    client=[CURL + ["{url}"]],
    status=RECEIVE,
    expect=everywhere("broken reset_by_server"),
)
case(
    "server-closes-early",
    "FIN in the middle of the answer",
    server=talks("closes-early"),
    client=[CURL + ["{url}"]],
    status=PARTIAL,
    expect=everywhere("broken response_truncated"),
)
case(
    "server-resets-at-once",
    "RST as soon as the connection is accepted",
    server=talks("resets-at-once"),
    client=[CURL + ["{url}"]],
    status=(RECEIVE, 7, 55),
    expect=everywhere("broken reset_by_server"),
)
case(
    "server-closes-at-once",
    "FIN instead of an answer",
    server=talks("request", "fin", "drain"),
    client=[CURL + ["{url}"]],
    status=NOTHING,
    expect=everywhere("broken response_truncated"),
)
case(
    "http-503",
    "the answer is a 503",
    server=answers("return 503;"),
    client=[CURL + ["{url}"]],
    expect=everywhere("broken http_server_error"),
)
case(
    "http-404", "the answer is a 404", client=[CURL + ["{url}missing"]], expect=everywhere("degraded http_client_error")
)

# --- windows ---

case(
    "server-never-reads",
    "the server's window stays shut",
    server=talks("never-reads"),
    client=[["timeout", "4", *TALK, "80", "send=1000000"]],
    status=124,
    expect=everywhere("broken zero_window_stall"),
)
case(
    "server-reads-late",
    "the server's window is shut for 2 s",
    server=talks("reads-late"),
    client=[[*TALK, "80", "send=300000", "fin"]],
    expect=everywhere("degraded zero_window_stall"),
)
case(
    "client-reads-late",
    "the client's window is shut for 2 s",
    server=talks("big"),
    client=[[*TALK, "80", "rcvbuf=4096", "get=/", "sleep=2", "read=3000000"]],
    expect=everywhere("degraded zero_window_stall"),
)

# --- the path ---

case(
    "cut-upload",
    "the path dies while the client sends",
    server=talks("drain", "answer=10"),
    faults=[("path_cut", {"after": 300000})],
    client=[["timeout", "6", *TALK, "80", "send=3000000"]],
    status=124,
    expect={"client": "broken path_went_dead"},
)
case(
    "cut-download",
    "the path dies while the server sends",
    faults=[("path_cut", {"after": 300000})],
    client=[CURL + ["-m", "3", "{url}big"]],
    status=TIMED_OUT,
    settle=3,
    expect={"client": "broken path_went_dead", "router": "broken path_went_dead", "server": "broken path_went_dead"},
)
case(
    "hole-upload",
    "a link takes 1400 bytes, and no router says so",
    server=talks("drain", "answer=10"),
    faults=[("link_mtu", {"icmp": False})],
    client=[["timeout", "6", *TALK, "80", "send=300000"]],
    status=124,
    expect={"client": "broken pmtu_blackhole"},
)
case(
    "idle-expired",
    "a stateful router forgets the connection after 5 s; 16 s later comes the next request",
    family=6,
    server=talks("keeps-alive"),
    faults=[("stateful", {"expire": 5})],
    client=[["timeout", "20", *TALK, "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"]],
    status=124,
    expect={"client": "broken idle_expired"},
)
case(
    "idle-expired-rst",
    "the same, and the router answers with a RST",
    family=4,
    server=talks("keeps-alive"),
    faults=[("stateful", {"expire": 5, "refuse": True})],
    client=[["timeout", "20", *TALK, "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"]],
    status=1,
    expect={"client": "broken idle_expired"},
)
case(
    "lossy",
    "every 20th segment of the answer is lost",
    wire={"router1-router2": ["down data every=20 drop"]},
    client=[CURL + ["{url}big"]],
    expect=everywhere("degraded packet_loss"),
)
case(
    "reordered",
    "every 10th segment of the answer comes 3 later",
    wire={"router1-router2": ["delay=5", "down data every=10 hold=3"]},
    client=[CURL + ["{url}big"]],
    expect={"client": "degraded reordering"},
)

case(
    "lossy-upload",
    "every 20th segment of the client is lost",
    server=talks("read=2000000", "fin", "drain"),
    wire={"router1-router2": ["delay=3", "up data every=20 drop"]},
    client=[[*TALK, "80", "send=2000000", "fin", "drain"]],
    expect=everywhere("degraded packet_loss"),
)
case(
    "cut-one-way",
    "what the client sends does not arrive any more; what the server sends does",
    server=talks("drain"),
    faults=[("drop", {"towards": "server", "port": 80, "after": 300000})],
    client=[["timeout", "5", *TALK, "80", "send=3000000"]],
    status=124,
    expect={"client": "broken path_went_dead", "router": "broken path_went_dead"},
)
case(
    "refused-beside",
    "one connection is refused, the next one is well",
    client=[CURL + ["http://{name}:81/"], CURL + ["{url}"]],
    expect=everywhere("broken syn_refused"),
)

# --- TLS ---

case(
    "tls-hello-dropped",
    "the connection comes about, and the ClientHello vanishes",
    wire={"router1-router2": ["up data port=443 drop"]},
    client=[CURL + ["-m", "5", "{https}"]],
    status=TIMED_OUT,
    expect={"client": "broken path_went_dead", "router": "broken path_went_dead"},
)
case(
    "tls-self-signed",
    "the certificate is signed by itself",
    server=lambda lab: lab.serve("self"),
    client=[CURL + ["--tls-max", "1.2", "{https}"]],
    status=60,
    expect=everywhere("broken tls_self_signed"),
)
case(
    "tls-version",
    "the server speaks TLS 1.3 only, the client 1.2",
    server=only_tls13,
    client=[CURL + ["--tls-max", "1.2", "{https}"]],
    status=35,
    expect=everywhere("broken tls_alert"),
)

case(
    "tls-silent",
    "the ClientHello is never answered",
    family=4,
    server=talks("hold", port=443),
    client=[CURL + ["-m", "11", "{https}"]],
    status=TIMED_OUT,
    expect=everywhere("broken tls_no_server_hello"),
)
case(
    "tls-not-spoken",
    "https on the port of http",
    client=[CURL + ["https://{name}:80/"]],
    status=35,
    expect=everywhere("broken tls_not_spoken"),
)
case(
    "tls-expired",
    "the certificate is out of date",
    server=lambda lab: lab.serve("expired"),
    client=[CURL + ["--tls-max", "1.2", "{https}"]],
    status=60,
    expect=everywhere("broken tls_certificate_expired"),
)
case(
    "tls-wrong-name",
    "the certificate bears another name",
    server=lambda lab: lab.serve("other"),
    client=[CURL + ["--tls-max", "1.2", "{https}"]],
    status=60,
    expect=everywhere("broken tls_name_mismatch"),
)
