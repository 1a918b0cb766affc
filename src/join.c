#include "src/join.h"

#include "base/addr_key.h"
#include "base/limits.h"
#include "diagnose/amend.h"
#include "diagnose/inquiry.h"
#include "probe/engine.h"
#include "probe/hellos.h"
#include "probe/route.h"

#include <arpa/inet.h>
#include <string.h>

/* How long after the probes a flow that breaks may still be explained by them; later they are sent again. */
#define FRESH_US (60 * G_USEC_PER_SEC)

/* A flow that asked. */
struct asker {
    struct flow ends;        /* id, key and client_is_high alone */
    struct finding *finding; /* as it was when it asked */
    enum side target;
    bool reset_by_target, over;
};

/* An end that is asked, with all that is known of it. */
struct asked {
    uint8_t version;
    struct addr addr;
    uint16_t port;
    struct addr source; /* where the probes left from */
    unsigned kinds;     /* asked for so far */
    unsigned missing;   /* to be asked next; not 0: it waits, or is being probed */
    bool has_syn;
    struct probe_syn syn;
    char *name;            /* of the server, in the ClientHello; NULL */
    struct hellos *hellos; /* NULL: not begun */
    int64_t ended_us;      /* monotonic; 0: never */
    GPtrArray *results;    /* struct probe_result*, one of a kind */
    GArray *askers;        /* struct asker; the first LIMIT_JOIN_TOLD */
};

struct join {
    struct probe_engine *engine;
    struct join_hooks hooks;
    GArray *hosts;       /* struct addr; NULL: all */
    GPtrArray *all;      /* struct asked* */
    GHashTable *of_flow; /* id -> struct asked*; LIMIT_JOIN_FLOWS */
    GQueue waiting;      /* struct asked*: the first one is being probed where `target` says so */
    int target;          /* of the engine, being probed; -1: none */
    guint idle;
    bool stopped, full;
    GMainLoop *loop; /* of join_wait */
};

static void asker_clear(gpointer p)
{
    finding_free(((struct asker *)p)->finding);
}

static void asked_free(gpointer p)
{
    struct asked *a = p;

    hellos_free(a->hellos);
    g_free(a->name);
    g_ptr_array_free(a->results, TRUE);
    g_array_free(a->askers, TRUE);
    g_free(a);
}

/* --- life --- */

static GArray *read_hosts(const GPtrArray *hosts)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(struct addr));

    for (guint i = 0; i < hosts->len; i++) {
        uint8_t bytes[16];
        struct addr a;
        if (inet_pton(AF_INET, g_ptr_array_index(hosts, i), bytes) == 1)
            a = addr_v4(bytes);
        else if (inet_pton(AF_INET6, g_ptr_array_index(hosts, i), bytes) == 1)
            a = addr_v6(bytes);
        else
            continue;
        g_array_append_val(all, a);
    }
    return all;
}

static bool is_v4(const struct addr *a)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

struct join *join_new(const GPtrArray *hosts, GError **error)
{
    struct probe_engine *engine = probe_engine_new(0, error);

    if (!engine)
        return NULL;
    struct join *j = g_new0(struct join, 1);
    j->engine = engine;
    j->target = -1;
    j->hosts = hosts ? read_hosts(hosts) : NULL;
    j->all = g_ptr_array_new_with_free_func(asked_free);
    j->of_flow = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    if (!j->hosts)
        probe_engine_prepare_all(engine);
    for (guint i = 0; j->hosts && i < j->hosts->len; i++) {
        const struct addr *a = &g_array_index(j->hosts, struct addr, i);
        probe_engine_prepare(engine, is_v4(a) ? 4 : 6, a);
    }
    return j;
}

void join_free(struct join *j)
{
    if (!j)
        return;
    if (j->idle)
        g_source_remove(j->idle);
    g_queue_clear(&j->waiting);
    g_hash_table_destroy(j->of_flow);
    g_ptr_array_free(j->all, TRUE);
    if (j->hosts)
        g_array_free(j->hosts, TRUE);
    probe_engine_free(j->engine);
    g_free(j);
}

void join_set_hooks(struct join *j, const struct join_hooks *hooks)
{
    j->hooks = *hooks;
}

bool join_owns(const struct join *j, const struct packet *p)
{
    if (probe_engine_owns(j->engine, p))
        return true;
    for (guint i = 0; i < j->all->len; i++) {
        const struct asked *a = g_ptr_array_index(j->all, i);
        if (a->hellos && hellos_own(a->hellos, p))
            return true;
    }
    return false;
}

unsigned join_sent(const struct join *j)
{
    return probe_engine_sent(j->engine);
}

static void G_GNUC_PRINTF(2, 3) say(struct join *j, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    j->hooks.say(j->hooks.say_user, line);
}

/* --- what may be asked --- */

static bool is_named(const struct join *j, const struct addr *a)
{
    for (guint i = 0; j->hosts && i < j->hosts->len; i++)
        if (addr_cmp(&g_array_index(j->hosts, struct addr, i), a) == 0)
            return true;
    return !j->hosts;
}

/* This host itself is not probed. */
static bool is_elsewhere(unsigned version, const struct addr *a)
{
    struct route r;

    route_find(&r, version, a, 0);
    return r.error || (!r.local && !r.broadcast);
}

/* The end of the flow to ask: the server, or else, where the filter names it, the client. */
static bool choose_target(const struct join *j, const struct flow *f, enum side *target)
{
    for (int s = SERVER; s >= CLIENT; s--) {
        const struct addr *a = flow_addr(f, (enum side)s);
        if ((s == SERVER || j->hosts) && is_named(j, a) && is_elsewhere(f->key.version, a)) {
            *target = (enum side)s;
            return true;
        }
    }
    return false;
}

static struct asked *find_asked(const struct join *j, unsigned version, const struct addr *addr, uint16_t port)
{
    for (guint i = 0; i < j->all->len; i++) {
        struct asked *a = g_ptr_array_index(j->all, i);
        if (a->version == version && a->port == port && addr_cmp(&a->addr, addr) == 0)
            return a;
    }
    return NULL;
}

static struct asked *asked_new(struct join *j, const struct flow *f, enum side target)
{
    struct asked *a = g_new0(struct asked, 1);

    a->version = f->key.version;
    a->addr = *flow_addr(f, target);
    a->port = target == SERVER ? flow_port(f, SERVER) : 0;
    a->results = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);
    a->askers = g_array_new(FALSE, FALSE, sizeof(struct asker));
    g_array_set_clear_func(a->askers, asker_clear);
    g_ptr_array_add(j->all, a);
    return a;
}

/* --- asking --- */

static gboolean begin(void *user);

static void begin_later(struct join *j)
{
    if (!j->idle && j->target < 0 && !j->stopped)
        j->idle = g_idle_add(begin, j);
}

static void say_full(struct join *j)
{
    if (!j->full)
        say(j, "more than %d targets broke: further ones are not probed", LIMIT_PROBE_TARGETS);
    j->full = true;
}

/* Has what is missing asked, if anything is. */
static void want(struct join *j, struct asked *a, unsigned kinds)
{
    bool old = a->ended_us && g_get_monotonic_time() - a->ended_us > FRESH_US;

    if (a->missing) /* being probed, or about to be */
        return;
    a->missing = old ? kinds : kinds & ~a->kinds;
    if (!a->missing)
        return;
    if (probe_engine_targets(j->engine) + j->waiting.length >= LIMIT_PROBE_TARGETS) {
        a->missing = 0;
        say_full(j);
        return;
    }
    g_queue_push_tail(&j->waiting, a);
    begin_later(j);
}

static void note_asker(struct join *j, struct asked *a, const struct flow *f, const struct finding *verdict,
                       enum side target, bool over)
{
    struct asker asker = { .ends = { .id = f->id, .key = f->key, .client_is_high = f->client_is_high },
                           .target = target,
                           .over = over,
                           .reset_by_target = f->reset.packet && f->reset.by == target };
    uint64_t *id = g_memdup2(&f->id, sizeof f->id);

    g_hash_table_insert(j->of_flow, id, a);
    if (a->askers->len >= LIMIT_JOIN_TOLD)
        return;
    asker.finding = finding_copy(verdict);
    g_array_append_val(a->askers, asker);
}

static void note_over(struct asked *a, uint64_t flow)
{
    for (guint i = 0; i < a->askers->len; i++)
        if (g_array_index(a->askers, struct asker, i).ends.id == flow)
            g_array_index(a->askers, struct asker, i).over = true;
}

void join_ask(struct join *j, const struct flow *f, const struct finding *verdict, bool over)
{
    enum side target;
    struct asked *before = g_hash_table_lookup(j->of_flow, &f->id);

    if (before && over)
        note_over(before, f->id);
    if (j->stopped || !inquiry_kinds(verdict, SERVER) || g_hash_table_size(j->of_flow) >= LIMIT_JOIN_FLOWS ||
        (before && before->missing) || !choose_target(j, f, &target))
        return;
    unsigned kinds = inquiry_kinds(verdict, target);
    uint16_t port = target == SERVER ? flow_port(f, SERVER) : 0;
    struct asked *a = find_asked(j, f->key.version, flow_addr(f, target), port);
    if (before ? !(kinds & ~before->kinds) : !kinds)
        return;
    if (!a)
        a = asked_new(j, f, target);
    a->has_syn = a->has_syn || inquiry_syn(f, &a->syn);
    if (!a->name)
        a->name = g_strdup(inquiry_name(f));
    note_asker(j, a, f, verdict, target, over);
    want(j, a, kinds);
}

bool join_waits(const struct join *j, uint64_t flow)
{
    const struct asked *a = g_hash_table_lookup(j->of_flow, &flow);

    return a && a->missing;
}

/* --- being probed --- */

static void finish_target(struct join *j);

/* What leaves, before it leaves. */
static void announce(struct join *j, const struct asked *a)
{
    char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE];
    const struct asker *first = &g_array_index(a->askers, struct asker, a->askers->len - 1);
    bool sizes = a->missing & PROBE_BIT(PROBE_ECHO_DF);
    g_autofree char *port = a->port ? g_strdup_printf(" port %u", a->port) : g_strdup("");

    probe_engine_source(j->engine, (unsigned)j->target, from);
    addr_text(to, &a->addr, a->version);
    if (!*from)
        say(j, "%s%s: this host has no route there, nothing is sent", to, port);
    else
        say(j,
            "probing %s%s from %s, because flow %" G_GUINT64_FORMAT
            " broke (%s): %s%sICMP echo%s%s; at most %d packets a second, %d in all",
            to, port, from, first->ends.id, catalogue_row(first->finding->code)->name,
            a->version == 6 ? "neighbour solicitations, " : "ARP, ", a->port ? "SYNs with rising TTL, " : "",
            sizes ? ", packets of rising size" : "", a->missing & PROBE_BIT(PROBE_TLS) ? ", TLS handshakes" : "",
            LIMIT_PROBE_PER_SECOND, LIMIT_PROBE_PACKETS);
}

static void on_hellos(void *user)
{
    finish_target(user);
}

/* What the kernel's own connections can say comes behind the crafted packets. */
static void on_engine(void *user)
{
    struct join *j = user;
    struct asked *a = g_queue_peek_head(&j->waiting);
    struct probe_request request = { .version = a->version, .addr = a->addr, .port = a->port, .name = a->name };

    if (j->stopped || !(a->missing & PROBE_BIT(PROBE_TLS))) {
        finish_target(j);
        return;
    }
    hellos_free(a->hellos);
    a->hellos = hellos_start(&request, on_hellos, j);
}

/* The next one that waits. One that may not be probed is told with the reason. */
static gboolean begin(void *user)
{
    struct join *j = user;
    struct asked *a = g_queue_peek_head(&j->waiting);
    g_autoptr(GError) why = NULL;

    j->idle = 0;
    if (!a)
        return G_SOURCE_REMOVE;
    struct probe_request request = {
        .version = a->version, .addr = a->addr, .port = a->port, .kinds = a->missing, .syn = a->has_syn ? &a->syn : NULL
    };
    if (!probe_engine_add(j->engine, &request, &why)) {
        say(j, "%s", why->message);
        finish_target(j);
        return G_SOURCE_REMOVE;
    }
    struct route route;
    route_find(&route, a->version, &a->addr, 0);
    a->source = route.source;
    j->target = (int)probe_engine_targets(j->engine) - 1;
    announce(j, a);
    probe_engine_start(j->engine, on_engine, j);
    return G_SOURCE_REMOVE;
}

/* --- what they found --- */

static void forget_kind(GPtrArray *results, enum probe_kind kind)
{
    for (guint i = 0; i < results->len; i++)
        if (((struct probe_result *)g_ptr_array_index(results, i))->kind == kind)
            g_ptr_array_remove_index(results, i--);
}

static void take_results(struct join *j, struct asked *a)
{
    g_autoptr(GPtrArray) found = probe_engine_results_of(j->engine, (unsigned)j->target);

    if (a->hellos && a->missing & PROBE_BIT(PROBE_TLS))
        g_ptr_array_add(found, hellos_result(a->hellos));
    for (guint i = 0; i < found->len; i++) {
        struct probe_result *p = g_ptr_array_index(found, i);
        forget_kind(a->results, p->kind);
        p->way = (unsigned)j->target;
        j->hooks.probe(j->hooks.user, probe_result_copy(p));
        p->way = 0; /* they are of one address */
        g_ptr_array_add(a->results, probe_result_copy(p));
    }
    probe_results_sort(a->results);
}

static void amend(const struct join *j, const struct asked *a, const struct flow *ends, enum side target,
                  bool reset_by_target, struct finding *f)
{
    struct amend_view view = { .target = target,
                               .at_other_end = addr_cmp(&a->source, flow_addr(ends, other_side(target))) == 0,
                               .at_once = j->hosts != NULL,
                               .reset_by_target = reset_by_target };

    finding_amend(f, &view, a->results);
}

static void tell_askers(struct join *j, struct asked *a)
{
    for (guint i = 0; i < a->askers->len; i++) {
        struct asker *asker = &g_array_index(a->askers, struct asker, i);
        amend(j, a, &asker->ends, asker->target, asker->reset_by_target, asker->finding);
        if (finding_detail(asker->finding, "probe"))
            j->hooks.amended(j->hooks.user, &asker->ends, asker->finding, asker->over);
    }
    g_array_set_size(a->askers, 0);
}

/* The one that is being probed, or may not be, is over. */
static void finish_target(struct join *j)
{
    struct asked *a = g_queue_pop_head(&j->waiting);

    if (j->target >= 0) {
        a->ended_us = g_get_monotonic_time();
        take_results(j, a);
        tell_askers(j, a);
    }
    a->kinds |= a->missing;
    a->missing = 0;
    j->target = -1;
    begin_later(j);
    if (j->waiting.length)
        return;
    j->hooks.settled(j->hooks.user);
    if (j->loop)
        g_main_loop_quit(j->loop);
}

void join_amend(const struct join *j, const struct flow *f, struct finding *verdict)
{
    const struct asked *a = g_hash_table_lookup(j->of_flow, &f->id);
    enum side target = CLIENT;

    if (!a || !a->results->len || !inquiry_kinds(verdict, SERVER))
        return;
    if (addr_cmp(&a->addr, flow_addr(f, SERVER)) == 0)
        target = SERVER;
    amend(j, a, f, target, f->reset.packet && f->reset.by == target, verdict);
}

/* --- the end --- */

void join_wait(struct join *j)
{
    if (!j->waiting.length || j->stopped)
        return;
    j->loop = g_main_loop_new(NULL, FALSE);
    g_main_loop_run(j->loop);
    g_clear_pointer(&j->loop, g_main_loop_unref);
}

void join_stop(struct join *j)
{
    if (j->stopped)
        return;
    j->stopped = true;
    if (j->idle)
        g_source_remove(j->idle);
    j->idle = 0;
    struct asked *a = g_queue_peek_head(&j->waiting);
    if (j->target >= 0 && a->hellos && a->missing & PROBE_BIT(PROBE_TLS)) {
        hellos_stop(a->hellos);
        finish_target(j);
    } else if (j->target >= 0) {
        probe_engine_stop(j->engine); /* ends in finish_target */
    }
    while (j->waiting.length)
        finish_target(j);
}
