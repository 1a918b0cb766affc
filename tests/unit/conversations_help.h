/* conversations_help: flows and look-ups made by hand, and the conversations that come of them. */
#ifndef TCPSLEUTH_TESTS_CONVERSATIONS_HELP_H
#define TCPSLEUTH_TESTS_CONVERSATIONS_HELP_H

#include "diagnose/conversations.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS(n) ((n)*NS_PER_MS)

/* When all of it begins, and when the capture ends. */
#define T0 (1700000000 * NS_PER_S)
#define LATER (T0 + 60 * NS_PER_S)
#define CLIENT4 "10.0.3.15"
#define CLIENT6 "2001:db8:1::15"
#define SERVER4 "147.83.2.135"
#define OTHER4 "147.83.2.136"
#define SERVER6 "2001:db8:2::80"

/* One run: what is handed in gets its ids and packet numbers from here; what is handed out is collected. */
struct world {
    struct conversations *c;
    GPtrArray *out; /* struct conversation* */
    uint64_t flows, packets;
    struct neighbors *neighbors;
};

static inline void world_take(void *user, struct conversation *c)
{
    g_ptr_array_add(((struct world *)user)->out, c);
}

static inline struct world *world_new(void)
{
    struct world *w = g_new0(struct world, 1);

    w->out = g_ptr_array_new_with_free_func((GDestroyNotify)conversation_free);
    w->c = conversations_new(world_take, w);
    w->neighbors = neighbors_new();
    return w;
}

static inline void world_free(struct world *w)
{
    conversations_free(w->c);
    g_ptr_array_free(w->out, TRUE);
    neighbors_free(w->neighbors);
    g_free(w);
}

static inline int world_setup(void **state)
{
    *state = world_new();
    return 0;
}

static inline int world_teardown(void **state)
{
    world_free(*state);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

static inline void world_finish(struct world *w, int64_t now_ns)
{
    conversations_finish(w->c, w->neighbors, now_ns);
}

static inline const struct conversation *world_conversation(const struct world *w, guint i)
{
    assert_true(i < w->out->len);
    return g_ptr_array_index(w->out, i);
}

static inline struct addr address(const char *text)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        return addr_v4(bytes);
    assert_int_equal(inet_pton(AF_INET6, text, bytes), 1);
    return addr_v6(bytes);
}

/* --- flows --- */

/* A connection that was opened at start_ns in 2 ms and closed by the server 100 ms later; nothing was said on it. The
 * port names it. */
static inline struct flow *flow_made(struct world *w, const char *client, const char *server, uint16_t port,
                                     int64_t start_ns)
{
    struct flow *f = g_new0(struct flow, 1);

    f->id = ++w->flows;
    f->key.version = strchr(client, ':') ? 6 : 4;
    f->key.low = address(server);
    f->key.low_port = port;
    f->key.high = address(client);
    f->key.high_port = (uint16_t)(40000 + w->flows);
    f->client_is_high = true;
    f->first_ns = f->syn_ns = start_ns;
    f->synack_ns = f->synack_last_ns = start_ns + MS(1);
    f->ack_ns = start_ns + MS(2);
    f->last_ns = start_ns + MS(100);
    f->first_syn_packet = f->syn_packet = ++w->packets;
    f->synack_packet = ++w->packets;
    f->ack_packet = ++w->packets;
    f->syns = f->synacks = 1;
    for (int s = CLIENT; s <= SERVER; s++) {
        struct half *h = &f->half[s];
        h->packets = 3;
        h->first_packet = s == CLIENT ? f->syn_packet : f->synack_packet;
        h->last_packet = h->fin_packet = ++w->packets;
        h->first_data_ns = h->last_data_ns = TIME_NONE;
        h->fin = h->fin_acked = true;
        h->fin_ns = h->last_ns = f->last_ns - (s == SERVER ? MS(10) : 0);
        h->state = STATE_CLOSED;
    }
    f->half[CLIENT].fin_packet = f->half[SERVER].fin_packet + 1;
    f->half[SERVER].state = STATE_TIME_WAIT;
    return f;
}

static inline void said(struct flow *f, enum side s, uint64_t bytes, int64_t ts_ns)
{
    struct half *h = &f->half[s];

    h->bytes += bytes;
    if (h->first_data_ns == TIME_NONE)
        h->first_data_ns = ts_ns;
    h->last_data_ns = ts_ns;
    f->last_ns = MAX(f->last_ns, ts_ns + MS(10));
}

static inline struct app_facts *app_of(struct flow *f, enum app_protocol p)
{
    if (!f->app) {
        f->app = g_new0(struct app_facts, 1);
        f->app->protocol = p;
    }
    return f->app;
}

/* A request at `at_ns` after the start, answered 5 ms later; status 0: not answered. */
static inline struct http_transaction *asked(struct world *w, struct flow *f, int64_t at_ns, const char *method,
                                             const char *host, const char *target, int status, const char *location)
{
    struct app_facts *app = app_of(f, APP_HTTP);

    if (!app->http)
        app->http = http_list_new();
    struct http_transaction *h = http_list_add(app->http);
    h->method = g_strdup(method);
    h->host = g_strdup(host);
    h->target = g_strdup(target);
    h->location = g_strdup(location);
    h->reason = g_strdup(status == 200 ? "OK" : "");
    h->status = status;
    h->request_packet = ++w->packets;
    h->response_packet = status ? ++w->packets : 0;
    h->request_ts_ns = h->request_end_ts_ns = f->first_ns + at_ns;
    h->response_ts_ns = h->response_end_ts_ns = status ? h->request_ts_ns + MS(5) : TIME_NONE;
    h->response_bytes = status == 200 ? 12300 : 0;
    h->complete = status != 0;
    h->announced_bytes = UINT64_MAX;
    said(f, CLIENT, 100, h->request_ts_ns);
    if (status)
        said(f, SERVER, 200, h->response_ts_ns);
    return h;
}

static inline void spoke_tls(struct world *w, struct flow *f, const char *sni)
{
    struct tls_facts *t = g_new0(struct tls_facts, 1);

    app_of(f, APP_TLS)->tls = t;
    t->outcome = TLS_COMPLETE;
    t->version = 0x0303;
    t->sni = g_strdup(sni);
    t->client_hello = t->server_hello = true;
    t->client_hello_packet = ++w->packets;
    t->server_hello_packet = ++w->packets;
    t->client_hello_ts_ns = f->first_ns + MS(3);
    t->server_hello_ts_ns = f->first_ns + MS(6);
    t->finished_ts_ns = f->first_ns + MS(12);
    said(f, CLIENT, 500, f->first_ns + MS(3));
    said(f, SERVER, 5000, f->first_ns + MS(20));
}

/* The SYN stayed without answer. */
static inline void failed_to_connect(struct flow *f)
{
    f->synack_packet = f->ack_packet = 0;
    f->synack_ns = f->synack_last_ns = f->ack_ns = TIME_NONE;
    f->synacks = 0;
    f->syns = 3;
    f->last_ns = f->first_ns + 3 * NS_PER_S;
    memset(f->half, 0, sizeof f->half);
    f->half[CLIENT].packets = 3;
    f->half[CLIENT].first_packet = f->half[CLIENT].last_packet = f->syn_packet;
    f->half[CLIENT].state = STATE_SYN_SENT;
}

/* Hands the flow in, with that verdict. */
static inline void over_with(struct world *w, struct flow *f, struct finding *verdict)
{
    struct judgement j = {.verdict = verdict};

    if (verdict)
        finding_add_evidence(verdict, f->syn_packet);
    conversations_flow(w->c, f, &j, true);
    judgement_clear(&j);
    flow_free(f);
}

static inline void over(struct world *w, struct flow *f)
{
    over_with(w, f, NULL);
}

static inline struct finding *fault(enum code code)
{
    return finding_new(code, WHERE_PATH, "It is %s.", catalogue_row(code)->name);
}

/* A plain GET on a connection of its own. */
static inline struct flow *get(struct world *w, const char *server, int64_t start_ns, const char *host,
                               const char *target, int status, const char *location)
{
    struct flow *f = flow_made(w, CLIENT4, server, 80, start_ns);

    asked(w, f, MS(3), "GET", host, target, status, location);
    return f;
}

static inline struct flow *https(struct world *w, const char *client, const char *server, int64_t start_ns,
                                 const char *sni)
{
    struct flow *f = flow_made(w, client, server, 443, start_ns);

    spoke_tls(w, f, sni);
    return f;
}

static inline struct flow *refused_syn(struct world *w, const char *client, const char *server, uint16_t port,
                                       int64_t start_ns)
{
    struct flow *f = flow_made(w, client, server, port, start_ns);

    failed_to_connect(f);
    return f;
}

/* --- look-ups --- */

static inline struct lookup *lookup_made(struct world *w, const char *client, const char *name, uint16_t type,
                                         int64_t at_ns)
{
    struct lookup *l = g_new0(struct lookup, 1);

    l->name = g_strdup(name);
    l->type = g_strdup(type == 1 ? "A" : type == 28 ? "AAAA" : type == 12 ? "PTR" : "HTTPS");
    l->type_number = type;
    l->client = address(client);
    l->server = address(strchr(client, ':') ? "2001:db8::53" : "10.0.0.53");
    l->version = strchr(client, ':') ? 6 : 4;
    l->query_packet = ++w->packets;
    l->query_ns = l->last_query_ns = at_ns;
    l->response_ns = TIME_NONE;
    return l;
}

static inline void answered_with(struct world *w, struct lookup *l, uint8_t rcode, const char *address_text)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

    l->response_packet = ++w->packets;
    l->response_ns = l->query_ns + MS(16);
    l->rcode_number = rcode;
    l->rcode = g_strdup(names[rcode]);
    l->answers = g_new0(char *, 2);
    if (!address_text)
        return;
    struct addr a = address(address_text);
    struct dns_address d = {.version = strchr(address_text, ':') ? 6 : 4};
    memcpy(d.bytes, a.bytes, sizeof d.bytes);
    l->answers[0] = g_strdup(address_text);
    l->addresses = g_array_new(FALSE, FALSE, sizeof d);
    g_array_append_val(l->addresses, d);
}

static inline void looked_up(struct world *w, struct lookup *l)
{
    conversations_lookup(w->c, l);
    lookup_free(l);
}

/* A look-up of an address, answered after 16 ms; address_text NULL: with that rcode and no address. */
static inline void name_lookup(struct world *w, const char *client, const char *name, uint16_t type, int64_t at_ns,
                               uint8_t rcode, const char *address_text)
{
    struct lookup *l = lookup_made(w, client, name, type, at_ns);

    answered_with(w, l, rcode, address_text);
    looked_up(w, l);
}

/* --- what came of it --- */

static inline const char *step_text(const struct conversation *c, guint i)
{
    assert_true(i < c->steps->len);
    return g_array_index(c->steps, struct step, i).text;
}

static inline const struct redirect *redirect_at(const struct conversation *c, guint i)
{
    assert_non_null(c->redirects);
    assert_true(i < c->redirects->len);
    return &g_array_index(c->redirects, struct redirect, i);
}

static inline const char *code_of(const struct conversation *c)
{
    return catalogue_row(conversation_verdict(c)->code)->name;
}

static inline const char *detail_of(const struct conversation *c, const char *key)
{
    const GArray *details = conversation_verdict(c)->details;

    for (guint i = 0; details && i < details->len; i++)
        if (strcmp(g_array_index(details, struct detail, i).key, key) == 0)
            return g_array_index(details, struct detail, i).text;
    return NULL;
}

#endif
