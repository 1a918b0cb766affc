"""The part of the exam that needs no network: packet scripts of golden cases (tests/pcaps), each in the middle of hundreds of healthy
connections of other hosts. The label of each was written down here from what its packets are, not from what the program says."""
import os
import subprocess

from net import BUILD, ROOT, Fault

FLOWS = 300
FIRST_NS, STEP_US = 1_000, 137  # when the first connection begins, and how much later each next one does

FAULTS = {
    "accept-queue-full": "broken accept_queue_full",
    "accept-queue-full-at-server-v6": "broken accept_queue_full",
    "answer-left": "broken response_truncated at client",
    "answer-stops": "broken response_truncated",
    "arp-unanswered": "broken neighbor_unanswered",
    "dead-one-way-at-sender": "broken path_went_dead",
    "dns-no-answer-other-ids": "broken dns_no_answer",
    "fragments-v4": "degraded ip_fragmented",
    "fragments-v6": "degraded ip_fragmented",
    "half-close-leak": "degraded half_close_leak",
    "hole-counted-at-receiver": "broken pmtu_blackhole",
    "idle-expired-reset": "broken idle_expired",
    "idle-expired-silence": "broken idle_expired",
    "keep-alive-unanswered": "broken path_went_dead",
    "loss-heavy": "degraded packet_loss",
    "loss-then-path-dead": "broken path_went_dead",
    "nd-unanswered": "broken neighbor_unanswered",
    "option-sack-rewritten": "degraded option_stripped",
    "option-timestamps-stripped": "degraded option_stripped",
    "option-wscale-stripped": "degraded option_stripped",
    "out-of-order": "degraded reordering",
    "path-went-dead": "broken path_went_dead",
    "pmtu-blackhole-at-receiver": "broken pmtu_blackhole",
    "pmtu-blackhole-at-sender": "broken pmtu_blackhole",
    "pmtu-blackhole-healed": "degraded pmtu_blackhole",
    "pmtu-blackhole-tls-v6": "broken pmtu_blackhole",
    "pmtu-ignored": "broken pmtu_ignored",
    "port-reuse-refused": "broken port_reuse_refused",
    "port-reuse-refused-reset": "broken port_reuse_refused",
    "reset-by-client": "broken reset_by_client",
    "reset-by-server": "broken reset_by_server",
    "reset-after-route-change": "broken reset_by_server at server",
    "reset-injected": "broken reset_injected",
    "reset-injected-after-hello": "broken reset_injected",
    "reset-one-hop-off": "broken reset_injected at path",
    "server-silent-reset": "broken server_silent",
    "syn-addr-unreachable-v6": "broken host_unreachable",
    "syn-admin-prohibited": "broken admin_prohibited",
    "syn-hop-limit-v6": "broken ttl_exceeded",
    "syn-net-unreachable": "broken network_unreachable",
    "syn-port-unreachable": "broken port_unreachable",
    "syn-refused": "broken syn_refused",
    "syn-refused-by-middlebox": "broken syn_refused_by_middlebox",
    "syn-refused-by-middlebox-v6": "broken syn_refused_by_middlebox",
    "syn-unanswered": "broken syn_unanswered",
    "syn-unanswered-v6": "broken syn_unanswered",
    "synack-repeated": "broken handshake_unfinished",
    "whole-gateway-silent": "broken neighbor_unanswered",
    "whole-one-client": "broken syn_unanswered",
    "whole-resolver-silent": "broken dns_no_answer",
    "whole-server-refuses": "broken syn_refused",
    "zero-window-forever": "broken zero_window_stall",
    "zero-window-reopened": "degraded zero_window_stall",
}
# Written, like tests/lab/cases_unseen.py, by somebody who had not read the rules.
UNSEEN = {
    "syn-dropped-older-timestamp": "broken syn_unanswered",
    "half-open-client-rebooted": "broken reset_by_client",
    "event-stream-idle": "ok",
    "nagle-delayed-ack": "ok",
    "balancer-one-backend-refuses": "broken syn_refused",
    "tarpit": "broken zero_window_stall",
    "http-408-half-request": "degraded http_client_error",
    "icmp-redirect": "ok",
    "icmp-blind-port-unreachable": "ok",
    "reset-blind-ignored": "ok",
    "address-twice": "broken reset_injected | broken address_conflict",
    "portal-511": "broken http_server_error | broken captive_portal",
    "idle-then-loss": "ok",
    "midstream-path-dead": "broken path_went_dead",
    "one-way-with-retransmissions": "ok",  # alone: unknown
    "syn-flood": "broken handshake_unfinished",
    "smtp-554": "ok",
    "ftp-active-blocked": "broken syn_unanswered",
    "synack-from-other-address": "broken syn_unanswered",
    "http-too-many-bytes": "ok",
    "keep-alive-reset": "broken idle_expired | broken reset_by_server",
    "zero-window-nothing-waits": "ok",
    # a second batch, by the same hand, over rules that it had still not read: names, neighbours, HTTP
    "dns-answer-from-elsewhere": "broken dns_no_answer",
    "dns-ptr-nxdomain": "ok",
    "dns-https-record-none": "ok",
    "mdns-unanswered": "ok",
    "arp-scan": "ok",
    "arp-answered-late": "ok",
    "http-304-with-length": "ok",
    "http-chunked-and-length": "ok",
    "http-bare-lf": "ok",
    "http-expect-unanswered": "ok",
    "dns-forwarder": "ok",
    "dns-forwarder-upstream-silent": "broken dns_servfail | broken dns_no_answer",
}
HEALTHY = """arp-answered capture-duplicates-router capture-loss capture-loss-answer capture-loss-before-reset capture-without-pure-acks
    close-client-first close-last-ack-missing close-server-first close-simultaneous fragment-missing hole-not-counted http-408-to-nobody
    http-idle-close-in-order http-pipelined-close keep-alive loss-fast-retransmit loss-filled-late loss-rto loss-tail offload only-client-side
    only-server-side open-simultaneous option-old-stack pmtu-discovery pmtu-discovery-late port-reuse port-reuse-accepted-late reset-after-answer
    reset-after-fin reset-after-one-way-log retransmission-spurious seq-wrap syn-answered-late syn-at-the-end syn-repeated-far synack-repeated-deferred
    tls-client-leaves-early window-full zero-window-short""".split()


def healthy_flow(number):
    """A connection that is well: its lines. Round trips of 2 to 80 ms, answers of 200 bytes to 40 KB, either end closes first."""
    name, rtt_ms, size = f"crowd{number}", 2 + number * 7 % 79, 200 + number * 997 % 40000
    client = f"10.77.{number // 200}.{1 + number % 200}:{20000 + number}"
    at = FIRST_NS / 1e9 + number * STEP_US / 1e6
    lines = [
        f"flow {name} {client} > 198.51.100.{1 + number % 40}:80 ttl 64/{50 + number % 9} isn {7000 + number}/{9000 + number} rtt {rtt_ms}ms ts",
        f"{at:.6f} handshake {name}",
        f'+300us {name} > P. "GET /{number} HTTP/1.1\\r\\nHost: crowd.example\\r\\n\\r\\n"',
        f'+{rtt_ms + number % 40}ms {name} < P. "HTTP/1.1 200 OK\\r\\nContent-Length: {size}\\r\\n\\r\\n"',
    ]
    for left in range(size, 0, -1448):
        lines += [f"+40us {name} < . fill {min(left, 1448)}", f"+20us {name} > ."]
    return lines + [f"+2ms close {name} {'><'[number % 2]}"]


def script(name):
    """The golden case's script with the crowd behind it: lines with absolute times are put in order by the compiler."""
    with open(os.path.join(ROOT, "tests", "pcaps", name, "packets.script"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    return "\n".join(lines + [line for number in range(FLOWS) for line in healthy_flow(number)]) + "\n"


def make(name, folder):
    """Compiles it; returns the capture's path."""
    os.makedirs(folder, exist_ok=True)
    source, capture = os.path.join(folder, f"{name}.script"), os.path.join(folder, f"{name}.pcap")
    with open(source, "w", encoding="utf-8") as file:
        file.write(script(name))
    done = subprocess.run(
        [os.path.join(BUILD, "tests", "tools", "mkpcap"), source, capture], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode:
        raise Fault(f"{name}: {done.stderr.strip()}")
    return capture
