#include "compare/compare.h"

#include "compare/marks.h"

/* --- pairs --- */

static void free_pair(gpointer user)
{
    struct pair *p = user;

    for (int from = CLIENT; from <= SERVER; from++) {
        g_array_free(p->way[from].lost, TRUE);
        g_array_free(p->way[from].unsent, TRUE);
    }
    if (p->findings)
        g_array_free(p->findings, TRUE);
    g_free(p);
}

/* The first packet of that side, whichever capture calls it so; NULL: none. */
static const struct sighting *first_of(const struct seen_flow *f, enum side side)
{
    for (guint i = 0; i < f->packets->len; i++)
        if (sighting_at(f, i)->side == (unsigned)side)
            return sighting_at(f, i);
    return NULL;
}

/* More than 0: side's packets came farther to y than to x, so that x is nearer to it. */
static int nearer_by_ttl(const struct seen_flow *x, const struct seen_flow *y, enum side side, bool crossed)
{
    const struct sighting *a = first_of(x, side), *b = first_of(y, crossed ? other_side(side) : side);

    return a && b ? a->ttl - b->ttl : 0;
}

/* The same from the handshake: whoever stands at the server has its answer at once, and waits for the client's ACK. */
static int nearer_by_rtt(const struct flow *x, const struct flow *y)
{
    int64_t xs = flow_rtt_to_server_ns(x), xc = flow_rtt_to_client_ns(x), ys = flow_rtt_to_server_ns(y),
            yc = flow_rtt_to_client_ns(y);

    if (xs == TIME_NONE || xc == TIME_NONE || ys == TIME_NONE || yc == TIME_NONE)
        return 0;
    if (xs / 2 > ys && yc / 2 > xc)
        return 1;
    return ys / 2 > xs && xc / 2 > yc ? -1 : 0;
}

/* Whether the second capture is the one near the client. TTLs may be rewritten on the way, so the round trips go
 * before. */
static bool is_swapped(const struct seen_flow *x, const struct seen_flow *y, bool crossed)
{
    int client = nearer_by_ttl(x, y, CLIENT, crossed), server = nearer_by_ttl(x, y, SERVER, crossed);
    int rtt = crossed ? 0 : nearer_by_rtt(x->flow, y->flow);

    if (rtt != 0)
        return rtt < 0;
    return (client < 0 && server >= 0) || (client == 0 && server > 0);
}

static struct pair *new_pair(const struct comparison *c, const struct partner *partner, bool proxied)
{
    struct pair *p = g_new0(struct pair, 1);
    struct seen_flow *of[2] = { vantage_flow(c->vantage[0], partner->a), vantage_flow(c->vantage[1], partner->b) };
    unsigned turned = partner->crossed ? (of[0]->flow->role_basis > of[1]->flow->role_basis ? 0 : 1) : 2;
    uint32_t index[2] = { partner->a, partner->b };

    p->proxied = proxied;
    p->kinds = partner->kinds;
    p->swapped = is_swapped(of[0], of[1], partner->crossed);
    if (turned == 0)
        p->swapped = !p->swapped; /* is_swapped() went by the first capture's idea of who is the client */
    for (unsigned file = 0; file < 2; file++) {
        unsigned end = p->swapped ? 1 - file : file;
        p->file[end] = file;
        p->index[end] = index[file];
        p->end[end] = of[file];
        p->turned[end] = file == turned;
    }
    for (int from = CLIENT; from <= SERVER; from++) {
        p->way[from].least_ns = TIME_NONE;
        p->way[from].lost = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        p->way[from].unsent = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    }
    return p;
}

static GArray *marks_of(const struct vantage *v, const bool *taken, bool proxied)
{
    GArray *marks = g_array_new(FALSE, FALSE, sizeof(struct mark));

    for (guint i = 0; i < v->flows->len; i++)
        if (!taken[i])
            marks_of_flow(marks, vantage_flow(v, i), i, proxied);
    return marks;
}

static void find_pairs(struct comparison *c, bool *const taken[2], bool proxied)
{
    g_autoptr(GArray) a = marks_of(c->vantage[0], taken[0], proxied), b = marks_of(c->vantage[1], taken[1], proxied);
    g_autoptr(GArray) partners = join_marks(a, b, MARK_ENOUGH);

    for (guint i = 0; i < partners->len; i++) {
        const struct partner *partner = &g_array_index(partners, struct partner, i);
        taken[0][partner->a] = taken[1][partner->b] = true;
        g_ptr_array_add(c->pairs, new_pair(c, partner, proxied));
    }
}

static uint32_t index_in_first(const struct pair *p)
{
    return p->index[p->swapped ? SERVER : CLIENT];
}

static gint by_first(gconstpointer a, gconstpointer b)
{
    uint32_t x = index_in_first(*(struct pair *const *)a), y = index_in_first(*(struct pair *const *)b);

    return x < y ? -1 : x > y;
}

/* --- connections that only one capture has --- */

/* Whether the other capture ran at that time of this one, by the offset of the clocks; where that is not known, by the
 * clocks themselves. */
static bool other_ran(const struct comparison *c, unsigned file, int64_t from_ns, int64_t to_ns)
{
    const struct vantage *other = c->vantage[1 - file];
    int64_t offset_ns = c->clock.known ? clock_at(&c->clock, from_ns) : 0;
    int64_t doubt_ns = c->clock.known ? MIN(c->clock.uncertainty_ns, NS_PER_S * 3600) * 2 : 0;

    if (file == 1)
        offset_ns = -offset_ns;
    return other->from_ns != TIME_NONE && from_ns + offset_ns - doubt_ns > other->from_ns &&
           to_ns + offset_ns + doubt_ns < other->to_ns;
}

/* Most pairs have their client near the second capture. */
static bool mostly_swapped(const struct comparison *c)
{
    guint swapped = 0;

    for (guint i = 0; i < c->pairs->len; i++)
        swapped += ((const struct pair *)g_ptr_array_index(c->pairs, i))->swapped;
    return swapped * 2 > c->pairs->len;
}

/* What it says that an attempt is in the capture of its client, and that the server's capture has nothing of it. */
static struct finding *lone_attempt(const struct comparison *c, unsigned file, const struct flow *f)
{
    enum handshake_outcome outcome = flow_handshake(f);
    enum code code = outcome == HANDSHAKE_REFUSED ? CODE_SYN_REFUSED_BY_MIDDLEBOX : CODE_SYN_UNANSWERED;
    const char *answer = outcome == HANDSHAKE_REFUSED ? " The RST that answered it is then not the server's." : "";

    if ((outcome != HANDSHAKE_NO_ANSWER && outcome != HANDSHAKE_REFUSED) || file != (mostly_swapped(c) ? 1u : 0u) ||
        !other_ran(c, file, f->first_ns, f->last_ns))
        return NULL;
    struct finding *d =
        finding_new(code, WHERE_PATH,
                    "The SYN left the client and is not in the server's capture, which ran at that time: it did not "
                    "get there (if that capture was to see it: interface, filter).%s",
                    answer);
    d->confidence = c->clock.known ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    d->own_remedy = g_strdup(
        "Look between the two, on the way to the server: filters, routes, links; a capture on a router in between "
        "halves the search.");
    finding_detail_text(d, "direction", "to_server");
    finding_detail_number(d, "syn", f->syns);
    finding_add_evidence(d, f->first_syn_packet);
    if (f->syn_packet)
        finding_add_evidence(d, f->syn_packet);
    finding_add_evidence(d, f->reset.packet);
    return d;
}

static void find_lone(struct comparison *c, bool *const taken[2])
{
    for (unsigned file = 0; file < 2; file++)
        for (guint i = 0; i < c->vantage[file]->flows->len; i++) {
            if (taken[file][i])
                continue;
            struct lone lone = { file, i, lone_attempt(c, file, vantage_flow(c->vantage[file], i)->flow) };
            g_array_append_val(c->lone, lone);
        }
}

/* --- the whole --- */

static void each_pair(const struct comparison *c, void (*f)(struct pair *p))
{
    for (guint i = 0; i < c->pairs->len; i++) {
        struct pair *p = g_ptr_array_index(c->pairs, i);
        if (!p->proxied)
            f(p);
    }
}

static void tell_pairs(struct comparison *c)
{
    for (guint i = 0; i < c->pairs->len; i++) {
        struct pair *p = g_ptr_array_index(c->pairs, i);
        const struct vantage *end_of[2] = { c->vantage[p->file[CLIENT]], c->vantage[p->file[SERVER]] };
        if (!p->proxied) {
            tell_fates(p, end_of);
            tell_changes(p);
        }
        judge_pair(p, end_of);
    }
}

/* Only the flow of the first capture that is asked for. */
static void leave_one(struct comparison *c, uint64_t flow)
{
    for (guint i = c->pairs->len; i > 0; i--)
        if (index_in_first(g_ptr_array_index(c->pairs, i - 1)) + 1 != flow)
            g_ptr_array_remove_index(c->pairs, i - 1);
    for (guint i = c->lone->len; i > 0; i--) {
        const struct lone *l = &g_array_index(c->lone, struct lone, i - 1);
        if (l->file != 0 || l->index + 1 != flow)
            g_array_remove_index(c->lone, i - 1);
    }
}

static void consider(struct comparison *c, const struct finding *f)
{
    if (f && (!c->verdict || finding_compare(f, c->verdict) < 0)) {
        finding_free(c->verdict);
        c->verdict = finding_copy(f);
    }
}

static struct finding *all_well(const struct comparison *c)
{
    uint64_t lost = 0;

    for (guint i = 0; i < c->pairs->len; i++)
        for (int from = CLIENT; from <= SERVER; from++) {
            const struct way *w = &((const struct pair *)g_ptr_array_index(c->pairs, i))->way[from];
            lost += w->lost_packets + w->in_part;
        }
    if (lost == 0)
        return finding_new(CODE_OK, WHERE_NONE, "Nothing wrong was seen on the way between the two captures.");
    return finding_new(CODE_OK, WHERE_NONE,
                       "%" G_GUINT64_FORMAT " %s on the way between the two captures: too few to do harm.", lost,
                       lost == 1 ? "packet was lost" : "packets were lost");
}

static void settle_verdict(struct comparison *c, uint64_t flow)
{
    for (guint i = 0; i < c->pairs->len; i++) {
        const struct pair *p = g_ptr_array_index(c->pairs, i);
        const struct finding *f = g_array_index(p->findings, struct pair_finding, 0).finding;
        c->pairs_by_status[f->status]++;
        if (f->status != STATUS_OK && (f->status != STATUS_UNKNOWN || !c->pairs_by_status[STATUS_OK]))
            consider(c, f);
    }
    for (guint i = 0; i < c->lone->len; i++)
        consider(c, g_array_index(c->lone, struct lone, i).finding);
    if (c->verdict && c->verdict->status == STATUS_UNKNOWN && c->pairs_by_status[STATUS_OK])
        g_clear_pointer(&c->verdict, finding_free);
    if (!c->verdict && c->pairs->len)
        c->verdict = all_well(c);
    if (!c->verdict)
        c->verdict =
            finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "%s",
                        flow ? "This connection is not in the second capture: there is nothing to compare it with."
                             : "No connection is in both captures: they cannot be compared.");
}

static void clear_lone(gpointer l)
{
    finding_free(((struct lone *)l)->finding);
}

struct comparison *comparison_new(struct vantage *first, struct vantage *second, uint64_t flow)
{
    struct comparison *c = g_new0(struct comparison, 1);
    g_autofree bool *taken_first = g_new0(bool, first->flows->len + 1),
                    *taken_second = g_new0(bool, second->flows->len + 1);
    bool *const taken[2] = { taken_first, taken_second };

    c->vantage[0] = first;
    c->vantage[1] = second;
    c->pairs = g_ptr_array_new_with_free_func(free_pair);
    c->lone = g_array_new(FALSE, FALSE, sizeof(struct lone));
    g_array_set_clear_func(c->lone, clear_lone);
    find_pairs(c, taken, false);
    find_pairs(c, taken, true);
    g_ptr_array_sort(c->pairs, by_first);
    each_pair(c, match_certain);
    each_pair(c, match_rest);
    clock_estimate(&c->clock, c->pairs);
    clock_apply(&c->clock, c->pairs);
    find_lone(c, taken);
    tell_pairs(c);
    if (flow)
        leave_one(c, flow);
    settle_verdict(c, flow);
    return c;
}

void comparison_free(struct comparison *c)
{
    if (!c)
        return;
    g_ptr_array_free(c->pairs, TRUE);
    g_array_free(c->lone, TRUE);
    finding_free(c->verdict);
    vantage_free(c->vantage[0]);
    vantage_free(c->vantage[1]);
    g_free(c);
}
