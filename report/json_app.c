#include "base/timens.h"
#include "report/json_parts.h"

/* From the end of the request; a server that answers before that is measured from the request's beginning. */
static int64_t first_byte_ns(const struct http_transaction *t)
{
    if (t->request_ts_ns == TIME_NONE || t->response_ts_ns == TIME_NONE)
        return TIME_NONE;
    if (t->request_end_ts_ns == TIME_NONE || t->request_end_ts_ns > t->response_ts_ns)
        return t->response_ts_ns - t->request_ts_ns;
    return t->response_ts_ns - t->request_end_ts_ns;
}

static void transaction(struct json *j, const struct http_transaction *t)
{
    json_open_object(j);
    json_member(j, "method", string, t->method);
    json_member(j, "host", string, t->host);
    json_member(j, "target", string, t->target);
    json_member(j, "version", string, t->version);
    json_member(j, "status", number_or_null, t->status > 0 ? (uint64_t)t->status : 0);
    json_member(j, "reason", string, t->reason);
    json_member(j, "location", string, t->location);
    json_member(j, "request_packet", number_or_null, t->request_packet);
    json_member(j, "response_packet", number_or_null, t->response_packet);
    json_member(j, "ttfb", seconds, first_byte_ns(t));
    json_member(j, "request_bytes", uint, t->request_bytes);
    json_member(j, "response_bytes", uint, t->response_bytes);
    json_member(j, "complete", bool, t->complete);
    json_close(j);
}

static void transactions(struct json *j, const struct http_list *all)
{
    json_open_array(j);
    for (guint i = 0; all && i < all->len; i++)
        transaction(j, http_at(all, i));
    json_close(j);
}

static void alert(struct json *j, const struct tls_alert *a)
{
    char room[16];

    json_open_object(j);
    json_member(j, "from", string, side_name(a->from));
    json_member(j, "level", string, a->encrypted ? NULL : a->fatal ? "fatal" : "warning");
    json_member(j, "description", string, a->encrypted ? NULL : tls_alert_name(a->description, room));
    json_member(j, "packet", number_or_null, a->packet);
    json_close(j);
}

static void alerts(struct json *j, const struct tls_facts *t)
{
    json_open_array(j);
    for (unsigned i = 0; i < t->n_alerts && i < TLS_ALERTS_KEPT; i++)
        alert(j, &t->alerts[i]);
    json_close(j);
}

static void client_versions(struct json *j, const struct tls_facts *t)
{
    char room[16];

    json_open_array(j);
    for (unsigned i = 0; i < t->n_client_versions && i < TLS_VERSIONS_KEPT; i++)
        json_write_string(j, tls_version_name(t->client_versions[i], room));
    json_close(j);
}

static void validity(struct json *j, const struct tls_certificate *c, int64_t seconds)
{
    if (c->unreadable)
        json_write_null(j);
    else
        json_write_date(j, seconds);
}

static void certificate(struct json *j, const struct tls_certificate *c)
{
    if (!c) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "subject", string, c->subject);
    json_member(j, "issuer", string, c->issuer);
    json_key(j, "not_before");
    validity(j, c, c->not_before_s);
    json_key(j, "not_after");
    validity(j, c, c->not_after_s);
    json_member(j, "names", strings, c->names);
    json_member(j, "self_signed", bool, c->self_signed);
    json_member(j, "unreadable", bool, c->unreadable);
    json_close(j);
}

static void tls(struct json *j, const struct tls_facts *t)
{
    char room[16];

    if (!t) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "version", string, t->version ? tls_version_name(t->version, room) : NULL);
    json_key(j, "client_versions");
    client_versions(j, t);
    json_member(j, "sni", string, t->sni);
    json_member(j, "alpn", string, t->alpn);
    json_member(j, "cipher", string, t->version ? tls_cipher_name(t->cipher, room) : NULL);
    json_member(j, "outcome", string, tls_outcome_name(t->outcome));
    json_member(j, "resumed", bool, t->resumed);
    json_member(j, "hello_retry", bool, t->hello_retry);
    json_member(j, "ja3", string, t->ja3);
    json_member(j, "ja4", string, t->ja4);
    json_key(j, "alerts");
    alerts(j, t);
    json_key(j, "certificate");
    certificate(j, t->certificate);
    json_member(j, "decrypted", bool, false);
    json_close(j);
}

/* What a connection without a recognised protocol has, in one piece: in large captures it is the common case. */
#define NOTHING "{\"protocol\":null,\"http\":[],\"tls\":null,\"greeting\":null,\"inner\":null,\"http_dropped\":0},"

void json_app(struct json *j, const struct app_facts *app)
{
    if (!app) {
        json_put(j, NOTHING, sizeof NOTHING - 1);
        return;
    }
    json_open_object(j);
    json_member(j, "protocol", string, app_protocol_name(app->protocol));
    json_key(j, "http");
    transactions(j, app->http);
    json_key(j, "tls");
    tls(j, app->tls);
    json_member(j, "greeting", string, app->greeting);
    json_member(j, "inner", string, app_protocol_name(app->inner));
    json_member(j, "http_dropped", uint, app->http_dropped);
    json_close(j);
}
