#include "diagnose/chain.h"

#include "diagnose/sentence.h"

/* --- life --- */

struct chain *chain_new(struct leg *l)
{
    struct chain *c = g_new0(struct chain, 1);

    c->first = c->last = l;
    c->n_legs = c->pending = 1;
    l->chain = c;
    return c;
}

void chain_free(struct chain *c)
{
    while (c->first) {
        struct leg *l = c->first;
        c->first = l->next;
        leg_free(l);
    }
    while (c->groups) {
        struct name_group *g = c->groups;
        c->groups = g->next;
        g->chain = NULL;
        g->user = NULL;
        g->via = NULL;
        g->spent = true;
        name_group_release(g);
    }
    g_free(c);
}

void chain_join(struct chain *into, struct leg *l)
{
    struct chain *from = l->chain;

    if (into == from || into->n_legs + from->n_legs > CHAIN_LEGS)
        return;
    for (struct leg *each = from->first; each; each = each->next)
        each->chain = into;
    into->last->next = from->first;
    into->last = from->last;
    into->n_legs += from->n_legs;
    into->pending += from->pending;
    while (from->groups) {
        struct name_group *g = from->groups;
        from->groups = g->next;
        g->chain = into;
        g->next = into->groups;
        into->groups = g;
    }
    g_free(from);
}

static void claim(struct chain *c, struct name_group *g)
{
    g->chain = c;
    g->next = c->groups;
    c->groups = name_group_hold(g);
}

void chain_claim(struct leg *l, struct name_group *g)
{
    g->user = l;
    g->use = l->to;
    claim(l->chain, g);
}

void chain_claim_failed(struct chain *c, struct name_group *g, struct hop *via)
{
    g->via = via;
    g->use.start_ns = g->last_ns;
    claim(c, g);
}

/* --- steps --- */

static gint compare_steps(gconstpointer a, gconstpointer b)
{
    const struct step *x = a, *y = b;

    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    return x->packet < y->packet ? -1 : x->packet > y->packet;
}

/* A failure that the conversation got over is a blemish at most. */
static enum status question_status(enum name_outcome o, bool failed)
{
    if (o <= NAME_GIVEN)
        return STATUS_OK;
    if (failed)
        return STATUS_BROKEN;
    return o >= NAME_NO_ANSWER ? STATUS_DEGRADED : STATUS_OK;
}

static void add_questions(GArray *steps, const struct name_group *g, bool failed)
{
    for (guint i = 0; i < g->questions->len; i++) {
        const struct question *q = &g_array_index(g->questions, struct question, i);
        struct step step = q->step;
        step.status = question_status(q->outcome, failed);
        step.text = g_strdup(q->step.text);
        g_array_append_val(steps, step);
    }
}

/* Steps beyond the limit are counted in the last one. */
static void cut_steps(GArray *steps)
{
    struct sentence s = {0};

    if (steps->len <= CHAIN_STEPS)
        return;
    for (guint i = CHAIN_STEPS - 1; i < steps->len; i++)
        g_free(g_array_index(steps, struct step, i).text);
    say(&s, "and ");
    say_number(&s, steps->len - CHAIN_STEPS + 1);
    say(&s, " more steps");
    g_array_index(steps, struct step, CHAIN_STEPS - 1).text = sentence_dup(&s);
    g_array_index(steps, struct step, CHAIN_STEPS - 1).status = STATUS_OK;
    g_array_set_size(steps, CHAIN_STEPS);
}

/* The one of two addresses that was not used is told apart, and breaks nothing. */
static void tell_loser(struct leg *l)
{
    for (guint i = 0; i < l->steps->len; i++) {
        struct step *step = &g_array_index(l->steps, struct step, i);
        step->status = l->to.reach == REACH_FAILED && i == 0 ? STATUS_DEGRADED : STATUS_OK;
    }
    steps_add_words(l->steps, STEP_TCP, "; not used: another address of the name was");
}

static GArray *gather_steps(struct chain *c, const GPtrArray *legs)
{
    GArray *steps = g_array_sized_new(FALSE, FALSE, sizeof(struct step), 4 * legs->len);

    for (const struct name_group *g = c->groups; g; g = g->next)
        add_questions(steps, g, g->via != NULL);
    for (guint i = 0; i < legs->len; i++) {
        struct leg *l = g_ptr_array_index(legs, i);
        if (l->loser)
            tell_loser(l);
        else if (l->via && l->secure)
            steps_add_words(l->steps, STEP_TLS, "; follows the redirect, what is asked is encrypted");
        g_array_append_vals(steps, l->steps->data, l->steps->len);
        g_array_set_size(l->steps, 0);
    }
    g_array_sort(steps, compare_steps); /* stable: GLib merges */
    cut_steps(steps);
    return steps;
}

/* --- redirects --- */

static gint compare_hops(gconstpointer a, gconstpointer b)
{
    const struct hop *x = *(struct hop *const *)a, *y = *(struct hop *const *)b;

    if (x->ts_ns != y->ts_ns)
        return x->ts_ns < y->ts_ns ? -1 : 1;
    return x->response_packet < y->response_packet ? -1 : x->response_packet > y->response_packet;
}

/* A redirect to https whose request goes over a connection that this conversation has open already. */
static void find_reused(struct hop *h, const GPtrArray *legs)
{
    for (guint i = 0; i < legs->len && !h->followed_by && h->to.secure; i++) {
        const struct leg *l = g_ptr_array_index(legs, i);
        if (!l->secure || !l->name || strcmp(l->name, h->to.host) != 0 || l->port != h->to.port)
            continue;
        if (l->to.start_ns > h->ts_ns || l->server_data_ns == TIME_NONE || l->server_data_ns < h->ts_ns)
            continue;
        h->followed_by = l->flow;
        h->confidence = CONFIDENCE_LIKELY;
    }
}

static GPtrArray *gather_hops(const GPtrArray *legs)
{
    GPtrArray *hops = g_ptr_array_new();

    for (guint i = 0; i < legs->len; i++) {
        const struct leg *l = g_ptr_array_index(legs, i);
        for (guint k = 0; l->hops && k < l->hops->len; k++) {
            find_reused(&g_array_index(l->hops, struct hop, k), legs);
            g_ptr_array_add(hops, &g_array_index(l->hops, struct hop, k));
        }
    }
    g_ptr_array_sort(hops, compare_hops);
    return hops;
}

static GArray *tell_hops(const GPtrArray *hops)
{
    GArray *redirects = hops->len ? g_array_sized_new(FALSE, FALSE, sizeof(struct redirect), hops->len) : NULL;

    for (guint i = 0; i < hops->len; i++) {
        struct hop *h = g_ptr_array_index(hops, i);
        struct redirect r = {
            .status = h->status, .from = g_strdup(h->from), .to = g_strdup(h->to.text), .followed_by = h->followed_by};
        g_array_append_val(redirects, r);
    }
    return redirects;
}

/* --- verdict --- */

/* The answer of a leg is not the last word where a later leg goes on from it. */
static bool goes_on(const GPtrArray *legs, guint at)
{
    for (guint i = at + 1; i < legs->len; i++) {
        const struct leg *l = g_ptr_array_index(legs, i);
        if (l->via && !l->loser && l->to.reach == REACH_USED)
            return true;
    }
    return false;
}

static bool about_status(const struct finding *f)
{
    return f->code == CODE_HTTP_SERVER_ERROR || f->code == CODE_HTTP_CLIENT_ERROR;
}

/* The verdict of a leg as part of its conversation; NULL: fine. */
static const struct finding *verdict_at(const GPtrArray *legs, guint i)
{
    const struct leg *l = g_ptr_array_index(legs, i);

    if (!l->verdict || l->loser || (about_status(l->verdict) && goes_on(legs, i)))
        return NULL;
    return l->verdict;
}

/* The first look-up that a redirect asked for in vain. */
static const struct name_group *failed_group(const struct chain *c)
{
    const struct name_group *first = NULL;

    for (const struct name_group *g = c->groups; g; g = g->next)
        if (g->via && (!first || g->first_ns < first->first_ns))
            first = g;
    return first;
}

static struct finding *first_broken(const struct chain *c, const GPtrArray *legs, const struct silence *silence)
{
    const struct name_group *g = failed_group(c);

    for (guint i = 0; i < legs->len; i++) {
        const struct leg *l = g_ptr_array_index(legs, i);
        const struct finding *v = verdict_at(legs, i);
        if (!v || v->status != STATUS_BROKEN || (g && g->first_ns < l->to.start_ns))
            continue;
        return l->via && v->code != CODE_HTTP_SERVER_ERROR ? rule_redirect_broken(l->via, v) : finding_copy(v);
    }
    struct finding *cause = g ? rule_name(g, silence) : NULL, *d = cause ? rule_redirect_broken(g->via, cause) : NULL;
    finding_free(cause);
    return d;
}

static struct finding *judge(const struct chain *c, const GPtrArray *legs, const GPtrArray *hops,
                             const struct silence *silence)
{
    const struct finding *worst = NULL;
    struct finding *d = rule_redirect_loop(hops);

    if (!d)
        d = first_broken(c, legs, silence);
    for (guint i = 0; !d && i < legs->len; i++) {
        const struct finding *v = verdict_at(legs, i);
        if (v && (!worst || finding_compare(v, worst) < 0))
            worst = v;
    }
    return d || !worst ? d : finding_copy(worst);
}

/* --- conversations --- */

static struct conversation *conversation_new(const struct addr *client, unsigned version, int64_t first_ns,
                                             int64_t last_ns)
{
    struct conversation *v = g_new0(struct conversation, 1);

    v->client = *client;
    v->version = version;
    v->first_ns = first_ns;
    v->last_ns = last_ns;
    return v;
}

/* The common case: one flow that nothing led to and that leads nowhere. */
static struct conversation *lone_conversation(struct leg *l)
{
    struct conversation *v = conversation_new(&l->client, l->to.version, l->to.start_ns, l->to.last_ns);

    if (l->loser)
        tell_loser(l);
    v->flows = g_array_sized_new(FALSE, FALSE, sizeof(uint64_t), 1);
    g_array_append_val(v->flows, l->flow);
    v->steps = l->steps;
    v->packet = l->packet;
    l->steps = NULL;
    if (!l->loser)
        v->verdict = g_steal_pointer(&l->verdict);
    return v;
}

static gint compare_legs(gconstpointer a, gconstpointer b)
{
    const struct leg *x = *(struct leg *const *)a, *y = *(struct leg *const *)b;

    if (x->to.start_ns != y->to.start_ns)
        return x->to.start_ns < y->to.start_ns ? -1 : 1;
    return x->packet < y->packet ? -1 : x->packet > y->packet;
}

static struct conversation *whole_conversation(struct chain *c, const struct silence *silence)
{
    g_autoptr(GPtrArray) legs = g_ptr_array_sized_new(c->n_legs);

    for (struct leg *l = c->first; l; l = l->next)
        g_ptr_array_add(legs, l);
    g_ptr_array_sort(legs, compare_legs);
    g_autoptr(GPtrArray) hops = gather_hops(legs);
    const struct leg *first = g_ptr_array_index(legs, 0);
    struct conversation *v = conversation_new(&first->client, first->to.version, first->to.start_ns, first->to.last_ns);
    v->flows = g_array_sized_new(FALSE, FALSE, sizeof(uint64_t), legs->len);
    for (guint i = 0; i < legs->len; i++) {
        const struct leg *l = g_ptr_array_index(legs, i);
        g_array_append_val(v->flows, l->flow);
        v->last_ns = MAX(v->last_ns, l->to.last_ns);
    }
    for (const struct name_group *g = c->groups; g; g = g->next) {
        v->first_ns = MIN(v->first_ns, g->first_ns);
        v->last_ns = MAX(v->last_ns, g->last_ns);
    }
    v->verdict = judge(c, legs, hops, silence);
    v->redirects = tell_hops(hops);
    v->steps = gather_steps(c, legs);
    v->packet = v->steps->len ? MIN(first->packet, g_array_index(v->steps, struct step, 0).packet) : first->packet;
    return v;
}

struct conversation *chain_conversation(struct chain *c, const struct silence *silence)
{
    struct conversation *v =
        c->n_legs == 1 && !c->groups && !c->first->hops ? lone_conversation(c->first) : whole_conversation(c, silence);

    chain_free(c);
    return v;
}

struct conversation *names_conversation(const struct name_group *g, struct finding *verdict)
{
    struct conversation *v = conversation_new(&g->client, g->version, g->first_ns, g->last_ns);

    v->flows = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    v->steps = g_array_sized_new(FALSE, FALSE, sizeof(struct step), g->questions->len);
    add_questions(v->steps, g, true);
    g_array_sort(v->steps, compare_steps);
    v->packet = v->steps->len ? g_array_index(v->steps, struct step, 0).packet : 0;
    v->verdict = verdict;
    return v;
}

struct conversation *neighbor_conversation(const struct neighbor *n, struct finding *verdict)
{
    struct conversation *v = conversation_new(&n->asker, n->version, n->first_ns, n->last_ns);
    struct step step = {.kind = STEP_ARP,
                        .packet = n->evidence[0],
                        .ts_ns = n->first_ns,
                        .duration_ns = TIME_NONE,
                        .status = verdict->status};
    struct sentence s = {0};

    say(&s, "who has ");
    say_addr(&s, &n->target, n->version);
    say(&s, "? asked ");
    say_number(&s, n->requests);
    say(&s, " times in ");
    say_duration(&s, n->last_ns - n->first_ns);
    say(&s, n->ever_answered ? ", then an answer" : ", no answer");
    step.text = sentence_dup(&s);
    v->flows = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    v->steps = g_array_sized_new(FALSE, FALSE, sizeof step, 1);
    g_array_append_val(v->steps, step);
    v->packet = step.packet;
    v->verdict = verdict;
    return v;
}
