"""Recorded cases: TLS handshakes, alerts, certificates."""
from cases import case, secure_site

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
    """The server wants another group than the client offers a key for: HelloRetryRequest, a second ClientHello, and
    all is well."""
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
    """The server chooses TLS 1.2 and the client wants 1.3 at least: fatal protocol_version. The ClientHello offers
    1.3 only."""
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
    """The server insists on a client certificate and curl has none, TLS 1.2: fatal handshake_failure after the
    client's flight."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl(URL, status=(35, 56))


@case("tls13-alert-certificate-required", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The same as tls-alert-certificate-required with TLS 1.3: the alert is encrypted and comes after the client
    believes the handshake done and has sent its request. The server sends one short record and closes; no
    answer."""
    openssl(lab, "-tls1_3", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl(URL, status=56)


@case("tls-alert-client-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client's certificate comes from an authority that the server does not know, TLS 1.2: fatal unknown_ca
    from the server."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client-unknown.pem"), "--key", lab.path("client-unknown.key"), URL, status=(35, 56))


@case("tls-alert-client-expired", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client's certificate has expired, TLS 1.2: fatal certificate_expired from the server. The server's own
    certificate is good."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl(
        "--cert", lab.path("client-expired.pem"), "--key", lab.path("client-expired.key"), URL, status=(35, 56, 60)
    )


@case("tls-alert-decrypt-error", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The signature on the client's certificate is wrong, TLS 1.2: fatal decrypt_error from the server."""
    openssl(lab, "-tls1_2", "-Verify", "1", "-verify_return_error", "-CAfile", lab.path("ca.pem"))
    lab.curl("--cert", lab.path("client-corrupt.pem"), "--key", lab.path("client-corrupt.key"), URL, status=(35, 56))


@case("tls-alert-bad-record-mac", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """TLS 1.2 with pre-shared keys that differ: the client's Finished cannot be read, fatal bad_record_mac from the
    server."""
    openssl(lab, "-tls1_2", "-psk", "0123456789abcdef", "-nocert", "-cipher", "PSK-AES128-CBC-SHA256")
    lab.s_client("-tls1_2", "-psk", "fedcba9876543210", "-cipher", "PSK-AES128-CBC-SHA256", status=1)


@case("tls-alert-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """curl does not know the authority of the server's certificate, TLS 1.2: fatal unknown_ca from the client. The
    certificate itself is good."""
    openssl(lab, "-tls1_2")
    lab.curl("--cacert", lab.path("stranger.pem"), URL, status=60)


@case("tls13-alert-unknown-ca", "openssl curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The same as tls-alert-unknown-ca with TLS 1.3. The certificate is hidden, but OpenSSL's client sends this
    alert in the clear."""
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
    """The server sends its certificate without the intermediate authority's (TLS 1.2); curl answers with fatal
    unknown_ca."""
    openssl(lab, "-tls1_2", cert="leaf")
    lab.curl(URL, status=60)


@case("tls-alert-unrecognized-name", "nginx curl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """nginx rejects handshakes for names that it does not serve (ssl_reject_handshake): fatal unrecognized_name."""
    lab.dnsmasq()
    lab.nginx(
        "server { listen 443 ssl default_server; ssl_reject_handshake on; }\n"
        + secure_site("location / { }", "shop.example.test"),
        ports=(443,),
    )
    lab.capture()
    lab.curl(URL, status=35)


@case("tls-warning-unrecognized-name", "openssl dnsmasq")
def _(lab):
    """The server warns (level warning) that it does not know the name, and goes on with the handshake; the client
    does not mind."""
    openssl(
        lab, "-tls1_2", "-servername", "shop.example.test", "-cert2", lab.path("www.pem"), "-key2", lab.path("www.key")
    )
    lab.s_client("-servername", "www.example.test", "-ign_eof", feed=GET)


@case("tls-alert-no-alpn", "openssl dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """The client offers http/1.1 only, the server h2 only: fatal no_application_protocol."""
    openssl(lab, "-alpn", "h2")
    lab.s_client("-alpn", "http/1.1", status=1)


@case("tls-alert-bad-certificate", "openssl dnsmasq", "broken tls_name_mismatch", "tls_name_mismatch")
def _(lab):
    """s_client that checks the name during the handshake (TLS 1.2) meets a certificate for another one: fatal
    bad_certificate."""
    openssl(lab, "-tls1_2", cert="other")
    lab.s_client("-verify_hostname", "www.example.test", "-verify_return_error", status=1)


@case("tls-alert-unexpected-message", "openssl clients dnsmasq", "broken tls_alert", "tls_alert")
def _(lab):
    """A client that sends application data in the middle of the handshake: fatal unexpected_message from the
    server."""
    openssl(lab, "-tls1_2")
    lab.python("clients.py", "unexpected", "www.example.test", 443)


@case("tls-close-notify", "openssl dnsmasq")
def _(lab):
    """TLS 1.2 handshake, no application data, closed by the client at once with close_notify: a port check, and
    nothing is wrong."""
    openssl(lab, "-tls1_2")
    lab.s_client()
