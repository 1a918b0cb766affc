"""The program watches while it happens. What it says live has to be right, and the same as what it says of the packets that it saved."""
import json
import os
import re
import signal
import subprocess
import time

import cases_connect  # the twins
import cases_healthy
import cases_stream
from case import CASES, Case, add, check, script
from judge import run_client
from lab import Lab
from live import Watch, compare, verdict_of
from net import program
from plan import CLIENT, GATEWAY, SERVER

# Cases that are watched live at the client, in both families, and what has to be told before the end.
TOLD_EARLY = {
    "syn-dropped-router2": "syn_unanswered",
    "port-closed": "syn_refused",
    "gateway-silent": "neighbor_unanswered",
    "server-silent": "server_silent",
    "server-resets-middle": "reset_by_server",
    "cut-upload": "path_went_dead",
    "server-never-reads": "zero_window_stall",
    "name-unknown": "dns_nxdomain",
    "name-dropped": "dns_no_answer",
}
TWINS = (
    *TOLD_EARLY,
    "reject-by-server",
    "server-slow",
    "server-closes-early",
    "http-503",
    "tls-expired",
    "tls-not-spoken",
    "well-chain",
    "well-two-lost",
    "well-offload",
    "well-many",
)


def watched(twin):
    """The function of a case: what its twin does, watched."""

    def function(lab, _):
        watch = Watch(lab, "--immediate-mode")
        run_client(lab, twin)
        time.sleep(twin.settle)
        if twin.base in TOLD_EARLY:
            watch.wait(f'_verdict",.*"code":"{TOLD_EARLY[twin.base]}"')
        watch.end()
        lines = watch.lines()
        right = twin.expect["client"]
        check(verdict_of(lines) in right, f"live: {verdict_of(lines)}; right is {' or '.join(right)}")
        compare(watch)

    return function


for name in TWINS:
    for family in (4, 6):
        if f"{name}-{family}" in CASES:
            original = CASES[f"{name}-{family}"]
            add(
                Case(
                    f"live-{name}",
                    family,
                    f"watched live: {original.about}",
                    function=watched(original),
                    server=original.server or Lab.serve,
                    wire=original.wire,
                    faults=original.faults,
                    offload=original.offload,
                    sysctl=original.sysctl,
                )
            )


CURL = ["curl", "-sS", "-o", "/dev/null", "-m", "4"]
URL = {4: f"http://{SERVER[4]}/", 6: f"http://[{SERVER[6]}]/"}
CLOSED = {4: f"http://{SERVER[4]}:81/", 6: f"http://[{SERVER[6]}]:81/"}
REFUSED, TIMED_OUT = 7, 28


def fetch(lab, this, url=URL, status=0, node="client"):
    lab.run(node, [*CURL, url[this.family]], status=status)


@script("live-gateway-returns", server=Lab.serve)
def _(lab, this):
    """A gateway that does not answer ARP is told; it answers after all, which is told, too, and nothing is left of the accusation."""
    silent = lab.fault("neighbour_silent")
    watch = Watch(lab)
    fetch(lab, this, status=(REFUSED, TIMED_OUT))
    watch.wait('"neighbor_verdict",.*"code":"neighbor_unanswered"')
    silent.remove()
    fetch(lab, this)
    watch.wait('"neighbor_verdict",.*"code":"ok"')
    watch.end(status=0)
    check(len([line for line in watch.lines() if line["type"] == "neighbor_verdict"]) == 2, "told more than twice")
    compare(watch)


# --- how it ends ---


def one_summary(watch):
    lines = watch.lines()
    check(
        lines[-1]["type"] == "summary" and sum(line["type"] == "summary" for line in lines) == 1,
        "not one summary, at the end",
    )
    return lines[-1]


@script("live-terminated", server=Lab.serve)
def _(lab, this):
    """SIGTERM and SIGHUP end in the whole report, with the exit status of what was seen."""
    for number, url, status in ((signal.SIGTERM, URL, 0), (signal.SIGHUP, CLOSED, 1)):
        watch = Watch(lab)
        fetch(lab, this, url, 0 if status == 0 else REFUSED)
        watch.wait("flow_verdict")
        watch.end(number, status)
        one_summary(watch)


@script("live-ends-at-once", family=4)
def _(lab, _):
    """A second signal ends it at once, without a report; of two that wait either may be the second."""
    watch = Watch(lab)
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        watch.process.send_signal(number)
    check(watch.end(None) in (-signal.SIGINT, -signal.SIGTERM), f"status {watch.process.returncode}")
    check("summary" not in watch.said, "there is a report")


@script("live-count", server=Lab.serve)
def _(lab, this):
    """-c stops at that packet, by itself."""
    watch = Watch(lab, "-c", "5", filter=["tcp"])
    fetch(lab, this)
    watch.end(None, 0)
    check(one_summary(watch)["capture"]["packets"] == 5, "not 5 packets")
    compare(watch)


@script("live-duration", server=Lab.serve)
def _(lab, this):
    """--duration stops by itself."""
    began = time.monotonic()
    watch = Watch(lab, "--duration", "2")
    fetch(lab, this)
    watch.end(None, 0)
    lasted = time.monotonic() - began
    check(2 <= lasted < 12, f"{lasted} s, not 2")
    compare(watch)


@script("live-pipe-closed", server=Lab.serve)
def _(lab, this):
    """A reader that has enough (`| head -n 1`) ends it quietly."""
    head = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watch = Watch(lab, form="text", output=head.stdin)
    head.stdin.close()
    fetch(lab, this, CLOSED, REFUSED)
    watch.end(None, 1)
    with head.stdout as said:
        check("syn_refused" in said.read(), "the line is not there")
    head.wait(5)
    check(watch.errors.count("\n") == 1, f"said: {watch.errors}")


@script("live-vanishes", server=Lab.serve)
def _(lab, this):
    """The interface disappears: told, and what was seen so far is reported."""
    watch = Watch(lab)
    fetch(lab, this, CLOSED, REFUSED)
    watch.wait("syn_refused")
    lab.ip("client", "link del enp0s8")
    watch.end(None, 1)
    check("enp0s8: the capture ends: the interface disappeared" in watch.errors, watch.errors)
    check(one_summary(watch)["capture"]["truncated"], "not marked as truncated")


@script("live-goes-down", server=Lab.serve)
def _(lab, this):
    """The interface goes down and comes up again: the capture goes on."""
    watch = Watch(lab)
    lab.ip("client", "link set enp0s8 down")
    time.sleep(0.5)
    lab.ip("client", "link set enp0s8 up")
    lab.ip("client", f"addr replace {CLIENT[6]}/64 dev enp0s8 nodad")
    lab.route("client", "replace", "default via 10.0.3.2")
    lab.route("client", "replace", "-6 default via 2001:db8:3::2")
    fetch(lab, this)
    watch.wait("flow_verdict")
    watch.end(status=0)
    compare(watch)


@script("live-disk-full", family=4, server=Lab.serve)
def _(lab, this):
    """The disk of -w is full: told, the report comes all the same, the exit status says that not all was done."""
    os.symlink("/dev/full", lab.path("full.pcap"))
    watch = Watch(lab, save="full.pcap")
    fetch(lab, this)
    watch.end(None, 2)
    one_summary(watch)
    check("full.pcap: cannot write it: No space left" in watch.errors, watch.errors)


# --- what it may do ---

NOTHING = "0" * 16


def check_powerless(status, user):
    check(status["Uid"].split() == [str(user)] * 4, f"user {status['Uid']}")
    check(status["Gid"].split() == [str(user)] * 4, f"group {status['Gid']}")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        check(status[name].strip() == NOTHING, f"{name} {status[name]}")
    check(status["NoNewPrivs"] == "1", "new privileges may be had")


@script("live-privileges", family=4, server=Lab.serve)
def _(lab, this):
    """Root becomes nobody, who called sudo becomes itself and owns the files; no capability is left, and it works all the same."""
    watch = Watch(lab)
    check_powerless(watch.proc_status(), 65534)
    check(watch.proc_status()["Groups"].split() == ["65534"], "groups are left")
    check(watch.proc_status()["CapBnd"] == NOTHING, "the bounding set is not empty")
    fetch(lab, this)
    watch.end(status=0)
    compare(watch)
    os.makedirs(lab.path("home"))
    os.chown(lab.path("home"), 12345, 12345)
    report = lab.path("home/report.txt")
    watch = Watch(lab, "-o", report, save="home/live.pcapng", env={"SUDO_UID": "12345", "SUDO_GID": "12345"})
    check_powerless(watch.proc_status(), 12345)
    watch.end(status=0)
    owners = {os.stat(path).st_uid for path in (watch.save, report)}
    check(owners == {12345}, f"files of {owners}")


@script("live-unprivileged", family=4, server=Lab.serve)
def _(lab, this):
    """CAP_NET_RAW alone does; without it one line says how to get it."""
    lab.run("client", ["chmod", "a+rx", lab.folder])
    person = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    command = [program("tcpsleuth"), "-i", "enp0s8", "--json", "-c", "5", "tcp"]
    said = lab.run("client", [*person, *command], status=2).stderr
    check(said.count("\n") == 1 and "no permission" in said and "setcap" in said and "sudo" in said, said)
    capable = [*person, "--inh-caps=+net_raw", "--ambient-caps=+net_raw"]
    process = lab.start("client", *capable, *command, ready="watching")
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        check_powerless(dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line), 12345)
    fetch(lab, this)
    process.wait(5)
    text = lab.stop(process)
    check(json.loads(text[text.index("{") :])["capture"]["packets"] == 5, "not 5 packets")


# --- where it looks ---


@script("live-any", server=Lab.serve)
def _(lab, this):
    """On `any` of a router each packet is there twice: no retransmission, no loss."""
    watch = Watch(lab, node="router1", interfaces=("any",))
    fetch(lab, this)
    time.sleep(0.3)
    watch.end(status=0)
    flow = next(line for line in watch.lines() if line["type"] == "flow")
    check(flow["anomalies"]["server"]["capture_duplicates"] > 0, "nothing was seen twice")
    check(flow["verdict"]["code"] == "ok" and flow["anomalies"]["server"]["retransmissions"] == 0, f"{flow['verdict']}")
    compare(watch)


@script("live-two", server=Lab.serve, faults=[("drop", {"node": "router2", "port": 81})])
def _(lab, this):
    """Two interfaces of a router at once, their packets in the order of their times."""
    watch = Watch(lab, node="router1", interfaces=("client", "router2"))
    fetch(lab, this)
    fetch(lab, this, CLOSED, status=28)
    time.sleep(0.3)
    watch.end(status=1)
    codes = sorted(line["verdict"]["code"] for line in watch.lines() if line["type"] == "flow")
    check(codes == ["ok", "syn_unanswered"], f"{codes}")
    compare(watch)


@script("live-hint", family=4)
def _(lab, _):
    """Nothing for ten seconds: a hint names the interface that leads to the filter's host."""
    watch = Watch(lab, interfaces=("lo",), filter=["host", SERVER[4]])
    watch.wait("try -i enp0s8", watch.err, seconds=15)
    watch.end(status=0)


@script("live-hint-neighbour", faults=[("neighbour_silent", {})])
def _(lab, this):
    """Nothing passes the filter of a host, because nobody answers for the gateway: the hint says so."""
    watch = Watch(lab, filter=["host", SERVER[this.family]])
    for _ in range(4):  # until the hint comes: the kernel forgets a neighbour that failed when it has many
        fetch(lab, this, status=(REFUSED, TIMED_OUT))
    watch.wait(f"asked the link for {re.escape(GATEWAY[this.family])}, the way to", watch.err, seconds=15)
    watch.end(status=0)


@script("live-list")
def _(lab, this):
    """-D lists interfaces with state and addresses; one that is not there, or is down, is told."""
    said = lab.run("client", [program("tcpsleuth"), "-D"]).stdout
    line = next(line for line in said.splitlines() if line.startswith("enp0s8 "))
    check(" up " in line and f" {CLIENT[this.family]}/" in line, said)
    error = lab.run("client", [program("tcpsleuth"), "-i", "enp0s9"], status=2).stderr
    check("enp0s9: no such interface; there are: enp0s8, any, lo" in error, error)
    lab.ip("client", "link set enp0s8 down")
    error = lab.run("client", [program("tcpsleuth"), "-i", "enp0s8"], status=2).stderr
    check("enp0s8: the interface is down; `ip link set enp0s8 up`" in error, error)


# --- what a person sees ---


@script("live-text", server=Lab.serve)
def _(lab, this):
    """Lines to standard output while it goes on, the report in its file."""
    report = lab.path("report.txt")
    watch = Watch(lab, "-o", report, form="text")
    fetch(lab, this)
    watch.wait(r"(?m)^\d\d:\d\d:\d\d\.\d+  ok .* \[ok\]$")
    fetch(lab, this, CLOSED, REFUSED)
    watch.wait(r"(?m)^\d\d:\d\d:\d\d\.\d+  BROKEN .* \[syn_refused\]$")
    watch.end(status=1)
    check(watch.said.count("\n") == 2, f"more than two lines: {watch.said}")
    with open(report, encoding="utf-8") as file:
        check("2 conversations: 1 broken, 1 ok" in file.read(), "no report in the file")


@script("live-terminal", family=4, server=Lab.serve)
def _(lab, this):
    """On a terminal a status line shows how it goes, and makes room for what is told."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        ["ip", "netns", "exec", lab.netns("client"), program("tcpsleuth"), "-i", "enp0s8", "--duration", "3", "tcp"],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=lab.environment,
        start_new_session=True,
    )
    os.close(theirs)
    time.sleep(1)
    fetch(lab, this)
    said = b""
    try:
        while piece := os.read(ours, 65536):
            said += piece
    except OSError:  # EIO: the other side is closed
        pass
    os.close(ours)
    check(process.wait(5) == 0, f"status {process.returncode}")
    said = said.decode()
    check("0 packets, 0 flows open, 0 judged, 0 dropped" in said and "1 judged, 0 dropped" in said, said)
    for line in said.split("\n"):
        shown = line.split("\x1b[K")[-1]
        check("dropped" not in shown or "[ok]" not in shown, f"a status line in the way: {line!r}")


@script("live-drops", family=4, server=Lab.serve)
def _(lab, this):
    """The kernel had no room: the drops are reported, and what rests on missing packets is doubted."""
    watch = Watch(lab, "-B", "64", save=None)
    watch.process.send_signal(signal.SIGSTOP)
    fetch(lab, this, {4: f"{URL[4]}big"})
    watch.process.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    fetch(lab, this)
    time.sleep(0.5)
    watch.end()
    lost = one_summary(watch)["capture"]["dropped"]
    check(lost > 0, "nothing was dropped")
    for flow in (line for line in watch.lines() if line["type"] == "flow"):
        for finding in (flow["verdict"], *flow["findings"]):
            doubted = (finding["detail"] or {}).get("capture_dropped")
            check(finding["code"] in ("ok", "incomplete_capture") or doubted, f"no doubt in {finding}")
            check(not doubted or finding["confidence"] != "certain", f"certain all the same: {finding}")
