/* mkpcap_line: `A > P. 1:101(100) ack 1 win 502 <nop,nop,TS> "GET / ..."`, a line of a script. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_LINE_H
#define TCPSLEUTH_TESTS_MKPCAP_LINE_H

#include "tests/tools/mkpcap_ends.h"

/* One word, with what belongs to it, of a segment's line. */
static inline void read_segment_word(struct script *s, struct line *l, struct flow *f, enum side from, struct segment *g)
{
    struct half *h = &f->half[from], *peer = &f->half[!from];
    const char *next = next_word(l);
    if (read_arrival(s, l, g)) {
        return;
    } else if (peek(l)->kind == TOKEN_OPTIONS) {
        g->options = peek(l)->text;
        l->at++;
    } else if (next && (g_ascii_isdigit(*next) || *next == '=' || *next == '(' || g_str_has_prefix(next, "next"))) {
        read_span(l, h, g);
    } else if (take(l, "ack")) {
        const char *p = word(l, "the acknowledged sequence number");
        g->ack = sequence(l, &p, peer->isn, h->rcv_next);
        g->has_ack = true;
    } else if (take(l, "win")) {
        g->win = number(l, "win", 65535);
        if (!(g->flags & FLAG_SYN))
            h->win = g->win;
    } else if (take(l, "urg")) {
        g->urgent = number(l, "urg", 65535);
    } else if (take(l, "badsum")) {
        g->sum = SUM_BAD;
    } else if (take(l, "unseen")) {
        g->dress.hidden = true;
    } else if (take(l, "lost-later")) {
        g->received = false;
    } else if (take(l, "lost")) {
        g->dress.hidden = true;
        g->received = false;
    } else if (!read_payload_part(s, l, g->payload) && !read_ip_override(l, &g->ip) && !read_dress(l, &g->dress)) {
        fail(l, "do not know what to do with '%s'", peek(l)->text);
    }
}

/* The rest of a line behind "A >" or "A <". */
static inline void tcp_line(struct script *s, struct line *l, struct flow *f, enum side from)
{
    struct half *h = &f->half[from];
    g_autoptr(GByteArray) payload = g_byte_array_new();
    struct segment g = { .payload = payload, .received = true, .sum = h->offload ? SUM_PARTIAL : SUM_GOOD };
    g.flags = to_flags(l, word(l, "the TCP flags"));
    g.win = g.flags & FLAG_SYN ? h->win_syn : h->win;
    g.ip = flow_ip(f, from);
    g.dress = flow_dress(f, from);
    while (peek(l))
        read_segment_word(s, l, f, from, &g);
    if (g.ip.version == 6 && g.dress.frag.size)
        g.ip.id = ++s->fragment_id;
    complete_segment(l, f, from, &g);
    g_autoptr(GByteArray) options = segment_options(s, l, f, from, &g);
    g_autoptr(GByteArray) bytes = segment_bytes(&g, h, &f->half[!from], options);
    if (s->ends.on)
        ends_packet(s, l, f, from, &g);
    else
        remember(h, g.seq, emit_ip(&s->out, l, s->now_ns, &g.ip, bytes, &g.dress));
    if (!g.arrival.forged)
        account_segment(l, f, from, &g);
}

#endif
