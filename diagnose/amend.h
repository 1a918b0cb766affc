/* amend: what probes found, into the finding that asked for them (inquiry.h): where packets end, what passes, how sure it is now, and a sentence
 * that says what that changed. A probe can refute, too. Pure: from records to a finding.
 */
#ifndef TCPSLEUTH_DIAGNOSE_AMEND_H
#define TCPSLEUTH_DIAGNOSE_AMEND_H

#include "diagnose/finding.h"
#include "diagnose/probes.h"
#include "flow/flow.h"

/* How the probes stand to the flow. */
struct amend_view {
    enum side target;    /* which end they asked */
    bool at_other_end;   /* they left from the other end of the flow: the way is the same */
    bool at_once;        /* and within seconds of the break */
    bool reset_by_target; /* the RST that counts bears the address of that end */
};

/* results: struct probe_result* of that end, one of a kind. Does nothing where they found nothing out. Adds to d: the sentence, details "hop",
 * "path_mtu" and their like, "now" (what the probes would call it: "ok" or another code), "probe" (a list, "syn: no_answer"),
 * "confidence_before"; the code changes only where probes that left from the same end at once see what the capture cannot: that a RST comes from nearer than the
 * server, that an ICMP error answers (which a filter for a host keeps out of the capture). */
void finding_amend(struct finding *d, const struct amend_view *view, const GPtrArray *results);

/* Of a look-up that failed: what name servers answer now, "192.0.2.53 A: NXDOMAIN", NULL-terminated; now: what they come to, CODE_OK where one of
 * them has addresses. */
void finding_amend_names(struct finding *d, const char *const *answers, enum code now);

#endif
