/* plan_size: the largest packet that passes: first a small one (who does not answer that tells nothing by silence),
 * then one of the interface's MTU, then what ICMP says (RFC 1191, RFC 8201), or, where it says nothing, a search:
 * several sizes at a time, the usual ones first.
 */
#include "probe/trial.h"

#include <errno.h>
#include <string.h>

#define TRIES 3     /* of a size before it counts as lost, where the answer hangs on it */
#define SMALL_4 100 /* passes everywhere (RFC 791: 576 has to), and has room for what marks it */
#define SMALL_6 100
#define LEAST_4 68   /* RFC 791, RFC 1191 */
#define LEAST_6 1280 /* RFC 8200 section 5 */

/* MTUs that are met: Ethernet, PPPoE, tunnels, mobile, IPv6's least (RFC 1191 section 7 and today's). */
static const uint16_t usual[] = { 1500, 1492, 1480, 1454, 1420, 1400, 1280, 576 };

struct sizes {
    bool small_open, small_answered;
    unsigned small_tries;
    uint16_t low;  /* the largest that was answered */
    uint16_t high; /* the smallest that is known not to pass; top + 1: none */
    uint16_t told; /* the smallest MTU that ICMP named */
    bool silent;   /* some size vanished without a word */
};

static bool is_v6(const struct trial *r)
{
    return r->aim->request.version == 6;
}

static uint16_t small_of(const struct trial *r)
{
    return is_v6(r) ? SMALL_6 : SMALL_4;
}

static uint16_t least_of(const struct trial *r)
{
    return is_v6(r) ? LEAST_6 : LEAST_4;
}

static uint16_t top_of(const struct trial *r)
{
    return (uint16_t)CLAMP(r->aim->route.mtu, least_of(r), UINT16_MAX);
}

static unsigned tries_of(const struct trial *r, uint16_t size, bool *open)
{
    unsigned n = 0;

    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        n += s->size == size;
        *open |= s->size == size && s->state == SHOT_SENT;
    }
    return n;
}

static bool is_too_large_here(const struct shot *s)
{
    return s->state == SHOT_FAILED && s->error == EMSGSIZE;
}

static void tell(struct sizes *z, const struct trial *r, const struct shot *s)
{
    uint32_t mtu = s->answer.mtu;

    z->high = MIN(z->high, s->size);
    if (mtu >= least_of(r) && mtu < s->size && (z->told == 0 || mtu < z->told))
        z->told = (uint16_t)mtu;
}

/* A size below one that passed is no loss of size. */
static void weigh(const struct trial *r, struct sizes *z)
{
    *z = (struct sizes){ .high = (uint16_t)MIN(top_of(r) + 1, UINT16_MAX) };
    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->state == SHOT_ANSWERED && s->answer.reply == REPLY_TOO_BIG)
            tell(z, r, s);
        else if (shot_reached(r, s))
            z->low = MAX(z->low, s->size);
        else if (is_too_large_here(s))
            z->high = MIN(z->high, s->size);
    }
    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->state != SHOT_LOST || s->size <= z->low || s->size == small_of(r))
            continue;
        z->high = MIN(z->high, s->size);
        z->silent = true;
    }
    z->small_tries = tries_of(r, small_of(r), &z->small_open);
    z->small_answered = z->low >= small_of(r);
}

static enum next ask(struct shot *out, uint16_t size)
{
    out->ttl = 64;
    out->size = size;
    return NEXT_SEND;
}

static void enqueue(struct trial *r, uint16_t size)
{
    if (r->queued < PLAN_SIZES)
        r->queue[r->queued++] = size;
}

/* The sizes to ask next between what passes and what does not: the usual ones; then the one behind the largest that
 * passes, for that is often a usual one, and some that lie evenly up to the smallest that does not. */
static void refill(struct trial *r, const struct sizes *z)
{
    unsigned gap = z->high - z->low - 1u, parts = MIN(gap, 6u);

    if (r->shots->len < 8) /* the first search */
        for (size_t i = 0; i < G_N_ELEMENTS(usual); i++)
            if (usual[i] > z->low && usual[i] < z->high && usual[i] >= least_of(r))
                enqueue(r, usual[i]);
    if (r->queued)
        return;
    enqueue(r, (uint16_t)(z->low + 1));
    for (unsigned k = parts; k > 1; k--)
        enqueue(r, (uint16_t)(z->low + 1 + (gap * k - 1) / parts));
}

static enum next take(struct trial *r, struct shot *out)
{
    uint16_t size = r->queue[0];

    r->queued--;
    memmove(r->queue, r->queue + 1, r->queued * sizeof r->queue[0]);
    return ask(out, size);
}

/* The boundary hangs on the silence at `high`: it has to be silent more than once. */
static enum next confirm(struct trial *r, const struct sizes *z, struct shot *out)
{
    bool open = false, announced = false;
    unsigned tries = tries_of(r, z->high, &open);

    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        announced |= s->size == z->high && (s->answer.reply == REPLY_TOO_BIG || is_too_large_here(s));
    }
    if (open)
        return NEXT_WAIT;
    if (z->high > top_of(r) || announced || tries >= TRIES)
        return NEXT_DONE;
    return ask(out, z->high);
}

static enum next search(struct trial *r, const struct sizes *z, struct shot *out)
{
    if (r->queued)
        return take(r, out);
    if (trial_open(r))
        return NEXT_WAIT;
    if (z->high - z->low <= 1)
        return confirm(r, z, out);
    refill(r, z);
    return take(r, out);
}

/* What another probe of sizes found already spares the search. */
static uint16_t hint(const struct trial *r)
{
    static const enum probe_kind kinds[] = { PROBE_ACK_DF, PROBE_UDP_DF, PROBE_ECHO_DF };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        struct sizes z;
        const struct trial *other = aim_done(r->aim, kinds[i]);
        if (!other || other == r)
            continue;
        weigh(other, &z);
        if (z.small_answered && z.low < top_of(r))
            return z.low;
    }
    return 0;
}

static enum next after_top(struct trial *r, const struct sizes *z, struct shot *out)
{
    bool open = false;
    unsigned tries = tries_of(r, top_of(r), &open);
    uint16_t known = hint(r);

    if (z->low >= top_of(r))
        return NEXT_DONE;
    if (tries == 0)
        return ask(out, top_of(r));
    if (open)
        return NEXT_WAIT;
    if (z->told && z->told > z->low) {
        bool waiting = false;
        if (tries_of(r, z->told, &waiting) < TRIES && !waiting)
            return ask(out, z->told);
        if (waiting)
            return NEXT_WAIT;
    }
    if (z->told && z->told == z->low && !z->silent)
        return NEXT_DONE;
    if (tries < 2 && z->silent && z->high == top_of(r)) /* it may just have been lost */
        return ask(out, top_of(r));
    if (known > z->low && known < z->high && r->queued == 0 && !trial_open(r) && tries_of(r, known, &open) == 0) {
        enqueue(r, known);
        if (known + 1 < z->high)
            enqueue(r, (uint16_t)(known + 1));
    }
    return search(r, z, out);
}

enum next size_next(struct trial *r, struct shot *out)
{
    struct sizes z;

    weigh(r, &z);
    if (z.small_answered)
        return after_top(r, &z, out);
    if (z.small_open)
        return NEXT_WAIT;
    return z.small_tries < TRIES ? ask(out, small_of(r)) : NEXT_DONE;
}

bool size_vanished(const struct trial *r, uint16_t *smallest)
{
    struct sizes z;

    if (!r)
        return false;
    weigh(r, &z);
    *smallest = z.high;
    return z.small_answered && z.silent && z.high <= top_of(r) && z.told != z.low;
}

/* Who said that it is too big: the one with the smallest MTU. */
static const struct shot *teller(const struct trial *r)
{
    const struct shot *best = NULL;

    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->state == SHOT_ANSWERED && s->answer.reply == REPLY_TOO_BIG &&
            (!best || s->answer.mtu < best->answer.mtu))
            best = s;
    }
    return best;
}

void size_conclude(const struct trial *r, struct probe_result *out)
{
    struct sizes z;
    uint16_t smallest;
    const struct shot *told = teller(r), *first = trial_answered(r);

    weigh(r, &z);
    out->path_mtu = z.small_answered ? z.low : 0;
    out->rtt_ns = first ? first->answer.rtt_ns : TIME_NONE;
    out->reply = first ? first->answer.reply : REPLY_NONE;
    if (!z.small_answered)
        out->outcome = OUTCOME_UNMEASURABLE;
    else if (z.low >= top_of(r))
        out->outcome = OUTCOME_FITS;
    else
        out->outcome = size_vanished(r, &smallest) ? OUTCOME_BLACK_HOLE : OUTCOME_ANNOUNCED;
    for (guint i = 0; i < r->shots->len && !out->note; i++)
        if (g_array_index(r->shots, struct shot, i).answer.in_fragments)
            out->note = g_strdup("the answers come in fragments: the way back is narrower than the way there");
    if (told && z.small_answered) {
        out->from = (struct probe_place){ .known = true, .addr = told->answer.from };
        out->icmp_type = told->answer.icmp_type;
        out->icmp_code = told->answer.icmp_code;
    }
}
