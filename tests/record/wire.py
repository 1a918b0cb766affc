"""wire.py A B DELAY DELAY6: carries frames between two interfaces, each way after DELAY seconds (IPv6: DELAY6).

Frames keep their order and their offload header (PACKET_VNET_HDR), so segmentation offload may stay on.
"""
import heapq
import select
import socket
import sys
import time

SOL_PACKET, PACKET_VNET_HDR, PACKET_OUTGOING = 263, 15, 4
ETH_P_ALL, ETH_P_IPV6 = 3, b"\x86\xdd"
VNET_HDR = 10
ROOM = 65536 + 64


def opened(name):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sock.bind((name, ETH_P_ALL))
    return sock


def main():
    a, b = opened(sys.argv[1]), opened(sys.argv[2])
    delay, delay6 = float(sys.argv[3]), float(sys.argv[4])
    other = {a: b, b: a}
    queue, number = [], 0
    print("wire is up", file=sys.stderr, flush=True)
    while True:
        wait = max(0, queue[0][0] - time.monotonic()) if queue else 1
        for sock in select.select([a, b], [], [], wait)[0]:
            frame, address = sock.recvfrom(ROOM)
            if address[2] != PACKET_OUTGOING:
                number += 1
                late = delay6 if frame[VNET_HDR + 12 : VNET_HDR + 14] == ETH_P_IPV6 else delay
                heapq.heappush(queue, (time.monotonic() + late, number, other[sock], frame))
        while queue and queue[0][0] <= time.monotonic():
            _, _, sock, frame = heapq.heappop(queue)
            sock.send(frame)


if __name__ == "__main__":
    main()
