/* The link types, Ethernet and what stands between it and IP. */
#include "dissect/layers.h"

#include <pcap/dlt.h>

/* IEEE 802 numbers. Below 1536 the field is a length. */
enum {
    TYPE_LENGTH_MAX = 1535, TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_TRILL = 0x22f3, TYPE_TEB = 0x6558,
    TYPE_VLAN = 0x8100, TYPE_IPV6 = 0x86dd, TYPE_MPLS = 0x8847, TYPE_MPLS_UP = 0x8848, TYPE_PPPOE = 0x8864,
    TYPE_LLC = 0x8870, TYPE_QINQ = 0x88a8, TYPE_MACSEC = 0x88e5, TYPE_PBB = 0x88e7, TYPE_FABRICPATH = 0x8903,
    TYPE_CMD = 0x8909, TYPE_VNTAG = 0x8926, TYPE_ETAG = 0x893f, TYPE_NSH = 0x894f, TYPE_QINQ_9100 = 0x9100,
    TYPE_QINQ_9200 = 0x9200, TYPE_QINQ_9300 = 0x9300
};

/* Skips n bytes of a header whose content does not matter. */
static enum layer skip(struct walk *w, size_t n, enum layer next)
{
    return walk_take(w, n) ? next : walk_undecoded(w, UNDECODED_LINK_SHORT);
}

/* Skips a header that ends with an ethertype. */
static enum layer skip_to_type(struct walk *w, size_t n)
{
    const uint8_t *h = walk_take(w, n);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    return walk_into(w, LAYER_ETHERTYPE, be16(h + n - 2));
}

/* Cisco ISL: 26 bytes around a whole Ethernet frame, known by its destination 01-00-0c-00-00 or 03-00-0c-00-00 and
 * SNAP. */
static bool is_isl(const uint8_t *h)
{
    return (h[0] == 0x01 || h[0] == 0x03) && h[1] == 0x00 && h[2] == 0x0c && h[3] == 0x00 && h[4] == 0x00;
}

static enum layer isl(struct walk *w)
{
    const uint8_t *h = walk_take(w, 26 - 14);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    walk_vlan(w, be16(h + 6) >> 1); /* 15 bits of VLAN, then the BPDU bit */
    return LAYER_ETHERNET;
}

enum layer link_ethernet(struct walk *w)
{
    const uint8_t *h = walk_take(w, 14);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    uint16_t type = be16(h + 12);
    if (type == TYPE_IPV4)
        return ip_v4(w); /* most frames: without another turn of the loop */
    if (type <= TYPE_LENGTH_MAX && is_isl(h))
        return isl(w);
    return walk_into(w, LAYER_ETHERTYPE, type);
}

static enum layer vlan(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    walk_vlan(w, be16(h));
    return walk_into(w, LAYER_ETHERTYPE, be16(h + 2));
}

/* IEEE 802.1AE. Integrity only: the tag is passed over and IP's own length leaves the check value behind. */
static enum layer macsec(struct walk *w)
{
    int tci = walk_peek(w);
    if (tci < 0)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    if (tci & 0x0c) /* encrypted, or changed */
        return walk_undecoded(w, UNDECODED_ENCRYPTED);
    return skip_to_type(w, (tci & 0x20 ? 14 : 6) + 2); /* with the sender's identifier or without */
}

/* RFC 6325: the options' length is in words; an Ethernet frame follows. */
static enum layer trill(struct walk *w)
{
    const uint8_t *h = walk_take(w, 6);
    size_t options = h ? (size_t)(be16(h) >> 6 & 0x1f) * 4 : 0;
    if (!h || (options && !walk_take(w, options)))
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    return LAYER_ETHERNET;
}

/* IEEE 802.1ah: the service identifier, then the customer's frame. */
static enum layer backbone(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    walk_tunnel(w, TUNNEL_OTHER, be32(h) & 0xffffff);
    return LAYER_ETHERNET;
}

enum layer link_ethertype(struct walk *w)
{
    switch (w->type) {
    case TYPE_IPV4: return LAYER_IPV4;
    case TYPE_IPV6: return LAYER_IPV6;
    case TYPE_ARP: return neighbor_arp(w);
    case TYPE_VLAN:
    case TYPE_QINQ:
    case TYPE_QINQ_9100:
    case TYPE_QINQ_9200:
    case TYPE_QINQ_9300: return vlan(w);
    case TYPE_MPLS:
    case TYPE_MPLS_UP: return LAYER_MPLS;
    case TYPE_PPPOE: return ppp_over_ethernet(w);
    case TYPE_TEB: return LAYER_ETHERNET;
    case TYPE_LLC: return LAYER_LLC;
    case TYPE_NSH: return tunnel_nsh(w);
    case TYPE_TRILL: return trill(w);
    case TYPE_PBB: return backbone(w);
    case TYPE_MACSEC: return macsec(w);
    case TYPE_FABRICPATH: return skip(w, 2, LAYER_ETHERNET);
    case TYPE_CMD: return skip_to_type(w, 8);
    case TYPE_VNTAG: return skip_to_type(w, 6);
    case TYPE_ETAG: return skip_to_type(w, 8);
    default: return w->type <= TYPE_LENGTH_MAX ? LAYER_LLC : walk_other(w);
    }
}

bool link_ethertype_known(uint16_t type)
{
    switch (type) {
    case TYPE_IPV4:
    case TYPE_IPV6:
    case TYPE_ARP:
    case TYPE_VLAN:
    case TYPE_QINQ:
    case TYPE_QINQ_9100:
    case TYPE_MPLS:
    case TYPE_MPLS_UP:
    case TYPE_PPPOE: return true;
    default: return false;
    }
}

/* SNAP (RFC 1042): under these two organisation codes the protocol is an ethertype. */
static enum layer snap(struct walk *w)
{
    const uint8_t *h = walk_take(w, 5);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    uint32_t oui = be32(h) >> 8;
    if (oui == 0 || oui == 0x0000f8)
        return walk_into(w, LAYER_ETHERTYPE, be16(h + 3));
    bool is_bridged = oui == 0x0080c2 && (be16(h + 3) == 1 || be16(h + 3) == 7);
    if (is_bridged) /* RFC 2427, RFC 2684: an Ethernet frame, padded by two */
        return skip(w, 2, LAYER_ETHERNET);
    return walk_other(w);
}

enum layer link_llc(struct walk *w)
{
    const uint8_t *h = walk_take(w, 3);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    if (h[0] == 0xaa && h[1] == 0xaa && h[2] == 0x03)
        return snap(w);
    if (h[0] == 0x06 && h[1] == 0x06 && h[2] == 0x03)
        return LAYER_IPV4;
    return walk_other(w);
}

/* BSD loopback: an address family in either byte order. The families of IPv6 differ between systems (10, 24, 28,
 * 30). */
static enum layer null_frame(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    uint32_t family = be32(h);
    if (family > 0xffff)
        family = (uint32_t)h[3] << 24 | (uint32_t)h[2] << 16 | (uint32_t)h[1] << 8 | h[0];
    switch (family) {
    case 2: return LAYER_IPV4;
    case 10:
    case 24:
    case 28:
    case 30: return LAYER_IPV6;
    default: return family > TYPE_LENGTH_MAX ? walk_into(w, LAYER_ETHERTYPE, family) : walk_other(w);
    }
}

/* What a Linux cooked header names: an ethertype, or else one of Linux' own numbers below 1536, which depend on the
 * hardware (ARPHRD). */
static enum layer cooked(struct walk *w, uint16_t hardware, uint16_t protocol)
{
    enum { ARPHRD_80211 = 801, ARPHRD_80211_RADIOTAP = 803, ARPHRD_NETLINK = 824, ETH_P_802_2 = 4 };
    if (hardware == ARPHRD_NETLINK) /* the protocol is a netlink family */
        return walk_other(w);
    if (protocol > TYPE_LENGTH_MAX)
        return walk_into(w, LAYER_ETHERTYPE, protocol);
    if (hardware == ARPHRD_80211)
        return LAYER_WLAN;
    if (hardware == ARPHRD_80211_RADIOTAP)
        return wlan_radiotap(w);
    return protocol == ETH_P_802_2 ? LAYER_LLC : walk_other(w);
}

static enum layer sll(struct walk *w)
{
    const uint8_t *h = walk_take(w, 16);
    return h ? cooked(w, be16(h + 2), be16(h + 14)) : walk_undecoded(w, UNDECODED_LINK_SHORT);
}

static enum layer sll2(struct walk *w)
{
    const uint8_t *h = walk_take(w, 20);
    return h ? cooked(w, be16(h + 8), be16(h)) : walk_undecoded(w, UNDECODED_LINK_SHORT);
}

/* Cisco HDLC: address 0x0f or 0x8f, control 0, an ethertype. */
static enum layer cisco_hdlc(struct walk *w)
{
    return skip_to_type(w, 4);
}

/* DLT_PPP and DLT_PPP_SERIAL hold either PPP or Cisco HDLC. */
static enum layer serial(struct walk *w)
{
    int address = walk_peek(w);
    return address == 0x0f || address == 0x8f ? cisco_hdlc(w) : LAYER_PPP;
}

/* Frame relay, a two-byte address: RFC 2427 (control 3, NLPID), or Cisco's form with an ethertype in that place. */
static enum layer frame_relay(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    if (!h)
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    uint8_t nlpid = h[3];
    if (h[2] != 0x03)
        return walk_into(w, LAYER_ETHERTYPE, be16(h + 2));
    if (nlpid == 0) { /* a pad byte before it */
        const uint8_t *behind = walk_take(w, 1);
        nlpid = behind ? behind[0] : 0;
    }
    switch (nlpid) {
    case 0xcc: return LAYER_IPV4;
    case 0x8e: return LAYER_IPV6;
    case 0x80: return snap(w);
    case 0xcf: return LAYER_PPP;
    default: return walk_other(w);
    }
}

/* PPI: version, flags, length and the link type of what follows, little-endian. */
static enum layer ppi(struct walk *w)
{
    struct cursor h = w->c;
    cursor_skip(&h, 2);
    uint16_t length = cursor_le16(&h);
    uint32_t dlt = cursor_le32(&h);
    if (h.failed || length < 8 || !walk_take(w, length))
        return walk_undecoded(w, UNDECODED_LINK_SHORT);
    return walk_into(w, LAYER_LINK, dlt);
}

/* Linux NFLOG: type-length-value records in the order of the machine that captured; that of type 9 is the packet. */
static enum layer nflog(struct walk *w)
{
    const uint8_t *h = walk_take(w, 4);
    bool little = true;
    while (h && (h = walk_take(w, 4))) {
        little = h[3] == 0 && h[2] != 0 ? true : h[2] == 0 && h[3] != 0 ? false : little;
        size_t length = little ? (size_t)(h[1] << 8 | h[0]) : be16(h);
        unsigned type = little ? h[2] : h[3];
        if (length < 4)
            break;
        if (type == 9) {
            walk_trim(w, length - 4);
            return LAYER_IP;
        }
        size_t padded = ((length + 3) & ~(size_t)3) - 4;
        h = padded ? walk_take(w, padded) : h;
    }
    return h ? walk_other(w) : walk_undecoded(w, UNDECODED_LINK_SHORT);
}

enum layer link_frame(struct walk *w)
{
    switch (w->type) {
    case DLT_EN10MB: return link_ethernet(w);
    case DLT_LINUX_SLL: return sll(w);
    case DLT_LINUX_SLL2: return sll2(w);
    case DLT_NULL:
    case DLT_LOOP: return null_frame(w);
    case DLT_RAW:
    case 14:  /* DLT_RAW of OpenBSD */
    case 101: /* LINKTYPE_RAW, as it stands in files */
        return LAYER_IP;
    case DLT_IPV4: return LAYER_IPV4;
    case DLT_IPV6: return LAYER_IPV6;
    case DLT_PPP:
    case DLT_PPP_SERIAL: return serial(w);
    case DLT_PPP_WITH_DIR: return skip(w, 1, LAYER_PPP);
    case DLT_PPP_ETHER: return ppp_over_ethernet(w);
    case DLT_C_HDLC: return cisco_hdlc(w);
    case DLT_FRELAY: return frame_relay(w);
    case DLT_MPLS: return LAYER_MPLS;
    case DLT_ATM_RFC1483: return LAYER_LLC;
    case DLT_IEEE802_11: return LAYER_WLAN;
    case DLT_IEEE802_11_RADIO: return wlan_radiotap(w);
    case DLT_IEEE802_11_RADIO_AVS:
    case DLT_PRISM_HEADER: return wlan_prism(w);
    case DLT_PPI: return ppi(w);
    case DLT_NFLOG: return nflog(w);
    default: return walk_undecoded(w, UNDECODED_LINKTYPE);
    }
}
