#include "flow/sizes.h"

#include "base/seq.h"
#include "flow/trouble.h"

#define LARGE 1000 /* payload bytes: far more than what fits through the smallest MTU in use */

/* Payload bytes of one packet on the wire: what segmentation offload shows is cut to the MSS behind the capture. */
static uint32_t wire_len(const struct flow *f, const struct segment *s)
{
    uint16_t mss = f->half[other_side(s->side)].offer.mss;
    return mss ? MIN(s->len, mss) : s->len;
}

static void watch_stuck(struct flow *f, const struct segment *s)
{
    struct stuck *k = &trouble_of(f)->losses[s->side].stuck;
    const struct track_half *peer = &f->track->half[other_side(s->side)];
    uint32_t len = wire_len(f, s);

    if (k->retries && k->seq == s->seq && k->ack == peer->highest_ack && !k->over) {
        k->retries += len >= k->size;
        if (len < k->size && !k->smaller)
            k->smaller = len;
        return;
    }
    if (len < LARGE || !peer->ack_known || k->retries >= 3) /* the first long one is told */
        return;
    *k = (struct stuck){
        .retries = 1, .seq = s->seq, .ack = peer->highest_ack, .size = len, .packet = s->packet->number
    };
    k->passed = f->half[s->side].acked_largest;
    for (unsigned i = 0; i < peer->n_sack; i++)
        k->small_passed |= peer->sack[i].right - peer->sack[i].left < len;
}

/* Sent again, and no smaller than what an ICMP error said does not fit. */
static void watch_too_large(struct flow *f, const struct segment *s)
{
    struct losses *l = &f->trouble->losses[s->side];
    const struct icmp_note *n = &l->told.least;

    if (!l->told.times || wire_len(f, s) < s->len)
        return;
    if (n->mtu ? s->packet->ip.total_len <= n->mtu : s->packet->ip.total_len < n->quoted_len)
        return;
    if (l->too_large++ == 0)
        l->too_large_packet = s->packet->number;
}

void sizes_sent_again(struct flow *f, const struct segment *s)
{
    watch_stuck(f, s);
    watch_too_large(f, s);
}

void sizes_answered(struct flow *f, const struct segment *s)
{
    struct stuck *k = &f->trouble->losses[other_side(s->side)].stuck;
    const struct tcp_options *o = &s->tcp->opt;
    uint32_t ack = f->track->half[s->side].highest_ack;

    if (k->retries && !k->over && ack != k->ack) {
        k->over = true;
        k->healed = k->smaller && ack - k->ack <= k->smaller;
    }
    for (unsigned i = 0; k->retries && o->present & TCPOPT_HAS_SACK && i < o->n_sack; i++)
        k->small_passed |= o->sack[i].right - o->sack[i].left < k->size;
}

bool sizes_is_too_big(const struct packet *p)
{
    return p->icmp.quoted_version == 6 ? p->icmp.type == 2 : p->icmp.type == 3 && p->icmp.code == 4;
}

/* Errors about one flight come closer together than that. */
#define FLIGHT_NS NS_PER_S

/* What the error quotes goes to the bytes that it, and others of the same flight, ask for again. The quotation does not say how long the
 * TCP header is: without options it is shortest. */
static void ask_again(struct told_size *t, const struct icmp_note *n, uint32_t headers)
{
    uint32_t from = n->quoted_seq, to = from + (n->quoted_len > headers ? n->quoted_len - headers : 1);
    bool same_flight = t->from != t->to && n->ts_ns - t->last_ns < FLIGHT_NS;

    if (!n->quotes_seq)
        return;
    t->from = same_flight && seq_lt(t->from, from) ? t->from : from;
    t->to = same_flight && seq_gt(t->to, to) ? t->to : to;
}

bool sizes_told(struct told_size *t, const struct icmp_note *n, uint32_t headers)
{
    bool news = !t->times || (n->mtu && (!t->least.mtu || n->mtu < t->least.mtu));

    ask_again(t, n, headers);
    t->times++;
    t->last_packet = n->packet;
    t->last_ns = n->ts_ns;
    if (news)
        t->least = *n;
    return news;
}
