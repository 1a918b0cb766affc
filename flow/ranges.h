/* ranges: which bytes of one direction's sequence space have been seen: a contiguous part up to `edge` and islands above it.
 *
 * Sequence numbers are 32-bit and wrap; all of a set lies within 2^31. The islands are sorted, apart from each other and bounded by
 * LIMIT_ISLANDS, so adding a range costs at most one short memmove. When there is no room the lowest hole is given up: the edge
 * moves over it.
 */
#ifndef TCPSLEUTH_FLOW_RANGES_H
#define TCPSLEUTH_FLOW_RANGES_H

#include <stdbool.h>
#include <stdint.h>

struct range {
    uint32_t from, to; /* [from, to) */
};

struct ranges {
    uint32_t edge;          /* all below was seen, or given up */
    uint32_t n, capacity;
    struct range *islands;  /* NULL where there is none; sorted, the first is the lowest */
};

/* An empty set that begins at edge. */
void ranges_init(struct ranges *r, uint32_t edge);
void ranges_clear(struct ranges *r);

/* Adds [from, to), to > from; returns how many bytes of it are new. *given_up is increased by the bytes of a hole that was given up
 * because there was no room. */
uint32_t ranges_add(struct ranges *r, uint32_t from, uint32_t to, uint32_t *given_up);

/* Whether all of [from, to) has been seen. */
bool ranges_cover(const struct ranges *r, uint32_t from, uint32_t to);

/* Moves the edge to at least `to`: the bytes up to there will not come any more. Returns how many of them were never seen. */
uint32_t ranges_give_up(struct ranges *r, uint32_t to);

#endif
