"""What a case is, and the list of them. Every tests/lab/cases_*.py registers its own: `case(...)` for the declarative
ones, `@script(...)` for those that need a function."""
import glob
import importlib
import os

from net import BUILD, Fault
from plan import GATEWAY, NAME, NOBODY, PLACES, RESOLVER, SERVER, SPARE

CASES = {}
SECONDS = 45  # a case may take so long, with building up and taking down
CURL = [
    "curl",
    "-{family}",
    "-sS",
    "-o",
    "/dev/null",
    "--cacert",
    "{ca}",
    "-m",
    "20",
]  # a later -m is the one that counts
TALK = ["{talker}", "connect", "{server}"]


class Case:
    """A case for one family.

    name     unique; the family is added: syn-dropped-4
    about    what it shows, a sentence
    server   what runs at the server: a function of the lab, lab.serve if it is not said
    wire     rules of the wire (wire.c) on a link: {"router1-router2": ["up n=3 drop"]}
    faults   (name, settings) in order: ("drop", {"node": "router2", "port": 80})
    client   commands, lists of words; {url}, {name}, {server}, ... are filled in (see words())
    status   the exit status of the last command that shows that what the case is about has happened; a tuple: any of
             them
    expect   {"client": "broken syn_unanswered"}: status and code that are right for the captures, and with "at client" behind
             them whose fault it is; alternatives are separated by "|"; a place that is not named is captured and not judged
    check    whether `make check` runs it; what takes long is left to `make exam` and to who names it
    settle   seconds from the end of the last command to the end of the captures
    offload  as for Lab
    sysctl   {"server": {"net.ipv4.tcp_synack_retries": 2}}: on top of QUICK
    """

    def __init__(self, name, family, about, function=None, expect=None, **more):
        self.base, self.family, self.about, self.function = name, family, about, function
        self.name = f"{name}-{family}"
        self.expect = {place: [text.strip() for text in words.split("|")] for place, words in (expect or {}).items()}
        self.server = more.pop("server", None)
        self.wire, self.faults, self.client = more.pop("wire", {}), more.pop("faults", ()), more.pop("client", ())
        self.status, self.settle, self.offload = (
            more.pop("status", 0),
            more.pop("settle", 0.3),
            more.pop("offload", None),
        )
        self.sysctl, self.seconds = more.pop("sysctl", {}), more.pop("seconds", SECONDS)
        self.check = more.pop("check", True)
        if more:
            raise TypeError(f"case {name}: {', '.join(more)}?")

    def words(self):
        """What may stand in braces in a command."""

        def text(table):
            return f"[{table[6]}]" if self.family == 6 else table[4]

        tables = {"server": SERVER, "spare": SPARE, "nobody": NOBODY, "gateway": GATEWAY, "resolver": RESOLVER}
        found = {key: table[self.family] for key, table in tables.items()}
        found.update({f"at_{key}": text(table) for key, table in tables.items()})
        found.update(
            ca=os.path.join(BUILD, "lab", "certificates", "ca.pem"),
            talker=os.path.join(BUILD, "tests", "lab", "talker"),
        )
        return {
            **found,
            "name": NAME,
            "url": f"http://{NAME}/",
            "https": f"https://{NAME}/",
            "family": str(self.family),
        }


def everywhere(verdict):
    """All three captures say so."""
    return {place: verdict for place in PLACES}


def talks(*steps, port=80):
    """For `server`: a talker that does so with each connection, and the name server."""

    def start(lab):
        lab.name_server()
        lab.talker(port, *steps)

    return start


def families(family):
    return (4, 6) if family == "both" else (family,)


def add(found):
    if found.name in CASES:
        raise ValueError(f"case {found.name} is there twice")
    CASES[found.name] = found


def case(name, about, family="both", **more):
    """Registers a declarative case, for each family."""
    for one in families(family):
        add(Case(name, one, about, **more))


def script(name, family="both", **more):
    """Registers a function of (lab, case) instead of `client`: it does what it likes with the lab, and raises Fault
    where something is not right. The captures run meanwhile only if `expect` is given; the services only if `server`
    is."""

    def register(function):
        for one in families(family):
            add(Case(name, one, " ".join(function.__doc__.split()), function=function, **more))
        return function

    return register


def check(condition, text):
    """For scripts: a Fault with this text unless the condition holds."""
    if not condition:
        raise Fault(text)


def load():
    """All groups of cases, in the order of their files."""
    for path in sorted(glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases_*.py"))):
        importlib.import_module(os.path.basename(path).removesuffix(".py"))
    return CASES
