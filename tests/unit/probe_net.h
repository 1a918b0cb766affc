/* probe_net: a network that is not there: it is handed the packets of probes as libnet built them and gives the packets
 * that routers and a target would answer, byte by byte. So plans, forms and conclusions are tested as a whole, without
 * rights and without waiting.
 *
 *   host -- router 1 -- ... -- router n -- target
 */
#ifndef TCPSLEUTH_TESTS_PROBE_NET_H
#define TCPSLEUTH_TESTS_PROBE_NET_H

#include "diagnose/finding.h"
#include "diagnose/probe_verdict.h"
#include "dissect/dissector.h"
#include "probe/trial.h"
#include "tests/unit/guard.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define NET_ROUTERS 8

struct net {
    unsigned version, routers;
    uint16_t mtu[NET_ROUTERS + 1];             /* of the link behind router i; 0: 1500 */
    uint16_t back_mtu;                         /* of the way back; 0: 1500 */
    bool untold[NET_ROUTERS + 1];              /* router i does not say that a packet is too big */
    bool nameless[NET_ROUTERS + 1];            /* it says so without the MTU (RFC 792) */
    bool silent[NET_ROUTERS + 1];              /* router i does not say that a TTL ended */
    unsigned limit[NET_ROUTERS + 1];           /* ... it does so only once in so many; 0: always */
    unsigned drops_tcp, drops_icmp, drops_udp; /* the router behind which these vanish; 0: none */
    unsigned rejects;                          /* the router that answers TCP by itself; 0: none */
    bool rejects_with_rst;                     /* in the target's name, else by ICMP: */
    uint8_t type, code;
    unsigned loop; /* routers loop and loop + 1 point at each other; 0: none */
    uint16_t own_mtu;               /* of the host's interface; 0: 1500 */
    bool closed, drops_acks,
        gone;        /* the target: the port is closed; it ignores what belongs to no connection; it does not answer */
    unsigned strips; /* the router behind which SYNs have no options any more; 0: none */
    unsigned asked[NET_ROUTERS + 1];
    unsigned sent;
    unsigned spent;                 /* before it begins: of the budget */
};

struct played {
    struct net *net;
    struct aim *aim;
    struct key key;
    struct crafter *crafter;
    struct dissector *dissector;
};

static inline struct addr net_addr(unsigned version, unsigned place)
{
    uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)place }, four[4] = { 192, 0, 2, (uint8_t)place };
    return version == 6 ? addr_v6(six) : addr_v4(four);
}

enum { NET_HOST = 100, NET_TARGET = 200 }; /* routers: their number */

/* --- bytes of answers --- */

static inline void net_put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void net_put32(uint8_t *p, uint32_t v)
{
    net_put16(p, v >> 16);
    net_put16(p + 2, v);
}

/* An IP header from `place` to the host; returns its size. */
static inline size_t net_ip(unsigned version, uint8_t *p, unsigned place, uint8_t protocol, uint8_t ttl, size_t payload)
{
    struct addr from = net_addr(version, place), to = net_addr(version, NET_HOST);
    memset(p, 0, 40);
    if (version == 6) {
        p[0] = 0x60;
        net_put16(p + 4, (unsigned)payload);
        p[6] = protocol;
        p[7] = ttl;
        memcpy(p + 8, from.bytes, 16);
        memcpy(p + 24, to.bytes, 16);
        return 40;
    }
    p[0] = 0x45;
    net_put16(p + 2, (unsigned)payload + 20);
    p[8] = ttl;
    p[9] = protocol;
    memcpy(p + 12, from.bytes + 12, 4);
    memcpy(p + 16, to.bytes + 12, 4);
    return 20;
}

static inline size_t net_tcp(const struct net *n, uint8_t *out, const struct packet *q, uint8_t flags, uint32_t seq,
                             uint32_t ack, uint8_t ttl)
{
    size_t at = net_ip(n->version, out, NET_TARGET, 6, ttl, 20);
    uint8_t *t = out + at;
    memset(t, 0, 20);
    net_put16(t, q->tcp.dport);
    net_put16(t + 2, q->tcp.sport);
    net_put32(t + 4, seq);
    net_put32(t + 8, ack);
    t[12] = 0x50;
    t[13] = flags;
    return at + 20;
}

/* An ICMP error of a router (or NET_TARGET) about the packet. */
static inline size_t net_icmp(const struct net *n, uint8_t *out, unsigned place, uint8_t type, uint8_t code,
                              uint16_t mtu, const uint8_t *about, size_t size)
{
    size_t quoted = MIN(size, 500);
    size_t at = net_ip(n->version, out, place, n->version == 6 ? 58 : 1, 60, 8 + quoted);
    memset(out + at, 0, 8);
    out[at] = type;
    out[at + 1] = code;
    net_put16(out + at + 6, mtu);
    memcpy(out + at + 8, about, quoted);
    return at + 8 + quoted;
}

static inline size_t net_too_big(const struct net *n, uint8_t *out, unsigned router, uint16_t mtu, const uint8_t *about,
                                 size_t size)
{
    uint16_t told = n->nameless[router] ? 0 : mtu;
    return n->version == 6 ? net_icmp(n, out, router, 2, 0, told, about, size)
                           : net_icmp(n, out, router, 3, 4, told, about, size);
}

static inline size_t net_ttl(struct net *n, uint8_t *out, unsigned router, const uint8_t *about, size_t size)
{
    unsigned count = n->asked[router]++;
    if (n->silent[router] || (n->limit[router] && count % n->limit[router] != 0))
        return 0;
    return net_icmp(n, out, router, n->version == 6 ? 3 : 11, 0, 0, about, size);
}

/* --- the way --- */

static inline bool net_vanishes(const struct net *n, const struct packet *q, unsigned router)
{
    return (q->kind == PACKET_TCP && n->drops_tcp == router) || (q->kind == PACKET_ECHO && n->drops_icmp == router) ||
           (q->kind == PACKET_UDP && n->drops_udp == router);
}

static inline size_t net_reject(const struct net *n, uint8_t *out, unsigned router, const struct packet *q,
                                const uint8_t *p, size_t size)
{
    if (!n->rejects_with_rst)
        return net_icmp(n, out, router, n->type, n->code, 0, p, size);
    return q->tcp.flags & TCP_ACK ? net_tcp(n, out, q, TCP_RST, q->tcp.ack, 0, 63)
                                  : net_tcp(n, out, q, TCP_RST | TCP_ACK, 0, q->tcp.seq + 1, 63);
}

static inline size_t net_target(const struct net *n, uint8_t *out, const struct packet *q, const uint8_t *p,
                                size_t size)
{
    size_t at;
    if (n->gone)
        return 0;
    switch (q->kind) {
    case PACKET_TCP:
        if (!(q->tcp.flags & TCP_SYN))
            return n->drops_acks ? 0 : net_tcp(n, out, q, TCP_RST, q->tcp.ack, 0, 61);
        return n->closed ? net_tcp(n, out, q, TCP_RST | TCP_ACK, 0, q->tcp.seq + 1, 61)
                         : net_tcp(n, out, q, TCP_SYN | TCP_ACK, 7, q->tcp.seq + 1, 61);
    case PACKET_UDP: return net_icmp(n, out, NET_TARGET, n->version == 6 ? 1 : 3, n->version == 6 ? 4 : 3, 0, p, size);
    case PACKET_ECHO:
        if (n->back_mtu && size > n->back_mtu)
            return 0;
        at = net_ip(n->version, out, NET_TARGET, n->version == 6 ? 58 : 1, 61, 8 + q->echo.payload.n);
        memset(out + at, 0, 8);
        out[at] = n->version == 6 ? 129 : 0;
        net_put16(out + at + 4, q->echo.id);
        net_put16(out + at + 6, q->echo.seq);
        memcpy(out + at + 8, q->echo.payload.p, q->echo.payload.n);
        return at + 8 + q->echo.payload.n;
    default: return 0;
    }
}

/* Options become padding. */
static inline void net_strip(const struct net *n, uint8_t *p, size_t size)
{
    size_t at = n->version == 6 ? 40 : 20;
    if (size > at + 20)
        memset(p + at + 20, 1, size - at - 20);
}

/* What comes back for a packet of `size` bytes; 0: nothing. p is changed as it travels. */
static inline size_t net_carry(struct net *n, const struct packet *q, uint8_t *p, size_t size, uint8_t *out)
{
    unsigned router = 1, ttl = q->ip.ttl;
    for (unsigned step = 0; router <= n->routers; step++) {
        if (--ttl == 0)
            return net_ttl(n, out, router, p, size);
        if (n->rejects == router && q->kind == PACKET_TCP)
            return net_reject(n, out, router, q, p, size);
        if (net_vanishes(n, q, router))
            return 0;
        if (n->mtu[router] && size > n->mtu[router])
            return n->untold[router] ? 0 : net_too_big(n, out, router, n->mtu[router], p, size);
        if (n->strips == router && q->kind == PACKET_TCP && q->tcp.flags & TCP_SYN)
            net_strip(n, p, size);
        router = n->loop && router == n->loop + 1 ? n->loop : router + 1;
    }
    return net_target(n, out, q, p, size);
}

/* --- playing --- */

static inline void play_read(struct dissector *d, const uint8_t *bytes, size_t n, struct packet *p, uint8_t **copy)
{
    *copy = guard_copy(bytes, n);
    struct frame f = {
        .bytes = *copy, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .ts_ns = 1, .number = 1, .dlt = DLT_RAW
    };
    dissector_frame(d, &f, p);
}

static inline void play_shot(struct played *g, struct trial *r, struct shot *s)
{
    static uint8_t bytes[CRAFT_BYTES], answer[CRAFT_BYTES];
    struct craft c;
    struct packet sent, back;
    uint8_t *copy;

    trial_key(r, s);
    r->form->build(r, s, &c);
    size_t n = crafter_build(g->crafter, &c, bytes, sizeof bytes);
    assert_true(n > 0);
    play_read(g->dissector, bytes, n, &sent, &copy);
    s->state = SHOT_SENT;
    g_array_append_val(r->shots, *s);
    g->net->sent++;
    g->aim->spent++;
    size_t m = net_carry(g->net, &sent, bytes, n, answer);
    guard_free(copy);
    if (m == 0)
        return;
    play_read(g->dissector, answer, m, &back, &copy);
    assert_true(aim_offer(g->aim, &back));
    guard_free(copy);
}

/* Plays all probes that were asked for to their ends. */
static inline struct played *play(struct net *n, unsigned kinds)
{
    struct played *g = g_new0(struct played, 1);
    struct probe_request request = {
        .version = (uint8_t)n->version, .addr = net_addr(n->version, NET_TARGET), .port = 80, .kinds = kinds
    };

    key_init(&g->key, 4711);
    g->net = n;
    g->crafter = crafter_new_dry();
    g->dissector = dissector_new();
    g->aim = aim_new(&request, &g->key, 20000);
    g->aim->route = (struct route){ .source = net_addr(n->version, NET_HOST),
                                    .gateway = net_addr(n->version, 1),
                                    .has_gateway = true,
                                    .mtu = n->own_mtu ? n->own_mtu : 1500,
                                    .up = true };
    g->aim->spent = n->spent;
    for (unsigned rounds = 0, moved = 1; moved; rounds++) {
        assert_true(rounds < 1000);
        moved = 0;
        for (int k = 0; k < PROBE_KINDS; k++) {
            bool was_done = g->aim->trials[k] && g->aim->trials[k]->done;
            struct shot s = { 0 };
            if (!aim_begin(g->aim, (enum probe_kind)k)) {
                moved += !was_done && g->aim->trials[k] && g->aim->trials[k]->done;
                continue;
            }
            struct trial *r = g->aim->trials[k];
            switch (trial_next(r, &s)) {
            case NEXT_SEND: play_shot(g, r, &s); break;
            case NEXT_WAIT: trial_expire(r, INT64_MAX); break;
            case NEXT_DONE: r->done = true; break;
            }
            moved++;
        }
    }
    return g;
}

static inline struct probe_result *play_result(const struct played *g, enum probe_kind kind)
{
    const struct trial *r = g->aim->trials[kind];
    return r && r->started ? trial_conclude(r) : NULL;
}

static inline void play_end(struct played *g)
{
    aim_free(g->aim);
    crafter_free(g->crafter);
    dissector_free(g->dissector);
    g_free(g);
}

#endif
