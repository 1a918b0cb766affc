/* transfer: one large answer over a path that loses segments: a small simulation of a TCP sender and receiver with
 * SACK.
 *
 * The server sends, the client receives.  The path keeps order; each data segment is lost with the same probability, no
 * ACK ever is.  The sender is paced, its window does not shrink on loss (as with BBR), and it holds a segment for lost
 * once segments that it sent a little later have been delivered (RACK, RFC 8985), retransmissions included.  The
 * receiver acknowledges every second segment in order, and at once where there is a hole or one is filled.
 * Segments are counted from 0; all full but the last.
 */
#ifndef TCPSLEUTH_BENCH_TRANSFER_H
#define TCPSLEUTH_BENCH_TRANSFER_H

#include "bench/frames.h"

#define TRANSFER_PACE_US 100               /* between two segments: 116 Mbit/s */
#define TRANSFER_DELAY_US (10 * US_PER_MS) /* each way */
#define TRANSFER_RTO_US (230 * US_PER_MS)
#define TRANSFER_REORDER_US (2 * TRANSFER_PACE_US + 50) /* three segments later is late enough */
#define TRANSFER_FIRST_WINDOW 10u
#define TRANSFER_WINDOW 181u /* segments in flight: 256 KB */
#define TRANSFER_BUFFER 724u /* segments the receiver takes: 1 MB */
#define PIPE_SIZE 4096u      /* packets under way; more than the receiver takes */

/* The bytes of one large answer: a head, then noise that repeats. */
#define STREAM_ONCE 4096u
#define STREAM_REPEATED 61441u
struct stream {
    uint8_t bytes[STREAM_ONCE + STREAM_REPEATED + FRAME_DATA_MAX];
};

enum sent_state { UNSENT = 0, FLYING, SACKED, LOST };

/* Segments [from, to) that the receiver holds above a hole. */
struct held {
    uint32_t from, to;
};

struct flying {
    int64_t arrives;
    uint32_t index; /* data: which segment; ACK: the first segment missing */
    uint8_t n_held;
    struct held held[SACK_BLOCKS];
    struct segment segment;
};

/* What is under way in one direction, in order. */
struct pipe {
    struct flying at[PIPE_SIZE];
    uint32_t head, tail;
};

struct sent {
    int64_t us;
    uint8_t state;    /* enum sent_state, as the sender knows it */
    uint8_t received; /* as the receiver knows it */
};

struct transfer {
    struct frames *out;
    struct connection *conn;
    double loss;
    uint64_t random;
    const struct stream *stream;
    uint64_t bytes; /* of the stream */
    int64_t now;
    struct pipe data, acks;
    /* sender */
    struct sent *sent;
    uint32_t total, una, next; /* segments in all, first not acknowledged, first never sent */
    uint32_t flying, lost, window;
    uint32_t sack_top; /* first segment above all that the receiver holds */
    int64_t paced_until, newest_delivered;
    uint32_t base; /* sequence number of the stream's first byte */
    /* receiver */
    uint32_t expected, unacked;
    struct held held[8]; /* most recent first */
    uint32_t n_held;
};

static inline void stream_fill(struct stream *stream, struct slice head)
{
    uint64_t state = 1;

    for (size_t i = 0; i < sizeof stream->bytes; i++)
        stream->bytes[i] = (uint8_t)(random_next(&state) >> 56);
    memcpy(stream->bytes, head.p, head.n);
}

/* Bytes [offset, offset + n), n at most a segment; valid as long as the stream. */
static inline struct slice stream_at(const struct stream *stream, uint64_t offset, size_t n)
{
    if (offset >= STREAM_ONCE)
        offset = STREAM_ONCE + (offset - STREAM_ONCE) % STREAM_REPEATED;
    return slice_of(stream->bytes + offset, n);
}

static inline void pipe_push(struct pipe *pipe, const struct flying *f)
{
    if (pipe->tail - pipe->head == PIPE_SIZE)
        errx(2, "the simulated path is too long for its queue");
    pipe->at[pipe->tail++ % PIPE_SIZE] = *f;
}

static inline int64_t pipe_next(const struct pipe *pipe)
{
    return pipe->head == pipe->tail ? INT64_MAX : pipe->at[pipe->head % PIPE_SIZE].arrives;
}

static inline uint32_t transfer_seq(const struct transfer *t, uint32_t index)
{
    return t->base + (uint32_t)(index == t->total ? t->bytes : (uint64_t)index * FRAME_DATA_MAX);
}

/* --- receiver --- */

/* Adds segment `index` to what is held; the range it belongs to comes first (RFC 2018). */
static inline void receiver_hold(struct transfer *t, uint32_t index)
{
    struct held merged = { index, index + 1 };
    struct held rest[8];
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->n_held; i++) {
        if (t->held[i].to == merged.from)
            merged.from = t->held[i].from;
        else if (t->held[i].from == merged.to)
            merged.to = t->held[i].to;
        else
            rest[n++] = t->held[i];
    }
    t->n_held = n < 7 ? n + 1 : 8;
    t->held[0] = merged;
    memcpy(t->held + 1, rest, (t->n_held - 1) * sizeof rest[0]);
}

/* The holes below `expected` are filled: forgets the ranges that were above them. */
static inline void receiver_advance(struct transfer *t)
{
    uint32_t n = 0;

    while (t->expected < t->total && t->sent[t->expected].received)
        t->expected++;
    for (uint32_t i = 0; i < t->n_held; i++)
        if (t->held[i].from > t->expected)
            t->held[n++] = t->held[i];
    t->n_held = n;
}

static inline void receiver_ack(struct transfer *t)
{
    struct flying f = { .arrives = t->now + TRANSFER_DELAY_US, .index = t->expected };

    t->unacked = 0;
    f.segment = connection_next(t->conn, t->now, CLIENT, TCP_ACK, slice_of(NULL, 0));
    f.segment.ack = transfer_seq(t, t->expected);
    f.n_held = f.segment.n_sack = (uint8_t)(t->n_held < SACK_BLOCKS ? t->n_held : SACK_BLOCKS);
    for (int i = 0; i < f.n_held; i++) {
        f.held[i] = t->held[i];
        f.segment.sack[i][0] = transfer_seq(t, t->held[i].from);
        f.segment.sack[i][1] = transfer_seq(t, t->held[i].to);
    }
    if (t->conn->near == CLIENT)
        frames_put(t->out, t->now, t->conn, CLIENT, &f.segment);
    pipe_push(&t->acks, &f);
}

static inline void receiver_take(struct transfer *t, const struct flying *f)
{
    bool at_once = t->n_held > 0 || f->index != t->expected || f->index + 1 == t->total;

    if (t->conn->near == CLIENT)
        frames_put(t->out, t->now, t->conn, SERVER, &f->segment);
    t->sent[f->index].received = 1;
    if (f->index == t->expected) {
        t->conn->ends[CLIENT].heard = f->segment.ts_value;
        receiver_advance(t);
    } else if (f->index > t->expected) {
        receiver_hold(t, f->index);
    }
    if (++t->unacked >= 2 || at_once)
        receiver_ack(t);
}

/* --- sender --- */

static inline void sender_transmit(struct transfer *t, uint32_t index)
{
    struct sent *sent = &t->sent[index];
    uint64_t offset = (uint64_t)index * FRAME_DATA_MAX;
    size_t n = t->bytes - offset < FRAME_DATA_MAX ? (size_t)(t->bytes - offset) : FRAME_DATA_MAX;
    struct flying f = { .arrives = t->now + TRANSFER_DELAY_US, .index = index };

    f.segment = connection_next(t->conn, t->now, SERVER, index + 1 == t->total ? TCP_ACK | TCP_PSH : TCP_ACK,
                                stream_at(t->stream, offset, n));
    f.segment.seq = transfer_seq(t, index);
    *sent = (struct sent){ t->now, FLYING, sent->received };
    t->flying++;
    t->paced_until = t->now + TRANSFER_PACE_US;
    if (t->conn->near == SERVER)
        frames_put(t->out, t->now, t->conn, SERVER, &f.segment);
    if (random_below(&t->random, 1000000) >= t->loss * 1e6)
        pipe_push(&t->data, &f);
}

/* Something to send, and leave to send it? */
static inline bool sender_ready(const struct transfer *t)
{
    return t->flying < t->window && (t->lost || (t->next < t->total && t->next - t->una < TRANSFER_BUFFER));
}

static inline void sender_send(struct transfer *t)
{
    uint32_t index = t->next;

    if (t->lost) {
        for (index = t->una; t->sent[index].state != LOST; index++)
            ;
        t->lost--;
    } else {
        t->next++;
    }
    sender_transmit(t, index);
}

static inline void sender_delivered(struct transfer *t, uint32_t index, uint8_t state)
{
    struct sent *sent = &t->sent[index];

    if (sent->state == FLYING) {
        t->flying--;
        if (t->window < TRANSFER_WINDOW)
            t->window++;
        if (sent->us > t->newest_delivered)
            t->newest_delivered = sent->us;
    } else if (sent->state == LOST) {
        t->lost--;
    }
    sent->state = state;
}

static inline void sender_mark_lost(struct transfer *t)
{
    for (uint32_t i = t->una; i < t->sack_top; i++) {
        if (t->sent[i].state != FLYING || t->sent[i].us + TRANSFER_REORDER_US > t->newest_delivered)
            continue;
        t->sent[i].state = LOST;
        t->flying--;
        t->lost++;
    }
}

static inline void sender_take_ack(struct transfer *t, const struct flying *f)
{
    if (t->conn->near == SERVER)
        frames_put(t->out, t->now, t->conn, CLIENT, &f->segment);
    t->conn->ends[SERVER].heard = f->segment.ts_value;
    for (; t->una < f->index; t->una++)
        sender_delivered(t, t->una, SACKED);
    for (int i = 0; i < f->n_held; i++) {
        for (uint32_t k = f->held[i].from; k < f->held[i].to; k++)
            if (k >= t->una)
                sender_delivered(t, k, SACKED);
        if (f->held[i].to > t->sack_top)
            t->sack_top = f->held[i].to;
    }
    sender_mark_lost(t);
}

/* Nothing is under way and nothing may be sent: the timer takes all that is not acknowledged for lost (RFC 6298). */
static inline void sender_timeout(struct transfer *t)
{
    t->now = t->sent[t->una].us + TRANSFER_RTO_US;
    for (uint32_t i = t->una; i < t->next; i++) {
        if (t->sent[i].state == FLYING) {
            t->sent[i].state = LOST;
            t->flying--;
            t->lost++;
        }
    }
}

static inline void transfer_step(struct transfer *t)
{
    int64_t data = pipe_next(&t->data), ack = pipe_next(&t->acks);
    int64_t send = !sender_ready(t) ? INT64_MAX : t->now > t->paced_until ? t->now : t->paced_until;

    if (data == INT64_MAX && ack == INT64_MAX && send == INT64_MAX) {
        sender_timeout(t);
    } else if (data <= ack && data <= send) {
        t->now = data;
        receiver_take(t, &t->data.at[t->data.head++ % PIPE_SIZE]);
    } else if (ack <= send) {
        t->now = ack;
        sender_take_ack(t, &t->acks.at[t->acks.head++ % PIPE_SIZE]);
    } else {
        t->now = send;
        sender_send(t);
    }
}

/* Runs until everything is acknowledged.  Set by the caller: out, conn, loss, stream, bytes, now.  Leaves
 * the server's sequence number at the end of the stream, and the time in now. */
static inline void transfer_run(struct transfer *t)
{
    t->total = (uint32_t)((t->bytes + FRAME_DATA_MAX - 1) / FRAME_DATA_MAX);
    t->sent = calloc(t->total, sizeof *t->sent);
    if (!t->sent)
        err(2, NULL);
    t->random = 88172645463325252;
    t->window = TRANSFER_FIRST_WINDOW;
    t->base = t->conn->ends[SERVER].next;
    while (t->una < t->total)
        transfer_step(t);
    t->conn->ends[SERVER].next = transfer_seq(t, t->total);
    free(t->sent);
}

#endif
