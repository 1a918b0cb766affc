#include "flow/lookups.h"

#include "base/limits.h"
#include "base/timens.h"

/* Open look-ups in order of query. A look-up is looked for from the newest back; a resolver's queries are few at a
 * time. */
struct lookups {
    GHashTable *open; /* struct lookup*: by client, server, client port, id, type and name */
    bool any;         /* there was a message */
    GQueue order;     /* struct lookup*, the oldest first: the same ones and those answered since */
    void (*done)(void *user, struct lookup *l);
    void *user;
};

static guint lookup_hash(gconstpointer p)
{
    const struct lookup *l = p;
    guint h = g_str_hash(l->name);

    for (size_t i = 0; i < sizeof l->client.bytes; i++)
        h = (h ^ l->client.bytes[i] ^ (guint)l->server.bytes[i] << 8) * 16777619u;
    return (h ^ l->type_number ^ (guint)l->id << 16 ^ l->client_port) * 16777619u;
}

static gboolean lookup_equal(gconstpointer a, gconstpointer b)
{
    const struct lookup *x = a, *y = b;

    return x->type_number == y->type_number && x->id == y->id && x->client_port == y->client_port &&
           addr_cmp(&x->client, &y->client) == 0 && addr_cmp(&x->server, &y->server) == 0 &&
           g_str_equal(x->name, y->name);
}

void lookup_free(struct lookup *l)
{
    if (!l)
        return;
    g_free(l->name);
    g_free(l->type);
    g_free(l->rcode);
    g_strfreev(l->answers);
    if (l->addresses)
        g_array_unref(l->addresses);
    g_free(l);
}

struct lookups *lookups_new(void (*done)(void *user, struct lookup *l), void *user)
{
    struct lookups *l = g_new0(struct lookups, 1);

    l->open = g_hash_table_new(lookup_hash, lookup_equal);
    g_queue_init(&l->order);
    l->done = done;
    l->user = user;
    return l;
}

void lookups_free(struct lookups *l)
{
    if (!l)
        return;
    g_hash_table_destroy(l->open);
    g_queue_clear_full(&l->order, (GDestroyNotify)lookup_free);
    g_free(l);
}

static void hand_out_oldest(struct lookups *l)
{
    struct lookup *oldest = g_queue_pop_head(&l->order);

    if (g_hash_table_lookup(l->open, oldest) == oldest)
        g_hash_table_remove(l->open, oldest);
    l->done(l->user, oldest);
}

void lookups_expire(struct lookups *l, int64_t now_ns)
{
    while (!g_queue_is_empty(&l->order)) {
        const struct lookup *oldest = g_queue_peek_head(&l->order);
        if (l->order.length <= LIMIT_OPEN_LOOKUPS && now_ns - oldest->last_query_ns < 120 * NS_PER_S)
            return;
        hand_out_oldest(l);
    }
}

/* A message with what carried it: the same for UDP and TCP. */
struct said {
    const struct addr *client, *server;
    uint8_t version;
    uint16_t client_port;
    bool tcp;
    int64_t ts_ns;
    uint64_t packet;
    enum dns_flavour flavour;
    const struct dns_message *message;
};

static struct lookup *new_lookup(const struct said *s)
{
    struct lookup *k = g_new0(struct lookup, 1);

    k->name = g_strdup(s->message->name);
    k->type = dns_type_name(s->message->type);
    k->type_number = s->message->type;
    k->id = s->message->id;
    k->flavour = s->flavour;
    k->tcp = s->tcp;
    k->version = s->version;
    k->client = *s->client;
    k->server = *s->server;
    k->client_port = s->client_port;
    k->query_ns = k->last_query_ns = k->response_ns = TIME_NONE;
    return k;
}

static void asked(struct lookups *l, const struct said *s)
{
    struct lookup *k = new_lookup(s), *open = g_hash_table_lookup(l->open, k);

    if (open && !open->response_packet && open->tcp == s->tcp && s->ts_ns - open->last_query_ns < 30 * NS_PER_S) {
        open->retries++;
        open->last_query_ns = s->ts_ns;
        lookup_free(k);
        return;
    }
    if (open)
        g_hash_table_remove(l->open, open);
    k->query_packet = s->packet;
    k->query_ns = k->last_query_ns = s->ts_ns;
    g_hash_table_add(l->open, k);
    g_queue_push_tail(&l->order, k);
}

static void answer(struct lookup *k, const struct said *s)
{
    const struct dns_message *m = s->message;

    k->response_packet = s->packet;
    k->response_ns = s->ts_ns;
    k->rcode_number = m->rcode;
    k->rcode = dns_rcode_name(m->rcode);
    k->truncated = m->truncated;
    k->answers = g_strdupv(m->answers);
    k->addresses = m->addresses ? g_array_ref(m->addresses) : NULL;
}

static void answered(struct lookups *l, const struct said *s)
{
    struct lookup *k = new_lookup(s), *open = g_hash_table_lookup(l->open, k);

    if (open && !open->response_packet && (open->id == s->message->id || s->flavour != DNS_UNICAST)) {
        answer(open, s);
        lookup_free(k);
    } else if (!open && s->flavour == DNS_UNICAST) { /* the query is not in the capture; the names are worth keeping */
        k->last_query_ns = s->ts_ns;
        answer(k, s);
        g_hash_table_add(l->open, k);
        g_queue_push_tail(&l->order, k);
    } else {
        lookup_free(k);
    }
}

bool lookups_any(const struct lookups *l)
{
    return l->any;
}

static void take(struct lookups *l, const struct said *s)
{
    l->any = true;
    if (s->message->response)
        answered(l, s);
    else
        asked(l, s);
}

static bool dns_port(uint16_t port, enum dns_flavour *flavour)
{
    *flavour = port == 5353 ? DNS_MULTICAST : port == 5355 ? DNS_LLMNR : DNS_UNICAST;
    return port == 53 || port == 5353 || port == 5355;
}

void lookups_udp(struct lookups *l, const struct packet *p)
{
    struct said s = { .version = p->ip.version, .ts_ns = p->ts_ns, .packet = p->number };

    if (!dns_port(p->udp.dport, &s.flavour) && !dns_port(p->udp.sport, &s.flavour))
        return;
    lookups_expire(l, p->ts_ns);
    struct dns_message *m = dns_parse(p->udp.payload);
    if (!m)
        return;
    s.message = m;
    s.client = m->response ? &p->ip.dst : &p->ip.src;
    s.server = m->response ? &p->ip.src : &p->ip.dst;
    s.client_port = m->response ? p->udp.dport : p->udp.sport;
    take(l, &s);
    dns_message_free(m);
}

void lookups_tcp(struct lookups *l, const struct flow *f)
{
    for (guint i = 0; f->app && f->app->dns && i < f->app->dns->len; i++) {
        const struct dns_said *d = &g_array_index(f->app->dns, struct dns_said, i);
        struct said s = {
            .client = flow_addr(f, CLIENT),
            .server = flow_addr(f, SERVER),
            .version = f->key.version,
            .client_port = flow_port(f, CLIENT),
            .tcp = true,
            .ts_ns = d->ts_ns,
            .packet = d->packet,
            .message = d->message,
        };
        take(l, &s);
    }
}

void lookups_icmp(struct lookups *l, const struct packet *p)
{
    const struct icmp_facts *i = &p->icmp;
    enum dns_flavour flavour;

    if (!dns_port(i->quoted_dport, &flavour))
        return;
    for (GList *e = l->order.tail; e; e = e->prev) {
        struct lookup *k = e->data;
        if (p->ts_ns - k->last_query_ns > 10 * NS_PER_S)
            return;
        if (k->icmp_packet || k->response_packet || k->client_port != i->quoted_sport ||
            addr_cmp(&k->client, &i->quoted_src) || addr_cmp(&k->server, &i->quoted_dst))
            continue;
        k->icmp_packet = p->number;
        k->icmp_type = i->type;
        k->icmp_code = i->code;
        k->icmp_from = p->ip.src;
        return;
    }
}

void lookups_visit(const struct lookups *l, lookup_visit_fn *visit, void *user)
{
    for (const GList *e = l->order.head; e; e = e->next)
        visit(user, e->data);
}

void lookups_finish(struct lookups *l)
{
    while (!g_queue_is_empty(&l->order))
        hand_out_oldest(l);
}
