/* join: the capture and the probes together. What breaks asks for probes (diagnose/inquiry.h); this decides whether they may be sent (CONTRACT
 * "Probes"), announces them, has them sent one target after the other, each once however many flows broke, and puts what they find into the
 * findings (diagnose/amend.h).
 *
 *     flow breaks -> join_ask -> [announced, on the main loop] -> probe/engine -> hooks.probe, hooks.amended -> hooks.settled
 *     each time that a flow is judged, the report included -> join_amend
 */
#ifndef TCPSLEUTH_SRC_JOIN_H
#define TCPSLEUTH_SRC_JOIN_H

#include "diagnose/conversation.h"
#include "diagnose/finding.h"
#include "diagnose/probes.h"
#include "flow/flow.h"

#include <glib.h>

/* How long after the probes what breaks is still explained by them, as others that broke together; later they are sent again. */
#define JOIN_FRESH_US (10 * G_USEC_PER_SEC)

struct join;
struct join_names;

/* Whom to tell; all are called from the main context. */
struct join_hooks {
    void (*say)(void *say_user, const char *line);                 /* a notice */
    void *say_user;
    void (*probe)(void *user, struct probe_result *p);             /* the callee owns it */
    /* What was told of a flow is to be told anew: ends holds id, key and client_is_high alone. Both are borrowed. over: it has ended. */
    void (*amended)(void *user, const struct flow *ends, const struct finding *f, bool over);
    void (*name_answered)(void *user, struct conversation *c, bool over); /* join_names_ask's c comes back, amended; the callee owns it */
    void (*settled)(void *user);                                   /* no flow waits any more */
    void *user;
};

/* Opens what takes rights, which may be given up afterwards. hosts: char*, addresses that may be probed (filter_hosts.h); NULL: every server
 * whose conversation broke. NULL and *error without the right to send. Free with join_free. */
struct join *join_new(const GPtrArray *hosts, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void join_free(struct join *j); /* NULL-safe */

/* Before anything else. */
void join_set_hooks(struct join *j, const struct join_hooks *hooks);

/* f was judged: has probes sent for what is broken, where they may be and were not already. over: it has ended. */
void join_ask(struct join *j, const struct flow *f, const struct finding *verdict, bool over);

/* Whether a flow that asked still waits for its answers. */
bool join_waits(const struct join *j, uint64_t flow);

/* What is known by now, into the verdict of a flow that asked. */
void join_amend(const struct join *j, const struct flow *f, struct finding *verdict);

/* What asks for names (join_names.h); the join's. */
struct join_names *join_names(const struct join *j);

/* Whether a captured packet is one of the probes' own. */
bool join_owns(const struct join *j, const struct packet *p);

/* Runs the main loop until all answers are there, or join_stop is called from it. */
void join_wait(struct join *j);

/* No more packets leave and nothing is asked any more; what is known stays, and is told. */
void join_stop(struct join *j);

/* Crafted packets so far. */
unsigned join_sent(const struct join *j);

/* Whether anything left, that join_owns may know. */
bool join_has_sent(const struct join *j);

#endif
