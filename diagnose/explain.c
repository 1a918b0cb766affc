#include "diagnose/explain.h"

#include <stddef.h>

/* clang-format off */
static const struct explanation explanations[CODES] = {
    [CODE_OK] = {
        "The connection was opened, used or closed, and no rule has anything to say of it.",
        "A fault that leaves no trace in packets: a wrong page, a slow program behind a fast first byte.",
        NULL, NULL },
    [CODE_INCOMPLETE_CAPTURE] = {
        "One direction is missing, or the capture begins after the connection or ends before its outcome, and what is there is in order.",
        "Any trouble whatever: this capture does not hold what would tell.",
        "Capture with `tcpsleuth -i any host SERVER`, begin before the client does, and stop some seconds after it failed.",
        "Capture on the host itself rather than on a mirror port that may see one direction only." },
    [CODE_DEVICE_MISSING] = {
        "`check` finds no network controller on PCI or USB and no interface but the loopback.",
        "A container or namespace without a card of its own has virtual interfaces, which is told and no fault.",
        "`lspci | grep -i -e Ethernet -e Wireless`, `lsusb`: what do the buses see? Put a card in, or enable it in the firmware's set-up; in a virtual machine, attach one.",
        "The same on the server." },
    [CODE_DRIVER_MISSING] = {
        "A network controller is on PCI or USB and no driver of the kernel has taken it; degraded where another interface works.",
        "A card that is handed to a virtual machine (vfio-pci) has a driver, which is that one.",
        "`lspci -k -s SLOT` names the modules that know it; `modprobe MODULE`; `apt install` the package with the driver or its firmware; `dmesg | grep -i firmware`.",
        "The same on the server." },
    [CODE_RADIO_BLOCKED] = {
        "A radio for Wi-Fi or mobile data is blocked, by software (soft) or by a switch (hard), in /sys/class/rfkill; degraded where a wired interface works.",
        "A radio that is not blocked and has no access point is wifi_not_associated.",
        "`rfkill list`, `rfkill unblock wlan`; a hard block is a switch, a key or the firmware's set-up.",
        NULL },
    [CODE_WIFI_NOT_ASSOCIATED] = {
        "A Wi-Fi interface is up, has no carrier, and nl80211 names no access point that has taken it.",
        "A wrong key: the association comes and goes; the log of wpa_supplicant says so.",
        "`iw dev IFACE scan | grep SSID`, `wpa_cli status`, `journalctl -u wpa_supplicant`; `nmcli device wifi connect SSID`.",
        NULL },
    [CODE_INTERFACE_DOWN] = {
        "None of the interfaces that the way leads over works, and this one was not brought up (no flag UP).",
        "An interface that is up and has no carrier is no_carrier.",
        "`ip link set IFACE up`; for good in /etc/network/interfaces (`auto IFACE`), NetworkManager or systemd-networkd.",
        "The same on the server." },
    [CODE_NO_CARRIER] = {
        "None of the interfaces that the way leads over works, and this one is up without a carrier.",
        "A peer that is switched off looks like a cable that is out.",
        "The cable at both ends, the lights of the port, another cable, another port; `ethtool IFACE` (Link detected).",
        "The same on the server; in a virtual machine the bridge or switch that it is attached to." },
    [CODE_INTERFACE_ERRORS] = {
        "Between the beginning and the end of `check` the interface counted errors, drops or changes of its carrier.",
        "Old errors may be years old: only what grows is told.",
        "`ip -s -s link show IFACE`, `ethtool -S IFACE`; another cable; the duplex of both ends (`ethtool IFACE`).",
        "The same on the server; `ethtool -g IFACE` where frames are missed: the ring is too small." },
    [CODE_NO_ADDRESS] = {
        "No interface that works has an address of a family that the target has, of more than link scope, neither tentative nor failed.",
        "An address on an interface without carrier is there and of no use: the link is told first.",
        "`ip -br addr`; `ifup IFACE`, `dhclient IFACE`, or `ip address add ADDRESS/LENGTH dev IFACE`; `journalctl -u networking`.",
        "The same on the server." },
    [CODE_ADDRESS_CONFLICT] = {
        "The kernel's duplicate address detection failed for an address of this host (flag dadfailed); degraded where another address of that family is usable. In a capture: two hardware addresses answer for the address, and the RST that ends a connection has another TTL than that connection's packets.",
        "IPv4 has no such detection in the kernel: two hosts with one address show by the neighbour's hardware address, which changes. An address that moves to a standby (VRRP, keepalived) changes it, too, once, and resets what was open.",
        "`ip -6 addr show dadfailed`; give one of the two hosts another address; `arping -D -I IFACE ADDRESS` asks for IPv4.",
        "The same on the server." },
    [CODE_NO_DEFAULT_ROUTE] = {
        "The tables have no default route of a family that the target has, or the first one leads over an interface that does not work; the target is on no link and no other route leads there.",
        "A policy rule that looks into another table: then the kernel finds a way, and nothing is accused.",
        "`ip route`; `ip route add default via GATEWAY dev IFACE`; the DHCP server's router option.",
        "The same on the server: without it answers do not leave." },
    [CODE_GATEWAY_UNANSWERED] = {
        "An echo was sent to the next hop, the kernel asked for its hardware address, and the neighbour entry is failed or still incomplete after 3.5 s.",
        "A gateway that answers no echo is no fault: its neighbour entry counts.",
        "`ip neigh show GATEWAY`, `ip route`: the right address, the right interface? The netmask (`ip -br addr`), the VLAN, the Wi-Fi network.",
        "Is the router up, and does it answer ARP on this network (`tcpdump -ni IFACE arp`)?" },
    [CODE_NO_ROUTE] = {
        "The kernel, asked for the way to the address, answers that there is none, or that a route or rule says unreachable, prohibit or blackhole; degraded where another address of the target has a way.",
        "A rule by user, mark or interface may decide otherwise for other programs.",
        "`ip route get ADDRESS`, `ip rule`, `ip route show table all match ADDRESS`: take out or add the route.",
        NULL },
    [CODE_DNS_DISAGREE] = {
        "Each resolver was asked on its own: one has an address and another one none, or one answers with an unspecified or loopback address; or /etc/hosts has an address that no resolver has.",
        "Different addresses alone are no fault (load balancing, nearer servers), nor is a name that only an inner resolver knows, if it is meant so.",
        "`dig @RESOLVER NAME` for each `nameserver` of /etc/resolv.conf; `getent hosts NAME`, `grep NAME /etc/hosts`: take out the one that is wrong.",
        "Are all servers of the zone on the same serial: `dig +nssearch ZONE`?" },
    [CODE_FIREWALL_DROPS] = {
        "This host's own ruleset, walked for the packets of the handshake, drops or rejects one of them, and the connection fails; or the network answers and the kernel never hears of it. detail.rule, detail.handle and detail.hook name the rule.",
        "A filter on the way: then this ruleset lets all pass. A rule that hangs on a rate, a mark or a user is told and not believed; of iptables-legacy the filter tables are walked, no others.",
        "`nft -a list ruleset`: let the traffic pass before the rule (`nft insert rule FAMILY TABLE CHAIN position HANDLE ... accept`), or delete it (`nft delete rule FAMILY TABLE CHAIN handle HANDLE`).",
        "The same on the server, on the hook input." },
    [CODE_CONNTRACK_FULL] = {
        "/proc/sys/net/netfilter/nf_conntrack_count has reached nf_conntrack_max.",
        "A table that is nearly full drops now and then: the counters in /proc/net/stat/nf_conntrack tell.",
        "`sysctl -w net.netfilter.nf_conntrack_max=N`; `conntrack -L | awk '{print $5}' | sort | uniq -c | sort -n`: who opens so many?",
        "The same on the server and on each firewall between." },
    [CODE_PORTS_EXHAUSTED] = {
        "As many sockets go to this port of the target as net.ipv4.ip_local_port_range has ports, TIME-WAIT included, and the kernel does not connect.",
        "A proxy or NAT on the way may run out of ports, too: there this host has plenty.",
        "`ss -tan dst ADDRESS | awk '{print $1}' | sort | uniq -c`: reuse connections (keep-alive, a pool); `sysctl -w net.ipv4.ip_local_port_range='10240 65535'`, `sysctl -w net.ipv4.tcp_tw_reuse=1`.",
        "More than one address or port to connect to." },
    [CODE_NOT_LISTENING] = {
        "None of the kernel's listening sockets has the port.",
        "A container publishes a port by rules of address translation alone, without a socket (docker without its proxy): `nft list ruleset` shows it.",
        NULL,
        "`ss -ltnp`; `systemctl status SERVICE`; the port in its configuration; `journalctl -u SERVICE -e` says why it does not come up (port in use, no right)." },
    [CODE_LISTENING_LOCALLY_ONLY] = {
        "All listening sockets of the port have a loopback address.",
        "Behind a proxy on the same host it is meant so: then clients use the proxy's port.",
        NULL,
        "The address in the service's configuration (listen, bind, bind-address): 0.0.0.0 and [::], or the address that clients use; then restart it." },
    [CODE_PROCESS_MISSING] = {
        "A socket listens on the port and no process of /proc holds it, though all could be looked into.",
        "systemd holds sockets for services that start on demand, and then is that process; another PID namespace is not seen.",
        NULL,
        "`systemctl list-sockets`, `ss -ltnpe`, `lsns -t pid`: who made it?" },
    [CODE_UNIT_FAILED] = {
        "systemd says that the unit of the process, or one that usually holds the port where nobody does, is failed or not active.",
        "A program that was started by hand has no unit.",
        NULL,
        "`systemctl status UNIT`, `journalctl -u UNIT -e`; correct the cause; `systemctl restart UNIT`, `systemctl enable UNIT`." },
    [CODE_CLOCK_WRONG] = {
        "The certificate's dates do not hold by this host's clock, and the server's own clock (the Date header) is a day or more away.",
        "The server's clock may be the wrong one: compare with a third.",
        "`timedatectl`, `timedatectl set-ntp true`, `date -s ...`; a battery that is empty.",
        "`timedatectl` on the server." },
    [CODE_CAPTIVE_PORTAL] = {
        "The request is answered with the status 511, or the redirect of a public name leads to a private address.",
        "A name with an inner and an outer address (split DNS) may lead to a private address on purpose.",
        "Open the address that it leads to in a browser and log in.",
        NULL },
    [CODE_NEIGHBOR_UNANSWERED] = {
        "ARP requests or neighbour solicitations for one address, asked and asked again without an answer, by a host that was seen to send other packets.",
        "A capture that sees requests (they are broadcast) and not the answers (which are not): a switch port that is not mirrored. It is told apart by other answers that are in the capture.",
        "`ip route get SERVER` names the next hop, `ip neigh` its state (FAILED, INCOMPLETE); `ip -br link` and the cable or access point; then the address and the netmask (`ip -br addr`).",
        "`ip -br addr` on the host or router that should own the address: it is down, has another address, or sits in another VLAN." },
    [CODE_DNS_NXDOMAIN] = {
        "The look-up that a connection should have begun with was answered NXDOMAIN, for every name of the search list and every family that was asked for.",
        "A resolver that serves another view of the zone (split DNS): ask the resolver of the place where it works.",
        "`dig NAME`, then `dig @1.1.1.1 NAME` or another resolver; the spelling; `search` in /etc/resolv.conf.",
        "`dig @AUTHORITATIVE-SERVER NAME`: is the record in the zone, and was its serial number raised?" },
    [CODE_DNS_SERVFAIL] = {
        "SERVFAIL, for every name and family that was asked for.",
        "A resolver that is cut off from the world answers like one whose zone is broken: other names tell.",
        "`dig NAME` and `dig +cd NAME`: where only the second works, DNSSEC validation fails; `dig another.example` tells whether it fails for all.",
        "`delv NAME` or `dig +trace +dnssec NAME`: expired signatures, a DS record that matches no key, name servers that do not answer." },
    [CODE_DNS_REFUSED] = {
        "REFUSED, for every name and family that was asked for.",
        "A server that is authoritative only and no resolver: it refuses all names but those of its zones.",
        "The `nameserver` lines of /etc/resolv.conf: this one does not serve this network.",
        "`allow-query` and `allow-recursion` (or the access-control of the server in use) and the client's network." },
    [CODE_DNS_NO_DATA] = {
        "NOERROR without an address of any family that was asked for, also at the end of a CNAME chain.",
        "A client that asks for one family only: the name may have addresses of the other.",
        "`dig NAME A` and `dig NAME AAAA`; a program that is bound to one family (`curl -4`, `curl -6`).",
        "Add the record that is missing, or correct the target of the CNAME." },
    [CODE_DNS_NO_ANSWER] = {
        "Queries without an answer of any server that was asked, repeated or followed by 3 s of capture; an ICMP error that answers the query is in the detail. An answer from another address than was asked is none (RFC 5452).",
        "A capture that does not see the answers (another interface, one direction): then nothing that this resolver answered is in it, which is looked at.",
        "`dig @RESOLVER NAME` for each `nameserver` of /etc/resolv.conf; `ping RESOLVER`; `nft list ruleset` for a rule that drops port 53.",
        "`ss -lun 'sport = :53'` on the resolver: does it listen on that address? Then its firewall, for UDP and TCP port 53." },
    [CODE_NETWORK_UNREACHABLE] = {
        "ICMP type 3 code 0, 6, 8 or 11, or ICMPv6 type 1 code 0 or 2, that quotes a SYN of the attempt, or one that answers data which nobody else answered.",
        "A host without a route to that network says so itself, without any packet: then nothing is in the capture.",
        "`ip route get SERVER`; `tcpsleuth probe SERVER` shows the hops up to the one that says so.",
        "The routing table of detail.icmp_from: `ip route get CLIENT` and `ip route get SERVER` there." },
    [CODE_HOST_UNREACHABLE] = {
        "ICMP type 3 code 1, 5, 7 or 12, or ICMPv6 type 1 code 3, that quotes a SYN of the attempt, or one that answers data which nobody else answered.",
        "Some firewalls reject with this code. A router says it after it asked for the host on its link in vain, about 3 s after the SYN; a filter at once.",
        "The address itself (`dig NAME`); another host of the same network (`ping`).",
        "Is the server up (`ip -br link`, `ip -br addr`) and on the network of detail.icmp_from? There, `ip neigh show SERVER` says FAILED." },
    [CODE_ADMIN_PROHIBITED] = {
        "ICMP type 3 code 9, 10, 13, 14 or 15, or ICMPv6 type 1 code 1, 5 or 6, that quotes a packet of the connection.",
        "Nothing: a filter says of itself that it is one.",
        "Ask the owner of detail.icmp_from; if it is this host or its gateway: `nft list ruleset`, `iptables -S`.",
        "`nft list ruleset` on detail.icmp_from: the rule with `reject with icmpx type admin-prohibited` that this traffic meets." },
    [CODE_PORT_UNREACHABLE] = {
        "ICMP type 3 code 2 or 3, or ICMPv6 type 1 code 4, that quotes a SYN. TCP answers a closed port with a RST, so this is a filter: `reject` of iptables does so unless told otherwise.",
        "A closed UDP port, which is no TCP connection.",
        NULL,
        "`iptables -S` or `nft list ruleset` on detail.icmp_from: the rule with REJECT; allow the port above it." },
    [CODE_TTL_EXCEEDED] = {
        "ICMP type 11 code 0, or ICMPv6 type 3 code 0, that quotes a packet of the connection.",
        "A traceroute that somebody runs: its packets have small TTLs on purpose.",
        "`tcpsleuth probe SERVER`: addresses that repeat are the loop.",
        "`ip route get SERVER` on the two routers that send to each other: one of the routes is wrong." },
    [CODE_SYN_UNANSWERED] = {
        "SYNs without any answer: neither SYN-ACK nor RST nor ICMP. Two of them are enough; a single one needs 3 s of capture behind it. Linux tries after 1, 3, 7, 15, 31 s.",
        "The answer comes back another way, past the capture; the server is gone but nobody says so; its SYN queue is full. A capture at the server, or a probe with growing TTLs, tells the place.",
        "`tcpsleuth probe SERVER:PORT` finds the hop behind which SYNs vanish and whether a ping gets further; `nft list ruleset` for an output rule of your own.",
        "`tcpdump -ni any tcp port PORT` while the client tries: nothing arrives: a filter before you; SYNs arrive: `nft list ruleset`, `ss -ltn`, `nstat -az TcpExtListenDrops`, and a return route (`ip route get CLIENT`)." },
    [CODE_SYN_REFUSED_BY_MIDDLEBOX] = {
        "A RST answers the SYN, and its TTL is more than 2 off that of the SYN-ACKs that the same server sends to other connections.",
        "Several servers behind one address (a load balancer) stand at different distances.",
        "`tcpsleuth probe SERVER:PORT`: the hop at the distance of the RST is the one that refuses.",
        "`nft list ruleset` on the firewall before the server: a rule with `reject with tcp reset` for this port." },
    [CODE_PORT_REUSE_REFUSED] = {
        "A SYN between the same addresses and ports within 4 minutes of a connection that the server had closed first, answered with an ACK of the old connection or a RST.",
        "A half-open connection: the server kept the old one after the client had crashed. There no FIN was seen.",
        "Do not bind to a fixed source port; a NAT on the way that hands out the same port too soon needs more ports or addresses.",
        "`sysctl net.ipv4.tcp_timestamps` (1 lets a newer time stamp take over the pair), `ss -tn state time-wait`; let the client close first." },
    [CODE_SYN_REFUSED] = {
        "A RST answers the SYN and acknowledges it, and nothing says that it is not the server's own.",
        "A firewall that rejects with a RST looks alike when it stands near the server: the RST's TTL (detail.rst_ttl) against a connection that works tells.",
        "The port number and the address: `dig NAME`, the URL. `tcpsleuth probe SERVER:PORT` compares the RST with other answers of the server.",
        "`ss -ltnp`: nobody listens on the port, or on 127.0.0.1 only; `systemctl status SERVICE`, `journalctl -u SERVICE`." },
    [CODE_ACCEPT_QUEUE_FULL] = {
        "The client's ACK and its data are in the capture, the data is never acknowledged, and the server goes on sending its SYN-ACK; or, with SYN cookies, says nothing more (told only where the capture is at the server, where the data have arrived).",
        "Seen at the client the ACK may be lost on the way (handshake_unfinished is then in detail.alternatives). TCP_DEFER_ACCEPT repeats SYN-ACKs too, but takes data at once. A filter of the server's own that drops the data (firewall_drops).",
        "None: try again later; a client that retries at once makes it worse.",
        "`ss -ltn`: Recv-Q has reached Send-Q on the listening socket; `nstat -az TcpExtListenOverflows TcpExtListenDrops` grow; raise the program's backlog and `net.core.somaxconn`, or look why it does not accept." },
    [CODE_HANDSHAKE_UNFINISHED] = {
        "The SYN-ACK is sent twice or more and no ACK of it is in the capture.",
        "A scanner or a SYN flood, whose clients never answer; a client that is shut down. A capture at the client tells whether the SYN-ACK arrives.",
        "`tcpsleuth -i any host SERVER` on the client: no SYN-ACK there: it is lost on the way back; there: `nft list ruleset` for a rule that drops it.",
        "`ip route get CLIENT`: do answers take another way, through a firewall that has not seen the SYN? `ss -tn state syn-recv` counts the half-open." },
    [CODE_IDLE_EXPIRED] = {
        "A connection that had worked is quiet for 15 s or more; the next packet, or a keep-alive, is repeated without answer or answered with a RST.",
        "The server was restarted in the meantime (a RST from its own distance); the path died just then. A connection that is idle for less and lives tells the bound.",
        "Keep-alives: `ServerAliveInterval` of ssh, `SO_KEEPALIVE` with `sysctl net.ipv4.tcp_keepalive_time` below the bound (detail.idle), or a pool that drops idle connections sooner.",
        "The idle time-out of the NAT, firewall or load balancer on the way: `sysctl net.netfilter.nf_conntrack_tcp_timeout_established`, 350 s on some load balancers." },
    [CODE_RESET_INJECTED] = {
        "The RST comes from another distance than the other packets of its sender (TTL more than 2 off, or by less where all others came with one TTL), or its sender's own RST follows with its usual TTL, or sooner after the data it acknowledges than half the round trip, or its sender goes on sending or closes in order later.",
        "A host that uses another TTL for RSTs; a load balancer that answers for a server; a route that changed just then, where it is one or two hops (reset_by_* is then in detail.alternatives). Grounds are given in the sentence; two of them are worth more than one.",
        "`tcpsleuth -i any host SERVER` with probes joined in names the hop at the RST's distance; try another port, another name (SNI), a VPN.",
        "Capture at the server: the RST that the client got was never sent there, and one with the client's address arrives. The log of the firewall or IPS between." },
    [CODE_PMTU_IGNORED] = {
        "ICMP fragmentation-needed or packet-too-big that quotes this connection arrives where the capture is, and its sender goes on with segments of that size.",
        "The capture sees the ICMP and the sender does not: it stands before a firewall that drops ICMP.",
        "If the client is the sender: `ip route get SERVER` shows the MTU that the kernel learned; `nft list ruleset` for an input rule that drops ICMP; `ip link set dev IFACE mtu MTU` works around it.",
        "The same where the server is the sender (`ip route get CLIENT`); `sysctl net.ipv4.ip_no_pmtu_disc`; a load balancer that does not pass ICMP to the right server." },
    [CODE_PMTU_BLACKHOLE] = {
        "At the sender: one full-size segment repeated three times or more without ACK while smaller ones pass, and no ICMP in the capture. At the receiver: a hole of full-size segments that is not filled for 3 s while smaller ones arrive, or that only the numbers of later packets without data count.",
        "A dead path: there small packets stay without answer, too. A segment above the MSS is offload, and its real size is not in the capture.",
        "`tcpsleuth probe SERVER` measures the path MTU and names the hop; as a remedy `ip link set dev IFACE mtu 1400`, or `ip route replace SERVER via GATEWAY mtu 1400`.",
        "Let ICMP type 3 code 4 and ICMPv6 type 2 through every filter; on the router before the narrow link: `nft add rule inet filter forward tcp flags syn tcp option maxseg size set rt mtu`; `sysctl net.ipv4.tcp_mtu_probing=1`." },
    [CODE_PATH_WENT_DEAD] = {
        "In an established connection data is repeated twice or more, or three keep-alives or window probes are sent, whatever their size, and nothing comes back until the end; or three times or more in a second or longer, and the other end, which is still heard, acknowledges none of it.",
        "The other host crashed or lost power; a link on the way failed; a firewall lost its state. Another connection to the same host at the same time tells.",
        "`ping SERVER`, `tcpsleuth probe SERVER:PORT`: does the path live now, and for a new connection?",
        "`uptime`, `journalctl -b -1 -e`, `ip -s link`, the log of the routers and firewalls at that second." },
    [CODE_ZERO_WINDOW_STALL] = {
        "A side announces a window of zero and keeps it for 0.5 s or more while the other has data to send: it probes, or sends at once when it opens. Broken where it never opens again.",
        "A window that is small but not zero slows down as well; it is not this. Nor is one that the last byte of an answer filled: nothing waits for it.",
        "Where the client is the receiver: what does the program wait for (disk, a dialogue, a slow consumer)? `ss -tnm` shows its receive queue.",
        "The same on the server: `ss -tnm dst CLIENT` (Recv-Q full), `strace -p PID`, the load of the host." },
    [CODE_RESET_BY_SERVER] = {
        "The server sends a RST in an established connection while a request is not answered, an answer not complete or data not acknowledged.",
        "A RST that somebody forged in the server's name: it would come from another distance (reset_injected). A RST after everything was said is no break.",
        "Is it every time, and after how long? A limit of the service (size, time) looks so; repeat with `curl -v`.",
        "`journalctl -u SERVICE` at that second; `coredumpctl`; time-outs and limits in the service's configuration; a proxy or load balancer in front." },
    [CODE_RESET_BY_CLIENT] = {
        "The client sends a RST in an established connection while it was sending, or an answer was on its way.",
        "A browser that closes a tab, or a program with SO_LINGER 0, after everything was answered: that is no break and not told.",
        "The client program's own time-out or crash: its log, `coredumpctl`.",
        "How long did the client wait (the time before the RST)? An answer that takes longer than its patience is the server's matter." },
    [CODE_TLS_CERTIFICATE_EXPIRED] = {
        "The leaf certificate that travelled in clear (TLS 1.2 and older) ended before the time of the capture. Degraded where the client went on all the same.",
        "A client or capture with a wrong clock.",
        "`date`; then `openssl s_client -connect SERVER:443 -servername NAME </dev/null | openssl x509 -noout -dates`.",
        "Renew it and reload the service (`systemctl reload nginx`); `systemctl list-timers` shows whether the renewal runs (certbot)." },
    [CODE_TLS_CERTIFICATE_NOT_YET_VALID] = {
        "The leaf certificate that travelled in clear begins after the time of the capture.",
        "A client whose clock is slow: other certificates would be refused, too.",
        "`date`, `timedatectl`: is the clock synchronised?",
        "The clock of the host that issued it; `openssl x509 -noout -dates -in CERT`." },
    [CODE_TLS_NAME_MISMATCH] = {
        "None of the names in the certificate that travelled in clear is the one that the client asked for (SNI).",
        "A client that sends no SNI and gets the default certificate: then nothing can be compared and nothing is said.",
        "The name in the URL; `openssl s_client -connect SERVER:443 -servername NAME </dev/null | openssl x509 -noout -ext subjectAltName`.",
        "The virtual host for that name and its certificate; a default host that answers for all names." },
    [CODE_TLS_SELF_SIGNED] = {
        "The certificate that travelled in clear is signed by its own key.",
        "A private authority: then issuer and subject differ, and only the client knows whether it trusts it (the alert unknown_ca).",
        "Install it in the trust store if you know it (/usr/local/share/ca-certificates, `update-ca-certificates`).",
        "Get one from an authority that the clients trust." },
    [CODE_TLS_NOT_SPOKEN] = {
        "The first bytes that answer a ClientHello are no TLS record.",
        "A proxy or captive portal that answers in plain text.",
        "The scheme and port: http instead of https, or the other port. `curl -v http://SERVER:PORT/` shows what answers.",
        "`listen 443 ssl` (nginx), `SSLEngine on` (Apache): is TLS on for that port?" },
    [CODE_TLS_ALERT] = {
        "A fatal alert in clear ends the handshake; detail.alert is its name and detail.from who sent it. In TLS 1.3 most alerts are encrypted and only their place shows.",
        "An alert that a visible certificate explains is told as the certificate's code.",
        "From the server: protocol_version or handshake_failure: versions, ciphers (`openssl s_client -tls1_2`); unrecognized_name: the name. From the client: unknown_ca: its trust store.",
        "`openssl s_client -connect localhost:443 -servername NAME`; ssl_protocols and ssl_ciphers; the chain that is sent (`-showcerts`)." },
    [CODE_TLS_NO_SERVER_HELLO] = {
        "The ClientHello is acknowledged and no byte comes back for 10 s, or until the client gives up.",
        "A service on that port that waits for another protocol; a ClientHello of more than one segment whose second part is dropped (detail.client_hello_bytes): then it is not acknowledged.",
        "`curl -v https://SERVER/` from elsewhere; with another name (`--connect-to`): a filter by name looks so.",
        "`ss -tnp dst CLIENT` and the service's threads: does it hang before TLS? `openssl s_client -connect localhost:443`." },
    [CODE_TLS_RESET] = {
        "A RST or the end of the connection between the ClientHello and the end of the handshake, without an alert.",
        "A filter that resets by name: another SNI passes. A server that crashes on a hello: its log says so. A port that does not speak TLS.",
        "`openssl s_client -connect SERVER:443 -servername OTHER-NAME`: where that passes, a filter looks at names; `-tls1_2` tries a smaller hello.",
        "`journalctl -u SERVICE` at that second: without an entry there, something before the server did it." },
    [CODE_REDIRECT_LOOP] = {
        "A chain of redirects comes back to a URL that it came from, with the same method; where TLS hides the way back, a chain that repeats between the same two servers is told with less confidence.",
        "A login that sends back to the page it came from once: that is no loop as long as it ends.",
        "Cookies refused or lost: `curl -vL --cookie-jar jar URL`.",
        "Two rules that redirect to each other: http to https behind a proxy that ends TLS (`X-Forwarded-Proto`), www to the bare name and back." },
    [CODE_REDIRECT_BROKEN] = {
        "The connection or look-up for the target of a redirect failed; detail.cause holds that verdict's code.",
        "A client that does not follow redirects: then no connection is there, and nothing is said.",
        "`curl -vIL URL` shows each leg.",
        "The target in the redirect's rule (a host name from the inside, a port that is not open outside), or what detail.cause says of it." },
    [CODE_RESPONSE_TRUNCATED] = {
        "The connection ends before Content-Length or the last chunk, or in the head of the answer, or without any answer to a whole request.",
        "A client that has enough and leaves: then the RST or FIN is the client's, and so is the place (where: client). Where it leaves after 3 s or more without a byte, a dead path and a server that stopped look alike (detail.alternatives): a capture at the server tells.",
        "`curl -v -o /dev/null URL`: always at the same size, or after the same time?",
        "The logs of server and proxy: a time-out (proxy_read_timeout), no memory, a worker that was killed (`dmesg -T`), a full disk." },
    [CODE_SERVER_SILENT] = {
        "The request is acknowledged by the server's TCP, and no byte of an answer comes in 10 s or until the end.",
        "A long poll or a server that waits for more of the request; a protocol in which the server has nothing to say.",
        "Longer patience (`curl -m 60`) tells slow from silent.",
        "The host and its TCP live, the program does not answer: `ss -tnp dst CLIENT` (Recv-Q not read?), `strace -p PID`, its own backends." },
    [CODE_HTTP_SERVER_ERROR] = {
        "The final answer of a request is a 5xx, and the same was not asked again and answered well.",
        "A proxy that answers 502, 503 or 504 for a server behind it: the Server field and the log tell which of the two.",
        "Nothing to do but to try later and to say when it happened.",
        "The error log at that second; for 502 and 504 the connection from the proxy to its backend: capture there." },
    [CODE_HTTP_CLIENT_ERROR] = {
        "The final answer of a request is a 4xx, and the same was not asked again and answered well (401 before a login is ordinary).",
        "A server that hides what it has behind a 404.",
        "The URL, the credentials, the method, the size of what is sent.",
        "The access rules and the log of the virtual host." },
    [CODE_SLOW_SERVER] = {
        "The first byte of an answer takes 1 s or more and at least five round trips after the whole request (or the ServerHello after the ClientHello), while the network had nothing to repair.",
        "A slow path would make the handshake slow as well; a request that arrives in pieces is measured from its last byte.",
        "`curl -w '%{time_connect} %{time_starttransfer}\\n' -o /dev/null -s URL` shows the two apart.",
        "What the program does in that time: its slow log, the database, a name look-up, a lock." },
    [CODE_OPTION_STRIPPED] = {
        "Timestamps that both SYNs agree on are missing in three or more segments, SACK blocks name bytes that were never sent, or windows are scaled although the SYN says nothing of it.",
        "A stack that stops sending timestamps by itself. Both ends' captures side by side (`tcpsleuth compare`) settle it.",
        "`tcpsleuth probe SERVER` compares what hops quote with what was sent (option_diff).",
        "TCP normalisation, sequence randomisation or a WAN accelerator on the way: switch it off for TCP options." },
    [CODE_PACKET_LOSS] = {
        "1 % or more of the data segments of one side, and three at least, were sent again because they had not arrived. What an ICMP too-big asked for, what was only late and what the capture dropped is not counted.",
        "Reordering, which is decided first; packets that the capture itself lost: the receiver acknowledged them.",
        "`ip -s link show IFACE` (errors, dropped), `iw dev IFACE link` (signal), another cable or place.",
        "`ip -s link`, `tc -s qdisc` (drops), `ethtool -S IFACE`; a policer below the rate of the line; the same measured at the other end tells before or behind." },
    [CODE_REORDERING] = {
        "3 % or more of the segments of one side, and three at least, came out of order, told by IP-ID, timestamps or time from those that were lost.",
        "Loss that is repaired quickly.",
        "A bonded or multi-queue interface (`cat /proc/net/bonding/*`).",
        "Load balancing packet by packet instead of flow by flow: `layer3+4` hash on bonds and ECMP (`sysctl net.ipv4.fib_multipath_hash_policy=1`)." },
    [CODE_IP_FRAGMENTED] = {
        "TCP segments arrive in IP fragments.",
        "Fragments of UDP are ordinary and not told.",
        "`ip link show`: is the MTU larger than that of the path?",
        "The tunnel on the way: raise its MTU, or clamp the MSS to what fits (`tcp option maxseg size set rt mtu`)." },
    [CODE_HALF_CLOSE_LEAK] = {
        "One end sent its FIN and got the ACK; the other has sent nothing and not closed for 60 s of capture.",
        "A protocol that uses one direction only after a half-close, and is quiet for a while.",
        "If the client is the one that stays: `ss -tnp state close-wait` names the program; it forgets to close its socket.",
        "The same on the server: CLOSE-WAIT sockets that grow in number use up its descriptors (`ls /proc/PID/fd | wc -l`)." },
};
/* clang-format on */

const struct explanation *explanation(enum code code)
{
    return &explanations[code];
}
