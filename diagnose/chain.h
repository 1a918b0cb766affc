/* chain: the legs and look-ups of one conversation while it may still grow. */
#ifndef TCPSLEUTH_DIAGNOSE_CHAIN_H
#define TCPSLEUTH_DIAGNOSE_CHAIN_H

#include "diagnose/names.h"
#include "flow/neighbors.h"

/* Legs of one conversation: a browser gives a loop up after 20 redirects, curl after 50. */
#define CHAIN_LEGS 256
/* Steps that are told of one conversation. */
#define CHAIN_STEPS 300

struct chain {
    struct leg *first, *last;
    unsigned n_legs;
    unsigned pending;          /* legs that something may still be joined to */
    bool gathered;             /* at the end: it is in the list already */
    struct name_group *groups; /* held */
};

/* A chain of one leg, which it owns. */
struct chain *chain_new(struct leg *l);

/* Frees the chain, its legs, and lets go of its look-ups. */
void chain_free(struct chain *c);

/* Moves the whole chain of `l` into `into`. Does nothing where that is one and the same, or there would be too many
 * legs. */
void chain_join(struct chain *into, struct leg *l);

/* The look-ups led to `l`: they are part of its chain from now on. */
void chain_claim(struct leg *l, struct name_group *g);

/* The look-ups that a redirect of this chain asked for failed: they are part of the chain. */
void chain_claim_failed(struct chain *c, struct name_group *g, struct hop *via);

/* The conversation that the chain is; without its id. The chain is freed. */
struct conversation *chain_conversation(struct chain *c, const struct silence *silence);

/* A conversation of look-ups only, with that verdict (taken over). */
struct conversation *names_conversation(const struct name_group *g, struct finding *verdict);

/* A conversation of a neighbour that is, or was, not answered for, with that verdict (taken over). */
struct conversation *neighbor_conversation(const struct neighbor *n, struct finding *verdict);

/* --- rules_link.c --- */

/* What the redirects of a conversation are judged by: struct hop*, in order of time. */
struct finding *rule_redirect_loop(const GPtrArray *hops);

/* The target of a redirect is broken by `cause`. */
struct finding *rule_redirect_broken(const struct hop *h, const struct finding *cause);

/* What is known beside the requests themselves. */
struct link_context {
    const struct neighbors *neighbors;
    bool several_askers;       /* more than one host asked */
    bool asker_seen;           /* the capture holds other traffic of this asker */
    bool target_seen;          /* the target itself sent something */
    unsigned asker_unanswered; /* targets that this asker asked for in vain */
};

/* NULL: nothing to accuse anybody of. */
struct finding *rule_neighbor(const struct neighbor *n, const struct link_context *c);

/* It was accused, and answers after all. */
struct finding *rule_neighbor_back(const struct neighbor *n);

#endif
