/* route_target: the way that the kernel takes to each address of the target, as it says itself. */
#include "host/climb.h"

#include <errno.h>

/* What the kernel's errno says of the route that it found (fib_rules, fib_frontend). */
static const char *why(int error)
{
    switch (error) {
    case EHOSTUNREACH: return "a route says: unreachable";
    case EACCES: return "a route or rule says: prohibit";
    case EINVAL: return "a route says: blackhole";
    default: return "no route leads there";
    }
}

static char *describe(const struct climb *c, const struct climb_address *a)
{
    char text[ADDR_TEXT_SIZE];
    g_autoptr(GString) out = g_string_new(addr_text(text, &a->addr, a->version));

    if (a->error) {
        g_string_append_printf(out, ": %s", why(a->error));
        return g_string_free(g_steal_pointer(&out), FALSE);
    }
    if (a->local)
        g_string_append(out, " is this host itself");
    else if (a->has_gateway)
        g_string_append_printf(out, " via %s", addr_text(text, &a->gateway, a->version));
    else
        g_string_append(out, " on the link");
    g_string_append_printf(out, " on %s, from %s", machine_link_name(c->machine, a->link),
                           addr_text(text, &a->source, a->version));
    if (a->cached_mtu && a->cached_mtu < a->mtu)
        g_string_append_printf(out, ", path MTU learnt: %u", a->cached_mtu);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static const struct climb_address *first(const struct climb *c, bool good)
{
    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        if (climb_wants(c, a->version) && (a->error == 0) == good)
            return a;
    }
    return NULL;
}

void route_blame(struct rung_step *s, const struct climb_address *a, bool others)
{
    char text[ADDR_TEXT_SIZE];
    struct finding *f = finding_new(CODE_NO_ROUTE, WHERE_CLIENT, "This host has no way to %s: %s.",
                                    addr_text(text, &a->addr, a->version), why(a->error));

    if (others) {
        f->status = STATUS_DEGRADED;
        finding_detail_text(f, "family", a->version == 6 ? "IPv6" : "IPv4");
    }
    step_blame(s, f);
    if (a->error == EACCES)
        step_remedy(s, "ip rule; ip route show table all: take out the rule or route that prohibits %s", text);
    else if (a->error != ENETUNREACH)
        step_remedy(s, "ip route show match %s: take out the route that says so", text);
    else
        step_remedy(s, "ip %sroute add default via GATEWAY dev IFACE", a->version == 6 ? "-6 " : "");
}

struct rung_step *rung_route_target(const struct climb *c)
{
    if (c->addresses->len == 0)
        return step_skip(RUNG_ROUTE_TARGET, "the target's address is not known");
    const struct climb_address *good = first(c, true), *bad = first(c, false);
    const struct climb_address *told = good ? good : bad ? bad : &g_array_index(c->addresses, struct climb_address, 0);
    g_autofree char *text = describe(c, told);
    struct rung_step *s = step_new(RUNG_ROUTE_TARGET, "%s", text);

    step_subject(s, told->error ? NULL : machine_link_name(c->machine, told->link));
    if (bad)
        route_blame(s, bad, good != NULL);
    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        g_autofree char *line = describe(c, a);
        if (a != told)
            step_note(s, "%s", line);
    }
    step_evidence(s, "the kernel's decision for the address (rtnetlink, as `ip route get`)");
    return s;
}
