#include "flow/table.h"

#include "base/limits.h"
#include "flow/track.h"

#include <string.h>
#include <sys/random.h>

/* Tracks kept for the next flows. */
#define SPARE_TRACKS 64

struct queue {
    struct flow *head, *tail;
    guint n;
};

struct flow_table {
    GHashTable *flows; /* struct flow* by its key */
    struct queue queues[QUEUES];
    uint64_t next_id, evicted;
    uint64_t seed[2];
    struct flow *last;   /* the flow found last: most packets belong to the flow of the one before */
    struct track *spare; /* tracks to use again, linked by `spare`: warm in the cache, no trip to malloc */
    guint n_spare;
    bool twins; /* there was one: look for it first */
    flow_leaves_fn *leaves;
    void *user;
};

static guint key_hash(gconstpointer key)
{
    return ((const struct flow_key *)key)->hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const struct flow_key *x = a, *y = b;

    return x->low_port == y->low_port && x->high_port == y->high_port && addr_cmp(&x->low, &y->low) == 0 &&
           addr_cmp(&x->high, &y->high) == 0 && x->version == y->version && x->layers == y->layers;
}

/* Two 64-bit words into one, by the halves of their 128-bit product. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word(const struct addr *a, int i)
{
    uint64_t w;

    memcpy(&w, a->bytes + 8 * i, sizeof w);
    return w;
}

/* The table is seeded: nobody outside can choose addresses that collide. Worked out from what the key is made of, not
 * from the key: reading a field right behind the smaller stores that made it would have to wait for them. */
static uint32_t seeded_hash(const struct flow_table *t, const struct addr *low, const struct addr *high, uint64_t rest)
{
    uint64_t h = fold(word(low, 0) ^ t->seed[0], word(low, 1) ^ t->seed[1]) +
                 fold(word(high, 0) ^ t->seed[1], word(high, 1) ^ t->seed[0]);

    h = fold(h ^ rest, t->seed[0] | 1);
    return (uint32_t)(h ^ h >> 32);
}

static bool make_key(const struct flow_table *t, struct flow_key *k, const struct ends *e, uint32_t layers)
{
    int order = addr_cmp(e->src, e->dst);
    bool low_is_src = order < 0 || (order == 0 && e->sport <= e->dport);
    const struct addr *low = low_is_src ? e->src : e->dst, *high = low_is_src ? e->dst : e->src;
    uint16_t low_port = low_is_src ? e->sport : e->dport, high_port = low_is_src ? e->dport : e->sport;

    *k = (struct flow_key){ .low = *low,
                            .high = *high,
                            .low_port = low_port,
                            .high_port = high_port,
                            .version = e->version,
                            .layers = layers };
    k->hash = seeded_hash(t, low, high,
                          (uint64_t)layers << 40 ^ (uint64_t)e->version << 32 ^ (uint32_t)low_port << 16 ^ high_port);
    return low_is_src;
}

struct flow_table *flow_table_new(flow_leaves_fn *leaves, void *user)
{
    struct flow_table *t = g_new0(struct flow_table, 1);

    t->flows = g_hash_table_new(key_hash, key_equal);
    t->leaves = leaves;
    t->user = user;
    if (getrandom(t->seed, sizeof t->seed, 0) != sizeof t->seed) {
        t->seed[0] = 0x9E3779B97F4A7C15u;
        t->seed[1] = (uint64_t)(uintptr_t)t;
    }
    return t;
}

void flow_table_free(struct flow_table *t)
{
    GHashTableIter i;
    gpointer f;

    if (!t)
        return;
    g_hash_table_iter_init(&i, t->flows);
    while (g_hash_table_iter_next(&i, &f, NULL))
        flow_free(f);
    g_hash_table_destroy(t->flows);
    for (struct track *k = t->spare, *next; k; k = next) {
        next = k->spare;
        g_free(k);
    }
    g_free(t);
}

/* All of a flow that a packet will touch is asked for at once: with thousands of flows taking turns it has left the
 * cache. */
static inline void warm(const struct flow *f)
{
    const char *flow = (const char *)f, *track = (const char *)f->track;

    for (size_t i = 0; i < sizeof(struct flow); i += 64)
        __builtin_prefetch(flow + i);
    for (size_t i = 0; i < sizeof(struct track); i += 64)
        __builtin_prefetch(track + i);
}

static struct flow *find_key(struct flow_table *t, const struct flow_key *k)
{
    if (t->last && t->last->key.hash == k->hash && key_equal(&t->last->key, k))
        return t->last;
    struct flow *f = g_hash_table_lookup(t->flows, k);
    if (f) {
        warm(f);
        t->last = f;
    }
    return f;
}

struct flow *flow_table_find(struct flow_table *t, const struct ends *e, bool *low_is_src)
{
    struct flow_key k;

    if (t->twins && e->layers) {
        *low_is_src = make_key(t, &k, e, e->layers);
        struct flow *twin = find_key(t, &k);
        if (twin)
            return twin;
    }
    *low_is_src = make_key(t, &k, e, 0);
    return find_key(t, &k);
}

static void unlink_flow(struct flow_table *t, struct flow *f)
{
    struct track *k = f->track;
    struct queue *q = &t->queues[k->queue];

    *(k->queue_previous ? &k->queue_previous->track->queue_next : &q->head) = k->queue_next;
    *(k->queue_next ? &k->queue_next->track->queue_previous : &q->tail) = k->queue_previous;
    q->n--;
}

static void append_flow(struct flow_table *t, struct flow *f, enum flow_queue queue, int64_t now_ns)
{
    struct track *k = f->track;
    struct queue *q = &t->queues[queue];

    k->queue = (uint8_t)queue;
    k->queued_ns = now_ns;
    k->queue_next = NULL;
    k->queue_previous = q->tail;
    *(q->tail ? &q->tail->track->queue_next : &q->head) = f;
    q->tail = f;
    q->n++;
}

static struct track *new_track(struct flow_table *t)
{
    struct track *k = t->spare;

    if (!k)
        return g_new0(struct track, 1);
    t->spare = k->spare;
    t->n_spare--;
    memset(k, 0, sizeof *k);
    return k;
}

void flow_table_recycle(struct flow_table *t, struct track *k)
{
    if (t->n_spare >= SPARE_TRACKS) {
        g_free(k);
        return;
    }
    k->spare = t->spare;
    t->spare = k;
    t->n_spare++;
}

struct flow *flow_table_add(struct flow_table *t, const struct ends *e, bool twin, int64_t now_ns)
{
    struct flow *f = g_new0(struct flow, 1);

    make_key(t, &f->key, e, twin ? e->layers : 0);
    f->layers = e->layers;
    t->twins |= twin;
    f->id = ++t->next_id;
    f->track = new_track(t);
    g_hash_table_add(t->flows, f);
    append_flow(t, f, QUEUE_EMBRYONIC, now_ns);
    t->last = f;
    return f;
}

void flow_table_queue(struct flow_table *t, struct flow *f, enum flow_queue queue, int64_t now_ns)
{
    if (f->track->queue == queue)
        return;
    unlink_flow(t, f);
    append_flow(t, f, queue, now_ns);
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
    if (f->track->queue_next) /* the next to leave, most likely */
        warm(f->track->queue_next);
    unlink_flow(t, f);
    g_hash_table_remove(t->flows, f);
    if (t->last == f)
        t->last = NULL;
    t->leaves(t->user, f);
}

/* A flow at the head of its queue was queued longest ago, but may have been active since: then it goes to the end, as
 * of its last packet. A closed flow waits from its end on, whatever comes late. */
static bool still_active(struct flow_table *t, struct flow *f)
{
    if (f->last_ns <= f->track->queued_ns || f->track->queue == QUEUE_LINGERING)
        return false;
    enum flow_queue queue = f->track->queue;
    unlink_flow(t, f);
    append_flow(t, f, queue, f->last_ns);
    return true;
}

/* Lets go of the flow that has been in a queue longest without a packet; false where the queue is empty. */
static bool evict_from(struct flow_table *t, enum flow_queue queue)
{
    struct queue *q = &t->queues[queue];

    for (guint tries = 0; q->head && tries < 8 && still_active(t, q->head);)
        tries++;
    struct flow *f = q->head;
    if (!f)
        return false;
    if (queue != QUEUE_LINGERING) {
        f->evicted = true;
        t->evicted++;
    }
    flow_table_remove(t, f);
    return true;
}

static void evict_one(struct flow_table *t)
{
    if (!evict_from(t, QUEUE_LINGERING) && !evict_from(t, QUEUE_EMBRYONIC))
        evict_from(t, QUEUE_OPEN);
}

void flow_table_expire(struct flow_table *t, int64_t now_ns)
{
    static const int64_t patience_ns[QUEUES] = {
        [QUEUE_EMBRYONIC] = LIMIT_EMBRYONIC_IDLE_NS,
        [QUEUE_OPEN] = LIMIT_OPEN_IDLE_NS,
        [QUEUE_LINGERING] = LIMIT_LINGER_NS,
    };

    for (int i = 0; i < QUEUES; i++) {
        struct queue *q = &t->queues[i];
        while (q->head && now_ns - q->head->track->queued_ns > patience_ns[i])
            if (!still_active(t, q->head))
                flow_table_remove(t, q->head);
    }
    while (t->queues[QUEUE_LINGERING].n > LIMIT_LINGERING)
        flow_table_remove(t, t->queues[QUEUE_LINGERING].head);
    while (t->queues[QUEUE_EMBRYONIC].n > LIMIT_EMBRYONIC_FLOWS)
        evict_from(t, QUEUE_EMBRYONIC);
    while (g_hash_table_size(t->flows) > LIMIT_LIVE_FLOWS)
        evict_one(t);
}

void flow_table_visit(struct flow_table *t, flow_table_visit_fn *visit, void *user)
{
    for (int i = QUEUE_EMBRYONIC; i <= QUEUE_OPEN; i++)
        for (struct flow *f = t->queues[i].head; f; f = f->track->queue_next)
            if (!visit(user, f))
                return;
}

uint64_t flow_table_open(const struct flow_table *t)
{
    return t->queues[QUEUE_EMBRYONIC].n + t->queues[QUEUE_OPEN].n;
}

static gint compare_ids(gconstpointer a, gconstpointer b)
{
    const struct flow *x = *(struct flow *const *)a, *y = *(struct flow *const *)b;
    return x->id < y->id ? -1 : x->id > y->id;
}

void flow_table_drain(struct flow_table *t)
{
    GPtrArray *all = g_ptr_array_sized_new(g_hash_table_size(t->flows));
    GHashTableIter i;
    gpointer f;

    g_hash_table_iter_init(&i, t->flows);
    while (g_hash_table_iter_next(&i, &f, NULL))
        g_ptr_array_add(all, f);
    g_ptr_array_sort(all, compare_ids);
    for (guint n = 0; n < all->len; n++)
        flow_table_remove(t, g_ptr_array_index(all, n));
    g_ptr_array_free(all, TRUE);
}

uint64_t flow_table_evicted(const struct flow_table *t)
{
    return t->evicted;
}
