/* lookups: pairs DNS queries with their answers (flow/lookup.h), over UDP, TCP and with the ICMP errors that answer a query. */
#ifndef TCPSLEUTH_FLOW_LOOKUPS_H
#define TCPSLEUTH_FLOW_LOOKUPS_H

#include "dissect/packet.h"
#include "flow/flow.h"
#include "flow/lookup.h"

struct lookups;

/* done is handed each look-up when it is answered and can get nothing new, gave up or the capture ended; the callee owns it. */
struct lookups *lookups_new(void (*done)(void *user, struct lookup *l), void *user);
void lookups_free(struct lookups *l); /* NULL-safe */

/* A PACKET_UDP; those that are no DNS are ignored. */
void lookups_udp(struct lookups *l, const struct packet *p);

/* The messages of a connection that carried DNS (flow->app->dns), when it is over. */
void lookups_tcp(struct lookups *l, const struct flow *f);

/* A PACKET_ICMP_ERROR about a UDP packet. */
void lookups_icmp(struct lookups *l, const struct packet *p);

/* Time moves on: hands out each look-up that nothing happened to for two minutes. */
void lookups_expire(struct lookups *l, int64_t now_ns);

/* Hands out those that began before packet number `from`. */
void lookups_break(struct lookups *l, uint64_t from);

/* Calls visit for each look-up that was not handed out yet, in order of query. */
typedef void lookup_visit_fn(void *user, const struct lookup *l);
void lookups_visit(const struct lookups *l, lookup_visit_fn *visit, void *user);

/* Whether there was any message so far. */
bool lookups_any(const struct lookups *l);

/* Hands out what is left, in order of query. */
void lookups_finish(struct lookups *l);

#endif
