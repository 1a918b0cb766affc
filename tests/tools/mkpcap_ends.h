/* mkpcap_ends: one script, two captures: `ends DELAY` makes every packet travel from the capture at its sender to the one at its receiver. The
 * compiler makes one of them at a time; what differs at the receiver is told on the packet's line. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_ENDS_H
#define TCPSLEUTH_TESTS_MKPCAP_ENDS_H

#include "tests/tools/mkpcap_tcp.h"

/* Whether this end's capture runs at that time of the script. */
static inline bool ends_runs(const struct script *s, int64_t time_ns)
{
    const struct ends *e = &s->ends;
    return time_ns >= e->from_ns[e->here] && time_ns <= e->to_ns[e->here];
}

/* `ends 10ms [offset 3h] [drift 50] [client FROM TO] [server FROM TO]`: the delay of each way; how far ahead the server's clock is, and by how many
 * millionths it is faster; from when to when an end captures. */
static inline void ends_line(struct script *s, struct line *l)
{
    struct ends *e = &s->ends;
    e->on = true;
    e->delay_ns = duration(l, "the delay");
    e->to_ns[CLIENT] = e->to_ns[SERVER] = INT64_MAX;
    while (peek(l)) {
        if (take(l, "offset"))
            e->offset_ns = duration(l, "offset");
        else if (take(l, "drift"))
            e->drift = number(l, "drift", 1000000);
        else {
            enum side end = side_word(l);
            e->from_ns[end] = duration(l, "when the capture begins");
            e->to_ns[end] = duration(l, "when it ends");
        }
    }
}

/* The flow as the receiver's capture has it, when that is at the other end of a NAT or behind a device that shifts numbers. */
static inline struct flow ends_flow(const struct flow *f, enum side end)
{
    struct flow seen = *f;
    for (int i = 0; i < 2 && end == SERVER; i++) {
        if (f->half[i].alias_port) {
            seen.half[i].addr = f->half[i].alias;
            seen.half[i].port = f->half[i].alias_port;
        }
        seen.half[i].isn += f->half[i].shift;
    }
    return seen;
}

static inline int64_t ends_clock(const struct script *s, int64_t time_ns)
{
    const struct ends *e = &s->ends;
    return e->here == SERVER ? time_ns + e->offset_ns + (int64_t)((double)time_ns * e->drift / 1e6) : time_ns;
}

static inline void ends_emit(struct script *s, struct line *l, struct flow *seen, enum side from, struct segment *g, int64_t time_ns)
{
    if (!ends_runs(s, time_ns) || (seen->only_at && seen->only_at != 1 + (int)s->ends.here))
        return;
    g_autoptr(GByteArray) options = segment_options(s, l, seen, from, g);
    g_autoptr(GByteArray) bytes = segment_bytes(g, &seen->half[from], &seen->half[!from], options);
    g_byte_array_unref(emit_ip(&s->out, l, ends_clock(s, time_ns), &g->ip, bytes, &g->dress));
}

/* What a network card makes of it: segments of that size, but for those of `lose`. */
static inline void ends_emit_pieces(struct script *s, struct line *l, struct flow *seen, enum side from, struct segment *g, int64_t time_ns)
{
    GByteArray *whole = g->payload;
    for (uint32_t at = 0, i = 0; at < whole->len; i++, at += g->arrival.pieces) {
        uint32_t n = MIN(g->arrival.pieces, whole->len - at);
        g_autoptr(GByteArray) part = g_byte_array_new();
        struct segment piece = *g;
        put(part, whole->data + at, n);
        piece.payload = part;
        piece.seq += at;
        piece.ip.id = (g->ip.id + i) & 0xffff;
        if (i + 1 != g->arrival.lose)
            ends_emit(s, l, seen, from, &piece, time_ns + i * NS_PER_US);
    }
}

/* A packet of a script with two ends, as the end at hand sees it: when it is sent, or when and how it arrives. */
static inline void ends_packet(struct script *s, struct line *l, struct flow *f, enum side from, const struct segment *sent)
{
    struct flow seen = ends_flow(f, s->ends.here);
    struct segment g = *sent;
    g.seq += s->ends.here == SERVER && !(g.flags & FLAG_RST && g.seq == 0) ? f->half[from].shift : 0;
    g.ack += s->ends.here == SERVER && g.flags & FLAG_ACK ? f->half[!from].shift : 0;
    g.ip.src = seen.half[from].addr;
    g.ip.dst = seen.half[!from].addr;
    if (s->ends.here == from) {
        if (!sent->arrival.forged && !sent->arrival.unseen)
            ends_emit(s, l, &seen, from, &g, s->now_ns);
        return;
    }
    if (sent->arrival.missed)
        return;
    int64_t time_ns = s->now_ns + s->ends.delay_ns + sent->arrival.late_ns;
    g.ip.ttl = sent->arrival.ttl ? sent->arrival.ttl : g.ip.ttl - f->hops;
    g.ip.tos = sent->arrival.has_tos ? sent->arrival.tos : g.ip.tos;
    g.ip.id = sent->arrival.has_id ? sent->arrival.id : g.ip.id;
    g.options = sent->arrival.options ? sent->arrival.options : g.options;
    if (sent->arrival.pieces)
        ends_emit_pieces(s, l, &seen, from, &g, time_ns);
    else
        ends_emit(s, l, &seen, from, &g, time_ns);
    if (sent->arrival.twice)
        ends_emit(s, l, &seen, from, &g, time_ns + NS_PER_MS);
}

/* Words of a packet's line that tell how it arrives; false: the next word is none of them. */
static inline bool read_arrival(const struct script *s, struct line *l, struct segment *g)
{
    if (!s->ends.on)
        return false;
    struct arrival *a = &g->arrival;
    if (take(l, "forged")) {
        a->forged = true;
        g->received = false;
    } else if (take(l, "lost")) {
        a->missed = true;
        g->received = false;
    } else if (take(l, "unseen")) {
        a->unseen = true;
    } else if (take(l, "missed")) {
        a->missed = true;
    } else if (take(l, "twice")) {
        a->twice = true;
    } else if (take(l, "late")) {
        a->late_ns = duration(l, "late");
    } else if (take(l, "pieces")) {
        a->pieces = number(l, "the size of a piece", 65535);
        a->lose = take(l, "lose") ? number(l, "which piece", 65535) : 0;
    } else if (take(l, "arrives")) {
        if (peek(l) && peek(l)->kind == TOKEN_OPTIONS) {
            a->options = peek(l)->text;
            l->at++;
        } else if (take(l, "ttl")) {
            a->ttl = number(l, "ttl", 255);
        } else if (take(l, "id")) {
            a->has_id = true;
            a->id = number(l, "id", 65535);
        } else {
            expect(l, "tos");
            a->has_tos = true;
            a->tos = number(l, "tos", 255);
        }
    } else {
        return false;
    }
    return true;
}

#endif
