#include "flow/neighbors.h"

#include "base/addr_key.h"
#include "base/limits.h"

struct target {
    struct addr addr;
    struct address_claims claims;
};

struct neighbors {
    GHashTable *pairs; /* struct neighbor* by asker and target: its first members */
    GPtrArray *all;
    GHashTable *targets; /* struct target*: addresses that are there, by themselves: their first member */
    uint64_t answers;
};

static guint pair_hash(gconstpointer p)
{
    const struct neighbor *n = p;
    return addr_key_hash(&n->asker) * 31 ^ addr_key_hash(&n->target);
}

static gboolean pair_equal(gconstpointer a, gconstpointer b)
{
    const struct neighbor *x = a, *y = b;
    return addr_key_equal(&x->asker, &y->asker) && addr_key_equal(&x->target, &y->target);
}

struct neighbors *neighbors_new(void)
{
    struct neighbors *n = g_new0(struct neighbors, 1);

    n->pairs = g_hash_table_new(pair_hash, pair_equal);
    n->all = g_ptr_array_new_with_free_func(g_free);
    n->targets = g_hash_table_new_full(addr_key_hash, addr_key_equal, g_free, NULL);
    return n;
}

void neighbors_free(struct neighbors *n)
{
    if (!n)
        return;
    g_hash_table_destroy(n->pairs);
    g_hash_table_destroy(n->targets);
    g_ptr_array_free(n->all, TRUE);
    g_free(n);
}

static struct neighbor *pair_of(struct neighbors *n, const struct neighbor_facts *f)
{
    struct neighbor key = { .asker = f->sender, .target = f->target };
    struct neighbor *pair = g_hash_table_lookup(n->pairs, &key);

    if (pair || n->all->len >= LIMIT_NEIGHBORS)
        return pair;
    pair = g_new0(struct neighbor, 1);
    pair->asker = f->sender;
    pair->target = f->target;
    pair->version = f->version;
    pair->tried_ns = TIME_NONE;
    pair->ever_answered = g_hash_table_contains(n->targets, &f->target);
    g_ptr_array_add(n->all, pair);
    g_hash_table_add(n->pairs, pair);
    return pair;
}

static void asked(struct neighbors *n, const struct packet *p)
{
    struct neighbor *pair = pair_of(n, &p->neighbor);

    if (!pair)
        return;
    if (pair->answered) {
        pair->answered = false;
        pair->requests = 0;
        pair->tried_ns = TIME_NONE;
    }
    if (pair->requests < NEIGHBOR_EVIDENCE)
        pair->evidence[pair->requests] = p->number;
    if (pair->requests++ == 0)
        pair->first_ns = p->ts_ns;
    if (pair->requests == NEIGHBOR_TRIES)
        pair->tried_ns = p->ts_ns;
    pair->last_ns = p->ts_ns;
}

static struct target *target_of(struct neighbors *n, const struct addr *who)
{
    struct target *t = g_hash_table_lookup(n->targets, who);

    if (t || g_hash_table_size(n->targets) >= LIMIT_NEIGHBORS)
        return t;
    t = g_new0(struct target, 1);
    t->addr = *who;
    g_hash_table_add(n->targets, t);
    return t;
}

/* Where an answer says that the address is. */
static void claim(struct address_claims *c, const struct packet *p)
{
    const struct neighbor_facts *f = &p->neighbor;
    int nth = c->packet[0] ? 1 : 0;

    if (f->request || !f->has_mac || (nth && memcmp(c->mac[0], f->mac, sizeof f->mac) == 0))
        return;
    c->packet[nth] = p->number;
    memcpy(c->mac[nth], f->mac, sizeof f->mac);
}

/* Whoever speaks for an address has it: a reply to one asker, an announcement, a request of its own. */
static void alive(struct neighbors *n, const struct addr *who, const struct packet *p)
{
    struct target *t = target_of(n, who);

    if (!t)
        return;
    claim(&t->claims, p);
    for (guint i = 0; i < n->all->len && n->all->len <= 1024; i++) {
        struct neighbor *pair = g_ptr_array_index(n->all, i);
        if (addr_key_equal(&pair->target, who))
            pair->ever_answered = true;
    }
}

static void answered(struct neighbors *n, const struct packet *p)
{
    const struct neighbor_facts *f = &p->neighbor;
    struct neighbor key = { .asker = p->neighbor.version == 4 ? f->target : p->ip.dst, .target = f->sender };

    n->answers++;
    if (f->version == 6)
        key.target = f->target; /* an advertisement's target is the address that it speaks for */
    struct neighbor *pair = g_hash_table_lookup(n->pairs, &key);
    if (pair)
        pair->answered = pair->ever_answered = true;
    alive(n, &key.target, p);
}

void neighbors_packet(struct neighbors *n, const struct packet *p)
{
    const struct neighbor_facts *f = &p->neighbor;

    if (!f->request) {
        answered(n, p);
        return;
    }
    if (!f->probe)
        alive(n, &f->sender, p);
    if (!f->probe && !f->gratuitous)
        asked(n, p);
}

const struct address_claims *neighbors_claims(const struct neighbors *n, const struct addr *who)
{
    const struct target *t = g_hash_table_lookup(n->targets, who);
    return t && t->claims.packet[1] ? &t->claims : NULL;
}

const GPtrArray *neighbors_all(const struct neighbors *n)
{
    return n->all;
}

bool neighbor_overdue(const struct neighbor *pair, int64_t now_ns)
{
    return !pair->looked_at && !pair->ever_answered && pair->tried_ns != TIME_NONE &&
           now_ns - pair->tried_ns >= NEIGHBOR_PATIENCE_NS;
}

bool neighbor_came_back(const struct neighbor *pair)
{
    return pair->told && pair->ever_answered;
}

bool neighbors_have_news(const struct neighbors *n, int64_t now_ns)
{
    for (guint i = 0; i < n->all->len; i++) {
        const struct neighbor *pair = g_ptr_array_index(n->all, i);
        if (neighbor_overdue(pair, now_ns) || neighbor_came_back(pair))
            return true;
    }
    return false;
}

uint64_t neighbors_answers(const struct neighbors *n)
{
    return n->answers;
}
