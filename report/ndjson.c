/* ndjson: one object a line, as soon as each is final: flows, conversations and look-ups, and the run at the end. */
#include "report/json_parts.h"

struct lines {
    struct report_writer head;
    const struct report *report;
    struct json json;
};

static struct json *line_start(struct lines *l, const char *type)
{
    struct json *j = &l->json;

    json_set_precision(j, l->report->capture.nanoseconds);
    json_open_object(j);
    json_member(j, "type", string, type);
    return j;
}

static void line_end(struct json *j)
{
    json_close(j);
    json_end_line(j);
}

static void lines_flow(struct report_writer *w, const struct judged_flow *f)
{
    struct judged_flow mine = *f;
    struct json *j = line_start((struct lines *)w, "flow");

    json_flow_members(j, f);
    line_end(j);
    judged_flow_clear(&mine);
}

static void lines_conversation(struct report_writer *w, struct conversation *c)
{
    struct json *j = line_start((struct lines *)w, "conversation");

    json_member(j, "id", uint, c->id);
    json_conversation_members(j, c);
    line_end(j);
    conversation_free(c);
}

/* The look-up keeps to itself: its own "type" is that of the record asked for. */
static void lines_lookup(struct report_writer *w, struct lookup *l)
{
    struct json *j = line_start((struct lines *)w, "dns");

    json_key(j, "dns");
    json_open_object(j);
    json_lookup_members(j, l);
    json_close(j);
    line_end(j);
    lookup_free(l);
}

static void lines_probe(struct report_writer *w, struct probe_result *p)
{
    struct json *j = line_start((struct lines *)w, "probe");

    json_probe_members(j, p);
    line_end(j);
    probe_result_free(p);
}

static int lines_end(struct report_writer *w)
{
    const struct report *r = ((struct lines *)w)->report;
    struct json *j = line_start((struct lines *)w, "summary");

    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_key(j, "capture");
    if (r->probed)
        json_write_null(j);
    else
        json_capture(j, &r->capture);
    json_key(j, "verdict");
    json_run_verdict(j, r);
    line_end(j);
    return 0;
}

static struct report_writer *lines_open(FILE *out, struct report *totals, const struct report_options *options)
{
    struct lines *l = g_new(struct lines, 1);

    (void)options;
    l->head.format = &ndjson_format;
    l->report = totals;
    json_start(&l->json, out, false);
    return &l->head;
}

static void lines_free(struct report_writer *w)
{
    if (!w)
        return;
    json_finish(&((struct lines *)w)->json); /* what could not be written stays in ferror(out) */
    g_free(w);
}

const struct report_format ndjson_format = {
    .name = "ndjson",
    .open = lines_open,
    .flow = lines_flow,
    .conversation = lines_conversation,
    .lookup = lines_lookup,
    .probe = lines_probe,
    .end = lines_end,
    .free = lines_free,
};
