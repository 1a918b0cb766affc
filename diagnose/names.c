#include "diagnose/names.h"

#include "base/addr_key.h"

/* Groups of a client that a new look-up may still belong to, and look-ups that are weighed for one connection. */
#define RECENT 8
#define WEIGHED 16

/* Addresses of one answer that connections are looked for: nobody tries more of them. */
#define ADDRESSES_MOST 16

/* Name servers that are remembered. */
#define SERVERS_MOST LIMIT_NEIGHBORS

/* That a name was asked for, or that an answer gave an address. Ordered by client, name or address, and time. */
struct given {
    struct addr client; /* of an address of the other family than the client's: zeros: the client connects from another
                           address */
    struct addr address;
    const char *name; /* NULL in the tree by address */
    int64_t ts_ns;
    uint64_t serial; /* makes it unique */
    struct name_group *group;
    struct given *next; /* of the group */
};

struct asker {
    struct addr client;
    struct name_group *recent[RECENT]; /* the newest first */
};

struct names {
    GTree *by_address, *by_name; /* struct given */
    GHashTable *askers;          /* struct asker, by client */
    GHashTable *servers;         /* struct addr */
    struct addr first_client;    /* that asked */
    bool several_clients, answers;
    uint64_t serial;
};

/* --- trees --- */

static int compare_time(const struct given *a, const struct given *b)
{
    if (a->ts_ns != b->ts_ns)
        return a->ts_ns < b->ts_ns ? -1 : 1;
    return a->serial < b->serial ? -1 : a->serial > b->serial;
}

static gint compare_by_address(gconstpointer p, gconstpointer q)
{
    const struct given *a = p, *b = q;
    int by_client = addr_cmp(&a->client, &b->client), by_address = by_client ? 0 : addr_cmp(&a->address, &b->address);
    return by_client ? by_client : by_address ? by_address : compare_time(a, b);
}

static gint compare_by_name(gconstpointer p, gconstpointer q)
{
    const struct given *a = p, *b = q;
    int by_client = addr_cmp(&a->client, &b->client), by_name = by_client ? 0 : strcmp(a->name, b->name);
    return by_client ? by_client : by_name ? by_name : compare_time(a, b);
}

static void add_entry(struct names *n, struct name_group *g, struct given entry)
{
    struct given *e = g_new(struct given, 1);

    *e = entry;
    e->serial = ++n->serial;
    e->group = g;
    e->next = g->entries;
    g->entries = e;
    g_tree_insert(e->name ? n->by_name : n->by_address, e, e);
}

static void remove_entries(struct names *n, struct name_group *g)
{
    while (g->entries) {
        struct given *e = g->entries;
        g->entries = e->next;
        g_tree_remove(e->name ? n->by_name : n->by_address, e);
        g_free(e);
    }
}

static GTreeNode *first_before(GTree *tree, const struct given *key)
{
    GTreeNode *after = g_tree_upper_bound(tree, key);
    return after ? g_tree_node_previous(after) : g_tree_node_last(tree);
}

/* --- life --- */

struct names *names_new(void)
{
    struct names *n = g_new0(struct names, 1);

    n->by_address = g_tree_new(compare_by_address);
    n->by_name = g_tree_new(compare_by_name);
    n->askers = g_hash_table_new_full(addr_key_hash, addr_key_equal, NULL, g_free);
    n->servers = g_hash_table_new_full(addr_key_hash, addr_key_equal, g_free, NULL);
    return n;
}

void names_free(struct names *n)
{
    if (!n)
        return;
    g_tree_destroy(n->by_address);
    g_tree_destroy(n->by_name);
    g_hash_table_destroy(n->askers);
    g_hash_table_destroy(n->servers);
    g_free(n);
}

static void be_recent(struct names *n, struct name_group *g)
{
    struct asker *a = g_hash_table_lookup(n->askers, &g->client);

    if (!a) {
        a = g_new0(struct asker, 1);
        a->client = g->client;
        g_hash_table_insert(n->askers, &a->client, a);
    }
    memmove(a->recent + 1, a->recent, (RECENT - 1) * sizeof a->recent[0]);
    a->recent[0] = g;
}

static void be_past(struct names *n, const struct name_group *g)
{
    struct asker *a = g_hash_table_lookup(n->askers, &g->client);
    unsigned left = 0;

    for (unsigned i = 0; a && i < RECENT; i++) {
        if (a->recent[i] == g)
            a->recent[i] = NULL;
        left += a->recent[i] != NULL;
    }
    if (a && left == 0)
        g_hash_table_remove(n->askers, &g->client);
}

static struct name_group *group_for(const struct names *n, const struct lookup *l)
{
    const struct asker *a = g_hash_table_lookup(n->askers, &l->client);

    for (unsigned i = 0; a && i < RECENT; i++)
        if (a->recent[i] && name_group_takes(a->recent[i], l))
            return a->recent[i];
    return NULL;
}

static void index_addresses(struct names *n, struct name_group *g, const struct lookup *l)
{
    for (guint i = 0; l->addresses && i < MIN(l->addresses->len, ADDRESSES_MOST); i++) {
        const struct dns_address *a = &g_array_index(l->addresses, struct dns_address, i);
        struct given entry = {.ts_ns = l->response_ns};
        memcpy(entry.address.bytes, a->bytes, sizeof entry.address.bytes);
        entry.client = l->client;
        add_entry(n, g, entry);
        if (a->version == l->version)
            continue;
        entry.client = (struct addr){0};
        add_entry(n, g, entry);
    }
}

/* Questions for anything but addresses lead to no connection, and say nothing where they fail. */
static bool of_use(const struct lookup *l)
{
    switch (l->type_number) {
    case 1:
    case 28:
    case 64:
    case 65: /* A, AAAA, SVCB, HTTPS */
        return lookup_start_ns(l) != TIME_NONE;
    default:
        return l->addresses && l->addresses->len && l->response_ns != TIME_NONE;
    }
}

static void know_ends(struct names *n, const struct lookup *l)
{
    static const struct addr nobody;

    if (l->flavour != DNS_UNICAST)
        return;
    if (addr_cmp(&n->first_client, &nobody) == 0)
        n->first_client = l->client;
    n->several_clients |= addr_cmp(&n->first_client, &l->client) != 0;
    n->answers |= l->response_packet != 0;
    if (l->response_packet && addr_cmp(&l->client, &l->server) != 0 && g_hash_table_size(n->servers) < SERVERS_MOST &&
        !g_hash_table_contains(n->servers, &l->server))
        g_hash_table_add(n->servers, g_memdup2(&l->server, sizeof l->server));
}

struct name_group *names_lookup(struct names *n, const struct lookup *l)
{
    know_ends(n, l);
    if (!of_use(l))
        return NULL;
    struct name_group *g = group_for(n, l), *fresh = NULL;
    if (g && name_group_refused(g, l))
        return NULL;
    if (g) {
        name_group_add(g, l);
    } else {
        g = fresh = name_group_new(l);
        be_recent(n, g);
    }
    struct question *q = &g_array_index(g->questions, struct question, g->questions->len - 1);
    add_entry(n, g, (struct given){.client = l->client, .name = q->name, .ts_ns = q->query_ns});
    index_addresses(n, g, l);
    return fresh;
}

void names_forget(struct names *n, struct name_group *g)
{
    remove_entries(n, g);
    be_past(n, g);
    name_group_release(g);
}

bool names_asks_for_others(const struct names *n, const struct addr *client)
{
    return g_hash_table_contains(n->servers, client);
}

bool names_sees_no_answers(const struct names *n)
{
    return n->several_clients && !n->answers;
}

/* --- questions --- */

/* How well a group fits a connection; 0: not at all. */
static int fit(const struct name_group *g, const struct leg *l)
{
    bool named = l->name && !l->proxied;

    if (named && !name_group_is(g, l->name))
        return 0;
    return g->chain || g->spent ? 1 : 2;
}

static struct name_group *best_of(const struct names *n, struct given key, const struct leg *l)
{
    struct name_group *best = NULL;
    int best_fit = 0;
    GTreeNode *node = first_before(n->by_address, &key);

    for (int i = 0; node && i < WEIGHED; i++, node = g_tree_node_previous(node)) {
        const struct given *e = g_tree_node_key(node);
        if (addr_cmp(&e->client, &key.client) || addr_cmp(&e->address, &key.address) ||
            l->to.start_ns - e->ts_ns > LEAD_NS)
            break;
        int f = fit(e->group, l);
        if (f > best_fit) {
            best_fit = f;
            best = e->group;
        }
    }
    return best;
}

/* A client that asks over IPv4 and connects over IPv6 has two addresses. It is taken for the same one where nobody else
 * was given that address in the last seconds. */
static struct name_group *other_family(const struct names *n, struct given key, const struct leg *l)
{
    key.client = (struct addr){0};
    struct name_group *best = best_of(n, key, l);
    GTreeNode *node = best ? first_before(n->by_address, &key) : NULL;

    for (int i = 0; node; i++, node = g_tree_node_previous(node)) {
        const struct given *e = g_tree_node_key(node);
        if (addr_cmp(&e->client, &key.client) || addr_cmp(&e->address, &key.address) ||
            l->to.start_ns - e->ts_ns > LEAD_NS)
            break;
        if (i == WEIGHED || addr_cmp(&e->group->client, &best->client))
            return NULL;
    }
    return best;
}

struct name_group *names_behind(const struct names *n, const struct leg *l)
{
    struct given key = {.client = l->client, .address = l->to.server, .ts_ns = l->to.start_ns, .serial = UINT64_MAX};

    if (g_tree_nnodes(n->by_address) == 0)
        return NULL;
    struct name_group *g = best_of(n, key, l);
    return g ? g : other_family(n, key, l);
}

struct name_group *names_find(const struct names *n, const struct addr *client, const char *name, int64_t ts_ns)
{
    struct given key = {.client = *client, .name = name, .ts_ns = ts_ns, .serial = UINT64_MAX};
    GTreeNode *node = g_tree_nnodes(n->by_name) ? first_before(n->by_name, &key) : NULL;

    if (!node)
        return NULL;
    const struct given *e = g_tree_node_key(node);
    if (addr_cmp(&e->client, client) || strcmp(e->name, name) != 0 || ts_ns - e->ts_ns > LEAD_NS)
        return NULL;
    return e->group;
}

bool names_gave(const struct names *n, const struct addr *client, const char *name, const struct addr *address,
                int64_t ts_ns)
{
    struct given key = {.client = *client, .address = *address, .ts_ns = ts_ns, .serial = UINT64_MAX};
    GTreeNode *node = g_tree_nnodes(n->by_address) ? first_before(n->by_address, &key) : NULL;

    for (int i = 0; node && i < WEIGHED; i++, node = g_tree_node_previous(node)) {
        const struct given *e = g_tree_node_key(node);
        if (addr_cmp(&e->client, client) || addr_cmp(&e->address, address))
            return false;
        if (name_group_is(e->group, name))
            return true;
    }
    return false;
}
