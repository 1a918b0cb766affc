#include "diagnose/probe_verdict.h"

#include "diagnose/rules.h"

#include <string.h>

/* The records of one address, by kind. */
struct way {
    const struct probe_result *of[PROBE_KINDS];
    unsigned version;
    struct addr to;
    char target[ADDR_TEXT_SIZE + 8]; /* "192.0.2.1:80", "[2001:db8::1]:80" */
};

static void name_target(struct way *w, const struct probe_result *p)
{
    char text[ADDR_TEXT_SIZE];
    const char *format = w->version == 6 ? "[%s]:%u" : "%s:%u";

    addr_text(text, &w->to, w->version);
    if (p->port)
        g_snprintf(w->target, sizeof w->target, format, text, p->port);
    else if (!*w->target)
        g_strlcpy(w->target, text, sizeof w->target);
}

static enum probe_outcome outcome(const struct way *w, enum probe_kind kind)
{
    return w->of[kind] ? w->of[kind]->outcome : OUTCOMES;
}

static bool any_answer(const struct way *w)
{
    for (int i = 0; i < PROBE_KINDS; i++)
        if (w->of[i] && i != PROBE_CONNECT && w->of[i]->reply != REPLY_NONE) /* the kernel's own errors are no answers */
            return true;
    return false;
}

/* --- before anything leaves the link --- */

static struct finding *not_sent(const struct way *w)
{
    const struct probe_result *p = w->of[PROBE_SYN] ? w->of[PROBE_SYN] : w->of[PROBE_ECHO];

    if (!p || (p->outcome != OUTCOME_NO_ROUTE && p->outcome != OUTCOME_BLOCKED_HERE))
        return NULL;
    if (p->outcome == OUTCOME_BLOCKED_HERE) {
        struct finding *f = finding_new(CODE_ADMIN_PROHIBITED, WHERE_CLIENT, "A rule of this host keeps packets to %s from leaving.", w->target);
        f->remedy = "Look at the rules of this host: `nft list ruleset`, `ip rule`, `ip route get ADDRESS`.";
        return f;
    }
    struct finding *f = finding_new(CODE_NETWORK_UNREACHABLE, WHERE_CLIENT, "This host has no route to %s.", w->target);
    f->remedy = "Look at the routes and addresses of this host: `ip route get ADDRESS`, `ip address`, and that its interface is up.";
    return f;
}

static struct finding *neighbor(const struct way *w)
{
    const struct probe_result *p = w->of[PROBE_NEIGHBOR];
    char text[ADDR_TEXT_SIZE];

    if (outcome(w, PROBE_NEIGHBOR) != OUTCOME_NO_ANSWER || any_answer(w))
        return NULL;
    bool is_target = addr_cmp(&p->target, &w->to) == 0;
    struct finding *f = finding_new(CODE_NEIGHBOR_UNANSWERED, is_target ? WHERE_SERVER : WHERE_PATH, "Nobody answers for %s %s on the link.",
                                    is_target ? "the target" : "the next hop", addr_text(text, &p->target, w->version));
    finding_detail_text(f, "next_hop", text);
    return f;
}

/* --- the SYN --- */

static void tell_hop(struct finding *f, const struct way *w, const struct probe_result *trail)
{
    if (trail && trail->has_end)
        finding_detail_hop(f, w->version, &trail->after, &trail->at);
}

static void append_place(GString *s, const struct way *w, const struct probe_place *p, const char *unknown)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append(s, p->known ? addr_text(text, &p->addr, w->version) : unknown);
    if (p->ttl)
        g_string_append_printf(s, " (hop %u)", p->ttl);
}

/* "they pass A (hop 1) and die at or before B (hop 2)" */
static char *interval(const struct way *w, const struct probe_result *trail)
{
    g_autoptr(GString) s = g_string_new("they pass ");

    append_place(s, w, &trail->after, trail->after.ttl ? "a silent hop" : "this host");
    g_string_append(s, " and die at or before ");
    append_place(s, w, &trail->at, "a hop that does not answer");
    return g_string_free(g_steal_pointer(&s), FALSE);
}

/* What passes where the SYN as it is does not: what the filter keys on. */
static void tell_variants(struct finding *f, const struct way *w)
{
    const struct probe_result *p = w->of[PROBE_SYN_VARIANTS];
    g_autoptr(GPtrArray) passed = g_ptr_array_new();

    for (guint i = 0; p && p->variants && i < p->variants->len; i++) {
        const struct probe_variant *v = &g_array_index(p->variants, struct probe_variant, i);
        if (v->reply == REPLY_SYN_ACK || v->reply == REPLY_RST)
            g_ptr_array_add(passed, (gpointer)(uintptr_t)v->change);
    }
    g_ptr_array_add(passed, NULL);
    if (passed->len > 1)
        finding_detail_list(f, "passes", (const char *const *)passed->pdata);
}

static struct finding *unanswered(const struct way *w)
{
    const struct probe_result *trail = w->of[PROBE_SYN_TTL];
    bool echo = outcome(w, PROBE_ECHO) == OUTCOME_ANSWERED;
    g_autofree char *where = trail && trail->outcome == OUTCOME_STOPPED ? interval(w, trail) : NULL;
    struct finding *f = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH, "%s does not answer SYNs%s%s%s.", w->target, where ? ": " : "",
                                    where ? where : "", echo ? "; ICMP echo is answered, so that a filter drops this port" : "");

    f->confidence = echo ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    tell_hop(f, w, trail);
    if (w->of[PROBE_SYN])
        finding_detail_number(f, "syn_sent", w->of[PROBE_SYN]->sent);
    tell_variants(f, w);
    if (where && echo && w->of[PROBE_SYN]) {
        g_autoptr(GString) s = g_string_new("Look for a rule that drops TCP port ");
        g_string_append_printf(s, "%u at ", w->of[PROBE_SYN]->port);
        append_place(s, w, &trail->after, "this host");
        g_string_append(s, " (output), at ");
        append_place(s, w, &trail->at, "the next hop");
        g_string_append(s, " (input), or between them: `nft list ruleset`, access lists, the provider's filter.");
        f->own_remedy = g_string_free(g_steal_pointer(&s), FALSE);
    }
    return f;
}

/* The trail says that the RST comes from nearer than where echo finds the target. */
static bool refused_nearer(const struct way *w)
{
    const struct probe_result *syn = w->of[PROBE_SYN_TTL], *echo = w->of[PROBE_ECHO_TTL];

    return syn && echo && syn->outcome == OUTCOME_REACHED && echo->outcome == OUTCOME_REACHED && syn->reply == REPLY_RST &&
           syn->reply_distance < echo->reply_distance;
}

static struct probe_place hop_at(const struct probe_result *trail, unsigned ttl)
{
    for (guint i = 0; trail->hops && i < trail->hops->len; i++) {
        const struct probe_hop *h = &g_array_index(trail->hops, struct probe_hop, i);
        if (h->place.ttl == ttl)
            return h->place;
    }
    return (struct probe_place){ .ttl = ttl };
}

/* The host that refused, where that is the target itself. */
static void tell_answering_hop(struct finding *f, const struct way *w)
{
    const struct probe_result *trail = w->of[PROBE_SYN_TTL];

    if (!trail || trail->outcome != OUTCOME_REACHED)
        return;
    struct probe_place at = hop_at(trail, trail->reply_distance), after = hop_at(trail, trail->reply_distance - 1u);
    finding_detail_hop(f, w->version, &after, &at);
}

/* The trails agree wherever both know a hop: they took one path. */
static bool same_path(const struct way *w)
{
    const struct probe_result *a = w->of[PROBE_SYN_TTL], *b = w->of[PROBE_ECHO_TTL];

    for (unsigned ttl = 1; ttl < a->reply_distance; ttl++) {
        struct probe_place x = hop_at(a, ttl), y = hop_at(b, ttl);
        if (x.known && y.known && addr_cmp(&x.addr, &y.addr) != 0)
            return false;
    }
    return true;
}

/* Hops that a packet has come, by the initial values that systems use (64, 128, 255). */
static unsigned hops_come(uint8_t ttl)
{
    return (ttl <= 64 ? 64u : ttl <= 128 ? 128u : 255u) - ttl;
}

/* The RST has come fewer hops than the target's echo. */
static bool refused_with_another_ttl(const struct way *w)
{
    const struct probe_result *syn = w->of[PROBE_SYN], *echo = w->of[PROBE_ECHO];

    return echo && outcome(w, PROBE_ECHO) == OUTCOME_ANSWERED && syn->reply_ttl && echo->reply_ttl &&
           hops_come(syn->reply_ttl) < hops_come(echo->reply_ttl);
}

static struct finding *refused_by_middlebox(const struct way *w, const struct probe_place *after, const struct probe_place *at,
                                            unsigned distance, unsigned server)
{
    g_autoptr(GString) where = g_string_new(NULL);

    append_place(where, w, at, "a hop that does not answer");
    struct finding *f = finding_new(CODE_SYN_REFUSED_BY_MIDDLEBOX, WHERE_PATH,
                                    "The RST that refuses %s comes from %u %s away, at or before %s; the server is %u hops away.", w->target,
                                    distance, distance == 1 ? "hop" : "hops", where->str, server);
    finding_detail_hop(f, w->version, after, at);
    finding_detail_number(f, "rst_ttl", w->of[PROBE_SYN]->reply_ttl);
    if (w->of[PROBE_ECHO])
        finding_detail_number(f, "echo_ttl", w->of[PROBE_ECHO]->reply_ttl);
    return f;
}

static struct finding *refused(const struct way *w)
{
    const struct probe_result *syn = w->of[PROBE_SYN], *trail = w->of[PROBE_SYN_TTL], *control = w->of[PROBE_ECHO_TTL];

    if (refused_nearer(w)) {
        unsigned d = trail->reply_distance;
        struct probe_place at = hop_at(control, d), after = hop_at(trail, d - 1);
        struct finding *f = refused_by_middlebox(w, &after, &at, d, control->reply_distance);
        f->confidence = same_path(w) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
        return f;
    }
    if (control && refused_with_another_ttl(w)) {
        unsigned d = hops_come(syn->reply_ttl) + 1;
        struct probe_place at = hop_at(control, d), after = hop_at(control, d - 1);
        struct finding *f = refused_by_middlebox(w, &after, &at, d, hops_come(w->of[PROBE_ECHO]->reply_ttl) + 1);
        f->confidence = CONFIDENCE_LIKELY;
        return f;
    }
    struct finding *f = finding_new(CODE_SYN_REFUSED, WHERE_SERVER, "%s refuses the connection (RST).", w->target);
    tell_answering_hop(f, w);
    finding_detail_number(f, "rst_ttl", syn->reply_ttl);
    return f;
}

/* The addresses of a routing loop, in their order, NULL-terminated; NULL: there is none. */
static char **loop_of(const struct way *w)
{
    const struct probe_result *trail = w->of[PROBE_SYN_TTL];
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    char text[ADDR_TEXT_SIZE];

    if (!trail || trail->outcome != OUTCOME_LOOP)
        return NULL;
    for (guint i = trail->at.ttl - 1; i < trail->hops->len; i++) {
        const struct probe_hop *h = &g_array_index(trail->hops, struct probe_hop, i);
        bool again = h->place.ttl > trail->at.ttl && addr_cmp(&h->place.addr, &trail->at.addr) == 0;
        if (again)
            break;
        if (h->place.known)
            g_ptr_array_add(found, g_strdup(addr_text(text, &h->place.addr, w->version)));
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&found), FALSE);
}

static struct finding *unreachable(const struct way *w)
{
    const struct probe_result *p = w->of[PROBE_SYN];
    enum code code = icmp_code_of(w->version, p->icmp_type, p->icmp_code);
    const struct addr *from = p->from.known ? &p->from.addr : &w->to;
    bool is_server = !p->from.known;
    char text[ADDR_TEXT_SIZE];

    if (code == CODE_OK)
        return unanswered(w);
    g_auto(GStrv) circle = loop_of(w);
    struct finding *f = finding_new(code, is_server ? WHERE_SERVER : WHERE_PATH, "The SYN to %s is answered by %s: %s%s.", w->target,
                                    addr_text(text, from, w->version), catalogue_row(code)->title,
                                    circle ? "; routers send it in a circle" : "");
    finding_detail_text(f, "icmp_from", text);
    finding_detail_number(f, "icmp_type", p->icmp_type);
    finding_detail_number(f, "icmp_code", p->icmp_code);
    if (circle)
        finding_detail_list(f, "loop", (const char *const *)circle);
    if (is_server)
        tell_answering_hop(f, w);
    else
        tell_hop(f, w, w->of[PROBE_SYN_TTL]);
    return f;
}

static enum code unreachable_code(enum probe_reply reply)
{
    return reply == REPLY_HOST_UNREACHABLE    ? CODE_HOST_UNREACHABLE
           : reply == REPLY_ADMIN_PROHIBITED ? CODE_ADMIN_PROHIBITED
                                             : CODE_NETWORK_UNREACHABLE;
}

/* Where no SYN could be crafted, or none was as the target is this host itself, the kernel's own tells; what exactly came back it does not say. */
static struct finding *connected(const struct way *w)
{
    const struct probe_result *p = w->of[PROBE_CONNECT];
    struct finding *f = NULL;

    if (!p || (w->of[PROBE_SYN] && outcome(w, PROBE_SYN) != OUTCOME_LEFT_OUT))
        return NULL;
    if (p->outcome == OUTCOME_REFUSED)
        f = finding_new(CODE_SYN_REFUSED, WHERE_NONE, "%s refuses the connection.", w->target);
    else if (p->outcome == OUTCOME_NO_ANSWER)
        f = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH, "%s does not answer.", w->target);
    else if (p->outcome == OUTCOME_UNREACHABLE)
        f = finding_new(unreachable_code(p->reply), WHERE_NONE, "%s cannot be reached (%s).", w->target, p->note ? p->note : "unreachable");
    if (f)
        f->confidence = CONFIDENCE_LIKELY;
    return f;
}

/* The answer is on the wire of this host, and its kernel does not get it. */
static struct finding *not_let_in(const struct way *w)
{
    if (outcome(w, PROBE_SYN) != OUTCOME_OPEN || outcome(w, PROBE_CONNECT) != OUTCOME_NO_ANSWER)
        return NULL;
    struct finding *f = finding_new(CODE_ADMIN_PROHIBITED, WHERE_CLIENT,
                                    "%s answers a SYN, but this host's own connection does not get the answer: a rule of this host drops it.", w->target);
    f->confidence = CONFIDENCE_LIKELY;
    f->remedy = "Look at the rules for what comes in: `nft list ruleset`, `sysctl net.ipv4.conf.all.rp_filter`.";
    return f;
}

/* A connection that comes about goes before all that happens to SYNs of ours. */
static struct finding *syn(const struct way *w)
{
    if (outcome(w, PROBE_CONNECT) == OUTCOME_OPEN)
        return NULL;
    switch (outcome(w, PROBE_SYN)) {
    case OUTCOME_NO_ANSWER: return unanswered(w);
    case OUTCOME_REFUSED: return refused(w);
    case OUTCOME_UNREACHABLE: return unreachable(w);
    default: return not_let_in(w);
    }
}

/* --- sizes --- */

static struct finding *hole(const struct way *w, const struct probe_result *p, const char *direction, const char *words)
{
    const struct probe_result *trail = w->of[PROBE_SIZE_TTL];
    bool told = trail && trail->has_end && trail->kind == PROBE_SIZE_TTL;
    g_autofree char *where = told ? interval(w, trail) : NULL;
    struct finding *f = finding_new(CODE_PMTU_BLACKHOLE, WHERE_PATH, "Packets above %u bytes vanish without a word on the way %s%s%s.",
                                    p->path_mtu, words, where ? ": " : "", where ? where : "");

    finding_detail_number(f, "path_mtu", p->path_mtu);
    finding_detail_text(f, "direction", direction);
    if (told)
        tell_hop(f, w, trail);
    return f;
}

/* Something larger than a handshake has come back: a certificate, or a page. */
static bool large_answers_come(const struct way *w)
{
    return outcome(w, PROBE_TLS) == OUTCOME_COMPLETE || outcome(w, PROBE_REQUEST) == OUTCOME_ANSWERED;
}

/* Only large echoes are not answered: a narrow way back, or somebody who does not like large echoes. */
static struct finding *large_echoes(const struct way *w, bool there)
{
    struct finding *f = there ? hole(w, w->of[PROBE_ECHO_DF], "back", "back") : hole(w, w->of[PROBE_ECHO_DF], "either", "there or back");

    f->confidence = there ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    if (large_answers_come(w) || !there)
        f->status = STATUS_DEGRADED;
    if (large_answers_come(w))
        f->confidence = CONFIDENCE_POSSIBLE;
    finding_detail_text(f, "alternative", "a filter, or the target, that drops large echoes");
    return f;
}

static struct finding *sizes(const struct way *w)
{
    const struct probe_result *forward = w->of[PROBE_ACK_DF];

    if (!forward || forward->outcome == OUTCOME_UNMEASURABLE)
        forward = w->of[PROBE_UDP_DF];
    if (forward && forward->outcome == OUTCOME_BLACK_HOLE)
        return hole(w, forward, "there", "there");
    if (outcome(w, PROBE_ECHO_DF) != OUTCOME_BLACK_HOLE)
        return NULL;
    return large_echoes(w, forward && forward->path_mtu > w->of[PROBE_ECHO_DF]->path_mtu);
}

/* --- options --- */

static struct finding *options(const struct way *w)
{
    static const char *const harmful[] = { "sack", "timestamps", "wscale" };
    const struct probe_result *p = w->of[PROBE_OPTION_DIFF];
    const struct probe_change *first = NULL;
    g_autoptr(GPtrArray) lost = g_ptr_array_new();

    for (guint i = 0; p && p->changes && i < p->changes->len; i++) {
        const struct probe_change *c = &g_array_index(p->changes, struct probe_change, i);
        for (size_t k = 0; k < G_N_ELEMENTS(harmful); k++)
            if (strcmp(c->what, harmful[k]) == 0)
                g_ptr_array_add(lost, (gpointer)(uintptr_t)c->what);
        first = lost->len == 1 && !first ? c : first;
    }
    if (!first)
        return NULL;
    g_ptr_array_add(lost, NULL);
    g_autofree char *names = g_strjoinv(", ", (char **)lost->pdata);
    struct finding *f = finding_new(CODE_OPTION_STRIPPED, WHERE_PATH, "TCP options of the SYN are removed or changed on the way to %s: %s.", w->target, names);
    finding_detail_list(f, "options", (const char *const *)lost->pdata);
    finding_detail_hop(f, w->version, &first->after, &first->at);
    return f;
}

/* What a single probe found by itself: nearest to the root first. */
static struct finding *own(const struct way *w)
{
    for (int i = 0; i < PROBE_KINDS; i++)
        if (w->of[i] && w->of[i]->finding)
            return finding_copy(w->of[i]->finding);
    return NULL;
}

static struct finding *judge(const struct way *w)
{
    static struct finding *(*const rules[])(const struct way *) = { not_sent, neighbor, syn, connected, sizes, own, options };
    struct finding *f = NULL;

    for (size_t i = 0; !f && i < G_N_ELEMENTS(rules); i++)
        f = rules[i](w);
    return f;
}

/* --- all addresses --- */

static guint read_way(const GPtrArray *results, guint from, struct way *w)
{
    const struct probe_result *first = g_ptr_array_index(results, from);
    guint i = from;

    *w = (struct way){ .version = first->version, .to = first->way_to };
    for (; i < results->len; i++) {
        const struct probe_result *p = g_ptr_array_index(results, i);
        if (p->version != w->version || addr_cmp(&p->way_to, &w->to) != 0)
            break;
        w->of[p->kind] = p;
        name_target(w, p);
    }
    return i;
}

static bool is_broken(const struct finding *f)
{
    return f && f->status == STATUS_BROKEN;
}

struct finding *probe_verdict(const GPtrArray *results)
{
    struct finding *worst = NULL;
    unsigned version = 0, ways = 0, broken = 0;

    for (guint i = 0; i < results->len;) {
        struct way w;
        i = read_way(results, i, &w);
        struct finding *f = judge(&w);
        ways++;
        broken += is_broken(f);
        bool worse = f && (!worst || f->status > worst->status);
        version = worse ? w.version : version;
        finding_free(worse ? worst : f);
        worst = worse ? f : worst;
    }
    if (worst && broken < ways && ways > 1) {
        finding_detail_text(worst, "family", version == 6 ? "ipv6" : "ipv4");
        if (is_broken(worst))
            worst->status = STATUS_DEGRADED;
    }
    return worst;
}
