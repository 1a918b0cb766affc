/* mkpcap_icmp: ICMP and ICMPv6 errors that quote a packet of a flow, and echoes. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_ICMP_H
#define TCPSLEUTH_TESTS_MKPCAP_ICMP_H

#include "tests/tools/mkpcap_flow.h"

#define NO_TYPE 255

/* The same word for the same thing in both versions (RFC 792, 1812; RFC 4443). */
struct icmp_kind {
    const char *name;
    uint8_t type4, code4, type6, code6;
};

static inline const struct icmp_kind *icmp_kind(const char *name)
{
    static const struct icmp_kind kinds[] = {
        { "net", 3, 0, 1, 0 }, /* IPv6: no route */
        { "host", 3, 1, 1, 3 }, /* IPv6: address unreachable */
        { "proto", 3, 2, 4, 1 },
        { "port", 3, 3, 1, 4 },
        { "frag", 3, 4, 2, 0 }, /* IPv6: packet too big */
        { "admin-net", 3, 9, 1, 1 },
        { "admin-host", 3, 10, 1, 1 },
        { "admin", 3, 13, 1, 1 },
        { "beyond", NO_TYPE, 0, 1, 2 },
        { "policy", NO_TYPE, 0, 1, 5 },
        { "reject", NO_TYPE, 0, 1, 6 },
        { "ttl", 11, 0, 3, 0 },
        { "reassembly", 11, 1, 3, 1 },
        { "param", 12, 0, 4, 0 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

struct icmp_error {
    uint8_t type, code;
    uint32_t mtu;
    int quoted_ttl;   /* -1: as a router would have it */
    uint32_t bytes;   /* quoted of the IP payload */
    struct ip_spec ip;
    struct dress dress;
};

static inline void icmp_finish(GByteArray *b, struct ip_spec *ip)
{
    ip->protocol = ip->version == 4 ? PROTO_ICMP : PROTO_ICMPV6;
    set_checksum(b, 2, ip, SUM_GOOD);
}

static inline void read_kind(struct line *l, unsigned version, struct icmp_error *e)
{
    if (take(l, "type")) {
        e->type = (uint8_t)number(l, "the type", 255);
        expect(l, "code");
        e->code = (uint8_t)number(l, "the code", 255);
        return;
    }
    const char *name = word(l, "the kind of error");
    const struct icmp_kind *k = icmp_kind(name);
    if (!k)
        fail(l, "unknown ICMP error '%s'", name);
    e->type = version == 4 ? k->type4 : k->type6;
    e->code = version == 4 ? k->code4 : k->code6;
    if (e->type == NO_TYPE)
        fail(l, "IPv4 has no ICMP error '%s'", name);
}

/* The last packet of that side, or the last that begins at a sequence number: "[last]", "seq 1". */
static inline const GByteArray *quoted(struct line *l, const struct half *h)
{
    uint32_t seq = 0;
    bool any = !take(l, "seq");
    if (any)
        take(l, "last");
    else
        seq = h->isn + number(l, "the sequence number", UINT32_MAX);
    for (guint i = h->sent->len; i-- > 0;) {
        const struct sent *sent = &g_array_index(h->sent, struct sent, i);
        if (any || sent->seq == seq)
            return sent->ip;
    }
    fail(l, "there is no such packet to quote yet");
}

/* The packet as the router had it: its TTL lower, its IPv4 header checksum right. */
static inline void put_quotation(GByteArray *b, const GByteArray *packet, const struct icmp_error *e)
{
    unsigned version = e->ip.version;
    size_t header = version == 4 ? 20 : 40, at = b->len;
    bool expired = e->type == (version == 4 ? 11 : 3) && e->code == 0;
    put(b, packet->data, MIN(packet->len, header + e->bytes));
    uint8_t *quote = b->data + at, *ttl = quote + (version == 4 ? 8 : 7);
    *ttl = e->quoted_ttl >= 0 ? (uint8_t)e->quoted_ttl : expired ? 1 : (uint8_t)(*ttl - 1);
    if (version == 4) {
        set_u16(quote + 10, 0);
        set_u16(quote + 10, (uint16_t)~sum_fold(sum_add(0, quote, 20)));
    }
}

/* What follows from the quoted packet's direction, and what routers usually write. */
static inline void icmp_error_standard(struct script *s, struct flow *f, enum side from, struct icmp_error *e)
{
    bool v4 = e->ip.version == 4;
    e->quoted_ttl = -1;
    e->ip.dst = f->half[from].addr;
    e->ip.ttl = v4 ? 254 : 63;
    e->ip.tos = v4 ? 0xc0 : 0;
    e->ip.id = ++s->icmp_id & 0xffff;
    e->bytes = v4 ? 8 : SENT_BYTES;
    e->dress = flow_dress(f, other_side(from));
    e->dress.hidden = false;
}

static inline void read_icmp_words(struct line *l, struct icmp_error *e)
{
    while (peek(l)) {
        if (take(l, "mtu"))
            e->mtu = number(l, "the MTU", UINT32_MAX);
        else if (take(l, "bytes"))
            e->bytes = number(l, "the bytes quoted", SENT_BYTES);
        else if (take(l, "qttl"))
            e->quoted_ttl = (int)number(l, "the quoted TTL", 255);
        else if (!read_ip_override(l, &e->ip) && !read_dress(l, &e->dress))
            fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
}

/* `port from 10.0.0.254 quote A > seq 1 mtu 1400 bytes 8 qttl 1 ...`. */
static inline void icmp_error_line(struct script *s, struct line *l)
{
    struct icmp_error e = { 0 };
    struct line kind = *l; /* read later: the version comes from the address behind it */
    l->at += g_strcmp0(next_word(l), "type") == 0 ? 4 : 1;
    expect(l, "from");
    e.ip.version = address(l, "the router's address", &e.ip.src);
    read_kind(&kind, e.ip.version, &e);
    expect(l, "quote");
    struct flow *f = flow_named(s, l);
    enum side from = sender(l);
    if (f->version != e.ip.version)
        fail(l, "the router's address and the flow differ in version");
    const GByteArray *packet = quoted(l, &f->half[from]);
    icmp_error_standard(s, f, from, &e);
    read_icmp_words(l, &e);
    g_autoptr(GByteArray) b = g_byte_array_new();
    put_u16(b, (unsigned)e.type << 8 | e.code);
    put_u16(b, 0);
    put_u32(b, e.mtu);
    put_quotation(b, packet, &e);
    icmp_finish(b, &e.ip);
    g_byte_array_unref(emit_ip(&s->out, l, s->now_ns, &e.ip, b, &e.dress));
}

/* `icmp echo 10.0.0.1 > 10.0.0.2 ident 7 seq 1 size 56`, `icmp echo-reply ...`. */
static inline void icmp_echo_line(struct script *s, struct line *l, bool reply)
{
    uint32_t ident = 1, seq = 1, size = 56;
    struct dress d = s->standard.dress;
    struct ip_spec ip = { .ttl = 64, .df = true };
    ip.version = address(l, "the source", &ip.src);
    expect(l, ">");
    if (address(l, "the destination", &ip.dst) != ip.version)
        fail(l, "the two addresses differ in version");
    mac_of(&ip.src, d.src_mac);
    mac_of(&ip.dst, d.dst_mac);
    d.outgoing = !reply;
    while (peek(l)) {
        if (take(l, "ident"))
            ident = number(l, "ident", 65535);
        else if (take(l, "seq"))
            seq = number(l, "seq", 65535);
        else if (take(l, "size"))
            size = number(l, "size", 65000);
        else if (!read_ip_override(l, &ip) && !read_dress(l, &d))
            fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
    g_autoptr(GByteArray) b = g_byte_array_new();
    put_u16(b, (ip.version == 4 ? (reply ? 0u : 8u) : reply ? 129u : 128u) << 8);
    put_u16(b, 0);
    put_u16(b, ident);
    put_u16(b, seq);
    for (uint32_t i = 0; i < size; i++)
        put_u8(b, filler(i));
    icmp_finish(b, &ip);
    g_byte_array_unref(emit_ip(&s->out, l, s->now_ns, &ip, b, &d));
}

static inline void icmp_line(struct script *s, struct line *l)
{
    take(l, "unreach"); /* reads well, says nothing new */
    if (take(l, "echo"))
        icmp_echo_line(s, l, false);
    else if (take(l, "echo-reply"))
        icmp_echo_line(s, l, true);
    else
        icmp_error_line(s, l);
}

#endif
