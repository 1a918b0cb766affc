/* overall: the whole capture at once. Many connections to one server that fail alike have one cause and get one sentence; so have the look-ups
 * that one name server fails, and the hosts that one gateway does not answer. It counts what is judged, and in the end says of the verdict of
 * the run how far it reaches.
 *
 * Pure, and bounded: LIMIT_OVERALL ends of connections and name servers are told apart; what comes beyond is not counted, and nothing is claimed
 * of it.
 */
#ifndef TCPSLEUTH_DIAGNOSE_OVERALL_H
#define TCPSLEUTH_DIAGNOSE_OVERALL_H

#include "diagnose/finding.h"
#include "flow/flow.h"
#include "flow/lookup.h"
#include "flow/neighbors.h"

struct overall;

struct overall *overall_new(void);
void overall_free(struct overall *o); /* NULL-safe */

/* A flow and its verdict; a verdict of unknown counts as nothing. */
void overall_flow(struct overall *o, const struct flow *f, const struct finding *verdict);

/* A look-up that got nothing new any more; those of one name in a row count once. */
void overall_lookup(struct overall *o, const struct lookup *l);

/* The verdict of the run, where what it says holds for ALIKE_LEAST or more: a finding of the same code whose sentence begins with how many
 * they are, of how many, with detail.alike, .of, .at and, where it is one client among others that fare well, .client. To be freed by the
 * caller; NULL: it stands for itself. */
#define ALIKE_LEAST 3
struct finding *overall_verdict(const struct overall *o, const struct finding *worst, const struct neighbors *n);

#endif
