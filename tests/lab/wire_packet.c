#include "tests/lab/wire_packet.h"

#include <string.h>

#include "base/bytes.h"
#include "tests/tools/mkpcap_bytes.h"

enum { ETHERNET = 14, IPV4_HEADER = 20, IPV6_HEADER = 40, TCP_HEADER = 20, PROTOCOL_TCP = 6, PROTOCOL_ICMPV6 = 58 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };
enum { TCP_CHECKSUM_AT = 16 };

static void read_tcp(struct wire_packet *p, size_t at)
{
    struct cursor c = cursor_of(slice_of(p->bytes, MIN(p->size, ETHERNET + p->ip_size)));

    cursor_skip(&c, at);
    p->source = cursor_u16(&c);
    p->target = cursor_u16(&c);
    p->seq = cursor_u32(&c);
    p->ack = cursor_u32(&c);
    size_t header = (size_t)(cursor_u8(&c) >> 4) * 4;
    p->flags = cursor_u8(&c);
    if (c.failed || header < TCP_HEADER || at + header > ETHERNET + p->ip_size || at + header > p->size)
        return;
    p->is_tcp = true;
    p->tcp_at = at;
    p->data_at = at + header;
    p->data_size = MIN(p->size, ETHERNET + p->ip_size) - p->data_at;
}

static void read_ipv4(struct wire_packet *p, struct cursor c)
{
    size_t header = (size_t)(cursor_u8(&c) & 15) * 4;
    cursor_skip(&c, 1);
    size_t size = cursor_u16(&c);
    cursor_skip(&c, 2);
    unsigned fragment = cursor_u16(&c) & 0x3fff;
    cursor_skip(&c, 1);
    unsigned protocol = cursor_u8(&c);
    if (c.failed || header < IPV4_HEADER)
        return;
    p->family = 4;
    p->ip_size = size ? size : p->size - ETHERNET;
    if (protocol == PROTOCOL_TCP && !fragment)
        read_tcp(p, ETHERNET + header);
}

static void read_ipv6(struct wire_packet *p, struct cursor c)
{
    cursor_skip(&c, 4);
    size_t payload = cursor_u16(&c);
    unsigned next = cursor_u8(&c);
    if (c.failed)
        return;
    p->family = 6;
    p->ip_size = payload ? payload + IPV6_HEADER : p->size - ETHERNET;
    if (next == PROTOCOL_TCP)
        read_tcp(p, ETHERNET + IPV6_HEADER);
}

struct wire_packet wire_packet_of(uint8_t *bytes, size_t size, bool partial)
{
    struct wire_packet p = { .bytes = bytes, .size = size, .partial = partial };
    struct cursor c = cursor_of(slice_of(bytes, size));

    cursor_skip(&c, ETHERNET - 2);
    unsigned type = cursor_u16(&c);
    if (type == TYPE_IPV4)
        read_ipv4(&p, c);
    else if (type == TYPE_IPV6)
        read_ipv6(&p, c);
    return p;
}

uint32_t wire_packet_span(const struct wire_packet *p)
{
    return (uint32_t)p->data_size + !!(p->flags & FLAG_SYN) + !!(p->flags & FLAG_FIN);
}

/* --- checksums --- */

static void sum_ipv4_header(uint8_t *header)
{
    size_t n = (size_t)(header[0] & 15) * 4;

    set_u16(header + 10, 0);
    set_u16(header + 10, (uint16_t)~sum_fold(sum_add(0, header, n)));
}

/* The checksum of a TCP segment of n bytes whose IP header begins at `ip`. */
static void sum_tcp(const uint8_t *ip, unsigned family, uint8_t *tcp, size_t n)
{
    uint64_t sum = family == 4 ? sum_add(0, ip + 12, 8) : sum_add(0, ip + 8, 32);

    set_u16(tcp + TCP_CHECKSUM_AT, 0);
    sum = sum_add(sum + PROTOCOL_TCP + n, tcp, n);
    set_u16(tcp + TCP_CHECKSUM_AT, (uint16_t)~sum_fold(sum));
}

static void sum_again(struct wire_packet *p)
{
    if (!p->partial)
        sum_tcp(p->bytes + ETHERNET, p->family, p->bytes + p->tcp_at, p->data_at - p->tcp_at + p->data_size);
}

/* --- rewriting --- */

/* Neighbour discovery has hop limit 255 and does not pass routers (RFC 4861). */
static bool is_local(const struct wire_packet *p)
{
    return p->family == 6 && p->bytes[ETHERNET + 6] == PROTOCOL_ICMPV6 && p->bytes[ETHERNET + 7] == 255;
}

void wire_packet_add_ttl(struct wire_packet *p, int change)
{
    if (!p->family || is_local(p))
        return;
    uint8_t *ip = p->bytes + ETHERNET, *ttl = ip + (p->family == 4 ? 8 : 7);
    *ttl = (uint8_t)CLAMP(*ttl + change, 1, 255);
    if (p->family == 4)
        sum_ipv4_header(ip);
}

/* The first option of that kind at or behind `from`, or NULL; *size is its length. */
static uint8_t *find_option(struct wire_packet *p, uint8_t *from, uint8_t kind, size_t *size)
{
    uint8_t *end = p->bytes + p->data_at;

    for (uint8_t *at = from; at < end && *at != 0; at += *size) {
        *size = *at == 1 ? 1 : at + 1 < end ? at[1] : 0;
        if (*size < 1 || (*at != 1 && *size < 2) || *size > (size_t)(end - at))
            return NULL;
        if (*at == kind)
            return at;
    }
    return NULL;
}

bool wire_packet_strip(struct wire_packet *p, uint8_t kind)
{
    bool found = false;
    size_t size;

    if (!p->is_tcp)
        return false;
    uint8_t *at = p->bytes + p->tcp_at + TCP_HEADER;
    while ((at = find_option(p, at, kind, &size))) {
        memset(at, 1, size);
        found = true;
    }
    if (found)
        sum_again(p);
    return found;
}

bool wire_packet_set_mss(struct wire_packet *p, uint16_t mss)
{
    size_t size;
    uint8_t *at = p->is_tcp ? find_option(p, p->bytes + p->tcp_at + TCP_HEADER, OPTION_MSS, &size) : NULL;

    if (!at || size != 4)
        return false;
    set_u16(at + 2, mss);
    sum_again(p);
    return true;
}

bool wire_packet_corrupt(struct wire_packet *p)
{
    if (!p->is_tcp || !p->data_size)
        return false;
    p->bytes[p->data_at + p->data_size - 1] ^= 1;
    return true;
}

/* --- forging --- */

static void swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t held = a[i];
        a[i] = b[i];
        b[i] = held;
    }
}

static void forge_ip(const struct wire_packet *p, const struct forgery *how, uint8_t *ip)
{
    if (p->family == 4) {
        ip[0] = 0x45;
        ip[1] = 0;
        set_u16(ip + 2, IPV4_HEADER + TCP_HEADER);
        set_u16(ip + 4, how->ip_id);
        set_u16(ip + 6, 0);
        ip[8] = how->ttl;
        if (how->back)
            swap_bytes(ip + 12, ip + 16, 4);
        sum_ipv4_header(ip);
        return;
    }
    set_u16(ip + 4, TCP_HEADER);
    ip[7] = how->ttl;
    if (how->back)
        swap_bytes(ip + 8, ip + 24, 16);
}

static void put_u32_at(uint8_t *to, uint32_t value)
{
    set_u16(to, value >> 16);
    set_u16(to + 2, value & 0xffff);
}

static void forge_tcp(const struct wire_packet *p, const struct forgery *how, uint8_t *tcp)
{
    uint32_t after = p->seq + wire_packet_span(p);

    set_u16(tcp, how->back ? p->target : p->source);
    set_u16(tcp + 2, how->back ? p->source : p->target);
    put_u32_at(tcp + 4, (how->back ? p->ack : after) + (uint32_t)how->seq_change);
    put_u32_at(tcp + 8, how->back ? after : p->ack);
    tcp[12] = TCP_HEADER / 4 << 4;
    tcp[13] = FLAG_RST | (how->back || p->flags & FLAG_ACK ? FLAG_ACK : 0);
    set_u16(tcp + 14, how->window);
    memset(tcp + 16, 0, 4);
}

size_t wire_packet_forge_rst(const struct wire_packet *p, const struct forgery *how, uint8_t *out)
{
    if (!p->is_tcp)
        return 0;
    size_t ip_header = p->family == 4 ? IPV4_HEADER : IPV6_HEADER;
    uint8_t *ip = out + ETHERNET, *tcp = ip + ip_header;

    memcpy(out, p->bytes, ETHERNET + ip_header);
    if (how->back)
        swap_bytes(out, out + 6, 6);
    forge_ip(p, how, ip);
    forge_tcp(p, how, tcp);
    sum_tcp(ip, p->family, tcp, TCP_HEADER);
    return ETHERNET + ip_header + TCP_HEADER;
}
