"""The program watches while it happens. What it says live has to be right, and the same as what it says of the packets that it saved."""
import json
import os
import signal
import subprocess
import time

import cases_connect
import cases_healthy
import cases_stream
from case import CASES, Case, add, check, script
from judge import run_client
from lab import CLIENT, NAME, SERVER, Lab
from live import Watch, compare, verdict_of
from net import Fault, program

# Cases that are watched live at the client, in both families: that of a capture, and what is told before its end.
TOLD_EARLY = {
    "syn-dropped-router2": "syn_unanswered",
    "port-closed": "syn_refused",
    "server-silent": "server_silent",
    "server-resets-middle": "reset_by_server",
    "cut-upload": "path_went_dead",
    "server-never-reads": "zero_window_stall",
}
TWINS = (*TOLD_EARLY, "reject-by-server", "server-slow", "server-closes-early", "http-503", "tls-expired", "tls-not-spoken", "name-unknown",
         "well-chain", "well-one-lost", "well-offload", "well-many")


def told(lines, code):
    """Whether a verdict with that code was told while the capture went on."""
    return any(line["type"] == "flow_verdict" and line["verdict"]["code"] == code for line in lines)


def watched(twin):
    """The function of a case: what its twin does, watched."""

    def function(lab, _):
        watch = Watch(lab, "--immediate-mode")
        run_client(lab, twin)
        time.sleep(twin.settle)
        watch.end()
        lines = watch.lines()
        right = twin.expect["client"]
        check(verdict_of(lines) in right, f"live: {verdict_of(lines)}; right is {' or '.join(right)}")
        compare(watch)
        early = TOLD_EARLY.get(twin.base)
        check(not early or told(lines, early), f"{early} was not told before the end")

    return function


for name in TWINS:
    for family in (4, 6):
        if f"{name}-{family}" in CASES:
            original = CASES[f"{name}-{family}"]
            add(Case(f"live-{name}", family, f"watched live: {original.about}", function=watched(original),
                     server=original.server or Lab.serve, wire=original.wire, faults=original.faults, offload=original.offload,
                     sysctl=original.sysctl))
