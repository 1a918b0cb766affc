/* firewall: this host's own rules, walked for the packets of the handshake; the table of tracked connections. */
#include "dissect/packet.h"
#include "host/legacy.h"
#include "host/resolvers.h"
#include "host/ruleset.h"
#include "host/rungs.h"
#include "host/tree.h"

#include <linux/rtnetlink.h>

#define CONNTRACK "proc/sys/net/netfilter"

/* The same in the words of iptables. */
static void remedy_legacy(struct rung_step *s, const struct walk *w, const struct walker *p)
{
    const char *program = p->version == 6 ? "ip6tables-legacy" : "iptables-legacy";
    g_autofree char *condition = p->established ? g_strdup("-m conntrack --ctstate ESTABLISHED,RELATED")
                                                : g_strdup_printf("-p tcp --dport %u", p->dport);

    if (w->by_policy)
        step_remedy(s, "%s -A %s %s -j ACCEPT", program, w->chain, condition);
    else
        step_remedy(s, "%s -I %s %" G_GINT64_FORMAT " %s -j ACCEPT; the rule: %s -S %s %" G_GINT64_FORMAT, program,
                    w->chain, w->handle, condition, program, w->chain, w->handle);
}

/* A rule that lets it pass: at the end of the chain, or before the one that stops it. */
static void remedy(struct rung_step *s, const struct walk *w, const struct walker *p)
{
    g_autofree char *condition =
        p->established ? g_strdup("ct state established,related") : g_strdup_printf("tcp dport %u", p->dport);

    if (g_str_has_suffix(w->table, LEGACY_TABLE))
        remedy_legacy(s, w, p);
    else if (w->by_policy)
        step_remedy(s, "nft add rule %s %s %s accept", w->table, w->chain, condition);
    else
        step_remedy(s,
                    "nft insert rule %s %s position %" G_GINT64_FORMAT " %s accept; the rule: nft -a list chain %s %s",
                    w->table, w->chain, w->handle, condition, w->table, w->chain);
}

/* What happens to one packet, and how to say which one. */
static bool walk_one(struct rung_step *s, const struct ruleset *rules, const struct walker *p, const char *packet,
                     enum where where)
{
    struct walk w;
    bool gone;

    ruleset_walk(rules, p, &w);
    gone = w.verdict >= WALK_DROPPED;
    if (w.translated)
        step_note(s, "%s gets another target by %s (dnat, redirect); what becomes of it there is not followed", packet,
                  w.translated);
    if (w.verdict == WALK_MAY_PASS)
        step_note(s, "%s may be dropped by %s: that hangs on what cannot be known from here (a rate, a mark, a user)",
                  packet, w.rule);
    if (gone) {
        struct finding *f = finding_new(CODE_FIREWALL_DROPS, where, "%s is %s by %s.", packet,
                                        w.verdict == WALK_REJECTED ? "rejected" : "dropped", w.rule);
        finding_detail_text(f, "rule", w.rule);
        if (w.handle)
            finding_detail_number(f, "handle", w.handle);
        finding_detail_text(f, "hook", p->inward ? "in" : "out");
        step_blame(s, f);
        remedy(s, &w, p);
    }
    walk_clear(&w);
    return !gone;
}

static void check_conntrack(struct rung_step *s, const char *root)
{
    int64_t count = tree_number(root, CONNTRACK, "nf_conntrack_count", -1),
            max = tree_number(root, CONNTRACK, "nf_conntrack_max", -1);

    if (count < 0 || max <= 0)
        return;
    if (count < max) {
        step_note(s, "%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " tracked connections", count, max);
        return;
    }
    struct finding *f = finding_new(
        CODE_CONNTRACK_FULL, WHERE_CLIENT,
        "The table of tracked connections is full: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT ".", count, max);
    finding_detail_number(f, "entries", count);
    step_blame(s, f);
    step_remedy(
        s, "sysctl -w net.netfilter.nf_conntrack_max=%" G_GINT64_FORMAT "; then find who opens so many: conntrack -L",
        max * 2);
}

static bool has_table(const char *root, const char *names, const char *table)
{
    g_autofree char *text = tree_text(root, "proc/net", names);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 0);

    return g_strv_contains((const char *const *)lines, table);
}

/* Rules of iptables' older kind are in another place of the kernel: its filter tables are walked, if they could be
 * read, the others are not. */
static void check_legacy(struct rung_step *s, const char *root, const struct ruleset *rules)
{
    static const char *const others[] = { "nat", "mangle", "raw", "security" };
    bool four = has_table(root, "ip_tables_names", "filter") && !ruleset_has_legacy(rules, 4);
    bool six = has_table(root, "ip6_tables_names", "filter") && !ruleset_has_legacy(rules, 6);

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (has_table(root, "ip_tables_names", others[i]) || has_table(root, "ip6_tables_names", others[i]))
            step_note(s, "iptables-legacy has a table %s, which is not walked: iptables-legacy -t %s -S", others[i],
                      others[i]);
    if (!four && !six)
        return;
    step_note(s, "iptables-legacy has rules that could not be read: iptables-legacy -S; ip6tables-legacy -S");
    if (s->status == STEP_OK)
        s->status = STEP_UNKNOWN;
}

static struct rung_step *begin(const struct climb *c, const struct ruleset *rules, const char *why)
{
    struct rung_step *s =
        rules ? step_new(RUNG_FIREWALL, "%s", "")
              : step_skip(RUNG_FIREWALL, "%s; run it as root or with sudo", why ? why : "the rules are not known");

    check_conntrack(s, c->machine->root);
    if (rules)
        check_legacy(s, c->machine->root, rules);
    step_evidence(s, "the ruleset (libnftables), walked for the packets of the handshake; /%s", CONNTRACK);
    return s;
}

static void say(struct rung_step *s, const struct ruleset *rules, const char *what)
{
    g_clear_pointer(&s->text, g_free);
    if (s->finding && s->finding->code == CODE_FIREWALL_DROPS)
        s->text = g_strdup_printf("a rule stops %s", what);
    else if (s->finding)
        s->text = g_strdup("the table of tracked connections is full");
    else if (ruleset_size(rules) == 0)
        s->text = g_strdup("no rules");
    else
        s->text = g_strdup_printf("%u rules, none stops %s", ruleset_size(rules), what);
}

static const char *name_of(const struct climb *c, const struct climb_address *a)
{
    return a->local ? "lo" : machine_link_name(c->machine, a->link);
}

/* The SYN that leaves, the SYN-ACK that comes back. */
static void walk_address(struct rung_step *s, const struct climb *c, const struct ruleset *rules,
                         const struct climb_address *a)
{
    char text[ADDR_TEXT_SIZE];
    struct walker syn = { .version = a->version,
                          .src = a->source,
                          .dst = a->addr,
                          .dport = c->port,
                          .flags = TCP_SYN,
                          .out = name_of(c, a) };
    struct walker answer = { .version = a->version,
                             .src = a->addr,
                             .dst = a->source,
                             .sport = c->port,
                             .flags = TCP_SYN | TCP_ACK,
                             .established = true,
                             .inward = true,
                             .in = name_of(c, a) };

    addr_text(text, &a->addr, a->version);
    g_autofree char *leaves = g_strdup_printf("The SYN to %s port %u", text, c->port);
    g_autofree char *comes = g_strdup_printf("The answer of %s port %u", text, c->port);
    if (walk_one(s, rules, &syn, leaves, WHERE_CLIENT))
        walk_one(s, rules, &answer, comes, WHERE_CLIENT);
}

struct rung_step *rung_firewall(const struct climb *c, const struct ruleset *rules, const char *why)
{
    struct rung_step *s = begin(c, rules, why);

    if (!rules)
        return s;
    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        if (!a->error && climb_wants(c, a->version))
            walk_address(s, c, rules, a);
    }
    say(s, rules, "the connection");
    return s;
}

/* --- of a server --- */

static void walk_own(struct rung_step *s, const struct climb *c, const struct ruleset *rules,
                     const struct host_address *own, const struct walker *from)
{
    char text[ADDR_TEXT_SIZE];
    const char *link = machine_link_name(c->machine, own->link);
    struct walker syn = { .version = own->version,
                          .src = from->src,
                          .any_src = from->any_src,
                          .dst = own->addr,
                          .dport = c->port,
                          .flags = TCP_SYN,
                          .inward = true,
                          .in = link };
    struct walker answer = { .version = own->version,
                             .src = own->addr,
                             .dst = from->src,
                             .sport = c->port,
                             .flags = TCP_SYN | TCP_ACK,
                             .established = true,
                             .out = link };

    addr_text(text, &own->addr, own->version);
    g_autofree char *comes = g_strdup_printf("A SYN to %s port %u", text, c->port);
    g_autofree char *leaves = g_strdup_printf("The answer from %s port %u", text, c->port);
    if (walk_one(s, rules, &syn, comes, WHERE_SERVER) && !from->any_src)
        walk_one(s, rules, &answer, leaves, WHERE_SERVER);
}

struct rung_step *rung_firewall_in(const struct climb *c, const struct ruleset *rules, const char *why,
                                   const char *client)
{
    struct rung_step *s = begin(c, rules, why);
    struct walker from = { .any_src = true };
    unsigned scope;

    if (!rules)
        return s;
    if (client)
        from.any_src = !resolver_address(client, &from.version, &from.src, &scope);
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *own = &g_array_index(c->machine->addresses, struct host_address, i);
        if (address_is_usable(c->machine, own, false) && (from.any_src || from.version == own->version))
            walk_own(s, c, rules, own, &from);
    }
    say(s, rules, client ? "connections of that client" : "connections to the port");
    return s;
}
