/* ask: a name asked of every resolver on its own, for A and AAAA, all at the same time (UDP, again after 2 s; TCP where
 * the answer is cut short, but not by ask_start). Messages are ldns'.
 */
#ifndef TCPSLEUTH_HOST_ASK_H
#define TCPSLEUTH_HOST_ASK_H

#include "dissect/packet.h"
#include "host/resolvers.h"

enum ask_outcome {
    ASK_ADDRESSES, /* there are some */
    ASK_NO_DATA,   /* the name exists, without an address of this family */
    ASK_NXDOMAIN,
    ASK_SERVFAIL,
    ASK_REFUSED,
    ASK_OTHER,     /* another rcode */
    ASK_CUT,       /* cut short before any address, and the rest was not to be had over TCP */
    ASK_MALFORMED, /* an answer that is none */
    ASK_SILENT,    /* nothing came back */
    ASK_UNSENT     /* it could not be sent: `error`, or an ICMP error answers */
};

struct asked {
    unsigned server; /* of resolvers.servers */
    uint8_t version; /* of the addresses asked for: 4 or 6 */
    enum ask_outcome outcome;
    int rcode, error;
    bool cut;          /* the answer was cut short: addresses may be missing */
    int64_t time_ns;   /* TIME_NONE: no answer */
    GArray *addresses; /* struct found_address; NULL: none */
    char *alias;       /* the last name of a chain of CNAMEs, NULL: none; may hold anything: escape it */
};

struct ask;

/* Asks from the thread's default main context, which nothing keeps waiting: `done` is called from it once, 4 s later at most, and may free. Free
 * with ask_free, which also ends it. */
struct ask *ask_start(const struct resolvers *r, const char *name, void (*done)(void *user), void *user);
void ask_free(struct ask *a); /* NULL-safe */

/* Two rows a server, of the servers' order: A, then AAAA. Array of struct asked*; the ask's. */
const GPtrArray *ask_answers(const struct ask *a);

/* Whether a captured packet is one of its questions, or an answer to one. */
bool ask_owns(const struct ask *a, const struct packet *p);

/* The same rows, waited for: 4 s, and 2 s for each that is asked over TCP. Free with g_ptr_array_unref. */
GPtrArray *ask_all(const struct resolvers *r, const char *name);

void asked_free(struct asked *a); /* NULL-safe */

#endif
