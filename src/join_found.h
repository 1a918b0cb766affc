/* join_found: what one round of probes at a target found, shared by the flows that it was asked for: a later round, at another time, says nothing
 * about them. Private to join.c.
 */
#ifndef TCPSLEUTH_SRC_JOIN_FOUND_H
#define TCPSLEUTH_SRC_JOIN_FOUND_H

#include "diagnose/finding.h"
#include "diagnose/probes.h"
#include "flow/flow.h"

struct found {
    GPtrArray *results; /* struct probe_result*, one of a kind, sorted */
    struct addr source; /* where the probes left from */
    unsigned kinds;     /* asked for */
    bool at_once;       /* within seconds of the break */
    int64_t ended_us;   /* monotonic */
};

/* Takes results, which own what is in them. Free with found_unref. */
struct found *found_new(GPtrArray *results, const struct addr *source, unsigned kinds, bool at_once);
struct found *found_ref(struct found *f);
void found_unref(struct found *f); /* NULL-safe */

/* A flow as far as amending needs it. */
struct found_flow {
    struct flow ends;     /* id, key and client_is_high alone */
    enum side target;     /* who was asked */
    bool reset_by_target; /* the RST that counts bears its address */
};
struct found_flow found_flow_of(const struct flow *f, enum side target);

void found_amend(const struct found *found, const struct found_flow *of, struct finding *f);

#endif
