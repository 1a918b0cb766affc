/* route: what this host's kernel says about the way to an address: the interface, its MTU, the next hop, the source
 * address (rtnetlink through libnl). Reads only.
 */
#ifndef TCPSLEUTH_PROBE_ROUTE_H
#define TCPSLEUTH_PROBE_ROUTE_H

#include "base/addr.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct route {
    int error; /* 0: there is one; else the errno: ENETUNREACH no route, EHOSTUNREACH, EACCES a rule, EINVAL a black
                  hole */
    bool broadcast;      /* the address is a broadcast or multicast address here */
    bool local;          /* this host itself */
    bool has_gateway;    /* else the target is on the link */
    struct addr gateway; /* of the version asked for */
    struct addr source;
    unsigned ifindex;
    char interface[IF_NAMESIZE];
    bool up, carrier;    /* the interface is */
    bool asks_neighbors; /* it has hardware addresses that ARP or neighbour discovery finds */
    uint32_t mtu;        /* of the interface */
    uint32_t cached_mtu; /* a smaller one that the kernel has learnt for the address; 0: none */
};

/* Fills *r. scope: interface index of a link-local address, 0 else. */
void route_find(struct route *r, unsigned version, const struct addr *to, unsigned scope);

/* The same for TCP to that port: policy rules may send it another way than the rest (ip-rule(8): ipproto, dport). */
void route_find_port(struct route *r, unsigned version, const struct addr *to, unsigned scope, uint16_t port);

#endif
