#include "src/held.h"

#include "base/limits.h"

struct held {
    GQueue flows; /* struct judged_flow* */
};

struct held *held_new(void)
{
    return g_new0(struct held, 1);
}

static void free_flow(gpointer p)
{
    judged_flow_clear(p);
    g_free(p);
}

void held_free(struct held *h)
{
    if (!h)
        return;
    g_queue_clear_full(&h->flows, free_flow);
    g_free(h);
}

bool held_flow(struct held *h, const struct judged_flow *f)
{
    if (h->flows.length >= LIMIT_JOIN_HELD)
        return false;
    g_queue_push_tail(&h->flows, g_memdup2(f, sizeof *f));
    return true;
}

bool held_any_flow(const struct held *h)
{
    return h->flows.length > 0;
}

bool held_next_flow(struct held *h, struct judged_flow *out)
{
    struct judged_flow *f = g_queue_pop_head(&h->flows);

    if (!f)
        return false;
    *out = *f;
    g_free(f);
    return true;
}
