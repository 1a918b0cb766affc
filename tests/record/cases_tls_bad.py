"""Recorded cases: certificates that do not fit, TLS that is not answered or cut, STARTTLS."""
from cases import case, secure_site, site
from cases_tls import URL, odd, openssl

# --- certificates that do not fit ---


@case("tls-expired-refused", "openssl curl dnsmasq", "broken tls_certificate_expired", "tls_certificate_expired")
def _(lab):
    """TLS 1.2, the certificate expired 35 days ago, curl sends a fatal alert."""
    openssl(lab, "-tls1_2", cert="expired")
    lab.curl(URL, status=60)


@case("tls-expired-accepted", "openssl curl dnsmasq", "degraded tls_certificate_expired", "tls_certificate_expired")
def _(lab):
    """TLS 1.2, the certificate expired 35 days ago, curl -k takes it and gets the page."""
    openssl(lab, "-tls1_2", cert="expired")
    lab.curl("-k", URL)


@case(
    "tls-future-refused",
    "openssl curl dnsmasq",
    "broken tls_certificate_not_yet_valid",
    "tls_certificate_not_yet_valid",
)
def _(lab):
    """TLS 1.2, the certificate will be valid in 30 days, curl sends a fatal alert."""
    openssl(lab, "-tls1_2", cert="future")
    lab.curl(URL, status=60)


@case(
    "tls-future-accepted",
    "openssl curl dnsmasq",
    "degraded tls_certificate_not_yet_valid",
    "tls_certificate_not_yet_valid",
)
def _(lab):
    """TLS 1.2, the certificate will be valid in 30 days, curl -k takes it and gets the page."""
    openssl(lab, "-tls1_2", cert="future")
    lab.curl("-k", URL)


@case("tls-wrong-name-refused", "openssl curl dnsmasq", "broken tls_name_mismatch", "tls_name_mismatch")
def _(lab):
    """TLS 1.2, the certificate is for other.example.test. curl finishes the handshake, compares the name and closes
    without asking."""
    openssl(lab, "-tls1_2", cert="other")
    lab.curl(URL, status=60)


@case("tls-wrong-name-accepted", "openssl curl dnsmasq", "degraded tls_name_mismatch", "tls_name_mismatch")
def _(lab):
    """TLS 1.2, the certificate is for other.example.test, curl -k takes it and gets the page."""
    openssl(lab, "-tls1_2", cert="other")
    lab.curl("-k", URL)


@case("tls-self-signed-refused", "openssl curl dnsmasq", "broken tls_self_signed", "tls_self_signed")
def _(lab):
    """TLS 1.2, a self-signed certificate, curl sends a fatal alert (unknown_ca)."""
    openssl(lab, "-tls1_2", cert="self")
    lab.curl(URL, status=60)


@case("tls-self-signed-accepted", "openssl curl dnsmasq", "degraded tls_self_signed", "tls_self_signed")
def _(lab):
    """TLS 1.2, a self-signed certificate, curl -k takes it and gets the page."""
    openssl(lab, "-tls1_2", cert="self")
    lab.curl("-k", URL)


@case("tls13-expired-refused", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """TLS 1.3: the same as tls-expired-refused, but the certificate is not visible. The client's alert is: OpenSSL
    sends it in the clear."""
    openssl(lab, cert="expired")
    lab.curl(URL, status=60)


@case("tls13-expired-accepted", "openssl curl dnsmasq")
def _(lab):
    """TLS 1.3: the certificate has expired, curl -k takes it; nothing of that is visible."""
    openssl(lab, cert="expired")
    lab.curl("-k", URL)


@case("tls13-wrong-name-refused", "openssl curl dnsmasq")
def _(lab):
    """TLS 1.3, a certificate for another name. curl finishes the handshake, compares the name and closes without
    asking; the certificate is not visible, so that looks like tls-close-notify: nothing can be said."""
    openssl(lab, cert="other")
    lab.curl(URL, status=60)


# --- not TLS, not answered, cut ---


@case("tls-plain-on-443", "nginx curl dnsmasq", "broken tls_not_spoken", "tls_not_spoken")
def _(lab):
    """nginx serves plain HTTP on port 443: it answers the ClientHello with 400 in plain text."""
    lab.dnsmasq()
    lab.nginx(site("location / { }", port=443), ports=(443,))
    lab.capture()
    lab.curl(URL, status=35)


@case("tls-to-http-port", "nginx curl dnsmasq", "broken tls_not_spoken", "tls_not_spoken")
def _(lab):
    """https to port 80, where plain HTTP is spoken."""
    lab.dnsmasq()
    lab.nginx(site("location / { }"))
    lab.capture()
    lab.curl("https://www.example.test:80/", status=35)


@case("tls-to-smtp-port", "odd curl dnsmasq", "broken tls_not_spoken", "tls_not_spoken")
def _(lab):
    """https to a port where the server speaks first (SMTP)."""
    odd(lab, "smtp", lab.path("www"), port=25)
    lab.curl("https://www.example.test:25/", status=35)


@case("http-on-tls-port", "nginx curl dnsmasq", "degraded http_client_error", "http_client_error")
def _(lab):
    """http to port 443: nginx says in plain text that this is a TLS port (400)."""
    lab.dnsmasq()
    lab.nginx(secure_site("location / { }"), ports=(443,))
    lab.capture()
    lab.curl("http://www.example.test:443/")


@case("http-on-tls-port-closed", "openssl curl dnsmasq", "broken response_truncated", "response_truncated")
def _(lab):
    """http to port 443 of openssl s_server, which closes without a word (curl: empty reply)."""
    openssl(lab, "-tls1_2")
    lab.curl("http://www.example.test:443/", status=52)


@case("http-on-tls-port-alert", "gnutls curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """http to port 443 of gnutls-serv, which answers with a TLS alert."""
    lab.dnsmasq()
    lab.start(
        "server",
        "gnutls-serv",
        "--port=443",
        "--http",
        f"--x509certfile={lab.path('www.pem')}",
        f"--x509keyfile={lab.path('www.key')}",
        listen=(443,),
    )
    lab.capture()
    lab.curl("http://www.example.test:443/", status=(1, 52, 56))


@case("tls-closed-after-hello", "odd curl dnsmasq", "broken tls_reset", "tls_reset")
def _(lab):
    """The server closes in order after the ClientHello, without an alert."""
    odd(lab, "empty", "fin")
    lab.curl(URL, status=35)


@case("tls-reset-after-hello", "odd curl dnsmasq", "broken tls_reset", "tls_reset")
def _(lab):
    """The server resets after the ClientHello."""
    odd(lab, "empty", "rst")
    lab.curl(URL, status=35)


@case("tls-no-answer", "odd curl dnsmasq", "broken tls_no_server_hello", "tls_no_server_hello")
def _(lab):
    """The server acknowledges the ClientHello and never answers; curl gives up after 12 s."""
    odd(lab, "silent")
    lab.curl("-m", "12", URL, status=28)


@case("tls-cut-in-server-flight", "openssl odd curl dnsmasq", "broken tls_reset", "tls_reset")
def _(lab):
    """RST in the middle of the server's flight: ServerHello and a part of the certificate have come (TLS 1.2)."""
    lab.dnsmasq()
    lab.s_server("-tls1_2", port=4443)
    lab.odd(443, "relay", "127.0.0.1", 4443, 400, "rst")
    lab.capture()
    lab.curl(URL, status=35)


@case("tls-stuck-in-server-flight", "openssl odd curl dnsmasq", "broken tls_reset", "tls_reset")
def _(lab):
    """The server's flight stops in the middle of the certificate (TLS 1.2) and nothing more comes; curl gives up
    after 12 s. This is not tls_no_server_hello, because the ServerHello has come, nor server_silent, because no request
    was made: the handshake is cut, and it is the server that kept silent."""
    lab.dnsmasq()
    lab.s_server("-tls1_2", port=4443)
    lab.odd(443, "relay", "127.0.0.1", 4443, 400, "hold")
    lab.capture()
    lab.curl("-m", "12", URL, status=28)


@case("tls12-body-cut-rst", "odd curl dnsmasq", "broken reset_by_server", "reset_by_server")
def _(lab):
    """TLS 1.2, the answer is cut by RST after 12 kB, without close_notify."""
    odd(lab, "tls-body", lab.path("www"), "rst", "tls12")
    lab.curl(URL, status=56)


@case("tls13-body-cut-rst", "odd curl dnsmasq", "broken reset_by_server", "reset_by_server")
def _(lab):
    """TLS 1.3, the answer is cut by RST after 12 kB. Whether it was whole is hidden; what shows is that
    close_notify is missing, that the client has not begun to close, and that the RST comes 0.2 s after data."""
    odd(lab, "tls-body", lab.path("www"), "rst")
    lab.curl(URL, status=56)


@case("tls12-idle-reset", "odd clients dnsmasq")
def _(lab):
    """TLS 1.2, the answer is whole; the client keeps the connection, and the server resets it after 3 s of
    idleness, without close_notify. Nothing was outstanding (http-idle-reset is the same without TLS); only the
    pause tells it from tls12-body-cut-rst."""
    odd(lab, "tls-body", lab.path("www"), "idle", "tls12")
    lab.python("clients.py", "hold", "www.example.test", 443, lab.path("ca.pem"), 4)


@case("tls-one-way-log", "odd clients dnsmasq")
def _(lab):
    """Syslog over TLS 1.2: a line every 2 s for 16 s, and the server has nothing to say, as the protocol wants it;
    closed in order."""
    odd(lab, "tls-body", lab.path("www"), "silent", "tls12", port=6514)
    lab.python("clients.py", "log", "www.example.test", 6514, lab.path("ca.pem"))


@case("tcp-one-way-log", "odd clients dnsmasq")
def _(lab):
    """Syslog over plain TCP: a line every 2 s for 16 s, and the server has nothing to say, as the protocol wants
    it; closed in order."""
    odd(lab, "silent", port=601)
    lab.python("clients.py", "log", "www.example.test", 601)


@case("tls12-body-cut-fin", "odd curl dnsmasq")
def _(lab):
    """TLS 1.2, the answer is cut by FIN without close_notify. Many servers end so with everything sent, and lengths
    are hidden: nothing can be said."""
    odd(lab, "tls-body", lab.path("www"), "fin", "tls12")
    lab.curl(URL, status=(18, 56))


@case("tls12-silent", "odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """TLS 1.2 handshake well, the request is acknowledged and never answered; curl gives up after 12 s."""
    odd(lab, "tls-body", lab.path("www"), "silent", "tls12")
    lab.curl("-m", "12", URL, status=28)


@case("tls13-silent", "odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """The same as tls12-silent with TLS 1.3 and a server that sends no session tickets: after the client's request
    no byte comes."""
    odd(lab, "tls-body", lab.path("www"), "silent", "no-tickets")
    lab.curl("-m", "12", URL, status=28)


@case("tls13-silent-with-tickets", "odd curl dnsmasq")
def _(lab):
    """The same as tls13-silent with session tickets, which cross the request: they look like a short answer, so
    nothing can be said."""
    odd(lab, "tls-body", lab.path("www"), "silent")
    lab.curl("-m", "12", URL, status=28)


# --- STARTTLS ---


@case("starttls-smtp", "odd openssl dnsmasq")
def _(lab):
    """SMTP, STARTTLS, TLS 1.3, QUIT."""
    lab.dnsmasq("--host-record=mail.example.test,192.0.2.80")
    lab.odd(25, "smtp", lab.path("www"))
    lab.capture()
    lab.s_client("-starttls", "smtp", "-crlf", "-ign_eof", feed="QUIT\n", host="mail.example.test", port=25)


@case("starttls-smtp-expired", "odd openssl dnsmasq", "broken tls_certificate_expired", "tls_certificate_expired")
def _(lab):
    """SMTP, STARTTLS, TLS 1.2 with an expired certificate, which the client refuses."""
    lab.dnsmasq("--host-record=mail.example.test,192.0.2.80")
    lab.odd(25, "smtp", lab.path("expired"))
    lab.capture()
    lab.s_client("-starttls", "smtp", "-tls1_2", "-verify_return_error", status=1, host="mail.example.test", port=25)


@case("starttls-smtp-refused", "odd curl dnsmasq")
def _(lab):
    """SMTP: STARTTLS is offered and then refused with 454; curl, which insists on TLS, closes. The server's goodbye
    meets a closed socket and is answered by RST, which is no fault. What 454 means in SMTP need not be known."""
    lab.dnsmasq("--host-record=mail.example.test,192.0.2.80")
    lab.odd(25, "smtp", lab.path("www"), "refuse")
    lab.capture()
    lab.client(
        "curl", "-sS", "--ssl-reqd", "--cacert", lab.path("ca.pem"), "smtp://mail.example.test/", "-m", "10", status=64
    )
