/* neighbors: who asked for whose link-layer address, by ARP or neighbour solicitation, and whether anybody answered. */
#ifndef TCPSLEUTH_FLOW_NEIGHBORS_H
#define TCPSLEUTH_FLOW_NEIGHBORS_H

#include "base/addr.h"
#include "base/timens.h"
#include "dissect/packet.h"
#include "flow/flow.h"

#include <glib.h>

#define NEIGHBOR_EVIDENCE 8
/* So often Linux asks before it gives up, a second after the last time (mcast_solicit, retrans_time_ms; RFC 4861 section 10). */
#define NEIGHBOR_TRIES 3
#define NEIGHBOR_PATIENCE_NS NS_PER_S

/* One asker's requests for one address since the last answer. */
struct neighbor {
    struct addr asker, target;
    uint8_t version;
    bool answered;               /* an answer came after the last request */
    bool ever_answered;          /* the target has answered somebody in this capture */
    uint32_t requests;           /* in a row without an answer */
    uint64_t evidence[NEIGHBOR_EVIDENCE]; /* the first of those */
    int64_t first_ns, last_ns;   /* first and last of those */
    int64_t tried_ns;            /* the one that was the NEIGHBOR_TRIESth; TIME_NONE: not yet */
    bool looked_at, told;        /* live, of who looks meanwhile: it was judged; it was accused, and that was not taken back */
};

struct neighbors;

struct neighbors *neighbors_new(void);
void neighbors_free(struct neighbors *n); /* NULL-safe */

/* A PACKET_NEIGHBOR. Beyond LIMIT_NEIGHBORS pairs new ones are not remembered. */
void neighbors_packet(struct neighbors *n, const struct packet *p);

/* struct neighbor*, in order of their first request. Owned by n. */
const GPtrArray *neighbors_all(const struct neighbors *n);

/* The two machines that answered for an address so far; NULL: there was one at most. Owned by n. */
const struct address_claims *neighbors_claims(const struct neighbors *n, const struct addr *who);

/* Live: whether it is time to judge the pair, which nobody has answered for as long as an asker waits; or to take back what was told. */
bool neighbor_overdue(const struct neighbor *pair, int64_t now_ns);
bool neighbor_came_back(const struct neighbor *pair);

/* Whether there is any pair of those. */
bool neighbors_have_news(const struct neighbors *n, int64_t now_ns);

/* How many answers there were: a capture that holds none at all may not see them (a switch sends them to the asker only). */
uint64_t neighbors_answers(const struct neighbors *n);

#endif
