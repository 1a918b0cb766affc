/* ask: a name asked of every resolver on its own, for A and AAAA, all at the same time (UDP, again after 2 s; TCP where
 * the answer is cut short). Messages are ldns'.
 */
#ifndef TCPSLEUTH_HOST_ASK_H
#define TCPSLEUTH_HOST_ASK_H

#include "host/resolvers.h"

enum ask_outcome {
    ASK_ADDRESSES, /* there are some */
    ASK_NO_DATA,   /* the name exists, without an address of this family */
    ASK_NXDOMAIN,
    ASK_SERVFAIL,
    ASK_REFUSED,
    ASK_OTHER,     /* another rcode */
    ASK_MALFORMED, /* an answer that is none */
    ASK_SILENT,    /* nothing came back */
    ASK_UNSENT     /* it could not be sent: `error`, or an ICMP error answers */
};

struct asked {
    unsigned server; /* of resolvers.servers */
    uint8_t version; /* of the addresses asked for: 4 or 6 */
    enum ask_outcome outcome;
    int rcode, error;
    int64_t time_ns;   /* TIME_NONE: no answer */
    GArray *addresses; /* struct found_address; NULL: none */
    char *alias;       /* the last name of a chain of CNAMEs, NULL: none; may hold anything: escape it */
};

/* Two rows a server, of the servers' order: A, then AAAA. GPtrArray of struct asked*; free with g_ptr_array_free.
 * Waits: 4 s at most. */
GPtrArray *ask_all(const struct resolvers *r, const char *name);

void asked_free(struct asked *a); /* NULL-safe */

#endif
