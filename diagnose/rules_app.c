#include "diagnose/rules.h"
#include "diagnose/sentence.h"

/* --- certificates --- */

static struct finding *certificate_finding(const struct flow *f, enum code code, const char *format, const char *text)
{
    const struct tls_facts *t = f->app->tls;
    g_autofree char *summary = g_strdup_printf(format, text);
    struct finding *d = finding_new(code, WHERE_SERVER, "%s", summary);

    if (t->application_data)
        d->status = STATUS_DEGRADED;
    if (t->certificate->subject)
        finding_detail_text(d, "subject", t->certificate->subject);
    for (unsigned i = 0; i < t->n_alerts; i++) {
        char name[16];
        if (t->alerts[i].from != CLIENT || t->alerts[i].encrypted || !t->alerts[i].fatal)
            continue;
        finding_detail_text(d, "alert", tls_alert_name(t->alerts[i].description, name));
        finding_add_evidence(d, t->alerts[i].packet);
    }
    finding_add_evidence(d, t->certificate_packet);
    return d;
}

static char *date_text(int64_t seconds)
{
    g_autoptr(GDateTime) t = g_date_time_new_from_unix_utc(seconds);
    return t ? g_date_time_format(t, "%Y-%m-%d %H:%M:%S UTC") : g_strdup_printf("%" G_GINT64_FORMAT, seconds);
}

static char *names_text(const struct tls_certificate *cert)
{
    g_autofree char *all = cert->names ? g_strjoinv(", ", cert->names) : NULL;
    struct sentence s = { 0 };

    say_outside(&s, all && *all ? all : "no name", 2 * SAY_NAME);
    return sentence_dup(&s);
}

/* The certificate is judged against the capture's own time and the name that the client asked for (CONTRACT
 * tls_certificate_*). */
struct finding *rule_tls_certificate(const struct flow *f, const struct judge_context *c)
{
    const struct tls_facts *t = flow_tls(f);
    const struct tls_certificate *cert = t ? t->certificate : NULL;
    g_autofree char *text = NULL;

    (void)c;
    if (!cert || cert->unreadable)
        return NULL;
    int64_t now_s = f->first_ns / NS_PER_S;
    if (now_s > cert->not_after_s) {
        text = date_text(cert->not_after_s);
        return certificate_finding(f, CODE_TLS_CERTIFICATE_EXPIRED, "The server's certificate expired on %s.", text);
    }
    if (now_s < cert->not_before_s) {
        text = date_text(cert->not_before_s);
        return certificate_finding(f, CODE_TLS_CERTIFICATE_NOT_YET_VALID,
                                   "The server's certificate is valid only from %s on.", text);
    }
    if (t->sni && !t->certificate_matches) {
        g_autofree char *names = names_text(cert);
        text = g_strdup_printf("\"%s\" and the certificate is for %s", t->sni, names);
        return certificate_finding(f, CODE_TLS_NAME_MISMATCH, "The client asks for %s.", text);
    }
    if (cert->self_signed)
        return certificate_finding(f, CODE_TLS_SELF_SIGNED, "The server's certificate is signed by its own key (%s).",
                                   cert->subject ? cert->subject : "no subject");
    return NULL;
}

/* --- the handshake --- */

static struct finding *alert_finding(const struct tls_facts *t)
{
    for (unsigned i = t->n_alerts; i-- > 0;) {
        const struct tls_alert *a = &t->alerts[i];
        char name[16];

        if (!a->fatal && !a->encrypted)
            continue;
        const char *what = a->encrypted ? "encrypted" : tls_alert_name(a->description, name);
        struct finding *d = finding_new(CODE_TLS_ALERT, a->from == SERVER ? WHERE_SERVER : WHERE_CLIENT,
                                        "The %s ends the TLS handshake with %s%s.", side_name(a->from),
                                        a->encrypted ? "an alert that is " : "the fatal alert ", what);
        d->confidence = a->encrypted ? CONFIDENCE_LIKELY : CONFIDENCE_CERTAIN;
        if (a->encrypted)
            d->remedy = d->own_remedy =
                g_strdup_printf("What the alert says is encrypted: look at the log of the %s, which got it.",
                                side_name(other_side(a->from)));
        finding_detail_text(d, "alert", what);
        finding_detail_text(d, "from", side_name(a->from));
        finding_add_evidence(d, t->client_hello_packet);
        finding_add_evidence(d, a->packet);
        return d;
    }
    return NULL;
}

/* The ClientHello arrived, and for ten seconds, or until the end, nothing came. */
static bool hello_ignored(const struct flow *f, const struct tls_facts *t, const struct judge_context *c)
{
    int64_t until_ns = f->reset.packet ? f->reset.ts_ns : c->now_ns;

    if (t->server_hello || !t->client_hello || f->half[SERVER].bytes || !both_captured(f) || capture_missed(f, SERVER))
        return false;
    if (f->half[CLIENT].unacked > (f->half[CLIENT].fin ? 1 : 0))
        return false;
    return until_ns - t->client_hello_ts_ns >= SILENT_NS;
}

/* HTTP without TLS to a port that serves TLS, answered in the words of TLS. */
static bool http_refused(const struct flow *f)
{
    return f->app && f->app->protocol == APP_HTTP && f->app->http_alert.packet && flow_transactions(f) &&
           !flow_transaction(f, 0)->status;
}

struct finding *rule_http_to_tls(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE], name[16];

    (void)c;
    if (!http_refused(f))
        return NULL;
    const struct tls_alert *a = &f->app->http_alert;
    struct finding *d = finding_new(CODE_TLS_ALERT, WHERE_CLIENT,
                                    "The client speaks HTTP without TLS and %s answers with the TLS alert %s.",
                                    end_text(server, f, SERVER), tls_alert_name(a->description, name));

    d->remedy = d->own_remedy =
        g_strdup("This port serves TLS: use https:// for it, or the port that serves plain HTTP.");
    finding_detail_text(d, "alert", tls_alert_name(a->description, name));
    finding_detail_text(d, "from", side_name(SERVER));
    finding_add_evidence(d, flow_transaction(f, 0)->request_packet);
    finding_add_evidence(d, a->packet);
    return d;
}

/* The server said the first words of the handshake, then nothing for ten seconds, and the client gave up. */
static int64_t stuck_ns(const struct flow *f)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];
    bool left = f->reset.packet ? f->reset.by == CLIENT
                                : client->fin && (!server->fin || client->fin_packet < server->fin_packet);
    int64_t left_ns = f->reset.packet && !client->fin ? f->reset.ts_ns : client->fin_ns;

    if (!left || !server->bytes || server->last_data_packet < client->last_data_packet)
        return -1;
    return left_ns - server->last_data_ns >= SILENT_NS ? left_ns - server->last_data_ns : -1;
}

/* Cut in the middle of the handshake: by whom, as far as the packets say. */
static struct finding *cut_finding(const struct flow *f, const char *server)
{
    const struct tls_facts *t = flow_tls(f);
    int64_t stuck = stuck_ns(f);
    char waited[32];

    if (stuck >= 0)
        return finding_new(CODE_TLS_RESET, WHERE_SERVER,
                           "%s stops in the middle of the TLS handshake; after %s without a word the client gives up.",
                           server, duration_text(waited, stuck));
    if (t->outcome == TLS_RESET && f->reset.packet)
        return finding_new(CODE_TLS_RESET, WHERE_NONE,
                           "The TLS handshake with %s is cut by a RST with the %s's address, without an alert.", server,
                           side_name((enum side)f->reset.by));
    return finding_new(CODE_TLS_RESET, WHERE_NONE,
                       "The TLS handshake with %s is cut by the end of the connection, without an alert.", server);
}

/* Whoever closes second only follows: a client that left before an answer came has ended it itself. */
static bool server_ended_it(const struct flow *f)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];
    uint64_t end = f->reset.packet && f->reset.by == SERVER ? f->reset.packet : server->fin_packet;

    return end && (!client->fin || end < client->fin_packet) && !(f->reset.packet && f->reset.packet < end);
}

struct finding *rule_tls(const struct flow *f, const struct judge_context *c)
{
    const struct tls_facts *t = flow_tls(f);
    char server[END_TEXT_SIZE];
    struct finding *d = NULL;

    if (!t)
        return NULL;
    end_text(server, f, SERVER);
    if (t->outcome == TLS_ALERT)
        return alert_finding(t);
    if (!both_captured(f))
        return NULL;
    if (t->outcome == TLS_NOT_TLS)
        d = finding_new(CODE_TLS_NOT_SPOKEN, WHERE_SERVER,
                        "%s answers the TLS ClientHello with something that is not TLS.", server);
    else if (t->outcome != TLS_COMPLETE && hello_ignored(f, t, c))
        d = finding_new(CODE_TLS_NO_SERVER_HELLO, WHERE_NONE, "%s acknowledges the ClientHello and never answers it.",
                        server);
    else if (t->outcome == TLS_NO_SERVER_HELLO && server_ended_it(f))
        d = finding_new(CODE_TLS_RESET, WHERE_NONE, "%s ends the connection instead of answering the ClientHello.",
                        server);
    else if (t->outcome == TLS_RESET || t->outcome == TLS_CLOSED)
        d = cut_finding(f, server);
    if (!d)
        return NULL;
    d->confidence = t->outcome == TLS_NOT_TLS ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding_add_evidence(d, t->client_hello_packet);
    finding_add_evidence(d, t->not_tls_packet);
    finding_add_evidence(d, t->server_hello_packet);
    finding_add_evidence(d, f->half[SERVER].last_data_packet);
    finding_add_evidence(d, f->reset.packet ? f->reset.packet : f->half[SERVER].fin_packet);
    if (t->sni)
        finding_detail_text(d, "sni", t->sni);
    finding_detail_number(d, "client_hello_bytes", (int64_t)t->client_hello_bytes);
    return d;
}

/* --- HTTP --- */

char *request_text(const struct http_transaction *h, bool with_host, const char *otherwise)
{
    struct sentence s = { 0 };

    if (!h->method)
        return g_strdup(otherwise);
    say_outside(&s, h->method, SAY_TEXT);
    say(&s, " ");
    if (with_host && h->target && h->target[0] == '/')
        say_outside(&s, h->host, SAY_NAME);
    say_outside(&s, h->target, SAY_URL);
    return sentence_dup(&s);
}

/* The same was asked again on this connection, and answered well: a login after 401, a second try after 503. */
static bool made_good(const struct flow *f, guint at)
{
    const struct http_transaction *h = flow_transaction(f, at);

    for (guint i = at + 1; i < flow_transactions(f); i++) {
        const struct http_transaction *later = flow_transaction(f, i);
        if (later->status && later->status < 400 && g_strcmp0(h->target, later->target) == 0 &&
            g_strcmp0(h->host, later->host) == 0)
            return true;
    }
    return false;
}

/* The first 5xx that was not made good; where there is none, the first 4xx. */
static const struct http_transaction *unanswered_well(const struct flow *f)
{
    const struct http_transaction *found = NULL;

    for (guint i = 0; i < flow_transactions(f); i++) {
        const struct http_transaction *h = flow_transaction(f, i);
        bool worse = h->status >= 500 && h->status <= 599, bad = h->status >= 400 && h->status < 500;
        if (h->status == 408 && !h->method)
            continue; /* how servers say goodbye to an idle connection: nobody had asked */
        if ((!worse && (!bad || found)) || made_good(f, i))
            continue;
        found = h;
        if (worse)
            break;
    }
    return found;
}

struct finding *rule_http_status(const struct flow *f, const struct judge_context *c)
{
    const struct http_transaction *h = unanswered_well(f);

    (void)c;
    if (!h)
        return NULL;
    g_autofree char *request = request_text(h, true, "A request");
    enum code code = h->status >= 500 ? CODE_HTTP_SERVER_ERROR : CODE_HTTP_CLIENT_ERROR;
    struct finding *d = finding_new(code, h->status >= 500 ? WHERE_SERVER : WHERE_CLIENT, "%s was answered %d%s%.60s.",
                                    request, h->status, h->reason && *h->reason ? " " : "", h->reason ? h->reason : "");
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_detail_number(d, "status", h->status);
    return d;
}

/* The first request without an answer, whole in the capture, and the server closed: none will come. Behind a request
 * sent on without waiting (pipelining) a server may close with any answer, and the client asks again: RFC 9112
 * section 9.3.2. */
static const struct http_transaction *left_alone(const struct flow *f)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];
    const struct http_transaction *h = NULL, *before = NULL;

    for (guint i = 0; i < flow_transactions(f) && !h; i++) {
        before = i ? flow_transaction(f, i - 1) : NULL;
        h = flow_transaction(f, i)->status ? NULL : flow_transaction(f, i);
    }
    if (!h || h->lossy || !h->request_complete || !both_captured(f) || http_refused(f))
        return NULL;
    if (before && (!before->complete || h->request_ts_ns < before->response_end_ts_ns))
        return NULL;
    if (!server->fin || h->request_packet > server->fin_packet)
        return NULL;
    return !client->fin || server->fin_packet < client->fin_packet ? h : NULL;
}

static struct finding *no_answer_finding(const struct flow *f, const struct http_transaction *h)
{
    g_autofree char *request = request_text(h, false, "the request");
    struct finding *d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                                    "The server closed the connection without an HTTP answer to %s.", request);

    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, f->half[SERVER].fin_packet);
    return d;
}

/* The answer of a known length in whose middle the client closed, and nothing of it came after that; NULL: none. An
 * endless answer (events, chunks until somebody closes) has no other end than this. */
static const struct http_transaction *left_answer(const struct flow *f)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];
    const struct http_transaction *h = flow_transactions(f) ? flow_transaction(f, flow_transactions(f) - 1) : NULL;

    if (!h || !h->status || h->complete || h->tunnel || h->lossy || h->announced_bytes == UINT64_MAX ||
        capture_missed(f, SERVER) || !both_captured(f))
        return NULL;
    if (!client->fin || client->fin_packet < h->response_packet || server->last_data_packet > client->fin_packet)
        return NULL; /* closed before: it only had nothing more to say */
    return server->fin && server->fin_packet < client->fin_packet ? NULL : h;
}

/* The client left: because nothing came any more, or while it came. */
static struct finding *left_finding(const struct flow *f, const struct http_transaction *h)
{
    int64_t silence_ns = f->half[CLIENT].fin_ns - f->half[SERVER].last_data_ns;
    bool stalled = silence_ns >= SILENCE_NS;
    char waited[32];
    g_autofree char *got = g_strdup_printf("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " announced bytes",
                                           h->response_bytes, h->announced_bytes);
    struct finding *d = stalled ? finding_new(CODE_RESPONSE_TRUNCATED, WHERE_NONE,
                                              "The answer stops after %s; the client closes %s later.", got,
                                              duration_text(waited, silence_ns))
                                : finding_new(CODE_RESPONSE_TRUNCATED, WHERE_CLIENT,
                                              "The client closed after %s, while the answer was still coming.", got);

    if (stalled) { /* at this place its silence and that of a dead path look alike */
        finding_detail_list(d, "alternatives", (const char *const[]){ "path_went_dead", "server_silent", NULL });
        d->remedy = d->own_remedy = g_strdup("Capture at the server, too: if it sends its data again and again there, "
                                             "the path lost them; if it sends nothing, look at its program.");
    } else {
        d->remedy = d->own_remedy = g_strdup("Look at why the client left: its time limit, or a user who stopped it.");
    }
    d->confidence = stalled ? CONFIDENCE_POSSIBLE : CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_add_evidence(d, f->half[SERVER].last_data_packet);
    finding_add_evidence(d, f->half[CLIENT].fin_packet);
    return d;
}

struct finding *rule_response_truncated(const struct flow *f, const struct judge_context *c)
{
    const struct http_transaction *alone = left_alone(f), *left = left_answer(f), *h = cut_answer(f);
    struct finding *d;

    (void)c;
    if (alone)
        return no_answer_finding(f, alone);
    if (left)
        return left_finding(f, left);
    if (!h)
        return NULL;
    if (h->announced_bytes != UINT64_MAX)
        d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                        "The answer ended after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " announced bytes.",
                        h->response_bytes, h->announced_bytes);
    else if (h->response_bytes)
        d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                        "The answer ended after %" G_GUINT64_FORMAT " bytes, before its proper end.",
                        h->response_bytes);
    else
        d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER, "The answer ended before the first byte of its body.");
    if (f->reset.packet && f->reset.by == CLIENT)
        d->where = WHERE_CLIENT;
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_add_evidence(d, f->reset.packet ? f->reset.packet : f->half[SERVER].fin_packet);
    return d;
}
