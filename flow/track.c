#include "flow/track.h"

#include "base/seq.h"

static void begin_half(struct flow *f, enum side s)
{
    rtt_init(&f->track->half[s].rtt);
    f->half[s].offer.wscale = -1;
    f->half[s].first_data_ns = f->half[s].last_data_ns = f->half[s].last_ns = f->half[s].fin_ns = TIME_NONE;
}

void track_begin(struct flow *f, int64_t ts_ns)
{
    f->first_ns = f->last_ns = ts_ns;
    f->syn_ns = f->synack_ns = f->synack_last_ns = f->ack_ns = f->asked_ns = TIME_NONE;
    f->reset.ts_ns = f->reset.answers_ns = f->reset.host_rtt_ns = TIME_NONE;
    f->reset.last_data = 2;
    begin_half(f, CLIENT);
    begin_half(f, SERVER);
}

void track_clear(struct track *t)
{
    for (int s = CLIENT; s <= SERVER; s++) {
        ranges_clear(&t->half[s].seen);
        rtt_clear(&t->half[s].rtt);
        if (t->half[s].stream.pending)
            g_tree_unref(t->half[s].stream.pending);
        t->half[s].stream.pending = NULL;
    }
    app_free(t->app);
    t->app = NULL;
}

void track_free(struct track *t)
{
    if (t)
        track_clear(t);
    g_free(t);
}

uint32_t track_unacked(const struct flow *f, enum side s)
{
    const struct track_half *mine = &f->track->half[s], *peer = &f->track->half[other_side(s)];

    if (!mine->seq_known)
        return 0;
    if (!peer->ack_known)
        return mine->next - mine->seen.edge; /* the other direction is not in the capture: nothing is known */
    return seq_gt(mine->next, peer->highest_ack) ? mine->next - peer->highest_ack : 0;
}
