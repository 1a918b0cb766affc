"""What is said on top of a connection that is well: names, redirects, statuses, TLS."""
from case import CURL, case, everywhere

REFUSED, NO_NAME, TLS_FAILED, TOO_MANY, NO_TRUST = 7, 6, 35, 47, 60
FOLLOW = CURL + ["-L", "--max-redirs", "6"]


def answers(text):
    """nginx with this for every page."""

    def start(lab):
        lab.name_server()
        lab.web(f"server {{ listen 80; listen [::]:80; location / {{ {text} }} }}", (80,))

    return start


def tls(*options):
    """openssl s_server with these options, and the name server."""

    def start(lab):
        lab.name_server()
        lab.s_server(*options)

    return start


for status in (500, 502, 504):
    case(
        f"http-{status}",
        f"the answer is a {status}",
        server=answers(f"return {status};"),
        client=[CURL + ["{url}"]],
        expect=everywhere("broken http_server_error"),
        check=False,
    )
for status in (400, 403, 410, 429):
    case(
        f"http-{status}",
        f"the answer is a {status}",
        server=answers(f"return {status};"),
        client=[CURL + ["{url}"]],
        expect=everywhere("degraded http_client_error"),
        check=False,
    )
case(
    "redirect-loop",
    "the page redirects to itself",
    server=answers("return 302 http://www.upc.edu/;"),
    client=[FOLLOW + ["{url}"]],
    status=TOO_MANY,
    expect=everywhere("broken redirect_loop"),
)
case(
    "redirect-to-closed",
    "the page redirects to a port where nothing listens",
    server=answers("return 302 http://www.upc.edu:81/;"),
    client=[FOLLOW + ["{url}"]],
    status=REFUSED,
    expect=everywhere("broken redirect_broken"),
)
case(
    "redirect-to-nowhere",
    "the page redirects to a name that does not exist",
    server=answers("return 302 http://nowhere.upc.edu/;"),
    client=[FOLLOW + ["{url}"]],
    status=NO_NAME,
    # over IPv6 the look-up has another address than the connection: whose redirect it follows is not known
    expect=everywhere("broken redirect_broken | broken dns_nxdomain"),
)
case(
    "resolver-closed",
    "no name server runs where the client asks",
    server=lambda lab: lab.web("server { listen 80; listen [::]:80; location / { } }", (80,)),
    client=[CURL + ["-m", "6", "{url}"]],
    status=NO_NAME,
    expect=everywhere("broken dns_no_answer"),
)
case(
    "tls-not-yet-valid",
    "the certificate is valid only from next month on",
    server=lambda lab: lab.serve("future"),
    client=[CURL + ["--tls-max", "1.2", "{https}"]],
    status=NO_TRUST,
    expect=everywhere("broken tls_certificate_not_yet_valid"),
)
case(
    "tls-old-server",
    "the server speaks TLS 1.2 only, the client 1.3",
    server=tls("-tls1_2"),
    client=[CURL + ["--tlsv1.3", "{https}"]],
    status=TLS_FAILED,
    expect=everywhere("broken tls_alert"),
)
case(
    "tls-no-cipher",
    "client and server have no cipher in common",
    server=tls("-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    client=[CURL + ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256", "{https}"]],
    status=TLS_FAILED,
    expect=everywhere("broken tls_alert"),
)
for state, cert, verdict in (("expired", "expired", "expired"), ("self-signed", "self", "self_signed"), ("wrong-name", "other", "name_mismatch")):
    code = f"tls_certificate_{verdict}" if verdict == "expired" else f"tls_{verdict}"
    case(
        f"tls-{state}-accepted",
        "the certificate is wrong and the client does not care",
        server=lambda lab, cert=cert: lab.serve(cert),
        client=[CURL + ["-k", "--tls-max", "1.2", "{https}ca"]],
        expect=everywhere(f"degraded {code}"),
        check=False,
    )
