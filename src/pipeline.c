#include "src/pipeline.h"

#include "diagnose/conversations.h"
#include "diagnose/judge.h"
#include "dissect/dissector.h"
#include "flow/tracker.h"

/* Healthy flows whose steps are told where a report shows a few: more than it shows, as many read alike. */
#define SOME_TOLD 1000

struct pipeline {
    struct dissector *dissector;
    struct tracker *tracker;
    struct conversations *conversations;
    struct report report;         /* the totals */
    struct report_writer *writer; /* owns what is handed to it */
};

/* --- what the stages hand out --- */

static void flow_done(void *user, struct flow *f)
{
    struct pipeline *p = user;
    struct judge_context context = { .now_ns = tracker_now_ns(p->tracker) };
    struct judged_flow judged = { .flow = f };

    judge_flow(f, &context, &judged.judgement);
    const struct finding *verdict = judgement_verdict(&judged.judgement);
    p->report.flows_by_status[verdict->status]++;
    p->report.flows_by_code[verdict->code]++;
    conversations_flow(p->conversations, f, &judged.judgement, tracker_links(p->tracker));
    p->writer->format->flow(p->writer, &judged);
}

static void lookup_done(void *user, struct lookup *l)
{
    struct pipeline *p = user;

    conversations_lookup(p->conversations, l);
    p->writer->format->lookup(p->writer, l);
}

/* The verdict of the run is the worst of its conversations'; the first of equals. */
static void weigh(struct report *r, const struct conversation *c)
{
    const struct finding *mine = conversation_verdict(c);

    r->conversations_by_status[mine->status]++;
    if (mine->status < STATUS_DEGRADED || (r->verdict && finding_compare(r->verdict, mine) <= 0))
        return;
    finding_free(r->verdict);
    r->verdict = finding_copy(mine);
}

static void conversation_done(void *user, struct conversation *c)
{
    struct pipeline *p = user;

    weigh(&p->report, c);
    p->writer->format->conversation(p->writer, c);
}

/* --- life --- */

struct pipeline *pipeline_new(const struct report_format *format, const struct report_options *options, FILE *out)
{
    struct pipeline *p = g_new0(struct pipeline, 1);
    struct tracker_hooks hooks = { .flow = flow_done, .lookup = lookup_done, .user = p };

    p->dissector = dissector_new();
    p->tracker = tracker_new(&hooks, options->flow);
    p->conversations = conversations_new(conversation_done, p);
    if (format->tells_some && !options->all)
        conversations_tell_healthy(p->conversations, SOME_TOLD);
    p->report.capture.linktypes = g_ptr_array_new_with_free_func(g_free);
    p->report.capture.first_ns = p->report.capture.last_ns = TIME_NONE;
    p->writer = format->open(out, &p->report, options);
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    dissector_free(p->dissector);
    tracker_free(p->tracker);
    conversations_free(p->conversations);
    p->writer->format->free(p->writer);
    g_ptr_array_free(p->report.capture.linktypes, TRUE);
    g_free(p->report.capture.source);
    finding_free(p->report.verdict);
    g_free(p);
}

void pipeline_set_precision(struct pipeline *p, bool nanoseconds)
{
    p->report.capture.nanoseconds = nanoseconds;
}

/* --- frames --- */

void pipeline_frame(struct pipeline *p, const struct frame *frame)
{
    struct capture_summary *c = &p->report.capture;
    struct packet packet;

    c->packets++;
    if (c->first_ns == TIME_NONE || frame->ts_ns < c->first_ns)
        c->first_ns = frame->ts_ns;
    if (c->last_ns == TIME_NONE || frame->ts_ns > c->last_ns)
        c->last_ns = frame->ts_ns;
    dissector_frame(p->dissector, frame, &packet);
    tracker_packet(p->tracker, &packet);
    if ((c->packets & 1023) == 0)
        conversations_settle(p->conversations, tracker_now_ns(p->tracker));
}

/* --- the end --- */

static void summarise(struct pipeline *p, const struct capture_info *info, const char *source)
{
    struct capture_summary *c = &p->report.capture;
    const uint64_t *undecoded = dissector_undecoded(p->dissector);

    c->source = g_strdup(source);
    for (guint i = 0; i < info->dlts->len; i++) {
        char name[32];
        g_ptr_array_add(c->linktypes, g_strdup(capture_dlt_name(g_array_index(info->dlts, int, i), name)));
    }
    for (int i = 0; i < UNDECODED_REASONS; i++) {
        c->undecoded_by[i] = undecoded[i];
        c->undecoded += undecoded[i];
    }
    c->tcp_packets = tracker_tcp_packets(p->tracker);
    c->truncated = info->truncated;
    c->quic_packets = tracker_quic_packets(p->tracker);
    c->evicted_flows = tracker_evicted_flows(p->tracker);
    c->reassembly_dropped = tracker_reassembly_dropped(p->tracker);
}

/* Nothing degraded or broken: ok where any conversation is, else unknown. */
static void settle_verdict(struct report *r)
{
    if (r->verdict || r->conversations_by_status[STATUS_OK])
        return;
    r->verdict = finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "%s",
                             r->conversations_by_status[STATUS_UNKNOWN]
                                 ? "This capture cannot tell how its connections fared."
                                 : "There is nothing to judge in this capture: no TCP connection, no look-up that "
                                   "failed in the end.");
}

int pipeline_finish(struct pipeline *p, const struct capture_info *info, const char *source)
{
    pipeline_set_precision(p, info->nanoseconds);
    dissector_flush(p->dissector);
    tracker_finish(p->tracker);
    conversations_finish(p->conversations, tracker_neighbors(p->tracker), tracker_now_ns(p->tracker));
    summarise(p, info, source);
    settle_verdict(&p->report);
    return p->writer->format->end(p->writer);
}

const struct report *pipeline_report(const struct pipeline *p)
{
    return &p->report;
}
