#include "flow/clock.h"

#include <glib.h>

void capture_clock_init(struct capture_clock *c)
{
    c->now_ns = c->strange_ns = TIME_NONE;
}

/* Whether a time follows another one as packets do: without overflow, whatever a file says. */
static bool follows(int64_t ts_ns, int64_t now_ns)
{
    uint64_t ahead_ns = (uint64_t)ts_ns - (uint64_t)now_ns;
    return ts_ns >= now_ns ? ahead_ns <= CLOCK_GAP_NS : -ahead_ns <= CLOCK_DISORDER_NS;
}

enum clock_news capture_clock_packet(struct capture_clock *c, int64_t ts_ns)
{
    if (c->now_ns == TIME_NONE || follows(ts_ns, c->now_ns)) {
        c->now_ns = MAX(c->now_ns, ts_ns);
        c->strange_ns = TIME_NONE;
        return CLOCK_RUNS;
    }
    if (c->strange_ns != TIME_NONE && follows(ts_ns, c->strange_ns))
        return CLOCK_JUMPED;
    c->strange_ns = ts_ns;
    return CLOCK_STRANGE;
}

void capture_clock_set(struct capture_clock *c, int64_t now_ns)
{
    c->now_ns = now_ns;
    c->strange_ns = TIME_NONE;
}

void capture_clock_until(struct capture_clock *c, int64_t now_ns)
{
    c->now_ns = MAX(c->now_ns, now_ns);
}
