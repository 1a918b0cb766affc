/* stub_app: an application layer that only writes down what it is handed: the bytes of each direction, the gaps in them, the end.
 *
 * It stands in for dissect/app.c: a program that includes this defines every function of dissect/app.h, so that the linker takes no
 * other. A function that is added there is added here; else the linker says "multiple definition".
 */
#ifndef TCPSLEUTH_TESTS_STUB_APP_H
#define TCPSLEUTH_TESTS_STUB_APP_H

#include "dissect/app.h"

struct stub_gap {
    uint64_t position, n; /* where in the stream, bytes of earlier gaps counted */
};

struct stub_stream {
    GByteArray *bytes;    /* those that were handed over, gaps left out */
    GArray *gaps;         /* struct stub_gap; neighbours are made one */
    uint64_t position;    /* bytes and gaps so far */
    unsigned ends;
    enum app_ending how;  /* of the last end */
};

/* What app_finish hands out is the whole of it: of a flow that is over, (const struct app *)flow->app. */
struct app {
    struct app_facts facts; /* first; all zero */
    struct stub_stream streams[2];
    uint16_t port;
};

struct app *app_new(uint16_t server_port)
{
    struct app *a = g_new0(struct app, 1);

    a->port = server_port;
    for (int s = CLIENT; s <= SERVER; s++) {
        a->streams[s].bytes = g_byte_array_new();
        a->streams[s].gaps = g_array_new(FALSE, FALSE, sizeof(struct stub_gap));
    }
    return a;
}

void app_free(struct app *a)
{
    for (int s = CLIENT; a && s <= SERVER; s++) {
        g_byte_array_free(a->streams[s].bytes, TRUE);
        g_array_free(a->streams[s].gaps, TRUE);
    }
    g_free(a);
}

void app_share(struct app *a, struct certs *c)
{
    (void)a;
    (void)c;
}

void app_expect(const struct app *a)
{
    (void)a;
}

void app_warm(const struct app *a)
{
    (void)a;
}

void app_data(struct app *a, const struct app_bytes *b)
{
    g_byte_array_append(a->streams[b->from].bytes, b->data.p, (guint)b->data.n);
    a->streams[b->from].position += b->data.n;
}

void app_gap(struct app *a, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet)
{
    struct stub_stream *s = &a->streams[from];
    struct stub_gap *last = s->gaps->len ? &g_array_index(s->gaps, struct stub_gap, s->gaps->len - 1) : NULL;
    struct stub_gap gap = { s->position, n };

    (void)ts_ns;
    (void)packet;
    if (last && last->position + last->n == s->position)
        last->n += n;
    else
        g_array_append_val(s->gaps, gap);
    s->position += n;
}

void app_end(struct app *a, enum side from, enum app_ending how, int64_t ts_ns)
{
    (void)ts_ns;
    a->streams[from].ends++;
    a->streams[from].how = how;
}

bool app_wants(const struct app *a, enum side from)
{
    (void)a;
    (void)from;
    return true;
}

const struct app_facts *app_facts(const struct app *a)
{
    return &a->facts;
}

const struct app_facts *app_preview(const struct app *a, const enum app_ending how[2], struct app_preview *p)
{
    (void)how;
    (void)p;
    return a ? &a->facts : NULL;
}

void app_preview_end(struct app_preview *p)
{
    (void)p;
}

struct app_facts *app_finish(struct app *a)
{
    return &a->facts;
}

void app_facts_free(struct app_facts *f)
{
    app_free((struct app *)f);
}

const char *app_protocol_name(enum app_protocol p)
{
    (void)p;
    return NULL;
}

#endif
