/* minmax: running minimum, mean and maximum of durations. All zero is the empty value. */
#ifndef TCPSLEUTH_BASE_MINMAX_H
#define TCPSLEUTH_BASE_MINMAX_H

#include <stdint.h>

struct minmax {
    int64_t min_ns, max_ns, sum_ns; /* valid where samples > 0 */
    uint64_t samples;
};

static inline void minmax_add(struct minmax *m, int64_t value_ns)
{
    if (m->samples == 0 || value_ns < m->min_ns)
        m->min_ns = value_ns;
    if (m->samples == 0 || value_ns > m->max_ns)
        m->max_ns = value_ns;
    m->sum_ns += value_ns;
    m->samples++;
}

static inline int64_t minmax_mean_ns(const struct minmax *m)
{
    return m->samples ? m->sum_ns / (int64_t)m->samples : 0;
}

#endif
