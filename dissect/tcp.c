/* TCP: the header of RFC 9293 and its options. */
#include "dissect/tcp.h"

#include "dissect/checksum.h"
#include "dissect/layers.h"

enum {
    KIND_END = 0, KIND_NOP = 1, KIND_MSS = 2, KIND_WSCALE = 3, KIND_SACK_OK = 4, KIND_SACK = 5, KIND_TIMESTAMPS = 8,
    KIND_MD5 = 19, KIND_AO = 29, KIND_MPTCP = 30, KIND_FASTOPEN = 34, KIND_EXPERIMENT = 254
};

#define FASTOPEN_EXPERIMENT 0xf989 /* RFC 7413, appendix of the experiment's identifiers (RFC 6994) */

bool tcp_option_next(struct cursor *c, struct tcp_option *o)
{
    do {
        if (cursor_left(c) == 0)
            return false;
        o->kind = cursor_u8(c);
    } while (o->kind == KIND_NOP);
    if (o->kind == KIND_END)
        return false;
    uint8_t length = cursor_u8(c);
    if (length < 2)
        c->failed = true;
    o->value = cursor_take(c, length - (size_t)2);
    return !c->failed;
}

static void read_sack(struct slice value, struct tcp_options *out)
{
    struct cursor c = cursor_of(value);
    for (out->n_sack = 0; out->n_sack < TCP_SACK_BLOCKS && cursor_left(&c) >= 8; out->n_sack++) {
        out->sack[out->n_sack].left = cursor_u32(&c);
        out->sack[out->n_sack].right = cursor_u32(&c);
    }
}

/* Fast open: the cookie is the value, in the experiment behind the identifier. */
static uint16_t read_fastopen(size_t cookie, struct tcp_options *out)
{
    out->fastopen_len = (uint8_t)cookie;
    return TCPOPT_HAS_FASTOPEN;
}

/* Returns the bit to set. A known kind of a wrong size is TCPOPT_HAS_OTHER: no receiver takes it (RFC 9293 section
 * 3.1, MUST-7). */
static uint16_t read_option(const struct tcp_option *o, struct tcp_options *out)
{
    const uint8_t *v = o->value.p;
    size_t n = o->value.n;
    switch (o->kind) {
    case KIND_MSS:
        if (n != 2)
            break;
        out->mss = be16(v);
        return TCPOPT_HAS_MSS;
    case KIND_WSCALE:
        if (n != 1)
            break;
        out->wscale = v[0];
        return TCPOPT_HAS_WSCALE;
    case KIND_SACK_OK:
        if (n != 0)
            break;
        return TCPOPT_HAS_SACK_OK;
    case KIND_SACK:
        if (n < 8 || n % 8)
            break;
        read_sack(o->value, out);
        return TCPOPT_HAS_SACK;
    case KIND_TIMESTAMPS:
        if (n != 8)
            break;
        out->tsval = be32(v);
        out->tsecr = be32(v + 4);
        return TCPOPT_HAS_TIMESTAMPS;
    case KIND_MD5:
    case KIND_AO: return TCPOPT_HAS_MD5;
    case KIND_MPTCP:
        if (n < 1)
            break;
        out->mptcp_subtype = v[0] >> 4;
        return TCPOPT_HAS_MPTCP;
    case KIND_FASTOPEN: return read_fastopen(n, out);
    case KIND_EXPERIMENT:
        if (n >= 2 && be16(v) == FASTOPEN_EXPERIMENT)
            return read_fastopen(n - 2, out);
        break;
    default: break;
    }
    return TCPOPT_HAS_OTHER;
}

/* All but sack[]. */
static void clear_options(struct tcp_options *o)
{
    o->present = o->mss = 0;
    o->wscale = o->n_sack = o->fastopen_len = o->mptcp_subtype = 0;
    o->tsval = o->tsecr = 0;
}

/* What stopped the reading: the length of the option that did not fit tells whether the header ends before it or the
 * capture did. */
static uint16_t read_failure(const uint8_t *option, struct slice captured, size_t length)
{
    size_t at = (size_t)(option - captured.p);
    if (at + 1 >= captured.n)
        return captured.n < length ? TCPOPT_CUT : TCPOPT_MALFORMED;
    return option[1] >= 2 && at + option[1] <= length ? TCPOPT_CUT : TCPOPT_MALFORMED;
}

void tcp_options_read(struct slice captured, size_t length, struct tcp_options *out)
{
    struct cursor c = cursor_of(captured);
    struct tcp_option o = { .kind = KIND_NOP };
    clear_options(out);
    const uint8_t *before = c.p;
    while (tcp_option_next(&c, &o)) {
        out->present |= read_option(&o, out);
        before = c.p;
    }
    if (c.failed) {
        while (*before == KIND_NOP)
            before++;
        out->present |= read_failure(before, captured, length);
    } else if (captured.n < length && o.kind != KIND_END) {
        out->present |= TCPOPT_CUT;
    }
}

/* The layout of nearly every segment: NOP, NOP, timestamps (RFC 7323, appendix A). */
static inline bool only_timestamps(const uint8_t *options, size_t n)
{
    return n == 12 && be32(options) == 0x0101080a;
}

static void options(struct walk *w, size_t length, struct tcp_options *o)
{
    if (length == 0) {
        clear_options(o);
        return;
    }
    size_t captured = cursor_left(&w->c) < length ? cursor_left(&w->c) : length;
    struct slice s = cursor_take(&w->c, captured);
    if (only_timestamps(s.p, captured)) {
        clear_options(o);
        o->present = TCPOPT_HAS_TIMESTAMPS;
        o->tsval = be32(s.p + 4);
        o->tsecr = be32(s.p + 8);
        return;
    }
    tcp_options_read(s, length, o);
}

enum layer tcp_segment(struct walk *w)
{
    size_t on_wire = walk_wire(w);
    const uint8_t *h = walk_take(w, 20);
    if (!h)
        return walk_undecoded(w, UNDECODED_TCP_SHORT);
    size_t header = (size_t)(h[12] >> 4) * 4;
    if (header < 20 || header > on_wire)
        return walk_undecoded(w, UNDECODED_TCP_BAD);

    struct tcp_facts *t = &w->pk->tcp;
    w->pk->kind = PACKET_TCP;
    t->sport = be16(h);
    t->dport = be16(h + 2);
    t->seq = be32(h + 4);
    t->ack = be32(h + 8);
    t->flags = be16(h + 12) & 0x1ff;
    t->window = be16(h + 14);
    t->checksum = be16(h + 16);
    t->urgent = be16(h + 18);
    options(w, header - 20, &t->opt);
    t->len = (uint32_t)(on_wire - header);
    t->payload = cursor_rest(&w->c);
    t->checksum_checked = w->missing == 0;
    t->checksum_bad = t->checksum_checked && !checksum_tcp_ok(w->address_sum, h, on_wire);
    return LAYER_DONE;
}
