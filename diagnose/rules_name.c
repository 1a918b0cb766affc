#include "diagnose/names.h"
#include "diagnose/rules.h"
#include "diagnose/sentence.h"

/* A later look-up of the same question, to this or another resolver, that settles it. */
static bool asked_again(const struct name_group *g, guint at)
{
    const struct question *q = &g_array_index(g->questions, struct question, at);

    for (guint i = at + 1; i < g->questions->len; i++) {
        const struct question *later = &g_array_index(g->questions, struct question, i);
        if (later->type_number == q->type_number && strcmp(later->name, q->name) == 0)
            return true;
    }
    return false;
}

/* Whether the silence counts: it lasted, the query was repeated, or ICMP answered it (CONTRACT, guards). */
static bool silence_counts(const struct name_group *g, const struct question *q, const struct silence *s)
{
    if (q->icmp_packet || q->retries || (!s->blind && s->now_ns >= q->last_query_ns + SILENCE_NS))
        return true;
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *other = &g_array_index(g->questions, struct question, i);
        if (other != q && other->type_number == q->type_number && strcmp(other->name, q->name) == 0)
            return true;
    }
    return false;
}

/* The question whose outcome is told: NULL where one gave an address, or one cannot be judged. */
static const struct question *worst(const struct name_group *g, const struct silence *s)
{
    const struct question *w = NULL;

    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        bool address = q->type_number == 1 || q->type_number == 28;

        if (q->outcome == NAME_GIVEN || (q->outcome == NAME_IGNORED && address))
            return NULL;
        if (q->outcome == NAME_NO_ANSWER && !silence_counts(g, q, s))
            return NULL;
        if (q->outcome == NAME_IGNORED || asked_again(g, i))
            continue;
        if (!w || q->outcome > w->outcome || (q->outcome == w->outcome && strlen(q->name) < strlen(w->name)))
            w = q;
    }
    return w;
}

static struct finding *describe(const struct question *q)
{
    char server[ADDR_TEXT_SIZE], other[ADDR_TEXT_SIZE];
    struct sentence s = { 0 };

    addr_text(server, &q->server, q->version);
    say_outside(&s, *q->name ? q->name : ".", 2 * SAY_NAME);
    g_autofree char *name = sentence_dup(&s);
    switch (q->outcome) {
    case NAME_NXDOMAIN:
        return finding_new(CODE_DNS_NXDOMAIN, WHERE_NONE, "The name \"%s\" does not exist: %s answers NXDOMAIN.", name,
                           server);
    case NAME_NO_DATA:
        return finding_new(CODE_DNS_NO_DATA, WHERE_NONE, "The name \"%s\" has no address: %s answers without one.",
                           name, server);
    case NAME_REFUSED:
        return finding_new(CODE_DNS_REFUSED, WHERE_SERVER, "%s refuses to look up \"%s\".", server, name);
    case NAME_SERVFAIL:
        return finding_new(CODE_DNS_SERVFAIL, WHERE_SERVER, "%s cannot look up \"%s\": it answers SERVFAIL.", server,
                           name);
    default:
        if (q->elsewhere_packet)
            return finding_new(CODE_DNS_NO_ANSWER, WHERE_SERVER,
                               "%s does not answer the queries for \"%s\"; an answer comes from %s, which was not asked, and "
                               "is not taken.",
                               server, name, addr_text(other, &q->elsewhere, q->version));
        return finding_new(CODE_DNS_NO_ANSWER, WHERE_PATH, "%s does not answer the queries for \"%s\".", server, name);
    }
}

/* It was answered after all, by ICMP: what that says goes before "no answer". */
static void tell_icmp(struct finding *d, const struct question *q)
{
    char from[ADDR_TEXT_SIZE], server[ADDR_TEXT_SIZE];
    enum code code = icmp_code_of(q->version, q->icmp_type, q->icmp_code);

    addr_text(from, &q->icmp_from, q->version);
    if (code != CODE_OK) {
        g_autofree char *before = d->summary;
        d->summary =
            g_strdup_printf("%s The answer is an ICMP error from %s: %s.", before, from, catalogue_row(code)->title);
        d->remedy = d->own_remedy = g_strdup_printf(
            code == CODE_PORT_UNREACHABLE
                ? "No name server listens at %s: start it there, or put the right address into /etc/resolv.conf."
                : "Look at what keeps the queries from %s: its route, or the filter that sent the ICMP error.",
            addr_text(server, &q->server, q->version));
    }
    if (addr_cmp(&q->icmp_from, &q->server) == 0)
        d->where = WHERE_SERVER;
    d->confidence = CONFIDENCE_CERTAIN;
    finding_detail_text(d, "icmp_from", from);
    finding_detail_number(d, "icmp_type", q->icmp_type);
    finding_detail_number(d, "icmp_code", q->icmp_code);
}

/* Names and types that were asked for, each once, in order. */
static void tell_questions(struct finding *d, const struct name_group *g)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new(), types = g_ptr_array_new();

    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        if (!g_ptr_array_find_with_equal_func(names, q->name, g_str_equal, NULL))
            g_ptr_array_add(names, q->name);
        if (!g_ptr_array_find_with_equal_func(types, q->type, g_str_equal, NULL))
            g_ptr_array_add(types, q->type);
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(types, NULL);
    if (names->len > 2)
        finding_detail_list(d, "names", (const char *const *)names->pdata);
    finding_detail_list(d, "types", (const char *const *)types->pdata);
}

struct finding *rule_name(const struct name_group *g, const struct silence *s)
{
    const struct question *q = worst(g, s);
    char server[ADDR_TEXT_SIZE];
    unsigned queries = 0;

    if (!q)
        return NULL;
    struct finding *d = describe(q);
    if (q->outcome == NAME_NO_ANSWER)
        d->confidence = CONFIDENCE_LIKELY;
    finding_detail_text(d, "name", q->name);
    finding_detail_text(d, "server", addr_text(server, &q->server, q->version));
    tell_questions(d, g);
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *each = &g_array_index(g->questions, struct question, i);
        finding_add_evidence(d, each->query_packet);
        finding_add_evidence(d, each->last_query_packet);
        finding_add_evidence(d, each->response_packet);
        finding_add_evidence(d, each->elsewhere_packet);
        finding_add_evidence(d, each->icmp_packet);
        queries += each->query_packet ? each->retries + 1 : 0;
    }
    finding_detail_number(d, "queries", queries);
    if (q->icmp_packet && q->outcome == NAME_NO_ANSWER)
        tell_icmp(d, q);
    return d;
}
