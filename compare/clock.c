#include "compare/clock.h"

#include <math.h>
#include <string.h>

/* The fastest packets of a part of the time, each way. */
struct part {
    struct span raw[2];
};

/* Clocks that are farther apart (73 years) are none: one that began in 1970 is nearer. Sums of times stay in 64 bits
 * so. */
#define APART_NS (INT64_C(1) << 61)

static bool is_near(int64_t raw_ns)
{
    return raw_ns > -APART_NS && raw_ns < APART_NS;
}

/* Time of the first file, and the difference, of each packet that is in both captures. */
typedef void sample_fn(void *user, unsigned from_file, int64_t first_ns, int64_t raw_ns);

static void samples_of(const struct pair *p, enum side from, sample_fn *f, void *user)
{
    const struct seen_flow *near = near_of(p, from), *far = far_of(p, from);
    unsigned file = p->file[from];

    for (guint i = 0; i < near->packets->len; i++) {
        const struct sighting *s = sighting_at(near, i);
        if (!s->match || !goes(p, from, s, from))
            continue;
        int64_t come_ns = sighting_at(far, s->match - 1)->ts_ns;
        if (is_near(come_ns - s->ts_ns))
            f(user, file, file == 0 ? s->ts_ns : come_ns, come_ns - s->ts_ns);
    }
}

static void each_sample(const GPtrArray *pairs, sample_fn *f, void *user)
{
    for (guint i = 0; i < pairs->len; i++) {
        const struct pair *p = g_ptr_array_index(pairs, i);
        for (int from = CLIENT; from <= SERVER && !p->proxied; from++)
            samples_of(p, (enum side)from, f, user);
    }
}

struct survey {
    struct clock_offset *c;
    int64_t first_ns, last_ns; /* of the samples */
    double rate;               /* how much faster the second clock runs, as found so far */
    struct part parts[CLOCK_PARTS];
};

static void note_whole(void *user, unsigned from_file, int64_t first_ns, int64_t raw_ns)
{
    struct survey *s = user;

    span_add(&s->c->raw[from_file], raw_ns);
    s->first_ns = s->first_ns == TIME_NONE ? first_ns : MIN(s->first_ns, first_ns);
    s->last_ns = MAX(s->last_ns, first_ns);
}

/* A difference without the drift found so far, as it would be at the first sample. */
static int64_t without_drift(const struct survey *s, unsigned from_file, int64_t first_ns, int64_t raw_ns)
{
    int64_t drifted_ns = (int64_t)llround((double)(first_ns - s->first_ns) * s->rate);

    return from_file == 0 ? raw_ns - drifted_ns : raw_ns + drifted_ns;
}

static void note_part(void *user, unsigned from_file, int64_t first_ns, int64_t raw_ns)
{
    struct survey *s = user;
    int64_t length_ns = (s->last_ns - s->first_ns) / CLOCK_PARTS + 1;

    span_add(&s->parts[(first_ns - s->first_ns) / length_ns].raw[from_file],
             without_drift(s, from_file, first_ns, raw_ns));
}

static bool is_known(const struct span raw[2])
{
    return raw[0].samples && raw[1].samples;
}

/* Half of a sum or difference, with the sum kept from overflowing: raw times are differences of two that are below
 * 2^62. */
static int64_t half_ns(int64_t a, int64_t b)
{
    return a / 2 + b / 2;
}

static int64_t offset_of(const struct span raw[2])
{
    return half_ns(raw[0].min_ns, -raw[1].min_ns);
}

static int64_t uncertainty_of(const struct span raw[2])
{
    int64_t ns = half_ns(raw[0].min_ns, raw[1].min_ns);

    return ns < 0 ? -ns : ns;
}

/* The first and the last part with packets both ways; false: there are not two. */
static bool outer_parts(const struct survey *s, int *first, int *last)
{
    *first = 0;
    *last = CLOCK_PARTS - 1;
    while (*first < CLOCK_PARTS && !is_known(s->parts[*first].raw))
        ++*first;
    while (*last > *first && !is_known(s->parts[*last].raw))
        --*last;
    return *last > *first;
}

/* The drift shows between the outer parts; that within a part blurs its bounds, so each round takes out what the one
 * before has found. */
#define ROUNDS 4

/* A clock that is faster by a hundredth does not drift: it was set. */
#define DRIFT_MOST 0.01

static void look_for_drift(struct survey *s, const GPtrArray *pairs)
{
    struct clock_offset *c = s->c;
    int first, last;

    for (int round = 0; round < ROUNDS; round++) {
        memset(s->parts, 0, sizeof s->parts);
        each_sample(pairs, note_part, s);
        if (!outer_parts(s, &first, &last))
            return;
        const struct span *a = s->parts[first].raw, *b = s->parts[last].raw;
        double change_ns = (double)(offset_of(b) - offset_of(a)),
               doubt_ns = (double)(uncertainty_of(a) + uncertainty_of(b));
        double apart_ns = (double)(s->last_ns - s->first_ns) / CLOCK_PARTS * (last - first);
        if (apart_ns < (double)NS_PER_S)
            return;
        s->rate += change_ns / apart_ns;
        c->drifts = fabs(s->rate) < DRIFT_MOST && fabs(s->rate) * apart_ns > doubt_ns;
        c->drift_ppm = s->rate * 1e6;
        c->drift_uncertainty_ppm = doubt_ns / apart_ns * 1e6;
        if (!c->drifts)
            return;
        c->offset_ns = offset_of(a);
        c->uncertainty_ns = uncertainty_of(a);
    }
}

void clock_estimate(struct clock_offset *c, const GPtrArray *pairs)
{
    struct survey s = { .c = c, .first_ns = TIME_NONE, .last_ns = TIME_NONE };

    *c = (struct clock_offset){ .at_ns = TIME_NONE };
    each_sample(pairs, note_whole, &s);
    c->known = is_known(c->raw);
    if (!c->known)
        return;
    c->offset_ns = offset_of(c->raw);
    c->uncertainty_ns = uncertainty_of(c->raw);
    c->at_ns = s.first_ns;
    look_for_drift(&s, pairs);
}

int64_t clock_at(const struct clock_offset *c, int64_t first_ns)
{
    if (!c->drifts)
        return c->offset_ns;
    return c->offset_ns + (int64_t)llround((double)(first_ns - c->at_ns) * c->drift_ppm / 1e6);
}

struct delays {
    const struct clock_offset *c;
    struct way *way;
};

static void note_delay(void *user, unsigned from_file, int64_t first_ns, int64_t raw_ns)
{
    struct delays *d = user;
    int64_t offset_ns = clock_at(d->c, first_ns);

    span_add(&d->way->delay, from_file == 0 ? raw_ns - offset_ns : raw_ns + offset_ns);
}

/* The longest round trip that a packet is given which nothing is known of but when others went the other way. */
#define ROUND_TRIP_NS NS_PER_S

/* How long after it was sent, on the other clock, a packet has to be looked for: as the other ones of that way; as
 * those of other pairs; by those of the other way. */
static void bound(const struct clock_offset *c, struct pair *p, enum side from)
{
    struct way *w = &p->way[from];
    const struct span *back = &p->way[other_side(from)].raw, *all = &c->raw[p->file[from]];

    w->least_ns = TIME_NONE;
    if (w->raw.samples || all->samples) {
        w->least_ns = w->raw.samples ? w->raw.min_ns : all->min_ns;
        w->most_ns = w->raw.samples ? w->raw.max_ns : all->max_ns;
    } else if (back->samples) {
        w->least_ns = -back->max_ns;
        w->most_ns = -back->min_ns + ROUND_TRIP_NS;
    }
    if (w->least_ns != TIME_NONE && !(is_near(w->least_ns) && is_near(w->most_ns)))
        w->least_ns = TIME_NONE;
}

void clock_apply(const struct clock_offset *c, const GPtrArray *pairs)
{
    for (guint i = 0; i < pairs->len; i++) {
        struct pair *p = g_ptr_array_index(pairs, i);
        for (int from = CLIENT; from <= SERVER; from++) {
            struct delays d = { c, &p->way[from] };
            if (c->known && !p->proxied)
                samples_of(p, (enum side)from, note_delay, &d);
            bound(c, p, (enum side)from);
        }
    }
}
