#include "host/ruleset.h"

#include "host/legacy.h"
#include "host/machine.h"
#include "host/match.h"

#include <linux/capability.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEPTH 16     /* of jumps: the kernel's own limit (NFT_JUMP_STACK_SIZE) */
#define INPUT 2      /* the last of the hooks of what comes in */
#define STEPS 100000 /* rules that one packet is walked through: chains may call each other many times over */

struct chain {
    const char *family, *table, *name; /* of the document */
    const char *type, *hook, *policy;  /* NULL: no base chain */
    const json_t *devices;             /* of the hooks ingress and egress: a name, or several; NULL: of any */
    json_int_t priority;
    GPtrArray *rules; /* const json_t*, in order */
};

struct ruleset {
    json_t *document;
    GPtrArray *chains; /* struct chain* */
    unsigned rules;
};

/* --- reading --- */

static const char *text_at(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void chain_free(gpointer p)
{
    struct chain *c = p;

    g_ptr_array_free(c->rules, TRUE);
    g_free(c);
}

static struct chain *find_chain(const struct ruleset *r, const char *family, const char *table, const char *name)
{
    for (guint i = 0; family && table && name && i < r->chains->len; i++) {
        struct chain *c = g_ptr_array_index(r->chains, i);
        if (strcmp(c->family, family) == 0 && strcmp(c->table, table) == 0 && strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static void add_chain(struct ruleset *r, const json_t *o)
{
    struct chain *c = g_new0(struct chain, 1);

    *c = (struct chain){ text_at(o, "family"),      text_at(o, "table"),
                         text_at(o, "name"),        text_at(o, "type"),
                         text_at(o, "hook"),        text_at(o, "policy"),
                         json_object_get(o, "dev"), json_integer_value(json_object_get(o, "prio")),
                         g_ptr_array_new() };
    if (c->family && c->table && c->name)
        g_ptr_array_add(r->chains, c);
    else
        chain_free(c);
}

static void add_rule(struct ruleset *r, const json_t *o)
{
    struct chain *c = find_chain(r, text_at(o, "family"), text_at(o, "table"), text_at(o, "chain"));

    r->rules++;
    if (c)
        g_ptr_array_add(c->rules, (gpointer)(uintptr_t)o);
}

static int by_priority(const void *a, const void *b)
{
    const struct chain *x = *(struct chain *const *)a, *y = *(struct chain *const *)b;

    return (x->priority > y->priority) - (x->priority < y->priority);
}

static json_t *parse(const char *json, GError **error)
{
    json_error_t why;
    json_t *document = json_loads(json, 0, &why);

    if (json_is_array(json_object_get(document, "nftables")))
        return document;
    g_set_error(error, HOST_ERROR, 0, "the ruleset is no JSON of nftables: %s",
                document ? "there is no list in it" : why.text);
    json_decref(document);
    return NULL;
}

/* root NULL: nothing but the document, which it owns. */
static struct ruleset *build(json_t *document, const char *root)
{
    json_t *objects = json_object_get(document, "nftables"), *o;
    size_t i;

    if (!document)
        return NULL;
    if (root)
        legacy_read(root, objects); /* where it cannot, there is no such table, which the rung says */
    struct ruleset *r = g_new0(struct ruleset, 1);
    r->document = document;
    r->chains = g_ptr_array_new_with_free_func(chain_free);
    json_array_foreach(objects, i, o) if (json_object_get(o, "chain")) add_chain(r, json_object_get(o, "chain"));
    json_array_foreach(objects, i, o) if (json_object_get(o, "rule")) add_rule(r, json_object_get(o, "rule"));
    g_ptr_array_sort(r->chains, by_priority);
    return r;
}

struct ruleset *ruleset_parse(const char *json, GError **error)
{
    return build(parse(json, error), NULL);
}

/* Without it libnftables writes to standard error by itself. */
static bool may_read(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

    return syscall(SYS_capget, &header, sets) == 0 && sets[0].effective & 1u << CAP_NET_ADMIN;
}

struct ruleset *ruleset_read(const char *root, GError **error)
{
    if (!may_read()) {
        g_set_error(error, HOST_ERROR, 0, "the kernel does not show its rules to this user (nftables)");
        return NULL;
    }
    struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);
    struct ruleset *r = NULL;

    nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_NUMERIC_PRIO);
    nft_ctx_buffer_output(nft);
    nft_ctx_buffer_error(nft);
    if (nft_run_cmd_from_buffer(nft, "list ruleset") == 0)
        r = build(parse(nft_ctx_get_output_buffer(nft), error), root);
    else
        g_set_error(error, HOST_ERROR, 0, "the kernel does not tell its rules (nftables)");
    nft_ctx_free(nft);
    return r;
}

void ruleset_free(struct ruleset *r)
{
    if (!r)
        return;
    json_decref(r->document);
    g_ptr_array_free(r->chains, TRUE);
    g_free(r);
}

bool ruleset_has_legacy(const struct ruleset *r, unsigned version)
{
    return find_chain(r, version == 6 ? "ip6" : "ip", LEGACY_TABLE, "INPUT") != NULL;
}

unsigned ruleset_size(const struct ruleset *r)
{
    return r->rules;
}

/* --- walking --- */

enum end { END_NONE, END_ACCEPT, END_DROP, END_REJECT, END_RETURN };

struct walking {
    const struct ruleset *rules;
    const struct chain *chain; /* whose sets are looked into */
    struct matching matching;
    unsigned steps;
    bool translates;          /* the rule at hand does */
    bool doubt;               /* a rule before may have accepted it */
    const json_t *culprit;    /* the rule that ends it */
    struct walker packet;     /* as it is by now */
    const json_t *translator; /* the rule that gave it another target */
    const json_t *suspect;    /* the first that may */
};

/* Named sets and maps of the table. */
static const json_t *find_set(const void *user, const char *name)
{
    const struct walking *w = user;
    const json_t *objects = json_object_get(w->rules->document, "nftables");
    size_t i;
    json_t *o;

    json_array_foreach(objects, i, o)
    {
        const json_t *set = json_object_get(o, "set") ? json_object_get(o, "set") : json_object_get(o, "map");
        const char *family = text_at(set, "family"), *table = text_at(set, "table"), *own = text_at(set, "name");
        if (family && table && own && strcmp(own, name) == 0 && strcmp(family, w->chain->family) == 0 &&
            strcmp(table, w->chain->table) == 0)
            return json_object_get(set, "elem");
    }
    return NULL;
}

/* Statements that change nothing about the packet's fate; anything else that is no verdict is not known. */
static bool is_harmless(const char *key)
{
    static const char *const names[] = { "counter", "log",        "mangle",     "notrack", "ct helper", "ct timeout",
                                         "flow",    "xt comment", "masquerade", "snat",    "dup" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static enum end walk_chain(struct walking *w, const struct chain *c, unsigned depth);

/* What a verdict statement does: {"drop": null}, {"jump": {"target": ...}}, ... */
static enum end follow(struct walking *w, const json_t *statement, unsigned depth)
{
    const json_t *jump = json_object_get(statement, "jump"), *go = json_object_get(statement, "goto");
    const json_t *to = jump ? jump : go;

    if (json_object_get(statement, "accept"))
        return END_ACCEPT;
    if (json_object_get(statement, "drop"))
        return END_DROP;
    if (json_object_get(statement, "reject"))
        return END_REJECT;
    if (json_object_get(statement, "return"))
        return END_RETURN;
    if (!to)
        return END_NONE;
    const struct chain *c = find_chain(w->rules, w->chain->family, w->chain->table, text_at(to, "target"));
    enum end e = c && depth < DEPTH ? walk_chain(w, c, depth + 1) : END_NONE;
    return e == END_NONE && go ? END_RETURN : e;
}

/* iptables' own matches: a comment is none; its targets by their names. */
static enum end xt(const json_t *x, enum truth *truth)
{
    const char *type = text_at(x, "type"), *own = text_at(x, "name");

    if (type && own && strcmp(type, "target") == 0)
        return strcmp(own, "REJECT") == 0 ? END_REJECT : END_NONE;
    if (!own || strcmp(own, "comment") != 0)
        *truth = TRUTH_UNKNOWN;
    return END_NONE;
}

/* One statement. *truth becomes what holds of the rule so far; what is not END_NONE ends the rule. */
static enum end walk_statement(struct walking *w, const json_t *s, enum truth *truth, unsigned depth)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)s));
    enum truth t = TRUTH_YES;

    if (!key)
        return END_NONE;
    if (strcmp(key, "match") == 0)
        t = match_holds(&w->matching, json_object_get(s, "match"));
    else if (strcmp(key, "xt") == 0)
        return xt(json_object_get(s, "xt"), truth);
    else if (strcmp(key, "vmap") == 0) {
        const json_t *verdict = match_vmap(&w->matching, json_object_get(s, "vmap"), &t);
        return verdict ? follow(w, verdict, depth) : (*truth = t == TRUTH_UNKNOWN ? t : *truth, END_NONE);
    } else if (strcmp(key, "accept") == 0 || strcmp(key, "drop") == 0 || strcmp(key, "reject") == 0 ||
               strcmp(key, "return") == 0 || strcmp(key, "jump") == 0 || strcmp(key, "goto") == 0)
        return follow(w, s, depth);
    else if (strcmp(key, "dnat") == 0 || strcmp(key, "redirect") == 0)
        w->translates = *truth != TRUTH_NO;
    else if (!is_harmless(key))
        t = TRUTH_UNKNOWN; /* limit, quota, ct count, queue, ... */
    if (t == TRUTH_NO)
        *truth = TRUTH_NO;
    else if (t == TRUTH_UNKNOWN && *truth == TRUTH_YES)
        *truth = TRUTH_UNKNOWN;
    return END_NONE;
}

/* A rule that may hold: its verdict is remembered as a possibility and the walk goes on behind it. */
static void suspect(struct walking *w, const json_t *rule, enum end e)
{
    if (e == END_ACCEPT || e == END_RETURN)
        w->doubt = true;
    if ((e == END_DROP || e == END_REJECT) && !w->suspect)
        w->suspect = w->culprit ? w->culprit : rule;
}

/* From here on it goes to somebody whom the ruleset names, and may not even stay on this host. */
static enum end translate(struct walking *w, const json_t *rule)
{
    w->translates = false;
    w->translator = w->translator ? w->translator : rule;
    w->packet.any_dst = true;
    w->packet.dport = 0;
    return END_ACCEPT;
}

static enum end walk_rule(struct walking *w, const json_t *rule, unsigned depth)
{
    enum truth truth = TRUTH_YES;
    size_t i;
    json_t *s;

    json_array_foreach(json_object_get(rule, "expr"), i, s)
    {
        enum end e = walk_statement(w, s, &truth, depth);
        if (truth == TRUTH_NO)
            return END_NONE;
        if (w->translates)
            return translate(w, rule);
        if (e == END_NONE)
            continue;
        if (truth == TRUTH_UNKNOWN) {
            suspect(w, rule, e);
            w->culprit = NULL;
            return END_NONE;
        }
        if (!w->culprit)
            w->culprit = rule;
        return e;
    }
    return END_NONE;
}

static enum end walk_chain(struct walking *w, const struct chain *c, unsigned depth)
{
    for (guint i = 0; i < c->rules->len && w->steps++ < STEPS; i++) {
        w->culprit = NULL;
        enum end e = walk_rule(w, g_ptr_array_index(c->rules, i), depth);
        if (e == END_RETURN) {
            w->culprit = NULL;
            return END_NONE;
        }
        if (e != END_NONE)
            return e;
    }
    return END_NONE;
}

/* --- what it comes to --- */

/* Those of an interface alone are met by what passes it. */
static bool is_of_device(const struct chain *c, const char *name)
{
    size_t i;
    json_t *one;

    if (!c->devices)
        return true;
    if (json_is_string(c->devices))
        return name && strcmp(json_string_value(c->devices), name) == 0;
    json_array_foreach(c->devices, i, one) {
        if (name && json_is_string(one) && strcmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

static bool meets(const struct chain *c, const struct walker *p, const char *hook)
{
    bool family = strcmp(c->family, "inet") == 0 || strcmp(c->family, "netdev") == 0 ||
                  strcmp(c->family, p->version == 6 ? "ip6" : "ip") == 0;
    bool nat = c->type && strcmp(c->type, "nat") == 0;

    if (!c->hook || !family || (nat && p->established)) /* of a connection only its first packet sees the nat chains */
        return false;
    return strcmp(c->hook, hook) == 0 && is_of_device(c, p->inward ? p->in : p->out);
}

/* "tcp dport 80 drop" would take a printer of nftables' own; its JSON, without the counters, does as well. */
static char *rule_text(const json_t *rule)
{
    g_autoptr(GString) out = g_string_new(NULL);
    size_t i;
    json_t *s;

    g_string_append_printf(out, "%s %s %s handle %" JSON_INTEGER_FORMAT, text_at(rule, "family"),
                           text_at(rule, "table"), text_at(rule, "chain"),
                           json_integer_value(json_object_get(rule, "handle")));
    json_array_foreach(json_object_get(rule, "expr"), i,
                       s) if (json_object_get(s, "drop") || json_object_get(s, "reject"))
        g_string_append_printf(out, ", %s", json_object_get(s, "drop") ? "drop" : "reject");
    if (text_at(rule, "comment"))
        g_string_append_printf(out, " (\"%s\")", text_at(rule, "comment"));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void blame_rule(struct walk *w, const json_t *rule)
{
    w->rule = rule_text(rule);
    w->table = g_strdup_printf("%s %s", text_at(rule, "family"), text_at(rule, "table"));
    w->chain = g_strdup(text_at(rule, "chain"));
    w->handle = json_integer_value(json_object_get(rule, "handle"));
}

static void blame_policy(struct walk *w, const struct chain *c)
{
    w->by_policy = true;
    w->rule = g_strdup_printf("%s %s %s, policy drop", c->family, c->table, c->name);
    w->table = g_strdup_printf("%s %s", c->family, c->table);
    w->chain = g_strdup(c->name);
}

/* One base chain. False: the packet is gone, or may be. */
static bool pass(struct walking *w, const struct chain *c, struct walk *out)
{
    w->chain = c;
    w->culprit = w->suspect = NULL;
    w->doubt = false;
    enum end e = walk_chain(w, c, 0);
    bool policy = e == END_NONE && c->policy && strcmp(c->policy, "drop") == 0,
         gone = e == END_DROP || e == END_REJECT || policy;

    if (gone && !w->doubt) {
        out->verdict = e == END_REJECT ? WALK_REJECTED : WALK_DROPPED;
    } else if (gone || w->suspect) {
        out->verdict = WALK_MAY_PASS;
    } else {
        return true;
    }
    if (!gone)
        blame_rule(out, w->suspect);
    else if (policy)
        blame_policy(out, c);
    else
        blame_rule(out, w->culprit);
    return false;
}

void ruleset_walk(const struct ruleset *r, const struct walker *p, struct walk *out)
{
    static const char *const inward[] = { "ingress", "prerouting", "input" }, *const outward[] = { "output",
                                                                                                   "postrouting",
                                                                                                   "egress" };
    struct walking w = { .rules = r };

    w.packet = *p;
    w.matching = (struct matching){ &w.packet, find_set, &w };
    *out = (struct walk){ .verdict = WALK_PASSES };
    for (size_t hook = 0; hook < G_N_ELEMENTS(inward); hook++) {
        if (p->inward && hook == INPUT && w.translator) /* it may be forwarded */
            break;
        for (guint i = 0; i < r->chains->len; i++) {
            const struct chain *c = g_ptr_array_index(r->chains, i);
            struct walk found = { .verdict = WALK_PASSES };
            if (!meets(c, p, (p->inward ? inward : outward)[hook]) || pass(&w, c, &found))
                continue;
            if (found.verdict > out->verdict) {
                walk_clear(out);
                *out = found;
            } else {
                walk_clear(&found);
            }
            if (out->verdict >= WALK_DROPPED)
                return;
        }
    }
    if (w.translator)
        out->translated = rule_text(w.translator);
}

void walk_clear(struct walk *w)
{
    g_free(w->translated);
    g_free(w->rule);
    g_free(w->table);
    g_free(w->chain);
    *w = (struct walk){ 0 };
}
