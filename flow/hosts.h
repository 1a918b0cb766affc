/* hosts: from how far away each server answers: the TTLs of its SYN-ACKs and the shortest time to one. A RST that bears the address of a
 * server is held against it. It is a cache of fixed size: where two servers meet in it the later one stays, and less is known.
 */
#ifndef TCPSLEUTH_FLOW_HOSTS_H
#define TCPSLEUTH_FLOW_HOSTS_H

#include "base/addr.h"

struct host {
    struct addr addr;
    uint8_t version;              /* 0: empty */
    uint8_t ttl_least, ttl_most;
    int64_t rtt_ns;               /* least time from a SYN to its SYN-ACK; INT64_MAX: none known */
};

struct hosts;

struct hosts *hosts_new(void);
void hosts_free(struct hosts *h); /* NULL-safe */

/* A SYN-ACK of that server; rtt_ns: since its SYN, TIME_NONE where that was not seen. */
void hosts_saw(struct hosts *h, const struct addr *server, uint8_t version, uint8_t ttl, int64_t rtt_ns);

/* What is known of it; NULL: nothing. Valid until the next hosts_saw. */
const struct host *hosts_find(const struct hosts *h, const struct addr *server, uint8_t version);

#endif
