/* climb: what a climb knows on its way up, and the rungs that this machine itself answers. A rung reads (sysfs,
 * rtnetlink, ...) what the climb does not hold yet and returns a step; it changes nothing on the machine and prints
 * nothing. Rungs that send packets to others are src/'s, which joins these with probe/.
 */
#ifndef TCPSLEUTH_HOST_CLIMB_H
#define TCPSLEUTH_HOST_CLIMB_H

#include "diagnose/ladder.h"
#include "host/machine.h"

/* An address of the target, and the kernel's way to it. */
struct climb_address {
    uint8_t version;
    struct addr addr;
    unsigned scope; /* interface index of a link-local address; 0 */
    int error;      /* of the way: 0, or the errno: ENETUNREACH none, EHOSTUNREACH unreachable, EACCES prohibit, EINVAL
                       blackhole */
    bool local;     /* this host itself */
    bool has_gateway;
    struct addr gateway, source;
    unsigned link;            /* index; 0: none */
    uint32_t mtu, cached_mtu; /* of the interface; smaller, learnt for the address; 0: none */
};

struct climb {
    const struct machine *machine;
    const char *host; /* the target's name or address; NULL: the ladder of a server */
    bool is_name;
    uint16_t port;     /* 0: none */
    GArray *addresses; /* struct climb_address: empty until they are known */
    bool families[2];  /* IPv4, IPv6: which of them the target has; both until its addresses are known */
    bool left_out[2];  /* the target has the other family, too, and this host has no address of this one */
};

/* The interfaces that this is about: those that the way to the target leads over, else those of the default routes,
 * else all but the loopback. GArray of unsigned; free it. */
GArray *climb_links(const struct climb *c);

/* Whether a family matters: the target has it and it is not left out. */
bool climb_wants(const struct climb *c, unsigned version);

/* From c->addresses: which families the target has, and which of them is left out. */
void climb_set_families(struct climb *c);

/* Of a server's ladder: the client of --client; NULL: from anywhere. */
const struct climb_address *climb_client(const struct climb *c);

/* A next hop: of an address of the target, or of a default route where no address is known. */
struct climb_hop {
    uint8_t version;
    struct addr addr, source; /* source: all zero where it is not known */
    unsigned link;
    bool is_target;
};

/* Those of this climb, each once; free it. */
GArray *climb_hops(const struct climb *c);

/* Every address of the target is this host's own: no card is used. */
bool climb_stays_here(const struct climb *c);

/* One file each: rung_NAME.c. */
struct rung_step *rung_device(const struct climb *c);
struct rung_step *rung_driver(const struct climb *c);
struct rung_step *rung_rfkill(const struct climb *c);
struct rung_step *rung_wifi(const struct climb *c);
struct rung_step *rung_link(const struct climb *c);
struct rung_step *rung_address(const struct climb *c);
struct rung_step *rung_route_default(const struct climb *c);
struct rung_step *rung_route_target(const struct climb *c);

/* No way to the address: blames the step for what the kernel says. others: there is a way to another one. */
void route_blame(struct rung_step *s, const struct climb_address *a, bool others);

struct rung_step *rung_connections(const struct climb *c);

/* What the counters were at the beginning against now. */
struct rung_step *rung_counters(const struct climb *c, const struct machine *now);

#endif
