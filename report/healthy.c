#include "report/healthy.h"
#include "base/limits.h"

#include <string.h>
#include <sys/random.h>

_Static_assert(sizeof(struct healthy_key) == 24, "a key has no padding");

/* Flows do not end in the order in which they began, but their ids are told to the groups in ascending order, so that
 * ranges only grow at their ends. A flow that is WINDOW ids behind is not waited for. A power of two. */
#define WINDOW (1u << 16)

/* Marks in the window. */
enum { MARK_OPEN = 0, MARK_PASSED, MARK_GROUP };

struct healthy {
    GHashTable *by_key;         /* struct healthy_group*, its own key */
    GPtrArray *groups;          /* the same in the order in which they were met; owned */
    struct healthy_group *last; /* the group of the flow before: most captures are of few servers */
    uint64_t seed[2];
    uint64_t ungrouped;
    uint64_t next, highest; /* every flow below `next` was told to its group, or given up; the highest id so far */
    uint32_t *window; /* of flow `id` at id % WINDOW: MARK_GROUP + place of its group, or another mark */
};

/* --- groups --- */

static guint hash_group(gconstpointer p)
{
    return ((const struct healthy_group *)p)->hash;
}

static gboolean same_key(gconstpointer a, gconstpointer b)
{
    return memcmp(&((const struct healthy_group *)a)->key, &((const struct healthy_group *)b)->key,
                  sizeof(struct healthy_key)) == 0;
}

static void free_group(gpointer p)
{
    struct healthy_group *g = p;

    ids_clear(&g->ids);
    g_free(g);
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Seeded: nobody outside can choose servers that collide. */
static uint32_t hash_key(const struct healthy *h, const struct healthy_key *key)
{
    uint64_t w[3];

    memcpy(w, key, sizeof w);
    return (uint32_t)fold(fold(w[0] ^ h->seed[0], w[1] ^ h->seed[1]) ^ w[2], h->seed[0] | 1);
}

static struct healthy_key key_of(const struct flow *f)
{
    struct healthy_key key = { .server = *flow_addr(f, SERVER),
                               .port = flow_port(f, SERVER),
                               .version = f->key.version,
                               .protocol = f->app ? (uint8_t)f->app->protocol : 0,
                               .ending = ending_of(f) };

    return key;
}

static struct healthy_group *new_group(struct healthy *h, const struct healthy_group *like)
{
    if (h->groups->len >= LIMIT_HEALTHY_GROUPS)
        return NULL;
    struct healthy_group *g = g_memdup2(like, sizeof *like);
    g->at = h->groups->len;
    g->bytes_low = UINT64_MAX;
    g->rtt_low_ns = INT64_MAX;
    g->rtt_high_ns = TIME_NONE;
    g_hash_table_add(h->by_key, g);
    g_ptr_array_add(h->groups, g);
    return g;
}

/* NULL: there are too many already. */
static struct healthy_group *group_of(struct healthy *h, const struct flow *f)
{
    struct healthy_group like = { .key = key_of(f) };

    if (h->last && same_key(h->last, &like))
        return h->last;
    like.hash = hash_key(h, &like.key);
    struct healthy_group *g = g_hash_table_lookup(h->by_key, &like);
    if (!g)
        g = new_group(h, &like);
    if (g)
        h->last = g;
    return g;
}

static void measure(struct healthy_group *g, const struct flow *f)
{
    uint64_t bytes = f->half[CLIENT].bytes + f->half[SERVER].bytes;
    int64_t rtt_ns = flow_handshake_rtt_ns(f);

    g->flows++;
    g->bytes_low = MIN(g->bytes_low, bytes);
    g->bytes_high = MAX(g->bytes_high, bytes);
    if (rtt_ns == TIME_NONE)
        return;
    g->rtt_low_ns = MIN(g->rtt_low_ns, rtt_ns);
    g->rtt_high_ns = MAX(g->rtt_high_ns, rtt_ns);
}

/* --- ids --- */

static void tell(struct healthy *h, uint64_t id, uint32_t mark)
{
    if (mark >= MARK_GROUP)
        ids_add(&((struct healthy_group *)g_ptr_array_index(h->groups, mark - MARK_GROUP))->ids, id);
}

static uint32_t *mark_of(struct healthy *h, uint64_t id)
{
    return &h->window[id % WINDOW];
}

static void advance(struct healthy *h)
{
    uint32_t *mark = mark_of(h, h->next);

    tell(h, h->next, *mark);
    *mark = MARK_OPEN;
    h->next++;
}

static void over(struct healthy *h, uint64_t id, uint32_t mark)
{
    if (id < h->next) { /* it was given up */
        tell(h, id, mark);
        return;
    }
    while (id - h->next >= WINDOW)
        advance(h);
    *mark_of(h, id) = mark;
    h->highest = MAX(h->highest, id);
    while (*mark_of(h, h->next) != MARK_OPEN)
        advance(h);
}

/* --- all --- */

struct healthy *healthy_new(void)
{
    struct healthy *h = g_new0(struct healthy, 1);

    h->by_key = g_hash_table_new(hash_group, same_key);
    h->groups = g_ptr_array_new_with_free_func(free_group);
    h->window = g_new0(uint32_t, WINDOW);
    h->next = 1;
    if (getrandom(h->seed, sizeof h->seed, 0) != sizeof h->seed)
        h->seed[0] = h->seed[1] = (uint64_t)(uintptr_t)h;
    return h;
}

void healthy_free(struct healthy *h)
{
    if (!h)
        return;
    g_hash_table_destroy(h->by_key);
    g_ptr_array_free(h->groups, TRUE);
    g_free(h->window);
    g_free(h);
}

void healthy_add(struct healthy *h, const struct flow *f)
{
    struct healthy_group *g = group_of(h, f);

    if (!g) {
        h->ungrouped++;
        over(h, f->id, MARK_PASSED);
        return;
    }
    measure(g, f);
    over(h, f->id, MARK_GROUP + g->at);
}

void healthy_pass(struct healthy *h, uint64_t id)
{
    over(h, id, MARK_PASSED);
}

static gint largest_first(gconstpointer a, gconstpointer b)
{
    const struct healthy_group *x = *(struct healthy_group *const *)a, *y = *(struct healthy_group *const *)b;

    if (x->flows != y->flows)
        return x->flows < y->flows ? 1 : -1;
    return ids_first(&x->ids) < ids_first(&y->ids) ? -1 : 1;
}

const GPtrArray *healthy_finish(struct healthy *h)
{
    while (h->next <= h->highest)
        advance(h);
    g_ptr_array_sort(h->groups, largest_first);
    return h->groups;
}

uint64_t healthy_ungrouped(const struct healthy *h)
{
    return h->ungrouped;
}
