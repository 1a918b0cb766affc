/* self_ping: an echo to each of this host's own addresses. */
#include "host/rungs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#define TRIES 2
#define MOST 16 /* a host with more addresses has them alike */

static bool is_asked(const struct climb *c, const struct echo *echo, const struct host_address *a)
{
    const struct host_link *l = machine_link(c->machine, a->link);

    return l && l->flags & IFF_UP && echo_can(echo, a->version) && !(a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
}

static void blame(struct rung_step *s, const struct echo_reply *r, const char *text)
{
    if (r->outcome == ECHO_UNSENT && (r->error == EPERM || r->error == EACCES)) {
        step_blame(s, finding_new(CODE_FIREWALL_DROPS, WHERE_CLIENT,
                                  "A rule of this host keeps an echo to its own address %s from being sent.", text));
        step_remedy(
            s, "nft -a list ruleset: look for what drops on the hook output, and let the loopback pass: oif lo accept");
        return;
    }
    step_blame(s, finding_new(CODE_FIREWALL_DROPS, WHERE_CLIENT,
                              "This host does not answer an echo to its own address %s.", text));
    s->finding->confidence = CONFIDENCE_LIKELY;
    s->finding->status = STATUS_DEGRADED;
    s->status = STEP_DEGRADED;
    step_remedy(s, "ip link set lo up; nft -a list ruleset: look for what drops on the loopback; sysctl "
                   "net.ipv4.icmp_echo_ignore_all");
}

struct rung_step *rung_self_ping(const struct climb *c, struct echo *echo)
{
    g_autoptr(GString) good = g_string_new(NULL);
    unsigned asked = 0;

    if (!echo_can(echo, 4) && !echo_can(echo, 6))
        return step_skip(
            RUNG_SELF_PING,
            "this user may not send echoes: sysctl net.ipv4.ping_group_range='0 2147483647', or run it as root");
    struct rung_step *s = step_new(RUNG_SELF_PING, "nothing to ask");
    for (guint i = 0; i < c->machine->addresses->len && asked < MOST; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        char text[ADDR_TEXT_SIZE];
        struct echo_reply r;
        if (!is_asked(c, echo, a))
            continue;
        asked++;
        echo_ask(echo, a->version, &a->addr, a->scope == RT_SCOPE_LINK ? a->link : 0, TRIES, &r);
        addr_text(text, &a->addr, a->version);
        if (r.outcome != ECHO_ANSWERED)
            blame(s, &r, text);
        else if (a->scope != RT_SCOPE_LINK)
            g_string_append_printf(good, "%s%s", good->len ? ", " : "", text);
    }
    g_free(s->text);
    s->text = good->len ? g_strdup_printf("%s answer%s", good->str, strchr(good->str, ',') ? "" : "s")
                        : g_strdup("none of its addresses answers");
    step_evidence(s, "an ICMP echo to each address of this host");
    return s;
}
