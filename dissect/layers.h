/* layers: what the files of the frame dissector share. Internal: only they include it.
 *
 * A frame is walked from the outside to the inside. A layer function reads its own header from the walk's cursor and
 * says which layer comes next, or fills in the packet and says LAYER_DONE. The loop in dissector.c calls them in turn
 * and counts them, so nothing here recurses. A header of fixed size is taken whole with walk_take, the one test of
 * bounds, and then read at the offsets of its figure.
 */
#ifndef TCPSLEUTH_DISSECT_LAYERS_H
#define TCPSLEUTH_DISSECT_LAYERS_H

#include "base/bytes.h"
#include "dissect/packet.h"

struct defrag;

enum layer {
    LAYER_DONE,      /* the packet is filled in */
    LAYER_LINK,      /* a frame of link type walk.type */
    LAYER_ETHERNET,  /* an Ethernet frame, from its destination on */
    LAYER_ETHERTYPE, /* what the ethertype walk.type says; a length (below 1536): LLC */
    LAYER_LLC,       /* IEEE 802.2, SNAP in it */
    LAYER_WLAN,      /* IEEE 802.11 */
    LAYER_PPP,       /* from the protocol field on, or from the address and control fields before it */
    LAYER_MPLS,      /* a label stack */
    LAYER_IP,        /* IPv4 or IPv6, by the first four bits */
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_PAYLOAD    /* the payload of an IP packet, of protocol walk.type; packet.ip holds */
};

/* A UDP datagram that was taken for a tunnel: what is reported of it where its inside turns out to be something
 * else. */
struct plain_udp {
    struct encap encap;
    struct ip_facts ip;
    struct udp_facts udp;
};

struct walk {
    struct packet *pk;
    struct defrag *defrag;
    struct cursor c;      /* what is captured from the current layer on */
    uint32_t missing;     /* bytes that the wire had behind c.end: the snaplen's cut */
    uint32_t type;        /* see enum layer */
    uint32_t address_sum; /* of the two IP addresses, for the transport checksum (checksum.h) */
    bool network_seen;    /* an IP or ARP header was read (since the last UDP tunnel) */
    bool in_udp;          /* plain holds */
    bool put_together;    /* the walk went on in a datagram that was put together from fragments */
    struct plain_udp plain;
};

static inline uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The next n (at least 1) captured bytes, or NULL. */
static inline const uint8_t *walk_take(struct walk *w, size_t n)
{
    return cursor_take(&w->c, n).p;
}

/* The next byte without taking it, or -1. */
static inline int walk_peek(const struct walk *w)
{
    return cursor_left(&w->c) ? w->c.p[0] : -1;
}

/* Bytes that the wire had from here on. */
static inline size_t walk_wire(const struct walk *w)
{
    return cursor_left(&w->c) + w->missing;
}

/* A header says that n bytes follow: drops what is behind them (padding, trailers). Where the frame was shorter than
 * that, the header is believed and the rest counts as cut. */
static inline void walk_trim(struct walk *w, size_t n)
{
    size_t captured = cursor_left(&w->c);
    if (n <= captured)
        w->c.end = w->c.p + n;
    w->missing = n <= captured ? 0 : (uint32_t)(n - captured);
}

static inline enum layer walk_undecoded(struct walk *w, enum undecoded reason)
{
    w->pk->kind = PACKET_UNDECODED;
    w->pk->reason = reason;
    return LAYER_DONE;
}

static inline enum layer walk_other(struct walk *w)
{
    w->pk->kind = PACKET_OTHER;
    return LAYER_DONE;
}

/* The next layer is `layer`, of number `type`. */
static inline enum layer walk_into(struct walk *w, enum layer layer, uint32_t type)
{
    w->type = type;
    return layer;
}

/* Notes a VLAN tag or a tunnel; those beyond what a packet keeps are passed through unnoted. */
void walk_vlan(struct walk *w, uint16_t id);
void walk_tunnel(struct walk *w, enum tunnel_kind kind, uint32_t id);

/* link.c */
enum layer link_frame(struct walk *w);
enum layer link_ethernet(struct walk *w);
enum layer link_ethertype(struct walk *w);
enum layer link_llc(struct walk *w);
/* Whether an ethertype is one that link_ethertype follows: a hint where a format does not say what it carries. */
bool link_ethertype_known(uint16_t type);

/* wlan.c: IEEE 802.11, and the headers that capture tools put before it. */
enum layer wlan_frame(struct walk *w);
enum layer wlan_radiotap(struct walk *w);
enum layer wlan_prism(struct walk *w);

/* ppp.c */
enum layer ppp_frame(struct walk *w);
enum layer ppp_over_ethernet(struct walk *w);

/* tunnel.c: what travels in IP or beside it. */
enum layer tunnel_mpls(struct walk *w);
enum layer tunnel_nsh(struct walk *w);
enum layer tunnel_ip(struct walk *w);
enum layer tunnel_gre(struct walk *w);
enum layer tunnel_etherip(struct walk *w);

/* udptunnel.c: the cursor is at the payload of a datagram. LAYER_DONE where it is no tunnel (then packet.kind means
 * nothing). */
enum layer udptunnel(struct walk *w, uint16_t sport, uint16_t dport);

/* ip.c */
enum layer ip_any(struct walk *w);
enum layer ip_v4(struct walk *w);
enum layer ip_v6(struct walk *w);
enum layer ip_payload(struct walk *w);

/* tcp.c, udp.c, icmp.c, neighbor.c */
enum layer tcp_segment(struct walk *w);
enum layer udp_datagram(struct walk *w);
enum layer icmp_v4(struct walk *w);
enum layer icmp_v6(struct walk *w);
enum layer neighbor_arp(struct walk *w);
/* h: the fixed part of a neighbour solicitation or advertisement, 24 bytes; the options follow in the walk. */
enum layer neighbor_discovery(struct walk *w, const uint8_t *h);

#endif
