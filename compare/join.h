/* join: which of these is which of those: finds partners in two sets by the marks that they have in common. It knows
 * nothing of packets: a mark is a number that its owner has and few others do.
 *
 * Takes n log n steps for n marks, whatever they are: a mark that more than LIMIT_MARK_OWNERS of a set have is no mark.
 */
#ifndef TCPSLEUTH_COMPARE_JOIN_H
#define TCPSLEUTH_COMPARE_JOIN_H

#include "base/side.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct mark {
    uint64_t value; /* of all that makes it what it is, hashed */
    uint32_t owner;
    uint8_t side;   /* enum side: which end of the owner it stands for */
    uint8_t weight; /* how much it proves */
    uint8_t kind;   /* below 32: what sort of mark it is; the sorts of a pair's marks are told in `kinds` */
};

struct partner {
    uint32_t a, b;
    uint32_t score; /* of the weights of what they share */
    uint32_t kinds; /* bits 1 << kind */
    bool crossed;   /* what is the client of a is the server of b: one of them began in mid-stream */
};

/* Mixes a value into a hash; begin with 0. */
static inline uint64_t mark_mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* The partners of two sets, struct partner in order of a: each owner has one at most, the one that it shares most with,
 * and not below `least`; equals in the order of a, then b. Sorts both arrays of struct mark. Free with g_array_free. */
GArray *join_marks(GArray *a, GArray *b, uint32_t least);

#endif
