"""clients.py BEHAVIOUR HOST PORT [ARGUMENT...]: clients that do what curl and wget do not.

Exit status 0: it went as it should.
"""
import contextlib
import http.client
import os
import socket
import ssl
import struct
import sys
import time

SECONDS = 15


def connected(host, port):
    return socket.create_connection((host, int(port)), SECONDS)


def read_until(sock, ends, times=1):
    got = b""
    while got.count(ends) < times:
        data = sock.recv(65536)
        if not data:
            break
        got += data
    return got


def run_pipeline(host, port, *paths):
    """All requests at once, then the answers in order."""
    with connected(host, port) as sock:
        text = "".join(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n" for path in paths[:-1])
        text += f"GET {paths[-1]} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        sock.sendall(text.encode())
        return read_until(sock, b"\0").count(b"HTTP/1.1 ") == len(paths)


def run_keep(host, port, pause, *paths):
    """One http.client connection with a pause before each further request; connects again where the old one is gone."""
    connection = http.client.HTTPConnection(host, int(port), timeout=SECONDS)
    for number, path in enumerate(paths):
        if number:
            time.sleep(float(pause))
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except (http.client.HTTPException, OSError):
            connection.close()
            connection.request("GET", path)
            connection.getresponse().read()
    connection.close()
    return True


def run_log(host, port, ca=None):
    """Sends a line every two seconds, expects no answer, and closes."""
    with connected(host, port) as plain:
        context = ssl.create_default_context(cafile=ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        sock = context.wrap_socket(plain, server_hostname=host) if ca else plain
        for number in range(8):
            sock.sendall(f"<13>1 - client app - {number} - all is well\n".encode())
            time.sleep(2)
        with contextlib.suppress(ssl.SSLEOFError):  # the other side need not say close_notify
            if ca:
                sock.unwrap()
    return True


def run_hold(host, port, ca, seconds):
    """https: asks once, reads the whole answer and keeps the connection so long."""
    context = ssl.create_default_context(cafile=ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    connection = http.client.HTTPSConnection(host, int(port), timeout=SECONDS, context=context)
    connection.request("GET", "/")
    size = len(connection.getresponse().read())
    time.sleep(float(seconds))
    connection.close()
    return size == 12000


def run_websocket(host, port):
    """The upgrade, three messages and their echoes, close."""
    with connected(host, port) as sock:
        sock.sendall(
            f"GET /chat HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        if b" 101 " not in read_until(sock, b"\r\n\r\n"):
            return False
        for text in (b"one", b"two", b"three"):
            mask = os.urandom(4)
            sock.sendall(
                bytes([0x81, 0x80 | len(text)]) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(text))
            )
            if not sock.recv(100).endswith(text):
                return False
            time.sleep(0.3)
        sock.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
        return sock.recv(100)[:1] == b"\x88"


def run_unexpected(host, port):
    """A ClientHello, and then application data where the key exchange should be."""
    context = ssl.create_default_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    hello = context.wrap_bio(incoming, outgoing, server_hostname=host)
    try:
        hello.do_handshake()
    except ssl.SSLWantReadError:
        pass
    with connected(host, port) as sock:
        sock.sendall(outgoing.read())
        sock.recv(65536)
        sock.sendall(b"\x17\x03\x03" + struct.pack("!H", 32) + bytes(32))
        answer = sock.recv(100)
        return answer[:1] == b"\x15"


def run_leave(host, port, size):
    """Stops reading an answer in the middle and leaves without reading the rest."""
    with connected(host, port) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(f"GET /big HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        sock.recv(int(size))
        time.sleep(0.1)
    return True


if __name__ == "__main__":
    sys.exit(0 if globals()["run_" + sys.argv[1]](*sys.argv[2:]) else 1)
