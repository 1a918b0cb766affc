/* ports: local TCP ports that are held: while probes use them, the kernel gives them to no program of this host, so that whatever is sent from or to
 * them belongs to the probes. Nobody listens there: what arrives is answered as if they were closed.
 */
#ifndef TCPSLEUTH_PROBE_PORTS_H
#define TCPSLEUTH_PROBE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define PORTS_HELD 4

struct held_ports {
    int fd[PORTS_HELD]; /* -1: none */
};

/* PORTS_HELD ports from `first` on, of both families. False, and nothing held, where one of them is in use. */
bool ports_hold(struct held_ports *h, uint16_t first);
void ports_release(struct held_ports *h);

#endif
