/* route_default: one for the family that is needed, over an interface that works, unless the target is on a link. */
#include "host/climb.h"

#include <linux/rtnetlink.h>

static bool works(const struct climb *c, const struct host_route *r)
{
    return r->type == RTN_UNICAST && !r->dead && link_works(machine_link(c->machine, r->link));
}

static char *describe(const struct climb *c, const struct host_route *r)
{
    char text[ADDR_TEXT_SIZE];
    g_autoptr(GString) out = g_string_new(r->version == 6 ? "IPv6" : "IPv4");

    if (r->type == RTN_BLACKHOLE || r->type == RTN_UNREACHABLE || r->type == RTN_PROHIBIT)
        g_string_append_printf(out, ": %s",
                               r->type == RTN_BLACKHOLE  ? "blackhole"
                               : r->type == RTN_PROHIBIT ? "prohibit"
                                                         : "unreachable");
    if (r->has_gateway)
        g_string_append_printf(out, " via %s", addr_text(text, &r->gateway, r->version));
    if (r->link)
        g_string_append_printf(out, " on %s", machine_link_name(c->machine, r->link));
    if (r->metric)
        g_string_append_printf(out, ", metric %u", r->metric);
    if (r->dead)
        g_string_append(out, ", dead");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* The first of a family, which is the one that is used. NULL: none. */
static const struct host_route *best(const struct climb *c, unsigned version)
{
    for (guint i = 0; i < c->machine->defaults->len; i++) {
        const struct host_route *r = &g_array_index(c->machine->defaults, struct host_route, i);
        if (r->version == version)
            return r;
    }
    return NULL;
}

/* Whether every address of the target (where they are known) is reached without one. */
static bool needs_none(const struct climb *c)
{
    bool all = c->addresses->len > 0;

    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        all &= a->local || a->scope || machine_is_on_link(c->machine, a->version, &a->addr);
    }
    return all;
}

/* Another route of the tables leads there all the same. */
static bool has_a_way(const struct climb *c)
{
    for (guint i = 0; i < c->addresses->len; i++)
        if (g_array_index(c->addresses, struct climb_address, i).error == 0)
            return true;
    return false;
}

static const struct host_route *any_working(const struct climb *c, unsigned version)
{
    for (guint i = 0; i < c->machine->defaults->len; i++) {
        const struct host_route *r = &g_array_index(c->machine->defaults, struct host_route, i);
        if (r->version == version && works(c, r))
            return r;
    }
    return NULL;
}

static void note_all(struct rung_step *s, const struct climb *c, const GArray *routes)
{
    for (guint i = 0; i < routes->len; i++) {
        const struct host_route *r = &g_array_index(routes, struct host_route, i);
        g_autofree char *text = describe(c, r);
        if (routes == c->machine->elsewhere)
            step_note(s, "table %u: %s", r->table, text);
        else
            step_note(s, "%s", text);
    }
}

/* There are some, and the first does not work. */
static struct rung_step *dead(const struct climb *c, const struct host_route *r)
{
    g_autofree char *text = describe(c, r);
    const struct host_route *other = any_working(c, r->version);
    struct rung_step *s = step_new(RUNG_ROUTE_DEFAULT, "leads nowhere: %s", text);
    struct finding *f = finding_new(CODE_NO_DEFAULT_ROUTE, WHERE_CLIENT,
                                    "The default route leads over something that does not work: %s.", text);

    step_subject(s, r->link ? machine_link_name(c->machine, r->link) : NULL);
    step_blame(s, f);
    if (other)
        step_remedy(s, "ip route del default dev %s: the other default route, over %s, works",
                    machine_link_name(c->machine, r->link), machine_link_name(c->machine, other->link));
    else
        step_remedy(s, "ip route replace default via GATEWAY dev IFACE");
    return s;
}

static struct rung_step *none(const struct climb *c)
{
    bool way = has_a_way(c), six = !climb_wants(c, 4);
    struct rung_step *s =
        step_new(RUNG_ROUTE_DEFAULT, "there is none%s", way ? "; another route leads to the target" : "");

    if (way)
        return s;
    step_blame(
        s, finding_new(CODE_NO_DEFAULT_ROUTE, WHERE_CLIENT, "This host has no default %sroute.", six ? "IPv6 " : ""));
    step_remedy(s, "ip %sroute add default via GATEWAY dev IFACE", six ? "-6 " : "");
    return s;
}

static struct rung_step *good(const struct climb *c, const struct host_route *four, const struct host_route *six)
{
    g_autofree char *one = four ? describe(c, four) : NULL, *two = six ? describe(c, six) : NULL;
    struct rung_step *s =
        step_new(RUNG_ROUTE_DEFAULT, "%s%s%s", one ? one : "", one && two ? "; " : "", two ? two : "");

    step_subject(s, machine_link_name(c->machine, (four ? four : six)->link));
    return s;
}

struct rung_step *rung_route_default(const struct climb *c)
{
    const struct host_route *four = climb_wants(c, 4) ? best(c, 4) : NULL, *six = climb_wants(c, 6) ? best(c, 6) : NULL;
    bool works4 = four && works(c, four), works6 = six && works(c, six);
    struct rung_step *s;

    if (needs_none(c))
        s = step_new(RUNG_ROUTE_DEFAULT, "not needed: the other end is on a link of this host, or this host itself");
    else if (works4 || works6)
        s = good(c, works4 ? four : NULL, works6 ? six : NULL);
    else if (four || six)
        s = dead(c, four ? four : six);
    else
        s = none(c);
    if (c->machine->defaults->len > 2 || s->finding)
        note_all(s, c, c->machine->defaults);
    note_all(s, c, c->machine->elsewhere);
    step_evidence(s, "routing tables (rtnetlink)");
    return s;
}
