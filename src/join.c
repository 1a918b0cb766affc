#include "src/join.h"

#include "base/addr_key.h"
#include "base/limits.h"
#include "diagnose/inquiry.h"
#include "probe/engine.h"
#include "probe/hellos.h"
#include "probe/route.h"
#include "src/join_found.h"
#include "src/join_hosts.h"
#include "src/join_names.h"

/* A round needs about so many packets: with less left of an address's budget none is begun. */
#define ROUND_PACKETS 60

/* A flow that waits to be told what is found. */
struct asker {
    struct found_flow flow;
    struct finding *finding; /* as it was when it asked */
    bool over;
};

/* An end that is asked, with all that is known of it. */
struct asked {
    uint8_t version;
    struct addr addr;
    uint16_t port;
    unsigned wanted;    /* kinds of the round that waits or goes on; 0: none */
    int64_t started_ns; /* of that round: struct found */
    bool has_syn, spent;
    struct probe_syn syn;
    char *name;            /* of the server, in the ClientHello; NULL */
    struct hellos *hellos; /* of the last round; NULL: none */
    struct found *found;   /* of the last round; NULL: none */
    GArray *askers;        /* struct asker; the first LIMIT_JOIN_TOLD of a round */
};

/* A flow that asked. */
struct asking {
    uint64_t id;
    int64_t since_ns; /* struct found_flow */
    struct asked *of;
    struct found *found; /* NULL: not yet, or nothing */
};

struct join {
    struct probe_engine *engine;
    struct join_hooks hooks;
    struct join_hosts *hosts;
    struct join_names *names;
    bool live;           /* the filter's hosts alone, and at once */
    GPtrArray *all;      /* struct asked* */
    GHashTable *of_flow; /* struct asking, by id; LIMIT_JOIN_FLOWS */
    GQueue waiting;      /* struct asked*: the first one is being probed where `target` says so */
    int target;          /* of the engine, being probed; -1: none */
    bool greets;         /* its crafted packets are done, and its ClientHellos go on */
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
    found_unref(a->found);
    g_free(a->name);
    g_array_free(a->askers, TRUE);
    g_free(a);
}

static void asking_free(gpointer p)
{
    found_unref(((struct asking *)p)->found);
    g_free(p);
}

/* --- life --- */

struct join *join_new(const GPtrArray *hosts, GError **error)
{
    struct probe_engine *engine = probe_engine_new(0, error);

    if (!engine)
        return NULL;
    struct join *j = g_new0(struct join, 1);
    j->engine = engine;
    j->target = -1;
    j->live = hosts != NULL;
    j->hosts = join_hosts_new(hosts);
    j->all = g_ptr_array_new_with_free_func(asked_free);
    j->of_flow = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, asking_free);
    join_hosts_prepare(j->hosts, engine);
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
    join_names_free(j->names);
    join_hosts_free(j->hosts);
    probe_engine_free(j->engine);
    g_free(j);
}

static void G_GNUC_PRINTF(2, 3) say(struct join *j, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *line = g_strdup_vprintf(format, args);
    va_end(args);
    j->hooks.say(j->hooks.say_user, line);
}

/* What join_wait waits for may be there. */
static void end_wait(void *user)
{
    struct join *j = user;

    if (j->loop && (j->stopped || (!j->waiting.length && !join_names_wait(j->names))))
        g_main_loop_quit(j->loop);
}

void join_set_hooks(struct join *j, const struct join_hooks *hooks)
{
    j->hooks = *hooks;
    j->names = join_names_new(j->hosts, &j->hooks, end_wait, j);
}

bool join_owns(const struct join *j, const struct packet *p)
{
    if (probe_engine_owns(j->engine, p) || join_names_own(j->names, p))
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

bool join_has_sent(const struct join *j)
{
    return join_sent(j) || join_names_asked(j->names);
}

struct join_names *join_names(const struct join *j)
{
    return j->names;
}

/* --- what may be asked --- */

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
        say(j, "%d rounds of probes were sent: further ones are not", LIMIT_PROBE_TARGETS);
    j->full = true;
}

static bool has_budget(struct join *j, struct asked *a)
{
    if (probe_engine_spent(j->engine, a->version, &a->addr) + ROUND_PACKETS <= LIMIT_PROBE_PACKETS)
        return true;
    char text[ADDR_TEXT_SIZE];
    if (!a->spent)
        say(j, "%s: not probed again, the %d packets that one target gets are nearly spent",
            addr_text(text, &a->addr, a->version), LIMIT_PROBE_PACKETS);
    a->spent = true;
    return false;
}

/* A round of probes, if none is under way. */
static void want(struct join *j, struct asked *a, unsigned kinds)
{
    if (a->wanted || !has_budget(j, a))
        return;
    if (probe_engine_targets(j->engine) + j->waiting.length >= LIMIT_PROBE_TARGETS) {
        say_full(j);
        return;
    }
    a->wanted = kinds;
    g_queue_push_tail(&j->waiting, a);
    begin_later(j);
}

/* The last round serves what broke with it and is told a little later. */
static bool is_fresh(const struct asked *a, unsigned kinds, int64_t since_ns)
{
    return a->found && !(kinds & ~a->found->kinds) && since_ns <= a->found->started_ns &&
           g_get_monotonic_time() - a->found->ended_us < JOIN_FRESH_US;
}

static void tell_askers(struct join *j, struct asked *a);

/* Its answers are there, or a round is to bring them. */
static void note_asker(struct join *j, struct asked *a, const struct asker *asker, unsigned kinds)
{
    struct asking *asking = g_new0(struct asking, 1);

    *asking = (struct asking){ .id = asker->flow.ends.id, .since_ns = asker->flow.since_ns, .of = a };
    g_hash_table_replace(j->of_flow, &asking->id, asking);
    if (a->askers->len < LIMIT_JOIN_TOLD)
        g_array_append_val(a->askers, *asker);
    else
        finding_free(asker->finding);
    if (!a->wanted && is_fresh(a, kinds, asking->since_ns)) {
        asking->found = found_ref(a->found);
        tell_askers(j, a);
        return;
    }
    want(j, a, kinds);
    if (!a->wanted)
        g_array_set_size(a->askers, 0);
}

static void note_over(struct asked *a, uint64_t flow)
{
    for (guint i = 0; i < a->askers->len; i++)
        if (g_array_index(a->askers, struct asker, i).flow.ends.id == flow)
            g_array_index(a->askers, struct asker, i).over = true;
}

/* It asked before, and waits, or knows all that it wants to. */
static bool is_served(const struct asking *before, unsigned kinds)
{
    return before && (before->of->wanted || (before->found && !(kinds & ~before->found->kinds)));
}

void join_ask(struct join *j, const struct flow *f, const struct finding *verdict, bool over)
{
    const struct asking *before = g_hash_table_lookup(j->of_flow, &f->id);
    enum side target;

    if (before && over)
        note_over(before->of, f->id);
    if (j->stopped || !inquiry_kinds(verdict, SERVER) || g_hash_table_size(j->of_flow) >= LIMIT_JOIN_FLOWS ||
        !join_hosts_choose(j->hosts, f, &target))
        return;
    unsigned kinds = inquiry_kinds(verdict, target);
    uint16_t port = target == SERVER ? flow_port(f, SERVER) : 0;
    struct asked *a = find_asked(j, f->key.version, flow_addr(f, target), port);
    if (!kinds || is_served(before, kinds))
        return;
    if (!a)
        a = asked_new(j, f, target);
    a->has_syn = a->has_syn || inquiry_syn(f, &a->syn);
    if (!a->name)
        a->name = g_strdup(inquiry_name(f));
    struct asker asker = { .flow = found_flow_of(f, target), .finding = finding_copy(verdict), .over = over };
    note_asker(j, a, &asker, kinds);
}

bool join_waits(const struct join *j, uint64_t flow)
{
    const struct asking *asking = g_hash_table_lookup(j->of_flow, &flow);

    return asking && !asking->found && asking->of->wanted;
}

/* --- being probed --- */

static void finish_target(struct join *j);

/* What leaves, before it leaves. */
static void announce(struct join *j, const struct asked *a)
{
    char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE];
    const struct asker *first = &g_array_index(a->askers, struct asker, a->askers->len - 1);
    bool sizes = a->wanted & PROBE_BIT(PROBE_ECHO_DF);
    g_autofree char *port = a->port ? g_strdup_printf(" port %u", a->port) : g_strdup("");

    probe_engine_source(j->engine, (unsigned)j->target, from);
    addr_text(to, &a->addr, a->version);
    if (!*from)
        say(j, "%s%s: this host has no route there, nothing is sent", to, port);
    else
        say(j,
            "probing %s%s from %s, because flow %" G_GUINT64_FORMAT
            " broke (%s): %s%sICMP echo%s%s; at most %d packets a second, %d in all",
            to, port, from, first->flow.ends.id, catalogue_row(first->finding->code)->name,
            a->version == 6 ? "neighbour solicitations, " : "ARP, ", a->port ? "SYNs with rising TTL, " : "",
            sizes ? ", packets of rising size" : "", a->wanted & PROBE_BIT(PROBE_TLS) ? ", TLS handshakes" : "",
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

    if (j->stopped || !(a->wanted & PROBE_BIT(PROBE_TLS))) {
        finish_target(j);
        return;
    }
    hellos_free(a->hellos);
    j->greets = true;
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
        .version = a->version, .addr = a->addr, .port = a->port, .kinds = a->wanted, .syn = a->has_syn ? &a->syn : NULL
    };
    if (!probe_engine_add(j->engine, &request, &why)) {
        say(j, "%s", why->message);
        finish_target(j);
        return G_SOURCE_REMOVE;
    }
    j->target = (int)probe_engine_targets(j->engine) - 1;
    a->started_ns = g_get_real_time() * NS_PER_US;
    announce(j, a);
    probe_engine_start(j->engine, on_engine, j);
    return G_SOURCE_REMOVE;
}

/* --- what they found --- */

static void take_results(struct join *j, struct asked *a)
{
    GPtrArray *results = probe_engine_results_of(j->engine, (unsigned)j->target);
    struct route route;

    if (j->greets)
        g_ptr_array_add(results, hellos_result(a->hellos));
    for (guint i = 0; i < results->len; i++) {
        struct probe_result *p = g_ptr_array_index(results, i);
        p->way = (unsigned)j->target;
        j->hooks.probe(j->hooks.user, probe_result_copy(p));
    }
    route_find(&route, a->version, &a->addr, 0);
    found_unref(a->found);
    a->found = found_new(&(struct found){ .results = results,
                                          .source = route.source,
                                          .kinds = a->wanted,
                                          .at_once = j->live,
                                          .started_ns = a->started_ns });
}

/* To all flows that wait for this round, but for those that broke in the middle of it: they may ask again. */
static void share_found(struct join *j, struct asked *a)
{
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, j->of_flow);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        struct asking *asking = value;
        if (asking->of == a && !asking->found && asking->since_ns <= a->started_ns)
            asking->found = found_ref(a->found);
    }
}

static void tell_askers(struct join *j, struct asked *a)
{
    for (guint i = 0; i < a->askers->len; i++) {
        struct asker *asker = &g_array_index(a->askers, struct asker, i);
        if (asker->flow.since_ns > a->found->started_ns)
            continue;
        found_amend(a->found, &asker->flow, asker->finding);
        if (finding_detail(asker->finding, "probe"))
            j->hooks.amended(j->hooks.user, &asker->flow.ends, asker->finding, asker->over);
    }
    g_array_set_size(a->askers, 0);
}

/* The one that is being probed, or may not be, is over. */
static void finish_target(struct join *j)
{
    struct asked *a = g_queue_pop_head(&j->waiting);

    if (j->target >= 0) {
        take_results(j, a);
        share_found(j, a);
        tell_askers(j, a);
    }
    g_array_set_size(a->askers, 0);
    a->wanted = 0;
    j->target = -1;
    j->greets = false;
    begin_later(j);
    if (j->waiting.length)
        return;
    j->hooks.settled(j->hooks.user);
    end_wait(j);
}

void join_amend(const struct join *j, const struct flow *f, struct finding *verdict)
{
    const struct asking *asking = g_hash_table_lookup(j->of_flow, &f->id);

    if (!asking || !asking->found || !inquiry_kinds(verdict, SERVER))
        return;
    bool server = addr_cmp(&asking->of->addr, flow_addr(f, SERVER)) == 0;
    struct found_flow of = found_flow_of(f, server ? SERVER : CLIENT);
    found_amend(asking->found, &of, verdict);
}

/* --- the end --- */

void join_wait(struct join *j)
{
    if ((!j->waiting.length && !join_names_wait(j->names)) || j->stopped)
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
    if (j->greets) {
        hellos_stop(a->hellos);
        finish_target(j);
    } else if (j->target >= 0) {
        probe_engine_stop(j->engine); /* ends in finish_target */
    }
    while (j->waiting.length)
        finish_target(j);
    join_names_stop(j->names);
    end_wait(j);
}
