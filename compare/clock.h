/* clock: how far the two captures' clocks are apart. The fastest packet of each way bounds the difference from one
 * side; in the middle of the bounds lies the estimate, as NTP makes it (RFC 5905 section 8), wrong by half of the
 * fastest round trip at most. Packets of a pair go both ways, so nothing else is needed than the times of those that
 * arrived.
 */
#ifndef TCPSLEUTH_COMPARE_CLOCK_H
#define TCPSLEUTH_COMPARE_CLOCK_H

#include "compare/pair.h"

/* The time that both captures share is looked at in so many parts, to see whether the clocks drift. */
#define CLOCK_PARTS 8

struct clock_offset {
    bool known;             /* packets arrived both ways */
    int64_t offset_ns;      /* the second file's clock less the first one's, at at_ns */
    int64_t uncertainty_ns; /* half of the fastest round trip */
    bool drifts;            /* the bounds of the first and the last part exclude one another */
    double drift_ppm;       /* how much faster the second clock runs, in millionths; valid where it drifts */
    double drift_uncertainty_ppm;
    int64_t at_ns;      /* time of the first file that the offset holds for; of the whole where it does not drift */
    struct span raw[2]; /* time at the other file less time at this one: [0] of what goes from the first file, [1] from
                           the second */
};

/* pairs: struct pair*, matched as far as they are certain. */
void clock_estimate(struct clock_offset *c, const GPtrArray *pairs);

/* The second clock less the first one at that time of the first file. */
int64_t clock_at(const struct clock_offset *c, int64_t first_ns);

/* Fills in way.delay, way.least_ns and way.most_ns of all pairs. */
void clock_apply(const struct clock_offset *c, const GPtrArray *pairs);

#endif
