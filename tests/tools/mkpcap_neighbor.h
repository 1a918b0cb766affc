/* mkpcap_neighbor: ARP (RFC 826, 5227) and IPv6 neighbour discovery (RFC 4861, 4862). */
#ifndef TCPSLEUTH_TESTS_MKPCAP_NEIGHBOR_H
#define TCPSLEUTH_TESTS_MKPCAP_NEIGHBOR_H

#include "tests/tools/mkpcap_icmp.h"

static const uint8_t broadcast_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* What a line says: who asks or answers for whom. */
struct neighbor {
    bool reply, probe, announce;
    unsigned version;
    struct addr target;    /* the address in question */
    struct addr other;     /* who asks, or who is answered */
    uint8_t mac[6];        /* of the sender */
    struct dress dress;
};

static inline void read_neighbor_words(struct script *s, struct line *l, struct neighbor *n)
{
    n->dress = s->standard.dress;
    while (peek(l)) {
        if (take(l, "mac"))
            to_mac(l, word(l, "the sender's MAC address"), n->mac);
        else if (!read_dress(l, &n->dress))
            fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
    n->dress.outgoing = !n->reply;
    memcpy(n->dress.src_mac, n->mac, 6);
}

/* `who-has T tell A`, `reply T is-at MAC to A`, `probe T`, `announce T`; then `mac M` (of the sender) and dress. */
static inline void read_neighbor(struct script *s, struct line *l, struct neighbor *n)
{
    bool who_has = take(l, "who-has");
    n->reply = !who_has && take(l, "reply");
    n->probe = !who_has && !n->reply && take(l, "probe");
    n->announce = !who_has && !n->reply && !n->probe && take(l, "announce");
    if (!who_has && !n->reply && !n->probe && !n->announce)
        fail(l, "one of who-has, reply, probe, announce is missing");
    n->version = address(l, "the address in question", &n->target);
    n->other = n->target;
    mac_of(&n->target, n->mac);
    if (n->reply) {
        expect(l, "is-at");
        to_mac(l, word(l, "the MAC address"), n->mac);
        expect(l, "to");
        address(l, "who is answered", &n->other);
    } else if (who_has) {
        expect(l, "tell");
        address(l, "who asks", &n->other);
        mac_of(&n->other, n->mac);
    }
    read_neighbor_words(s, l, n);
}

static inline void arp_line(struct script *s, struct line *l)
{
    static const uint8_t none[6];
    struct neighbor n = { 0 };
    read_neighbor(s, l, &n);
    if (n.version != 4)
        fail(l, "ARP is for IPv4; write nd");
    uint8_t asker[6];
    mac_of(&n.other, asker);
    memcpy(n.dress.dst_mac, n.reply ? asker : broadcast_mac, 6);
    GByteArray *b = g_byte_array_new();
    put_u16(b, 1);
    put_u16(b, TYPE_IPV4);
    put_u16(b, 6 << 8 | 4);
    put_u16(b, n.reply ? 2 : 1);
    put(b, n.mac, 6);
    if (n.probe)
        put_u32(b, 0);
    else
        put_addr(b, n.reply ? &n.target : &n.other, 4);
    put(b, n.reply ? asker : none, 6);
    put_addr(b, n.reply ? &n.other : &n.target, 4);
    emit_packet(&s->out, l, s->now_ns, b, TYPE_ARP, &n.dress);
}

/* Solicited-node (or all-nodes) group and its MAC address. */
static inline void set_multicast(struct neighbor *n, struct ip_spec *ip)
{
    static const uint8_t solicited[13] = { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };
    if (n->announce) {
        ip->dst = (struct addr){ { 0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } };
    } else {
        ip->dst = n->target;
        memcpy(ip->dst.bytes, solicited, sizeof solicited);
    }
    n->dress.dst_mac[0] = n->dress.dst_mac[1] = 0x33;
    memcpy(n->dress.dst_mac + 2, ip->dst.bytes + 12, 4);
}

static inline void nd_line(struct script *s, struct line *l)
{
    struct neighbor n = { 0 };
    read_neighbor(s, l, &n);
    if (n.version != 6)
        fail(l, "neighbour discovery is for IPv6; write arp");
    bool advertises = n.reply || n.announce;
    struct ip_spec ip = { .version = 6, .ttl = 255, .src = advertises ? n.target : n.other, .dst = n.other };
    if (n.probe)
        memset(&ip.src, 0, sizeof ip.src);
    if (n.reply)
        mac_of(&n.other, n.dress.dst_mac);
    else
        set_multicast(&n, &ip);
    g_autoptr(GByteArray) b = g_byte_array_new();
    put_u16(b, (advertises ? 136u : 135u) << 8);
    put_u16(b, 0);
    put_u32(b, n.reply ? 0x60000000 : n.announce ? 0x20000000 : 0); /* solicited, override */
    put_addr(b, &n.target, 6);
    if (!n.probe) {
        put_u16(b, (advertises ? 2u : 1u) << 8 | 1);
        put(b, n.mac, 6);
    }
    icmp_finish(b, &ip);
    g_byte_array_unref(emit_ip(&s->out, l, s->now_ns, &ip, b, &n.dress));
}

#endif
