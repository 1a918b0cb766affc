/* report_samples: reports made by hand, for the tests of the writers. */
#ifndef TCPSLEUTH_TESTS_REPORT_SAMPLES_H
#define TCPSLEUTH_TESTS_REPORT_SAMPLES_H

#include "base/timens.h"
#include "flow/classify.h"
#include "report/report.h"

#include <arpa/inet.h>
#include <string.h>

#define SAMPLE_START_NS (INT64_C(1678891617) * NS_PER_S + 366725000) /* 2023-03-15T14:46:57.366725Z */
/* What an enemy puts into a name: an escape sequence, a line break, quotes, a bidirectional override, bytes that are
 * not UTF-8. */
#define SAMPLE_HOSTILE \
    "a\033[2J\"\\\r\nb\xe2\x80\xae" \
    "c\xff\xc3\x28\x7f\xe4\xb8\xad"

static inline struct addr sample_addr(const char *text, unsigned version)
{
    uint8_t bytes[16];

    inet_pton(version == 4 ? AF_INET : AF_INET6, text, bytes);
    return version == 4 ? addr_v4(bytes) : addr_v6(bytes);
}

/* A flow as the tracker leaves it after a GET with FINs from both sides; the server closed first. */
static inline struct flow *sample_flow(uint64_t id, const char *client, uint16_t client_port, const char *server,
                                       uint16_t server_port)
{
    struct flow *f = g_new0(struct flow, 1);
    unsigned version = strchr(client, ':') ? 6 : 4;

    f->key.version = (uint8_t)version;
    f->key.low = sample_addr(client, version);
    f->key.high = sample_addr(server, version);
    f->key.low_port = client_port;
    f->key.high_port = server_port;
    f->id = id;
    f->completeness = 31;
    strcpy(f->history, "ShADdfFa");
    f->first_ns = SAMPLE_START_NS;
    f->last_ns = f->first_ns + 45118000;
    f->syns = f->synacks = 1;
    f->syn_packet = f->first_syn_packet = 1;
    f->synack_packet = 2;
    f->ack_packet = 3;
    f->syn_ns = f->first_ns;
    f->synack_ns = f->synack_last_ns = f->first_ns + 1687000;
    f->ack_ns = f->first_ns + 1733000;
    struct tcp_offer offer = { .seen = true, .sack = true, .timestamps = true, .wscale = 7, .mss = 1460 };
    for (int s = CLIENT; s <= SERVER; s++) {
        struct half *h = &f->half[s];
        h->offer = offer;
        h->packets = s == CLIENT ? 5 : 4;
        h->bytes = s == CLIENT ? 124 : 109;
        h->fin = h->fin_acked = true;
        h->fin_packet = s == CLIENT ? 22 : 6;
        minmax_add(&h->rtt, 46000);
        minmax_add(&h->rtt, 1687000);
    }
    f->half[SERVER].offer.wscale = -1;
    f->half[CLIENT].state = STATE_CLOSED;
    f->half[SERVER].state = STATE_TIME_WAIT;
    return f;
}

/* Only SYNs, no answer. */
static inline struct flow *sample_unanswered(uint64_t id, const char *client, uint16_t client_port, const char *server,
                                             uint16_t server_port)
{
    struct flow *f = sample_flow(id, client, client_port, server, server_port);

    memset(f->half, 0, sizeof f->half);
    f->half[CLIENT].packets = 3;
    f->half[CLIENT].state = STATE_SYN_SENT;
    f->half[CLIENT].offer = (struct tcp_offer){ .seen = true, .wscale = -1 };
    f->synacks = 0;
    f->syns = 3;
    f->synack_packet = f->ack_packet = 0;
    f->synack_ns = f->synack_last_ns = f->ack_ns = TIME_NONE;
    strcpy(f->history, "S");
    f->last_ns = f->first_ns + 3 * NS_PER_S;
    return f;
}

static inline struct finding *sample_finding(enum code code, const char *summary)
{
    struct finding *f = finding_new(code, WHERE_PATH, "%s", summary);

    finding_add_evidence(f, 1);
    finding_add_evidence(f, 3);
    finding_add_evidence(f, 7);
    return f;
}

static inline struct http_transaction *sample_http(const char *target, const char *location)
{
    struct http_transaction *t = g_new0(struct http_transaction, 1);

    t->method = g_strdup("GET");
    t->host = g_strdup("www.example.org");
    t->target = g_strdup(target);
    t->version = g_strdup("1.1");
    t->reason = g_strdup("Moved Temporarily");
    t->location = g_strdup(location);
    t->status = 302;
    t->request_packet = 4;
    t->response_packet = 5;
    t->request_ts_ns = t->request_end_ts_ns = SAMPLE_START_NS + 1788000;
    t->response_ts_ns = t->response_end_ts_ns = SAMPLE_START_NS + 3183000;
    t->announced_bytes = UINT64_MAX;
    t->request_complete = t->complete = true;
    return t;
}

static inline void sample_http_free(struct http_transaction *t)
{
    char *texts[] = { t->method, t->host, t->target, t->version, t->reason, t->location };

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_free(t);
}

/* NULL-terminated copy of one text. */
static inline char **sample_list(const char *text)
{
    char **list = g_new0(char *, 2);

    list[0] = g_strdup(text);
    return list;
}

static inline struct app_facts *sample_app(const char *name)
{
    struct app_facts *app = g_new0(struct app_facts, 1);
    struct tls_facts *tls = g_new0(struct tls_facts, 1);
    struct tls_certificate *c = g_new0(struct tls_certificate, 1);

    c->subject = g_strdup(name);
    c->issuer = g_strdup("CN=Example CA");
    c->not_before_s = -1;
    c->not_after_s = INT64_C(253402300799); /* 9999-12-31T23:59:59Z, "never" of RFC 5280 section 4.1.2.5 */
    c->names = sample_list(name);
    tls->outcome = TLS_ALERT;
    tls->version = 0x0303;
    tls->client_versions[0] = 0x0304;
    tls->client_versions[1] = 0x0303;
    tls->n_client_versions = 2;
    tls->cipher = 0xc030;
    tls->sni = g_strdup(name);
    tls->certificate = c;
    tls->alerts[0] = (struct tls_alert){ .from = SERVER, .fatal = true, .description = 40, .packet = 9 };
    tls->alerts[1] = (struct tls_alert){ .from = CLIENT, .encrypted = true, .packet = 10 };
    tls->n_alerts = 2;
    app->protocol = APP_TLS;
    app->greeting = g_strdup(name);
    app->tls = tls;
    app->http = g_ptr_array_new_with_free_func((GDestroyNotify)sample_http_free);
    g_ptr_array_add(app->http, sample_http("/", name));
    g_ptr_array_add(app->http, sample_http(name, NULL));
    return app;
}

static inline void sample_step(struct conversation *c, enum step_kind kind, uint64_t flow, enum status status,
                               int64_t at_ns, const char *text)
{
    struct step s = { kind, flow, 1, SAMPLE_START_NS + at_ns, 1687000, status, g_strdup(text) };

    g_array_append_val(c->steps, s);
}

static inline struct conversation *sample_conversation(uint64_t id, uint64_t flow)
{
    struct conversation *c = g_new0(struct conversation, 1);

    c->id = id;
    c->version = 4;
    c->client = sample_addr("10.0.3.15", 4);
    c->first_ns = SAMPLE_START_NS;
    c->last_ns = SAMPLE_START_NS + NS_PER_S;
    c->steps = g_array_new(FALSE, TRUE, sizeof(struct step));
    c->flows = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    if (flow)
        g_array_append_val(c->flows, flow);
    return c;
}

static inline struct lookup *sample_lookup(const char *name)
{
    struct lookup *l = g_new0(struct lookup, 1);

    l->name = g_strdup(name);
    l->type = g_strdup("A");
    l->client = sample_addr("10.0.3.15", 4);
    l->server = sample_addr("10.0.3.3", 4);
    l->version = 4;
    l->query_packet = 1;
    l->response_packet = 2;
    l->query_ns = SAMPLE_START_NS;
    l->response_ns = SAMPLE_START_NS + 16000000;
    l->rcode = g_strdup("NOERROR");
    l->answers = sample_list("192.0.2.80");
    return l;
}

static inline void sample_add(struct report *r, struct flow *f, struct finding *verdict)
{
    struct judged_flow judged = { f, { verdict, NULL } };

    g_array_append_val(r->flows, judged);
    r->flows_by_code[verdict ? verdict->code : CODE_OK]++;
}

/* An empty report of a capture with 44 packets. */
static inline void sample_report(struct report *r)
{
    memset(r, 0, sizeof *r);
    r->capture.source = g_strdup("x.pcap");
    r->capture.linktypes = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(r->capture.linktypes, g_strdup("EN10MB"));
    r->capture.packets = 44;
    r->capture.tcp_packets = 41;
    r->capture.undecoded = 3;
    r->capture.undecoded_by[UNDECODED_IP_SHORT] = 2;
    r->capture.undecoded_by[UNDECODED_ENCRYPTED] = 1;
    r->capture.first_ns = SAMPLE_START_NS;
    r->capture.last_ns = SAMPLE_START_NS + 55445000;
    r->flows = g_array_new(FALSE, TRUE, sizeof(struct judged_flow));
    r->conversations = g_ptr_array_new_with_free_func((GDestroyNotify)conversation_free);
    r->lookups = g_ptr_array_new();
}

static inline void sample_lookup_free(struct lookup *l)
{
    g_free(l->name);
    g_free(l->type);
    g_free(l->rcode);
    g_strfreev(l->answers);
    g_free(l);
}

static inline void sample_report_clear(struct report *r)
{
    for (guint i = 0; i < r->flows->len; i++) {
        struct judged_flow *f = &g_array_index(r->flows, struct judged_flow, i);
        judgement_clear(&f->judgement);
        flow_free(f->flow);
    }
    for (guint i = 0; i < r->lookups->len; i++)
        sample_lookup_free(g_ptr_array_index(r->lookups, i));
    g_array_free(r->flows, TRUE);
    g_ptr_array_free(r->lookups, TRUE);
    g_ptr_array_free(r->conversations, TRUE);
    g_ptr_array_free(r->capture.linktypes, TRUE);
    g_free(r->capture.source);
    finding_free(r->verdict);
}

/* A packet for a ladder. */
static inline void sample_log(struct flow *f, enum side side, unsigned flags, uint32_t seq, uint32_t len,
                              unsigned client, unsigned server)
{
    if (!f->log)
        f->log = g_array_new(FALSE, TRUE, sizeof(struct log_entry));
    struct log_entry e = { .packet = f->log->len + 1,
                           .ts_ns = f->first_ns + f->log->len * 400 * NS_PER_MS,
                           .seq = seq,
                           .ack = 1,
                           .len = len,
                           .flags = (uint16_t)flags,
                           .side = (uint8_t)side,
                           .window = 64240,
                           .state = { (uint8_t)client, (uint8_t)server } };
    g_array_append_val(f->log, e);
}

#endif
