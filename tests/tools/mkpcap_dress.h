/* mkpcap_dress: what lies around an IP packet: tunnels, VLAN tags, link header, interface, fragments, copies, cuts. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_DRESS_H
#define TCPSLEUTH_TESTS_MKPCAP_DRESS_H

#include "tests/tools/mkpcap_capture.h"
#include "tests/tools/mkpcap_ip.h"

enum via_kind { VIA_GRE, VIA_VXLAN, VIA_GENEVE, VIA_IPIP, VIA_PPPOE, VIA_MPLS };

#define MAX_LABELS 4

struct via {
    enum via_kind kind;
    unsigned version;       /* of the outer addresses */
    struct addr from, to;   /* outer source and destination of packets towards the server */
    uint32_t id;            /* GRE key, VNI, PPPoE session */
    bool has_id;            /* GRE: with a key */
    uint32_t label[MAX_LABELS];
    unsigned n_labels;
};

struct fragmenting {
    unsigned size;    /* payload bytes of each, a multiple of 8; 0: whole packets */
    unsigned overlap; /* bytes by which each begins before the end of the one before it */
    unsigned drop;    /* the number, from 1, of one that is missing; 0 none */
    unsigned order[16], n_order;
};

#define MAX_VLANS 4
#define MAX_VIAS 4

struct dress {
    uint16_t vlan[MAX_VLANS];  /* outermost first */
    struct via via[MAX_VIAS];  /* outermost first */
    unsigned n_vlans, n_vias;
    unsigned interface;
    uint8_t src_mac[6], dst_mac[6];
    bool reverse;   /* from server to client: tunnels change ends */
    bool outgoing;  /* leaves the capturing host (cooked captures tell) */
    bool hidden;    /* not captured */
    bool duplicate;
    int64_t duplicate_ns; /* after the packet itself */
    uint32_t cut;         /* bytes captured; 0: all */
    struct fragmenting frag;
};

/* A MAC address that tells whose it is: 02:00 and the last four bytes of the IP address. */
static inline void mac_of(const struct addr *a, uint8_t mac[6])
{
    mac[0] = 2;
    mac[1] = 0;
    memcpy(mac + 2, a->bytes + 12, 4);
}

/* --- reading --- */

static inline unsigned dotted(struct line *l, const char *what, uint32_t max, uint32_t *out, unsigned room)
{
    g_auto(GStrv) parts = g_strsplit(word(l, what), ".", 0);
    unsigned n = g_strv_length(parts);
    if (n > room)
        fail(l, "more than %u: %s", room, what);
    for (unsigned i = 0; i < n; i++)
        out[i] = to_number(l, parts[i], max);
    return n;
}

static inline void read_vlan(struct line *l, struct dress *d)
{
    uint32_t id[MAX_VLANS];
    d->n_vlans = take(l, "none") ? 0 : dotted(l, "the VLAN", 4095, id, MAX_VLANS);
    for (unsigned i = 0; i < d->n_vlans; i++)
        d->vlan[i] = (uint16_t)id[i];
}

static inline void read_outer(struct line *l, struct via *v)
{
    struct addr *const end[] = { &v->from, &v->to };
    v->version = address(l, "the outer source", end[0]);
    expect(l, ">");
    if (address(l, "the outer destination", end[1]) != v->version)
        fail(l, "the outer addresses differ in version");
}

static inline void read_via(struct line *l, struct dress *d)
{
    static const struct { const char *name; enum via_kind kind; const char *id; uint32_t max; } kinds[] = {
        { "gre", VIA_GRE, "key", UINT32_MAX }, { "vxlan", VIA_VXLAN, "vni", 0xffffff }, { "geneve", VIA_GENEVE, "vni", 0xffffff },
        { "ipip", VIA_IPIP, NULL, 0 }, { "6in4", VIA_IPIP, NULL, 0 },
    };
    if (d->n_vias == MAX_VIAS)
        fail(l, "more than %d tunnels", MAX_VIAS);
    struct via *v = &d->via[d->n_vias++];
    *v = (struct via){ 0 };
    const char *name = word(l, "the kind of tunnel");
    if (strcmp(name, "pppoe") == 0) {
        v->kind = VIA_PPPOE;
        v->id = number(l, "the PPPoE session", 65535);
        return;
    }
    if (strcmp(name, "mpls") == 0) {
        v->kind = VIA_MPLS;
        v->n_labels = dotted(l, "the MPLS label", 0xfffff, v->label, MAX_LABELS);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        v->kind = kinds[i].kind;
        read_outer(l, v);
        v->has_id = kinds[i].id && take(l, kinds[i].id);
        if (v->has_id)
            v->id = number(l, kinds[i].id, kinds[i].max);
        return;
    }
    fail(l, "unknown tunnel '%s'", name);
}

static inline void read_frag(struct line *l, struct fragmenting *f)
{
    *f = (struct fragmenting){ .size = number(l, "the size of the fragments", 65528) & ~7u };
    if (!f->size)
        fail(l, "fragments have at least 8 bytes");
    for (;;) {
        if (take(l, "overlap")) {
            f->overlap = number(l, "the overlap", f->size - 8) & ~7u;
        } else if (take(l, "drop")) {
            f->drop = number(l, "the fragment to drop", 8192);
        } else if (take(l, "order")) {
            g_auto(GStrv) list = g_strsplit(word(l, "the order of the fragments"), ",", 0);
            for (f->n_order = 0; list[f->n_order] && f->n_order < G_N_ELEMENTS(f->order); f->n_order++)
                f->order[f->n_order] = to_number(l, list[f->n_order], 8192);
        } else {
            return;
        }
    }
}

/* Takes one of the words that dress a packet; false if the next word is none of them. */
static inline bool read_dress(struct line *l, struct dress *d)
{
    if (take(l, "vlan")) {
        read_vlan(l, d);
    } else if (take(l, "via")) {
        read_via(l, d);
    } else if (take(l, "iface")) {
        d->interface = number(l, "the interface", MAX_INTERFACES - 1);
    } else if (take(l, "cut")) {
        d->cut = number(l, "the bytes captured", 262144);
    } else if (take(l, "frag")) {
        read_frag(l, &d->frag);
    } else if (take(l, "dup")) {
        d->duplicate = true;
        d->duplicate_ns = duration(l, "the time to the duplicate");
    } else {
        return false;
    }
    return true;
}

/* --- tunnels --- */

static inline void put_ethernet(GByteArray *b, const struct dress *d)
{
    put(b, d->dst_mac, 6);
    put(b, d->src_mac, 6);
}

static inline void put_outer_ip(GByteArray *b, const struct via *v, const struct dress *d, unsigned protocol, size_t payload)
{
    struct ip_spec ip = { .version = v->version, .src = d->reverse ? v->to : v->from, .dst = d->reverse ? v->from : v->to,
                          .ttl = 64, .protocol = protocol, .df = true };
    put_ip(b, &ip, payload);
}

static inline void put_gre(GByteArray *b, const struct via *v, const struct dress *d, unsigned type, size_t payload)
{
    put_outer_ip(b, v, d, PROTO_GRE, payload + (v->has_id ? 8 : 4));
    put_u16(b, v->has_id ? 0x2000 : 0);
    put_u16(b, type);
    if (v->has_id)
        put_u32(b, v->id);
}

/* VXLAN and GENEVE: UDP, their 8 bytes, an Ethernet frame. The checksum stays 0, which over IPv4 means that there is none. */
static inline void put_udp_tunnel(GByteArray *b, const struct via *v, const struct dress *d, unsigned type, size_t payload)
{
    bool vxlan = v->kind == VIA_VXLAN;
    size_t length = 8 + 8 + 14 + payload;
    put_outer_ip(b, v, d, PROTO_UDP, length);
    put_u16(b, 49152 + (v->id & 0xfff));
    put_u16(b, vxlan ? 4789 : 6081);
    put_u16(b, (unsigned)length);
    put_u16(b, 0);
    put_u16(b, vxlan ? 0x0800 : 0);
    put_u16(b, vxlan ? 0 : TYPE_TEB);
    put_u32(b, v->id << 8);
    put_ethernet(b, d);
    put_u16(b, type);
}

/* Over IPv6 it has to be there: of a packet that is an IPv6 header and UDP. */
static inline void set_udp6_checksum(GByteArray *packet)
{
    size_t n = packet->len - 40;
    uint64_t sum = sum_add(PROTO_UDP + n, packet->data + 8, packet->len - 8); /* both addresses, then UDP */
    set_u16(packet->data + 40 + 6, (uint16_t)~sum_fold(sum));
}

static inline void put_pppoe(GByteArray *b, const struct via *v, unsigned type, size_t payload)
{
    put_u16(b, 0x1100);
    put_u16(b, v->id);
    put_u16(b, (unsigned)payload + 2);
    put_u16(b, type == TYPE_IPV4 ? 0x0021 : 0x0057);
}

static inline void put_mpls(GByteArray *b, const struct via *v)
{
    for (unsigned i = 0; i < v->n_labels; i++)
        put_u32(b, v->label[i] << 12 | (i + 1 == v->n_labels ? 0x100u : 0) | 64);
}

/* Puts packet, of that EtherType, into the tunnel; the new packet's type replaces *type. */
static inline GByteArray *wrap(GByteArray *packet, unsigned *type, const struct via *v, const struct dress *d)
{
    GByteArray *out = g_byte_array_new();
    unsigned inner = *type;
    *type = ethertype_of(v->version);
    if (v->kind == VIA_GRE) {
        put_gre(out, v, d, inner, packet->len);
    } else if (v->kind == VIA_IPIP) {
        put_outer_ip(out, v, d, inner == TYPE_IPV4 ? PROTO_IPIP : PROTO_6IN4, packet->len);
    } else if (v->kind == VIA_PPPOE) {
        put_pppoe(out, v, inner, packet->len);
        *type = 0x8864;
    } else if (v->kind == VIA_MPLS) {
        put_mpls(out, v);
        *type = 0x8847;
    } else {
        put_udp_tunnel(out, v, d, inner, packet->len);
    }
    put_bytes(out, packet);
    g_byte_array_unref(packet);
    if (v->version == 6 && (v->kind == VIA_VXLAN || v->kind == VIA_GENEVE))
        set_udp6_checksum(out);
    return out;
}

/* --- link headers --- */

/* The VLAN tags and then the type, as they follow the addresses of an Ethernet frame. */
static inline void put_types(GByteArray *b, const struct dress *d, unsigned type)
{
    for (unsigned i = 0; i < d->n_vlans; i++) {
        put_u16(b, i + 1 < d->n_vlans ? 0x88a8 : 0x8100);
        put_u16(b, d->vlan[i]);
    }
    put_u16(b, type);
}

static inline void put_sll(GByteArray *b, const struct dress *d)
{
    put_u16(b, d->outgoing ? 4 : 0);
    put_u16(b, 1);
    put_u16(b, 6);
    put(b, d->src_mac, 6);
    put_u16(b, 0);
}

/* SLL2 has the protocol first: of a tagged frame the outer tag's, and the rest of the tags behind the header. */
static inline void put_sll2(GByteArray *b, const struct dress *d, unsigned type)
{
    g_autoptr(GByteArray) types = g_byte_array_new();
    put_types(types, d, type);
    put(b, types->data, 2);
    put_u16(b, 0);
    put_u32(b, 2 + d->interface);
    put_u16(b, 1);
    put_u8(b, d->outgoing ? 4 : 0);
    put_u8(b, 6);
    put(b, d->src_mac, 6);
    put_u16(b, 0);
    put(b, types->data + 2, types->len - 2);
}

/* A data frame between a station and its access point, and LLC/SNAP. */
static inline void put_80211(GByteArray *b, const struct dress *d, unsigned type)
{
    static const uint8_t bssid[6] = { 0x06, 0, 0, 0, 0, 0x01 };
    static const uint8_t snap[6] = { 0xaa, 0xaa, 0x03, 0, 0, 0 };
    put_u8(b, 0x08);
    put_u8(b, d->outgoing ? 0x01 : 0x02);
    put_u16(b, 0);
    put(b, d->outgoing ? bssid : d->dst_mac, 6);
    put(b, d->outgoing ? d->src_mac : bssid, 6);
    put(b, d->outgoing ? d->dst_mac : d->src_mac, 6);
    put_u16(b, 0);
    put(b, snap, sizeof snap);
    put_types(b, d, type);
}

static inline void put_radiotap(GByteArray *b, const struct dress *d, unsigned type, const GByteArray *packet)
{
    put_n(b, false, 9 << 16, 4); /* version 0, 9 bytes */
    put_n(b, false, 1 << 1, 4);  /* flags present: */
    put_u8(b, 0x10);             /* the frame ends with its FCS */
    guint at = b->len;
    put_80211(b, d, type);
    put_bytes(b, packet);
    put_n(b, false, (uint32_t)crc32(0, b->data + at, b->len - at), 4);
}

/* BSD loopback: an address family, in the byte order of the capturing host (null) or of the network (loop). */
static inline void put_loopback(GByteArray *b, bool big, unsigned type)
{
    put_n(b, big, type == TYPE_IPV4 ? 2 : 30, 4);
}

/* True where the link carries only IP: nothing that has an EtherType of its own. */
static inline bool link_is_ip(enum link link)
{
    return link == LINK_RAW || link == LINK_NULL || link == LINK_LOOP || link == LINK_PPP;
}

static inline GByteArray *link_frame(const struct capture_file *c, const struct dress *d, unsigned type, const GByteArray *packet)
{
    GByteArray *b = g_byte_array_new();
    enum link link = c->interface[d->interface].link;
    if (link == LINK_RADIOTAP) {
        put_radiotap(b, d, type, packet);
        return b;
    }
    if (link == LINK_ETHERNET)
        put_ethernet(b, d);
    else if (link == LINK_SLL)
        put_sll(b, d);
    else if (link == LINK_PPP)
        put_u32(b, 0xff030000 | (type == TYPE_IPV4 ? 0x0021 : 0x0057));
    else if (link == LINK_NULL || link == LINK_LOOP)
        put_loopback(b, link == LINK_LOOP || c->big_endian, type);
    if (link == LINK_SLL2)
        put_sll2(b, d, type);
    else if (link == LINK_80211)
        put_80211(b, d, type);
    else if (link == LINK_ETHERNET || link == LINK_SLL)
        put_types(b, d, type);
    put_bytes(b, packet);
    return b;
}

/* --- out --- */

/* Tunnels, link header and copies; packet (of EtherType type) is consumed. */
static inline void emit_packet(struct capture_file *c, const struct line *l, int64_t time_ns, GByteArray *packet, unsigned type,
                               const struct dress *d)
{
    for (unsigned i = d->n_vias; i-- > 0;)
        packet = wrap(packet, &type, &d->via[i], d);
    if (d->interface >= MAX(1, c->n_interfaces))
        fail(l, "there is no interface %u", d->interface);
    if (link_is_ip(c->interface[d->interface].link) && (d->n_vlans || (type != TYPE_IPV4 && type != TYPE_IPV6)))
        fail(l, "this link type carries bare IP packets only");
    g_autoptr(GByteArray) bytes = link_frame(c, d, type, packet);
    g_byte_array_unref(packet);
    if (d->hidden)
        return;
    capture_file_add(c, time_ns, d->interface, bytes, d->cut);
    if (d->duplicate)
        capture_file_add(c, time_ns + d->duplicate_ns, d->interface, bytes, d->cut);
}

/* The bytes [from, from + n) of a payload as one IP fragment. */
static inline GByteArray *fragment(const struct ip_spec *whole, const GByteArray *payload, unsigned from, unsigned n)
{
    struct ip_spec ip = *whole;
    bool more = from + n < payload->len;
    GByteArray *b = g_byte_array_new();
    if (ip.version == 4) {
        ip.df = false;
        ip.fragment = (uint16_t)((more ? 0x2000 : 0) | from / 8);
        put_ip(b, &ip, n);
    } else {
        ip.protocol = PROTO_FRAGMENT;
        put_ip(b, &ip, 8 + n);
        put_u16(b, whole->protocol << 8);
        put_u16(b, from | more);
        put_u32(b, ip.id);
    }
    put(b, payload->data + from, n);
    return b;
}

static inline void emit_fragments(struct capture_file *c, const struct line *l, int64_t time_ns, const struct ip_spec *ip,
                                  const GByteArray *payload, const struct dress *d)
{
    const struct fragmenting *f = &d->frag;
    unsigned step = f->size - f->overlap;
    unsigned n = payload->len <= f->size ? 1 : 1 + (payload->len - f->size + step - 1) / step;
    for (unsigned i = 0; i < (f->n_order ? f->n_order : n); i++) {
        unsigned which = f->n_order ? f->order[i] : i + 1;
        if (which < 1 || which > n)
            fail(l, "there is no fragment %u of %u", which, n);
        if (which == f->drop)
            continue;
        unsigned from = (which - 1) * step;
        emit_packet(c, l, time_ns, fragment(ip, payload, from, MIN(f->size, payload->len - from)), ethertype_of(ip->version), d);
        time_ns += NS_PER_US;
    }
}

/* One IP packet with this payload (transport header included). Returns the packet as it was before fragments and tunnels: what
 * an ICMP error may quote later. Free with g_byte_array_unref. */
static inline GByteArray *emit_ip(struct capture_file *c, const struct line *l, int64_t time_ns, const struct ip_spec *ip,
                                  const GByteArray *payload, const struct dress *d)
{
    GByteArray *whole = g_byte_array_new();
    put_ip(whole, ip, payload->len);
    put_bytes(whole, payload);
    if (d->frag.size)
        emit_fragments(c, l, time_ns, ip, payload, d);
    else
        emit_packet(c, l, time_ns, g_byte_array_ref(whole), ethertype_of(ip->version), d);
    return whole;
}

#endif
