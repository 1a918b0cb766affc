/* json: one document at the end. Each thing becomes text as soon as it is final and is put aside; in the end the texts
 * are copied in their order. So the document takes 24 bytes of memory for each, whatever it holds.
 */
#include "base/limits.h"
#include "report/json_parts.h"
#include "report/spool.h"

#include <stdlib.h>

/* An object that was put aside. */
struct entry {
    uint64_t order;  /* id of a flow; the packet that another one begins with */
    uint64_t offset; /* in the spool; of equals the one that came first goes first */
    uint32_t length;
};

struct document {
    struct report_writer head;
    FILE *out;
    struct report *report;
    struct spool *spool;
    GArray *conversations, *flows, *lookups, *probes, *steps; /* struct entry */
    struct json json; /* into the spool; in the end to out */
};

/* --- putting aside --- */

/* Begins an object; NULL: the list is full, which is counted. */
static struct json *put_aside(struct document *d, GArray *list, guint limit, uint64_t order, uint64_t *forgotten)
{
    struct entry e = { .order = order, .offset = json_position(&d->json) };

    if (list->len >= limit) {
        ++*forgotten;
        return NULL;
    }
    g_array_append_val(list, e);
    json_set_precision(&d->json, d->report->capture.nanoseconds);
    json_open_object(&d->json);
    return &d->json;
}

static void aside(struct document *d, GArray *list)
{
    struct entry *e = &g_array_index(list, struct entry, list->len - 1);

    json_close(&d->json);
    e->length = (uint32_t)(json_position(&d->json) - e->offset - strlen(","));
}

static void document_flow(struct report_writer *w, const struct judged_flow *f)
{
    struct document *d = (struct document *)w;
    struct judged_flow mine = *f;
    struct json *j =
        put_aside(d, d->flows, LIMIT_KEPT_FLOWS, f->flow->id, &d->report->capture.forgotten_flows);

    if (j) {
        json_flow_members(j, f);
        aside(d, d->flows);
    }
    judged_flow_clear(&mine);
}

/* The id is not known yet. */
static void document_conversation(struct report_writer *w, struct conversation *c)
{
    struct document *d = (struct document *)w;
    struct json *j = put_aside(d, d->conversations, LIMIT_KEPT_FLOWS, c->packet,
                               &d->report->capture.forgotten_conversations);

    if (j) {
        json_conversation_members(j, c);
        aside(d, d->conversations);
    }
    conversation_free(c);
}

static void document_lookup(struct report_writer *w, struct lookup *l)
{
    struct document *d = (struct document *)w;
    uint64_t packet = l->query_packet ? l->query_packet : l->response_packet;
    struct json *j = put_aside(d, d->lookups, LIMIT_KEPT_LOOKUPS, packet, &d->report->capture.forgotten_lookups);

    if (j) {
        json_lookup_members(j, l);
        aside(d, d->lookups);
    }
    lookup_free(l);
}

static void document_probe(struct report_writer *w, struct probe_result *p)
{
    struct document *d = (struct document *)w;
    uint64_t forgotten = 0; /* there are never so many */
    struct json *j = put_aside(d, d->probes, LIMIT_KEPT_LOOKUPS, 0, &forgotten);

    if (j) {
        json_probe_members(j, p);
        aside(d, d->probes);
    }
    probe_result_free(p);
}

static void document_step(struct report_writer *w, struct rung_step *s)
{
    struct document *d = (struct document *)w;
    uint64_t forgotten = 0;
    struct json *j = put_aside(d, d->steps, RUNGS, 0, &forgotten);

    if (j) {
        json_step_members(j, s);
        aside(d, d->steps);
    }
    step_free(s);
}

/* --- the end --- */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    return x->offset < y->offset ? -1 : 1;
}

static void copy(struct document *d, uint64_t offset, uint64_t n)
{
    struct json *j = &d->json;

    while (n > 0) {
        size_t part = (size_t)MIN(n, JSON_BUFFER / 2);
        json_room(j, part);
        if (!spool_read(d->spool, offset, j->p, part))
            j->failed = true;
        j->p += part;
        offset += part;
        n -= part;
    }
    json_put(j, ",", 1);
}

/* numbered: with an id in front, 1, 2, ... */
static void put_list(struct document *d, const char *name, GArray *list, bool numbered)
{
    struct json *j = &d->json;

    if (list->len > 1)
        qsort(list->data, list->len, sizeof(struct entry), compare_entries);
    json_break(j);
    json_key_of(j, name);
    json_open_array(j);
    for (guint i = 0; i < list->len; i++) {
        const struct entry *e = &g_array_index(list, struct entry, i);
        size_t brace = numbered ? strlen("{") : 0;
        json_break(j);
        if (numbered) {
            json_put(j, "{", 1);
            json_member(j, "id", uint, i + 1);
        }
        copy(d, e->offset + brace, e->length - brace);
    }
    json_close(j);
}

/* A line for each flow, conversation and look-up: diff and grep stay of use. */
static void put_document(struct document *d)
{
    struct json *j = &d->json;
    const struct report *r = d->report;

    json_open_object(j);
    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_break(j);
    json_key(j, "capture");
    if (r->probed || (r->climbed && !r->capture.source))
        json_write_null(j);
    else
        json_capture(j, &r->capture);
    json_break(j);
    json_key(j, "verdict");
    json_run_verdict(j, r);
    put_list(d, "conversations", d->conversations, true);
    put_list(d, "flows", d->flows, false);
    put_list(d, "dns", d->lookups, false);
    put_list(d, "probes", d->probes, false);
    put_list(d, "ladder", d->steps, false);
    json_close(j);
    json_end_line(j);
}

/* The temporary file took no more: what is not whole in it is only counted. */
static void forget_lost(const struct document *d, GArray *list, uint64_t *forgotten)
{
    guint n = 0;

    for (guint i = 0; i < list->len; i++) {
        const struct entry *e = &g_array_index(list, struct entry, i);
        if (e->offset + e->length <= spool_size(d->spool))
            g_array_index(list, struct entry, n++) = *e;
    }
    *forgotten += list->len - n;
    g_array_set_size(list, n);
}

static void forget_all_lost(struct document *d)
{
    struct capture_summary *c = &d->report->capture;
    uint64_t others = 0;

    forget_lost(d, d->conversations, &c->forgotten_conversations);
    forget_lost(d, d->flows, &c->forgotten_flows);
    forget_lost(d, d->lookups, &c->forgotten_lookups);
    forget_lost(d, d->probes, &others);
    forget_lost(d, d->steps, &others);
}

static int document_end(struct report_writer *w)
{
    struct document *d = (struct document *)w;

    json_finish(&d->json);
    json_start(&d->json, d->out, d->report->capture.nanoseconds);
    if (spool_error(d->spool))
        forget_all_lost(d);
    put_document(d);
    return spool_error(d->spool);
}

/* --- life --- */

static struct report_writer *document_open(FILE *out, struct report *totals, const struct report_options *options)
{
    struct document *d = g_new(struct document, 1);

    (void)options;
    d->head.format = &json_format;
    d->out = out;
    d->report = totals;
    d->spool = spool_new();
    d->conversations = g_array_new(FALSE, FALSE, sizeof(struct entry));
    d->flows = g_array_new(FALSE, FALSE, sizeof(struct entry));
    d->lookups = g_array_new(FALSE, FALSE, sizeof(struct entry));
    d->probes = g_array_new(FALSE, FALSE, sizeof(struct entry));
    d->steps = g_array_new(FALSE, FALSE, sizeof(struct entry));
    json_start(&d->json, spool_stream(d->spool), false);
    return &d->head;
}

static void document_free(struct report_writer *w)
{
    struct document *d = (struct document *)w;

    if (!d)
        return;
    json_finish(&d->json);
    spool_free(d->spool);
    g_array_free(d->conversations, TRUE);
    g_array_free(d->flows, TRUE);
    g_array_free(d->lookups, TRUE);
    g_array_free(d->probes, TRUE);
    g_array_free(d->steps, TRUE);
    g_free(d);
}

const struct report_format json_format = {
    .name = "json",
    .open = document_open,
    .flow = document_flow,
    .conversation = document_conversation,
    .lookup = document_lookup,
    .probe = document_probe,
    .step = document_step,
    .end = document_end,
    .free = document_free,
};
