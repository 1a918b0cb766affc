"""The certificates of the recorded cases: made anew on every run."""
import os

from authority import issue, join
from net import run

WWW = "DNS:www.example.test,DNS:shop.example.test,DNS:api.example.test,DNS:mail.example.test"
ISSUED = (  # file, issuer, common name, subjectAltName, valid from and until in days from now
    ("www", "ca", "www.example.test", WWW, -30, 60),
    ("wildcard", "ca", "*.example.test", "DNS:*.example.test", -30, 60),
    ("address", "ca", "192.0.2.80", "IP:192.0.2.80", -30, 60),
    ("other", "ca", "other.example.test", "DNS:other.example.test,DNS:example.test", -30, 60),
    ("expired", "ca", "www.example.test", WWW, -400, -35),
    ("future", "ca", "www.example.test", WWW, 30, 120),
    ("leaf", "intermediate", "www.example.test", WWW, -30, 60),
    ("client", "ca", "alice", "email:alice@example.test", -30, 60),
    ("client-expired", "ca", "bob", "email:bob@example.test", -400, -35),
    ("client-unknown", "stranger", "mallory", "email:mallory@example.test", -30, 60),
)
PAGE_TIME = 1_700_000_000  # last change of the page


def corrupt(folder, name, source):
    """A client certificate whose signature is wrong in its last byte."""
    run("openssl", "x509", "-in", f"{folder}/{source}.pem", "-outform", "DER", "-out", f"{folder}/{name}.der")
    with open(f"{folder}/{name}.der", "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    run("openssl", "x509", "-inform", "DER", "-in", f"{folder}/{name}.der", "-out", f"{folder}/{name}.pem")


def make(folder):
    for name, common_name in (("ca", "Example Test CA"), ("stranger", "Unknown CA")):
        issue(folder, name, name, common_name, "DNS:unused.test", -300, 3000, "authority")
    issue(folder, "intermediate", "ca", "Example Test Intermediate", "DNS:unused.test", -300, 3000, "authority")
    for name, issuer, common_name, names, first, last in ISSUED:
        issue(folder, name, issuer, common_name, names, first, last)
    issue(folder, "self", "self", "www.example.test", WWW, -30, 300)
    join(folder, "chain.pem", "leaf.pem", "intermediate.pem")
    join(folder, "chain.key", "leaf.key")
    corrupt(folder, "client-corrupt", "client")
    join(folder, "client-corrupt.key", "client.key")
    os.makedirs(f"{folder}/www/new", exist_ok=True)
    page = "<!doctype html>\n<title>Example</title>\n" + "".join(
        f"<p>Line {i} of the page that everybody asks for.</p>\n" for i in range(40)
    )
    for path in ("index.html", "new/index.html"):
        with open(f"{folder}/www/{path}", "w", encoding="ascii") as file:
            file.write(page)
        os.utime(f"{folder}/www/{path}", (PAGE_TIME, PAGE_TIME))
