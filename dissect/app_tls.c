/* What the records of both sides add up to: how far the handshake came and how it ended.
 *
 * Up to TLS 1.2 both sides show ChangeCipherSpec and behind it one encrypted handshake record, the Finished. TLS
 * 1.3 hides all but the hellos in application data records; there, the client's first such record behind the
 * server's flight is its answer: the Finished (perhaps behind a certificate), or, by its size, an alert. */
#include "base/timens.h"
#include "dissect/certs.h"
#include "dissect/tls_internal.h"

#include <string.h>

struct app_tls *app_tls_new(struct tls_facts *facts)
{
    struct app_tls *t = g_new0(struct app_tls, 1);
    t->facts = facts;
    facts->client_hello_ts_ns = facts->server_hello_ts_ns = facts->finished_ts_ns = TIME_NONE;
    return t;
}

void app_tls_share(struct app_tls *t, struct certs *c)
{
    t->certs = c;
}

void app_tls_free(struct app_tls *t)
{
    if (!t)
        return;
    g_free(t->half[CLIENT].message);
    g_free(t->half[SERVER].message);
    g_free(t);
}

void tls_facts_clear(struct tls_facts *f)
{
    g_clear_pointer(&f->sni, g_free);
    g_clear_pointer(&f->alpn, g_free);
    g_clear_pointer(&f->ja3, g_free);
    g_clear_pointer(&f->ja4, g_free);
    g_clear_pointer(&f->certificate, tls_certificate_free);
}

/* The drafts of TLS 1.3 had numbers of their own; so had one large deployment of them. */
bool tls_is_13(uint16_t version)
{
    return version == 0x0304 || version >> 8 == 0x7f || version >> 8 == 0xfb;
}

static enum side tls_server(const struct app_tls *t)
{
    return other_side(t->client);
}

/* Neither complete nor failed for good: what comes later may still decide. */
static bool undecided(const struct tls_facts *f)
{
    return f->outcome != TLS_COMPLETE && f->outcome != TLS_ALERT && f->outcome != TLS_NOT_TLS;
}

/* The proof may reach us late, from behind a hole: an encrypted alert that was sent after it was no refusal. */
static void complete(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_facts *f = t->facts;
    bool before_alert = f->outcome == TLS_ALERT && b->packet < t->hidden_alert_packet;
    if (!undecided(f) && !before_alert)
        return;
    f->outcome = TLS_COMPLETE;
    f->finished_packet = b->packet;
    f->finished_ts_ns = b->ts_ns;
}

/* --- sizes, where TLS 1.3 hides everything else --- */

/* The longest Finished record up to TLS 1.2: 16 bytes of message, an IV, a MAC and padding; a hello never is so
 * short. */
#define FINISHED_MAX 96

/* What the cipher adds to a record: its tag, or, for RFC 9150, its hash. */
static unsigned tag_size(uint16_t cipher)
{
    switch (cipher) {
    case 0x1305: return 8;
    case 0xc0b4: return 32;
    case 0xc0b5: return 48;
    default: return 16;
    }
}

/* Level, description, content type, tag. Where no ServerHello was seen the usual ciphers are taken for granted. */
static bool is_alert_size(const struct app_tls *t, const struct tls_half *h)
{
    return h->body_len == 2 + 1 + tag_size(t->facts->cipher);
}

/* A Finished alone: header, the hash of the cipher suite, content type, tag. */
static bool is_finished_size(const struct app_tls *t, const struct tls_half *h)
{
    uint16_t cipher = t->facts->cipher;
    unsigned hash = cipher == 0x1302 || cipher == 0xc0b5 ? 48 : cipher == 0x1306 ? 64 : 32;
    return h->body_len == TLS_MESSAGE_HEADER + hash + 1 + tag_size(cipher);
}

/* --- alerts --- */

/* A fatal one goes over the last of a full list: a flood of warnings must not hide it. */
static void alert_add(struct app_tls *t, const struct app_bytes *b, const struct tls_alert *alert)
{
    struct tls_facts *f = t->facts;
    bool ends = alert->fatal || alert->encrypted;
    if (f->n_alerts < TLS_ALERTS_KEPT)
        f->alerts[f->n_alerts++] = *alert;
    else if (alert->fatal && !f->alerts[TLS_ALERTS_KEPT - 1].fatal)
        f->alerts[TLS_ALERTS_KEPT - 1] = *alert;
    /* What is encrypted is bad news only where all of the handshake was seen. */
    bool seen = f->client_hello && f->server_hello && !t->half[CLIENT].gapped && !t->half[SERVER].gapped;
    bool in_place = !alert->encrypted || seen;
    if (ends && in_place && undecided(f)) {
        f->outcome = TLS_ALERT;
        f->remarks++;
        t->hidden_alert_packet = alert->encrypted ? alert->packet : 0;
    }
    t->half[b->from].alert_noted = true;
}

void tls_clear_alert(struct app_tls *t, const struct app_bytes *b, uint8_t level, uint8_t description)
{
    /* TLS 1.3 ignores the level: all but two are fatal (RFC 8446 section 6). */
    bool fatal = level == 2 || (tls_is_13(t->facts->version) && description != 0 && description != 90);
    struct tls_alert alert = {
        .from = b->from, .fatal = fatal, .description = description, .packet = b->packet, .ts_ns = b->ts_ns
    };
    t->half[b->from].last_alert = description;
    alert_add(t, b, &alert);
}

static void encrypted_alert(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_alert alert = { .from = b->from, .encrypted = true, .packet = b->packet, .ts_ns = b->ts_ns };
    alert_add(t, b, &alert);
}

/* --- application data records --- */

static void application_12(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_facts *f = t->facts;
    t->half[b->from].application = true;
    if (b->from == tls_server(t))
        f->application_data = true;
    else
        f->client_data = true;
    /* Where a gap hid the end of the handshake this proves it. */
    if ((f->server_hello || f->client_hello) && t->half[CLIENT].application && t->half[SERVER].application)
        complete(t, b);
}

/* The client's protected records behind the server's flight, once the handshake is complete. */
static void client_13_later(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    if (h->finishing && is_finished_size(t, h)) {
        h->finishing = false;
        t->facts->finished_packet = b->packet;
        t->facts->finished_ts_ns = b->ts_ns;
    } else if (!h->finishing && !is_alert_size(t, h)) {
        h->application = true;
        t->facts->client_data = true;
    }
}

/* The same before that. */
static void client_13(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    bool hello = t->facts->server_hello && !h->gapped;
    if (t->early_data && !is_finished_size(t, h)) {
        h->answered = true; /* perhaps early data still; the server's next record tells */
    } else if (!is_alert_size(t, h)) {
        h->answered = true;
        h->certified = h->finishing = hello && !is_finished_size(t, h);
        complete(t, b);
    } else if (hello && !h->answered) {
        encrypted_alert(t, b);
    }
}

static void server_13(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from], *client = &t->half[t->client];
    if (undecided(t->facts)) {
        h->flight = true;
        if (client->answered)
            complete(t, b);
        return;
    }
    if (h->after < 2)
        h->after++;
    if (is_alert_size(t, h))
        return;
    client->finishing = false;
    if (client->application)
        t->facts->application_data = true;
}

/* Whether the rules for TLS 1.2 and older hold. Where the ServerHello was not seen those for 1.3 ask more and are
 * safe, unless one side showed a Finished as only older versions do. */
static bool is_older(const struct app_tls *t)
{
    const struct tls_facts *f = t->facts;
    if (f->version != 0)
        return !tls_is_13(f->version);
    return !f->client_hello || t->half[CLIENT].finished || t->half[SERVER].finished;
}

void tls_application_begin(struct app_tls *t, const struct app_bytes *b)
{
    t->half[b->from].hidden = true;
    if (is_older(t))
        application_12(t, b);
    else if (b->from == tls_server(t))
        server_13(t, b);
    else if (!undecided(t->facts))
        client_13_later(t, b);
    else if (t->half[tls_server(t)].flight || (t->half[tls_server(t)].gapped && !t->early_data))
        client_13(t, b); /* where the flight is in a gap: without 0-RTT a client has nothing to send before it */
}

/* --- the other records --- */

static void change_cipher(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_facts *f = t->facts;
    struct tls_half *h = &t->half[b->from];
    h->change_cipher = true;
    if (b->from == tls_server(t) && f->server_hello && undecided(f) && !tls_is_13(f->version) && !h->gapped)
        f->resumed = !t->hello_done;
}

/* The first encrypted handshake record behind ChangeCipherSpec is the Finished (TLS 1.2 and older). Where the
 * ServerHello was not seen it may be a hello of TLS 1.3 behind a retry, which is longer. */
static void encrypted_handshake(struct app_tls *t, const struct app_bytes *b)
{
    const struct tls_facts *f = t->facts;
    struct tls_half *h = &t->half[b->from];
    h->finished = h->finished || f->version != 0 || h->body_len <= FINISHED_MAX;
    if ((f->server_hello || f->client_hello) && t->half[CLIENT].finished && t->half[SERVER].finished)
        complete(t, b);
}

void tls_record_done(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    if (h->type == TLS_CHANGE_CIPHER_SPEC)
        change_cipher(t, b);
    else if (h->type == TLS_HANDSHAKE && !h->body_clear)
        encrypted_handshake(t, b);
    else if (h->type == TLS_ALERT_RECORD && !h->body_clear)
        encrypted_alert(t, b);
}

/* --- handshake messages --- */

bool tls_message_begin(struct app_tls *t, enum side from, uint8_t type, uint32_t length)
{
    struct tls_facts *f = t->facts;
    bool by_server = from == tls_server(t), wanted = false;
    switch (type) {
    case TLS_CLIENT_HELLO: wanted = !f->client_hello && !(f->server_hello && by_server); break;
    case TLS_SERVER_HELLO: wanted = !f->server_hello && !(f->client_hello && !by_server); break;
    case TLS_HELLO_RETRY_DRAFT: f->hello_retry = true; break;
    case TLS_CERTIFICATE: wanted = by_server && !f->certificate; break;
    case TLS_CERTIFICATE_REQUEST: f->certificate_requested = f->certificate_requested || by_server; break;
    }
    if (by_server && (type == TLS_CERTIFICATE || type == TLS_SERVER_KEY_EXCHANGE || type == TLS_SERVER_HELLO_DONE)) {
        t->hello_done = true;
        f->resumed = false; /* an echoed session id promised what a full handshake takes back */
    }
    return wanted && length <= LIMIT_TLS_HANDSHAKE;
}

/* What a client may object to in the certificate. */
static bool faulty(const struct tls_facts *f, int64_t now_ns)
{
    const struct tls_certificate *c = f->certificate;
    int64_t now_s = now_ns / NS_PER_S;
    return c->self_signed || !f->certificate_matches || now_s < c->not_before_s || now_s >= c->not_after_s;
}

/* The leaf is the first of the list (RFC 5246 section 7.4.2). */
static void certificate_read(struct app_tls *t, const struct app_bytes *b, struct slice body)
{
    struct tls_facts *f = t->facts;
    struct cursor c = cursor_of(body);
    struct cursor list = cursor_block(&c, cursor_u24(&c));
    struct slice leaf = cursor_take(&list, cursor_u24(&list));
    if (leaf.n == 0)
        return; /* none was sent */
    f->certificate = certs_read(t->certs, leaf);
    f->certificate_matches = !f->sni || tls_certificate_matches(f->certificate, f->sni);
    f->certificate_packet = b->packet;
    f->remarks += faulty(f, b->ts_ns);
}

/* The server of a client that said SSL 2.0 answers in the old form, or in the new. */
static void ssl2_message(struct app_tls *t, const struct app_bytes *b, struct slice message)
{
    if (message.n > 0 && message.p[0] == TLS_CLIENT_HELLO)
        tls_ssl2_client_hello_read(t, b, message);
    else if (message.n > 0 && message.p[0] == 4)
        tls_ssl2_server_hello_read(t, b, message);
    else
        t->half[b->from].lost = true;
}

void tls_message(struct app_tls *t, const struct app_bytes *b, uint8_t type, struct slice body, bool whole)
{
    switch (type) {
    case TLS_CLIENT_HELLO: tls_client_hello_read(t, b, body, whole); break;
    case TLS_SERVER_HELLO: tls_server_hello_read(t, b, body, whole); break;
    case TLS_CERTIFICATE:
        if (whole)
            certificate_read(t, b, body);
        break;
    case TLS_SSL2:
        if (whole)
            ssl2_message(t, b, body);
        break;
    }
}

/* --- not TLS --- */

static void not_tls(struct app_tls *t, uint64_t packet)
{
    if (!undecided(t->facts))
        return;
    t->facts->outcome = TLS_NOT_TLS;
    t->facts->not_tls_packet = packet;
    t->facts->remarks++;
}

void tls_not_a_record(struct app_tls *t, const struct app_bytes *b)
{
    struct tls_half *h = &t->half[b->from];
    h->lost = true;
    if (h->records > 0 || h->gapped)
        return;
    h->plain_packet = b->packet;
}

/* --- the interface --- */

/* A ClientHello on one side and no record on the other, whichever came first. */
static void judge_plain(struct app_tls *t)
{
    uint64_t packet = t->half[tls_server(t)].plain_packet;
    if (t->facts->client_hello && packet)
        not_tls(t, packet);
}

/* SSL 2.0 encrypts all behind the hellos and the client's key: bytes of both sides are all that can be seen of it. */
static void ssl2_data(struct app_tls *t, const struct app_bytes *b)
{
    t->half[b->from].application = true;
    if (b->from == tls_server(t) && t->half[t->client].application)
        complete(t, b);
}

void app_tls_data(struct app_tls *t, const struct app_bytes *b)
{
    if (b->data.n == 0)
        return;
    t->half[b->from].last_packet = b->packet;
    t->half[b->from].last_ts_ns = b->ts_ns;
    if (t->ssl2)
        ssl2_data(t, b);
    else
        tls_records(t, b);
    if (t->half[CLIENT].plain_packet || t->half[SERVER].plain_packet)
        judge_plain(t);
}

void app_tls_gap(struct app_tls *t, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet)
{
    struct app_bytes where = { .from = from, .ts_ns = ts_ns, .packet = packet };
    if (n > 0 && !t->half[from].lost && !t->ssl2)
        tls_records_gap(t, &where, n);
}

bool app_tls_wants(const struct app_tls *t, enum side from)
{
    if (t->facts->outcome == TLS_NOT_TLS)
        return false;
    return t->ssl2 ? undecided(t->facts) : !t->half[from].lost;
}

bool app_tls_closing_only(const struct app_tls *t, enum side from)
{
    const struct tls_half *h = &t->half[from];
    if (h->lost || h->resync || h->in_body || h->n_head > 0 || h->records == 0 || t->ssl2)
        return false;
    if (h->type == TLS_ALERT_RECORD)
        return !h->body_clear || h->last_alert == 0;
    bool may_be_13 = t->facts->version == 0 || tls_is_13(t->facts->version);
    return h->type == TLS_APPLICATION && may_be_13 && h->records > 1 && is_alert_size(t, h);
}

/* --- the end --- */

/* Whether nothing at all came from the server, and the client did nothing that it would only do after an answer. */
static bool server_silent(const struct app_tls *t)
{
    const struct tls_half *server = &t->half[tls_server(t)], *client = &t->half[t->client];
    bool went_on = client->finished || ((client->change_cipher || client->hidden) && !t->early_data);
    return server->last_packet == 0 && !server->gapped && !went_on;
}

static enum tls_outcome judge_end(const struct app_tls *t)
{
    const struct tls_half *c = &t->half[CLIENT], *s = &t->half[SERVER];
    if (!t->facts->client_hello || c->gapped || s->gapped)
        return TLS_INCOMPLETE;
    if ((c->ended && c->how == APP_END_RST) || (s->ended && s->how == APP_END_RST))
        return TLS_RESET;
    bool heard = t->half[tls_server(t)].last_packet != 0, client_first = t->first_fin == t->client;
    if (server_silent(t) && (!t->any_fin || client_first))
        return TLS_NO_SERVER_HELLO; /* behind its FIN: the client gave up */
    return t->any_fin && (heard || !client_first) ? TLS_CLOSED : TLS_INCOMPLETE;
}

/* TLS 1.3: an alert is only a record of its size, and that says something where nothing follows it. */
static void last_record_13(struct app_tls *t, enum side from, bool reset)
{
    struct tls_half *h = &t->half[from];
    struct tls_facts *f = t->facts;
    if (!reset && h->how == APP_END_CAPTURE)
        return; /* more may have followed */
    if (h->type != TLS_APPLICATION || h->alert_noted || !tls_is_13(f->version) || !app_tls_closing_only(t, from))
        return;
    struct app_bytes where = { .from = from, .ts_ns = h->last_ts_ns, .packet = h->last_packet };
    encrypted_alert(t, &where);
    /* The client sent a certificate (or that it has none), and all that the server ever said to it was this. */
    bool refused = from == tls_server(t) && t->half[t->client].certified && h->after == 1;
    if (f->outcome == TLS_COMPLETE && refused && !app_tls_closing_only(t, t->client))
        f->outcome = TLS_ALERT;
}

void app_tls_end(struct app_tls *t, enum side from, enum app_ending how, int64_t ts_ns)
{
    struct tls_half *h = &t->half[from], *other = &t->half[other_side(from)];
    (void)ts_ns;
    if (h->ended && (how != APP_END_RST || h->how == APP_END_RST))
        return; /* only a RST says more than a FIN */
    tls_message_abandon(t, from);
    h->ended = true;
    h->how = how;
    if (how == APP_END_FIN && !t->any_fin) {
        t->any_fin = true;
        t->first_fin = from;
    }
    if (how == APP_END_RST || other->ended) {
        enum side first = t->half[CLIENT].last_packet <= t->half[SERVER].last_packet ? CLIENT : SERVER;
        last_record_13(t, first, how == APP_END_RST);
        last_record_13(t, other_side(first), how == APP_END_RST);
    }
    if (undecided(t->facts))
        t->facts->outcome = judge_end(t);
}

void app_tls_preview(const struct app_tls *t, const enum app_ending how[2], struct tls_facts *out)
{
    struct app_tls copy = *t;

    *out = *t->facts;
    copy.facts = out;
    for (int s = CLIENT; s <= SERVER; s++) { /* a message that is not whole yet is left to t */
        copy.half[s].message = NULL;
        copy.half[s].message_have = copy.half[s].message_room = 0;
        copy.half[s].collecting = false;
    }
    app_tls_end(&copy, CLIENT, how[CLIENT], TIME_NONE);
    app_tls_end(&copy, SERVER, how[SERVER], TIME_NONE);
}
