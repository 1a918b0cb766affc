/* decisive: which packets of a flow that is not ok its ladder shows: those that prove the verdict, the handshake, and what stands
 * directly around them, in a dozen lines; all of them where they are no more than that.
 */
#ifndef TCPSLEUTH_REPORT_DECISIVE_H
#define TCPSLEUTH_REPORT_DECISIVE_H

#include "diagnose/finding.h"
#include "flow/flow.h"

#define DECISIVE_LINES 12
#define DECISIVE_PAUSE_NS NS_PER_S /* between two packets so long a pause is told in a line of its own */

/* Whether the finding names that packet. */
bool decisive_proves(const struct finding *f, uint64_t packet);

/* Takes all but those out of f->log, which is in order. */
void decisive_trim(struct flow *f, const struct finding *verdict);

#endif
