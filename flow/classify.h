/* classify: what is odd about a segment, in Wireshark's classes (FACTS: packet-tcp.c), settled by IP-ID, timestamps and the bytes really
 * seen where Wireshark guesses from times alone. docs/anomalies.md lists the differences.
 */
#ifndef TCPSLEUTH_FLOW_CLASSIFY_H
#define TCPSLEUTH_FLOW_CLASSIFY_H

#include "flow/track.h"

enum {
    ANOMALY_RETRANSMISSION = 1 << 0,          /* set with the next two as well */
    ANOMALY_FAST_RETRANSMISSION = 1 << 1,
    ANOMALY_SPURIOUS_RETRANSMISSION = 1 << 2,
    ANOMALY_OUT_OF_ORDER = 1 << 3,
    ANOMALY_DUPLICATE_ACK = 1 << 4,
    ANOMALY_LOST_SEGMENT = 1 << 5,            /* bytes before this segment were not seen (yet) */
    ANOMALY_ACKED_UNSEEN = 1 << 6,            /* acknowledges what the capture does not hold */
    ANOMALY_ZERO_WINDOW = 1 << 7,
    ANOMALY_WINDOW_FULL = 1 << 8,
    ANOMALY_KEEP_ALIVE = 1 << 9,
    ANOMALY_KEEP_ALIVE_ACK = 1 << 10,
    ANOMALY_ZERO_WINDOW_PROBE = 1 << 11,
    ANOMALY_ZERO_WINDOW_PROBE_ACK = 1 << 12,
    ANOMALY_WINDOW_UPDATE = 1 << 13,
    ANOMALY_CAPTURE_DUPLICATE = 1 << 14,
    ANOMALY_BAD_CHECKSUM = 1 << 15,
};

/* "retransmission", "out of order", ... for one bit; NULL for a bit that is none. */
const char *anomaly_name(uint32_t bit);

/* Whether this very packet was seen before: the capture holds it twice (a mirror port that sees both directions, "any"). Remembers it. */
bool classify_is_duplicate(struct flow *f, const struct segment *s);

/* Fills s->anomaly and s->new_bytes and moves the direction's sequence state on. */
void classify_segment(struct flow *f, struct segment *s);

/* The receive window that side s announced last, in bytes; 0 also where it is not known. */
uint32_t classify_window(const struct flow *f, enum side s);

/* The shift count that applies to windows of side s; 0 where scaling was not agreed on, -1 where that is not known (mid-stream). */
int classify_wscale(const struct flow *f, enum side s);

#endif
