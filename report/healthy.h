/* healthy: flows that nothing is wrong with, put together as they come: those with the same server, protocol and ending
 * are one group, and of a single one nothing is kept. Time and memory do not depend on how many there are.
 */
#ifndef TCPSLEUTH_REPORT_HEALTHY_H
#define TCPSLEUTH_REPORT_HEALTHY_H

#include "flow/flow.h"
#include "report/ids.h"
#include "report/words.h"

/* What has to be the same. No padding: it is compared as bytes. */
struct healthy_key {
    struct addr server;
    uint16_t port;
    uint8_t version;
    uint8_t protocol; /* enum app_protocol */
    struct ending ending;
};

struct healthy_group {
    struct healthy_key key;
    uint32_t hash; /* of key, seeded */
    uint32_t at;   /* healthy.c */
    uint64_t flows;
    uint64_t bytes_low, bytes_high; /* of both sides */
    int64_t rtt_low_ns, rtt_high_ns; /* of the handshakes; rtt_high_ns TIME_NONE: none was seen */
    struct ids ids;
};

struct healthy;

struct healthy *healthy_new(void);
void healthy_free(struct healthy *h); /* NULL-safe */

/* Each flow that is over is either taken into account or passed over (it is not healthy): once, in any order. */
void healthy_add(struct healthy *h, const struct flow *f);
void healthy_pass(struct healthy *h, uint64_t id);

/* No more flows come. The groups (struct healthy_group*), the largest first, of equals the one with the lowest id;
 * owned by h. */
const GPtrArray *healthy_finish(struct healthy *h);

/* Flows that are in none of them, because there were LIMIT_HEALTHY_GROUPS. */
uint64_t healthy_ungrouped(const struct healthy *h);

#endif
