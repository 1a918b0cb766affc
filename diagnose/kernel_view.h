/* kernel_view: what this host's kernel says of a connection of its own while the packets are watched, into a finding about it. Where the two
 * contradict each other something on this host stands between the wire and the kernel. Pure: host/connection.h reads.
 */
#ifndef TCPSLEUTH_DIAGNOSE_KERNEL_VIEW_H
#define TCPSLEUTH_DIAGNOSE_KERNEL_VIEW_H

#include "diagnose/finding.h"
#include "flow/flow.h"

/* What the kernel counts of all TCP of this host, under these names in /proc/net/netstat (Linux: Documentation/networking/snmp_counter.rst). */
enum kernel_counter {
    COUNTER_LISTEN_OVERFLOWS, /* ListenOverflows: connections that found an accept queue full */
    COUNTER_LISTEN_DROPS,     /* ListenDrops: SYNs that a listening socket did not take, for any reason */
    COUNTER_SYN_QUEUE_FULL,   /* TCPReqQFullDrop: SYNs that found the queue of half-open connections full */
    COUNTER_REVERSE_PATH,     /* IPReversePathFilter: packets whose source has its route elsewhere */
    COUNTER_TIMEOUTS,         /* TCPTimeouts: retransmission timers that ran out */
    KERNEL_COUNTERS
};
const char *kernel_counter_name(enum kernel_counter c);

/* Of a neighbour's hardware address. */
enum neighbor_state {
    NEIGHBOR_NONE,   /* no entry: nothing was sent to it lately */
    NEIGHBOR_ASKING, /* the kernel asks, nobody has answered yet */
    NEIGHBOR_FAILED, /* nobody answered */
    NEIGHBOR_OLD,    /* answered some time ago, being confirmed */
    NEIGHBOR_KNOWN   /* answered lately, or set by hand */
};

/* What the connection tracking of this host knows of the connection. */
enum kernel_track {
    TRACK_UNUSED,    /* none is tracked, as far as it is known */
    TRACK_UNREAD,    /* it could not be read */
    TRACK_NONE,      /* others are tracked since the watch began, and it is not */
    TRACK_UNREPLIED, /* no packet of the server */
    TRACK_REPLIED,   /* packets of both */
    TRACK_ASSURED,   /* and an established connection */
    TRACK_GONE       /* it was, and is forgotten */
};

struct kernel_view {
    bool there;            /* the kernel has a socket of this connection; else what follows down to unsent does not hold */
    uint8_t state;         /* enum tcp_state */
    uint32_t retransmits;  /* of what it waits for an answer to */
    uint32_t path_mtu;     /* that the socket counts with; 0: not known */
    uint32_t unread;       /* bytes that wait for the program */
    uint32_t unsent;       /* bytes that the program gave and nobody has acknowledged */
    bool listens;          /* there is none, and one that listens on the port: */
    uint32_t queued, queue_most; /* connections that wait to be accepted there, and how many may */
    uint32_t route_mtu;    /* that the kernel has learnt for the address, below that of the interface; 0: none */
    int route_error;       /* of the way to the other end: an errno (probe/route.h); 0: there is one */
    bool asks_neighbor;    /* the way has a next hop whose hardware address is looked for: */
    struct addr next_hop;
    enum neighbor_state neighbor;
    enum kernel_track track;
    uint64_t counted[KERNEL_COUNTERS]; /* since this host is watched */
};

/* here: the end that is this host. Adds detail "kernel" (a list), and to the sentence what contradicts the wire. */
void finding_tell_kernel(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v);

#endif
