"""Recorded cases: TLS handshakes, alerts, certificates."""
from cases import case, secure_site, site

URL = "https://www.example.test/"
GET = "GET / HTTP/1.0\r\n\r\n"


def openssl(lab, *options, **more):
    """A look-up service and openssl s_server, with the capture running."""
    lab.dnsmasq()
    lab.s_server(*options, **more)
    lab.capture()


def odd(lab, *behaviour, port=443):
    lab.dnsmasq()
    lab.odd(port, *behaviour)
    lab.capture()


# --- handshakes that are well ---

@case("tls-h2-tls12", "nginx curl dnsmasq")
def _(lab):
    """TLS 1.2 with ALPN h2."""
    lab.dnsmasq()
    lab.nginx(secure_site("location / { }", protocols="TLSv1.2", more="http2"), ports=(443,))
    lab.capture()
    lab.curl("--fail", URL)


@case("tls-resumed-ticket", "openssl dnsmasq")
def _(lab):
    """TLS 1.2: a whole handshake that gives a ticket, then an abbreviated one with it."""
    openssl(lab, "-tls1_2")
    lab.s_client("-sess_out", lab.path("session"), "-ign_eof", feed=GET)
    lab.s_client("-sess_in", lab.path("session"), "-ign_eof", feed=GET)


@case("tls-resumed-session-id", "openssl dnsmasq")
def _(lab):
    """TLS 1.2 without tickets: the second handshake is resumed by the session's id."""
    openssl(lab, "-tls1_2", "-no_ticket")
    lab.s_client("-sess_out", lab.path("session"), "-ign_eof", feed=GET)
    lab.s_client("-sess_in", lab.path("session"), "-ign_eof", feed=GET)


@case("tls13-resumed", "openssl dnsmasq")
def _(lab):
    """TLS 1.3: the second handshake uses a pre-shared key from the first."""
    openssl(lab)
    lab.s_client("-sess_out", lab.path("session"), "-ign_eof", feed=GET)
    lab.s_client("-sess_in", lab.path("session"), "-ign_eof", feed=GET)


@case("tls13-early-data", "openssl dnsmasq")
def _(lab):
    """TLS 1.3 with early data: application data from the client before the server has said anything."""
    openssl(lab, "-early_data", www=False)
    lab.file("early", "early words\n")
    base = f"openssl s_client -connect www.example.test:443 -CAfile {lab.path('ca.pem')}"
    lab.client("sh", "-c", f"sleep 0.5 | {base} -sess_out {lab.path('session')}")  # stays until the tickets are there
    lab.client("sh", "-c", f"sleep 0.5 | {base} -sess_in {lab.path('session')} -early_data {lab.path('early')}")


@case("tls13-hello-retry", "openssl dnsmasq")
def _(lab):
    """The server wants another group than the client offers a key for: HelloRetryRequest, a second ClientHello, and all is well."""
    openssl(lab, "-groups", "P-384")
    lab.s_client("-groups", "X25519:P-384", "-ign_eof", feed=GET)


@case("tls-gnutls", "gnutls nginx dnsmasq")
def _(lab):
    """GnuTLS as the client: another order of extensions."""
    lab.dnsmasq()
    lab.nginx(secure_site("location / { }"), ports=(443,))
    lab.capture()
    lab.client("gnutls-cli", "--x509cafile", lab.path("ca.pem"), "www.example.test", feed=GET)


@case("tls-split-hello", "openssl curl dnsmasq")
def _(lab):
    """The server announces an MSS of 200: the ClientHello comes in three segments (TLS 1.2)."""
    lab.ip("server", "route replace default via 192.0.2.1 advmss 200")
    openssl(lab, "-tls1_2")
    lab.curl(URL)


@case("tls-client-certificate", "openssl curl dnsmasq")
def _(lab):
    """The server asks for a client certificate (TLS 1.2) and gets a good one."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client.pem"), "--key", lab.path("client.key"), URL)


@case("tls-wildcard", "openssl curl dnsmasq")
def _(lab):
    """A certificate for *.example.test, asked for by www.example.test (TLS 1.2): it fits."""
    openssl(lab, "-tls1_2", cert="wildcard")
    lab.curl(URL)


@case("tls-address-no-sni", "openssl curl")
def _(lab):
    """https to an address: no server name, and a certificate for that address (TLS 1.2). It fits."""
    lab.s_server("-tls1_2", cert="address")
    lab.capture()
    lab.curl("https://192.0.2.80/")


@case("tls-no-certificate-psk", "openssl dnsmasq")
def _(lab):
    """TLS 1.2 with a pre-shared key and no certificate at all."""
    openssl(lab, "-tls1_2", "-psk", "0123456789abcdef", "-nocert", "-cipher", "PSK")
    lab.s_client("-tls1_2", "-psk", "0123456789abcdef", "-cipher", "PSK", "-ign_eof", feed=GET)


# --- alerts ---

@case("tls-alert-protocol-version", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client speaks TLS 1.1 at most, the server 1.2 at least: fatal protocol_version from the server."""
    openssl(lab, "-no_tls1_1", "-no_tls1")
    lab.s_client("-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0", status=1)


@case("tls-alert-protocol-version-client", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The server chooses TLS 1.2 and the client wants 1.3 at least: fatal protocol_version. The ClientHello offers 1.3 only."""
    openssl(lab, "-tls1_2")
    lab.s_client("-tls1_3", status=1)


@case("tls-alert-handshake-failure", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """TLS 1.2 without a cipher suite in common: fatal handshake_failure."""
    openssl(lab, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384")
    lab.s_client("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256", status=1)


@case("tls13-alert-no-group", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """TLS 1.3 without a group in common: fatal handshake_failure in the clear."""
    openssl(lab, "-tls1_3", "-groups", "P-384")
    lab.s_client("-tls1_3", "-groups", "X25519", status=1)


@case("tls-alert-certificate-required", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The server insists on a client certificate and curl has none, TLS 1.2: fatal handshake_failure after the client's flight."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl(URL, status=(35, 56))


@case("tls13-alert-certificate-required", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The same with TLS 1.3: the alert is encrypted and comes after the client believes the handshake done and has sent its request. The
    server sends one short record and closes; no answer."""
    openssl(lab, "-tls1_3", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl(URL, status=56)


@case("tls-alert-client-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client's certificate comes from an authority that the server does not know, TLS 1.2: fatal unknown_ca from the server."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client-unknown.pem"), "--key", lab.path("client-unknown.key"), URL, status=(35, 56))


@case("tls-alert-client-expired", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client's certificate has expired, TLS 1.2: fatal certificate_expired from the server. The server's own certificate is good."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client-expired.pem"), "--key", lab.path("client-expired.key"), URL, status=(35, 56, 60))


@case("tls-alert-decrypt-error", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The signature on the client's certificate is wrong, TLS 1.2: fatal decrypt_error from the server."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client-corrupt.pem"), "--key", lab.path("client-corrupt.key"), URL, status=(35, 56))


@case("tls-alert-bad-record-mac", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """TLS 1.2 with pre-shared keys that differ: the client's Finished cannot be read, fatal bad_record_mac from the server."""
    openssl(lab, "-tls1_2", "-psk", "0123456789abcdef", "-nocert", "-cipher", "PSK-AES128-CBC-SHA256")
    lab.s_client("-tls1_2", "-psk", "fedcba9876543210", "-cipher", "PSK-AES128-CBC-SHA256", status=1)


@case("tls-alert-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """curl does not know the authority of the server's certificate, TLS 1.2: fatal unknown_ca from the client. The certificate itself is
    good."""
    openssl(lab, "-tls1_2")
    lab.curl("--cacert", lab.path("stranger.pem"), URL, status=60)


@case("tls13-alert-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The same with TLS 1.3. The certificate is hidden, but OpenSSL's client sends this alert in the clear."""
    openssl(lab, "-tls1_3")
    lab.curl("--cacert", lab.path("stranger.pem"), URL, status=60)


@case("tls-alert-unknown-ca-at-server", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The same as tls-alert-unknown-ca, captured at the server."""
    lab.dnsmasq()
    lab.s_server("-tls1_2")
    lab.capture("server")
    lab.curl("--cacert", lab.path("stranger.pem"), URL, status=60)


@case("tls-missing-intermediate", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The server sends its certificate without the intermediate authority's (TLS 1.2); curl answers with fatal unknown_ca."""
    openssl(lab, "-tls1_2", cert="leaf")
    lab.curl(URL, status=60)


@case("tls-alert-unrecognized-name", "nginx curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """nginx rejects handshakes for names that it does not serve (ssl_reject_handshake): fatal unrecognized_name."""
    lab.dnsmasq()
    lab.nginx("server { listen 443 ssl default_server; ssl_reject_handshake on; }\n" + secure_site("location / { }", "shop.example.test"),
              ports=(443,))
    lab.capture()
    lab.curl(URL, status=35)


@case("tls-warning-unrecognized-name", "openssl dnsmasq")
def _(lab):
    """The server warns (level warning) that it does not know the name, and goes on with the handshake; the client does not mind."""
    openssl(lab, "-tls1_2", "-servername", "shop.example.test", "-cert2", lab.path("www.pem"), "-key2", lab.path("www.key"))
    lab.s_client("-servername", "www.example.test", "-ign_eof", feed=GET)


@case("tls-alert-no-alpn", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client offers http/1.1 only, the server h2 only: fatal no_application_protocol."""
    openssl(lab, "-alpn", "h2")
    lab.s_client("-alpn", "http/1.1", status=1)


@case("tls-alert-bad-certificate", "openssl dnsmasq", "broken tls_name_mismatch", "tls_name_mismatch")
def _(lab):
    """s_client that checks the name during the handshake (TLS 1.2) meets a certificate for another one: fatal bad_certificate."""
    openssl(lab, "-tls1_2", cert="other")
    lab.s_client("-verify_hostname", "www.example.test", "-verify_return_error", status=1)


@case("tls-alert-unexpected-message", "openssl clients dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """A client that sends application data in the middle of the handshake: fatal unexpected_message from the server."""
    openssl(lab, "-tls1_2")
    lab.python("clients.py", "unexpected", "www.example.test", 443)


@case("tls-close-notify", "openssl dnsmasq")
def _(lab):
    """TLS 1.2 handshake, no application data, closed by the client at once with close_notify: a port check, and nothing is wrong."""
    openssl(lab, "-tls1_2")
    lab.s_client()


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


@case("tls-future-refused", "openssl curl dnsmasq", "broken tls_certificate_not_yet_valid", "tls_certificate_not_yet_valid")
def _(lab):
    """TLS 1.2, the certificate will be valid in 30 days, curl sends a fatal alert."""
    openssl(lab, "-tls1_2", cert="future")
    lab.curl(URL, status=60)


@case("tls-future-accepted", "openssl curl dnsmasq", "degraded tls_certificate_not_yet_valid", "tls_certificate_not_yet_valid")
def _(lab):
    """TLS 1.2, the certificate will be valid in 30 days, curl -k takes it and gets the page."""
    openssl(lab, "-tls1_2", cert="future")
    lab.curl("-k", URL)


@case("tls-wrong-name-refused", "openssl curl dnsmasq", "broken tls_name_mismatch", "tls_name_mismatch")
def _(lab):
    """TLS 1.2, the certificate is for other.example.test. curl finishes the handshake, compares the name and closes without asking."""
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
    """TLS 1.3: the same as tls-expired-refused, but the certificate is not visible. The client's alert is: OpenSSL sends
    it in the clear."""
    openssl(lab, cert="expired")
    lab.curl(URL, status=60)


@case("tls13-expired-accepted", "openssl curl dnsmasq")
def _(lab):
    """TLS 1.3: the certificate has expired, curl -k takes it; nothing of that is visible."""
    openssl(lab, cert="expired")
    lab.curl("-k", URL)


@case("tls13-wrong-name-refused", "openssl curl dnsmasq")
def _(lab):
    """TLS 1.3, a certificate for another name. curl finishes the handshake, compares the name and closes without asking; the certificate
    is not visible, so that looks like tls-close-notify: nothing can be said."""
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
    lab.start("server", "gnutls-serv", "--port=443", "--http", f"--x509certfile={lab.path('www.pem')}", f"--x509keyfile={lab.path('www.key')}",
              listen=(443,))
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


@case("tls-stuck-in-server-flight", "openssl odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """The server's flight stops in the middle of the certificate (TLS 1.2) and nothing more comes; curl gives up after 12 s. This is not
    tls_no_server_hello, because the ServerHello has come."""
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
    """TLS 1.3, the answer is cut by RST after 12 kB. Whether it was whole is hidden; no server resets so after a whole answer, but a short
    last record (close_notify) is missing, and the client has not begun to close."""
    odd(lab, "tls-body", lab.path("www"), "rst")
    lab.curl(URL, status=56)


@case("tls12-idle-reset", "odd clients dnsmasq")
def _(lab):
    """TLS 1.2, the answer is whole; the client keeps the connection, and the server resets it after 3 s of idleness, without
    close_notify. Nothing was outstanding (http-idle-reset is the same without TLS); only the pause tells it from tls12-body-cut-rst."""
    odd(lab, "tls-body", lab.path("www"), "idle", "tls12")
    lab.python("clients.py", "hold", "www.example.test", 443, lab.path("ca.pem"), 4)


@case("tls-one-way-log", "odd clients dnsmasq")
def _(lab):
    """Syslog over TLS 1.2: a line every 2 s for 16 s, and the server has nothing to say, as the protocol wants it; closed in order."""
    odd(lab, "tls-body", lab.path("www"), "silent", "tls12", port=6514)
    lab.python("clients.py", "log", "www.example.test", 6514, lab.path("ca.pem"))


@case("tcp-one-way-log", "odd clients dnsmasq")
def _(lab):
    """Syslog over plain TCP: a line every 2 s for 16 s, and the server has nothing to say, as the protocol wants it; closed in order."""
    odd(lab, "silent", port=601)
    lab.python("clients.py", "log", "www.example.test", 601)


@case("tls12-body-cut-fin", "odd curl dnsmasq")
def _(lab):
    """TLS 1.2, the answer is cut by FIN without close_notify. Many servers end so with everything sent, and lengths are hidden: nothing
    can be said."""
    odd(lab, "tls-body", lab.path("www"), "fin", "tls12")
    lab.curl(URL, status=(18, 56))


@case("tls12-silent", "odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """TLS 1.2 handshake well, the request is acknowledged and never answered; curl gives up after 12 s."""
    odd(lab, "tls-body", lab.path("www"), "silent", "tls12")
    lab.curl("-m", "12", URL, status=28)


@case("tls13-silent", "odd curl dnsmasq", "broken server_silent", "server_silent")
def _(lab):
    """The same with TLS 1.3 and a server that sends no session tickets: after the client's request no byte comes."""
    odd(lab, "tls-body", lab.path("www"), "silent", "no-tickets")
    lab.curl("-m", "12", URL, status=28)


@case("tls13-silent-with-tickets", "odd curl dnsmasq")
def _(lab):
    """The same with session tickets, which cross the request: they look like a short answer, so nothing can be said."""
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
    """SMTP: STARTTLS is offered and then refused with 454; curl, which insists on TLS, closes. The server's goodbye meets a closed socket
    and is answered by RST, which is no fault. What 454 means in SMTP need not be known."""
    lab.dnsmasq("--host-record=mail.example.test,192.0.2.80")
    lab.odd(25, "smtp", lab.path("www"), "refuse")
    lab.capture()
    lab.client("curl", "-sS", "--ssl-reqd", "--cacert", lab.path("ca.pem"), "smtp://mail.example.test/", "-m", "10", status=64)
