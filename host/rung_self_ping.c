/* self_ping: an echo to each of this host's own addresses. */
#include "host/rungs.h"
#include "host/tree.h"

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

/* Told by a setting of the kernel to answer no echo: no fault, and nothing to learn. */
static bool is_deaf(const char *root, unsigned version)
{
    return version == 6 ? tree_number(root, "proc/sys/net/ipv6/icmp", "echo_ignore_all", 0) > 0
                        : tree_number(root, "proc/sys/net/ipv4", "icmp_echo_ignore_all", 0) > 0;
}

/* Other hosts are reached all the same; programs here do not reach each other. */
static struct rung_step *without_loopback(const struct host_link *l)
{
    struct rung_step *s = step_new(RUNG_SELF_PING, "%s is not brought up", l->name);
    struct finding *f = finding_new(CODE_INTERFACE_DOWN, WHERE_CLIENT,
                                    "The loopback interface %s is not brought up: this host reaches none of its own "
                                    "addresses.",
                                    l->name);

    f->status = STATUS_DEGRADED;
    step_subject(s, l->name);
    step_blame(s, f);
    step_remedy(s, "ip link set %s up", l->name);
    step_evidence(s, "interfaces of the kernel (rtnetlink)");
    return s;
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
    step_remedy(s, "nft -a list ruleset: look for what drops on the loopback");
}

struct rung_step *rung_self_ping(const struct climb *c, struct echo *echo)
{
    g_autoptr(GString) good = g_string_new(NULL);
    const struct host_link *loopback = machine_loopback(c->machine);
    bool deaf[2] = { is_deaf(c->machine->root, 4), is_deaf(c->machine->root, 6) };
    unsigned asked = 0;

    if (loopback && !(loopback->flags & IFF_UP))
        return without_loopback(loopback);
    if (!echo_can(echo, 4) && !echo_can(echo, 6))
        return step_skip(
            RUNG_SELF_PING,
            "this user may not send echoes: sysctl net.ipv4.ping_group_range='0 2147483647', or run it as root");
    struct rung_step *s = step_new(RUNG_SELF_PING, "nothing to ask");
    for (guint i = 0; i < c->machine->addresses->len && asked < MOST; i++) {
        const struct host_address *a = &g_array_index(c->machine->addresses, struct host_address, i);
        char text[ADDR_TEXT_SIZE];
        struct echo_reply r;
        if (!is_asked(c, echo, a) || deaf[a->version == 6])
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
                        : g_strdup(asked ? "none of its addresses answers" : "nothing to ask");
    for (int i = 0; i < 2; i++) {
        if (!deaf[i])
            continue;
        step_note(s, "the kernel was told to answer no echo: sysctl %s",
                  i ? "net.ipv6.icmp.echo_ignore_all" : "net.ipv4.icmp_echo_ignore_all");
        s->status = MAX(s->status, STEP_UNKNOWN);
    }
    step_evidence(s, "an ICMP echo to each address of this host");
    return s;
}
