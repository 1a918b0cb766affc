/* two_ends: a connection between two captures, told packet by packet: what is sent, what becomes of it, and what either
 * capture then holds. The truth is kept beside it, so that a test can hold the program to it.
 */
#ifndef TCPSLEUTH_TESTS_TWO_ENDS_H
#define TCPSLEUTH_TESTS_TWO_ENDS_H

#include "compare/compare.h"

#include <pcap/pcap.h>
#include <string.h>

#define ENDS_HEADER 52 /* IPv4, TCP with a time stamp option */
#define ENDS_CAPTURED 32

/* Fates of a packet. */
enum { HERE = 1, THERE = 2, LOST = HERE, ARRIVES = HERE | THERE, FORGED = THERE };

struct end_file {
    GArray *frames; /* struct end_frame */
};

struct end_frame {
    int64_t ts_ns;
    uint32_t order; /* of its making: decides between equals */
    uint32_t truth; /* index + 1 in two_ends.lost; 0: none */
    uint32_t wire;
    uint8_t bytes[ENDS_HEADER + ENDS_CAPTURED];
};

struct two_ends {
    struct end_file file[2]; /* CLIENT, SERVER */
    int64_t now_ns, delay_ns, offset_ns;
    int64_t extra_ns;          /* that the next packet takes longer */
    uint32_t isn[2], shift[2]; /* shift: of the numbers, at the server's end */
    uint32_t next[2], ack[2];
    uint16_t id[2];
    bool ids, stamps, nat;
    uint32_t order;
};

static inline struct two_ends *two_ends_new(void)
{
    struct two_ends *t = g_new0(struct two_ends, 1);

    for (int i = 0; i < 2; i++)
        t->file[i].frames = g_array_new(FALSE, FALSE, sizeof(struct end_frame));
    t->now_ns = 1700000000 * NS_PER_S;
    t->delay_ns = 10 * NS_PER_MS;
    t->isn[CLIENT] = t->next[CLIENT] = 1000000;
    t->isn[SERVER] = t->next[SERVER] = 0xffffff00; /* begins again at 0 soon */
    t->id[CLIENT] = 100;
    t->id[SERVER] = 60000;
    t->ids = t->stamps = true;
    return t;
}

static inline void two_ends_free(struct two_ends *t)
{
    g_array_free(t->file[0].frames, TRUE);
    g_array_free(t->file[1].frames, TRUE);
    g_free(t);
}

static inline void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

/* The packet as that end's capture has it. */
static inline void two_ends_bytes(const struct two_ends *t, uint8_t *b, enum side end, enum side from, unsigned flags,
                                  uint32_t seq, uint32_t ack, uint32_t len)
{
    bool far = end == SERVER, natted = far && t->nat;
    uint8_t client[6] = { 10, 0, 0, natted ? 9 : 1, natted ? 0xee : 0x9c, 0x40 },
            server[6] = { 192, 0, 2, natted ? 9 : 1, 0, 80 };
    const uint8_t *source = from == CLIENT ? client : server, *target = from == CLIENT ? server : client;

    memset(b, 0, ENDS_HEADER + ENDS_CAPTURED);
    b[0] = 0x45;
    put16(b + 2, ENDS_HEADER + len);
    put16(b + 4, t->ids ? t->id[from] : 0);
    b[6] = 0x40;
    b[8] = end == from ? 64 : 60;
    b[9] = 6;
    memcpy(b + 12, source, 4);
    memcpy(b + 16, target, 4);
    memcpy(b + 20, source + 4, 2);
    memcpy(b + 22, target + 4, 2);
    put32(b + 24, seq + (far ? t->shift[from] : 0));
    put32(b + 28, flags & TCP_ACK ? ack + (far ? t->shift[other_side(from)] : 0) : 0);
    b[32] = 8 << 4;
    b[33] = (uint8_t)flags;
    put16(b + 34, 500);
    b[40] = b[41] = 1;
    if (t->stamps) {
        b[42] = 8;
        b[43] = 10;
        put32(b + 44, (uint32_t)(t->now_ns / NS_PER_MS) + (uint32_t)from * 77777);
    } else {
        memset(b + 42, 1, 10);
    }
    for (uint32_t i = 0; i < MIN(len, ENDS_CAPTURED); i++)
        b[ENDS_HEADER + i] = (uint8_t)((seq + i) * 7 + from);
}

static inline void two_ends_hold(struct two_ends *t, enum side end, enum side from, bool lost, unsigned flags,
                                 uint32_t seq, uint32_t len)
{
    struct end_frame f = { .ts_ns = t->now_ns, .order = t->order++, .truth = lost, .wire = ENDS_HEADER + len };

    if (end != from)
        f.ts_ns += t->delay_ns + t->extra_ns;
    if (end == SERVER)
        f.ts_ns += t->offset_ns;
    two_ends_bytes(t, f.bytes, end, from, flags, seq, t->ack[from], len);
    g_array_append_val(t->file[end].frames, f);
}

/* Sends it: seq is a place behind the SYN's number. */
static inline void two_ends_send(struct two_ends *t, enum side from, unsigned flags, uint32_t place, uint32_t len,
                                 int fate)
{
    uint32_t seq = t->isn[from] + place;

    if (fate & HERE)
        two_ends_hold(t, from, from, fate == LOST, flags, seq, len);
    if (fate & THERE)
        two_ends_hold(t, other_side(from), from, false, flags, seq, len);
    t->id[from]++;
    t->extra_ns = 0;
    if (fate & THERE && fate != FORGED && flags & (TCP_SYN | TCP_FIN | TCP_PSH))
        t->ack[other_side(from)] = seq + len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
}

static inline void two_ends_wait(struct two_ends *t, int64_t ns)
{
    t->now_ns += ns;
}

static inline void two_ends_open(struct two_ends *t)
{
    two_ends_send(t, CLIENT, TCP_SYN, 0, 0, ARRIVES);
    two_ends_wait(t, t->delay_ns + NS_PER_MS);
    two_ends_send(t, SERVER, TCP_SYN | TCP_ACK, 0, 0, ARRIVES);
    two_ends_wait(t, t->delay_ns + NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK, 1, 0, ARRIVES);
    two_ends_wait(t, NS_PER_MS);
}

static inline int by_time(const void *a, const void *b)
{
    const struct end_frame *x = a, *y = b;

    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

/* What the capture of that end saw; *lost: the numbers of the packets in it that were lost behind it (uint64_t). */
static inline struct vantage *two_ends_vantage(struct two_ends *t, enum side end, GArray *lost)
{
    struct capture_info info = { .end_ns = TIME_NONE, .nanoseconds = true };
    struct vantage *v = vantage_new(end == CLIENT ? "client" : "server");
    GArray *frames = t->file[end].frames;

    qsort(frames->data, frames->len, sizeof(struct end_frame), by_time);
    for (guint i = 0; i < frames->len; i++) {
        const struct end_frame *f = &g_array_index(frames, struct end_frame, i);
        struct frame frame = { .bytes = f->bytes,
                               .caplen = MIN(f->wire, sizeof f->bytes),
                               .wirelen = f->wire,
                               .ts_ns = f->ts_ns,
                               .number = i + 1,
                               .dlt = DLT_RAW };
        vantage_frames(v, &frame, 1);
        if (f->truth && lost)
            g_array_append_val(lost, frame.number);
    }
    vantage_finish(v, &info);
    return v;
}

#endif
