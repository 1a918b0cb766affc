"""The recorder's own network: five network namespaces, the servers in them, the capture.

    client eth0 ---- w0 [wire] w1 ---- r0 [router] r1 ---- eth0 server
                                                  r2 ---- eth0 dns

The wire (tests/lab/wire.c) delays every frame, because not every kernel has netem. Nothing leads out of the
namespaces.
"""
import os
import signal
import sys
import time

import services
from net import Fault, Network

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, CLIENT6 = "10.0.0.2", "2001:db8:1::2"
WWW, WWW6, SHOP, SPARE = "192.0.2.80", "2001:db8:80::80", "198.51.100.80", "192.0.2.81"
DNS, DNS2 = "203.0.113.53", "203.0.113.54"
DELAY = 0.005  # of the wire, each way

# (namespace, interface, its MAC's last byte, addresses)
LINKS = (
    ("client", "eth0", 0x02, [f"{CLIENT}/24", f"{CLIENT6}/64"], "wire", "w0", 0x12, []),
    ("router", "r0", 0x01, ["10.0.0.1/24", "2001:db8:1::1/64"], "wire", "w1", 0x11, []),
    (
        "router",
        "r1",
        0x21,
        ["192.0.2.1/24", "198.51.100.1/24", "2001:db8:80::1/64"],
        "server",
        "eth0",
        0x80,
        [f"{WWW}/24", f"{SPARE}/24", f"{SHOP}/24", f"{WWW6}/64"],
    ),
    ("router", "r2", 0x31, ["203.0.113.1/24"], "dns", "eth0", 0x53, [f"{DNS}/24", f"{DNS2}/24"]),
)
ROUTES = (
    ("client", "default via 10.0.0.1"),
    ("client", "-6 default via 2001:db8:1::1"),
    ("server", "default via 192.0.2.1"),
    ("server", "-6 default via 2001:db8:80::1"),
    ("dns", "default via 203.0.113.1"),
)
NODES = ("client", "wire", "router", "server", "dns")
# Everybody names the server: www has one address of each family only where a case says so.
NAMES = (
    f"www.example.test,{WWW}",
    f"shop.example.test,{SHOP}",
    f"api.example.test,{WWW}",
    f"other.example.test,{SPARE}",
)


class Recorder(Network):
    """Namespaces from __enter__ to __exit__; between the cases only the processes and the rules change."""

    NODES, ROUTERS, LINKS, ROUTES = NODES, ("router",), LINKS, ROUTES

    def __init__(self):
        super().__init__(f"record{os.getpid()}")
        self.capturing = None

    def build(self):
        super().build()
        self.sysctl("wire", {"net.ipv6.conf.all.disable_ipv6": 1, "net.ipv6.conf.default.disable_ipv6": 1})
        time.sleep(4)  # listener reports of IPv6 multicast

    # --- a case ---

    def reset(self, delay=DELAY, delay6=None, offload=False):
        """A network in its first state: no servers but the wire, no rules, no memories, the usual resolver."""
        self.stop_all()
        self.capturing = None
        for node in ("client", "router", "server", "dns"):
            self.inside(node, "nft", "flush", "ruleset")
            self.ip(node, "tcp_metrics flush")
            # connections of the last case; the wire is down: their RSTs go nowhere
            self.inside(node, "ss", "-K", "-a", "-t", "-H")
            for family in ("-4", "-6"):
                self.ip(node, f"{family} neigh flush all")
        for a, a_name, _, _, b, b_name, _, _ in self.LINKS:
            for node, name in ((a, a_name), (b, b_name)):
                if node != "wire":
                    self.offload(node, name, offload)
        self.ip("server", "route replace default via 192.0.2.1")
        self.resolver()
        later6 = (delay6 or delay) - delay
        self.start_wire("wire", "w0", "w1", f"delay={delay * 1000}", f"ip=6 delay={later6 * 1000}")

    def resolver(self, *lines):
        """What /etc/resolv.conf says in the client's namespace."""
        self.resolv_conf("client", *(lines or (f"nameserver {DNS}",)))

    def filter(self, node, hook, rule):
        """One nftables rule: `filter("router", "forward", "udp dport 53 drop")`."""
        self.inside(
            node,
            "nft",
            f"add table inet t; add chain inet t {hook} {{ type filter hook {hook} priority 0; }}; "
            f"add rule inet t {hook} {rule}",
        )

    # --- servers ---

    def dnsmasq(self, *options, names=NAMES, address=DNS):
        """example.test, authoritative; any other name is refused."""
        services.dnsmasq(self, "dns", "example.test", names, *options, addresses=(address,))

    def odd_dns(self, *arguments, address=DNS):
        self.start("dns", sys.executable, os.path.join(HERE, "odd_dns.py"), address, *arguments, ready="listening")

    def odd(self, port, behaviour, *arguments):
        """A server of odd.py on every address of the server."""
        self.start(
            "server",
            sys.executable,
            os.path.join(HERE, "odd.py"),
            str(port),
            behaviour,
            *map(str, arguments),
            listen=(port,),
        )

    def nginx(self, servers, ports=(80,)):
        services.nginx(self, "server", servers, self.path("www"), ports)

    def s_server(self, *options, port=443, cert="www", www=True):
        services.s_server(self, "server", self.path(cert), *options, port=port, www=www)

    # --- the capture and the clients ---

    def capture(self, node="client", interface="eth0"):
        self.capturing = self.tcpdump(node, interface, self.path("input.pcap"))
        self.wait_ready(self.capturing, "listening on")
        time.sleep(0.1)

    def end_capture(self, settle=0.5):
        if self.capturing is None:
            raise Fault("the case captured nothing")
        time.sleep(settle)
        self.drain([self.capturing])
        self.stop(self.capturing, signal.SIGINT)
        self.capturing = None
        return self.path("input.pcap")

    def client(self, *command, **options):
        """Runs a program at the client; its exit status tells whether what the case is about has happened."""
        return self.run("client", command, **options)

    def curl(self, *arguments, status=0, **options):
        return self.client(
            "curl",
            "-sS",
            "-o",
            os.devnull,
            "--cacert",
            self.path("ca.pem"),
            "-m",
            "20",
            *arguments,
            status=status,
            **options,
        )

    def s_client(self, *arguments, status=0, feed="", host="www.example.test", port=443, **options):
        return self.client(
            "openssl",
            "s_client",
            "-connect",
            f"{host}:{port}",
            "-CAfile",
            self.path("ca.pem"),
            *arguments,
            status=status,
            feed=feed,
            **options,
        )

    def python(self, script, *arguments, **options):
        return self.client(sys.executable, os.path.join(HERE, script), *map(str, arguments), **options)

