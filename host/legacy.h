/* legacy: the tables of iptables-legacy, which nftables does not see (libiptc), in the form of nftables' JSON, so that one walk serves both. */
#ifndef TCPSLEUTH_HOST_LEGACY_H
#define TCPSLEUTH_HOST_LEGACY_H

#include <jansson.h>
#include <stdbool.h>

/* The family of these chains and rules: "ip" or "ip6"; their table is LEGACY_TABLE, and a rule's handle is its number in the chain. */
#define LEGACY_TABLE "iptables-legacy"

/* Adds the filter tables of both families to `objects`, as far as there are any and this user may read them (CAP_NET_ADMIN). root: where
 * /proc/net says whether there are; without it the kernel would load the module. False where there are rules that could not be read. */
bool legacy_read(const char *root, json_t *objects);

#endif
