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
    int64_t started_ns; /* by the clock of the capture: what broke later it says nothing about */
    int64_t ended_us;   /* monotonic */
};

/* Takes what is in `of`, fills in when it ended. results own what is in them. Free with found_unref. */
struct found *found_new(const struct found *of);
struct found *found_ref(struct found *f);
void found_unref(struct found *f); /* NULL-safe */

/* A flow as far as this needs it. */
struct found_flow {
    struct flow ends;     /* id, key and client_is_high alone */
    enum side target;     /* who was asked */
    bool reset_by_target; /* the RST that counts bears its address */
    int64_t since_ns;     /* it may be in trouble since then: its beginning, or the last packet of that end */
};
struct found_flow found_flow_of(const struct flow *f, enum side target);

void found_amend(const struct found *found, const struct found_flow *of, struct finding *f);

#endif
