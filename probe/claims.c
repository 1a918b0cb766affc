#include "probe/claims.h"

#include "base/limits.h"
#include "dissect/dissector.h"
#include "probe/craft.h"
#include "probe/listen.h"

#include <net/if.h>
#include <poll.h>
#include <string.h>

#define AGAIN_MS 200 /* the second question */
#define FRAMES_AT_ONCE 64

struct claims {
    struct listener *listener;
    struct dissector *dissector;
    struct craft_link *links[LIMIT_PROBE_LINKS];
    unsigned indexes[LIMIT_PROBE_LINKS], n;
    /* of the question at hand */
    unsigned version;
    struct addr whom;
    GArray *found; /* struct claim */
};

static void open_links(struct claims *k)
{
    struct if_nameindex *all = if_nameindex();

    for (unsigned i = 0; all && all[i].if_index && k->n < LIMIT_PROBE_LINKS; i++) {
        struct craft_link *l = craft_link_open(all[i].if_name, NULL); /* not all have a hardware address */
        if (!l)
            continue;
        k->links[k->n] = l;
        k->indexes[k->n++] = all[i].if_index;
    }
    if (all)
        if_freenameindex(all);
}

struct claims *claims_open(GError **error)
{
    struct listener *listener = listener_open_neighbors(error);

    if (!listener)
        return NULL;
    struct claims *k = g_new0(struct claims, 1);
    k->listener = listener;
    k->dissector = dissector_new();
    open_links(k);
    return k;
}

void claims_free(struct claims *k)
{
    if (!k)
        return;
    for (unsigned i = 0; i < k->n; i++)
        craft_link_free(k->links[i]);
    dissector_free(k->dissector);
    listener_free(k->listener);
    g_free(k);
}

/* This host answers on each of its interfaces for the addresses of all. */
static bool is_own(const struct claims *k, const uint8_t mac[6])
{
    for (unsigned i = 0; i < k->n; i++)
        if (memcmp(craft_link_mac(k->links[i]), mac, 6) == 0)
            return true;
    return false;
}

static void take(struct claims *k, const uint8_t mac[6])
{
    struct claim c;

    for (guint i = 0; i < k->found->len; i++)
        if (memcmp(g_array_index(k->found, struct claim, i).mac, mac, sizeof c.mac) == 0)
            return;
    memcpy(c.mac, mac, sizeof c.mac);
    if (k->found->len < LIMIT_CLAIMS)
        g_array_append_val(k->found, c);
}

static void on_frame(void *user, const struct frame *f)
{
    struct claims *k = user;
    struct packet p;

    dissector_frame(k->dissector, f, &p);
    const struct neighbor_facts *n = &p.neighbor;
    if (k->found && p.kind == PACKET_NEIGHBOR && !n->request && n->has_mac && n->version == k->version &&
        addr_cmp(&n->target, &k->whom) == 0 && !is_own(k, n->mac))
        take(k, n->mac);
}

static void listen_for(struct claims *k, int ms)
{
    gint64 end = g_get_monotonic_time() + ms * 1000;
    struct pollfd p = { .fd = listener_fd(k->listener), .events = POLLIN };

    for (gint64 left = ms; left > 0; left = (end - g_get_monotonic_time()) / 1000)
        if (poll(&p, 1, (int)left) > 0)
            listener_read(k->listener, FRAMES_AT_ONCE, on_frame, k);
}

static struct craft_link *link_of(const struct claims *k, unsigned ifindex)
{
    for (unsigned i = 0; i < k->n; i++)
        if (k->indexes[i] == ifindex)
            return k->links[i];
    return NULL;
}

GArray *claims_ask(struct claims *k, unsigned ifindex, unsigned version, const struct addr *src,
                   const struct addr *whom)
{
    static const struct addr nobody;
    struct craft_link *l = link_of(k, ifindex);
    GArray *found = g_array_new(FALSE, TRUE, sizeof(struct claim));

    if (!l || (version == 6 && !src))
        return found;
    listener_read(k->listener, -1, on_frame, k); /* what came before was not asked for */
    k->version = version;
    k->whom = *whom;
    k->found = found;
    if (craft_link_ask(l, version, src ? src : &nobody, whom) == 0) {
        listen_for(k, AGAIN_MS);
        craft_link_ask(l, version, src ? src : &nobody, whom);
        listen_for(k, CLAIMS_MS - AGAIN_MS);
    }
    k->found = NULL;
    return found;
}
