/* lookup: DNS queries and their answers, paired, and the names that they gave to addresses (CONTRACT "dns"). */
#ifndef TCPSLEUTH_FLOW_LOOKUP_H
#define TCPSLEUTH_FLOW_LOOKUP_H

#include "base/addr.h"
#include "dissect/dns.h"
#include "dissect/packet.h"

#include <glib.h>

/* One question of one client, with its retries and its answer. */
struct lookup {
    char *name, *type;          /* type: "A", ... */
    uint16_t type_number;
    struct addr client, server;
    unsigned version;
    uint16_t client_port, id;
    enum dns_flavour flavour;
    bool tcp;                   /* asked over TCP */
    uint64_t query_packet, last_query_packet, response_packet, icmp_packet; /* 0: none */
    int64_t query_ns, last_query_ns, response_ns;        /* TIME_NONE */
    unsigned retries;           /* the question repeated, beyond the first */
    bool truncated;             /* TC was set: asked again over TCP */
    char *rcode;                /* "NOERROR", ...; NULL: no answer */
    uint8_t rcode_number;
    char **answers;             /* texts; NULL: none */
    GArray *addresses;          /* struct dns_address; NULL: none */
    uint8_t icmp_type, icmp_code; /* of the ICMP error that answered, where icmp_packet */
    struct addr icmp_from;
    struct lookup *retry_of;    /* of lookups.c: this one only stands for a retry with another id or port; NULL: it is none */
    GSList *again;              /* struct lookup*: those; owned */
    unsigned n_again;
};

void lookup_free(struct lookup *l); /* NULL-safe */

#endif
