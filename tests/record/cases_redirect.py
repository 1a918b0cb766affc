"""Recorded cases: redirects, followed and not."""
from cases import case, secure_site, site

PAGE = "location / { }"
CHAIN = "return 302 https://www.example.test/old;", "location = /old { return 301 /new/; } location / { }"


def serve(lab, *servers, ports=(80,)):
    lab.dnsmasq()
    lab.nginx("".join(servers), ports=ports)
    lab.capture()


@case("redirect-chain-tls12", "nginx wget dnsmasq")
def _(lab):
    """Look-up, http answers 302 to https, https (TLS 1.2) answers 301 and then 200 on the same connection. What is
    asked inside TLS is hidden, the certificate is not."""
    serve(lab, site(CHAIN[0]), secure_site(CHAIN[1], protocols="TLSv1.2"), ports=(80, 443))
    lab.client("wget", "-q", "-O", "/dev/null", f"--ca-certificate={lab.path('ca.pem')}", "http://www.example.test/")


@case("redirect-chain-tls13", "nginx curl dnsmasq")
def _(lab):
    """The same as redirect-chain-tls12 with TLS 1.3, where the certificate is hidden too."""
    serve(lab, site(CHAIN[0]), secure_site(CHAIN[1]), ports=(80, 443))
    lab.curl("-L", "http://www.example.test/")


@case("redirect-relative", "nginx curl dnsmasq")
def _(lab):
    """Three redirects whose Location is relative: an absolute path, `../` and a bare name with a query; all on one
    connection."""
    serve(
        lab,
        site(
            "absolute_redirect off; location = / { return 302 /a/b/c; } location = /a/b/c { return 301 ../d/e; } "
            "location = /a/d/e { return 302 f?x=1; } location = /a/d/f { return 200 'here'; }"
        ),
    )
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-other-host", "nginx curl dnsmasq")
def _(lab):
    """A redirect to another name, which is looked up and has another address."""
    serve(lab, site("return 301 http://shop.example.test/;", "www.example.test"), site(PAGE, "shop.example.test"))
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-other-name-same-address", "nginx curl dnsmasq")
def _(lab):
    """A redirect to another name that has the same address: curl looks the name up and still opens a second
    connection."""
    serve(lab, site("return 301 http://api.example.test/;", "www.example.test"), site(PAGE, "api.example.test"))
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-other-port", "nginx curl dnsmasq")
def _(lab):
    """A redirect to port 8080 of the same name; curl looks it up again."""
    serve(lab, site("return 302 http://www.example.test:8080/;"), site(PAGE, port=8080), ports=(80, 8080))
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-303-after-post", "nginx curl dnsmasq")
def _(lab):
    """POST answered by 303: what follows is a GET of another page."""
    serve(lab, site("location = /form { return 303 /thanks; } location = /thanks { return 200 'thanks'; }"))
    lab.curl("-L", "--fail", "-d", "name=alice&colour=blue", "http://www.example.test/form")


@case("redirect-post-same-url", "nginx curl dnsmasq")
def _(lab):
    """POST answered by 303 to its own URL, which GET answers with 200 (post, redirect, get). It returns to the URL
    it came from, and is no loop."""
    serve(lab, site("if ($request_method = POST) { return 303 /form; } location / { return 200 'thanks'; }"))
    lab.curl("-L", "--fail", "-d", "name=alice", "http://www.example.test/form")


@case("redirect-cookie-same-url", "odd curl dnsmasq")
def _(lab):
    """GET / answers 302 to / and sets a cookie; GET / with the cookie answers 200. The same URL twice with the same
    method, and no loop: the chain ends with a page."""
    lab.dnsmasq()
    lab.odd(80, "login")
    lab.capture()
    lab.curl("-L", "--fail", "-c", lab.path("jar"), "-b", "none=0", "http://www.example.test/")


@case("redirect-cookie-check", "nginx curl dnsmasq")
def _(lab):
    """/ leads to /set, which sets a cookie and leads back to /, which answers 200 to the cookie. It returns once,
    and is no loop."""
    serve(
        lab,
        site(
            "location = / { if ($http_cookie !~ seen) { return 302 /set; } } location / { } location = /index.html { } "
            "location = /set { add_header Set-Cookie seen=1; return 302 /; }"
        ),
    )
    lab.curl("-L", "--fail", "-c", lab.path("jar"), "-b", "none=0", "http://www.example.test/")


@case("redirect-long-chain", "nginx curl dnsmasq")
def _(lab):
    """Nine redirects from page to page, and then the page: long, and no loop."""
    serve(
        lab,
        site(
            "".join(f"location = /{i} {{ return 302 /{i + 1}; }} " for i in range(1, 10))
            + "location = /10 { return 200 'here'; }"
        ),
    )
    lab.curl("-L", "--fail", "http://www.example.test/1")


@case("redirect-to-address", "nginx curl dnsmasq")
def _(lab):
    """A redirect to a literal IPv6 address and port: no look-up follows."""
    serve(lab, site("return 302 http://[2001:db8:80::80]:8080/;"), site(PAGE, port=8080), ports=(80, 8080))
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-307-post", "nginx curl dnsmasq")
def _(lab):
    """307: the POST is made again, with its body, at the new place."""
    serve(
        lab,
        site("location = /form { return 307 http://shop.example.test/form; }", "www.example.test"),
        site("return 200 'ok';", "shop.example.test"),
    )
    lab.curl("-L", "--fail", "-d", "name=alice&colour=blue", "http://www.example.test/form")


@case("redirect-308-post", "nginx curl dnsmasq")
def _(lab):
    """308 from http to https: the POST is made again inside TLS."""
    serve(lab, site("return 308 https://$host$request_uri;"), secure_site("return 200 'ok';"), ports=(80, 443))
    lab.curl("-L", "--fail", "-d", "name=alice&colour=blue", "http://www.example.test/form")


@case("redirect-kept-alive", "nginx curl dnsmasq")
def _(lab):
    """The redirect is followed on the connection that brought it: one connection, two transactions."""
    serve(lab, site("location = /old { return 301 /new/; }"))
    lab.curl("-L", "--fail", "http://www.example.test/old")


@case("redirect-not-followed", "nginx curl dnsmasq")
def _(lab):
    """curl without -L asks for a page that has moved and is content with the 301."""
    serve(lab, site("return 301 https://www.example.test/;"))
    lab.curl("http://www.example.test/")


@case("redirect-fragment-and-case", "nginx curl dnsmasq")
def _(lab):
    """The Location writes scheme and host in capitals, names port 80 and has a fragment; all of that is the same
    server."""
    serve(lab, site("location = / { return 301 HTTP://WWW.Example.TEST:80/new/#top; } location / { }"))
    lab.curl("-L", "--fail", "http://www.example.test/")


@case("redirect-loop-two", "nginx curl dnsmasq", "broken redirect_loop", "ok")
def _(lab):
    """/a leads to /b and /b to /a; curl gives up after 6 redirects. One connection."""
    serve(lab, site("location = /a { return 302 /b; } location = /b { return 302 /a; }"))
    lab.curl("-L", "--max-redirs", "6", "http://www.example.test/a", status=47)


@case("redirect-loop-one", "nginx wget dnsmasq", "broken redirect_loop", "ok")
def _(lab):
    """A URL that leads to itself; wget gives up after 5 redirects."""
    serve(lab, site("return 301 http://www.example.test/;"))
    lab.client("wget", "-q", "--max-redirect=5", "-O", "/dev/null", "http://www.example.test/", status=8)


@case("redirect-loop-hosts", "nginx curl dnsmasq", "broken redirect_loop", "ok ok")
def _(lab):
    """www leads to shop and shop to www; curl keeps one connection to each."""
    serve(
        lab,
        site("return 302 http://shop.example.test/;", "www.example.test"),
        site("return 302 http://www.example.test/;", "shop.example.test"),
    )
    lab.curl("-L", "--max-redirs", "5", "http://www.example.test/", status=47)


@case("redirect-loop-http-https", "nginx curl dnsmasq", "broken redirect_loop", "ok ok")
def _(lab):
    """http leads to https and https back to http (TLS 1.3: that half is hidden). What shows is that http redirects
    the same URL again and again, each time followed by work on the TLS connection."""
    serve(
        lab,
        site("return 301 https://www.example.test$request_uri;"),
        secure_site("return 302 http://www.example.test$request_uri;"),
        ports=(80, 443),
    )
    lab.curl("-L", "--max-redirs", "7", "http://www.example.test/", status=47)


@case("redirect-loop-http-https-closed", "nginx curl dnsmasq", "broken redirect_loop", "ok " * 8)
def _(lab):
    """The loop of redirect-loop-http-https over servers that close after each answer: a new connection for every
    step."""
    serve(
        lab,
        "keepalive_timeout 0;",
        site("return 301 https://www.example.test$request_uri;"),
        secure_site("return 302 http://www.example.test$request_uri;", protocols="TLSv1.2"),
        ports=(80, 443),
    )
    lab.curl("-L", "--max-redirs", "7", "http://www.example.test/", status=47)


@case("redirect-to-closed-port", "nginx curl dnsmasq", "broken redirect_broken", "ok syn_refused")
def _(lab):
    """A redirect to https, where nobody listens."""
    serve(lab, site("return 301 https://www.example.test/;"))
    lab.curl("-L", "http://www.example.test/", status=7)


@case("redirect-to-silent-host", "nginx nftables curl dnsmasq", "broken redirect_broken", "ok syn_unanswered")
def _(lab):
    """A redirect to a host behind a firewall that drops; curl gives up after 8 s."""
    lab.filter("router", "forward", "ip daddr 198.51.100.80 drop")
    serve(lab, site("return 301 http://shop.example.test/;"))
    lab.curl("-L", "-m", "8", "http://www.example.test/", status=28)


@case("redirect-to-missing-name", "nginx curl dnsmasq", "broken redirect_broken", "ok")
def _(lab):
    """A redirect to a name that does not exist."""
    serve(lab, site("return 301 http://gone.example.test/;"))
    lab.curl("-L", "http://www.example.test/", status=6)


@case(
    "redirect-to-expired-certificate",
    "nginx openssl curl dnsmasq",
    "broken redirect_broken",
    "ok tls_certificate_expired",
)
def _(lab):
    """A redirect to https, whose certificate (TLS 1.2) has expired; curl refuses it."""
    lab.dnsmasq()
    lab.nginx(site("return 301 https://www.example.test/;"))
    lab.s_server("-tls1_2", cert="expired")
    lab.capture()
    lab.curl("-L", "http://www.example.test/", status=60)


@case("redirect-to-404", "nginx curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """A redirect to a page that is missing."""
    serve(lab, site("location = / { return 302 /missing; } location / { }"))
    lab.curl("-L", "http://www.example.test/")


@case("redirect-to-503", "nginx curl dnsmasq", "broken http_server_error", "ok http_server_error")
def _(lab):
    """A redirect to another host, which answers 503. The connection itself is well."""
    serve(
        lab, site("return 302 http://shop.example.test/;", "www.example.test"), site("return 503;", "shop.example.test")
    )
    lab.curl("-L", "http://www.example.test/")
