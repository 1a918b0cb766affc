/* firewall: this host's own rules, walked for the packets of the handshake; the table of tracked connections. */
#include "dissect/packet.h"
#include "host/legacy.h"
#include "host/resolvers.h"
#include "host/ruleset.h"
#include "host/rungs.h"
#include "host/tree.h"

#include <linux/rtnetlink.h>

#define CONNTRACK "proc/sys/net/netfilter"

/* What is asked of the rules, and what comes of it. */
struct view {
    struct rung_step *step;
    const struct ruleset *rules;
    const char *what; /* "the connection" */
    enum where where;
    char *doubt; /* the first that cannot be told; NULL: all can */
};

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

/* What a rule that lets it pass looks at: no more than this packet needs. On the hooks of an interface no connection is
 * known yet. */
static char *condition_of(const struct walk *w, const struct walker *p)
{
    bool known = p->inward && !p->any_src && !p->established;
    char from[ADDR_TEXT_SIZE];

    if (p->established)
        return g_str_has_prefix(w->table, "netdev") ? g_strdup_printf("tcp sport %u", p->sport)
                                                    : g_strdup("ct state established,related");
    return g_strdup_printf("%s%s%stcp dport %u", known ? p->version == 6 ? "ip6 saddr " : "ip saddr " : "",
                           known ? addr_text(from, &p->src, p->version) : "", known ? " " : "", p->dport);
}

/* A rule that lets it pass: at the end of the chain, or before the one that stops it. */
static void remedy(struct rung_step *s, const struct walk *w, const struct walker *p)
{
    g_autofree char *condition = condition_of(w, p);

    if (g_str_has_suffix(w->table, LEGACY_TABLE))
        remedy_legacy(s, w, p);
    else if (w->by_policy)
        step_remedy(s, "nft add rule %s %s %s accept", w->table, w->chain, condition);
    else
        step_remedy(s,
                    "nft insert rule %s %s position %" G_GINT64_FORMAT " %s accept; the rule: nft -a list chain %s %s",
                    w->table, w->chain, w->handle, condition, w->table, w->chain);
}

static void blame(struct view *v, const struct walk *w, const struct walker *p, const char *packet)
{
    struct finding *f = finding_new(CODE_FIREWALL_DROPS, v->where, "%s is %s by %s.", packet,
                                    w->verdict == WALK_REJECTED ? "rejected" : "dropped", w->rule);

    finding_detail_text(f, "rule", w->rule);
    if (w->handle)
        finding_detail_number(f, "handle", w->handle);
    finding_detail_text(f, "hook", p->inward ? "in" : "out");
    step_blame(v->step, f);
    remedy(v->step, w, p);
}

/* Told below the rung, and the first of them in its line, too. Frees text. */
static void doubt(struct view *v, char *text)
{
    step_note(v->step, "%s", text);
    if (v->doubt)
        g_free(text);
    else
        v->doubt = text;
}

/* What happens to one packet, and how to say which one. True: no rule surely stops it. */
static bool walk_one(struct view *v, const struct walker *p, const char *packet)
{
    struct walk w;

    ruleset_walk(v->rules, p, &w);
    bool gone = w.verdict >= WALK_DROPPED;
    if (w.translated)
        doubt(v, g_strdup_printf("%s gets another target by %s (dnat, redirect), and is not followed there", packet,
                                 w.translated));
    if (w.verdict == WALK_MAY_PASS)
        doubt(v, g_strdup_printf("%s may be dropped by %s: that hangs on what is not known here (who comes, a rate, a "
                                 "mark, a user)",
                                 packet, w.rule));
    if (gone)
        blame(v, &w, p, packet);
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

/* The line of the rung. What cannot be told of who comes in is open; what leaves, the port shows. Frees what v holds.
 */
static void say(struct view *v)
{
    struct rung_step *s = v->step;
    g_autofree char *unclear = v->doubt;
    unsigned n = ruleset_size(v->rules);

    g_clear_pointer(&s->text, g_free);
    if (s->finding && s->finding->code == CODE_FIREWALL_DROPS)
        s->text = g_strdup_printf("a rule stops %s", v->what);
    else if (s->finding)
        s->text = g_strdup("the table of tracked connections is full");
    else if (n == 0)
        s->text = g_strdup("no rules");
    else if (unclear)
        s->text = g_strdup_printf("%u rule%s: %s", n, n == 1 ? "" : "s", unclear);
    else
        s->text = g_strdup_printf("%u rule%s, none stops %s", n, n == 1 ? "" : "s", v->what);
    if (unclear && v->where == WHERE_SERVER && s->status == STEP_OK)
        s->status = STEP_UNKNOWN;
}

static const char *name_of(const struct climb *c, const struct climb_address *a)
{
    return a->local ? "lo" : machine_link_name(c->machine, a->link);
}

/* The SYN that leaves, the SYN-ACK that comes back. */
static void walk_address(struct view *v, const struct climb *c, const struct climb_address *a)
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
    if (walk_one(v, &syn, leaves))
        walk_one(v, &answer, comes);
}

struct rung_step *rung_firewall(const struct climb *c, const struct ruleset *rules, const char *why)
{
    struct view v = { begin(c, rules, why), rules, "the connection", WHERE_CLIENT, NULL };

    if (!rules)
        return v.step;
    for (guint i = 0; i < c->addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->addresses, struct climb_address, i);
        if (!a->error && climb_wants(c, a->version))
            walk_address(&v, c, a);
    }
    say(&v);
    return v.step;
}

/* --- of a server --- */

static void walk_own(struct view *v, const struct climb *c, const struct host_address *own, const struct walker *from)
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
    if (walk_one(v, &syn, comes) && !from->any_src)
        walk_one(v, &answer, leaves);
}

struct rung_step *rung_firewall_in(const struct climb *c, const struct ruleset *rules, const char *why,
                                   const char *client)
{
    struct view v = { begin(c, rules, why), rules, client ? "connections of that client" : "connections to the port",
                      WHERE_SERVER, NULL };
    struct walker from = { .any_src = true };
    unsigned scope;

    if (!rules)
        return v.step;
    if (client)
        from.any_src = !resolver_address(client, &from.version, &from.src, &scope);
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *own = &g_array_index(c->machine->addresses, struct host_address, i);
        if (address_is_usable(c->machine, own, false) && (from.any_src || from.version == own->version))
            walk_own(&v, c, own, &from);
    }
    say(&v);
    return v.step;
}
