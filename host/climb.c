#include "host/climb.h"

bool climb_wants(const struct climb *c, unsigned version)
{
    return c->families[version == 6] && !c->left_out[version == 6];
}

void climb_set_families(struct climb *c)
{
    bool usable[2] = { machine_has_address(c->machine, 4), machine_has_address(c->machine, 6) };

    c->families[0] = c->families[1] = false;
    for (guint i = 0; i < c->addresses->len; i++)
        c->families[g_array_index(c->addresses, struct climb_address, i).version == 6] = true;
    for (int i = 0; i < 2; i++)
        c->left_out[i] = c->families[0] && c->families[1] && !usable[i] && usable[!i];
}

bool climb_stays_here(const struct climb *c)
{
    for (guint i = 0; i < c->addresses->len; i++)
        if (!g_array_index(c->addresses, struct climb_address, i).local)
            return false;
    return c->addresses->len > 0;
}

static void add_once(GArray *links, unsigned index)
{
    for (guint i = 0; i < links->len; i++)
        if (g_array_index(links, unsigned, i) == index)
            return;
    if (index)
        g_array_append_val(links, index);
}

static void add_of_target(const struct climb *c, GArray *links)
{
    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        if (!a->error && !a->local)
            add_once(links, a->link);
    }
}

static void add_of_defaults(const struct climb *c, GArray *links)
{
    for (guint i = 0; i < c->machine->defaults->len; i++) {
        const struct host_route *r = &g_array_index(c->machine->defaults, struct host_route, i);
        if (climb_wants(c, r->version))
            add_once(links, r->link);
    }
}

static void add_all(const struct climb *c, GArray *links)
{
    for (guint i = 0; i < c->machine->links->len; i++) {
        const struct host_link *l = &g_array_index(c->machine->links, struct host_link, i);
        if (!l->loopback)
            add_once(links, l->index);
    }
}

GArray *climb_links(const struct climb *c)
{
    GArray *links = g_array_new(FALSE, FALSE, sizeof(unsigned));

    add_of_target(c, links);
    if (links->len == 0)
        add_of_defaults(c, links);
    if (links->len == 0)
        add_all(c, links);
    return links;
}

const struct climb_address *climb_client(const struct climb *c)
{
    return c->addresses->len ? &g_array_index(c->addresses, struct climb_address, 0) : NULL;
}

static void add_hop(GArray *hops, struct climb_hop h)
{
    for (guint i = 0; i < hops->len; i++) {
        const struct climb_hop *known = &g_array_index(hops, struct climb_hop, i);
        if (known->version == h.version && known->link == h.link && addr_cmp(&known->addr, &h.addr) == 0)
            return;
    }
    g_array_append_val(hops, h);
}

/* An address of this host on the link, to ask from. */
static struct addr source_on(const struct climb *c, unsigned version, unsigned link)
{
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        if (a->version == version && a->link == link && address_is_usable(c->machine, a, true))
            return a->addr;
    }
    return (struct addr){ 0 };
}

GArray *climb_hops(const struct climb *c)
{
    GArray *hops = g_array_new(FALSE, TRUE, sizeof(struct climb_hop));

    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        if (!a->error && !a->local && climb_wants(c, a->version))
            add_hop(hops, (struct climb_hop){ a->version, a->has_gateway ? a->gateway : a->addr, a->source, a->link,
                                              !a->has_gateway });
    }
    for (guint i = 0; c->addresses->len == 0 && i < c->machine->defaults->len; i++) {
        const struct host_route *r = &g_array_index(c->machine->defaults, struct host_route, i);
        if (r->has_gateway && !r->dead && climb_wants(c, r->version))
            add_hop(hops,
                    (struct climb_hop){ r->version, r->gateway, source_on(c, r->version, r->link), r->link, false });
    }
    return hops;
}
