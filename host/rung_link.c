/* link: exists, up, carrier: the three cases told apart. Of several interfaces those count that the way leads over. */
#include "host/climb.h"

static const char *state_of(const struct host_link *l)
{
    if (!(l->flags & IFF_UP))
        return l->wireless ? "not brought up (Wi-Fi)" : "not brought up";
    if (l->lower_up)
        return "up";
    return l->wireless ? "up, not associated with an access point"
                       : "up, no carrier: no cable, or nobody at its other end";
}

static void describe(struct rung_step *s, const struct host_link *l)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "%s: %s, MTU %u", l->name, state_of(l), l->mtu);
    if (l->speed)
        g_string_append_printf(text, ", %d Mbit/s", l->speed);
    if (*l->duplex)
        g_string_append_printf(text, " %s duplex", l->duplex);
    if (*l->kind)
        g_string_append_printf(text, ", virtual (%s)", l->kind);
    step_note(s, "%s", text->str);
}

static void blame(struct rung_step *s, const struct host_link *l)
{
    step_subject(s, l->name);
    if (!(l->flags & IFF_UP)) {
        step_blame(s, finding_new(CODE_INTERFACE_DOWN, WHERE_CLIENT, "The interface %s is there, but not brought up.",
                                  l->name));
        step_remedy(s, "ip link set %s up", l->name);
    } else if (l->wireless) {
        step_blame(s, finding_new(CODE_WIFI_NOT_ASSOCIATED, WHERE_CLIENT, "The Wi-Fi interface %s is not associated.",
                                  l->name));
        step_remedy(s, "ifup %s, or: nmcli device wifi connect SSID ifname %s", l->name, l->name);
    } else {
        step_blame(s, finding_new(
                          CODE_NO_CARRIER, WHERE_CLIENT,
                          "The interface %s is up and has no carrier: the cable is out, or nobody is at its other end.",
                          l->name));
        step_remedy(s, "plug the cable of %s in, at both ends; then look again: ip -br link", l->name);
    }
}

/* A half-duplex link of today is one whose ends disagree. */
static void check_duplex(struct rung_step *s, const struct host_link *l)
{
    if (g_str_equal(l->duplex, "half") && !l->wireless)
        step_note(s, "%s runs in half duplex: its two ends do not agree on the negotiation", l->name);
}

static const struct host_link *first_that_works(const struct climb *c, const GArray *links)
{
    for (guint i = 0; i < links->len; i++) {
        const struct host_link *l = machine_link(c->machine, g_array_index(links, unsigned, i));
        if (link_works(l))
            return l;
    }
    return NULL;
}

static void note_others(struct rung_step *s, const struct climb *c, const struct host_link *but)
{
    for (guint i = 0; i < c->machine->links->len; i++) {
        const struct host_link *l = &g_array_index(c->machine->links, struct host_link, i);
        if (!l->loopback && l != but)
            describe(s, l);
    }
}

/* The worst that a person can do something about first: one that is up and has no carrier, then one that is down. */
static const struct host_link *culprit(const struct climb *c, const GArray *links)
{
    const struct host_link *found = NULL;

    for (guint i = 0; i < links->len; i++) {
        const struct host_link *l = machine_link(c->machine, g_array_index(links, unsigned, i));
        if (l && (!found || (l->flags & IFF_UP && !(found->flags & IFF_UP))))
            found = l;
    }
    return found;
}

struct rung_step *rung_link(const struct climb *c)
{
    g_autoptr(GArray) links = climb_links(c);
    const struct host_link *good = first_that_works(c, links), *bad = good ? NULL : culprit(c, links);
    struct rung_step *s;

    if (good) {
        s = step_new(RUNG_LINK, "%s is up and has a carrier, MTU %u", good->name, good->mtu);
        step_subject(s, good->name);
        check_duplex(s, good);
    } else if (bad) {
        s = step_new(RUNG_LINK, "%s is %s", bad->name, state_of(bad));
        blame(s, bad);
    } else {
        s = step_new(RUNG_LINK, "there is no interface but the loopback");
        step_blame(s, finding_new(CODE_DEVICE_MISSING, WHERE_CLIENT, "This host has no interface but the loopback."));
    }
    note_others(s, c, good ? good : bad);
    step_evidence(s, "interfaces of the kernel (rtnetlink), /sys/class/net");
    return s;
}
