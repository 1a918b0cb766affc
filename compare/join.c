#include "compare/join.h"

#include "base/limits.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;

    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static int by_owners(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;

    if (x->a != y->a)
        return x->a < y->a ? -1 : 1;
    if (x->b != y->b)
        return x->b < y->b ? -1 : 1;
    return x->crossed - y->crossed;
}

static int best_first(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;

    return x->score != y->score ? (x->score > y->score ? -1 : 1) : by_owners(a, b);
}

static void sort(GArray *array, int (*compare)(const void *, const void *))
{
    if (array->len > 1)
        qsort(array->data, array->len, g_array_get_element_size(array), compare);
}

/* Where the marks of the value at `from` end; *owners: of how many they are. An owner's mark that it has twice counts
 * once. */
static guint group_end(const GArray *marks, guint from, unsigned *owners)
{
    guint i = from;

    for (*owners = 0; i < marks->len; i++) {
        const struct mark *m = &g_array_index(marks, struct mark, i);
        if (m->value != g_array_index(marks, struct mark, from).value)
            break;
        *owners += i == from || m->owner != m[-1].owner;
    }
    return i;
}

static bool is_again(const GArray *marks, guint from, guint i)
{
    return i > from && g_array_index(marks, struct mark, i).owner == g_array_index(marks, struct mark, i - 1).owner;
}

static void share(GArray *out, const struct mark *x, const struct mark *y)
{
    struct partner p = { x->owner, y->owner, MIN(x->weight, y->weight), 1u << x->kind, x->side != y->side };

    g_array_append_val(out, p);
}

/* Every pair of owners that share a mark, once for each mark. */
static GArray *shared_marks(const GArray *a, const GArray *b)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(struct partner));
    guint i = 0, j = 0;

    while (i < a->len && j < b->len) {
        uint64_t x = g_array_index(a, struct mark, i).value, y = g_array_index(b, struct mark, j).value;
        unsigned owners_a, owners_b;
        guint end_a = group_end(a, i, &owners_a), end_b = group_end(b, j, &owners_b);
        bool tells = x == y && owners_a <= LIMIT_MARK_OWNERS && owners_b <= LIMIT_MARK_OWNERS;
        for (guint m = i; tells && m < end_a; m++)
            for (guint n = j; n < end_b && !is_again(a, i, m); n++)
                if (!is_again(b, j, n))
                    share(out, &g_array_index(a, struct mark, m), &g_array_index(b, struct mark, n));
        i = x <= y ? end_a : i;
        j = y <= x ? end_b : j;
    }
    return out;
}

/* Adds up what each pair of owners shares, in place. */
static void add_up(GArray *shared)
{
    guint kept = 0;

    sort(shared, by_owners);
    for (guint i = 0; i < shared->len; i++) {
        struct partner *p = &g_array_index(shared, struct partner, i);
        struct partner *last = kept ? &g_array_index(shared, struct partner, kept - 1) : NULL;
        if (last && by_owners(last, p) == 0) {
            last->score += p->score;
            last->kinds |= p->kinds;
        } else {
            g_array_index(shared, struct partner, kept++) = *p;
        }
    }
    g_array_set_size(shared, kept);
}

static uint32_t most_owners(const GArray *marks)
{
    uint32_t n = 0;

    for (guint i = 0; i < marks->len; i++)
        n = MAX(n, g_array_index(marks, struct mark, i).owner + 1);
    return n;
}

GArray *join_marks(GArray *a, GArray *b, uint32_t least)
{
    g_autofree bool *taken_a = g_new0(bool, most_owners(a) + 1), *taken_b = g_new0(bool, most_owners(b) + 1);
    guint kept = 0;

    sort(a, by_value);
    sort(b, by_value);
    GArray *partners = shared_marks(a, b);
    add_up(partners);
    sort(partners, best_first);
    for (guint i = 0; i < partners->len; i++) {
        struct partner p = g_array_index(partners, struct partner, i);
        if (p.score < least || taken_a[p.a] || taken_b[p.b])
            continue;
        taken_a[p.a] = taken_b[p.b] = true;
        g_array_index(partners, struct partner, kept++) = p;
    }
    g_array_set_size(partners, kept);
    sort(partners, by_owners);
    return partners;
}
