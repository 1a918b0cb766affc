/* claims: who on a link says that an address is his: asked by ARP or neighbour solicitations on the interfaces of this
 * host, whose own answers do not count. Two who say so are one too many (RFC 5227), which the kernel's table, with its
 * one entry an address, does not show.
 */
#ifndef TCPSLEUTH_PROBE_CLAIMS_H
#define TCPSLEUTH_PROBE_CLAIMS_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>

struct claims;

struct claim {
    uint8_t mac[6];
};

/* Opens what asks, on the first LIMIT_PROBE_LINKS interfaces, and what listens, which takes root or CAP_NET_RAW; after
 * it these rights may be dropped. NULL and *error without. Free with claims_free. */
struct claims *claims_open(GError **error) G_GNUC_WARN_UNUSED_RESULT;
void claims_free(struct claims *k); /* NULL-safe */

/* Asks twice, and waits CLAIMS_MS. src: this host's address on that link; NULL: nobody's, so that no table learns from
 * the question (RFC 5227 section 2.1.1; IPv4 only). The hardware addresses that claim `whom`, each once: struct claim,
 * free it. Empty where the link cannot be asked. */
#define CLAIMS_MS 600
GArray *claims_ask(struct claims *k, unsigned ifindex, unsigned version, const struct addr *src,
                   const struct addr *whom) G_GNUC_WARN_UNUSED_RESULT;

#endif
