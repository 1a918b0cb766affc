"""The plan of the laboratory: its nodes, links, addresses and names (the picture is in lab.py)."""

NAME = "www.upc.edu"
CLIENT, SERVER, SPARE, NOBODY, RESOLVER = (
    {4: "10.0.3.15", 6: "2001:db8:3::15"},
    {4: "147.83.2.135", 6: "2001:db8:2::135"},
    {4: "147.83.2.136", 6: "2001:db8:2::136"},  # the server's second address
    {4: "147.83.2.99", 6: "2001:db8:2::99"},  # an address of the server's network that no host has
    {4: "147.83.2.3", 6: "2001:db8:2::3"},
)
GATEWAY = {4: "10.0.3.2", 6: "2001:db8:3::2"}
MIDDLE1, MIDDLE2 = {4: "10.0.4.1", 6: "2001:db8:4::1"}, {4: "10.0.4.2", 6: "2001:db8:4::2"}
LAST = {4: "147.83.2.1", 6: "2001:db8:2::1"}
NAMES = (  # what the name server knows; all else in upc.edu is NXDOMAIN, outside of it REFUSED
    f"{NAME},{SERVER[4]},{SERVER[6]}",
    f"spare.upc.edu,{SPARE[4]},{SPARE[6]}",
    f"gone.upc.edu,{NOBODY[4]},{NOBODY[6]}",
    f"only4.upc.edu,{SERVER[4]}",
    f"only6.upc.edu,{SERVER[6]}",
)

PLACES = {"client": ("client", "enp0s8"), "router": ("router1", "router2"), "server": ("server", "eth0")}


def both(table, length4=24, length6=64):
    return [f"{table[4]}/{length4}", f"{table[6]}/{length6}"]


NODES = ("client", "router1", "router2", "server")
ROUTERS = ("router1", "router2")
LINKS = (
    ("client", "enp0s8", 0x15, both(CLIENT), "router1", "client", 0x02, both(GATEWAY)),
    ("router1", "router2", 0x41, both(MIDDLE1), "router2", "router1", 0x42, both(MIDDLE2)),
    ("router2", "server", 0x21, both(LAST), "server", "eth0", 0x35, both(SERVER) + both(SPARE) + both(RESOLVER)),
)
ROUTES = (
    ("client", f"default via {GATEWAY[4]}"),
    ("client", f"-6 default via {GATEWAY[6]}"),
    ("router1", f"default via {MIDDLE2[4]}"),
    ("router1", f"-6 default via {MIDDLE2[6]}"),
    ("router2", f"default via {MIDDLE1[4]}"),
    ("router2", f"-6 default via {MIDDLE1[6]}"),
    ("server", f"default via {LAST[4]}"),
    ("server", f"-6 default via {LAST[6]}"),
)

NEIGHBOURS = {"router1": ("client", "router2"), "router2": ("router1", "server")}  # towards the client, the server
NEXT_HOP = {("router1", "server"): MIDDLE2, ("router2", "client"): MIDDLE1}  # the other ends are on the router's link
LINK_ENDS = {f"{a}-{b}": ((a, a_name), (b, b_name)) for a, a_name, _, _, b, b_name, _, _ in LINKS}  # link: its ends
LINK_NAMES = tuple(LINK_ENDS)
