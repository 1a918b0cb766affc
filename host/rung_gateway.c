/* gateway: whether the next hop answers: an echo makes the kernel look for it, and what the kernel found counts. */
#include "host/climb.h"
#include "host/echo.h"
#include "host/neighbor.h"
#include "host/rungs.h"

#include "base/timens.h"

#define TRIES 2
#define ASKING_MS 3500 /* of the kernel: three requests, a second apart */
#define OLD_MS 9500    /* 5 s in DELAY, then three requests */

static bool asks_neighbors(const struct climb *c, const struct climb_hop *h)
{
    const struct host_link *l = machine_link(c->machine, h->link);

    return l && l->ethernet;
}

/* What was found of one; NULL: it answers. */
static struct finding *judge(const struct climb *c, const struct climb_hop *h, struct echo *echo, char **text)
{
    char address[ADDR_TEXT_SIZE], mac[MAC_TEXT] = "";
    struct echo_reply reply = { .outcome = ECHO_SILENT };
    const char *what = !h->is_target ? "the gateway" : c->host ? "the target itself" : "the client itself";

    addr_text(address, &h->addr, h->version);
    bool asked = echo_can(echo, h->version);
    if (asked)
        echo_ask(echo, h->version, &h->addr, h->link, TRIES, &reply);
    else
        echo_nudge(h->version, &h->addr, h->link);
    bool answered = reply.outcome == ECHO_ANSWERED;
    enum neighbor_state state = asks_neighbors(c, h)
                                    ? neighbor_wait(h->link, h->version, &h->addr, answered ? 0 : ASKING_MS, mac)
                                    : NEIGHBOR_NONE;
    if (!answered && state == NEIGHBOR_OLD)
        state = neighbor_wait(h->link, h->version, &h->addr, OLD_MS - ASKING_MS, mac);
    if (!answered && (state == NEIGHBOR_FAILED || state == NEIGHBOR_ASKING)) {
        *text = g_strdup_printf("%s on %s: nobody answers for it", address, machine_link_name(c->machine, h->link));
        return finding_new(CODE_GATEWAY_UNANSWERED, WHERE_PATH,
                           "Nobody on %s answers for %s, %s: the kernel asked for its hardware address.",
                           machine_link_name(c->machine, h->link), address, what);
    }
    *text = g_strdup_printf("%s%s%s%s %s", address, *mac ? " (" : "", mac, *mac ? ")" : "",
                            answered                  ? "answers an echo"
                            : !asked                  ? "is on the link; this user may not send echoes"
                            : state == NEIGHBOR_KNOWN ? "is on the link, and answers no echo"
                                                      : "answers no echo");
    return NULL;
}

static void remedy(struct rung_step *s, const struct climb *c, const struct climb_hop *h)
{
    char address[ADDR_TEXT_SIZE];

    addr_text(address, &h->addr, h->version);
    step_subject(s, machine_link_name(c->machine, h->link));
    if (h->is_target)
        step_remedy(s, "ip neigh show %s; check that the target is up and in this network (address, mask, VLAN)",
                    address);
    else
        step_remedy(
            s, "ip %sroute replace default via GATEWAY dev %s: %s is not there, or not in this network (VLAN, mask)",
            h->version == 6 ? "-6 " : "", machine_link_name(c->machine, h->link), address);
}

/* All of several that fail are broken, one of several is degraded. */
static struct rung_step *tell(const struct climb *c, const GArray *hops, GPtrArray *texts, GPtrArray *findings)
{
    guint bad = 0, first_bad = 0, first_good = 0;

    for (guint i = hops->len; i-- > 0;) {
        bool good = !g_ptr_array_index(findings, i);
        bad += !good;
        first_good = good ? i : first_good;
        first_bad = good ? first_bad : i;
    }
    guint shown = bad == hops->len ? first_bad : first_good;
    struct rung_step *s = step_new(RUNG_GATEWAY, "%s", (const char *)g_ptr_array_index(texts, shown));
    step_subject(s, machine_link_name(c->machine, g_array_index(hops, struct climb_hop, shown).link));
    for (guint i = 0; i < hops->len; i++) {
        struct finding *f = g_ptr_array_index(findings, i);
        if (i != shown)
            step_note(s, "%s", (const char *)g_ptr_array_index(texts, i));
        if (!f)
            continue;
        if (bad < hops->len)
            f->status = STATUS_DEGRADED;
        finding_detail_text(f, "family", g_array_index(hops, struct climb_hop, i).version == 6 ? "IPv6" : "IPv4");
        step_blame(s, f);
        if (i == first_bad)
            remedy(s, c, &g_array_index(hops, struct climb_hop, i));
    }
    return s;
}

struct rung_step *rung_gateway(const struct climb *c, struct echo *echo)
{
    g_autoptr(GArray) hops = climb_hops(c);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free), findings = g_ptr_array_new();

    if (hops->len == 0)
        return step_skip(RUNG_GATEWAY, c->addresses->len ? "no packet leaves this host: no way, or the target is here"
                                                         : "there is no default route");
    for (guint i = 0; i < hops->len; i++) {
        char *text = NULL;
        g_ptr_array_add(findings, judge(c, &g_array_index(hops, struct climb_hop, i), echo, &text));
        g_ptr_array_add(texts, text);
    }
    struct rung_step *s = tell(c, hops, texts, findings);
    step_evidence(s, "an ICMP echo to the next hop, then the neighbour entry (rtnetlink)");
    return s;
}
