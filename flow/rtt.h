/* rtt: round-trip times from segments and their ACKs. A ring of the segments of one direction that wait for their ACK, in order of
 * sequence number; an ACK that ends exactly where a segment ends gives a sample, unless the segment was sent twice (Karn's
 * algorithm, RFC 6298 section 3).
 */
#ifndef TCPSLEUTH_FLOW_RTT_H
#define TCPSLEUTH_FLOW_RTT_H

#include "base/minmax.h"
#include "base/timens.h"

#include <stdbool.h>
#include <stdint.h>

struct rtt_segment {
    int64_t ts_ns; /* TIME_NONE: sent twice */
    uint32_t from, to;
};

#define RTT_INLINE 2

struct rtt_queue {
    struct rtt_segment first[RTT_INLINE]; /* used while few wait: most connections need no more */
    struct rtt_segment *ring;             /* NULL: `first` is the ring */
    uint32_t head, count, capacity;
};

void rtt_init(struct rtt_queue *q);
void rtt_clear(struct rtt_queue *q);

/* A segment [from, to) of new data (SYN and FIN count) was sent. Beyond LIMIT_UNACKED_SEGMENTS it is not remembered. */
void rtt_sent(struct rtt_queue *q, uint32_t from, uint32_t to, int64_t ts_ns);

/* [from, to) was sent again: no sample from it. */
void rtt_resent(struct rtt_queue *q, uint32_t from, uint32_t to);

/* An ACK: forgets what it covers, adds a sample to m where it fits. */
void rtt_settle(struct rtt_queue *q, uint32_t ack, int64_t ts_ns, struct minmax *m);
static inline void rtt_acked(struct rtt_queue *q, uint32_t ack, int64_t ts_ns, struct minmax *m)
{
    if (q->count)
        rtt_settle(q, ack, ts_ns, m);
}

#endif
