/* plan_trail: the same packet with TTL 1, 2, 3, ...: who is on the way, and where it ends. Silent hops are asked again;
 * the trail stops at whoever answers for good, where routers repeat, or some hops behind the last that answered.
 */
#include "base/limits.h"
#include "probe/trial.h"

#define WINDOW 6       /* hops asked at a time */
#define TRIES 3        /* of each hop */
#define GAP 4          /* silent hops behind the last one that answered */
#define GAP_REACHED 12 /* the same where the target is known to answer: it lies behind them */
#define REPEATS 3      /* an address at so many distances: a loop */

struct tally {
    unsigned sent, open, answered;
    const struct shot *best; /* the answer: a final one goes before others */
    bool balanced;
};

struct trail {
    struct tally hop[LIMIT_PROBE_HOPS + 1];
    unsigned farthest; /* that was asked */
    unsigned last;     /* that answered at all; 0: none */
    unsigned end;      /* the nearest that answered for good; 0: none */
    bool loop;
    unsigned refuser; /* the hop that refuses the whole packet, where it also said that a TTL ended; 0: none */
};

static void add(struct trail *t, const struct shot *s)
{
    struct tally *h = &t->hop[s->ttl];

    h->sent++;
    h->open += s->state == SHOT_SENT;
    t->farthest = MAX(t->farthest, s->ttl);
    if (s->state != SHOT_ANSWERED || s->answer.reply == REPLY_NONE)
        return;
    h->answered++;
    h->balanced |= h->best && addr_cmp(&h->best->answer.from, &s->answer.from) != 0;
    if (!h->best || (reply_is_final(s->answer.reply) && !reply_is_final(h->best->answer.reply)))
        h->best = s;
    t->last = MAX(t->last, s->ttl);
    if (reply_is_final(s->answer.reply) && (t->end == 0 || s->ttl < t->end))
        t->end = s->ttl;
}

/* The probe of the same form with all its hops; NULL: none. */
static const struct trial *whole_of(const struct trial *r)
{
    return r->kind == PROBE_SIZE_TTL ? NULL : r->aim->trials[r->kind == PROBE_ECHO_TTL ? PROBE_ECHO : PROBE_SYN];
}

/* The target answers this form, if its TTL does not end before. */
static bool target_answers(const struct trial *r)
{
    return trial_answered(whole_of(r));
}

static bool repeats(const struct trail *t, unsigned ttl)
{
    unsigned n = 0;

    for (unsigned i = 1; i <= ttl; i++)
        n += t->hop[i].best && t->hop[ttl].best &&
             addr_cmp(&t->hop[i].best->answer.from, &t->hop[ttl].best->answer.from) == 0;
    return n >= REPEATS;
}

/* Who refuses what would go on from it need not be waited for behind it. */
static void find_refuser(const struct trial *r, struct trail *t)
{
    const struct shot *refused = trial_refused(whole_of(r));

    for (unsigned ttl = 1; refused && ttl <= t->last && !t->refuser; ttl++)
        if (t->hop[ttl].best && addr_cmp(&t->hop[ttl].best->answer.from, &refused->answer.from) == 0)
            t->refuser = ttl;
}

static void tally(const struct trial *r, struct trail *t)
{
    *t = (struct trail){ 0 };
    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->ttl >= 1 && s->ttl <= LIMIT_PROBE_HOPS)
            add(t, s);
    }
    for (unsigned ttl = 1; ttl <= t->last && !t->end; ttl++)
        t->loop |= repeats(t, ttl);
    find_refuser(r, t);
}

static unsigned farthest(const struct trial *r, const struct trail *t)
{
    unsigned distance = aim_distance(r->aim), gap = target_answers(r) ? GAP_REACHED : GAP;
    unsigned far = MIN(t->last + gap, LIMIT_PROBE_HOPS);

    if (t->end || t->refuser)
        return t->end ? t->end : t->refuser;
    if (t->loop)
        return t->last;
    return distance && !target_answers(r) ? MIN(distance, far) : far;
}

enum next trail_next(struct trial *r, struct shot *out)
{
    struct trail t;
    unsigned open = 0;

    tally(r, &t);
    for (unsigned ttl = 1, far = farthest(r, &t); ttl <= far; ttl++) {
        const struct tally *h = &t.hop[ttl];
        if (h->answered)
            continue;
        if (!h->open && h->sent < TRIES) {
            out->ttl = (uint8_t)ttl;
            out->size = r->size;
            return NEXT_SEND;
        }
        open += h->open > 0;
        if (open >= WINDOW)
            return NEXT_WAIT;
    }
    return open ? NEXT_WAIT : NEXT_DONE;
}

/* --- what it says --- */

static struct probe_place place_of(const struct trail *t, unsigned ttl)
{
    const struct shot *s = t->hop[ttl].best;
    struct probe_place place = { .ttl = ttl, .known = s != NULL };

    if (s)
        place.addr = s->answer.from;
    return place;
}

/* All hops behind it that answer at all answer each time. */
static bool followers_answer_all(const struct trail *t, unsigned ttl)
{
    unsigned followers = 0;

    for (unsigned i = ttl + 1; i <= t->farthest; i++) {
        if (t->hop[i].answered && t->hop[i].answered < t->hop[i].sent)
            return false;
        followers += t->hop[i].answered > 0;
    }
    return followers > 0;
}

static const struct trial *control_of(const struct trial *r)
{
    return r->aim->trials[r->kind == PROBE_ECHO_TTL ? PROBE_SYN_TTL : PROBE_ECHO_TTL];
}

static void add_hops(const struct trial *r, const struct trail *t, unsigned most, struct probe_result *out)
{
    struct trail control = { 0 };

    if (control_of(r))
        tally(control_of(r), &control);
    out->hops = g_array_new(FALSE, TRUE, sizeof(struct probe_hop));
    for (unsigned ttl = 1; ttl <= most; ttl++) {
        const struct tally *h = &t->hop[ttl];
        const struct shot *other = control.hop[ttl].best;
        struct probe_hop hop = {
            .place = place_of(t, ttl),
            .rtt_ns = h->best ? h->best->answer.rtt_ns : TIME_NONE,
            .reply = h->best ? h->best->answer.reply : REPLY_NONE,
            .sent = h->sent,
            .answered = h->answered,
            .balanced = h->balanced || (h->best && other && ttl < t->end && ttl < control.end &&
                                        addr_cmp(&h->best->answer.from, &other->answer.from) != 0),
            .limited = h->answered && h->answered < h->sent && followers_answer_all(t, ttl),
        };
        g_array_append_val(out->hops, hop);
    }
}

/* Where it cannot have come: the next hop by the control that answered, or the target. */
static struct probe_place not_beyond(const struct trial *r, unsigned after)
{
    struct probe_place target = { .ttl = aim_distance(r->aim), .known = true, .addr = r->dst };
    struct trail control;

    if (!control_of(r))
        return target;
    tally(control_of(r), &control);
    for (unsigned ttl = after + 1; ttl <= control.last; ttl++)
        if (control.hop[ttl].best)
            return place_of(&control, ttl);
    return target;
}

static void say_answer(const struct shot *s, struct probe_result *out)
{
    const struct answer *a = &s->answer;

    out->reply = a->reply;
    out->rtt_ns = a->rtt_ns;
    out->reply_ttl = a->ttl;
    out->icmp_type = a->icmp_type;
    out->icmp_code = a->icmp_code;
}

/* The distance of who refused: where it said that the TTL ended, it refuses what would go on from it. */
static unsigned refuser_of(const struct trail *t)
{
    if (!t->end || t->refuser)
        return t->refuser;
    for (unsigned ttl = 1; ttl < t->end; ttl++)
        if (t->hop[ttl].best && addr_cmp(&t->hop[ttl].best->answer.from, &t->hop[t->end].best->answer.from) == 0)
            return ttl;
    return t->end;
}

/* The first hop of a loop: its address comes again. */
static unsigned loop_start(const struct trail *t)
{
    for (unsigned i = 1; i < t->last; i++)
        for (unsigned k = i + 1; k <= t->last; k++)
            if (t->hop[i].best && t->hop[k].best &&
                addr_cmp(&t->hop[i].best->answer.from, &t->hop[k].best->answer.from) == 0)
                return i;
    return t->last;
}

/* after, at */
static void say_end(const struct trial *r, const struct trail *t, struct probe_result *out)
{
    unsigned at = t->loop ? loop_start(t) : refuser_of(t), after = at ? at - 1 : t->last;

    while (at && after > 0 && !t->hop[after].best)
        after--;
    out->has_end = true;
    out->after = place_of(t, after);
    out->at = at ? place_of(t, at) : not_beyond(r, after);
}

/* The answer that the trail ends with; of the whole packet where nobody waited for it here. */
static const struct shot *ending(const struct trial *r, const struct trail *t)
{
    return t->end ? t->hop[t->end].best : t->refuser ? trial_refused(whole_of(r)) : NULL;
}

void trail_conclude(const struct trial *r, struct probe_result *out)
{
    struct trail t;

    tally(r, &t);
    const struct shot *end = ending(r, &t);
    bool reached = end && shot_reached(r, end);
    out->outcome = reached ? OUTCOME_REACHED : end ? OUTCOME_UNREACHABLE : t.loop ? OUTCOME_LOOP : OUTCOME_STOPPED;
    if (end) {
        say_answer(end, out);
        out->reply_distance = (uint8_t)(t.end ? t.end : t.refuser);
        out->from = (struct probe_place){ .ttl = out->reply_distance, .known = !reached, .addr = end->answer.from };
    }
    if (!reached)
        say_end(r, &t, out);
    add_hops(r, &t, end ? out->reply_distance : t.loop ? t.last : MIN(t.farthest, t.last + 1), out);
}
