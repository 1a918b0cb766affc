#include "diagnose/rules.h"

/* Repetitions of one large segment without an ACK that make a matter of size likely (RFC 6298 doubles the wait each
 * time). */
#define STUCK_RETRIES 3

/* Nothing of that size ever got through, offload cut to the MSS. */
static bool never_passed(const struct flow *f, enum side s, const struct stuck *k)
{
    uint16_t mss = f->half[other_side(s)].offer.mss;
    return (mss ? MIN(k->passed, mss) : k->passed) + LEAST_STEP <= k->size;
}

static void tell_sizes(struct finding *d, enum side s, uint32_t passed, uint32_t lost)
{
    finding_detail_number(d, "largest_acknowledged", passed);
    finding_detail_number(d, "smallest_lost", lost);
    finding_detail_text(d, "from", side_name(s));
}

/* --- told, and ignored --- */

static struct finding *ignored(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);
    char from[ADDR_TEXT_SIZE], mtu[32] = "";
    const struct icmp_note *n = &l->told.least;

    if (!l->told.times || l->too_large < 2 || f->half[s].unacked == 0)
        return NULL;
    addr_text(from, &n->from, f->key.version);
    if (n->mtu)
        g_snprintf(mtu, sizeof mtu, " (MTU %u)", n->mtu);
    struct finding *d =
        finding_new(CODE_PMTU_IGNORED, s == SERVER ? WHERE_SERVER : WHERE_CLIENT,
                    "%s tells the %s that its packets are too big%s, and it sends them again %u times as large.", from,
                    side_name(s), mtu, l->too_large);
    d->confidence = CONFIDENCE_LIKELY;
    finding_detail_text(d, "icmp_from", from);
    finding_detail_number(d, "mtu", n->mtu);
    finding_add_evidence(d, n->packet);
    finding_add_evidence(d, l->too_large_packet);
    add_notes(d, f, NOTE_RETRANSMISSION, (int)s, FINDING_EVIDENCE - 3);
    return d;
}

struct finding *rule_pmtu_ignored(const struct flow *f, const struct judge_context *c)
{
    struct finding *d = NULL;

    (void)c;
    for (int s = CLIENT; f->trouble && both_captured(f) && s <= SERVER && !d; s++)
        d = ignored(f, (enum side)s);
    return d;
}

/* --- not told --- */

/* A small segment stays without answer too: it is not the size. */
static bool small_unanswered(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);

    if (l->stuck.small_passed)
        return false;
    return (l->stuck.smaller && l->stuck.smaller < FULL_SIZE) ||
           (l->tail_first && l->tail_first <= l->stuck.packet && l->tail_smallest && l->tail_smallest < FULL_SIZE);
}

/* The sender was told, and what it was told explains why this segment does not arrive: an error that came meanwhile, or an MTU that it is
 * too large for. What it was told before, and obeys, does not. */
static bool told_of(const struct flow *f, enum side s, const struct stuck *k)
{
    const struct told_size *t = &flow_losses(f, s)->told;
    return t->times && (t->last_packet > k->packet || !t->least.mtu || k->size + flow_headers(f) > t->least.mtu);
}

/* Seen where the sender is: the same large segment again and again, while the rest of the connection lives. */
static struct finding *stuck(const struct flow *f, enum side s)
{
    const struct stuck *k = &flow_losses(f, s)->stuck;
    bool passes = k->passed || k->small_passed || k->healed;

    if (k->retries < STUCK_RETRIES || !never_passed(f, s, k) || told_of(f, s, k) || icmp_since(f, s, TIME_NONE))
        return NULL; /* an ICMP error that explains the silence goes before it */
    if (k->over ? !k->healed : f->half[s].unacked < k->size)
        return NULL;
    if (!k->over && small_unanswered(f, s))
        return NULL;
    struct finding *d = finding_new(
        CODE_PMTU_BLACKHOLE, WHERE_PATH, "The %s's segments of %u bytes are sent %u times and never acknowledged; %s.",
        side_name(s), k->size, k->retries + 1, passes ? "smaller ones get through" : "nothing that large gets through");
    if (k->over) { /* Linux' tcp_mtu_probing, RFC 4821: smaller pieces were tried */
        d->status = STATUS_DEGRADED;
        g_free(d->summary);
        d->summary = g_strdup_printf(
            "The %s's segments of %u bytes are sent %u times without an ACK; it goes on with smaller ones, "
            "and those get through.",
            side_name(s), k->size, k->retries + 1);
    }
    d->confidence = passes ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_add_evidence(d, k->packet);
    add_notes(d, f, NOTE_RETRANSMISSION, (int)s, FINDING_EVIDENCE - 1);
    tell_sizes(d, s, k->healed ? k->smaller : k->passed, k->size);
    return d;
}

/* Seen where the receiver is: a hole of full-size segments that is never filled, while smaller ones arrive; several
 * that are missing where one small one came behind them is less sure. */
static struct finding *unfilled(const struct flow *f, enum side s, const struct judge_context *c)
{
    const struct hole *h = &flow_losses(f, s)->hole;
    bool lives = f->half[s].last_ns - h->since_ns >= NS_PER_S;

    if (h->size < (lives ? 1 : 2) * FULL_SIZE || h->size <= h->arrived_largest || flow_losses(f, s)->told.times ||
        c->now_ns - h->since_ns < SILENCE_NS)
        return NULL;
    struct finding *d = finding_new(
        CODE_PMTU_BLACKHOLE, WHERE_PATH,
        "%u bytes of the %s never arrive although what it sent behind them does; nothing above %u bytes gets here.",
        h->size, side_name(s), h->arrived_largest);
    d->confidence = lives ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_add_evidence(d, h->packet);
    finding_add_evidence(d, f->half[s].last_packet);
    tell_sizes(d, s, h->arrived_largest, h->size);
    return d;
}

/* The server's bytes are missing, the client waited for them long enough to see them sent again, and a packet without
 * data counts them. Waited since the client asked, or since the last that did arrive. */
bool counted_hole(const struct flow *f)
{
    const struct hole *h = &flow_losses(f, SERVER)->hole;
    int64_t from_ns = MAX(f->half[SERVER].last_data_ns, f->half[CLIENT].first_data_ns);

    return h->counted && both_captured(f) && h->size >= 2 * FULL_SIZE && from_ns != TIME_NONE &&
           h->since_ns - from_ns >= SILENCE_NS;
}

/* The same, seen where the receiver is. As much as ever arrived was smaller, or it was not: the path may just as well
 * be dead for all sizes, for what counts the bytes is no data. */
static struct finding *counted(const struct flow *f)
{
    const struct hole *h = &flow_losses(f, SERVER)->hole;
    bool large_came = h->arrived_largest >= FULL_SIZE;
    struct finding *d;

    if (!counted_hole(f) || flow_losses(f, SERVER)->told.times)
        return NULL;
    d = finding_new(
        large_came ? CODE_PATH_WENT_DEAD : CODE_PMTU_BLACKHOLE, WHERE_PATH,
        "The server had sent %u bytes that never arrived here, as the number of a later packet of it shows%s.", h->size,
        large_came ? "" : "; packets without data do arrive");
    d->confidence = CONFIDENCE_POSSIBLE;
    finding_detail_list(d, "alternatives",
                        (const char *const[]){ large_came ? "pmtu_blackhole" : "path_went_dead", NULL });
    finding_add_evidence(d, f->half[CLIENT].last_data_packet);
    finding_add_evidence(d, f->half[SERVER].last_data_packet);
    finding_add_evidence(d, h->packet);
    tell_sizes(d, SERVER, h->arrived_largest, h->size);
    return d;
}

struct finding *rule_pmtu_blackhole(const struct flow *f, const struct judge_context *c)
{
    struct finding *d = NULL;

    for (int s = CLIENT; f->trouble && both_captured(f) && s <= SERVER && !d; s++) {
        d = stuck(f, (enum side)s);
        if (!d && !flow_losses(f, (enum side)s)->hole.counted)
            d = unfilled(f, (enum side)s, c);
    }
    return d ? d : f->trouble ? counted(f) : NULL;
}

bool matter_of_size(const struct flow *f, enum side s)
{
    struct finding *d = ignored(f, s);

    if (!d)
        d = stuck(f, s);
    finding_free(d);
    return d != NULL;
}
