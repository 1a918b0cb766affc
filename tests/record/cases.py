"""The list of cases: a case is a function that sets servers up, starts the capture and runs the clients.

Its documentation goes into the README of the case; `run` ("broken tls_alert") and `flows` are the verdicts that are
right.
"""
CASES = {}


class Case:
    def __init__(self, name, work, programs, run, flows, network):
        self.name, self.work, self.programs, self.run, self.flows, self.network = (
            name,
            work,
            programs,
            run,
            flows,
            network,
        )

    @property
    def text(self):
        lines = [line.strip() for line in self.work.__doc__.strip().splitlines()]
        return "\n".join(lines)


def case(name, programs, run="ok", flows="", network=None):
    """Registers a case. `flows`: the codes in the order of the flows, separated by blanks; empty: all ok."""

    def register(work):
        if name in CASES:
            raise ValueError(f"case {name} is there twice")
        CASES[name] = Case(name, work, programs.split(), run, flows.split(), network or {})
        return work

    return register


def site(rules, names="_", port=80, more=""):
    """An nginx server block without TLS."""
    return f"server {{ listen {port} {more}; listen [::]:{port} {more}; server_name {names}; {rules} }}\n"


def secure_site(rules, names="_", port=443, protocols="TLSv1.2 TLSv1.3", more=""):
    """An nginx server block with TLS."""
    return (
        f"server {{ listen {port} ssl {more}; listen [::]:{port} ssl {more}; server_name {names}; "
        f"ssl_protocols {protocols}; "
        f"{rules} }}\n"
    )
