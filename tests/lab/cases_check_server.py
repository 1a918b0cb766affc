"""The ladder of a service: `tcpsleuth check --server PORT`, at the server, against a fault at each rung."""
import time

from case import check, script
from climb import SECONDS, SERVER_RUNGS, check_all_well, check_ladder, check_step, climb, step
from lab import Lab
from net import Fault, program
from plan import CLIENT, LAST, SERVER, SPARE

# A service with a log file of its own; its name and arguments are whatever the case says.
SERVICE = """
import socket, sys
log = open(sys.argv[1], "a", buffering=1)
log.write("[error] worker 7 failed: out of memory\\n")
listener = socket.create_server(("", int(sys.argv[2])))
print("listens", flush=True)
while True:
    peer, address = listener.accept()
    log.write(f"{address[0]} - GET / 200\\n")
    peer.close()
"""
USER = ("setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set=-all")


def against(name, about, verdict, at=None, before=None, port="80", words=(), steps=None, more=None, wrap=(), server=Lab.serve, family=4, **settings):
    """A case at the server: before(lab, case) breaks what the faults do not; steps {rung: status, or a part of its text}."""

    def function(lab, case):
        if before:
            before(lab, case)
        filled = [word.format(client=CLIENT[case.family]) for word in words]
        found = climb(lab, "--server", *filled, port, node="server", wrap=wrap, rungs=SERVER_RUNGS)
        check_ladder(found, verdict, at, steps)
        if more:
            more(lab, case, found)

    function.__doc__ = about
    script(f"check-server-{name}", server=server, family=family, seconds=SECONDS, **settings)(function)


def nothing(lab):
    """No service at all."""


def listens(address, port=80, more=""):
    """nginx on one address alone."""
    return lambda lab: lab.web(f"server {{ listen {address}:{port}{more}; }}", (port,))


def ip(*lines):
    return lambda lab, case: [lab.ip("server", f"-{case.family} {line.format(client=CLIENT[case.family])}") for line in lines]


def rules(*lines):
    def before(lab, case):
        text = ";".join(line.replace("{client}", CLIENT[case.family]).replace("{ip}", {4: "ip", 6: "ip6"}[case.family]) for line in lines)
        lab.inside("server", "nft", "add table inet own;" + text)

    return before


def with_log(lab, name="python3", *more):
    """The service of SERVICE under another name, with more arguments behind its own."""
    path = lab.file("service.py", SERVICE)
    command = f'exec -a "$0" python3 {path} {lab.path("service.log")} 80 "$@"'
    lab.start("server", "bash", "-c", command, name, *more, ready="listens")


WAIT = "add chain inet own in { type filter hook input priority 0; policy accept; }"
SHUT = WAIT.replace("accept", "drop")

# --- nothing wrong ---

against("well", "nginx, as it should be", "ok",
        steps={"listening": "0.0.0.0:80", "local_connect": "127.0.0.1 accepts", "process": "nginx", "unit": "skipped", "firewall": "no rules"},
        more=lambda lab, case, found: check([one["step"] for one in found["ladder"]] == SERVER_RUNGS, "a rung is missing"))
against("well-name", "the port by its name", "ok", port="https", steps={"listening": ":443"})
against("well-user", "without any rights", "ok", wrap=USER, steps={"process": "skipped", "firewall": "skipped", "listening": "0.0.0.0:80"})
against("well-client", "with a client's address", "ok", words=("--client", "{client}"), family="both",
        steps={"firewall": "no rules", "route_default": "ok"})
against("well-one-family", "IPv4 alone: told, and no fault", "ok", server=listens("0.0.0.0"), steps={"listening": "nobody listens for IPv6"})
against("well-usual-rules", "a usual ruleset that lets the port in", "ok",
        before=rules(SHUT, "add rule inet own in iif lo accept", "add rule inet own in ct state established,related accept",
                     "add rule inet own in meta l4proto { icmp, icmpv6 } accept", "add rule inet own in tcp dport { 22, 80, 443 } accept"),
        steps={"firewall": "none stops"})

# --- the host ---

against("link-down", "the interface was not brought up", "broken interface_down", "link", ip("link set eth0 down"))
against("no-address", "no address at all", "broken no_address", "address",
        lambda lab, case: [lab.ip("server", f"{family} addr flush dev eth0") for family in ("-4", "-6")])
against("no-default-route", "answers do not leave", "broken no_default_route", "route_default",
        lambda lab, case: [lab.ip("server", f"{family} route del default") for family in ("-4", "-6")])
against("no-way-back", "no way to this client", "broken no_default_route", "route_default", ip("route del default"), words=("--client", "{client}"),
        family="both")

against("gateway-gone", "the default gateway is an address that nobody has", "broken gateway_unanswered", "route_default",
        lambda lab, case: [lab.ip("server", f"{family} route replace default via {nobody}") for family, nobody in (("-4", "147.83.2.77"), ("-6", "2001:db8:2::77"))],
        words=("--client", "{client}"), family="both", steps={"listening": ":80"})
against("client-shut-out", "a route says blackhole for the client alone", "broken no_route", "route_default", ip("route add blackhole {client}"),
        words=("--client", "{client}"), family="both")
against("loopback-down", "the loopback was not brought up", "degraded interface_down", "self_ping", ip("link set lo down"),
        steps={"local_connect": "skipped"})
against("deaf", "told to answer no echo: no fault", "ok", before=lambda lab, case: lab.sysctl("server", {"net.ipv4.icmp_echo_ignore_all": 1}),
        steps={"self_ping": "unknown"})

# --- the port ---

against("not-listening", "nobody listens", "broken not_listening", "listening", port="81", steps={"local_connect": "skipped", "process": "skipped"})
against("not-started", "the service was never started", "broken not_listening", "listening", server=nothing)
against("loopback-only", "only this host may connect", "broken listening_locally_only", "listening", server=listens("127.0.0.1"),
        steps={"local_connect": "127.0.0.1 accepts", "process": "nginx"})
against("loopback-only-v6", "the same over IPv6", "broken listening_locally_only", "listening", server=listens("[::1]"))


def fill_queue(lab, case):
    """A listener that accepts nothing, and clients that wait in its queue and before it."""
    lab.talker(80, "full=1")
    for _ in range(4):
        lab.spawn("client", program("tests/lab/talker"), "connect", SERVER[4], "80", "hold")
    time.sleep(1)


against("queue-full", "nobody is accepted any more", "broken accept_queue_full", "listening", fill_queue, server=nothing,
        steps={"local_connect": "broken"})


def of_nginx(signal_name):
    """A signal to the processes of the web server."""
    return lambda lab, case: lab.inside("server", "sh", "-c", f"for p in $(ip netns pids {lab.netns('server')}); do "
                                        f"grep -qs nginx /proc/$p/comm && kill -{signal_name} $p; done; true")


# A service that never closes what it accepts.
LEAKS = """
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
listener, kept = socket.create_server(("", 80)), []
print("listens", flush=True)
while True:
    try:
        kept.append(listener.accept())
    except OSError:
        time.sleep(0.05)
"""
HOLDS = "import socket, time\nkept = [socket.create_connection(('{server}', 80)) for _ in range(40)]\ntime.sleep(60)\n"


def leak(lab, case):
    lab.start("server", "python3", lab.file("leaks.py", LEAKS), ready="listens")
    lab.spawn("client", "python3", "-c", HOLDS.format(server=SERVER[4]))
    time.sleep(1)


against("stopped", "the service was stopped in its tracks (SIGSTOP)", "broken process_missing", "process", of_nginx("STOP"),
        steps={"local_connect": "127.0.0.1 accepts", "process": "stopped"})
against("files-used-up", "the service never closes a connection", "ok", before=leak, server=nothing, steps={"process": "all of its 32 file descriptors"})
against("address-gone", "the address that the service listens on was taken away", "broken no_address", "listening",
        lambda lab, case: lab.ip("server", f"addr del {SPARE[4]}/24 dev eth0"), server=listens(SPARE[4]), steps={"local_connect": "skipped"})
against("one-address", "one address of several", "ok", server=listens(SPARE[4]), steps={"listening": f"{SPARE[4]}:80"})
against("other-family", "a client of the family for which nobody listens", "broken not_listening", "listening",
        server=listens("[::]", more=" ipv6only=on"), words=("--client", "{client}"), steps={"listening": "nobody listens for IPv4"})

# --- the firewall ---


def blames(lab, case, found):
    detail = found["verdict"]["detail"]
    check("inet own in" in detail["rule"] and detail["hook"] == "in", f"the rule is {detail}")


against("firewall-drop", "a rule drops what comes in from outside", "broken firewall_drops", "firewall",
        rules(WAIT, "add rule inet own in iifname eth0 tcp dport 80 drop"), more=blames, steps={"local_connect": "ok"})
against("firewall-policy", "nothing comes in that is not allowed", "broken firewall_drops", "firewall",
        rules(SHUT, "add rule inet own in iif lo accept", "add rule inet own in ct state established accept"), more=blames)
against("firewall-client", "one client is shut out", "broken firewall_drops", "firewall",
        rules(WAIT, "add rule inet own in {ip} saddr {client} drop"), words=("--client", "{client}"), family="both",
        more=lambda lab, case, found: (blames(lab, case, found),
                                       check(f"saddr {CLIENT[case.family]}" in step(found, "firewall")["remedy"], "the remedy lets everybody in")))
against("firewall-other-client", "another client is shut out", "ok",
        before=rules(WAIT, f"add rule inet own in ip saddr {LAST[4]} drop"), words=("--client", "{client}"))
against("firewall-some-client", "some client is shut out: told, not believed", "ok",
        before=rules(WAIT, "add rule inet own in {ip} saddr {client} drop"), steps={"firewall": "may be dropped"})
against("firewall-ingress", "a rule drops it where the interface hands it in", "broken firewall_drops", "firewall",
        rules("add table netdev own", "add chain netdev own in { type filter hook ingress device eth0 priority 0; }", "add rule netdev own in tcp dport 80 drop"),
        steps={"firewall": "netdev own in"})
against("firewall-redirect", "a rule sends it to another port: told, and not followed", "ok",
        before=rules("add chain inet own to { type nat hook prerouting priority -100; }", "add rule inet own to tcp dport 80 redirect to :8080"),
        steps={"firewall": "gets another target by inet own to"})
against("firewall-here-too", "a rule drops even what comes from this host", "broken syn_unanswered", "local_connect",
        rules(WAIT, "add rule inet own in tcp dport 80 drop"), steps={"firewall": "broken"})

# --- process and log ---


@script("check-server-log", server=with_log, family=4, seconds=SECONDS)
def _(lab, case):
    """The service's own log: its last errors, and the lines of one client."""
    lab.run("client", ["curl", "-sS", "-m", "3", f"http://{SERVER[4]}/"], status=None)
    found = climb(lab, "--server", "80", node="server", rungs=SERVER_RUNGS)
    check_all_well(found)
    check_step(step(found, "log"), "worker 7 failed")
    found = climb(lab, "--server", "--client", CLIENT[4], "80", node="server", rungs=SERVER_RUNGS)
    check_step(step(found, "log"), f"{CLIENT[4]} - GET /")
    check("worker 7" not in step(found, "log")["text"], "a line of somebody else")


@script("check-server-proxy", server=nothing, family=4, seconds=SECONDS)
def _(lab, case):
    """docker-proxy, and where it forwards to."""
    with_log(lab, "/usr/bin/docker-proxy", "-proto", "tcp", "-container-ip", "172.18.0.3", "-container-port", "443")
    found = climb(lab, "--server", "80", node="server", rungs=SERVER_RUNGS)
    check_step(step(found, "process"), "forwards to the container 172.18.0.3 port 443")


@script("check-server-hostile", server=nothing, family=4, seconds=SECONDS)
def _(lab, case):
    """A process whose name is a command to the terminal."""
    with_log(lab, "evil\x1b]0;owned\x07")
    done = lab.run("server", [program("tcpsleuth"), "check", "--server", "80"], status=(0, 1))
    if "\x1b" in done.stdout or "\\x1B]0;owned" not in done.stdout.replace("\\x1b", "\\x1B"):
        raise Fault(f"an escape sequence, or none: {done.stdout!r}")
