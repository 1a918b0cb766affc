/* Tunnels in UDP, known by their ports. A port proves little, so each header is tested for what it must hold, and
 * what does not read as a tunnel, or leads to nothing readable, is reported as plain UDP (dissector.c). */
#include "dissect/layers.h"

enum {
    PORT_L2TP = 1701, PORT_GTP_U = 2152, PORT_TEREDO = 3544, PORT_GRE = 4754, PORT_VXLAN = 4789, PORT_VXLAN_GPE = 4790,
    PORT_GENEVE = 6081, PORT_MPLS = 6635, PORT_VXLAN_LINUX = 8472
};

/* RFC 7348: the flag of the network identifier, the rest zero. Group policy (bits 0x80, 0x08 of the first two bytes)
 * is let through. */
static enum layer vxlan(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h || (h[0] & 0x7f) != 0x08 || h[7] != 0)
        return LAYER_DONE;
    walk_tunnel(w, TUNNEL_VXLAN, be32(h + 4) >> 8);
    return LAYER_ETHERNET;
}

/* draft-ietf-nvo3-vxlan-gpe: as VXLAN, with a next protocol. */
static enum layer vxlan_gpe(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h || (h[0] & 0xf8) != 0x08)
        return LAYER_DONE;
    walk_tunnel(w, TUNNEL_VXLAN, be32(h + 4) >> 8);
    if (!(h[0] & 0x04))
        return LAYER_ETHERNET;
    switch (h[3]) {
    case 1: return LAYER_IPV4;
    case 2: return LAYER_IPV6;
    case 3: return LAYER_ETHERNET;
    case 4: return tunnel_nsh(w);
    case 5: return LAYER_MPLS;
    default: return LAYER_DONE;
    }
}

/* RFC 8926: version 0; the options' length is in words. Control packets are no payload. */
static enum layer geneve(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h || h[0] >> 6 != 0 || h[1] & 0x80 || h[7] != 0)
        return LAYER_DONE;
    size_t options = (size_t)(h[0] & 0x3f) * 4;
    if (options && !walk_take(w, options))
        return LAYER_DONE;
    walk_tunnel(w, TUNNEL_GENEVE, be32(h + 4) >> 8);
    return walk_into(w, LAYER_ETHERTYPE, be16(h + 2));
}

/* GTP-U's extension headers (3GPP TS 29.281, 5.2): a length in words, content, the type of the next. */
static bool gtp_extensions(struct walk *w, uint8_t type)
{
    while (type != 0) {
        int words = walk_peek(w);
        const uint8_t *h = words > 0 ? walk_take(w, (size_t)words * 4) : NULL;
        if (!h)
            return false;
        type = h[words * 4 - 1];
    }
    return true;
}

/* GTP-U version 1, T-PDU. Any of the flags E, S, PN brings four more bytes; only E's counts. */
static enum layer gtp_u(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h || h[0] >> 4 != 3 || h[1] != 255)
        return LAYER_DONE;
    walk_trim(w, be16(h + 2));
    if (h[0] & 0x07) {
        const uint8_t *optional = walk_take(w, 4);
        if (!optional || !gtp_extensions(w, h[0] & 0x04 ? optional[3] : 0))
            return LAYER_DONE;
    }
    walk_tunnel(w, TUNNEL_OTHER, be32(h + 4));
    return LAYER_IP;
}

/* RFC 4380 section 5.1.1: authentication and origin indication, both optional, then IPv6. */
static enum layer teredo(struct walk *w)
{
    if (cursor_left(&w->c) >= 4 && be16(w->c.p) == 1) {
        const uint8_t *h = walk_take(w, 4);
        if (!walk_take(w, (size_t)h[2] + h[3] + 9)) /* client identifier, authentication, nonce and confirmation */
            return LAYER_DONE;
    }
    if (cursor_left(&w->c) >= 8 && be16(w->c.p) == 0)
        cursor_skip(&w->c, 8);
    if (walk_peek(w) >> 4 != 6)
        return LAYER_DONE;
    walk_tunnel(w, TUNNEL_OTHER, 0);
    return LAYER_IPV6;
}

/* RFC 2661: flags T (control), L (length), S (sequence numbers), O (offset); version 2. */
static enum layer l2tp(struct walk *w)
{
    const uint8_t *h = walk_take(w, 2);
    if (!h || h[0] & 0x80 || (h[1] & 0x0f) != 2)
        return LAYER_DONE;
    size_t fixed = (h[0] & 0x40 ? 2 : 0) + 4 + (h[0] & 0x08 ? 4 : 0);
    const uint8_t *f = walk_take(w, fixed);
    if (!f)
        return LAYER_DONE;
    if (h[0] & 0x02) {
        const uint8_t *size = walk_take(w, 2);
        if (!size || (be16(size) && !walk_take(w, be16(size))))
            return LAYER_DONE;
    }
    walk_tunnel(w, TUNNEL_OTHER, be32(f + (h[0] & 0x40 ? 2 : 0)));
    return LAYER_PPP;
}

/* RFC 8086: GRE of version 0 without source routes, the reserved bits zero. */
static enum layer gre(struct walk *w)
{
    bool plausible = cursor_left(&w->c) >= 4 && (w->c.p[0] & 0x4f) == 0 && w->c.p[1] == 0;
    return plausible ? tunnel_gre(w) : LAYER_DONE;
}

enum layer udptunnel(struct walk *w, uint16_t sport, uint16_t dport)
{
    switch (dport) {
    case PORT_VXLAN:
    case PORT_VXLAN_LINUX: return vxlan(w);
    case PORT_VXLAN_GPE: return vxlan_gpe(w);
    case PORT_GENEVE: return geneve(w);
    case PORT_GTP_U: return gtp_u(w);
    case PORT_L2TP: return l2tp(w);
    case PORT_GRE: return gre(w);
    case PORT_MPLS: return LAYER_MPLS;
    case PORT_TEREDO: return teredo(w);
    default: return sport == PORT_TEREDO ? teredo(w) : LAYER_DONE;
    }
}
