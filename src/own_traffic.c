#include "src/own_traffic.h"

#include "capture/live.h"
#include "src/pipeline.h"

#include <glib-unix.h>
#include <time.h>

#define NOTHING "less 1" /* no frame is so short */
#define LATE_MS (4 * LIVE_BATCH_MS)

struct own_traffic {
    struct live *live;
    struct pipeline *pipeline;
    GPtrArray *flows, *conversations, *lookups; /* struct judged_flow*, struct conversation*, struct lookup* */
    guint watch;
    bool judged;
};

/* --- a writer that keeps what it is handed --- */

struct keeper {
    struct report_writer head;
    struct own_traffic *owner;
};

static void keep_flow(struct report_writer *w, const struct judged_flow *f)
{
    g_ptr_array_add(((struct keeper *)w)->owner->flows, g_memdup2(f, sizeof *f));
}

static void keep_conversation(struct report_writer *w, struct conversation *c)
{
    g_ptr_array_add(((struct keeper *)w)->owner->conversations, c);
}

static void keep_lookup(struct report_writer *w, struct lookup *l)
{
    g_ptr_array_add(((struct keeper *)w)->owner->lookups, l);
}

static int keep_end(struct report_writer *w)
{
    (void)w;
    return 0;
}

static void keep_free(struct report_writer *w)
{
    g_free(w);
}

static struct report_writer *keep_open(FILE *out, struct report *totals, const struct report_options *options);

static const struct report_format keeping = {
    .name = "keep",
    .open = keep_open,
    .flow = keep_flow,
    .conversation = keep_conversation,
    .lookup = keep_lookup,
    .end = keep_end,
    .free = keep_free,
};

static struct report_writer *keep_open(FILE *out, struct report *totals, const struct report_options *options)
{
    struct keeper *k = g_new0(struct keeper, 1);

    (void)out;
    (void)totals;
    (void)options;
    k->head.format = &keeping;
    return &k->head;
}

/* --- frames --- */

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static bool take_frame(void *user, const struct frame *frame)
{
    pipeline_frames(((struct own_traffic *)user)->pipeline, frame, 1);
    return true;
}

static void read_frames(struct own_traffic *t)
{
    while (live_read(t->live, now_ns(), take_frame, t, NULL) == LIVE_BUSY)
        ;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
    (void)fd;
    (void)condition;
    read_frames(user);
    return G_SOURCE_CONTINUE;
}

/* --- life --- */

static void judged_flow_free(gpointer p)
{
    judged_flow_clear(p);
    g_free(p);
}

struct own_traffic *own_traffic_open(GError **error)
{
    const char *const all[] = { "any" };
    const struct live_options options = { .filter = NOTHING };
    struct live *live = live_open(all, 1, &options, error);

    if (!live)
        return NULL;
    struct own_traffic *t = g_new0(struct own_traffic, 1);
    t->live = live;
    t->flows = g_ptr_array_new_with_free_func(judged_flow_free);
    t->conversations = g_ptr_array_new_with_free_func((GDestroyNotify)conversation_free);
    t->lookups = g_ptr_array_new_with_free_func((GDestroyNotify)lookup_free);
    return t;
}

void own_traffic_free(struct own_traffic *t)
{
    if (!t)
        return;
    if (t->watch)
        g_source_remove(t->watch);
    g_ptr_array_free(t->conversations, TRUE);
    g_ptr_array_free(t->flows, TRUE);
    g_ptr_array_free(t->lookups, TRUE);
    pipeline_free(t->pipeline);
    live_free(t->live);
    g_free(t);
}

gboolean own_traffic_begin(struct own_traffic *t, const char *filter, GError **error)
{
    struct report_options options = { 0 };

    if (!live_set_filter(t->live, filter, error))
        return FALSE;
    t->pipeline = pipeline_new(&keeping, &options, NULL);
    ((struct keeper *)pipeline_writer(t->pipeline))->owner = t;
    t->watch = g_unix_fd_add(live_fd(t->live, 0), G_IO_IN, on_readable, t);
    return TRUE;
}

static gboolean on_late(gpointer user)
{
    *(bool *)user = true;
    return G_SOURCE_REMOVE;
}

void own_traffic_end(struct own_traffic *t)
{
    bool late = false;

    if (!t->pipeline || t->judged)
        return;
    g_timeout_add(LATE_MS, on_late, &late);
    while (!late)
        g_main_context_iteration(NULL, TRUE);
    g_source_remove(t->watch);
    t->watch = 0;
    read_frames(t);
    struct capture_info info = *live_count_drops(t->live);
    info.end_ns = now_ns();
    pipeline_finish(t->pipeline, &info, "any");
    t->judged = true;
}

bool own_traffic_is_judged(const struct own_traffic *t)
{
    return t && t->judged;
}

/* --- what it shows --- */

/* That we close before the server has said all is no trouble. */
static bool is_ours(const struct finding *f)
{
    return f->code == CODE_RESET_BY_CLIENT;
}

static const struct finding *verdict_of(const struct judged_flow *f, unsigned version, const struct addr *server, uint16_t port)
{
    const struct finding *verdict = judgement_verdict(&f->judgement);

    if (f->flow->key.version != version || flow_port(f->flow, SERVER) != port || addr_cmp(flow_addr(f->flow, SERVER), server) != 0)
        return NULL;
    return verdict->status >= STATUS_DEGRADED && !is_ours(verdict) ? verdict : NULL;
}

const struct finding *own_traffic_verdict(const struct own_traffic *t, unsigned version, const struct addr *server, uint16_t port)
{
    const struct finding *worst = NULL;

    for (guint i = 0; t->judged && i < t->flows->len; i++) {
        const struct finding *f = verdict_of(g_ptr_array_index(t->flows, i), version, server, port);
        if (f && (!worst || f->status > worst->status))
            worst = f;
    }
    return worst;
}

void own_traffic_tell(struct own_traffic *t, const struct report_format *format, struct report_writer *w)
{
    g_ptr_array_set_free_func(t->flows, g_free);
    g_ptr_array_set_free_func(t->conversations, NULL);
    g_ptr_array_set_free_func(t->lookups, NULL);
    for (guint i = 0; i < t->lookups->len; i++)
        format->lookup(w, g_ptr_array_index(t->lookups, i));
    for (guint i = 0; i < t->conversations->len; i++)
        format->conversation(w, g_ptr_array_index(t->conversations, i));
    for (guint i = 0; i < t->flows->len; i++)
        format->flow(w, g_ptr_array_index(t->flows, i));
}

void own_traffic_totals(const struct own_traffic *t, struct report *report)
{
    report->capture = pipeline_report(t->pipeline)->capture;
}
