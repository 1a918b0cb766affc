#include "flow/log.h"

#include "base/limits.h"

#include <stdlib.h>

#define BEFORE 2 /* packets kept before one that is odd */
#define ALL UINT32_MAX

static void keep(struct flow *f, struct log_recent *r, uint32_t nth)
{
    struct log_entry *recent = log_at(r, nth), entry = *recent, *e = &entry;

    if (e->kept)
        return;
    recent->kept = true;
    e->seq -= f->half[e->side].isn;
    e->ack -= f->half[other_side((enum side)e->side)].isn;
    e->nth = nth;
    if (!f->log)
        f->log = g_array_sized_new(FALSE, FALSE, sizeof *e, LOG_FIRST + LOG_LAST);
    if (f->log->len < (r->until == ALL ? LIMIT_LOG : LIMIT_LADDER))
        g_array_append_vals(f->log, e, 1);
    else if (r->until != ALL)
        g_array_index(f->log, struct log_entry,
                      LIMIT_LADDER_FIRST + r->kept % (LIMIT_LADDER - LIMIT_LADDER_FIRST)) = *e;
    r->kept++;
}

static void keep_all(struct flow *f, struct log_recent *r)
{
    uint32_t nth = 0;

    while (nth < r->n) {
        keep(f, r, nth);
        nth = nth + 1 < LOG_FIRST ? nth + 1 : MAX(nth + 1, r->n - MIN(r->n, LOG_LAST));
    }
}

void log_keep(struct flow *f)
{
    struct log_recent *r = &f->track->log;

    if (r->n == 0)
        return;
    if (!f->log)
        keep_all(f, r);
    for (uint32_t back = MIN(r->n, BEFORE + 1); back > 0; back--)
        keep(f, r, r->n - back);
    r->until = MAX(r->until, r->n + 1);
}

void log_keep_newest(struct flow *f)
{
    struct log_recent *r = &f->track->log;

    keep(f, r, r->n - 1);
}

void log_all(struct flow *f)
{
    f->track->log.until = ALL;
}

static int in_order(const void *a, const void *b)
{
    const struct log_entry *x = a, *y = b;

    return (x->nth > y->nth) - (x->nth < y->nth);
}

void log_complete(struct flow *f, struct log_recent *r)
{
    if (r->until == ALL)
        return;
    keep_all(f, r);
    if (f->log)
        qsort(f->log->data, f->log->len, sizeof(struct log_entry), in_order);
}
