#include "src/join_found.h"

#include "diagnose/amend.h"

struct found *found_new(const struct found *of)
{
    struct found *f = g_rc_box_new(struct found);

    *f = *of;
    f->ended_us = g_get_monotonic_time();
    probe_results_sort(f->results);
    return f;
}

struct found *found_ref(struct found *f)
{
    return g_rc_box_acquire(f);
}

static void clear(gpointer p)
{
    g_ptr_array_free(((struct found *)p)->results, TRUE);
}

void found_unref(struct found *f)
{
    if (f)
        g_rc_box_release_full(f, clear);
}

struct found_flow found_flow_of(const struct flow *f, enum side target)
{
    const struct half *h = &f->half[target];

    return (struct found_flow){ .ends = { .id = f->id, .key = f->key, .client_is_high = f->client_is_high },
                                .target = target,
                                .since_ns = h->packets ? MAX(f->first_ns, h->last_ns) : f->first_ns,
                                .reset_by_target = f->reset.packet && f->reset.by == target };
}

void found_amend(const struct found *found, const struct found_flow *of, struct finding *f)
{
    struct amend_view view = { .target = of->target,
                               .at_other_end =
                                   addr_cmp(&found->source, flow_addr(&of->ends, other_side(of->target))) == 0,
                               .at_once = found->at_once,
                               .reset_by_target = of->reset_by_target };

    finding_amend(f, &view, found->results);
}
