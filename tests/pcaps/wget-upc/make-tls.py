#!/usr/bin/env python3
"""Makes the TLS 1.2 session of this case, the same bytes on every run and with the standard library alone:

    tls-client.bin  what the client sends on port 443: 517 + 126 + 153 + 300 bytes
    tls-server.bin  what the server sends: 5733 + 51 + 1782 + 119807 bytes
    keylog.txt      the session's secret (SSLKEYLOGFILE format): with it the session decrypts

The session is real: keys, signatures and ciphertext verify. Every "random" number comes from a hash of a fixed text, so nothing
here is secret or to be used anywhere else.
"""
import hashlib
import hmac
import os
import struct

HOST = "www.upc.edu"
FOLDER = os.path.dirname(os.path.abspath(__file__))


def stream(label, n):
    """n bytes that depend on the label alone."""
    return hashlib.shake_256(b"tcpsleuth wget-upc " + label.encode()).digest(n)


# --- RSA (RFC 8017, PKCS #1 v1.5) ---

SMALL_PRIMES = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p ** 0.5) + 1, 2))]


def is_prime(n):
    if any(n % p == 0 for p in SMALL_PRIMES):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(label):
    n = int.from_bytes(stream(label, 128), "big") | 3 << 1022 | 1
    while not is_prime(n) or n % 65537 == 1:
        n += 2
    return n


class RsaKey:
    def __init__(self, label):
        p, q = prime(label + " p"), prime(label + " q")
        self.n, self.e = p * q, 65537
        self.d = pow(self.e, -1, (p - 1) * (q - 1))

    def sign(self, data):
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
        block = b"\0\1" + b"\xff" * (256 - 3 - len(info)) + b"\0" + info
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(256, "big")


# --- X.509 (RFC 5280) in DER ---

def der(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    length = bytes([n]) if n < 128 else bytes([0x81, n]) if n < 256 else b"\x82" + struct.pack(">H", n)
    return bytes([tag]) + length + body


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([first * 40 + second])
    for arc in rest:
        chunk = [arc & 127]
        while arc := arc >> 7:
            chunk.insert(0, arc & 127 | 128)
        out += bytes(chunk)
    return der(6, out)


def name(**attributes):
    oids = {"C": "2.5.4.6", "ST": "2.5.4.8", "O": "2.5.4.10", "CN": "2.5.4.3"}
    return der(0x30, *(der(0x31, der(0x30, oid(oids[key]), der(0x13 if key == "C" else 0x0c, value.encode())))
                       for key, value in attributes.items()))


def extension(number, value, critical=False):
    return der(0x30, oid(number), der(1, b"\xff") if critical else b"", der(4, value))


SHA256_RSA = der(0x30, oid("1.2.840.113549.1.1.11"), der(5))


def certificate(key, signer, subject, issuer, serial, not_before, not_after, extensions):
    public = der(0x30, integer(key.n), integer(key.e))
    info = der(0x30, der(0x30, oid("1.2.840.113549.1.1.1"), der(5)), der(3, b"\0", public))
    to_sign = der(0x30, der(0xa0, integer(2)), integer(serial), SHA256_RSA, issuer,
                  der(0x30, der(0x17, not_before), der(0x17, not_after)), subject, info, der(0xa3, der(0x30, *extensions)))
    return der(0x30, to_sign, SHA256_RSA, der(3, b"\0", signer.sign(to_sign)))


def chain(comment):
    """Leaf and intermediate, and the leaf's key; the comment only takes room."""
    root_key, ca_key, leaf_key = RsaKey("root"), RsaKey("ca"), RsaKey("leaf")
    root = name(C="ES", O="Example Trust", CN="Example Root CA")
    ca = name(C="ES", O="Example Trust", CN="Example TLS CA")
    leaf = name(C="ES", ST="Barcelona", O="Universitat Politècnica de Catalunya", CN=HOST)
    names = der(0x30, *(der(0x82, n.encode()) for n in (HOST, "upc.edu", "upc.cat", "www.upc.cat")))
    ca_marks = [extension("2.5.29.19", der(0x30, der(1, b"\xff")), True), extension("2.5.29.15", der(3, b"\x01\x06"), True)]
    leaf_marks = [
        extension("2.5.29.19", der(0x30), True),
        extension("2.5.29.15", der(3, b"\x05\xa0"), True),
        extension("2.5.29.37", der(0x30, oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
        extension("2.5.29.17", names),
        extension("2.16.840.1.113730.1.13", der(0x16, comment)),
    ]
    return leaf_key, [
        certificate(leaf_key, ca_key, leaf, ca, 0x2023_0215_0001, b"230215000000Z", b"240215235959Z", leaf_marks),
        certificate(ca_key, root_key, ca, root, 0x2020_0218_0002, b"200218000000Z", b"330501235959Z", ca_marks),
        certificate(root_key, root_key, root, root, 0x2018_0101_0003, b"180101000000Z", b"380118235959Z", ca_marks),
    ]


# --- P-256 (SEC 2) ---

P = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def point_add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % P == 0:
        return None
    slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) if a == b else (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def point_times(k, point):
    result = None
    while k:
        if k & 1:
            result = point_add(result, point)
        point, k = point_add(point, point), k >> 1
    return result


def point_bytes(point):
    return b"\4" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


# --- AES-256-GCM (FIPS 197, SP 800-38D) ---

def aes_tables():
    sbox, p, q = [0] * 256, 1, 1
    while True:
        p = p ^ (p << 1) & 255 ^ (0x1b if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 255
        q ^= 0x09 if q & 0x80 else 0
        rot = q
        for i in range(1, 5):
            rot ^= (q << i | q >> 8 - i) & 255
        sbox[p] = rot ^ 0x63
        if p == 1:
            sbox[0] = 0x63
            return sbox


SBOX = aes_tables()
DOUBLE = [x << 1 & 255 ^ (0x1b if x & 0x80 else 0) for x in range(256)]


def aes_round_keys(key):
    words, rcon = [list(key[i:i + 4]) for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = list(words[-1])
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = DOUBLE[rcon]
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(word, words[-8])])
    return [sum(words[i:i + 4], []) for i in range(0, 60, 4)]


def aes_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            mixed = []
            for c in range(0, 16, 4):
                col = state[c:c + 4]
                whole = col[0] ^ col[1] ^ col[2] ^ col[3]
                mixed += [col[i] ^ whole ^ DOUBLE[col[i] ^ col[(i + 1) % 4]] for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


class Gcm:
    def __init__(self, key):
        self.keys = aes_round_keys(key)
        h = int.from_bytes(aes_block(self.keys, bytes(16)), "big")
        self.table = []  # h * x^i
        for _ in range(128):
            self.table.append(h)
            h = h >> 1 ^ (0xe1 << 120 if h & 1 else 0)

    def times_h(self, x):
        z = 0
        for i in range(128):
            if x >> 127 - i & 1:
                z ^= self.table[i]
        return z

    def seal(self, nonce, plain, extra):
        counters = (aes_block(self.keys, nonce + struct.pack(">I", i)) for i in range(1, 2 + (len(plain) + 15) // 16))
        mask = next(counters)
        pad = b"".join(counters)[:len(plain)]
        cipher = (int.from_bytes(plain, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(plain), "big")
        total = 0
        blocks = extra + bytes(-len(extra) % 16) + cipher + bytes(-len(cipher) % 16) + struct.pack(">QQ", 8 * len(extra), 8 * len(cipher))
        for i in range(0, len(blocks), 16):
            total = self.times_h(total ^ int.from_bytes(blocks[i:i + 16], "big"))
        return cipher + (total ^ int.from_bytes(mask, "big")).to_bytes(16, "big")


# --- TLS 1.2 (RFC 5246, 5288, 8422) ---

def vector(size, data):
    return len(data).to_bytes(size, "big") + data


def record(kind, data, version=0x0303):
    return struct.pack(">BHH", kind, version, len(data)) + data


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def prf(secret, label, seed, n):
    seed, out = label + seed, b""
    a = seed
    while len(out) < n:
        a = hmac.digest(secret, a, "sha384")
        out += hmac.digest(secret, a + seed, "sha384")
    return out[:n]


class Writer:
    """One direction after its ChangeCipherSpec."""

    def __init__(self, key, salt):
        self.gcm, self.salt, self.number = Gcm(key), salt, 0

    def record(self, kind, plain):
        sequence = struct.pack(">Q", self.number)
        self.number += 1
        sealed = self.gcm.seal(self.salt + sequence, plain, sequence + struct.pack(">BHH", kind, 0x0303, len(plain)))
        return record(kind, sequence + sealed)


def client_hello():
    def ext(number, body):
        return struct.pack(">H", number) + vector(2, body)

    def list16(*values):
        return vector(2, struct.pack(f">{len(values)}H", *values))

    ciphers = (0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xccaa, 0xc02b, 0xc02f, 0x009e, 0xc024, 0xc028,
               0x006b, 0xc023, 0xc027, 0x0067, 0xc00a, 0xc014, 0x0039, 0xc009, 0xc013, 0x0033, 0x009d, 0x009c, 0x003d, 0x003c,
               0x0035, 0x002f, 0x00ff)
    extensions = (ext(0, vector(2, b"\0" + vector(2, HOST.encode()))) + ext(11, vector(1, b"\0\1\2"))
                  + ext(10, list16(0x001d, 0x0017, 0x001e, 0x0019, 0x0018)) + ext(35, b"") + ext(22, b"")
                  + ext(13, list16(0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0809, 0x080a, 0x080b, 0x0804, 0x0805, 0x0806, 0x0401,
                                   0x0501, 0x0601))
                  + ext(43, vector(1, b"\3\4\3\3")) + ext(45, vector(1, b"\1"))
                  + ext(51, vector(2, b"\0\x1d" + vector(2, stream("x25519 share", 32)))))
    head = b"\3\3" + stream("client random", 32) + vector(1, stream("session id", 32)) + list16(*ciphers) + vector(1, b"\0")
    room = 512 - 4 - len(head) - 2 - len(extensions) - 4
    return message(1, head + vector(2, extensions + ext(21, bytes(room))))


def server_flight(leaf_key, certificates, share):
    """ServerHello, Certificate, ServerKeyExchange, ServerHelloDone."""
    hello = message(2, b"\3\3" + stream("server random", 32) + vector(1, stream("server session id", 32)) + b"\xc0\x30\0"
                    + vector(2, b"\xff\x01\0\1\0" + b"\0\x0b\0\2\1\0"))
    chained = message(11, vector(3, b"".join(vector(3, c) for c in certificates)))
    params = b"\3\0\x17" + vector(1, share)
    signature = leaf_key.sign(stream("client random", 32) + stream("server random", 32) + params)
    exchange = message(12, params + b"\4\1" + vector(2, signature))
    return [hello, chained, exchange, message(14, b"")]


def sized_flight(share, size):
    """The flight, with a certificate comment that makes its records take exactly `size` bytes."""
    text = b"Made for a test of tcpsleuth. Nobody should trust this certificate. "
    room = 1200
    while True:
        key, certificates = chain((text * 100)[:room])
        flight = server_flight(key, certificates, share)
        missing = size - sum(5 + len(m) for m in flight)
        if missing == 0:
            return flight
        room += missing


# --- HTTP inside ---

def padded(head, size, body=b""):
    """Header lines, one of them stretched so that all with the empty line and the body takes `size` bytes."""
    cookie = "Set-Cookie: session=" if head.startswith("HTTP") else "Cookie: session="
    room = size - len(head) - len(cookie) - 4 - len(body)
    text = head + cookie + stream("cookie", 1000).hex()[:room] + "\r\n\r\n"
    assert room > 0 and len(text) + len(body) == size
    return text.encode() + body


GET = ("GET {} HTTP/1.1\r\nUser-Agent: Wget/1.21\r\nAccept: */*\r\nAccept-Encoding: identity\r\nHost: " + HOST
       + "\r\nConnection: Keep-Alive\r\n")


def page(n):
    top = b"<!DOCTYPE html>\n<html lang=\"ca\"><head><title>UPC</title></head><body>\n"
    end = b"</body></html>\n"
    lines = b"".join(b"<p>%05d Universitat Polit\xc3\xa8cnica de Catalunya, BarcelonaTech</p>\n" % i for i in range(3000))
    return top + lines[:n - len(top) - len(end)] + end


def main():
    client_secret, server_secret = (int.from_bytes(stream(side, 31), "big") for side in ("client ecdh", "server ecdh"))
    client_share, server_share = (point_bytes(point_times(k, G)) for k in (client_secret, server_secret))
    premaster = point_times(client_secret * server_secret, G)[0].to_bytes(32, "big")
    hello = client_hello()
    flight = sized_flight(server_share, 5733)
    exchange = message(16, vector(1, client_share))

    randoms = stream("client random", 32), stream("server random", 32)
    master = prf(premaster, b"master secret", randoms[0] + randoms[1], 48)
    keys = prf(master, b"key expansion", randoms[1] + randoms[0], 72)
    client, server = Writer(keys[0:32], keys[64:68]), Writer(keys[32:64], keys[68:72])

    log = hello + b"".join(flight) + exchange
    client_finished = message(20, prf(master, b"client finished", hashlib.sha384(log).digest(), 12))
    server_finished = message(20, prf(master, b"server finished", hashlib.sha384(log + client_finished).digest(), 12))
    change = record(20, b"\1")

    sent = [record(22, hello, 0x0301), record(22, exchange) + change + client.record(22, client_finished),
            client.record(23, (GET.format("/") + "\r\n").encode()), client.record(23, padded(GET.format("/ca"), 271))]
    assert [len(part) for part in sent] == [517, 126, 153, 300]

    moved = b"<html><body><a href=\"https://www.upc.edu/ca\">https://www.upc.edu/ca</a></body></html>\n"
    answer = padded("HTTP/1.1 301 Moved Permanently\r\nDate: Wed, 15 Mar 2023 14:46:57 GMT\r\nLocation: https://www.upc.edu/ca\r\n"
                    f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(moved)}\r\n", 1753, moved)
    sizes = [16369, 3830, 119] + sum(([16384, n] for n in (6578, 9622, 11070, 6364)), [])
    body = page(117942)
    whole = padded("HTTP/1.1 200 OK\r\nDate: Wed, 15 Mar 2023 14:46:57 GMT\r\nContent-Type: text/html; charset=utf-8\r\n"
                   f"Content-Language: ca\r\nContent-Length: {len(body)}\r\n", sum(sizes), body)
    received = [b"".join(record(22, m) for m in flight), change + server.record(22, server_finished), server.record(23, answer)]
    for size in sizes:
        received.append(server.record(23, whole[:size]))
        whole = whole[size:]
    assert [len(part) for part in received[:3]] == [5733, 51, 1782] and sum(map(len, received)) == 127373 and not whole

    for filename, data in (("tls-client.bin", b"".join(sent)), ("tls-server.bin", b"".join(received)),
                           ("keylog.txt", f"CLIENT_RANDOM {randoms[0].hex()} {master.hex()}\n".encode())):
        with open(os.path.join(FOLDER, filename), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    main()
