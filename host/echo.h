/* echo: an ICMP echo by the kernel's own means: a ping socket where net.ipv4.ping_group_range allows it, else a raw one
 * (root). Opened before rights are given up, used after. Says who answered: the target, or somebody on the way with an
 * ICMP error.
 */
#ifndef TCPSLEUTH_HOST_ECHO_H
#define TCPSLEUTH_HOST_ECHO_H

#include "base/addr.h"

#include <stdbool.h>

struct echo;

/* Opens what may be opened; never NULL. Free with echo_free. */
struct echo *echo_open(void);
void echo_free(struct echo *e); /* NULL-safe */

/* Whether this user may send echoes of that version. */
bool echo_can(const struct echo *e, unsigned version);

enum echo_outcome { ECHO_ANSWERED, ECHO_SILENT, ECHO_ERROR, ECHO_UNSENT };

struct echo_reply {
    enum echo_outcome outcome;
    int64_t rtt_ns; /* ECHO_ANSWERED */
    unsigned sent, answered;
    int error; /* ECHO_UNSENT: errno: EPERM a local rule, ENETUNREACH no route, ...; ECHO_ERROR: what the kernel makes
                  of it */
    uint8_t type, code; /* ECHO_ERROR: of the ICMP error */
    bool has_from;      /* ECHO_ERROR: by another host */
    struct addr from;
};

/* Sends up to `tries` echoes, one a second, until one is answered. Waits. scope: interface index of a link-local
 * address, else 0. */
void echo_ask(struct echo *e, unsigned version, const struct addr *to, unsigned scope, unsigned tries,
              struct echo_reply *out);

/* A UDP datagram to the discard port, for who may send no echo: the kernel looks for the neighbour. What comes back is
 * not waited for. */
void echo_nudge(unsigned version, const struct addr *to, unsigned scope);

#endif
