"""Recorded cases: HTTP answers, good ones and bad ones."""
from cases import case, secure_site, site

URL = "http://www.example.test/"
BIG = "location = /big { return 200 '%s'; }" % ("0123456789abcdef" * 250)


def nginx(lab, servers, node="client"):
    lab.dnsmasq()
    lab.nginx(servers)
    lab.capture(node)


def odd(lab, *behaviour, node="client"):
    lab.dnsmasq()
    lab.odd(80, *behaviour)
    lab.capture(node)


# --- answers that are well ---


@case("http-keep-alive-5", "nginx curl dnsmasq")
def _(lab):
    """Five requests on one connection."""
    nginx(lab, site("location / { }"))
    lab.curl("--fail", *(URL + f"?page={i}" for i in range(5)), *("-o", "/dev/null") * 4)


@case("http-pipelining", "nginx clients dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """Four requests in one segment, answered in order; the third is a 404."""
    nginx(lab, site("location / { }"))
    lab.python("clients.py", "pipeline", "www.example.test", 80, "/", "/new/", "/missing", "/")


@case("http-head", "nginx curl dnsmasq")
def _(lab):
    """HEAD: a Content-Length and no body; then GET on the same connection."""
    nginx(lab, site("location / { }"))
    lab.curl("--head", URL, "--next", "-sS", "-o", "/dev/null", URL)


@case("http-204", "nginx curl dnsmasq")
def _(lab):
    """204 has no body; the connection goes on."""
    nginx(lab, site("location = /empty { return 204; } location / { }"))
    lab.curl("-o", "/dev/null", URL + "empty", URL)


@case("http-304", "nginx curl dnsmasq")
def _(lab):
    """A conditional request: 304 says the length of what it does not send."""
    nginx(lab, site("if_modified_since before; etag on;"))
    lab.curl(
        "--fail", URL, "--next", "-sS", "-o", "/dev/null", "-H", "If-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT", URL
    )


@case("http-206-range", "nginx curl dnsmasq")
def _(lab):
    """A part of a page: 206."""
    nginx(lab, site("location / { }"))
    lab.curl("--fail", "-r", "100-299", URL)


@case("http-gzip", "nginx curl dnsmasq")
def _(lab):
    """A compressed body in chunks."""
    nginx(lab, "gzip on; gzip_min_length 100;\n" + site("location / { }"))
    lab.curl("--fail", "--compressed", URL)


@case("http-chunked-trailers", "odd curl dnsmasq")
def _(lab):
    """Chunks with a trailer behind the last one."""
    odd(lab, "chunked", "trailer")
    lab.curl("--fail", URL)


@case("http-10-until-close", "odd curl dnsmasq")
def _(lab):
    """HTTP/1.0 without a length: the server's FIN is the end of the body, and nothing is missing."""
    odd(lab, "until-close")
    lab.curl("--fail", "--http1.0", URL)


@case("http-100-continue", "odd curl dnsmasq")
def _(lab):
    """POST that waits for 100 Continue, then sends 20 kB, answered by 201."""
    odd(lab, "continue")
    lab.file("body", "b" * 20000)
    lab.curl("--fail", "-H", "Expect: 100-continue", "--data-binary", "@" + lab.path("body"), URL + "upload")


@case("http-100-continue-refused", "odd curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """POST that waits for 100 Continue and is told 417: the announced body is never sent, which is right."""
    odd(lab, "continue", "417 Expectation Failed")
    lab.file("body", "b" * 20000)
    lab.curl(
        "-H", "Expect: 100-continue", "--data-binary", "@" + lab.path("body"), URL + "upload", status=(0, 22, 55, 56)
    )


@case("http-put-chunked", "nginx curl dnsmasq")
def _(lab):
    """An upload in chunks, answered by 200."""
    nginx(lab, site("return 200 'got it';"))
    lab.file("body", "u" * 9000)
    lab.curl("--fail", "-T", lab.path("body"), "-H", "Transfer-Encoding: chunked", URL + "upload")


@case("http-websocket", "odd clients dnsmasq")
def _(lab):
    """101 Switching Protocols, then three WebSocket messages with their echoes, closed in order."""
    odd(lab, "websocket")
    lab.python("clients.py", "websocket", "www.example.test", 80)


@case("http-h2c", "nginx curl dnsmasq")
def _(lab):
    """HTTP/2 without TLS, with prior knowledge: not HTTP/1, and not broken."""
    nginx(lab, site("location / { }", more="http2"))
    lab.curl("--fail", "--http2-prior-knowledge", URL)


@case("http-401-then-200", "nginx curl dnsmasq")
def _(lab):
    """A server that asks for a password: 401, then the same request with it, 200. Nothing is wrong."""
    lab.file("users", "alice:{PLAIN}secret\n")
    nginx(lab, site(f"location / {{ auth_basic here; auth_basic_user_file {lab.path('users')}; }}"))
    lab.curl("--fail", "--anyauth", "-u", "alice:secret", URL)


@case("http-offload", "nginx curl dnsmasq", network={"offload": True})
def _(lab):
    """60 kB with segmentation and checksum offload on: segments larger than the MSS, bad checksums on what the
    client sends."""
    lab.dnsmasq()
    with open(lab.path("www/large.txt"), "w", encoding="ascii") as file:
        file.write("offload\n" * 7500)
    lab.nginx(site("location / { }"))
    lab.capture()
    lab.curl("--fail", URL + "large.txt")


@case("http-parallel", "nginx curl dnsmasq", "degraded http_client_error", "ok http_client_error")
def _(lab):
    """Three transfers at once to two hosts; www redirects one of them to shop, and another page of shop is
    missing."""
    nginx(lab, site("location = /old { return 302 http://shop.example.test/; } location / { }"))
    lab.curl("-L", "-Z", URL + "old", "-o", "/dev/null", URL, "-o", "/dev/null", "http://shop.example.test/missing")


@case("http-idle-reset", "odd clients dnsmasq")
def _(lab):
    """The server keeps the connection for a second after a complete answer and then resets it. Nothing was
    outstanding; the client opens a new one for its next request."""
    odd(lab, "idle-close", 1)
    lab.python("clients.py", "keep", "www.example.test", 80, 1.5, "/a", "/b")
    lab.client("sleep", "1")


@case("http-idle-close", "nginx clients dnsmasq", "degraded reset_by_server", "reset_by_server ok")
def _(lab):
    """The server closes a kept connection in order after one second; the client does not look, sends its next
    request into it, is answered by RST, and repeats the request on a new connection. The request was lost and made
    good: a race every kept connection has."""
    nginx(lab, "keepalive_timeout 1s;\n" + site("location / { }"))
    lab.python("clients.py", "keep", "www.example.test", 80, 2, "/", "/new/")


# --- error answers ---


@case("http-404", "nginx curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """A page that is not there: 404, and the connection is closed in order."""
    nginx(lab, site("location / { }"))
    lab.curl(URL + "missing")


@case("http-404-at-server", "nginx curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """404, captured at the server: no look-up in the capture, the client's round trip shows."""
    nginx(lab, site("location / { }"), node="server")
    lab.curl(URL + "missing")


@case("http-500", "nginx curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """The server fails: 500."""
    nginx(lab, site("return 500;"))
    lab.curl(URL)


@case("http-503-then-200", "odd curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """Two requests on one connection: 503, then 200."""
    odd(lab, "once", 503, 200)
    lab.curl("-o", "/dev/null", URL + "a", URL + "b")


@case("http-503-retried", "odd curl dnsmasq", "ok", "ok")
def _(lab):
    """503, and curl --retry asks the same again after a second: 200. The service failed once and the client got its
    answer."""
    odd(lab, "once", 503, 200)
    lab.client("curl", "-sS", "-m", "20", "-o", lab.path("page"), "--retry", "2", URL)


@case("http-502-gateway", "nginx curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """502: nginx is a gateway to a service that is not there."""
    nginx(lab, site("location / { proxy_pass http://127.0.0.1:9999; }"))
    lab.curl(URL)


@case("http-504-gateway", "nginx odd curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """504: the service behind the gateway does not answer within two seconds."""
    lab.odd(9999, "silent")
    nginx(lab, site("location / { proxy_read_timeout 2s; proxy_pass http://127.0.0.1:9999; }"))
    lab.curl(URL)


@case("http-413-early", "odd curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """413 while the body of a large POST is still being sent; the server closes with unread data, so its kernel
    resets. The cause is the 413, not the reset."""
    odd(lab, "too-large")
    lab.file("body", "b" * 40000)
    lab.curl("-H", "Expect:", "--data-binary", "@" + lab.path("body"), URL + "upload", status=(0, 55, 56))


# --- answers that do not come, or not whole ---


@case("http-body-cut-fin", "odd curl dnsmasq", "broken response_truncated", "response_truncated")
def _(lab):
    """Content-Length says 10000, 4000 bytes come, then FIN."""
    odd(lab, "cut", "fin", 4000, 10000)
    lab.curl(URL, status=18)


@case("http-body-cut-rst", "odd curl dnsmasq", "broken reset_by_server", "reset_by_server")
def _(lab):
    """Content-Length says 10000, 4000 bytes come, then RST."""
    odd(lab, "cut", "rst", 4000, 10000)
    lab.curl(URL, status=56)


@case("http-body-cut-rst-at-server", "odd curl dnsmasq", "broken reset_by_server", "reset_by_server")
def _(lab):
    """The same as http-body-cut-rst, captured at the server."""
    odd(lab, "cut", "rst", 4000, 10000, node="server")
    lab.curl(URL, status=56)


@case("http-chunked-cut", "odd curl dnsmasq", "broken response_truncated", "response_truncated")
def _(lab):
    """Chunks, and FIN before the last one."""
    odd(lab, "chunked", "cut")
    lab.curl(URL, status=18)


@case("http-slow", "odd curl dnsmasq", "degraded slow_server", "slow_server")
def _(lab):
    """Two seconds to the first byte."""
    odd(lab, "slow", 2)
    lab.curl("--fail", URL)


@case("http-slow-504", "odd curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """504 after three seconds: slow as well, but the answer is what is wrong."""
    odd(lab, "slow", 3, "504 Gateway Timeout")
    lab.curl(URL)


@case("http-silent", "odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """The server acknowledges the request and never answers; curl gives up after 12 s."""
    odd(lab, "silent")
    lab.curl("-m", "12", URL, status=28)


@case("http-impatient-client", "odd curl dnsmasq", "unknown incomplete_capture", "incomplete_capture")
def _(lab):
    """curl waits only 2 s for an answer that would take 5 and closes. Too short a wait to say that the server is
    silent."""
    odd(lab, "slow", 5)
    lab.curl("-m", "2", URL, status=28)


@case("http-empty-fin", "odd curl dnsmasq", "broken response_truncated", "response_truncated")
def _(lab):
    """The server closes after the request without a byte of answer (curl: empty reply)."""
    odd(lab, "empty", "fin")
    lab.curl(URL, status=52)


@case("http-empty-rst", "odd curl dnsmasq", "broken reset_by_server", "reset_by_server")
def _(lab):
    """The server resets after the request without a byte of answer."""
    odd(lab, "empty", "rst")
    lab.curl(URL, status=56)


@case("http-client-leaves", "nginx clients dnsmasq", "broken reset_by_client", "reset_by_client")
def _(lab):
    """The client closes its socket in the middle of an answer: its kernel resets the connection as data goes on
    coming."""
    lab.dnsmasq()
    with open(lab.path("www/big"), "w", encoding="ascii") as file:
        file.write("0123456789abcdef" * 4000)
    lab.nginx(site("location / { }"))
    lab.capture()
    lab.python("clients.py", "leave", "www.example.test", 80, 2000)


# --- through a proxy ---


@case("http-connect", "odd nginx curl dnsmasq")
def _(lab):
    """CONNECT through a proxy at port 3128, and TLS 1.3 inside it. The proxy's name is looked up by the client, the
    target's is not."""
    lab.dnsmasq("--host-record=proxy.example.test,192.0.2.81")
    lab.nginx(secure_site("location / { }"), ports=(443,))
    lab.odd(3128, "proxy", 443)
    lab.capture()
    lab.curl("--fail", "-x", "http://proxy.example.test:3128", "https://www.example.test/")


@case("http-connect-407", "odd curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """A proxy that wants a password refuses CONNECT with 407."""
    lab.dnsmasq("--host-record=proxy.example.test,192.0.2.81")
    lab.odd(3128, "proxy", 443, "deny")
    lab.capture()
    lab.curl("-x", "http://proxy.example.test:3128", "https://www.example.test/", status=56)


@case("http-connect-502", "odd curl dnsmasq", "broken http_server_error", "http_server_error")
def _(lab):
    """A proxy that cannot reach the target answers CONNECT with 502."""
    lab.dnsmasq("--host-record=proxy.example.test,192.0.2.81")
    lab.odd(3128, "proxy", 9998)
    lab.capture()
    lab.curl("-x", "http://proxy.example.test:3128", "https://www.example.test/", status=56)


@case("http-connect-expired", "odd openssl curl dnsmasq", "broken tls_certificate_expired", "tls_certificate_expired")
def _(lab):
    """CONNECT through a proxy to a TLS 1.2 server whose certificate has expired; curl refuses it."""
    lab.dnsmasq("--host-record=proxy.example.test,192.0.2.81")
    lab.s_server("-tls1_2", cert="expired")
    lab.odd(3128, "proxy", 443)
    lab.capture()
    lab.curl("-x", "http://proxy.example.test:3128", "https://www.example.test/", status=60)


@case("http-proxied-get", "nginx curl dnsmasq")
def _(lab):
    """A plain request through a proxy: the request line holds a whole URL."""
    lab.dnsmasq("--host-record=proxy.example.test,192.0.2.81")
    lab.nginx(site("location / { }", port=3128), ports=(3128,))
    lab.capture()
    lab.curl("--fail", "-x", "http://proxy.example.test:3128", "http://www.example.test/")
