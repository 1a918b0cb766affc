/* text_healthy: healthy flows that are alike, same server and same ending, in one line with their number and ranges. */
#include "report/text_parts.h"
#include "report/words.h"

#include <stdlib.h>
#include <string.h>

#define INDENT 2
#define GAP 2
#define IDS_LEAST 10
#define ENDING_LEAST 16
#define SERVER_MOST 24 /* columns of a server's address and port, where the line is not wide */
#define WIDE_LINE 130

/* A group's line, before its columns are known. */
struct line {
    const struct group *group;
    char count[WORDS_ROOM], server[WORDS_ROOM], ending[WORDS_ROOM], bytes[WORDS_ROOM], rtt[WORDS_ROOM];
};

struct columns {
    unsigned count, server, ending, bytes, rtt;
};

static uint64_t bytes_of(const struct flow *f)
{
    return f->half[CLIENT].bytes + f->half[SERVER].bytes;
}

static struct group_key key_of(const struct flow *f)
{
    enum side first = CLIENT;
    bool closed = flow_closed_first(f, &first);
    struct group_key key = { *flow_addr(f, SERVER),
                             flow_port(f, SERVER),
                             f->key.version,
                             { (uint8_t)flow_teardown(f), closed ? (uint8_t)(1 + first) : 0, (uint8_t)flow_time_wait(f),
                               f->reset.packet ? (uint8_t)(1 + f->reset.by) : 0,
                               f->app ? (uint8_t)f->app->protocol : 0 } };

    return key;
}

/* Ranges over a group; rtt_high_ns TIME_NONE: no handshake was seen. */
struct ranges_of {
    uint64_t bytes_low, bytes_high;
    int64_t rtt_low_ns, rtt_high_ns;
};

static struct ranges_of measure(const GArray *flows, const struct group *group)
{
    struct ranges_of r = { UINT64_MAX, 0, INT64_MAX, TIME_NONE };

    for (guint i = 0; i < group->n; i++) {
        const struct flow *f = g_array_index(flows, const struct judged_flow *, group->items[i].at)->flow;
        int64_t rtt_ns = flow_handshake_rtt_ns(f);
        r.bytes_low = MIN(r.bytes_low, bytes_of(f));
        r.bytes_high = MAX(r.bytes_high, bytes_of(f));
        if (rtt_ns == TIME_NONE)
            continue;
        r.rtt_low_ns = MIN(r.rtt_low_ns, rtt_ns);
        r.rtt_high_ns = MAX(r.rtt_high_ns, rtt_ns);
    }
    return r;
}

static void fill_line(struct line *line, const GArray *flows, const struct group *group, unsigned server_most)
{
    const struct flow *f = g_array_index(flows, const struct judged_flow *, group->items[0].at)->flow;
    const char *protocol = f->app ? app_protocol_name(f->app->protocol) : NULL;
    struct ranges_of r = measure(flows, group);

    line->group = group;
    words_count(line->count, group->n);
    words_end(line->server, f, SERVER, server_most);
    if (protocol)
        strcpy(stpcpy(line->server + strlen(line->server), " "), protocol);
    words_ending(line->ending, f);
    words_bytes_range(line->bytes, r.bytes_low, r.bytes_high);
    strcpy(line->rtt, "-");
    if (r.rtt_high_ns != TIME_NONE)
        words_duration_range(line->rtt, r.rtt_low_ns, r.rtt_high_ns);
}

static void widen(unsigned *width, const char *words)
{
    *width = MAX(*width, (unsigned)strlen(words));
}

static unsigned sum(const struct columns *c)
{
    return INDENT + c->count + GAP + c->server + GAP + c->ending + GAP + c->bytes + GAP + (c->rtt ? c->rtt + GAP : 0);
}

/* The columns, within the width; the ids get what is left. Where that is too little, first the round-trip times go,
 * then ends of words. */
static struct columns fit(const struct line *lines, guint n, unsigned width)
{
    struct columns c = { .count = 5, .server = 6, .ending = 5, .bytes = 5, .rtt = 3 }; /* the words of the head */

    for (guint i = 0; i < n; i++) {
        widen(&c.count, lines[i].count);
        widen(&c.server, lines[i].server);
        widen(&c.ending, lines[i].ending);
        widen(&c.bytes, lines[i].bytes);
        widen(&c.rtt, lines[i].rtt);
    }
    if (sum(&c) + IDS_LEAST > width)
        c.rtt = 0;
    if (sum(&c) + IDS_LEAST > width)
        c.ending -= MIN(c.ending - MIN(c.ending, ENDING_LEAST), sum(&c) + IDS_LEAST - width);
    return c;
}

/* The line up to the ids, which follow. */
static void put_cells(struct page *p, const struct columns *c, const char *const cells[5])
{
    unsigned at = INDENT + c->count;

    page_right(p, at, cells[0]);
    page_to(p, at += GAP);
    page_put(p, cells[1]);
    page_to(p, at += c->server + GAP);
    page_cut(p, cells[2], c->ending);
    page_right(p, at += c->ending + GAP + c->bytes, cells[3]);
    if (c->rtt)
        page_right(p, at += GAP + c->rtt, cells[4]);
    page_to(p, at + GAP);
}

static void put_line(struct text *t, const struct columns *c, const struct line *line, const GArray *flows)
{
    struct page *p = t->page;
    const char *const cells[] = { line->count, line->server, line->ending, line->bytes, line->rtt };
    g_autoptr(GString) ids = g_string_new(NULL);

    put_cells(p, c, cells);
    text_append_ids(ids, flows, line->group, page_left(p));
    page_cut(p, ids->str, page_left(p));
    page_line(p);
}

static void put_head(struct text *t, const struct columns *c)
{
    static const char *const cells[] = { "flows", "server", "ended", "bytes", "RTT" };

    page_style(t->page, PAGE_DIM);
    put_cells(t->page, c, cells);
    page_put(t->page, "ids");
    page_style(t->page, PAGE_PLAIN);
    page_line(t->page);
}

static int largest_first(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->items->at > y->items->at) - (x->items->at < y->items->at);
}

static void put_groups(struct text *t, const GArray *groups, guint shown, const GArray *flows)
{
    g_autofree struct line *lines = g_new(struct line, shown);
    unsigned width = t->page->width;

    for (guint i = 0; i < shown; i++)
        fill_line(&lines[i], flows, &g_array_index(groups, struct group, i),
                  width < WIDE_LINE ? SERVER_MOST : WORDS_ROOM);
    struct columns columns = fit(lines, shown, width);
    put_head(t, &columns);
    page_styled(t->page, text_status_style(STATUS_OK), status_name(STATUS_OK));
    page_line(t->page);
    for (guint i = 0; i < shown; i++)
        put_line(t, &columns, &lines[i], flows);
}

static void put_rest(struct text *t, const GArray *groups, guint from)
{
    char words[WORDS_ROOM];
    uint64_t flows = 0;
    g_autoptr(GString) s = g_string_new("and ");

    for (guint i = from; i < groups->len; i++)
        flows += g_array_index(groups, struct group, i).n;
    g_string_append_printf(s, "%s more", words_count(words, flows));
    g_string_append_printf(s, " in %s other groups; --all lists them", words_count(words, groups->len - from));
    page_paragraph(t->page, INDENT, "", s->str);
}

void text_healthy_flows(struct text *t)
{
    g_autoptr(GArray) flows = g_array_new(FALSE, FALSE, sizeof(const struct judged_flow *));
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(struct group_item));

    for (guint i = 0; t->report->flows && i < t->report->flows->len; i++) {
        const struct judged_flow *f = &g_array_index(t->report->flows, struct judged_flow, i);
        if (text_status(f) != STATUS_OK)
            continue;
        struct group_item item = { key_of(f->flow), flows->len };
        g_array_append_val(flows, f);
        g_array_append_val(items, item);
    }
    if (items->len == 0)
        return;
    g_autoptr(GArray) groups = group_items(items, 1);
    if (groups->len > 1)
        qsort(groups->data, groups->len, sizeof(struct group), largest_first);
    guint shown = MIN(groups->len, TEXT_HEALTHY_LINES);
    page_line(t->page);
    put_groups(t, groups, shown, flows);
    if (shown < groups->len)
        put_rest(t, groups, shown);
}
