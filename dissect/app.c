#include "dissect/app.h"

#include "base/limits.h"
#include "dissect/app_dns.h"
#include "dissect/app_first.h"
#include "dissect/app_http.h"
#include "dissect/app_tls.h"

#include <string.h>

/* Times that a connection may change its protocol: CONNECT through two proxies, STARTTLS at the end. */
#define HANDOVERS 4

/* The first byte of a TLS record with an alert: RFC 8446 section 5.1. */
#define TLS_ALERT_RECORD 21

/* The first bytes of a direction as long as it is not known what they are. */
struct probe {
    uint8_t *held;        /* NULL where none */
    uint16_t n_held;      /* at most LIMIT_APP_PROBE */
    uint16_t seen;        /* bytes seen, up to LIMIT_APP_PROBE */
    bool rejected;        /* they are none that is known: only the start of a later piece is looked at */
    int64_t ts_ns;        /* of the first one held */
    uint64_t packet;
};

enum stage { PROBING, IN_HTTP, IN_TLS, IN_DNS, IN_FIRST, DONE };

struct app {
    enum stage stage;
    uint16_t server_port;
    uint8_t handovers;
    struct app_facts *facts; /* NULL until something is recognised */
    struct certs *certs; /* shared; NULL: none */
    union {
        void *dissector; /* any of these */
        struct app_http *http;
        struct app_tls *tls;
        struct app_dns *dns;
        struct app_first *first;
    };
    struct probe probe[2];
};

_Static_assert(sizeof(struct app) <= 200, "most flows of a scan never get further than this");
_Static_assert(LIMIT_APP_PROBE <= UINT16_MAX, "struct probe counts in 16 bits");

const char *app_protocol_name(enum app_protocol p)
{
    static const char *const names[APP_PROTOCOLS] = {
        [APP_HTTP] = "http", [APP_TLS] = "tls", [APP_DNS] = "dns", [APP_HTTP2] = "http2", [APP_WEBSOCKET] = "websocket",
        [APP_SSH] = "ssh", [APP_SMTP] = "smtp", [APP_FTP] = "ftp", [APP_IMAP] = "imap", [APP_POP3] = "pop3",
        [APP_POSTGRESQL] = "postgresql", [APP_MYSQL] = "mysql", [APP_REDIS] = "redis",
    };
    return (unsigned)p < APP_PROTOCOLS ? names[p] : NULL;
}

/* --- life --- */

struct app *app_new(uint16_t server_port)
{
    struct app *a = g_new(struct app, 1); /* g_new0 would pass by malloc's short way */
    memset(a, 0, sizeof *a);
    a->server_port = server_port;
    return a;
}

void app_share(struct app *a, struct certs *c)
{
    a->certs = c;
}

static void free_dissector(struct app *a)
{
    if (a->stage == IN_HTTP)
        app_http_free(a->http);
    else if (a->stage == IN_TLS)
        app_tls_free(a->tls);
    else if (a->stage == IN_DNS)
        app_dns_free(a->dns);
    else if (a->stage == IN_FIRST)
        app_first_free(a->first);
    a->stage = DONE;
}

static void probe_clear(struct probe *p)
{
    g_free(p->held);
    *p = (struct probe){ .held = NULL };
}

struct app_facts *app_finish(struct app *a)
{
    struct app_facts *facts = a->facts;
    free_dissector(a);
    probe_clear(&a->probe[CLIENT]);
    probe_clear(&a->probe[SERVER]);
    g_free(a);
    return facts;
}

void app_free(struct app *a)
{
    if (a)
        app_facts_free(app_finish(a));
}

void app_facts_free(struct app_facts *f)
{
    if (!f)
        return;
    http_list_free(f->http);
    if (f->tls)
        tls_facts_clear(f->tls);
    if (f->dns)
        g_array_free(f->dns, TRUE);
    g_free(f->tls);
    g_free(f->greeting);
    g_free(f);
}

const struct app_facts *app_facts(const struct app *a)
{
    static const struct app_facts nothing;
    return a->facts ? a->facts : &nothing;
}

/* --- the dissector of the moment --- */

/* Starts the dissector of a protocol. Behind a hand-over the protocol's name is that of the inner one. */
static void start(struct app *a, enum stage stage, enum app_protocol protocol)
{
    if (!a->facts) {
        a->facts = g_new(struct app_facts, 1);
        memset(a->facts, 0, sizeof *a->facts);
    }
    enum app_protocol *name = a->handovers ? &a->facts->inner : &a->facts->protocol;
    *name = protocol;
    a->stage = stage;
    if (stage == IN_HTTP) {
        a->http = app_http_new(a->facts);
    } else if (stage == IN_TLS && !a->facts->tls) {
        a->facts->tls = g_new0(struct tls_facts, 1);
        a->tls = app_tls_new(a->facts->tls);
        app_tls_share(a->tls, a->certs);
    } else if (stage == IN_DNS) {
        a->dns = app_dns_new(a->facts);
    } else if (stage == IN_FIRST) {
        a->first = app_first_new(a->facts, name, protocol, a->server_port);
    } else {
        a->stage = DONE; /* TLS in TLS is not looked into */
    }
}

/* The dissector says that the rest is another protocol, APP_UNKNOWN: one that has to be recognised. */
static void hand_over(struct app *a, enum app_protocol to)
{
    free_dissector(a);
    if (a->handovers++ >= HANDOVERS)
        return;
    if (to == APP_TLS)
        start(a, IN_TLS, to);
    else if (to == APP_UNKNOWN)
        a->stage = PROBING;
    else
        a->facts->inner = to; /* WebSocket, HTTP/2: named, not read */
}

/* Each gives the bytes to its dissector and returns what is left of them for the next protocol. */

static struct slice data_http(struct app *a, const struct app_bytes *b)
{
    enum app_protocol to;
    size_t n = app_http_data(a->http, b);
    if (!app_http_handed_over(a->http, &to))
        return slice_of(NULL, 0);
    struct app_bytes held = app_http_held(a->http);
    held.data.p = g_memdup2(held.data.p, held.data.n);
    hand_over(a, to);
    if (held.data.n > 0)
        app_data(a, &held);
    g_free((void *)held.data.p);
    return slice_of(b->data.p + n, b->data.n - n);
}

static struct slice data_first(struct app *a, const struct app_bytes *b)
{
    size_t n = app_first_data(a->first, b);
    if (!app_first_handed_over(a->first))
        return slice_of(NULL, 0);
    hand_over(a, APP_TLS);
    return slice_of(b->data.p + n, b->data.n - n);
}

/* A server that serves TLS on this port answers an HTTP request with an alert record, which is all it says. */
static void note_alert(struct app *a, const struct app_bytes *b)
{
    struct cursor c = cursor_of(b->data);
    uint32_t head = cursor_u24(&c);
    uint16_t length = cursor_u16(&c);
    uint8_t level = cursor_u8(&c), description = cursor_u8(&c);

    if (b->from != SERVER || c.failed || head >> 8 != 0x1503 || length != 2)
        return;
    a->facts->http_alert = (struct tls_alert){ .from = SERVER, .fatal = level == 2, .description = description };
    a->facts->http_alert.packet = b->packet;
    a->facts->http_alert.ts_ns = b->ts_ns;
    a->facts->remarks++;
}

static void data_tls(struct app *a, const struct app_bytes *b)
{
    unsigned remarks = a->facts->tls->remarks;

    app_tls_data(a->tls, b);
    a->facts->remarks += a->facts->tls->remarks - remarks;
    a->facts->closing_only[b->from] = app_tls_closing_only(a->tls, b->from);
}

/* --- recognition --- */

/* Tries all that is known. Returns 1 and starts the dissector, 0 where more bytes are needed, -1 where it is none. */
static int recognise(struct app *a, struct slice first, enum side from, bool final)
{
    enum app_protocol protocol;
    int http = app_http_recognise(first, from, final);
    if (http > 0) {
        start(a, IN_HTTP, APP_HTTP);
        return 1;
    }
    int tls = app_tls_recognise(first, from);
    if (tls > 0) {
        start(a, IN_TLS, APP_TLS);
        return 1;
    }
    int other = app_first_recognise(first, from, final, &protocol);
    if (other > 0) {
        start(a, protocol == APP_DNS ? IN_DNS : IN_FIRST, protocol);
        return 1;
    }
    return final ? -1 : MAX(MAX(http, tls), other);
}

/* Gives up on what a direction began with: no dissector will see it. */
static void reject(struct probe *p)
{
    p->rejected = true;
    g_free(p->held);
    p->held = NULL;
    p->n_held = 0;
}

/* Keeps a piece of at most LIMIT_APP_PROBE - n_held bytes. Pieces of a first line are few, so the buffer just grows
 * as they come. */
static void hold(struct probe *p, const struct app_bytes *b)
{
    if (p->n_held == 0) {
        p->ts_ns = b->ts_ns;
        p->packet = b->packet;
    }
    p->held = g_realloc(p->held, p->n_held + b->data.n);
    memcpy(p->held + p->n_held, b->data.p, b->data.n);
    p->n_held += (uint16_t)b->data.n;
}

/* The protocol is known: what was held of a direction goes to its dissector. */
static void replay(struct app *a, enum side from)
{
    struct probe p = a->probe[from];
    a->probe[from] = (struct probe){ .held = NULL };
    const struct slice held = slice_of(p.held, p.n_held);
    const struct app_bytes b = { .from = from, .data = held, .ts_ns = p.ts_ns, .packet = p.packet };
    if (p.n_held > 0)
        app_data(a, &b);
    g_free(p.held);
}

static void replay_both(struct app *a)
{
    bool server_first = a->probe[SERVER].n_held > 0 && a->probe[SERVER].packet < a->probe[CLIENT].packet;
    replay(a, server_first ? SERVER : CLIENT);
    replay(a, server_first ? CLIENT : SERVER);
}

/* Looks at the first bytes of a direction, the held ones and these. Returns whether the protocol is known now. */
static bool probe_start(struct app *a, const struct app_bytes *b)
{
    struct probe *p = &a->probe[b->from];
    uint16_t before = p->n_held;
    struct slice first = b->data;
    if (before > 0) {
        struct app_bytes more = *b;
        more.data.n = MIN(b->data.n, (size_t)LIMIT_APP_PROBE - before);
        hold(p, &more);
        first = slice_of(p->held, p->n_held);
    }
    int verdict = recognise(a, first, b->from, first.n >= LIMIT_APP_PROBE);
    if (verdict > 0)
        p->n_held = before; /* b itself is passed on by the caller */
    else if (verdict < 0)
        reject(p);
    else if (before == 0)
        hold(p, b);
    return verdict > 0;
}

/* Behind bytes that are unknown: an HTTP message (the capture began in the middle of the connection), or a
 * ClientHello (SOCKS, LDAP, RDP and others come to TLS by ways of their own). */
static bool probe_later(struct app *a, const struct app_bytes *b, bool early)
{
    if (app_http_recognise(b->data, b->from, false) > 0)
        start(a, IN_HTTP, APP_HTTP);
    else if (early && b->from == CLIENT && app_tls_recognise(b->data, CLIENT) > 0)
        start(a, IN_TLS, APP_TLS);
    return a->stage != PROBING;
}

/* Returns whether the protocol is known now: then b is still to be passed on. */
static bool probe(struct app *a, const struct app_bytes *b)
{
    struct probe *p = &a->probe[b->from];
    bool early = p->seen < LIMIT_APP_PROBE;
    p->seen = (uint16_t)MIN(p->seen + b->data.n, LIMIT_APP_PROBE);
    return p->rejected ? probe_later(a, b, early) : probe_start(a, b);
}

/* No more of what a direction began with will come: it is recognised as it is, or not. */
static void probe_final(struct app *a, enum side from)
{
    struct probe *p = &a->probe[from];
    if (p->n_held == 0)
        return;
    if (recognise(a, slice_of(p->held, p->n_held), from, true) > 0)
        replay_both(a);
    else
        reject(p);
}

/* --- the interface --- */

void app_expect(const struct app *a)
{
    for (size_t i = 0; a && i < sizeof *a; i += 64)
        __builtin_prefetch((const char *)a + i);
}

void app_warm(const struct app *a)
{
    const char *dissector = a->dissector, *facts = (const char *)a->facts;
    for (size_t i = 0; dissector && i < APP_HTTP_SIZE; i += 64)
        __builtin_prefetch(dissector + i);
    __builtin_prefetch(facts);
}

void app_data(struct app *a, const struct app_bytes *bytes)
{
    struct app_bytes b = *bytes;
    while (b.data.n > 0 && a->stage != DONE) {
        if (a->stage == PROBING) {
            if (!probe(a, &b))
                return;
            replay_both(a);
        } else if (a->stage == IN_HTTP) {
            if (b.data.p[0] == TLS_ALERT_RECORD)
                note_alert(a, &b);
            b.data = data_http(a, &b);
        } else if (a->stage == IN_FIRST) {
            b.data = data_first(a, &b);
        } else if (a->stage == IN_DNS) {
            app_dns_data(a->dns, &b);
            return;
        } else {
            data_tls(a, &b);
            return;
        }
    }
}

void app_gap(struct app *a, enum side from, uint64_t n, int64_t ts_ns, uint64_t packet)
{
    if (a->stage == PROBING) {
        probe_final(a, from);
        if (a->stage == PROBING) {
            reject(&a->probe[from]);
            return;
        }
    }
    if (a->stage == IN_HTTP) {
        app_http_gap(a->http, from, n, ts_ns, packet);
    } else if (a->stage == IN_FIRST) {
        app_first_gap(a->first, from);
    } else if (a->stage == IN_DNS) {
        app_dns_gap(a->dns, from);
    } else if (a->stage == IN_TLS) {
        app_tls_gap(a->tls, from, n, ts_ns, packet);
        a->facts->closing_only[from] = false;
    }
}

void app_end(struct app *a, enum side from, enum app_ending how, int64_t ts_ns)
{
    if (a->stage == PROBING)
        probe_final(a, from);
    if (a->stage == IN_HTTP)
        app_http_end(a->http, from, how, ts_ns);
    else if (a->stage == IN_FIRST)
        app_first_end(a->first, from);
    else if (a->stage == IN_TLS)
        app_tls_end(a->tls, from, how, ts_ns);
}

/* The list as it is, but for that transaction. */
static void preview_cut(struct app_preview *p, const struct http_list *l, const struct http_transaction *cut)
{
    p->http = *l;
    p->http.more = g_memdup2(l->more, l->room * sizeof(struct http_transaction *));
    p->cut = *cut;
    p->cut.truncated = true;
    if (cut == &l->first)
        p->http.first = p->cut;
    for (guint i = 1; i < l->len; i++)
        if (l->more[i - 1] == cut)
            p->http.more[i - 1] = &p->cut;
    p->facts.http = &p->http;
}

const struct app_facts *app_preview(const struct app *a, const enum app_ending how[2], struct app_preview *p)
{
    *p = (struct app_preview){ .http.more = NULL };
    if (!a || !a->facts)
        return NULL;
    p->facts = *a->facts;
    if (a->stage == IN_TLS) {
        app_tls_preview(a->tls, how, &p->tls);
        p->facts.tls = &p->tls;
    }
    const struct http_transaction *cut = a->stage == IN_HTTP ? app_http_cut(a->http, how) : NULL;
    if (cut)
        preview_cut(p, a->facts->http, cut);
    return &p->facts;
}

void app_preview_end(struct app_preview *p)
{
    g_free(p->http.more);
}

bool app_wants(const struct app *a, enum side from)
{
    switch (a->stage) {
    case PROBING:
        return a->probe[from].seen < LIMIT_APP_PROBE;
    case IN_HTTP:
        return true;
    case IN_TLS:
        return app_tls_wants(a->tls, from);
    case IN_DNS:
        return app_dns_wants(a->dns, from);
    case IN_FIRST:
        return app_first_wants(a->first, from);
    case DONE:
        break;
    }
    return false;
}
