#include "src/capture_totals.h"

void capture_totals_init(struct capture_summary *c)
{
    c->linktypes = g_ptr_array_new_with_free_func(g_free);
    c->first_ns = c->last_ns = TIME_NONE;
}

void capture_totals_clear(struct capture_summary *c)
{
    g_ptr_array_free(c->linktypes, TRUE);
    g_free(c->source);
}

void capture_totals_frame(struct capture_summary *c, const struct frame *frame)
{
    c->packets++;
    if (c->first_ns == TIME_NONE || frame->ts_ns < c->first_ns)
        c->first_ns = frame->ts_ns;
    if (c->last_ns == TIME_NONE || frame->ts_ns > c->last_ns)
        c->last_ns = frame->ts_ns;
}

void capture_totals_drops(struct capture_summary *c, const struct capture_info *info)
{
    c->drops_known = info->drops_known;
    c->dropped = info->dropped;
    c->interface_dropped = info->interface_dropped;
}

void capture_totals_end(struct capture_summary *c, const struct capture_info *info, const char *source, const struct dissector *d,
                        const struct tracker *t)
{
    const uint64_t *undecoded = dissector_undecoded(d);

    c->source = g_strdup(source);
    for (guint i = 0; i < info->dlts->len; i++) {
        char name[32];
        g_ptr_array_add(c->linktypes, g_strdup(capture_dlt_name(g_array_index(info->dlts, int, i), name)));
    }
    for (int i = 0; i < UNDECODED_REASONS; i++) {
        c->undecoded_by[i] = undecoded[i];
        c->undecoded += undecoded[i];
    }
    c->tcp_packets = tracker_tcp_packets(t);
    c->truncated = info->truncated || c->out_of_memory;
    c->quic_packets = tracker_quic_packets(t);
    c->evicted_flows = tracker_evicted_flows(t);
    c->reassembly_dropped = tracker_reassembly_dropped(t);
}
