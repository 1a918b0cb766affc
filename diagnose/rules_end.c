#include "diagnose/rules.h"

/* --- nothing comes back any more --- */

static bool unanswered(const struct flow *f, enum side s, const struct judge_context *c)
{
    const struct losses *l = flow_losses(f, s);

    if (!both_captured(f) || f->half[other_side(s)].rst)
        return false;
    if (f->reset.packet && f->reset.by == s && f->reset.packet <= l->tail_first)
        return false; /* whom a RST reached says no more */
    if (f->half[s].unacked <= 1 && f->half[CLIENT].fin && f->half[SERVER].fin)
        return false; /* all was exchanged and both had closed: only the last ACK is missing */
    if (l->tail_retries < 2 && l->tail_probes < 3)
        return false;
    return f->last_ns - l->tail_first_ns >= NS_PER_S || c->now_ns - f->last_ns >= SILENCE_NS;
}

/* Repetitions of the same bytes without a new ACK while the other end is heard. RFC 6298 doubles the wait each time:
 * the third is 7 time-outs behind the first transmission, at least 1.4 s with Linux' least time-out of 200 ms. */
#define VAIN_RETRIES 3

bool sent_in_vain(const struct flow *f, enum side s)
{
    const struct in_vain *v = &flow_losses(f, s)->in_vain;
    bool taken = f->reset.packet && f->reset.by == other_side(s) && !f->reset.owed[s]; /* its RST acknowledges them */

    if (s == CLIENT && f->trouble && f->trouble->late_synacks)
        return false; /* the server repeats its SYN-ACK: it does not accept */
    return both_captured(f) && v->retries >= VAIN_RETRIES && v->to_ns - v->from_ns >= NS_PER_S && !taken &&
           f->half[s].unacked > (f->half[s].fin ? 1 : 0) && f->half[s].state >= STATE_ESTABLISHED;
}

/* One direction is dead: the other end is heard, and it has not got what was sent to it. */
static struct finding *one_way_finding(const struct flow *f, enum side s)
{
    const struct in_vain *v = &flow_losses(f, s)->in_vain;
    const struct icmp_note *icmp = icmp_since(f, s, v->from_ns - NS_PER_S); /* the first transmission met it, too */
    char lasted[32];

    if (icmp)
        return icmp_finding(f, icmp);
    struct finding *d =
        finding_new(CODE_PATH_WENT_DEAD, WHERE_PATH,
                    "The %s repeats its data %u times in %s and the %s, which is still heard, acknowledges none of it.",
                    side_name(s), v->retries, duration_text(lasted, v->to_ns - v->from_ns), side_name(other_side(s)));
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, v->packet);
    add_notes(d, f, NOTE_RETRANSMISSION, (int)s, FINDING_EVIDENCE - 3);
    finding_add_evidence(d, f->half[other_side(s)].last_packet);
    finding_detail_number(d, "retransmissions", v->retries);
    finding_detail_text(d, "from", side_name(s));
    return d;
}

static struct finding *dead_finding(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);
    const struct icmp_note *icmp = icmp_since(f, s, l->tail_first_ns);
    char lasted[32];

    if (icmp)
        return icmp_finding(f, icmp);
    if (idle_before(f, l->tail_idle_ns))
        return idle_finding(l->tail_idle_ns, l->tail_first, "is repeated without answer");
    const char *what = !l->tail_retries  ? "sends keep-alive probes"
                       : l->tail_largest ? "repeats its data"
                                         : "repeats its FIN";
    struct finding *d =
        finding_new(CODE_PATH_WENT_DEAD, WHERE_PATH, "The %s %s for %s and nothing comes back from the %s any more.",
                    side_name(s), what, duration_text(lasted, f->last_ns - l->tail_first_ns), side_name(other_side(s)));
    d->confidence = CONFIDENCE_LIKELY;
    if (s == CLIENT && data_ignored(f)) /* a full queue behind SYN cookies is as silent as a path that drops */
        finding_detail_list(d, "alternatives", (const char *const[]){ "accept_queue_full", NULL });
    return d;
}

/* The other end's window is shut for good: its silence is the stall's, which has a rule of its own. */
static bool shut_out(const struct flow *f, enum side s)
{
    const struct stall *stall = &flow_losses(f, other_side(s))->longest;
    return stall->from_packet && stall->to_ns == TIME_NONE;
}

/* The packets since then that stayed without answer. */
static void add_tail(struct finding *d, const struct flow *f, enum side s)
{
    for (guint i = 0; f->trouble->notes && i < f->trouble->notes->len; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        bool repeated = n->kind == NOTE_RETRANSMISSION || n->kind == NOTE_KEEP_ALIVE || n->kind == NOTE_PROBE;
        if (n->side == s && repeated && n->packet > flow_losses(f, s)->tail_first)
            finding_add_evidence(d, n->packet);
    }
}

struct finding *rule_dead(const struct flow *f, const struct judge_context *c)
{
    for (int s = CLIENT; f->trouble && s <= SERVER; s++) {
        const struct losses *l = flow_losses(f, (enum side)s);

        if (f->half[s].state < STATE_ESTABLISHED) /* an unanswered SYN or SYN-ACK has rules of its own */
            continue;
        bool silence = unanswered(f, (enum side)s, c);
        if ((!silence && !sent_in_vain(f, (enum side)s)) || shut_out(f, (enum side)s))
            continue;
        if (matter_of_size(f, (enum side)s))
            continue;
        if (!silence)
            return one_way_finding(f, (enum side)s);
        struct finding *d = dead_finding(f, (enum side)s);
        finding_add_evidence(d, l->tail_first);
        add_tail(d, f, (enum side)s);
        finding_detail_number(d, "retransmissions", l->tail_retries);
        return d;
    }
    return NULL;
}

/* --- no end at all --- */

struct finding *rule_half_close_leak(const struct flow *f, const struct judge_context *c)
{
    char lasted[32];
    enum side closed;

    if (!both_captured(f) || f->reset.packet || flow_teardown(f) != TEARDOWN_HALF_CLOSED ||
        !flow_closed_first(f, &closed))
        return NULL;
    const struct half *open = &f->half[other_side(closed)];
    int64_t since_ns = MAX(f->half[closed].fin_ns, open->last_data_ns);
    if (c->now_ns - since_ns < 60 * NS_PER_S)
        return NULL;
    struct finding *d = finding_new(
        CODE_HALF_CLOSE_LEAK, closed == CLIENT ? WHERE_SERVER : WHERE_CLIENT,
        "The %s closed, the %s acknowledged that and neither sent nor closed for %s: it stays in CLOSE-WAIT.",
        side_name(closed), side_name(other_side(closed)), duration_text(lasted, c->now_ns - since_ns));
    finding_add_evidence(d, f->half[closed].fin_packet);
    finding_add_evidence(d, open->last_packet);
    finding_detail_seconds(d, "idle", c->now_ns - since_ns);
    return d;
}
