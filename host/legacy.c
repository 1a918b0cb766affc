#include "host/legacy.h"

#include "host/tree.h"

#include <arpa/inet.h>
#include <glib.h>
#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>
#include <string.h>

#define TABLE "filter"
#define RULES 100000

/* --- conditions --- */

static void add_match(json_t *expr, const char *op, json_t *left, json_t *right)
{
    json_array_append_new(expr, json_pack("{s:{s:s, s:o, s:o}}", "match", "op", op, "left", left, "right", right));
}

static json_t *payload(const char *protocol, const char *field)
{
    return json_pack("{s:{s:s, s:s}}", "payload", "protocol", protocol, "field", field);
}

/* A condition that the walk cannot decide. */
static void add_unknown(json_t *expr, const char *name)
{
    json_array_append_new(expr, json_pack("{s:{s:s, s:s}}", "xt", "type", "match", "name", name));
}

/* Bits of a mask that is a prefix; -1: it is none. */
static int prefix_of(const uint8_t *mask, unsigned bytes)
{
    int bits = 0;

    while ((unsigned)bits < bytes * 8 && mask[bits / 8] & 0x80u >> bits % 8)
        bits++;
    for (unsigned i = (unsigned)bits; i < bytes * 8; i++)
        if (mask[i / 8] & 0x80u >> i % 8)
            return -1;
    return bits;
}

static void add_net(json_t *expr, int family, const char *field, const void *addr, const void *mask, bool inverted)
{
    char text[INET6_ADDRSTRLEN];
    int bits = prefix_of(mask, family == AF_INET6 ? 16 : 4);

    if (bits == 0)
        return;
    if (bits < 0) {
        add_unknown(expr, "mask");
        return;
    }
    inet_ntop(family, addr, text, sizeof text);
    add_match(expr, inverted ? "!=" : "==", payload(family == AF_INET6 ? "ip6" : "ip", field),
              json_pack("{s:{s:s, s:i}}", "prefix", "addr", text, "len", bits));
}

/* The mask covers as many characters as have to be the same: with "eth+" not the NUL. */
static void add_interface(json_t *expr, const char *key, const char *name, const unsigned char *mask, bool inverted)
{
    char text[IFNAMSIZ + 1] = "";
    unsigned n = 0;

    while (n < IFNAMSIZ && mask[n])
        n++;
    if (n == 0)
        return;
    memcpy(text, name, strnlen(name, n));
    if (strlen(text) == n)
        strcat(text, "*");
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    add_match(expr, inverted ? "!=" : "==", json_pack("{s:{s:s}}", "meta", "key", key), json_string(valid));
}

static void add_protocol(json_t *expr, unsigned protocol, bool inverted)
{
    if (protocol)
        add_match(expr, inverted ? "!=" : "==", json_pack("{s:{s:s}}", "meta", "key", "l4proto"),
                  json_integer(protocol));
}

/* --- matches --- */

static void add_ports(json_t *expr, const char *field, const uint16_t ports[2], bool inverted)
{
    if (ports[0] == 0 && ports[1] == UINT16_MAX && !inverted)
        return;
    add_match(expr, inverted ? "!=" : "==", payload("tcp", field),
              json_pack("{s:[i, i]}", "range", ports[0], ports[1]));
}

static void add_tcp(json_t *expr, const struct xt_tcp *t)
{
    add_ports(expr, "sport", t->spts, t->invflags & XT_TCP_INV_SRCPT);
    add_ports(expr, "dport", t->dpts, t->invflags & XT_TCP_INV_DSTPT);
    if (t->flg_mask)
        add_match(expr, t->invflags & XT_TCP_INV_FLAGS ? "!=" : "==",
                  json_pack("{s:[o, i]}", "&", payload("tcp", "flags"), t->flg_mask), json_integer(t->flg_cmp));
    if (t->option)
        add_unknown(expr, "tcp option");
}

/* The bits of `state` and of `conntrack` are the same for what a packet of ours can be. */
static void add_states(json_t *expr, unsigned bits, bool inverted)
{
    json_t *states = json_array();

    if (bits & XT_STATE_BIT(IP_CT_NEW))
        json_array_append_new(states, json_string("new"));
    if (bits & XT_STATE_BIT(IP_CT_ESTABLISHED))
        json_array_append_new(states, json_string("established"));
    add_match(expr, inverted ? "!=" : "in", json_pack("{s:{s:s}}", "ct", "key", "state"), states);
}

static void add_conntrack(json_t *expr, const struct xt_entry_match *m)
{
    const struct xt_conntrack_mtinfo3 *c = (const void *)m->data;

    if (m->u.user.revision < 2 || c->match_flags != XT_CONNTRACK_STATE || c->state_mask & XT_CONNTRACK_STATE_SNAT ||
        c->state_mask & XT_CONNTRACK_STATE_DNAT)
        add_unknown(expr, "conntrack");
    else
        add_states(expr, c->state_mask, c->invert_flags & XT_CONNTRACK_STATE);
}

static void add_one(json_t *expr, const struct xt_entry_match *m)
{
    const char *name = m->u.user.name;

    if (strcmp(name, "tcp") == 0)
        add_tcp(expr, (const void *)m->data);
    else if (strcmp(name, "state") == 0)
        add_states(expr, ((const struct xt_state_info *)(const void *)m->data)->statemask, false);
    else if (strcmp(name, "conntrack") == 0)
        add_conntrack(expr, m);
    else if (strcmp(name, "udp") != 0 && strcmp(name, "icmp") != 0 &&
             strcmp(name, "icmp6") != 0) /* their protocol stands in the rule */
        add_unknown(expr, name);
}

static void add_all(json_t *expr, const void *entry, size_t from, size_t to)
{
    while (from + sizeof(struct xt_entry_match) <= to) {
        const struct xt_entry_match *m = (const void *)((const char *)entry + from);
        if (m->u.match_size < sizeof *m || from + m->u.match_size > to)
            return;
        add_one(expr, m);
        from += m->u.match_size;
    }
}

/* --- rules --- */

/* The name of a target as libiptc tells it: a verdict, a chain, or a target of the kernel's. */
static void add_target(json_t *expr, const char *name, bool chain)
{
    static const struct {
        const char *name, *verdict;
    } verdicts[] = { { "ACCEPT", "accept" }, { "DROP", "drop" }, { "RETURN", "return" }, { "REJECT", "reject" } };

    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        if (strcmp(name, verdicts[i].name) == 0) {
            json_array_append_new(expr, json_pack("{s:n}", verdicts[i].verdict));
            return;
        }
    }
    if (chain)
        json_array_append_new(expr, json_pack("{s:{s:s}}", "jump", "target", name));
}

static void add_rule(json_t *objects, const char *family, const char *chain, int number, json_t *expr)
{
    json_array_append_new(objects, json_pack("{s:{s:s, s:s, s:s, s:i, s:o}}", "rule", "family", family, "table",
                                             LEGACY_TABLE, "chain", chain, "handle", number, "expr", expr));
}

static void add_chain(json_t *objects, const char *family, const char *name, const char *policy)
{
    json_t *chain = json_pack("{s:s, s:s, s:s}", "family", family, "table", LEGACY_TABLE, "name", name);
    const char *hook = strcmp(name, "INPUT") == 0 ? "input" : strcmp(name, "OUTPUT") == 0 ? "output" : "forward";

    if (policy) {
        json_object_set_new(chain, "hook", json_string(hook));
        json_object_set_new(chain, "type", json_string("filter"));
        json_object_set_new(chain, "prio", json_integer(0));
        json_object_set_new(chain, "policy", json_string(strcmp(policy, "DROP") == 0 ? "drop" : "accept"));
    }
    json_array_append_new(objects, json_pack("{s:o}", "chain", chain));
}

static json_t *conditions4(const struct ipt_entry *e)
{
    const struct ipt_ip *ip = &e->ip;
    json_t *expr = json_array();

    add_net(expr, AF_INET, "saddr", &ip->src, &ip->smsk, ip->invflags & IPT_INV_SRCIP);
    add_net(expr, AF_INET, "daddr", &ip->dst, &ip->dmsk, ip->invflags & IPT_INV_DSTIP);
    add_interface(expr, "iifname", ip->iniface, ip->iniface_mask, ip->invflags & IPT_INV_VIA_IN);
    add_interface(expr, "oifname", ip->outiface, ip->outiface_mask, ip->invflags & IPT_INV_VIA_OUT);
    add_protocol(expr, ip->proto, ip->invflags & IPT_INV_PROTO);
    add_all(expr, e, sizeof *e, e->target_offset);
    return expr;
}

static json_t *conditions6(const struct ip6t_entry *e)
{
    const struct ip6t_ip6 *ip = &e->ipv6;
    json_t *expr = json_array();

    add_net(expr, AF_INET6, "saddr", &ip->src, &ip->smsk, ip->invflags & IP6T_INV_SRCIP);
    add_net(expr, AF_INET6, "daddr", &ip->dst, &ip->dmsk, ip->invflags & IP6T_INV_DSTIP);
    add_interface(expr, "iifname", ip->iniface, ip->iniface_mask, ip->invflags & IP6T_INV_VIA_IN);
    add_interface(expr, "oifname", ip->outiface, ip->outiface_mask, ip->invflags & IP6T_INV_VIA_OUT);
    add_protocol(expr, ip->flags & IP6T_F_PROTO ? ip->proto : 0, ip->invflags & IP6T_INV_PROTO);
    add_all(expr, e, sizeof *e, e->target_offset);
    return expr;
}

/* --- tables --- */

static bool read4(json_t *objects)
{
    struct xtc_handle *h = iptc_init(TABLE);

    for (const char *chain = h ? iptc_first_chain(h) : NULL; chain; chain = iptc_next_chain(h)) {
        struct xt_counters counters;
        int number = 0;
        add_chain(objects, "ip", chain, iptc_builtin(chain, h) ? iptc_get_policy(chain, &counters, h) : NULL);
        for (const struct ipt_entry *e = iptc_first_rule(chain, h); e && number < RULES; e = iptc_next_rule(e, h)) {
            const char *target = iptc_get_target(e, h);
            json_t *expr = conditions4(e);
            add_target(expr, target ? target : "", target && iptc_is_chain(target, h));
            add_rule(objects, "ip", chain, ++number, expr);
        }
    }
    if (h)
        iptc_free(h);
    return h != NULL;
}

static bool read6(json_t *objects)
{
    struct xtc_handle *h = ip6tc_init(TABLE);

    for (const char *chain = h ? ip6tc_first_chain(h) : NULL; chain; chain = ip6tc_next_chain(h)) {
        struct xt_counters counters;
        int number = 0;
        add_chain(objects, "ip6", chain, ip6tc_builtin(chain, h) ? ip6tc_get_policy(chain, &counters, h) : NULL);
        for (const struct ip6t_entry *e = ip6tc_first_rule(chain, h); e && number < RULES; e = ip6tc_next_rule(e, h)) {
            const char *target = ip6tc_get_target(e, h);
            json_t *expr = conditions6(e);
            add_target(expr, target ? target : "", target && ip6tc_is_chain(target, h));
            add_rule(objects, "ip6", chain, ++number, expr);
        }
    }
    if (h)
        ip6tc_free(h);
    return h != NULL;
}

static bool has_table(const char *root, const char *names)
{
    g_autofree char *text = tree_text(root, "proc/net", names);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", 0);

    return g_strv_contains((const char *const *)lines, TABLE);
}

bool legacy_read(const char *root, json_t *objects)
{
    bool four = !has_table(root, "ip_tables_names") || read4(objects);
    bool six = !has_table(root, "ip6_tables_names") || read6(objects);

    return four && six;
}
