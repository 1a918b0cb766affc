"""The laboratory: a network of the project's own, with services, faults, a wire, and a capture at three places.

    client enp0s8 ---- client [router1] router2 ---- router1 [router2] server ---- eth0 server
           10.0.3.15   10.0.3.2         10.0.4.1     10.0.4.2          147.83.2.1  147.83.2.135
    2001:db8:3::15     ...:3::2         ...:4::1     ...:4::2          ...:2::1    2001:db8:2::135

An interface of a router bears the name of the neighbour it leads to. How a test uses it:

    with Lab("name") as lab:                     # the namespaces; taken down at the end, whatever happens
        lab.serve()                              # nginx (www.upc.edu, 80 and 443) and the name server
        lab.capture()                            # client.pcap, router.pcap, server.pcap in lab.folder
        fault = lab.fault("drop", node="router2", port=443)   # the list: faults.py, or `tests/lab/fault --list`
        lab.run("client", ["curl", "-m", "3", "http://www.upc.edu/"], status=28)
        watcher = lab.spawn("client", "tcpsleuth", ...)       # a program that stays
        lab.wait_ready(watcher, "some text")                  # or listen=(PORT,)
        text = lab.stop(watcher, signal.SIGINT)               # ends it, returns what it wrote
        fault.remove()
        lab.end_capture()

run(), spawn(), stop() and so on are in net.py, where program("tcpsleuth") gives the path of what was built. What goes
wrong is a Fault, with a reason.
"""
import os
import shutil
import signal
import time

import authority
import faults
import plan
import services
from net import BUILD, Fault, Network, captured_all, need, program, run
from plan import LINK_NAMES, NAME, NAMES, PLACES, RESOLVER

CERTIFICATES = os.path.join(BUILD, "lab", "certificates")
TOOLS = ("ip", "nft", "ethtool", "sysctl", "tc", "tcpdump", "nginx", "dnsmasq", "openssl", "curl", "ping")

PAGE = "<!doctype html>\n<title>UPC</title>\n" + "".join(
    f"<p>Paragraph {i} of the home page.</p>\n" for i in range(700)
)
FILES = {"big": 2_000_000, "medium": 300_000}  # bytes of what nginx serves beside the page

# nginx as in the case study: http leads to https, that to the page in one language.
SITE = f"""
server {{ listen 80; listen [::]:80; server_name {NAME};
    location = / {{ return 302 https://{NAME}/; }}
    location / {{ }} }}
server {{ listen 443 ssl; listen [::]:443 ssl; server_name {NAME}; ssl_protocols TLSv1.2 TLSv1.3;
    location = / {{ return 301 https://{NAME}/ca; }}
    location = /ca {{ try_files /index.html =404; }}
    location / {{ }} }}
"""


class Lab(Network):
    """The network of the picture. `name` tells labs apart that run side by side.

    folder   where its files go; one of its own, if it is not said
    wires    the rules of a wire for each link that has one: {"router1-router2": ["down data n=3 drop"]}
    offload  whether the interfaces keep their offloads (segmentation, checksums); if it is not said: where there is no
             wire
    """

    NODES, ROUTERS, LINKS, ROUTES = plan.NODES, plan.ROUTERS, plan.LINKS, plan.ROUTES

    def __init__(self, name=None, folder=None, wires=None, offload=None):
        super().__init__(name or f"p{os.getpid()}", folder)
        self.wires = wires or {}
        self.offload_on = not self.wires if offload is None else offload
        self.wire_processes, self.captures, self.switches = {}, {}, 0

    def build(self):
        need(*TOOLS)
        super().build()
        for a, a_name, _, _, b, b_name, _, _ in self.LINKS if not self.offload_on else ():
            self.offload(a, a_name, False)
            self.offload(b, b_name, False)
        self.resolv_conf(
            "client", *(f"nameserver {address}" for address in RESOLVER.values()), "options timeout:1 attempts:2"
        )

    def connect(self, *link):
        """A link, with a wire in it where one is wanted."""
        a, a_name, _, _, b, b_name, _, _ = link
        name = f"{a}-{b}"
        if name not in self.wires:
            super().connect(*link)
            return
        wire = f"wire{LINK_NAMES.index(name) + 1}"
        run("ip", "netns", "add", self.netns(wire))
        self.sysctl(wire, {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1})
        super().connect(*link[:4], wire, "near", 0xA0 + LINK_NAMES.index(name), [])
        super().connect(wire, "far", 0xB0 + LINK_NAMES.index(name), [], *link[4:])
        self.rewire(name, self.wires[name])

    def rewire(self, link, rules):
        """Other rules for the wire of a link: a list, or a text with ";" between them. They count from now on."""
        if link in self.wire_processes:
            self.stop(self.wire_processes.pop(link))
        rules = rules.split(";") if isinstance(rules, str) else rules
        node = f"wire{LINK_NAMES.index(link) + 1}"
        self.wire_processes[link] = self.start_wire(
            node, "near", "far", *(rule.strip() for rule in rules if rule.strip())
        )

    def end_wires(self):
        """Ends the wires; a rule that was never used, or a frame that the wire lost, is a Fault."""
        processes, self.wire_processes = self.wire_processes, {}
        for link, process in processes.items():
            said = self.stop(process)
            unused = [line for line in said.splitlines() if line.startswith("rule used 0 times")]
            if process.returncode or unused:
                raise Fault(f"the wire of {link}: {said.splitlines()[-1] if process.returncode else unused[0]}")

    # --- services ---

    def serve(self, cert=NAME):
        """nginx and the name server; `cert` is one of make_certificates()."""
        self.name_server()
        self.web(SITE, (80, 443), cert)

    def name_server(self, *options):
        services.dnsmasq(self, "server", "upc.edu", NAMES, *options, addresses=RESOLVER.values())

    def web(self, servers, ports, cert=NAME):
        """nginx alone, with other server blocks."""
        folder = self.path("www")
        os.makedirs(folder, exist_ok=True)
        texts = {name: "0123456789abcde\n" * (size // 16) for name, size in FILES.items()}
        for name, text in {**texts, "index.html": PAGE}.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        services.nginx(self, "server", servers, self.certificate(cert), ports)

    def s_server(self, *options, port=443, cert=NAME, www=True):
        services.s_server(self, "server", self.certificate(cert), *options, port=port, www=www)

    def talker(self, port, *steps, node="server"):
        """A server that does what its steps say with each connection (talker.c): a mode by name, or single steps."""
        self.start(node, program("tests/lab/talker"), "listen", str(port), *map(str, steps), listen=(port,))

    def certificate(self, name):
        """The path, without .pem or .key, of a certificate; all are made where one of them is asked for first."""
        make_certificates(CERTIFICATES)
        return os.path.join(CERTIFICATES, name)

    # --- faults ---

    def fault(self, name, **settings):
        """Switches a fault on; what is returned has remove(). The names and settings: faults.py."""
        self.switches += 1
        return faults.apply(self, name, self.switches, settings)

    # --- captures ---

    def capture(self, *places):
        """tcpdump at the places, or at all three, until end_capture()."""
        for place in places or PLACES:
            node, interface = PLACES[place]
            self.captures[place] = self.tcpdump(node, interface, self.path(f"{place}.pcap"))
        for process in self.captures.values():
            self.wait_ready(process, "listening on")
        time.sleep(0.1)

    def end_capture(self, settle=0.3):
        """Ends the captures after so many seconds; returns {place: path}."""
        time.sleep(settle)
        self.drain(self.captures.values())
        for place, said in zip(self.captures, self.stop_together(self.captures.values(), signal.SIGINT)):
            if not captured_all(said):
                raise Fault(f"the capture at the {place} lost packets: {said.strip().splitlines()[-1]}")
        paths = {place: self.path(f"{place}.pcap") for place in self.captures}
        self.captures = {}
        return paths


def make_certificates(folder):
    """ca.pem, and certificates for NAME: good, expired, not valid yet, for another name, self-signed. Made once, anew when old."""
    done = os.path.join(folder, "done-2")  # the number changes with what is made
    if os.path.exists(done) and time.time() - os.stat(done).st_mtime < 86400:
        return
    fresh = f"{folder}.{os.getpid()}"
    os.makedirs(fresh)
    authority.issue(fresh, "ca", "ca", "Laboratory CA", "DNS:unused.test", -300, 3000, "authority")
    authority.issue(fresh, NAME, "ca", NAME, f"DNS:{NAME},DNS:spare.upc.edu", -30, 60)
    authority.issue(fresh, "expired", "ca", NAME, f"DNS:{NAME}", -400, -35)
    authority.issue(fresh, "other", "ca", "other.upc.edu", "DNS:other.upc.edu", -30, 60)
    authority.issue(fresh, "self", "self", NAME, f"DNS:{NAME}", -30, 300)
    authority.issue(fresh, "future", "ca", NAME, f"DNS:{NAME}", 30, 60)
    open(os.path.join(fresh, "done-2"), "w", encoding="ascii").close()
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(fresh, folder)
