#include "flow/classify.h"

#include "base/seq.h"

#define FAST_RETRANSMISSION_NS (20 * NS_PER_MS) /* Wireshark's fixed bound; the RTT is used where it is longer */
#define REORDER_NS (3 * NS_PER_MS)              /* Wireshark's bound where the handshake's RTT is not known */
#define FAR_AWAY (1u << 30)                     /* further off than any window: not part of this stream */

const char *anomaly_name(uint32_t bit)
{
    static const char *const names[] = {
        "retransmission",
        "fast retransmission",
        "spurious retransmission",
        "out of order",
        "duplicate ACK",
        "previous segment not captured",
        "ACKed unseen segment",
        "zero window",
        "window full",
        "keep-alive",
        "keep-alive ACK",
        "zero-window probe",
        "zero-window probe ACK",
        "window update",
        "captured twice",
        "bad checksum",
    };
    int i = __builtin_ffs((int)bit) - 1;
    return i >= 0 && (size_t)i < G_N_ELEMENTS(names) ? names[i] : NULL;
}

/* --- capture duplicates --- */

/* One number for all that tells two packets of a direction apart; never 0, which is the empty place. */
static uint32_t signature(const struct segment *s)
{
    const struct tcp_facts *t = s->tcp;
    uint64_t numbers = (uint64_t)t->seq << 32 | t->ack;
    uint64_t rest =
        (uint64_t)s->packet->ip.id << 48 | (uint64_t)(t->flags & 0xff) << 40 | (uint64_t)t->window << 24 | t->checksum;
    uint64_t h = (numbers ^ 0x9E3779B97F4A7C15u) * 0xD6E8FEB86659FD93u + (rest ^ t->len) * 0xC2B2AE3D27D4EB4Fu;

    return (uint32_t)(h >> 32) | 1;
}

/* Whether the sender numbers its packets: 0 is what Linux puts where fragments are forbidden, 1 what packet generators
 * put everywhere. */
static bool numbers_packets(const struct track_half *h, const struct segment *s)
{
    return s->packet->ip.id > 1 && !h->ip_id_constant;
}

/* How old the twin of a packet may be. With an IP-ID the match is safe for longer than any mirror delays; without one
 * only a segment with content counts, and only within a time in which no sender repeats itself. */
static bool can_be_told(const struct track_half *h, const struct segment *s)
{
    return s->seq != s->end || numbers_packets(h, s);
}

static int32_t duplicate_age_us(const struct flow *f, const struct segment *s)
{
    if (numbers_packets(&f->track->half[s->side], s))
        return 200 * 1000;
    int64_t rtt_ns = flow_handshake_rtt_ns(f);
    return rtt_ns == TIME_NONE || rtt_ns > 4 * NS_PER_MS ? 2000 : 1000;
}

/* Microseconds that go round in 71 minutes, which is enough to tell what is near. */
static uint32_t round_us(int64_t ns)
{
    return (uint32_t)(ns / NS_PER_US);
}

/* Whether a segment was sent again because the other end told, after that time, that it holds what is behind it, or
 * waits for it. On a fast link that takes less than a tick of the timestamps, and without IP-IDs the segment is the same
 * to the byte. Where about everything comes twice, so does what is sent again. */
static bool asked_for(const struct flow *f, const struct segment *s, uint32_t since_us)
{
    const struct track_half *rev = &f->track->half[other_side(s->side)];

    if (!rev->ack_known || seq_gt(rev->last_ack, s->seq) || (int32_t)(round_us(rev->last_ack_ns) - since_us) <= 0 ||
        flow_anomalies(f, s->side)->capture_duplicates * 2 >= f->half[s->side].segments)
        return false;
    for (unsigned i = 0; i < rev->n_sack; i++)
        if (seq_ge(rev->sack[i].left, s->end))
            return true;
    return rev->dup_acks >= 2 && rev->last_ack == s->seq;
}

bool classify_is_duplicate(struct flow *f, const struct segment *s)
{
    struct track_half *h = &f->track->half[s->side];
    uint32_t mine = signature(s), now_us = round_us(s->ts_ns);
    bool same = false; /* an old copy says nothing about how the sender numbers */

    for (int i = 0; i < TRACK_SIGNATURES; i++) {
        if (h->recent[i].signature != mine)
            continue;
        int32_t age_us = ABS((int32_t)(now_us - h->recent[i].us)); /* clocks of captures step back at times */
        if (can_be_told(h, s) && age_us <= duplicate_age_us(f, s) &&
            (numbers_packets(h, s) || !asked_for(f, s, h->recent[i].us)))
            return true;
        same = true;
    }
    h->recent[h->recent_at].signature = mine;
    h->recent[h->recent_at].us = now_us;
    h->recent_at = (h->recent_at + 1) % TRACK_SIGNATURES;
    h->ip_id_constant |= !same && h->last_ip_id && s->packet->ip.id == h->last_ip_id;
    h->last_ip_id = s->packet->ip.id;
    return false;
}

/* --- windows --- */

int classify_wscale(const struct flow *f, enum side s)
{
    const struct tcp_offer *mine = &f->half[s].offer, *other = &f->half[other_side(s)].offer;

    if ((mine->seen && mine->wscale < 0) || (other->seen && other->wscale < 0))
        return mine->cut || other->cut ? -1 : 0;
    if (mine->seen)
        return MIN(mine->wscale, 14); /* RFC 7323 section 2.3 */
    return -1;
}

uint32_t classify_window(const struct flow *f, enum side s)
{
    const struct track_half *h = &f->track->half[s];

    if (!h->window_known)
        return 0;
    int shift = h->window_scales ? classify_wscale(f, s) : 0;
    return (uint32_t)h->window << (shift > 0 ? shift : 0);
}

/* --- the classes, in Wireshark's order --- */

static bool plain(const struct segment *s)
{
    return !(s->flags & (TCP_SYN | TCP_FIN | TCP_RST));
}

static uint32_t forward_oddities(const struct flow *f, const struct segment *s, const struct track_half *fwd,
                                 const struct track_half *rev)
{
    uint32_t a = 0;

    if (s->tcp->window == 0 && plain(s))
        a |= ANOMALY_ZERO_WINDOW;
    if (!fwd->seq_known)
        return a;
    if (seq_gt(s->seq, fwd->next) && !(s->flags & TCP_RST))
        a |= ANOMALY_LOST_SEGMENT;
    if (s->len <= 1 && s->seq == fwd->next - 1 && plain(s))
        a |= ANOMALY_KEEP_ALIVE;
    if (s->len > 0 && plain(s) && rev->ack_known && rev->window_known && classify_wscale(f, other_side(s->side)) >= 0 &&
        s->end == rev->last_ack + classify_window(f, other_side(s->side)))
        a |= ANOMALY_WINDOW_FULL;
    return a;
}

/* Pure ACKs that repeat the last one: why? */
static uint32_t repeated_ack(const struct segment *s, const struct track_half *fwd, const struct track_half *rev)
{
    if (s->len || !plain(s) || !(s->flags & TCP_ACK) || !fwd->seq_known || !fwd->ack_known || s->seq != fwd->next)
        return 0;

    uint16_t window = s->tcp->window;
    bool same_ack = s->tcp->ack == fwd->last_ack, same_window = fwd->window_known && window == fwd->window;
    if (window && !same_window && same_ack)
        return ANOMALY_WINDOW_UPDATE;
    if (window && same_window && same_ack)
        return rev->last_anomaly & ANOMALY_KEEP_ALIVE ? ANOMALY_KEEP_ALIVE_ACK : ANOMALY_DUPLICATE_ACK;
    if (!window && same_window && (same_ack || s->tcp->ack == fwd->last_ack + 1) &&
        rev->last_anomaly & ANOMALY_ZERO_WINDOW_PROBE)
        return ANOMALY_ZERO_WINDOW_PROBE_ACK;
    return 0;
}

static bool in_sack_blocks(const struct track_half *rev, uint32_t from, uint32_t to)
{
    for (unsigned i = 0; i < rev->n_sack; i++)
        if (seq_ge(from, rev->sack[i].left) && seq_le(to, rev->sack[i].right))
            return true;
    return false;
}

static int64_t reorder_bound_ns(const struct flow *f)
{
    int64_t rtt_ns = flow_handshake_rtt_ns(f);
    return rtt_ns == TIME_NONE || rtt_ns <= 0 ? REORDER_NS : rtt_ns;
}

/* When a segment below `next` was sent, by the marks its sender put on it: -1 before the one that reached `next` (it
 * was overtaken), 1 after it (sent again), 0 the marks do not tell. IP-IDs of one connection grow (Linux, BSD,
 * Windows); so do timestamps. */
static int sent_order(const struct segment *s, const struct track_half *fwd)
{
    if (fwd->next_has_tsval && s->tcp->opt.present & TCPOPT_HAS_TIMESTAMPS) {
        int32_t d = seq_diff(s->tcp->opt.tsval, fwd->next_tsval);
        if (d != 0)
            return d < 0 ? -1 : 1;
    }
    if (numbers_packets(fwd, s) && fwd->next_ip_id) {
        int16_t d = (int16_t)(s->packet->ip.id - fwd->next_ip_id);
        if (d != 0 && d > -1024 && d < 1024)
            return d < 0 ? -1 : 1;
    }
    return 0;
}

static bool looks_fast(const struct flow *f, const struct segment *s, const struct track_half *rev)
{
    int64_t rtt_ns = flow_handshake_rtt_ns(f);
    int64_t bound_ns = MAX(FAST_RETRANSMISSION_NS, rtt_ns == TIME_NONE ? 0 : rtt_ns);

    if (rev->dup_acks < 2 || s->ts_ns - rev->last_ack_ns >= bound_ns)
        return false;
    return rev->last_ack == s->seq || (rev->n_sack && !in_sack_blocks(rev, s->seq, s->end));
}

/* Bytes that come for the first time, soon behind the segment that overtook them, and bear no mark of when they were
 * sent: on links where a round trip takes less than a tick of the timestamps (1 ms in Linux), and without IP-IDs
 * (IPv6), the segment that was sent again and the one that is late look the same. */
static bool unclear(const struct segment *s, const struct track_half *fwd)
{
    return s->ts_ns - fwd->next_ns < REORDER_NS && sent_order(s, fwd) == 0 && !ranges_cover(&fwd->seen, s->seq, s->end);
}

/* A segment with content that does not move `next`. */
static uint32_t old_segment(const struct flow *f, const struct segment *s, const struct track_half *fwd,
                            const struct track_half *rev)
{
    if (s->len && rev->ack_known && seq_le(s->seq + s->len, rev->last_ack))
        return ANOMALY_RETRANSMISSION | ANOMALY_SPURIOUS_RETRANSMISSION;
    if (!fwd->seq_known || !seq_lt(s->seq, fwd->next) || (s->len > 1 && s->seq == fwd->next - 1))
        return 0;

    bool seen = ranges_cover(&fwd->seen, s->seq, s->end);
    int order = sent_order(s, fwd);
    if (order < 0 && (!seen || fwd->gave_up))
        return ANOMALY_OUT_OF_ORDER;
    if (looks_fast(f, s, rev))
        return ANOMALY_RETRANSMISSION | ANOMALY_FAST_RETRANSMISSION;
    if (!seen && order == 0 && s->ts_ns - fwd->next_ns < reorder_bound_ns(f) &&
        (fwd->next != s->end || fwd->next_len == 0))
        return ANOMALY_OUT_OF_ORDER;
    return ANOMALY_RETRANSMISSION;
}

static uint32_t classes(const struct flow *f, const struct segment *s, const struct track_half *fwd,
                        const struct track_half *rev)
{
    if (s->len == 1 && fwd->seq_known && s->seq == fwd->next && rev->window_known && rev->window == 0)
        return ANOMALY_ZERO_WINDOW_PROBE;

    uint32_t a = forward_oddities(f, s, fwd, rev) | repeated_ack(s, fwd, rev);
    if (s->flags & TCP_ACK && rev->seq_known && seq_gt(s->tcp->ack, rev->seen.edge) && !(s->flags & TCP_RST))
        a |= ANOMALY_ACKED_UNSEEN;
    if ((s->len || s->flags & (TCP_SYN | TCP_FIN)) && !(a & ANOMALY_KEEP_ALIVE))
        a |= old_segment(f, s, fwd, rev);
    return a;
}

/* --- moving on --- */

/* Adds what the segment carries to the bytes seen; SYN and FIN take a number each. */
static void remember_bytes(struct segment *s, struct track_half *fwd)
{
    uint32_t data = s->seq + (s->flags & TCP_SYN ? 1 : 0), given_up = 0;

    if (!fwd->seq_known)
        ranges_init(&fwd->seen, s->seq);
    if (s->flags & TCP_RST || (uint32_t)ABS((int64_t)seq_diff(s->seq, fwd->seen.edge)) >= FAR_AWAY ||
        s->len >= FAR_AWAY)
        return;
    if (s->flags & TCP_SYN)
        ranges_add(&fwd->seen, s->seq, s->seq + 1, &given_up);
    if (s->len)
        s->new_bytes = ranges_add(&fwd->seen, data, data + s->len, &given_up);
    if (s->flags & TCP_FIN)
        ranges_add(&fwd->seen, s->end - 1, s->end, &given_up);
    fwd->gave_up |= given_up != 0;
}

/* Moves the highest number on. A window probe does not: its byte is sent again where the receiver had no room. A RST's
 * number says nothing of what was sent. */
static void advance(const struct segment *s, struct track_half *fwd)
{
    bool higher = seq_gt(s->end, fwd->next) && !(s->anomaly & ANOMALY_ZERO_WINDOW_PROBE) && !(s->flags & TCP_RST);

    if (s->len > fwd->waiting_largest) {
        fwd->waiting_largest = s->len;
        fwd->waiting_end = s->end;
    } else if (s->anomaly & ANOMALY_RETRANSMISSION && s->len && s->len < fwd->waiting_largest &&
               seq_lt(s->seq, fwd->waiting_end)) {
        fwd->waiting_largest = 0; /* it may be acknowledged because its pieces arrived */
    }
    if (!fwd->seq_known || higher) {
        fwd->next = s->end;
        fwd->next_ns = s->ts_ns;
        fwd->next_len = s->len;
        fwd->next_ip_id = s->packet->ip.id;
        fwd->next_has_tsval = s->tcp->opt.present & TCPOPT_HAS_TIMESTAMPS;
        fwd->next_tsval = s->tcp->opt.tsval;
        if (s->seq != s->end)
            rtt_sent(&fwd->rtt, s->seq, s->end, s->ts_ns);
    } else if (s->anomaly & (ANOMALY_RETRANSMISSION | ANOMALY_OUT_OF_ORDER)) {
        rtt_resent(&fwd->rtt, s->seq, s->end);
    }
    fwd->seq_known = true;
}

static void acknowledge(struct flow *f, const struct segment *s, struct track_half *fwd, struct track_half *rev)
{
    uint32_t ack = s->tcp->ack;

    if (s->anomaly & ANOMALY_DUPLICATE_ACK)
        fwd->dup_acks++;
    else if (!fwd->ack_known || ack != fwd->last_ack)
        fwd->dup_acks = 0;
    fwd->last_ack = ack;
    fwd->highest_ack = fwd->ack_known ? seq_max(fwd->highest_ack, ack) : ack;
    fwd->ack_known = true;
    rtt_acked(&rev->rtt, ack, s->ts_ns, &f->half[s->side].rtt);
    if (rev->waiting_largest && rev->seq_known && seq_ge(ack, rev->waiting_end)) {
        struct half *sender = &f->half[other_side(s->side)];
        sender->acked_largest = MAX(sender->acked_largest, rev->waiting_largest);
        rev->waiting_largest = 0;
    }
    if (!rev->seq_known)
        return;
    if (seq_gt(ack, rev->seen.edge) && seq_diff(ack, rev->seen.edge) < (int32_t)FAR_AWAY)
        ranges_give_up(&rev->seen, ack); /* the receiver has it: the capture missed it */
    else if (ack == rev->next + 1)
        rev->next = ack; /* it took the byte of a window probe */
}

static void remember_sack(const struct segment *s, struct track_half *fwd)
{
    const struct tcp_options *o = &s->tcp->opt;

    fwd->n_sack = o->present & TCPOPT_HAS_SACK ? o->n_sack : 0;
    for (unsigned i = 0; i < fwd->n_sack; i++) {
        fwd->sack[i].left = o->sack[i].left;
        fwd->sack[i].right = o->sack[i].right;
    }
}

void classify_segment(struct flow *f, struct segment *s)
{
    struct track_half *fwd = &f->track->half[s->side], *rev = &f->track->half[other_side(s->side)];

    s->anomaly = classes(f, s, fwd, rev);
    s->unclear = s->anomaly & ANOMALY_RETRANSMISSION && s->len && unclear(s, fwd);
    if (s->tcp->checksum_bad)
        s->anomaly |= ANOMALY_BAD_CHECKSUM;
    remember_bytes(s, fwd);
    advance(s, fwd);
    if (s->flags & TCP_ACK && !(s->flags & TCP_RST))
        acknowledge(f, s, fwd, rev);
    remember_sack(s, fwd);
    fwd->last_ack_ns = s->ts_ns;
    if (!(s->flags & TCP_RST)) {
        fwd->window = s->tcp->window;
        fwd->window_known = true;
        fwd->window_scales = !(s->flags & TCP_SYN);
    }
    fwd->last_anomaly = s->anomaly;
}
