/* early_names: names whose look-up failed, told while a live capture goes on. The tracker hands a look-up out two minutes after its query, when
 * nothing can be added to it any more; a person wants to hear of a name that does not exist within seconds.
 *
 * Now and then all look-ups that are followed are looked at together, put into groups and judged by the rules of names.h, as if they were
 * complete; nothing is kept of them but what was told. A group is judged only when it has been quiet for some seconds: the next form of the
 * search list, the next resolver or a late answer may still come.
 */
#ifndef TCPSLEUTH_DIAGNOSE_EARLY_NAMES_H
#define TCPSLEUTH_DIAGNOSE_EARLY_NAMES_H

#include "diagnose/conversations.h"

struct early_names;

struct early_names *early_names_new(void);
void early_names_free(struct early_names *e); /* NULL-safe */

/* A look at all look-ups: early_names_take for each, in order of query; then early_names_judge, which hands `tell` a conversation of each name that
 * failed and was not told before. The conversation is the callee's. dropped: as conversations_doubt has it. */
void early_names_take(struct early_names *e, const struct lookup *l, int64_t now_ns);
void early_names_judge(struct early_names *e, int64_t now_ns, uint64_t dropped, conversation_done_fn *tell, void *user);

/* Whether the conversation that begins with this packet was told. */
bool early_names_told(const struct early_names *e, uint64_t packet);

#endif
