#include "flow/hosts.h"

#include "base/timens.h"

#include <glib.h>
#include <string.h>

#define PLACES 4096 /* a power of two */

struct hosts {
    struct host places[PLACES];
};

struct hosts *hosts_new(void)
{
    return g_new0(struct hosts, 1);
}

void hosts_free(struct hosts *h)
{
    g_free(h);
}

static size_t place_of(const struct addr *a)
{
    uint64_t halves[2];

    memcpy(halves, a->bytes, sizeof halves);
    uint64_t h = halves[0] * 0x9E3779B97F4A7C15u ^ halves[1];
    h = (h ^ h >> 32) * 0xD6E8FEB86659FD93u; /* what differs may stand in the highest bytes alone */
    return (size_t)(h >> 40) & (PLACES - 1);
}

void hosts_saw(struct hosts *h, const struct addr *server, uint8_t version, uint8_t ttl, int64_t rtt_ns)
{
    struct host *p = &h->places[place_of(server)];

    if (p->version != version || addr_cmp(&p->addr, server))
        *p = (struct host){ *server, version, ttl, ttl, INT64_MAX };
    p->ttl_least = MIN(p->ttl_least, ttl);
    p->ttl_most = MAX(p->ttl_most, ttl);
    if (rtt_ns != TIME_NONE && rtt_ns > 0)
        p->rtt_ns = MIN(p->rtt_ns, rtt_ns);
}

const struct host *hosts_find(const struct hosts *h, const struct addr *server, uint8_t version)
{
    const struct host *p = &h->places[place_of(server)];
    return p->version == version && addr_cmp(&p->addr, server) == 0 ? p : NULL;
}
