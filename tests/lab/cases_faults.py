"""Faults, and what the client lives to see of them. What the program has to say is part of a case only where it says
`expect`."""
import time

from case import CURL, TALK, case, check, everywhere, script
from faults import FAULTS
from lab import Lab
from plan import MIDDLE1, SERVER

QUICK = CURL + ["-m", "4"]
TIMED_OUT, REFUSED, RECEIVE = 28, 7, 56
MIDDLE = "router1-router2"


def on_the_way(text):
    """What the client and the middle link see."""
    return {"client": text, "router": text}



case(
    "rst-by-router",
    "router 2 answers the SYN with a RST of its own",
    faults=[("reject_rst", {"port": 80})],
    client=[QUICK + ["{url}"]],
    status=REFUSED,
    expect=on_the_way("broken syn_refused | broken syn_refused_by_middlebox"),  # nothing tells them apart
)
case(
    "rst-by-router-far",
    "the same, and its TTL is one that the server's packets never have",
    wire={MIDDLE: ["up syn port=80 rst=back rst-ttl=33 rst-id=7 drop"]},
    client=[QUICK + ["{https}ca"], QUICK + ["{url}"]],
    status=REFUSED,
    expect=on_the_way("broken syn_refused_by_middlebox at path"),
)
case(
    "reset-injected",
    "somebody on the way resets both sides in the middle of the answer",
    wire={MIDDLE: ["down data n=40 rst=on rst-ttl=40", "down data n=40 rst=back rst-ttl=40"]},
    client=[QUICK + ["{url}big"]],
    status=RECEIVE,
    expect=everywhere("broken reset_injected"),
)
case(
    "accept-queue-full",
    "the program does not accept: three connections at once for one place in its queue",
    server=lambda lab: lab.talker(80, "backlog=1", "full=1"),
    wire={MIDDLE: ["delay=20"]},
    client=[["curl", "-Z", "--parallel-immediate", "-sS", "-m", "4", "http://{at_server}/?[1-3]"]],
    status=TIMED_OUT,
    expect=everywhere("broken accept_queue_full at server"),
)
case(
    "options-stripped",
    "SACK, time stamps and window scale are overwritten, the MSS is lowered",
    wire={MIDDLE: ["up syn strip=sack", "up syn strip=ts", "down synack strip=wscale", "up syn mss=536"]},
    client=[QUICK + ["{url}medium"]],
    expect=on_the_way("degraded option_stripped"),  # the server sees a client of few options
)
case(
    "pmtu-ignored",
    "the router says that packets are too big, and the server's own filter drops that",
    status=TIMED_OUT,
    faults=[("link_mtu", {}), ("no_ptb", {"node": "server", "hook": "input"})],
    client=[QUICK + ["{url}big"]],
    expect={**on_the_way("broken pmtu_blackhole"), "server": "broken pmtu_ignored at server"},
)
case(
    "port-reused",
    "the client's port is that of a connection in TIME-WAIT at the server, and its numbers are older",
    server=lambda lab: lab.talker(80, "read=10", "answer=10", "fin", "drain"),
    sysctl={"client": {"net.ipv4.tcp_timestamps": 0}, "server": {"net.ipv4.tcp_rfc1337": 1}},
    client=[
        [*TALK, "80", "from=40000", "isn=3000000000", "send=10", "drain"],
        [*TALK, "80", "from=40000", "isn=2900000000", "send=10", "drain"],
    ],
    status=1,
    expect=everywhere("broken port_reuse_refused"),
)
case(
    "server-vanishes",
    "nobody answers for the server's address any more",
    faults=[("host_gone", {})],
    client=[QUICK + ["{url}"]],
    status=(REFUSED, TIMED_OUT, 6),
)


def ping(lab, this, *options, status=0):
    return lab.run("client", ["ping", "-n", "-q", "-W", "1", *options, SERVER[this.family]], status=status).stdout


@script("silent-hop", server=Lab.serve)
def _(lab, this):
    """A TTL that ends at the silent router gets no answer, one that ends before it does; the way is open."""
    lab.fault("silent_hop", node="router2")
    check("+1 errors" in ping(lab, this, "-c", "1", "-t", "1", status=1), "router 1 does not answer")
    check("errors" not in ping(lab, this, "-c", "1", "-t", "2", status=1), "router 2 answers")
    ping(lab, this, "-c", "1")


@script("icmp-limit")
def _(lab, this):
    """A router that limits its ICMP errors answers some of many."""
    lab.fault("icmp_limit", node="router1", milliseconds=1000)
    said = ping(lab, this, "-c", "40", "-i", "0.01", "-t", "1", status=1)
    errors = int(said.split(" errors")[0].rsplit("+", 1)[1])
    check(0 < errors < 20, f"{errors} answers to 40 packets")


@script("state-lost", server=lambda lab: lab.talker(80, "keeps-alive"), expect={"client": "broken path_went_dead"})
def _(lab, this):
    """A stateful router forgets all connections in the middle of one, and drops what it does not know."""
    lab.fault("stateful")
    words = this.words()
    command = [word.format(**words) for word in [*TALK, "80", "get=/", "read=1067", "sleep=1", "get=/", "read=1067"]]
    client = lab.spawn("client", *command)
    time.sleep(0.5)
    lab.fault("state_lost")
    time.sleep(4)
    check(client.poll() is None, "the connection lives on")
    lab.stop(client)


@script("faults-go-away", server=Lab.serve)
def _(lab, this):
    """Each fault is gone when it is removed: all is well afterwards."""
    settings = {"reject_icmp": {"icmp": "admin-prohibited"}}
    for name in FAULTS:
        if name != "link_down":  # takes routes and addresses with it
            lab.fault(name, **settings.get(name, {})).remove()
            done = lab.run(
                "client",
                ["curl", f"-{this.family}", "-sS", "-o", "/dev/null", "-m", "4", "http://www.upc.edu/"],
                status=None,
            )
            check(done.returncode == 0, f"{name}: {done.stderr}")


@script("nat-hides", server=Lab.serve)
def _(lab, this):
    """Behind address translation the server sees the router's address."""
    lab.fault("nat")
    listener = lab.spawn(
        "server", "tcpdump", "-n", "-l", "--immediate-mode", "-c", "1", "-i", "eth0", "tcp", "port", "80"
    )
    lab.wait_ready(listener, "listening on")
    lab.run("client", ["curl", f"-{this.family}", "-sS", "-o", "/dev/null", "-m", "4", "http://www.upc.edu/"])
    time.sleep(0.2)
    seen = lab.stop(listener)
    check(f"{MIDDLE1[this.family]}." in seen, f"the server saw {seen[-300:]}")


@script("mtu-one-way", server=Lab.serve)
def _(lab, this):
    """A smaller MTU in one direction only: large packets there are answered with an ICMP error, those back are not."""
    large = ("-c", "1", "-M", "do", "-s", "1400")
    lab.fault("route_mtu", node="router1", towards="server", mtu=1400)
    check("errors" in ping(lab, this, *large, status=1), "router 1 passed what is too big")
    lab.run("client", ["curl", f"-{this.family}", "-sS", "-o", "/dev/null", "-m", "4", "http://www.upc.edu/medium"])
