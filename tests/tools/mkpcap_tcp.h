/* mkpcap_tcp: a TCP segment, its bytes, and what it does to the flow. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_TCP_H
#define TCPSLEUTH_TESTS_MKPCAP_TCP_H

#include "tests/tools/mkpcap_flow.h"

enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16, FLAG_URG = 32, FLAG_ECE = 64, FLAG_CWR = 128,
       FLAG_AE = 256 };

/* Bytes of a stream that are kept for retransmissions. */
#define STREAM_BYTES (16u << 20)

/* How a packet arrives at the other end of an `ends` script (mkpcap_ends.h). */
struct arrival {
    bool forged, unseen, missed, twice; /* sent by nobody; not in the sender's capture; not in the receiver's; repeated by the network */
    bool has_tos, has_id;
    uint32_t ttl, tos, id, pieces, lose;
    int64_t late_ns;
    const char *options;
};

struct segment {
    unsigned flags;
    uint32_t seq, ack;
    bool has_seq, has_ack;
    uint32_t length;     /* as written in the line, where has_length */
    bool has_length;
    GByteArray *payload; /* as written in the line; empty where only a length is */
    const char *options; /* NULL: those that the flow usually sends */
    uint32_t win, urgent;
    uint32_t tsval;      /* as sent, where has_tsval */
    bool has_tsval;
    enum checksum sum;
    bool received;       /* by the other side */
    struct ip_spec ip;
    struct dress dress;
    struct arrival arrival;
};

/* --- flags and numbers --- */

static inline unsigned to_flags(const struct line *l, const char *text)
{
    static const char letters[] = "FSRP.UEWA"; /* in the order of the bits, as tcpdump prints them */
    unsigned flags = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    for (const char *p = text; *p; p++) {
        const char *at = strchr(letters, *p);
        if (!at)
            fail(l, "'%s' are no TCP flags (%s, or none)", text, letters);
        flags |= 1u << (at - letters);
    }
    return flags;
}

/* A sequence number: "101" (behind the isn), "=305419896" (as in the header), "next", "next-1", "next+1460". Moves *p behind it. */
static inline uint32_t sequence(const struct line *l, const char **p, uint32_t isn, uint32_t next)
{
    uint32_t base = isn;
    if (g_str_has_prefix(*p, "next")) {
        *p += 4;
        if (**p != '+' && **p != '-')
            return next;
        base = next;
    }
    char sign = **p;
    *p += sign == '=' || sign == '+' || sign == '-';
    if (!g_ascii_isdigit(**p))
        fail(l, "a sequence number is missing at '%s'", *p);
    uint32_t value = (uint32_t)strtoul(*p, (char **)p, 10);
    return sign == '=' ? value : sign == '-' ? base - value : base + value;
}

/* "1:101(100)", "1(100)", "(100)", "next-1(1)". */
static inline void read_span(struct line *l, const struct half *h, struct segment *g)
{
    const char *p = word(l, "the sequence numbers"), *text = p;
    uint32_t end = 0;
    bool has_end = false;
    if (*p != '(') {
        g->seq = sequence(l, &p, h->isn, h->snd_next);
        g->has_seq = true;
    }
    if (*p == ':') {
        p++;
        end = sequence(l, &p, h->isn, h->snd_next);
        has_end = true;
    }
    if (*p == '(') {
        g->length = (uint32_t)strtoul(p + 1, (char **)&p, 10);
        g->has_length = *p++ == ')';
    } else if (has_end) {
        g->length = end - g->seq;
        g->has_length = true;
    }
    if (*p || (has_end && end - g->seq != g->length) || g->length > STREAM_BYTES)
        fail(l, "'%s' is not FIRST:LAST(LENGTH) with LAST - FIRST = LENGTH", text);
}

/* --- options --- */

static inline void put_timestamps(const struct script *s, struct line *l, const char *text, const struct half *h,
                                  const struct half *peer, struct segment *g, GByteArray *out)
{
    uint32_t val = h->ts_base + (uint32_t)(s->now_ns / NS_PER_MS);
    uint32_t ecr = peer->has_ts && !h->ts_recent && !(g->flags & FLAG_SYN) ? peer->ts_base : h->ts_recent;
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    for (unsigned i = 1; words[i]; i += 2) {
        if (!words[i + 1] || (strcmp(words[i], "val") != 0 && strcmp(words[i], "ecr") != 0))
            fail(l, "write '%s' as TS, or TS val N ecr N", text);
        *(words[i][0] == 'v' ? &val : &ecr) = to_number(l, words[i + 1], UINT32_MAX);
    }
    put_u16(out, 8 << 8 | 10);
    put_u32(out, val);
    put_u32(out, ecr);
    g->tsval = val;
    g->has_tsval = true;
}

/* "sack 1001:2001 3001:4001", relative to the other side's isn. */
static inline void put_sack(struct line *l, const char *text, const struct half *peer, GByteArray *out)
{
    g_auto(GStrv) blocks = g_strsplit(text, " ", -1);
    unsigned n = g_strv_length(blocks) - 1;
    put_u16(out, 5 << 8 | (2 + 8 * n));
    for (unsigned i = 1; i <= n; i++) {
        const char *p = blocks[i];
        put_u32(out, sequence(l, &p, peer->isn, peer->snd_next));
        if (*p++ != ':')
            fail(l, "a SACK block is LEFT:RIGHT");
        put_u32(out, sequence(l, &p, peer->isn, peer->snd_next));
    }
}

/* An option of that kind whose body is hexadecimal digits. */
static inline void put_hex_option(struct line *l, unsigned kind, const char *hex, GByteArray *out)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    to_hex(l, hex, body);
    put_u16(out, kind << 8 | (2 + body->len));
    put_bytes(out, body);
}

static inline void put_option_word(const struct script *s, struct line *l, const char *text, const struct half *h,
                                   const struct half *peer, struct segment *g, GByteArray *out)
{
    const char *space = strchr(text, ' '), *value = space ? space + 1 : "";
    g_autofree char *name = g_strndup(text, space ? (size_t)(space - text) : strlen(text));
    if (strcmp(name, "mss") == 0) {
        put_u16(out, 2 << 8 | 4);
        put_u16(out, to_number(l, value, 65535));
    } else if (strcmp(name, "wscale") == 0) {
        put_u16(out, 3 << 8 | 3);
        put_u8(out, to_number(l, value, 255));
    } else if (strcmp(name, "sackOK") == 0) {
        put_u16(out, 4 << 8 | 2);
    } else if (strcmp(name, "sack") == 0) {
        put_sack(l, text, peer, out);
    } else if (strcmp(name, "TS") == 0) {
        put_timestamps(s, l, text, h, peer, g, out);
    } else if (strcmp(name, "nop") == 0) {
        put_u8(out, 1);
    } else if (strcmp(name, "eol") == 0) {
        put_u8(out, 0);
    } else if (strcmp(name, "tfo") == 0) {
        put_hex_option(l, 34, value, out);
    } else if (strcmp(name, "mptcp") == 0) {
        put_hex_option(l, 30, value, out);
    } else if (strcmp(name, "md5") == 0) {
        put_hex_option(l, 19, *value ? value : "000102030405060708090a0b0c0d0e0f", out);
    } else if (strcmp(name, "raw") == 0) {
        to_hex(l, value, out);
    } else {
        fail(l, "unknown TCP option '%s'", text);
    }
}

/* What a flow's segments carry when the line has no <...>. Free with g_free. */
static inline char *usual_options(const struct flow *f, enum side from, unsigned flags)
{
    const struct half *h = &f->half[from];
    bool ts = f->half[0].has_ts && f->half[1].has_ts;
    if (!(flags & FLAG_SYN))
        return g_strdup(ts && !(flags & FLAG_RST) ? "nop,nop,TS" : "");
    GString *o = g_string_new(NULL);
    if (h->mss != NO_OPTION)
        g_string_append_printf(o, "mss %u,", h->mss);
    if (h->sack)
        g_string_append(o, ts ? "sackOK," : "nop,nop,sackOK,");
    if (ts)
        g_string_append(o, h->sack ? "TS," : "nop,nop,TS,");
    if (h->wscale != NO_OPTION)
        g_string_append_printf(o, "nop,wscale %u,", h->wscale);
    g_string_truncate(o, o->len ? o->len - 1 : 0);
    return g_string_free(o, FALSE);
}

/* The options of a segment, padded to whole words. Free with g_byte_array_unref. */
static inline GByteArray *segment_options(const struct script *s, struct line *l, const struct flow *f, enum side from,
                                          struct segment *g)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *text = g->options ? g_strdup(g->options) : usual_options(f, from, g->flags);
    g_auto(GStrv) list = g_strsplit(text, ",", -1);
    for (unsigned i = 0; list[i]; i++)
        put_option_word(s, l, g_strstrip(list[i]), &f->half[from], &f->half[!from], g, out);
    put_fill(out, 0, -out->len & 3);
    if (out->len > 40)
        fail(l, "%u bytes of options; 40 fit", out->len);
    return out;
}

/* --- the stream --- */

/* The n bytes of h's stream from sequence number seq: those sent before, else filler. */
static inline void stream_read(const struct half *h, uint32_t seq, uint32_t n, GByteArray *out)
{
    uint32_t at = seq - h->isn - 1;
    for (uint32_t i = 0; i < n; i++, at++)
        put_u8(out, at < h->stream->len ? h->stream->data[at] : filler(at));
}

/* Keeps what was sent for the first time. */
static inline void stream_write(struct half *h, uint32_t seq, const GByteArray *bytes)
{
    uint32_t at = seq - h->isn - 1;
    if (at >= STREAM_BYTES)
        return;
    while (h->stream->len < at)
        put_u8(h->stream, filler(h->stream->len));
    uint32_t known = h->stream->len - at;
    if (known < bytes->len)
        put(h->stream, bytes->data + known, bytes->len - known);
}

/* h receives [left, right). */
static inline void receive(struct line *l, struct half *h, uint32_t left, uint32_t right)
{
    if (seq_gt(left, h->rcv_next)) {
        if (h->n_early == MAX_RANGES)
            fail(l, "more than %d holes", MAX_RANGES);
        h->early[h->n_early++] = (struct range){ left, right };
        return;
    }
    h->rcv_next = seq_max(h->rcv_next, right);
    for (unsigned i = 0; i < h->n_early; i++) {
        if (seq_le(h->early[i].left, h->rcv_next)) {
            h->rcv_next = seq_max(h->rcv_next, h->early[i].right);
            h->early[i] = h->early[--h->n_early];
            i = UINT_MAX; /* again from the first: what was beyond may join now */
        }
    }
}

/* --- a line --- */

/* Sequence numbers and bytes that the line leaves open. */
static inline void complete_segment(struct line *l, const struct flow *f, enum side from, struct segment *g)
{
    const struct half *h = &f->half[from], *peer = &f->half[!from];
    bool syn = g->flags & FLAG_SYN;
    if (!g->has_seq)
        g->seq = syn ? h->isn : h->snd_next;
    if (!g->has_seq && g->flags & FLAG_RST && !h->started && peer->started)
        g->seq = 0; /* refuses a SYN: RFC 9293 section 3.10.7.1 */
    if (!g->has_ack)
        g->ack = g->flags & FLAG_ACK ? h->rcv_next : 0;
    if (g->payload->len == 0)
        stream_read(h, g->seq + syn, g->length, g->payload);
    else if (g->has_length && g->length != g->payload->len)
        fail(l, "the payload has %u bytes, not %u", g->payload->len, g->length);
}

static inline GByteArray *segment_bytes(const struct segment *g, const struct half *h, const struct half *peer,
                                        const GByteArray *options)
{
    GByteArray *b = g_byte_array_new();
    put_u16(b, h->port);
    put_u16(b, peer->port);
    put_u32(b, g->seq);
    put_u32(b, g->ack);
    put_u16(b, (5 + options->len / 4) << 12 | g->flags);
    put_u16(b, g->win);
    put_u16(b, 0);
    put_u16(b, g->urgent);
    put_bytes(b, options);
    put_bytes(b, g->payload);
    set_checksum(b, 16, &g->ip, g->sum);
    return b;
}

/* What both sides know once the segment is sent. */
static inline void account_segment(struct line *l, struct flow *f, enum side from, const struct segment *g)
{
    struct half *h = &f->half[from], *peer = &f->half[!from];
    bool syn = g->flags & FLAG_SYN;
    uint32_t end = g->seq + g->payload->len + syn + !!(g->flags & FLAG_FIN);
    if (g->flags & FLAG_RST)
        return;
    h->started = true;
    stream_write(h, g->seq + syn, g->payload);
    h->snd_next = seq_max(h->snd_next, end);
    if (!g->received)
        return;
    if (g->has_tsval && seq_le(g->seq, peer->rcv_next)) /* RFC 7323 section 4.3: not of what arrives out of order */
        peer->ts_recent = g->tsval;
    receive(l, peer, g->seq, end);
}

#endif
