#include "flow/view.h"

#include "flow/trouble.h"

/* From when on a live flow is looked at. The rules judge; these only spare them the flows that have nothing to tell,
 * and leave time to those that may still recover: Linux repeats data 4 times in 3 s, a SYN 3 times in 7 s. */
#define TAIL_NS (5 * NS_PER_S)
#define SHUT_NS (3 * NS_PER_S)
#define ANSWER_NS (10 * NS_PER_S)
#define QUIET_NS (10 * NS_PER_S)
#define HALF_CLOSED_NS (60 * NS_PER_S)
#define TRIES 3

static bool data_in_vain(const struct flow *f, enum side s, int64_t now_ns)
{
    const struct track_half *h = &f->track->half[s];
    bool tried = h->tail_retries >= TRIES || h->tail_probes >= TRIES;

    return h->tail_first && tried && now_ns - h->tail_first_ns >= TAIL_NS;
}

static bool shut(const struct flow *f, enum side s, int64_t now_ns)
{
    const struct stall *stall = &flow_losses(f, s)->current;

    return stall->from_packet && now_ns - stall->from_ns >= SHUT_NS;
}

bool view_worthwhile(const struct flow *f, int64_t now_ns)
{
    bool began = f->half[CLIENT].state >= STATE_ESTABLISHED || f->half[SERVER].state >= STATE_ESTABLISHED;

    if (!began)
        return f->syns >= TRIES || f->synacks >= TRIES || (f->trouble && f->trouble->n_icmp) ||
               now_ns - f->last_ns >= QUIET_NS;
    if (f->asked_ns != TIME_NONE && now_ns - f->asked_ns >= ANSWER_NS)
        return true;
    if (f->half[CLIENT].fin != f->half[SERVER].fin && now_ns - f->last_ns >= HALF_CLOSED_NS)
        return true;
    for (int s = CLIENT; s <= SERVER; s++)
        if (data_in_vain(f, (enum side)s, now_ns) || shut(f, (enum side)s, now_ns))
            return true;
    return false;
}

/* A window that is shut now may open again: so far it was shut until now. */
static void still_shut(struct view *v, int64_t now_ns)
{
    for (int s = CLIENT; s <= SERVER; s++) {
        struct stall *stall = &v->trouble.losses[s].longest;
        if (stall->from_packet && stall->to_ns == TIME_NONE && now_ns >= stall->from_ns && !v->flow.reset.packet)
            stall->to_ns = now_ns;
    }
}

static enum app_ending ending(const struct flow *f, enum side s)
{
    return f->half[s].fin ? APP_END_FIN : f->reset.packet ? APP_END_RST : APP_END_CAPTURE;
}

void view_open(struct view *v, const struct flow *f, int64_t now_ns)
{
    const enum app_ending how[2] = { ending(f, CLIENT), ending(f, SERVER) };

    v->flow = *f;
    v->track = *f->track;
    v->trouble = f->trouble ? *f->trouble : (struct trouble){ .notes = NULL };
    v->flow.track = &v->track;
    v->flow.trouble = &v->trouble;
    trouble_finish(&v->flow);
    still_shut(v, now_ns);
    for (int s = CLIENT; s <= SERVER; s++)
        v->flow.half[s].unacked = track_unacked(f, (enum side)s);
    const struct app_facts *facts = app_preview(f->track->app, how, &v->app);
    if (!f->track->app_done)
        v->flow.app = (struct app_facts *)facts; /* the judge reads it only */
}

void view_close(struct view *v)
{
    app_preview_end(&v->app);
}
