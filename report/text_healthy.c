/* text_healthy: healthy flows that are alike, same server and same ending, in one line with their number and ranges. */
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

#define INDENT 2
#define GAP 2
#define IDS_LEAST 10
#define ENDING_LEAST 16
#define SERVER_MOST 24 /* columns of a server's address and port, where the line is not wide */
#define WIDE_LINE 130

/* A group's line, before its columns are known. */
struct line {
    const struct healthy_group *group;
    char count[WORDS_ROOM], server[WORDS_ROOM], ending[WORDS_ROOM], bytes[WORDS_ROOM], rtt[WORDS_ROOM];
};

struct columns {
    unsigned count, server, ending, bytes, rtt;
};

static void fill_line(struct line *line, const struct healthy_group *g, unsigned server_most)
{
    const struct healthy_key *key = &g->key;
    const char *protocol = app_protocol_name((enum app_protocol)key->protocol);

    line->group = g;
    words_count(line->count, g->flows);
    words_address(line->server, &key->server, key->port, key->version, server_most);
    if (protocol)
        strcpy(stpcpy(line->server + strlen(line->server), " "), protocol);
    words_ending(line->ending, key->ending);
    words_bytes_range(line->bytes, g->bytes_low, g->bytes_high);
    strcpy(line->rtt, "-");
    if (g->rtt_high_ns != TIME_NONE)
        words_duration_range(line->rtt, g->rtt_low_ns, g->rtt_high_ns);
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

static void put_line(struct text *t, const struct columns *c, const struct line *line)
{
    struct page *p = t->page;
    const char *const cells[] = { line->count, line->server, line->ending, line->bytes, line->rtt };
    g_autoptr(GString) ids = g_string_new(NULL);

    put_cells(p, c, cells);
    ids_append(ids, &line->group->ids, page_left(p));
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

static void put_groups(struct text *t, const GPtrArray *groups, guint shown)
{
    g_autofree struct line *lines = g_new(struct line, shown);
    unsigned width = t->page->width;

    for (guint i = 0; i < shown; i++)
        fill_line(&lines[i], g_ptr_array_index(groups, i), width < WIDE_LINE ? SERVER_MOST : WORDS_ROOM);
    struct columns columns = fit(lines, shown, width);
    put_head(t, &columns);
    page_styled(t->page, text_status_style(STATUS_OK), status_name(STATUS_OK));
    page_line(t->page);
    for (guint i = 0; i < shown; i++)
        put_line(t, &columns, &lines[i]);
}

static void put_rest(struct text *t, const GPtrArray *groups, guint from)
{
    char words[WORDS_ROOM];
    uint64_t ungrouped = healthy_ungrouped(t->healthy), flows = ungrouped;
    g_autoptr(GString) s = g_string_new("and ");

    for (guint i = from; i < groups->len; i++)
        flows += ((const struct healthy_group *)g_ptr_array_index(groups, i))->flows;
    g_string_append_printf(s, "%s more in ", words_count(words, flows));
    g_string_append_printf(s, "%s%s other groups; --all lists them", ungrouped ? "over " : "",
                           words_count(words, groups->len - from));
    page_paragraph(t->page, INDENT, "", s->str);
}

void text_healthy_flows(struct text *t)
{
    const GPtrArray *groups = healthy_finish(t->healthy);
    guint shown = MIN(groups->len, TEXT_HEALTHY_LINES);

    if (shown == 0)
        return;
    page_line(t->page);
    put_groups(t, groups, shown);
    if (shown < groups->len)
        put_rest(t, groups, shown);
}
