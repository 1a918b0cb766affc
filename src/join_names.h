/* join_names: names whose look-up failed, asked of name servers from here: which of them has an address now (CONTRACT "Probes"). Asked are the
 * servers that this host is configured with and the one that failed, live those of them alone that the filter names, and only where one end of
 * the look-up is named; with --confirm all. One name after the other, from the main loop, by the kernel's own sockets.
 */
#ifndef TCPSLEUTH_SRC_JOIN_NAMES_H
#define TCPSLEUTH_SRC_JOIN_NAMES_H

#include "diagnose/conversation.h"
#include "dissect/packet.h"
#include "src/join.h"
#include "src/join_hosts.h"

struct join_names;

/* hosts and hooks (of which it uses say and name_answered) are borrowed; settled is called when nothing is awaited any more. Free with
 * join_names_free. */
struct join_names *join_names_new(const struct join_hosts *hosts, const struct join_hooks *hooks, void (*settled)(void *user),
                                  void *user);
void join_names_free(struct join_names *n); /* NULL-safe */

/* c may have failed: true, where servers are asked for its name, or were: then c is taken, and comes back by the hook, perhaps at once, amended where
 * they answered. over: all of it is known; else it was told early, and comes back only with an answer. */
bool join_names_ask(struct join_names *n, struct conversation *c, bool over);

/* Whether a captured packet is one of its questions, or an answer to one. */
bool join_names_own(const struct join_names *n, const struct packet *p);

bool join_names_asked(const struct join_names *n); /* anything, so far */
bool join_names_wait(const struct join_names *n);  /* an answer is awaited */
void join_names_stop(struct join_names *n);        /* nothing is asked any more; what waits comes back */

#endif
