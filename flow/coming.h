/* coming: the packets that are about to be taken, and the flows that they will go to.
 *
 * With thousands of connections taking turns the flow of each packet has left the processor's cache. So what a few packets will need is
 * asked for in turns, a step for all of them before the next step, and has come when it is read. Only speed depends on it.
 */
#ifndef TCPSLEUTH_FLOW_COMING_H
#define TCPSLEUTH_FLOW_COMING_H

#include "dissect/packet.h"
#include "flow/flow.h"

struct flow_table;

/* Where the flow of a packet that is about to be taken is found. */
struct coming {
    struct flow_key key;
    uint32_t layers;
    bool low_is_src;
    struct flow *flow; /* to be fetched ahead; not to be believed once a packet was taken */
};

/* One number for the VLANs and tunnels around a packet; 0: none. */
uint32_t coming_layers(const struct encap *e);

/* Fills c[i] for each of n packets p[i] that is TCP, and fetches what they will need. */
void coming_fetch(const struct flow_table *t, const struct packet *p, struct coming *c, size_t n);

#endif
