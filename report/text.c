/* text: the report for people. What was read and how it ended first, then what is wrong, worst first, then what is
 * healthy. */
#include "report/number.h"
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
    const GArray *flows = t->report->flows;
    guint low = 0, high = flows ? flows->len : 0;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        const struct judged_flow *f = &g_array_index(flows, struct judged_flow, middle);
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

static uint64_t id_of(const GArray *list, const struct group_item *item)
{
    return g_array_index(list, const struct judged_flow *, item->at)->flow->id;
}

#define MORE_IDS ", ..."

void text_append_ids(GString *out, const GArray *list, const struct group *group, size_t max)
{
    char range[2 * NUMBER_ROOM];
    size_t start = out->len;

    for (guint i = 0, next; i < group->n; i = next) {
        uint64_t first = id_of(list, &group->items[i]), last = first;
        for (next = i + 1; next < group->n && id_of(list, &group->items[next]) == last + 1; next++)
            last++;
        char *p = number_uint(i > 0 ? stpcpy(range, ", ") : range, first);
        if (last > first)
            p = number_uint(stpcpy(p, "-"), last);
        if (out->len - start + (size_t)(p - range) + (next < group->n ? strlen(MORE_IDS) : 0) > max && i > 0) {
            g_string_append(out, MORE_IDS);
            return;
        }
        g_string_append_len(out, range, p - range);
    }
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

static GArray *worst_flows(const struct report *r, bool all)
{
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(struct ranked));
    for (guint i = 0; r->flows && i < r->flows->len; i++) {
        const struct judged_flow *f = &g_array_index(r->flows, struct judged_flow, i);
        struct ranked rank = { badness(f), i };
        if (all || text_status(f) != STATUS_OK)
            g_array_append_val(ranks, rank);
    }
    if (ranks->len > 1)
        qsort(ranks->data, ranks->len, sizeof(struct ranked), worst_first);

    GArray *worst = g_array_sized_new(FALSE, FALSE, sizeof(const struct judged_flow *), ranks->len);
    for (guint i = 0; i < ranks->len; i++) {
        const struct judged_flow *f =
            &g_array_index(r->flows, struct judged_flow, g_array_index(ranks, struct ranked, i).at);
        g_array_append_val(worst, f);
    }
    return worst;
}

/* --flow N */
static void one_flow(struct text *t)
{
    const struct judged_flow *f = text_flow_by_id(t, t->options->flow);
    char words[WORDS_ROOM];

    page_line(t->page);
    if (!f) {
        page_put(t->page, "There is no flow ");
        page_put(t->page, words_number(words, t->options->flow));
        page_put(t->page, " in this capture.");
        page_line(t->page);
        return;
    }
    text_one_flow(t, f);
    text_ladder(t, f->flow);
}

void report_text_end(FILE *out, const struct report *r, const struct report_options *options)
{
    struct page page;
    g_autoptr(GArray) listed = worst_flows(r, options->all);
    struct text t = { &page, r, options, listed };

    page_open(&page, out, options->columns, options->color);
    text_head(&t);
    if (options->flow) {
        one_flow(&t);
    } else if (!options->quiet) {
        text_flows(&t);
        text_details(&t);
        if (!options->all)
            text_healthy_flows(&t);
        text_conversations(&t);
    }
    if (!options->flow)
        text_totals(&t);
    page_close(&page);
}
