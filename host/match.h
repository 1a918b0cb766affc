/* match: one condition of a rule against one packet, in three values. Private to ruleset.c. */
#ifndef TCPSLEUTH_HOST_MATCH_H
#define TCPSLEUTH_HOST_MATCH_H

#include "host/ruleset.h"

#include <jansson.h>

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* What a named set or map of the rule's table holds; NULL: it is not there. */
typedef const json_t *match_set_fn(const void *user, const char *name);

struct matching {
    const struct walker *packet;
    match_set_fn *set;
    const void *user;
};

/* A "match" object: {"op", "left", "right"}. */
enum truth match_holds(const struct matching *m, const json_t *match);

/* A "vmap" object: the verdict that it gives, NULL: none; *truth is TRUTH_UNKNOWN where it cannot be told. */
const json_t *match_vmap(const struct matching *m, const json_t *vmap, enum truth *truth);

#endif
