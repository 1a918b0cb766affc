#include "flow/track.h"

#include "base/seq.h"

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
