/* dns: one DNS message (RFC 1035) to facts, through ldns. UDP payloads and, behind the two length bytes, TCP. No
 * state. */
#ifndef TCPSLEUTH_DISSECT_DNS_H
#define TCPSLEUTH_DISSECT_DNS_H

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

enum dns_flavour { DNS_UNICAST, DNS_MULTICAST, DNS_LLMNR };

struct dns_message {
    uint16_t id;
    bool response, truncated;
    uint16_t rcode;           /* RFC 1035, extended by EDNS where present (12 bits) */
    char *name;               /* the question, lower case, without the last dot; UTF-8 */
    uint16_t type;            /* of the question: 1 A, 28 AAAA, 65 HTTPS, ... */
    char **answers;           /* texts of the answer section in order: addresses, CNAME targets (lower case, without
                               * the last dot), of other types "TYPE rdata" as in a zone file; each bounded by
                               * LIMIT_DNS_TEXT; NULL-terminated */
    GArray *addresses;        /* struct dns_address: of all A and AAAA answers, the CNAME chain followed */
};

struct dns_address {
    uint8_t version;
    uint8_t bytes[16]; /* as struct addr */
};

/* Parses; NULL where the bytes are no DNS message of the kind QUERY with exactly one question. What is cut off
 * behind the question is left out; at most LIMIT_DNS_ANSWERS answers are kept. Free with dns_message_free
 * (NULL-safe). */
struct dns_message *dns_parse(struct slice message);
void dns_message_free(struct dns_message *m);

/* "A", "AAAA", "TYPE65280"; "NOERROR", "NXDOMAIN", "RCODE99". Newly allocated. */
char *dns_type_name(uint16_t type);
char *dns_rcode_name(uint16_t rcode);

#endif
