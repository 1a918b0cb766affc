/* ICMP (RFC 792) and ICMPv6 (RFC 4443): errors with the packet that they quote; ND goes to neighbor.c, the rest is
 * other traffic. */
#include "base/limits.h"
#include "dissect/layers.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

/* The start of the quoted packet's payload: ports, TCP's sequence number, what is behind the UDP header. */
static void quoted_payload(struct cursor c, struct icmp_facts *f)
{
    if (f->quoted_protocol != PROTO_TCP && f->quoted_protocol != PROTO_UDP)
        return;
    f->quoted_sport = cursor_u16(&c);
    f->quoted_dport = cursor_u16(&c);
    f->quotes_ports = !c.failed;
    if (f->quoted_protocol == PROTO_TCP) {
        f->quoted_seq = cursor_u32(&c);
        f->quotes_seq = !c.failed;
        return;
    }
    uint16_t length = cursor_u16(&c);
    cursor_skip(&c, 2);
    struct slice rest = cursor_rest(&c);
    if (length >= 8 && (size_t)length - 8 < rest.n)
        rest.n = (size_t)length - 8;
    f->quoted_payload = rest;
}

static void quoted_v4(struct cursor c, struct icmp_facts *f)
{
    const uint8_t *h = cursor_take(&c, 20).p;
    size_t header = h ? (size_t)(h[0] & 0x0f) * 4 : 0;
    if (header < 20)
        return;
    f->quoted_version = 4;
    f->quoted_src = addr_v4(h + 12);
    f->quoted_dst = addr_v4(h + 16);
    f->quoted_protocol = h[9];
    f->quoted_ttl = h[8];
    f->quoted_total_len = be16(h + 2);
    cursor_skip(&c, header - 20);
    if (!(be16(h + 6) & 0x1fff)) /* a later fragment has no ports */
        quoted_payload(c, f);
}

/* Steps over the extension headers of a quoted IPv6 packet; false where the payload is out of reach. */
static bool quoted_extensions(struct cursor *c, struct icmp_facts *f)
{
    for (unsigned n = 0; n < LIMIT_LAYERS; n++) {
        uint8_t kind = f->quoted_protocol;
        bool is_ah = kind == 51, is_fragment = kind == 44;
        if (kind != 0 && kind != 43 && kind != 60 && kind != 135 && !is_ah && !is_fragment)
            return true;
        f->quoted_protocol = cursor_u8(c);
        size_t length = cursor_u8(c);
        if (is_fragment && (cursor_u16(c) & 0xfff8))
            return false;
        cursor_skip(c, is_fragment ? 4 : is_ah ? length * 4 + 6 : length * 8 + 6);
        if (c->failed)
            return false;
    }
    return false;
}

static void quoted_v6(struct cursor c, struct icmp_facts *f)
{
    const uint8_t *h = cursor_take(&c, 40).p;
    if (!h)
        return;
    f->quoted_version = 6;
    f->quoted_src = addr_v6(h + 8);
    f->quoted_dst = addr_v6(h + 24);
    f->quoted_protocol = h[6];
    f->quoted_ttl = h[7];
    f->quoted_total_len = be16(h + 4) + 40u;
    if (quoted_extensions(&c, f))
        quoted_payload(c, f);
}

/* length: how much of the rest is the quotation, 0 where all of it is (RFC 4884: extensions follow). */
static enum layer error(struct walk *w, const uint8_t *h, uint32_t mtu, size_t length)
{
    struct icmp_facts *f = &w->pk->icmp;
    w->pk->kind = PACKET_ICMP_ERROR;
    *f = (struct icmp_facts){ .type = h[0], .code = h[1], .mtu = mtu };
    if (length)
        walk_trim(w, length);
    f->quoted = slice_of(w->c.p, cursor_left(&w->c));
    switch (walk_peek(w) >> 4) {
    case 4: quoted_v4(w->c, f); break;
    case 6: quoted_v6(w->c, f); break;
    default: break;
    }
    return LAYER_DONE;
}

static enum layer echo(struct walk *w, const uint8_t *h, bool reply)
{
    w->pk->kind = PACKET_ECHO;
    w->pk->echo = (struct echo_facts){
        .reply = reply, .id = be16(h + 4), .seq = be16(h + 6), .payload = slice_of(w->c.p, cursor_left(&w->c))
    };
    return LAYER_DONE;
}

enum layer icmp_v4(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h)
        return walk_undecoded(w, UNDECODED_ICMP_SHORT);
    switch (h[0]) {
    case 0:
    case 8: return echo(w, h, h[0] == 0);
    case 3: /* destination unreachable; code 4: fragmentation needed, RFC 1191 */
        return error(w, h, h[1] == 4 ? be16(h + 6) : 0, h[5] * (size_t)4);
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return error(w, h, 0, h[5] * (size_t)4);
    default: return walk_other(w);
    }
}

/* Fixed part of a neighbour solicitation or advertisement: 8 bytes as of every ICMPv6 message, then the target. */
static enum layer discovery(struct walk *w, const uint8_t *h)
{
    return walk_take(w, 16) ? neighbor_discovery(w, h) : walk_undecoded(w, UNDECODED_ICMP_SHORT);
}

enum layer icmp_v6(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h)
        return walk_undecoded(w, UNDECODED_ICMP_SHORT);
    switch (h[0]) {
    case 1: /* destination unreachable */
    case 3: /* time exceeded */
        return error(w, h, 0, h[4] * (size_t)8);
    case 2: /* packet too big */
        return error(w, h, be32(h + 4), 0);
    case 4: /* parameter problem */
        return error(w, h, 0, 0);
    case 128:
    case 129: return echo(w, h, h[0] == 129);
    case 135:
    case 136: return discovery(w, h);
    default: return walk_other(w);
    }
}
