#include "src/climb_results.h"

GPtrArray *results_of(const GPtrArray *all, unsigned kinds)
{
    GPtrArray *some = g_ptr_array_new();

    for (guint i = 0; i < all->len; i++) {
        struct probe_result *r = g_ptr_array_index(all, i);
        if (kinds & PROBE_BIT(r->kind))
            g_ptr_array_add(some, r);
    }
    return some;
}

const struct probe_result *result_of(const GPtrArray *all, enum probe_kind kind, unsigned way)
{
    for (guint i = 0; i < all->len; i++) {
        const struct probe_result *r = g_ptr_array_index(all, i);
        if (r->kind == kind && r->way == way)
            return r;
    }
    return NULL;
}
