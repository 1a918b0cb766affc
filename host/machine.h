/* machine: what the kernel says of this host's network, as it stood at one moment: interfaces, addresses, default
 * routes, and on demand the way to an address and who the neighbours are (rtnetlink, through libnl). Reads only; needs
 * no rights. What the rungs make of it are pure functions of this value, which tests fill by hand.
 */
#ifndef TCPSLEUTH_HOST_MACHINE_H
#define TCPSLEUTH_HOST_MACHINE_H

#include "base/addr.h"

#include <glib.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#define FOREVER UINT32_MAX

struct host_counters {
    uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
    uint64_t rx_errors, tx_errors, rx_dropped, tx_dropped, rx_missed, tx_carrier, collisions;
};

struct host_link {
    unsigned index;
    char name[IF_NAMESIZE];
    unsigned flags; /* IFF_UP, IFF_RUNNING, IFF_LOOPBACK, ... */
    bool lower_up;  /* the driver sees a carrier */
    uint32_t mtu;
    bool loopback;
    bool wireless;  /* of a Wi-Fi card (sysfs) */
    bool ethernet;  /* looks for neighbours by ARP or neighbour discovery */
    char kind[16];  /* "veth", "bridge", ...; "": a card's own */
    int32_t speed;  /* Mbit/s (sysfs); 0: not known */
    char duplex[8]; /* "full", "half" or "" */
    uint64_t carrier_changes;
    struct host_counters counters;
};

struct host_address {
    unsigned link; /* index */
    uint8_t version, length;
    struct addr addr;
    uint8_t scope;    /* RT_SCOPE_*: global 0, link 253, host 254 */
    unsigned flags;   /* IFA_F_TENTATIVE, IFA_F_DADFAILED, IFA_F_DEPRECATED, ... */
    uint32_t valid_s; /* FOREVER, or how long it is still valid */
    bool dynamic;     /* it will end: DHCP or router advertisement */
};

/* A default route; several next hops are several of these. */
struct host_route {
    uint8_t version;
    uint32_t table, metric;
    uint8_t type;  /* RTN_UNICAST, RTN_BLACKHOLE, ... */
    unsigned link; /* index; 0: none */
    bool has_gateway;
    struct addr gateway;
    bool dead; /* the kernel says that its interface is dead or has no carrier */
};

struct machine {
    char *root;          /* of the tree of files (sysfs, /etc): "" for this machine's own */
    GArray *links;       /* struct host_link, by index */
    GArray *addresses;   /* struct host_address */
    GArray *defaults;    /* struct host_route: those to everywhere, of the tables main and default, best first */
    GArray *elsewhere;   /* the same, of other tables */
    GPtrArray *firmware; /* char*: what the kernel said about firmware that is missing or bad (/dev/kmsg, as root); may
                            hold anything */
};

/* Reads it. NULL and *error where the kernel does not answer. Free with machine_free. */
struct machine *machine_read(const char *root, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* An empty one, for tests. */
struct machine *machine_new(const char *root);
void machine_free(struct machine *m); /* NULL-safe */

/* NULL: there is none. */
const struct host_link *machine_link(const struct machine *m, unsigned index);

/* The loopback interface; NULL: there is none. A network namespace has one at most. */
const struct host_link *machine_loopback(const struct machine *m);

/* The interface's name, "interface 7" where it is gone. */
const char *machine_link_name(const struct machine *m, unsigned index);

/* Up, with a carrier, and not the loopback. */
bool link_works(const struct host_link *l);

/* Usable for connections to other hosts: of global scope (or IPv6 link-local where `local`), neither tentative nor
 * failed, on an interface that works. */
bool address_is_usable(const struct machine *m, const struct host_address *a, bool local);

/* Whether one of that version is usable for other networks. */
bool machine_has_address(const struct machine *m, unsigned version);

/* Whether the address lies in the net of one of this host's addresses on a link that works. */
bool machine_is_on_link(const struct machine *m, unsigned version, const struct addr *a);

#define HOST_ERROR host_error_quark()
GQuark host_error_quark(void);

#endif
