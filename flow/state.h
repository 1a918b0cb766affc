/* state: the RFC 9293 state of each end after every packet, so that a report reads like ss(8).
 *
 * A capture shows packets, not arrivals. An end moves on what it sent and on what it proved to have received: a SYN-ACK or FIN counts as
 * arrived when it is acknowledged. A packet that nobody answers (the last ACK, a RST) counts as arrived.
 */
#ifndef TCPSLEUTH_FLOW_STATE_H
#define TCPSLEUTH_FLOW_STATE_H

#include "flow/track.h"

/* Moves both ends' states and the FIN facts on. Called after classify_segment. `reset` tells whether a RST in it counts. */
void state_segment(struct flow *f, const struct segment *s, bool reset);

#endif
