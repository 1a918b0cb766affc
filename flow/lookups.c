#include "flow/lookups.h"

#include "base/limits.h"
#include "base/timens.h"

/* A resolver that waited in vain for so long asks again, and many take a new id or port for that. Within less it is
 * another program that wants to know the same. */
#define RETRY_AFTER_NS (NS_PER_S / 2)
#define RETRY_WITHIN_NS (30 * NS_PER_S)

/* Retries with other ids or ports that a look-up remembers. */
#define RETRIES_KEPT 16

/* Open look-ups in order of query. A look-up is looked for from the newest back; a resolver's queries are few at a
 * time. */
struct lookups {
    GHashTable *open;    /* struct lookup*: by client, server, client port, id, type and name */
    GHashTable *waiting; /* struct lookup*: the newest without an answer, by client, server, type and name */
    bool any;            /* there was a message */
    GQueue order;        /* struct lookup*, the oldest first: the same ones and those answered since */
    void (*done)(void *user, struct lookup *l);
    void *user;
};

static guint question_hash(gconstpointer p)
{
    const struct lookup *l = p;
    guint h = g_str_hash(l->name);

    for (size_t i = 0; i < sizeof l->client.bytes; i++)
        h = (h ^ l->client.bytes[i] ^ (guint)l->server.bytes[i] << 8) * 16777619u;
    return (h ^ l->type_number) * 16777619u;
}

static gboolean question_equal(gconstpointer a, gconstpointer b)
{
    const struct lookup *x = a, *y = b;

    return x->type_number == y->type_number && addr_cmp(&x->client, &y->client) == 0 &&
           addr_cmp(&x->server, &y->server) == 0 && g_str_equal(x->name, y->name);
}

static guint lookup_hash(gconstpointer p)
{
    const struct lookup *l = p;
    return (question_hash(p) ^ (guint)l->id << 16 ^ l->client_port) * 16777619u;
}

static gboolean lookup_equal(gconstpointer a, gconstpointer b)
{
    const struct lookup *x = a, *y = b;
    return x->id == y->id && x->client_port == y->client_port && question_equal(a, b);
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
    g_slist_free_full(l->again, (GDestroyNotify)lookup_free);
    g_free(l);
}

struct lookups *lookups_new(void (*done)(void *user, struct lookup *l), void *user)
{
    struct lookups *l = g_new0(struct lookups, 1);

    l->open = g_hash_table_new(lookup_hash, lookup_equal);
    l->waiting = g_hash_table_new(question_hash, question_equal);
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
    g_hash_table_destroy(l->waiting);
    g_queue_clear_full(&l->order, (GDestroyNotify)lookup_free);
    g_free(l);
}

/* Takes k out of the table where it is k that stands there. */
static void forget(GHashTable *table, struct lookup *k)
{
    if (g_hash_table_lookup(table, k) == k)
        g_hash_table_remove(table, k);
}

static void hand_out_oldest(struct lookups *l)
{
    struct lookup *oldest = g_queue_pop_head(&l->order);

    forget(l->open, oldest);
    forget(l->waiting, oldest);
    for (GSList *e = oldest->again; e; e = e->next)
        forget(l->open, e->data);
    l->done(l->user, oldest);
}

/* The look-up that a message with these ends, id and question belongs to; NULL: none. */
static struct lookup *find(struct lookups *l, const struct lookup *k)
{
    struct lookup *open = g_hash_table_lookup(l->open, k);
    return open && open->retry_of ? open->retry_of : open;
}

/* A look-up that nothing happened to for two minutes is over. */
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

static bool repeats(const struct lookup *open, const struct said *s, int64_t after_ns)
{
    int64_t since_ns = s->ts_ns - open->last_query_ns;
    return !open->response_packet && open->tcp == s->tcp && since_ns >= after_ns && since_ns < RETRY_WITHIN_NS;
}

static void count_retry(struct lookup *open, const struct said *s)
{
    open->retries++;
    open->last_query_ns = s->ts_ns;
    open->last_query_packet = s->packet;
}

/* The look-up that k asks again with another id or port; NULL: it is one of its own. */
static struct lookup *asks_again(struct lookups *l, const struct lookup *k, const struct said *s)
{
    struct lookup *first = s->flavour == DNS_UNICAST && !s->tcp ? g_hash_table_lookup(l->waiting, k) : NULL;
    return first && first->n_again < RETRIES_KEPT && repeats(first, s, RETRY_AFTER_NS) ? first : NULL;
}

static void add_lookup(struct lookups *l, struct lookup *k, const struct said *s)
{
    k->query_packet = k->last_query_packet = s->packet;
    k->query_ns = k->last_query_ns = s->ts_ns;
    g_hash_table_replace(l->waiting, k, k);
    g_queue_push_tail(&l->order, k);
}

static void asked(struct lookups *l, const struct said *s)
{
    struct lookup *k = new_lookup(s), *open = find(l, k), *first;

    if (open && repeats(open, s, INT64_MIN)) {
        count_retry(open, s);
        lookup_free(k);
        return;
    }
    if (g_hash_table_contains(l->open, k))
        g_hash_table_remove(l->open, k);
    if (!open && (first = asks_again(l, k, s))) {
        count_retry(first, s);
        k->retry_of = first;
        first->again = g_slist_prepend(first->again, k);
        first->n_again++;
    } else {
        add_lookup(l, k, s);
    }
    g_hash_table_add(l->open, k);
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
    struct lookup *k = new_lookup(s), *open = find(l, k);

    if (open && !open->response_packet) {
        forget(l->waiting, open);
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

static bool asked_from(const struct lookup *k, uint16_t port)
{
    for (const GSList *e = k->again; e; e = e->next)
        if (((const struct lookup *)e->data)->client_port == port)
            return true;
    return k->client_port == port;
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
        if (k->icmp_packet || k->response_packet || !asked_from(k, i->quoted_sport) ||
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

/* An answer without its query begins a look-up, too. */
static uint64_t first_packet(const struct lookup *k)
{
    return k->query_packet ? k->query_packet : k->response_packet;
}

void lookups_break(struct lookups *l, uint64_t from)
{
    while (!g_queue_is_empty(&l->order) && first_packet(g_queue_peek_head(&l->order)) < from)
        hand_out_oldest(l);
}

void lookups_finish(struct lookups *l)
{
    lookups_break(l, UINT64_MAX);
}
