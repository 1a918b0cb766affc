/* marks: what a connection shows of itself at both ends, whatever a NAT makes of its addresses and ports: initial
 * sequence numbers, sequence and acknowledgement numbers, IP-IDs, time stamps, content.
 */
#ifndef TCPSLEUTH_COMPARE_MARKS_H
#define TCPSLEUTH_COMPARE_MARKS_H

#include "compare/join.h"
#include "compare/vantage.h"

enum mark_kind {
    MARK_ISNS,     /* both initial sequence numbers */
    MARK_SYN,      /* the SYN: its sequence number with something else of it */
    MARK_NUMBERS,  /* sequence and acknowledgement number of a segment */
    MARK_IDENTITY, /* IP-ID or time stamp of a segment, with what it carries: where its numbers are changed on the way
                    */
    MARK_CONTENT,  /* the first bytes that an end said: what a proxy leaves of a connection */
    MARK_ENDS      /* addresses and ports: they only decide between equals */
};

/* What proves that two flows are one connection. */
#define MARK_ENOUGH 20

/* Appends the marks (struct mark) of one flow: of one and the same connection; or, proxied: of two connections that
 * something in between joins. */
void marks_of_flow(GArray *out, const struct seen_flow *f, uint32_t owner, bool proxied);

/* By what a pair was recognised, from the kinds of marks that they share: "initial sequence numbers", "syn", "sequence
 * numbers", "identity", "content". */
const char *marks_basis(uint32_t kinds);

#endif
