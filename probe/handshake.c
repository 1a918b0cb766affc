#include "probe/handshake.h"

#include "diagnose/finding.h"
#include "dissect/tls_internal.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <sys/socket.h>

struct handshake {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    int fd;
    char *name;
    bool heard;    /* something came from the server */
    uint8_t first; /* its first byte */
};

/* gnutls_pull_func: what came first is kept in mind, whenever it comes. */
static ssize_t pull(gnutls_transport_ptr_t user, void *bytes, size_t n)
{
    struct handshake *h = user;
    ssize_t got = recv(h->fd, bytes, n, 0);

    if (got > 0 && !h->heard) {
        h->heard = true;
        h->first = *(const uint8_t *)bytes;
    }
    return got;
}

const struct tls_shape tls_usual = { .named = true };

struct handshake *handshake_new(int fd, const char *name, const struct tls_shape *shape)
{
    struct handshake *h = g_new0(struct handshake, 1);
    const char *shown = shape->named ? name : shape->other_name;

    h->fd = fd;
    h->name = shape->named ? g_strdup(name) : NULL;
    gnutls_init(&h->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    if (!shape->priority || gnutls_priority_set_direct(h->session, shape->priority, NULL) != GNUTLS_E_SUCCESS)
        gnutls_set_default_priority(h->session);
    gnutls_certificate_allocate_credentials(&h->credentials);
    gnutls_credentials_set(h->session, GNUTLS_CRD_CERTIFICATE, h->credentials);
    if (shown)
        gnutls_server_name_set(h->session, GNUTLS_NAME_DNS, shown, strlen(shown));
    gnutls_transport_set_int(h->session, fd);
    gnutls_transport_set_ptr2(h->session, h, GINT_TO_POINTER(fd));
    gnutls_transport_set_pull_function(h->session, pull);
    return h;
}

void handshake_free(struct handshake *h)
{
    if (!h)
        return;
    gnutls_deinit(h->session);
    gnutls_certificate_free_credentials(h->credentials);
    g_free(h->name);
    g_free(h);
}

/* --- the certificate --- */

static struct finding *judge_dates(const struct tls_certificate *c)
{
    int64_t now_s = g_get_real_time() / G_USEC_PER_SEC;
    bool early = now_s < c->not_before_s;

    if (!early && now_s <= c->not_after_s)
        return NULL;
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_utc(early ? c->not_before_s : c->not_after_s);
    g_autofree char *text = date ? g_date_time_format(date, "%Y-%m-%d %H:%M:%S UTC") : g_strdup("a date out of range");
    return early ? finding_new(CODE_TLS_CERTIFICATE_NOT_YET_VALID, WHERE_SERVER,
                               "The server's certificate is valid only from %s on.", text)
                 : finding_new(CODE_TLS_CERTIFICATE_EXPIRED, WHERE_SERVER, "The server's certificate expired on %s.",
                               text);
}

static struct finding *judge_certificate(const struct handshake *h, const struct tls_certificate *c)
{
    struct finding *f = judge_dates(c);

    if (!f && h->name && !tls_certificate_matches(c, h->name)) {
        f = finding_new(CODE_TLS_NAME_MISMATCH, WHERE_SERVER, "The server's certificate does not bear the name %s.",
                        h->name);
        finding_detail_list(f, "names", (const char *const *)c->names);
    }
    if (!f && c->self_signed)
        f = finding_new(CODE_TLS_SELF_SIGNED, WHERE_SERVER, "The server's certificate is signed by its own key (%s).",
                        c->subject ? c->subject : "");
    if (f && c->subject)
        finding_detail_text(f, "subject", c->subject);
    return f;
}

static void read_certificate(const struct handshake *h, struct probe_result *out)
{
    unsigned n = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(h->session, &n);
    g_autofree char *version = g_strdup(gnutls_protocol_get_name(gnutls_protocol_get_version(h->session)));

    if (!chain || n == 0) {
        out->note = g_strdup_printf("%s, without a certificate", version);
        return;
    }
    struct tls_certificate *c = tls_certificate_read(slice_of(chain[0].data, chain[0].size));
    g_autoptr(GDateTime) end = g_date_time_new_from_unix_utc(c->not_after_s);
    g_autofree char *until = end && !c->unreadable ? g_date_time_format(end, "%Y-%m-%d") : g_strdup("?");
    out->note = g_strdup_printf("%s, certificate of %s by %s, until %s", version, c->subject ? c->subject : "?",
                                c->issuer ? c->issuer : "?", until);
    if (!c->unreadable)
        out->finding = judge_certificate(h, c);
    tls_certificate_free(c);
}

/* --- failures --- */

static struct finding *alert(const struct handshake *h)
{
    char room[16];
    const char *name = tls_alert_name((uint8_t)gnutls_alert_get(h->session), room);
    struct finding *f =
        finding_new(CODE_TLS_ALERT, WHERE_SERVER, "The server ends the TLS handshake with the fatal alert %s.", name);

    finding_detail_text(f, "alert", name);
    finding_detail_text(f, "from", "server");
    return f;
}

/* 20 to 23: a record (RFC 8446 section 5.1). */
static bool speaks_tls(const struct handshake *h)
{
    return h->first >= 20 && h->first <= 23;
}

static struct finding *failure(const struct handshake *h, int error)
{
    if (error == GNUTLS_E_FATAL_ALERT_RECEIVED)
        return alert(h);
    /* What came between the look at the first byte and the reading was the first thing that came. */
    if (h->heard ? !speaks_tls(h) : error == GNUTLS_E_UNEXPECTED_PACKET)
        return finding_new(CODE_TLS_NOT_SPOKEN, WHERE_SERVER, "The answer to the ClientHello is not TLS.");
    if (error == GNUTLS_E_PREMATURE_TERMINATION || error == GNUTLS_E_PULL_ERROR || error == GNUTLS_E_PUSH_ERROR ||
        error == GNUTLS_E_UNEXPECTED_PACKET_LENGTH)
        return finding_new(CODE_TLS_RESET, WHERE_NONE,
                           "The connection is cut during the TLS handshake, %s the server said anything.",
                           h->heard ? "after" : "before");
    struct finding *f =
        finding_new(CODE_TLS_ALERT, WHERE_CLIENT, "The TLS handshake fails here: %s.", gnutls_strerror(error));
    finding_detail_text(f, "from", "client");
    return f;
}

/* --- going on --- */

enum handshake_state handshake_step(struct handshake *h, struct probe_result *out)
{
    int status;

    do
        status = gnutls_handshake(h->session);
    while (status != GNUTLS_E_SUCCESS && status != GNUTLS_E_AGAIN && !gnutls_error_is_fatal(status));
    if (status == GNUTLS_E_AGAIN)
        return gnutls_record_get_direction(h->session) ? HANDSHAKE_WRITES : HANDSHAKE_READS;
    if (status == GNUTLS_E_SUCCESS) {
        out->outcome = OUTCOME_COMPLETE;
        read_certificate(h, out);
    } else {
        out->outcome = OUTCOME_FAILED;
        out->finding = failure(h, status);
    }
    return HANDSHAKE_OVER;
}

void handshake_late(struct handshake *h, struct probe_result *out)
{
    out->outcome = OUTCOME_FAILED;
    out->finding = finding_new(CODE_TLS_NO_SERVER_HELLO, WHERE_SERVER,
                               h->heard ? "The server began the TLS handshake and does not go on."
                                        : "The server does not answer the ClientHello.");
}
