/* count: what is counted of each direction: packets, bytes, segments as they were on the wire, times, TTLs, the question that waits for an
 * answer.
 */
#ifndef TCPSLEUTH_FLOW_COUNT_H
#define TCPSLEUTH_FLOW_COUNT_H

#include "flow/track.h"

/* Counts a segment. Called after classify_segment, which says what of it is new. */
void count_segment(struct flow *f, const struct segment *s);

#endif
