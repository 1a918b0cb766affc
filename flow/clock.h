/* clock: the time of a capture, told from the time stamps of its packets. These need not run evenly: packets of several queues come a
 * little out of order, a damaged or merged file holds one from another year, and where the clock of the capturing machine was set (NTP
 * soon after a boot without a battery) all that follows is hours or decades off. Silence is measured by this time, so a jump of it must
 * not look like one. */
#ifndef TCPSLEUTH_FLOW_CLOCK_H
#define TCPSLEUTH_FLOW_CLOCK_H

#include "base/timens.h"

#include <stdbool.h>

/* So far back is disorder: receive queues, interfaces and files that were merged. Beyond it somebody set the clock. */
#define CLOCK_DISORDER_NS (2 * NS_PER_S)
/* So far ahead nobody captured in between: a busy capture never, a filtered one hardly has a day without a packet; and what was
 * open then nobody can tell the end of. */
#define CLOCK_GAP_NS (24 * 3600 * NS_PER_S)

struct capture_clock {
    int64_t now_ns;     /* the latest that is believed; TIME_NONE: no packet yet */
    int64_t strange_ns; /* of the packet before, where it was not believed; else TIME_NONE */
};

void capture_clock_init(struct capture_clock *c);

enum clock_news {
    CLOCK_RUNS,    /* now_ns is that of the packet, or a little later */
    CLOCK_STRANGE, /* the packet is from another time, and the first one that is: now_ns stays */
    CLOCK_JUMPED   /* the second one in a row is: it is the clock. now_ns stays until capture_clock_set */
};

/* What the time stamp of the next packet says. */
enum clock_news capture_clock_packet(struct capture_clock *c, int64_t ts_ns);

/* It is so late from now on, whatever it was before. */
void capture_clock_set(struct capture_clock *c, int64_t now_ns);

/* Time went on until then, though no packet came. */
void capture_clock_until(struct capture_clock *c, int64_t now_ns);

#endif
