/* join_hosts: who may be probed at all (CONTRACT "Probes"). Private to join.c. */
#ifndef TCPSLEUTH_SRC_JOIN_HOSTS_H
#define TCPSLEUTH_SRC_JOIN_HOSTS_H

#include "flow/flow.h"
#include "probe/engine.h"

struct join_hosts;

/* names: char*, addresses (filter_hosts.h); others are passed over. NULL: every server. Free with join_hosts_free. */
struct join_hosts *join_hosts_new(const GPtrArray *names);
void join_hosts_free(struct join_hosts *h); /* NULL-safe */

/* Opens what asks for neighbours on the way to them. */
void join_hosts_prepare(const struct join_hosts *h, struct probe_engine *e);

/* Whether this host may be probed at all. */
bool join_hosts_may(const struct join_hosts *h, unsigned version, const struct addr *a);

/* The end of the flow to ask: the server, or else, where it is named, the client; never this host itself. False: neither may be. */
bool join_hosts_choose(const struct join_hosts *h, const struct flow *f, enum side *target);

#endif
