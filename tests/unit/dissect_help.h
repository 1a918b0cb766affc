/* dissect_help: what the tests of the frame dissector share: frames written in hexadecimal, packets written as a line
 * of text.
 *
 * A test is a table of rows: a comment as tcpdump would print the frame, its link type and bytes, and the line that
 * must come out. Every row is read whole and then at every shorter length, from a buffer that ends at a page nobody may
 * read.
 */
#ifndef TCPSLEUTH_TESTS_DISSECT_HELP_H
#define TCPSLEUTH_TESTS_DISSECT_HELP_H

#include "dissect/dissector.h"
#include "tests/unit/guard.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* An Ethernet header up to its type. */
#define MACS "020000000002 020000000001 "
#define ETH4 MACS "0800 "
#define ETH6 MACS "86dd "
/* 10.0.0.1.4660 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0; both checksums right. */
#define IP4 "4500 0028 0001 4000 4006 26cd 0a00 0001 0a00 0002 "
#define TCP4 "1234 0050 0000 0001 0000 0000 5002 0200 875b 0000 "
#define SYN4 IP4 TCP4
#define SYN4_TEXT "tcp 10.0.0.1:4660 > 10.0.0.2:80 S seq 1 ack 0 win 512 len 0"
/* The same between fd00::1 and fd00::2. */
#define ADDRS6 "fd00 0000 0000 0000 0000 0000 0000 0001 fd00 0000 0000 0000 0000 0000 0000 0002 "
#define TCP6 "1234 0050 0000 0001 0000 0000 5002 0200 a159 0000 "
#define SYN6 "6000 0000 0014 0640 " ADDRS6 TCP6
#define SYN6_TEXT "tcp fd00::1:4660 > fd00::2:80 S seq 1 ack 0 win 512 len 0"

enum { EN10MB = 1, RAW_IP = 101 };

struct row {
    int dlt;
    const char *hex;
    const char *text;
};

static inline int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Writes the bytes of hex (blanks ignored) to out, which has room for 4096, and returns how many. */
static inline size_t hex_bytes(const char *hex, uint8_t *out)
{
    size_t digits = 0;
    for (; *hex; hex++) {
        if (!isxdigit((unsigned char)*hex))
            continue;
        assert_true(digits / 2 < 4096);
        int value = hex_digit(*hex);
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | value : value << 4);
        digits++;
    }
    assert_int_equal(digits % 2, 0);
    return digits / 2;
}

/* Reads n bytes as a frame that had `wire` bytes. The packet's slices are gone afterwards. */
static inline void read_bytes(struct dissector *d, int dlt, const uint8_t *bytes, size_t n, size_t wire,
                              struct packet *pk)
{
    uint8_t *copy = guard_copy(bytes, n);
    struct frame frame = { .bytes = copy, .caplen = (uint32_t)n, .wirelen = (uint32_t)wire, .number = 1, .dlt = dlt };
    memset(pk, 0xee, sizeof *pk); /* what the dissector does not write is not zero */
    dissector_frame(d, &frame, pk);
    guard_free(copy);
}

static inline void add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void add(char *out, const char *format, ...)
{
    size_t n = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + n, 512 - n, format, args);
    va_end(args);
}

static inline void add_encap(char *out, const struct encap *e)
{
    for (unsigned i = 0; i < e->n_vlans; i++)
        add(out, "vlan %u ", e->vlans[i]);
    for (unsigned i = 0; i < e->n_tunnels; i++)
        add(out, "%s %u ", tunnel_name(e->tunnels[i].kind), e->tunnels[i].id);
}

static inline void add_addr(char *out, const struct addr *a, unsigned version)
{
    char text[ADDR_TEXT_SIZE];
    add(out, "%s", addr_text(text, a, version));
}

static inline void add_ends(char *out, const struct ip_facts *ip, unsigned sport, unsigned dport)
{
    add_addr(out, &ip->src, ip->version);
    add(out, ":%u > ", sport);
    add_addr(out, &ip->dst, ip->version);
    add(out, ":%u ", dport);
}

static inline void add_tcp(char *out, const struct tcp_facts *t)
{
    static const char letters[] = "FSRP.UEWA";
    for (unsigned i = 0; i < 9; i++)
        if (t->flags >> i & 1)
            add(out, "%c", letters[i]);
    add(out, " seq %u ack %u win %u len %u", t->seq, t->ack, t->window, t->len);
    if (t->payload.n < t->len)
        add(out, " captured %zu", t->payload.n);
    if (!t->checksum_checked || t->checksum_bad)
        add(out, t->checksum_bad ? " bad" : " unchecked");
    if (t->opt.present)
        add(out, " opt %#x", t->opt.present);
}

static inline void add_icmp(char *out, const struct packet *pk)
{
    const struct icmp_facts *f = &pk->icmp;
    add(out, "icmp%u ", pk->ip.version);
    add_addr(out, &pk->ip.src, pk->ip.version);
    add(out, " %u/%u mtu %u", f->type, f->code, f->mtu);
    if (!f->quotes_ports)
        return;
    add(out, " about ");
    add_addr(out, &f->quoted_src, f->quoted_version);
    add(out, ":%u > ", f->quoted_sport);
    add_addr(out, &f->quoted_dst, f->quoted_version);
    add(out, ":%u proto %u ttl %u total %u", f->quoted_dport, f->quoted_protocol, f->quoted_ttl, f->quoted_total_len);
    if (f->quotes_seq)
        add(out, " seq %u", f->quoted_seq);
    if (f->quoted_payload.n)
        add(out, " payload %zu", f->quoted_payload.n);
}

static inline void add_neighbor(char *out, const struct neighbor_facts *f)
{
    add(out, "%s %s", f->version == 4 ? "arp" : "nd", f->request ? "who-has " : "reply ");
    add_addr(out, &f->target, f->version);
    add(out, f->request ? " tell " : " from ");
    add_addr(out, &f->sender, f->version);
    if (f->has_mac)
        add(out, " mac %02x:%02x", f->mac[0], f->mac[5]);
    add(out, "%s%s", f->probe ? " probe" : "", f->gratuitous ? " gratuitous" : "");
}

/* The line of a packet, in out (512 bytes). */
static inline const char *packet_text(const struct packet *pk, char *out)
{
    out[0] = '\0';
    if (pk->kind == PACKET_UNDECODED) {
        add(out, "undecoded: %s", undecoded_name(pk->reason));
        return out;
    }
    add_encap(out, &pk->encap);
    switch (pk->kind) {
    case PACKET_UNDECODED: break;
    case PACKET_OTHER: add(out, "other"); break;
    case PACKET_FRAGMENT: add(out, "fragment"); break;
    case PACKET_TCP:
        add(out, "tcp ");
        add_ends(out, &pk->ip, pk->tcp.sport, pk->tcp.dport);
        add_tcp(out, &pk->tcp);
        break;
    case PACKET_UDP:
        add(out, "udp ");
        add_ends(out, &pk->ip, pk->udp.sport, pk->udp.dport);
        add(out, "len %u captured %zu", pk->udp.len, pk->udp.payload.n);
        break;
    case PACKET_ICMP_ERROR: add_icmp(out, pk); break;
    case PACKET_NEIGHBOR: add_neighbor(out, &pk->neighbor); break;
    case PACKET_ECHO:
        add(out, "echo %s id %u seq %u payload %zu", pk->echo.reply ? "reply" : "request", pk->echo.id, pk->echo.seq,
            pk->echo.payload.n);
        break;
    }
    return out;
}

/* Every shorter length: cut by the snaplen, and short on the wire. What comes out must be of a known kind; the guard
 * page watches. */
static inline void read_prefixes(int dlt, const uint8_t *bytes, size_t n)
{
    struct dissector *d = dissector_new();
    struct packet pk;
    for (size_t i = 0; i < n; i++) {
        read_bytes(d, dlt, bytes, i, n, &pk);
        assert_in_range(pk.kind, PACKET_UNDECODED, PACKET_ECHO);
        read_bytes(d, dlt, bytes, i, i, &pk);
        assert_in_range(pk.kind, PACKET_UNDECODED, PACKET_ECHO);
    }
    dissector_free(d);
}

static inline void check_row(const struct row *r)
{
    uint8_t bytes[4096];
    char text[512];
    struct packet pk;
    size_t n = hex_bytes(r->hex, bytes);
    struct dissector *d = dissector_new();
    read_bytes(d, r->dlt, bytes, n, n, &pk);
    assert_string_equal(packet_text(&pk, text), r->text);
    dissector_free(d);
    read_prefixes(r->dlt, bytes, n);
}

static inline void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_row(&rows[i]);
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

#endif
