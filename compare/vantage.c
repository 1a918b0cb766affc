#include "compare/vantage.h"

#include "base/limits.h"
#include "dissect/dissector.h"
#include "flow/tracker.h"

struct vantage_work {
    struct dissector *dissector;
    struct tracker *tracker;
};

const char *fate_name(enum fate f)
{
    static const char *const names[] = { "unknown",      "arrived",  "partly_lost", "lost",
                                         "not_captured", "repeated", "forged" };
    return names[f];
}

/* --- flows --- */

static void seen_flow_free(gpointer p)
{
    struct seen_flow *f = p;

    judgement_clear(&f->judgement);
    flow_free(f->flow);
    g_array_free(f->packets, TRUE);
    g_free(f);
}

/* The record of a flow; NULL: beyond the limit. */
static struct seen_flow *flow_of_id(struct vantage *v, uint64_t id)
{
    if (id > LIMIT_COMPARED_FLOWS)
        return NULL;
    while (v->flows->len < id) {
        struct seen_flow *f = g_new0(struct seen_flow, 1);
        f->packets = g_array_new(FALSE, FALSE, sizeof(struct sighting));
        g_ptr_array_add(v->flows, f);
    }
    return vantage_flow(v, (uint32_t)id - 1);
}

static void keep_flow(void *user, struct flow *f)
{
    struct vantage *v = user;
    struct seen_flow *seen = flow_of_id(v, f->id);

    if (seen)
        seen->flow = f;
    else
        flow_free(f);
}

static void drop_lookup(void *user, struct lookup *l)
{
    (void)user;
    lookup_free(l);
}

/* --- packets --- */

static uint32_t digest_of(const struct tcp_facts *tcp)
{
    size_t wanted = MIN(tcp->len, DIGEST_BYTES);
    uint32_t digest = 2166136261u; /* FNV-1a */

    if (wanted == 0 || tcp->payload.n < wanted)
        return 0;
    for (size_t i = 0; i < wanted; i++)
        digest = (digest ^ tcp->payload.p[i]) * 16777619u;
    return digest ? digest : 1;
}

static void keep_packet(void *user, const struct flow *f, enum side side, const struct packet *p)
{
    struct vantage *v = user;
    struct seen_flow *seen = flow_of_id(v, f->id);
    const struct tcp_facts *tcp = &p->tcp;

    if (!seen || v->tcp_packets - v->forgotten >= LIMIT_COMPARED_PACKETS) {
        v->forgotten++;
        return;
    }
    struct sighting s = {
        .ts_ns = p->ts_ns,
        .number = p->number,
        .seq = tcp->seq,
        .ack = tcp->flags & TCP_ACK ? tcp->ack : 0,
        .len = tcp->len,
        .tsval = tcp->opt.tsval,
        .digest = digest_of(tcp),
        .ip_id = p->ip.id,
        .flags = tcp->flags,
        .window = tcp->window,
        .present = tcp->opt.present,
        .mss = tcp->opt.mss,
        .wscale = tcp->opt.wscale,
        .ttl = p->ip.ttl,
        .dscp = p->ip.dscp,
        .ecn = p->ip.ecn,
        .version = p->ip.version & 15,
        .side = side & 1,
        .df = p->ip.df,
    };
    g_array_append_val(seen->packets, s);
}

static void note_frame(struct vantage *v, const struct frame *frame)
{
    v->frames++;
    v->first_ns = v->first_ns == TIME_NONE ? frame->ts_ns : MIN(v->first_ns, frame->ts_ns);
    v->last_ns = MAX(v->last_ns, frame->ts_ns);
    v->from_ns = v->from_ns == TIME_NONE ? frame->ts_ns : v->from_ns;
    v->to_ns = frame->ts_ns;
}

void vantage_frames(struct vantage *v, const struct frame *frames, size_t n)
{
    struct packet packets[TRACKER_BATCH];

    for (size_t i = 0; i < n; i++)
        note_frame(v, &frames[i]);
    for (size_t done = 0, some; done < n; done += some) {
        some = dissector_frames(v->work->dissector, frames + done, MIN(n - done, TRACKER_BATCH), packets);
        for (size_t i = 0; i < some; i++)
            v->tcp_packets += packets[i].kind == PACKET_TCP;
        tracker_packets(v->work->tracker, packets, some);
    }
}

/* --- life --- */

struct vantage *vantage_new(const char *source)
{
    struct vantage *v = g_new0(struct vantage, 1);
    struct tracker_hooks hooks = { .flow = keep_flow, .lookup = drop_lookup, .segment = keep_packet, .user = v };

    v->source = g_strdup(source);
    v->flows = g_ptr_array_new_with_free_func(seen_flow_free);
    v->first_ns = v->last_ns = v->from_ns = v->to_ns = TIME_NONE;
    v->work = g_new0(struct vantage_work, 1);
    v->work->dissector = dissector_new();
    v->work->tracker = tracker_new(&hooks, 0);
    return v;
}

static void end_work(struct vantage *v)
{
    if (!v->work)
        return;
    dissector_free(v->work->dissector);
    tracker_free(v->work->tracker);
    g_clear_pointer(&v->work, g_free);
}

void vantage_finish(struct vantage *v, const struct capture_info *info)
{
    if (info->end_ns != TIME_NONE) {
        v->last_ns = MAX(v->last_ns, info->end_ns);
        v->to_ns = MAX(v->to_ns, info->end_ns);
        tracker_until(v->work->tracker, info->end_ns);
    }
    v->dropped = info->dropped;
    v->nanoseconds = info->nanoseconds;
    v->truncated = info->truncated;
    tracker_finish(v->work->tracker);
    struct judge_context context = { .now_ns = tracker_now_ns(v->work->tracker), .dropped = v->dropped };
    for (guint i = 0; i < v->flows->len; i++) {
        struct seen_flow *f = vantage_flow(v, i);
        judge_flow(f->flow, &context, &f->judgement);
    }
    end_work(v);
}

void vantage_free(struct vantage *v)
{
    if (!v)
        return;
    g_ptr_array_free(v->flows, TRUE);
    end_work(v);
    g_free(v->source);
    g_free(v);
}
