/* fate: what became of each packet that only one of the captures has. Nothing is called lost, or forged, at a time when
 * the other capture did not look, or where it is that capture that overlooked it.
 */
#include "base/limits.h"
#include "base/seq.h"
#include "compare/marks.h"
#include "compare/pair.h"

#include <stdlib.h>

/* A stretch of the stream of one way that a capture holds. */
struct stretch {
    int64_t from, to;
};

/* What one capture holds of a way. */
struct holding {
    GArray *stretches; /* struct stretch, in order, apart from one another */
    GArray *digests;   /* uint64_t, sorted: place and digest of each data packet */
    int64_t end;       /* behind the last byte */
    int64_t acked;     /* the receiver, seen by this capture, acknowledged up to here; INT64_MIN: nothing */
    uint32_t base;     /* the sequence number at place 0 */
    bool has_syn;
};

static int compare_stretches(const void *a, const void *b)
{
    const struct stretch *x = a, *y = b;

    return x->from < y->from ? -1 : x->from > y->from;
}

static int compare_values(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void merge(GArray *stretches)
{
    guint kept = 0;

    if (stretches->len > 1)
        qsort(stretches->data, stretches->len, sizeof(struct stretch), compare_stretches);
    for (guint i = 0; i < stretches->len; i++) {
        struct stretch s = g_array_index(stretches, struct stretch, i);
        struct stretch *last = kept ? &g_array_index(stretches, struct stretch, kept - 1) : NULL;
        if (last && s.from <= last->to)
            last->to = MAX(last->to, s.to);
        else
            g_array_index(stretches, struct stretch, kept++) = s;
    }
    g_array_set_size(stretches, kept);
}

/* The near capture's number of a sequence number, and of an acknowledgement of the other side, whichever capture it is
 * from. */
static uint32_t number_of(const struct pair *p, enum side end, enum side from, uint32_t number)
{
    return end == from ? number : number - p->way[from].shift;
}

static uint64_t digest_key(int64_t pos, uint32_t digest)
{
    return mark_mix(mark_mix(0, (uint64_t)pos), digest);
}

static void hold_packet(struct holding *h, const struct sighting *s, int64_t pos)
{
    struct stretch stretch = { pos, pos + sighting_span(s) };

    h->has_syn |= s->flags & TCP_SYN;
    if (stretch.to == stretch.from || s->flags & TCP_RST)
        return;
    g_array_append_val(h->stretches, stretch);
    h->end = MAX(h->end, stretch.to);
    if (s->digest) {
        uint64_t key = digest_key(pos, s->digest);
        g_array_append_val(h->digests, key);
    }
}

/* Places are beyond 2^32, too: each number is the one nearest to where the stream stood before. */
static int64_t unwrap(const struct holding *h, uint32_t number, int64_t pos)
{
    return pos + seq_diff(number - h->base, (uint32_t)pos);
}

static void hold(struct holding *h, const struct pair *p, enum side end, enum side from, uint32_t base)
{
    int64_t pos = 0;

    *h = (struct holding){ .base = base, .acked = INT64_MIN, .end = INT64_MIN };
    h->stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
    h->digests = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    for (guint i = 0; i < p->end[end]->packets->len; i++) {
        const struct sighting *s = sighting_at(p->end[end], i);
        if (goes(p, end, s, from)) {
            pos = s->flags & TCP_RST ? pos : unwrap(h, number_of(p, end, from, s->seq), pos);
            hold_packet(h, s, pos);
        } else if (s->flags & TCP_ACK && !(s->flags & TCP_RST)) {
            h->acked = MAX(h->acked, unwrap(h, number_of(p, end, from, s->ack), pos));
        }
    }
    merge(h->stretches);
    if (h->digests->len > 1)
        qsort(h->digests->data, h->digests->len, sizeof(uint64_t), compare_values);
}

static void let_go(struct holding *h)
{
    g_array_free(h->stretches, TRUE);
    g_array_free(h->digests, TRUE);
}

static bool holds(const struct holding *h, int64_t from, int64_t to)
{
    guint low = 0, high = h->stretches->len;

    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(h->stretches, struct stretch, middle).from <= from)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && g_array_index(h->stretches, struct stretch, low - 1).to >= to;
}

/* --- one way --- */

struct telling {
    struct pair *p;
    enum side from;
    struct way *w;
    struct holding near, far;
    const struct vantage *near_file, *far_file;
    int64_t late_ns; /* the longest that a packet came behind one that was sent later */
    guint next;      /* where the next packet that arrived is looked for, in the near capture */
};

static bool covered(const struct vantage *v, int64_t from_ns, int64_t to_ns)
{
    return v->from_ns != TIME_NONE && from_ns > v->from_ns && to_ns < v->to_ns;
}

/* When a packet that was sent came; TIME_NONE: it goes the other way, or did not. */
static int64_t came_ns(const struct telling *t, const struct sighting *s)
{
    return s->match && goes(t->p, t->from, s, t->from) ? sighting_at(far_of(t->p, t->from), s->match - 1)->ts_ns
                                                       : TIME_NONE;
}

static int64_t longest_late_ns(const struct telling *t)
{
    const struct seen_flow *near = near_of(t->p, t->from);
    int64_t last_ns = INT64_MIN, late_ns = 0;

    for (guint i = 0; i < near->packets->len; i++) {
        int64_t ns = came_ns(t, sighting_at(near, i));
        if (ns == TIME_NONE)
            continue;
        late_ns = last_ns == INT64_MIN ? 0 : MAX(late_ns, last_ns - ns);
        last_ns = MAX(last_ns, ns);
    }
    return late_ns;
}

/* When packet i of the near capture would have come at the latest: after the longest that any took, which may be a
 * pause of a busy machine, or as long behind the next one that came as any was late. Asked in order. */
static int64_t latest_ns(struct telling *t, guint i)
{
    const struct seen_flow *near = near_of(t->p, t->from);
    int64_t ns = sighting_at(near, i)->ts_ns + t->w->most_ns;

    for (t->next = MAX(t->next, i + 1); t->next < near->packets->len; t->next++) {
        int64_t next_ns = came_ns(t, sighting_at(near, t->next));
        if (next_ns != TIME_NONE)
            return MIN(ns, next_ns + t->late_ns);
    }
    return ns;
}

/* Whether the other capture ran when packet i should have come; when this one should have been sent. */
static bool would_be_seen(struct telling *t, guint i)
{
    const struct way *w = t->w;

    return w->least_ns != TIME_NONE &&
           covered(t->far_file, sighting_at(near_of(t->p, t->from), i)->ts_ns + w->least_ns, latest_ns(t, i));
}

static bool would_be_sent(const struct telling *t, const struct sighting *s)
{
    const struct way *w = t->w;

    return w->least_ns != TIME_NONE && covered(t->near_file, s->ts_ns - w->most_ns, s->ts_ns - w->least_ns);
}

/* A packet that was sent, at i, and is not, or not as a whole, in the capture of its receiver. */
static enum fate fate_of_sent(struct telling *t, guint i, int64_t pos)
{
    const struct sighting *s = sighting_at(near_of(t->p, t->from), i);
    bool acked = sighting_span(s) && !(s->flags & TCP_RST) && t->far.acked != INT64_MIN &&
                 pos + sighting_span(s) <= t->far.acked && !holds(&t->far, pos, pos + sighting_span(s));

    if (!would_be_seen(t, i) || (t->w->gave_up && s->len))
        return s->match ? FATE_ARRIVED : FATE_UNKNOWN;
    if (acked)
        return FATE_MISSED;
    return s->match ? FATE_PARTLY : FATE_LOST;
}

static bool same_content(const struct telling *t, int64_t pos, uint32_t digest)
{
    uint64_t key = digest_key(pos, digest);
    const GArray *d = t->near.digests;

    return d->len && bsearch(&key, d->data, d->len, sizeof key, compare_values);
}

/* A packet that came and is not in the capture of its sender. A RST, a SYN of an end that sent none, a FIN before the
 * end, other bytes than those that the sender sent there: that is nobody's of the two ends. Everything else may have
 * been overlooked. */
static bool is_nobodys(const struct telling *t, const struct sighting *s, int64_t pos)
{
    if (s->flags & TCP_RST)
        return true;
    if (s->flags & TCP_SYN)
        return !t->near.has_syn;
    if (s->digest && holds(&t->near, pos, pos + s->len))
        return !same_content(t, pos, s->digest) && t->near.digests->len > 0;
    return s->flags & TCP_FIN && t->near.end > pos + sighting_span(s);
}

static enum fate fate_of_come(const struct telling *t, const struct sighting *s, int64_t pos)
{
    if (!would_be_sent(t, s) || (t->w->gave_up && s->len))
        return FATE_UNKNOWN;
    return is_nobodys(t, s, pos) ? FATE_FORGED : FATE_MISSED;
}

/* --- counting --- */

static void list(GArray *of, guint index)
{
    uint32_t i = index;

    if (of->len < LIMIT_LISTED_PACKETS)
        g_array_append_val(of, i);
}

/* The payload of a segment as it travels: what is larger than the packets that arrived is cut into as many of them. */
static uint64_t segments(uint32_t bytes, uint32_t size)
{
    return size && bytes > size ? (bytes + size - 1) / size : 1;
}

static uint32_t segment_size(const struct pair *p, enum side from)
{
    const struct seen_flow *far = far_of(p, from), *near = near_of(p, from);
    uint32_t mss = 0;

    for (int end = CLIENT; end <= SERVER && !mss; end++) {
        const struct flow *f = (end == (int)from ? near : far)->flow;
        enum side receiver = p->turned[end] ? from : other_side(from);
        mss = f->half[receiver].offer.mss;
    }
    return mss ? mss : 1460; /* RFC 9293 has 536; what networks of today carry */
}

static void count_lost(struct way *w, const struct sighting *s, uint32_t size)
{
    uint32_t bytes = s->fate == FATE_PARTLY ? s->missing : s->len;

    w->lost_bytes += bytes;
    if (bytes)
        w->lost_data += segments(bytes, size);
    else if (s->flags & (TCP_SYN | TCP_FIN | TCP_RST))
        w->lost_control++;
    else
        w->lost_acks++;
}

static void tell_sent(struct telling *t)
{
    const struct seen_flow *near = near_of(t->p, t->from);
    uint32_t size = segment_size(t->p, t->from);
    int64_t pos = 0;

    t->late_ns = longest_late_ns(t);
    for (guint i = 0; i < near->packets->len; i++) {
        struct sighting *s = sighting_at(near, i);
        struct way *w = t->w;
        if (!goes(t->p, t->from, s, t->from))
            continue;
        pos = s->flags & TCP_RST ? pos : unwrap(&t->near, s->seq, pos);
        s->fate = (uint8_t)(s->match && !s->missing ? FATE_ARRIVED : fate_of_sent(t, i, pos));
        w->sent++;
        w->data_sent += s->len ? segments(s->len, size) : 0;
        w->arrived += s->fate == FATE_ARRIVED;
        w->in_part += s->fate == FATE_PARTLY;
        w->lost_packets += s->fate == FATE_LOST;
        w->unknown += s->fate == FATE_UNKNOWN;
        w->missed_far += s->fate == FATE_MISSED;
        if (s->fate != FATE_LOST && s->fate != FATE_PARTLY)
            continue;
        count_lost(w, s, size);
        list(w->lost, i);
    }
}

static void tell_come(struct telling *t)
{
    const struct seen_flow *far = far_of(t->p, t->from);
    int64_t pos = 0;

    for (guint i = 0; i < far->packets->len; i++) {
        struct sighting *s = sighting_at(far, i);
        struct way *w = t->w;
        if (!goes(t->p, other_side(t->from), s, t->from))
            continue;
        pos = s->flags & TCP_RST ? pos : unwrap(&t->near, near_seq(t->p, t->from, s), pos);
        if (s->fate != FATE_REPEATED)
            s->fate = (uint8_t)(s->match && !s->missing ? FATE_ARRIVED : fate_of_come(t, s, pos));
        w->come++;
        w->unknown += s->fate == FATE_UNKNOWN;
        w->missed_near += s->fate == FATE_MISSED;
        w->repeated += s->fate == FATE_REPEATED;
        w->forged += s->fate == FATE_FORGED;
        if (s->fate == FATE_FORGED || s->fate == FATE_REPEATED || s->fate == FATE_MISSED)
            list(w->unsent, i);
    }
}

void tell_fates(struct pair *p, const struct vantage *const end_of[2])
{
    for (int from = CLIENT; from <= SERVER; from++) {
        struct telling t = { .p = p,
                             .from = (enum side)from,
                             .w = &p->way[from],
                             .near_file = end_of[from],
                             .far_file = end_of[other_side((enum side)from)] };
        hold(&t.near, p, t.from, t.from, pair_base(p, t.from));
        hold(&t.far, p, other_side(t.from), t.from, pair_base(p, t.from));
        tell_sent(&t);
        tell_come(&t);
        let_go(&t.near);
        let_go(&t.far);
    }
}
