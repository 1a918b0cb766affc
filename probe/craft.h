/* craft: packets of our own, built and sent by libnet: TCP, ICMP echo, UDP over IPv4 and IPv6, ARP and neighbour
 * solicitations. The only file that speaks to libnet. What goes out is exactly what is asked for: TTL, sizes, DF,
 * options; checksums are right.
 */
#ifndef TCPSLEUTH_PROBE_CRAFT_H
#define TCPSLEUTH_PROBE_CRAFT_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum craft_protocol { CRAFT_TCP, CRAFT_ECHO, CRAFT_UDP };

#define CRAFT_OPTIONS 40 /* RFC 9293: bytes of TCP options at most */
#define CRAFT_COOKIE 10  /* bytes at the start of a payload that are the caller's; the rest is filled with zeros */
#define CRAFT_BYTES 65535

/* One IP packet, in host order. */
struct craft {
    uint8_t version; /* 4 or 6 */
    struct addr src, dst;
    uint8_t ttl, tos;    /* tos: DSCP and ECN, as in the header */
    uint16_t id;         /* IPv4; not 0, else the kernel chooses */
    uint32_t flow_label; /* IPv6 */
    enum craft_protocol protocol;
    uint16_t sport, dport; /* TCP, UDP */
    uint32_t seq, ack;     /* TCP */
    uint8_t flags;         /* TCP */
    uint16_t window;       /* TCP */
    uint8_t options[CRAFT_OPTIONS];
    uint8_t n_options; /* a multiple of 4 */
    uint16_t echo_id, echo_seq;
    uint8_t cookie[CRAFT_COOKIE];
    uint32_t size; /* bytes of the whole IP packet; at least what the headers take; what is more is payload */
};

/* Bytes that the headers of c take. */
uint32_t craft_headers(const struct craft *c);

struct crafter;

/* Opens the raw sockets of both families, where there are any. NULL and *error without the right to. Free with
 * crafter_free. */
struct crafter *crafter_new(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One that builds and cannot send: needs no rights. */
struct crafter *crafter_new_dry(void);
void crafter_free(struct crafter *k); /* NULL-safe */

/* The bytes of c into out; returns how many, 0 where out is too small or libnet will not build it. */
size_t crafter_build(struct crafter *k, const struct craft *c, uint8_t *out, size_t room);

/* Sends c. 0, or the errno that the kernel gave: EMSGSIZE larger than the interface's MTU, EPERM a local rule,
 * ENETUNREACH ... scope: interface index of a link-local destination, 0 else. */
int crafter_send(struct crafter *k, const struct craft *c, unsigned scope);

/* A link to ask for neighbours on. NULL and *error where the interface cannot be opened. */
struct craft_link;
struct craft_link *craft_link_open(const char *interface, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void craft_link_free(struct craft_link *l); /* NULL-safe */
const uint8_t *craft_link_mac(const struct craft_link *l); /* its own hardware address, 6 bytes */

/* Asks all on the link who has `whom`, as src: an ARP request, or a neighbour solicitation to the solicited-node group
 * (RFC 4861 section 4.3). 0 or an errno. */
int craft_link_ask(struct craft_link *l, unsigned version, const struct addr *src, const struct addr *whom);

#endif
