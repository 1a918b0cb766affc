/* address: one of the family that is needed, and what is wrong with those that are there. */
#include "host/climb.h"

#include <linux/if_addr.h>

#define SOON_S 60 /* a lease that ends within a minute was not renewed */

static const char *family_name(unsigned version)
{
    return version == 6 ? "IPv6" : "IPv4";
}

static char *text_of(const struct host_address *a)
{
    char text[ADDR_TEXT_SIZE];

    return g_strdup_printf("%s/%u", addr_text(text, &a->addr, a->version), a->length);
}

static const struct host_address *first_usable(const struct climb *c, unsigned version)
{
    bool local = false;

    for (guint i = 0; i < c->addresses->len; i++)
        local |= g_array_index(c->addresses, struct climb_address, i).scope != 0;
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        if (a->version == version && address_is_usable(c->machine, a, local))
            return a;
    }
    return NULL;
}

/* What is wrong with one that is there. */
static void check_one(struct rung_step *s, const struct climb *c, const struct host_address *a)
{
    g_autofree char *text = text_of(a);
    const char *name = machine_link_name(c->machine, a->link);

    if (a->flags & IFA_F_DADFAILED) {
        struct finding *f = finding_new(CODE_ADDRESS_CONFLICT, WHERE_CLIENT,
                                        "Another host has the address %s of %s: it is not used.", text, name);
        if (!climb_wants(c, a->version) || first_usable(c, a->version))
            f->status = STATUS_DEGRADED;
        step_blame(s, f);
        step_remedy(s,
                    "give one of the two another address: ip address del %s dev %s; ip address add ADDRESS/%u dev %s",
                    text, name, a->length, name);
    } else if (a->flags & IFA_F_TENTATIVE) {
        step_note(s, "%s on %s is tentative: not used before nobody else has claimed it", text, name);
    } else if (a->flags & IFA_F_DEPRECATED && a->version == 6) {
        step_note(s, "%s on %s is deprecated: its preferred time is over", text, name);
    } else if (a->dynamic && a->valid_s < SOON_S) {
        step_note(s, "%s on %s ends in %u s: the lease was not renewed", text, name, a->valid_s);
    }
}

static bool is_net_of(const struct host_address *a, const struct host_address *b)
{
    unsigned bits = MIN(a->length, b->length) + (a->version == 4 ? 96u : 0u);

    for (unsigned i = 0; i < bits; i++)
        if ((a->addr.bytes[i / 8] ^ b->addr.bytes[i / 8]) >> (7 - i % 8) & 1)
            return false;
    return true;
}

/* Two interfaces in one net: answers may leave by the other one. */
static void check_twins(struct rung_step *s, const struct climb *c)
{
    const GArray *all = c->machine->addresses;

    for (guint i = 0; i < all->len; i++) {
        const struct host_address *a = &g_array_index(all, struct host_address, i);
        for (guint k = i + 1; k < all->len; k++) {
            const struct host_address *b = &g_array_index(all, struct host_address, k);
            if (a->version != b->version || a->link == b->link || !address_is_usable(c->machine, a, false) ||
                !address_is_usable(c->machine, b, false) || !is_net_of(a, b))
                continue;
            g_autofree char *one = text_of(a), *two = text_of(b);
            step_note(s, "%s on %s and %s on %s are in one net: packets may leave by either", one,
                      machine_link_name(c->machine, a->link), two, machine_link_name(c->machine, b->link));
        }
    }
}

static void append(GString *text, const struct climb *c, const struct host_address *a)
{
    g_autofree char *address = text_of(a);

    if (!a)
        return;
    g_string_append_printf(text, "%s%s on %s", text->len ? ", " : "", address, machine_link_name(c->machine, a->link));
    if (a->dynamic)
        g_string_append_printf(text, " (dynamic, %u min left)", a->valid_s / 60);
}

/* It has none because another host has it. */
static bool is_taken(const struct climb *c)
{
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        if (a->flags & IFA_F_DADFAILED && climb_wants(c, a->version))
            return true;
    }
    return false;
}

static struct rung_step *missing(const struct climb *c, const char *families)
{
    struct rung_step *s = step_new(RUNG_ADDRESS, "no usable %s address", families);
    g_autoptr(GArray) links = climb_links(c);
    const char *name = links->len ? machine_link_name(c->machine, g_array_index(links, unsigned, 0)) : "IFACE";

    step_subject(s, links->len ? name : NULL);
    if (is_taken(c)) /* which check_one tells */
        return s;
    step_blame(
        s, finding_new(CODE_NO_ADDRESS, WHERE_CLIENT, "No interface that works has a usable %s address.", families));
    step_remedy(s, "ifup %s, or: dhclient %s, or: ip address add ADDRESS/LENGTH dev %s", name, name, name);
    return s;
}

struct rung_step *rung_address(const struct climb *c)
{
    bool want4 = climb_wants(c, 4), want6 = climb_wants(c, 6);
    const struct host_address *four = first_usable(c, 4), *six = first_usable(c, 6);
    g_autoptr(GString) text = g_string_new(NULL);
    struct rung_step *s;

    if ((want4 && four) || (want6 && six)) {
        if (four)
            append(text, c, four);
        if (six)
            append(text, c, six);
        s = step_new(RUNG_ADDRESS, "%s", text->str);
        step_subject(s, machine_link_name(c->machine, (want4 && four ? four : six)->link));
        for (unsigned version = 4; version <= 6; version += 2)
            if (c->left_out[version == 6])
                step_note(s, "no %s address for other networks: the target's %s addresses are left out",
                          family_name(version), family_name(version));
    } else {
        s = missing(c, want4 && want6 ? "IPv4 or IPv6" : family_name(want4 ? 4 : 6));
    }
    for (guint i = 0; i < c->machine->addresses->len; i++)
        check_one(s, c, &g_array_index(c->machine->addresses, struct host_address, i));
    check_twins(s, c);
    step_evidence(s, "addresses of the interfaces (rtnetlink)");
    return s;
}
