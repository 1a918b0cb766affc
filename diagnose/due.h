/* due: what waits for its time: a heap of pointers, the earliest first, equals in the order in which they came. */
#ifndef TCPSLEUTH_DIAGNOSE_DUE_H
#define TCPSLEUTH_DIAGNOSE_DUE_H

#include <glib.h>
#include <stdint.h>

struct due {
    int64_t when_ns;
    uint64_t serial;
    void *what;
    int kind; /* the owner's */
};

struct due_queue {
    GArray *heap; /* struct due */
    uint64_t serial;
};

void due_start(struct due_queue *q);
void due_end(struct due_queue *q); /* what is in it is the owner's */
void due_add(struct due_queue *q, int64_t when_ns, int kind, void *what);

/* The earliest; NULL: none. Valid until the next call. */
static inline const struct due *due_first(const struct due_queue *q)
{
    return q->heap->len ? &g_array_index(q->heap, struct due, 0) : NULL;
}

/* Takes the earliest out; there must be one. */
struct due due_take(struct due_queue *q);

#endif
