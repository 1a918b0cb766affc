#include "probe/plain.h"

#include "base/limits.h"
#include "diagnose/rules.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 33434 /* traceroute's first */
#define TRIES 2    /* of a hop */
#define ECHO_TRIES 3
#define GAP 4      /* silent hops behind the last one that answered */
#define PATIENCE_MS 1000
#define PACE_MS (1000 / LIMIT_PROBE_PER_SECOND)
#define HEADERS(version) ((version) == 6 ? 48u : 28u) /* IP and UDP */

struct plain {
    struct probe_request request;
    int udp, ping; /* -1: none */
    guint watch[2], timer;
    unsigned ttl, tries, last; /* last: the farthest hop that answered */
    uint32_t size;             /* bytes of the IP packets */
    uint32_t told;             /* path MTU that was told; 0: none */
    struct probe_hop hop;      /* the one at hand */
    int64_t sent_us, ping_us;
    struct probe_result *trail, *echo; /* echo NULL: not allowed */
    bool done, over;
    void (*on_done)(void *user);
    void *user;
};

static bool is_v6(const struct plain *p)
{
    return p->request.version == 6;
}

static void quiet(struct plain *p)
{
    for (int i = 0; i < 2; i++)
        if (p->watch[i])
            g_source_remove(p->watch[i]);
    if (p->timer)
        g_source_remove(p->timer);
    p->watch[0] = p->watch[1] = p->timer = 0;
}

static void finish(struct plain *p)
{
    quiet(p);
    p->trail->path_mtu = p->trail->outcome == OUTCOME_REACHED ? p->size : p->told;
    if (p->trail->outcome == OUTCOME_STOPPED) {
        p->trail->has_end = true;
        p->trail->at = (struct probe_place){ .known = true, .addr = p->request.addr };
    }
    p->done = true;
    if (p->on_done)
        p->on_done(p->user);
}

/* --- addresses --- */

union peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t fill_peer(const struct plain *p, union peer *to, uint16_t port)
{
    memset(to, 0, sizeof *to);
    if (!is_v6(p)) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(port);
        memcpy(&to->v4.sin_addr, p->request.addr.bytes + 12, 4);
        return sizeof to->v4;
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(port);
    to->v6.sin6_scope_id = p->request.scope;
    memcpy(&to->v6.sin6_addr, p->request.addr.bytes, 16);
    return sizeof to->v6;
}

static struct addr addr_of(const struct plain *p, const void *sockaddr)
{
    union peer from;

    memcpy(&from, sockaddr, is_v6(p) ? sizeof from.v6 : sizeof from.v4);
    return is_v6(p) ? addr_v6(from.v6.sin6_addr.s6_addr) : addr_v4((const uint8_t *)&from.v4.sin_addr);
}

/* --- echo --- */

static gboolean on_echo(gint fd, GIOCondition condition, gpointer user)
{
    struct plain *p = user;
    char data[64];

    (void)condition;
    if (recv(fd, data, sizeof data, MSG_DONTWAIT) < 8 || p->echo->outcome == OUTCOME_ANSWERED)
        return G_SOURCE_CONTINUE;
    p->echo->outcome = OUTCOME_ANSWERED;
    p->echo->reply = REPLY_ECHO;
    p->echo->rtt_ns = (g_get_monotonic_time() - p->ping_us) * NS_PER_US;
    return G_SOURCE_CONTINUE;
}

static struct probe_result *new_result(const struct plain *p, enum probe_kind kind)
{
    struct probe_result *r = probe_result_new(kind);

    r->version = p->request.version;
    r->target = r->way_to = p->request.addr;
    return r;
}

static void send_echo(struct plain *p)
{
    struct icmphdr echo = { .type = (uint8_t)(is_v6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO) };

    if (!p->echo || p->echo->outcome == OUTCOME_ANSWERED || p->echo->sent >= ECHO_TRIES ||
        send(p->ping, &echo, sizeof echo, 0) < 0)
        return;
    p->echo->sent++;
    p->ping_us = g_get_monotonic_time();
}

/* A ping socket is connected, so that only the target's answers come. */
static void begin_echo(struct plain *p)
{
    union peer to;
    socklen_t n = fill_peer(p, &to, 0);

    p->ping = socket(is_v6(p) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                     is_v6(p) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
    if (p->ping < 0 || connect(p->ping, &to.any, n) != 0)
        return;
    p->echo = new_result(p, PROBE_ECHO);
    p->echo->outcome = OUTCOME_NO_ANSWER;
    p->watch[1] = g_unix_fd_add(p->ping, G_IO_IN, on_echo, p);
    send_echo(p);
}

/* --- the trail --- */

static gboolean next(gpointer user);

static void after(struct plain *p, guint ms)
{
    if (p->timer)
        g_source_remove(p->timer);
    p->timer = g_timeout_add(ms, next, p);
}

/* The hop at hand is known, or given up. */
static void close_hop(struct plain *p)
{
    if (p->hop.answered) {
        p->last = p->ttl;
        p->trail->after = p->hop.place;
    }
    g_array_append_val(p->trail->hops, p->hop);
    p->ttl++;
    p->tries = 0;
    p->hop = (struct probe_hop){ .place.ttl = p->ttl, .rtt_ns = TIME_NONE };
}

static void send_one(struct plain *p)
{
    static const char zeros[UINT16_MAX];
    union peer to;
    socklen_t n = fill_peer(p, &to, PORT);
    int ttl = (int)p->ttl;

    setsockopt(p->udp, is_v6(p) ? IPPROTO_IPV6 : IPPROTO_IP, is_v6(p) ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof ttl);
    p->sent_us = g_get_monotonic_time();
    p->tries++;
    p->hop.sent++;
    p->trail->sent++;
    if (sendto(p->udp, zeros, p->size - HEADERS(p->request.version), 0, &to.any, n) >= 0 || errno == EMSGSIZE ||
        errno == ECONNREFUSED)
        return; /* an error of an earlier one is in the queue */
    p->trail->outcome = errno == EPERM || errno == EACCES ? OUTCOME_BLOCKED_HERE : OUTCOME_NO_ROUTE;
    p->trail->note = g_strdup_printf("it cannot be sent: %s", g_strerror(errno));
    p->over = true;
}

/* The clock of the trail: silence is over, or it is time for the next one. */
static gboolean next(gpointer user)
{
    struct plain *p = user;

    p->timer = 0;
    if (p->hop.answered || p->tries >= TRIES)
        close_hop(p);
    if (p->over || p->ttl > LIMIT_PROBE_HOPS || p->ttl > p->last + GAP) {
        finish(p);
        return G_SOURCE_REMOVE;
    }
    send_one(p);
    send_echo(p);
    after(p, p->over ? 0 : PATIENCE_MS);
    return G_SOURCE_REMOVE;
}

static void take_mtu(struct plain *p, const struct sock_extended_err *e)
{
    uint32_t least = is_v6(p) ? 1280 : 68;

    if (e->ee_info >= p->size || e->ee_info < least)
        return;
    p->size = e->ee_info;
    if (e->ee_origin != SO_EE_ORIGIN_LOCAL)
        p->told = e->ee_info;
    p->tries = 0;
    after(p, PACE_MS);
}

static enum probe_reply reply_of(const struct plain *p, const struct sock_extended_err *e)
{
    switch (icmp_code_of(p->request.version, e->ee_type, e->ee_code)) {
    case CODE_TTL_EXCEEDED: return REPLY_TTL_EXCEEDED;
    case CODE_NETWORK_UNREACHABLE: return REPLY_NETWORK_UNREACHABLE;
    case CODE_HOST_UNREACHABLE: return REPLY_HOST_UNREACHABLE;
    case CODE_PORT_UNREACHABLE: return REPLY_PORT_UNREACHABLE;
    case CODE_ADMIN_PROHIBITED: return REPLY_ADMIN_PROHIBITED;
    default: return REPLY_OTHER_ERROR;
    }
}

static void take_icmp(struct plain *p, const struct sock_extended_err *e)
{
    struct addr from = addr_of(p, SO_EE_OFFENDER(e));

    p->hop.place.known = true;
    p->hop.place.addr = from;
    p->hop.rtt_ns = (g_get_monotonic_time() - p->sent_us) * NS_PER_US;
    p->hop.reply = reply_of(p, e);
    p->hop.answered++;
    if (p->hop.reply != REPLY_TTL_EXCEEDED) {
        bool reached = addr_cmp(&from, &p->request.addr) == 0;
        p->trail->outcome = reached ? OUTCOME_REACHED : OUTCOME_UNREACHABLE;
        p->trail->reply = p->hop.reply;
        p->trail->rtt_ns = p->hop.rtt_ns;
        p->trail->from = (struct probe_place){ .ttl = p->ttl, .known = !reached, .addr = from };
        p->trail->icmp_type = e->ee_type;
        p->trail->icmp_code = e->ee_code;
        p->over = true;
    }
    after(p, PACE_MS);
}

static void take_error(struct plain *p, struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool ours = (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
                    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR);
        const struct sock_extended_err *e = (const struct sock_extended_err *)(const void *)CMSG_DATA(c);
        if (!ours || p->hop.answered)
            continue;
        if (e->ee_errno == EMSGSIZE)
            take_mtu(p, e);
        else if (e->ee_origin == SO_EE_ORIGIN_ICMP || e->ee_origin == SO_EE_ORIGIN_ICMP6)
            take_icmp(p, e);
    }
}

static gboolean on_error(gint fd, GIOCondition condition, gpointer user)
{
    char data[64], control[512];
    union peer name;
    struct iovec piece = { .iov_base = data, .iov_len = sizeof data };
    struct msghdr m = { .msg_name = &name,
                        .msg_namelen = sizeof name,
                        .msg_iov = &piece,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof control };

    (void)condition;
    while (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0) {
        take_error(user, &m);
        m.msg_controllen = sizeof control;
        m.msg_namelen = sizeof name;
    }
    return G_SOURCE_CONTINUE;
}

/* --- life --- */

static uint32_t first_size(const struct plain *p)
{
    union peer to;
    int mtu = 0;
    socklen_t n = sizeof mtu, length = fill_peer(p, &to, PORT);
    int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (connect(fd, &to.any, length) != 0 ||
        getsockopt(fd, is_v6(p) ? IPPROTO_IPV6 : IPPROTO_IP, is_v6(p) ? IPV6_MTU : IP_MTU, &mtu, &n) != 0)
        mtu = 1500;
    close(fd);
    return (uint32_t)CLAMP(mtu, 576, UINT16_MAX);
}

static void set_options(const struct plain *p)
{
    int on = 1, probe = is_v6(p) ? IPV6_PMTUDISC_PROBE : IP_PMTUDISC_PROBE;
    int level = is_v6(p) ? IPPROTO_IPV6 : IPPROTO_IP;

    setsockopt(p->udp, level, is_v6(p) ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
    setsockopt(p->udp, level, is_v6(p) ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &probe, sizeof probe);
}

struct plain *plain_start(const struct probe_request *request, void (*done)(void *user), void *user)
{
    struct plain *p = g_new0(struct plain, 1);

    p->request = *request;
    p->on_done = done;
    p->user = user;
    p->ping = -1;
    p->trail = new_result(p, PROBE_UDP_TTL);
    p->trail->outcome = OUTCOME_STOPPED;
    p->trail->hops = g_array_new(FALSE, TRUE, sizeof(struct probe_hop));
    p->udp = socket(is_v6(p) ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    p->ttl = 1;
    p->hop = (struct probe_hop){ .place.ttl = 1, .rtt_ns = TIME_NONE };
    p->size = first_size(p);
    p->over = p->udp < 0;
    if (!p->over) {
        set_options(p);
        p->watch[0] = g_unix_fd_add(p->udp, G_IO_ERR, on_error, p);
    }
    begin_echo(p);
    after(p, PACE_MS);
    return p;
}

void plain_stop(struct plain *p)
{
    quiet(p);
    p->done = true;
}

bool plain_is_done(const struct plain *p)
{
    return p->done;
}

void plain_results(struct plain *p, unsigned way, GPtrArray *into)
{
    struct probe_result **each[] = { &p->echo, &p->trail };

    for (size_t i = 0; i < G_N_ELEMENTS(each); i++) {
        if (!*each[i])
            continue;
        (*each[i])->way = way;
        g_ptr_array_add(into, g_steal_pointer(each[i]));
    }
}

void plain_free(struct plain *p)
{
    if (!p)
        return;
    quiet(p);
    if (p->udp >= 0)
        close(p->udp);
    if (p->ping >= 0)
        close(p->ping);
    probe_result_free(p->trail);
    probe_result_free(p->echo);
    g_free(p);
}
