/* text_probes: a line for each probe, the hops of each trail below it, and where it ends. */
#include "report/text_parts.h"
#include "report/words.h"

/* Columns: kind, packets, RTT, what came of it; of a hop: TTL, RTT, address, answer. */
#define KIND 2
#define TTL 15
#define PACKETS 23
#define RTT 33
#define OUTCOME 35

static void append_place(GString *s, const struct probe_place *p, unsigned version, const char *unknown)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append(s, p->known ? addr_text(text, &p->addr, version) : unknown);
    if (p->ttl)
        g_string_append_printf(s, " (hop %u)", p->ttl);
}

static void append_answer(GString *s, const struct probe_result *p)
{
    char text[ADDR_TEXT_SIZE];
    g_autofree char *reply = g_strdelimit(g_strdup(probe_reply_name(p->reply)), "_", ' ');

    if (p->reply == REPLY_NONE)
        return;
    g_string_append_printf(s, ": %s", reply);
    if (p->from.known)
        g_string_append_printf(s, " from %s", addr_text(text, &p->from.addr, p->version));
}

static void append_mtu(GString *s, const struct probe_result *p)
{
    char text[ADDR_TEXT_SIZE];

    if (p->path_mtu)
        g_string_append_printf(s, ", path MTU %u", p->path_mtu);
    if (p->kind == PROBE_ECHO_DF && p->path_mtu)
        g_string_append(s, " there and back");
    if (p->outcome == OUTCOME_ANNOUNCED && p->from.known)
        g_string_append_printf(s, ", by %s", addr_text(text, &p->from.addr, p->version));
}

static bool is_size(const struct probe_result *p)
{
    return p->path_mtu || p->kind == PROBE_ECHO_DF || p->kind == PROBE_ACK_DF || p->kind == PROBE_UDP_DF;
}

static void put_forged(struct text *t, unsigned n)
{
    g_autofree char *s = g_strdup_printf("%u %s ignored: not to what was sent", n, n == 1 ? "answer was" : "answers were");

    page_paragraph(t->page, OUTCOME, "", s);
}

static void put_line(struct text *t, const struct probe_result *p)
{
    g_autofree char *outcome = g_strdelimit(g_strdup(probe_outcome_name(p->outcome)), "_", ' ');
    g_autoptr(GString) s = g_string_new(outcome);
    char words[WORDS_ROOM];

    page_to(t->page, KIND);
    page_put(t->page, probe_kind_name(p->kind, p->version));
    if (p->sent)
        page_right(t->page, PACKETS, words_number(words, p->sent));
    if (p->rtt_ns != TIME_NONE)
        page_right(t->page, RTT, words_duration(words, p->rtt_ns));
    page_to(t->page, OUTCOME);
    if (is_size(p))
        append_mtu(s, p);
    else
        append_answer(s, p);
    if (p->kind == PROBE_NEIGHBOR || p->kind == PROBE_GATEWAY)
        g_string_append_printf(s, " (%s)", addr_text(words, &p->target, p->version));
    page_wrap(t->page, OUTCOME, s->str);
    page_line(t->page);
    if (p->forged)
        put_forged(t, p->forged);
    if (p->note)
        page_paragraph(t->page, OUTCOME, "", p->note);
    if (p->finding)
        page_paragraph(t->page, OUTCOME, "", p->finding->summary);
}

static void put_hop(struct text *t, const struct probe_hop *h, unsigned version)
{
    char words[WORDS_ROOM];
    g_autoptr(GString) s = g_string_new(h->place.known ? addr_text(words, &h->place.addr, version) : "*");

    page_right(t->page, TTL, words_number(words, h->place.ttl));
    if (h->place.known)
        page_right(t->page, RTT, words_duration(words, h->rtt_ns));
    page_to(t->page, OUTCOME);
    if (h->place.known) {
        g_autofree char *reply = g_strdelimit(g_strdup(probe_reply_name(h->reply)), "_", ' ');
        g_string_append_printf(s, ": %s", reply);
    }
    if (h->limited)
        g_string_append(s, ", limits its ICMP (no loss)");
    if (h->balanced)
        g_string_append(s, ", one of equal paths");
    page_wrap(t->page, OUTCOME + 2, s->str);
    page_line(t->page);
}

/* "pass A (hop 1) and die at or before B (hop 2)" */
static void append_end(GString *s, const struct probe_result *p)
{
    g_string_append(s, " pass ");
    append_place(s, &p->after, p->version, p->after.ttl ? "a silent hop" : "this host");
    g_string_append(s, " and die at or before ");
    append_place(s, &p->at, p->version, "a hop that does not answer");
}

static void put_changes(struct text *t, const struct probe_result *p)
{
    for (guint i = 0; p->changes && i < p->changes->len; i++) {
        const struct probe_change *c = &g_array_index(p->changes, struct probe_change, i);
        g_autoptr(GString) s = g_string_new(NULL);
        g_string_append_printf(s, "%s: sent %s, %s between ", c->what, c->sent, c->seen);
        append_place(s, &c->after, p->version, "this host");
        g_string_append(s, " and ");
        append_place(s, &c->at, p->version, "?");
        page_paragraph(t->page, OUTCOME, "", s->str);
    }
}

/* Those that were answered, or that none was. */
static void put_variants(struct text *t, const struct probe_result *p)
{
    g_autoptr(GString) s = g_string_new("answered: ");
    guint answered = 0;

    for (guint i = 0; p->variants && i < p->variants->len; i++) {
        const struct probe_variant *v = &g_array_index(p->variants, struct probe_variant, i);
        if (v->reply != REPLY_NONE)
            g_string_append_printf(s, "%s%s", answered++ ? ", " : "", v->change);
    }
    if (answered)
        page_paragraph(t->page, OUTCOME, "", s->str);
}

static void put_legs(struct text *t, const struct probe_result *p)
{
    char words[WORDS_ROOM];

    for (guint i = 0; p->legs && i < p->legs->len; i++) {
        const struct probe_leg *l = &g_array_index(p->legs, struct probe_leg, i);
        g_autoptr(GString) s = g_string_new(l->url);
        if (l->status)
            g_string_append_printf(s, " -> %d", l->status);
        if (l->error)
            g_string_append_printf(s, ": %s", l->error);
        page_right(t->page, RTT, words_duration(words, l->total_ns));
        page_to(t->page, OUTCOME);
        page_wrap(t->page, OUTCOME + 2, s->str);
        page_line(t->page);
    }
}

static void put_target(struct text *t, const struct probe_result *p)
{
    char text[ADDR_TEXT_SIZE];

    page_line(t->page);
    page_styled(t->page, PAGE_BOLD, addr_text(text, &p->way_to, p->version));
    page_line(t->page);
    page_right(t->page, PACKETS, "packets");
    page_right(t->page, RTT, "RTT");
    page_to(t->page, OUTCOME);
    page_put(t->page, "outcome");
    page_line(t->page);
}

static bool same_way(const struct probe_result *a, const struct probe_result *b)
{
    return a->version == b->version && addr_cmp(&a->way_to, &b->way_to) == 0;
}

/* The record of a kind among those of one address; NULL: none. */
static const struct probe_result *find(const struct text *t, guint from, guint to, enum probe_kind kind)
{
    for (guint i = from; i < to; i++) {
        const struct probe_result *p = g_ptr_array_index(t->probes, i);
        if (p->kind == kind)
            return p;
    }
    return NULL;
}

/* The last sentence: where packets of each kind die, as far as any does. */
static void put_last(struct text *t, guint from, guint to)
{
    const struct probe_result *syn = find(t, from, to, PROBE_SYN_TTL), *echo = find(t, from, to, PROBE_ECHO_TTL),
                              *size = find(t, from, to, PROBE_SIZE_TTL), *ack = find(t, from, to, PROBE_ACK_DF);
    g_autoptr(GString) s = g_string_new(NULL);

    if (syn && syn->has_end) {
        g_string_append_printf(s, "SYNs to port %u", syn->port);
        append_end(s, syn);
    } else if (syn && syn->outcome == OUTCOME_REACHED) {
        g_string_append_printf(s, "SYNs to port %u are answered from %u %s away", syn->port, syn->reply_distance,
                               syn->reply_distance == 1 ? "hop" : "hops");
    }
    if (echo && echo->has_end) {
        g_string_append(s, s->len ? "; echo requests" : "Echo requests");
        append_end(s, echo);
    }
    if (size && size->has_end) {
        g_string_append(s, s->len ? "; larger packets" : "Larger packets");
        append_end(s, size);
    } else if (ack && ack->path_mtu) {
        g_string_append_printf(s, "%s of up to %u bytes arrive", s->len ? "; packets" : "Packets", ack->path_mtu);
    }
    if (s->len)
        page_paragraph(t->page, KIND, "", g_string_append_c(s, '.')->str);
}

static void put_probe(struct text *t, const struct probe_result *p)
{
    put_line(t, p);
    for (guint k = 0; p->hops && k < p->hops->len; k++)
        put_hop(t, &g_array_index(p->hops, struct probe_hop, k), p->version);
    put_changes(t, p);
    put_variants(t, p);
    put_legs(t, p);
}

void text_probes(struct text *t)
{
    guint from = 0;

    for (guint i = 0; i < t->probes->len; i++) {
        const struct probe_result *p = g_ptr_array_index(t->probes, i);
        if (i == from)
            put_target(t, p);
        put_probe(t, p);
        if (i + 1 == t->probes->len || !same_way(p, g_ptr_array_index(t->probes, i + 1))) {
            put_last(t, from, i + 1);
            from = i + 1;
        }
    }
}
