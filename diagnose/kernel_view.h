/* kernel_view: what this host's kernel says of a connection of its own while the packets are watched, into a finding about it. Where the two
 * contradict each other something on this host stands between the wire and the kernel. Pure: host/connection.h reads.
 */
#ifndef TCPSLEUTH_DIAGNOSE_KERNEL_VIEW_H
#define TCPSLEUTH_DIAGNOSE_KERNEL_VIEW_H

#include "diagnose/finding.h"
#include "flow/flow.h"

struct kernel_view {
    bool there;            /* the kernel has a socket of this connection; else only the last two hold */
    uint8_t state;         /* enum tcp_state */
    uint32_t retransmits;  /* of what it waits for an answer to */
    uint32_t path_mtu;     /* that the socket counts with; 0: not known */
    uint32_t unread;       /* bytes that wait for the program */
    uint32_t unsent;       /* bytes that the program gave and nobody has acknowledged */
    uint32_t route_mtu;    /* that the kernel has learnt for the address, below that of the interface; 0: none */
    uint64_t overflows;    /* of this host: connections that found an accept queue full since it is watched */
};

/* here: the end that is this host. Adds detail "kernel" (a list), and to the sentence what contradicts the wire. */
void finding_tell_kernel(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v);

#endif
