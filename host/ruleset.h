/* ruleset: this host's firewall, as libnftables tells it in JSON, and what it would do with one packet. The walk
 * decides what it can: a condition that cannot be known from here (a rate, a mark, a user, a match of iptables' own) is
 * neither true nor false, and what hangs on it is told and not believed.
 */
#ifndef TCPSLEUTH_HOST_RULESET_H
#define TCPSLEUTH_HOST_RULESET_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>

struct ruleset;

/* Reads the kernel's ruleset, iptables-legacy's filter tables with it: takes CAP_NET_ADMIN. root: of /proc. NULL and
 * *error without it. Free with ruleset_free. */
struct ruleset *ruleset_read(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* From libnftables' JSON (`nft -j -a list ruleset`). NULL and *error where it is none. */
struct ruleset *ruleset_parse(const char *json, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void ruleset_free(struct ruleset *r); /* NULL-safe */

/* Whether iptables-legacy's filter table of that version is among it. */
bool ruleset_has_legacy(const struct ruleset *r, unsigned version);

/* Rules in all. */
unsigned ruleset_size(const struct ruleset *r);

/* A packet of TCP, and where it is met. */
struct walker {
    uint8_t version;
    struct addr src, dst;
    bool any_src;          /* src is not known: whoever comes */
    bool any_dst;          /* the same of dst: it was translated */
    uint16_t sport, dport; /* 0: not known yet: the kernel chooses it */
    uint16_t flags;        /* TCP_SYN, ... */
    bool established;      /* the connection is known to the connection tracking; else it is new */
    bool inward;           /* hooks ingress, prerouting, input; else output, postrouting, egress */
    const char *in, *out;  /* interface it comes from, or leaves by; NULL: none */
};

enum walk_verdict {
    WALK_PASSES,
    WALK_MAY_PASS, /* a rule that may drop it, or keep one from being reached that does, hangs on what cannot be known
                    */
    WALK_DROPPED,
    WALK_REJECTED
};

struct walk {
    enum walk_verdict verdict;
    bool by_policy;   /* no rule: the policy of the chain */
    char *translated; /* the rule that gives it another target (dnat, redirect), behind which it is not followed; NULL:
                         none */
    char *rule;       /* "inet filter output handle 7: tcp dport 80 drop", NULL where it passes; may hold text of the
                         ruleset's comments: escape it */
    char *table;      /* "inet filter", for commands; NULL where it passes */
    char *chain;
    int64_t handle; /* 0: none */
};

/* Fills *w; free what it holds with walk_clear. */
void ruleset_walk(const struct ruleset *r, const struct walker *p, struct walk *w);
void walk_clear(struct walk *w);

#endif
