/* app_script: a conversation in a few lines, fed to a struct app in different cuts, and its facts as a line of text
 * each. */
#ifndef TCPSLEUTH_TESTS_APP_SCRIPT_H
#define TCPSLEUTH_TESTS_APP_SCRIPT_H

#include "base/timens.h"
#include "dissect/app.h"

#include <string.h>

/* One step: bytes of a side, or a gap of n bytes, or the end of a side. Step i is packet i + 1, captured at second
 * i. */
struct step {
    enum { SEND, GAP, FIN, RST, CUT } what;
    enum side from;
    const char *bytes; /* SEND */
    size_t n;          /* SEND: bytes; GAP: missing bytes */
};

#define C(text)                                                                                                        \
    {                                                                                                                  \
        SEND, CLIENT, text, sizeof(text) - 1                                                                           \
    }
#define S(text)                                                                                                        \
    {                                                                                                                  \
        SEND, SERVER, text, sizeof(text) - 1                                                                           \
    }
#define C_GAP(n)                                                                                                       \
    {                                                                                                                  \
        GAP, CLIENT, NULL, n                                                                                           \
    }
#define S_GAP(n)                                                                                                       \
    {                                                                                                                  \
        GAP, SERVER, NULL, n                                                                                           \
    }
#define C_FIN                                                                                                          \
    {                                                                                                                  \
        FIN, CLIENT, NULL, 0                                                                                           \
    }
#define S_FIN                                                                                                          \
    {                                                                                                                  \
        FIN, SERVER, NULL, 0                                                                                           \
    }
#define S_RST                                                                                                          \
    {                                                                                                                  \
        RST, SERVER, NULL, 0                                                                                           \
    }
#define C_RST                                                                                                          \
    {                                                                                                                  \
        RST, CLIENT, NULL, 0                                                                                           \
    }

/* Feeds step i, its bytes in pieces of at most `most` (0: one piece), the first of at most `first` (0: the same). */
static inline void feed_step(struct app *a, const struct step *s, size_t i, size_t first, size_t most)
{
    struct app_bytes b = { .from = s->from, .ts_ns = (int64_t)i * NS_PER_S, .packet = i + 1 };
    if (s->what == GAP) {
        app_gap(a, s->from, s->n, b.ts_ns, b.packet);
    } else if (s->what != SEND) {
        app_end(a, s->from, s->what == FIN ? APP_END_FIN : s->what == RST ? APP_END_RST : APP_END_CAPTURE, b.ts_ns);
    } else {
        size_t at = 0, piece = first ? first : most ? most : s->n;
        for (; at < s->n; at += b.data.n, piece = most ? most : s->n) {
            /* A copy of exactly this size: what reads past it, or keeps a pointer to it, is caught. */
            b.data.n = piece < s->n - at ? piece : s->n - at;
            void *copy = g_memdup2(s->bytes + at, b.data.n);
            b.data.p = copy;
            app_data(a, &b);
            g_free(copy);
        }
    }
}

static inline void add_transaction(GString *out, const struct http_transaction *t)
{
    g_string_append_printf(out, "%s %s%s HTTP/%s -> %d", t->method ? t->method : "-", t->host ? t->host : "-",
                           t->target ? t->target : "-", t->version ? t->version : "-", t->status);
    if (t->reason)
        g_string_append_printf(out, " %s", t->reason);
    if (t->location)
        g_string_append_printf(out, " <%s>", t->location);
    g_string_append_printf(out, " #%d", (int)t->request_packet);
    if (t->request_end_ts_ns != TIME_NONE)
        g_string_append_printf(out, "-%d", (int)(t->request_end_ts_ns / NS_PER_S) + 1);
    g_string_append_printf(out, "/#%d", (int)t->response_packet);
    if (t->response_end_ts_ns != TIME_NONE)
        g_string_append_printf(out, "-%d", (int)(t->response_end_ts_ns / NS_PER_S) + 1);
    g_string_append_printf(out, " %d/%d", (int)t->request_bytes, (int)t->response_bytes);
    if (t->announced_bytes != UINT64_MAX)
        g_string_append_printf(out, " of %d", (int)t->announced_bytes);
    g_string_append_printf(out, "%s%s%s%s%s;", t->request_complete ? " asked" : "", t->complete ? " complete" : "",
                           t->truncated ? " truncated" : "", t->tunnel ? " tunnel" : "", t->lossy ? " lossy" : "");
}

/* All that is known, as text; "nothing" where that is nothing. Frees a. */
static inline char *finish_as_text(struct app *a)
{
    GString *out = g_string_new(NULL);
    struct app_facts *f = app_finish(a);
    if (!f)
        return g_string_free(g_string_append(out, "nothing"), FALSE);
    g_string_append(out, app_protocol_name(f->protocol) ? app_protocol_name(f->protocol) : "unknown");
    if (f->inner)
        g_string_append_printf(out, "(%s)", app_protocol_name(f->inner));
    if (f->greeting)
        g_string_append_printf(out, " '%s'", f->greeting);
    if (f->tls)
        g_string_append_printf(out, " tls %s%s%s", tls_outcome_name(f->tls->outcome),
                               f->tls->client_hello ? " client_hello" : "",
                               f->tls->server_hello ? " server_hello" : "");
    for (guint i = 0; f->http && i < f->http->len; i++) {
        g_string_append_c(out, '\n');
        add_transaction(out, http_at(f->http, i));
    }
    if (f->http_dropped)
        g_string_append_printf(out, "\n%d more", (int)f->http_dropped);
    app_facts_free(f);
    return g_string_free(out, FALSE);
}

static inline char *run_script(const struct step *steps, size_t n, uint16_t port, size_t most)
{
    struct app *a = app_new(port);
    for (size_t i = 0; i < n; i++)
        feed_step(a, &steps[i], i, 0, most);
    return finish_as_text(a);
}

/* Step `cut` in two pieces at `at`, all others whole. */
static inline char *run_cut(const struct step *steps, size_t n, uint16_t port, size_t cut, size_t at)
{
    struct app *a = app_new(port);
    for (size_t i = 0; i < n; i++)
        feed_step(a, &steps[i], i, i == cut ? at : 0, 0);
    return finish_as_text(a);
}

#endif
