"""How the cases of `tcpsleuth check` are staged: a climb from the client (or at the server), and what it has to find."""
import json
import os

import jsonschema
from case import check, script
from judge import EXIT, say
from lab import Lab
from net import Fault, program
from plan import SERVER

SECONDS = 60
RUNGS = ("device driver rfkill wifi link counters address self_ping route_default gateway route_target dns ping path_mtu port service "
         "firewall connections tls application").split()
SERVER_RUNGS = [*RUNGS[:9], "listening", "local_connect", "process", "unit", "firewall", "log"]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "tcpsleuth.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)


def climb(lab, *words, node="client", wrap=(), rungs=RUNGS):
    """The JSON document of `tcpsleuth check`, by whatever `wrap` makes of the command."""
    done = lab.run(node, [*wrap, program("tcpsleuth"), "check", "--json", *words], status=None, timeout=SECONDS)
    if done.returncode not in (0, 1):
        raise Fault(f"check {' '.join(words)}: status {done.returncode}: {done.stderr[-400:]}")
    check(not done.stderr, f"standard error: {done.stderr}")
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    right = EXIT[found["verdict"]["status"]]
    check(done.returncode == right, f"status {done.returncode}, not {right}")
    names = [step["step"] for step in found["ladder"]]
    check(names == [one for one in rungs if one in names], f"the rungs are {names}")
    return found


def step(found, name):
    """The record of a rung."""
    for one in found["ladder"]:
        if one["step"] == name:
            return one
    raise Fault(f"there is no rung {name}")


def check_verdict(found, verdict, at):
    """"broken no_route", at the rung "route_target"."""
    said = say(found["verdict"])
    check(said == verdict, f"{said}, not {verdict}: {found['verdict']['summary']}")
    if at:
        first = (found["verdict"]["detail"] or {}).get("step")
        check(first == at, f"the verdict is of {first}, not of {at}")
        check(step(found, at)["remedy"], f"{at} says nothing of what to do")


def check_all_well(found):
    """Nothing is accused."""
    for one in found["ladder"]:
        check(one["status"] in ("ok", "skipped", "unknown"), f"{one['step']} is {one['status']}: {one['text']}")
        check(one["finding"] is None, f"{one['step']} has a finding: {one['finding']}")


def target_of(case, target):
    """What to climb to: {server} is an address of the case's family, ready for a port."""
    text = SERVER[case.family]
    return target.format(server=f"[{text}]" if case.family == 6 else text, alone=text)


def against(name, about, verdict, at=None, before=None, target="http://www.upc.edu/", steps=None, more=None, server=Lab.serve, family=4,
            words=(), wrap=(), **settings):
    """A case: before(lab, case) breaks what the faults do not; steps {rung: status, or a part of its text}."""

    def function(lab, case):
        if before:
            before(lab, case)
        found = climb(lab, *words, target_of(case, target), wrap=wrap)
        check_ladder(found, verdict, at, steps)
        if more:
            more(lab, case, found)

    function.__doc__ = about
    script(f"check-{name}", server=server, family=family, seconds=SECONDS, **settings)(function)


def check_ladder(found, verdict, at, steps):
    """The verdict and its rung, nothing amiss where it is ok, and steps {rung: status, or a part of its text}."""
    check_verdict(found, verdict, at)
    if verdict == "ok":
        check_all_well(found)
    for rung, right in (steps or {}).items():
        check_step(step(found, rung), right)


def check_step(one, right):
    """right: a status, or a part of what is told."""
    told = [one["status"], one["text"], *one["notes"], *([one["finding"]["summary"]] if one["finding"] else [])]
    check(right == one["status"] or any(right in text for text in told[1:]), f"{one['step']}: {told}, not {right}")
