/* climb_server: the ladder of a service that runs on this host. */
#include "src/climbing.h"

#include "base/limits.h"
#include "host/resolvers.h"
#include "probe/route.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>

/* A number, or a name of /etc/services. 0 and *error where it is neither. */
uint16_t climb_port_number(const char *text, GError **error)
{
    char *end = NULL;
    unsigned long value = strtoul(text, &end, 10);

    if (g_ascii_isdigit(*text) && !*end && value >= 1 && value <= UINT16_MAX)
        return (uint16_t)value;
    const struct servent *s = getservbyname(text, "tcp");
    if (s)
        return ntohs((uint16_t)s->s_port);
    g_set_error(error, OPTIONS_ERROR, 0,
                "%s: no port: give a number from 1 to 65535, or a name that /etc/services has for TCP", text);
    return 0;
}

/* --- what takes rights --- */

static void add_unit(struct climbing *c, struct sd_bus *bus, const char *name)
{
    for (guint i = 0; i < c->units->len; i++)
        if (g_str_equal(((const struct unit *)g_ptr_array_index(c->units, i))->name, name))
            return;
    struct unit *u = unit_read(bus, name);
    if (u && u->loaded)
        g_ptr_array_add(c->units, u);
    else
        unit_free(u);
}

/* Those of the processes; where nobody listens, those that usually would. */
static void read_units(struct climbing *c)
{
    g_autoptr(GError) why = NULL;
    struct sd_bus *bus = unit_bus(&why);

    if (!bus) {
        c->units_why = g_strdup(why->message);
        return;
    }
    c->units = g_ptr_array_new_with_free_func((GDestroyNotify)unit_free);
    for (guint i = 0; i < c->service->processes->len; i++) {
        const struct process *p = g_ptr_array_index(c->service->processes, i);
        if (p->unit)
            add_unit(c, bus, p->unit);
    }
    for (const char *const *name = unit_names_of_port(c->service->port); c->service->listeners->len == 0 && *name;
         name++)
        add_unit(c, bus, *name);
    unit_bus_close(bus);
}

/* The kernel knows best what is local: addresses of interfaces, and routes that make whole nets so. */
static void find_elsewhere(struct service *s)
{
    for (guint i = 0; i < s->listeners->len; i++) {
        struct host_socket *l = &g_array_index(s->listeners, struct host_socket, i);
        struct route r;
        if (socket_is_everywhere(l) || socket_is_local(l))
            continue;
        route_find(&r, l->version, &l->local, l->link);
        l->elsewhere = !r.local;
    }
}

gboolean climb_server_open(struct climbing *c, GError **error)
{
    c->service = service_read("", c->climb.port, error);
    if (!c->service)
        return FALSE;
    find_elsewhere(c->service);
    read_units(c);
    c->logs = logs_read("", c->service, c->units, c->o->client, &c->logs_why);
    return TRUE;
}

void climb_server_clear(struct climbing *c)
{
    service_free(c->service);
    if (c->units)
        g_ptr_array_free(c->units, TRUE);
    if (c->logs)
        g_ptr_array_free(c->logs, TRUE);
    g_free(c->units_why);
    g_free(c->logs_why);
}

/* --- the rungs --- */

struct rung_step *climb_listening(struct climbing *c)
{
    return rung_listening(&c->climb, c->service);
}

struct rung_step *climb_process(struct climbing *c)
{
    return rung_process(c->service);
}

struct rung_step *climb_unit(struct climbing *c)
{
    return rung_unit(c->service, c->units, c->units_why);
}

struct rung_step *climb_firewall_in(struct climbing *c)
{
    return rung_firewall_in(&c->climb, c->rules, c->rules_why, c->o->client);
}

struct rung_step *climb_log(struct climbing *c)
{
    return rung_log(c->logs, c->o->client, c->logs_why);
}

void climb_way_back(struct climbing *c, struct rung_step *s)
{
    const struct climb_address *client = climb_client(&c->climb);

    if (client && client->error) {
        route_blame(s, client, false);
        return;
    }
    g_autoptr(RungStep) hop = rung_gateway(&c->climb, c->echo);
    if (hop->status == STEP_OK)
        climb_hop_claims(c, hop);
    if (hop->status != STEP_SKIPPED)
        step_note(s, "%s", hop->text);
    const char *to_do = step_what_to_do(hop);
    if (!hop->finding)
        return;
    step_blame(s, g_steal_pointer(&hop->finding));
    if (to_do)
        step_remedy(s, "%s", to_do);
}

/* Where a listener is reached from this host: everywhere is the loopback, too. */
static struct probe_request request_of(const struct host_socket *l)
{
    static const uint8_t zero[16], four[4] = { 127, 0, 0, 1 }, six[16] = { [15] = 1 };
    struct probe_request r = { .version = l->version, .addr = l->local, .scope = l->link, .port = l->local_port };

    if (l->version == 4 && memcmp(l->local.bytes + 12, zero, 4) == 0)
        r.addr = addr_v4(four);
    if (l->version == 6 && memcmp(l->local.bytes, zero, 16) == 0)
        r.addr = addr_v6(six);
    return r;
}

static void connect_all(struct climbing *c)
{
    struct probe_request requests[LIMIT_PROBE_ADDRESSES];
    unsigned ways[LIMIT_PROBE_ADDRESSES], n = 0;

    for (guint i = 0; i < c->service->listeners->len && n < LIMIT_PROBE_ADDRESSES; i++) {
        const struct host_socket *l = &g_array_index(c->service->listeners, struct host_socket, i);
        if (l->elsewhere) /* a connection would leave this host */
            continue;
        requests[n] = request_of(l);
        ways[n++] = i;
    }
    climb_connect(c, requests, ways, n, false);
}

static struct finding *failure(const struct probe_result *r)
{
    char text[ADDR_TEXT_SIZE];

    addr_text(text, &r->target, r->version);
    if (r->outcome == OUTCOME_REFUSED)
        return finding_new(CODE_SYN_REFUSED, WHERE_SERVER, "%s port %u refuses a connection from this host.", text,
                           r->port);
    return finding_new(CODE_SYN_UNANSWERED, WHERE_SERVER,
                       "%s port %u does not accept a connection from this host (%s).", text, r->port,
                       r->note ? r->note : "no answer");
}

struct rung_step *climb_local_connect(struct climbing *c)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char text[ADDR_TEXT_SIZE];

    if (c->service->listeners->len == 0)
        return step_skip(RUNG_LOCAL_CONNECT, "nobody listens");
    const struct host_link *loopback = machine_loopback(c->machine);
    if (!loopback || !(loopback->flags & IFF_UP))
        return step_skip(RUNG_LOCAL_CONNECT,
                         "the loopback interface is not brought up: this host does not reach itself");
    connect_all(c);
    if (c->results->len == 0)
        return step_skip(RUNG_LOCAL_CONNECT, "no listener is on an address of this host");
    struct rung_step *s = step_new(RUNG_LOCAL_CONNECT, "%s", "");
    for (guint i = 0; i < c->results->len; i++) {
        const struct probe_result *r = g_ptr_array_index(c->results, i);
        bool open = r->outcome == OUTCOME_OPEN;
        g_string_append_printf(out, "%s%s %s", i ? "; " : "", addr_text(text, &r->target, r->version),
                               open ? "accepts" : "does not accept");
        if (!open) {
            step_blame(s, failure(r));
            step_remedy(s, "ss -ltnp 'sport = :%u'; nft -a list ruleset; does the program accept at all?", r->port);
        }
    }
    g_free(s->text);
    s->text = g_string_free(g_steal_pointer(&out), FALSE);
    step_evidence(s, "a TCP connection to each listening address");
    return s;
}

/* The client of --client, as the address that the answers go to. */
gboolean climb_server_client(struct climbing *c, struct climb_address *out, GError **error)
{
    if (resolver_address(c->o->client, &out->version, &out->addr, &out->scope))
        return TRUE;
    g_set_error(error, OPTIONS_ERROR, 0, "--client %s: give the client's address, as the server's log has it",
                c->o->client);
    return FALSE;
}
