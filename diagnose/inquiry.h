/* inquiry: what a finding wants to know of the network: which probes would confirm or refute it, and what their SYN looks like. Pure: src/join.c
 * has the answers fetched, where that is allowed.
 */
#ifndef TCPSLEUTH_DIAGNOSE_INQUIRY_H
#define TCPSLEUTH_DIAGNOSE_INQUIRY_H

#include "diagnose/finding.h"
#include "diagnose/probes.h"
#include "flow/flow.h"

/* PROBE_BIT()s of the kinds to ask the end `target` of d's flow, the cheapest that can tell; 0: probes say nothing about it. Of a client, who
 * keeps no port open, only what needs none. */
unsigned inquiry_kinds(const struct finding *d, enum side target);

/* Whether text from outside is a host name that may be sent: letters, digits and their like, of a length that DNS knows. */
bool inquiry_is_name(const char *text);

/* The server name that its ClientHello bears, where it is one that may be sent again; NULL: none. Borrowed. */
const char *inquiry_name(const struct flow *f);

/* The SYN of the flow, for the probes to look like it. False where it is not in the capture. */
bool inquiry_syn(const struct flow *f, struct probe_syn *out);

#endif
