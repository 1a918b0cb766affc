/* span: smallest, largest and mean difference of times that lie on different clocks: hours apart, a million of them,
 * without overflow (minmax of base/ adds up whole numbers). All zero is the empty value.
 */
#ifndef TCPSLEUTH_COMPARE_SPAN_H
#define TCPSLEUTH_COMPARE_SPAN_H

#include <stdint.h>

struct span {
    int64_t min_ns, max_ns; /* valid where samples > 0 */
    double sum_ns;
    uint64_t samples;
};

static inline void span_add(struct span *s, int64_t ns)
{
    if (s->samples == 0 || ns < s->min_ns)
        s->min_ns = ns;
    if (s->samples == 0 || ns > s->max_ns)
        s->max_ns = ns;
    s->sum_ns += (double)ns;
    s->samples++;
}

static inline int64_t span_mean_ns(const struct span *s)
{
    return s->samples ? (int64_t)(s->sum_ns / (double)s->samples) : 0;
}

#endif
