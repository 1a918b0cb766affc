#include "src/early.h"

#include "diagnose/early_names.h"

#define LOOK_NS NS_PER_S

struct early {
    struct tracker *tracker;
    struct conversations *conversations;
    conversation_done_fn *tell;
    void *user;
    struct early_names *names;
    int64_t at_ns; /* of the next look */
};

struct early *early_new(struct tracker *t, struct conversations *c, conversation_done_fn *tell, void *user)
{
    struct early *e = g_new0(struct early, 1);

    e->tracker = t;
    e->conversations = c;
    e->tell = tell;
    e->user = user;
    e->names = early_names_new();
    e->at_ns = TIME_NONE;
    return e;
}

void early_free(struct early *e)
{
    if (!e)
        return;
    early_names_free(e->names);
    g_free(e);
}

static void take_name(void *user, const struct lookup *l)
{
    struct early *e = user;

    early_names_take(e->names, l, tracker_now_ns(e->tracker));
}

/* visit of tracker_visit_open */
static bool see_flow(void *user, struct flow *f)
{
    conversations_saw_flow(((struct early *)user)->conversations, f);
    return true;
}

static void see_lookup(void *user, const struct lookup *l)
{
    conversations_saw_lookup(((struct early *)user)->conversations, l);
}

static void look_at_neighbors(struct early *e, int64_t now_ns)
{
    const struct neighbors *n = tracker_neighbors(e->tracker);

    if (!neighbors_have_news(n, now_ns))
        return;
    tracker_visit_open(e->tracker, see_flow, e);
    tracker_visit_lookups(e->tracker, see_lookup, e);
    conversations_tell_neighbors(e->conversations, n, now_ns, e->tell, e->user);
}

void early_look(struct early *e, int64_t now_ns, uint64_t dropped)
{
    if (now_ns < e->at_ns)
        return;
    e->at_ns = now_ns + LOOK_NS;
    tracker_visit_lookups(e->tracker, take_name, e);
    early_names_judge(e->names, now_ns, dropped, e->tell, e->user);
    look_at_neighbors(e, now_ns);
}

void early_break(struct early *e)
{
    e->at_ns = TIME_NONE;
}

bool early_told(const struct early *e, uint64_t packet)
{
    return early_names_told(e->names, packet);
}
