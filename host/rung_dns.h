/* rung_dns: the rung of names, and its judgement apart, for tests. */
#ifndef TCPSLEUTH_HOST_RUNG_DNS_H
#define TCPSLEUTH_HOST_RUNG_DNS_H

#include "base/limits.h"
#include "host/ask.h"
#include "host/climb.h"

/* Looks the target's name up. out: struct found_address, filled with what connections would go to. Waits. */
struct rung_step *rung_dns(const struct climb *c, GArray *out);

/* What the answers say; pure. */
struct rung_step *rung_dns_judge(const struct resolvers *r, const GPtrArray *asked, const char *name, GArray *out);

#endif
