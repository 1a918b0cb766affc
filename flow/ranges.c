#include "flow/ranges.h"

#include "base/limits.h"
#include "base/seq.h"

#include <glib.h>
#include <string.h>

void ranges_init(struct ranges *r, uint32_t edge)
{
    *r = (struct ranges){ .edge = edge };
}

void ranges_clear(struct ranges *r)
{
    g_free(r->islands);
    ranges_init(r, r->edge);
}

/* Index of the first island that ends at or behind `at`. */
static uint32_t lower_bound(const struct ranges *r, uint32_t at)
{
    uint32_t low = 0, high = r->n;

    if (r->n && seq_lt(r->islands[r->n - 1].to, at)) /* the usual case: behind everything */
        return r->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seq_lt(r->islands[middle].to, at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_islands(struct ranges *r, uint32_t first, uint32_t count)
{
    if (count == 0)
        return;
    memmove(r->islands + first, r->islands + first + count, (r->n - first - count) * sizeof *r->islands);
    r->n -= count;
    if (r->n == 0) {
        g_free(r->islands);
        r->islands = NULL;
        r->capacity = 0;
    }
}

/* The edge takes in the islands that it has reached. */
static void swallow(struct ranges *r)
{
    uint32_t i = 0;

    for (; i < r->n && seq_le(r->islands[i].from, r->edge); i++)
        r->edge = seq_max(r->edge, r->islands[i].to);
    remove_islands(r, 0, i);
}

uint32_t ranges_give_up(struct ranges *r, uint32_t to)
{
    if (seq_le(to, r->edge))
        return 0;

    uint32_t unseen = to - r->edge;
    for (uint32_t i = 0; i < r->n && seq_lt(r->islands[i].from, to); i++)
        unseen -= (seq_lt(r->islands[i].to, to) ? r->islands[i].to : to) - r->islands[i].from;
    r->edge = to;
    swallow(r);
    return unseen;
}

static void insert_island(struct ranges *r, uint32_t at, struct range new, uint32_t *given_up)
{
    if (r->n >= LIMIT_ISLANDS && at == 0) { /* in the lowest hole: what is below it is given up */
        *given_up += new.from - r->edge;
        r->edge = new.to;
        return;
    }
    if (r->n >= LIMIT_ISLANDS) {
        *given_up += ranges_give_up(r, r->islands[0].from);
        at--;
    }
    if (r->n == r->capacity) {
        r->capacity = r->capacity ? r->capacity * 2 : 4;
        r->islands = g_renew(struct range, r->islands, r->capacity);
    }
    memmove(r->islands + at + 1, r->islands + at, (r->n - at) * sizeof *r->islands);
    r->islands[at] = new;
    r->n++;
}

/* Adds a range that lies wholly above the edge. */
static uint32_t add_island(struct ranges *r, struct range new, uint32_t *given_up)
{
    uint32_t first = lower_bound(r, new.from), last = first, overlap = 0;
    struct range merged = new;

    for (; last < r->n && seq_le(r->islands[last].from, new.to); last++) {
        const struct range *i = &r->islands[last];
        uint32_t from = seq_max(i->from, new.from), to = seq_lt(i->to, new.to) ? i->to : new.to;
        if (seq_lt(from, to))
            overlap += to - from;
        if (seq_lt(i->from, merged.from))
            merged.from = i->from;
        merged.to = seq_max(merged.to, i->to);
    }
    if (last == first) {
        insert_island(r, first, merged, given_up);
    } else {
        r->islands[first] = merged;
        remove_islands(r, first + 1, last - first - 1);
    }
    return new.to - new.from - overlap;
}

uint32_t ranges_add(struct ranges *r, uint32_t from, uint32_t to, uint32_t *given_up)
{
    if (seq_le(to, r->edge))
        return 0;
    if (seq_gt(from, r->edge))
        return add_island(r, (struct range){ from, to }, given_up);
    if (r->n == 0) {
        uint32_t added = to - r->edge;
        r->edge = to;
        return added;
    }
    return ranges_give_up(r, to);
}

bool ranges_cover(const struct ranges *r, uint32_t from, uint32_t to)
{
    if (seq_le(to, r->edge))
        return true;
    if (seq_lt(from, r->edge))
        from = r->edge;
    uint32_t i = lower_bound(r, from);
    if (i < r->n && r->islands[i].to == from)
        i++;
    return i < r->n && seq_le(r->islands[i].from, from) && seq_ge(r->islands[i].to, to);
}
