"""The laboratory itself: its commands by hand, and that it leaves nothing behind, however a run ends."""
import os
import signal
import subprocess
import sys
import time

import net
from case import check, script
from net import HERE, Fault, program, run

SECONDS = 15


def command(name):
    return os.path.join(HERE, name)


def until(condition, text):
    """Waits until the condition holds, or raises a Fault."""
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            raise Fault(f"{text}: not within {SECONDS} s")
        time.sleep(0.02)


@script("by-hand", family=4)
def _(lab, this):
    """up, exec, fault, fault --off and down do what they say."""
    name = f"{lab.name}h"
    ask = (command("exec"), "-n", name, "client", "curl", "-sS", "-o", os.devnull, "-m", "2", "http://www.upc.edu/")
    run(command("up"), name)
    try:
        run(*ask)
        check(run(command("up"), name, check=False).returncode == 1, "the same lab came up twice")
        run(command("fault"), "-n", name, "drop", "node=router2", "port=80")
        check(run(*ask, check=False).returncode == 28, "the fault is not on")
        run(command("fault"), "-n", name, "--off")
        run(*ask)
        run(command("down"), "--dead")
        check(name in net.names(), "down --dead took down a lab that was left up")
    finally:
        run(command("down"), name)
    check(name not in net.names(), "the lab is still there")


def begun(lab):
    """A run of a case that takes seconds, and the name of its lab, which is up."""
    process = subprocess.Popen(
        [sys.executable, command("run"), "--into", lab.path("nested"), "well-far-4"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    name = f"run{process.pid}-1"
    until(lambda: "server" in net.nodes_of(name), "the lab of a case is up")
    return process, name


@script("interrupted", family=4)
def _(lab, this):
    """A run that gets SIGTERM takes its labs down."""
    process, name = begun(lab)
    process.send_signal(signal.SIGTERM)
    process.wait(SECONDS)
    check(not net.nodes_of(name), f"{name} is still there")


@script("killed", family=4)
def _(lab, this):
    """What is left of a run that was killed, `down --dead` removes; it leaves alone what lives."""
    process, name = begun(lab)
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
        children = [int(pid) for pid in file.read().split()]
    for pid in [process.pid, *children]:
        os.kill(pid, signal.SIGKILL)
    process.wait(SECONDS)
    check(net.nodes_of(name), "nothing is left, so nothing can be shown")
    until(lambda: name in run(command("down"), "--dead").stdout or not net.nodes_of(name), "down --dead removes it")
    check(not net.nodes_of(name), f"{name} is still there")
    check(net.nodes_of(lab.name), "this case's own lab is gone")


@script("unused-rule", family=4)
def _(lab, this):
    """A rule of the wire that meets no packet is told: such a case would show nothing."""
    node = lab.netns("client")
    run("ip", "-n", node, "link", "add", "a0", "type", "veth", "peer", "name", "a1")
    wire = lab.start_wire("client", "a0", "a1", "up n=1000000 drop")
    lab.wire_processes["client-router1"] = wire
    try:
        lab.end_wires()
    except Fault as fault:
        return check("rule used 0 times" in str(fault), str(fault))
    raise Fault("nobody complained")


@script("bad-words", family=4)
def _(lab, this):
    """The wire and the talker refuse words that they do not know."""
    for words in (
        ("wire", "lo", "lo", "up frob"),
        ("wire", "lo", "lo", "n=3-1 drop"),
        ("wire", "lo", "lo", "strip=all"),
    ):
        done = run(program(f"tests/lab/{words[0]}"), *words[1:], check=False)
        check(done.returncode == 2 and "not understood" in done.stderr, f"{words}: {done.returncode} {done.stderr}")


@script("tutorial", family=4, seconds=240)
def _(lab, this):
    """The verdicts and rungs that docs/tutorial.md shows are what the program says now."""
    run(command("transcript-tutorial"), "--check", timeout=200)
