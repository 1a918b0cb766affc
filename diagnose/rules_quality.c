#include "diagnose/rules.h"

#define STALL_NS (NS_PER_S / 2)

/* Bytes of the timestamps option in each segment, padded (RFC 7323 appendix A). */
#define TIMESTAMPS_SIZE 12

struct finding *rule_zero_window(const struct flow *f, const struct judge_context *c)
{
    char lasted[32];

    (void)c;
    for (int s = CLIENT; f->trouble && s <= SERVER; s++) {
        const struct stall *stall = &f->trouble->losses[s].longest;
        bool for_good = stall->to_ns == TIME_NONE;
        int64_t stall_ns = (for_good ? f->last_ns : stall->to_ns) - stall->from_ns;

        if (!stall->from_packet || !stall->wanted || stall_ns < STALL_NS)
            continue;
        struct finding *d = finding_new(CODE_ZERO_WINDOW_STALL, s == SERVER ? WHERE_SERVER : WHERE_CLIENT,
                                        "The %s's receive window stood at zero for %s%s while the %s had data to send.",
                                        side_name((enum side)s), duration_text(lasted, stall_ns),
                                        for_good ? ", until the end," : "", side_name(other_side((enum side)s)));
        if (for_good && stall->probes)
            d->status = STATUS_BROKEN;
        finding_add_evidence(d, stall->from_packet);
        add_notes(d, f, NOTE_PROBE, other_side((enum side)s), 4);
        add_notes(d, f, NOTE_KEEP_ALIVE, other_side((enum side)s), 4);
        finding_add_evidence(d, stall->to_packet);
        finding_detail_seconds(d, "stall", stall_ns);
        finding_detail_seconds(d, "zero_window_time", f->trouble->anomalies[s].zero_window_ns);
        return d;
    }
    return NULL;
}

/* Segments of which nothing tells whether they were lost and sent again or only late go with those that do tell. */
static uint32_t late_too(const struct losses *l)
{
    return l->reordered > l->lost - MIN(l->unclear, l->lost) ? MIN(l->unclear, l->lost) : 0;
}

/* Segments of a side that came late without loss: not those that fill the hole which a lost flight left. */
static uint32_t late_segments(const struct flow *f, enum side s)
{
    const struct losses *l = &f->trouble->losses[s];
    return s == SERVER && flight_lost(f) ? 0 : l->reordered + late_too(l);
}

/* A sender that learns of a smaller MTU on a hop before the capture cuts its first flight anew: here that is a hole at the very
 * beginning, filled by smaller segments, and nothing of full size ever comes. The ICMP errors went the other way. */
static uint32_t cut_anew(const struct flow *f, enum side s)
{
    const struct half *h = &f->half[s];
    bool stamps = f->half[CLIENT].offer.timestamps && f->half[SERVER].offer.timestamps;
    uint32_t full = f->half[other_side(s)].offer.mss - (stamps ? TIMESTAMPS_SIZE : 0), pieces = 0;
    int64_t until_ns = h->first_data_ns + 2 * MAX(flow_handshake_rtt_ns(f), 10 * NS_PER_MS);

    if (h->acked_largest < FULL_SIZE || !f->half[other_side(s)].offer.mss || h->acked_largest + LEAST_STEP > full)
        return 0;
    for (guint i = 0; f->trouble->notes && i < f->trouble->notes->len; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        if (n->kind == NOTE_LOST_SEGMENT && n->side == s && n->missing >= full && n->ts_ns <= until_ns)
            pieces += (n->missing + h->acked_largest - 1) / h->acked_largest;
    }
    return pieces;
}

/* Lost segments of a side: those repeated, less what was only cut anew and what nobody answered at the end (a dead path, not
 * loss). */
static uint32_t lost_segments(const struct flow *f, enum side s)
{
    const struct losses *l = &f->trouble->losses[s];
    uint32_t in_vain = sent_in_vain(f, s) ? MAX(l->in_vain.retries, l->tail_retries) : l->tail_retries;
    uint32_t others = in_vain + cut_anew(f, s), lost = l->lost + l->reordered - late_segments(f, s);

    return lost > others ? lost - others : 0;
}

struct finding *rule_packet_loss(const struct flow *f, const struct judge_context *c)
{
    struct finding *worst = NULL;
    double worst_rate = 0;

    (void)c;
    for (int s = CLIENT; f->trouble && both_captured(f) && s <= SERVER; s++) {
        uint32_t lost = lost_segments(f, (enum side)s);
        double rate = f->half[s].segments ? (double)lost / (double)f->half[s].segments : 0;

        if (lost < 3 || rate < 0.01 || rate <= worst_rate || matter_of_size(f, (enum side)s))
            continue;
        finding_free(worst);
        worst_rate = rate;
        worst = finding_new(CODE_PACKET_LOSS, WHERE_PATH,
                            "%u of the %s's %" G_GUINT64_FORMAT
                            " data segments (%.1f %%) were lost on the way and sent again.",
                            lost, side_name((enum side)s), f->half[s].segments, 100 * rate);
        worst->confidence = CONFIDENCE_LIKELY;
        add_notes(worst, f, NOTE_RETRANSMISSION, s, FINDING_EVIDENCE);
        finding_detail_number(worst, "lost", lost);
        finding_detail_number(worst, "segments", (int64_t)f->half[s].segments);
        finding_detail_text(worst, "from", side_name((enum side)s));
    }
    return worst;
}

struct finding *rule_reordering(const struct flow *f, const struct judge_context *c)
{
    (void)c;
    for (int s = CLIENT; f->trouble && s <= SERVER; s++) {
        uint32_t late = late_segments(f, (enum side)s);

        if (late < 3 || late * 100.0 < 3.0 * (double)f->half[s].segments)
            continue;
        struct finding *d =
            finding_new(CODE_REORDERING, WHERE_PATH,
                        "%u of the %s's %" G_GUINT64_FORMAT " data segments (%.1f %%) arrived out of order, not lost.",
                        late, side_name((enum side)s), f->half[s].segments, late * 100.0 / (double)f->half[s].segments);
        d->confidence = CONFIDENCE_LIKELY;
        add_notes(d, f, NOTE_OUT_OF_ORDER, s, FINDING_EVIDENCE);
        finding_detail_number(d, "reordered", late);
        finding_detail_number(d, "segments", (int64_t)f->half[s].segments);
        return d;
    }
    return NULL;
}

/* Segments that show a rewritten option; fewer may be a slip of a stack. */
#define REWRITTEN_SEGMENTS 3

/* What shows that options of side s were removed or rewritten before they came here, and the packet; NULL: nothing. */
static const char *rewritten(const struct flow *f, enum side s, uint64_t *packet)
{
    const struct losses *l = flow_losses(f, s);

    if (l->bare >= REWRITTEN_SEGMENTS) {
        *packet = l->bare_packet;
        return "have no timestamps although both SYNs agree on them";
    }
    if (l->wild_sacks >= REWRITTEN_SEGMENTS) {
        *packet = l->wild_sack_packet;
        return "have SACK blocks of bytes that the other end never sent";
    }
    *packet = l->shrunk_packet;
    return l->shrunk >= 2 && !f->half[s].offer.whole_windows ? "bear scaled windows although its SYN does not say so"
                                                             : NULL;
}

struct finding *rule_option_stripped(const struct flow *f, const struct judge_context *c)
{
    (void)c;
    for (int s = CLIENT; f->trouble && both_captured(f) && s <= SERVER; s++) {
        uint64_t packet;
        const char *what = rewritten(f, (enum side)s, &packet);

        if (!what)
            continue;
        struct finding *d =
            finding_new(CODE_OPTION_STRIPPED, WHERE_PATH, "The %s's packets %s: something on the way changes them.",
                        side_name((enum side)s), what);
        d->confidence = CONFIDENCE_POSSIBLE;
        finding_add_evidence(d, f->syn_packet);
        finding_add_evidence(d, f->synack_packet);
        finding_add_evidence(d, packet);
        finding_detail_text(d, "from", side_name((enum side)s));
        return d;
    }
    return NULL;
}

struct finding *rule_ip_fragmented(const struct flow *f, const struct judge_context *c)
{
    (void)c;
    if (!f->trouble || !f->trouble->fragmented)
        return NULL;
    struct finding *d =
        finding_new(CODE_IP_FRAGMENTED, WHERE_PATH, "%u packet%s of this connection came in IP fragments.",
                    f->trouble->fragmented, f->trouble->fragmented == 1 ? "" : "s");
    finding_add_evidence(d, f->trouble->first_fragmented);
    add_notes(d, f, NOTE_FRAGMENTED, -1, FINDING_EVIDENCE - 1);
    finding_detail_number(d, "fragmented", f->trouble->fragmented);
    return d;
}
