"""The capture joined with the probes: what breaks while it is watched is probed, and the verdict says what that changed."""
import json
import subprocess

from case import check, script
from judge import QUICK, say
from lab import Lab
from live import Watch, check_schema, verdict_of
from net import program
from plan import CLIENT, GATEWAY, MIDDLE1, MIDDLE2, SERVER, SPARE

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
