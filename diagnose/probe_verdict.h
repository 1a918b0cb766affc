/* probe_verdict: what a run of probes says, in the contract's codes: of each address, and of all together. Pure: from records to a finding. */
#ifndef TCPSLEUTH_DIAGNOSE_PROBE_VERDICT_H
#define TCPSLEUTH_DIAGNOSE_PROBE_VERDICT_H

#include "diagnose/finding.h"
#include "diagnose/probes.h"

/* Of everything: struct probe_result*, those of one address next to each other. NULL: nothing wrong. An address that fails beside others that
 * work is degraded, with detail.family. */
struct finding *probe_verdict(const GPtrArray *results);

#endif
