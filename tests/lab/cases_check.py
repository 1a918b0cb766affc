"""The ladder from the client: `tcpsleuth check`, against a fault at each rung."""
import json
import os
import signal
import time

from case import check, script
from climb import RUNGS, SECONDS, against, check_all_well, climb, step, target_of
from lab import Lab
from net import ETC_NETNS, Fault, program
from plan import CLIENT, GATEWAY, NAMES, NOBODY, RESOLVER, SERVER, SPARE
from services import dnsmasq

HTTP, HTTPS, BARE = "http://www.upc.edu/", "https://www.upc.edu/", "{server}:80"
USER = ("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set=-all")


def nothing(lab):
    """No service at all."""


def site(text, ports=(80,), **more):
    """nginx with other server blocks, and the name server."""

    def serve(lab):
        lab.name_server()
        lab.web(text, ports, **more)

    return serve


def talks(port, *steps):
    def serve(lab):
        lab.name_server()
        lab.talker(port, *steps)

    return serve


def ip(*lines, node="client"):
    """Changes by ip(8): the case's family is put before; {gateway}, {server}, {nobody} are addresses of it."""

    def before(lab, case):
        words = {"gateway": GATEWAY[case.family], "server": SERVER[case.family], "client": CLIENT[case.family],
                 "nobody": {4: "10.0.3.77", 6: "2001:db8:3::77"}[case.family], "long": {4: 32, 6: 128}[case.family]}
        for line in lines:
            lab.ip(node, f"-{case.family} " + line.format(**words))

    return before


def rules(*lines, node="client"):
    """A table of filters at a node."""

    def before(lab, case):
        lab.inside(node, "nft", "add table inet own;" + ";".join(line.format(server=SERVER[case.family], ip={4: "ip", 6: "ip6"}[case.family])
                                                                 for line in lines))

    return before


# --- nothing wrong ---

against("well-http", "http, its redirects, the page", "ok",
        steps={"device": "virtual", "link": "enp0s8", "gateway": "answers", "dns": "by 147.83.2.3", "ping": "ok", "path_mtu": "1500",
               "port": "accepts", "service": "nginx", "firewall": "no rules", "tls": "skipped", "application": "200, 2 redirects"},
        more=lambda lab, case, found: check(len(found["ladder"]) == len(RUNGS), "a rung is missing"))
against("well-https", "https", "ok", target=HTTPS, steps={"tls": "www.upc.edu", "application": "https://www.upc.edu/ca -> 200"})
against("well-address", "an address of either family", "ok", target=BARE, family="both", steps={"dns": "skipped", "application": "200"},
        server=site("server { listen 80; listen [::]:80; }"))
against("well-greeting", "a service that speaks first", "ok", target="{server}:25", server=talks(25, "answer=10", "drain"), family="both",
        steps={"service": "it greets with \"HTTP/1.1 200 OK\"", "application": "skipped"})
against("well-mute", "a service that waits to be spoken to", "ok", target="{server}:5000", server=talks(5000, "drain"),
        steps={"service": "waits"})
against("well-user", "without any rights", "ok", wrap=USER,
        steps={"path_mtu": "skipped", "firewall": "skipped", "ping": "skipped", "application": "200"})
against("well-no-echo", "the server answers no echo: no fault", "ok", faults=[("drop", {"node": "server", "proto": "icmp"})], target=BARE,
        steps={"ping": "unknown", "port": "accepts"})
against("well-silent-gateway", "the gateway answers no echo: no fault", "ok", target=BARE,
        before=rules("add chain inet own c {{ type filter hook input priority 0; }}", "add rule inet own c icmp type echo-request drop",
                     node="router1"), steps={"gateway": "no echo"})
against("well-without-v6", "a host without IPv6, a name with both: no fault", "ok",
        before=lambda lab, case: lab.ip("client", "-6 addr flush dev enp0s8"), steps={"address": "left out", "port": "accepts"})
against("well-mtu-told", "a smaller link that says so", "ok", target=BARE, faults=[("link_mtu", {})], steps={"path_mtu": "1400"})


@script("check-well-here", server=Lab.serve, family=4, seconds=SECONDS)
def _(lab, case):
    """The target is this host itself."""
    found = climb(lab, "http://127.0.0.1/index.html", node="server")
    check_all_well(found)
    for rung in ("device", "link", "gateway"):
        check(step(found, rung)["status"] == "skipped", f"{rung} is not left out")
    check("200" in step(found, "application")["text"], "the page is not there")


@script("check-refused-here", server=Lab.serve, family=4, seconds=SECONDS)
def _(lab, case):
    """The same, at a port where nothing listens."""
    verdict = climb(lab, "http://127.0.0.1:9/", node="server")["verdict"]
    check(verdict["code"] == "syn_refused", f"the verdict is {verdict['code']}")


@script("check-only", server=Lab.serve, family=4, seconds=SECONDS)
def _(lab, case):
    """One rung, some rungs, and the form of a line a rung."""
    found = climb(lab, "--only", "dns", HTTP)
    check([one["step"] for one in found["ladder"]] == ["dns"], "more than one rung")
    for only, text in (("service", "nginx"), ("tls", "www.upc.edu"), ("application", "-> 200")):
        found = climb(lab, "--only", only, HTTPS)
        check([one["step"] for one in found["ladder"]] == [only] and text in found["ladder"][0]["text"], f"{only}: {found['ladder']}")
    found = climb(lab, "--only", "application", "http://www.upc.edu:81/")
    check([one["step"] for one in found["ladder"]] == ["port", "application"], "the port is what is broken, and is not told")
    found = climb(lab, "--until", "link", HTTP)
    check([one["step"] for one in found["ladder"]] == RUNGS[:5], "not the first rungs")
    done = lab.run("client", [program("tcpsleuth"), "check", "--format=ndjson", HTTP], timeout=SECONDS)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    check([line["step"] for line in lines if line["type"] == "step"] == RUNGS, "the lines are not the rungs")
    check(lines[-1]["type"] == "summary" and lines[-1]["verdict"]["status"] == "ok", "the last line is not the verdict")


@script("check-interrupted", server=Lab.serve, family=4, seconds=SECONDS, faults=[("drop", {"node": "router2", "port": 80})])
def _(lab, case):
    """Ctrl-C ends it, and what is known is told."""
    process = lab.spawn("client", program("tcpsleuth"), "check", "--json", HTTP)
    time.sleep(3)
    said = lab.stop(process, signal.SIGINT)
    found = json.loads(said[said.index("{"):])
    names = [one["step"] for one in found["ladder"]]
    check("dns" in names and "application" not in names, f"the rungs are {names}")


# --- the link and the network layer of this host ---

against("link-down", "the interface was not brought up", "broken interface_down", "link", ip("link set enp0s8 down"), target=BARE,
        steps={"link": "not brought up", "dns": "skipped", "port": "skipped"})
against("no-carrier", "the other end is off", "broken no_carrier", "link", ip("link set client down", node="router1"), target=BARE,
        steps={"link": "no carrier"})
against("link-down-name", "the same, with a name", "broken interface_down", "link", ip("link set enp0s8 down"),
        steps={"dns": "follows from link", "address": "follows from link", "port": "skipped"})
against("no-address", "no address of the family", "broken no_address", "address", ip("addr flush dev enp0s8"), target=BARE, family="both")
against("no-default-route", "no default route", "broken no_default_route", "route_default", ip("route del default"), target=BARE,
        family="both", steps={"route_target": "follows from route_default", "port": "skipped"})
against("route-to-net", "no default route, and one to the target's net", "ok", before=ip("route add {server}/{long} via {gateway}",
        "route del default"), target=BARE, family="both", steps={"route_default": "another route"})
for kind, words in (("blackhole", "blackhole"), ("unreachable", "unreachable"), ("prohibit", "prohibit")):
    against(f"route-{kind}", f"a route says {kind}", "broken no_route", "route_target", ip(f"route add {kind} {{server}}/{{long}}"),
            target=BARE, family="both", steps={"route_target": words, "port": "skipped"})
against("rule-prohibits", "a rule prohibits the target", "broken no_route", "route_target",
        ip("rule add to {server}/{long} prohibit"), target=BARE, family="both")
against("wrong-gateway", "the default gateway is an address that nobody has", "broken gateway_unanswered", "gateway",
        ip("route replace default via {nobody}"), target=BARE, family="both", steps={"port": "skipped"})
against("gateway-silent", "the gateway answers no ARP", "broken gateway_unanswered", "gateway", target=BARE, family="both",
        faults=[("neighbour_silent", {})])


def twin(where):
    """Another host on the client's link, which says that it has an address of somebody else's."""

    def before(lab, case):
        lab.ip("router1", f"link add link client name twin netns {lab.netns('router2')} type macvlan mode bridge")
        lab.ip("router2", "link set twin up")
        lab.ip("router2", f"addr add {where[case.family]}/" + {4: "32 dev twin", 6: "64 dev twin nodad"}[case.family])
        lab.sysctl("router2", {"net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.twin.rp_filter": 0})

    return before


def back_elsewhere(lab, case):
    """What comes back to the client comes by another link than what it sends."""
    for node, words in (("client", f"link add second type veth peer name back netns {lab.netns('router1')}"), ("client", "link set second up"),
                        ("client", "addr add 10.0.9.2/24 dev second"), ("router1", "link set back up"), ("router1", "addr add 10.0.9.1/24 dev back"),
                        ("router1", f"route add {CLIENT[4]}/32 via 10.0.9.2")):
        lab.ip(node, words)
    lab.sysctl("client", {"net.ipv4.conf.all.rp_filter": 1, "net.ipv4.conf.second.rp_filter": 1})


against("gateway-twin", "two hosts say that they are the gateway", "degraded address_conflict", "gateway", twin(GATEWAY), target=BARE, family="both",
        steps={"gateway": "Several on enp0s8", "port": "accepts"})
against("address-twin", "another host has the client's address, and gets its answers", "broken address_conflict", "address", twin(CLIENT), target=BARE,
        steps={"gateway": "ok", "port": "broken"})


def renumber(lab, case):
    """The client takes an address that another host has, and its kernel finds that out."""
    address = {4: None, 6: "2001:db8:3::99"}
    twin(address)(lab, case)
    lab.sysctl("client", {"net.ipv6.conf.enp0s8.accept_dad": 1, "net.ipv6.conf.enp0s8.dad_transmits": 1})
    lab.ip("client", f"-6 addr del {CLIENT[6]}/64 dev enp0s8")
    lab.ip("client", f"-6 addr add {address[6]}/64 dev enp0s8")
    for _ in range(50):
        if "dadfailed" in lab.ip("client", "-6 addr show dev enp0s8").stdout:
            return
        time.sleep(0.1)
    raise Fault("the kernel does not find the other host")


against("address-taken", "the kernel found another host with the address", "broken address_conflict", "address", renumber, target=BARE, family=6)
against("loopback-down", "the loopback was not brought up", "degraded interface_down", "self_ping", ip("link set lo down"), target=BARE)
against("deaf", "told to answer no echo: no fault", "ok", target=BARE,
        before=lambda lab, case: lab.sysctl("client", {"net.ipv4.icmp_echo_ignore_all": 1}), steps={"self_ping": "unknown"})
against("gateway-entry-wrong", "somebody wrote a wrong hardware address down for the gateway", "broken gateway_unanswered", "gateway",
        ip("neigh replace {gateway} lladdr 02:de:ad:be:ef:00 dev enp0s8 nud permanent"), target=BARE, family="both",
        steps={"gateway": "02:de:ad:be:ef:00, and it is"})
against("rule-prohibits-port", "a rule prohibits the port alone", "broken no_route", "route_target",
        ip("rule add ipproto tcp dport 80 prohibit"), target=BARE, family="both", steps={"route_default": "ok", "port": "skipped"})
against("back-elsewhere", "the answer comes in by another interface, and a strict filter drops it", "broken firewall_drops", "port", back_elsewhere,
        target=BARE, steps={"port": "reverse path filter", "firewall": "no rules"})
against("back-elsewhere-loose", "the same without the filter: no fault", "ok", target=BARE,
        before=lambda lab, case: (back_elsewhere(lab, case), lab.sysctl("client", {"net.ipv4.conf.all.rp_filter": 0, "net.ipv4.conf.second.rp_filter": 0})))
against("gateway-keeps-all", "the gateway answers, and forwards nothing", "broken syn_unanswered", "port", target=BARE,
        before=lambda lab, case: lab.sysctl("router1", {"net.ipv4.ip_forward": 0}), steps={"gateway": "answers an echo", "port": "nothing behind 10.0.3.2"})
against("source-strange", "the route names an address that no router knows", "broken syn_unanswered", "port", target=BARE,
        before=ip("addr add 192.168.99.1/32 dev lo", "route replace default via {gateway} src 192.168.99.1"),
        steps={"port": "packets leave from 192.168.99.1, which is no address of enp0s8"})
against("neighbour-gone", "the target should be on the link and is not", "broken gateway_unanswered", "gateway",
        target="10.0.3.99:80", steps={"gateway": "nobody answers"})
against("interface-without-way", "a default route over an interface without carrier", "broken no_carrier", "link", target=BARE,
        before=lambda lab, case: [lab.ip("client", words) for words in (
            "link add loose type veth peer name end", "addr add 10.7.7.1/24 dev loose", "link set loose up",
            "route replace default via 10.7.7.2 dev loose")])
against("two-in-one-net", "two interfaces in one net: told, and no fault", "ok", target=BARE,
        before=lambda lab, case: [lab.ip("client", words) for words in (
            "link add loose type veth peer name end", "link set end up", "link set loose up",
            "addr add 10.0.3.16/24 dev loose noprefixroute")], steps={"address": "in one net"})

# --- names ---


def resolvers(*addresses):
    return lambda lab, case: lab.resolv_conf("client", *(f"nameserver {one}" for one in addresses))


def second_resolver(*names):
    """Another name server, at the server's second address, that says otherwise."""

    def serve(lab):
        lab.serve()
        dnsmasq(lab, "server", "upc.edu", names, addresses=[SPARE[4]])
        lab.resolv_conf("client", f"nameserver {RESOLVER[4]}", f"nameserver {SPARE[4]}")

    return serve


def hosts_file(line):
    def before(lab, case):
        with open(os.path.join(ETC_NETNS, lab.netns("client"), "hosts"), "w", encoding="ascii") as file:
            file.write(f"127.0.0.1 localhost\n{line}\n")

    return before


against("dns-silent", "no resolver answers", "broken dns_no_answer", "dns", server=nothing,
        faults=[("drop", {"node": "router2", "proto": "udp"})], steps={"port": "skipped", "gateway": "ok"})
against("dns-refuses-port", "nobody serves port 53", "broken dns_no_answer", "dns", server=nothing, steps={"dns": "Connection refused"})
against("dns-here-nobody", "resolv.conf names the stub of a resolver that does not run", "broken dns_no_answer", "dns", resolvers("127.0.0.53"),
        more=lambda lab, case, found: check("systemd-resolved" in step(found, "dns")["remedy"], step(found, "dns")["remedy"]))
MANY = [f"--host-record=many.upc.edu,147.83.2.{last}" for last in range(200, 210)]
against("dns-many", "more addresses than are tried", "broken host_unreachable", "port", target="http://many.upc.edu/",
        server=lambda lab: lab.name_server(*MANY), steps={"port": "2 more addresses are not tried"})
against("dns-none", "no resolver is configured", "broken dns_no_answer", "dns", resolvers())
against("dns-nxdomain", "the name does not exist", "broken dns_nxdomain", "dns", target="http://nothing.upc.edu/",
        steps={"dns": "NXDOMAIN", "application": "skipped"})
against("dns-refused", "the resolver does not serve that zone", "broken dns_refused", "dns", target="http://www.example.com/")
against("dns-no-data", "the name has no address", "broken dns_no_data", "dns", target="http://text.upc.edu/",
        server=lambda lab: lab.name_server("--txt-record=text.upc.edu,nothing"))
against("dns-first-silent", "the first of two resolvers is silent", "degraded dns_no_answer", "dns", resolvers(NOBODY[4], RESOLVER[4]),
        steps={"application": "200"})
against("dns-nxdomain-second", "the second resolver does not know the name", "degraded dns_disagree", "dns",
        server=second_resolver("other.upc.edu,147.83.2.9"))
against("dns-lies", "the second resolver has an address that leads nowhere", "degraded dns_disagree", "dns",
        server=second_resolver("www.upc.edu,0.0.0.0"))
against("dns-differs", "two resolvers with different addresses: may be meant, no fault", "ok",
        server=second_resolver("www.upc.edu,147.83.2.136"), steps={"dns": "147.83.2.136"})
against("hosts-file", "a forgotten line in /etc/hosts", "broken gateway_unanswered", "gateway", hosts_file("10.0.3.88 www.upc.edu"),
        steps={"dns": "/etc/hosts"})
against("hosts-file-right", "a line in /etc/hosts that agrees", "ok", before=hosts_file("147.83.2.135 www.upc.edu"),
        steps={"dns": "by /etc/hosts"})
against("dns-idn", "a name in letters that the DNS does not have", "ok", target="http://m\u00fcller.upc.edu/", steps={"dns": "xn--mller-kva.upc.edu is"},
        server=lambda lab: (lab.name_server(f"--host-record=xn--mller-kva.upc.edu,{SERVER[4]}"), lab.web("server { listen 80; return 200; }", (80,))))
against("dns-search", "a short name and a search list", "ok", target="http://www/index.html", steps={"dns": "www.upc.edu is"},
        before=lambda lab, case: lab.resolv_conf("client", f"nameserver {RESOLVER[4]}", "search upc.edu"))

# --- the firewall of this host ---

OUT = "add chain inet own out {{ type filter hook output priority 0; policy {policy}; }}"
IN = "add chain inet own in {{ type filter hook input priority 0; policy {policy}; }}"


def chain(text, policy="accept"):
    return text.replace("{policy}", policy)


def blames(handle=True, hook="out"):
    """detail.rule, detail.handle, detail.hook of the verdict."""

    def more(lab, case, found):
        detail = found["verdict"]["detail"]
        check("inet own" in detail["rule"], f"the rule is {detail['rule']}")
        check(detail["hook"] == hook, f"the hook is {detail['hook']}")
        if handle:
            listed = lab.inside("client", "nft", "-a", "list", "table", "inet", "own").stdout
            check(f"handle {detail['handle']}" in listed, f"there is no handle {detail['handle']}")
        check(step(found, "firewall")["status"] == "broken", "the rung of the firewall is not broken")

    return more


def blames_ingress(lab, case, found):
    check("netdev own in" in found["verdict"]["detail"]["rule"], f"the rule is {found['verdict']['detail']['rule']}")
    check("tcp sport 80 accept" in step(found, "firewall")["remedy"], "the remedy asks for what is not known at that hook")


def stopped(name, about, *lines, **more):
    more.setdefault("more", blames())
    more.setdefault("before", rules(*lines))
    against(f"firewall-{name}", about, "broken firewall_drops", "port", target=BARE, family="both", **more)


stopped("out-drop", "a rule drops the SYN", chain(OUT), "add rule inet own out tcp dport 80 drop")
stopped("out-reject", "a rule refuses the SYN", chain(OUT), "add rule inet own out tcp dport 80 reject with tcp reset")
stopped("out-set", "an address in a set, behind a jump", chain(OUT), "add chain inet own more",
        "add rule inet own out {ip} daddr {{ {server} }} jump more", "add rule inet own more tcp dport {{ 22, 79-81 }} counter drop")
stopped("out-policy", "nothing is allowed but names and echoes", chain(OUT, "drop"), "add rule inet own out oif lo accept",
        "add rule inet own out meta l4proto {{ udp, icmp, icmpv6 }} accept", more=blames(handle=False))
stopped("in-policy", "answers are not let in", chain(IN, "drop"), "add rule inet own in iif lo accept",
        "add rule inet own in meta l4proto {{ udp, icmp, icmpv6 }} accept", more=blames(handle=False, hook="in"))
stopped("ingress", "answers are dropped where the interface hands them in", more=blames_ingress,
        before=rules("add table netdev own", "add chain netdev own in {{ type filter hook ingress device enp0s8 priority 0; }}",
                     "add rule netdev own in tcp sport 80 drop"))
against("firewall-allows", "a usual ruleset that lets it pass", "ok", target=BARE, family="both",
        before=rules(chain(IN, "drop"), "add rule inet own in iif lo accept", "add rule inet own in ct state established,related accept",
                     "add rule inet own in meta l4proto {{ icmp, icmpv6 }} accept", chain(OUT), "add rule inet own out tcp dport 25 drop"),
        steps={"firewall": "none stops"})
against("firewall-doubt", "a rule that hangs on a mark: told, not believed", "ok", target=BARE,
        before=rules(chain(OUT), "add rule inet own out meta mark 7 tcp dport 80 drop"), steps={"firewall": "may be dropped"})



def legacy(*rules_of):
    """The same in iptables' older tables, of both families."""

    def before(lab, case):
        for line in rules_of:
            lab.inside("client", {4: "iptables-legacy", 6: "ip6tables-legacy"}[case.family], *line.format(server=SERVER[case.family]).split())

    return before


def blames_legacy(lab, case, found):
    detail = found["verdict"]["detail"]
    check("iptables-legacy" in detail["rule"], f"the rule is {detail['rule']}")
    listed = lab.inside("client", {4: "iptables-legacy", 6: "ip6tables-legacy"}[case.family], "-S", "OUTPUT", str(detail["handle"])).stdout
    check("DROP" in listed or "REJECT" in listed or "-j mine" in listed, f"the rule {detail['handle']} is {listed}")


def stopped_by_legacy(name, about, *lines, **more):
    against(f"legacy-{name}", about, "broken firewall_drops", "port", legacy(*lines), target=BARE, family="both", **more)


stopped_by_legacy("drop", "a rule of iptables-legacy drops the SYN", "-A OUTPUT -p tcp --dport 25 -j DROP", "-A OUTPUT -o enp0s+ -p tcp --dport 79:81 -j DROP",
                  more=blames_legacy)
stopped_by_legacy("reject", "another one refuses it", "-A OUTPUT -d {server} -p tcp -m tcp ! --dport 443 --syn -j REJECT", more=blames_legacy)
stopped_by_legacy("chain", "it stands in a chain of its own", "-N mine", "-A mine -p tcp -j DROP", "-A OUTPUT -m conntrack --ctstate NEW -p tcp -j mine",
                  more=lambda lab, case, found: check("mine" in found["verdict"]["detail"]["rule"], "another rule"))
stopped_by_legacy("in", "answers are not let in", "-A INPUT -i lo -j ACCEPT", "-A INPUT -p udp -j ACCEPT", "-A INPUT -m state --state INVALID -j DROP",
                  "-A INPUT -s {server} -p tcp -j DROP")
against("legacy-allows", "usual rules of iptables-legacy that let it pass", "ok", target=BARE, family="both", steps={"firewall": "none stops"},
        before=legacy("-A INPUT -i lo -j ACCEPT", "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT", "-A INPUT -p tcp -j DROP",
                      "-A OUTPUT -d {server} -p tcp ! --syn -j ACCEPT", "-A OUTPUT ! -o enp0s8 -p tcp -j DROP"))

# --- the way and the port ---


def at_hop(after, at):
    def more(lab, case, found):
        hop = found["verdict"]["detail"]["hop"]
        check((hop["after"]["ttl"], hop["at"]["ttl"]) == (after, at), f"the hop is {hop}")

    return more


against("port-closed", "nobody listens", "broken syn_refused", "port", target="{server}:81", family="both", more=at_hop(2, 3))
against("port-filtered", "router 2 drops the SYN", "broken syn_unanswered", "port", target=BARE, family="both", more=at_hop(2, 3),
        faults=[("drop", {"node": "router2", "port": 80})], steps={"ping": "ok", "application": "skipped"})
against("port-prohibited", "router 2 rejects, and says so", "broken admin_prohibited", "port", target=BARE, family="both",
        faults=[("reject_icmp", {"icmp": "admin-prohibited", "node": "router2", "port": 80})], more=at_hop(1, 2))
against("port-middlebox", "router 1 refuses in the server's name", "broken syn_refused_by_middlebox", "port", target=BARE,
        faults=[("reject_rst", {"node": "router1", "port": 80})], more=at_hop(1, 2))
against("way-cut", "nothing passes router 2", "broken syn_unanswered", "port", target=BARE, faults=[("path_cut", {"node": "router2"})],
        steps={"ping": "unknown"}, more=at_hop(2, None))
against("way-unreachable", "router 1 has no route", "broken network_unreachable", "port", target=BARE, faults=[("no_route", {"node": "router1"})])
against("only-v6", "the port is filtered over IPv4 only", "degraded syn_unanswered", "port",
        faults=[("drop", {"node": "router2", "port": 80, "match": "meta nfproto ipv4"})],
        more=lambda lab, case, found: check(found["verdict"]["detail"]["family"] == "ipv4", "the family is wrong"))
against("mtu-hole", "full-size packets vanish", "broken pmtu_blackhole", "path_mtu", target=BARE, family="both",
        faults=[("link_mtu", {"icmp": False})])
against("user-port-closed", "the same without rights", "broken syn_refused", "port", target="{server}:81", wrap=USER)
against("user-port-filtered", "a filter, without rights", "broken syn_unanswered", "port", target=BARE, wrap=USER,
        faults=[("drop", {"node": "router2", "port": 80})])


def fill_ports(lab, case):
    lab.sysctl("client", {"net.ipv4.ip_local_port_range": "50000 50003"})
    for _ in range(4):
        lab.spawn("client", program("tests/lab/talker"), "connect", SERVER[case.family], "80", "hold")
    time.sleep(0.5)


against("ports-exhausted", "all local ports are in use towards the target", "broken ports_exhausted", "port", fill_ports,
        target=BARE, server=talks(80, "drain"), steps={"connections": "broken"})

# --- TLS ---


def certificate(name):
    return lambda lab: lab.serve(cert=name)


against("tls-expired", "the certificate has expired", "broken tls_certificate_expired", "tls", target=HTTPS, server=certificate("expired"),
        steps={"port": "ok"})
against("tls-other", "the certificate is another name's", "broken tls_name_mismatch", "tls", target=HTTPS, server=certificate("other"))
against("tls-self", "the certificate is its own authority", "broken tls_self_signed", "tls", target=HTTPS, server=certificate("self"))
against("tls-plain", "another service is on the port", "broken tls_not_spoken", "tls", target="{server}:443",
        server=talks(443, "answer=100", "drain"), steps={"application": "skipped"})
against("tls-silent", "the server takes the hello and says nothing", "broken tls_no_server_hello", "tls", target="{server}:443",
        server=talks(443, "read=1", "hold"))
against("tls-reset", "the connection is cut in the handshake", "broken tls_reset", "tls", target="{server}:443",
        server=talks(443, "read=1", "reset"))
against("tls-version", "the server speaks no version that we do", "broken tls_alert", "tls", target=HTTPS,
        server=lambda lab: (lab.name_server(), lab.s_server("-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256")))


def old_clock(lab):
    """A certificate that has expired, and a server whose clock stands where it was still valid: here it is our clock that is off."""
    lab.name_server()
    then = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() - 100 * 86400))
    lab.file("page", f"HTTP/1.0 200 OK\r\nDate: {then}\r\nContent-Length: 0\r\n\r\n")
    lab.s_server("-HTTP", cert="expired", www=False)


against("clock-wrong", "the server's clock is a hundred days behind ours", "broken clock_wrong", "tls", target="https://www.upc.edu/page",
        server=old_clock, steps={"tls": "expired", "application": "ahead of the server's"})

# --- the page ---

against("http-503", "the service is down behind its proxy", "broken http_server_error", "application",
        server=site("server { listen 80; return 503; }"))
against("http-404", "the page is not there", "degraded http_client_error", "application", target="http://www.upc.edu/nothing")
against("http-loop", "two redirects lead to each other", "broken redirect_loop", "application",
        server=site("server { listen 80; location = / { return 302 /a; } location = /a { return 302 /; } }"))
against("http-redirect-away", "a redirect leads to a name that does not exist", "broken redirect_broken", "application",
        server=site("server { listen 80; return 302 \"http://nothing.upc.edu/;id\"; }"),
        more=lambda lab, case, found: check("check 'http://nothing.upc.edu/;id'" in step(found, "application")["remedy"], "a command of a stranger's"))
against("http-silent", "the request is taken and not answered", "broken server_silent", "application", server=talks(80, "silent"))
against("portal-511", "the network wants a login (status 511)", "broken captive_portal", "application",
        server=site("server { listen 80; return 511; }"))
against("portal-redirect", "a public name leads to a private address", "broken captive_portal", "application",
        server=site("server { listen 80; return 302 http://10.0.3.2/login; }"))
against("portal-redirect-172", "another range of private addresses", "broken captive_portal", "application",
        server=site("server { listen 80; return 302 http://172.31.0.1/login; }"))
against("http-cut", "the connection ends in the middle of the answer", "broken response_truncated", "application",
        server=talks(80, "request", "head=100000", "send=30000", "fin", "drain"), steps={"application": "200, then:"})
against("http-reset", "the connection is reset instead of an answer", "broken reset_by_server", "application", server=talks(80, "request", "reset"),
        more=lambda lab, case, found: check(found["verdict"]["evidence"], "the packets do not prove it"))
against("user-http-reset", "the same without rights", "broken reset_by_server", "application", server=talks(80, "request", "reset"), wrap=USER)
against("http-slow", "the first byte takes 1.5 s", "degraded slow_server", "application", server=talks(80, "slow"))
against("proxy-told", "a proxy in the environment", "ok", wrap=("env", "http_proxy=http://user:secret@proxy.upc.edu:3128"),
        steps={"application": "http_proxy=(user)@proxy.upc.edu:3128"})
against("proxy-of-others", "proxies for another scheme, and none for this host", "ok",
        wrap=("env", "https_proxy=http://proxy.upc.edu:3128", "all_proxy=http://proxy.upc.edu:3128", "no_proxy=localhost,.upc.edu"),
        more=lambda lab, case, found: check("proxy" not in step(found, "application")["text"], "a proxy that nobody would ask"))


@script("check-text", server=nothing, family=4, seconds=SECONDS)
def _(lab, case):
    """What a person reads: a line a rung, the remedy below the broken one, nothing of what comes from outside raw."""
    lab.ip("client", "link set enp0s8 down")
    done = lab.run("client", [program("tcpsleuth"), "check", target_of(case, BARE)], status=1)
    check("BROKEN" in done.stdout and "> ip link set enp0s8 up" in done.stdout, done.stdout)
    check("\n  X link " in done.stdout and "\n  - port " in done.stdout, done.stdout)


@script("check-changes-nothing", server=Lab.serve, family=4, seconds=SECONDS)
def _(lab, case):
    """The machine is as it was."""
    def state():
        return [lab.inside("client", *command).stdout for command in (
            ["ip", "-o", "link"], ["ip", "-o", "addr"], ["ip", "route", "show", "table", "all"], ["ip", "rule"], ["nft", "list", "ruleset"],
            ["sysctl", "net.ipv4.ping_group_range", "net.ipv4.ip_local_port_range"])]

    before = state()
    climb(lab, HTTPS)
    check(before == state(), "something was changed")
