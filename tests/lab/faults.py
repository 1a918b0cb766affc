"""The faults: named switches, each a list of commands that make it and a list that undo it.

A function here is a fault. It gets the lab, a mark that nothing else in the lab bears, and its settings; it returns
(commands to do, commands to undo); a command is (node, program, argument...). Settings that several have:

    node      where: client, router1, router2, server
    towards   server | client | both: the direction of the packets it meets
    port      the port of the server that the packets belong to; none: any
    proto     tcp | udp | icmp | any (of both families)
    match     more of what has to match, as nftables says it: "meta length > 1000", "tcp flags syn / syn,ack"
    after     only what comes after so many bytes of matching packets: the same bytes at each run
"""
import inspect

from plan import CLIENT, GATEWAY, MIDDLE1, MIDDLE2, NEIGHBOURS, NEXT_HOP, SERVER, LINK_ENDS

ICMP4 = (
    "net-unreachable host-unreachable prot-unreachable port-unreachable net-prohibited host-prohibited "
    "admin-prohibited"
).split()
ICMP6 = "no-route admin-prohibited addr-unreachable port-unreachable policy-fail reject-route".split()
PROTOCOLS = {
    "tcp": "meta l4proto tcp",
    "udp": "meta l4proto udp",
    "icmp": "meta l4proto { icmp, ipv6-icmp }",
    "any": "",
}
PORTS_COUNT = (
    "net.ipv4.fib_multipath_hash_policy=1",
    "net.ipv6.fib_multipath_hash_policy=1",
)  # in the choice of a path


class Switch:
    """A fault that is on."""

    def __init__(self, lab, undo):
        self.lab, self.undo = lab, undo

    def remove(self):
        for node, *command in self.undo:
            self.lab.inside(node, *command)
        self.undo = []


def apply(lab, name, number, settings):
    """Switches the fault on."""
    if name not in FAULTS:
        raise ValueError(f"there is no fault {name}; there are {', '.join(FAULTS)}")
    do, undo = FAULTS[name](lab, f"fault{number}", **settings)
    for node, *command in do:
        lab.inside(node, *command)
    return Switch(lab, undo)


# --- nftables ---


def table(mark, node, chains):
    """A table of its own; chains: (type, hook, priority, [rule, ...])."""
    text = f"add table inet {mark};"
    for number, (kind, hook, priority, rules) in enumerate(chains):
        text += f"add chain inet {mark} c{number} {{ type {kind} hook {hook} priority {priority}; }};"
        text += "".join(f"add rule inet {mark} c{number} {rule};" for rule in rules)
    return [(node, "nft", text)], [(node, "nft", f"delete table inet {mark}")]


def hook_of(node, towards):
    """Where a node meets the packets that go towards the client or the server."""
    if node in NEIGHBOURS:
        return "forward"
    return "output" if node != towards else "input"


def matching(node, towards, port, proto, match, after):
    """What has to match, as nftables says it."""
    words = [PROTOCOLS[proto]] if port is None else [f"{proto} {'dport' if towards == 'server' else 'sport'} {port}"]
    if node in NEIGHBOURS and port is None:
        words.append(f"iifname {NEIGHBOURS[node][towards == 'client']}")
    words += [match, "" if after is None else f"quota over {after} bytes"]
    return " ".join(word for word in words if word)


def directions(towards):
    return ("server", "client") if towards == "both" else (towards,)


def rules(mark, node, towards, port, proto, match, after, verdicts):
    """A filter table with the verdicts for each direction."""
    chains = []
    for way in directions(towards):
        words = matching(node, way, port, proto, match, after)
        chains.append(("filter", hook_of(node, way), -5, [f"{words} {verdict}" for verdict in verdicts]))
    return table(mark, node, chains)


def drop(lab, mark, node="router2", towards="server", port=None, proto="tcp", match="", after=None):
    """Packets vanish."""
    return rules(mark, node, towards, port, proto, match, after, ["drop"])


def drop_raw(lab, mark, node="client", port=80):
    """What comes from a port vanishes at the node before its connection tracking sees it."""
    return table(mark, node, [("filter", "prerouting", -310, [f"tcp sport {port} drop"])])


def path_cut(lab, mark, node="router2", after=None):
    """Nothing passes the node any more, in neither direction; or only after so many bytes, of both together."""
    return table(
        mark, node, [("filter", "forward", -5, ["drop" if after is None else f"quota over {after} bytes drop"])]
    )


def reject_rst(lab, mark, node="router2", towards="server", port=None, match="", after=None):
    """A RST of the node's own answers."""
    return rules(mark, node, towards, port, "tcp", match, after, ["reject with tcp reset"])


def reject_icmp(lab, mark, icmp, node="router2", towards="server", port=None, proto="tcp", match="", after=None):
    """An ICMP error answers; `icmp` is nftables' name of the code, of the family (or both) that knows it."""
    verdicts = [f"meta nfproto ipv4 reject with icmp type {icmp}"] if icmp in ICMP4 else []
    verdicts += [f"meta nfproto ipv6 reject with icmpv6 type {icmp}"] if icmp in ICMP6 else []
    if not verdicts:
        raise ValueError(f"icmp is one of {', '.join(ICMP4)} or {', '.join(ICMP6)}")
    return rules(mark, node, towards, port, proto, match, after, verdicts)


def silent_hop(lab, mark, node="router2"):
    """The node never says that a TTL ran out."""
    words = ("icmp type time-exceeded drop", "icmpv6 type time-exceeded drop")
    return table(mark, node, [("filter", "output", -5, words)])


def no_ptb(lab, mark, node="router1", hook="output"):
    """The node never says that a packet is too big; with hook input it never hears it."""
    words = ("icmp type destination-unreachable icmp code frag-needed drop", "icmpv6 type packet-too-big drop")
    return table(mark, node, [("filter", hook, -5, words)])


def mss_clamp(lab, mark, node="router1", mss=1200):
    """The node lowers the MSS in every SYN, in both directions."""
    return table(mark, node, [("filter", "forward", -150, [f"tcp flags syn tcp option maxseg size set {mss}"])])


def nat(lab, mark, node="router1"):
    """The node hides the client behind its own address."""
    return table(mark, node, [("nat", "postrouting", 100, [f"oifname {NEIGHBOURS[node][1]} masquerade"])])


# --- state ---


def stateful(lab, mark, node="router1", expire=None, refuse=False):
    """The node passes only what belongs to connections whose SYN it saw, drops the rest, or with `refuse` answers it
    with a RST. A connection that was quiet for `expire` seconds is forgotten."""
    verdict = "reject with tcp reset" if refuse else "drop"
    hook = "forward" if node in NEIGHBOURS else "input"
    do, undo = table(mark, node, [("filter", hook, -5, [f"meta l4proto tcp ct state invalid {verdict}"])])
    do.append((node, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=0"))
    if expire is not None:
        do.append((node, "sysctl", "-qw", f"net.netfilter.nf_conntrack_tcp_timeout_established={expire}"))
    undo.append((node, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_timeout_established=432000"))
    return do, undo + [(node, "sysctl", "-qw", "net.netfilter.nf_conntrack_tcp_loose=1")]


def state_lost(lab, mark, node="router1"):
    """A stateful node forgets all connections at once, as after a restart: from now on it looks into another zone."""
    return table(mark, node, [("filter", "prerouting", -310, [f"ct zone set {int(mark.removeprefix('fault'))}"])])


# --- links and neighbours ---


def link_mtu(lab, mark, link="router1-router2", mtu=1400, icmp=True, ends="routers"):
    """The MTU of a link is lower; without `icmp` no router says so. `ends`: routers | both (the hosts at it too)."""
    where = [end for end in LINK_ENDS[link] if ends == "both" or end[0] in NEIGHBOURS]
    do = [(node, "ip", "link", "set", name, "mtu", str(mtu)) for node, name in where]
    undo = [(node, "ip", "link", "set", name, "mtu", "1500") for node, name in where]
    for node in sorted({end[0] for end in where} & set(NEIGHBOURS)) if not icmp else ():
        more, less = no_ptb(lab, mark, node)
        do, undo = do + more, undo + less
    return do, undo


def route_mtu(lab, mark, node="router1", towards="server", mtu=1400, icmp=True):
    """What the node sends towards the server, or the client, may not be larger: link_mtu for one direction."""
    do, undo = [], []
    for family in ("-4", "-6"):
        to, hop = host_route(family, node, towards)
        do.append((node, "ip", family, "route", "add", to, *hop, "mtu", "lock", str(mtu)))
        undo.append((node, "ip", family, "route", "del", to))
    more, less = ([], []) if icmp else no_ptb(lab, mark, node)
    return do + more, undo + less


def link_down(lab, mark, node="server", interface="eth0"):
    """The interface goes down; its far end loses the carrier. (Routes of the node go with it: only down() for good.)"""
    return [(node, "ip", "link", "set", interface, "down")], [(node, "ip", "link", "set", interface, "up")]


def slow_link(lab, mark, node="router1", interface="router2", rate="2mbit", limit=60000):
    """What leaves the interface is paced to the rate, behind a buffer of so many bytes."""
    shape = ("tbf", "rate", rate, "burst", "5000", "limit", str(limit))
    return (
        [(node, "tc", "qdisc", "replace", "dev", interface, "root", *shape)],
        [(node, "tc", "qdisc", "del", "dev", interface, "root")],
    )


def neighbour_silent(lab, mark, node="router1", interface="client"):
    """The node does not answer ARP or neighbour solicitation on an interface; what its neighbour knew is forgotten."""
    text = (
        f"add table arp {mark}; add chain arp {mark} c {{ type filter hook input priority 0; }};"
        f"add rule arp {mark} c iifname {interface} drop;"
    )
    six, undo = table(
        mark, node, [("filter", "input", -5, [f"iifname {interface} icmpv6 type nd-neighbor-solicit drop"])]
    )
    far, far_interface = far_end(node, interface)
    flush = [(far, "ip", family, "neigh", "flush", "dev", far_interface) for family in ("-4", "-6")]
    return [(node, "nft", text)] + six + flush, [(node, "nft", f"delete table arp {mark}")] + undo


def far_end(node, interface):
    for a, b in LINK_ENDS.values():
        if (node, interface) in (a, b):
            return b if (node, interface) == a else a
    raise ValueError(f"there is no interface {interface} at {node}")


def host_gone(lab, mark, node="server", interface="eth0"):
    """Nobody answers for the host any more, and it says nothing itself: as if it was switched off behind a switch."""
    do, undo = neighbour_silent(lab, mark, node, interface)
    families = ("arp", "inet")
    for family in families:
        text = f"add table {family} {mark}out; add chain {family} {mark}out c {{ type filter hook output priority -5; }};"
        do = do + [(node, "nft", f"{text} add rule {family} {mark}out c oifname {interface} drop;")]
    return do, undo + [(node, "nft", f"delete table {family} {mark}out") for family in families]


# --- routes ---


def no_route(lab, mark, node="router1", kind="none"):
    """The node has no route towards the server: kind none | unreachable | prohibit | blackhole."""
    if kind == "none":
        routes = (("-4", "default", MIDDLE2[4]), ("-6", "default", MIDDLE2[6]))
        return (
            [(node, "ip", family, "route", "del", to) for family, to, _ in routes],
            [(node, "ip", family, "route", "add", to, "via", via) for family, to, via in routes],
        )
    routes = (("-4", "147.83.2.0/24"), ("-6", "2001:db8:2::/64"))
    return (
        [(node, "ip", family, "route", "add", kind, to) for family, to in routes],
        [(node, "ip", family, "route", "del", kind, to) for family, to in routes],
    )


def reverse_path(lab, mark, port=80):
    """The client's packets for a port of the server go out as ever, its IPv4 route to the server leads elsewhere, and what comes from where its
    route does not lead is dropped (rp_filter)."""
    do, undo = table(mark, "client", [("route", "output", -150, [f"ip daddr {SERVER[4]} tcp dport {port} meta mark set 1"])])
    ways = (f"route add default via {GATEWAY[4]} table 100", "rule add fwmark 1 lookup 100")
    loose = ("link add loose type veth peer name end", "link set end up", "link set loose up", f"route add {SERVER[4]} dev loose")
    do += [("client", "ip", *words.split()) for words in ways + loose]
    do += [("client", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=1")]
    undo += [("client", "ip", *words.replace(" add ", " del ").split()) for words in ways]
    undo += [("client", "ip", "link", "del", "loose"), ("client", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0")]
    return do, undo


def host_route(family, node, towards):
    """(the address of the client or the server, the way to it from a router)"""
    number = 4 if family == "-4" else 6
    via = NEXT_HOP.get((node, towards))
    address = {"client": CLIENT, "server": SERVER}[towards][number]
    return address, ("via", via[number]) if via else ("dev", towards)


def loop(lab, mark):
    """Router 2 sends packets for the server back to router 1."""
    routes = (("-4", SERVER[4], MIDDLE1[4]), ("-6", SERVER[6], MIDDLE1[6]))
    return (
        [("router2", "ip", family, "route", "replace", to, "via", via) for family, to, via in routes],
        [("router2", "ip", family, "route", "del", to, "via", via) for family, to, via in routes],
    )


def ecmp(lab, mark):
    """A second link between the routers, and routes that spread flows over both by their ports, both ways."""
    second = ("type", "veth", "peer", "name", "router1b", "netns", lab.netns("router2"))
    do, undo = [("router1", "ip", "link", "add", "router2b", *second)], [("router1", "ip", "link", "del", "router2b")]
    for node, first, own, other in (("router1", "router2", 1, 2), ("router2", "router1", 2, 1)):
        do += [(node, "ip", "link", "set", f"{first}b", "up"), (node, "sysctl", "-qw", *PORTS_COUNT)]
        for family, net, length, more in (("-4", "10.0.{}.{}", 24, ()), ("-6", "2001:db8:{}::{}", 64, ("nodad",))):
            one, two = net.format(4, other), net.format(5, other)
            hops = ("nexthop", "via", one, "dev", first, "nexthop", "via", two, "dev", f"{first}b")
            do += [
                (node, "ip", family, "addr", "add", f"{net.format(5, own)}/{length}", "dev", f"{first}b", *more),
                (node, "ip", family, "route", "del", "default"),
                (node, "ip", family, "route", "add", "default", *hops),
            ]
            undo.append((node, "ip", family, "route", "replace", "default", "via", one))
    return do, undo


def icmp_limit(lab, mark, node="router1", milliseconds=1000):
    """The node sends at most one ICMP error to a host in so many milliseconds (after a few at first, IPv4)."""
    four = (f"net.ipv4.icmp_ratelimit={milliseconds}", "net.ipv4.icmp_ratemask=6168")
    return (
        [(node, "sysctl", "-qw", *four, f"net.ipv6.icmp.ratelimit={milliseconds}")],
        [(node, "sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0")],
    )


FAULTS = {
    f.__name__: f
    for f in (
        drop,
        drop_raw,
        path_cut,
        reject_rst,
        reject_icmp,
        silent_hop,
        no_ptb,
        mss_clamp,
        nat,
        stateful,
        state_lost,
        link_mtu,
        route_mtu,
        link_down,
        slow_link,
        neighbour_silent,
        host_gone,
        no_route,
        reverse_path,
        loop,
        ecmp,
        icmp_limit,
    )
}


def listing():
    """A line or more for each fault: its settings, and what it does."""
    lines = []
    for name, function in FAULTS.items():
        settings = [str(parameter) for parameter in list(inspect.signature(function).parameters.values())[2:]]
        lines.append(f"{name} {' '.join(settings)}\n    {' '.join(function.__doc__.split())}")
    return "\n".join(lines)
