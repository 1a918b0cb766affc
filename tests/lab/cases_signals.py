"""Signals at any moment: the whole report or a quick end, the exit status as it is promised, no crash, nothing that hangs. The moments are
drawn with a seed, so that a run can be repeated; tests/faults has them at single system calls."""
import json
import random
import signal
import subprocess
import time

from case import check, script
from lab import Lab
from live import Watch, compare
from net import program
from plan import SERVER

TRAFFIC = f"while :; do curl -s -m 2 http://{SERVER[4]}/ http://{SERVER[4]}:81/; sleep 0.1; done"
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MOMENTS, SEED, AT_MOST_SECONDS = 12, 4, 20


def sweep(lab, words, longest, whole):
    """Starts the program again and again and ends it by a signal within so many seconds, before it would end by itself. Where it heeds signals already
    it has to report, and `whole` is asked about that; every other time there is a second signal, by which it may end at once."""
    draw = random.Random(SEED)
    heeded = 0
    for number in range(MOMENTS):
        moment, first, second = draw.uniform(0, longest), draw.choice(ENDS), draw.choice(ENDS)
        process = subprocess.Popen(
            ["ip", "netns", "exec", lab.netns("client"), program("tcpsleuth"), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=lab.environment,
            cwd=lab.folder,
            start_new_session=True,
        )
        try:
            time.sleep(moment)
            heeds = heeds_signals(process.pid)
            process.send_signal(first)
            if number % 2:
                time.sleep(draw.uniform(0, 0.3))
                process.send_signal(second)
            said, errors = process.communicate(timeout=AT_MOST_SECONDS)
        finally:
            process.kill()
        what = f"{first.name} at {moment:.3f} s: status {process.returncode}: {errors.decode(errors='replace')[-300:]}"
        if process.returncode in (0, 1):
            check(whole(said.decode()), f"no whole report, {what}")
            heeded += 1
        else:
            check(number % 2 or not heeds, f"ended at once, {what}")
            check(-process.returncode in ENDS, what)
    check(heeded > 0, "no signal was heeded")


def heeds_signals(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        caught = int(next(line for line in file if line.startswith("SigCgt")).split()[1], 16)
    return all(caught >> (number - 1) & 1 for number in ENDS)


def is_document(said):
    return "verdict" in json.loads(said)


def is_stream(said):
    lines = [json.loads(line) for line in said.splitlines()]
    return lines[-1]["type"] == "summary" and sum(line["type"] == "summary" for line in lines) == 1


@script("signals-watch", family=4, server=Lab.serve, seconds=120)
def _(lab, _):
    """Watching while something goes on: a signal at any moment ends in the whole report; a second one may end it at once."""
    traffic = lab.spawn("client", "sh", "-c", TRAFFIC)
    sweep(lab, ["-i", "enp0s8", "--format=ndjson", "-w", "signals.pcapng"], 1.5, is_stream)
    lab.stop(traffic)


@script("signals-check", family=4, server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})], seconds=180)
def _(lab, _):
    """Climbing to a target that does not answer: a signal at any moment ends in the rungs that were climbed."""
    sweep(lab, ["check", "--json", f"http://{SERVER[4]}/"], 6, is_document)


@script("signals-probe", family=4, server=Lab.serve, faults=[("drop", {"node": "router2", "port": 80})], seconds=120)
def _(lab, _):
    """Probing: a signal at any moment ends in what is known."""
    sweep(lab, ["probe", "--json", f"{SERVER[4]}:80"], 3, is_document)


@script("signals-stopped", server=Lab.serve)
def _(lab, case):
    """Ctrl-Z and fg while it watches: what passed meanwhile is there, and nobody is accused of the time between."""
    at = f"[{SERVER[6]}]" if case.family == 6 else SERVER[4]
    watch = Watch(lab)
    for _ in range(3):
        watch.process.send_signal(signal.SIGSTOP)  # as SIGTSTP does, which a session without a terminal ignores
        lab.run("client", ["curl", "-sS", "-o", "/dev/null", "-m", "4", f"http://{at}/"])
        time.sleep(1.5)
        watch.process.send_signal(signal.SIGCONT)
    watch.wait(r"(?s)(flow_verdict.*){3}")
    watch.end(status=0)
    check(sum(line["type"] == "flow" for line in watch.lines()) == 3, "not three connections")
    check("clock" not in watch.errors and watch.lines()[-1]["capture"]["dropped"] == 0, watch.errors)
    compare(watch)
