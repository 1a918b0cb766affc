/* text_flows: the table of the flows that are not ok (with --all, of every flow). A line each, whatever the addresses:
 * columns give way in the order of how little they are missed.
 */
#include "report/text_parts.h"
#include "report/words.h"

#include <string.h>

#define ID_LEAST 4
#define TITLE_LEAST 18
#define ENDS_FAIR 44 /* of two IPv6 ends this much is enough where room is short */
#define ENDS_LEAST 24
#define INDENT 2
#define GAP 2

/* Columns of the table; 0 = left out. */
struct columns {
    unsigned id, ends, conn, states, time, bytes, title;
    unsigned ends_ipv4; /* what the ends of IPv4 need: they are short, so they are not cut for the sake of IPv6 */
};

static void widen(unsigned *width, size_t n)
{
    if (n > *width)
        *width = (unsigned)n;
}

static const char *title_of(const struct judged_flow *f)
{
    return catalogue_row(judgement_verdict(&f->judgement)->code)->title;
}

static void measure(struct columns *c, const struct judged_flow *judged)
{
    const struct flow *f = judged->flow;
    char words[WORDS_ROOM];
    size_t ends = strlen(words_end(words, f, CLIENT, WORDS_ROOM)) + 4;

    ends += strlen(words_end(words, f, SERVER, WORDS_ROOM));
    widen(&c->ends, ends);
    if (f->key.version == 4)
        widen(&c->ends_ipv4, ends);
    widen(&c->id, strlen(words_number(words, f->id)));
    widen(&c->conn, strlen(flow_conn_state(f)));
    widen(&c->states, strlen(words_states(words, f->half[CLIENT].state, f->half[SERVER].state)));
    widen(&c->time, strlen(words_duration(words, f->last_ns - f->first_ns)));
    widen(&c->bytes, strlen(words_bytes_both(words, f)));
    widen(&c->title, strlen(title_of(judged)));
}

static unsigned without_title(const struct columns *c)
{
    return INDENT + c->id + GAP + c->ends + GAP + c->conn + (c->states ? 1 + c->states : 0) + GAP + c->time + GAP +
           c->bytes + GAP;
}

/* Takes from the ends what is too much, down to `least`. */
static void shrink_ends(struct columns *c, unsigned least, unsigned room)
{
    unsigned over = without_title(c) > room ? without_title(c) - room : 0;

    if (c->ends > least)
        c->ends -= MIN(over, c->ends - least);
}

/* Makes room for the title: the middles of IPv6 addresses go first, then the states (conn_state says nearly as much),
 * then the middles of any address. */
static void fit(struct columns *c, unsigned width)
{
    unsigned room = width - MIN(c->title, TITLE_LEAST);

    shrink_ends(c, MAX(c->ends_ipv4, ENDS_FAIR), room);
    if (without_title(c) > room)
        c->states = 0;
    shrink_ends(c, ENDS_LEAST, room);
    c->title = width > without_title(c) ? MIN(c->title, width - without_title(c)) : 0;
}

/* Both ends in the columns there are: a short one leaves its room to the other. */
static void put_ends(struct text *t, const struct flow *f, unsigned width)
{
    char client[WORDS_ROOM], server[WORDS_ROOM];
    unsigned room = width - 4, half = room / 2;
    unsigned c = (unsigned)strlen(words_end(client, f, CLIENT, WORDS_ROOM));
    unsigned s = (unsigned)strlen(words_end(server, f, SERVER, WORDS_ROOM));

    if (c + s > room) {
        words_end(client, f, CLIENT, s < half ? room - s : half);
        words_end(server, f, SERVER, c < half ? room - c : room - half);
    }
    page_put(t->page, client);
    page_put(t->page, " -> ");
    page_put(t->page, server);
}

static void put_flow(struct text *t, const struct columns *c, const struct judged_flow *judged)
{
    const struct flow *f = judged->flow;
    struct page *p = t->page;
    char words[WORDS_ROOM];
    unsigned at = INDENT + c->id;

    page_right(p, at, words_number(words, f->id));
    page_to(p, at += GAP);
    put_ends(t, f, c->ends);
    page_to(p, at += c->ends + GAP);
    page_put(p, flow_conn_state(f));
    at += c->conn;
    if (c->states) {
        page_to(p, at + 1);
        page_put(p, words_states(words, f->half[CLIENT].state, f->half[SERVER].state));
        at += 1 + c->states;
    }
    page_right(p, at += GAP + c->time, words_duration(words, f->last_ns - f->first_ns));
    page_right(p, at += GAP + c->bytes, words_bytes_both(words, f));
    page_to(p, at + GAP);
    page_cut(p, title_of(judged), c->title);
    page_line(p);
}

static void put_head(struct text *t, const struct columns *c)
{
    struct page *p = t->page;
    unsigned at = INDENT + c->id;

    page_style(p, PAGE_DIM);
    page_right(p, at, "flow");
    page_to(p, at += GAP);
    page_put(p, "client -> server");
    page_to(p, at += c->ends + GAP);
    page_put(p, c->states ? "ended" : "end");
    at += c->conn + (c->states ? 1 + c->states : 0);
    page_right(p, at += GAP + c->time, "time");
    page_right(p, at += GAP + c->bytes, "bytes");
    page_to(p, at + GAP);
    page_cut(p, "verdict", page_left(p));
    page_style(p, PAGE_PLAIN);
    page_line(p);
}

/* What the cap leaves out: how many of which verdict. */
static void put_rest(struct text *t, guint shown)
{
    uint64_t by_code[CODES], rest = 0;
    const char *separator = ": ";
    g_autoptr(GString) words = g_string_new(NULL);

    memcpy(by_code, t->of_code, sizeof by_code);
    for (guint i = 0; i < shown; i++)
        by_code[judgement_verdict(&text_listed(t, i)->judgement)->code]--;
    for (unsigned code = 0; code < CODES; code++)
        rest += by_code[code];
    if (rest == 0)
        return;
    g_string_printf(words, "and %" G_GUINT64_FORMAT " more", rest);
    for (unsigned code = 0; code < CODES; code++) {
        if (by_code[code] == 0)
            continue;
        g_string_append_printf(words, "%s%" G_GUINT64_FORMAT " %s", separator, by_code[code],
                               catalogue_row(code)->name);
        separator = ", ";
    }
    g_string_append(words, "; --all lists them");
    page_paragraph(t->page, INDENT, "", words->str);
}

/* A heading in the list wherever the status changes. */
static void put_status(struct text *t, enum status s)
{
    page_styled(t->page, text_status_style(s), status_name(s));
    page_line(t->page);
}

void text_flows(struct text *t)
{
    guint shown = t->options.all ? t->listed->len : MIN(t->listed->len, TEXT_FLOW_LINES);
    struct columns columns = { .id = ID_LEAST, .ends = 16, .conn = 3, .time = 4, .bytes = 5, .title = 7 };
    int status = -1;

    if (shown == 0)
        return;
    for (guint i = 0; i < shown; i++)
        measure(&columns, text_listed(t, i));
    fit(&columns, t->page->width);
    page_line(t->page);
    put_head(t, &columns);
    for (guint i = 0; i < shown; i++) {
        enum status now = text_status(text_listed(t, i));
        if ((int)now != status)
            put_status(t, now);
        status = (int)now;
        put_flow(t, &columns, text_listed(t, i));
    }
    put_rest(t, shown);
}
