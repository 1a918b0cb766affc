"""Faults and look-alikes that were written, with what is right of them, by somebody who had not read the rules: docs/exam.md tells how that went.
Only the exam runs them."""
import sys
import time

from case import CURL, TALK, case, check, everywhere, script, talks
from lab import NAME, Lab

NOTHING, TIMED_OUT, TLS_FAILED, SEND, RECEIVE = 52, 28, 35, 55, 56
MIDDLE = "router1-router2"
GIVES_UP = CURL + ["-m", "6"]
SLOW_TLS = """
import socket, ssl, time
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain({cert!r} + ".pem", {cert!r} + ".key")
listener = socket.create_server(("", 443), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    plain, _ = listener.accept()
    time.sleep(3)
    with context.wrap_socket(plain, server_side=True) as talk:
        talk.recv(4096)
        talk.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\nConnection: close\\r\\n\\r\\nwell")
"""


def on_the_way(text):
    """What the client and the middle link see."""
    return {"client": text, "router": text}


def unseen(name, about, client, expect, **more):
    case(name, about, client=[client], expect=expect, check=False, **more)


# --- names ---

unseen(
    "well-second-resolver",
    "queries to the first resolver vanish, the second one answers",
    CURL + ["{url}"],
    everywhere("ok"),
    faults=[("drop", {"proto": "udp", "port": 53, "match": "ip daddr 147.83.2.3"})],
)

# --- the handshake ---

unseen(
    "ecn-syn-dropped",
    "a filter drops SYNs that offer ECN, and the client never tries without",
    CURL + ["-m", "4", "{url}"],
    on_the_way("broken syn_unanswered"),
    status=TIMED_OUT,
    sysctl={"client": {"net.ipv4.tcp_ecn": 1, "net.ipv4.tcp_ecn_fallback": 0}},
    faults=[("drop", {"port": 80, "match": "tcp flags & (syn | ecn | cwr) == (syn | ecn | cwr)"})],
)
unseen(
    "well-ecn-fallback",
    "the same filter, and the client's second SYN is without ECN",
    CURL + ["{url}"],
    everywhere("ok"),
    sysctl={"client": {"net.ipv4.tcp_ecn": 1}},
    faults=[("drop", {"port": 80, "match": "tcp flags & (syn | ecn | cwr) == (syn | ecn | cwr)"})],
)
unseen(
    "well-fastopen-dropped",
    "a filter drops SYNs with data, and the client's second one is without",
    CURL + ["--tcp-fastopen", "{url}"],
    everywhere("ok"),
    sysctl={"client": {"net.ipv4.tcp_fastopen": 5}},
    faults=[("drop", {"port": 80, "match": "tcp flags & (syn | ack) == syn meta length > 90"})],
)
unseen(
    "synack-dropped-by-client",
    "the SYN-ACK arrives, and the client's own filter drops it",
    CURL + ["-m", "5", "{url}"],
    everywhere("broken handshake_unfinished"),
    status=TIMED_OUT,
    faults=[("drop", {"node": "client", "towards": "client", "port": 80, "match": "tcp flags & (syn | ack) == (syn | ack)"})],
)
unseen(
    "ecmp-one-path-dead",
    "of two equal paths one drops everything: some of 16 connections do not come about",
    ["curl", "-Z", "--parallel-immediate", "-sS", "-o", "/dev/null", "-m", "4", "http://{at_server}/?[1-16]"],
    {"client": "broken syn_unanswered"},
    status=TIMED_OUT,
    faults=[("ecmp", {}), ("drop", {"node": "router2", "port": 80, "match": "iifname router1b"})],
)
unseen(
    "accept-queue-aborts",
    "the program does not accept, and the kernel resets what its queue has no place for (tcp_abort_on_overflow)",
    ["curl", "-Z", "--parallel-immediate", "-sS", "-m", "4", "http://{at_server}/?[1-3]"],
    # one is reset, and one that a SYN cookie answered is forgotten: only at the server is it sure that its data arrive
    {**on_the_way("broken reset_by_server | broken accept_queue_full | broken path_went_dead"), "server": "broken reset_by_server | broken accept_queue_full"},
    status=(TIMED_OUT, RECEIVE, NOTHING, SEND),
    server=lambda lab: lab.talker(80, "backlog=1", "full=1"),
    sysctl={"server": {"net.ipv4.tcp_abort_on_overflow": 1}},
    wire={MIDDLE: ["delay=20"]},
)

# --- the path ---

unseen(
    "large-lost-up",
    "every sixth of the large segments that the client sends is lost, none of the small ones",
    [*TALK, "80", "send=200000", "fin", "drain"],
    everywhere("degraded packet_loss"),
    server=talks("drain"),
    wire={MIDDLE: ["delay=5", "up data min=1400 every=6 drop"]},
)
unseen(
    "corrupting-link",
    "every 15th segment of the answer arrives with a wrong checksum",
    CURL + ["{url}medium"],
    everywhere("degraded packet_loss"),
    wire={MIDDLE: ["delay=2", "down data every=15 corrupt"]},
)
unseen(
    "two-paths",
    "segments take two paths by turns, of which one is 6 ms longer",
    CURL + ["{url}medium"],
    {**on_the_way("degraded reordering"), "server": "ok | degraded reordering"},
    wire={MIDDLE: ["delay=5", "down data every=2 delay=6"]},
)
unseen(
    "hole-behind-told",
    "router 1 tells of its 1450 bytes, router 2 does not tell of its 1300",
    ["timeout", "8", *TALK, "80", "send=100", "sleep=0.3", "send=300000"],
    on_the_way("broken pmtu_blackhole"),
    status=124,
    server=talks("drain"),
    offload=False,
    faults=[
        ("route_mtu", {"node": "router1", "mtu": 1450}),
        ("route_mtu", {"node": "router2", "mtu": 1300, "icmp": False}),
    ],
)
unseen(
    "well-mtu-told-twice",
    "router 1 tells of its 1400 bytes, then router 2 of its 1300",
    [*TALK, "80", "send=300000", "fin", "drain"],
    everywhere("ok"),
    server=talks("drain"),
    offload=False,
    faults=[("route_mtu", {"node": "router1", "mtu": 1400}), ("route_mtu", {"node": "router2", "mtu": 1300})],
)
unseen(
    "raised-mss",
    "the client's link takes 1400 bytes, and somebody on the way raises the MSS that it asks for to 1460",
    CURL + ["-m", "12", "{url}big"],
    everywhere("broken pmtu_blackhole"),
    status=TIMED_OUT,
    wire={MIDDLE: ["up syn mss=1460"]},
    faults=[("link_mtu", {"link": "client-router1", "icmp": False, "ends": "both"})],
)


@script("well-bufferbloat", server=Lab.serve, expect=everywhere("ok"), check=False, seconds=70,
        faults=[("slow_link", {"node": "router2", "interface": "router1", "rate": "2mbit", "limit": 2500000})])
def _(lab, this):
    """A download fills a buffer of seconds before a slow link, and a page is fetched behind it: late, and nothing is lost."""
    words = this.words()
    fetch = [word.format(**words) for word in CURL + ["-m", "40"]]
    big = lab.spawn("client", *fetch, f"http://{NAME}/big")
    time.sleep(1.5)
    lab.run("client", [*fetch, f"https://{NAME}/ca"])
    check(big.wait(40) == 0, "the download failed")


def kept_connection_breaks(lab, this, fault, seconds):
    """One request is answered, then comes the fault, then the next request."""
    words = this.words()
    command = [word.format(**words) for word in [*TALK, "80", "get=/", "read=1067", "sleep=1", "get=/", "read=1067"]]
    client = lab.spawn("client", *command)
    time.sleep(0.5)
    lab.fault(fault)
    time.sleep(seconds)
    check(client.poll() is None, "the connection lives on, or is over")
    lab.stop(client)


@script("loop-mid", server=talks("keeps-alive"), expect=on_the_way("broken ttl_exceeded"), check=False)
def _(lab, this):
    """Between two requests on a kept connection two routers begin to point at each other."""
    kept_connection_breaks(lab, this, "loop", 6)


@script("host-gone-mid", server=talks("keeps-alive"), expect=on_the_way("broken host_unreachable"), check=False)
def _(lab, this):
    """Between two requests on a kept connection the server disappears, and its router says so after 3 s."""
    kept_connection_breaks(lab, this, "host_gone", 9)


# --- TLS ---

unseen(
    "tls-reset-in-flight",
    "somebody on the way resets both sides instead of passing the server's part of the TLS handshake",
    CURL + ["{https}"],
    everywhere("broken reset_injected"),
    status=(TLS_FAILED, RECEIVE),
    wire={MIDDLE: ["down data port=443 n=1 rst=back rst-ttl=126", "down data port=443 n=1 rst=on rst-ttl=126 drop"]},
)
unseen(
    "tls-hello-half",
    "the second of two segments of the ClientHello vanishes, and so do its repetitions",
    CURL + ["-m", "8", "{https}"],
    on_the_way("broken path_went_dead | broken tls_no_server_hello"),
    status=TIMED_OUT,
    wire={MIDDLE: ["down synack port=443 mss=300", "up data port=443 seq=300-2000 drop"]},
)
unseen(
    "tls-hello-slow",
    "the server takes 3 s for its part of the TLS handshake",
    CURL + ["{https}"],
    everywhere("degraded slow_server"),
    server=lambda lab: (
        lab.name_server(),
        lab.start("server", sys.executable, "-c", SLOW_TLS.format(cert=lab.certificate(NAME)), listen=(443,)),
    ),
)

# --- HTTP ---

unseen(
    "accepts-and-leaves",
    "the server closes what it accepts without reading, and then answers the request with a RST",
    CURL + ["{url}"],
    everywhere("broken reset_by_server | broken response_truncated"),
    status=(NOTHING, RECEIVE, SEND),
    server=talks("fin"),
)
unseen(
    "length-too-large",
    "the answer announces 5000 bytes and has 3000, and the connection stays open",
    GIVES_UP + ["{url}"],
    everywhere("broken response_truncated"),
    status=TIMED_OUT,
    server=talks("request", "head=5000", "send=3000", "hold"),
)
unseen(
    "request-filtered-silently",
    "the request vanishes each time, and all that has no data passes",
    GIVES_UP + ["{url}"],
    {**on_the_way("broken path_went_dead"), "server": "broken path_went_dead | unknown incomplete_capture"},
    status=TIMED_OUT,
    wire={MIDDLE: ["up data port=80 drop"]},
)
unseen(
    "redirect-to-filtered-tls",
    "the redirect leads to https, where every ClientHello vanishes",
    GIVES_UP + ["-L", "{url}"],
    on_the_way("broken redirect_broken"),
    status=TIMED_OUT,
    wire={MIDDLE: ["up data port=443 drop"]},
)
