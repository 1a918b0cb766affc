/* ledger: how a verdict was reached (--why): what was observed of the flow, each with its packets and the verdicts that it excludes; and every
 * verdict that a flow can get, given or not, with the reason.
 */
#ifndef TCPSLEUTH_DIAGNOSE_LEDGER_H
#define TCPSLEUTH_DIAGNOSE_LEDGER_H

#include "diagnose/judge.h"

#define LEDGER_PACKETS 4
#define LEDGER_EXCLUDES 8

/* One observation. */
struct ledger_line {
    char *text;                           /* a phrase; texts from outside in it are cleaned to UTF-8 */
    uint64_t packets[LEDGER_PACKETS];     /* in order; 0: no more */
    enum code excludes[LEDGER_EXCLUDES];  /* up to the first CODE_OK */
};

enum considered {
    CONSIDERED_VERDICT,   /* it is the verdict */
    CONSIDERED_FINDING,   /* it is there as well, and not as near to the root */
    CONSIDERED_NO,        /* its rule was asked, and its conditions do not hold */
    CONSIDERED_NOT_ASKED  /* the flow has nothing that its rule speaks of */
};
/* "verdict", "finding", "no", "not_asked". */
const char *considered_name(enum considered c);

struct ledger_code {
    enum code code;
    enum considered how;
    const char *why; /* static: what the rule wants to see, or what the flow has nothing of; NULL for verdict and finding */
};

struct ledger {
    GArray *lines; /* struct ledger_line */
    GArray *codes; /* struct ledger_code, in order of rank */
};

/* Of a flow that was judged so. Free with ledger_free (NULL-safe). */
struct ledger *ledger_new(const struct flow *f, const struct judge_context *c, const struct judgement *j);
void ledger_free(struct ledger *l);

#endif
