/* zeek: Zeek's view of a connection, for people and programs that read conn.log: endpoint states, conn_state and the history string, in
 * Zeek's order of decision (FACTS 1; TCPSessionAdapter.cc, TCP_Endpoint.cc of Zeek 5).
 */
#ifndef TCPSLEUTH_FLOW_ZEEK_H
#define TCPSLEUTH_FLOW_ZEEK_H

#include "flow/track.h"

enum zeek_state {
    ZEEK_INACTIVE = 0, ZEEK_SYN_SENT, ZEEK_SYN_ACK_SENT, ZEEK_PARTIAL, ZEEK_ESTABLISHED, ZEEK_CLOSED, ZEEK_RESET
};

/* Takes a segment into account: endpoint states and history. Called before the tracker's own state moves on. */
void zeek_segment(struct flow *f, const struct segment *s);

/* Bytes of side `of` are missing though they were acknowledged: history letter g. */
void zeek_gap(struct flow *f, enum side of);

/* The flow's roles were exchanged: history letter ^. */
void zeek_flipped(struct flow *f);

/* "SF", "S0", ... */
const char *zeek_conn_state(const struct flow *f);

#endif
