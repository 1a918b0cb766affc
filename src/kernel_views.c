#include "src/kernel_views.h"

#include "base/limits.h"
#include "diagnose/kernel_view.h"
#include "host/connection.h"
#include "host/conntrack.h"
#include "host/neighbor.h"
#include "host/tcpext.h"
#include "probe/route.h"

struct look {
    uint64_t flow;
    enum side here;
    bool away; /* this host is no end of it */
    struct kernel_view view;
};

struct kernel_views {
    GHashTable *looks;   /* of struct look, by flow */
    struct conntrack *conntrack; /* NULL: not heard */
    bool tracked;        /* this host tracks connections */
    int64_t began_ns;
    uint64_t began[KERNEL_COUNTERS]; /* when it began to watch */
};

struct kernel_views *kernel_views_new(void)
{
    struct kernel_views *v = g_new0(struct kernel_views, 1);

    tcpext_read(v->began);
    v->tracked = conntrack_used();
    v->conntrack = conntrack_open();
    v->began_ns = g_get_real_time() * NS_PER_US;
    v->looks = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    return v;
}

void kernel_views_free(struct kernel_views *v)
{
    if (!v)
        return;
    g_hash_table_destroy(v->looks);
    conntrack_free(v->conntrack);
    g_free(v);
}

void kernel_views_clock(struct kernel_views *v)
{
    conntrack_read(v->conntrack);
}

static bool is_here(const struct flow *f, enum side s)
{
    struct route r;

    route_find(&r, f->key.version, flow_addr(f, s), 0);
    return !r.error && r.local;
}

static struct look *look_at(struct kernel_views *v, const struct flow *f)
{
    struct look *l = g_hash_table_lookup(v->looks, &f->id);

    if (l || g_hash_table_size(v->looks) >= LIMIT_KERNEL_LOOKS)
        return l;
    l = g_new0(struct look, 1);
    l->flow = f->id;
    l->here = is_here(f, CLIENT) ? CLIENT : SERVER;
    l->away = l->here == SERVER && !is_here(f, SERVER);
    g_hash_table_insert(v->looks, &l->flow, l);
    return l;
}

static void read_way(struct kernel_view *view, const struct flow *f, enum side there)
{
    const struct addr *to = flow_addr(f, there);
    struct route r;
    char mac[MAC_TEXT];

    route_find(&r, f->key.version, to, 0);
    view->route_error = r.error;
    if (r.error)
        return;
    view->route_mtu = r.cached_mtu;
    view->asks_neighbor = r.asks_neighbors && !r.local;
    view->next_hop = r.has_gateway ? r.gateway : *to;
    if (view->asks_neighbor)
        view->neighbor = neighbor_find(r.ifindex, f->key.version, &view->next_hop, mac);
}

static void read_counters(struct kernel_view *view, const uint64_t began[KERNEL_COUNTERS])
{
    uint64_t now[KERNEL_COUNTERS];

    for (int c = 0; tcpext_read(now) && c < KERNEL_COUNTERS; c++)
        view->counted[c] = now[c] - MIN(now[c], began[c]);
}

/* Of what began before, only what was heard since is known. */
static void read_track(struct kernel_views *v, struct kernel_view *view, const struct flow *f)
{
    if (!v->tracked)
        return;
    conntrack_read(v->conntrack);
    view->track = conntrack_find(v->conntrack, f->key.version, flow_addr(f, CLIENT), flow_port(f, CLIENT),
                                 flow_addr(f, SERVER), flow_port(f, SERVER));
    if (view->track == TRACK_NONE && (!f->syns || f->first_ns < v->began_ns))
        view->track = TRACK_UNUSED;
}

/* A look that no longer finds the socket leaves of it what the last one found. While the kernel asks for a next hop that it gave up before, it is
 * still given up. */
static void keep(struct kernel_view *before, const struct kernel_view *now)
{
    enum neighbor_state neighbor =
        now->neighbor == NEIGHBOR_ASKING && before->neighbor == NEIGHBOR_FAILED ? NEIGHBOR_FAILED : now->neighbor;

    if (now->there || !before->there)
        *before = *now;
    before->neighbor = neighbor;
}

void kernel_views_look(struct kernel_views *v, const struct flow *f)
{
    struct look *l = look_at(v, f);
    struct kernel_view view;

    if (!l || l->away)
        return;
    enum side there = other_side(l->here);
    connection_find(f->key.version, flow_addr(f, l->here), flow_port(f, l->here), flow_addr(f, there),
                    flow_port(f, there), &view);
    read_way(&view, f, there);
    read_counters(&view, v->began);
    read_track(v, &view, f);
    keep(&l->view, &view);
}

void kernel_views_tell(const struct kernel_views *v, const struct flow *f, struct finding *d)
{
    const struct look *l = g_hash_table_lookup(v->looks, &f->id);

    if (l && !l->away)
        finding_tell_kernel(d, f, l->here, &l->view);
}
