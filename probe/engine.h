/* engine: sends the probes and waits for what comes back, on the GLib main loop: so many packets a second and so many
 * to a target as the contract allows, several targets side by side, silence measured by the round trips that were seen.
 * The one place that sends crafted packets.
 */
#ifndef TCPSLEUTH_PROBE_ENGINE_H
#define TCPSLEUTH_PROBE_ENGINE_H

#include "diagnose/probes.h"

#include <glib.h>
#include <stdbool.h>

struct probe_engine;

/* Opens what sends and what listens, which takes root or CAP_NET_RAW; after it these rights may be dropped, but for
 * engine_add, which opens a link to ask for neighbours. NULL and *error (PROBE_ERROR_PRIVILEGE) without. seed 0: secret
 * numbers; else those of the seed. Free with probe_engine_free. */
struct probe_engine *probe_engine_new(uint64_t seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void probe_engine_free(struct probe_engine *e); /* NULL-safe */

/* An address to probe, with the kinds of probes wanted. Only addresses that were added are ever sent to (and their next
 * hops, for the two kinds that ask these). FALSE and *error where it is never probed: broadcast here, or too many
 * targets. Nothing leaves yet. */
gboolean probe_engine_add(struct probe_engine *e, const struct probe_request *request, GError **error);

/* Opens what asks for neighbours on the way to an address that may be added later, when the right to is gone. */
void probe_engine_prepare(struct probe_engine *e, unsigned version, const struct addr *to);

/* The same where it is not known whither: on the first LIMIT_PROBE_LINKS interfaces. */
void probe_engine_prepare_all(struct probe_engine *e);

/* How many were added. */
unsigned probe_engine_targets(const struct probe_engine *e);

/* The local address that a target is probed from, in text; "" where there is no route. i: in the order of adding. */
void probe_engine_source(const struct probe_engine *e, unsigned i, char out[ADDR_TEXT_SIZE]);

/* Starts; `done` is called from the main context when nothing is left to send or to wait for. Then more may be added,
 * and it may be started again; the budget of an address goes on. */
void probe_engine_start(struct probe_engine *e, void (*done)(void *user), void *user);

/* Nothing more leaves; what is known stays. `done` is called. */
void probe_engine_stop(struct probe_engine *e);

/* Crafted packets so far to that address, whatever the port: what is spent of its budget. */
unsigned probe_engine_spent(const struct probe_engine *e, unsigned version, const struct addr *to);

/* Crafted packets so far, to all. */
unsigned probe_engine_sent(const struct probe_engine *e);

/* What was found, in the order of the targets: struct probe_result*, each to be freed with probe_result_free. To be
 * called once, behind `done`. */
GPtrArray *probe_engine_results(struct probe_engine *e);

/* The same of the i-th target alone; owns what is in it. */
GPtrArray *probe_engine_results_of(struct probe_engine *e, unsigned i);

/* Whether a packet that somebody captures here is one of the probes', or the answer to one: a TCP segment between a target and
 * a port that the engine keeps for itself, or a question for the next hop while that is probed. */
bool probe_engine_owns(const struct probe_engine *e, const struct packet *p);

#endif
