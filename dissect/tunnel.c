/* Tunnels that travel in IP (GRE, IP in IP, EtherIP) or beside it (MPLS, NSH). Those in UDP are in udptunnel.c. */
#include "dissect/layers.h"

static enum layer cut(struct walk *w)
{
    return walk_undecoded(w, UNDECODED_LINK_SHORT);
}

/* An Ethernet pseudowire behind the label stack: with the control word (RFC 4385) or without it. Both begin with
 * zeros often enough, so the place where an ethertype makes sense decides. */
static enum layer pseudowire(struct walk *w)
{
    const uint8_t *p = w->c.p;
    size_t left = cursor_left(&w->c);
    bool bare = left >= 14 && link_ethertype_known(be16(p + 12));
    bool worded = left >= 18 && link_ethertype_known(be16(p + 16));
    if (left >= 4 && p[0] >> 4 == 0 && (worded || !bare))
        cursor_skip(&w->c, 4);
    else if (!bare)
        return walk_other(w); /* the associated channel of RFC 5586, other pseudowires */
    return LAYER_ETHERNET;
}

/* RFC 3032: labels to the one with the bottom bit; that one names the service and is kept. What follows is not said:
 * by RFC 4928 the first four bits tell IP. */
enum layer tunnel_mpls(struct walk *w)
{
    const uint8_t *h;
    do {
        h = walk_take(w, 4);
        if (!h)
            return cut(w);
    } while (!(h[2] & 1));
    walk_tunnel(w, TUNNEL_MPLS, be32(h) >> 12);
    int first = walk_peek(w);
    if (first < 0)
        return cut(w);
    return first >> 4 == 4 || first >> 4 == 6 ? LAYER_IP : pseudowire(w);
}

/* RFC 8300: a length in words, the next protocol, service path. */
enum layer tunnel_nsh(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    size_t length = h ? (size_t)(h[1] & 0x3f) * 4 : 0;
    if (length < 8 || (length > 8 && !walk_take(w, length - 8)))
        return cut(w);
    walk_tunnel(w, TUNNEL_OTHER, be32(h + 4) >> 8);
    switch (h[3]) {
    case 1: return LAYER_IPV4;
    case 2: return LAYER_IPV6;
    case 3: return LAYER_ETHERNET;
    case 5: return LAYER_MPLS;
    default: return walk_other(w);
    }
}

/* IP in IP (RFC 2003), IPv6 in IPv4 (RFC 4213), either in IPv6 (RFC 2473): protocols 4 and 41. */
enum layer tunnel_ip(struct walk *w)
{
    bool v6 = w->type == 41;
    walk_tunnel(w, v6 || w->pk->ip.version == 6 ? TUNNEL_6IN4 : TUNNEL_IPIP, 0);
    return v6 ? LAYER_IPV6 : LAYER_IPV4;
}

/* RFC 3378: version 3 and twelve zero bits. */
enum layer tunnel_etherip(struct walk *w)
{
    const uint8_t *h = walk_take(w, 2);
    if (!h)
        return cut(w);
    if (h[0] >> 4 != 3)
        return walk_other(w);
    walk_tunnel(w, TUNNEL_OTHER, 0);
    return LAYER_ETHERNET;
}

/* Flags of the first GRE byte (RFC 2784, 2890, and 1701 for routing) and of the second. */
enum { GRE_CHECKSUM = 0x80, GRE_ROUTING = 0x40, GRE_KEY = 0x20, GRE_SEQUENCE = 0x10, GRE_ACK = 0x80 };

/* Source route entries of RFC 1701, up to the empty one. */
static bool skip_routing(struct walk *w)
{
    const uint8_t *h;
    do {
        h = walk_take(w, 4);
        if (!h || (h[3] && !walk_take(w, h[3])))
            return false;
    } while (h[3]);
    return true;
}

/* What version 0 carries. sequence: whether the header had that field. */
static enum layer gre_content(struct walk *w, uint16_t protocol, bool sequence)
{
    switch (protocol) {
    case 0x88be: /* ERSPAN: type II has the sequence number and a header of 8 bytes, type I neither */
        return !sequence || walk_take(w, 8) ? LAYER_ETHERNET : cut(w);
    case 0x22eb: { /* ERSPAN type III: 12 bytes, and 8 more with the lowest bit */
        const uint8_t *h = walk_take(w, 12);
        return h && (!(h[11] & 1) || walk_take(w, 8)) ? LAYER_ETHERNET : cut(w);
    }
    case 0x883e: /* WCCP: version 2 has 4 bytes before the IP header */
        if (walk_peek(w) >> 4 != 4 && !walk_take(w, 4))
            return cut(w);
        return LAYER_IPV4;
    case 0x880b: return LAYER_PPP;
    default: /* an ethertype; below them: keep-alives, OSI */
        return protocol >= 0x0600 ? walk_into(w, LAYER_ETHERTYPE, protocol) : walk_other(w);
    }
}

/* RFC 2637: always a key, of payload length and call; acknowledgments without payload are nothing for us. */
static enum layer gre_pptp(struct walk *w, const uint8_t *h)
{
    const uint8_t *key = walk_take(w, 4);
    size_t numbers = (h[0] & GRE_SEQUENCE ? 4 : 0) + (h[1] & GRE_ACK ? 4 : 0);
    if (!key || (numbers && !walk_take(w, numbers)))
        return cut(w);
    if (!(h[0] & GRE_SEQUENCE) || be16(key) == 0)
        return walk_other(w);
    walk_tunnel(w, TUNNEL_GRE, be16(key + 2));
    walk_trim(w, be16(key));
    return LAYER_PPP;
}

/* MikroTik's Ethernet over IP: key of length and, little-endian, tunnel number. A frame of length 0 keeps the tunnel
 * alive. */
static enum layer gre_eoip(struct walk *w)
{
    const uint8_t *key = walk_take(w, 4);
    if (!key)
        return cut(w);
    if (be16(key) == 0)
        return walk_other(w);
    walk_tunnel(w, TUNNEL_GRE, (uint32_t)(key[3] << 8 | key[2]));
    walk_trim(w, be16(key));
    return LAYER_ETHERNET;
}

enum layer tunnel_gre(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    if (!h)
        return cut(w);
    uint16_t protocol = be16(h + 2);
    if ((h[1] & 7) == 1)
        return protocol == 0x6400 ? gre_eoip(w) : gre_pptp(w, h);
    if ((h[1] & 7) != 0)
        return walk_other(w);
    if (h[0] & (GRE_CHECKSUM | GRE_ROUTING) && !walk_take(w, 4))
        return cut(w);
    const uint8_t *key = h[0] & GRE_KEY ? walk_take(w, 4) : NULL;
    if (h[0] & GRE_KEY && !key)
        return cut(w);
    if (h[0] & GRE_SEQUENCE && !walk_take(w, 4))
        return cut(w);
    if (h[0] & GRE_ROUTING && !skip_routing(w))
        return cut(w);
    walk_tunnel(w, TUNNEL_GRE, key ? be32(key) : 0);
    return gre_content(w, protocol, h[0] & GRE_SEQUENCE);
}
