"""Both ends of real connections: `tcpsleuth compare client.pcap server.pcap`. What the wire does to which packet is known, so the program
has to find exactly that: which packets are counted here from the captures themselves, without its help."""
import json
import struct
import subprocess

from case import check, script
from lab import Lab
from net import Fault, program
from plan import CLIENT, SERVER

CURL = ["curl", "-sS", "-o", "/dev/null", "-m", "8"]
MIDDLE = "router1-router2"
DATA, SYN, RST, ACK = "data", 2, 4, 0x10
EXIT = {"broken": 1, "degraded": 0, "ok": 0, "unknown": 0}


# --- what the captures hold ---


def frames(path):
    """(number, bytes) of every frame of a pcap file as tcpdump writes it."""
    with open(path, "rb") as file:
        head = file.read(24)
        order = "<" if head[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        number = 0
        while len(record := file.read(16)) == 16:
            number += 1
            yield number, file.read(struct.unpack(order + "IIII", record)[2])


def segments(path, port):
    """(number, goes up, flags, payload bytes) of every TCP packet to or from that port of the server."""
    for number, frame in frames(path):
        kind = frame[12:14]
        if kind == b"\x08\x00" and frame[23] == 6:
            start = 14 + (frame[14] & 15) * 4
            end = 14 + struct.unpack(">H", frame[16:18])[0]
        elif kind == b"\x86\xdd" and frame[20] == 6:
            start, end = 54, 54 + struct.unpack(">H", frame[18:20])[0]
        else:
            continue
        source, target = struct.unpack(">HH", frame[start : start + 4])
        payload = end - start - (frame[start + 12] >> 4) * 4
        if port in (source, target):
            yield number, target == port, frame[start + 13], payload


def numbered(path, port, up, what):
    """The numbers of a capture's packets that go that way and are what the wire counts: data, or a set of flags."""
    found = []
    for number, goes_up, flags, payload in segments(path, port):
        wanted = payload > 0 if what == DATA else flags & (SYN | ACK | RST) == what
        if goes_up == up and wanted:
            found.append(number)
    return found


def dropped(numbers, places):
    """Those that rules `n=PLACE drop` take, one rule after the other: what one drops, the later ones do not count."""
    seen, lost = [0] * len(places), []
    for number in numbers:
        for rule, place in enumerate(places):
            seen[rule] += 1
            if seen[rule] == place:
                lost.append(number)
                break
    return lost


# --- what the program says ---


def compared(first, second, *options):
    command = [program("tcpsleuth"), "compare", "--json", *options, first, second]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 1):
        raise Fault(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}")
    found = json.loads(done.stdout)
    check(done.returncode == EXIT[found["verdict"]["status"]], f"status {done.returncode} with {found['verdict']['status']}")
    return found


def both_ends(lab, settle=0.3):
    """The document, and the captures of both ends; the clock of a laboratory is one, and no TTL but by two routers changes."""
    paths = lab.end_capture(settle)
    found = compared(paths["client"], paths["server"])
    clock = found["clock"]
    if clock["offset"] is not None:
        check(abs(clock["offset"]) <= clock["uncertainty"] + 1e-5, f"the clocks are one, and it says {clock}")
    for pair in found["pairs"]:
        for way in ("to_server", "to_client"):
            hops = pair[way]["hops"]
            check(hops in (None, {"min": 2, "max": 2}), f"two routers, and it says {hops}")
    return found, paths


def only_pair(found, port=80):
    pairs = [pair for pair in found["pairs"] if pair["at_client"]["server"]["port"] == port]
    check(len(pairs) == 1, f"{len(pairs)} pairs at port {port}")
    return pairs[0]


def say(finding):
    return f"{finding['status']} {finding['code']}"


def expect_verdict(found, right):
    check(say(found["verdict"]) == right, f"{say(found['verdict'])} is not {right}: {found['verdict']['summary']}")


def expect_lost(pair, to_server=(), to_client=(), acks=False):
    """Exactly these packets, by the numbers of their senders' captures; bare ACKs may be left out."""
    for way, right in (("to_server", to_server), ("to_client", to_client)):
        lost = [packet["packet"] for packet in pair[way]["lost_packets"]]
        check(lost == list(right), f"{way}: {lost} lost, and it was {list(right)}")
        for none in ("forged", "unknown", "not_captured_by_sender", "not_captured_by_receiver"):
            check(pair[way][none] == 0, f"{way}: {pair[way][none]} {none}")
        check(acks or pair[way]["lost"]["acks"] == 0, f"{way}: ACKs lost")


def changes(pair, way):
    return {change["what"]: (change["sent"], change["received"]) for change in pair[way]["changes"]}


# --- the cases ---


def listens(*steps):
    def start(lab):
        lab.talker(80, *steps)

    return start


def get(lab, this, path="big", status=0):
    lab.run("client", [*CURL, f"-{this.family}", f"http://www.upc.edu/{path}"], status=status)


def send(lab, this, count, status=0):
    words = this.words()
    lab.run("client", [words["talker"], "connect", words["server"], "80", f"send={count}", "drain"], status=status)


@script("compare-healthy", server=Lab.serve)
def _(lab, this):
    """Redirects over HTTP and TLS: nothing is lost, forged or rewritten, on any connection."""
    lab.capture()
    words = this.words()
    lab.run("client", [*CURL, f"-{this.family}", "-L", "--cacert", words["ca"], words["url"]])
    found, _ = both_ends(lab)
    expect_verdict(found, "ok ok")
    check(len(found["pairs"]) >= 2 and not found["unpaired"], "connections of one end only")
    for pair in found["pairs"]:
        expect_lost(pair)
        check(pair["nat"] == {"client": False, "server": False}, "no NAT was there")
        check(not changes(pair, "to_server") and not changes(pair, "to_client"), f"changes: {pair}")


DOWN = (5, 40, 40, 40, 90, 300)


@script("compare-loss-down", server=Lab.serve, wire={MIDDLE: [f"down port=80 data n={n} drop" for n in DOWN]})
def _(lab, this):
    """Six data segments of the server are lost at known places."""
    lab.capture()
    get(lab, this)
    found, paths = both_ends(lab)
    sent = numbered(paths["server"], 80, False, DATA)
    expect_lost(only_pair(found), to_client=dropped(sent, DOWN))


UP = (2, 2, 77, 150, 150)


# The delay is longer than a tick of the time stamps' clock: over IPv6, what is sent again within one tick is a copy to the byte.
@script("compare-loss-up", server=listens("read=400000", "answer=10", "fin", "drain"), wire={MIDDLE: ["delay=3", *(f"up port=80 data n={n} drop" for n in UP)]})
def _(lab, this):
    """Five data segments of the client are lost at known places, one of them sent again at once."""
    lab.capture()
    send(lab, this, 400000)
    found, paths = both_ends(lab)
    sent = numbered(paths["client"], 80, True, DATA)
    expect_lost(only_pair(found), to_server=dropped(sent, UP))


@script("compare-loss-many", server=Lab.serve, wire={MIDDLE: ["delay=5", "down port=80 data every=25 drop"]})
def _(lab, this):
    """Each 25th data segment is lost, retransmissions too: loss that is worth a verdict, and each of them is found."""
    lab.capture()
    get(lab, this, "medium")
    found, paths = both_ends(lab)
    sent = numbered(paths["server"], 80, False, DATA)
    expect_verdict(found, "degraded packet_loss")
    check(found["verdict"]["detail"]["direction"] == "to_client", "it is the way to the client")
    expect_lost(only_pair(found), to_client=sent[24::25])


@script("compare-loss-handshake", server=Lab.serve, wire={MIDDLE: ["up port=80 syn n=1 drop", "down port=80 synack n=1 drop", "up port=80 data n=1 drop"]})
def _(lab, this):
    """The first SYN, the first SYN-ACK, and the request are lost, each once; what the captures cover before tells that they ran."""
    lab.capture()
    words = this.words()
    lab.run("client", [*CURL, f"-{this.family}", "--cacert", words["ca"], f"https://{words['name']}/ca"])
    get(lab, this, "medium")
    found, paths = both_ends(lab)
    pair = only_pair(found)
    up = [numbered(paths["client"], 80, True, SYN)[0], numbered(paths["client"], 80, True, DATA)[0]]
    expect_lost(pair, to_server=up, to_client=numbered(paths["server"], 80, False, SYN | ACK)[:1])


@script("compare-nat", server=Lab.serve)
def _(lab, this):
    """Router 1 hides the client behind its own address, and maps the port where two are the same."""
    lab.fault("nat")
    lab.capture()
    get(lab, this, "medium")
    found, _ = both_ends(lab)
    pair = only_pair(found)
    expect_verdict(found, "ok ok")
    expect_lost(pair)
    check(pair["nat"] == {"client": True, "server": False}, f"NAT of the client, and it says {pair['nat']}")


@script("compare-options-stripped", server=Lab.serve, wire={MIDDLE: ["up syn strip=sack", "up syn mss=536", "down synack strip=wscale"]})
def _(lab, this):
    """SACK-permitted of the SYN and window scale of the SYN-ACK are rewritten to NOPs, and the MSS is lowered."""
    lab.capture()
    get(lab, this, "medium")
    found, _ = both_ends(lab)
    pair = only_pair(found)
    expect_verdict(found, "degraded option_stripped")
    expect_lost(pair)
    up, down = changes(pair, "to_server"), changes(pair, "to_client")
    check(set(up) == {"mss", "sack_permitted"} and up["mss"][1] == 536 and up["sack_permitted"] == (1, None), f"up: {up}")
    check(set(down) == {"window_scale"} and down["window_scale"][1] is None, f"down: {down}")


@script("compare-forged-rst", server=Lab.serve, wire={MIDDLE: ["down port=80 data n=40 rst=on rst-ttl=40", "down port=80 data n=40 rst=back rst-ttl=40"]})
def _(lab, this):
    """Somebody on the way resets both sides: neither of these RSTs was sent by the other one."""
    lab.capture()
    get(lab, this, status=56)
    paths = lab.end_capture()
    found = compared(paths["client"], paths["server"])
    expect_verdict(found, "broken reset_injected")
    pair = only_pair(found)
    for way, place, up in (("to_server", "server", True), ("to_client", "client", False)):
        forged = [packet["packet"] for packet in pair[way]["unsent_packets"] if packet["fate"] == "forged"]
        first = [number for number, goes_up, flags, _ in segments(paths[place], 80) if goes_up == up and flags & RST][0]
        check(forged == [first], f"{way}: forged {forged}, and it was {first}")


@script("compare-offload", server=Lab.serve, offload=True, wire={"client-router1": ["down port=80 data n=60 drop", "down port=80 data n=200 drop"]})
def _(lab, this):
    """The server's capture has packets of up to 64 KB, a router cuts them, and two of the segments are lost behind it."""
    for node, name in (("router2", "router1"), ("router1", "router2"), ("router1", "client"), ("client", "enp0s8")):
        lab.offload(node, name, False)
    lab.capture()
    get(lab, this)
    found, paths = both_ends(lab)
    largest = max(payload for _, up, _, payload in segments(paths["server"], 80) if not up)
    check(largest > 2000, "nothing was offloaded")
    pair = only_pair(found)
    way = pair["to_client"]
    check(way["offloaded"] > 0, "offload was not seen")
    check(way["lost"]["data"] == 2 and way["unknown"] == 0, f"2 segments lost, and it says {way['lost']}")
    missing = [packet["missing"] for packet in way["lost_packets"]]
    check(len(missing) in (1, 2) and sum(missing) == way["lost"]["bytes"] <= 2 * 1460, f"missing: {missing}")


@script("compare-syn-dropped", server=Lab.serve)
def _(lab, this):
    """Router 2 drops SYNs to port 80 while port 443 works: they left the client and did not reach the server."""
    lab.fault("drop", node="router2", port=80)
    lab.sysctl("client", {"net.ipv4.tcp_syn_retries": 2})
    lab.capture()
    words = this.words()
    fetch = [*CURL, f"-{this.family}", "--cacert", words["ca"], f"https://{words['name']}/ca"]
    lab.run("client", fetch)
    lab.run("client", [*CURL, "-m", "4", f"-{this.family}", words["url"]], status=28)
    lab.run("client", fetch)
    found, paths = both_ends(lab)
    expect_verdict(found, "broken syn_unanswered")
    detail = found["verdict"]["detail"]
    check(found["verdict"]["where"] == "path" and detail["direction"] == "to_server", f"{found['verdict']}")
    check(detail["syn"] == len(numbered(paths["client"], 80, True, SYN)), "number of SYNs")


@script("compare-synack-dropped", server=Lab.serve, wire={MIDDLE: ["down port=80 synack drop"]})
def _(lab, this):
    """SYNs arrive, SYN-ACKs do not: seen from both ends it is the way back."""
    lab.capture()
    words = this.words()
    lab.run("client", [*CURL, "-m", "4", f"-{this.family}", words["url"]], status=28)
    lab.run("client", [*CURL, f"-{this.family}", "--cacert", words["ca"], f"https://{words['name']}/ca"])
    found, _ = both_ends(lab)
    expect_verdict(found, "broken syn_unanswered")
    check(found["verdict"]["detail"]["direction"] == "to_client", f"{found['verdict']}")


@script("compare-path-cut", server=Lab.serve)
def _(lab, this):
    """In the middle of a transfer nothing passes any more: what the server sends leaves it and does not arrive."""
    lab.fault("path_cut", after=400000)
    lab.capture()
    get(lab, this, status=28)
    found, _ = both_ends(lab, settle=1)
    pair = only_pair(found)
    check(pair["to_client"]["forged"] == 0 and pair["to_server"]["forged"] == 0, "forged packets")
    check(found["verdict"]["code"] in ("path_went_dead", "incomplete_capture", "packet_loss"), f"{found['verdict']}")


# --- the ladders of both ends ---


def two_ladders(lab, before):
    """The verdict of `compare` on what `check --json` says at the client and at the server."""
    before()
    paths = [lab.path("client.json"), lab.path("server.json")]
    for node, words, path in (("client", [f"http://{SERVER[4]}/"], paths[0]), ("server", ["--server", "--client", CLIENT[4], "80"], paths[1])):
        lab.run(node, [program("tcpsleuth"), "check", "--json", "-o", path, *words], status=(0, 1), timeout=60)
    done = lab.run("client", [program("tcpsleuth"), "compare", "--json", *paths], status=(0, 1))
    return json.loads(done.stdout)["verdict"]


@script("compare-ladders", server=lambda lab: lab.web("server { listen 80; return 200; }", (80,)), family=4, seconds=120)
def _(lab, case):
    """`check --json` at both ends: a filter between them, one at the server, none."""
    drop = "add table inet own; add chain inet own in { type filter hook input priority 0; }; add rule inet own in iifname eth0 tcp dport 80 drop"
    verdict = two_ladders(lab, lambda: lab.inside("router2", "nft", drop.replace("hook input", "hook forward").replace("iifname eth0 ", "")))
    check((verdict["code"], verdict["where"]) == ("syn_unanswered", "path"), f"between: {verdict}")
    check("look between them" in verdict["summary"], f"between: {verdict['summary']}")
    verdict = two_ladders(lab, lambda: (lab.inside("router2", "nft", "delete table inet own"), lab.inside("server", "nft", drop)))
    check((verdict["code"], verdict["where"]) == ("firewall_drops", "server"), f"at the server: {verdict}")
    verdict = two_ladders(lab, lambda: lab.inside("server", "nft", "delete table inet own"))
    check(verdict["code"] == "ok", f"nothing: {verdict}")
