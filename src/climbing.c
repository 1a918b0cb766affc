#include "src/climbing.h"

#include "host/rung_dns.h"
#include "probe/route.h"
#include "src/notice.h"

#include <stdio.h>
#include <unistd.h>

#define STAYS_HERE "the target is this host itself"

/* --- addresses --- */

static void find_way(const struct climbing *c, struct climb_address *a)
{
    struct route r;

    route_find_port(&r, a->version, &a->addr, a->scope, c->target ? c->target->port : 0);
    a->error = r.error;
    a->local = r.local;
    a->has_gateway = r.has_gateway;
    a->gateway = r.gateway;
    a->source = r.source;
    a->link = r.ifindex;
    a->mtu = r.mtu;
    a->cached_mtu = r.cached_mtu;
}

static void add_address(struct climbing *c, uint8_t version, const struct addr *addr, unsigned scope)
{
    struct climb_address a = { .version = version, .addr = *addr, .scope = scope };

    if (c->climb.addresses->len >= LIMIT_PROBE_ADDRESSES) {
        c->more++;
        return;
    }
    find_way(c, &a);
    g_array_append_val(c->climb.addresses, a);
}

/* The rung of names comes before those that have to know where the packets go. An address names itself. */
static void resolve(struct climbing *c)
{
    g_autoptr(GArray) found = g_array_new(FALSE, TRUE, sizeof(struct found_address));
    struct found_address own;
    unsigned scope = 0;

    if (resolver_address(c->target->host, &own.version, &own.addr, &scope)) {
        add_address(c, own.version, &own.addr, scope);
        c->names = step_skip(RUNG_DNS, "the target is an address");
    } else {
        c->climb.is_name = true;
        c->names = rung_dns(&c->climb, found);
    }
    for (guint i = 0; i < found->len; i++) {
        const struct found_address *a = &g_array_index(found, struct found_address, i);
        add_address(c, a->version, &a->addr, 0);
    }
    if (c->climb.addresses->len)
        climb_set_families(&c->climb);
}

/* --- the rungs --- */

static struct rung_step *device(struct climbing *c)
{
    return rung_device(&c->climb);
}

static struct rung_step *driver(struct climbing *c)
{
    return rung_driver(&c->climb);
}

static struct rung_step *rfkill(struct climbing *c)
{
    return rung_rfkill(&c->climb);
}

static struct rung_step *wifi(struct climbing *c)
{
    return rung_wifi(&c->climb);
}

static struct rung_step *link_of(struct climbing *c)
{
    return rung_link(&c->climb);
}

static struct rung_step *address(struct climbing *c)
{
    struct rung_step *s = rung_address(&c->climb);

    climb_own_claims(c, s);
    return s;
}

static struct rung_step *self_ping(struct climbing *c)
{
    return rung_self_ping(&c->climb, c->echo);
}

static struct rung_step *route_default(struct climbing *c)
{
    struct rung_step *s = rung_route_default(&c->climb);

    if (!c->target && s->status == STEP_OK)
        climb_way_back(c, s);
    return s;
}

static struct rung_step *gateway(struct climbing *c)
{
    struct rung_step *s = rung_gateway(&c->climb, c->echo);

    if (s->status == STEP_OK)
        climb_hop_claims(c, s);
    return s;
}

static struct rung_step *route_target(struct climbing *c)
{
    return rung_route_target(&c->climb);
}

static struct rung_step *dns(struct climbing *c)
{
    return g_steal_pointer(&c->names);
}

static struct rung_step *firewall(struct climbing *c)
{
    return rung_firewall(&c->climb, c->rules, c->rules_why);
}

static struct rung_step *connections(struct climbing *c)
{
    return rung_connections(&c->climb);
}

static struct rung_step *counters(struct climbing *c)
{
    g_autoptr(GError) error = NULL;
    struct machine *now = machine_read("", &error);
    struct rung_step *s = now ? rung_counters(&c->climb, now) : step_skip(RUNG_COUNTERS, "%s", error->message);

    machine_free(now);
    return s;
}

/* A ladder: its rungs in their order. */
struct ladder_row {
    enum rung rung;
    climb_fn *climb;
};

#define OF_THIS_HOST                                                                                                   \
    { RUNG_DEVICE, device }, { RUNG_DRIVER, driver }, { RUNG_RFKILL, rfkill }, { RUNG_WIFI, wifi },                    \
        { RUNG_LINK, link_of }, { RUNG_COUNTERS, NULL }, { RUNG_ADDRESS, address }, { RUNG_SELF_PING, self_ping },     \
    {                                                                                                                  \
        RUNG_ROUTE_DEFAULT, route_default                                                                              \
    }

/* The counters' turn is at the end, and their place here. */
static const struct ladder_row client_ladder[] = {
    OF_THIS_HOST,
    { RUNG_GATEWAY, gateway },
    { RUNG_ROUTE_TARGET, route_target },
    { RUNG_DNS, dns },
    { RUNG_PING, climb_ping },
    { RUNG_PATH_MTU, climb_path_mtu },
    { RUNG_PORT, climb_port },
    { RUNG_SERVICE, climb_service },
    { RUNG_FIREWALL, firewall },
    { RUNG_CONNECTIONS, connections },
    { RUNG_TLS, climb_tls },
    { RUNG_APPLICATION, climb_application },
    { RUNGS, NULL },
};

static const struct ladder_row server_ladder[] = {
    OF_THIS_HOST,
    { RUNG_LISTENING, climb_listening },
    { RUNG_LOCAL_CONNECT, climb_local_connect },
    { RUNG_PROCESS, climb_process },
    { RUNG_UNIT, climb_unit },
    { RUNG_FIREWALL, climb_firewall_in },
    { RUNG_LOG, climb_log },
    { RUNGS, NULL },
};

static const struct ladder_row *ladder_of(const struct climbing *c)
{
    return c->target ? client_ladder : server_ladder;
}

/* Where a rung stands; the length of the ladder where it is on another one. */
static unsigned place_of(const struct climbing *c, enum rung rung)
{
    const struct ladder_row *rows = ladder_of(c);
    unsigned i = 0;

    while (rows[i].rung < RUNGS && rows[i].rung != rung)
        i++;
    return i;
}

gboolean climbing_has(const struct climbing *c, enum rung rung)
{
    return ladder_of(c)[place_of(c, rung)].rung < RUNGS;
}

/* What a card does is of no matter to who stays on this host. */
static bool is_of_the_way(enum rung rung)
{
    return rung <= RUNG_ADDRESS || rung == RUNG_ROUTE_DEFAULT || rung == RUNG_GATEWAY;
}

/* Where the next hop does not answer nothing gets any further. */
static bool is_cut_off(const struct climbing *c)
{
    for (guint i = 0; i < c->steps->len; i++) {
        const struct rung_step *s = g_ptr_array_index(c->steps, i);
        if (s->rung == RUNG_GATEWAY && s->status == STEP_BROKEN)
            return true;
    }
    return false;
}

static bool is_sent_to_the_target(enum rung rung)
{
    return rung >= RUNG_PING && rung <= RUNG_APPLICATION && rung != RUNG_FIREWALL && rung != RUNG_CONNECTIONS;
}

/* Why a rung of the way to a target is left out; NULL: it is not. */
static const char *reason(const struct climbing *c, enum rung rung)
{
    if (!c->target)
        return NULL;
    if (is_of_the_way(rung) && climb_stays_here(&c->climb))
        return STAYS_HERE;
    if (rung > RUNG_DNS && c->climb.addresses->len == 0)
        return "the target has no address";
    if (is_sent_to_the_target(rung) && is_cut_off(c))
        return "the next hop does not answer: nothing gets any further";
    return NULL;
}

static struct rung_step *climb_one(struct climbing *c, const struct ladder_row *row)
{
    const char *why = reason(c, row->rung);

    return why ? step_skip(row->rung, "%s", why) : row->climb(c);
}

/* On a terminal, which rung is at work. */
static void show(enum rung rung)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%s ...", rung < RUNGS ? rung_row(rung)->name : "");
}

static void hide(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

/* Whether the options ask for it. */
static bool is_asked_for(const struct climbing *c, enum rung rung)
{
    return c->only < RUNGS ? rung == c->only : place_of(c, rung) <= place_of(c, c->until);
}

/* A name is looked up only where it is asked for, or where something further up goes to the address. */
static bool needs_addresses(const struct climbing *c)
{
    enum rung last = c->only < RUNGS ? c->only : c->until;

    return c->target && place_of(c, last) >= place_of(c, RUNG_GATEWAY);
}

/* The connection comes from the port's rung, what was answered on it from the service's. */
static bool goes_on_from(enum rung rung, enum rung below)
{
    return below == RUNG_PORT ? rung == RUNG_SERVICE || rung == RUNG_TLS || rung == RUNG_APPLICATION
                              : below == RUNG_SERVICE && (rung == RUNG_TLS || rung == RUNG_APPLICATION);
}

/* A rung alone that goes on from others climbs these, too; they are told where they are what is broken. */
static void climb_below(struct climbing *c)
{
    for (const struct ladder_row *row = ladder_of(c); row->rung < RUNGS; row++) {
        struct rung_step *s = goes_on_from(c->only, row->rung) ? climb_one(c, row) : NULL;
        if (s && s->status == STEP_BROKEN)
            g_ptr_array_add(c->steps, s);
        else
            step_free(s);
    }
}

static void climb_all(struct climbing *c)
{
    climb_below(c);
    for (const struct ladder_row *row = ladder_of(c); row->rung < RUNGS && !c->stopped; row++) {
        if (!row->climb || !is_asked_for(c, row->rung))
            continue;
        show(row->rung);
        g_ptr_array_add(c->steps, climb_one(c, row));
        while (g_main_context_iteration(NULL, FALSE))
            ;
    }
}

static void insert_counters(struct climbing *c)
{
    guint at = 0;

    if (!is_asked_for(c, RUNG_COUNTERS) || c->stopped)
        return;
    while (at < c->steps->len && ((const struct rung_step *)g_ptr_array_index(c->steps, at))->rung < RUNG_COUNTERS)
        at++;
    const char *why = reason(c, RUNG_COUNTERS);
    g_ptr_array_insert(c->steps, (gint)at, why ? step_skip(RUNG_COUNTERS, "%s", why) : counters(c));
}

void climbing_run(struct climbing *c)
{
    show(RUNG_DNS);
    if (needs_addresses(c))
        resolve(c);
    climb_all(c);
    climb_packets_end(c);
    climb_join_causes(c);
    climb_settle_consequences(c);
    insert_counters(c);
    hide();
}

/* --- life --- */

/* The way to the client is that of the answers. */
static gboolean add_client(struct climbing *c, GError **error)
{
    struct climb_address a = { 0 };

    if (!c->o->client)
        return TRUE;
    if (!climb_server_client(c, &a, error))
        return FALSE;
    add_address(c, a.version, &a.addr, a.scope);
    climb_set_families(&c->climb);
    return TRUE;
}

static gboolean open_ladder(struct climbing *c, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!c->target)
        return add_client(c, error) && climb_server_open(c, error);
    c->climb.host = c->target->host;
    c->climb.port = c->target->port;
    c->engine = probe_engine_new(0, &why);
    if (!c->engine)
        c->engine_why = g_strdup(why->message);
    c->traffic = own_traffic_open(NULL);
    return TRUE;
}

gboolean climbing_open(struct climbing *c, GError **error)
{
    g_autoptr(GError) why = NULL;

    c->steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);
    c->results = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);
    c->climb.addresses = g_array_new(FALSE, TRUE, sizeof(struct climb_address));
    c->climb.families[0] = c->climb.families[1] = true;
    c->machine = machine_read("", error);
    if (!c->machine)
        return FALSE;
    c->climb.machine = c->machine;
    c->echo = echo_open();
    c->claims = claims_open(NULL);
    c->rules = ruleset_read("", &why);
    if (!c->rules)
        c->rules_why = g_strdup(why->message);
    return open_ladder(c, error);
}

void climbing_clear(struct climbing *c)
{
    if (c->steps)
        g_ptr_array_free(c->steps, TRUE);
    if (c->results)
        g_ptr_array_free(c->results, TRUE);
    if (c->climb.addresses)
        g_array_free(c->climb.addresses, TRUE);
    step_free(c->names);
    climb_server_clear(c);
    own_traffic_free(c->traffic);
    claims_free(c->claims);
    ruleset_free(c->rules);
    g_free(c->rules_why);
    probe_engine_free(c->engine);
    g_free(c->engine_why);
    echo_free(c->echo);
    machine_free(c->machine);
    target_free(c->target);
}
