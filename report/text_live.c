/* text_live: the lines of a live capture, one as each flow ends or breaks: when, which sides, what happened, the
 * verdict. They are not wrapped: what reads a line at a time (tail, grep) gets all of it.
 */
#include "base/text.h"
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

#define NO_WRAP 100000

/* "14:46:57.366725" */
static void put_clock(struct page *p, int64_t ns, bool nanoseconds)
{
    char words[WORDS_ROOM];
    char *clock = strchr(words_time(words, ns, nanoseconds), ' ');

    if (!clock)
        return;
    clock++;
    clock[strcspn(clock, " ")] = '\0';
    page_styled(p, PAGE_DIM, clock);
    page_put(p, "  ");
}

static void put_status(struct page *p, enum status s)
{
    g_autofree char *word = s == STATUS_OK ? g_strdup(status_name(s)) : g_ascii_strup(status_name(s), -1);
    unsigned at = p->column;

    page_styled(p, text_status_style(s), word);
    page_to(p, at + 10);
}

static void put_ends(struct page *p, const struct flow *f)
{
    char words[WORDS_ROOM];

    page_put(p, "flow ");
    page_put(p, words_number(words, f->id));
    page_put(p, "  ");
    page_put(p, words_end(words, f, CLIENT, WORDS_ROOM));
    page_put(p, " -> ");
    page_put(p, words_end(words, f, SERVER, WORDS_ROOM));
    page_put(p, "  ");
}

/* The last thing that was asked for: "GET /x: 200". */
static void append_transaction(GString *s, const struct flow *f)
{
    const struct app_facts *app = f->app;

    if (!app || !app->http || app->http->len == 0)
        return;
    const struct http_transaction *h = http_at(app->http, app->http->len - 1);
    if (h->method && h->target)
        g_string_append_printf(s, "; %s %.80s", h->method, h->target);
    if (h->method && h->target && h->status)
        g_string_append_printf(s, ": %d", h->status);
    if (app->http->len > 1)
        g_string_append_printf(s, " (the last of %u)", app->http->len);
}

/* Of a flow in which nothing is wrong: how it ended. */
static char *ending_text(const struct flow *f)
{
    char words[WORDS_ROOM];
    GString *s = g_string_new(words_ending(words, ending_of(f)));

    g_string_append_printf(s, ", %s", words_duration(words, f->last_ns - f->first_ns));
    g_string_append_printf(s, ", %s bytes", words_bytes_both(words, f));
    if (f->app && app_protocol_name(f->app->protocol))
        g_string_append_printf(s, ", %s", app_protocol_name(f->app->protocol));
    if (f->app && f->app->tls && f->app->tls->sni)
        g_string_append_printf(s, " %.80s", f->app->tls->sni);
    append_transaction(s, f);
    return g_string_free(s, FALSE);
}

static void put_finding(struct page *p, const struct finding *d)
{
    page_wrap(p, 0, d->summary);
    page_put(p, " [");
    page_put(p, catalogue_row(d->code)->name);
    page_put(p, "]");
}

static void put_verdict(struct page *p, const struct report_event *e)
{
    const struct finding *verdict = judgement_verdict(e->judgement);

    put_status(p, verdict->status);
    put_ends(p, e->flow);
    if (verdict->summary && verdict->status != STATUS_OK) {
        put_finding(p, verdict);
        return;
    }
    g_autofree char *ending = ending_text(e->flow);
    page_wrap(p, 0, ending);
    page_put(p, " [ok]");
}

static void put_conversation(struct page *p, const struct conversation *c)
{
    char client[ADDR_TEXT_SIZE];
    const struct finding *verdict = conversation_verdict(c);

    put_status(p, verdict->status);
    page_put(p, "client ");
    page_put(p, addr_text(client, &c->client, c->version));
    page_put(p, "  ");
    put_finding(p, verdict);
}

void text_event(struct report_writer *w, const struct report_event *e)
{
    struct text *t = (struct text *)w;
    bool tells = e->kind == EVENT_VERDICT || e->kind == EVENT_BROKEN;
    struct page page;

    if (!t->options.told || !tells)
        return;
    if (t->options.quiet && e->kind == EVENT_VERDICT && judgement_verdict(e->judgement)->status < STATUS_DEGRADED)
        return;
    page_open(&page, t->options.told, NO_WRAP, t->options.color);
    put_clock(&page, e->at_ns, t->report->capture.nanoseconds);
    if (e->kind == EVENT_VERDICT)
        put_verdict(&page, e);
    else
        put_conversation(&page, e->conversation);
    page_line(&page);
    page_close(&page);
}
