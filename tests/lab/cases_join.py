"""The capture joined with the probes: what breaks while it is watched is probed, and the verdict says what that changed."""
import json
import re
import time

from case import check, script
from judge import say
from lab import Lab
from live import Watch, check_schema, verdict_of
from net import program
from plan import CLIENT, GATEWAY, MIDDLE1, MIDDLE2, RESOLVER, SERVER, SPARE

HOPS = {"host": CLIENT, "r1": GATEWAY, "r1b": MIDDLE1, "r2": MIDDLE2, "server": SERVER}
SECONDS = 45
FETCH = ["curl", "-sS", "-o", "/dev/null", "-m", "4"]
TIMED_OUT, REFUSED, CONNECTION_RESET = 28, 7, 56


def written(case, port=80, path="", table=SERVER):
    return f"http://[{table[6]}]:{port}/{path}" if case.family == 6 else f"http://{table[4]}:{port}/{path}"


def watch_host(lab, case, *options, table=SERVER, **more):
    return Watch(lab, "--immediate-mode", *options, filter=["host", table[case.family]], **more)


def joined(lines):
    """The verdicts of flows that probes have amended, as they were told."""
    told = [line["verdict"] for line in lines if line["type"] == "flow_verdict"]
    return [verdict for verdict in told if "probe" in (verdict["detail"] or {})]


def probes(lines):
    return {line["kind"].replace("nd", "arp") if line["kind"] == "nd" else line["kind"]: line for line in lines if line["type"] == "probe"}


def end_joined(watch, status=1, wait=True):
    """Waits until a verdict was amended, ends the capture, and returns all lines, which keep to the schema."""
    if wait:
        watch.wait(r'"probe":\[', seconds=25)
    watch.end(status=status)
    lines = watch.lines()
    check_schema(lines)
    return lines


def place(case, ttl, name):
    return {"ttl": ttl, "addr": HOPS[name][case.family] if name else None}


def check_hop(case, verdict, hop):
    right = {"after": place(case, *hop[0]), "at": place(case, *hop[1])}
    said = verdict["detail"].get("hop")
    check(said == right, f"detail.hop is {said}, not {right}: {verdict['summary']}")


def check_only(lines, flows):
    """The probes' own packets are no flows, and the report says the same as was told."""
    found = [line for line in lines if line["type"] == "flow"]
    check(len(found) == flows, f"{len(found)} flows, not {flows}: {[flow['server'] for flow in found]}")
    kinds = [(line["kind"], line["target"], line["port"]) for line in lines if line["type"] == "probe"]
    check(len(kinds) == len(set(kinds)), f"probed twice: {kinds}")


def syn_dropped(name, about, faults, hop, sure="certain"):
    def function(lab, case):
        watch = watch_host(lab, case)
        lab.run("client", [*FETCH, written(case)], status=TIMED_OUT)
        lines = end_joined(watch)
        verdict = joined(lines)[-1]
        check(say(verdict) == "broken syn_unanswered", say(verdict))
        check_hop(case, verdict, hop)
        check(verdict["confidence"] == sure and verdict["detail"]["confidence_before"] == "likely", f"{verdict}")
        check(lines[-1]["verdict"]["detail"]["hop"] == verdict["detail"]["hop"], f"the run: {lines[-1]}")
        check_only(lines, 1)
        announced = watch.errors.index("probing ")
        check(watch.errors.count("probing ") == 1 and announced > watch.errors.index("watching "), watch.errors)

    function.__doc__ = about
    script(f"join-{name}", server=Lab.serve, faults=faults, seconds=SECONDS)(function)


syn_dropped("syn-router1", "router 1 drops the SYN: found behind this host", [("drop", {"node": "router1", "port": 80})],
            ((1, "r1"), (2, "r2")))
syn_dropped("syn-router2", "router 2 drops the SYN: found behind it", [("drop", {"node": "router2", "port": 80})],
            ((2, "r2"), (3, "server")))
syn_dropped("syn-server", "the server drops the SYN", [("drop", {"node": "server", "port": 80})], ((2, "r2"), (3, "server")))


# --- other faults, seen at the client ---


def talks(*steps):
    return lambda lab: lab.talker(80, *steps)


def live(name, about, verdict, right, faults=(), client=None, status=TIMED_OUT, hop=None, detail=None, said="", **settings):
    """A case: what breaks is told as `verdict`, and the probes amend it to `right`, with detail.hop, members of detail, words of the sentence."""

    def function(lab, case):
        watch = watch_host(lab, case)
        words = case.words()
        lab.run("client", [word.format(**words) for word in client or [*FETCH, written(case)]], status=status, timeout=40)
        lines = end_joined(watch)
        first = next(line["verdict"] for line in lines if line["type"] == "flow_verdict" and line["verdict"]["status"] == "broken")
        check(say(first) == f"broken {verdict}", f"first {say(first)}")
        amended = joined(lines)[-1]
        check(say(amended) == f"broken {right}", f"{say(amended)}: {amended['summary']}")
        if hop:
            check_hop(case, amended, hop)
        for key, value in (detail or {}).items():
            check(amended["detail"].get(key) == value, f"{key}: {amended['detail'].get(key)}, not {value}: {amended['summary']}")
        check(said in amended["summary"], amended["summary"])
        check(amended["detail"]["confidence_before"] in ("certain", "likely", "possible"), f"{amended['detail']}")
        check(verdict_of(lines) == f"broken {right}", f"the run: {verdict_of(lines)}")
        check_only(lines, 1)

    function.__doc__ = about
    script(f"join-{name}", faults=faults, seconds=SECONDS + 15, **{"server": Lab.serve, **settings})(function)


live("refused", "nothing listens: refused again", "syn_refused", "syn_refused", client=None, status=REFUSED, server=Lab.name_server,
     hop=None, said="confirm it")
live("rst-router1", "router 1 refuses for the server: its RST comes from nearer than the server", "syn_refused", "syn_refused_by_middlebox",
     faults=[("reject_rst", {"node": "router1", "port": 80})], status=REFUSED, hop=((1, "r1"), (2, "r2")), said="see more")
live("rst-router2", "router 2 refuses for the server, behind its routing: only the TTL of its RST says so", "syn_refused", "syn_refused_by_middlebox",
     faults=[("reject_rst", {"port": 80})], status=REFUSED, hop=((1, "r1"), (2, "r2")),
     said="see more")
live("prohibited", "router 2 refuses by ICMP, which the filter keeps out of the capture", "syn_unanswered", "admin_prohibited", faults=[("reject_icmp", {"icmp": "admin-prohibited", "port": 80})],
     status=(REFUSED, TIMED_OUT), hop=((1, "r1"), (2, "r2")), said="see more")
live("host-gone", "nobody answers for the server behind router 2, which says so", "syn_unanswered", "host_unreachable", faults=[("host_gone", {})],
     status=(REFUSED, TIMED_OUT), hop=((1, "r1"), (2, "r2")))
live("hole", "a link takes 1400 bytes and no router says so", "pmtu_blackhole", "pmtu_blackhole", server=talks("drain", "answer=10"),
     faults=[("link_mtu", {"icmp": False})], client=["timeout", "6", "{talker}", "connect", "{server}", "80", "send=300000"], status=124,
     hop=((1, "r1"), (2, "r2")), detail={"path_mtu": 1400}, said="confirm it")
live("cut", "the path dies in the middle of a transfer, for good", "path_went_dead", "path_went_dead", server=talks("drain", "answer=10"),
     faults=[("path_cut", {"after": 300000})], client=["timeout", "8", "{talker}", "connect", "{server}", "80", "send=3000000"], status=124,
     hop=((2, "r2"), (None, "server")), detail={"now": "syn_unanswered"}, said="a new connection fails, too")
live("idle", "a router forgot the connection while it was quiet; a new one comes about", "idle_expired", "idle_expired", server=talks("keeps-alive"),
     faults=[("stateful", {"expire": 5})], status=124,
     client=["timeout", "22", "{talker}", "connect", "{server}", "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"],
     detail={"now": "ok"}, said="the path lives")
live("open-again", "three SYNs are lost, the fourth is a probe's", "syn_unanswered", "syn_unanswered", wire={"router1-router2": ["up syn n=1-3 drop"]},
     client=["curl", "-sS", "-o", "/dev/null", "-m", "2.6", "http://{at_server}/"], detail={"now": "ok"}, said="find it otherwise now")
live("injected", "a RST of the middle, sooner than the server can answer", "reset_injected", "reset_injected",
     wire={"router1-router2": ["delay=20", "up data n=1 rst=back rst-ttl=64"]},
     status=CONNECTION_RESET, hop=((1, "r1"), (2, "r2")))
live("tls-cut", "the server cuts every TLS handshake", "tls_reset", "tls_reset", server=lambda lab: lab.talker(443, "read=1", "rst"),
     client=["curl", "-k", "-sS", "-o", "/dev/null", "-m", "4", "--connect-to", "::{at_server}:443", "https://www.upc.edu/"], status=35,
     said="no ClientHello of 5 different ones")
live("tls-size", "somebody cuts what has a ClientHello that is not small", "tls_reset", "tls_reset",
     faults=[("reject_rst", {"port": 443, "match": "meta length > 300"})],
     client=["curl", "-k", "-sS", "-o", "/dev/null", "-m", "4", "--connect-to", "::{at_server}:443", "https://www.upc.edu/"], status=35,
     detail={"passes": ["TLS 1.2 at most", "a small ClientHello"]}, said="find what it depends on")


# --- this host is asked, too ---


def asked(name, about, faults, code, said, client, status, server=talks("drain", "answer=10"), node="client", where=None, lists="state ", before=(),
          unsaid="^$", family="both", under=()):
    """What this host's kernel says contradicts, or explains, what is on its wire; no probe is needed for that. `said` is in the sentence, `unsaid`
    is not, `lists` is in detail.kernel. `before`: nodes and arguments of ip there."""

    def function(lab, case):
        mac = lab.inside("server", "cat", "/sys/class/net/eth0/address").stdout.strip()
        for at, words in before:
            lab.ip(at, words.format(family=case.family, client=CLIENT[case.family], server=SERVER[case.family],
                                    gateway=GATEWAY[case.family], mac=mac))
        watch = Watch(lab, "--immediate-mode", "--passive", node=node, interfaces=("enp0s8" if node == "client" else "eth0",), under=under)
        words = case.words()
        lab.run("client", [word.format(**words) for word in client], status=status, timeout=40)
        watch.wait(f'"{code}"')
        lines = end_joined(watch, wait=False)
        told = [line["verdict"] for line in lines if line["type"] == "flow" and line["verdict"]["code"] == code]
        check(told and re.search(lists, "; ".join(told[0]["detail"]["kernel"])), f"{told}")
        check(re.search(said, told[0]["summary"]) and not re.search(unsaid, told[0]["summary"]), told[0]["summary"])
        check(not where or told[0]["where"] == where, told[0]["where"])

    function.__doc__ = about
    script(f"join-{name}", family, faults=faults, server=server, seconds=SECONDS)(function)


ERRORS_IN = {"node": "client", "proto": "any", "towards": "client", "match": "meta l4proto {{ icmp, ipv6-icmp }} @th,0,8 { 2, 3 }"}
SEND = ["timeout", "6", "{talker}", "connect", "{server}", "80", "send=300000"]

asked("kernel-mtu", "the ICMP errors reach this host's wire, and its own firewall drops them", [("link_mtu", {}), ("drop", ERRORS_IN)],
      "pmtu_ignored", "with MTU 1400 is on this host's wire, and its kernel still counts with 1500: a firewall here drops it", SEND, 124, where="client")
asked("kernel-synack", "the SYN-ACK reaches this host's wire, and its own firewall drops it",
      [("drop", {"node": "client", "towards": "client", "match": "tcp sport 80"})], "handshake_unfinished",
      "its kernel is still in SYN-SENT: a firewall here drops it", ["curl", "-sS", "-m", "6", "http://{at_server}/"], TIMED_OUT, where="client")
asked("kernel-unread", "the request waits in the server's socket, seen at the server", [], "server_silent",
      r"\d+ bytes wait in this host's socket, and its program does not read them", ["curl", "-sS", "-m", "13", "http://{at_server}/"], TIMED_OUT,
      server=talks("hold"), node="server")
GET = ["curl", "-sS", "-m", "8", "http://{at_server}/"]
ABOUT_HERE = "his host|his kernel|its kernel"

asked("kernel-way", "SYNs arrive at the server, whose route back leads nowhere", [], "syn_unanswered",
      "This host has a route of type blackhole to [0-9a-f.:]+: what it sends there never leaves it", GET, TIMED_OUT, server=Lab.serve, node="server",
      where="server", lists="no socket but one that listens.*way: has a route of type blackhole", before=[("server", "-{family} route add blackhole {client}")])
asked("kernel-neighbour", "SYNs arrive at the server, and nobody answers for its gateway's hardware address", [("neighbour_silent", {"node": "router2", "interface": "server"})],
      "syn_unanswered", "Nobody answers this host for the hardware address of its next hop, [0-9a-f.:]+1: the kernel has given it up", GET, TIMED_OUT,
      server=Lab.serve, node="server", lists="next hop [0-9a-f.:]+1 failed", before=[("router2", "neigh replace {server} lladdr {mac} dev server nud permanent")])
asked("kernel-reverse-path", "the SYN-ACK comes by another interface than its sender's route, and the kernel is strict",
      [("reverse_path", {})], "handshake_unfinished",
      r"It has counted \d+ packets meanwhile whose source has its route elsewhere \(IPReversePathFilter\)", GET, TIMED_OUT, where="client",
      family=4, lists=r"IPReversePathFilter \d")
asked("kernel-well", "router 2 drops the SYN: this host has nothing to do with it", [("drop", {"node": "router2", "port": 80})], "syn_unanswered", "",
      GET, TIMED_OUT, server=Lab.serve, lists="state SYN-SENT.*next hop [0-9a-f.:]+ known", unsaid=ABOUT_HERE)
asked("kernel-input", "the server's own firewall drops the SYN: the socket that listens has not heard of it", [("drop", {"node": "server", "port": 80})],
      "syn_unanswered", "the socket that listens here has not heard of them: a firewall of this host drops or redirects them", GET, TIMED_OUT,
      server=Lab.serve, node="server", where="server", lists="no socket but one that listens, where 0 of 511 wait")
asked("kernel-output", "the server's own firewall drops the SYN-ACK", [("drop", {"node": "server", "towards": "client", "match": "tcp sport 80"})],
      "syn_unanswered", "has answered, it is in SYN-RECEIVED, and its SYN-ACK is not on the wire", GET, TIMED_OUT, server=Lab.serve, node="server",
      where="server", lists="state SYN-RECEIVED")
asked("kernel-no-listener", "SYNs to a port where nobody listens, and the RST is dropped: the kernel says nothing about it",
      [("drop", {"node": "server", "towards": "client", "match": "tcp sport 80"})], "syn_unanswered", "", GET, TIMED_OUT, server=Lab.name_server,
      node="server", lists="^no socket;", unsaid=ABOUT_HERE)
asked("kernel-overflow", "nobody is accepted any more, seen at the server", [], "syn_unanswered", r"\d of 1 connections wait to be accepted .* has counted \d+ connections that found an accept queue full",
      ["curl", "-Z", "--parallel-immediate", "-sS", "-m", "6", "http://{at_server}/?[1-3]"], TIMED_OUT, node="server",
      server=lambda lab: lab.talker(80, "backlog=1", "full=1"), lists=r"ListenOverflows \d", where="server")

TRACKS = ("stateful", {"node": "client"})  # its connections are tracked, and nothing else comes of it

asked("kernel-track-behind", "the client's own rule drops the SYN-ACK, which its connection tracking has seen",
      [("drop", {"node": "client", "towards": "client", "match": "tcp sport 80 ct state established"})], "handshake_unfinished",
      "Its connection tracking has seen the SYN-ACK: what drops it stands behind that", GET, TIMED_OUT, where="client", lists="connection tracking: replied")
asked("kernel-track-before", "the client's own rule drops the SYN-ACK before its connection tracking", [TRACKS, ("drop_raw", {})], "handshake_unfinished",
      "Its connection tracking has not seen the SYN-ACK either", GET, TIMED_OUT, where="client", lists="connection tracking: unreplied")
asked("kernel-track-gone", "the server's own rules forget the connection while it is quiet, and drop what comes", [("stateful", {"node": "server", "expire": 5})],
      "idle_expired", "This host's connection tracking has forgotten the connection, and its socket is in ESTABLISHED",
      ["timeout", "22", "{talker}", "connect", "{server}", "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"], 124, server=talks("keeps-alive"),
      node="server", lists="connection tracking: forgotten")
asked("kernel-track-well", "router 2 forgets the connection, and this host's own tracking knows it: that is not accused", [TRACKS, ("stateful", {"node": "router2", "expire": 5})],
      "idle_expired", "", ["timeout", "22", "{talker}", "connect", "{server}", "80", "get=/", "read=1067", "sleep=16", "get=/", "read=1067"], 124,
      server=talks("keeps-alive"), lists="connection tracking: assured", unsaid=ABOUT_HERE)
asked("kernel-track-unread", "the right to hear of connection tracking is missing: it says so, and accuses nobody", [TRACKS, ("drop", {"node": "router2", "port": 80})],
      "syn_unanswered", "", GET, TIMED_OUT, lists="connection tracking: not read", unsaid=ABOUT_HERE, under=["setpriv", "--bounding-set=-net_admin"])


# --- who may be probed, and how often ---


def sent_by_probes(lab, path):
    """What a capture at the client holds of echo requests, and of SYNs that no program of the case sent."""
    filter = "icmp[0] = 8 or (icmp6 and ip6[40] = 128) or (tcp and (src portrange 20000-30200 or src port 1023))"
    return lab.run("client", ["tcpdump", "-n", "-r", path, filter], status=0).stdout.splitlines()


def silent(name, about, options, filter):
    def function(lab, case):
        lab.capture("client")
        watch = Watch(lab, "--immediate-mode", *options, filter=filter(case))
        lab.run("client", [*FETCH, written(case)], status=TIMED_OUT)
        watch.wait('"syn_unanswered"')
        watch.wait('"stats"', seconds=12)
        lines = end_joined(watch, wait=False)
        check(not joined(lines) and not probes(lines) and "probing" not in watch.errors, f"probed: {watch.errors}")
        found = sent_by_probes(lab, lab.end_capture(0.3)["client"])
        check(not found, f"sent: {found[:3]}")

    function.__doc__ = about
    script(f"join-{name}", server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})], seconds=SECONDS)(function)


silent("passive", "--passive sends nothing, whatever breaks", ["--passive", "--confirm"], lambda case: ["host", SERVER[case.family]])
silent("no-host", "a filter that names no host: nothing is probed", [], lambda case: ["tcp", "port", "80"])
silent("other-host", "a filter that names others: nothing is probed", [],
       lambda case: ["host", SPARE[case.family], "or", "tcp", "port", "80"])


@script("join-once", server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})], seconds=SECONDS)
def _(lab, this):
    """Two connections to one server break: it is probed once, and both verdicts have it; what leaves keeps to the budget."""
    lab.capture("client")
    watch = watch_host(lab, this)
    for _ in range(2):
        lab.start("client", *FETCH, written(this))
    watch.wait(r'(?s)"probe":\[.*"probe":\[', seconds=25)
    lines = end_joined(watch)
    check({line["flow"] for line in lines if line["type"] == "flow_verdict" and "probe" in (line["verdict"]["detail"] or {})} == {1, 2},
          "not both flows")
    check_only(lines, 2)
    check(watch.errors.count("probing ") == 1, watch.errors)
    found = sent_by_probes(lab, lab.end_capture(0.3)["client"])
    check(5 < len(found) <= 200, f"{len(found)} packets")


@script("join-later", server=Lab.serve, seconds=SECONDS)
def _(lab, this):
    """A second connection that breaks later is probed anew, and each keeps what was found for it."""
    watch = watch_host(lab, this)
    for number, node in enumerate(("router2", "router1"), 1):
        fault = lab.fault("drop", node=node, port=80)
        lab.run("client", [*FETCH, written(this)], status=TIMED_OUT)
        watch.wait('(?s)' + '"probe":\\[.*' * number, seconds=25)
        fault.remove()
    watch.end(status=1)
    flows = [line for line in watch.lines() if line["type"] == "flow"]
    check(len(flows) == 2 and watch.errors.count("probing ") == 2, f"{len(flows)} flows: {watch.errors}")
    check_hop(this, flows[0]["verdict"], ((2, "r2"), (3, "server")))
    check_hop(this, flows[1]["verdict"], ((1, "r1"), (2, "r2")))


@script("join-confirm", server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})], seconds=SECONDS)
def _(lab, this):
    """Offline: --confirm probes the servers of broken conversations from here, --passive forbids it, nothing is the default."""
    watch = watch_host(lab, this, "--passive")
    lab.run("client", [*FETCH, written(this)], status=TIMED_OUT)
    lab.run("client", [*FETCH, written(this, 81)], status=REFUSED)
    watch.end(status=1)

    def read(*options):
        done = lab.run("client", [program("tcpsleuth"), "--json", *options, "-r", watch.save], status=1, timeout=60)
        return json.loads(done.stdout), done.stderr

    for options in ((), ("--passive", "--confirm")):
        found, said = read(*options)
        check(not found["probes"] and said == "", f"{options}: {said}")
    found, said = read("--confirm")
    check(said.count("probing ") == 2, said)
    verdicts = [flow["verdict"] for flow in found["flows"]]
    check([say(verdict) for verdict in verdicts] == ["broken syn_unanswered", "broken syn_refused"], f"{verdicts}")
    check_hop(this, verdicts[0], ((2, "r2"), (3, "server")))
    check("confirm it" in verdicts[1]["summary"], verdicts[1]["summary"])
    check({probe["port"] for probe in found["probes"] if probe["kind"] == "syn"} == {80, 81}, f"{found['probes']}")
    check("probe" in found["conversations"][0]["verdict"]["detail"], "the conversation does not know")


@script("join-names", family=4, server=Lab.serve, seconds=SECONDS)
def _(lab, this):
    """Offline: a name whose look-up failed is asked of this host's resolvers with --confirm, and only then."""
    watch = Watch(lab, "--immediate-mode", "--passive")
    lab.run("client", [*FETCH, "http://nothere.upc.edu/"], status=6)
    watch.end()
    for options, asks in (((), 0), (("--confirm", "--passive"), 0), (("--confirm",), 1)):
        done = lab.run("client", [program("tcpsleuth"), "--json", *options, "-r", watch.save], status=1, timeout=60)
        check(done.stderr.count("asking ") == asks, f"{options}: {done.stderr}")
    verdict = json.loads(done.stdout)["verdict"]
    check(say(verdict) == "broken dns_nxdomain" and "have no address either" in verdict["summary"], f"{verdict}")
    check(f"{RESOLVER[4]} A: NXDOMAIN" in verdict["detail"]["resolvers"], f"{verdict['detail']}")


# --- names ---


def name_watch(lab, case, *options, filter=None):
    """The host asks the resolver of this family first, and has the other one, too; the filter names the former unless told otherwise."""
    first, second = RESOLVER[case.family], RESOLVER[10 - case.family]
    lab.resolv_conf("client", f"nameserver {first}", f"nameserver {second}", "options timeout:1 attempts:2")
    lab.capture("client")
    return Watch(lab, "--immediate-mode", *options, filter=filter or ["host", first])


def look_up(lab, name, status=6):
    lab.run("client", [*FETCH, "-m", "6", f"http://{name}/"], status=status)


def queries(lab, path, name):
    """The questions for a name that left the client, each time, by the resolver's family."""
    lines = lab.run("client", ["tcpdump", "-n", "-r", path, "udp dst port 53"], status=0).stdout.splitlines()
    asked = [line for line in lines if f" {name}." in line]
    return {family: sum(f"> {RESOLVER[family]}.53:" in line for line in asked) for family in (4, 6)}


def names(name, about, asked, verdict, now, answer, said, faults=(), heals=False, **settings):
    """A look-up fails with the resolver that the filter names: that one alone is asked again, and the verdict says what it answers."""

    def function(lab, case):
        watch = name_watch(lab, case)
        broken = lab.fault("drop", node="router2", proto="udp", port=53) if heals else None
        look_up(lab, asked, (6, TIMED_OUT))
        watch.wait(f'"{verdict}"')
        if broken:
            broken.remove()
        watch.wait('"resolvers":', seconds=12)
        lines = end_joined(watch, wait=False)
        told = [line["verdict"] for line in lines if line["type"] == "name_verdict"]
        check([say(one) for one in told] == [f"broken {verdict}"] * 2, f"{told}")
        check("resolvers" not in (told[0]["detail"] or {}) and told[1]["detail"]["resolvers"] == [
            f"{RESOLVER[case.family]} {kind}: {words}" for kind, words in zip(("A", "AAAA"), answer)], f"{told[1]}")
        check(told[1]["detail"].get("now") == now and said in told[1]["summary"], f"{told[1]}")
        run = lines[-1]["verdict"]
        check(run["detail"].get("resolvers") == told[1]["detail"]["resolvers"], f"the run: {run}")
        check(watch.errors.count(f"asking {RESOLVER[case.family]} for {asked}, because") == 1, watch.errors)
        left = queries(lab, lab.end_capture(0.3)["client"], asked)
        lookups = [line["dns"] for line in lines if line["type"] == "dns"]
        of_program = sum(one["retries"] + 1 for one in lookups if one["name"] == asked and one["server"] == RESOLVER[case.family])
        tries = (2, 4) if heals else (4,) if "no answer" in answer else (2,)  # the first may go out before the fault has gone
        check(left[case.family] - of_program in tries, f"{left} left, {of_program} are the program's")

    function.__doc__ = about
    script(f"join-name-{name}", faults=faults, seconds=SECONDS, **{"server": Lab.serve, **settings})(function)


names("unknown", "the name does not exist: the resolver says so again", "nothere.upc.edu", "dns_nxdomain", None, ("NXDOMAIN", "NXDOMAIN"),
      "have no address either")
names("refused", "the resolver does not serve the zone", "www.example.net", "dns_refused", None, ("REFUSED", "REFUSED"), "have no address either")
names("no-data", "the name has no address", "text.upc.edu", "dns_no_data", None, ("no data", "no data"), "have no address either",
      server=lambda lab: lab.name_server("--txt-record=text.upc.edu,nothing"))
names("silent", "router 2 drops the queries: no answer now, either", "www.upc.edu", "dns_no_answer", None, ("no answer", "no answer"),
      "have no address either", faults=[("drop", {"node": "router2", "proto": "udp", "port": 53})])
names("heals", "the queries were lost, and pass when the resolver is asked again", "www.upc.edu", "dns_no_answer", "ok",
      (SERVER[4], SERVER[6]), "find it otherwise now", heals=True)


@script("join-name-interrupted", server=Lab.serve, faults=[("drop", {"node": "router2", "proto": "udp", "port": 53})], seconds=SECONDS)
def _(lab, this):
    """Ctrl-C while a resolver is being asked: the report comes at once, and says nothing of an answer."""
    watch = name_watch(lab, this)
    look_up(lab, "www.upc.edu", (6, TIMED_OUT))
    watch.wait("asking ", watch.err)
    begun = time.monotonic()
    watch.end(status=1)
    check(time.monotonic() - begun < 3, "it waited for the answer")
    lines = watch.lines()
    check_schema(lines)
    told = [line["verdict"] for line in lines if line["type"] == "name_verdict"]
    check([say(one) for one in told] == ["broken dns_no_answer"], f"{told}")
    check(say(lines[-1]["verdict"]) == "broken dns_no_answer" and "resolvers" not in lines[-1]["verdict"]["detail"], f"{lines[-1]}")


def names_silent(name, about, options, filter, status=6, asked="nothere.upc.edu", verdict="dns_nxdomain"):
    """No question leaves but the program's own."""

    def function(lab, case):
        watch = name_watch(lab, case, *options, filter=filter(case))
        look_up(lab, asked, status)
        watch.wait(f'"{verdict}"' if verdict else '"flow_verdict"')
        watch.wait('"stats"', seconds=12)
        watch.end(status=1 if verdict else 0)
        check("asking" not in watch.errors and '"resolvers"' not in watch.said, watch.errors)
        left = queries(lab, lab.end_capture(0.3)["client"], asked)
        check(left[case.family] == 2 and left[10 - case.family] == 0, f"left: {left}")

    function.__doc__ = about
    script(f"join-name-{name}", server=Lab.serve, seconds=SECONDS)(function)


names_silent("passive", "--passive asks nobody, though the filter names the resolver", ["--passive"], lambda case: ["host", RESOLVER[case.family]])
names_silent("no-host", "a filter that names no host: no resolver is asked", [], lambda case: ["port", "53"])
names_silent("other-host", "a filter that names another host, or the resolver that was not asked: nobody is", [],
             lambda case: ["host", RESOLVER[10 - case.family], "or", "host", SPARE[case.family], "or", "port", "53"])
names_silent("well", "the name has an address: nothing is broken, nobody is asked", [],
             lambda case: ["host", RESOLVER[case.family], "or", "host", SERVER[4], "or", "host", SERVER[6]], status=0, asked="www.upc.edu",
             verdict=None)


@script("join-text", family=4, server=Lab.serve, faults=[("drop", {"node": "router1", "port": 80})], seconds=SECONDS)
def _(lab, this):
    """In text the line comes again with what the probes changed, and the report lists them."""
    watch = watch_host(lab, this, form="text")
    lab.run("client", [*FETCH, written(this)], status=TIMED_OUT)
    watch.wait("Probes from here confirm it", seconds=25)
    check("probing" in watch.text(watch.err), "not announced")
    watch.end(status=1)
    check("SYNs to port 80 pass 10.0.3.2 (hop 1) and die at or before 10.0.4.2 (hop 2)" in " ".join(watch.said.split()), watch.said[-1500:])
