/* ndjson: one object a line, as soon as each is final: flows, conversations and look-ups, and the run at the end. */
#include "report/json_parts.h"

static struct json *line_start(FILE *out, const struct report *so_far, const char *type)
{
    struct json *j = g_malloc(sizeof *j);

    json_start(j, out, so_far->capture.nanoseconds);
    json_open_object(j);
    json_member(j, "type", string, type);
    return j;
}

static void line_end(struct json *j)
{
    json_close(j);
    json_finish(j); /* what could not be written stays in ferror(out) */
    g_free(j);
}

void report_ndjson_flow(FILE *out, const struct judged_flow *f, const struct report *so_far)
{
    struct json *j = line_start(out, so_far, "flow");

    json_flow_members(j, f);
    line_end(j);
}

void report_ndjson_conversation(FILE *out, const struct conversation *c, const struct report *so_far)
{
    struct json *j = line_start(out, so_far, "conversation");

    json_conversation_members(j, c);
    line_end(j);
}

/* The look-up keeps to itself: its own "type" is that of the record asked for. */
void report_ndjson_lookup(FILE *out, const struct lookup *l, const struct report *so_far)
{
    struct json *j = line_start(out, so_far, "dns");

    json_key(j, "dns");
    json_open_object(j);
    json_lookup_members(j, l);
    json_close(j);
    line_end(j);
}

void report_ndjson_end(FILE *out, const struct report *r, const struct report_options *options)
{
    struct json *j = line_start(out, r, "summary");

    (void)options;
    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_key(j, "capture");
    json_capture(j, &r->capture);
    json_key(j, "verdict");
    json_run_verdict(j, r);
    line_end(j);
}
