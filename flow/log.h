/* log: which packets of a flow are remembered, so that its report can draw them (flow->log).
 *
 * What proves a verdict is known when the flow is judged, long after its packets came, and a capture is read once. So each flow that is
 * followed has its first packets and its last ones at hand, in its working memory; where something is odd, those around it are put into
 * flow->log, which is made then and bounded (LIMIT_LADDER). Of the flow that --flow draws every packet goes there (LIMIT_LOG).
 */
#ifndef TCPSLEUTH_FLOW_LOG_H
#define TCPSLEUTH_FLOW_LOG_H

#include "flow/track.h"

/* s is the flow's newest packet, classified and counted. */
static inline void log_segment(struct flow *f, const struct segment *s);

/* The newest packet is worth remembering: it, those right before it, and the next. The first time all that is at hand. */
void log_keep(struct flow *f);

/* Every packet from now on is to be kept: before the first. */
void log_all(struct flow *f);

/* The flow is over, r what it had at hand: that goes to flow->log, too, which is in order then. */
void log_complete(struct flow *f, struct log_recent *r);

/* --- the rest is for log_segment, which every packet passes --- */

void log_keep_newest(struct flow *f);

static inline struct log_entry *log_at(struct log_recent *r, uint32_t nth)
{
    return &r->entries[nth < LOG_FIRST ? nth : LOG_FIRST + nth % LOG_LAST];
}

static inline void log_segment(struct flow *f, const struct segment *s)
{
    struct log_recent *r = &f->track->log;
    struct log_entry *e = log_at(r, r->n);

    e->packet = s->packet->number;
    e->ts_ns = s->ts_ns;
    e->seq = s->tcp->seq; /* what follows from other fields is left to log.c, for those that are kept */
    e->ack = s->tcp->ack;
    e->flags = s->tcp->flags;
    e->window = s->tcp->window;
    e->len = s->len;
    e->anomaly = s->anomaly;
    e->side = (uint8_t)s->side;
    e->state[CLIENT] = f->half[CLIENT].state;
    e->state[SERVER] = f->half[SERVER].state;
    e->kept = false;
    if (++r->n <= r->until)
        log_keep_newest(f);
}

#endif
