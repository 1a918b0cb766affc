#include "flow/handshake.h"

#include "base/seq.h"

/* A SYN begins this direction's numbers, whatever was guessed from packets of an older connection. */
static void restart_numbers(struct track_half *fwd, struct track_half *rev)
{
    ranges_clear(&fwd->seen);
    rtt_clear(&fwd->rtt);
    fwd->seq_known = false;
    rev->ack_known = false;
}

/* The numbers that relative ones are counted from: the SYN's; of a flow met in the middle one below the first seen. */
void handshake_numbers(struct flow *f, const struct segment *s)
{
    struct track_half *fwd = &f->track->half[s->side], *rev = &f->track->half[other_side(s->side)];
    bool syn = s->flags & TCP_SYN && (!f->half[s->side].offer.seen || (s->flags & TCP_ACK && !f->ack_packet));

    if (syn && fwd->isn_known && f->half[s->side].isn != s->seq)
        restart_numbers(fwd, rev);
    if (!fwd->isn_known || syn) {
        f->half[s->side].isn = s->flags & TCP_SYN ? s->seq : s->seq - 1;
        fwd->isn_known = true;
    }
    if (!rev->isn_known && s->flags & TCP_ACK) {
        f->half[other_side(s->side)].isn = s->tcp->ack - 1;
        rev->isn_known = true;
    }
}

static void read_offer(struct half *h, const struct packet *p)
{
    const struct tcp_facts *tcp = &p->tcp;
    const struct tcp_options *o = &tcp->opt;
    uint16_t ecn = tcp->flags & (TCP_ECE | TCP_CWR);

    h->offer = (struct tcp_offer){
        .seen = true,
        .cut = o->present & TCPOPT_CUT,
        .sack = o->present & TCPOPT_HAS_SACK_OK,
        .timestamps = o->present & TCPOPT_HAS_TIMESTAMPS,
        .fastopen = o->present & TCPOPT_HAS_FASTOPEN,
        .mptcp = o->present & TCPOPT_HAS_MPTCP,
        .ecn = tcp->flags & TCP_ACK ? ecn == TCP_ECE : ecn == (TCP_ECE | TCP_CWR),
        .wscale = o->present & TCPOPT_HAS_WSCALE ? (int8_t)MIN(o->wscale, 127) : -1,
        .mss = o->present & TCPOPT_HAS_MSS ? o->mss : 0,
        .window = tcp->window,
        .dscp = p->ip.dscp,
    };
}

static void note_syn(struct flow *f, const struct segment *s)
{
    f->syns++;
    if (!f->first_syn_packet)
        f->first_syn_packet = s->packet->number;
    if (!f->synack_packet) { /* the last transmission before the answer */
        f->syn_packet = s->packet->number;
        f->syn_ns = s->ts_ns;
    }
}

static void note_synack(struct flow *f, const struct segment *s)
{
    f->synacks++;
    if (!f->synack_packet) {
        f->synack_packet = s->packet->number;
        f->synack_ns = s->ts_ns;
    }
    if (!f->ack_packet)
        f->synack_last_ns = s->ts_ns;
}

void handshake_segment(struct flow *f, const struct segment *s)
{
    if (s->flags & TCP_SYN) {
        if (s->flags & (TCP_RST | TCP_FIN))
            return;
        read_offer(&f->half[s->side], s->packet);
        if (s->flags & TCP_ACK)
            note_synack(f, s);
        else
            note_syn(f, s);
    } else if (!f->ack_packet && s->side == CLIENT && f->synack_packet && s->flags & TCP_ACK && !(s->flags & TCP_RST) &&
               seq_gt(s->tcp->ack, f->half[SERVER].isn)) {
        f->ack_packet = s->packet->number;
        f->ack_ns = s->ts_ns;
    }
}

/* Wireshark's tcp.completeness: SYN 1 (of a connection that begins with it), SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32.
 */
void handshake_completeness(struct flow *f, const struct segment *s, bool first)
{
    uint16_t syn_ack = s->flags & (TCP_SYN | TCP_ACK);

    if (syn_ack == TCP_ACK)
        f->completeness |= s->len ? 8 : 4;
    else if (syn_ack == (TCP_SYN | TCP_ACK))
        f->completeness |= 2;
    else if (first && syn_ack == TCP_SYN)
        f->completeness |= s->len ? 1 | 8 : 1;
    if ((s->flags & (TCP_FIN | TCP_ACK)) == (TCP_FIN | TCP_ACK))
        f->completeness |= 16;
    if (s->flags & TCP_RST)
        f->completeness |= 32;
}
