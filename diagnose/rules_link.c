#include "diagnose/chain.h"
#include "diagnose/rules.h"
#include "diagnose/sentence.h"

/* Redirects of one conversation that are looked through for a loop. */
#define LOOKED_THROUGH 256

/* Over https the way back cannot be seen. That somebody asks for the same http URL again means little; so often, and so
 * soon after each other, it is a loop. */
#define HIDDEN_ROUNDS 3
#define HIDDEN_GAP_NS (2 * NS_PER_S)

/* The answer to the request that follows a redirect comes within so long. */
#define NEXT_REDIRECT_NS (30 * NS_PER_S)

/* A scanner asks for everybody; that nobody is there is no fault. */
#define SCANNED_TARGETS 16

static char *shown_url(const char *url)
{
    struct sentence s = { 0 };

    say_outside(&s, url, 2 * SAY_URL);
    return sentence_dup(&s);
}

/* --- loops --- */

static const struct hop *hop_at(const GPtrArray *hops, guint i)
{
    return g_ptr_array_index(hops, i);
}

/* Whether `h` asks for what `from` was the answer to. */
static bool leads_to(const struct hop *h, const struct hop *from)
{
    return h->to.hash == from->from_hash && strcmp(h->next_method, from->method) == 0;
}

/* The redirect that the target of number i was answered with; -1: none. */
static int next_of(const GPtrArray *hops, guint n, guint i)
{
    const struct hop *h = hop_at(hops, i);

    for (guint k = i + 1; k < n && h->to.hash; k++) {
        const struct hop *next = hop_at(hops, k);
        if (leads_to(h, next))
            return next->ts_ns - h->ts_ns <= NEXT_REDIRECT_NS ? (int)k : -1;
    }
    return -1;
}

static bool same_request(const struct hop *a, const struct hop *b)
{
    return a->from_hash == b->from_hash && strcmp(a->method, b->method) == 0;
}

static struct finding *loop_finding(const GPtrArray *hops, const int *next, guint start, unsigned rounds)
{
    const struct hop *first = hop_at(hops, start);
    g_autoptr(GPtrArray) urls = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *shown = shown_url(first->from);
    unsigned length = 0;
    struct finding *d = finding_new(CODE_REDIRECT_LOOP, WHERE_SERVER, "%s redirects back to itself.", shown);

    for (int i = (int)start; i >= 0; i = next[i]) {
        const struct hop *h = hop_at(hops, (guint)i);
        finding_add_evidence(d, h->response_packet);
        if (i != (int)start && same_request(h, first))
            break;
        if (length++ < FINDING_EVIDENCE)
            g_ptr_array_add(urls, g_strdup(h->from));
    }
    if (length > 1) {
        g_free(d->summary);
        d->summary = g_strdup_printf("%s redirects back to itself over %u other URL%s.", shown, length - 1,
                                     length == 2 ? "" : "s");
    }
    g_ptr_array_add(urls, NULL);
    finding_detail_list(d, "urls", (const char *const *)urls->pdata);
    finding_detail_text(d, "method", first->method);
    finding_detail_number(d, "rounds", rounds);
    return d;
}

/* A chain from number `start` that comes back to its request, and does not get away from there in the end. */
static struct finding *loop_from(const GPtrArray *hops, const int *next, guint start)
{
    const struct hop *first = hop_at(hops, start), *last = first;
    unsigned rounds = 0, visits = 0;

    for (int i = (int)start; i >= 0; i = next[i]) {
        last = hop_at(hops, (guint)i);
        visits += same_request(last, first);
        rounds += leads_to(last, first);
    }
    if (rounds == 0 || last->resolved || (visits < 2 && last->followed_by))
        return NULL;
    return loop_finding(hops, next, start, rounds);
}

/* The same http URL again and again, with an https connection in between. */
static struct finding *hidden_loop(const GPtrArray *hops, guint n)
{
    unsigned rounds = 0;

    for (guint i = 0; i < n; i++) {
        const struct hop *h = hop_at(hops, i), *before = i ? hop_at(hops, i - 1) : NULL;
        bool again = before && same_request(h, before) && h->to.hash == before->to.hash &&
                     h->ts_ns - before->ts_ns <= HIDDEN_GAP_NS;
        rounds = !h->to.secure || !h->followed_by ? 0 : again ? rounds + 1 : 1;
        if (rounds < HIDDEN_ROUNDS)
            continue;
        g_autofree char *from = shown_url(h->from), *to = shown_url(h->to.text);
        struct finding *d = finding_new(
            CODE_REDIRECT_LOOP, WHERE_SERVER,
            "%s redirects to %s, and from there, encrypted, the client is led back, again and again.", from, to);
        d->confidence = CONFIDENCE_LIKELY;
        for (guint k = i + 1 - rounds; k <= i; k++)
            finding_add_evidence(d, hop_at(hops, k)->response_packet);
        finding_detail_list(d, "urls", (const char *const[]){ h->from, h->to.text, NULL });
        finding_detail_text(d, "method", h->method);
        finding_detail_number(d, "rounds", rounds);
        return d;
    }
    return NULL;
}

struct finding *rule_redirect_loop(const GPtrArray *hops)
{
    guint n = MIN(hops->len, LOOKED_THROUGH);
    int next[LOOKED_THROUGH];
    struct finding *d = NULL;

    for (guint i = 0; i < n; i++)
        next[i] = next_of(hops, n, i);
    for (guint i = 0; i < n && !d; i++)
        d = loop_from(hops, next, i);
    return d ? d : hidden_loop(hops, n);
}

/* --- broken redirects --- */

static void copy_details(struct finding *d, const struct finding *from)
{
    for (guint i = 0; from->details && i < from->details->len; i++) {
        const struct detail *e = &g_array_index(from->details, struct detail, i);
        if (strcmp(e->key, "from") == 0) /* the redirect's own */
            continue;
        switch (e->kind) {
        case DETAIL_TEXT: finding_detail_text(d, e->key, e->text); break;
        case DETAIL_NUMBER: finding_detail_number(d, e->key, e->number); break;
        case DETAIL_SECONDS: finding_detail_seconds(d, e->key, e->number); break;
        case DETAIL_LIST: finding_detail_list(d, e->key, (const char *const *)e->list); break;
        case DETAIL_HOP: break; /* of probes, which this rule does not see */
        }
    }
}

struct finding *rule_redirect_broken(const struct hop *h, const struct finding *cause)
{
    g_autofree char *from = shown_url(h->from), *to = shown_url(h->to.text);
    struct finding *d = finding_new(CODE_REDIRECT_BROKEN, cause->where, "%s redirects to %s, and that fails: %s", from,
                                    to, cause->summary);

    d->confidence = MAX(h->confidence, cause->confidence);
    finding_add_evidence(d, h->response_packet);
    for (unsigned i = 0; i < cause->n_evidence; i++)
        finding_add_evidence(d, cause->evidence[i]);
    finding_detail_text(d, "cause", catalogue_row(cause->code)->name);
    finding_detail_text(d, "from", h->from);
    finding_detail_text(d, "to", h->to.text);
    copy_details(d, cause);
    return d;
}

/* --- the next hop --- */

/* Guards (CONTRACT): who sees no answers at all blames nobody for them; nor does a scan. */
static bool may_accuse(const struct neighbor *n, const struct link_context *c)
{
    if (n->answered || n->ever_answered || c->target_seen || n->requests < 2)
        return false;
    if (c->asker_unanswered > SCANNED_TARGETS)
        return false;
    return neighbors_answers(c->neighbors) > 0 || !c->several_askers;
}

struct finding *rule_neighbor_back(const struct neighbor *n)
{
    char asker[ADDR_TEXT_SIZE], target[ADDR_TEXT_SIZE];

    return finding_new(CODE_OK, WHERE_NONE, "%s, for which %s asked in vain before, answers now.",
                       addr_text(target, &n->target, n->version), addr_text(asker, &n->asker, n->version));
}

struct finding *rule_neighbor(const struct neighbor *n, const struct link_context *c)
{
    char asker[ADDR_TEXT_SIZE], target[ADDR_TEXT_SIZE];

    if (!may_accuse(n, c))
        return NULL;
    addr_text(asker, &n->asker, n->version);
    addr_text(target, &n->target, n->version);
    struct finding *d =
        finding_new(CODE_NEIGHBOR_UNANSWERED, WHERE_PATH, "%s asks the link for %s (%s) %u times and nobody answers.",
                    asker, target, n->version == 6 ? "neighbour solicitation" : "ARP", n->requests);
    bool patient = n->requests >= 3 || n->last_ns - n->first_ns >= NS_PER_S;
    bool sees_answers = c->asker_seen || neighbors_answers(c->neighbors) > 0;
    d->confidence = patient && sees_answers ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    for (unsigned i = 0; i < MIN(n->requests, NEIGHBOR_EVIDENCE); i++)
        finding_add_evidence(d, n->evidence[i]);
    finding_detail_text(d, "target", target);
    finding_detail_number(d, "requests", n->requests);
    finding_detail_seconds(d, "lasted", n->last_ns - n->first_ns);
    return d;
}
