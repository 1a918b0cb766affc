#include "host/echo.h"

#include "base/timens.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 1000
#define PACKET 64 /* ICMP header and what follows: as ping sends */

struct way {
    int fd;   /* -1: not allowed */
    bool raw; /* else a ping socket: the kernel fills the identifier and the checksum */
};

struct echo {
    struct way ways[2]; /* IPv4, IPv6 */
    uint16_t id, sequence;
};

static struct way open_way(int family, int protocol)
{
    struct way w = { .fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol) };
    int on = 1;

    if (w.fd < 0) {
        w.fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
        w.raw = true;
    }
    if (w.fd >= 0)
        setsockopt(w.fd, family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP, family == AF_INET6 ? IPV6_RECVERR : IP_RECVERR,
                   &on, sizeof on);
    return w;
}

struct echo *echo_open(void)
{
    struct echo *e = g_new0(struct echo, 1);

    e->ways[0] = open_way(AF_INET, IPPROTO_ICMP);
    e->ways[1] = open_way(AF_INET6, IPPROTO_ICMPV6);
    e->id = (uint16_t)g_random_int();
    return e;
}

void echo_free(struct echo *e)
{
    for (int i = 0; e && i < 2; i++)
        if (e->ways[i].fd >= 0)
            close(e->ways[i].fd);
    g_free(e);
}

bool echo_can(const struct echo *e, unsigned version)
{
    return e->ways[version == 6].fd >= 0;
}

/* --- sending --- */

union peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill_peer(union peer *p, unsigned version, const struct addr *to, unsigned scope)
{
    memset(p, 0, sizeof *p);
    if (version == 6) {
        p->v6.sin6_family = AF_INET6;
        p->v6.sin6_scope_id = scope;
        memcpy(&p->v6.sin6_addr, to->bytes, 16);
        return sizeof p->v6;
    }
    p->v4.sin_family = AF_INET;
    memcpy(&p->v4.sin_addr, to->bytes + 12, 4);
    return sizeof p->v4;
}

/* RFC 1071, over the whole packet; of ICMPv6 the kernel makes it. */
static uint16_t checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void build(const struct echo *e, unsigned version, uint8_t out[PACKET])
{
    memset(out, 0, PACKET);
    out[0] = version == 6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
    out[4] = (uint8_t)(e->id >> 8);
    out[5] = (uint8_t)e->id;
    out[6] = (uint8_t)(e->sequence >> 8);
    out[7] = (uint8_t)e->sequence;
    if (version == 6)
        return;
    uint16_t sum = checksum(out, PACKET);
    out[2] = (uint8_t)(sum >> 8);
    out[3] = (uint8_t)sum;
}

/* --- answers --- */

/* Whether the bytes are the answer to the last echo. A raw socket of IPv4 hands out the IP header, too. */
static bool is_answer(const struct echo *e, unsigned version, const uint8_t *p, size_t n)
{
    const struct way *w = &e->ways[version == 6];
    size_t head = 0;

    if (w->raw && version == 4)
        head = n > 0 ? (p[0] & 0xfu) * 4u : 0;
    if (n < head + 8)
        return false;
    p += head;
    return p[0] == (version == 6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) && (p[6] << 8 | p[7]) == e->sequence &&
           (!w->raw || (p[4] << 8 | p[5]) == e->id);
}

static bool is_from(unsigned version, const union peer *p, const struct addr *to)
{
    return version == 6 ? memcmp(&p->v6.sin6_addr, to->bytes, 16) == 0
                        : memcmp(&p->v4.sin_addr, to->bytes + 12, 4) == 0;
}

static bool read_answer(const struct echo *e, unsigned version, const struct addr *to)
{
    uint8_t bytes[512];
    union peer from;
    socklen_t size = sizeof from;
    ssize_t n;

    while ((n = recvfrom(e->ways[version == 6].fd, bytes, sizeof bytes, 0, &from.any, &size)) >= 0) {
        if (is_from(version, &from, to) && is_answer(e, version, bytes, (size_t)n))
            return true;
        size = sizeof from;
    }
    return false;
}

static void take_error(const struct sock_extended_err *x, unsigned version, struct echo_reply *out)
{
    const struct sockaddr *offender = SO_EE_OFFENDER(x);

    out->outcome = ECHO_ERROR;
    out->error = (int)x->ee_errno;
    out->type = x->ee_type;
    out->code = x->ee_code;
    out->has_from = offender->sa_family == (version == 6 ? AF_INET6 : AF_INET);
    if (out->has_from && version == 6)
        out->from = addr_v6(((const struct sockaddr_in6 *)(const void *)offender)->sin6_addr.s6_addr);
    else if (out->has_from)
        out->from = addr_v4((const uint8_t *)&((const struct sockaddr_in *)(const void *)offender)->sin_addr);
}

/* The queue of ICMP errors; of those the socket's own address family has. `to` is what the packet in question went to.
 */
static bool read_error(const struct echo *e, unsigned version, const struct addr *to, struct echo_reply *out)
{
    uint8_t bytes[512], room[512];
    union peer sent_to;
    struct iovec part = { bytes, sizeof bytes };
    struct msghdr m = { .msg_name = &sent_to,
                        .msg_namelen = sizeof sent_to,
                        .msg_iov = &part,
                        .msg_iovlen = 1,
                        .msg_control = room,
                        .msg_controllen = sizeof room };

    if (recvmsg(e->ways[version == 6].fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0 || !is_from(version, &sent_to, to))
        return false;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        bool four = c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR;
        bool six = c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR;
        if (!four && !six)
            continue;
        take_error((const struct sock_extended_err *)(const void *)CMSG_DATA(c), version, out);
        return true;
    }
    return false;
}

static int64_t now_ns(void)
{
    return g_get_monotonic_time() * NS_PER_US;
}

/* Until the answer, an error or the end of the time. */
static void wait_for(const struct echo *e, unsigned version, const struct addr *to, int64_t start_ns,
                     struct echo_reply *out)
{
    int64_t end_ns = start_ns + WAIT_MS * NS_PER_MS;
    struct pollfd p = { .fd = e->ways[version == 6].fd, .events = POLLIN };

    for (int64_t now = start_ns; now < end_ns; now = now_ns()) {
        if (poll(&p, 1, (int)((end_ns - now) / NS_PER_MS) + 1) <= 0)
            continue;
        if (read_answer(e, version, to)) {
            out->outcome = ECHO_ANSWERED;
            out->rtt_ns = now_ns() - start_ns;
            out->answered++;
            return;
        }
        if (read_error(e, version, to, out))
            return;
    }
}

void echo_ask(struct echo *e, unsigned version, const struct addr *to, unsigned scope, unsigned tries,
              struct echo_reply *out)
{
    const struct way *w = &e->ways[version == 6];
    uint8_t bytes[PACKET];
    union peer peer;
    socklen_t size = fill_peer(&peer, version, to, scope);

    *out = (struct echo_reply){ .outcome = ECHO_SILENT, .rtt_ns = TIME_NONE };
    for (unsigned i = 0; i < tries && out->outcome == ECHO_SILENT; i++) {
        e->sequence++;
        build(e, version, bytes);
        int64_t start_ns = now_ns();
        ssize_t n = sendto(w->fd, bytes, sizeof bytes, 0, &peer.any, size);
        if (n < 0 && read_error(e, version, to, out)) /* of the one before */
            return;
        if (n < 0) {
            out->outcome = ECHO_UNSENT;
            out->error = errno;
            return;
        }
        out->sent++;
        wait_for(e, version, to, start_ns, out);
    }
}

#define DISCARD 9 /* RFC 863 */

void echo_nudge(unsigned version, const struct addr *to, unsigned scope)
{
    union peer peer;
    socklen_t size = fill_peer(&peer, version, to, scope);
    int fd = socket(version == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (version == 6)
        peer.v6.sin6_port = htons(DISCARD);
    else
        peer.v4.sin_port = htons(DISCARD);
    if (fd < 0)
        return;
    if (sendto(fd, "", 1, MSG_NOSIGNAL, &peer.any, size) < 0)
        g_debug("nothing could be sent to the next hop: %s", g_strerror(errno)); /* the entry tells */
    close(fd);
}
