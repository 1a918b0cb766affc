"""Networks of namespaces: nodes, links and routes as tables, the programs that run inside, captures.

The laboratory (lab.py) and the recorder of golden cases (tests/record) are both a Network. Nothing leads out of the
namespaces. A network holds a lock while its owner lives; what is left of a dead one, `sweep_dead` finds and removes.
"""
import contextlib
import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, "build", os.environ.get("VARIANT", "plain"))
SECONDS = 30  # no program that ends by itself may take longer, unless a caller says so
READY_SECONDS = 10  # nor the start of one that stays
STOP_SECONDS = 15  # nor its end: then it is killed
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NETNS, ETC_NETNS, LOCKS = "/run/netns", "/etc/netns", "/run/tcpsleuth-lab"
PREFIX = "sleuth-"
QUIET = {  # of every node: no chatter of IPv6, no limit of ICMP errors, each error from the address it arrived at
    "net.ipv6.conf.default.accept_dad": 0,
    "net.ipv6.conf.default.router_solicitations": 0,
    "net.ipv6.conf.all.accept_ra": 0,
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv6.icmp.ratelimit": 0,
    "net.ipv4.icmp_errors_use_inbound_ifaddr": 1,
}
ROUTER = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}


class Fault(Exception):
    """Why something could not be done, or was not as it has to be."""


def run(*command, check=True, timeout=SECONDS, **options):
    """A program that ends by itself; its output is text."""
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout, text=True, check=False, errors="replace", **options
        )
    except subprocess.TimeoutExpired as error:
        raise Fault(f"{' '.join(command)}: not done after {timeout} s") from error
    except OSError as error:
        raise Fault(f"{command[0]}: {error.strerror}") from error
    if check and done.returncode:
        raise Fault(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip()[-800:]}")
    return done


def need(*programs):
    """All programs are installed, or a Fault that names those which are not."""
    missing = [name for name in programs if not shutil.which(name, path=PATH)]
    if missing:
        raise Fault(f"{', '.join(missing)} not found: `make deps` installs what the tests need")


def program(name):
    """The path of a program of this checkout, as it was built: "tcpsleuth", "tests/lab/wire"."""
    path = os.path.join(BUILD, name)
    if not os.access(path, os.X_OK):
        raise Fault(f"{path} is not built: `make lab` builds it")
    return path


def missing_root():
    """Why namespaces cannot be made by this user, or None."""
    return None if os.geteuid() == 0 else "network namespaces are made by root"


class Network:
    """Nodes from __enter__ to __exit__. A subclass says in its tables what there is:

    NODES   names without '-'; those in ROUTERS forward
    LINKS   (node, interface, MAC's last byte, addresses, node, interface, MAC's last byte, addresses)
    ROUTES  (node, "[-6 ]default via ADDRESS")
    """

    NODES = ROUTERS = LINKS = ROUTES = ()

    def __init__(self, name, folder=None):
        self.name = name
        self.folder = folder or tempfile.mkdtemp(prefix=PREFIX)
        self.own_folder = folder is None
        self.processes, self.started = [], 0
        self.environment = {"PATH": PATH, "LC_ALL": "C", "HOME": self.folder}
        self.lock = None
        self.left_up = False

    def __enter__(self):
        try:
            self.take_lock()
            self.build()
        except BaseException:
            self.tear_down()
            raise
        return self

    def __exit__(self, *_):
        self.tear_down()

    def take_lock(self):
        os.makedirs(LOCKS, exist_ok=True)
        end = time.monotonic() + 1  # somebody who looks for dead networks may hold it for a moment
        while self.lock is None and time.monotonic() < end:
            self.lock = locked(self.name)
        if self.lock is not None and nodes_of(self.name) and not is_left_up(self.lock):
            sweep(self.name)  # left by a run that died and had the same number
            self.lock.close()
            self.lock = locked(self.name)
        if self.lock is None or nodes_of(self.name):
            self.name, name = None, self.name  # it is somebody else's: not ours to take down
            raise Fault(f"the network {name} is up already")

    # --- namespaces ---

    def netns(self, node):
        return f"{PREFIX}{self.name}-{node}"

    def ip(self, node, arguments, check=True):
        return run("ip", "-n", self.netns(node), *arguments.split(), check=check)

    def inside(self, node, *command, **options):
        """Runs a program in the namespace of a node; see run()."""
        options.setdefault("env", self.environment)
        return run("ip", "netns", "exec", self.netns(node), *command, **options)

    def run(self, node, command, status=0, feed=None, **options):
        """Runs a program that ends by itself, in the work folder. An exit status other than `status` (one, or several,
        or None for any) is a Fault; `feed` goes to its standard input."""
        if feed is not None:
            options.update(input=feed, stdin=None)
        done = self.inside(node, *command, check=False, cwd=self.folder, **options)
        if status is not None and done.returncode not in (status if isinstance(status, tuple) else (status,)):
            said = f"{done.stderr[-600:]} {done.stdout[-300:]}"
            raise Fault(f"{' '.join(command)}: status {done.returncode}, not {status}: {said}")
        return done

    def sysctl(self, node, values):
        """Kernel settings, which belong to the namespace alone: {"net.ipv4.tcp_syn_retries": 2}."""
        self.inside(node, "sysctl", "-qw", *(f"{name}={value}" for name, value in values.items()))

    def build(self):
        for node in self.NODES:
            run("ip", "netns", "add", self.netns(node))
            self.ip(node, "link set lo up")
            self.sysctl(node, {**QUIET, **(ROUTER if node in self.ROUTERS else {})})
        for link in self.LINKS:
            self.connect(*link)
        for node, route in self.ROUTES:
            self.route(node, "add", route)

    def connect(self, a, a_name, a_mac, a_addresses, b, b_name, b_mac, b_addresses):
        self.ip(
            a,
            f"link add {a_name} address 02:00:00:00:00:{a_mac:02x} type veth peer name {b_name} "
            f"address 02:00:00:00:00:{b_mac:02x} netns {self.netns(b)}",
        )
        for node, name, addresses in ((a, a_name, a_addresses), (b, b_name, b_addresses)):
            lines = [f"link set dev {name} up"]
            lines += [f"addr add {text} dev {name}" + (" nodad" if ":" in text else "") for text in addresses]
            run("ip", "-n", self.netns(node), "-batch", "-", input="\n".join(lines) + "\n", stdin=None)

    def route(self, node, verb, route):
        family = "-6 " if route.startswith("-6 ") else ""
        self.ip(node, f"{family}route {verb} {route.removeprefix('-6 ')}")

    def offload(self, node, interface, on):
        """Segmentation, receive and checksum offload of an interface."""
        words = [word for what in ("tso", "gso", "gro", "tx") for word in (what, "on" if on else "off")]
        self.inside(node, "ethtool", "-K", interface, *words)

    def resolv_conf(self, node, *lines):
        """What /etc/resolv.conf says to the programs of a node."""
        folder = os.path.join(ETC_NETNS, self.netns(node))
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "resolv.conf"), "w", encoding="ascii") as file:
            file.write("".join(line + "\n" for line in lines))

    def start_wire(self, node, a, b, *rules):
        """The wire (wire.c) between two interfaces of a node; `a` is the client's side."""
        return self.start(node, program("tests/lab/wire"), a, b, *rules, ready="wire is up")

    def leave_up(self):
        """__exit__ shall leave everything as it is: the network gets on without its owner."""
        self.left_up = True
        self.lock.write("left up\n")
        self.lock.flush()

    def tear_down(self):
        if self.left_up:
            return
        self.stop_all()
        if self.name is not None:
            sweep(self.name)
        if self.lock is not None:
            self.lock.close()
            self.lock = None
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- files and programs ---

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def spawn(self, node, *command):
        """Starts a program that stays, in a session of its own; its output goes to a log file."""
        self.started += 1
        path = self.path(f"log{self.started}-{os.path.basename(command[0])}")
        with open(path, "wb") as log:  # read through a handle of its own: this one's place is the program's
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.netns(node), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        process.log = path
        self.processes.append(process)
        return process

    def wait_ready(self, process, ready=None, listen=()):
        """Waits until a program says `ready` or listens on the TCP ports."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and process.poll() is None:
            if ready is not None and ready in self.output(process):
                return process
            if ready is None and all(listens(process.pid, port) for port in listen):
                return process
            time.sleep(0.01)
        raise Fault(f"{' '.join(process.args)}: did not come up: {self.output(process)[-800:]}")

    def start(self, node, *command, ready=None, listen=()):
        """spawn() and wait_ready()."""
        return self.wait_ready(self.spawn(node, *command), ready, listen)

    def output(self, process):
        """What a started program has written so far, to both streams."""
        with open(process.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self, process, number=signal.SIGTERM):
        """Ends a started program; returns all it wrote."""
        return self.stop_together([process], number)[0]

    def stop_together(self, processes, number=signal.SIGTERM):
        """Ends started programs, all told before one is waited for; returns all that each wrote."""
        for process in processes:
            if process.poll() is None:
                process.send_signal(number)
        return [self.stopped(process) for process in processes]

    def stopped(self, process):
        """Waits for a program that was told to end, and makes it end where it does not; returns all it wrote."""
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
        text = self.output(process)
        process.stdin.close()
        self.processes.remove(process)
        return text

    def stop_all(self):
        for process in reversed(list(self.processes)):
            self.stop(process)

    def tcpdump(self, node, interface, path):
        """A capture of all that passes an interface; it runs once wait_ready() has seen "listening on". Not in immediate
        mode: the kernel packs frames into its 64 MiB as they come, a hundred thousand small ones or a thousand of 64 KiB,
        and a machine that is too busy to take them out loses none. It hands them out late: drain() before the end."""
        options = ("-n", "-U", "-B", "65536", "-Z", "root")
        return self.spawn(node, "tcpdump", *options, "-i", interface, "-w", path)

    def drain(self, processes):
        """Waits until tcpdumps have written all that the kernel holds for them, on a busy machine that is long after
        the packets, and none of them saw another packet meanwhile; not longer than for a program to come up."""
        end = time.monotonic() + READY_SECONDS
        before = None
        while time.monotonic() < end:
            counts = [self.captured(process, end) for process in processes]
            if counts == before and all(written >= received for written, received in counts):
                return
            before = counts
            time.sleep(0.02)

    def captured(self, process, end):
        """How many packets a tcpdump says, with SIGUSR1, that it has written and that the kernel has seen for it; until
        `end` it is waited for."""
        known = len(self.output(process))
        if process.poll() is None:
            process.send_signal(signal.SIGUSR1)
        while process.poll() is None and time.monotonic() < end:
            said = self.output(process)[known:]
            if "dropped by kernel" in said:
                count = re.search(r"(\d+) packets? captured, (\d+) packets? received", said)
                return int(count[1]), int(count[2])
            time.sleep(0.005)
        return 0, 0


def captured_all(said):
    """Whether tcpdump, which said this at its end, dropped nothing."""
    return re.search(r"^0 packets dropped by kernel", said, re.MULTILINE) is not None


def listens(pid, port):
    """Whether the namespace of a process has a TCP listener on the port."""
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
            for line in file.readlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


# --- leftovers ---


def lock_path(name):
    return os.path.join(LOCKS, name)


def locked(name):
    """The open lock file of a network, or None while another process holds it."""
    file = open(lock_path(name), "a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    if not os.path.exists(file.name) or os.stat(file.name).st_ino != os.fstat(file.fileno()).st_ino:
        file.close()  # its last holder removed it meanwhile
        return locked(name)
    return file


def is_left_up(lock):
    """Whether the network of a lock was left up by leave_up()."""
    lock.seek(0)
    return lock.read() != ""


def names():
    """The networks that have a namespace, in order."""
    found = set()
    for text in os.listdir(NETNS) if os.path.isdir(NETNS) else []:
        match = re.fullmatch(re.escape(PREFIX) + r"(.+)-[a-z0-9]+", text)
        if match:
            found.add(match[1])
    return sorted(found)


def nodes_of(name):
    start = f"{PREFIX}{name}-"
    found = sorted(os.listdir(NETNS)) if os.path.isdir(NETNS) else []
    return [
        text.removeprefix(start) for text in found if text.startswith(start) and "-" not in text.removeprefix(start)
    ]


def sweep(name):
    """Removes every namespace of a network and ends what runs inside; afterwards the name is free."""
    for node in nodes_of(name):
        netns = f"{PREFIX}{name}-{node}"
        for pid in run("ip", "netns", "pids", netns, check=False).stdout.split():
            with contextlib.suppress(OSError):
                os.kill(int(pid), signal.SIGKILL)
        run("ip", "netns", "del", netns, check=False)
        shutil.rmtree(os.path.join(ETC_NETNS, netns), ignore_errors=True)
    for remove, path in ((os.unlink, lock_path(name)), (os.rmdir, ETC_NETNS)):
        with contextlib.suppress(OSError):
            remove(path)


def sweep_dead(left_up=False):
    """Removes the networks whose owner died, with `left_up` also those that were left up; returns their names."""
    os.makedirs(LOCKS, exist_ok=True)
    swept = []
    for name in sorted(set(names()) | set(os.listdir(LOCKS))):
        lock = locked(name)
        if lock is None:
            continue
        if left_up or not is_left_up(lock):
            sweep(name)
            swept.append(name)
        lock.close()
    return swept
