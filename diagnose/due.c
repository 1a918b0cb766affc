#include "diagnose/due.h"

#include <stdbool.h>

void due_start(struct due_queue *q)
{
    q->heap = g_array_new(FALSE, FALSE, sizeof(struct due));
    q->serial = 0;
}

void due_end(struct due_queue *q)
{
    g_array_free(q->heap, TRUE);
}

static bool before(const struct due *a, const struct due *b)
{
    return a->when_ns != b->when_ns ? a->when_ns < b->when_ns : a->serial < b->serial;
}

/* Four children a place: half as deep as with two, and the children lie side by side in memory. */
#define CHILDREN 4

void due_add(struct due_queue *q, int64_t when_ns, int kind, void *what)
{
    struct due added = {when_ns, ++q->serial, what, kind};

    g_array_append_val(q->heap, added);
    struct due *heap = (struct due *)(void *)q->heap->data;
    guint at = q->heap->len - 1;
    for (guint parent; at > 0 && before(&added, &heap[parent = (at - 1) / CHILDREN]); at = parent)
        heap[at] = heap[parent];
    heap[at] = added;
}

/* The earliest child of the place whose first child is `first`. */
static guint earliest_child(const struct due *heap, guint n, guint first)
{
    guint best = first;

    for (guint child = first + 1; child < n && child < first + CHILDREN; child++)
        if (before(&heap[child], &heap[best]))
            best = child;
    return best;
}

struct due due_take(struct due_queue *q)
{
    struct due *heap = (struct due *)(void *)q->heap->data, taken = heap[0], last = heap[q->heap->len - 1];
    guint n = q->heap->len - 1, at = 0;

    g_array_set_size(q->heap, n);
    for (guint first = 1; first < n; first = CHILDREN * at + 1) {
        guint child = earliest_child(heap, n, first);
        if (!before(&heap[child], &last))
            break;
        heap[at] = heap[child];
        at = child;
    }
    if (n)
        heap[at] = last;
    return taken;
}
