#include "diagnose/early_names.h"

#include "base/limits.h"
#include "diagnose/chain.h"
#include "diagnose/names.h"

/* How long a group has to be quiet: resolvers go on to the next form of a name at once, and ask again after 5 s at
 * most. */
#define ANSWERED_NS (2 * NS_PER_S)
#define UNANSWERED_NS (5 * NS_PER_S)
/* A group that began longer ago may have lost look-ups, which are handed out 120 s after their last query. */
#define FRESH_NS (100 * NS_PER_S)
/* Look-ups of one look. Where there are more the report at the end has to do: a name server is watched, not a person's
 * machine. */
#define LOOKS_MOST 4096

struct early_names {
    struct names *names; /* of the look that goes on; NULL: none, or nothing in it failed so far */
    GPtrArray *groups;   /* struct name_group*, names' */
    GPtrArray *lookups;  /* const struct lookup*, as long as nothing failed */
    bool failed;
    GHashTable *told; /* packets that the conversations told begin with */
};

struct early_names *early_names_new(void)
{
    struct early_names *e = g_new0(struct early_names, 1);

    e->groups = g_ptr_array_new();
    e->lookups = g_ptr_array_new();
    e->told = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    return e;
}

void early_names_free(struct early_names *e)
{
    if (!e)
        return;
    names_free(e->names);
    g_ptr_array_free(e->groups, TRUE);
    g_ptr_array_free(e->lookups, TRUE);
    g_hash_table_destroy(e->told);
    g_free(e);
}

bool early_names_told(const struct early_names *e, uint64_t packet)
{
    return g_hash_table_contains(e->told, &packet);
}

/* Cheap, and right often enough: whether it may be a failure is the rules' affair. */
static bool may_have_failed(const struct lookup *l, int64_t now_ns)
{
    if (!l->response_packet)
        return now_ns - l->last_query_ns >= UNANSWERED_NS;
    return l->rcode_number != 0 || !l->addresses || l->addresses->len == 0;
}

void early_names_take(struct early_names *e, const struct lookup *l, int64_t now_ns)
{
    if (e->lookups->len >= LOOKS_MOST || !l->query_packet)
        return;
    e->failed |= may_have_failed(l, now_ns);
    g_ptr_array_add(e->lookups, (gpointer)l);
}

static void put_into_groups(struct early_names *e)
{
    e->names = names_new();
    for (guint i = 0; i < e->lookups->len; i++) {
        struct name_group *fresh = names_lookup(e->names, g_ptr_array_index(e->lookups, i));
        if (fresh)
            g_ptr_array_add(e->groups, fresh);
    }
}

static bool is_quiet(const struct name_group *g, int64_t now_ns)
{
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        if (now_ns - q->last_ns < (q->response_packet || q->icmp_packet ? ANSWERED_NS : UNANSWERED_NS))
            return false;
    }
    return true;
}

static void judge_group(struct early_names *e, const struct name_group *g, const struct silence *silence,
                        uint64_t dropped, conversation_done_fn *tell, void *user)
{
    if (g->questions->len == 0 || silence->now_ns - g->first_ns > FRESH_NS || !is_quiet(g, silence->now_ns) ||
        names_asks_for_others(e->names, &g->client))
        return;
    struct finding *d = rule_name(g, silence);
    if (!d)
        return;
    finding_doubt(d, dropped);
    struct conversation *c = names_conversation(g, d);
    if (early_names_told(e, c->packet) || g_hash_table_size(e->told) >= LIMIT_OPEN_LOOKUPS) {
        conversation_free(c);
        return;
    }
    g_hash_table_add(e->told, g_memdup2(&c->packet, sizeof c->packet));
    tell(user, c);
}

void early_names_judge(struct early_names *e, int64_t now_ns, uint64_t dropped, conversation_done_fn *tell, void *user)
{
    if (e->failed && e->lookups->len < LOOKS_MOST) {
        put_into_groups(e);
        struct silence silence = { .now_ns = now_ns, .blind = names_sees_no_answers(e->names) };
        for (guint i = 0; i < e->groups->len; i++)
            judge_group(e, g_ptr_array_index(e->groups, i), &silence, dropped, tell, user);
        for (guint i = 0; i < e->groups->len; i++)
            names_forget(e->names, g_ptr_array_index(e->groups, i));
        g_clear_pointer(&e->names, names_free);
    }
    g_ptr_array_set_size(e->groups, 0);
    g_ptr_array_set_size(e->lookups, 0);
    e->failed = false;
}
