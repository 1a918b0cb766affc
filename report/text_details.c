/* text_details: for each flow that is not ok the sentence, the packets that prove it and what to do; many flows that
 * failed alike at one server share a block.
 */
#include "report/group.h"
#include "report/ids.h"
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

#define INDENT 4
#define IDS_WIDTH 60

static void append_evidence(GString *s, const struct finding *f)
{
    g_string_append(s, f->n_evidence == 1 ? "packet " : "packets ");
    for (unsigned i = 0; i < f->n_evidence; i++)
        g_string_append_printf(s, "%s%" G_GUINT64_FORMAT, i == 0 ? "" : ", ", f->evidence[i]);
}

static void put_evidence(struct text *t, const struct finding *f)
{
    g_autoptr(GString) s = g_string_new(NULL);

    if (f->n_evidence == 0)
        return;
    append_evidence(s, f);
    page_paragraph(t->page, INDENT, "evidence: ", s->str);
}

static const char *remedy_of(const struct finding *f)
{
    return f->own_remedy ? f->own_remedy : f->remedy;
}

void text_finding(struct text *t, const struct finding *f, const char *label)
{
    if (f->summary)
        page_paragraph(t->page, INDENT, label, f->summary);
    put_evidence(t, f);
    if (f->confidence != CONFIDENCE_CERTAIN)
        page_paragraph(t->page, INDENT, "how sure: ", confidence_name(f->confidence));
    if (f->status != STATUS_OK && remedy_of(f) && *remedy_of(f))
        page_paragraph(t->page, INDENT, "what to do: ", remedy_of(f));
}

static void other_findings(struct text *t, const struct judgement *j)
{
    for (guint i = 0; j->others && i < j->others->len; i++) {
        const struct finding *f = g_ptr_array_index(j->others, i);
        g_autoptr(GString) s = g_string_new(NULL);
        g_string_append_printf(s, "%s, %s: %s", status_name(f->status), catalogue_row(f->code)->title,
                               f->summary ? f->summary : "");
        if (f->n_evidence > 0) {
            g_string_append(s, " (");
            append_evidence(s, f);
            g_string_append_c(s, ')');
        }
        page_paragraph(t->page, INDENT, "also: ", s->str);
    }
}

static void append_anomalies(GString *s, const struct anomalies *a)
{
    const struct {
        uint32_t n;
        const char *one, *several;
    } counts[] = {
        { a->retransmissions, "retransmission", "retransmissions" },
        { a->out_of_order, "out of order", "out of order" },
        { a->duplicate_acks, "duplicate ACK", "duplicate ACKs" },
        { a->lost_segments, "segment not seen", "segments not seen" },
        { a->acked_unseen, "ACK of unseen data", "ACKs of unseen data" },
        { a->zero_windows, "zero window", "zero windows" },
        { a->window_full, "window full", "window full" },
        { a->keep_alives, "keep-alive", "keep-alives" },
        { a->zero_window_probes, "window probe", "window probes" },
        { a->capture_duplicates, "captured twice", "captured twice" },
        { a->bad_checksums, "bad checksum", "bad checksums" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++)
        if (counts[i].n)
            g_string_append_printf(s, ", %u %s", counts[i].n, counts[i].n == 1 ? counts[i].one : counts[i].several);
}

static void put_side(struct text *t, const struct flow *f, enum side side)
{
    const struct half *h = &f->half[side];
    char words[WORDS_ROOM];
    g_autoptr(GString) s = g_string_new(words_count(words, h->packets));

    g_string_append(s, h->packets == 1 ? " packet, " : " packets, ");
    g_string_append(s, words_bytes(words, h->bytes));
    if (h->offer.mss)
        g_string_append_printf(s, ", MSS %u", h->offer.mss);
    if (h->offer.wscale >= 0 && h->offer.seen)
        g_string_append_printf(s, ", window scale %d", h->offer.wscale);
    if (h->rtt.samples > 0)
        g_string_append_printf(s, ", RTT to it %s", words_duration_range(words, h->rtt.min_ns, h->rtt.max_ns));
    append_anomalies(s, flow_anomalies(f, side));
    page_paragraph(t->page, INDENT, side == CLIENT ? "client: " : "server: ", s->str);
}

/* What was measured, for --flow and -v. */
static void put_facts(struct text *t, const struct flow *f)
{
    char words[WORDS_ROOM];
    g_autoptr(GString) s = g_string_new(handshake_outcome_name(flow_handshake(f)));

    for (char *c = s->str; *c; c++)
        if (*c == '_')
            *c = ' ';
    if (flow_handshake_rtt_ns(f) != TIME_NONE)
        g_string_append_printf(s, ", round trip %s", words_duration(words, flow_handshake_rtt_ns(f)));
    page_paragraph(t->page, INDENT, "handshake: ", s->str);
    g_string_printf(s, "%s (%s", words_ending(words, ending_of(f)), flow_conn_state(f));
    g_string_append_printf(s, ", history %s)", f->history);
    page_paragraph(t->page, INDENT, "ending: ", s->str);
    put_side(t, f, CLIENT);
    put_side(t, f, SERVER);
}

static void heading(struct text *t, const GString *s)
{
    page_style(t->page, PAGE_BOLD);
    page_wrap(t->page, INDENT, s->str);
    page_style(t->page, PAGE_PLAIN);
    page_line(t->page);
}

static void append_verdict(GString *s, const struct finding *f)
{
    g_string_append_printf(s, ": %s", status_name(f->status));
    if (f->status != STATUS_OK)
        g_string_append_printf(s, ", %s [%s]", catalogue_row(f->code)->title, catalogue_row(f->code)->name);
}

static void block_of_one(struct text *t, const struct judged_flow *judged, bool facts)
{
    const struct flow *f = judged->flow;
    char client[WORDS_ROOM], server[WORDS_ROOM];
    g_autoptr(GString) s = g_string_new(NULL);

    g_string_printf(s, "Flow %" G_GUINT64_FORMAT ", %s -> %s", f->id, words_end(client, f, CLIENT, WORDS_ROOM),
                    words_end(server, f, SERVER, WORDS_ROOM));
    append_verdict(s, judgement_verdict(&judged->judgement));
    heading(t, s);
    text_finding(t, judgement_verdict(&judged->judgement), "");
    other_findings(t, &judged->judgement);
    if (facts)
        put_facts(t, f);
    text_ladder(t, judged);
    if (judged->judgement.ledger)
        text_why(t, judged->judgement.ledger);
}

void text_one_flow(struct text *t, const struct judged_flow *f)
{
    block_of_one(t, f, true);
}

/* The first one speaks for all. */
static void block_of_many(struct text *t, const struct group *group)
{
    const struct judged_flow *first = text_listed(t, group->items[0].at);
    struct ids ids = { 0 };
    char words[WORDS_ROOM];
    g_autoptr(GString) s = g_string_new(words_count(words, group->n));

    g_string_append_printf(s, " flows to %s", words_end(words, first->flow, SERVER, WORDS_ROOM));
    append_verdict(s, judgement_verdict(&first->judgement));
    g_string_append(s, ": flows ");
    for (guint i = 0; i < group->n; i++)
        ids_add(&ids, text_listed(t, group->items[i].at)->flow->id);
    ids_append(s, &ids, IDS_WIDTH);
    ids_clear(&ids);
    heading(t, s);
    g_string_printf(s, "flow %" G_GUINT64_FORMAT ": ", first->flow->id);
    text_finding(t, judgement_verdict(&first->judgement), s->str);
    text_ladder(t, first);
    if (first->judgement.ledger)
        text_why(t, first->judgement.ledger);
}

static struct group_key key_of(const struct judged_flow *f)
{
    const struct finding *verdict = judgement_verdict(&f->judgement);
    struct group_key key = { *flow_addr(f->flow, SERVER),
                             flow_port(f->flow, SERVER),
                             f->flow->key.version,
                             { (uint8_t)verdict->code, (uint8_t)verdict->status } };

    return key;
}

static void put_left_out(struct text *t, guint n)
{
    char words[WORDS_ROOM];
    g_autofree char *s = g_strdup_printf("Details of %s more are not shown; --all shows them, --flow N those of one.",
                                         words_count(words, n));

    page_line(t->page);
    page_wrap(t->page, 2, s);
    page_line(t->page);
}

void text_details(struct text *t)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct group_item));
    bool all = t->options.all;

    for (guint i = 0; i < t->listed->len && text_status(text_listed(t, i)) != STATUS_OK; i++) {
        struct group_item item = { key_of(text_listed(t, i)), i };
        g_array_append_val(items, item);
    }
    g_autoptr(GArray) groups = group_items(items, all ? G_MAXUINT : TEXT_ALIKE);
    guint shown = all ? groups->len : MIN(groups->len, TEXT_DETAILS);
    for (guint i = 0; i < shown; i++) {
        const struct group *group = &g_array_index(groups, struct group, i);
        page_line(t->page);
        if (group->n == 1)
            block_of_one(t, text_listed(t, group->items[0].at), t->options.verbose > 0);
        else
            block_of_many(t, group);
    }
    if (shown < groups->len)
        put_left_out(t, groups->len - shown);
}
