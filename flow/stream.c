#include "flow/stream.h"

#include "base/limits.h"
#include "base/seq.h"

#include <string.h>

/* Bytes above a hole. */
struct pending {
    uint64_t position;
    uint32_t len;  /* on the wire */
    uint32_t kept; /* captured: kept <= len, at `bytes` */
    int64_t ts_ns;
    uint64_t packet;
    uint8_t bytes[];
};

/* What keeping one costs beside its bytes: the block, a tree node. */
#define PENDING_COST (sizeof(struct pending) + 64)

static gint compare_positions(gconstpointer a, gconstpointer b)
{
    return (gsize)a < (gsize)b ? -1 : (gsize)a > (gsize)b;
}

static gpointer position_key(uint64_t position)
{
    return GSIZE_TO_POINTER((gsize)position);
}

static void skip(struct stream *s, struct app *app, uint64_t n, const struct app_bytes *at)
{
    if (n == 0)
        return;
    app_gap(app, at->from, n, at->ts_ns, at->packet);
    s->position += n;
    s->next += (uint32_t)n;
}

/* Hands on [position, position + len), of which `bytes->data` was captured, less what was handed on before. */
static void hand_on(struct stream *s, struct app *app, uint64_t position, uint32_t len, const struct app_bytes *bytes)
{
    uint64_t behind = s->position - position; /* position <= s->position */
    if (behind >= len)
        return;

    struct app_bytes rest = *bytes;
    size_t cut = MIN(behind, rest.data.n);
    rest.data = slice_of(rest.data.p + cut, rest.data.n - cut);
    if (rest.data.n) {
        app_data(app, &rest);
        s->position += rest.data.n;
        s->next += (uint32_t)rest.data.n;
    }
    skip(s, app, position + len - s->position, bytes); /* the snaplen cut it */
}

static struct pending *lowest(struct stream *s)
{
    GTreeNode *node = s->pending ? g_tree_node_first(s->pending) : NULL;
    return node ? g_tree_node_value(node) : NULL;
}

static void drop_lowest(struct stream *s, struct stream_budget *budget, struct pending *p)
{
    size_t cost = p->kept + PENDING_COST;

    g_tree_remove(s->pending, position_key(p->position)); /* frees p */
    s->pending_bytes -= cost;
    budget->used -= cost;
    if (s->pending_bytes == 0) {
        g_tree_unref(s->pending);
        s->pending = NULL;
    }
}

/* Hands on what the hole's filling set free. */
static void drain(struct stream *s, struct app *app, struct stream_budget *budget, enum side from)
{
    struct pending *p;

    while ((p = lowest(s)) && p->position <= s->position) {
        struct app_bytes b = { from, slice_of(p->bytes, p->kept), p->ts_ns, p->packet };
        hand_on(s, app, p->position, p->len, &b);
        drop_lowest(s, budget, p);
    }
}

static void close_hole(struct stream *s, struct app *app, struct stream_budget *budget, const struct app_bytes *now)
{
    struct pending *p = lowest(s);

    if (p) {
        skip(s, app, p->position - s->position, now);
        drain(s, app, budget, now->from);
    }
}

static void keep(struct stream *s, struct app *app, struct stream_budget *budget, uint64_t position, uint32_t len,
                 const struct app_bytes *bytes)
{
    size_t cost = bytes->data.n + PENDING_COST;

    while (s->pending && s->pending_bytes + cost > LIMIT_REASSEMBLY_FLOW && position > s->position) {
        if (lowest(s)->position > position)
            skip(s, app, position - s->position, bytes);
        else
            close_hole(s, app, budget, bytes);
    }
    if (position <= s->position) { /* closing holes brought the stream up to it */
        hand_on(s, app, position, len, bytes);
        drain(s, app, budget, bytes->from);
        return;
    }
    if (budget->used + cost > LIMIT_REASSEMBLY_ALL || cost > LIMIT_REASSEMBLY_FLOW) {
        budget->dropped += len;
        return;
    }
    if (!s->pending)
        s->pending = g_tree_new_full((GCompareDataFunc)(void (*)(void))compare_positions, NULL, NULL, g_free);

    struct pending *old = g_tree_lookup(s->pending, position_key(position));
    if (old && old->len >= len)
        return; /* the same bytes again */
    struct pending *p = g_malloc(sizeof *p + bytes->data.n);
    *p = (struct pending){ position, len, (uint32_t)bytes->data.n, bytes->ts_ns, bytes->packet };
    if (bytes->data.n)
        memcpy(p->bytes, bytes->data.p, bytes->data.n);
    if (old) {
        s->pending_bytes -= old->kept + PENDING_COST;
        budget->used -= old->kept + PENDING_COST;
    }
    g_tree_replace(s->pending, position_key(position), p);
    s->pending_bytes += cost;
    budget->used += cost;
}

void stream_segment(struct stream *s, struct app *app, struct stream_budget *budget, uint32_t seq, uint32_t len,
                    const struct app_bytes *bytes)
{
    if (!s->started) {
        s->started = true;
        s->next = seq;
    }

    int32_t ahead = seq_diff(seq, s->next);
    if (ahead <= 0) {
        if ((int64_t)len + ahead <= 0)
            return;
        hand_on(s, app, s->position - (uint64_t) - (int64_t)ahead, len, bytes);
        drain(s, app, budget, bytes->from);
    } else {
        keep(s, app, budget, s->position + (uint64_t)ahead, len, bytes);
    }
}

void stream_acked(struct stream *s, struct app *app, struct stream_budget *budget, uint32_t ack,
                  const struct app_bytes *now)
{
    while (s->pending && seq_gt(ack, s->next)) {
        struct pending *p = lowest(s);
        if (s->position + (ack - s->next) < p->position)
            return; /* acknowledged only a part of the hole: wait, the rest tells more */
        close_hole(s, app, budget, now);
    }
}

void stream_end(struct stream *s, struct app *app, struct stream_budget *budget, const struct app_bytes *now)
{
    while (s->pending && app)
        close_hole(s, app, budget, now);
    if (s->pending) {
        budget->used -= s->pending_bytes;
        g_tree_unref(s->pending);
        s->pending = NULL;
        s->pending_bytes = 0;
    }
}
