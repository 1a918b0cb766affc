#include "flow/trouble.h"

#include "base/limits.h"
#include "base/seq.h"
#include "flow/classify.h"
#include "flow/log.h"
#include "flow/sizes.h"

struct trouble *trouble_of(struct flow *f)
{
    if (!f->trouble)
        f->trouble = g_new0(struct trouble, 1);
    return f->trouble;
}

static void add_note(struct flow *f, const struct segment *s, enum note_kind kind)
{
    struct trouble *t = trouble_of(f);
    struct note n = {
        .packet = s->packet->number,
        .ts_ns = s->ts_ns,
        .seq = s->seq - f->half[s->side].isn,
        .len = s->len,
        .missing = kind == NOTE_LOST_SEGMENT ? s->seq - f->track->half[s->side].seen.edge : 0,
        .kind = (uint8_t)kind,
        .side = (uint8_t)s->side,
    };

    if (!t->notes)
        t->notes = g_array_sized_new(FALSE, FALSE, sizeof n, 4);
    if (t->notes->len < LIMIT_NOTES)
        g_array_append_val(t->notes, n);
    else
        g_array_index(t->notes, struct note,
                      LIMIT_NOTES_FIRST + (t->n_notes - LIMIT_NOTES_FIRST) % (LIMIT_NOTES - LIMIT_NOTES_FIRST)) = n;
    t->n_notes++;
    log_keep(f);
}

static void count(struct anomalies *a, uint32_t bits)
{
    a->retransmissions += !!(bits & ANOMALY_RETRANSMISSION);
    a->fast_retransmissions += !!(bits & ANOMALY_FAST_RETRANSMISSION);
    a->spurious_retransmissions += !!(bits & ANOMALY_SPURIOUS_RETRANSMISSION);
    a->out_of_order += !!(bits & ANOMALY_OUT_OF_ORDER);
    a->duplicate_acks += !!(bits & ANOMALY_DUPLICATE_ACK);
    a->lost_segments += !!(bits & ANOMALY_LOST_SEGMENT);
    a->acked_unseen += !!(bits & ANOMALY_ACKED_UNSEEN);
    a->zero_windows += !!(bits & ANOMALY_ZERO_WINDOW);
    a->window_full += !!(bits & ANOMALY_WINDOW_FULL);
    a->keep_alives += !!(bits & ANOMALY_KEEP_ALIVE);
    a->zero_window_probes += !!(bits & ANOMALY_ZERO_WINDOW_PROBE);
    a->window_updates += !!(bits & ANOMALY_WINDOW_UPDATE);
    a->bad_checksums += !!(bits & ANOMALY_BAD_CHECKSUM);
}

static void note_oddities(struct flow *f, const struct segment *s)
{
    if (s->anomaly & ANOMALY_RETRANSMISSION)
        add_note(f, s, s->flags & TCP_SYN ? (s->flags & TCP_ACK ? NOTE_SYNACK : NOTE_SYN) : NOTE_RETRANSMISSION);
    if (s->anomaly & ANOMALY_OUT_OF_ORDER)
        add_note(f, s, NOTE_OUT_OF_ORDER);
    if (s->anomaly & ANOMALY_LOST_SEGMENT)
        add_note(f, s, NOTE_LOST_SEGMENT);
    if (s->anomaly & ANOMALY_ZERO_WINDOW_PROBE)
        add_note(f, s, NOTE_PROBE);
    if (s->anomaly & ANOMALY_KEEP_ALIVE)
        add_note(f, s, NOTE_KEEP_ALIVE);
}

/* A first SACK block below the ACK, or inside the second block, reports bytes that arrived twice (RFC 2883): a
 * retransmission that was not needed, so no loss. */
static bool reports_duplicate(const struct segment *s)
{
    const struct tcp_options *o = &s->tcp->opt;

    if (!(o->present & TCPOPT_HAS_SACK) || o->n_sack == 0 || !(s->flags & TCP_ACK))
        return false;
    if (seq_le(o->sack[0].right, s->tcp->ack))
        return true;
    return o->n_sack > 1 && seq_ge(o->sack[0].left, o->sack[1].left) && seq_le(o->sack[0].right, o->sack[1].right);
}

/* An ICMP error told the sender that these bytes were too big for one packet: it has to cut and send them again. */
static bool was_too_big(const struct flow *f, const struct segment *s)
{
    const struct told_size *t = f->trouble ? &f->trouble->losses[s->side].told : NULL;
    return t && t->times && seq_ge(s->seq, t->from) && seq_lt(s->seq, t->to);
}

static void count_losses(struct flow *f, const struct segment *s)
{
    bool again = s->len && s->anomaly & ANOMALY_RETRANSMISSION && !(s->anomaly & ANOMALY_SPURIOUS_RETRANSMISSION);

    if (again && !was_too_big(f, s)) {
        trouble_of(f)->losses[s->side].lost++;
        f->trouble->losses[s->side].unclear += s->unclear;
    }
    if (s->len && s->anomaly & ANOMALY_OUT_OF_ORDER)
        trouble_of(f)->losses[s->side].reordered++;
    if (f->trouble && reports_duplicate(s)) {
        struct losses *l = &f->trouble->losses[other_side(s->side)];
        if (l->lost)
            l->lost--;
    }
}

/* --- zero windows --- */

static void stall_end(struct flow *f, enum side s, uint64_t packet, int64_t end_ns)
{
    struct losses *l = &f->trouble->losses[s];
    int64_t lasted_ns = end_ns - l->current.from_ns, longest_ns = -1;

    if (l->longest.from_packet)
        longest_ns = (l->longest.to_ns == TIME_NONE ? f->last_ns : l->longest.to_ns) - l->longest.from_ns;
    f->trouble->anomalies[s].zero_window_ns += MAX(lasted_ns, 0);
    l->current.to_packet = packet;
    l->current.to_ns = packet ? end_ns : TIME_NONE;
    if (!packet || lasted_ns > longest_ns) {
        l->longest = l->current;
        f->track->stall_watch[s] = packet != 0;
    }
    l->current = (struct stall){ 0 };
}

static void stall_begin(struct flow *f, const struct segment *s)
{
    trouble_of(f)->losses[s->side].current = (struct stall){
        .from_packet = s->packet->number,
        .from_ns = s->ts_ns,
        .to_ns = TIME_NONE,
    };
    log_keep(f);
}

/* The other end's packets tell whether it was waiting to send. */
static void stall_wanted(struct flow *f, const struct segment *s)
{
    enum side receiver = other_side(s->side);
    struct losses *l = &f->trouble->losses[receiver];

    if (l->current.from_packet &&
        (s->anomaly & ANOMALY_ZERO_WINDOW_PROBE || (s->anomaly & ANOMALY_KEEP_ALIVE) || s->len)) {
        l->current.wanted = true;
        l->current.probes++;
    }
    if (f->track->stall_watch[receiver] && s->len) {
        int64_t rtt_ns = MAX(flow_handshake_rtt_ns(f), 0);
        if (s->ts_ns - l->longest.to_ns <= MAX(3 * rtt_ns, 200 * NS_PER_MS))
            l->longest.wanted = true;
        f->track->stall_watch[receiver] = false;
    }
}

static void watch_windows(struct flow *f, const struct segment *s)
{
    bool zero = s->anomaly & ANOMALY_ZERO_WINDOW;
    bool open = f->trouble && f->trouble->losses[s->side].current.from_packet;

    if (zero && !open) {
        stall_begin(f, s);
    } else if (open && !zero && s->tcp->window && !(s->flags & TCP_RST)) {
        add_note(f, s, NOTE_WINDOW_OPEN);
        stall_end(f, s->side, s->packet->number, s->ts_ns);
    }
    if (f->trouble)
        stall_wanted(f, s);
}

/* --- in vain --- */

/* Sent again with no new ACK since it was sent before. */
static void watch_in_vain(struct flow *f, const struct segment *s)
{
    struct in_vain *v = &trouble_of(f)->losses[s->side].in_vain;
    uint32_t ack = f->track->half[other_side(s->side)].highest_ack;

    if (v->retries == 0 || v->ack != ack)
        *v = (struct in_vain){ .ack = ack, .packet = s->packet->number, .from_ns = s->ts_ns };
    v->retries++;
    v->to_ns = s->ts_ns;
}

/* --- options --- */

/* The number of a packet that becomes evidence. */
static uint64_t remember(struct flow *f, const struct segment *s)
{
    log_keep(f);
    return s->packet->number;
}

/* RFC 7323 section 3.2: once agreed, the option is on every segment but RSTs. */
static void watch_timestamps(struct flow *f, const struct segment *s)
{
    if (s->flags & (TCP_RST | TCP_SYN) || s->tcp->opt.present & (TCPOPT_CUT | TCPOPT_MALFORMED))
        return;
    struct losses *l = &trouble_of(f)->losses[s->side];
    if (l->bare++ == 0)
        l->bare_packet = remember(f, s);
}

/* Windows that stay at a small part of the SYN's before anything was received: their sender scales them, and its SYN or
 * SYN-ACK lost the option that said so on the way to the capture. */
static void watch_shrinking(struct flow *f, const struct segment *s)
{
    uint32_t syn_window = f->half[s->side].offer.window;

    if (s->flags & (TCP_SYN | TCP_RST) || syn_window < 8192 || !s->tcp->window ||
        f->half[other_side(s->side)].bytes > syn_window / 8)
        return;
    if (s->tcp->window > syn_window / 32)
        f->half[s->side].offer.whole_windows = true;
    else if (trouble_of(f)->losses[s->side].shrunk++ == 0)
        f->trouble->losses[s->side].shrunk_packet = remember(f, s);
}

/* SACK blocks far from all numbers of the other end: its sequence numbers were rewritten on the way, and the blocks
 * not. */
static void watch_sacks(struct flow *f, const struct segment *s)
{
    const struct track_half *other = &f->track->half[other_side(s->side)];
    const struct tcp_options *o = &s->tcp->opt;

    if (o->n_sack == 0 || !other->seq_known)
        return;
    for (unsigned i = 0; i < o->n_sack; i++)
        if (ABS((int64_t)seq_diff(o->sack[i].left, other->next)) < LIMIT_SACK_FAR)
            return;
    struct losses *l = &trouble_of(f)->losses[s->side];
    if (l->wild_sacks++ == 0)
        l->wild_sack_packet = remember(f, s);
}

/* --- the handshake --- */

static void watch_opening(struct flow *f, const struct segment *s)
{
    if (s->flags & TCP_SYN && s->flags & TCP_ACK && f->ack_packet && s->packet->number > f->ack_packet) {
        trouble_of(f)->late_synacks++;
        f->trouble->late_synack_packet = s->packet->number;
    }
    if (s->side == SERVER && !f->synacks && f->syns && !(s->flags & (TCP_SYN | TCP_RST)) && s->flags & TCP_ACK &&
        !s->len && s->tcp->ack != f->half[CLIENT].isn + 1 && trouble_of(f)->stale_acks++ == 0)
        f->trouble->stale_ack_packet = remember(f, s);
}

/* --- unanswered packets --- */

static void watch_tail(struct flow *f, const struct segment *s)
{
    struct track_half *mine = &f->track->half[s->side], *peer = &f->track->half[other_side(s->side)];

    if (peer->tail_first) {
        peer->tail_retries = peer->tail_probes = peer->tail_largest = peer->tail_smallest = 0;
        peer->tail_first = 0;
    }
    if (s->seq == s->end && !(s->anomaly & (ANOMALY_KEEP_ALIVE | ANOMALY_ZERO_WINDOW_PROBE)))
        return; /* nobody answers a pure ACK */
    if (!mine->tail_first) {
        mine->tail_first = s->packet->number;
        mine->tail_first_ns = s->ts_ns;
        mine->tail_idle_ns = s->idle_ns;
    }
    mine->tail_retries += !!(s->anomaly & ANOMALY_RETRANSMISSION);
    mine->tail_probes += !!(s->anomaly & (ANOMALY_KEEP_ALIVE | ANOMALY_ZERO_WINDOW_PROBE));
    if (s->len) {
        mine->tail_largest = MAX(mine->tail_largest, s->len);
        mine->tail_smallest = mine->tail_smallest ? MIN(mine->tail_smallest, s->len) : s->len;
    }
}

#define WORTH_COUNTING                                                                                                 \
    (ANOMALY_RETRANSMISSION | ANOMALY_OUT_OF_ORDER | ANOMALY_DUPLICATE_ACK | ANOMALY_LOST_SEGMENT |                    \
     ANOMALY_ACKED_UNSEEN | ANOMALY_ZERO_WINDOW | ANOMALY_WINDOW_FULL | ANOMALY_KEEP_ALIVE |                           \
     ANOMALY_ZERO_WINDOW_PROBE | ANOMALY_BAD_CHECKSUM)

/* What most segments have nothing of. */
static void watch_rare(struct flow *f, const struct segment *s)
{
    uint16_t options = s->tcp->opt.present;

    if (s->len && (s->anomaly & (ANOMALY_RETRANSMISSION | ANOMALY_SPURIOUS_RETRANSMISSION)) == ANOMALY_RETRANSMISSION) {
        watch_in_vain(f, s);
        sizes_sent_again(f, s);
    }
    if (options & TCPOPT_HAS_SACK)
        watch_sacks(f, s);
    if (f->trouble)
        sizes_answered(f, s);
    if (!(options & TCPOPT_HAS_TIMESTAMPS) && f->half[CLIENT].offer.timestamps && f->half[SERVER].offer.timestamps)
        watch_timestamps(f, s);
    if (f->half[s->side].offer.seen && f->half[s->side].offer.wscale < 0 && !f->half[s->side].offer.cut)
        watch_shrinking(f, s);
    if (!f->half[SERVER].bytes && s->side == SERVER)
        watch_opening(f, s);
}

void trouble_segment(struct flow *f, const struct segment *s)
{
    if (s->anomaly & WORTH_COUNTING || (f->trouble && s->anomaly)) {
        count(&trouble_of(f)->anomalies[s->side], s->anomaly);
        note_oddities(f, s);
    }
    if (s->packet->ip.reassembled) {
        struct trouble *t = trouble_of(f);
        if (t->fragmented++ == 0)
            t->first_fragmented = s->packet->number;
        add_note(f, s, NOTE_FRAGMENTED);
    }
    if (f->trouble)
        count_losses(f, s);
    watch_rare(f, s);
    if (f->trouble || s->anomaly & ANOMALY_ZERO_WINDOW)
        watch_windows(f, s);
    watch_tail(f, s);
}

void trouble_duplicate(struct flow *f, enum side s)
{
    trouble_of(f)->anomalies[s].capture_duplicates++;
}

void trouble_icmp(struct flow *f, enum side about, const struct packet *p)
{
    struct trouble *t = trouble_of(f);
    struct icmp_note n = {
        .packet = p->number,
        .ts_ns = p->ts_ns,
        .from = p->ip.src,
        .type = p->icmp.type,
        .code = p->icmp.code,
        .about = (uint8_t)about,
        .quotes_seq = p->icmp.quotes_seq,
        .quoted_seq = p->icmp.quoted_seq,
        .mtu = p->icmp.mtu,
        .quoted_len = p->icmp.quoted_total_len,
    };

    if (sizes_is_too_big(p) && !sizes_told(&t->losses[about].told, &n, flow_headers(f)))
        return; /* a whole flight of them must not take the places of others */
    if (t->n_icmp < FLOW_ICMP_KEPT)
        t->icmp[t->n_icmp] = n;
    t->n_icmp++;
    log_keep(f);
}

/* Nothing came behind the hole but a packet without data whose number counts what is missing. */
static void count_hole(struct flow *f, enum side s)
{
    const struct track_half *mine = &f->track->half[s];
    struct hole *hole = &f->trouble->losses[s].hole;
    uint32_t edge = mine->seen.edge, next = mine->next - (f->half[s].fin ? 1 : 0);
    bool by_reset = f->reset.packet && f->reset.by == s && seq_gt(edge + f->reset.ahead, next);

    if (by_reset)
        next = edge + f->reset.ahead;
    if (!seq_gt(next, edge))
        return;
    *hole = (struct hole){ .size = next - edge, .counted = true };
    hole->packet = by_reset ? f->reset.packet : f->half[s].last_packet;
    hole->since_ns = by_reset ? f->reset.ts_ns : f->half[s].last_ns;
    hole->arrived_largest = MAX(f->half[s].acked_largest, mine->waiting_largest);
}

/* What the capture saw arrive behind a hole that the receiver never acknowledged. */
static void measure_hole(struct flow *f, enum side s)
{
    const struct track_half *mine = &f->track->half[s], *peer = &f->track->half[other_side(s)];
    struct hole *hole = &f->trouble->losses[s].hole;

    *hole = (struct hole){ 0 };
    if (mine->gave_up || !mine->seq_known || !peer->ack_known || peer->highest_ack != mine->seen.edge)
        return;
    if (mine->seen.n == 0) {
        count_hole(f, s);
        return;
    }
    uint32_t first = mine->seen.islands[0].from;
    for (guint i = 0; f->trouble->notes && i < f->trouble->notes->len; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        if (n->side != s || n->kind != NOTE_LOST_SEGMENT || seq_lt(n->seq + f->half[s].isn, first))
            continue;
        if (hole->packet && n->packet > hole->packet)
            continue;
        *hole = (struct hole){ .size = first - mine->seen.edge, .packet = n->packet, .since_ns = n->ts_ns };
        hole->arrived_largest = MAX(f->half[s].acked_largest, mine->waiting_largest);
    }
}

void trouble_finish(struct flow *f)
{
    for (int s = CLIENT; s <= SERVER; s++) {
        const struct track_half *h = &f->track->half[s];

        if (f->trouble && f->trouble->losses[s].current.from_packet)
            stall_end(f, (enum side)s, 0, f->last_ns);
        if (f->trouble || f->reset.ahead) {
            trouble_of(f);
            measure_hole(f, (enum side)s);
        }
        if (f->trouble && f->trouble->losses[s].in_vain.ack != f->track->half[other_side((enum side)s)].highest_ack)
            f->trouble->losses[s].in_vain = (struct in_vain){ 0 };
        if (f->trouble || h->tail_retries || h->tail_probes) {
            struct losses *l = &trouble_of(f)->losses[s];
            l->tail_retries = h->tail_retries;
            l->tail_probes = h->tail_probes;
            l->tail_first = h->tail_first;
            l->tail_first_ns = h->tail_first_ns;
            l->tail_idle_ns = h->tail_idle_ns;
            l->tail_largest = h->tail_largest;
            l->tail_smallest = h->tail_smallest;
        }
    }
}
