/* steps: what the files that tell a flow's steps share (leg.h is what others see). */
#ifndef TCPSLEUTH_DIAGNOSE_STEPS_H
#define TCPSLEUTH_DIAGNOSE_STEPS_H

#include "diagnose/leg.h"
#include "diagnose/sentence.h"

/* Where a verdict on a flow is told. */
enum place { PLACE_CONNECT, PLACE_TLS, PLACE_HTTP, PLACE_END };

/* The steps of one flow while they are made. */
struct telling {
    const struct flow *flow;
    const struct finding *verdict;
    enum handshake_outcome handshake;
    enum place place; /* of the verdict */
    GArray *steps;
};

/* Where and when a step begins, and what it cost. */
struct point {
    uint64_t packet;
    int64_t ts_ns, cost_ns;
};

/* Whether there is a verdict to be told there. */
bool told_here(const struct telling *t, enum place place);

/* trouble: the verdict is about this step. */
void add_step(const struct telling *t, enum step_kind kind, struct point at, bool trouble, const struct sentence *s);

void say_server(struct sentence *s, const struct flow *f);
void say_title(struct sentence *s, const struct telling *t); /* of the verdict */
void say_cost(struct sentence *s, int64_t ns);               /* ", 16 ms"; TIME_NONE: nothing */

/* TIME_NONE where one of them is missing, or they are the wrong way round. */
static inline int64_t between(int64_t from_ns, int64_t to_ns)
{
    return from_ns == TIME_NONE || to_ns == TIME_NONE || to_ns < from_ns ? TIME_NONE : to_ns - from_ns;
}

/* --- steps_app.c --- */

void tell_tls(const struct telling *t);
void tell_http(const struct telling *t);
guint n_transactions(const struct flow *f);

#endif
