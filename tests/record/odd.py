"""odd.py PORT BEHAVIOUR [ARGUMENT...]: TCP servers that misbehave, or do what nginx does not.

One thread a connection.
"""
import base64
import hashlib
import select
import socket
import ssl
import struct
import sys
import threading
import time

LIMIT = 60  # seconds that a connection may last


def request(conn):
    """The head of one request, or b'' at the end."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = conn.recv(65536)
        if not data:
            return b""
        head += data
    return head


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def finish(conn):
    """An orderly close: FIN, then wait for the peer's."""
    conn.shutdown(socket.SHUT_WR)
    while conn.recv(65536):
        pass


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", "Server: odd", "Content-Type: text/plain", *lines, "", ""]).encode()


# --- HTTP ---


def serve_cut(conn, how, sent, announced):
    """A body that ends too early, by FIN or by RST."""
    request(conn)
    conn.sendall(head("200 OK", f"Content-Length: {announced}") + b"x" * int(sent))
    time.sleep(0.2)
    reset(conn) if how == "rst" else finish(conn)


def serve_chunked(conn, *words):
    """Chunks; `cut` leaves out the last one, `trailer` ends with a trailer."""
    request(conn)
    conn.sendall(head("200 OK", "Transfer-Encoding: chunked", *(("Trailer: X-Sum",) if "trailer" in words else ())))
    for _ in range(3):
        conn.sendall(b"400\r\n" + b"c" * 1024 + b"\r\n")
        time.sleep(0.05)
    if "cut" not in words:
        conn.sendall(b"0\r\n" + (b"X-Sum: 3072\r\n" if "trailer" in words else b"") + b"\r\n")
    else:
        finish(conn)
    conn.recv(1)


def serve_slow(conn, seconds, status="200 OK"):
    """Answers each request, but so late."""
    while request(conn):
        time.sleep(float(seconds))
        conn.sendall(head(status, "Content-Length: 5") + b"late\n")


def serve_silent(conn, *_):
    """Reads and never answers."""
    while conn.recv(65536):
        pass


def serve_empty(conn, how):
    """Closes or resets instead of an answer."""
    conn.recv(65536)
    reset(conn) if how == "rst" else finish(conn)


def serve_until_close(conn):
    """HTTP/1.0: the end of the body is the end of the connection."""
    request(conn)
    conn.sendall(b"HTTP/1.0 200 OK\r\nServer: odd\r\nContent-Type: text/plain\r\n\r\n" + b"old\n" * 1500)
    finish(conn)


def serve_continue(conn, final="201 Created"):
    """100-continue, then the body, then the answer; a final 417 is said at once."""
    first = request(conn)
    if final.startswith("4"):
        conn.sendall(head(final, "Content-Length: 0", "Connection: close"))
        return finish(conn)
    length = int(first.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    conn.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = first.split(b"\r\n\r\n", 1)[1]
    while len(body) < length:
        body += conn.recv(65536)
    conn.sendall(head(final, "Content-Length: 0"))
    return conn.recv(1)


def serve_too_large(conn):
    """413 while the body is still coming, then close with unread data: the kernel sends RST."""
    conn.recv(2048)
    conn.sendall(head("413 Payload Too Large", "Content-Length: 0", "Connection: close"))
    time.sleep(0.02)


def serve_idle_close(conn, seconds):
    """Keeps the connection so long after an answer, then closes with RST to whatever comes at that moment."""
    request(conn)
    conn.sendall(head("200 OK", "Content-Length: 3") + b"ok\n")
    time.sleep(float(seconds))
    reset(conn)


def serve_once(conn, *codes):
    """Answers one request a status of the list, in order, on one connection, then closes."""
    for code in codes:
        if not request(conn):
            return
        conn.sendall(head(f"{code} Said", "Content-Length: 3") + b"ok\n")
    finish(conn)


def serve_login(conn):
    """302 to the same URL with a cookie; with the cookie, the page."""
    while True:
        got = request(conn)
        if not got:
            return
        if b"ookie: seen=1" in got:
            conn.sendall(head("200 OK", "Content-Length: 3") + b"ok\n")
        else:
            conn.sendall(head("302 Found", "Location: /", "Set-Cookie: seen=1", "Content-Length: 0"))


def serve_websocket(conn):
    """The upgrade, then an echo of frames."""
    got = request(conn).decode()
    key = got.split("Sec-WebSocket-Key: ")[1].split("\r\n")[0]
    accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
    conn.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    while True:
        frame = conn.recv(2048)
        if not frame:
            return
        if frame[0] & 15 == 8:
            conn.sendall(b"\x88\x02\x03\xe8")
            return finish(conn)
        mask, data = frame[2:6], frame[6:]
        plain = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
        conn.sendall(bytes([0x81, len(plain)]) + plain)


# --- TLS ---


def server_context(cert, *words):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert + ".pem", cert + ".key")
    if "tls12" in words:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if "no-tickets" in words:
        context.num_tickets = 0
    return context


def serve_tls_body(conn, cert, how, *words):
    """HTTPS: the body cut by `rst`, or `fin` without close_notify; `silent`: none; `idle`: whole, and RST 3 s later."""
    secure = server_context(cert, *words).wrap_socket(conn, server_side=True)
    if how == "silent":
        return serve_silent(secure)
    request(secure)
    if how == "idle":
        secure.sendall(head("200 OK", "Content-Length: 12000") + b"x" * 12000)
        time.sleep(3)
        return reset(socket.socket(fileno=secure.detach()))
    secure.sendall(head("200 OK", "Content-Length: 50000") + b"x" * 12000)
    time.sleep(0.2)
    conn = socket.socket(fileno=secure.detach())
    conn.settimeout(LIMIT)
    return reset(conn) if how == "rst" else finish(conn)


def serve_smtp(conn, cert, *words):
    """SMTP with STARTTLS; `refuse` answers it with 454."""
    conn.sendall(b"220 mail.example.test ESMTP odd\r\n")
    file = conn.makefile("rb", buffering=0)
    while True:
        line = file.readline()
        verb = line[:8].strip().upper()
        if verb.startswith((b"EHLO", b"HELO")):
            conn.sendall(b"250-mail.example.test\r\n250-STARTTLS\r\n250 8BITMIME\r\n")
        elif verb == b"STARTTLS" and "refuse" in words:
            conn.sendall(b"454 4.7.0 TLS not available due to temporary reason\r\n")
        elif verb == b"STARTTLS":
            conn.sendall(b"220 2.0.0 Ready to start TLS\r\n")
            break
        elif verb == b"QUIT" or not line:
            conn.sendall(b"221 2.0.0 Bye\r\n")
            return finish(conn)
        else:
            conn.sendall(b"250 2.0.0 Ok\r\n")
    secure = server_context(cert).wrap_socket(conn, server_side=True)
    while True:
        data = secure.recv(1024)
        if not data or data.upper().startswith(b"QUIT"):
            secure.sendall(b"221 2.0.0 Bye\r\n")
            return secure.unwrap().close()
        secure.sendall(b"250 2.0.0 Ok\r\n")


# --- carrying ---


def carry(a, b, limit=None):
    """Bytes both ways; stops at the end, or after `limit` bytes from b to a."""
    while True:
        for source in select.select([a, b], [], [], LIMIT)[0]:
            data = source.recv(16384)
            if not data:
                return
            if source is b and limit is not None and len(data) >= limit:
                a.sendall(data[:limit])
                return
            if source is b and limit is not None:
                limit -= len(data)
            (b if source is a else a).sendall(data)


def serve_relay(conn, host, port, limit, how):
    """To another server; after so many bytes of answer `fin`, `rst` or `hold`."""
    with socket.create_connection((host, int(port)), 5) as far:
        carry(conn, far, int(limit))
        if how == "hold":
            return serve_silent(conn)
        time.sleep(0.05)
        return reset(conn) if how == "rst" else finish(conn)


def serve_proxy(conn, port, *words):
    """HTTP CONNECT: to the port at 127.0.0.1, whatever is asked for; `deny` answers 407, `fail` 502."""
    request(conn)
    if "deny" in words:
        conn.sendall(
            head("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=x", "Content-Length: 0")
        )
        return finish(conn)
    try:
        far = socket.create_connection(("127.0.0.1", int(port)), 5)
    except OSError:
        conn.sendall(head("502 Bad Gateway", "Content-Length: 0"))
        return finish(conn)
    with far:
        conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        carry(conn, far)
    return finish(conn)


def serve(behaviour, conn, arguments):
    conn.settimeout(LIMIT)
    try:
        with conn:
            behaviour(conn, *arguments)
    except OSError as error:
        print(error, file=sys.stderr)


def main():
    behaviour = globals()["serve_" + sys.argv[2].replace("-", "_")]
    listener = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(behaviour, conn, sys.argv[3:]), daemon=True).start()


if __name__ == "__main__":
    main()
