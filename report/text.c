/* text: the report for people. What was read and how it ended first, then what is wrong, worst first, then what is
 * healthy. Only what is wrong is kept until the end; the rest is folded into groups as it comes. */
#include "base/limits.h"
#include "report/decisive.h"
#include "report/text_parts.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

enum page_style text_status_style(enum status s)
{
    static const enum page_style styles[] = { [STATUS_OK] = PAGE_GREEN,
                                              [STATUS_UNKNOWN] = PAGE_CYAN,
                                              [STATUS_DEGRADED] = PAGE_YELLOW,
                                              [STATUS_BROKEN] = PAGE_RED };

    return styles[s];
}

const struct judged_flow *text_flow_by_id(const struct text *t, uint64_t id)
{
    guint low = 0, high = t->kept->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const struct judged_flow *f = &g_array_index(t->kept, struct judged_flow, middle);
        if (f->flow->id == id)
            return f;
        if (f->flow->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct judged_flow *text_listed(const struct text *t, guint i)
{
    return g_array_index(t->listed, const struct judged_flow *, i);
}

enum status text_status(const struct judged_flow *f)
{
    return judgement_verdict(&f->judgement)->status;
}

/* Larger is worse: the status, then how near to the root the code stands. */
static unsigned badness(const struct judged_flow *f)
{
    const struct finding *verdict = judgement_verdict(&f->judgement);

    return (unsigned)verdict->status * (CODES + 1) + (CODES - (unsigned)verdict->code);
}

struct ranked {
    unsigned badness;
    uint32_t at;
};

static int worst_first(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->badness != y->badness)
        return x->badness < y->badness ? 1 : -1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Of the flows kept, which are in order of id. */
static GArray *worst_flows(const GArray *kept)
{
    g_autoptr(GArray) ranks = g_array_sized_new(FALSE, FALSE, sizeof(struct ranked), kept->len);
    for (guint i = 0; i < kept->len; i++) {
        struct ranked rank = { badness(&g_array_index(kept, struct judged_flow, i)), i };
        g_array_append_val(ranks, rank);
    }
    if (ranks->len > 1)
        qsort(ranks->data, ranks->len, sizeof(struct ranked), worst_first);

    GArray *worst = g_array_sized_new(FALSE, FALSE, sizeof(const struct judged_flow *), ranks->len);
    for (guint i = 0; i < ranks->len; i++) {
        const struct judged_flow *f =
            &g_array_index(kept, struct judged_flow, g_array_index(ranks, struct ranked, i).at);
        g_array_append_val(worst, f);
    }
    return worst;
}

/* --flow N */
static void one_flow(struct text *t)
{
    const struct judged_flow *f = text_flow_by_id(t, t->options.flow);
    char words[WORDS_ROOM];

    page_line(t->page);
    if (!f) {
        page_put(t->page, "There is no flow ");
        page_put(t->page, words_number(words, t->options.flow));
        page_put(t->page, " in this capture.");
        page_line(t->page);
        return;
    }
    text_one_flow(t, f);
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = ((const struct judged_flow *)a)->flow->id, y = ((const struct judged_flow *)b)->flow->id;

    return (x > y) - (x < y);
}

static void put_all(struct text *t)
{
    text_head(t);
    if (t->options.flow) {
        one_flow(t);
        return;
    }
    if (t->report->climbed) {
        text_climb(t);
        return;
    }
    if (t->report->probed) {
        if (!t->options.quiet)
            text_probes(t);
        return;
    }
    if (!t->options.quiet) {
        text_flows(t);
        text_details(t);
        if (t->healthy)
            text_healthy_flows(t);
        text_conversations(t);
        text_probes(t);
    }
    text_totals(t);
}

/* --- the writer --- */

static struct report_writer *text_open(FILE *out, struct report *totals, const struct report_options *options)
{
    struct text *t = g_new0(struct text, 1);

    t->head.format = &text_format;
    t->out = out;
    t->report = totals;
    t->options = *options;
    t->kept = g_array_new(FALSE, FALSE, sizeof(struct judged_flow));
    g_array_set_clear_func(t->kept, (GDestroyNotify)judged_flow_clear);
    if (!options->quiet && !options->all && !options->flow)
        t->healthy = healthy_new();
    blocks_start(&t->blocks, options->all);
    t->probes = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);
    t->steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
    return &t->head;
}

/* Whether the report will speak of this very flow. */
static bool is_told(const struct text *t, const struct judged_flow *f)
{
    if (t->options.flow)
        return f->flow->id == t->options.flow;
    return !t->options.quiet && (t->options.all || text_status(f) != STATUS_OK);
}

/* A scan or a flood: more flows that failed alike than a report can show. */
static bool enough_of_its_kind(const struct text *t, const struct judged_flow *f)
{
    return t->of_code[judgement_verdict(&f->judgement)->code] >= TEXT_KEPT && !t->options.all && !t->options.flow;
}

static bool text_draws(struct report_writer *w, const struct judged_flow *f)
{
    const struct text *t = (const struct text *)w;

    return text_status(f) != STATUS_OK && !t->options.flow && is_told(t, f) && !enough_of_its_kind(t, f);
}

/* Of a flow that the report goes on to list: what its details need of the packets, and no more. */
static void trim(const struct text *t, struct judged_flow *f)
{
    if (t->options.flow)
        return;
    if (text_status(f) != STATUS_OK) {
        decisive_trim(f->flow, judgement_verdict(&f->judgement));
    } else if (f->flow->log) {
        g_array_free(f->flow->log, TRUE);
        f->flow->log = NULL;
    }
}

static void text_flow(struct report_writer *w, const struct judged_flow *f)
{
    struct text *t = (struct text *)w;
    struct judged_flow mine = *f;
    bool told = is_told(t, f);

    if (t->healthy && text_status(f) == STATUS_OK)
        healthy_add(t->healthy, f->flow);
    else if (t->healthy)
        healthy_pass(t->healthy, f->flow->id);
    bool listed = told && t->kept->len < LIMIT_KEPT_FLOWS && !enough_of_its_kind(t, f);
    if (told)
        t->of_code[judgement_verdict(&f->judgement)->code]++;
    if (listed) {
        trim(t, &mine);
        g_array_append_val(t->kept, mine);
        return;
    }
    t->report->capture.forgotten_flows += told && t->options.all;
    judged_flow_clear(&mine);
}

static void text_conversation(struct report_writer *w, struct conversation *c)
{
    struct text *t = (struct text *)w;

    if (t->options.quiet || t->options.flow)
        conversation_free(c);
    else
        blocks_add(&t->blocks, c);
}

static void text_untold(struct report_writer *w, uint64_t packet)
{
    blocks_pass(&((struct text *)w)->blocks, packet);
}

/* Look-ups are told in their conversations. */
static void text_lookup(struct report_writer *w, struct lookup *l)
{
    (void)w;
    lookup_free(l);
}

static void text_probe(struct report_writer *w, struct probe_result *p)
{
    g_ptr_array_add(((struct text *)w)->probes, p);
}

static void text_step(struct report_writer *w, struct rung_step *s)
{
    g_ptr_array_add(((struct text *)w)->steps, s);
}

static int text_end(struct report_writer *w)
{
    struct text *t = (struct text *)w;
    struct page page;

    if (t->kept->len > 1)
        qsort(t->kept->data, t->kept->len, sizeof(struct judged_flow), compare_ids);
    t->listed = worst_flows(t->kept);
    blocks_finish(&t->blocks);
    t->report->capture.forgotten_conversations += t->blocks.forgotten;
    page_open(&page, t->out, t->options.columns, t->options.color);
    t->page = &page;
    put_all(t);
    page_close(&page);
    return 0;
}

static void text_free(struct report_writer *w)
{
    struct text *t = (struct text *)w;

    if (!t)
        return;
    healthy_free(t->healthy);
    blocks_end(&t->blocks);
    g_ptr_array_free(t->probes, TRUE);
    g_ptr_array_free(t->steps, TRUE);
    if (t->listed)
        g_array_free(t->listed, TRUE);
    g_array_free(t->kept, TRUE);
    g_free(t);
}

const struct report_format text_format = {
    .name = "text",
    .tells_some = true,
    .open = text_open,
    .flow = text_flow,
    .draws = text_draws,
    .conversation = text_conversation,
    .untold = text_untold,
    .lookup = text_lookup,
    .probe = text_probe,
    .step = text_step,
    .event = text_event,
    .end = text_end,
    .free = text_free,
};
