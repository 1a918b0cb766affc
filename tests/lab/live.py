"""The program watching an interface of a node, and what it has to say compared with what it says of its own saved capture."""
import json
import os
import re
import signal
import subprocess
import time

from net import ROOT, Fault, program

try:
    import jsonschema
except ImportError:  # tests/golden says so
    jsonschema = None

READY_SECONDS, END_SECONDS = 10, 15


class Watch:
    """`tcpsleuth -i INTERFACE OPTIONS FILTER` in a node, from __init__, when it watches, to end(). Its report goes to standard output, which
    is a file; the packets to save. `under`: a command that starts it."""

    def __init__(
        self,
        lab,
        *options,
        node="client",
        interfaces=("enp0s8",),
        filter=(),
        form="ndjson",
        save="live.pcapng",
        env=None,
        output=None,
        under=(),
    ):
        self.lab, self.form, self.save = lab, form, save and lab.path(save)
        words = [word for interface in interfaces for word in ("-i", interface)]
        words += ["-w", self.save] if save else []
        self.command = [
            "ip",
            "netns",
            "exec",
            lab.netns(node),
            *under,
            program("tcpsleuth"),
            *words,
            f"--format={form}",
            *options,
            *filter,
        ]
        self.out, self.err = (
            open(lab.path(f"live{len(lab.processes)}.{name}"), "w+", encoding="utf-8") for name in ("out", "err")
        )
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=output or self.out,
            stderr=self.err,
            cwd=lab.folder,
            env={**lab.environment, **(env or {})},
            start_new_session=True,
        )
        self.process.log = self.err.name
        lab.processes.append(self.process)  # ended with the lab in any case
        self.wait("watching ", self.err)

    @staticmethod
    def text(file):
        with open(file.name, encoding="utf-8") as again:
            return again.read()

    def wait(self, pattern, file=None, seconds=READY_SECONDS):
        """Waits until the pattern is on standard output (or in another file); returns the match."""
        end = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.text(file or self.out))
            if match:
                return match
            if self.process.poll() is not None or time.monotonic() > end:
                raise Fault(
                    f"{' '.join(self.command[4:])}: no {pattern}: {self.text(self.out)[-400:]} {self.text(self.err)[-400:]}"
                )
            time.sleep(0.02)

    def end(self, number=signal.SIGINT, status=None):
        """Ends it by a signal, or with None waits for its own end; its exit status."""
        if number is not None:
            self.process.send_signal(number)
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise Fault(f"{' '.join(self.command[4:])}: does not end") from error
        self.said, self.errors = self.text(self.out), self.text(self.err)
        if status is not None and self.process.returncode != status:
            raise Fault(
                f"{' '.join(self.command[4:])}: status {self.process.returncode}, not {status}: {self.errors[-600:]}"
            )
        return self.process.returncode

    def lines(self):
        """The objects of NDJSON, after the end."""
        return [json.loads(line) for line in self.said.splitlines()]

    def proc_status(self):
        """/proc/PID/status as a table."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def offline(path, *options):
    """The lines that the program makes of a capture."""
    done = subprocess.run(
        [program("tcpsleuth"), "--format=ndjson", "-r", path, *options],
        capture_output=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in (0, 1):
        raise Fault(f"{path}: status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def without_kernel(value):
    """The same without what only the running kernel could say."""
    if isinstance(value, list):
        return [without_kernel(one) for one in value]
    if not isinstance(value, dict):
        return value
    left = {key: without_kernel(one) for key, one in value.items() if key != "kernel"}
    return left or None


def essence(lines):
    """All that a report says, apart from the order of its lines, the numbers of conversations, the name of its source, and this host's view."""
    lines = without_kernel(lines)
    found = {"flow": [], "conversation": [], "dns": [], "summary": []}
    for line in lines:
        if line["type"] in found:
            found[line["type"]].append(line)
    for line in found["conversation"]:
        del line["id"]
    for line in found["summary"]:
        del line["capture"]["source"]
    return {kind: sorted(json.dumps(line, sort_keys=True) for line in lines) for kind, lines in found.items()}


def check_schema(lines):
    """Every line is what docs/tcpsleuth.schema.json says of lines."""
    if jsonschema is None:
        return
    with open(os.path.join(ROOT, "docs", "tcpsleuth.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.validators.validator_for(schema)({"$defs": schema["$defs"], "$ref": "#/$defs/line"})
    for line in lines:
        for error in validator.iter_errors(line):
            raise Fault(f"not of the schema: {error.message[:300]}: {json.dumps(line)[:300]}")


def compare(watch):
    """Everything that was said live is said of the saved packets, too: flows, conversations, look-ups, the verdict."""
    check_schema(watch.lines())
    live, saved = essence(watch.lines()), essence(offline(watch.save))
    for kind in live:
        for a, b in zip(live[kind], saved[kind]):
            if a != b:
                raise Fault(f"{kind} live: {a}\n# offline: {b}")
        if len(live[kind]) != len(saved[kind]):
            raise Fault(f"{len(live[kind])} lines of {kind} live, {len(saved[kind])} offline")


def verdict_of(lines):
    """As judge.say() has it."""
    found = lines[-1]["verdict"]
    return found["status"] if found["code"] == "ok" else f"{found['status']} {found['code']}"
