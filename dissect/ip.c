/* IPv4 (RFC 791) and IPv6 (RFC 8200) with its extension headers, down to the payload of the packet or of its
 * reassembled datagram. */
#include "dissect/checksum.h"
#include "dissect/defrag.h"
#include "dissect/layers.h"

enum {
    PROTO_HOP_BY_HOP = 0, PROTO_ICMP = 1, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41,
    PROTO_ROUTING = 43, PROTO_FRAGMENT = 44, PROTO_GRE = 47, PROTO_ESP = 50, PROTO_AH = 51, PROTO_ICMPV6 = 58,
    PROTO_DESTINATION = 60, PROTO_ETHERIP = 97, PROTO_MOBILITY = 135, PROTO_MPLS = 137, PROTO_HIP = 139,
    PROTO_SHIM6 = 140
};

/* Hands a fragment over. When its datagram is whole, the walk goes on in that. */
static enum layer fragment(struct walk *w, uint32_t id, unsigned offset, bool more)
{
    struct packet *pk = w->pk;
    if (w->missing) /* cut by the snaplen: its datagram can never be whole */
        return walk_undecoded(w, UNDECODED_FRAGMENT);
    struct fragment f = {
        .ip = &pk->ip, .id = id, .protocol = (uint8_t)w->type, .offset = offset, .more = more,
        .payload = cursor_rest(&w->c), .ts_ns = pk->ts_ns,
    };
    struct datagram whole;
    switch (defrag_add(w->defrag, &f, &whole)) {
    case DEFRAG_WAITS:
        pk->kind = PACKET_FRAGMENT;
        return LAYER_DONE;
    case DEFRAG_WHOLE:
        pk->ip = whole.ip;
        w->put_together = true;
        w->c = cursor_of(whole.payload);
        return walk_into(w, LAYER_PAYLOAD, whole.ip.protocol);
    case DEFRAG_BAD: break;
    }
    return walk_undecoded(w, UNDECODED_FRAGMENT);
}

/* Everything of the header but its lengths and options. */
static void v4_facts(struct walk *w, const uint8_t *h, uint32_t total)
{
    struct ip_facts *ip = &w->pk->ip;
    ip->src = addr_v4(h + 12);
    ip->dst = addr_v4(h + 16);
    ip->version = 4;
    ip->ttl = h[8];
    ip->ecn = h[1] & 3;
    ip->dscp = h[1] >> 2;
    ip->protocol = h[9];
    ip->df = h[6] & 0x40;
    ip->reassembled = false;
    ip->id = be16(h + 4);
    ip->total_len = total;

    uint64_t addresses = (uint64_t)checksum_word(h + 12) + checksum_word(h + 16);
    uint64_t sum = addresses + checksum_word(h) + checksum_word(h + 4) + checksum_word(h + 8);
    w->address_sum = checksum_fold32(addresses);
    ip->checksum_bad = !checksum_ok(sum);
    w->network_seen = true;
}

/* Options count for the checksum only. A checksum of 0 is one that the sending card was to fill in. */
static bool v4_options(struct walk *w, const uint8_t *h, size_t n)
{
    if (n && !walk_take(w, n))
        return false;
    w->pk->ip.checksum_bad = be16(h + 10) != 0 && !checksum_ok(checksum_sum(h, 20 + n));
    return true;
}

enum layer ip_v4(struct walk *w)
{
    size_t on_wire = walk_wire(w);
    const uint8_t *h = walk_take(w, 20);
    if (!h)
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    size_t header = (size_t)(h[0] & 0x0f) * 4;
    size_t total = be16(h + 2);
    if (total == 0) /* segmentation offload of more than 64 KB */
        total = on_wire;
    if (h[0] >> 4 != 4 || header < 20 || total < header)
        return walk_undecoded(w, UNDECODED_IP_BAD);
    v4_facts(w, h, (uint32_t)total);
    if ((header > 20 || w->pk->ip.checksum_bad) && !v4_options(w, h, header - 20))
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    walk_trim(w, total - header);
    w->type = h[9];
    unsigned flags_offset = be16(h + 6);
    if (flags_offset & 0x3fff)
        return fragment(w, be16(h + 4), (flags_offset & 0x1fff) * 8, flags_offset & 0x2000);
    return ip_payload(w);
}

/* The value of a jumbo payload option (RFC 2675) in the hop-by-hop header that starts at the cursor; else what the
 * wire had: a length of 0 is also how Linux writes segmentation offload above 64 KB. */
static size_t v6_jumbo_length(const struct walk *w, uint8_t next)
{
    struct cursor c = w->c;
    if (next != PROTO_HOP_BY_HOP)
        return walk_wire(w);
    cursor_skip(&c, 1);
    struct cursor options = cursor_block(&c, cursor_u8(&c) * (size_t)8 + 6);
    while (cursor_left(&options) > 0) {
        uint8_t kind = cursor_u8(&options);
        if (kind == 0) /* Pad1 */
            continue;
        struct cursor value = cursor_block(&options, cursor_u8(&options));
        if (kind == 0xc2 && cursor_left(&value) == 4)
            return cursor_u32(&value);
    }
    return walk_wire(w);
}

enum layer ip_v6(struct walk *w)
{
    const uint8_t *h = walk_take(w, 40);
    if (!h)
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    if (h[0] >> 4 != 6)
        return walk_undecoded(w, UNDECODED_IP_BAD);
    size_t payload = be16(h + 4);
    if (payload == 0)
        payload = v6_jumbo_length(w, h[6]);
    if (payload > UINT16_MAX && payload > walk_wire(w))
        return walk_undecoded(w, UNDECODED_IP_BAD);
    walk_trim(w, payload);

    struct ip_facts *ip = &w->pk->ip;
    ip->src = addr_v6(h + 8);
    ip->dst = addr_v6(h + 24);
    ip->version = 6;
    ip->ttl = h[7];
    ip->ecn = h[1] >> 4 & 3;
    ip->dscp = (uint8_t)((h[0] & 15) << 2 | h[1] >> 6);
    ip->protocol = h[6];
    ip->df = true;
    ip->reassembled = ip->checksum_bad = false;
    ip->id = 0;
    ip->total_len = (uint32_t)(40 + payload);
    w->address_sum = checksum_addresses(h + 8, h + 24);
    w->network_seen = true;
    w->type = h[6];
    return ip_payload(w);
}

enum layer ip_any(struct walk *w)
{
    switch (walk_peek(w) >> 4) {
    case 4: return LAYER_IPV4;
    case 6: return LAYER_IPV6;
    case -1: return walk_undecoded(w, UNDECODED_IP_SHORT);
    default: return walk_undecoded(w, UNDECODED_IP_BAD);
    }
}

/* While a source route has hops to go, the destination in the header is the next of them; the flow, and the
 * transport checksum, are those of the last. Types 0 (RFC 5095) and 2 (RFC 6275) hold it at their end, segment
 * routing (RFC 8754) first. */
static void v6_source_route(struct walk *w, const uint8_t *h, size_t n)
{
    if (h[3] == 0 || n < 24 || (h[2] != 0 && h[2] != 2 && h[2] != 4))
        return;
    struct ip_facts *ip = &w->pk->ip;
    ip->dst = addr_v6(h[2] == 4 ? h + 8 : h + (n - 8) / 16 * 16 - 8);
    w->address_sum = checksum_addresses(ip->src.bytes, ip->dst.bytes);
}

/* Hop-by-hop and destination options, routing, mobility, HIP, shim6: next header, then the length in units of 8
 * bytes less one. */
static enum layer v6_extension(struct walk *w, uint8_t kind)
{
    const uint8_t *h = walk_take(w, 8);
    size_t rest = h ? (size_t)h[1] * 8 : 0;
    if (!h || (rest && !walk_take(w, rest)))
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    if (kind == PROTO_ROUTING)
        v6_source_route(w, h, 8 + rest);
    w->pk->ip.protocol = h[0];
    return walk_into(w, LAYER_PAYLOAD, h[0]);
}

/* RFC 8200 section 4.5; a fragment that is the whole datagram (RFC 6946) passes. */
static enum layer v6_fragment(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h)
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    w->pk->ip.protocol = h[0];
    w->type = h[0];
    unsigned offset_more = be16(h + 2);
    if ((offset_more & 0xfff9) == 0)
        return LAYER_PAYLOAD;
    return fragment(w, be32(h + 4), offset_more & 0xfff8, offset_more & 1);
}

/* RFC 4302: the length is in words less two; what it protects is in clear. */
static enum layer authentication(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    size_t rest = h && h[1] > 0 ? (size_t)h[1] * 4 : 0;
    if (!h || (rest && !walk_take(w, rest)))
        return walk_undecoded(w, UNDECODED_IP_SHORT);
    w->pk->ip.protocol = h[0];
    return walk_into(w, LAYER_PAYLOAD, h[0]);
}

/* The payloads that mean something only in IPv6. */
static enum layer v6_payload(struct walk *w)
{
    switch (w->type) {
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_DESTINATION:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6: return v6_extension(w, (uint8_t)w->type);
    case PROTO_FRAGMENT: return v6_fragment(w);
    case PROTO_ICMPV6: return icmp_v6(w);
    default: return walk_other(w);
    }
}

enum layer ip_payload(struct walk *w)
{
    switch (w->type) {
    case PROTO_TCP: return tcp_segment(w);
    case PROTO_UDP: return udp_datagram(w);
    case PROTO_IPIP:
    case PROTO_IPV6: return tunnel_ip(w);
    case PROTO_GRE: return tunnel_gre(w);
    case PROTO_ESP: return walk_undecoded(w, UNDECODED_ENCRYPTED);
    case PROTO_AH: return authentication(w);
    case PROTO_ETHERIP: return tunnel_etherip(w);
    case PROTO_MPLS: return LAYER_MPLS;
    default: break;
    }
    if (w->pk->ip.version == 6)
        return v6_payload(w);
    return w->type == PROTO_ICMP ? icmp_v4(w) : walk_other(w);
}
