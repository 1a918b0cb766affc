/* compare: two captures of the same connections, from their two ends, held against each other.
 *
 * A connection is recognised by what a NAT leaves alone (marks.h), its packets by what tells copies apart (match.c).
 * Then each packet that only one capture has was lost, forged, or overlooked by the other capture (fate.c), and each
 * that both have tells what was rewritten (change.c) and how far the clocks are apart (clock.h). Nothing is said of a
 * time that only one of the captures covers.
 *
 * Which capture is nearer to the client is seen for each pair by the TTLs and the round trips; where these say nothing
 * it is the first one.
 */
#ifndef TCPSLEUTH_COMPARE_COMPARE_H
#define TCPSLEUTH_COMPARE_COMPARE_H

#include "compare/clock.h"
#include "compare/pair.h"

/* A connection that only one capture has. */
struct lone {
    unsigned file;
    uint32_t index;          /* of its flow there */
    struct finding *finding; /* what that tells; NULL: nothing, the other capture may just not have been there */
};

struct comparison {
    struct vantage *vantage[2];
    GPtrArray *pairs; /* struct pair*, in the order of the first capture */
    GArray *lone;     /* struct lone, of the first capture, then of the second */
    struct clock_offset clock;
    struct finding *verdict;     /* of the whole: that of the worst pair */
    uint64_t pairs_by_status[4]; /* index enum status */
};

/* Takes both captures over, finished. flow: id of the only flow of the first one that is wanted, which must be there;
 * 0: all. Free with comparison_free (NULL-safe). */
struct comparison *comparison_new(struct vantage *first, struct vantage *second, uint64_t flow);
void comparison_free(struct comparison *c);

#endif
