#include "flow/state.h"

#include "base/seq.h"

/* The peer's FIN was acknowledged by `me`. */
static void fin_acked(struct flow *f, enum side me)
{
    struct half *mine = &f->half[me], *peer = &f->half[other_side(me)];

    peer->fin_acked = true;
    switch ((enum tcp_state)peer->state) {
    case STATE_FIN_WAIT_1: peer->state = STATE_FIN_WAIT_2; break;
    case STATE_CLOSING: peer->state = STATE_TIME_WAIT; break;
    case STATE_LAST_ACK: peer->state = STATE_CLOSED; break;
    default: break;
    }
    switch ((enum tcp_state)mine->state) {
    case STATE_NONE:
    case STATE_SYN_SENT:
    case STATE_SYN_RECEIVED:
    case STATE_ESTABLISHED: mine->state = STATE_CLOSE_WAIT; break;
    case STATE_FIN_WAIT_1: mine->state = STATE_CLOSING; break;
    case STATE_FIN_WAIT_2: mine->state = STATE_TIME_WAIT; break;
    default: break;
    }
}

static void fin_sent(struct flow *f, const struct segment *s)
{
    struct half *mine = &f->half[s->side];

    if (!mine->fin) {
        mine->fin = true;
        mine->fin_packet = s->packet->number;
        mine->fin_ns = s->ts_ns;
    }
    f->track->half[s->side].fin_end = s->end;
    if (mine->state == STATE_CLOSE_WAIT)
        mine->state = STATE_LAST_ACK;
    else if (mine->state <= STATE_ESTABLISHED)
        mine->state = STATE_FIN_WAIT_1;
}

static void syn_sent(struct flow *f, const struct segment *s)
{
    struct half *mine = &f->half[s->side], *peer = &f->half[other_side(s->side)];

    if (mine->state > STATE_SYN_RECEIVED)
        return;
    if (s->flags & TCP_ACK) {
        mine->state = STATE_SYN_RECEIVED;
    } else if (mine->state == STATE_NONE) {
        mine->state = STATE_SYN_SENT;
        if (peer->state == STATE_SYN_SENT) /* RFC 9293 figure 7: simultaneous open */
            f->simultaneous = true;
    }
}

/* An ACK from `me`: its own handshake is over where it acknowledges the peer's SYN, the peer's where it acknowledges
 * that one's. */
static void acked(struct flow *f, const struct segment *s)
{
    enum side me = s->side;
    struct half *mine = &f->half[me], *peer = &f->half[other_side(me)];
    const struct track_half *rev = &f->track->half[other_side(me)];
    bool covers_syn = rev->isn_known && seq_gt(s->tcp->ack, peer->isn);

    if (!(s->flags & TCP_SYN) && (mine->state == STATE_NONE || (covers_syn && mine->state <= STATE_SYN_RECEIVED)))
        mine->state = STATE_ESTABLISHED;
    if (covers_syn && peer->state == STATE_SYN_RECEIVED)
        peer->state = STATE_ESTABLISHED;
    if (peer->fin && !peer->fin_acked && seq_ge(s->tcp->ack, rev->fin_end))
        fin_acked(f, me);
}

void state_segment(struct flow *f, const struct segment *s, bool reset)
{
    if (f->half[CLIENT].state == STATE_ESTABLISHED && f->half[SERVER].state == STATE_ESTABLISHED &&
        !(s->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
        return; /* most packets change nothing */
    if (s->flags & TCP_RST) {
        if (reset)
            f->half[CLIENT].state = f->half[SERVER].state = STATE_CLOSED;
        return;
    }
    if (f->reset.packet && !(s->flags & TCP_SYN))
        return; /* what still comes was on the way when the connection died */
    if (s->flags & TCP_SYN)
        syn_sent(f, s);
    if (s->flags & TCP_ACK)
        acked(f, s);
    else if (!(s->flags & TCP_SYN) && f->half[s->side].state == STATE_NONE)
        f->half[s->side].state = STATE_ESTABLISHED;
    if (s->flags & TCP_FIN)
        fin_sent(f, s);
}
