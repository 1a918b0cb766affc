#include "flow/reset.h"

#include "base/seq.h"
#include "flow/classify.h"

/* Whether the other end would believe this RST: RFC 9293 section 3.10.7, with room for a capture that missed packets.
 */
static bool reset_counts(const struct flow *f, const struct segment *s)
{
    const struct track_half *rev = &f->track->half[other_side(s->side)];

    if (f->half[s->side].state == STATE_SYN_SENT && s->seq != f->track->half[s->side].next)
        return false; /* RFC 9293 section 3.10.7.3: the answer to an ACK of an old connection; the SYN goes on */
    if (f->half[other_side(s->side)].state == STATE_SYN_SENT)
        return s->flags & TCP_ACK ? s->tcp->ack == rev->next : true;
    if (!rev->ack_known)
        return true;
    uint32_t window = MAX(classify_window(f, other_side(s->side)), 65535);
    return seq_ge(s->seq, rev->highest_ack - 65535) && seq_le(s->seq, rev->highest_ack + window);
}

/* Sent so long ago, and not again: it was acknowledged by a packet that the capture does not hold (RFC 6298: the first
 * time-out is 1 s). */
#define REPEATED_BY_THEN_NS (3 * NS_PER_S)

/* Whether that side waits for an acknowledgement of more than its FIN. */
static bool owed(const struct flow *f, enum side s, int64_t now_ns)
{
    const struct half *h = &f->half[s];

    if (track_unacked(f, s) <= (h->fin && !h->fin_acked ? 1 : 0))
        return false;
    return h->last_data_ns == TIME_NONE || now_ns - h->last_data_ns < REPEATED_BY_THEN_NS ||
           f->track->half[s].tail_retries;
}

/* Packets that one sender sends within so short a time may change places. */
#define REORDERED_NS (3 * NS_PER_MS)

/* New data or a FIN from the end that had reset the connection: the RST was not its own. */
static bool speaks_on(const struct flow *f, const struct segment *s)
{
    return s->side == f->reset.by && !(s->flags & TCP_RST) && (s->new_bytes || s->flags & TCP_FIN) &&
           seq_gt(s->end, f->reset.seq) && s->ts_ns - f->reset.ts_ns > REORDERED_NS;
}

bool reset_segment(struct flow *f, const struct segment *s)
{
    if (f->reset.packet) {
        f->reset.spoke_on |= speaks_on(f, s);
        if (s->flags & TCP_RST && s->side == f->reset.by && s->packet->ip.ttl != f->reset.ttl &&
            s->packet->ip.ttl == f->half[s->side].ttl)
            f->reset.own_ttl = s->packet->ip.ttl;
        return false;
    }
    if (!(s->flags & TCP_RST) || !reset_counts(f, s))
        return false;
    f->reset.packet = s->packet->number;
    f->reset.ts_ns = s->ts_ns;
    f->reset.by = (uint8_t)s->side;
    const struct track_half *other = &f->track->half[other_side(s->side)];
    f->reset.idle_ns = other->tail_first ? other->tail_idle_ns : 0;
    f->reset.answers_probe = other->tail_first && other->tail_probes && !other->tail_retries;
    f->reset.ttl = s->packet->ip.ttl;
    f->reset.seq = s->seq;
    if (s->flags & TCP_ACK && f->track->half[s->side].seq_known && f->half[s->side].packets)
        f->reset.ahead = (uint32_t)MAX(seq_diff(s->seq, f->track->half[s->side].seen.edge), 0);
    if (s->flags & TCP_ACK && other->seq_known && s->tcp->ack == other->next && other->next_len)
        f->reset.answers_ns = s->ts_ns - other->next_ns;
    for (int e = CLIENT; e <= SERVER; e++) {
        f->reset.after_fin[e] = f->half[e].fin;
        f->reset.owed[e] = owed(f, (enum side)e, s->ts_ns);
    }
    if (s->flags & TCP_ACK && other->seq_known && seq_ge(s->tcp->ack, other->next))
        f->reset.owed[other_side(s->side)] = false; /* the RST itself acknowledges all that came */
    return true;
}

void reset_last_data(struct flow *f, const struct segment *s)
{
    if (s->flags & TCP_FIN && s->side == CLIENT && f->half[CLIENT].fin_packet == s->packet->number)
        f->reset.asked_at_fin = f->asked_ns != TIME_NONE || s->new_bytes;
    if (!s->len || f->reset.packet || s->anomaly & ANOMALY_KEEP_ALIVE)
        return; /* the byte of a keep-alive (Windows sends one) says nothing */
    f->reset.last_data = (uint8_t)s->side;
    if (f->half[other_side(s->side)].fin && !f->half[s->side].fin) {
        f->reset.data_after_fin = true;
        f->reset.bytes_after_fin += s->new_bytes;
    }
}
