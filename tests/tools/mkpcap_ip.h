/* mkpcap_ip: IP headers and transport checksums as a script asks for them, wrong ones too. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_IP_H
#define TCPSLEUTH_TESTS_MKPCAP_IP_H

#include "tests/tools/mkpcap_script.h"

enum { PROTO_ICMP = 1, PROTO_IPIP = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_6IN4 = 41, PROTO_FRAGMENT = 44, PROTO_GRE = 47,
       PROTO_ICMPV6 = 58 };
enum { TYPE_IPV4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IPV6 = 0x86dd, TYPE_TEB = 0x6558 };

struct ip_spec {
    unsigned version;
    struct addr src, dst;
    unsigned ttl, tos, protocol;
    uint32_t id;       /* IPv4 identification; of IPv6 only fragments carry one */
    bool df;
    bool has_len;      /* total_len goes into the header, whatever the packet's length is */
    uint32_t total_len;
    bool bad_sum;      /* IPv4 header checksum wrong */
    uint16_t fragment; /* IPv4: more-fragments flag (0x2000) and offset in units of 8 bytes */
};

static inline unsigned ethertype_of(unsigned version)
{
    return version == 4 ? TYPE_IPV4 : TYPE_IPV6;
}

static inline void put_addr(GByteArray *b, const struct addr *a, unsigned version)
{
    put(b, version == 4 ? a->bytes + 12 : a->bytes, version == 4 ? 4 : 16);
}

/* A total length that does not fit is written as 0, as kernels do for BIG TCP. */
static inline unsigned length_field(const struct ip_spec *ip, size_t actual, size_t not_counted)
{
    size_t length = ip->has_len ? ip->total_len : actual;
    return length > 65535 || length < not_counted ? 0 : (unsigned)(length - not_counted);
}

static inline void put_ipv4(GByteArray *b, const struct ip_spec *ip, size_t payload)
{
    size_t at = b->len;
    put_u8(b, 0x45);
    put_u8(b, ip->tos);
    put_u16(b, length_field(ip, 20 + payload, 0));
    put_u16(b, ip->id & 0xffff);
    put_u16(b, (ip->df ? 0x4000u : 0) | ip->fragment);
    put_u8(b, ip->ttl);
    put_u8(b, ip->protocol);
    put_u16(b, 0);
    put_addr(b, &ip->src, 4);
    put_addr(b, &ip->dst, 4);
    uint16_t sum = (uint16_t)~sum_fold(sum_add(0, b->data + at, 20));
    set_u16(b->data + at + 10, ip->bad_sum ? sum ^ 0x5555u : sum);
}

/* The header of an IP packet with that many payload bytes; fragments of IPv6 bring their header with the payload. */
static inline void put_ip(GByteArray *b, const struct ip_spec *ip, size_t payload)
{
    if (ip->version == 4) {
        put_ipv4(b, ip, payload);
        return;
    }
    put_u32(b, 6u << 28 | ip->tos << 20);
    put_u16(b, length_field(ip, 40 + payload, 40));
    put_u8(b, ip->protocol);
    put_u8(b, ip->ttl);
    put_addr(b, &ip->src, 6);
    put_addr(b, &ip->dst, 6);
}

/* The pseudo-header's part of a TCP, UDP or ICMPv6 checksum. */
static inline uint64_t pseudo_sum(const struct ip_spec *ip, size_t length)
{
    size_t n = ip->version == 4 ? 4 : 16;
    uint64_t sum = sum_add(0, ip->src.bytes + 16 - n, n);
    sum = sum_add(sum, ip->dst.bytes + 16 - n, n);
    return sum + ip->protocol + (length >> 16) + (length & 0xffff);
}

enum checksum { SUM_GOOD, SUM_BAD, SUM_PARTIAL };

/* Fills in the checksum at `at` of a transport header that begins the bytes of b. SUM_PARTIAL is what a packet on its way to a
 * network card with checksum offload holds: the sum of the pseudo-header alone. */
static inline void set_checksum(GByteArray *b, size_t at, const struct ip_spec *ip, enum checksum how)
{
    uint64_t pseudo = ip->protocol == PROTO_ICMP ? 0 : pseudo_sum(ip, b->len);
    uint16_t sum = (uint16_t)~sum_fold(sum_add(pseudo, b->data, b->len));
    if (how == SUM_PARTIAL)
        sum = sum_fold(pseudo);
    else if (sum == 0 && ip->protocol == PROTO_UDP)
        sum = 0xffff;
    set_u16(b->data + at, how == SUM_BAD ? sum ^ 0x5555u : sum);
}

#endif
