/* PPP (RFC 1661), bare, in HDLC-like framing (RFC 1662) and over Ethernet (RFC 2516). */
#include "dissect/layers.h"

/* The protocol field: one byte where its lowest bit is set (compressed), else two. */
static int protocol(struct walk *w)
{
    const uint8_t *first = walk_take(w, 1);
    if (!first)
        return -1;
    if (first[0] & 1)
        return first[0];
    const uint8_t *second = walk_take(w, 1);
    return second ? first[0] << 8 | second[0] : -1;
}

enum layer ppp_frame(struct walk *w)
{
    if (cursor_left(&w->c) >= 2 && w->c.p[0] == 0xff && w->c.p[1] == 0x03)
        cursor_skip(&w->c, 2); /* all stations, unnumbered information */
    switch (protocol(w)) {
    case -1: return walk_undecoded(w, UNDECODED_LINK_SHORT);
    case 0x0021: return LAYER_IPV4;
    case 0x0057: return LAYER_IPV6;
    case 0x0031: return walk_other(w); /* bridged: RFC 3518 */
    case 0x0053: /* encrypted, RFC 1968 */
    case 0x0055: return walk_undecoded(w, UNDECODED_ENCRYPTED);
    case 0x0281:
    case 0x0283: return LAYER_MPLS;
    default: return walk_other(w); /* LCP, IPCP, compressed headers and data */
    }
}

enum layer ppp_over_ethernet(struct walk *w)
{
    const uint8_t *h = walk_take(w, 6);
    if (!h || h[0] != 0x11)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    if (h[1] != 0) /* not session data */
        return walk_other(w);
    walk_tunnel(w, TUNNEL_PPPOE, be16(h + 2));
    walk_trim(w, be16(h + 4));
    return LAYER_PPP;
}
