/* offload: a network card sends one packet of 64 KB as 45 segments, or hands on 45 as one. So data that is in neither
 * capture in the other's size is compared byte by byte: every byte that came is one of a packet that was sent.
 */
#include "base/limits.h"
#include "base/seq.h"
#include "compare/pair.h"

#include <stdlib.h>

/* Data that has no match. pos: its place in the stream, beyond 2^32 too. */
struct piece {
    int64_t pos;
    struct sighting *s;
    uint32_t index, covered; /* covered: bytes of it that the other capture has */
    int64_t end;             /* and up to where these go */
};

static int compare_pieces(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;

    if (x->pos != y->pos)
        return x->pos < y->pos ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The data of that end's capture that goes that way and has no match, in order of place. */
static GArray *pieces_of(const struct pair *p, enum side end, enum side from, uint32_t base)
{
    GArray *pieces = g_array_new(FALSE, TRUE, sizeof(struct piece));
    int64_t pos = 0;

    for (guint i = 0; i < p->end[end]->packets->len; i++) {
        struct sighting *s = sighting_at(p->end[end], i);
        if (!goes(p, end, s, from) || s->flags & (TCP_SYN | TCP_RST))
            continue;
        pos += seq_diff((end == from ? s->seq : near_seq(p, from, s)) - base, (uint32_t)pos);
        if (s->match || s->len == 0 || s->fate == FATE_REPEATED)
            continue;
        struct piece piece = { pos, s, i, 0, pos };
        g_array_append_val(pieces, piece);
    }
    if (pieces->len > 1)
        qsort(pieces->data, pieces->len, sizeof(struct piece), compare_pieces);
    return pieces;
}

/* How many pieces begin at or before pos. */
static guint count_before(const GArray *pieces, int64_t pos)
{
    guint low = 0, high = pieces->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(pieces, struct piece, middle).pos <= pos)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#define SLACK_NS (2 * NS_PER_MS)

/* Whether what came may be of what was sent: the same transmission of it. */
static bool may_be(const struct way *w, const struct sighting *near, const struct sighting *far)
{
    if (w->stamps_kept && near->present & far->present & TCPOPT_HAS_TIMESTAMPS && near->tsval != far->tsval)
        return false;
    return !w->raw.samples || far->ts_ns - near->ts_ns >= w->raw.min_ns - SLACK_NS;
}

/* The last packet sent, early enough, that holds the byte at pos; NULL: none. */
static struct piece *sent_with(const struct way *w, GArray *near, int64_t pos, const struct sighting *far)
{
    struct piece *best = NULL;
    guint after = count_before(near, pos);

    for (guint i = after; i > 0 && after - i < LIMIT_OFFLOAD_STEPS; i--) {
        struct piece *n = &g_array_index(near, struct piece, i - 1);
        if (pos < n->pos + n->s->len && may_be(w, n->s, far) && (!best || n->s->ts_ns > best->s->ts_ns))
            best = n;
    }
    return best;
}

static void cover(struct piece *piece, int64_t from, int64_t to)
{
    from = MAX(from, piece->end);
    if (to > from) {
        piece->covered += (uint32_t)(to - from);
        piece->end = to;
    }
}

/* Finds for each byte of what came the packet that brought it. */
static void explain(struct way *w, GArray *near, struct piece *far, uint64_t *steps)
{
    int64_t pos = far->pos, end = far->pos + far->s->len;

    for (; pos < end && *steps; --*steps) {
        struct piece *n = sent_with(w, near, pos, far->s);
        guint after = count_before(near, pos);
        int64_t next = after < near->len ? g_array_index(near, struct piece, after).pos : end;
        if (!n) { /* nobody sent this byte: on to where one was sent */
            pos = MIN(next, end);
            continue;
        }
        int64_t to = MIN(end, n->pos + n->s->len);
        if (!n->s->match) {
            n->s->match = far->index + 1;
            span_add(&w->raw, far->s->ts_ns - n->s->ts_ns);
        }
        if (!far->s->match)
            far->s->match = n->index + 1;
        cover(n, pos, to);
        cover(far, pos, to);
        pos = to;
    }
}

static void note_missing(GArray *pieces)
{
    for (guint i = 0; i < pieces->len; i++) {
        struct piece *piece = &g_array_index(pieces, struct piece, i);
        piece->s->missing = piece->s->len - piece->covered;
    }
}

void match_offloaded(struct pair *p, enum side from)
{
    struct way *w = &p->way[from];
    uint32_t base = pair_base(p, from);
    g_autoptr(GArray) near = pieces_of(p, from, from, base), far = pieces_of(p, other_side(from), from, base);
    /* Each step comes to the end of a packet of the one side or of the other; a few more for those that were sent
     * twice. */
    uint64_t steps = 4 * ((uint64_t)near->len + far->len) + LIMIT_OFFLOAD_STEPS;
    for (guint i = 0; i < far->len && near->len && steps; i++)
        explain(w, near, &g_array_index(far, struct piece, i), &steps);
    w->gave_up = steps == 0;
    note_missing(near);
    note_missing(far);
    for (guint i = 0; i < near->len; i++)
        w->offloaded += g_array_index(near, struct piece, i).covered > 0;
}
