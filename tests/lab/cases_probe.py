"""Active probes: `tcpsleuth probe` from the client, against each fault: hop, MTU and outcome exactly."""
import json
import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import jsonschema
from case import check, script
from judge import EXIT, say
from lab import Lab
from net import Fault, program
from plan import CLIENT, GATEWAY, MIDDLE1, MIDDLE2, NAME, NOBODY, SERVER

HOPS = {"host": CLIENT, "r1": GATEWAY, "r1b": MIDDLE1, "r2": MIDDLE2, "server": SERVER, "nobody": NOBODY,
        "nobody_here": {4: "10.0.3.77", 6: "2001:db8:3::77"}}
SECONDS = 40
PORT = 8000  # none of the web: no request is waited for
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "tcpsleuth.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)


def web(lab):
    lab.web(f"server {{ listen {PORT}; listen [::]:{PORT}; }}", (PORT,))


def nothing(lab):
    """The port stays closed."""


def address(case, name):
    return None if name is None else HOPS[name][case.family]


def written(case, name="server", port=PORT):
    text = address(case, name)
    return f"[{text}]:{port}" if case.family == 6 else f"{text}:{port}"


def probe(lab, *words, status=None):
    """The JSON document of `tcpsleuth probe`, and what it said on standard error."""
    done = lab.run("client", [program("tcpsleuth"), "probe", "--json", *words], status=None, timeout=60)
    if done.returncode not in (0, 1):
        raise Fault(f"probe {' '.join(words)}: status {done.returncode}: {done.stderr[-400:]}")
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    right = EXIT[found["verdict"]["status"]] if status is None else status
    check(done.returncode == right, f"status {done.returncode}, not {right}")
    return found, done.stderr


def record(found, kind, family=None):
    """The record of a kind; None where there is none."""
    kinds = [kind] + (["nd"] if kind == "arp" else [])
    records = [one for one in found["probes"] if one["kind"] in kinds and family in (None, one["ip"])]
    return records[0] if records else None


def tell(one):
    """"stopped", "fits 1500" of a record."""
    if one is None:
        return None
    return one["outcome"] + (f" {one['path_mtu']}" if one["path_mtu"] else "")


def trail(one):
    return [hop["addr"] for hop in one["hops"]]


def check_hop(case, found, hop):
    """hop: ((ttl, name), (ttl, name)) of detail.hop."""
    detail = found["verdict"]["detail"] or {}
    right = [{"ttl": ttl, "addr": address(case, name)} for ttl, name in hop]
    said = detail.get("hop")
    check(said == {"after": right[0], "at": right[1]}, f"detail.hop is {said}, not {right}")


def against(name, about, faults, verdict, hop=None, records=None, trails=None, server=web, port=PORT, to="server", more=None, **settings):
    """A case: verdict "broken syn_unanswered"; records {kind: "outcome [MTU]"}; trails {kind: [names of hops]}."""

    def function(lab, case):
        found, _ = probe(lab, written(case, to, port))
        said = say(found["verdict"])
        check(said == verdict, f"{said}, not {verdict}: {found['verdict']['summary']}")
        if hop:
            check_hop(case, found, hop)
        for kind, right in (records or {}).items():
            said = tell(record(found, kind))
            check(said == right, f"{kind}: {said}, not {right}")
        for kind, names in (trails or {}).items():
            right = [address(case, one) for one in names]
            check(trail(record(found, kind)) == right, f"{kind}: {trail(record(found, kind))}, not {right}")
        if more:
            more(lab, case, found)

    function.__doc__ = about
    script(f"probe-{name}", server=server, faults=faults, seconds=SECONDS, **settings)(function)


WAY = ["r1", "r2", "server"]
FITS = {"ack_df": "fits 1500", "echo_df": "fits 1500"}

# --- nothing wrong ---

against("open", "an open port", [], "ok", trails={"syn_ttl": WAY, "echo_ttl": WAY},
        records={"arp": "answered", "echo": "answered", "gateway_echo": "answered", "syn": "open", "syn_ttl": "reached",
                 "option_diff": "unchanged", **FITS, "udp_df": None, "size_ttl": None})
against("silent-hop", "a hop that never says that a TTL ended", [("silent_hop", {"node": "router1"})], "ok",
        trails={"syn_ttl": [None, "r2", "server"]}, records=FITS)
against("mss-clamped", "a router lowers the MSS: told, and no fault", [("mss_clamp", {"node": "router1", "mss": 1200})], "ok",
        records={"option_diff": "rewritten", **FITS},
        more=lambda lab, case, found: check_change(case, found, "mss", str(1500 - (60 if case.family == 6 else 40)), "1200", (1, "r1"), (2, "r2")))
against("nat", "a router hides the client behind its own address", [("nat", {})], "ok", trails={"syn_ttl": WAY}, records=FITS)
against("icmp-filtered", "the server answers no echo, the port is open",
        [("drop", {"node": "server", "proto": "any", "match": "icmp type echo-request"})], "ok", family=4,
        records={"echo": "no_answer", "syn": "open", "ack_df": "fits 1500", "echo_df": None}, trails={"syn_ttl": WAY})


def check_change(case, found, what, sent, seen, after, at):
    changes = [one for one in record(found, "option_diff")["changes"] if one["what"] == what]
    right = {"what": what, "sent": sent, "seen": seen, "after": {"ttl": after[0], "addr": address(case, after[1])},
             "at": {"ttl": at[0], "addr": address(case, at[1])}}
    check(changes == [right], f"changes are {changes}, not {right}")


# --- the port ---

against("closed", "nothing listens", [], "broken syn_refused", server=nothing, hop=((2, "r2"), (3, "server")),
        records={"syn": "refused", **FITS})
UNANSWERED = "broken syn_unanswered"
against("dropped-router1", "router 1 drops the SYN", [("drop", {"node": "router1", "port": PORT})], UNANSWERED,
        hop=((1, "r1"), (2, "r2")), records={"echo": "answered", "syn": "no_answer", "syn_ttl": "stopped", "echo_ttl": "reached",
                                             "ack_df": "unmeasurable", "udp_df": "fits 1500"})
against("dropped-router2", "router 2 drops the SYN", [("drop", {"node": "router2", "port": PORT})], UNANSWERED,
        hop=((2, "r2"), (3, "server")))
against("dropped-server", "the server's own filter drops the SYN", [("drop", {"node": "server", "port": PORT})], UNANSWERED,
        hop=((2, "r2"), (3, "server")))
against("synack-dropped", "the SYN-ACK gets lost on the way back",
        [("drop", {"node": "router1", "port": PORT, "towards": "client"})], UNANSWERED,
        hop=((2, "r2"), (3, "server")), records={"syn_ttl": "stopped"})
against("path-cut", "nothing passes router 2", [("path_cut", {"node": "router2"})], UNANSWERED,
        hop=((2, "r2"), (None, "server")), records={"echo": "no_answer", "syn_ttl": "stopped", "echo_ttl": "stopped"})
against("dropped-behind-silent-hop", "router 1 drops the SYN, router 2 is silent",
        [("drop", {"node": "router1", "port": PORT}), ("silent_hop", {"node": "router2"})], UNANSWERED, hop=((1, "r1"), (3, "server")))
against("rst-router1", "router 1 refuses in the server's name", [("reject_rst", {"node": "router1", "port": PORT})],
        "broken syn_refused_by_middlebox", hop=((1, "r1"), (2, "r2")), records={"syn": "refused"})
against("rst-router2", "router 2 refuses in the server's name: its TTL has come fewer hops than the server's",
        [("reject_rst", {"node": "router2", "port": PORT})], "broken syn_refused_by_middlebox", hop=((1, "r1"), (2, "r2")))
against("on-link-closed", "the target is on the link", [], "broken syn_refused", to="r1", hop=((0, None), (1, "r1")), server=nothing)
against("on-link-gone", "nobody has an address of the link", [], "broken neighbor_unanswered", to="nobody_here", server=nothing,
        records={"arp": "no_answer"})
against("large-echoes-dropped", "the server does not answer large echoes: possibly nothing is wrong",
        [("drop", {"node": "server", "port": PORT, "match": "tcp flags & (syn | ack) == ack"}),
         ("drop", {"node": "server", "proto": "any", "match": "udp dport 33434"}),
         ("drop", {"node": "server", "proto": "any", "match": "meta l4proto { icmp, ipv6-icmp } meta length > 1000"})],
        "degraded pmtu_blackhole", records={"ack_df": "unmeasurable", "udp_df": "unmeasurable", "echo_df": "black_hole 1000"},
        more=lambda lab, case, found: check(found["verdict"]["confidence"] == "possible", "it is more than possible"))

CODES = (
    ("net-unreachable", "network_unreachable", (4,)),
    ("host-unreachable", "host_unreachable", (4,)),
    ("prot-unreachable", "port_unreachable", (4,)),
    ("net-prohibited", "admin_prohibited", (4,)),
    ("host-prohibited", "admin_prohibited", (4,)),
    ("port-unreachable", "port_unreachable", (4, 6)),
    ("admin-prohibited", "admin_prohibited", (4, 6)),
    ("no-route", "network_unreachable", (6,)),
    ("addr-unreachable", "host_unreachable", (6,)),
    ("policy-fail", "admin_prohibited", (6,)),
    ("reject-route", "admin_prohibited", (6,)),
)


@script("probe-rejected-by-each-code", seconds=SECONDS)
def _(lab, case):
    """Router 2 rejects with each ICMP code, a port for each: probed at the same time, by as many processes."""
    codes = [(code, verdict) for code, verdict, families in CODES if case.family in families]
    for number, (code, _) in enumerate(codes):
        lab.fault("reject_icmp", icmp=code, node="router2", port=PORT + number)
    with ThreadPoolExecutor(len(codes)) as pool:
        documents = list(pool.map(lambda number: probe(lab, written(case, port=PORT + number))[0], range(len(codes))))
    for (code, verdict), found in zip(codes, documents):
        check(say(found["verdict"]) == f"broken {verdict}", f"{code}: {found['verdict']['summary']}")
        check_hop(case, found, ((1, "r1"), (2, "r2")))
        outcomes = [tell(record(found, kind)) for kind in ("syn", "syn_ttl")]
        check(outcomes == ["unreachable", "unreachable"], f"{code}: {outcomes}")


against("rejected-router1", "router 1 rejects", [("reject_icmp", {"icmp": "admin-prohibited", "node": "router1", "port": PORT})],
        "broken admin_prohibited", hop=((0, None), (1, "r1")))
against("rejected-server", "the server's own filter rejects", [("reject_icmp", {"icmp": "admin-prohibited", "node": "server", "port": PORT})],
        "broken admin_prohibited", hop=((2, "r2"), (3, "server")))

# --- sizes ---

HOLE = "broken pmtu_blackhole"
for node, after, at, mtu in (("router1", (1, "r1"), (2, "r2"), 1400), ("router2", (2, "r2"), (3, "server"), 1337)):
    against(f"mtu-there-{node}", f"behind {node} the way there is narrower, and it says so", [("route_mtu", {"node": node, "mtu": mtu})], "ok",
            records={"ack_df": f"announced {mtu}", "echo_df": f"announced {mtu}", "size_ttl": None})
    against(f"hole-there-{node}", f"behind {node} the way there is narrower, and it does not say so",
            [("route_mtu", {"node": node, "mtu": mtu, "icmp": False})], HOLE, hop=(after, at),
            records={"ack_df": f"black_hole {mtu}", "echo_df": f"black_hole {mtu}", "size_ttl": "stopped"})
    against(f"mtu-back-{node}", f"behind {node} the way back is narrower: the answers come in fragments",
            [("route_mtu", {"node": node, "towards": "client", "mtu": mtu})], "ok", records={"ack_df": "fits 1500", "echo_df": "fits 1500"},
            more=lambda lab, case, found: check("fragments" in (record(found, "echo_df")["note"] or ""), "no word of fragments"))
    against(f"hole-back-{node}", f"behind {node} the way back is narrower, and it does not say so", family=6,
            faults=[("route_mtu", {"node": node, "towards": "client", "mtu": mtu, "icmp": False})], verdict=HOLE,
            records={"ack_df": "fits 1500", "echo_df": f"black_hole {mtu}"},
            more=lambda lab, case, found: check(found["verdict"]["detail"]["direction"] == "back", "the direction is not back"))
against("mtu-link", "a link is narrower both ways, and its routers say so", [("link_mtu", {"link": "router1-router2", "mtu": 1400})], "ok",
        records={"ack_df": "announced 1400", "echo_df": "announced 1400"})
against("hole-link", "a link is narrower both ways, and nobody says so", [("link_mtu", {"link": "router1-router2", "mtu": 1400, "icmp": False})],
        HOLE, hop=((1, "r1"), (2, "r2")), records={"ack_df": "black_hole 1400"})
against("hole-first-link", "large packets vanish on the client's own link (a veth lets 4 bytes more pass)",
        [("link_mtu", {"link": "client-router1", "mtu": 1450, "icmp": False})],
        HOLE, hop=((0, None), (1, "r1")), records={"ack_df": "black_hole 1454", "size_ttl": "stopped"})
against("two-narrow-links", "two links are narrower, the second one more", [("route_mtu", {"node": "router1", "mtu": 1450}),
                                                                            ("route_mtu", {"node": "router2", "mtu": 1300})], "ok",
        records={"ack_df": "announced 1300", "echo_df": "announced 1300"})
against("hole-back", "large packets vanish on the way back only",
        [("drop", {"node": "router1", "towards": "client", "proto": "any", "match": "meta length > 1420"})], HOLE,
        records={"ack_df": "fits 1500", "echo_df": "black_hole 1420", "size_ttl": None},
        more=lambda lab, case, found: check(found["verdict"]["detail"]["direction"] == "back", "the direction is not back"))
against("hole-silent-server", "the server ignores stray segments: sizes by UDP",
        [("drop", {"node": "server", "port": PORT, "match": "tcp flags & (syn | ack) == ack"}),
         ("link_mtu", {"link": "router1-router2", "mtu": 1400, "icmp": False})], HOLE, hop=((1, "r1"), (2, "r2")),
        records={"ack_df": "unmeasurable", "udp_df": "black_hole 1400"})

# --- routes and links ---

against("loop", "two routers point at each other", [("loop", {})], "broken ttl_exceeded", hop=((1, "r1"), (2, "r2")),
        records={"syn": "unreachable", "syn_ttl": "loop"},
        more=lambda lab, case, found: check(found["verdict"]["detail"]["loop"] == [address(case, "r2"), address(case, "r1b")], "another loop"))
against("no-route", "router 1 has no route", [("no_route", {})], "broken network_unreachable", hop=((0, None), (1, "r1")))
against("no-route-prohibit", "router 1 has a route that prohibits", [("no_route", {"kind": "prohibit"})], "broken admin_prohibited",
        hop=((0, None), (1, "r1")))
against("no-route-blackhole", "router 1 has a route to nowhere", [("no_route", {"kind": "blackhole"})], UNANSWERED, family=4,
        hop=((0, None), (None, "server")))
against("target-gone", "nobody has the target's address", [("host_gone", {})], "broken host_unreachable", hop=((1, "r1"), (2, "r2")))
against("neighbour-gone", "the gateway does not answer", [("neighbour_silent", {})], "broken neighbor_unanswered",
        records={"arp": "no_answer", "syn_ttl": None})


@script("probe-no-route-here", server=web)
def _(lab, case):
    """This host has no route: nothing is sent."""
    lab.ip("client", f"-{case.family} route del default")
    found, _ = probe(lab, written(case), status=1)
    check(say(found["verdict"]) == "broken network_unreachable" and found["verdict"]["where"] == "client", found["verdict"]["summary"])
    check(sum(one["sent"] for one in found["probes"]) == 0, "something was sent")


@script("probe-ecmp", faults=[("ecmp", {})], server=web)
def _(lab, case):
    """Two equal paths by the hash of the flow: a trail stays on one of them."""
    found, _ = probe(lab, written(case))
    second = {4: "10.0.5.2", 6: "2001:db8:5::2"}[case.family]
    check(say(found["verdict"]) == "ok", found["verdict"]["summary"])
    for kind in ("syn_ttl", "echo_ttl"):
        hops = trail(record(found, kind))
        check(hops in ([address(case, "r1"), middle, address(case, "server")] for middle in (address(case, "r2"), second)), f"{kind}: {hops}")


@script("probe-ttl-twice", server=web)
def _(lab, case):
    """A router takes two off each TTL: the next hop shows twice."""
    field = "ip6 hoplimit" if case.family == 6 else "ip ttl"
    rules = "".join(f"add rule inet twice c iifname client {field} {ttl} {field} set {ttl - 1} accept;" for ttl in range(1, 65))
    lab.inside("router1", "nft", "add table inet twice; add chain inet twice c { type filter hook forward priority -150; };" + rules)
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == "ok", found["verdict"]["summary"])
    right = [address(case, name) for name in ("r1", "r2", "r2", "server")]
    check(trail(record(found, "syn_ttl")) == right, f"{trail(record(found, 'syn_ttl'))}")


@script("probe-hop-limits-icmp", server=web)
def _(lab, case):
    """A hop that says only now and then that a TTL ended loses nothing: those behind it answer all."""
    kind = "icmpv6 type time-exceeded" if case.family == 6 else "icmp type time-exceeded"
    lab.inside("router1", "nft", "add table inet seldom; add chain inet seldom c { type filter hook output priority -5; };"
                                 f"add rule inet seldom c {kind} numgen inc mod 2 0 drop;")
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == "ok", found["verdict"]["summary"])
    hop = record(found, "syn_ttl")["hops"][0]
    check(hop["rate_limited"] and hop["sent"] > hop["answered"] > 0, f"hop 1: {hop}")


@script("probe-option-stripped", server=web)
def _(lab, case):
    """A router removes SACK and timestamps from SYNs: degraded, and the place is told."""
    lab.inside("router1", "nft", "add table inet strip; add chain inet strip c { type filter hook forward priority -150; };"
                                 "add rule inet strip c tcp flags syn reset tcp option sack-perm;"
                                 "add rule inet strip c tcp flags syn reset tcp option timestamp;")
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == "degraded option_stripped", found["verdict"]["summary"])
    check(found["verdict"]["detail"]["options"] == ["sack", "timestamps"], f"{found['verdict']['detail']}")
    check_hop(case, found, ((1, "r1"), (2, "r2")))


@script("probe-dscp-changed", server=web)
def _(lab, case):
    """A router marks packets: told, and no fault."""
    field = "ip6 dscp" if case.family == 6 else "ip dscp"
    lab.inside("router1", "nft", "add table inet remark; add chain inet remark c { type filter hook forward priority -150; };"
                                 f"add rule inet remark c {field} set cs5;")
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == "ok", found["verdict"]["summary"])
    check_change(case, found, "dscp", "0", "40", (1, "r1"), (2, "r2"))


@script("probe-local-filter-in", server=web)
def _(lab, case):
    """A rule of this host drops the answers: the SYN is answered, the connection does not come about."""
    rule = f"add rule inet in c tcp sport {PORT} drop;"
    lab.inside("client", "nft", "add table inet in; add chain inet in c { type filter hook input priority 0; };" + rule)
    found, _ = probe(lab, written(case), status=1)
    check(say(found["verdict"]) == "broken admin_prohibited" and found["verdict"]["where"] == "client", found["verdict"]["summary"])


@script("probe-only-own-syn-dropped", server=web, faults=[("drop", {"node": "router2", "port": PORT, "match": "tcp sport 20000-29999"})])
def _(lab, case):
    """A filter drops the SYNs of the probes and not those of the kernel: the service works, and nothing is accused."""
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == "ok" and record(found, "syn")["outcome"] == "no_answer", found["verdict"]["summary"])


@script("probe-local-filter", server=web)
def _(lab, case):
    """A rule of this host keeps SYNs from leaving."""
    lab.inside("client", "nft", "add table inet out; add chain inet out c { type filter hook output priority 0; };"
                                "add rule inet out c tcp dport 8000 drop;")
    found, _ = probe(lab, written(case), status=1)
    check(say(found["verdict"]) == "broken admin_prohibited" and found["verdict"]["where"] == "client", found["verdict"]["summary"])
    check(record(found, "syn")["outcome"] == "blocked_here", "the SYN is not blocked here")


@script("probe-variants", faults=[("drop", {"node": "router2", "port": PORT, "match": "tcp option timestamp exists"})], server=web)
def _(lab, case):
    """A filter drops SYNs with timestamps: the variants without pass, and that is told."""
    found, _ = probe(lab, written(case))
    check(say(found["verdict"]) == UNANSWERED, found["verdict"]["summary"])
    replies = {one["change"]: one["reply"] for one in record(found, "syn_variants")["variants"]}
    right = {change: "syn_ack" if change in ("without options", "without timestamps") else "none" for change in replies}
    check(replies == right and len(replies) > 8, f"{replies}")
    check(found["verdict"]["detail"]["passes"] == ["without options", "without timestamps"], f"{found['verdict']['detail']}")


@script("probe-variants-port", faults=[("drop", {"node": "router2", "port": PORT, "match": "tcp sport != 1023"})], server=web)
def _(lab, case):
    """A filter that keys on the source port lets the low one pass."""
    found, _ = probe(lab, written(case))
    check(found["verdict"]["detail"]["passes"] == ["source port 1023"], f"{found['verdict']['detail']}")


# --- the kernel's connection, TLS, HTTP ---


@script("probe-https", server=Lab.serve)
def _(lab, case):
    """A URL: connection, TLS, and each leg of the redirects with its times."""
    found, _ = probe(lab, f"https://{address_in_url(case)}/")
    check(record(found, "connect")["outcome"] == "open" and record(found, "tls")["outcome"] == "complete", "no connection")
    legs = record(found, "request")["legs"]
    check([leg["status"] for leg in legs] == [301, 200] and all(leg["total"] > 0 and leg["tls"] > 0 for leg in legs), f"{legs}")


def address_in_url(case):
    text = SERVER[case.family]
    return f"[{text}]" if case.family == 6 else text


def certificate(name, cert, verdict):
    def function(lab, case):
        found, _ = probe(lab, f"https://only{case.family}.upc.edu/" if cert == "other" else f"https://{NAME}/")
        check(say(found["verdict"]) == verdict, f"{say(found['verdict'])}: {found['verdict']['summary']}")

    function.__doc__ = f"The certificate: {name}."
    script(f"probe-tls-{name}", family=4, server=lambda lab: lab.serve(cert))(function)


certificate("expired", "expired", "broken tls_certificate_expired")
certificate("self-signed", "self", "broken tls_self_signed")
certificate("other-name", "other", "broken tls_name_mismatch")


@script("probe-tls-not-spoken", family=4, server=lambda lab: (lab.name_server(), lab.web("server { listen 443; }", (443,))))
def _(lab, case):
    """Plain text on port 443."""
    found, _ = probe(lab, written(case, port=443))
    check(say(found["verdict"]) == "broken tls_not_spoken", found["verdict"]["summary"])


@script("probe-http-error", family=4, server=lambda lab: lab.web("server { listen 80; location / { return 503; } }", (80,)))
def _(lab, case):
    """The service answers 503."""
    found, _ = probe(lab, written(case, port=80))
    check(say(found["verdict"]) == "broken http_server_error", found["verdict"]["summary"])


@script("probe-redirect-loop", family=4, server=lambda lab: lab.web(
    "server { listen 80; location /a { return 302 /b; } location / { return 302 /a; } }", (80,)))
def _(lab, case):
    """Redirects that go in a circle."""
    found, _ = probe(lab, written(case, port=80))
    check(say(found["verdict"]) == "broken redirect_loop", found["verdict"]["summary"])


# --- without rights ---

PLAIN = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--bounding-set=-all"]


def plain_probe(lab, case, *words):
    done = lab.run("client", PLAIN + [program("tcpsleuth"), "probe", "--json", *words], status=None, timeout=60)
    check(done.returncode in (0, 1), f"status {done.returncode}: {done.stderr}")
    check("setcap" in done.stderr, "it does not say how to allow it")
    return json.loads(done.stdout)


@script("probe-plain", server=web, faults=[("link_mtu", {"mtu": 1400})])
def _(lab, case):
    """Without rights: connection, hops and path MTU all the same, and what was left out is told."""
    lab.sysctl("client", {"net.ipv4.ping_group_range": "0 65535"})
    found = plain_probe(lab, case, written(case))
    check(say(found["verdict"]) == "ok" and record(found, "connect")["outcome"] == "open", found["verdict"]["summary"])
    check(record(found, "syn")["outcome"] == "left_out" and "cap_net_raw" in record(found, "syn")["note"], "not left out")
    check(record(found, "echo")["outcome"] == "answered", "echo is not answered")
    hops = record(found, "udp_ttl")
    check(tell(hops) == "reached 1400" and trail(hops) == [address(case, name) for name in WAY], f"{tell(hops)} {trail(hops)}")


@script("probe-plain-dropped", family=4, server=web, faults=[("drop", {"node": "router1", "port": PORT})])
def _(lab, case):
    """Without rights, a dropped port."""
    check(say(plain_probe(lab, case, written(case))["verdict"]) == UNANSWERED, "another verdict")


@script("probe-plain-closed", family=4, server=nothing)
def _(lab, case):
    """Without rights, a closed port."""
    check(say(plain_probe(lab, case, written(case))["verdict"]) == "broken syn_refused", "another verdict")


@script("probe-interrupted", family=4, server=web, faults=[("path_cut", {"node": "router2"})])
def _(lab, case):
    """Ctrl-C: what is known is told."""
    process = lab.spawn("client", program("tcpsleuth"), "probe", "--json", written(case))
    lab.wait_ready(process, "probing")
    time.sleep(1.5)
    text = lab.stop(process, signal.SIGINT)
    found = json.loads(text[text.index("{"):])
    check(record(found, "arp")["outcome"] == "answered" and record(found, "syn")["outcome"] == "interrupted", "the records are wrong")
    check(process.returncode in (0, 1), f"status {process.returncode}")


# --- names, pace, manners ---


@script("probe-families-differ", family=4, server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80, "match": "meta nfproto ipv6"})])
def _(lab, case):
    """A name with both families, of which one fails: degraded, and it says which."""
    found, _ = probe(lab, f"{NAME}:80", status=0)
    verdict = found["verdict"]
    check(say(verdict) == "degraded syn_unanswered" and verdict["detail"]["family"] == "ipv6", f"{verdict}")
    check(record(found, "syn", 4)["outcome"] == "open" and record(found, "syn", 6)["outcome"] == "no_answer", "the records differ")


@script("probe-pace", family=4, server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})])
def _(lab, case):
    """At most 10 packets a second leave, after they were announced; several targets go side by side."""
    dump = lab.start("client", "tcpdump", "-n", "-tt", "-l", "-i", "enp0s8", "-Q", "out",
                     "(tcp dst port 80 and (src portrange 20000-31000 or src port 1023) and tcp[13] & 4 = 0) or udp dst port 33434 or icmp[0] = 8 or (arp[6:2] = 1)", ready="listening on")
    found, said = probe(lab, f"{NAME}:80")
    text = lab.stop(dump)
    times = [float(line.split()[0]) for line in text.splitlines() if re.match(r"\d+\.\d+ ", line)]
    check(len(times) > 20, f"only {len(times)} packets were seen")
    for first, eleventh in zip(times, times[10:]):
        check(eleventh - first > 0.95, f"11 packets in {eleventh - first:.3f} s")
    check(said.startswith("tcpsleuth: probing "), "nothing was announced")


@script("probe-passive", family=4, server=web)
def _(lab, case):
    """--passive sends nothing, and is a mistake."""
    lab.capture("client")
    done = lab.run("client", [program("tcpsleuth"), "probe", "--passive", written(case)], status=2)
    paths = lab.end_capture()
    seen = lab.run("client", ["tcpdump", "-n", "-r", paths["client"], "ip"]).stdout
    check(not seen.strip() and not done.stdout and "--passive" in done.stderr, f"sent: {seen}")


@script("probe-broadcast", family=4)
def _(lab, case):
    """The broadcast address of the link is refused."""
    done = lab.run("client", [program("tcpsleuth"), "probe", "10.0.3.255:80"], status=2)
    check("broadcast" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr)
