"""Recorded cases: look-ups, and the choice between addresses."""
from cases import case, site
from recorder import CLIENT6, DNS, DNS2, WWW, WWW6

URL = "http://www.example.test/"
BOTH = (f"www.example.test,{WWW},{WWW6}",)


def page(lab, *options, **more):
    lab.dnsmasq(*options, **more)
    lab.nginx(site("location / { }"))


@case("dns-nxdomain", "dnsmasq curl", "broken dns_nxdomain")
def _(lab):
    """A name that does not exist; A and AAAA are asked."""
    lab.dnsmasq()
    lab.capture()
    lab.curl("http://wwww.example.test/", status=6)


@case("dns-servfail", "odd_dns curl", "broken dns_servfail")
def _(lab):
    """The resolver answers SERVFAIL, to the repeated question too."""
    lab.odd_dns("rcode", "2")
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-refused", "dnsmasq curl", "broken dns_refused")
def _(lab):
    """The resolver refuses a name that it does not serve."""
    lab.dnsmasq()
    lab.capture()
    lab.curl("http://www.example.invalid/", status=6)


@case("dns-no-data", "dnsmasq wget", "broken dns_no_data")
def _(lab):
    """The name has an A record only, and wget -6 asks for AAAA only."""
    lab.dnsmasq()
    lab.capture()
    lab.client("wget", "-6", "-q", "-O", "/dev/null", URL, status=4)


@case("dns-no-data-both", "dnsmasq curl", "broken dns_no_data")
def _(lab):
    """The name exists for mail only: no data for A and for AAAA."""
    lab.dnsmasq("--mx-host=note.example.test,www.example.test,10")
    lab.capture()
    lab.curl("http://note.example.test/", status=6)


@case("dns-no-answer", "nftables curl", "broken dns_no_answer")
def _(lab):
    """A firewall on the way drops the queries: no answer, two attempts of 5 s."""
    lab.filter("router", "forward", "udp dport 53 drop")
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-port-unreachable", "curl", "broken dns_no_answer")
def _(lab):
    """Nothing listens on the resolver's port 53: ICMP port unreachable."""
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-admin-prohibited", "nftables curl", "broken dns_no_answer")
def _(lab):
    """A firewall on the way rejects the queries: ICMP administratively prohibited, from the router."""
    lab.filter("router", "forward", "udp dport 53 reject with icmp type admin-prohibited")
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-cname-chain", "dnsmasq nginx curl")
def _(lab):
    """www is an alias of an alias of a name with an address."""
    page(
        lab,
        "--cname=www.example.test,edge.example.test",
        "--cname=edge.example.test,node7.example.test",
        names=(f"node7.example.test,{WWW}",),
    )
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-truncated-tcp", "dnsmasq nginx curl")
def _(lab):
    """40 addresses do not fit into 512 bytes: the answer over UDP is truncated and the client asks again over
    TCP."""
    addresses = [f"192.0.2.{100 + i}" for i in range(40)]
    for address in addresses:
        lab.ip("server", f"addr add {address}/24 dev eth0", check=False)
    page(lab, names=[f"many.example.test,{address}" for address in addresses])
    lab.capture()
    lab.curl("--fail", "http://many.example.test/")


@case("dns-truncated-tcp-refused", "dnsmasq nftables curl", "broken syn_refused", "syn_refused")
def _(lab):
    """As dns-truncated-tcp, but TCP port 53 is rejected on the way (RST): the look-up fails."""
    lab.dnsmasq(names=[f"many.example.test,192.0.2.{100 + i}" for i in range(40)])
    lab.filter("dns", "input", "tcp dport 53 reject with tcp reset")
    lab.capture()
    lab.client("dig", "+noedns", "+tries=1", "+time=3", "many.example.test", status=9)


@case("dns-search-list", "dnsmasq nginx curl")
def _(lab):
    """The short name www with the search list lab.example.test, corp.example.test, example.test: two NXDOMAIN, then
    success."""
    page(lab)
    lab.resolver(f"nameserver {DNS}", "search lab.example.test corp.example.test example.test")
    lab.capture()
    lab.curl("--fail", "http://www/")


@case("dns-search-list-all-fail", "dnsmasq curl", "broken dns_nxdomain")
def _(lab):
    """The search list of dns-search-list and a name that is nowhere: NXDOMAIN for all of them and for the bare
    name."""
    lab.dnsmasq("--domain-needed")
    lab.resolver(f"nameserver {DNS}", "search lab.example.test corp.example.test example.test")
    lab.capture()
    lab.curl("http://wwww/", status=6)


@case("dns-failover", "dnsmasq nftables nginx curl")
def _(lab):
    """The first resolver is silent (dropped on the way), the second answers after 2 s: it works, with a delay."""
    page(lab)
    lab.filter("router", "forward", f"ip daddr {DNS2} drop")
    lab.resolver(f"nameserver {DNS2}", f"nameserver {DNS}", "options timeout:2")
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-failover-refused", "dnsmasq nginx curl")
def _(lab):
    """The first resolver's port is closed (ICMP port unreachable), the second answers at once."""
    page(lab)
    lab.resolver(f"nameserver {DNS2}", f"nameserver {DNS}")
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-failover-servfail", "dnsmasq odd_dns nginx curl")
def _(lab):
    """The first resolver says SERVFAIL, the second answers at once."""
    lab.odd_dns("rcode", "2", address=DNS2)
    page(lab)
    lab.resolver(f"nameserver {DNS2}", f"nameserver {DNS}")
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-query-lost-once", "dnsmasq nftables nginx curl")
def _(lab):
    """The first pair of queries is lost, the repeated ones after 2 s are answered."""
    page(lab)
    lab.filter("router", "forward", "udp dport 53 numgen inc mod 100 < 2 drop")
    lab.resolver(f"nameserver {DNS}", "options timeout:2")
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-aaaa-silent", "odd_dns nginx curl")
def _(lab):
    """A resolver that answers A at once and never AAAA: the resolver library asks three times in 6 s, then curl
    connects with the A. The page comes 6 s late, because of the look-up."""
    lab.odd_dns("silent", "AAAA")
    lab.nginx(site("location / { }"))
    lab.resolver(f"nameserver {DNS}", "options timeout:2 attempts:2")
    lab.capture()
    lab.curl("--fail", URL)


@case("dns-aaaa-servfail", "odd_dns nginx curl")
def _(lab):
    """A resolver that answers A and says SERVFAIL to AAAA; the client goes on with the A."""
    lab.odd_dns("rcode", "2", "AAAA")
    lab.nginx(site("location / { }"))
    lab.capture()
    lab.curl("--fail", URL, status=(0, 6))


@case("dns-late", "odd_dns nginx curl")
def _(lab):
    """The resolver answers every query after 3 s, the client asks again after 2 s: each question is answered twice,
    and the last answers come when nobody waits for them (ICMP port unreachable from the client)."""
    lab.odd_dns("late", "3")
    lab.nginx(site("location / { }"))
    lab.resolver(f"nameserver {DNS}", "options timeout:2 attempts:3")
    lab.capture()
    lab.curl("--fail", URL)
    lab.client("sleep", "2")


@case("dns-dangling-cname", "odd_dns curl", "broken dns_nxdomain")
def _(lab):
    """www is an alias of a name that does not exist: CNAME and NXDOMAIN in one answer."""
    lab.odd_dns("dangling")
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-cname-without-address", "dnsmasq curl", "broken dns_no_data")
def _(lab):
    """www is an alias of a name that has no address: NOERROR and the CNAME alone."""
    lab.dnsmasq("--cname=www.example.test,gone.example.test", names=(f"shop.example.test,{WWW}",))
    lab.capture()
    lab.curl(URL, status=6)


@case("dns-then-refused", "dnsmasq curl", "broken syn_refused", "syn_refused")
def _(lab):
    """The look-up is well and nobody listens at port 80 of the address."""
    lab.dnsmasq()
    lab.capture()
    lab.curl(URL, status=7)


@case("dns-then-unanswered", "dnsmasq nftables curl", "broken syn_unanswered", "syn_unanswered")
def _(lab):
    """The look-up is well and a firewall drops the SYNs; curl gives up after 8 s."""
    lab.dnsmasq()
    lab.filter("router", "forward", "tcp dport 80 drop")
    lab.capture()
    lab.curl("-m", "8", URL, status=28)


@case("dns-dig", "dnsmasq dig", "unknown incomplete_capture")
def _(lab):
    """dig asks for several types (A, MX, TXT, SOA); no data for some is an answer, no connection follows, and so
    there is nothing to judge."""
    lab.dnsmasq("--mx-host=example.test,mail.example.test,10", "--txt-record=example.test,v=spf1 -all")
    lab.capture()
    lab.client("dig", "www.example.test", "A", "example.test", "MX", "example.test", "TXT", "www.example.test", "TXT")


@case("addresses-second-works", "odd_dns nginx curl", "ok", "syn_refused ok")
def _(lab):
    """A name with two addresses: the first refuses, the second serves the page. The client has what it wanted; one
    of the addresses is dead."""
    lab.odd_dns("addresses", "192.0.2.81", WWW)
    lab.nginx(f"server {{ listen {WWW}:80; location / {{ }} }}")
    lab.capture()
    lab.curl("--fail", URL)


@case("addresses-none-works", "odd_dns curl", "broken syn_refused", "syn_refused syn_refused")
def _(lab):
    """A name with two addresses, and both refuse."""
    lab.odd_dns("addresses", "192.0.2.81", WWW)
    lab.capture()
    lab.curl(URL, status=7)


@case("dual-stack", "dnsmasq nginx curl")
def _(lab):
    """A and AAAA; IPv6 is chosen and works."""
    page(lab, names=BOTH)
    lab.capture()
    lab.curl("--fail", URL)


@case("happy-eyeballs-v6-dropped", "dnsmasq nftables nginx curl", "ok", "incomplete_capture ok")
def _(lab):
    """A and AAAA; SYNs over IPv6 are dropped on the way. curl tries IPv4 200 ms later, gets the page and lets the
    other attempt go: the capture shows it for too short a time to call it unanswered."""
    page(lab, names=BOTH)
    lab.filter("router", "forward", "ip6 daddr 2001:db8:80::80 drop")
    lab.capture()
    lab.curl("--fail", URL)
    lab.client("sleep", "1")


@case(
    "happy-eyeballs-v6-dropped-long", "dnsmasq nftables odd curl", "degraded slow_server", "syn_unanswered slow_server"
)
def _(lab):
    """As happy-eyeballs-v6-dropped, and the answer over IPv4 takes 4 s."""
    lab.dnsmasq(names=BOTH)
    lab.odd(80, "slow", 4)
    lab.filter("router", "forward", "ip6 daddr 2001:db8:80::80 drop")
    lab.capture()
    lab.curl("--fail", URL)


@case("happy-eyeballs-v6-unreachable", "dnsmasq nftables nginx curl", "ok", "network_unreachable ok")
def _(lab):
    """A and AAAA; the router has no way for IPv6 (ICMPv6 no route). curl goes on with IPv4 at once."""
    page(lab, names=BOTH)
    lab.filter("router", "forward", "ip6 daddr 2001:db8:80::80 reject with icmpv6 type no-route")
    lab.capture()
    lab.curl("--fail", URL)


@case("happy-eyeballs-v6-refused", "dnsmasq nginx curl", "ok", "syn_refused ok")
def _(lab):
    """A and AAAA; the server listens on IPv4 only. curl is refused over IPv6 and goes on with IPv4."""
    lab.dnsmasq(names=BOTH)
    lab.nginx("server { listen 80; location / { } }")
    lab.capture()
    lab.curl("--fail", URL)


@case("happy-eyeballs-v6-slower", "dnsmasq nginx curl", "ok", "ok ok", network={"delay6": 0.25})
def _(lab):
    """A and AAAA; IPv6 has a round trip of 500 ms. curl starts IPv4 after 200 ms, which wins, and drops the IPv6
    attempt: its SYN-ACK is answered by RST. Nothing is wrong."""
    page(lab, names=BOTH)
    lab.ip(
        "client", "-6 neigh replace 2001:db8:1::1 lladdr 02:00:00:00:00:01 dev eth0 nud reachable"
    )  # or the SYN would wait for it
    lab.ip("router", f"-6 neigh replace {CLIENT6} lladdr 02:00:00:00:00:02 dev r0 nud reachable")
    lab.capture()
    lab.curl("--fail", URL)
    lab.client("sleep", "1")


@case("happy-eyeballs-both-broken", "dnsmasq nftables curl", "broken syn_unanswered", "syn_unanswered syn_unanswered")
def _(lab):
    """A and AAAA; SYNs of both families are dropped. curl gives up after 8 s."""
    lab.dnsmasq(names=BOTH)
    lab.filter("router", "forward", "tcp dport 80 drop")
    lab.capture()
    lab.curl("-m", "8", URL, status=28)


@case("dns-two-askers", "dnsmasq nginx curl", "ok", "ok ok")
def _(lab):
    """Two programs look the same name up at the same moment, each from its own port: two questions and two answers,
    and nobody asks twice."""
    page(lab)
    lab.capture()
    lab.client("sh", "-c", f"curl -sS -o /dev/null {URL} & curl -sS -o /dev/null {URL} & wait")
