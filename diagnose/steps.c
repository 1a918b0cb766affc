#include "diagnose/leg.h"
#include "diagnose/sentence.h"

/* Where a verdict on a flow is told. */
enum place { PLACE_CONNECT, PLACE_TLS, PLACE_HTTP, PLACE_END };

/* The steps of one flow while they are made. */
struct telling {
    const struct flow *flow;
    const struct finding *verdict;
    enum handshake_outcome handshake;
    enum place place; /* of the verdict */
    GArray *steps;
};

static bool fine(const struct telling *t)
{
    return t->verdict->code == CODE_OK;
}

static bool told_here(const struct telling *t, enum place place)
{
    return !fine(t) && t->place == place;
}

/* Where and when a step begins, and what it cost. */
struct point {
    uint64_t packet;
    int64_t ts_ns, cost_ns;
};

/* trouble: the verdict is about this step. */
static void add_step(const struct telling *t, enum step_kind kind, struct point at, bool trouble, const struct sentence *s)
{
    struct step step = { .kind = kind, .flow = t->flow->id, .packet = at.packet, .ts_ns = at.ts_ns, .duration_ns = at.cost_ns };

    if (at.ts_ns == TIME_NONE)
        step.ts_ns = t->flow->last_ns;
    step.status = trouble ? t->verdict->status : STATUS_OK;
    step.text = sentence_dup(s);
    g_array_append_val(t->steps, step);
}

static void say_server(struct sentence *s, const struct flow *f)
{
    say_end(s, flow_addr(f, SERVER), flow_port(f, SERVER), f->key.version);
}

static void say_title(struct sentence *s, const struct telling *t)
{
    say(s, catalogue_row(t->verdict->code)->title);
}

uint64_t leg_first_packet(const struct flow *f)
{
    uint64_t c = f->half[CLIENT].first_packet, s = f->half[SERVER].first_packet;
    return !s || (c && c < s) ? c : s;
}

static int64_t between(int64_t from_ns, int64_t to_ns)
{
    return from_ns == TIME_NONE || to_ns == TIME_NONE || to_ns < from_ns ? TIME_NONE : to_ns - from_ns;
}

static void say_cost(struct sentence *s, int64_t ns)
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
    case HANDSHAKE_MIDSTREAM: return ": open before the capture";
    case HANDSHAKE_HALF_SEEN: return ": seen in part";
    case HANDSHAKE_RESET:     return ": it answered, and the client let go of it";
    case HANDSHAKE_REFUSED:   return ": refused";
    default:                  return ": no answer so far";
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
    struct point at = { f->first_syn_packet ? f->first_syn_packet : leg_first_packet(f), f->first_ns, TIME_NONE };
    struct sentence s = { 0 };

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

/* --- TLS --- */

static const char *detail_text(const struct finding *d, const char *key)
{
    for (guint i = 0; d->details && i < d->details->len; i++) {
        const struct detail *detail = &g_array_index(d->details, struct detail, i);
        if (detail->kind == DETAIL_TEXT && strcmp(detail->key, key) == 0)
            return detail->text;
    }
    return NULL;
}

/* "TLS 1.2" */
static void say_version(struct sentence *s, uint16_t version)
{
    char name[16];

    if (version > 0x0300 && version <= 0x0304) {
        say(s, "TLS 1.");
        say_number(s, version - 0x0301u);
    } else {
        say(s, version ? tls_version_name(version, name) : "TLS");
    }
}

static void say_tls_trouble(struct sentence *s, const struct telling *t)
{
    const char *alert = detail_text(t->verdict, "alert"), *from = detail_text(t->verdict, "from");

    say(s, ": ");
    say_title(s, t);
    if (!alert)
        return;
    say(s, " ");
    say_outside(s, alert, SAY_TEXT);
    say(s, from ? " from the " : "");
    say_outside(s, from, SAY_TEXT);
}

static void tell_tls(const struct telling *t)
{
    const struct tls_facts *tls = t->flow->app ? t->flow->app->tls : NULL;
    struct sentence s = { 0 };

    if (!tls)
        return;
    bool sent = tls->client_hello_packet != 0;
    struct point at = { sent ? tls->client_hello_packet : tls->server_hello_packet, sent ? tls->client_hello_ts_ns : tls->server_hello_ts_ns, TIME_NONE };
    if (tls->outcome == TLS_COMPLETE)
        at.cost_ns = between(tls->client_hello_ts_ns, tls->finished_ts_ns);
    say_version(&s, tls->version);
    say(&s, " with ");
    if (tls->sni)
        say_outside(&s, tls->sni, SAY_NAME);
    else
        say_server(&s, t->flow);
    if (tls->resumed)
        say(&s, ", resumed");
    say_cost(&s, at.cost_ns);
    if (told_here(t, PLACE_TLS))
        say_tls_trouble(&s, t);
    else if (tls->outcome != TLS_COMPLETE)
        say(&s, ": handshake not finished");
    add_step(t, STEP_TLS, at, told_here(t, PLACE_TLS), &s);
}

/* --- HTTP --- */

size_t transaction_url(char out[URL_ROOM], const struct flow *f, const struct http_transaction *h)
{
    struct sentence server = { 0 };

    if (!h->target || (h->method && strcmp(h->method, "CONNECT") == 0))
        return 0;
    if (h->host && *h->host)
        return url_of_request(out, false, h->host, h->target);
    say_server(&server, f); /* HTTP/1.0 without a Host field */
    server.text[server.n] = '\0';
    return url_of_request(out, false, server.text, h->target);
}

static void say_answer(struct sentence *s, const struct http_transaction *h, const char *url)
{
    say(s, " -> ");
    say_number(s, (uint64_t)h->status);
    say(s, " ");
    if (h->location && h->status >= 300 && h->status < 400) {
        struct url to;
        url_resolve(&to, url, h->location);
        say_outside(s, to.text, SAY_URL);
        url_clear(&to);
        return;
    }
    say_outside(s, h->reason, SAY_TEXT);
    if (!h->reason || !*h->reason)
        s->n--;
    if (h->response_bytes) {
        say(s, ", ");
        say_bytes(s, h->response_bytes);
    }
}

/* "(first byte after 1.4 ms, all after 30 ms)" */
static void say_times(struct sentence *s, const struct http_transaction *h, int64_t whole_ns)
{
    int64_t asked_ns = h->request_end_ts_ns != TIME_NONE ? h->request_end_ts_ns : h->request_ts_ns;
    int64_t first_ns = between(asked_ns, h->response_ts_ns);

    if (first_ns == TIME_NONE)
        return;
    say(s, " (first byte after ");
    say_duration(s, first_ns);
    if (whole_ns != TIME_NONE && whole_ns - first_ns >= NS_PER_MS) {
        say(s, ", all after ");
        say_duration(s, whole_ns);
    }
    say(s, ")");
}

/* last: of the flow's transactions that one which a verdict on HTTP is about. */
static void tell_transaction(const struct telling *t, const struct http_transaction *h, bool last)
{
    bool seen = h->request_packet != 0;
    struct point at = { seen ? h->request_packet : h->response_packet, seen ? h->request_ts_ns : h->response_ts_ns,
                        between(h->request_ts_ns, h->response_end_ts_ns) };
    char url[URL_ROOM];
    struct sentence s = { 0 };

    if (transaction_url(url, t->flow, h) == 0)
        g_strlcpy(url, h->target ? h->target : "?", sizeof url);
    say_outside(&s, h->method ? h->method : "request not seen:", SAY_TEXT);
    say(&s, " ");
    say_outside(&s, url, SAY_URL);
    if (h->status)
        say_answer(&s, h, url);
    bool trouble = last && told_here(t, PLACE_HTTP);
    if (trouble && !(h->status >= 400 && (t->verdict->code == CODE_HTTP_CLIENT_ERROR || t->verdict->code == CODE_HTTP_SERVER_ERROR))) {
        say(&s, ": ");
        say_title(&s, t);
    } else if (!h->status) {
        say(&s, ": no answer seen");
    }
    say_times(&s, h, at.cost_ns);
    add_step(t, STEP_HTTP, at, trouble, &s);
}

static const struct http_transaction *transaction(const struct flow *f, guint i)
{
    return g_ptr_array_index(f->app->http, i);
}

static guint n_transactions(const struct flow *f)
{
    return f->app && f->app->http ? f->app->http->len : 0;
}

/* The transaction that a verdict on HTTP is about: the last answered one for a status, the first whose answer has that fault for the others,
 * else the last. */
static guint blamed(const struct telling *t)
{
    guint n = n_transactions(t->flow);

    for (guint i = 0; i < n && t->verdict->code == CODE_RESPONSE_TRUNCATED; i++)
        if (transaction(t->flow, i)->truncated)
            return i;
    for (guint i = 0; i < n && t->verdict->code == CODE_SLOW_SERVER; i++)
        for (unsigned e = 0; e < t->verdict->n_evidence; e++)
            if (transaction(t->flow, i)->response_packet == t->verdict->evidence[e])
                return i;
    for (guint i = n; i-- > 0;)
        if (transaction(t->flow, i)->status || t->verdict->code == CODE_SERVER_SILENT)
            return i;
    return n - 1;
}

static void tell_left_out(const struct telling *t, guint from, guint to)
{
    struct sentence s = { 0 };
    uint64_t redirected = 0;

    for (guint i = from; i < to; i++)
        redirected += transaction(t->flow, i)->location != NULL;
    say_number(&s, to - from + t->flow->app->http_dropped);
    say(&s, " more requests on this connection");
    if (redirected) {
        say(&s, ", ");
        say_number(&s, redirected);
        say(&s, " redirected");
    }
    add_step(t, STEP_HTTP, (struct point){ transaction(t->flow, from)->request_packet, transaction(t->flow, from)->request_ts_ns, TIME_NONE }, false, &s);
}

static void tell_http(const struct telling *t)
{
    guint n = n_transactions(t->flow), blame = n ? blamed(t) : 0, told = MIN(n, LEG_TOLD - 1);

    for (guint i = 0; i < told; i++)
        tell_transaction(t, transaction(t->flow, i), i == blame);
    if (n - told > 1)
        tell_left_out(t, told, n - 1);
    if (n > told)
        tell_transaction(t, transaction(t->flow, n - 1), blame >= told);
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

/* The words for an end that a verdict is about: what ended it, unless the verdict's title says that already, and the title. */
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
        return (struct point){ f->reset.packet, f->reset.ts_ns, TIME_NONE };
    if (flow_closed_first(f, &first))
        return (struct point){ f->half[first].fin_packet, f->half[first].fin_ns, TIME_NONE };
    return (struct point){ MAX(f->half[CLIENT].last_packet, f->half[SERVER].last_packet), f->last_ns, TIME_NONE };
}

static void tell_end(const struct telling *t)
{
    enum teardown_outcome o = flow_teardown(t->flow);
    bool trouble = told_here(t, PLACE_END), never_open = t->handshake == HANDSHAKE_REFUSED || t->handshake == HANDSHAKE_RESET ||
                                                        t->handshake == HANDSHAKE_NO_ANSWER || t->handshake == HANDSHAKE_UNREACHABLE;
    struct sentence s = { 0 };

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
        return f->app && f->app->tls ? PLACE_TLS : PLACE_END;
    if (code >= CODE_REDIRECT_LOOP && code <= CODE_SLOW_SERVER)
        return n_transactions(f) ? PLACE_HTTP : PLACE_END;
    return PLACE_END;
}

GArray *steps_of_flow(const struct flow *f, const struct finding *verdict)
{
    struct telling t = { .flow = f, .verdict = verdict, .handshake = flow_handshake(f) };

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

/* --- look-ups --- */

static void say_answers(struct sentence *s, char *const *answers)
{
    guint n = answers ? g_strv_length((char **)(uintptr_t)answers) : 0;

    for (guint i = 0; i < n && i < 3; i++) {
        say(s, i ? ", " : "");
        say_outside(s, answers[i], SAY_TEXT);
    }
    if (n > 3) {
        say(s, " and ");
        say_number(s, n - 3);
        say(s, " more");
    }
}

static void say_outcome(struct sentence *s, const struct lookup *l)
{
    if (!l->rcode)
        say(s, l->icmp_packet ? "no answer, an ICMP error came back" : "no answer");
    else if (l->rcode_number != 0)
        say_outside(s, l->rcode, SAY_TEXT);
    else if (l->answers && l->answers[0])
        say_answers(s, l->answers);
    else
        say(s, "no such record");
}

void step_of_lookup(struct step *out, const struct lookup *l)
{
    struct sentence s = { 0 };
    int64_t cost_ns = between(l->query_ns, l->response_ns);

    say(&s, "looked up ");
    say_outside(&s, *l->name ? l->name : ".", SAY_NAME);
    say(&s, " (");
    say_outside(&s, l->type, 12);
    say(&s, "): ");
    say_outcome(&s, l);
    say_cost(&s, cost_ns);
    if (l->retries) {
        say(&s, ", asked ");
        say_number(&s, (uint64_t)l->retries + 1);
        say(&s, " times");
    }
    *out = (struct step){ .kind = STEP_DNS, .packet = l->query_packet ? l->query_packet : l->response_packet, .duration_ns = cost_ns };
    out->ts_ns = l->query_ns != TIME_NONE ? l->query_ns : l->response_ns;
    out->text = sentence_dup(&s);
}
