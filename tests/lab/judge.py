"""How a case is staged in a lab, and what the program says of a capture."""
import json
import subprocess

from lab import Lab
from net import Fault, program

QUICK = {  # so that kernels give up within seconds; a case may say otherwise
    "client": {"net.ipv4.tcp_syn_retries": 2},
    "server": {"net.ipv4.tcp_synack_retries": 2},
}
# The exit status that belongs to a verdict's status.
EXIT = {"broken": 1, "degraded": 0, "ok": 0, "unknown": 0}


def settle_kernels(lab, case):
    for node in lab.NODES:
        values = {**QUICK.get(node, {}), **case.sysctl.get(node, {})}
        if values:
            lab.sysctl(node, values)


def run_client(lab, case):
    """The commands of the client: the last one's exit status counts."""
    words = case.words()
    for number, command in enumerate(case.client, 1):
        last = number == len(case.client)
        lab.run("client", [word.format(**words) for word in command], status=case.status if last else None)


def stage(lab, case):
    """Everything up to the end of the captures; returns {place: path}."""
    settle_kernels(lab, case)
    if case.server or not case.function:
        (case.server or Lab.serve)(lab)
    if case.expect or not case.function:
        lab.capture()
    for name, settings in case.faults:
        lab.fault(name, **settings)
    if case.function:
        case.function(lab, case)
    else:
        run_client(lab, case)
    captures = lab.end_capture(case.settle)
    lab.end_wires()
    return captures


def document(capture, *options):
    """What the program makes of a capture: the JSON document."""
    command = [program("tcpsleuth"), "--json", "-r", capture, *options]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise Fault(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
    found = json.loads(done.stdout)
    if done.returncode != EXIT[found["verdict"]["status"]]:
        raise Fault(f"{' '.join(command)}: status {done.returncode} with the verdict {found['verdict']['status']}")
    return found


def say(verdict):
    return verdict["status"] if verdict["code"] == "ok" else f"{verdict['status']} {verdict['code']}"


def is_right(verdict, expected):
    """Whether a verdict is one of those that are right: "broken reset_by_client", "broken reset_by_client at client"."""
    return say(verdict) in expected or f"{say(verdict)} at {verdict['where']}" in expected
