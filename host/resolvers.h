/* resolvers: where this host looks names up: the order of its sources (/etc/nsswitch.conf), /etc/hosts, the name
 * servers and the search list
 * (/etc/resolv.conf, and those behind systemd-resolved). Files only, below a root.
 */
#ifndef TCPSLEUTH_HOST_RESOLVERS_H
#define TCPSLEUTH_HOST_RESOLVERS_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct resolver {
    uint8_t version;
    struct addr addr;
    unsigned scope;   /* interface index of a link-local address */
    const char *from; /* static: the file that names it */
    bool behind;      /* systemd-resolved asks it; this host's programs ask the stub */
};

struct found_address {
    uint8_t version;
    struct addr addr;
};

struct resolvers {
    GArray *servers;  /* struct resolver, LIMIT_RESOLVERS at most */
    GArray *hosts;    /* struct found_address: what /etc/hosts has for the name */
    GPtrArray *names; /* char*: the names to ask for, in the order of libc: the search list is applied */
    bool uses_files, uses_dns;
    char *others; /* other sources of nsswitch.conf, "mdns4_minimal, myhostname"; NULL: none */
};

/* For one name. Free with resolvers_free. */
struct resolvers *resolvers_read(const char *root, const char *name);
void resolvers_free(struct resolvers *r); /* NULL-safe */

/* Whether a server with that address is among them. */
bool resolvers_hold(const struct resolvers *r, const struct resolver *s);

/* An address as it stands in these files: "192.0.2.1", "fe80::1%eth0". False where it is none. */
bool resolver_address(const char *text, uint8_t *version, struct addr *out, unsigned *scope);

#endif
