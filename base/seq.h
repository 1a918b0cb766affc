/* seq: arithmetic on 32-bit TCP sequence numbers (RFC 9293 section 3.4): comparisons modulo 2^32, right while the two
 * numbers lie less than 2^31 apart. */
#ifndef TCPSLEUTH_BASE_SEQ_H
#define TCPSLEUTH_BASE_SEQ_H

#include <stdbool.h>
#include <stdint.h>

/* a - b as a signed distance. */
static inline int32_t seq_diff(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline bool seq_lt(uint32_t a, uint32_t b) { return seq_diff(a, b) < 0; }
static inline bool seq_le(uint32_t a, uint32_t b) { return seq_diff(a, b) <= 0; }
static inline bool seq_gt(uint32_t a, uint32_t b) { return seq_diff(a, b) > 0; }
static inline bool seq_ge(uint32_t a, uint32_t b) { return seq_diff(a, b) >= 0; }
static inline uint32_t seq_max(uint32_t a, uint32_t b) { return seq_gt(a, b) ? a : b; }

#endif
