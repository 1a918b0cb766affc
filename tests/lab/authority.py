"""A certificate authority for tests: EC keys, made anew on every run, dates relative to today."""
import datetime

from net import run

CONFIG = """
[ca]
default_ca = main
[main]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
organizationName = optional
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
[leaf]
basicConstraints = CA:false
subjectAltName = {names}
"""


def stamp(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")


def key_and_request(folder, name, common_name):
    run(
        "openssl",
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        f"{folder}/{name}.key",
        "-out",
        f"{folder}/{name}.csr",
        "-subj",
        f"/O=Example Test/CN={common_name}",
    )


def issue(folder, name, issuer, common_name, names, first, last, section="leaf"):
    """NAME.pem and NAME.key; an issuer of the same name signs itself. Valid from and until: days from now."""
    config = f"{folder}/ca.cnf"
    open(f"{folder}/index", "a", encoding="ascii").close()
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(folder=folder, names=names))
    key_and_request(folder, name, common_name)
    who = (
        ["-selfsign", "-keyfile", f"{folder}/{name}.key"]
        if issuer == name
        else ["-cert", f"{folder}/{issuer}.pem", "-keyfile", f"{folder}/{issuer}.key"]
    )
    run(
        "openssl",
        "ca",
        "-batch",
        "-config",
        config,
        *who,
        "-in",
        f"{folder}/{name}.csr",
        "-out",
        f"{folder}/{name}.pem",
        "-notext",
        "-startdate",
        stamp(first),
        "-enddate",
        stamp(last),
        "-extensions",
        section,
    )


def join(folder, name, *parts):
    with open(f"{folder}/{name}", "w", encoding="ascii") as out:
        for part in parts:
            with open(f"{folder}/{part}", encoding="ascii") as file:
                out.write(file.read())
