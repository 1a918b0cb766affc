/* conversations: puts flows and look-ups together into conversations (conversation.h), in time order, and judges each.
 *
 * Flows and look-ups are handed in when they are over, in any order. What is kept of them is a leg: a few hundred
 * bytes, for CONVERSATION_HORIZON_NS of capture time. So a report that is written as things happen needs memory for
 * what is going on, not for the whole capture.
 */
#ifndef TCPSLEUTH_DIAGNOSE_CONVERSATIONS_H
#define TCPSLEUTH_DIAGNOSE_CONVERSATIONS_H

#include "diagnose/conversation.h"
#include "diagnose/judge.h"
#include "flow/lookup.h"
#include "flow/neighbors.h"

/* How long after its last sign of life a conversation may still grow: a redirect is followed within seconds. */
#define CONVERSATION_HORIZON_NS (30 * NS_PER_S)

struct conversations;

/* Handed each conversation when it is complete; the callee owns it (conversation_free). */
typedef void conversation_done_fn(void *user, struct conversation *c);

/* Told of a healthy flow that is a conversation of its own, of which nothing is told: where it begins. */
typedef void conversation_untold_fn(void *user, uint64_t packet);

struct conversations *conversations_new(conversation_done_fn *done, void *user);
void conversations_free(struct conversations *c); /* NULL-safe; what is left in it is dropped */

/* Only the first n healthy flows get their steps told; a report that shows a few of them needs no more, and telling costs as much as
 * following the flow. Those beyond, where nothing may lead from one connection to another, are handed to `untold` and not to `done`. Flows that
 * are not ok and look-ups are always told. Without this call: all. */
void conversations_tell_healthy(struct conversations *c, uint64_t n, conversation_untold_fn *untold);

/* So many packets the capture is known to have lost so far: finding_doubt. (Judgements of flows that are handed in have their doubts.) */
void conversations_doubt(struct conversations *c, uint64_t dropped);

/* A flow or look-up that is over. Nothing of them is kept by reference. links: something was seen in the capture so far that may lead from
 * one connection to another (a look-up, a redirect); without that the flow is a conversation of its own, at once. */
void conversations_flow(struct conversations *c, const struct flow *f, const struct judgement *j, bool links);
void conversations_lookup(struct conversations *c, const struct lookup *l);

/* Time moves on: hands out the conversations that cannot grow any more. Cheap where there are none. */
void conversations_settle(struct conversations *c, int64_t now_ns);

/* The time of the capture jumped: everything that waits is handed out at the time that it was, and what comes is of another one. */
void conversations_break(struct conversations *c);

/* Live, while the capture goes on: hands `tell`, which owns it, a conversation of each neighbour that is accused by now (neighbor_overdue), by
 * the rules of conversations_finish, and of each that was, and answers after all; each once, and without an id. Whoever is in a flow or look-up that
 * goes on has to be known first: conversations_saw_flow, conversations_saw_lookup. */
void conversations_saw_flow(struct conversations *c, const struct flow *f);
void conversations_saw_lookup(struct conversations *c, const struct lookup *l);
void conversations_tell_neighbors(struct conversations *c, const struct neighbors *n, int64_t now_ns,
                                  conversation_done_fn *tell, void *user);

/* The capture is over: unanswered neighbours become conversations, and everything left is handed out. */
void conversations_finish(struct conversations *c, const struct neighbors *n, int64_t now_ns);

#endif
