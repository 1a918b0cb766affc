/* handshake: what SYN, SYN-ACK and their ACK say: the initial numbers, both sides' offers, the times, and Wireshark's completeness
 * (RFC 9293 section 3.5; packet-tcp.c, tcp.completeness).
 */
#ifndef TCPSLEUTH_FLOW_HANDSHAKE_H
#define TCPSLEUTH_FLOW_HANDSHAKE_H

#include "flow/track.h"

/* The numbers that relative ones are counted from: the SYN's; of a flow met in the middle one below the first seen. Called before
 * everything that counts with them. */
void handshake_numbers(struct flow *f, const struct segment *s);

/* Offers, numbers and times of the packets of the handshake. Called after classify_segment. */
void handshake_segment(struct flow *f, const struct segment *s);

/* Adds to f->completeness; `first`: it is the flow's first packet. */
void handshake_completeness(struct flow *f, const struct segment *s, bool first);

#endif
