#include "diagnose/rules.h"

#define SILENT_NS (10 * NS_PER_S)

static const struct tls_facts *tls_of(const struct flow *f)
{
    return f->app ? f->app->tls : NULL;
}

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
    return g_strdup_printf("%.120s", all && *all ? all : "no name");
}

/* The certificate is judged against the capture's own time and the name that the client asked for (CONTRACT
 * tls_certificate_*). */
struct finding *rule_tls_certificate(const struct flow *f, const struct judge_context *c)
{
    const struct tls_facts *t = tls_of(f);
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

    if (t->server_hello || !t->client_hello || f->half[SERVER].bytes || !both_captured(f))
        return false;
    if (f->half[CLIENT].unacked > (f->half[CLIENT].fin ? 1 : 0))
        return false;
    return until_ns - t->client_hello_ts_ns >= SILENT_NS;
}

struct finding *rule_tls(const struct flow *f, const struct judge_context *c)
{
    const struct tls_facts *t = tls_of(f);
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
    else if (t->outcome == TLS_NO_SERVER_HELLO && (f->half[SERVER].fin || f->half[SERVER].rst))
        d = finding_new(CODE_TLS_RESET, WHERE_NONE, "%s ends the connection instead of answering the ClientHello.",
                        server);
    else if (t->outcome == TLS_RESET || t->outcome == TLS_CLOSED)
        d = finding_new(CODE_TLS_RESET, WHERE_NONE, "The TLS handshake with %s is cut by %s, without an alert.", server,
                        t->outcome == TLS_RESET ? "a RST" : "the end of the connection");
    if (!d)
        return NULL;
    d->confidence = t->outcome == TLS_NOT_TLS ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    finding_add_evidence(d, t->client_hello_packet);
    finding_add_evidence(d, t->not_tls_packet);
    finding_add_evidence(d, t->server_hello_packet);
    finding_add_evidence(d, f->reset.packet);
    if (t->sni)
        finding_detail_text(d, "sni", t->sni);
    finding_detail_number(d, "client_hello_bytes", (int64_t)t->client_hello_bytes);
    return d;
}

/* --- HTTP --- */

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
    enum code code = h->status >= 500 ? CODE_HTTP_SERVER_ERROR : CODE_HTTP_CLIENT_ERROR;
    struct finding *d = finding_new(
        code, h->status >= 500 ? WHERE_SERVER : WHERE_CLIENT, "%s %.80s%.80s was answered %d%s%.60s.",
        h->method ? h->method : "A request", h->host && h->target && h->target[0] == '/' ? h->host : "",
        h->target ? h->target : "", h->status, h->reason && *h->reason ? " " : "", h->reason ? h->reason : "");
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_detail_number(d, "status", h->status);
    return d;
}

/* The last request, whole in the capture, got no answer, and the server closed: none will come. */
static const struct http_transaction *left_alone(const struct flow *f)
{
    const struct http_transaction *h = flow_transactions(f) ? flow_transaction(f, flow_transactions(f) - 1) : NULL;
    const struct half *server = &f->half[SERVER];

    if (!h || h->status || h->lossy || !h->request_complete || !server->fin || !both_captured(f))
        return NULL;
    return !f->half[CLIENT].fin || server->fin_packet < f->half[CLIENT].fin_packet ? h : NULL;
}

static struct finding *no_answer_finding(const struct flow *f, const struct http_transaction *h)
{
    struct finding *d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                                    "The server closed the connection without an HTTP answer to %s %.80s.",
                                    h->method ? h->method : "the request", h->target ? h->target : "");

    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, f->half[SERVER].fin_packet);
    return d;
}

struct finding *rule_response_truncated(const struct flow *f, const struct judge_context *c)
{
    const struct http_transaction *alone = left_alone(f), *h = cut_answer(f);
    struct finding *d;

    (void)c;
    if (alone)
        return no_answer_finding(f, alone);
    if (!h)
        return NULL;
    if (h->announced_bytes != UINT64_MAX)
        d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                        "The answer ended after %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " announced bytes.",
                        h->response_bytes, h->announced_bytes);
    else
        d = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER,
                        "The answer ended after %" G_GUINT64_FORMAT " bytes, before its proper end.",
                        h->response_bytes);
    if (f->reset.packet && f->reset.by == CLIENT)
        d->where = WHERE_CLIENT;
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_add_evidence(d, f->reset.packet ? f->reset.packet : f->half[SERVER].fin_packet);
    return d;
}

/* --- no answer, or a late one --- */

/* Whether what the client said last was a request: nothing was ever answered, or the protocol tells. */
static bool waits_for_answer(const struct flow *f)
{
    const struct tls_facts *t = tls_of(f);

    if (f->asked_ns == TIME_NONE || f->half[CLIENT].unacked > (f->half[CLIENT].fin ? 1 : 0))
        return false;
    if (t) /* the last thing that was sent may be the goodbye */
        return t->outcome == TLS_COMPLETE && t->client_data && !t->application_data &&
               f->asked_again <= (f->app->closing_only[CLIENT] ? 1 : 0);
    if (flow_transactions(f)) {
        const struct http_transaction *h = flow_transaction(f, flow_transactions(f) - 1);
        return !h->status && h->request_complete && !h->lossy;
    }
    return !f->half[SERVER].bytes && f->asked_again == 0;
}

struct finding *rule_server_silent(const struct flow *f, const struct judge_context *c)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];
    char waited[32], end[END_TEXT_SIZE];

    if (!both_captured(f) || flow_handshake(f) != HANDSHAKE_COMPLETE || !waits_for_answer(f))
        return NULL;
    int64_t until_ns = f->reset.packet ? f->reset.ts_ns
                       : server->fin   ? server->fin_ns
                       : client->fin   ? MAX(client->fin_ns, f->last_ns)
                                       : c->now_ns;
    int64_t waited_ns = until_ns - f->asked_ns;
    if (waited_ns < SILENT_NS)
        return NULL;
    struct finding *d = finding_new(CODE_SERVER_SILENT, WHERE_SERVER,
                                    "%s acknowledges the request and sends no byte of an answer in %s.",
                                    end_text(end, f, SERVER), duration_text(waited, waited_ns));
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, f->asked_packet);
    finding_add_evidence(d, client->last_data_packet);
    finding_add_evidence(d, server->last_packet);
    finding_detail_seconds(d, "waited", waited_ns);
    return d;
}

/* The slowest first byte of the flow's transactions. */
static const struct http_transaction *slowest(const struct flow *f, int64_t *ttfb_ns)
{
    const struct http_transaction *worst = NULL;

    for (guint i = 0; i < flow_transactions(f); i++) {
        const struct http_transaction *h = flow_transaction(f, i);
        if (h->request_end_ts_ns == TIME_NONE || h->response_ts_ns == TIME_NONE || h->tunnel)
            continue;
        if (!worst || h->response_ts_ns - h->request_end_ts_ns > *ttfb_ns) {
            worst = h;
            *ttfb_ns = h->response_ts_ns - h->request_end_ts_ns;
        }
    }
    return worst;
}

struct finding *rule_slow_server(const struct flow *f, const struct judge_context *c)
{
    int64_t ttfb_ns = 0, rtt_ns = flow_handshake_rtt_ns(f);
    const struct http_transaction *h = slowest(f, &ttfb_ns);
    char late[32];

    (void)c;
    if (rtt_ns == TIME_NONE)
        rtt_ns = minmax_mean_ns(&f->half[SERVER].rtt) + minmax_mean_ns(&f->half[CLIENT].rtt);
    if (!h || ttfb_ns < NS_PER_S || ttfb_ns < 5 * rtt_ns)
        return NULL;
    struct finding *d =
        finding_new(CODE_SLOW_SERVER, WHERE_SERVER, "The first byte of the answer to %s %.80s came after %s.",
                    h->method ? h->method : "a request", h->target ? h->target : "", duration_text(late, ttfb_ns));
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, h->request_packet);
    finding_add_evidence(d, h->response_packet);
    finding_detail_seconds(d, "ttfb", ttfb_ns);
    return d;
}
