#include "flow/rtt.h"

#include "base/limits.h"
#include "base/seq.h"

#include <glib.h>
#include <string.h>

void rtt_init(struct rtt_queue *q)
{
    q->ring = NULL;
    q->head = q->count = 0;
    q->capacity = RTT_INLINE;
}

void rtt_clear(struct rtt_queue *q)
{
    g_free(q->ring);
    rtt_init(q);
}

/* capacity is a power of two. */
static struct rtt_segment *at(struct rtt_queue *q, uint32_t i)
{
    struct rtt_segment *ring = q->ring ? q->ring : q->first;
    return &ring[(q->head + i) & (q->capacity - 1)];
}

static void grow(struct rtt_queue *q)
{
    struct rtt_segment *ring = g_new(struct rtt_segment, (gsize)q->capacity * 2);

    for (uint32_t i = 0; i < q->count; i++)
        ring[i] = *at(q, i);
    g_free(q->ring);
    q->ring = ring;
    q->head = 0;
    q->capacity *= 2;
}

void rtt_sent(struct rtt_queue *q, uint32_t from, uint32_t to, int64_t ts_ns)
{
    if (q->count == q->capacity) {
        if (q->count >= LIMIT_UNACKED_SEGMENTS)
            return;
        grow(q);
    }
    q->count++;
    *at(q, q->count - 1) = (struct rtt_segment){ .ts_ns = ts_ns, .from = from, .to = to };
}

void rtt_resent(struct rtt_queue *q, uint32_t from, uint32_t to)
{
    uint32_t low = 0, high = q->count;

    while (low < high) { /* the first segment that ends behind `from` */
        uint32_t middle = low + (high - low) / 2;
        if (seq_le(at(q, middle)->to, from))
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < q->count && seq_lt(at(q, low)->from, to); low++)
        at(q, low)->ts_ns = TIME_NONE;
}

void rtt_settle(struct rtt_queue *q, uint32_t ack, int64_t ts_ns, struct minmax *m)
{
    while (q->count && seq_le(at(q, 0)->to, ack)) {
        const struct rtt_segment *s = at(q, 0);
        if (s->to == ack && s->ts_ns != TIME_NONE && ts_ns >= s->ts_ns)
            minmax_add(m, ts_ns - s->ts_ns);
        q->head = (q->head + 1) & (q->capacity - 1);
        q->count--;
    }
}
