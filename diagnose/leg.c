#include "diagnose/leg.h"

#include "diagnose/rules.h"

/* --- redirects --- */

static bool redirects(const struct http_transaction *h)
{
    switch (h->status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return h->location && h->method;
    default:
        return false;
    }
}

/* RFC 9110 section 15.4: 303 asks for GET (a HEAD stays one); after 301 and 302 a POST becomes a GET, as all browsers
 * do; 307 and 308 keep the method. */
static const char *method_after(const char *method, int status)
{
    if (status == 303)
        return strcmp(method, "HEAD") == 0 ? method : "GET";
    if ((status == 301 || status == 302) && strcmp(method, "POST") == 0)
        return "GET";
    return method;
}

static void add_hop(struct leg *l, const struct http_transaction *h, const char *url, uint64_t hash)
{
    struct hop hop = {.leg = l, .status = h->status, .from = url_cut(url), .from_hash = hash};

    hop.response_packet = h->response_packet;
    hop.ts_ns = h->response_ts_ns;
    g_strlcpy(hop.method, h->method, METHOD_SIZE);
    g_strlcpy(hop.next_method, method_after(h->method, h->status), METHOD_SIZE);
    url_resolve(&hop.to, url, h->location);
    if (!l->hops)
        l->hops = g_array_sized_new(FALSE, FALSE, sizeof hop, 1);
    g_array_append_val(l->hops, hop);
}

static void add_request(struct leg *l, const struct http_transaction *h, uint64_t hash)
{
    struct request r = {.url_hash = hash, .ts_ns = h->request_ts_ns, .resolved = h->status >= 200 && !redirects(h)};

    if (!l->requests)
        l->requests = g_array_sized_new(FALSE, FALSE, sizeof r, 2);
    g_array_append_val(l->requests, r);
}

static void add_transaction(struct leg *l, const struct flow *f, const struct http_transaction *h)
{
    char url[URL_ROOM];
    size_t n = transaction_url(url, f, h);
    uint64_t hash = n ? url_hash(url, n) : 0;

    if (n == 0)
        return;
    if (h->request_ts_ns != TIME_NONE && (!l->requests || l->requests->len < LEG_REQUESTS))
        add_request(l, h, hash);
    if (redirects(h) && h->response_ts_ns != TIME_NONE && (!l->hops || l->hops->len < LEG_REDIRECTS))
        add_hop(l, h, url, hash);
}

/* --- names --- */

/* "CONNECT www.upc.edu:443" through a proxy; an absolute-form target. */
static void know_proxy(struct leg *l, const struct http_transaction *first)
{
    bool connect = first->method && strcmp(first->method, "CONNECT") == 0;
    uint16_t port = 0;

    l->proxied = connect || (first->target && *first->target != '/' && *first->target != '*');
    if (!connect || !first->target)
        return;
    l->secure = true;
    g_free(l->name);
    l->name = url_host(first->target, &port);
    if (port)
        l->port = port;
}

static void know_names(struct leg *l, const struct app_facts *app)
{
    const struct http_transaction *first = app->http && app->http->len ? http_at(app->http, 0) : NULL;
    uint16_t port;

    l->web = first || app->tls;
    l->secure = app->tls != NULL;
    if (app->tls && app->tls->sni)
        l->name = url_host(app->tls->sni, &port);
    else if (first && first->host)
        l->name = url_host(first->host, &port);
    if (first)
        know_proxy(l, first);
}

/* --- life --- */

static enum reach reach_of(const struct flow *f)
{
    switch (flow_handshake(f)) {
    case HANDSHAKE_NO_ANSWER:
    case HANDSHAKE_REFUSED:
    case HANDSHAKE_UNREACHABLE:
    case HANDSHAKE_UNFINISHED:
        return REACH_FAILED;
    default:
        return f->half[CLIENT].bytes || f->half[SERVER].bytes ? REACH_USED : REACH_OPEN;
    }
}

struct leg *leg_new(const struct flow *f, const struct judgement *j, bool tell, bool links)
{
    struct leg *l = g_new0(struct leg, 1);

    l->flow = f->id;
    l->packet = leg_first_packet(f);
    l->client = *flow_addr(f, CLIENT);
    l->to = (struct attempt){.server = *flow_addr(f, SERVER),
                             .port = flow_port(f, SERVER),
                             .version = f->key.version,
                             .reach = (uint8_t)reach_of(f),
                             .start_ns = f->first_ns,
                             .last_ns = f->last_ns};
    l->port = l->to.port;
    l->client_fin_ns = f->half[CLIENT].fin ? f->half[CLIENT].fin_ns : TIME_NONE;
    l->server_data_ns = f->half[SERVER].bytes ? f->half[SERVER].last_data_ns : TIME_NONE;
    l->steps = tell ? steps_of_flow(f, judgement_verdict(j)) : g_array_new(FALSE, FALSE, sizeof(struct step));
    l->verdict = j->verdict ? finding_copy(j->verdict) : NULL;
    if (!links)
        return l;
    if (f->app)
        know_names(l, f->app);
    for (guint i = 0; f->app && f->app->http && i < f->app->http->len; i++)
        add_transaction(l, f, http_at(f->app->http, i));
    return l;
}

static void free_hops(GArray *hops)
{
    for (guint i = 0; i < hops->len; i++) {
        g_free(g_array_index(hops, struct hop, i).from);
        url_clear(&g_array_index(hops, struct hop, i).to);
    }
    g_array_free(hops, TRUE);
}

void leg_free(struct leg *l)
{
    if (!l)
        return;
    for (guint i = 0; l->steps && i < l->steps->len; i++)
        g_free(g_array_index(l->steps, struct step, i).text);
    if (l->steps)
        g_array_free(l->steps, TRUE);
    if (l->hops)
        free_hops(l->hops);
    if (l->requests)
        g_array_free(l->requests, TRUE);
    g_free(l->name);
    finding_free(l->verdict);
    g_free(l);
}

size_t leg_bytes(const struct leg *l)
{
    size_t n = sizeof *l + l->steps->len * (sizeof(struct step) + 64);

    if (l->verdict)
        n += sizeof *l->verdict + 512;
    if (l->requests)
        n += l->requests->len * sizeof(struct request);
    for (guint i = 0; l->hops && i < l->hops->len; i++)
        n += sizeof(struct hop) + strlen(g_array_index(l->hops, struct hop, i).from) +
             strlen(g_array_index(l->hops, struct hop, i).to.text);
    return n;
}
