#include "report/group.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct group_key) == 24, "a key has no padding");

static int compare_items(const void *a, const void *b)
{
    const struct group_item *x = a, *y = b;
    int order = memcmp(&x->key, &y->key, sizeof x->key);

    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int compare_groups(const void *a, const void *b)
{
    uint32_t x = ((const struct group *)a)->items->at, y = ((const struct group *)b)->items->at;

    return (x > y) - (x < y);
}

static void append_groups(GArray *groups, const struct group_item *items, guint n, guint alone)
{
    guint each = n > alone ? n : 1;

    for (guint i = 0; i < n; i += each) {
        struct group group = { items + i, each };
        g_array_append_val(groups, group);
    }
}

GArray *group_items(GArray *items, guint alone)
{
    GArray *groups = g_array_new(FALSE, FALSE, sizeof(struct group));
    const struct group_item *all = (const struct group_item *)(const void *)items->data;

    if (items->len > 1)
        qsort(items->data, items->len, sizeof *all, compare_items);
    for (guint i = 0, end; i < items->len; i = end) {
        for (end = i + 1; end < items->len && memcmp(&all[i].key, &all[end].key, sizeof all->key) == 0;)
            end++;
        append_groups(groups, all + i, end - i, alone);
    }
    if (groups->len > 1)
        qsort(groups->data, groups->len, sizeof(struct group), compare_groups);
    return groups;
}
