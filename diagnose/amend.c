#include "diagnose/amend.h"

#include "diagnose/probe_verdict.h"
#include "diagnose/rules.h"

#include <string.h>

struct amending {
    struct finding *d;
    const struct amend_view *view;
    const struct probe_result *of[PROBE_KINDS];
    struct finding *now; /* what the probes alone would say; NULL: nothing is wrong, or they could not tell */
};

static enum probe_outcome outcome(const struct amending *a, enum probe_kind kind)
{
    return a->of[kind] ? a->of[kind]->outcome : OUTCOMES;
}

/* what: "confirm it", with what they did to the verdict. */
static void G_GNUC_PRINTF(3, 4) say(struct amending *a, const char *what, const char *format, ...)
{
    g_autofree char *before = a->d->summary;
    va_list args;

    va_start(args, format);
    g_autofree char *more = g_strdup_vprintf(format, args);
    va_end(args);
    a->d->summary = g_strdup_printf("%s Probes from here%s %s: %s", before,
                                    a->view->at_other_end ? "" : ", which is no end of this flow,", what, more);
}

/* Where to look, now that the place is known. */
static void take_remedy(struct amending *a)
{
    if (!a->now->own_remedy)
        return;
    g_free(a->d->own_remedy);
    a->d->remedy = a->d->own_remedy = g_strdup(a->now->own_remedy);
}

/* What only the probes know. */
static void take_details(struct amending *a)
{
    static const char *const keys[] = { "hop", "path_mtu", "direction", "next_hop", "loop", "icmp_from", NULL };

    finding_take_details(a->d, a->now, keys);
}

/* The same was found again: as sure as the surer of both, where the way was the same. */
static void confirmed(struct amending *a)
{
    say(a, "confirm it", "%s", a->now->summary);
    take_details(a);
    take_remedy(a);
    if (a->view->at_other_end)
        a->d->confidence = MIN(a->d->confidence, a->now->confidence);
}

/* Something else is found now. */
static void differs(struct amending *a)
{
    say(a, "meet something else now", "%s", a->now->summary);
    take_details(a);
    finding_detail_text(a->d, "now", catalogue_row(a->now->code)->name);
}

static void well_now(struct amending *a)
{
    finding_detail_text(a->d, "now", catalogue_row(CODE_OK)->name);
}

static void doubted(struct amending *a)
{
    if (a->view->at_other_end && a->d->confidence != CONFIDENCE_POSSIBLE)
        a->d->confidence++;
}

/* --- opening --- */

/* What the capture cannot see, where it knows no other packet of the server, or its filter keeps the ICMP out. */
static bool sees_more(const struct amending *a)
{
    enum code was = a->d->code, now = a->now->code;

    if (!a->view->at_other_end || !a->view->at_once)
        return false;
    return (was == CODE_SYN_REFUSED && now == CODE_SYN_REFUSED_BY_MIDDLEBOX) ||
           (was == CODE_SYN_UNANSWERED &&
            (now == CODE_NETWORK_UNREACHABLE || now == CODE_HOST_UNREACHABLE || now == CODE_ADMIN_PROHIBITED ||
             now == CODE_PORT_UNREACHABLE || now == CODE_TTL_EXCEEDED));
}

static void become(struct amending *a)
{
    struct finding *d = a->d;

    say(a, "see more", "%s", a->now->summary);
    d->code = a->now->code;
    d->where = a->now->where;
    g_clear_pointer(&d->own_remedy, g_free);
    d->remedy = catalogue_row(d->code)->remedy;
    d->confidence = MAX(a->now->confidence, CONFIDENCE_LIKELY);
    take_details(a);
    take_remedy(a);
}

static const char *round_trip(char out[32], const struct probe_result *p)
{
    return duration_text(out, p->rtt_ns);
}

/* The port answers: what broke is over, or does not meet every connection. */
static bool opens(struct amending *a, const char *conclusion)
{
    char took[32];

    if (a->now || outcome(a, PROBE_SYN) != OUTCOME_OPEN)
        return false;
    say(a, "find it otherwise now", "a new SYN is answered now, after %s: %s.", round_trip(took, a->of[PROBE_SYN]),
        conclusion);
    well_now(a);
    return true;
}

/* Of a client, who is asked by echo alone. */
static bool lives(struct amending *a)
{
    char took[32];

    if (a->now || a->view->target != CLIENT || outcome(a, PROBE_ECHO) != OUTCOME_ANSWERED)
        return false;
    say(a, "reach it", "the client answers ICMP echo, after %s.", round_trip(took, a->of[PROBE_ECHO]));
    return true;
}

/* The trail that knows how far the target is; NULL: none. */
static const struct probe_result *trail(const struct amending *a)
{
    static const enum probe_kind kinds[] = { PROBE_SYN_TTL, PROBE_ECHO_TTL };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (outcome(a, kinds[i]) == OUTCOME_REACHED && a->of[kinds[i]]->hops)
            return a->of[kinds[i]];
    return NULL;
}

static const struct probe_place *place_at(const struct probe_result *trail, unsigned ttl)
{
    for (guint i = 0; i < trail->hops->len; i++)
        if (g_array_index(trail->hops, struct probe_hop, i).place.ttl == ttl)
            return &g_array_index(trail->hops, struct probe_hop, i).place;
    return NULL;
}

/* The hop that the TTL of the RST fits, if it began at one of the usual numbers and the ways there and back are alike.
 */
static bool tell_resetter(struct amending *a)
{
    const struct detail *ttl = finding_detail(a->d, "rst_ttl");
    const struct probe_result *t = trail(a);
    const struct probe_place here = { .ttl = 0 };
    char text[ADDR_TEXT_SIZE];

    if (!ttl || !t || !a->view->at_other_end || !a->view->reset_by_target)
        return false;
    unsigned distance = ttl_hops((uint8_t)ttl->number) + 1;
    const struct probe_place *at = place_at(t, distance), *after = distance > 1 ? place_at(t, distance - 1) : &here;
    if (!at || !after || distance >= t->reply_distance)
        return false;
    finding_detail_hop(a->d, t->version, after, at);
    say(a, "find who may have sent it", "the RST's TTL fits hop %u, %s; the %s is %u hops away.", distance,
        at->known ? addr_text(text, &at->addr, t->version) : "which does not show itself", side_name(a->view->target),
        t->reply_distance);
    return true;
}

static bool amend_opening(struct amending *a)
{
    if (!a->now)
        return opens(a, "what broke it is over, or does not meet every connection") || lives(a);
    if (a->d->code == CODE_SYN_REFUSED_BY_MIDDLEBOX && a->now->code == CODE_SYN_REFUSED && tell_resetter(a))
        return true;
    if (a->now->code == a->d->code)
        confirmed(a);
    else if (sees_more(a))
        become(a);
    else
        differs(a);
    return true;
}

/* --- later --- */

static bool amend_dead(struct amending *a)
{
    bool idle = a->d->code == CODE_IDLE_EXPIRED;

    if (!a->now)
        return opens(a, idle ? "the path lives, and only what was known of the old connection is gone"
                             : "the path lives for a new connection; what broke is over, or met this one alone") ||
               lives(a);
    say(a, "find that a new connection fails, too", "%s", a->now->summary);
    take_details(a);
    finding_detail_text(a->d, "now", catalogue_row(a->now->code)->name);
    return true;
}

static bool amend_injected(struct amending *a)
{
    if (a->now) {
        differs(a);
        return true;
    }
    if (tell_resetter(a))
        return true;
    return opens(a, "the RST is not the answer to every connection") || lives(a);
}

/* --- sizes --- */

/* The record of the direction in which the flow's large segments went. */
static const struct probe_result *sized(const struct amending *a)
{
    const struct detail *from = finding_detail(a->d, "from");
    bool back = from && strcmp(from->text, side_name(a->view->target)) == 0;
    const struct probe_result *there = outcome(a, PROBE_ACK_DF) != OUTCOME_UNMEASURABLE && a->of[PROBE_ACK_DF]
                                           ? a->of[PROBE_ACK_DF]
                                           : a->of[PROBE_UDP_DF];

    return back ? a->of[PROBE_ECHO_DF] : there;
}

/* Packets of the flow's size pass now, or ICMP tells. */
static bool amend_passing(struct amending *a)
{
    const struct probe_result *p = sized(a);
    char text[ADDR_TEXT_SIZE];

    if (!p || (p->outcome != OUTCOME_FITS && p->outcome != OUTCOME_ANNOUNCED))
        return false;
    finding_detail_number(a->d, "path_mtu", p->path_mtu);
    if (p->outcome == OUTCOME_ANNOUNCED) {
        say(a, "are told", "the path MTU is %u, and %s says so to what is larger.", p->path_mtu,
            p->from.known ? addr_text(text, &p->from.addr, p->version) : "a hop");
        return true;
    }
    say(a, "find it otherwise now", "packets of %u bytes pass now%s.", p->path_mtu,
        p->kind == PROBE_ECHO_DF ? ", there and back" : "");
    well_now(a);
    doubted(a);
    return true;
}

static bool amend_size(struct amending *a)
{
    if (!a->now)
        return amend_passing(a);
    if (a->now->code == CODE_PMTU_BLACKHOLE && a->d->code == CODE_PMTU_BLACKHOLE)
        confirmed(a);
    else
        differs(a);
    return true;
}

/* --- TLS --- */

static bool is_answered(const struct probe_variant *v)
{
    return v->reply == REPLY_TLS || v->reply == REPLY_TLS_ALERT;
}

/* The ClientHellos that were answered, NULL-terminated; their texts are static. */
static GPtrArray *answered_hellos(const GArray *variants)
{
    GPtrArray *all = g_ptr_array_new();

    for (guint i = 0; i < variants->len; i++)
        if (is_answered(&g_array_index(variants, struct probe_variant, i)))
            g_ptr_array_add(all, (gpointer)(uintptr_t)g_array_index(variants, struct probe_variant, i).change);
    g_ptr_array_add(all, NULL);
    return all;
}

/* The first is the connection's own. */
static bool amend_tls(struct amending *a)
{
    const struct probe_result *p = a->of[PROBE_TLS];

    if (!p || !p->variants || !p->variants->len || p->outcome == OUTCOME_STOPPED_EARLY)
        return false;
    if (is_answered(&g_array_index(p->variants, struct probe_variant, 0))) {
        say(a, "find it otherwise now",
            "a ClientHello with the same server name is answered: what cut it is over, or looks at something else of "
            "it.");
        well_now(a);
        return true;
    }
    g_autoptr(GPtrArray) answered = answered_hellos(p->variants);
    g_autofree char *names = g_strjoinv(", ", (char **)answered->pdata);
    if (answered->len == 1) {
        say(a, "confirm it", "no ClientHello of %u different ones is answered.", p->variants->len);
        return true;
    }
    finding_detail_list(a->d, "passes", (const char *const *)answered->pdata);
    say(a, "find what it depends on", "the same ClientHello fails again, and what is answered is one with %s.", names);
    return true;
}

/* --- all --- */

static bool amend(struct amending *a)
{
    switch (a->d->code) {
    case CODE_PMTU_BLACKHOLE:
    case CODE_PMTU_IGNORED: return amend_size(a);
    case CODE_PATH_WENT_DEAD:
    case CODE_IDLE_EXPIRED: return amend_dead(a);
    case CODE_RESET_INJECTED: return amend_injected(a);
    case CODE_TLS_RESET:
    case CODE_TLS_NO_SERVER_HELLO: return amend_tls(a);
    default: return amend_opening(a);
    }
}

/* "syn: no_answer" of each. */
static void list_probes(struct finding *d, const GPtrArray *results)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < results->len; i++) {
        const struct probe_result *p = g_ptr_array_index(results, i);
        g_ptr_array_add(
            list, g_strdup_printf("%s: %s", probe_kind_name(p->kind, p->version), probe_outcome_name(p->outcome)));
    }
    g_ptr_array_add(list, NULL);
    finding_detail_list(d, "probe", (const char *const *)list->pdata);
}

void finding_amend(struct finding *d, const struct amend_view *view, const GPtrArray *results)
{
    struct amending a = { .d = d, .view = view, .now = probe_verdict(results) };
    enum confidence before = d->confidence;

    for (guint i = 0; i < results->len; i++) {
        const struct probe_result *p = g_ptr_array_index(results, i);
        a.of[p->kind] = p;
    }
    if (amend(&a)) {
        list_probes(d, results);
        finding_detail_text(d, "confidence_before", confidence_name(before));
    }
    finding_free(a.now);
}

void finding_amend_names(struct finding *d, const char *const *answers, enum code now)
{
    g_autofree char *before = d->summary, *list = g_strjoinv("; ", (char **)(uintptr_t)answers);

    d->summary = g_strdup_printf("%s Asked from here, name servers %s: %s.", before,
                                 now == CODE_OK   ? "find it otherwise now"
                                 : now == d->code ? "have no address either"
                                                  : "have no address either, and for another reason",
                                 list);
    finding_detail_list(d, "resolvers", answers);
    finding_detail_text(d, "confidence_before", confidence_name(d->confidence));
    if (now != d->code)
        finding_detail_text(d, "now", catalogue_row(now)->name);
}
