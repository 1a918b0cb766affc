/* random: xorshift64*: small, fast, the same numbers on every machine. The state is any number but 0. */
#ifndef TCPSLEUTH_BENCH_RANDOM_H
#define TCPSLEUTH_BENCH_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((random_next(state) >> 32) * limit >> 32);
}

#endif
