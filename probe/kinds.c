/* kinds: the table of probes: which packets, what to send next, when it may start, what it concludes. A new probe is a
 * row here. */
#include "probe/trial.h"

#define TRIES 3
#define FULL_TTL 64

/* --- one question, asked again where nothing comes --- */

static enum next once_next(struct trial *r, struct shot *out)
{
    for (guint i = 0; i < r->shots->len; i++)
        if (g_array_index(r->shots, struct shot, i).state == SHOT_ANSWERED)
            return NEXT_DONE;
    if (trial_open(r))
        return NEXT_WAIT;
    if (r->shots->len >= TRIES)
        return NEXT_DONE;
    out->ttl = FULL_TTL;
    return NEXT_SEND;
}

static const struct shot *any_answer(const struct trial *r)
{
    for (guint i = 0; i < r->shots->len; i++)
        if (g_array_index(r->shots, struct shot, i).state == SHOT_ANSWERED)
            return &g_array_index(r->shots, struct shot, i);
    return NULL;
}

static enum probe_outcome outcome_of(enum probe_reply reply)
{
    switch (reply) {
    case REPLY_NONE: return OUTCOME_NO_ANSWER;
    case REPLY_SYN_ACK: return OUTCOME_OPEN;
    case REPLY_RST: return OUTCOME_REFUSED;
    case REPLY_ACK:
    case REPLY_ECHO:
    case REPLY_DATAGRAM:
    case REPLY_NEIGHBOR: return OUTCOME_ANSWERED;
    default: return OUTCOME_UNREACHABLE;
    }
}

static void once_conclude(const struct trial *r, struct probe_result *out)
{
    const struct shot *s = any_answer(r);

    out->outcome = outcome_of(s ? s->answer.reply : REPLY_NONE);
    if (!s)
        return;
    out->reply = s->answer.reply;
    out->rtt_ns = s->answer.rtt_ns;
    out->reply_ttl = s->answer.ttl;
    out->reply_is_tcp =
        s->answer.reply == REPLY_SYN_ACK || s->answer.reply == REPLY_RST || s->answer.reply == REPLY_ACK;
    out->reply_window = s->answer.window;
    out->reply_ip_id = s->answer.ip_id;
    out->icmp_type = s->answer.icmp_type;
    out->icmp_code = s->answer.icmp_code;
    out->from = (struct probe_place){ .known = addr_cmp(&s->answer.from, &r->dst) != 0, .addr = s->answer.from };
}

/* --- when --- */

static bool is_over(const struct trial *r, enum probe_kind kind)
{
    return !aim_wants(r->aim, kind) || aim_done(r->aim, kind);
}

static enum readiness at_once(struct trial *r)
{
    (void)r;
    return READY;
}

static enum readiness with_a_port(struct trial *r)
{
    return r->aim->request.port ? READY : NEVER;
}

static enum readiness with_a_neighbor(struct trial *r)
{
    if (!r->aim->route.asks_neighbors || r->aim->route.local)
        return NEVER;
    if (r->aim->route.has_gateway)
        r->dst = r->aim->route.gateway;
    return READY;
}

static enum readiness with_a_gateway(struct trial *r)
{
    r->dst = r->aim->route.gateway;
    return r->aim->route.has_gateway ? READY : NEVER;
}

/* Whether the target answers decides how far a trail goes on. */
static enum readiness after_the_single_ones(struct trial *r)
{
    if (!is_over(r, PROBE_ECHO) || !is_over(r, PROBE_SYN) || !is_over(r, PROBE_NEIGHBOR))
        return NOT_YET;
    return aim_is_cut_off(r->aim) ? NEVER : READY;
}

static enum readiness trail_of_syn(struct trial *r)
{
    return r->aim->request.port ? after_the_single_ones(r) : NEVER;
}

static enum readiness after_the_trail(struct trial *r)
{
    if (!aim_wants(r->aim, PROBE_SYN_TTL) || !r->aim->request.port)
        return NEVER;
    const struct trial *trail = aim_done(r->aim, PROBE_SYN_TTL);
    return !trail ? NOT_YET : trail->started ? READY : NEVER;
}

/* Who refuses or sends in circles what is small needs no sizes. */
static enum readiness sizes_by_ack(struct trial *r)
{
    r->sport = r->aim->ports + PORT_ACK;
    if (!r->aim->request.port || trial_refused(r->aim->trials[PROBE_SYN]))
        return NEVER;
    return after_the_single_ones(r);
}

/* Where segments tell nothing; where nothing at all is answered so far, beside them. */
static enum readiness sizes_by_udp(struct trial *r)
{
    const struct aim *a = r->aim;
    bool all_silent = !trial_answered(a->trials[PROBE_SYN]) && !trial_answered(a->trials[PROBE_ECHO]);

    r->sport = a->ports + PORT_UDP;
    if (!is_over(r, PROBE_ECHO) || !is_over(r, PROBE_SYN) || !is_over(r, PROBE_NEIGHBOR))
        return NOT_YET;
    if (aim_is_cut_off(a) || trial_refused(a->trials[PROBE_ECHO]))
        return NEVER;
    if (!is_over(r, PROBE_ACK_DF) && !all_silent)
        return NOT_YET;
    return trial_answered(a->trials[PROBE_ACK_DF]) ? NEVER : READY;
}

/* Only where it answered small ones, and behind the others, whose result spares it a search. */
static enum readiness sizes_by_echo(struct trial *r)
{
    if (!is_over(r, PROBE_ECHO) || !is_over(r, PROBE_ACK_DF) || !is_over(r, PROBE_UDP_DF))
        return NOT_YET;
    return aim_wants(r->aim, PROBE_ECHO) && !trial_answered(r->aim->trials[PROBE_ECHO]) ? NEVER : READY;
}

static enum readiness behind_a_hole(struct trial *r)
{
    static const enum probe_kind kinds[] = { PROBE_ACK_DF, PROBE_UDP_DF, PROBE_ECHO_DF };

    if (!is_over(r, PROBE_ACK_DF) || !is_over(r, PROBE_UDP_DF) || !is_over(r, PROBE_ECHO_DF) ||
        !is_over(r, PROBE_SYN_TTL) || !is_over(r, PROBE_ECHO_TTL))
        return NOT_YET;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const struct trial *sizes = r->aim->trials[kinds[i]];
        if (trial_answered(sizes) && !size_vanished(sizes, &r->size))
            return NEVER; /* the way there lets all pass that ICMP does not speak of: what vanishes does so on the way
                             back */
        if (!size_vanished(sizes, &r->size))
            continue;
        r->form = sizes->form;
        r->sport = sizes->sport;
        return READY;
    }
    if (r->aim->request.size) {
        r->size = r->aim->request.size;
        r->form = r->aim->request.port ? &form_ack : &form_echo;
        r->sport = (uint16_t)(r->aim->ports + PORT_ACK);
        return READY;
    }
    return NEVER;
}

/* A SYN that nobody answers, to a host that lives, or that somebody refuses. */
static enum readiness behind_a_filter(struct trial *r)
{
    const struct trial *syn = aim_done(r->aim, PROBE_SYN);

    if (!syn || !is_over(r, PROBE_NEIGHBOR) || !is_over(r, PROBE_ECHO) || !is_over(r, PROBE_SYN_TTL))
        return r->aim->request.port && aim_wants(r->aim, PROBE_SYN) ? NOT_YET : NEVER;
    bool filtered = syn->started && syn->shots->len > 1 && !any_answer(syn);
    return filtered && !aim_is_cut_off(r->aim) ? READY : NEVER;
}

static enum next nothing_more(struct trial *r, struct shot *out)
{
    (void)r;
    (void)out;
    return NEXT_DONE;
}

static const struct probe_plan plans[PROBE_KINDS] = {
    [PROBE_NEIGHBOR] = { &form_neighbor, with_a_neighbor, once_next, once_conclude },
    [PROBE_ECHO] = { &form_echo, at_once, once_next, once_conclude },
    [PROBE_GATEWAY] = { &form_echo, with_a_gateway, once_next, once_conclude },
    [PROBE_SYN] = { &form_syn, with_a_port, once_next, once_conclude },
    [PROBE_SYN_TTL] = { &form_syn, trail_of_syn, trail_next, trail_conclude },
    [PROBE_ECHO_TTL] = { &form_echo, after_the_single_ones, trail_next, trail_conclude },
    [PROBE_OPTION_DIFF] = { &form_syn, after_the_trail, nothing_more, options_conclude },
    [PROBE_ACK_DF] = { &form_ack, sizes_by_ack, size_next, size_conclude },
    [PROBE_UDP_DF] = { &form_udp, sizes_by_udp, size_next, size_conclude },
    [PROBE_ECHO_DF] = { &form_echo, sizes_by_echo, size_next, size_conclude },
    [PROBE_SYN_VARIANTS] = { &form_syn, behind_a_filter, variants_next, variants_conclude },
    [PROBE_SIZE_TTL] = { NULL, behind_a_hole, trail_next, trail_conclude },
};

const struct probe_plan *probe_plan_of(enum probe_kind kind)
{
    return plans[kind].next ? &plans[kind] : NULL;
}
