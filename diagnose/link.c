#include "diagnose/link.h"

/* Two addresses of one name that are tried for one purpose: at nearly the same time (RFC 8305 section 8: 2 s at most),
 * or one right after the other failed. */
#define SIBLING_NS (3 * NS_PER_S)

/* A redirect that was read over https is followed at once. */
#define WAY_BACK_NS (2 * NS_PER_S)

/* --- redirects --- */

static bool same_server(const struct attempt *a, const struct attempt *b)
{
    return a->version == b->version && addr_cmp(&a->server, &b->server) == 0;
}

/* The port that the redirect asks for; a browser that knows a host as https-only (RFC 6797) goes to 443 instead of 80.
 */
static bool port_fits(const struct hop *h, const struct leg *l)
{
    return l->port == h->to.port || (l->secure && h->to.port == 80 && l->port == 443);
}

/* The host of the redirect is the server, for all that is known: by look-up, as a literal, or because it is the
 * redirecting host itself. */
static bool address_fits(const struct hop *h, const struct leg *l, const struct name_group *g, const struct names *n)
{
    char literal[ADDR_TEXT_SIZE];
    uint16_t port;

    if ((g && name_group_is(g, h->to.host)) || names_gave(n, &l->client, h->to.host, &l->to.server, l->to.start_ns))
        return true;
    if (strcmp(addr_text(literal, &l->to.server, l->to.version), h->to.host) == 0)
        return true;
    g_autofree char *from_host = h->leg->name ? g_strdup(h->leg->name) : url_host(h->from, &port);
    return same_server(&h->leg->to, &l->to) && strcmp(from_host, h->to.host) == 0;
}

/* A redirect that a failed attempt followed may be followed again at another address. */
static bool still_open(const struct hop *h, const struct leg *l)
{
    if (!h->followed_by)
        return true;
    return h->follower && h->follower->to.reach == REACH_FAILED && !same_server(&h->follower->to, &l->to);
}

/* What says nothing in clear may be what follows: it failed, or it is encrypted. An open connection that is not used
 * yet follows nothing. */
static bool may_be_it(const struct hop *h, const struct leg *l)
{
    if (l->to.reach == REACH_FAILED || (l->verdict && l->verdict->status == STATUS_BROKEN))
        return true;
    return h->to.secure && l->to.reach == REACH_USED;
}

static bool leads_to_leg(const struct hop *h, const struct leg *l, const struct name_group *g, const struct names *n)
{
    if (h->leg == l || !h->to.host || !still_open(h, l) || !redirect_in_time(h, l->to.start_ns) || !port_fits(h, l))
        return false;
    if (l->name)
        return l->secure && strcmp(l->name, h->to.host) == 0;
    return may_be_it(h, l) && address_fits(h, l, g, n);
}

/* By name, address and time: for what says nothing in clear. */
static struct hop *by_host(const struct redirects *r, const struct addr *client, const struct leg *l,
                           const struct name_group *g, const struct names *n)
{
    const GPtrArray *hops = redirects_of(r, client);

    for (guint i = hops ? hops->len : 0; i-- > 0;) {
        struct hop *h = g_ptr_array_index(hops, i);
        if (!leads_to_leg(h, l, g, n))
            continue;
        h->confidence = l->name ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
        return h;
    }
    return NULL;
}

static struct hop *redirect_behind(const struct redirects *r, const struct names *n, const struct leg *l,
                                   const struct name_group *g)
{
    if (l->requests) {
        const struct request *first = &g_array_index(l->requests, struct request, 0);
        struct hop *h = redirects_to(r, &l->client, first->url_hash, first->ts_ns);
        return h && h->leg != l ? h : NULL;
    }
    struct hop *h = by_host(r, &l->client, l, g, n);
    if (!h && g && addr_cmp(&g->client, &l->client) != 0)
        h = by_host(r, &g->client, l, g, n);
    return h;
}

static void follow(struct hop *h, struct leg *l)
{
    chain_join(h->leg->chain, l);
    h->followed_by = l->flow;
    h->resolved = l->requests && g_array_index(l->requests, struct request, 0).resolved;
    if (h->leg->chain != l->chain)
        return;
    if (h->follower && h->follower != l && l->to.reach > h->follower->to.reach)
        h->follower->loser = true;
    h->follower = l;
    l->via = h;
}

/* Requests of the leg that follow redirects, its own among them: the first one was joined already where another leg's
 * led to it. */
static void follow_requests(const struct redirects *r, struct leg *l)
{
    if (!redirects_of(r, &l->client))
        return;
    for (guint i = 0; l->requests && i < l->requests->len; i++) {
        const struct request *q = &g_array_index(l->requests, struct request, i);
        struct hop *h = redirects_to(r, &l->client, q->url_hash, q->ts_ns);
        if (!h)
            continue;
        h->followed_by = l->flow;
        h->resolved = q->resolved;
    }
}

/* The way back from https: the same URL is asked for again right after the encrypted answer, while that connection is
 * still wanted. */
static bool leads_back(const struct hop *h, const struct leg *l)
{
    const struct leg *over = h->follower;
    const struct request *first = &g_array_index(l->requests, struct request, 0);

    if (h->from_hash != first->url_hash || !over || !over->secure || over->server_data_ns == TIME_NONE ||
        over->chain != h->leg->chain)
        return false;
    if (over->client_fin_ns != TIME_NONE && over->client_fin_ns < first->ts_ns)
        return false;
    return first->ts_ns >= over->to.start_ns && first->ts_ns - MIN(over->server_data_ns, first->ts_ns) <= WAY_BACK_NS;
}

static void find_way_back(const struct redirects *r, struct leg *l)
{
    const GPtrArray *hops = l->requests ? redirects_of(r, &l->client) : NULL;

    for (guint i = hops ? hops->len : 0; i-- > 0;) {
        const struct hop *h = g_ptr_array_index(hops, i);
        if (h->leg == l || !leads_back(h, l))
            continue;
        chain_join(h->leg->chain, l);
        return;
    }
}

/* --- look-ups --- */

static bool tried_for_one_purpose(const struct attempt *before, const struct attempt *now)
{
    int64_t gap_ns = now->start_ns - before->start_ns;

    if (before->port != now->port || same_server(before, now) ||
        (before->reach == now->reach && before->reach != REACH_FAILED))
        return false;
    return ABS(gap_ns) <= SIBLING_NS ||
           (before->reach == REACH_FAILED && gap_ns > 0 && now->start_ns - before->last_ns <= SIBLING_NS);
}

/* The look-up is used already: Happy Eyeballs, or the next address after one that failed? */
static void join_sibling(struct leg *l, struct name_group *g)
{
    if (!tried_for_one_purpose(&g->use, &l->to))
        return;
    if (l->to.reach < g->use.reach)
        l->loser = true;
    if (!g->chain || !g->user)
        return; /* handed out */
    chain_join(g->chain, l);
    if (l->chain != g->chain || l->loser)
        return;
    struct leg *before = g->user;
    before->loser = l->to.reach > before->to.reach;
    if (!l->via)
        l->via = before->via;
    if (before->loser && before->via && before->via->follower == before)
        follow(before->via, l);
    g->user = l;
    g->use = l->to;
}

static bool unused(const struct name_group *g)
{
    return !g->chain && !g->spent;
}

/* --- all --- */

void link_leg(const struct redirects *r, const struct names *n, struct leg *l)
{
    struct name_group *g = names_behind(n, l), *named;
    struct hop *h = redirect_behind(r, n, l, g);

    if (h)
        follow(h, l);
    else
        find_way_back(r, l);
    follow_requests(r, l);
    if (g && unused(g))
        chain_claim(l, g);
    else if (g)
        join_sibling(l, g);
    if (g || !l->name || l->proxied)
        return;
    named = names_find(n, &l->client, l->name, l->to.start_ns); /* the name failed here, and was found elsewhere */
    if (named && unused(named))
        chain_claim(l, named);
}

bool link_failed_names(const struct redirects *r, struct name_group *g)
{
    const GPtrArray *hops = redirects_of(r, &g->client);

    for (guint i = hops ? hops->len : 0; i-- > 0;) {
        struct hop *h = g_ptr_array_index(hops, i);
        if (!h->to.host || h->followed_by || !redirect_in_time(h, g->first_ns) || !name_group_is(g, h->to.host))
            continue;
        chain_claim_failed(h->leg->chain, g, h);
        return true;
    }
    return false;
}
