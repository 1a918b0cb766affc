#include "src/pipeline.h"

#include "diagnose/conversations.h"
#include "diagnose/judge.h"
#include "diagnose/ledger.h"
#include "diagnose/overall.h"
#include "src/capture_totals.h"
#include "src/early.h"
#include "src/held.h"
#include "src/join.h"
#include "src/join_names.h"
#include "src/kernel_views.h"

/* Healthy flows whose steps are told where a report shows a few: more than it shows, as many read alike. */
#define SOME_TOLD 1000

/* How often it is looked what has waited long enough for what led to it. */
#define SETTLE_PACKETS 1024
/* What flow->told holds of a live capture: nothing, or the code that was told, as far as it may be told. */
#define TOLD(code) ((uint8_t)((code) + 1))
_Static_assert(CODES < UINT8_MAX, "flow->told holds a code and nothing");

struct pipeline {
    struct dissector *dissector;
    struct tracker *tracker;
    struct conversations *conversations;
    struct overall *overall;
    struct report report;         /* the totals */
    struct report_writer *writer; /* owns what is handed to it */
    bool live;                    /* events are told */
    struct early *early;          /* live; NULL: not */
    uint64_t told;                /* flows of which a verdict was told */
    struct kernel_views *kernel;  /* borrowed; live; NULL: not asked */
    struct join *join;            /* borrowed; NULL: nothing is probed */
    struct held *held;            /* over, and waiting for what probes find */
    bool why;
    uint64_t drawn;            /* --flow; 0: none */
    pipeline_finding_fn *hear; /* NULL: nobody */
    void *hearer;
};

static struct judge_context context_of(const struct pipeline *p)
{
    return (struct judge_context){ .now_ns = tracker_now_ns(p->tracker), .dropped = p->report.capture.dropped };
}

/* This host is asked about a flow in trouble while that goes on. */
static void add_kernel_view(struct pipeline *p, const struct flow *f, struct finding *verdict)
{
    if (p->live)
        kernel_views_look(p->kernel, f);
    kernel_views_tell(p->kernel, f, verdict);
}

/* Returns the code of the verdict as the packets alone have it. */
static enum code judge(struct pipeline *p, const struct flow *f, struct judgement *j)
{
    struct judge_context context = context_of(p);

    judge_flow(f, &context, j);
    enum code code = judgement_verdict(j)->code;
    if (p->kernel && judgement_verdict(j)->status >= STATUS_DEGRADED)
        add_kernel_view(p, f, j->verdict);
    if (p->join && j->verdict)
        join_amend(p->join, f, j->verdict);
    return code;
}

/* --why: of flows that are not ok, and of the one that is drawn. */
static void add_ledger(const struct pipeline *p, struct judged_flow *f)
{
    struct judge_context context = context_of(p);

    if (p->why && (judgement_verdict(&f->judgement)->status != STATUS_OK || f->flow->id == p->drawn))
        f->judgement.ledger = ledger_new(f->flow, &context, &f->judgement);
}

/* --- what a live capture tells --- */

static void tell(struct pipeline *p, struct report_event *e)
{
    e->at_ns = tracker_now_ns(p->tracker);
    if (p->live && p->writer->format->event)
        p->writer->format->event(p->writer, e);
}

static void tell_broken(struct pipeline *p, const struct conversation *c)
{
    struct report_event event = { .kind = EVENT_BROKEN, .conversation = c };

    tell(p, &event);
}

/* Once for each flow, and again only where the verdict has become another one; what probes make of it is told when they
 * are done. */
static void tell_verdict(struct pipeline *p, const struct flow *f, const struct judgement *j, enum code as, bool over, uint8_t *told)
{
    uint8_t code = TOLD(as);
    struct report_event event = { .kind = EVENT_VERDICT, .flow = f, .judgement = j, .over = over };

    if (!p->live || *told == code)
        return;
    p->told += *told == 0;
    *told = code;
    tell(p, &event);
}

static void ask(struct pipeline *p, const struct flow *f, const struct judgement *j, bool over)
{
    if (p->join && j->verdict && j->verdict->status == STATUS_BROKEN)
        join_ask(p->join, f, j->verdict, over);
}

/* tracker_hooks.moment. While a flow goes on only its troubles are told: that all is well so far is no news. */
static void flow_moment(void *user, const struct flow *f, enum flow_moment moment, uint8_t *told)
{
    struct pipeline *p = user;
    struct report_event opened = { .kind = EVENT_OPENED, .flow = f };
    struct judgement j;

    if (moment == FLOW_OPENED) {
        tell(p, &opened);
        return;
    }
    enum code code = judge(p, f, &j);
    conversations_saw_flow(p->conversations, f);
    if (moment == FLOW_OVER || judgement_verdict(&j)->status >= STATUS_DEGRADED)
        tell_verdict(p, f, &j, code, moment == FLOW_OVER, told);
    ask(p, f, &j, moment == FLOW_OVER);
    judgement_clear(&j);
}

/* --- what the stages hand out --- */

static void let_hear(const struct pipeline *p, uint64_t flow, const struct finding *f)
{
    if (p->hear && f->status >= STATUS_DEGRADED)
        p->hear(p->hearer, flow, f);
}

static void let_hear_all(const struct pipeline *p, const struct judged_flow *f)
{
    const GPtrArray *others = f->judgement.others;

    let_hear(p, f->flow->id, judgement_verdict(&f->judgement));
    for (guint i = 0; others && i < others->len; i++)
        let_hear(p, f->flow->id, g_ptr_array_index(others, i));
}

/* For good. */
static void hand_over(struct pipeline *p, struct judged_flow *judged)
{
    const struct finding *verdict = judgement_verdict(&judged->judgement);

    let_hear_all(p, judged);
    add_ledger(p, judged);
    p->report.flows_by_status[verdict->status]++;
    p->report.flows_by_code[verdict->code]++;
    overall_flow(p->overall, judged->flow, verdict);
    conversations_flow(p->conversations, judged->flow, &judged->judgement, tracker_links(p->tracker));
    p->writer->format->flow(p->writer, judged);
}

/* tracker_hooks.flow. What probes may still amend is held until they are done. */
static void flow_done(void *user, struct flow *f)
{
    struct pipeline *p = user;
    struct judged_flow judged = { .flow = f };

    enum code code = judge(p, f, &judged.judgement);
    tell_verdict(p, f, &judged.judgement, code, true, &f->told);
    ask(p, f, &judged.judgement, true);
    if (judged.judgement.verdict && p->writer->format->draws && p->writer->format->draws(p->writer, &judged))
        tracker_complete_log(p->tracker, f);
    if (!p->join || !join_waits(p->join, f->id) || !held_flow(p->held, &judged))
        hand_over(p, &judged);
}

/* What probes found, into the verdicts that waited for it. */
static void release_held(struct pipeline *p)
{
    struct judged_flow judged;

    while (held_next_flow(p->held, &judged)) {
        join_amend(p->join, judged.flow, judged.judgement.verdict);
        hand_over(p, &judged);
    }
}

/* Conversations wait for the flows that are held: one may lead to another. */
static void settle(struct pipeline *p, int64_t now_ns)
{
    if (!held_any_flow(p->held))
        conversations_settle(p->conversations, now_ns);
}

static void lookup_done(void *user, struct lookup *l)
{
    struct pipeline *p = user;

    overall_lookup(p->overall, l);
    conversations_lookup(p->conversations, l);
    p->writer->format->lookup(p->writer, l);
}

static void tell_conversation(struct pipeline *p, struct conversation *c)
{
    const struct finding *verdict = conversation_verdict(c);

    if (c->flows->len == 0 || verdict->code == CODE_REDIRECT_LOOP || verdict->code == CODE_REDIRECT_BROKEN)
        let_hear(p, 0, verdict); /* what is a flow's was heard with the flow */
    report_weigh(&p->report, c);
    if (p->live && c->flows->len == 0 && verdict->status == STATUS_BROKEN && !early_told(p->early, c->packet))
        tell_broken(p, c);
    p->writer->format->conversation(p->writer, c);
}

/* A name whose look-up failed waits, where servers may be asked for it. */
static void conversation_done(void *user, struct conversation *c)
{
    struct pipeline *p = user;

    if (!p->join || !join_names_ask(join_names(p->join), c, true))
        tell_conversation(p, c);
}

static void name_answered(void *user, struct conversation *c, bool over)
{
    if (over) {
        tell_conversation(user, c);
        return;
    }
    tell_broken(user, c);
    conversation_free(c);
}

/* Of early.h. A name that failed waits, where servers may be asked for it. */
static void tell_early(void *user, struct conversation *c)
{
    struct pipeline *p = user;

    tell_broken(p, c);
    if (!p->join || !join_names_ask(join_names(p->join), c, false))
        conversation_free(c);
}

static void conversation_untold(void *user, uint64_t packet)
{
    struct pipeline *p = user;

    p->report.conversations_by_status[STATUS_OK]++;
    p->writer->format->untold(p->writer, packet);
}

/* tracker_hooks.jumped */
static void time_jumped(void *user)
{
    struct pipeline *p = user;

    p->report.capture.time_jumps++;
    if (p->early)
        early_break(p->early);
    conversations_break(p->conversations);
}

/* --- probes --- */

static void probe_found(void *user, struct probe_result *r)
{
    struct pipeline *p = user;

    p->writer->format->probe(p->writer, r);
}

/* It was told before: now with what the probes say. */
static void verdict_amended(void *user, const struct flow *ends, const struct finding *f, bool over)
{
    struct judgement j = { .verdict = finding_copy(f) };
    struct report_event event = { .kind = EVENT_VERDICT, .flow = ends, .judgement = &j, .over = over };

    tell(user, &event);
    judgement_clear(&j);
}

static void probes_settled(void *user)
{
    release_held(user);
}

void pipeline_set_join(struct pipeline *p, struct join *j, void (*say)(void *user, const char *line), void *user)
{
    p->join = j;
    join_set_hooks(j, &(struct join_hooks){ .say = say,
                                            .say_user = user,
                                            .probe = probe_found,
                                            .amended = verdict_amended,
                                            .name_answered = name_answered,
                                            .settled = probes_settled,
                                            .user = p });
}

void pipeline_set_kernel(struct pipeline *p, struct kernel_views *v)
{
    p->kernel = v;
}

/* --- life --- */

struct pipeline *pipeline_new(const struct report_format *format, const struct report_options *options, FILE *out)
{
    struct pipeline *p = g_new0(struct pipeline, 1);
    struct tracker_hooks hooks = { .flow = flow_done,
                                   .lookup = lookup_done,
                                   .moment = options->live ? flow_moment : NULL,
                                   .jumped = time_jumped,
                                   .user = p };

    p->live = options->live;
    p->why = options->why;
    p->drawn = options->flow;
    p->dissector = dissector_new();
    p->tracker = tracker_new(&hooks, options->flow);
    p->conversations = conversations_new(conversation_done, p);
    p->overall = overall_new();
    if (format->tells_some && !options->all)
        conversations_tell_healthy(p->conversations, SOME_TOLD, conversation_untold);
    capture_totals_init(&p->report.capture);
    p->held = held_new();
    p->writer = format->open(out, &p->report, options);
    p->early = p->live ? early_new(p->tracker, p->conversations, tell_early, p) : NULL;
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    dissector_free(p->dissector);
    tracker_free(p->tracker);
    held_free(p->held);
    conversations_free(p->conversations);
    overall_free(p->overall);
    early_free(p->early);
    p->writer->format->free(p->writer);
    capture_totals_clear(&p->report.capture);
    finding_free(p->report.verdict);
    g_free(p);
}

void pipeline_hear(struct pipeline *p, pipeline_finding_fn *fn, void *user)
{
    p->hear = fn;
    p->hearer = user;
}

void pipeline_set_precision(struct pipeline *p, bool nanoseconds)
{
    p->report.capture.nanoseconds = nanoseconds;
}

/* --- frames --- */

/* The probes' own packets are no conversations of this host's. */
static void track_others(struct pipeline *p, const struct packet *packets, size_t n)
{
    size_t from = 0;

    for (size_t i = 0; i < n; i++) {
        if (!join_owns(p->join, &packets[i]))
            continue;
        tracker_packets(p->tracker, packets + from, i - from);
        from = i + 1;
    }
    tracker_packets(p->tracker, packets + from, n - from);
}

void pipeline_frames(struct pipeline *p, const struct frame *frames, size_t n)
{
    struct packet packets[TRACKER_BATCH];
    uint64_t before = p->report.capture.packets;

    for (size_t i = 0; i < n; i++)
        capture_totals_frame(&p->report.capture, &frames[i]);
    for (size_t done = 0, some; done < n; done += some) {
        some = dissector_frames(p->dissector, frames + done, MIN(n - done, TRACKER_BATCH), packets);
        if (p->join && join_has_sent(p->join))
            track_others(p, packets, some);
        else
            tracker_packets(p->tracker, packets, some);
    }
    if (before / SETTLE_PACKETS != p->report.capture.packets / SETTLE_PACKETS)
        settle(p, tracker_now_ns(p->tracker));
}

/* --- live --- */

/* Conversations that are settled a little late miss no packet that is still on its way here. */
#define LATE_NS NS_PER_S

void pipeline_clock(struct pipeline *p, int64_t now_ns)
{
    if (p->kernel)
        kernel_views_clock(p->kernel);
    tracker_clock(p->tracker, now_ns);
    settle(p, now_ns - LATE_NS);
    if (p->live)
        early_look(p->early, now_ns, p->report.capture.dropped);
}

void pipeline_drops(struct pipeline *p, const struct capture_info *info)
{
    capture_totals_drops(&p->report.capture, info);
    conversations_doubt(p->conversations, info->dropped);
}

struct live_stats pipeline_stats(const struct pipeline *p)
{
    return (struct live_stats){ .packets = p->report.capture.packets,
                                .tcp_packets = tracker_tcp_packets(p->tracker),
                                .flows_open = tracker_open_flows(p->tracker),
                                .flows_judged = p->told,
                                .dropped = p->report.capture.dropped };
}

void pipeline_tell_stats(struct pipeline *p)
{
    struct live_stats stats = pipeline_stats(p);
    struct report_event event = { .kind = EVENT_STATS, .stats = &stats };

    tell(p, &event);
}

void pipeline_break(struct pipeline *p, int64_t now_ns)
{
    tracker_break(p->tracker, now_ns);
}

/* --- the end --- */

/* One cause of many failures gets one sentence. */
static void widen_verdict(struct pipeline *p)
{
    struct finding *wide = overall_verdict(p->overall, p->report.verdict, tracker_neighbors(p->tracker));

    if (!wide)
        return;
    finding_free(p->report.verdict);
    p->report.verdict = wide;
}

void pipeline_set_full(struct pipeline *p)
{
    p->report.capture.out_of_memory = true;
}

int pipeline_finish(struct pipeline *p, const struct capture_info *info, const char *source)
{
    if (p->join && p->live)
        join_stop(p->join);
    p->live = false; /* what is left is told by the report */
    pipeline_set_precision(p, info->nanoseconds);
    pipeline_drops(p, info);
    if (info->end_ns != TIME_NONE)
        tracker_until(p->tracker, info->end_ns);
    dissector_flush(p->dissector);
    tracker_finish(p->tracker);
    if (p->join)
        join_wait(p->join);
    release_held(p);
    conversations_finish(p->conversations, tracker_neighbors(p->tracker), tracker_now_ns(p->tracker));
    if (p->join) {
        join_wait(p->join); /* for names */
        join_stop(p->join);
        p->report.probe_packets = join_sent(p->join);
    }
    capture_totals_end(&p->report.capture, info, source, p->dissector, p->tracker);
    widen_verdict(p);
    report_settle(&p->report);
    return p->writer->format->end(p->writer);
}

struct report_writer *pipeline_writer(const struct pipeline *p)
{
    return p->writer;
}

const struct report *pipeline_report(const struct pipeline *p)
{
    return &p->report;
}
