/* text_head: the first lines and the last: what was read, the verdict of the run, the totals. */
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

static void append_count(GString *s, uint64_t v, const char *one, const char *many)
{
    char words[WORDS_ROOM];

    g_string_append(s, words_count(words, v));
    g_string_append_printf(s, " %s", v == 1 ? one : many);
}

static void what_was_read(struct text *t)
{
    const struct capture_summary *c = &t->report->capture;
    g_autoptr(GString) s = g_string_new(c->source);
    char words[WORDS_ROOM];

    g_string_append(s, ": ");
    append_count(s, c->packets, "packet", "packets");
    g_string_append_printf(s, ", %s TCP", words_count(words, c->tcp_packets));
    if (c->first_ns != TIME_NONE && c->last_ns != TIME_NONE) {
        g_string_append_printf(s, ", %s from", words_duration(words, c->last_ns - c->first_ns));
        g_string_append_printf(s, " %s", words_time(words, c->first_ns, c->nanoseconds));
    }
    for (guint i = 0; c->linktypes && i < c->linktypes->len; i++)
        g_string_append_printf(s, "%s%s", i == 0 ? ", " : " ", (const char *)g_ptr_array_index(c->linktypes, i));
    page_paragraph(t->page, 0, "", s->str);
}

static void undecoded(struct text *t)
{
    const struct capture_summary *c = &t->report->capture;
    g_autoptr(GString) s = g_string_new("not decoded: ");
    const char *separator = ": ";
    char words[WORDS_ROOM];

    if (c->undecoded == 0)
        return;
    append_count(s, c->undecoded, "packet", "packets");
    for (unsigned i = 0; i < UNDECODED_REASONS; i++) {
        if (c->undecoded_by[i] == 0)
            continue;
        g_string_append_printf(s, "%s%s %s", separator, words_count(words, c->undecoded_by[i]),
                               undecoded_name((enum undecoded)i));
        separator = ", ";
    }
    page_paragraph(t->page, 2, "", s->str);
}

static void limit(struct text *t, uint64_t n, const char *what)
{
    char words[WORDS_ROOM];
    g_autofree char *line = g_strdup_printf("%s %s", words_count(words, n), what);

    if (n > 0)
        page_paragraph(t->page, 2, "", line);
}

static void time_jumps(struct text *t)
{
    g_autoptr(GString) s = g_string_new(NULL);

    if (t->report->capture.time_jumps == 0)
        return;
    append_count(s, t->report->capture.time_jumps, "jump", "jumps");
    g_string_append(s, " of the capture's clock, back or by more than a day: what was open then is judged as it stood before");
    page_paragraph(t->page, 2, "", s->str);
}

/* A line for each limit that was reached: never silent. */
static void limits(struct text *t)
{
    const struct capture_summary *c = &t->report->capture;

    if (c->out_of_memory)
        limit(t, c->packets, "packets were read until memory was at its end: what followed was not");
    else if (c->truncated)
        page_paragraph(t->page, 2, "",
                       t->options.live ? "the capture ended before it was told to"
                                       : "a file is cut off or damaged inside: analysed up to there");
    time_jumps(t);
    limit(t, c->dropped - c->interface_dropped,
          "packets lost by the kernel: too many came at once; see -B and the filter");
    limit(t, c->interface_dropped, "packets lost by the interface itself");
    limit(t, c->quic_packets, "packets begin QUIC connections, which are not looked into");
    limit(t, c->evicted_flows, "flows judged early: too many at the same time");
    limit(t, c->forgotten_flows, "flows counted, but not listed: too many in all");
    limit(t, c->forgotten_conversations, "conversations counted, but not listed: too many in all");
    limit(t, c->reassembly_dropped, "bytes of streams not looked into: too much waited for lost segments");
}

static void verdict(struct text *t)
{
    const struct finding *f = t->report->verdict ? t->report->verdict : finding_ok();
    g_autofree char *word = g_ascii_strup(status_name(f->status), -1);
    g_autoptr(GString) s = g_string_new(f->summary ? f->summary : catalogue_row(f->code)->title);

    if (f->status != STATUS_OK)
        g_string_append_printf(s, " [%s]", catalogue_row(f->code)->name);
    page_line(t->page);
    page_styled(t->page, text_status_style(f->status), word);
    page_put(t->page, "  ");
    page_style(t->page, PAGE_BOLD);
    page_wrap(t->page, t->page->column, s->str);
    page_style(t->page, PAGE_PLAIN);
    page_line(t->page);
}

static void what_was_probed(struct text *t)
{
    g_autoptr(GString) s = g_string_new("probe of ");

    g_string_append_printf(s, "%s: ", t->report->probed);
    append_count(s, t->report->probe_packets, "packet", "packets");
    g_string_append(s, " sent");
    page_paragraph(t->page, 0, "", s->str);
}

/* Behind the verdict's sentence: what proves it, and what to do. */
static void what_to_do(struct text *t)
{
    if (t->report->verdict && t->report->verdict->status != STATUS_OK) {
        g_autofree char *summary = g_steal_pointer(&t->report->verdict->summary);
        text_finding(t, t->report->verdict, "");
        t->report->verdict->summary = g_steal_pointer(&summary);
    }
}

/* A run that only probes has nothing but its verdict and what to do. */
static void probed(struct text *t)
{
    what_was_probed(t);
    verdict(t);
    what_to_do(t);
}

static void climbed(struct text *t)
{
    g_autofree char *line = g_strconcat("check of ", t->report->climbed, NULL);

    page_paragraph(t->page, 0, "", line);
    verdict(t);
    what_to_do(t);
}

void text_head(struct text *t)
{
    if (t->report->climbed) {
        climbed(t);
        return;
    }
    if (t->report->probed) {
        probed(t);
        return;
    }
    what_was_read(t);
    undecoded(t);
    limits(t);
    verdict(t);
}

/* "3 flows: 1 broken, 2 ok" of counts by status, worst first. */
static void append_by_status(GString *s, const uint64_t counts[4], const char *one, const char *many)
{
    const char *separator = ": ";
    char words[WORDS_ROOM];

    append_count(s, counts[0] + counts[1] + counts[2] + counts[3], one, many);
    for (int status = STATUS_BROKEN; status >= STATUS_OK; status--) {
        if (counts[status] == 0)
            continue;
        g_string_append_printf(s, "%s%s %s", separator, words_count(words, counts[status]),
                               status_name((enum status)status));
        separator = ", ";
    }
}

void text_totals(struct text *t)
{
    g_autoptr(GString) s = g_string_new(NULL);

    append_by_status(s, t->report->conversations_by_status, "conversation", "conversations");
    g_string_append(s, "; ");
    append_by_status(s, t->report->flows_by_status, "flow", "flows");
    g_string_append(s, "; ");
    append_count(s, t->report->capture.packets, "packet", "packets");
    page_line(t->page);
    page_paragraph(t->page, 0, "", s->str);
}
