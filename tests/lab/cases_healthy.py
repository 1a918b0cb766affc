"""All is well, though it does not look so: nothing here may be accused."""
from case import case

CURL = ["curl", "-{family}", "-sS", "-o", "/dev/null", "--cacert", "{ca}", "-m", "20"]
TALK = ["{talker}", "connect", "{server}"]
MIDDLE = "router1-router2"
WELL = {"client": "ok", "router": "ok", "server": "ok"}
ENDS = {"client": "ok", "server": "ok"}


def half_close(lab):
    lab.name_server()
    lab.talker(80, "never-closes")


def well(name, about, client, **more):
    case(f"well-{name}", about, client=[client], expect=WELL, **more)


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
    server=half_close,
    settle=2,
)
well(
    "upload",
    "3 MB from the client",
    [*TALK, "80", "send=3000000", "fin", "drain"],
    server=lambda lab: lab.talker(80, "read=3000000", "fin", "drain"),
)
well("many", "20 connections side by side", CURL + ["--no-keepalive", "-Z", "--parallel-max", "20", *["{url}?[1-20]"]])
