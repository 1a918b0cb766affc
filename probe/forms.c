/* forms: the packets of the probes: how each is built, what answers it, and what the answer is. */
#include "diagnose/finding.h"
#include "diagnose/rules.h"
#include "flow/sizes.h"
#include "probe/trial.h"

#include <string.h>

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58 };

static uint16_t port_of(const struct trial *r, const struct shot *s)
{
    return s->sport ? s->sport : r->sport;
}

/* --- building --- */

static void base(const struct trial *r, const struct shot *s, enum craft_protocol protocol, struct craft *c)
{
    *c = (struct craft){
        .version = r->aim->request.version,
        .src = r->aim->route.source,
        .dst = r->dst,
        .ttl = s->ttl,
        .id = s->ip_id,
        .flow_label = r->aim->flow_label,
        .protocol = protocol,
        .sport = port_of(r, s),
        .dport = r->aim->request.port,
        .size = s->size,
    };
}

static void put_cookie(const struct trial *r, struct craft *c, uint16_t balance)
{
    c->cookie[0] = (uint8_t)(balance >> 8);
    c->cookie[1] = (uint8_t)balance;
    memcpy(c->cookie + 2, r->aim->cookie, sizeof r->aim->cookie);
}

static void build_syn(const struct trial *r, const struct shot *s, struct craft *c)
{
    base(r, s, CRAFT_TCP, c);
    const struct probe_syn syn = syn_of(r, s);
    c->seq = s->seq;
    c->flags = (uint8_t)syn.flags;
    c->window = syn.window;
    c->tos = syn.tos;
    c->n_options = (uint8_t)syn_options(r, &syn, c->options);
}

/* An ACK of a connection that is not there: whoever gets it says RST (RFC 9293 section 3.10.7.1), whatever its size. */
static void build_ack(const struct trial *r, const struct shot *s, struct craft *c)
{
    base(r, s, CRAFT_TCP, c);
    c->seq = s->seq;
    c->ack = s->ack;
    c->flags = TCP_ACK;
    c->window = 64240;
    put_cookie(r, c, 0);
}

/* The complement of the sequence number in the payload keeps the checksum constant: some equal paths are chosen by it.
 */
static void build_echo(const struct trial *r, const struct shot *s, struct craft *c)
{
    base(r, s, CRAFT_ECHO, c);
    c->echo_id = r->aim->echo_id;
    c->echo_seq = s->echo_seq;
    put_cookie(r, c, (uint16_t)~s->echo_seq);
    c->size = MAX(c->size, craft_headers(c) + CRAFT_COOKIE);
}

/* The port is traceroute's first: seldom used. */
static void build_udp(const struct trial *r, const struct shot *s, struct craft *c)
{
    base(r, s, CRAFT_UDP, c);
    c->dport = 33434;
    put_cookie(r, c, s->echo_seq);
    c->size = MAX(c->size, craft_headers(c) + CRAFT_COOKIE);
}

/* --- what answers --- */

static bool from_target(const struct trial *r, const struct packet *p)
{
    return p->ip.version == r->aim->request.version && addr_cmp(&p->ip.src, &r->dst) == 0;
}

/* Whether an error is about a packet from our port to that port. The addresses are no condition: behind a translator
 * they are others. */
static bool quotes_ports(const struct trial *r, const struct shot *s, const struct packet *p, uint8_t protocol,
                         uint16_t dport, const struct quoted *q)
{
    return p->kind == PACKET_ICMP_ERROR && p->ip.version == r->aim->request.version && q->known &&
           p->icmp.quoted_protocol == protocol && q->has_ports && q->sport == port_of(r, s) &&
           (q->dport == dport || addr_cmp(&q->dst, &r->dst) != 0);
}

/* A sequence number that was changed on the way leaves the IP-ID to know the packet by. */
static enum match match_quoted_tcp(const struct trial *r, const struct shot *s, const struct packet *p,
                                   const struct quoted *q)
{
    if (!quotes_ports(r, s, p, PROTO_TCP, r->aim->request.port, q))
        return MATCH_OTHER;
    bool by_seq = q->has_seq && q->seq == s->seq;
    bool by_id = p->ip.version == 4 && q->id == s->ip_id && addr_cmp(&q->dst, &r->dst) == 0;
    return by_seq || by_id ? MATCH_ANSWER : MATCH_FORGED;
}

static bool is_tcp_to_us(const struct trial *r, const struct shot *s, const struct packet *p)
{
    return p->kind == PACKET_TCP && from_target(r, p) && p->tcp.sport == r->aim->request.port &&
           p->tcp.dport == port_of(r, s);
}

static enum match validate_syn(const struct trial *r, const struct shot *s, const struct packet *p,
                               const struct quoted *q)
{
    if (!is_tcp_to_us(r, s, p))
        return match_quoted_tcp(r, s, p, q);
    return p->tcp.flags & TCP_ACK && p->tcp.ack == s->seq + 1 ? MATCH_ANSWER : MATCH_FORGED;
}

static enum match validate_ack(const struct trial *r, const struct shot *s, const struct packet *p,
                               const struct quoted *q)
{
    if (!is_tcp_to_us(r, s, p))
        return match_quoted_tcp(r, s, p, q);
    return p->tcp.flags & TCP_RST && p->tcp.seq == s->ack ? MATCH_ANSWER : MATCH_FORGED;
}

static enum match validate_echo(const struct trial *r, const struct shot *s, const struct packet *p,
                                const struct quoted *q)
{
    uint8_t protocol = r->aim->request.version == 6 ? PROTO_ICMPV6 : PROTO_ICMP;
    const uint8_t *cookie = r->aim->cookie;

    if (p->kind == PACKET_ECHO) {
        const struct echo_facts *e = &p->echo;
        if (!e->reply || !from_target(r, p) || e->id != r->aim->echo_id)
            return MATCH_OTHER;
        bool ours = e->payload.n >= CRAFT_COOKIE && memcmp(e->payload.p + 2, cookie, sizeof r->aim->cookie) == 0;
        return ours && e->seq == s->echo_seq ? MATCH_ANSWER : MATCH_FORGED;
    }
    if (p->kind != PACKET_ICMP_ERROR || p->ip.version != r->aim->request.version ||
        p->icmp.quoted_protocol != protocol || !q->has_echo || q->echo_id != r->aim->echo_id)
        return MATCH_OTHER;
    return q->echo_seq == s->echo_seq ? MATCH_ANSWER : MATCH_FORGED;
}

static enum match validate_udp(const struct trial *r, const struct shot *s, const struct packet *p,
                               const struct quoted *q)
{
    if (p->kind == PACKET_UDP && from_target(r, p) && p->udp.sport == 33434 && p->udp.dport == r->sport)
        return MATCH_ANSWER; /* a service there: it cannot know the number */
    if (!quotes_ports(r, s, p, PROTO_UDP, 33434, q))
        return MATCH_OTHER;
    bool by_id = p->ip.version == 4 && q->id == s->ip_id;
    bool by_payload = q->payload.n >= CRAFT_COOKIE && q->payload.p[0] == s->echo_seq >> 8 &&
                      q->payload.p[1] == (s->echo_seq & 0xff) &&
                      memcmp(q->payload.p + 2, r->aim->cookie, sizeof r->aim->cookie) == 0;
    return by_id || by_payload ? MATCH_ANSWER : MATCH_FORGED;
}

static enum match validate_neighbor(const struct trial *r, const struct shot *s, const struct packet *p,
                                    const struct quoted *q)
{
    const struct neighbor_facts *n = &p->neighbor;

    (void)s;
    (void)q;
    return p->kind == PACKET_NEIGHBOR && !n->request && n->version == r->aim->request.version &&
                   addr_cmp(&n->target, &r->dst) == 0
               ? MATCH_ANSWER
               : MATCH_OTHER;
}

/* --- what it is --- */

static enum probe_reply classify_error(const struct packet *p)
{
    if (sizes_is_too_big(p))
        return REPLY_TOO_BIG;
    switch (icmp_code_of(p->ip.version, p->icmp.type, p->icmp.code)) {
    case CODE_TTL_EXCEEDED: return REPLY_TTL_EXCEEDED;
    case CODE_NETWORK_UNREACHABLE: return REPLY_NETWORK_UNREACHABLE;
    case CODE_HOST_UNREACHABLE: return REPLY_HOST_UNREACHABLE;
    case CODE_PORT_UNREACHABLE: return REPLY_PORT_UNREACHABLE;
    case CODE_ADMIN_PROHIBITED: return REPLY_ADMIN_PROHIBITED;
    default: return REPLY_OTHER_ERROR;
    }
}

static enum probe_reply classify(const struct packet *p)
{
    switch (p->kind) {
    case PACKET_TCP:
        if (p->tcp.flags & TCP_RST)
            return REPLY_RST;
        return p->tcp.flags & TCP_SYN ? REPLY_SYN_ACK : REPLY_ACK;
    case PACKET_ECHO: return REPLY_ECHO;
    case PACKET_NEIGHBOR: return REPLY_NEIGHBOR;
    case PACKET_UDP: return REPLY_DATAGRAM;
    default: return classify_error(p);
    }
}

const struct probe_form form_syn = { build_syn, validate_syn, classify };
const struct probe_form form_ack = { build_ack, validate_ack, classify };
const struct probe_form form_echo = { build_echo, validate_echo, classify };
const struct probe_form form_udp = { build_udp, validate_udp, classify };
const struct probe_form form_neighbor = { NULL, validate_neighbor, classify };
