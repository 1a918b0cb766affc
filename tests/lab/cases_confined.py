"""What the running program may do: /proc/PID/status in each of its tasks on the network (src/confine.h). What is forbidden is tried by
tests/unit/test_confine.c, and reading captures is looked at by tests/cli."""
import os
import signal
import time

from case import check, script
from lab import Lab
from live import Watch
from net import program
from plan import SERVER

NOBODY, NOTHING = "65534", "0" * 16
SETTLE_SECONDS = 10
# With the sanitizers there is no filter and the process stays dumpable (src/confine.c): they look into it themselves.
FILTER = "0" if os.environ.get("VARIANT") == "asan" else "2"


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def check_confined(pid):
    """Waits until the filter is there, as it is before the first packet is looked at or leaves."""
    end = time.monotonic() + SETTLE_SECONDS
    while (status_of(pid)["Seccomp"] != FILTER or status_of(pid)["NoNewPrivs"] != "1") and time.monotonic() < end:
        time.sleep(0.01)
    status = status_of(pid)
    check(status["Seccomp"] == FILTER, f"filter of system calls: Seccomp {status['Seccomp']}")
    check(status["NoNewPrivs"] == "1", "new privileges may be had")
    check(status["Uid"].split() == [NOBODY] * 4, f"user {status['Uid']}")
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        check(status[name].strip() == NOTHING, f"{name} {status[name]}")
    owner = os.stat(f"/proc/{pid}/fd").st_uid
    check(owner == 0 or FILTER == "0", f"others of user {owner} may look into it: it may be dumped")
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        core = next(line for line in file if line.startswith("Max core file size"))
    check(core.split()[4:6] == ["0", "0"], core)


def check_heeds_interrupt(pid):
    """Waits until Ctrl-C is the program's own affair: it is at work."""
    bit = 1 << (signal.SIGINT - 1)
    end = time.monotonic() + SETTLE_SECONDS
    while not int(status_of(pid)["SigCgt"], 16) & bit and time.monotonic() < end:
        time.sleep(0.01)
    check(int(status_of(pid)["SigCgt"], 16) & bit, "Ctrl-C is not heeded")


@script("confined-watch", server=Lab.serve)
def _(lab, case):
    """Watching, with probes that may leave and without."""
    for options, words in (((), ("host", SERVER[case.family])), (("--passive",), ("tcp",))):
        watch = Watch(lab, *options, filter=words)
        check_confined(watch.process.pid)
        watch.end(status=0)


def confined(lab, *words):
    process = lab.spawn("client", program("tcpsleuth"), *words)
    check_confined(process.pid)
    check_heeds_interrupt(process.pid)
    lab.stop(process, signal.SIGINT)
    check(process.returncode in (0, 1), f"status {process.returncode}")


@script("confined-probe", family=4, server=Lab.serve, faults=[("path_cut", {"node": "router2"})])
def _(lab, case):
    """Probing: the raw sockets are open, the right to open them is gone."""
    confined(lab, "probe", f"{SERVER[4]}:80")


@script("confined-check", family=4, server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})])
def _(lab, case):
    """Climbing, to a target."""
    confined(lab, "check", f"http://{SERVER[4]}/")
