#include "src/clock_watch.h"

int64_t clock_watch_step(struct clock_watch *w, int64_t wall_ns, int64_t monotonic_ns)
{
    int64_t apart_ns = wall_ns - monotonic_ns, jump_ns = w->known ? apart_ns - w->apart_ns : 0;

    w->apart_ns = apart_ns;
    w->known = 1;
    return jump_ns >= CLOCK_JUMP_NS || jump_ns <= -CLOCK_JUMP_NS ? jump_ns : 0;
}
