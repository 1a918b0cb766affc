/* frames: Ethernet frames of IPv4 and TCP, made for the benchmark captures, and the pcap file that takes them.
 *
 * All numbers are in host byte order here.  Times are microseconds since 1970-01-01 UTC.  Checksums are right.
 * A failure to write ends the program: these are tools of the bench, with nothing to save.
 */
#ifndef TCPSLEUTH_BENCH_FRAMES_H
#define TCPSLEUTH_BENCH_FRAMES_H

#include "base/bytes.h"
#include "bench/random.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define US_PER_S INT64_C(1000000)
#define US_PER_MS INT64_C(1000)
/* 2025-01-01 00:00:00 UTC: when every capture begins. */
#define CAPTURE_START (INT64_C(1735689600) * US_PER_S)

#define FRAME_HEADERS 54 /* Ethernet, IPv4 and TCP, all without options */
#define FRAME_MSS 1460
#define FRAME_DATA_MAX 1448 /* a full segment with time stamps in it */
#define SACK_BLOCKS 3       /* as many as fit beside the time stamps */

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };
enum { CLIENT = 0, SERVER = 1 };

/* One end of a connection. */
struct end {
    uint32_t addr;
    uint16_t port;
    uint16_t ip_id;  /* of the next packet */
    uint16_t window; /* as on the wire */
    uint8_t wscale;
    uint8_t ttl;    /* where the capture stands */
    uint32_t next;  /* sequence number of the next new byte */
    uint32_t clock; /* its time stamp clock (ms) at CAPTURE_START */
    uint32_t heard; /* the time stamp it heard last */
};

/* A TCP connection, seen as a whole: ends[CLIENT] and ends[SERVER]. */
struct connection {
    struct end ends[2];
    int near; /* the side that the capture stands beside */
};

/* What is particular to one TCP segment.  A SYN gets MSS, SACK-permitted, time stamps and window scale. */
struct segment {
    uint32_t seq, ack;
    uint32_t ts_value, ts_echo;
    uint16_t ip_id;
    uint16_t window;
    uint8_t flags;
    uint8_t n_sack;
    uint32_t sack[SACK_BLOCKS][2]; /* left edge, right edge */
    struct slice payload;          /* borrowed */
};

/* The capture being written. */
struct frames {
    FILE *file;
    const char *path;
};

static inline struct frames frames_open(const char *path)
{
    const struct {
        uint32_t magic;
        uint16_t major, minor;
        uint32_t zone, accuracy, snaplen, linktype;
    } header = { 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1 };
    struct frames out = { fopen(path, "wb"), path };

    if (!out.file)
        err(2, "%s", path);
    setvbuf(out.file, NULL, _IOFBF, 1 << 20);
    fwrite(&header, sizeof header, 1, out.file);
    return out;
}

static inline void frames_close(struct frames *out)
{
    bool failed = ferror(out->file);

    if (fclose(out->file) || failed)
        err(2, "%s", out->path);
}

static inline uint8_t *put16(uint8_t *p, uint32_t value)
{
    *p++ = (uint8_t)(value >> 8);
    *p++ = (uint8_t)value;
    return p;
}

static inline uint8_t *put32(uint8_t *p, uint32_t value)
{
    return put16(put16(p, value >> 16), value & 0xffff);
}

/* The ones' complement sum does not mind byte order (RFC 1071), so words are added as they lie in memory. */
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *p, size_t n)
{
    uint16_t word;

    for (; n > 1; p += 2, n -= 2) {
        memcpy(&word, p, 2);
        sum += word;
    }
    if (n) {
        const uint8_t padded[2] = { *p, 0 };
        memcpy(&word, padded, 2);
        sum += word;
    }
    return sum;
}

static inline void checksum_store(uint8_t *p, uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    uint16_t folded = (uint16_t)~sum;
    memcpy(p, &folded, 2);
}

/* Returns the end of what was written at p. */
static inline uint8_t *put_ethernet(uint8_t *p, int from_side)
{
    const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

    memcpy(p, macs[!from_side], 6);
    memcpy(p + 6, macs[from_side], 6);
    return put16(p + 12, 0x0800);
}

static inline uint8_t *put_ipv4(uint8_t *p, const struct end *from, const struct end *to, uint16_t id, size_t tcp_len)
{
    uint8_t *start = p;

    p = put16(p, 0x4500);
    p = put16(p, (uint32_t)(20 + tcp_len));
    p = put16(p, id);
    p = put16(p, 0x4000); /* don't fragment */
    *p++ = from->ttl;
    *p++ = 6;
    p = put16(p, 0);
    p = put32(p, from->addr);
    p = put32(p, to->addr);
    checksum_store(start + 10, checksum_add(0, start, 20));
    return p;
}

static inline uint8_t *put_options(uint8_t *p, const struct end *from, const struct segment *s)
{
    if (s->flags & TCP_SYN) {
        p = put32(p, 0x02040000 | FRAME_MSS);
        p = put16(p, 0x0402);
    } else {
        p = put16(p, 0x0101);
    }
    p = put16(p, 0x080a);
    p = put32(p, s->ts_value);
    p = put32(p, s->ts_echo);
    if (s->flags & TCP_SYN)
        p = put32(p, 0x01030300 | from->wscale);
    if (s->n_sack) {
        p = put32(p, 0x01010500 | (2u + 8u * s->n_sack));
        for (int i = 0; i < s->n_sack; i++)
            p = put32(put32(p, s->sack[i][0]), s->sack[i][1]);
    }
    return p;
}

/* The TCP header, options and payload; the IPv4 addresses lie just before p. */
static inline uint8_t *put_tcp(uint8_t *p, const struct end *from, const struct end *to, const struct segment *s)
{
    uint8_t *start = p;

    p = put16(p, from->port);
    p = put16(p, to->port);
    p = put32(p, s->seq);
    p = put32(p, s->ack);
    p = put16(p, s->flags);
    p = put16(p, s->window);
    p = put32(p, 0);
    p = put_options(p, from, s);
    start[12] = (uint8_t)((p - start) / 4 << 4);
    if (s->payload.n) {
        memcpy(p, s->payload.p, s->payload.n);
        p += s->payload.n;
    }
    uint8_t pseudo[4];
    put16(put16(pseudo, 6), (uint32_t)(p - start));
    uint32_t sum = checksum_add(checksum_add(0, start - 8, 8), pseudo, sizeof pseudo);
    checksum_store(start + 16, checksum_add(sum, start, (size_t)(p - start)));
    return p;
}

static inline size_t options_length(const struct segment *s)
{
    return s->flags & TCP_SYN ? 20 : 12 + (s->n_sack ? 4u + 8u * s->n_sack : 0);
}

/* Writes the segment that `side` of the connection sent and the capture saw at time `us`. */
static inline void frames_put(struct frames *out, int64_t us, const struct connection *conn, int side,
                              const struct segment *s)
{
    const struct end *from = &conn->ends[side], *to = &conn->ends[!side];
    size_t tcp_len = 20 + options_length(s) + s->payload.n;
    uint8_t buffer[16 + FRAME_HEADERS + 40 + FRAME_DATA_MAX];
    uint8_t *p = put_ethernet(buffer + 16, side);

    p = put_ipv4(p, from, to, s->ip_id, tcp_len);
    p = put_tcp(p, from, to, s);
    uint32_t length = (uint32_t)(p - buffer - 16);
    const uint32_t record[4] = { (uint32_t)(us / US_PER_S), (uint32_t)(us % US_PER_S), length, length };
    memcpy(buffer, record, sizeof record);
    fwrite(buffer, (size_t)(p - buffer), 1, out->file);
}

/* The segment that `side` sends next, with its end's state moved on; nothing is written yet. */
static inline struct segment connection_next(struct connection *conn, int64_t us, int side, uint8_t flags,
                                             struct slice payload)
{
    struct end *from = &conn->ends[side];
    struct segment s = {
        .seq = from->next,
        .ack = flags & TCP_ACK ? conn->ends[!side].next : 0,
        .ts_value = from->clock + (uint32_t)((us - CAPTURE_START) / US_PER_MS),
        .ts_echo = from->heard,
        .ip_id = from->ip_id++,
        .window = flags & TCP_SYN ? 64240 : from->window, /* a SYN's window is never scaled */
        .flags = flags,
        .payload = payload,
    };

    from->next += (uint32_t)payload.n + !!(flags & (TCP_SYN | TCP_FIN));
    return s;
}

/* On a path that loses nothing: sends, writes, and the peer has heard it. */
static inline void connection_send(struct frames *out, struct connection *conn, int64_t us, int side, uint8_t flags,
                                   struct slice payload)
{
    struct segment s = connection_next(conn, us, side, flags, payload);

    conn->ends[!side].heard = s.ts_value;
    frames_put(out, us, conn, side, &s);
}

#endif
