/* change: what was rewritten on the way, from packets that are in both captures whole. */
#include "compare/pair.h"

const char *change_name(enum change c)
{
    static const char *const names[] = {
        "sequence_numbers", "mss",  "window_scale", "sack_permitted", "timestamps",    "mptcp",  "fast_open",
        "timestamp_value",  "dscp", "ecn",          "ip_id",          "dont_fragment", "window", "ecn_flags",
        "payload",
    };
    return names[c];
}

/* A packet at both ends. */
struct both {
    struct way *w;
    const struct sighting *near, *far;
};

static void compare(const struct both *b, enum change c, int64_t sent, int64_t come)
{
    struct changed *changed = &b->w->changes[c];

    if (sent == come)
        return;
    if (changed->packets++ == 0) {
        changed->sent = sent;
        changed->come = come;
        changed->sent_packet = b->near->number;
        changed->come_packet = b->far->number;
    }
}

static int64_t if_present(const struct sighting *s, unsigned option, int64_t value)
{
    return s->present & option ? value : CHANGED_NONE;
}

static void compare_option(const struct both *b, enum change c, unsigned option)
{
    compare(b, c, if_present(b->near, option, 1), if_present(b->far, option, 1));
}

static void compare_syn(const struct both *b)
{
    const struct sighting *x = b->near, *y = b->far;

    if ((x->present | y->present) & (TCPOPT_CUT | TCPOPT_MALFORMED))
        return;
    compare(b, CHANGE_MSS, if_present(x, TCPOPT_HAS_MSS, x->mss), if_present(y, TCPOPT_HAS_MSS, y->mss));
    compare(b, CHANGE_WSCALE, if_present(x, TCPOPT_HAS_WSCALE, x->wscale), if_present(y, TCPOPT_HAS_WSCALE, y->wscale));
    compare_option(b, CHANGE_SACK, TCPOPT_HAS_SACK_OK);
    compare_option(b, CHANGE_TIMESTAMPS, TCPOPT_HAS_TIMESTAMPS);
    compare_option(b, CHANGE_MPTCP, TCPOPT_HAS_MPTCP);
    compare_option(b, CHANGE_FASTOPEN, TCPOPT_HAS_FASTOPEN);
    compare(b, CHANGE_ECN_FLAGS, x->flags & (TCP_ECE | TCP_CWR), y->flags & (TCP_ECE | TCP_CWR));
}

/* RFC 3168: routers may turn ECT(0) or ECT(1) into CE, and do nothing else. */
static void compare_ecn(const struct both *b)
{
    enum { NOT_ECT, ECT1, ECT0, CE };

    if (b->near->ecn != NOT_ECT && b->near->ecn != CE && b->far->ecn == CE)
        b->w->congestion_marks++;
    else
        compare(b, CHANGE_ECN, b->near->ecn, b->far->ecn);
}

static void compare_header(const struct both *b)
{
    const struct sighting *x = b->near, *y = b->far;
    int hops = x->ttl - y->ttl;

    if (b->w->ttl_min > b->w->ttl_max)
        b->w->ttl_min = b->w->ttl_max = hops;
    b->w->ttl_min = MIN(b->w->ttl_min, hops);
    b->w->ttl_max = MAX(b->w->ttl_max, hops);
    compare(b, CHANGE_DSCP, x->dscp, y->dscp);
    compare_ecn(b);
    compare(b, CHANGE_DF, x->df, y->df);
    if (x->version == 4 && y->version == 4)
        compare(b, CHANGE_IP_ID, x->ip_id, y->ip_id);
}

/* Of packets of the same size: offload writes headers of its own, and cuts the payload elsewhere. */
static void compare_whole(const struct both *b)
{
    const struct sighting *x = b->near, *y = b->far;

    compare_header(b);
    compare(b, CHANGE_WINDOW, x->window, y->window);
    if (x->digest && y->digest)
        compare(b, CHANGE_PAYLOAD, x->digest, y->digest);
    if (x->flags & TCP_SYN)
        compare_syn(b);
    if (x->present & TCPOPT_HAS_TIMESTAMPS && !(x->flags & TCP_SYN) && !((x->present | y->present) & TCPOPT_CUT))
        compare(b, CHANGE_TIMESTAMP_VALUE, x->tsval, if_present(y, TCPOPT_HAS_TIMESTAMPS, y->tsval));
}

static void compare_numbers(const struct pair *p, enum side from, struct way *w)
{
    struct changed *c = &w->changes[CHANGE_SEQ];
    uint32_t near, far;

    if (w->shift == 0)
        return;
    c->packets = (uint32_t)MIN(w->arrived, UINT32_MAX);
    c->sent = pair_isn(p, from, from, &near) ? near : CHANGED_NONE;
    c->come = pair_isn(p, other_side(from), from, &far) ? far : CHANGED_NONE;
}

void tell_changes(struct pair *p)
{
    for (int from = CLIENT; from <= SERVER; from++) {
        const struct seen_flow *near = near_of(p, (enum side)from), *far = far_of(p, (enum side)from);
        struct way *w = &p->way[from];
        w->ttl_min = 1;
        w->ttl_max = 0;
        for (guint i = 0; i < near->packets->len; i++) {
            const struct sighting *x = sighting_at(near, i);
            if (!x->match || !goes(p, (enum side)from, x, (enum side)from))
                continue;
            const struct sighting *y = sighting_at(far, x->match - 1);
            if (x->len == y->len)
                compare_whole(&(struct both){ w, x, y });
        }
        compare_numbers(p, (enum side)from, w);
    }
}
