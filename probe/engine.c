#include "probe/engine.h"

#include "base/limits.h"
#include "dissect/dissector.h"
#include "probe/error.h"
#include "probe/listen.h"
#include "probe/trial.h"
#include "probe/target.h"

#include <errno.h>
#include <glib-unix.h>
#include <time.h>

#define PACE_US (G_USEC_PER_SEC / LIMIT_PROBE_PER_SECOND)
/* How long silence has to last: with no round trip known, and else from it; a loaded host's answer to a ping may take
 * longer than its others. */
#define PATIENCE_UNKNOWN_US (1000 * 1000)
#define PATIENCE_LEAST_US (300 * 1000)
#define PATIENCE_MOST_US (3000 * 1000)
#define FRAMES_AT_ONCE 256

struct probe_engine {
    struct key key;
    struct crafter *crafter;
    struct listener *listener;
    struct dissector *dissector;
    GPtrArray *aims;  /* struct aim* */
    GPtrArray *links; /* struct craft_link*, for each aim; NULL where its neighbours are not asked */
    uint16_t ports;
    unsigned turn; /* whose turn it is to send */
    unsigned sent;
    int64_t next_us; /* no packet leaves before */
    guint watch, timer;
    void (*done)(void *user);
    void *user;
};

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct probe_engine *probe_engine_new(uint64_t seed, GError **error)
{
    struct probe_engine *e = g_new0(struct probe_engine, 1);
    unsigned n = LIMIT_PROBE_TARGETS * PORTS_EACH;

    key_init(&e->key, seed);
    e->ports =
        (uint16_t)(20000 + key_draw(&e->key) % 10000); /* below the ports that the kernel gives out (32768 and up) */
    e->dissector = dissector_new();
    e->aims = g_ptr_array_new_with_free_func((GDestroyNotify)aim_free);
    e->links = g_ptr_array_new();
    e->crafter = crafter_new(error);
    e->listener = e->crafter ? listener_open(e->ports, n, SYN_LOW_SOURCE, error) : NULL;
    if (e->listener)
        return e;
    probe_engine_free(e);
    return NULL;
}

static void quiet(struct probe_engine *e)
{
    if (e->watch)
        g_source_remove(e->watch);
    if (e->timer)
        g_source_remove(e->timer);
    e->watch = e->timer = 0;
}

void probe_engine_free(struct probe_engine *e)
{
    if (!e)
        return;
    quiet(e);
    for (guint i = 0; i < e->links->len; i++)
        craft_link_free(g_ptr_array_index(e->links, i));
    g_ptr_array_free(e->links, TRUE);
    g_ptr_array_free(e->aims, TRUE);
    dissector_free(e->dissector);
    listener_free(e->listener);
    crafter_free(e->crafter);
    g_free(e);
}

static gboolean refuse(GError **error, const struct probe_request *request, const char *why)
{
    char text[ADDR_TEXT_SIZE];

    g_set_error(error, PROBE_ERROR, PROBE_ERROR_TARGET, "%s: %s", addr_text(text, &request->addr, request->version),
                why);
    return FALSE;
}

gboolean probe_engine_add(struct probe_engine *e, const struct probe_request *request, GError **error)
{
    struct craft_link *link = NULL;

    if (target_is_refused(request->version, &request->addr))
        return refuse(error, request, "broadcast, multicast and unspecified addresses are never probed");
    if (e->aims->len >= LIMIT_PROBE_TARGETS)
        return refuse(error, request, "too many targets at a time");
    struct aim *a = aim_new(request, &e->key, (uint16_t)(e->ports + e->aims->len * PORTS_EACH));
    route_find(&a->route, request->version, &request->addr, request->scope);
    if (a->route.broadcast) {
        aim_free(a);
        return refuse(error, request, "it is a broadcast address of a link of this host, and never probed");
    }
    if (a->route.error)
        a->over = true;
    else if (aim_wants(a, PROBE_NEIGHBOR) && a->route.asks_neighbors && !a->route.local)
        link = craft_link_open(a->route.interface, NULL); /* without it the kernel asks, and its ICMP to itself tells */
    g_ptr_array_add(e->aims, a);
    g_ptr_array_add(e->links, link);
    return TRUE;
}

void probe_engine_source(const struct probe_engine *e, unsigned i, char out[ADDR_TEXT_SIZE])
{
    const struct aim *a = g_ptr_array_index(e->aims, i);

    out[0] = '\0';
    if (!a->route.error)
        addr_text(out, &a->route.source, a->request.version);
}

unsigned probe_engine_sent(const struct probe_engine *e)
{
    return e->sent;
}

/* --- sending --- */

static int64_t patience_us(const struct aim *a)
{
    if (a->rtt_ns == TIME_NONE)
        return PATIENCE_UNKNOWN_US;
    return CLAMP(200 * 1000 + 4 * a->rtt_ns / NS_PER_US, PATIENCE_LEAST_US, PATIENCE_MOST_US);
}

static bool is_link_local(const struct aim *a, const struct addr *to)
{
    return a->request.version == 6 && to->bytes[0] == 0xfe && (to->bytes[1] & 0xc0) == 0x80;
}

static int transmit(struct probe_engine *e, const struct trial *r, struct shot *s)
{
    struct aim *a = r->aim;
    struct craft c;

    s->sent_ns = now_ns();
    if (!r->form->build) {
        struct craft_link *link = g_ptr_array_index(e->links, e->turn);
        return link ? craft_link_ask(link, a->request.version, &a->route.source, &r->dst) : ENODEV;
    }
    r->form->build(r, s, &c);
    s->size = s->size ? (uint16_t)c.size : 0;
    return crafter_send(e->crafter, &c, is_link_local(a, &r->dst) ? a->route.ifindex : 0);
}

/* A packet that cannot leave ends its probe, unless it was its size. */
static void send_shot(struct probe_engine *e, struct trial *r, struct shot *s)
{
    struct aim *a = r->aim;

    trial_key(r, s);
    int failure = transmit(e, r, s);
    s->deadline_us = g_get_monotonic_time() + patience_us(a);
    s->state = failure ? SHOT_FAILED : SHOT_SENT;
    s->error = failure;
    g_array_append_val(r->shots, *s);
    if (failure && failure != EMSGSIZE)
        r->done = true;
    if (failure)
        return;
    a->spent++;
    e->sent++;
    e->next_us = g_get_monotonic_time() + PACE_US;
}

enum progress { SENT, WAITING, FINISHED };

static enum progress step_trial(struct probe_engine *e, struct trial *r, int64_t now_us)
{
    struct shot shot = { 0 };

    trial_expire(r, now_us);
    if (now_us < e->next_us)
        return WAITING;
    switch (trial_next(r, &shot)) {
    case NEXT_WAIT: return WAITING;
    case NEXT_DONE: r->done = true; return FINISHED;
    case NEXT_SEND: break;
    }
    send_shot(e, r, &shot);
    return SENT;
}

/* One packet of an address, of the first probe that has one to send. A probe that ends may let others begin. */
static enum progress step_aim(struct probe_engine *e, struct aim *a, int64_t now_us)
{
    bool again = true, waiting = false;

    while (again && !a->over) {
        again = waiting = false;
        for (int kind = 0; kind < PROBE_KINDS; kind++) {
            bool was_done = a->trials[kind] && a->trials[kind]->done;
            if (!aim_begin(a, (enum probe_kind)kind)) {
                again |= !was_done && a->trials[kind] && a->trials[kind]->done;
                continue;
            }
            enum progress p = step_trial(e, a->trials[kind], now_us);
            if (p == SENT)
                return SENT;
            waiting |= p == WAITING;
            again |= p == FINISHED;
        }
    }
    return waiting ? WAITING : FINISHED;
}

/* When to look again: a packet may leave, or the patience with one is over. */
static int64_t wake_us(const struct probe_engine *e, int64_t now_us)
{
    int64_t wake = now_us < e->next_us ? e->next_us : INT64_MAX;

    for (guint i = 0; i < e->aims->len; i++) {
        const struct aim *a = g_ptr_array_index(e->aims, i);
        for (int kind = 0; kind < PROBE_KINDS; kind++) {
            const struct trial *r = a->trials[kind];
            for (guint k = 0; r && !r->done && k < r->shots->len; k++) {
                const struct shot *s = &g_array_index(r->shots, struct shot, k);
                if (s->state == SHOT_SENT)
                    wake = MIN(wake, s->deadline_us);
            }
        }
    }
    return wake == INT64_MAX ? now_us + PACE_US : wake;
}

static gboolean step(void *user);

static void step_later(struct probe_engine *e)
{
    int64_t now_us = g_get_monotonic_time();
    int64_t wait_us = MAX(wake_us(e, now_us) - now_us, 0);

    if (e->timer)
        g_source_remove(e->timer);
    e->timer = g_timeout_add((guint)((wait_us + 999) / 1000), step, e);
}

static void finish(struct probe_engine *e)
{
    quiet(e);
    if (e->done)
        e->done(e->user);
}

/* At most one packet, then waits. */
static gboolean step(void *user)
{
    struct probe_engine *e = user;
    int64_t now_us = g_get_monotonic_time();
    bool waiting = false;

    e->timer = 0;
    for (guint i = 0; i < e->aims->len; i++) {
        e->turn = (e->turn + 1) % e->aims->len;
        enum progress p = step_aim(e, g_ptr_array_index(e->aims, e->turn), now_us);
        waiting |= p != FINISHED;
        if (p == SENT)
            break;
    }
    if (waiting)
        step_later(e);
    else
        finish(e);
    return G_SOURCE_REMOVE;
}

/* --- listening --- */

static void on_frame(void *user, const struct frame *f)
{
    struct probe_engine *e = user;
    struct packet p;

    dissector_frame(e->dissector, f, &p);
    for (guint i = 0; i < e->aims->len; i++)
        if (aim_offer(g_ptr_array_index(e->aims, i), &p))
            return;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
    struct probe_engine *e = user;

    (void)fd;
    (void)condition;
    if (listener_read(e->listener, FRAMES_AT_ONCE, on_frame, e) > 0) {
        if (e->timer)
            g_source_remove(e->timer);
        e->timer = g_idle_add(step, e);
    }
    return G_SOURCE_CONTINUE;
}

void probe_engine_start(struct probe_engine *e, void (*done)(void *user), void *user)
{
    e->done = done;
    e->user = user;
    e->watch = g_unix_fd_add(listener_fd(e->listener), G_IO_IN, on_readable, e);
    e->timer = g_idle_add(step, e);
}

void probe_engine_stop(struct probe_engine *e)
{
    for (guint i = 0; i < e->aims->len; i++) {
        struct aim *a = g_ptr_array_index(e->aims, i);
        for (int kind = 0; kind < PROBE_KINDS; kind++)
            if (a->trials[kind] && a->trials[kind]->started && !a->trials[kind]->done)
                a->trials[kind]->interrupted = a->trials[kind]->done = true;
        a->over = true;
    }
    finish(e);
}

/* --- results --- */

static void add_result(GPtrArray *all, struct probe_result *p, guint way)
{
    p->way = way;
    g_ptr_array_add(all, p);
}

GPtrArray *probe_engine_results(struct probe_engine *e)
{
    GPtrArray *all = g_ptr_array_new();

    for (guint i = 0; i < e->aims->len; i++) {
        const struct aim *a = g_ptr_array_index(e->aims, i);
        if (a->route.error)
            add_result(all, aim_without_route(a), i);
        for (int kind = 0; kind < PROBE_KINDS; kind++)
            if (a->trials[kind] && a->trials[kind]->started)
                add_result(all, trial_conclude(a->trials[kind]), i);
    }
    return all;
}
