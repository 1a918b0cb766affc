/* match: which packet of the one capture is which of the other. What identifies a packet is its sequence numbers, its
 * size, its flags, and what tells copies of it apart: the IP-ID and the time stamp, as far as they travel unchanged.
 * Copies that nothing tells apart are told by time.
 *
 * Each step sorts the packets that are left by a hash of what it looks at, so it takes n log n steps for n packets.
 */
#include "base/limits.h"
#include "base/seq.h"
#include "compare/marks.h"
#include "compare/pair.h"

#include <stdlib.h>

/* What of a packet has to be equal. */
enum level {
    LEVEL_IDENTITY, /* numbers, and IP-ID and time stamp where they are kept: packets that have one of them */
    LEVEL_NUMBERS,  /* numbers alone: packets that have neither */
    LEVEL_LEFT      /* numbers alone: what is left of all, where the times agree too */
};

struct item {
    uint64_t key;
    uint32_t index;
};

static bool has_stamp(const struct sighting *s)
{
    return s->present & TCPOPT_HAS_TIMESTAMPS;
}

static bool has_identity(const struct way *w, const struct sighting *s)
{
    return (w->ids_kept && s->ip_id) || (w->stamps_kept && has_stamp(s));
}

static bool takes_part(const struct way *w, enum level level, const struct sighting *s)
{
    if (s->match || s->fate == FATE_REPEATED)
        return false;
    return level == LEVEL_LEFT || has_identity(w, s) == (level == LEVEL_IDENTITY);
}

static uint64_t key_of(const struct way *w, const struct sighting *s, enum level level, uint32_t seq, uint32_t ack)
{
    uint64_t key = mark_mix(mark_mix(0, seq), ack);

    key = mark_mix(key, (uint64_t)s->len << 16 | (s->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)));
    if (level != LEVEL_IDENTITY)
        return key;
    key = mark_mix(key, w->ids_kept ? s->ip_id : 0);
    return mark_mix(key, w->stamps_kept && has_stamp(s) ? (uint64_t)s->tsval : UINT64_MAX);
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* The packets of one end that go that way, sorted by key, then by time. */
static GArray *items_of(const struct pair *p, enum side end, enum side from, enum level level)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(struct item));
    const struct seen_flow *f = p->end[end];

    for (guint i = 0; i < f->packets->len; i++) {
        const struct sighting *s = sighting_at(f, i);
        if (!goes(p, end, s, from) || !takes_part(&p->way[from], level, s))
            continue;
        bool far = end != from;
        uint32_t seq = far ? near_seq(p, from, s) : s->seq, ack = far ? near_ack(p, from, s) : s->ack;
        struct item item = { key_of(&p->way[from], s, level, seq, ack), i };
        g_array_append_val(items, item);
    }
    if (items->len > 1)
        qsort(items->data, items->len, sizeof(struct item), compare_items);
    return items;
}

/* --- groups of equal packets --- */

/* The packets of equal key of both captures. */
struct group {
    struct pair *p;
    enum side from;
    const struct item *near, *far;
    guint n_near, n_far;
};

static struct sighting *group_near(const struct group *g, guint i)
{
    return sighting_at(near_of(g->p, g->from), g->near[i].index);
}

static struct sighting *group_far(const struct group *g, guint i)
{
    return sighting_at(far_of(g->p, g->from), g->far[i].index);
}

static void unite(const struct group *g, guint i, guint j)
{
    struct sighting *near = group_near(g, i), *far = group_far(g, j);

    near->match = g->far[j].index + 1;
    far->match = g->near[i].index + 1;
    span_add(&g->p->way[g->from].raw, far->ts_ns - near->ts_ns);
}

/* Each with its like, in order. More that come than were sent: the network repeated them, if they are surely the same.
 */
static void unite_in_order(const struct group *g, bool surely)
{
    guint n = MIN(g->n_near, g->n_far);

    for (guint i = 0; i < n; i++)
        unite(g, i, i);
    for (guint j = n; surely && j < g->n_far; j++)
        group_far(g, j)->fate = FATE_REPEATED;
}

/* Clocks are read to the microsecond, and a packet is stamped before or after it waits for the other ones of its batch.
 */
#define SLACK_NS (2 * NS_PER_MS)

/* Hardly a packet is faster than the fastest of those that are known: waits only add. Clocks are read to the
 * microsecond. */
#define FASTER_NS (2 * NS_PER_US)

/* From the last that came: what it is, is the last that was sent early enough. So of two copies of which one came, the
 * first is lost. */
static void unite_by_time(const struct group *g)
{
    const struct span *raw = &g->p->way[g->from].raw, *back = &g->p->way[other_side(g->from)].raw;
    int64_t delay_ns = raw->samples ? raw->min_ns - FASTER_NS : back->samples ? -back->max_ns - SLACK_NS : TIME_NONE;
    guint i = g->n_near;

    for (guint j = g->n_far; j > 0 && i > 0; j--) {
        const struct sighting *far = group_far(g, j - 1);
        while (delay_ns != TIME_NONE && i > j && far->ts_ns - group_near(g, i - 1)->ts_ns < delay_ns)
            i--;
        unite(g, i - 1, j - 1);
        i--;
    }
}

typedef void group_fn(const struct group *g, enum level level);

static void certain(const struct group *g, enum level level)
{
    bool surely = level == LEVEL_IDENTITY && g->p->way[g->from].ids_kept && group_near(g, 0)->ip_id;

    if (surely || g->n_near == g->n_far)
        unite_in_order(g, surely);
}

/* What is left, and took as long as the others did. */
static void left(const struct group *g)
{
    const struct span *raw = &g->p->way[g->from].raw;
    guint i = 0;

    for (guint j = 0; j < g->n_far && raw->samples; j++) {
        int64_t come_ns = group_far(g, j)->ts_ns;
        while (i < g->n_near && come_ns - group_near(g, i)->ts_ns > raw->max_ns + SLACK_NS)
            i++;
        if (i < g->n_near && come_ns - group_near(g, i)->ts_ns >= raw->min_ns - SLACK_NS)
            unite(g, i++, j);
    }
}

static void by_time(const struct group *g, enum level level)
{
    if (level == LEVEL_LEFT)
        left(g);
    else if (g->n_near > g->n_far)
        unite_by_time(g);
    else
        unite_in_order(g, level == LEVEL_IDENTITY);
}

static guint run_of(const GArray *items, guint from)
{
    guint i = from + 1;

    while (i < items->len && g_array_index(items, struct item, i).key == g_array_index(items, struct item, from).key)
        i++;
    return i - from;
}

static void match_level(struct pair *p, enum side from, enum level level, group_fn *f)
{
    g_autoptr(GArray) near = items_of(p, from, from, level), far = items_of(p, other_side(from), from, level);
    guint i = 0, j = 0;

    while (i < near->len && j < far->len) {
        const struct item *x = &g_array_index(near, struct item, i), *y = &g_array_index(far, struct item, j);
        guint n = x->key <= y->key ? run_of(near, i) : 0, m = y->key <= x->key ? run_of(far, j) : 0;
        if (n && m)
            f(&(struct group){ p, from, x, y, n, m }, level);
        i += n;
        j += m;
    }
}

/* --- what travels unchanged --- */

/* Whether the packets of a way that are matched say that IP-IDs, or time stamps, arrive as they were sent; they do not
 * say no where they have none. */
static bool seem_kept(const struct pair *p, enum side from, bool stamps)
{
    const struct seen_flow *near = near_of(p, from), *far = far_of(p, from);
    uint64_t equal = 0, all = 0;

    for (guint i = 0; i < near->packets->len; i++) {
        const struct sighting *x = sighting_at(near, i);
        if (!x->match || !goes(p, from, x, from))
            continue;
        const struct sighting *y = sighting_at(far, x->match - 1);
        bool have = stamps ? has_stamp(x) && has_stamp(y) : x->ip_id || y->ip_id;
        all += have;
        equal += have && (stamps ? x->tsval == y->tsval : x->ip_id == y->ip_id);
    }
    return equal * 10 >= all * 9;
}

static void forget_matches(struct pair *p, enum side from)
{
    for (int end = CLIENT; end <= SERVER; end++)
        for (guint i = 0; i < p->end[end]->packets->len; i++) {
            struct sighting *s = sighting_at(p->end[end], i);
            if (goes(p, (enum side)end, s, from))
                s->match = 0;
        }
    p->way[from].raw = (struct span){ 0 };
}

/* Packets that are alone of their numbers in both captures tell whether IP-ID and time stamps survive; then they tell
 * the others apart. Where there are no such packets it is tried. */
static void match_by_identity(struct pair *p, enum side from)
{
    struct way *w = &p->way[from];

    match_level(p, from, LEVEL_NUMBERS, certain);
    bool ids = seem_kept(p, from, false), stamps = seem_kept(p, from, true);
    forget_matches(p, from);
    w->ids_kept = ids;
    w->stamps_kept = stamps;
    match_level(p, from, LEVEL_IDENTITY, certain);
    if (!w->raw.samples)
        w->ids_kept = w->stamps_kept = false;
}

/* --- how numbers are shifted --- */

bool pair_isn(const struct pair *p, enum side end, enum side of, uint32_t *isn)
{
    const struct half *h = &p->end[end]->flow->half[p->turned[end] ? other_side(of) : of];

    *isn = h->isn;
    return h->packets > 0 && h->offer.seen;
}

uint32_t pair_relative(const struct pair *p, enum side end, enum side of, uint32_t seq)
{
    uint32_t isn;

    pair_isn(p, end, of, &isn);
    return seq - isn;
}

uint32_t pair_base(const struct pair *p, enum side from)
{
    const struct seen_flow *near = near_of(p, from), *far = far_of(p, from);
    uint32_t isn;

    if (pair_isn(p, from, from, &isn))
        return isn;
    for (guint i = 0; i < near->packets->len; i++)
        if (goes(p, from, sighting_at(near, i), from))
            return sighting_at(near, i)->seq;
    for (guint i = 0; i < far->packets->len; i++)
        if (goes(p, other_side(from), sighting_at(far, i), from))
            return near_seq(p, from, sighting_at(far, i));
    return isn;
}

bool pair_end_changes(const struct pair *p, enum side of)
{
    const struct flow *x = p->end[CLIENT]->flow, *y = p->end[SERVER]->flow;
    enum side a = p->turned[CLIENT] ? other_side(of) : of, b = p->turned[SERVER] ? other_side(of) : of;

    return x->key.version != y->key.version || flow_port(x, a) != flow_port(y, b) ||
           addr_cmp(flow_addr(x, a), flow_addr(y, b)) != 0;
}

/* Data packets looked at where no SYN tells how the numbers are shifted. */
#define SHIFT_PACKETS 256

/* The numbers of two packets with equal digest and IP-ID or time stamp; that they are the same ones (shift 0) goes
 * before. */
static uint32_t shift_by_content(const struct pair *p, enum side from)
{
    const struct seen_flow *near = near_of(p, from), *far = far_of(p, from);
    uint32_t shift = 0;
    bool found = false;

    for (guint i = 0; i < MIN(near->packets->len, SHIFT_PACKETS); i++) {
        const struct sighting *x = sighting_at(near, i);
        if (!x->digest || !goes(p, from, x, from))
            continue;
        for (guint j = 0; j < MIN(far->packets->len, SHIFT_PACKETS); j++) {
            const struct sighting *y = sighting_at(far, j);
            if (y->digest != x->digest || !goes(p, other_side(from), y, from))
                continue;
            if (y->seq == x->seq)
                return 0;
            bool same = (has_stamp(x) && has_stamp(y) && x->tsval == y->tsval) || (x->ip_id && x->ip_id == y->ip_id);
            if (same && !found)
                shift = y->seq - x->seq;
            found |= same;
        }
    }
    return shift;
}

static void learn_shift(struct pair *p, enum side from)
{
    uint32_t near, far;

    if (pair_isn(p, from, from, &near) && pair_isn(p, other_side(from), from, &far))
        p->way[from].shift = far - near;
    else if (!(p->kinds & 1u << MARK_NUMBERS || p->kinds & 1u << MARK_SYN))
        p->way[from].shift = shift_by_content(p, from);
}

void match_certain(struct pair *p)
{
    learn_shift(p, CLIENT);
    learn_shift(p, SERVER);
    for (int from = CLIENT; from <= SERVER; from++) {
        match_by_identity(p, (enum side)from);
        match_level(p, (enum side)from, LEVEL_NUMBERS, certain);
    }
}

void match_rest(struct pair *p)
{
    for (int from = CLIENT; from <= SERVER; from++) {
        match_level(p, (enum side)from, LEVEL_IDENTITY, by_time);
        match_level(p, (enum side)from, LEVEL_NUMBERS, by_time);
        match_offloaded(p, (enum side)from);
        match_level(p, (enum side)from, LEVEL_LEFT, by_time);
    }
}
