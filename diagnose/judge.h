/* judge: from the facts of a flow to its verdict. Pure: the same facts give the same findings. */
#ifndef TCPSLEUTH_DIAGNOSE_JUDGE_H
#define TCPSLEUTH_DIAGNOSE_JUDGE_H

#include "diagnose/finding.h"
#include "flow/flow.h"

/* What the rules may know beside the flow. */
struct judge_context {
    int64_t now_ns; /* the capture's time when the flow is judged: silence lasts until then */
    uint64_t dropped; /* packets that the capture is known to have lost so far */
};

/* Applies every rule to a retired flow. *j is overwritten; free with judgement_clear. */
void judge_flow(const struct flow *f, const struct judge_context *c, struct judgement *j);

/* --- what the ledger needs to know of how it is done (ledger.h) --- */

/* What there is about a flow. A rule is only asked where there is what it speaks of: most flows are healthy and short, and asking all rules in
 * vain would cost as much as following them. */
enum judge_about {
    ABOUT_OPENING = 1,      /* the handshake was not seen to complete */
    ABOUT_TROUBLE = 1 << 1, /* flow->trouble */
    ABOUT_RESET = 1 << 2,   /* a RST counts */
    ABOUT_ENDING = 1 << 3,  /* no RST, and not both FINs acknowledged */
    ABOUT_TLS = 1 << 4,
    ABOUT_HTTP = 1 << 5,
    ABOUT_WAITING = 1 << 6, /* the client spoke last */
};
unsigned judge_about(const struct flow *f);

#define JUDGE_RULE_CODES 8
struct judge_rule {
    struct finding *(*rule)(const struct flow *f, const struct judge_context *c);
    unsigned about;                     /* asked where there is any of these */
    enum code codes[JUDGE_RULE_CODES];  /* that it can give, up to the first CODE_OK */
};
/* All of them; *n: how many. */
const struct judge_rule *judge_rules(size_t *n);

/* Orders two findings: <0 where a is nearer to the root (worse status first, then the rank of the code). */
int finding_compare(const struct finding *a, const struct finding *b);

#endif
