#include "diagnose/conversations.h"

#include "base/limits.h"
#include "base/addr_key.h"
#include "diagnose/due.h"
#include "diagnose/link.h"

/* How long after its start something waits for what led to it before it is linked: a look-up is handed in two minutes
 * after its query, a closed connection one minute after its end. */
#define WAIT_NS (120 * NS_PER_S + CONVERSATION_HORIZON_NS)
/* HTTP and TLS wait longer: the connection whose redirect they follow is often kept alive for some minutes. */
#define WAIT_WEB_NS (LIMIT_EMBRYONIC_IDLE_NS + 90 * NS_PER_S)
/* How long after its query a look-up can be found, and a redirect can be followed by something that comes late: a
 * connection that never came to be is over five minutes after its last SYN. */
#define WAIT_LATE_NS (WAIT_WEB_NS + LEAD_NS + CONVERSATION_HORIZON_NS)

/* What a group of look-ups takes, with what it is found by. */
#define GROUP_BYTES 1024

/* Addresses of which it is known at a glance that they are in the table. A power of two. */
#define SEEN_BEFORE 1024

enum waiting { WAITING_LEG, WAITING_NAMES };

struct conversations {
    conversation_done_fn *done;
    conversation_untold_fn *untold;
    void *user;
    uint64_t handed_out;
    uint64_t dropped; /* packets that the capture lost */
    uint64_t tell_healthy; /* healthy flows whose steps are still told */
    int64_t now_ns;
    struct redirects *redirects;
    struct names *names;
    struct due_queue due;                 /* struct leg, struct name_group */
    size_t bytes;                         /* of what waits, about */
    GHashTable *seen;                     /* struct addr: who sent something */
    struct addr seen_before[SEEN_BEFORE]; /* some of those, each at its place: no need to look again */
};

struct conversations *conversations_new(conversation_done_fn *done, void *user)
{
    struct conversations *c = g_new0(struct conversations, 1);

    c->tell_healthy = UINT64_MAX;
    c->done = done;
    c->user = user;
    c->now_ns = TIME_NONE;
    c->redirects = redirects_new();
    c->names = names_new();
    due_start(&c->due);
    c->seen = g_hash_table_new_full(addr_key_hash, addr_key_equal, g_free, NULL);
    return c;
}

static void hand_out(struct conversations *c, struct conversation *v)
{
    v->id = ++c->handed_out;
    c->done(c->user, v);
}

/* --- what comes in --- */

static void note_seen(struct conversations *c, const struct addr *a)
{
    struct addr *before = &c->seen_before[addr_key_hash(a) % SEEN_BEFORE];

    if (addr_cmp(before, a) == 0 || g_hash_table_size(c->seen) >= LIMIT_SEEN_ADDRESSES)
        return;
    *before = *a;
    if (!g_hash_table_contains(c->seen, a))
        g_hash_table_add(c->seen, g_memdup2(a, sizeof *a));
}

static void wait_for(struct conversations *c, enum waiting kind, void *what, int64_t since_ns, int64_t wait_ns)
{
    due_add(&c->due, since_ns > INT64_MAX - wait_ns ? INT64_MAX : since_ns + wait_ns, (int)kind, what);
}

static void relieve(struct conversations *c);

static struct silence silence_of(const struct conversations *c)
{
    return (struct silence){ .now_ns = c->now_ns, .blind = names_sees_no_answers(c->names) };
}

static void chain_over(struct conversations *c, struct chain *chain)
{
    struct silence silence = silence_of(c);

    hand_out(c, chain_conversation(chain, &silence));
}

void conversations_doubt(struct conversations *c, uint64_t dropped)
{
    c->dropped = dropped;
}

void conversations_tell_healthy(struct conversations *c, uint64_t n, conversation_untold_fn *untold)
{
    c->untold = untold;
    c->tell_healthy = n;
}

void conversations_saw_flow(struct conversations *c, const struct flow *f)
{
    for (int s = CLIENT; s <= SERVER; s++)
        if (f->half[s].packets)
            note_seen(c, flow_addr(f, (enum side)s));
}

void conversations_saw_lookup(struct conversations *c, const struct lookup *l)
{
    if (l->query_packet)
        note_seen(c, &l->client);
    if (l->response_packet)
        note_seen(c, &l->server);
}

void conversations_flow(struct conversations *c, const struct flow *f, const struct judgement *j, bool links)
{
    bool tell = j->verdict || c->tell_healthy > 0;

    conversations_saw_flow(c, f);
    if (!tell && !links) {
        c->handed_out++;
        c->untold(c->user, leg_first_packet(f));
        return;
    }
    if (!j->verdict && tell)
        c->tell_healthy--;
    struct leg *l = leg_new(f, j, tell, links);
    struct chain *chain = chain_new(l);
    if (!links) {
        chain_over(c, chain);
        return;
    }
    redirects_open(c->redirects, l);
    c->bytes += leg_bytes(l);
    wait_for(c, WAITING_LEG, l, l->to.start_ns, l->web ? WAIT_WEB_NS : WAIT_NS);
    relieve(c);
}

void conversations_lookup(struct conversations *c, const struct lookup *l)
{
    conversations_saw_lookup(c, l);
    struct name_group *fresh = names_lookup(c->names, l);
    if (!fresh)
        return;
    c->bytes += GROUP_BYTES;
    wait_for(c, WAITING_NAMES, fresh, fresh->first_ns, WAIT_LATE_NS);
    relieve(c);
}

/* --- what is due --- */

/* Its place is found; its redirects can still be followed for a while. */
static void leg_linked(struct conversations *c, struct leg *l)
{
    link_leg(c->redirects, c->names, l);
    l->linked = true;
}

static void leg_due(struct conversations *c, struct leg *l)
{
    if (!l->linked) {
        leg_linked(c, l);
        if (l->hops) {
            wait_for(c, WAITING_LEG, l, g_array_index(l->hops, struct hop, l->hops->len - 1).ts_ns,
                     WAIT_LATE_NS + FOLLOW_NS);
            return;
        }
    }
    redirects_close(c->redirects, l);
    c->bytes -= leg_bytes(l);
    if (--l->chain->pending == 0)
        chain_over(c, l->chain);
}

/* The conversation of look-ups that led to nothing and failed, unless a redirect asked for them; NULL: none. */
static struct conversation *failed_names(struct conversations *c, struct name_group *g)
{
    if (!g->questions->len || g->chain || g->spent || names_asks_for_others(c->names, &g->client))
        return NULL;
    struct silence silence = silence_of(c);
    struct finding *d = rule_name(g, &silence);
    if (!d)
        return NULL;
    finding_doubt(d, c->dropped);
    if (!link_failed_names(c->redirects, g))
        return names_conversation(g, d);
    finding_free(d);
    return NULL;
}

static void names_due(struct conversations *c, struct name_group *g)
{
    struct conversation *v = failed_names(c, g);

    if (v)
        hand_out(c, v);
    c->bytes -= GROUP_BYTES;
    names_forget(c->names, g);
}

static void take_one(struct conversations *c)
{
    struct due d = due_take(&c->due);

    if (d.kind == WAITING_LEG)
        leg_due(c, d.what);
    else
        names_due(c, d.what);
}

/* Too much waits: the oldest goes on as if its time had come. */
static void relieve(struct conversations *c)
{
    while (c->due.heap->len > LIMIT_WAITING || (c->bytes > LIMIT_WAITING_BYTES && c->due.heap->len > 1))
        take_one(c);
}

void conversations_settle(struct conversations *c, int64_t now_ns)
{
    const struct due *first;

    c->now_ns = MAX(c->now_ns, now_ns);
    while ((first = due_first(&c->due)) && first->when_ns <= c->now_ns)
        take_one(c);
}

void conversations_break(struct conversations *c)
{
    while (due_first(&c->due))
        take_one(c);
    c->now_ns = TIME_NONE;
}

/* --- the end --- */

static gint compare_legs(gconstpointer a, gconstpointer b)
{
    const struct leg *x = *(struct leg *const *)a, *y = *(struct leg *const *)b;

    if (x->to.start_ns != y->to.start_ns)
        return x->to.start_ns < y->to.start_ns ? -1 : 1;
    return x->packet < y->packet ? -1 : x->packet > y->packet;
}

static gint compare_conversations(gconstpointer a, gconstpointer b)
{
    const struct conversation *x = *(struct conversation *const *)a, *y = *(struct conversation *const *)b;
    return x->packet < y->packet ? -1 : x->packet > y->packet;
}

/* Everything that waits, legs (by start) and groups apart. */
static void empty(struct conversations *c, GPtrArray *legs, GPtrArray *groups)
{
    while (due_first(&c->due)) {
        struct due d = due_take(&c->due);
        g_ptr_array_add(d.kind == WAITING_LEG ? legs : groups, d.what);
    }
    g_ptr_array_sort(legs, compare_legs);
}

static void finish_legs(struct conversations *c, const GPtrArray *legs, GPtrArray *all)
{
    g_autoptr(GPtrArray) chains = g_ptr_array_new();
    struct silence silence = silence_of(c);

    for (guint i = 0; i < legs->len; i++) {
        struct chain *chain = ((struct leg *)g_ptr_array_index(legs, i))->chain;
        if (!chain->gathered)
            g_ptr_array_add(chains, chain);
        chain->gathered = true;
    }
    for (guint i = 0; i < chains->len; i++)
        g_ptr_array_add(all, chain_conversation(g_ptr_array_index(chains, i), &silence));
}

/* --- neighbours --- */

static bool was_seen(const struct conversations *c, const struct addr *a)
{
    return g_hash_table_size(c->seen) >= LIMIT_SEEN_ADDRESSES || g_hash_table_contains(c->seen, a);
}

/* How many targets each asker asked for in vain. */
static GHashTable *count_unanswered(const GPtrArray *pairs)
{
    GHashTable *askers = g_hash_table_new(addr_key_hash, addr_key_equal);

    for (guint i = 0; i < pairs->len; i++) {
        struct neighbor *n = g_ptr_array_index(pairs, i);
        guint so_far = GPOINTER_TO_UINT(g_hash_table_lookup(askers, &n->asker));
        g_hash_table_insert(askers, &n->asker, GUINT_TO_POINTER(so_far + (n->answered || n->ever_answered ? 0 : 1)));
    }
    return askers;
}

/* What the rule knows of all pairs, and then of each. */
static GHashTable *neighbor_context(const struct neighbors *n, struct link_context *context)
{
    GHashTable *askers = count_unanswered(neighbors_all(n));

    *context = (struct link_context){ .neighbors = n, .several_askers = g_hash_table_size(askers) > 1 };
    return askers;
}

static struct finding *judge_neighbor(const struct conversations *c, const struct neighbor *pair,
                                      struct link_context *context, GHashTable *askers)
{
    context->asker_seen = g_hash_table_contains(c->seen, &pair->asker);
    context->target_seen = was_seen(c, &pair->target);
    context->asker_unanswered = GPOINTER_TO_UINT(g_hash_table_lookup(askers, &pair->asker));
    struct finding *d = rule_neighbor(pair, context);
    if (d)
        finding_doubt(d, c->dropped);
    return d;
}

static void finish_neighbors(const struct conversations *c, const struct neighbors *n, GPtrArray *all)
{
    const GPtrArray *pairs = neighbors_all(n);
    struct link_context context;
    g_autoptr(GHashTable) askers = neighbor_context(n, &context);

    for (guint i = 0; i < pairs->len; i++) {
        const struct neighbor *pair = g_ptr_array_index(pairs, i);
        struct finding *d = judge_neighbor(c, pair, &context, askers);
        if (d)
            g_ptr_array_add(all, neighbor_conversation(pair, d));
    }
}

void conversations_tell_neighbors(struct conversations *c, const struct neighbors *n, int64_t now_ns,
                                  conversation_done_fn *tell, void *user)
{
    const GPtrArray *pairs = neighbors_all(n);
    struct link_context context;
    g_autoptr(GHashTable) askers = neighbor_context(n, &context);

    for (guint i = 0; i < pairs->len; i++) {
        struct neighbor *pair = g_ptr_array_index(pairs, i);
        struct finding *d = NULL;
        if (neighbor_came_back(pair)) {
            d = rule_neighbor_back(pair);
            pair->told = false;
        } else if (neighbor_overdue(pair, now_ns)) {
            d = judge_neighbor(c, pair, &context, askers);
            pair->looked_at = true;
            pair->told = d != NULL;
        }
        if (d)
            tell(user, neighbor_conversation(pair, d));
    }
}

void conversations_finish(struct conversations *c, const struct neighbors *n, int64_t now_ns)
{
    g_autoptr(GPtrArray) legs = g_ptr_array_new(), groups = g_ptr_array_new(), all = g_ptr_array_new();

    c->now_ns = MAX(c->now_ns, now_ns);
    empty(c, legs, groups);
    for (guint i = 0; i < legs->len; i++)
        if (!((struct leg *)g_ptr_array_index(legs, i))->linked)
            leg_linked(c, g_ptr_array_index(legs, i));
    for (guint i = 0; i < groups->len; i++) {
        struct conversation *v = failed_names(c, g_ptr_array_index(groups, i));
        if (v)
            g_ptr_array_add(all, v);
    }
    for (guint i = 0; i < legs->len; i++)
        redirects_close(c->redirects, g_ptr_array_index(legs, i));
    finish_legs(c, legs, all);
    for (guint i = 0; i < groups->len; i++)
        names_forget(c->names, g_ptr_array_index(groups, i));
    if (n)
        finish_neighbors(c, n, all);
    c->bytes = 0;
    g_ptr_array_sort(all, compare_conversations);
    for (guint i = 0; i < all->len; i++)
        hand_out(c, g_ptr_array_index(all, i));
}

/* --- what is dropped --- */

static void drop(struct conversations *c)
{
    while (due_first(&c->due)) {
        struct due d = due_take(&c->due);
        if (d.kind == WAITING_NAMES) {
            names_forget(c->names, d.what);
            continue;
        }
        struct leg *l = d.what;
        redirects_close(c->redirects, l);
        if (--l->chain->pending == 0)
            chain_free(l->chain);
    }
}

void conversations_free(struct conversations *c)
{
    if (!c)
        return;
    drop(c);
    due_end(&c->due);
    redirects_free(c->redirects);
    names_free(c->names);
    g_hash_table_destroy(c->seen);
    g_free(c);
}
