"""Connections that do not come about, and look-ups that fail."""
from case import CURL, case, everywhere

QUICK = CURL + ["-m", "3"]
TIMED_OUT, REFUSED, NO_NAME = 28, 7, 6
CHAIN = [QUICK + ["{url}"]]


def on_the_way(text):
    """What the client and the middle link see; the server sees nothing of it."""
    return {"client": text, "router": text}


# --- the SYN vanishes ---

UNANSWERED = "broken syn_unanswered"
case(
    "syn-dropped-router1",
    "router 1 drops the SYN",
    faults=[("drop", {"node": "router1", "port": 80})],
    client=CHAIN,
    status=TIMED_OUT,
    expect={"client": UNANSWERED},
)
case(
    "syn-dropped-router2",
    "router 2 drops the SYN",
    faults=[("drop", {"node": "router2", "port": 80})],
    client=CHAIN,
    status=TIMED_OUT,
    expect=on_the_way(UNANSWERED),
)
case(
    "syn-dropped-server",
    "the server's own filter drops the SYN",
    faults=[("drop", {"node": "server", "port": 80})],
    client=CHAIN,
    status=TIMED_OUT,
    expect=everywhere(UNANSWERED),
)
case(
    "synack-dropped",
    "the SYN-ACK gets lost on the way back",
    faults=[("drop", {"node": "router1", "port": 80, "towards": "client"})],
    client=CHAIN,
    status=TIMED_OUT,
    expect={"client": UNANSWERED, "router": "broken handshake_unfinished", "server": "broken handshake_unfinished"},
)
case(
    "ack-dropped",
    "the SYN passes, all else of the client is dropped",
    faults=[("drop", {"node": "router1", "port": 80, "match": "tcp flags & syn == 0"})],
    client=CHAIN,
    status=TIMED_OUT,
    expect={"router": "broken handshake_unfinished", "server": "broken handshake_unfinished"},
)
case(
    "no-route-blackhole",
    "router 1 has a route to nowhere",
    faults=[("no_route", {"kind": "blackhole"})],
    client=[QUICK + ["http://{at_server}/"]],
    status=TIMED_OUT,
    expect={"client": UNANSWERED},
)

# --- somebody answers no ---

case(
    "port-closed",
    "nothing listens on the port",
    client=[QUICK + ["http://{name}:81/"]],
    status=REFUSED,
    expect=everywhere("broken syn_refused"),
)

for code, verdict in (
    ("net-unreachable", "network_unreachable"),
    ("host-unreachable", "host_unreachable"),
    ("net-prohibited", "admin_prohibited"),
    ("host-prohibited", "admin_prohibited"),
    ("port-unreachable", "port_unreachable"),
    ("admin-prohibited", "admin_prohibited"),
):
    case(
        f"icmp-{code}",
        f"router 2 rejects with ICMP {code}",
        family=4,
        faults=[("reject_icmp", {"icmp": code, "node": "router2", "port": 80})],
        client=CHAIN,
        status=REFUSED,
        expect=on_the_way(f"broken {verdict}"),
    )
for code, verdict in (
    ("no-route", "network_unreachable"),
    ("addr-unreachable", "host_unreachable"),
    ("policy-fail", "admin_prohibited"),
    ("reject-route", "admin_prohibited"),
    ("port-unreachable", "port_unreachable"),
    ("admin-prohibited", "admin_prohibited"),
):
    case(
        f"icmp-{code}",
        f"router 2 rejects with ICMPv6 {code}",
        family=6,
        faults=[("reject_icmp", {"icmp": code, "node": "router2", "port": 80})],
        client=CHAIN,
        status=REFUSED,
        expect=on_the_way(f"broken {verdict}"),
    )

case(
    "reject-by-server",
    "the server's own filter rejects with an ICMP error",
    faults=[("reject_icmp", {"icmp": "admin-prohibited", "node": "server", "port": 80})],
    client=CHAIN,
    status=REFUSED,
    expect=everywhere("broken admin_prohibited"),
)
case(
    "no-route",
    "router 1 has no route",
    faults=[("no_route", {})],
    client=[QUICK + ["http://{at_server}/"]],
    status=REFUSED,
    expect={"client": "broken network_unreachable"},
)
case(
    "no-route-prohibit",
    "router 1 has a route that prohibits",
    faults=[("no_route", {"kind": "prohibit"})],
    client=[QUICK + ["http://{at_server}/"]],
    status=REFUSED,
    expect={"client": "broken admin_prohibited"},
)
case(
    "loop",
    "the routers send it to each other",
    faults=[("loop", {})],
    client=CHAIN,
    status=REFUSED,
    expect=on_the_way("broken ttl_exceeded"),
)

# --- the link ---

case(
    "host-gone",
    "no host has that address any more",
    client=[QUICK + ["-m", "6", "http://gone.upc.edu/"]],
    status=REFUSED,
    expect=on_the_way("broken host_unreachable"),
)
case(
    "gateway-silent",
    "the gateway does not answer ARP or neighbour solicitations",
    faults=[("neighbour_silent", {})],
    client=[QUICK + ["http://{at_server}/"]],
    status=(REFUSED, TIMED_OUT),
    expect={"client": "broken neighbor_unanswered"},
)

# --- names ---

case(
    "name-unknown",
    "the name does not exist",
    client=[QUICK + ["http://wwww.upc.edu/"]],
    status=NO_NAME,
    expect=everywhere("broken dns_nxdomain"),
)
case(
    "name-refused",
    "the name server does not serve the zone",
    client=[QUICK + ["http://www.example.net/"]],
    status=NO_NAME,
    expect=everywhere("broken dns_refused"),
)
case(
    "name-no-address",
    "the name has an address of the other family only",
    family=4,
    client=[QUICK + ["http://only6.upc.edu/"]],
    status=NO_NAME,
    expect=everywhere("broken dns_no_data"),
)
case(
    "name-dropped",
    "router 2 drops the queries",
    faults=[("drop", {"node": "router2", "proto": "udp", "port": 53})],
    client=[QUICK + ["-m", "6", "{url}"]],
    status=(NO_NAME, TIMED_OUT),
    expect=on_the_way("broken dns_no_answer"),
)
