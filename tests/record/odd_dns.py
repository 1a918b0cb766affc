"""odd_dns.py ADDRESS BEHAVIOUR [ARGUMENT...]: a name server that misbehaves, over UDP port 53.

    rcode N [TYPE]        answers with this code (queries of this type alone; others get the usual answer)
    silent TYPE           never answers queries of this type
    late SECONDS          answers, but so late
    dangling              answers with an alias of a name that does not exist: CNAME and NXDOMAIN
    addresses A B ...     answers A queries with these addresses, in this order
The usual answer to A is 192.0.2.80, to anything else no data.
"""
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "AAAA": 28}


def answer(query, rcode=0, addresses=("192.0.2.80",)):
    """(the answer to one query: header, the question as it came, addresses; the query's type)"""
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    kind = struct.unpack("!H", question[-4:-2])[0]
    records = []
    if rcode == 0 and kind == TYPES["A"]:
        records = [b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address) for address in addresses]
    header = query[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(records), 0, 0)
    return header + question + b"".join(records), kind


def dangling(query):
    nowhere = answer(query, 3)[0]
    alias = b"\x04gone\xc0\x10"  # gone, and the question's name behind its first label of three letters
    return (
        nowhere[:6]
        + struct.pack("!HHH", 1, 0, 0)
        + nowhere[12:]
        + b"\xc0\x0c"
        + struct.pack("!HHIH", 5, 1, 60, len(alias))
        + alias
    )


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((sys.argv[1], 53))
    behaviour, arguments = sys.argv[2], sys.argv[3:]
    print("listening", file=sys.stderr, flush=True)
    while True:
        query, client = sock.recvfrom(2048)
        usual, kind = answer(query)
        if behaviour == "rcode" and (len(arguments) < 2 or TYPES[arguments[1]] == kind):
            sock.sendto(answer(query, int(arguments[0]))[0], client)
        elif behaviour == "dangling":
            sock.sendto(dangling(query), client)
        elif behaviour == "addresses":
            sock.sendto(answer(query, 0, arguments)[0], client)
        elif behaviour == "late":
            threading.Timer(float(arguments[0]), sock.sendto, (usual, client)).start()
        elif behaviour != "silent" or TYPES[arguments[0]] != kind:
            sock.sendto(usual, client)


if __name__ == "__main__":
    main()
