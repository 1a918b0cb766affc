#include "diagnose/steps.h"

static bool fine(const struct telling *t)
{
    return t->verdict->code == CODE_OK;
}

bool told_here(const struct telling *t, enum place place)
{
    return !fine(t) && t->place == place;
}

void add_step(const struct telling *t, enum step_kind kind, struct point at, bool trouble, const struct sentence *s)
{
    struct step step = {
        .kind = kind, .flow = t->flow->id, .packet = at.packet, .ts_ns = at.ts_ns, .duration_ns = at.cost_ns};

    if (at.ts_ns == TIME_NONE)
        step.ts_ns = t->flow->last_ns;
    step.status = trouble ? t->verdict->status : STATUS_OK;
    step.text = sentence_dup(s);
    g_array_append_val(t->steps, step);
}

void say_server(struct sentence *s, const struct flow *f)
{
    say_end(s, flow_addr(f, SERVER), flow_port(f, SERVER), f->key.version);
}

void say_title(struct sentence *s, const struct telling *t)
{
    say(s, catalogue_row(t->verdict->code)->title);
}

uint64_t leg_first_packet(const struct flow *f)
{
    uint64_t c = f->half[CLIENT].first_packet, s = f->half[SERVER].first_packet;
    return !s || (c && c < s) ? c : s;
}

void say_cost(struct sentence *s, int64_t ns)
{
    if (ns == TIME_NONE)
        return;
    say(s, ", ");
    say_duration(s, ns);
}

/* --- connect --- */

static bool connected(enum handshake_outcome o)
{
    return o == HANDSHAKE_COMPLETE || o == HANDSHAKE_SIMULTANEOUS;
}

/* What became of an attempt that nothing is wrong with, or that the capture cannot judge. */
static const char *attempt_words(enum handshake_outcome o)
{
    switch (o) {
    case HANDSHAKE_MIDSTREAM:
        return ": open before the capture";
    case HANDSHAKE_HALF_SEEN:
        return ": seen in part";
    case HANDSHAKE_RESET:
        return ": it answered, and the client let go of it";
    case HANDSHAKE_REFUSED:
        return ": refused";
    default:
        return ": no answer so far";
    }
}

static void say_tries(struct sentence *s, const struct flow *f)
{
    if (f->syns < 2)
        return;
    say(s, ", ");
    say_number(s, f->syns);
    say(s, " SYNs in ");
    say_duration(s, f->last_ns - f->first_ns);
}

static void say_connected(struct sentence *s, const struct flow *f, int64_t cost_ns)
{
    say_cost(s, cost_ns);
    if (f->syns < 2)
        return;
    say(s, ", after ");
    say_number(s, f->syns);
    say(s, " SYNs");
}

static void tell_connect(const struct telling *t)
{
    const struct flow *f = t->flow;
    enum handshake_outcome o = t->handshake;
    bool found = o == HANDSHAKE_MIDSTREAM || o == HANDSHAKE_HALF_SEEN, trouble = told_here(t, PLACE_CONNECT);
    struct point at = {f->first_syn_packet ? f->first_syn_packet : leg_first_packet(f), f->first_ns, TIME_NONE};
    struct sentence s = {0};

    say(&s, connected(o) ? "connected to " : found ? "connection to " : "connecting to ");
    say_server(&s, f);
    if (connected(o)) {
        at.cost_ns = between(f->first_ns, f->ack_ns);
        say_connected(&s, f, at.cost_ns);
    } else if (trouble && t->verdict->code != CODE_INCOMPLETE_CAPTURE) {
        say(&s, ": ");
        say_title(&s, t);
        say_tries(&s, f);
    } else {
        say(&s, attempt_words(o));
    }
    add_step(t, STEP_TCP, at, trouble, &s);
}

/* --- the end --- */

static void say_time_wait(struct sentence *s, const struct flow *f, enum side first)
{
    unsigned owners = flow_time_wait(f);

    if (owners == 3)
        say(s, ", TIME-WAIT at both");
    else if (owners == 1u << first)
        say(s, ", TIME-WAIT there");
    else if (owners)
        say(s, first == CLIENT ? ", TIME-WAIT at the server" : ", TIME-WAIT at the client");
}

static void say_end_of(struct sentence *s, const struct flow *f, enum teardown_outcome o)
{
    enum side first = CLIENT;

    flow_closed_first(f, &first);
    if (o == TEARDOWN_FIN)
        say(s, "closed in order: ");
    else if (o == TEARDOWN_FIN_UNACKED)
        say(s, "closed, not all of it acknowledged: ");
    else if (o == TEARDOWN_HALF_CLOSED)
        say(s, "closed by the ");
    else
        say(s, "reset by the ");
    say(s, side_name(o == TEARDOWN_RESET ? (enum side)f->reset.by : first));
    say(s, o == TEARDOWN_HALF_CLOSED ? " only" : o == TEARDOWN_RESET ? "" : " first");
    if (o == TEARDOWN_FIN)
        say_time_wait(s, f, first);
}

/* The words for an end that a verdict is about: what ended it, unless the verdict's title says that already, and the
 * title. */
static void say_trouble(struct sentence *s, const struct telling *t, enum teardown_outcome o)
{
    enum code code = t->verdict->code;

    if (o != TEARDOWN_NONE && !(o == TEARDOWN_RESET && (code == CODE_RESET_BY_SERVER || code == CODE_RESET_BY_CLIENT)))
        say_end_of(s, t->flow, o);
    if (code == CODE_INCOMPLETE_CAPTURE) {
        say(s, o == TEARDOWN_NONE ? "still open when the capture ends" : "");
        return;
    }
    say(s, s->n ? "; " : "");
    say_title(s, t);
}

static struct point end_point(const struct telling *t, enum teardown_outcome o)
{
    const struct flow *f = t->flow;
    enum side first = CLIENT;

    if (o == TEARDOWN_RESET)
        return (struct point){f->reset.packet, f->reset.ts_ns, TIME_NONE};
    if (flow_closed_first(f, &first))
        return (struct point){f->half[first].fin_packet, f->half[first].fin_ns, TIME_NONE};
    return (struct point){MAX(f->half[CLIENT].last_packet, f->half[SERVER].last_packet), f->last_ns, TIME_NONE};
}

static void tell_end(const struct telling *t)
{
    enum teardown_outcome o = flow_teardown(t->flow);
    bool trouble = told_here(t, PLACE_END),
         never_open = t->handshake == HANDSHAKE_REFUSED || t->handshake == HANDSHAKE_RESET ||
                      t->handshake == HANDSHAKE_NO_ANSWER || t->handshake == HANDSHAKE_UNREACHABLE;
    struct sentence s = {0};

    if (!trouble && (o == TEARDOWN_NONE || never_open))
        return;
    if (trouble)
        say_trouble(&s, t, o);
    else
        say_end_of(&s, t->flow, o);
    add_step(t, STEP_TCP, end_point(t, o), trouble, &s);
}

/* --- all --- */

static enum place place_of(const struct flow *f, enum code code, enum handshake_outcome o)
{
    if (code == CODE_INCOMPLETE_CAPTURE)
        return connected(o) ? PLACE_END : PLACE_CONNECT;
    if (code <= CODE_HANDSHAKE_UNFINISHED)
        return connected(o) || o == HANDSHAKE_MIDSTREAM || o == HANDSHAKE_HALF_SEEN ? PLACE_END : PLACE_CONNECT;
    if (code >= CODE_TLS_CERTIFICATE_EXPIRED && code <= CODE_TLS_RESET)
        return f->app && f->app->tls ? PLACE_TLS : n_transactions(f) ? PLACE_HTTP : PLACE_END;
    if (code >= CODE_REDIRECT_LOOP && code <= CODE_SLOW_SERVER)
        return n_transactions(f) ? PLACE_HTTP : PLACE_END;
    return PLACE_END;
}

GArray *steps_of_flow(const struct flow *f, const struct finding *verdict)
{
    struct telling t = {.flow = f, .verdict = verdict, .handshake = flow_handshake(f)};

    t.place = place_of(f, verdict->code, t.handshake);
    t.steps = g_array_sized_new(FALSE, FALSE, sizeof(struct step), 3);
    tell_connect(&t);
    bool tunnel = n_transactions(f) > 0; /* CONNECT, then TLS */
    if (!tunnel)
        tell_tls(&t);
    tell_http(&t);
    if (tunnel)
        tell_tls(&t);
    tell_end(&t);
    return t.steps;
}

void steps_add_words(GArray *steps, enum step_kind kind, const char *text)
{
    for (guint i = 0; i < steps->len; i++) {
        struct step *step = &g_array_index(steps, struct step, i);
        if (step->kind != kind)
            continue;
        char *old = step->text;
        step->text = g_strconcat(old, text, NULL);
        g_free(old);
        return;
    }
}
