"""The recorder's own network: five network namespaces, the servers in them, the capture.

    client eth0 ---- w0 [wire] w1 ---- r0 [router] r1 ---- eth0 server
                                                  r2 ---- eth0 dns

The wire is a program (wire.py) that delays every frame, because not every kernel has netem. Nothing leads out of the
namespaces.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, CLIENT6 = "10.0.0.2", "2001:db8:1::2"
WWW, WWW6, SHOP, SPARE = "192.0.2.80", "2001:db8:80::80", "198.51.100.80", "192.0.2.81"
DNS, DNS2 = "203.0.113.53", "203.0.113.54"
SECONDS = 30  # no client program and no server start may take longer
DELAY = 0.005  # of the wire, each way
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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


class Fault(Exception):
    """Why a case could not be recorded."""


def run(*command, check=True, timeout=SECONDS, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout, text=True, check=False, errors="replace", **options
        )
    except subprocess.TimeoutExpired as error:
        raise Fault(f"{' '.join(command)}: not done after {timeout} s") from error
    if check and done.returncode:
        raise Fault(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()}")
    return done


class Lab:
    """Namespaces from __enter__ to __exit__; between the cases only the processes and the rules change."""

    def __init__(self):
        self.prefix = f"rec{os.getpid()}-"
        self.folder = tempfile.mkdtemp(prefix="record-")
        self.processes = []
        self.tcpdump = None
        self.environment = {"PATH": PATH, "LC_ALL": "C", "HOME": self.folder}

    # --- namespaces ---

    def netns(self, node):
        return self.prefix + node

    def ip(self, node, arguments, check=True):
        return run("ip", "-n", self.netns(node), *arguments.split(), check=check)

    def inside(self, node, *command, **options):
        return run("ip", "netns", "exec", self.netns(node), *command, env=self.environment, **options)

    def sysctl(self, node, **values):
        for name, value in values.items():
            self.inside(node, "sysctl", "-qw", f"net.{name.replace('__', '.')}={value}")

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.tear_down()
            raise
        return self

    def __exit__(self, *_):
        self.tear_down()

    def build(self):
        for node in NODES:
            run("ip", "netns", "add", self.netns(node))
            self.ip(node, "link set lo up")
            self.sysctl(
                node,
                ipv6__conf__default__accept_dad=0,
                ipv6__conf__default__router_solicitations=0,
                ipv6__conf__all__accept_ra=0,
                ipv4__icmp_ratelimit=0,
                ipv6__icmp__ratelimit=0,
            )
        self.sysctl("wire", ipv6__conf__all__disable_ipv6=1, ipv6__conf__default__disable_ipv6=1)
        self.sysctl("router", ipv4__ip_forward=1, ipv6__conf__all__forwarding=1)
        for link in LINKS:
            self.connect(*link)
        for node, route in ROUTES:
            family = "-6 " if route.startswith("-6 ") else ""
            self.ip(node, f"{family}route add {route.removeprefix('-6 ')}")
        time.sleep(4)  # listener reports of IPv6 multicast

    def connect(self, a, a_name, a_mac, a_addresses, b, b_name, b_mac, b_addresses):
        self.ip(
            a,
            f"link add {a_name} address 02:00:00:00:00:{a_mac:02x} type veth peer name {b_name} "
            f"address 02:00:00:00:00:{b_mac:02x} netns {self.netns(b)}",
        )
        for node, name, addresses in ((a, a_name, a_addresses), (b, b_name, b_addresses)):
            self.ip(node, f"link set {name} up")
            for address in addresses:
                self.ip(node, f"addr add {address} dev {name}" + (" nodad" if ":" in address else ""))

    def tear_down(self):
        self.stop_all()
        for node in NODES:
            run("ip", "netns", "del", self.netns(node), check=False)
            shutil.rmtree(f"/etc/netns/{self.netns(node)}", ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir("/etc/netns")
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- a case ---

    def reset(self, delay=DELAY, delay6=None, offload=False):
        """A network in its first state: no servers but the wire, no rules, no memories, the usual resolver."""
        self.stop_all()
        for node in ("client", "router", "server", "dns"):
            self.inside(node, "nft", "flush", "ruleset")
            self.ip(node, "tcp_metrics flush")
            self.inside(
                node, "ss", "-K", "-a", "-t", "-H"
            )  # connections of the last case; the wire is down: their RSTs go nowhere
            for family in ("-4", "-6"):
                self.ip(node, f"{family} neigh flush all")
        for node, name in (
            ("client", "eth0"),
            ("server", "eth0"),
            ("router", "r0"),
            ("router", "r1"),
            ("dns", "eth0"),
            ("router", "r2"),
        ):
            state = "on" if offload else "off"
            self.inside(
                node, "ethtool", "-K", name, *(word for what in ("tso", "gso", "gro", "tx") for word in (what, state))
            )
        self.ip("server", "route replace default via 192.0.2.1")
        self.resolver()
        self.start(
            "wire",
            sys.executable,
            os.path.join(HERE, "wire.py"),
            "w0",
            "w1",
            str(delay),
            str(delay6 or delay),
            ready="wire is up",
        )

    def resolver(self, *lines):
        """What /etc/resolv.conf says in the client's namespace."""
        folder = f"/etc/netns/{self.netns('client')}"
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "resolv.conf"), "w", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in lines or (f"nameserver {DNS}",)))

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def filter(self, node, hook, rule):
        """One nftables rule: `filter("router", "forward", "udp dport 53 drop")`."""
        self.inside(
            node,
            "nft",
            f"add table inet t; add chain inet t {hook} {{ type filter hook {hook} priority 0; }}; "
            f"add rule inet t {hook} {rule}",
        )

    # --- servers ---

    def start(self, node, *command, ready=None, listen=()):
        """Starts a program that stays; waits until it says `ready` on standard error or listens on the ports."""
        log = open(
            self.path(f"log{len(self.processes)}-{os.path.basename(command[0])}"),
            "w+",
            encoding="utf-8",
            errors="replace",
        )
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.netns(node), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=self.environment,
            cwd=self.folder,
        )
        process.log = log
        self.processes.append(process)
        end = time.monotonic() + 10
        while time.monotonic() < end and process.poll() is None:
            if ready is not None:
                log.seek(0)
                if ready in log.read():
                    return process
            elif all(listens(process.pid, port) for port in listen):
                return process
            time.sleep(0.02)
        log.seek(0)
        raise Fault(f"{' '.join(command)}: did not come up: {log.read()[-800:]}")

    def stop(self, process, number=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(3)
        process.stdin.close()
        process.log.close()

    def stop_all(self):
        for process in reversed(self.processes):
            self.stop(process)
        self.processes = []
        self.tcpdump = None

    def dnsmasq(self, *options, names=NAMES, address=DNS):
        """example.test, authoritative; any other name is refused."""
        self.start(
            "dns",
            "dnsmasq",
            "-k",
            "--no-resolv",
            "--no-hosts",
            "--no-daemon",
            "--user=root",
            "--group=",
            "--pid-file=",
            "--conf-file=/dev/null",
            "--local=/example.test/",
            "--bind-interfaces",
            f"--listen-address={address}",
            "--except-interface=lo",
            *(f"--host-record={name}" for name in names),
            *options,
            ready="started, version",
        )

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
        conf = self.file(
            "nginx.conf",
            "daemon off; master_process off; worker_processes 1; error_log stderr warn;\n"
            f"pid {self.path('nginx.pid')};\nevents {{ }}\nhttp {{\n"
            "access_log off; default_type text/html;\n"
            + "".join(
                f"{what}_temp_path {self.path('tmp-' + what)};\n"
                for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + f"root {self.path('www')};\nssl_certificate {self.path('www.pem')};\n"
            f"ssl_certificate_key {self.path('www.key')};\n"
            + servers
            + "\n}\n",
        )
        self.start("server", "nginx", "-p", self.folder, "-c", conf, listen=ports)

    def s_server(self, *options, port=443, cert="www", www=True):
        """openssl s_server; -www answers requests with a page."""
        self.start(
            "server",
            "openssl",
            "s_server",
            "-accept",
            str(port),
            "-cert",
            self.path(f"{cert}.pem"),
            "-key",
            self.path(f"{cert}.key"),
            *(("-www",) if www else ()),
            *options,
            listen=(port,),
        )

    # --- the capture and the clients ---

    def capture(self, node="client", interface="eth0"):
        self.tcpdump = self.start(
            node,
            "tcpdump",
            "-n",
            "-U",
            "--immediate-mode",
            "-s",
            "0",
            "-Z",
            "root",
            "-i",
            interface,
            "-w",
            self.path("input.pcap"),
            ready="listening on",
        )
        time.sleep(0.1)

    def end_capture(self, settle=0.5):
        if self.tcpdump is None:
            raise Fault("the case captured nothing")
        time.sleep(settle)
        self.stop(self.tcpdump, signal.SIGINT)
        self.processes.remove(self.tcpdump)
        self.tcpdump = None
        return self.path("input.pcap")

    def client(self, *command, status=0, feed=None, timeout=SECONDS):
        """Runs a program at the client; its exit status tells whether what the case is about has happened."""
        options = {"input": feed, "stdin": None} if feed is not None else {}
        done = self.inside("client", *command, check=False, timeout=timeout, cwd=self.folder, **options)
        allowed = status if isinstance(status, tuple) else (status,)
        if done.returncode not in allowed:
            raise Fault(
                f"{' '.join(command)}: status {done.returncode}, not {status}: "
                f"{done.stderr[-600:]} {done.stdout[-300:]}"
            )
        return done

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


def listens(pid, port):
    """Whether the namespace of a process has a TCP listener on the port."""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False
