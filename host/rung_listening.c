/* listening: who listens on the port, where, and whether connections wait in vain. */
#include "host/rung_server.h"

static char *place_of(const struct host_socket *l)
{
    char text[ADDR_TEXT_SIZE];

    addr_text(text, &l->local, l->version);
    return g_strdup_printf(l->version == 6 ? "[%s]:%u" : "%s:%u", text, l->local_port);
}

/* The families that clients from outside may use. */
static bool serves(const struct service *s, unsigned version)
{
    for (guint i = 0; i < s->listeners->len; i++) {
        const struct host_socket *l = &g_array_index(s->listeners, struct host_socket, i);
        if (!socket_is_local(l) &&
            (l->version == version || (version == 4 && l->version == 6 && !l->only_v6 && socket_is_everywhere(l))))
            return true;
    }
    return false;
}

/* A client of a family for which nobody listens; else the families are told. */
static void check_families(struct rung_step *step, const struct climb *c, const struct service *s)
{
    const struct climb_address *client = climb_client(c);
    char text[ADDR_TEXT_SIZE];

    for (unsigned version = 4; version <= 6; version += 2) {
        if (!machine_has_address(c->machine, version) || serves(s, version))
            continue;
        g_autofree char *where = g_steal_pointer(&step->text);
        step->text = g_strdup_printf("%s; nobody listens for IPv%u", where, version);
        if (!client || client->version != version)
            continue;
        step_blame(step, finding_new(CODE_NOT_LISTENING, WHERE_SERVER,
                                     "Nobody listens on port %u for IPv%u, and the client %s comes by IPv%u.", s->port,
                                     version, addr_text(text, &client->addr, version), version));
        step_remedy(step, "let the service listen on %s too, and restart it; then: ss -ltn 'sport = :%u'",
                    version == 6 ? "[::]" : "0.0.0.0", s->port);
    }
}

/* An address that was taken away from the interface, or that a partner of a cluster has at the moment. */
static void check_addresses(struct rung_step *step, const struct service *s)
{
    const struct host_socket *lost = NULL;
    bool any = false;

    for (guint i = 0; i < s->listeners->len; i++) {
        const struct host_socket *l = &g_array_index(s->listeners, struct host_socket, i);
        lost = l->elsewhere ? l : lost;
        any |= !l->elsewhere && !socket_is_local(l);
    }
    if (!lost)
        return;
    g_autofree char *place = place_of(lost);
    struct finding *f = finding_new(CODE_NO_ADDRESS, WHERE_SERVER,
                                    "The service listens on %s, an address that this host does not have.", place);
    if (any)
        f->status = STATUS_DEGRADED;
    step_blame(step, f);
    step_remedy(step, "ip -br address; ip address add ADDRESS/LENGTH dev IFACE, or give the service one that is there");
}

/* Several sockets of one address share its connections (SO_REUSEPORT). */
static void note_groups(struct rung_step *step, const struct service *s)
{
    for (guint i = 0; i < s->listeners->len; i++) {
        const struct host_socket *l = &g_array_index(s->listeners, struct host_socket, i);
        unsigned same = 0, before = 0;
        for (guint k = 0; k < s->listeners->len; k++) {
            const struct host_socket *other = &g_array_index(s->listeners, struct host_socket, k);
            bool alike = other->version == l->version && addr_cmp(&other->local, &l->local) == 0;
            same += alike;
            before += alike && k < i;
        }
        g_autofree char *place = place_of(l);
        if (same > 1 && before == 0)
            step_note(step, "%u sockets share %s (SO_REUSEPORT): each has a queue of its own", same, place);
    }
}

/* The kernel takes one more than the backlog. */
static void check_queue(struct rung_step *step, const struct host_socket *l)
{
    g_autofree char *place = place_of(l);

    step_note(step, "%s: %u of %u connections wait to be accepted", place, l->received, l->sent);
    if (l->received <= l->sent || l->sent == 0)
        return;
    struct finding *f = finding_new(CODE_ACCEPT_QUEUE_FULL, WHERE_SERVER,
                                    "The queue of %s is full: %u connections wait to be accepted, %u may.", place,
                                    l->received, l->sent);
    finding_detail_number(f, "waiting", l->received);
    finding_detail_number(f, "backlog", l->sent);
    step_blame(step, f);
    step_remedy(step,
                "ss -ltnp 'sport = :%u'; look why the program does not accept; raise its backlog and: sysctl -w "
                "net.core.somaxconn=4096",
                l->local_port);
}

static struct rung_step *nobody(const struct service *s)
{
    struct rung_step *step = step_new(RUNG_LISTENING, "nobody listens on port %u", s->port);

    step_blame(step,
               finding_new(CODE_NOT_LISTENING, WHERE_SERVER, "No socket of this host listens on port %u.", s->port));
    step_remedy(step,
                "ss -ltnp: who listens where? Then: systemctl start SERVICE, or correct the port in its configuration");
    return step;
}

static bool all_local(const struct service *s)
{
    for (guint i = 0; i < s->listeners->len; i++)
        if (!socket_is_local(&g_array_index(s->listeners, struct host_socket, i)))
            return false;
    return true;
}

static char *places(const struct service *s)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (guint i = 0; i < s->listeners->len && i < 8; i++) {
        g_autofree char *place = place_of(&g_array_index(s->listeners, struct host_socket, i));
        if (!strstr(out->str, place))
            g_string_append_printf(out, "%s%s", i ? ", " : "", place);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

struct rung_step *rung_listening(const struct climb *c, const struct service *s)
{
    if (s->listeners->len == 0)
        return nobody(s);
    g_autofree char *where = places(s);
    struct rung_step *step = step_new(RUNG_LISTENING, "%s", where);
    if (all_local(s)) {
        step_blame(step, finding_new(CODE_LISTENING_LOCALLY_ONLY, WHERE_SERVER,
                                     "Port %u is held on the loopback only (%s).", s->port, where));
        step_remedy(step,
                    "set the address in the service's configuration to 0.0.0.0 and [::], and restart it; then: ss -ltn "
                    "'sport = :%u'",
                    s->port);
    } else {
        check_families(step, c, s);
        check_addresses(step, s);
    }
    for (guint i = 0; i < s->listeners->len; i++)
        check_queue(step, &g_array_index(s->listeners, struct host_socket, i));
    note_groups(step, s);
    if (s->overflows || s->drops)
        step_note(step,
                  "since this host started its listeners have let %" G_GUINT64_FORMAT
                  " connections overflow and dropped %" G_GUINT64_FORMAT " (all ports together)",
                  s->overflows, s->drops);
    step_evidence(step, "the kernel's listening sockets (sock_diag), /proc/net/netstat");
    return step;
}
