/* climb_claims: who else on the link says that an address is his: this host's own, or the next hop's. */
#include "src/climbing.h"

#include "base/text.h"
#include "host/neighbor.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define MOST_OWN 4 /* own addresses that are asked for: each takes CLAIMS_MS */

static char *list(const GArray *claims)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char text[MAC_TEXT];

    for (guint i = 0; i < claims->len; i++) {
        mac_text(text, g_array_index(claims, struct claim, i).mac);
        g_string_append_printf(out, "%s%s", i ? " and " : "", text);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool is_among(const GArray *claims, const char *mac)
{
    char text[MAC_TEXT];

    for (guint i = 0; i < claims->len; i++) {
        mac_text(text, g_array_index(claims, struct claim, i).mac);
        if (strcmp(text, mac) == 0)
            return true;
    }
    return false;
}

/* What works by luck is degraded; where the port is not reached it is the cause (climb_join_causes). */
static void blame(struct rung_step *s, struct finding *f, const char *macs)
{
    finding_detail_text(f, "hardware", macs);
    f->status = STATUS_DEGRADED;
    f->confidence = CONFIDENCE_LIKELY;
    step_blame(s, f);
}

/* --- this host's own --- */

/* Of IPv6 the kernel itself asks, before it uses an address. */
static bool is_asked_for(const struct climbing *c, const struct host_address *a)
{
    const struct host_link *l = machine_link(c->machine, a->link);

    return a->version == 4 && address_is_usable(c->machine, a, false) && l && l->ethernet;
}

void climb_own_claims(struct climbing *c, struct rung_step *s)
{
    unsigned asked = 0;

    for (guint i = 0; c->claims && i < c->machine->addresses->len && asked < MOST_OWN && !c->stopped; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        char text[ADDR_TEXT_SIZE];
        if (!is_asked_for(c, a))
            continue;
        asked++;
        g_autoptr(GArray) claims = claims_ask(c->claims, a->link, 4, NULL, &a->addr);
        g_autofree char *macs = list(claims);
        if (claims->len == 0)
            continue;
        addr_text(text, &a->addr, 4);
        const char *name = machine_link_name(c->machine, a->link);
        blame(s,
              finding_new(CODE_ADDRESS_CONFLICT, WHERE_CLIENT, "Another host on %s has the address %s, too: %s.", name,
                          text, macs),
              macs);
        step_remedy(s,
                    "find %s by the switch's table, and give one of both another address: ip address del %s/%u dev %s",
                    macs, text, a->length, name);
    }
    if (asked)
        step_evidence(s, "addresses of the interfaces (rtnetlink); who else answers an ARP probe for them");
}

/* --- the next hop --- */

/* Several claim it. */
static void blame_twins(const struct climbing *c, struct rung_step *s, const struct climb_hop *h, const char *macs)
{
    char text[ADDR_TEXT_SIZE];
    const char *name = machine_link_name(c->machine, h->link);

    addr_text(text, &h->addr, h->version);
    blame(s,
          finding_new(CODE_ADDRESS_CONFLICT, WHERE_PATH, "Several on %s say that they have %s: %s.", name, text, macs),
          macs);
    step_remedy(
        s,
        "find out which is the right one, and take %s from the other; until then: ip neigh replace %s lladdr MAC "
        "dev %s nud permanent",
        text, text, name);
}

/* The kernel's entry is somebody's who does not claim it: set by hand, or older than a change of the router. */
static void blame_entry(const struct climbing *c, struct rung_step *s, const struct climb_hop *h, const char *entry,
                        const char *macs)
{
    char text[ADDR_TEXT_SIZE];
    const char *name = machine_link_name(c->machine, h->link);

    addr_text(text, &h->addr, h->version);
    blame(s,
          finding_new(CODE_GATEWAY_UNANSWERED, WHERE_CLIENT,
                      "This host sends what goes to %s on %s to %s, and it is %s that answers for that address.", text,
                      name, entry, macs),
          macs);
    step_remedy(s, "ip neigh del %s dev %s", text, name);
}

void climb_hop_claims(struct climbing *c, struct rung_step *s)
{
    g_autoptr(GArray) hops = climb_hops(&c->climb);
    static const struct addr nobody;

    for (guint i = 0; c->claims && i < hops->len && !c->stopped; i++) {
        const struct climb_hop *h = &g_array_index(hops, struct climb_hop, i);
        char entry[MAC_TEXT];
        if (addr_cmp(&h->source, &nobody) == 0)
            continue;
        g_autoptr(GArray) claims = claims_ask(c->claims, h->link, h->version, &h->source, &h->addr);
        g_autofree char *macs = list(claims);
        neighbor_find(h->link, h->version, &h->addr, entry);
        if (claims->len > 1)
            blame_twins(c, s, h, macs);
        else if (claims->len == 1 && *entry && !is_among(claims, entry))
            blame_entry(c, s, h, entry, macs);
    }
    if (c->claims)
        step_evidence(s, "an ICMP echo to the next hop, then the neighbour entry (rtnetlink); who answers ARP or a "
                         "solicitation for it");
}
