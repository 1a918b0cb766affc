"""All is well, though it does not look so: nothing here may be accused."""
from case import CURL, TALK, case, everywhere, talks

MIDDLE = "router1-router2"
ENDS = {"client": "ok", "server": "ok"}


def limited(lab):
    """nginx sends 100 KB a second, and closes what was idle for 2 s."""
    lab.name_server()
    lab.web("keepalive_timeout 2; limit_rate 100k; server { listen 80; listen [::]:80; location / { } }", (80,))


def well(name, about, client, **more):
    case(f"well-{name}", about, client=[client], expect=everywhere("ok"), **more)


well("chain", "http, 302 to https, 301, the page", CURL + ["-L", "{url}"])
well("delayed", "a round trip of 80 ms", CURL + ["-L", "{url}"], wire={MIDDLE: ["delay=40"]})
well("far", "a round trip of 600 ms", CURL + ["{https}ca"], wire={MIDDLE: ["delay=300"]})
well("offload", "2 MB, segmentation offload on", CURL + ["{https}big"], offload=True)
well("offload-wire", "2 MB through a wire, offload on", CURL + ["{https}big"], offload=True, wire={MIDDLE: ["delay=5"]})
well(
    "one-lost",
    "one segment of many is lost and sent again",
    CURL + ["{url}big"],
    wire={MIDDLE: ["down seq=40000 n=1 drop"]},
)
well(
    "two-lost",
    "a segment and its first repetition are lost",
    CURL + ["{url}big"],
    wire={MIDDLE: ["delay=5", "down seq=400000 n=1-2 drop"]},
)
well("syn-lost", "the first SYN is lost, the second is answered", CURL + ["{url}"], wire={MIDDLE: ["up syn n=1 drop"]})
well("synack-lost", "the first SYN-ACK is lost", CURL + ["{url}"], wire={MIDDLE: ["down synack n=1 drop"]})
well("swapped", "a few segments come one later", CURL + ["{url}big"], wire={MIDDLE: ["down data every=200 hold=1"]})
well("doubled", "every 50th segment comes twice", CURL + ["{url}big"], wire={MIDDLE: ["down data every=50 dup"]})
well(
    "corrupted",
    "a segment arrives with a wrong checksum and is sent again",
    CURL + ["{url}medium"],
    wire={MIDDLE: ["down data n=20 corrupt"]},
)
well(
    "slow-link",
    "a link of 4 Mbit/s with a deep buffer",
    CURL + ["{https}ca"],
    faults=[("slow_link", {"rate": "4mbit", "limit": 500000})],
)
well("mtu-told", "a link takes 1400 bytes, and the router says so", CURL + ["{url}medium"], faults=[("link_mtu", {})])
well(
    "mss-clamped",
    "a router lowers the MSS for a link of 1400 bytes",
    CURL + ["{url}medium"],
    faults=[("link_mtu", {"icmp": False}), ("mss_clamp", {"mss": 1300})],
)
well("nat", "the client is behind address translation", CURL + ["-L", "{url}"], faults=[("nat", {})])
well("stateful", "a stateful filter on the way", CURL + ["-L", "{url}"], faults=[("stateful", {})])
case("well-ecmp", "flows spread over two links", client=[CURL + ["-L", "{url}"]], faults=[("ecmp", {})], expect=ENDS)
well("hidden-hop", "a hop that does not show takes one off the TTL", CURL + ["-L", "{url}"], wire={MIDDLE: ["ttl=-1"]})
well("pause", "a pause of 3 s between two requests", [*TALK, "80", "get=/", "read=300", "sleep=3", "get=/", "read=300"])
well(
    "half-close",
    "the server keeps its side open for a while: no leak yet",
    CURL + ["{url}"],
    server=talks("never-closes"),
    settle=2,
)
well(
    "upload",
    "3 MB from the client",
    [*TALK, "80", "send=3000000", "fin", "drain"],
    server=talks("read=3000000", "fin", "drain"),
)
well("many", "20 connections side by side", CURL + ["--no-keepalive", "-Z", "--parallel-max", "20", *["{url}?[1-20]"]])
well("limited", "the server sends 100 KB a second", CURL + ["{url}medium"], server=limited)
well("idle-close", "the server closes what was idle", [*TALK, "80", "get=/", "read=300", "sleep=3"], server=limited)
well(
    "long-idle",
    "16 s without a word, then it goes on",
    [*TALK, "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"],
    family=4,
    server=talks("keeps-alive"),
)
well(
    "drip",
    "the answer comes in pieces, with pauses",
    CURL + ["{url}"],
    server=talks("request", "head=3000", "send=1000", "sleep=2", "send=1000", "sleep=2", "send=1000", "drain"),
)
well(
    "reset-after",
    "the client has all it asked for, and leaves with a RST",
    [*TALK, "80", "get=/", "read=1067", "reset"],
    server=talks("request", "answer=1000", "sleep=2"),
)
well(
    "asks-and-shuts",
    "the client closes its direction before the answer comes",
    [*TALK, "80", "get=/", "fin", "drain"],
    server=talks("request", "answer=1000"),
)
well(
    "window-shut-briefly",
    "the client's window is shut for 0.2 s",
    [*TALK, "80", "rcvbuf=4096", "get=/", "sleep=0.2", "read=3000000"],
    server=talks("big"),
)
well("fin-lost", "the client's FIN is lost once", CURL + ["{url}"], wire={MIDDLE: ["up fin n=1 drop"]})
well("hello-lost", "the ClientHello is lost once", CURL + ["{https}ca"], wire={MIDDLE: ["up data n=1 drop"]})
well("request-lost", "the request is lost twice", CURL + ["{url}"], wire={MIDDLE: ["up data n=1-2 drop"]})
well("all-doubled", "every packet comes twice", CURL + ["{url}medium"], wire={MIDDLE: ["dup"]})
well(
    "few-lost",
    "less than one segment of a hundred is lost",
    CURL + ["{url}big"],
    wire={MIDDLE: ["delay=3", "down data every=150 drop"]},
)
well(
    "icmp-once",
    "one segment of many is rejected with an ICMP error, and its repetition passes",
    CURL + ["{url}big"],
    offload=False,
    faults=[
        (
            "reject_icmp",
            {"icmp": "admin-prohibited", "port": 80, "towards": "client", "match": "numgen inc mod 100000 == 20"},
        )
    ],
)
well(
    "mtu-told-upload",
    "a link takes 1400 bytes, and the router tells the client",
    [*TALK, "80", "send=300000", "fin", "drain"],
    server=talks("read=300000", "fin", "drain"),
    faults=[("link_mtu", {})],
)
well(
    "mtu-told-first",
    "the client's own link takes 1400 bytes, and the router tells the server",
    CURL + ["{url}medium"],
    faults=[("link_mtu", {"link": "client-router1"})],
)
well(
    "other-family",
    "SYNs over IPv6 vanish, the client goes on with IPv4",
    ["curl", "-sS", "-o", "/dev/null", "-m", "5", "{url}"],
    family=4,
    faults=[("drop", {"match": "meta nfproto ipv6", "port": 80})],
)

# --- ends, routes and stacks that look odd ---

well("very-far", "a round trip of 1.3 s: every SYN and SYN-ACK is repeated", CURL + ["{url}"], wire={MIDDLE: ["delay=650"]})
well("slow-enough", "the first byte takes 0.8 s", CURL + ["{url}"], server=talks("request", "sleep=0.8", "answer=1000", "drain"))
well("far-lossy", "a round trip of 200 ms, and one segment is lost", CURL + ["{url}medium"], wire={MIDDLE: ["delay=100", "down data n=30 drop"]})
well("route-changes", "in mid-transfer the way becomes two hops longer", CURL + ["{url}big"], wire={MIDDLE: ["down data n=50- ttl=-2"]})
well("resets-after", "the client has the whole answer and closes with a RST", [*TALK, "80", "get=/", "read=1067", "reset"], server=talks("request", "answer=1000", "drain"))
well("query-lost", "the first query is lost, its repetition is answered", CURL + ["{url}"],
     faults=[("drop", {"proto": "udp", "port": 53, "match": "numgen inc mod 100000 == 0"})])
well("no-timestamps", "the client has no time stamps", CURL + ["{url}medium"], sysctl={"client": {"net.ipv4.tcp_timestamps": 0}})
well("no-sack", "the server has no SACK", CURL + ["{url}medium"], sysctl={"server": {"net.ipv4.tcp_sack": 0}})
well("no-scaling", "the client does not scale its window", CURL + ["{url}medium"], sysctl={"client": {"net.ipv4.tcp_window_scaling": 0}})
well(
    "plain-stack-lossy",
    "neither SACK nor time stamps nor scaling, and a segment is lost",
    CURL + ["{url}medium"],
    sysctl={"client": {f"net.ipv4.tcp_{what}": 0 for what in ("timestamps", "sack", "window_scaling")}},
    wire={MIDDLE: ["delay=5", "down data n=20 drop"]},
)
well("ecn", "both ends agree on ECN", CURL + ["{url}medium"], sysctl={"client": {"net.ipv4.tcp_ecn": 1}, "server": {"net.ipv4.tcp_ecn": 1}})
well("tls12", "TLS 1.2", CURL + ["--tls-max", "1.2", "{https}ca"])
well("tls-lossy", "a segment of the server's TLS handshake is lost", CURL + ["{https}ca"], wire={MIDDLE: ["delay=5", "down data n=2 drop"]})
well("last-ack-lost", "the ACK of the server's FIN is lost once", CURL + ["{url}"], wire={MIDDLE: ["delay=5", "down fin n=1 drop"]})
well("tail-lost", "the last segment of the answer is lost", CURL + ["{url}medium"], wire={MIDDLE: ["delay=5", "down seq=300000 n=1 drop"]})
well("acks-lost", "every third bare ACK of the client is lost", CURL + ["{url}big"], wire={MIDDLE: ["up ack every=3 drop"]})
well("burst-lost", "six segments in a row are lost once", CURL + ["{url}big"], wire={MIDDLE: ["delay=5", "down data n=200-205 drop"]})
well("small-mss", "a router lowers the MSS to 600", CURL + ["{url}medium"], faults=[("mss_clamp", {"mss": 600})])
well("chat", "a conversation of small pieces with pauses", [*TALK, "80", *["send=50", "read=50", "sleep=0.3"] * 6, "fin", "drain"],
     server=talks(*["read=50", "send=50"] * 6, "drain"))
