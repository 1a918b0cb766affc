/* clock_watch: notices that time went on and nobody watched: the machine slept, or somebody set the clock. Then silence means nothing. */
#ifndef TCPSLEUTH_SRC_CLOCK_WATCH_H
#define TCPSLEUTH_SRC_CLOCK_WATCH_H

#include <stdint.h>

/* All zero: nothing known yet. */
struct clock_watch {
    int64_t apart_ns; /* the wall clock less the one that stands still while the machine sleeps */
    int known;
};

/* How far the wall clock jumped since the last call, beyond what passed by the other one (CLOCK_MONOTONIC); 0 where it is less than CLOCK_JUMP_NS. */
int64_t clock_watch_step(struct clock_watch *w, int64_t wall_ns, int64_t monotonic_ns);

#define CLOCK_JUMP_NS INT64_C(2000000000)

#endif
