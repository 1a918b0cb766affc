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

/* Orders two findings: <0 where a is nearer to the root (worse status first, then the rank of the code). */
int finding_compare(const struct finding *a, const struct finding *b);

#endif
