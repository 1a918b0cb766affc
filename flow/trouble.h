/* trouble: what goes wrong on a flow, kept as counts, times and evidence (struct trouble of flow.h). */
#ifndef TCPSLEUTH_FLOW_TROUBLE_H
#define TCPSLEUTH_FLOW_TROUBLE_H

#include "flow/track.h"

/* The flow's trouble, made on first need. */
struct trouble *trouble_of(struct flow *f);

/* Counts the oddities of a classified segment and keeps its evidence: notes, losses, zero windows, fragments. */
void trouble_segment(struct flow *f, const struct segment *s);

/* A packet that the capture holds twice. */
void trouble_duplicate(struct flow *f, enum side s);

/* An ICMP error about a packet of side `about`. */
void trouble_icmp(struct flow *f, enum side about, const struct packet *p);

/* The flow is over: what was still open (stalls, unanswered packets) is added up. */
void trouble_finish(struct flow *f);

#endif
