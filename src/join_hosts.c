#include "src/join_hosts.h"

#include "probe/route.h"

#include <arpa/inet.h>

struct host {
    uint8_t version;
    struct addr addr;
};

struct join_hosts {
    bool all;      /* every server */
    GArray *named; /* struct host */
};

struct join_hosts *join_hosts_new(const GPtrArray *names)
{
    struct join_hosts *h = g_new0(struct join_hosts, 1);

    h->all = !names;
    h->named = g_array_new(FALSE, FALSE, sizeof(struct host));
    for (guint i = 0; names && i < names->len; i++) {
        uint8_t bytes[16];
        struct host one = { .version = 4 };
        if (inet_pton(AF_INET, g_ptr_array_index(names, i), bytes) == 1)
            one.addr = addr_v4(bytes);
        else if (inet_pton(AF_INET6, g_ptr_array_index(names, i), bytes) == 1)
            one = (struct host){ .version = 6, .addr = addr_v6(bytes) };
        else
            continue;
        g_array_append_val(h->named, one);
    }
    return h;
}

void join_hosts_free(struct join_hosts *h)
{
    if (!h)
        return;
    g_array_free(h->named, TRUE);
    g_free(h);
}

void join_hosts_prepare(const struct join_hosts *h, struct probe_engine *e)
{
    if (h->all)
        probe_engine_prepare_all(e);
    for (guint i = 0; i < h->named->len; i++) {
        const struct host *one = &g_array_index(h->named, struct host, i);
        probe_engine_prepare(e, one->version, &one->addr);
    }
}

static bool is_named(const struct join_hosts *h, unsigned version, const struct addr *a)
{
    for (guint i = 0; i < h->named->len; i++) {
        const struct host *one = &g_array_index(h->named, struct host, i);
        if (one->version == version && addr_cmp(&one->addr, a) == 0)
            return true;
    }
    return false;
}

bool join_hosts_may(const struct join_hosts *h, unsigned version, const struct addr *a)
{
    return h->all || is_named(h, version, a);
}

static bool is_elsewhere(unsigned version, const struct addr *a)
{
    struct route r;

    route_find(&r, version, a, 0);
    return r.error || (!r.local && !r.broadcast);
}

bool join_hosts_choose(const struct join_hosts *h, const struct flow *f, enum side *target)
{
    for (int s = SERVER; s >= CLIENT; s--) {
        const struct addr *a = flow_addr(f, (enum side)s);
        bool may = is_named(h, f->key.version, a) || (h->all && s == SERVER);
        if (!may || !is_elsewhere(f->key.version, a))
            continue;
        *target = (enum side)s;
        return true;
    }
    return false;
}
