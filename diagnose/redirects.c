#include "diagnose/redirects.h"

#include "base/addr_key.h"

struct client {
    struct addr addr;
    GPtrArray *hops; /* struct hop*, oldest first */
};

struct redirects {
    GHashTable *clients; /* struct client* by addr */
};

static void client_free(gpointer p)
{
    struct client *c = p;

    g_ptr_array_free(c->hops, TRUE);
    g_free(c);
}

struct redirects *redirects_new(void)
{
    struct redirects *r = g_new0(struct redirects, 1);

    r->clients = g_hash_table_new_full(addr_key_hash, addr_key_equal, NULL, client_free);
    return r;
}

void redirects_free(struct redirects *r)
{
    if (!r)
        return;
    g_hash_table_destroy(r->clients);
    g_free(r);
}

static struct client *client_of(struct redirects *r, const struct addr *addr)
{
    struct client *c = g_hash_table_lookup(r->clients, addr);

    if (c)
        return c;
    c = g_new0(struct client, 1);
    c->addr = *addr;
    c->hops = g_ptr_array_new();
    g_hash_table_insert(r->clients, &c->addr, c);
    return c;
}

static bool later(const struct hop *a, const struct hop *b)
{
    return a->ts_ns != b->ts_ns ? a->ts_ns > b->ts_ns : a->response_packet > b->response_packet;
}

/* In order of time: legs come in the order of their ends. */
static void insert(GPtrArray *hops, struct hop *h)
{
    guint at = hops->len;

    while (at > 0 && later(g_ptr_array_index(hops, at - 1), h))
        at--;
    g_ptr_array_insert(hops, (gint)at, h);
    if (hops->len > REDIRECTS_OPEN)
        g_ptr_array_remove_index(hops, 0);
}

void redirects_open(struct redirects *r, struct leg *l)
{
    if (!l->hops)
        return;
    struct client *c = client_of(r, &l->client);
    for (guint i = 0; i < l->hops->len; i++)
        insert(c->hops, &g_array_index(l->hops, struct hop, i));
}

void redirects_close(struct redirects *r, const struct leg *l)
{
    struct client *c = l->hops ? g_hash_table_lookup(r->clients, &l->client) : NULL;
    guint kept = 0;

    if (!c)
        return;
    for (guint i = 0; i < c->hops->len; i++) {
        struct hop *h = g_ptr_array_index(c->hops, i);
        if (h->leg != l)
            g_ptr_array_index(c->hops, kept++) = h;
    }
    g_ptr_array_set_size(c->hops, (gint)kept);
    if (kept == 0)
        g_hash_table_remove(r->clients, &l->client);
}

const GPtrArray *redirects_of(const struct redirects *r, const struct addr *client)
{
    const struct client *c = g_hash_table_size(r->clients) ? g_hash_table_lookup(r->clients, client) : NULL;
    return c ? c->hops : NULL;
}

bool redirect_in_time(const struct hop *h, int64_t ts_ns)
{
    return ts_ns >= h->ts_ns && ts_ns - h->ts_ns <= FOLLOW_NS;
}

struct hop *redirects_to(const struct redirects *r, const struct addr *client, uint64_t url_hash, int64_t ts_ns)
{
    const GPtrArray *hops = redirects_of(r, client);

    for (guint i = hops ? hops->len : 0; i-- > 0;) {
        struct hop *h = g_ptr_array_index(hops, i);
        if (h->to.hash == url_hash && !h->followed_by && redirect_in_time(h, ts_ns))
            return h;
    }
    return NULL;
}
