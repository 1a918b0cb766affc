/* early: what a live capture can tell of conversations without a flow before they are over: names that failed (early_names.h), neighbours that do
 * not answer (conversations_tell_neighbors). It looks at them once a second of the capture's time, which takes longer than a look at flows.
 */
#ifndef TCPSLEUTH_SRC_EARLY_H
#define TCPSLEUTH_SRC_EARLY_H

#include "diagnose/conversations.h"
#include "flow/tracker.h"

struct early;

/* Borrows the tracker and the conversations, and hands `tell` each conversation, which is the callee's. */
struct early *early_new(struct tracker *t, struct conversations *c, conversation_done_fn *tell, void *user);
void early_free(struct early *e); /* NULL-safe */

/* Time goes on. dropped: packets that the capture lost so far. */
void early_look(struct early *e, int64_t now_ns, uint64_t dropped);

/* The time of the capture jumped: the next look comes at any time. */
void early_break(struct early *e);

/* Whether the conversation that begins with this packet was told as a name that failed. */
bool early_told(const struct early *e, uint64_t packet);

#endif
