#include "diagnose/steps.h"

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
    say(s, from ? " " : " (alert ");
    say_outside(s, alert, SAY_TEXT);
    say(s, from ? " from the " : ")");
    say_outside(s, from, SAY_TEXT);
}

void tell_tls(const struct telling *t)
{
    const struct tls_facts *tls = t->flow->app ? t->flow->app->tls : NULL;
    struct sentence s = { 0 };

    if (!tls)
        return;
    bool sent = tls->client_hello_packet != 0;
    struct point at = { sent ? tls->client_hello_packet : tls->server_hello_packet,
                        sent ? tls->client_hello_ts_ns : tls->server_hello_ts_ns, TIME_NONE };
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
    if (trouble && !(h->status >= 400 &&
                     (t->verdict->code == CODE_HTTP_CLIENT_ERROR || t->verdict->code == CODE_HTTP_SERVER_ERROR))) {
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
    return http_at(f->app->http, i);
}

guint n_transactions(const struct flow *f)
{
    return f->app && f->app->http ? f->app->http->len : 0;
}

static bool proves(const struct finding *f, uint64_t packet)
{
    for (unsigned e = 0; e < f->n_evidence; e++)
        if (f->evidence[e] == packet)
            return true;
    return false;
}

/* The transaction that a verdict on HTTP is about: the first whose answer has that fault, else the last. */
static guint blamed(const struct telling *t)
{
    guint n = n_transactions(t->flow);

    for (guint i = 0;
         i < n && (t->verdict->code == CODE_HTTP_SERVER_ERROR || t->verdict->code == CODE_HTTP_CLIENT_ERROR); i++)
        if (transaction(t->flow, i)->status >= 400 && proves(t->verdict, transaction(t->flow, i)->response_packet))
            return i;
    for (guint i = 0; i < n && t->verdict->code == CODE_RESPONSE_TRUNCATED; i++)
        if (transaction(t->flow, i)->truncated)
            return i;
    for (guint i = 0; i < n && t->verdict->code == CODE_SLOW_SERVER; i++)
        if (proves(t->verdict, transaction(t->flow, i)->response_packet))
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
    add_step(t, STEP_HTTP,
             (struct point){ transaction(t->flow, from)->request_packet, transaction(t->flow, from)->request_ts_ns,
                             TIME_NONE },
             false, &s);
}

void tell_http(const struct telling *t)
{
    guint n = n_transactions(t->flow), blame = n ? blamed(t) : 0, told = MIN(n, LEG_TOLD - 1);

    for (guint i = 0; i < told; i++)
        tell_transaction(t, transaction(t->flow, i), i == blame);
    if (n - told > 1)
        tell_left_out(t, told, n - 1);
    if (n > told)
        tell_transaction(t, transaction(t->flow, n - 1), blame >= told);
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
    *out = (struct step){ .kind = STEP_DNS,
                          .packet = l->query_packet ? l->query_packet : l->response_packet,
                          .duration_ns = cost_ns };
    out->ts_ns = l->query_ns != TIME_NONE ? l->query_ns : l->response_ns;
    out->text = sentence_dup(&s);
}
