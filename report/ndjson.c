/* ndjson: one object a line, as soon as each is final: flows, conversations and look-ups, and the run at the end; of a live capture also
 * what happens in between. */
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

static void lines_step(struct report_writer *w, struct rung_step *s)
{
    struct json *j = line_start((struct lines *)w, "step");

    json_step_members(j, s);
    line_end(j);
    step_free(s);
}

/* --- live --- */

static void put_end(struct json *j, const struct flow *f, enum side s)
{
    json_open_object(j);
    json_key(j, "addr");
    json_write_addr(j, flow_addr(f, s), f->key.version);
    json_member(j, "port", uint, flow_port(f, s));
    json_close(j);
}

static struct json *event_start(struct lines *l, const char *type, const struct report_event *e)
{
    struct json *j = line_start(l, type);

    json_member(j, "at", time, e->at_ns);
    if (!e->flow)
        return j;
    json_member(j, "flow", uint, e->flow->id);
    json_key(j, "client");
    put_end(j, e->flow, CLIENT);
    json_key(j, "server");
    put_end(j, e->flow, SERVER);
    return j;
}

static void put_verdict(struct lines *l, const struct report_event *e)
{
    const GPtrArray *others = e->judgement->others;
    struct json *j = event_start(l, "flow_verdict", e);

    json_member(j, "over", bool, e->over);
    json_key(j, "verdict");
    json_finding(j, judgement_verdict(e->judgement));
    line_end(j);
    for (guint i = 0; others && i < others->len; i++) {
        event_start(l, "finding", e);
        json_key(j, "finding");
        json_finding(j, g_ptr_array_index(others, i));
        line_end(j);
    }
}

static void put_stats(struct lines *l, const struct report_event *e)
{
    struct json *j = event_start(l, "stats", e);

    json_member(j, "packets", uint, e->stats->packets);
    json_member(j, "tcp_packets", uint, e->stats->tcp_packets);
    json_member(j, "flows_open", uint, e->stats->flows_open);
    json_member(j, "flows_judged", uint, e->stats->flows_judged);
    json_member(j, "dropped", uint, e->stats->dropped);
    line_end(j);
}

/* A name that failed, or a neighbour that does not answer; its conversation has a line of its own when it is final. */
static void put_broken(struct lines *l, const struct report_event *e)
{
    bool name = g_array_index(e->conversation->steps, struct step, 0).kind == STEP_DNS;
    struct json *j = event_start(l, name ? "name_verdict" : "neighbor_verdict", e);

    json_key(j, "client");
    json_write_addr(j, &e->conversation->client, e->conversation->version);
    json_key(j, "verdict");
    json_finding(j, conversation_verdict(e->conversation));
    line_end(j);
}

static void lines_event(struct report_writer *w, const struct report_event *e)
{
    struct lines *l = (struct lines *)w;

    if (e->kind == EVENT_OPENED)
        line_end(event_start(l, "flow_opened", e));
    else if (e->kind == EVENT_VERDICT)
        put_verdict(l, e);
    else if (e->kind == EVENT_BROKEN)
        put_broken(l, e);
    else if (e->kind == EVENT_STATS)
        put_stats(l, e);
}

/* --- the end --- */

static int lines_end(struct report_writer *w)
{
    const struct report *r = ((struct lines *)w)->report;
    struct json *j = line_start((struct lines *)w, "summary");

    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_key(j, "capture");
    if (r->probed || (r->climbed && !r->capture.source))
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
    .step = lines_step,
    .event = lines_event,
    .end = lines_end,
    .free = lines_free,
};
