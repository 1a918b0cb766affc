#include "flow/coming.h"

#include "flow/table.h"
#include "flow/track.h"

uint32_t coming_layers(const struct encap *e)
{
    uint32_t h = 2166136261u;

    if (!e->n_vlans && !e->n_tunnels)
        return 0;
    for (int i = 0; i < e->n_vlans; i++)
        h = (h ^ e->vlans[i]) * 16777619u;
    for (int i = 0; i < e->n_tunnels; i++)
        h = ((h ^ e->tunnels[i].kind) * 16777619u ^ e->tunnels[i].id) * 16777619u;
    return h | 1;
}

static void expect(const struct flow_table *t, const struct packet *p, struct coming *c)
{
    const struct ends ends = { &p->ip.src, &p->ip.dst, p->tcp.sport, p->tcp.dport, p->ip.version };

    c->flow = NULL;
    if (p->kind != PACKET_TCP)
        return;
    c->layers = coming_layers(&p->encap);
    c->low_is_src = flow_table_key(t, &ends, &c->key);
    flow_table_expect(t, &c->key);
}

/* Whether the application layer will be told of it. */
static bool speaks(const struct packet *p)
{
    return p->tcp.len || p->tcp.flags & (TCP_FIN | TCP_RST);
}

void coming_fetch(const struct flow_table *t, const struct packet *p, struct coming *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(t, &p[i], &c[i]);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (p[i].kind == PACKET_TCP)
            c[i].flow = flow_table_warm(t, &c[i].key);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow)
            flow_warm_track(c[i].flow);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow && speaks(&p[i]))
            app_expect(c[i].flow->track->app);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow && speaks(&p[i]) && c[i].flow->track->app)
            app_warm(c[i].flow->track->app);
}
