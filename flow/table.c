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

/* A place of the index; empty where flow is NULL. */
struct slot {
    struct flow *flow;
    uint32_t hash; /* of its key: most misses are told without a look at the flow */
};

/* The index is an array with linear probing, at most half full; a flow that leaves draws those behind it forward, so
 * that there are no marks of the departed. GHashTable would do, but its places cannot be fetched ahead of time, and
 * with thousands of flows taking turns waiting for memory is what a packet costs most (docs/decisions.md). */
struct flow_table {
    struct slot *slots;
    size_t mask, n; /* a power of two less one; flows */
    struct queue queues[QUEUES];
    uint64_t next_id, evicted;
    uint64_t seed[2];
    struct track *spare; /* tracks to use again, linked by `spare`: warm in the cache, no trip to malloc */
    guint n_spare;
    bool twins; /* there was one: look for it first */
    flow_leaves_fn *leaves;
    void *user;
};

#define FIRST_SLOTS 1024

static bool key_equal(const struct flow_key *x, const struct flow_key *y)
{
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
static inline uint32_t seeded_hash(const struct flow_table *t, const struct addr *low, const struct addr *high, uint64_t rest)
{
    uint64_t h = fold(word(low, 0) ^ t->seed[0], word(low, 1) ^ t->seed[1]) +
                 fold(word(high, 0) ^ t->seed[1], word(high, 1) ^ t->seed[0]);

    h = fold(h ^ rest, t->seed[0] | 1);
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t key_hash(const struct flow_table *t, const struct flow_key *k)
{
    return seeded_hash(t, &k->low, &k->high,
                       (uint64_t)k->layers << 40 ^ (uint64_t)k->version << 32 ^ (uint32_t)k->low_port << 16 ^
                           k->high_port);
}

bool flow_table_key(const struct flow_table *t, const struct ends *e, struct flow_key *k)
{
    int order = addr_cmp(e->src, e->dst);
    bool low_is_src = order < 0 || (order == 0 && e->sport <= e->dport);
    const struct addr *low = low_is_src ? e->src : e->dst, *high = low_is_src ? e->dst : e->src;
    uint16_t low_port = low_is_src ? e->sport : e->dport, high_port = low_is_src ? e->dport : e->sport;

    *k = (struct flow_key){
        .low = *low, .high = *high, .low_port = low_port, .high_port = high_port, .version = e->version
    };
    k->hash = seeded_hash(t, low, high, (uint64_t)e->version << 32 ^ (uint32_t)low_port << 16 ^ high_port);
    return low_is_src;
}

/* --- the index --- */

/* Where the flow of that key stands, or the empty place where it would. */
static struct slot *find_slot(const struct flow_table *t, const struct flow_key *k)
{
    size_t i = k->hash & t->mask;

    while (t->slots[i].flow && (t->slots[i].hash != k->hash || !key_equal(&t->slots[i].flow->key, k)))
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

static void make_slots(struct flow_table *t, size_t n)
{
    struct slot *old = t->slots;
    size_t n_old = old ? t->mask + 1 : 0;

    t->slots = g_new0(struct slot, n);
    t->mask = n - 1;
    for (size_t i = 0; i < n_old; i++) {
        if (!old[i].flow)
            continue;
        size_t at = old[i].hash & t->mask;
        while (t->slots[at].flow)
            at = (at + 1) & t->mask;
        t->slots[at] = old[i];
    }
    g_free(old);
}

static void index_add(struct flow_table *t, struct flow *f)
{
    if (2 * ++t->n > t->mask)
        make_slots(t, 2 * (t->mask + 1));
    *find_slot(t, &f->key) = (struct slot){ f, f->key.hash };
}

/* Those behind the gap move into it where it lies between them and the place that their hash names. */
static void index_remove(struct flow_table *t, const struct flow *f)
{
    size_t gap = f->key.hash & t->mask;

    while (t->slots[gap].flow != f)
        gap = (gap + 1) & t->mask;
    for (size_t i = (gap + 1) & t->mask; t->slots[i].flow; i = (i + 1) & t->mask) {
        if (((i - t->slots[i].hash) & t->mask) < ((i - gap) & t->mask))
            continue;
        t->slots[gap] = t->slots[i];
        gap = i;
    }
    t->slots[gap].flow = NULL;
    t->n--;
}

/* --- life --- */

struct flow_table *flow_table_new(flow_leaves_fn *leaves, void *user)
{
    struct flow_table *t = g_new0(struct flow_table, 1);

    make_slots(t, FIRST_SLOTS);
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
    if (!t)
        return;
    for (size_t i = 0; i <= t->mask; i++)
        flow_free(t->slots[i].flow);
    g_free(t->slots);
    for (struct track *k = t->spare, *next; k; k = next) {
        next = k->spare;
        g_free(k);
    }
    g_free(t);
}

/* p may be NULL. */
static inline void fetch(const void *p, size_t n)
{
    for (size_t i = 0; p && i < n; i += 64)
        __builtin_prefetch((const char *)p + i);
}

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *k, uint32_t layers)
{
    if (t->twins && layers) {
        struct flow_key twin = *k;
        twin.layers = layers;
        twin.hash = key_hash(t, &twin);
        struct flow *f = find_slot(t, &twin)->flow;
        if (f)
            return f;
    }
    return find_slot(t, k)->flow;
}

void flow_table_expect(const struct flow_table *t, const struct flow_key *k)
{
    __builtin_prefetch(&t->slots[k->hash & t->mask]);
}

struct flow *flow_table_warm(const struct flow_table *t, const struct flow_key *k)
{
    size_t i = k->hash & t->mask;

    while (t->slots[i].flow && t->slots[i].hash != k->hash)
        i = (i + 1) & t->mask;
    if (t->slots[i].flow)
        fetch(t->slots[i].flow, sizeof(struct flow));
    return t->slots[i].flow;
}

void flow_warm_track(const struct flow *f)
{
    fetch(f->track, offsetof(struct track, log));
}

static void unlink_flow(struct flow_table *t, struct flow *f)
{
    struct queue *q = &t->queues[f->queue];

    *(f->queue_previous ? &f->queue_previous->queue_next : &q->head) = f->queue_next;
    *(f->queue_next ? &f->queue_next->queue_previous : &q->tail) = f->queue_previous;
    q->n--;
}

static void append_flow(struct flow_table *t, struct flow *f, enum flow_queue queue, int64_t now_ns)
{
    struct queue *q = &t->queues[queue];

    f->queue = (uint8_t)queue;
    f->queued_ns = now_ns;
    f->queue_next = NULL;
    f->queue_previous = q->tail;
    *(q->tail ? &q->tail->queue_next : &q->head) = f;
    q->tail = f;
    q->n++;
}

static struct track *new_track(struct flow_table *t)
{
    struct track *k = t->spare;

    if (k) {
        t->spare = k->spare;
        t->n_spare--;
    } else {
        k = g_new(struct track, 1);
    }
    memset(k, 0, offsetof(struct track, log.entries));
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

struct flow *flow_table_add(struct flow_table *t, const struct flow_key *k, uint32_t layers, bool twin, int64_t now_ns)
{
    struct flow *f = g_new(struct flow, 1); /* g_new0 would pass by malloc's short way */

    memset(f, 0, sizeof *f);
    f->key = *k;
    f->layers = layers;
    if (twin) {
        f->key.layers = layers;
        f->key.hash = key_hash(t, &f->key);
        t->twins = true;
    }
    f->id = ++t->next_id;
    f->track = new_track(t);
    index_add(t, f);
    append_flow(t, f, QUEUE_EMBRYONIC, now_ns);
    return f;
}

void flow_table_queue(struct flow_table *t, struct flow *f, enum flow_queue queue, int64_t now_ns)
{
    if (f->queue == queue)
        return;
    unlink_flow(t, f);
    append_flow(t, f, queue, now_ns);
}

/* Flows leave one behind the other, and have been quiet for long: what those behind f will need is fetched, step by
 * step as each of them moves up. */
static void fetch_next(const struct flow *f)
{
    const struct flow *next = f->queue_next;

    if (next && next->app)
        fetch(next->app->http, sizeof *next->app->http);
    next = next ? next->queue_next : NULL;
    if (next) {
        fetch(next->app, sizeof *next->app);
        __builtin_prefetch(next->track);
        next = next->queue_next;
    }
    if (next)
        fetch(next, sizeof *next);
}

void flow_table_remove(struct flow_table *t, struct flow *f)
{
    fetch_next(f);
    unlink_flow(t, f);
    index_remove(t, f);
    t->leaves(t->user, f);
}

/* A flow at the head of its queue was queued longest ago, but may have been active since: then it goes to the end, as
 * of its last packet. A closed flow waits from its end on, whatever comes late. */
static bool still_active(struct flow_table *t, struct flow *f)
{
    if (f->last_ns <= f->queued_ns || f->queue == QUEUE_LINGERING)
        return false;
    enum flow_queue queue = f->queue;
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

bool flow_table_crowded(const struct flow_table *t)
{
    return t->queues[QUEUE_LINGERING].n > LIMIT_LINGERING;
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
        while (q->head && now_ns - q->head->queued_ns > patience_ns[i])
            if (!still_active(t, q->head))
                flow_table_remove(t, q->head);
    }
    while (t->queues[QUEUE_LINGERING].n > LIMIT_LINGERING)
        flow_table_remove(t, t->queues[QUEUE_LINGERING].head);
    while (t->queues[QUEUE_EMBRYONIC].n > LIMIT_EMBRYONIC_FLOWS)
        evict_from(t, QUEUE_EMBRYONIC);
    while (t->n > LIMIT_LIVE_FLOWS)
        evict_one(t);
}

void flow_table_visit(struct flow_table *t, flow_table_visit_fn *visit, void *user)
{
    for (int i = QUEUE_EMBRYONIC; i <= QUEUE_OPEN; i++)
        for (struct flow *f = t->queues[i].head; f; f = f->queue_next)
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

void flow_table_break(struct flow_table *t, uint64_t from, int64_t now_ns)
{
    GPtrArray *all = g_ptr_array_sized_new((guint)t->n);

    for (size_t i = 0; i <= t->mask; i++)
        if (t->slots[i].flow && t->slots[i].flow->id < from)
            g_ptr_array_add(all, t->slots[i].flow);
    g_ptr_array_sort(all, compare_ids);
    for (guint n = 0; n < all->len; n++)
        flow_table_remove(t, g_ptr_array_index(all, n));
    g_ptr_array_free(all, TRUE);
    for (int i = 0; i < QUEUES; i++)
        for (struct flow *f = t->queues[i].head; f; f = f->queue_next)
            f->queued_ns = now_ns;
}

void flow_table_drain(struct flow_table *t)
{
    flow_table_break(t, UINT64_MAX, TIME_NONE);
}

uint64_t flow_table_next_id(const struct flow_table *t)
{
    return t->next_id + 1;
}

uint64_t flow_table_evicted(const struct flow_table *t)
{
    return t->evicted;
}
