#include "diagnose/conversations.h"

struct conversations {
    conversation_done_fn *done;
    void *user;
    uint64_t made;
};

struct conversations *conversations_new(conversation_done_fn *done, void *user)
{
    struct conversations *c = g_new0(struct conversations, 1);

    c->done = done;
    c->user = user;
    return c;
}

void conversations_free(struct conversations *c)
{
    g_free(c);
}

static struct finding *copy(const struct finding *f)
{
    struct finding *d = finding_new(f->code, f->where, "%s", f->summary);

    d->status = f->status;
    d->confidence = f->confidence;
    for (unsigned i = 0; i < f->n_evidence; i++)
        finding_add_evidence(d, f->evidence[i]);
    return d;
}

void conversations_flow(struct conversations *c, const struct flow *f, const struct judgement *j)
{
    struct conversation *v = g_new0(struct conversation, 1);
    struct step step = { .kind = STEP_TCP, .flow = f->id, .packet = f->half[CLIENT].first_packet, .ts_ns = f->first_ns, .duration_ns = TIME_NONE };

    v->id = ++c->made;
    v->client = *flow_addr(f, CLIENT);
    v->version = f->key.version;
    v->first_ns = f->first_ns;
    v->last_ns = f->last_ns;
    v->steps = g_array_new(FALSE, FALSE, sizeof(struct step));
    v->flows = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    step.status = judgement_verdict(j)->status;
    step.text = g_strdup(judgement_verdict(j)->summary);
    g_array_append_val(v->steps, step);
    g_array_append_val(v->flows, f->id);
    v->verdict = j->verdict ? copy(j->verdict) : NULL;
    c->done(c->user, v);
}

void conversations_lookup(struct conversations *c, const struct lookup *l)
{
    (void)c;
    (void)l;
}

void conversations_settle(struct conversations *c, int64_t now_ns)
{
    (void)c;
    (void)now_ns;
}

void conversations_finish(struct conversations *c, const struct neighbors *n, int64_t now_ns)
{
    (void)c;
    (void)n;
    (void)now_ns;
}
