/* comparison_text: what `tcpsleuth compare` found, for people: the captures and their clocks, the verdict, each pair
 * with its two ways, worst first in detail, and what only one capture has.
 */
#include "compare/marks.h"
#include "report/comparison.h"
#include "report/text_parts.h"
#include "report/words.h"

#include <math.h>
#include <string.h>

/* Without --all: pairs with all there is to tell of them, pairs in a line, packets of a way, connections of one
 * capture. */
#define PAIRS_TOLD 20
#define PAIRS_IN_A_LINE 50
#define PACKETS_TOLD 12
#define LONE_TOLD 20

struct told {
    struct page page;
    const struct comparison *c;
    const struct report_options *options;
};

static void append_count(GString *s, uint64_t v, const char *one, const char *many)
{
    char words[WORDS_ROOM];

    g_string_append_printf(s, "%s %s", words_count(words, v), v == 1 ? one : many);
}

/* --- the head --- */

static void put_capture(struct told *t, const struct vantage *v)
{
    g_autoptr(GString) s = g_string_new(v->source);
    char words[WORDS_ROOM];

    g_string_append(s, ": ");
    append_count(s, v->frames, "packet", "packets");
    g_string_append_printf(s, ", %s TCP, ", words_count(words, v->tcp_packets));
    append_count(s, v->flows->len, "flow", "flows");
    if (v->first_ns != TIME_NONE) {
        g_string_append_printf(s, ", %s", words_duration(words, v->last_ns - v->first_ns));
        g_string_append_printf(s, " from %s", words_time(words, v->first_ns, v->nanoseconds));
    }
    page_paragraph(&t->page, 0, "", s->str);
    if (v->truncated)
        page_paragraph(&t->page, 2, "", "the file is cut off or damaged inside: compared up to there");
    if (v->dropped) {
        g_autofree char *line =
            g_strdup_printf("%s packets lost by the capture itself", words_count(words, v->dropped));
        page_paragraph(&t->page, 2, "", line);
    }
    if (v->forgotten) {
        g_autofree char *line =
            g_strdup_printf("%s TCP packets not compared: too many; a filter picks those that matter",
                            words_count(words, v->forgotten));
        page_paragraph(&t->page, 2, "", line);
    }
}

static void put_clock(struct told *t)
{
    const struct clock_offset *c = &t->c->clock;
    g_autoptr(GString) s = g_string_new(NULL);
    char words[WORDS_ROOM];

    if (!c->known) {
        if (t->c->pairs->len)
            page_paragraph(&t->page, 0, "clocks: ", "not comparable: no packets both ways that both captures have");
        return;
    }
    if (!c->drifts && ABS(c->offset_ns) <= c->uncertainty_ns) {
        g_string_append_printf(s, "they agree, give or take %s", words_duration(words, c->uncertainty_ns));
        page_paragraph(&t->page, 0, "clocks: ", s->str);
        return;
    }
    g_string_append_printf(s, "that of the second capture is %s %s", words_duration(words, ABS(c->offset_ns)),
                           c->offset_ns < 0 ? "behind" : "ahead");
    g_string_append_printf(s, ", give or take %s", words_duration(words, c->uncertainty_ns));
    if (c->drifts)
        g_string_append_printf(s, "; it %s %.1f us a second (give or take %.1f)", c->drift_ppm < 0 ? "loses" : "gains",
                               fabs(c->drift_ppm), c->drift_uncertainty_ppm);
    page_paragraph(&t->page, 0, "clocks: ", s->str);
}

static void put_verdict(struct told *t, const struct finding *f, unsigned indent)
{
    g_autofree char *word = g_ascii_strup(status_name(f->status), -1);
    g_autoptr(GString) s = g_string_new(f->summary);

    if (f->status != STATUS_OK)
        g_string_append_printf(s, " [%s]", catalogue_row(f->code)->name);
    page_to(&t->page, indent);
    page_styled(&t->page, text_status_style(f->status), word);
    page_put(&t->page, "  ");
    page_style(&t->page, PAGE_BOLD);
    page_wrap(&t->page, t->page.column, s->str);
    page_style(&t->page, PAGE_PLAIN);
    page_line(&t->page);
}

/* --- a finding --- */

static void append_numbers(GString *s, const uint64_t *numbers, unsigned n, const char *of)
{
    if (n == 0)
        return;
    g_string_append_printf(s, "%s%s ", s->len ? "; " : "", n == 1 ? "packet" : "packets");
    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(s, "%s%" G_GUINT64_FORMAT, i ? ", " : "", numbers[i]);
    g_string_append_printf(s, " of the %s's capture", of);
}

static void put_finding(struct told *t, const struct pair_finding *f)
{
    g_autoptr(GString) s = g_string_new(NULL);
    const char *remedy = f->finding->own_remedy ? f->finding->own_remedy : f->finding->remedy;

    put_verdict(t, f->finding, 4);
    append_numbers(s, f->finding->evidence, f->finding->n_evidence, "client");
    append_numbers(s, f->server, f->n_server, "server");
    if (s->len)
        page_paragraph(&t->page, 6, "evidence: ", s->str);
    if (f->finding->confidence != CONFIDENCE_CERTAIN)
        page_paragraph(&t->page, 6, "how sure: ", confidence_name(f->finding->confidence));
    if (f->finding->status != STATUS_OK && remedy && *remedy)
        page_paragraph(&t->page, 6, "what to do: ", remedy);
}

/* --- a way --- */

static void append_if(GString *s, uint64_t n, const char *what)
{
    char words[WORDS_ROOM];

    if (n)
        g_string_append_printf(s, ", %s %s", words_count(words, n), what);
}

static void append_lost(GString *s, const struct way *w)
{
    g_autoptr(GString) parts = g_string_new(NULL);
    char words[WORDS_ROOM];

    append_if(parts, w->lost_data, w->lost_data == 1 ? "data segment" : "data segments");
    append_if(parts, w->lost_acks, w->lost_acks == 1 ? "ACK" : "ACKs");
    append_if(parts, w->lost_control, "SYN, FIN or RST");
    if (parts->len)
        g_string_append_printf(s, ", %s lost (%s)", words_count(words, w->lost_data + w->lost_acks + w->lost_control),
                               parts->str + 2);
}

static void append_delay(GString *s, const struct way *w)
{
    char words[WORDS_ROOM];

    if (w->delay.samples) {
        g_string_append_printf(s, "; took %s", words_duration_range(words, w->delay.min_ns, w->delay.max_ns));
        if (w->delay.min_ns != w->delay.max_ns)
            g_string_append_printf(s, ", %s on average", words_duration(words, span_mean_ns(&w->delay)));
    }
    if (w->ttl_min == w->ttl_max)
        g_string_append_printf(s, "; %d %s", w->ttl_min, w->ttl_min == 1 ? "hop" : "hops");
    else if (w->ttl_min < w->ttl_max)
        g_string_append_printf(s, "; %d to %d hops", w->ttl_min, w->ttl_max);
}

static void append_value(GString *s, enum change c, int64_t v)
{
    if (v == CHANGED_NONE)
        g_string_append(s, "none");
    else if (c == CHANGE_SACK || c == CHANGE_TIMESTAMPS || c == CHANGE_MPTCP || c == CHANGE_FASTOPEN)
        g_string_append(s, v ? "yes" : "no");
    else
        g_string_append_printf(s, "%" G_GINT64_FORMAT, v);
}

static void put_changes(struct told *t, const struct way *w)
{
    for (int c = 0; c < CHANGES; c++) {
        const struct changed *changed = &w->changes[c];
        g_autofree char *name = g_strdelimit(g_strdup(change_name((enum change)c)), "_", ' ');
        g_autoptr(GString) s = g_string_new(name);
        if (!changed->packets)
            continue;
        if (c != CHANGE_PAYLOAD && !(c == CHANGE_SEQ && changed->sent == CHANGED_NONE)) {
            g_string_append_c(s, ' ');
            append_value(s, (enum change)c, changed->sent);
            g_string_append(s, " -> ");
            append_value(s, (enum change)c, changed->come);
        }
        g_string_append(s, ", ");
        append_count(s, changed->packets, "packet", "packets");
        if (changed->sent_packet)
            g_string_append_printf(s, ", first %" G_GUINT64_FORMAT " -> %" G_GUINT64_FORMAT, changed->sent_packet,
                                   changed->come_packet);
        page_paragraph(&t->page, 6, "changed: ", s->str);
    }
}

/* "lost: packet 17 [P.] 1449:2897 (1448), 0.12 s after the first" */
static void put_packet(struct told *t, const struct pair *p, enum side end, enum side from, const struct sighting *s)
{
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *label = g_strdelimit(g_strdup_printf("%s: ", fate_name((enum fate)s->fate)), "_", ' ');
    uint32_t seq = pair_relative(p, end, from, s->seq);
    char words[WORDS_ROOM];

    g_string_append_printf(line, "packet %" G_GUINT64_FORMAT " [%s] seq %u", s->number, words_flags(words, s->flags),
                           seq);
    if (s->len)
        g_string_append_printf(line, " (%u)", s->len);
    if (s->fate == FATE_PARTLY)
        g_string_append_printf(line, ", %u bytes of it", s->missing);
    if (s->fate == FATE_FORGED)
        g_string_append_printf(line, ", TTL %u", s->ttl);
    g_string_append_printf(line, ", at %s", words_duration(words, s->ts_ns - p->end[end]->flow->first_ns));
    page_paragraph(&t->page, 6, label, line->str);
}

static void put_packets(struct told *t, const struct pair *p, enum side end, enum side from, const GArray *list)
{
    guint most = t->options->all ? list->len : MIN(list->len, PACKETS_TOLD);

    for (guint i = 0; i < most; i++)
        put_packet(t, p, end, from, sighting_at(p->end[end], g_array_index(list, uint32_t, i)));
    if (most < list->len) {
        g_autofree char *more = g_strdup_printf("... and %u more", list->len - most);
        page_paragraph(&t->page, 6, "", more);
    }
}

static void put_way(struct told *t, const struct pair *p, enum side from)
{
    const struct way *w = &p->way[from];
    g_autoptr(GString) s = g_string_new(NULL);
    char words[WORDS_ROOM];

    append_count(s, w->sent, "packet sent", "packets sent");
    g_string_append_printf(s, ", %s arrived", words_count(words, w->arrived));
    append_if(s, w->in_part, "arrived in part");
    append_lost(s, w);
    append_if(s, w->forged, "forged");
    append_if(s, w->repeated, "repeated by the network");
    append_if(s, w->missed_far, "missing from the receiver's capture only");
    append_if(s, w->missed_near, "missing from the sender's capture only");
    append_if(s, w->unknown, "at a time that only one capture covers");
    append_if(s, w->offloaded, "cut or joined by a network card");
    append_if(s, w->congestion_marks, "marked: congestion");
    append_delay(s, w);
    page_paragraph(&t->page, 4, from == CLIENT ? "to the server: " : "to the client: ", s->str);
    put_changes(t, w);
    put_packets(t, p, from, from, w->lost);
    put_packets(t, p, other_side(from), from, w->unsent);
}

/* --- a pair --- */

static void put_view(struct told *t, const struct pair *p, enum side end)
{
    const struct flow *f = p->end[end]->flow;
    bool turned = p->turned[end];
    char client[WORDS_ROOM], server[WORDS_ROOM];
    g_autofree char *line = g_strdup_printf(
        "%s > %s, flow %" G_GUINT64_FORMAT " of the %s capture", words_end(client, f, turned ? SERVER : CLIENT, 60),
        words_end(server, f, turned ? CLIENT : SERVER, 60), f->id, p->file[end] == 0 ? "first" : "second");

    page_paragraph(&t->page, 4, end == CLIENT ? "at the client: " : "at the server: ", line);
}

static void put_nat(struct told *t, const struct pair *p)
{
    bool client = pair_end_changes(p, CLIENT), server = pair_end_changes(p, SERVER);

    if (!client && !server)
        return;
    page_paragraph(&t->page, 4, p->proxied ? "ends: " : "NAT: ",
                   client && server ? "the client's and the server's address or port are others at the other end"
                   : client         ? "the client's address or port is another at the server"
                                    : "the server's address or port is another at the client");
}

static const struct finding *verdict_of(const struct pair *p)
{
    return g_array_index(p->findings, struct pair_finding, 0).finding;
}

static void put_pair(struct told *t, const struct pair *p, guint id)
{
    g_autofree char *basis = g_strdelimit(g_strdup(marks_basis(p->kinds)), "_", ' ');
    g_autofree char *head = g_strdup_printf("pair %u (recognised by %s%s)", id, basis,
                                            p->swapped ? "; the second capture is the one near the client" : "");

    page_line(&t->page);
    page_paragraph(&t->page, 2, "", head);
    put_view(t, p, CLIENT);
    put_view(t, p, SERVER);
    put_nat(t, p);
    for (guint i = 0; i < p->findings->len; i++)
        put_finding(t, &g_array_index(p->findings, struct pair_finding, i));
    for (int from = CLIENT; from <= SERVER && !p->proxied; from++)
        put_way(t, p, (enum side)from);
}

/* Many pairs: those that are healthy in a line. */
static void put_short(struct told *t, const struct pair *p, guint id)
{
    const struct flow *f = p->end[CLIENT]->flow;
    bool turned = p->turned[CLIENT];
    char client[WORDS_ROOM], server[WORDS_ROOM];
    g_autofree char *line = g_strdup_printf("%s > %s  %s", words_end(client, f, turned ? SERVER : CLIENT, 40),
                                            words_end(server, f, turned ? CLIENT : SERVER, 40), verdict_of(p)->summary);
    g_autofree char *label = g_strdup_printf("pair %u  ", id);

    page_paragraph(&t->page, 2, label, line);
}

static void put_pairs(struct told *t)
{
    const GPtrArray *pairs = t->c->pairs;
    bool all = t->options->all || t->options->verbose || t->options->flow || pairs->len <= PAIRS_TOLD;
    guint told = 0, in_a_line = 0, left = 0;

    for (guint i = 0; i < pairs->len; i++) {
        const struct pair *p = g_ptr_array_index(pairs, i);
        if (all || (verdict_of(p)->status != STATUS_OK && told < PAIRS_TOLD)) {
            told++;
            put_pair(t, p, i + 1);
        }
    }
    for (guint i = 0; i < pairs->len && !all; i++) {
        const struct pair *p = g_ptr_array_index(pairs, i);
        if (verdict_of(p)->status != STATUS_OK)
            continue;
        if (in_a_line == 0)
            page_line(&t->page);
        if (in_a_line++ < PAIRS_IN_A_LINE)
            put_short(t, p, i + 1);
    }
    left = pairs->len - told - MIN(in_a_line, PAIRS_IN_A_LINE);
    if (left) {
        g_autofree char *more = g_strdup_printf("... and %u more pairs; --all tells all", left);
        page_paragraph(&t->page, 2, "", more);
    }
}

/* --- what only one capture has --- */

static void put_lone(struct told *t, const struct lone *l)
{
    const struct flow *f = vantage_flow(t->c->vantage[l->file], l->index)->flow;
    char client[WORDS_ROOM], server[WORDS_ROOM];
    g_autofree char *line =
        g_strdup_printf("flow %" G_GUINT64_FORMAT " %s > %s, %s", f->id, words_end(client, f, CLIENT, 60),
                        words_end(server, f, SERVER, 60), handshake_outcome_name(flow_handshake(f)));

    page_paragraph(&t->page, 2, l->file == 0 ? "only in the first capture: " : "only in the second capture: ", line);
    if (l->finding)
        put_finding(t, &(struct pair_finding){ .finding = l->finding });
}

static void put_all_lone(struct told *t)
{
    const GArray *lone = t->c->lone;
    guint most = t->options->all ? lone->len : MIN(lone->len, LONE_TOLD);

    if (lone->len)
        page_line(&t->page);
    for (guint i = 0; i < most; i++)
        put_lone(t, &g_array_index(lone, struct lone, i));
    if (most < lone->len) {
        g_autofree char *more = g_strdup_printf("... and %u more; --all tells all", lone->len - most);
        page_paragraph(&t->page, 2, "", more);
    }
}

static void put_totals(struct told *t)
{
    g_autoptr(GString) s = g_string_new(NULL);

    append_count(s, t->c->pairs->len, "connection is in both captures", "connections are in both captures");
    g_string_append(s, ", ");
    append_count(s, t->c->lone->len, "is in one only", "are in one only");
    page_line(&t->page);
    page_paragraph(&t->page, 0, "", s->str);
}

void comparison_text(FILE *out, const struct comparison *c, const struct report_options *options)
{
    struct told t = { .c = c, .options = options };

    page_open(&t.page, out, options->columns, options->color);
    put_capture(&t, c->vantage[0]);
    put_capture(&t, c->vantage[1]);
    put_clock(&t);
    page_line(&t.page);
    put_verdict(&t, c->verdict, 0);
    if (!options->quiet) {
        put_pairs(&t);
        put_all_lone(&t);
    }
    put_totals(&t);
    page_close(&t.page);
}
