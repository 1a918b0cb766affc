#include "report/decisive.h"

#include <string.h>

/* Why a packet is shown; the first ones get their place first. */
enum reason { REASON_ENDS, REASON_HANDSHAKE, REASON_EVIDENCE, REASON_AROUND, REASONS, NO_REASON = REASONS };

struct choice {
    const struct flow *flow;
    const struct finding *verdict;
    bool *taken; /* of each entry of the log */
};

static const struct log_entry *at(const struct choice *c, guint i)
{
    return &g_array_index(c->flow->log, struct log_entry, i);
}

bool decisive_proves(const struct finding *f, uint64_t packet)
{
    for (unsigned i = 0; i < f->n_evidence; i++)
        if (f->evidence[i] == packet)
            return true;
    return false;
}

static uint64_t packets_of(const struct flow *f)
{
    return f->half[CLIENT].packets + f->half[SERVER].packets;
}

/* Of what is taken: a line for each packet, and one wherever something is left out or nothing came for long. */
static unsigned lines(const struct choice *c)
{
    const struct log_entry *before = NULL;
    unsigned n = flow_icmp_kept(c->flow);

    for (guint i = 0; i < c->flow->log->len; i++) {
        const struct log_entry *e = at(c, i);
        if (!c->taken[i])
            continue;
        bool apart = e->nth != (before ? before->nth + 1 : 0);
        n += 1 + (apart || (before && e->ts_ns - before->ts_ns >= DECISIVE_PAUSE_NS));
        before = e;
    }
    return n + (before && before->nth + 1 < packets_of(c->flow));
}

static bool proves(const struct choice *c, guint i)
{
    return i < c->flow->log->len && decisive_proves(c->verdict, at(c, i)->packet);
}

static bool shakes_hands(const struct flow *f, uint64_t packet)
{
    return packet == f->first_syn_packet || packet == f->syn_packet || packet == f->synack_packet ||
           packet == f->ack_packet;
}

static enum reason reason_of(const struct choice *c, guint i)
{
    const struct finding *v = c->verdict;
    uint64_t packet = at(c, i)->packet;

    if (v->n_evidence && (packet == v->evidence[0] || packet == v->evidence[v->n_evidence - 1]))
        return REASON_ENDS;
    if (shakes_hands(c->flow, packet))
        return REASON_HANDSHAKE;
    if (proves(c, i))
        return REASON_EVIDENCE;
    bool behind = i > 0 && proves(c, i - 1) && at(c, i - 1)->nth + 1 == at(c, i)->nth;
    bool ahead = proves(c, i + 1) && at(c, i)->nth + 1 == at(c, i + 1)->nth;
    return behind || ahead ? REASON_AROUND : NO_REASON;
}

/* Takes it where it costs no more lines than there are; `most`: how many there may be. */
static void take(const struct choice *c, guint i, unsigned most)
{
    if (c->taken[i])
        return;
    c->taken[i] = true;
    c->taken[i] = lines(c) <= most;
}

/* Whether it is all that is left out between two packets that are shown. */
static bool stands_alone(const struct choice *c, guint i)
{
    bool after = i > 0 && c->taken[i - 1] && at(c, i - 1)->nth + 1 == at(c, i)->nth;
    bool before = i + 1 < c->flow->log->len && c->taken[i + 1] && at(c, i)->nth + 1 == at(c, i + 1)->nth;

    return after && before;
}

static void choose(const struct choice *c)
{
    guint n = c->flow->log->len;

    for (int reason = 0; reason < REASONS; reason++)
        for (guint i = 0; i < n; i++)
            if ((int)reason_of(c, i) == reason)
                take(c, i, DECISIVE_LINES);
    for (guint i = 0; i < n; i++) /* in the place of a line that would say that it is left out; the pauses around it may cost two more */
        take(c, i, lines(c) + (proves(c, i) && stands_alone(c, i) ? 2 : 0));
}

static bool all_fit(const struct choice *c)
{
    guint n = c->flow->log->len;

    memset(c->taken, true, n);
    if (n >= packets_of(c->flow) && lines(c) <= DECISIVE_LINES)
        return true;
    memset(c->taken, false, n);
    return false;
}

void decisive_trim(struct flow *f, const struct finding *verdict)
{
    if (!f->log)
        return;
    g_autofree bool *taken = g_new(bool, f->log->len + 1);
    struct choice c = { f, verdict, taken };
    if (!all_fit(&c))
        choose(&c);
    GArray *log = g_array_new(FALSE, FALSE, sizeof(struct log_entry));
    for (guint i = 0; i < f->log->len; i++)
        if (taken[i])
            g_array_append_vals(log, at(&c, i), 1);
    g_array_free(f->log, TRUE);
    f->log = log;
}
