"""Real servers in a network's namespaces: nginx, dnsmasq, openssl s_server."""


def nginx(network, node, servers, cert, ports=(80,)):
    """Web server with these `server { }` blocks; `cert`: path of certificate and key without .pem and .key."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    conf = network.file(
        "nginx.conf",
        "daemon off; master_process off; worker_processes 1; error_log stderr warn;\n"
        f"pid {network.path('nginx.pid')};\nevents {{ }}\nhttp {{\n"
        "access_log off; default_type text/html;\n"
        + "".join(f"{kind}_temp_path {network.path('tmp-' + kind)};\n" for kind in kinds)
        + f"root {network.path('www')};\nssl_certificate {cert}.pem;\nssl_certificate_key {cert}.key;\n"
        + f"{servers}\n}}\n",
    )
    return network.start(node, "nginx", "-p", network.folder, "-c", conf, listen=ports)


def dnsmasq(network, node, zone, names, *options, addresses):
    """Name server, authoritative for the zone; any other name is refused. `names`: "NAME,ADDRESS[,ADDRESS6]"."""
    return network.start(
        node,
        "dnsmasq",
        "-k",
        "--no-resolv",
        "--no-hosts",
        "--no-daemon",
        "--user=root",
        "--group=",
        "--pid-file=",
        "--conf-file=/dev/null",
        f"--local=/{zone}/",
        "--bind-interfaces",
        *(f"--listen-address={address}" for address in addresses),
        "--except-interface=lo",
        *(f"--host-record={name}" for name in names),
        *options,
        ready="started, version",
    )


def s_server(network, node, cert, *options, port=443, www=True):
    """openssl s_server; with `www` it answers requests with a page."""
    command = ("openssl", "s_server", "-accept", str(port), "-cert", f"{cert}.pem", "-key", f"{cert}.key")
    return network.start(node, *command, *(("-www",) if www else ()), *options, listen=(port,))
