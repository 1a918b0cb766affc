/* sizes: whether large packets pass where small ones do, and what ICMP says of it (RFC 1191, RFC 8201): what the rules of path MTU
 * discovery stand on. */
#ifndef TCPSLEUTH_FLOW_SIZES_H
#define TCPSLEUTH_FLOW_SIZES_H

#include "flow/track.h"

/* A segment with data that was sent before. */
void sizes_sent_again(struct flow *f, const struct segment *s);

/* The other end's ACKs and SACK blocks: something smaller than what is stuck may have passed. f->trouble is there. */
void sizes_answered(struct flow *f, const struct segment *s);

/* Whether the ICMP error says that a packet does not fit. */
bool sizes_is_too_big(const struct packet *p);

/* Takes such an error, of a flow whose packets have so many bytes of headers (flow_headers). Whether it tells something new: that packets are
 * too big at all, or for a smaller MTU. */
bool sizes_told(struct told_size *t, const struct icmp_note *n, uint32_t headers);

#endif
