/* rungs: those of host/ that send something, or take more than the climb. One file each: rung_NAME.c. */
#ifndef TCPSLEUTH_HOST_RUNGS_H
#define TCPSLEUTH_HOST_RUNGS_H

#include "host/climb.h"
#include "host/echo.h"

/* An echo to each of this host's own addresses. */
struct rung_step *rung_self_ping(const struct climb *c, struct echo *echo);

/* The rules of this host for the connections to the target. rules: NULL where they may not be read, why says why. */
struct ruleset;
struct rung_step *rung_firewall(const struct climb *c, const struct ruleset *rules, const char *why);

/* The same for connections that come in to the port. client: NULL: from anywhere. */
struct rung_step *rung_firewall_in(const struct climb *c, const struct ruleset *rules, const char *why,
                                   const char *client);

/* Waits for the neighbour entries of the next hops: 10 s at most for each. */
struct rung_step *rung_gateway(const struct climb *c, struct echo *echo);

#endif
