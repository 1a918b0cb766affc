/* report_samples: things made by hand and handed to the writers, for their tests. */
#ifndef TCPSLEUTH_TESTS_REPORT_SAMPLES_H
#define TCPSLEUTH_TESTS_REPORT_SAMPLES_H

#include "base/timens.h"
#include "flow/classify.h"
#include "report/report.h"

#include <arpa/inet.h>
#include <stdlib.h>
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

static inline void sample_text(struct http_transaction *t, char **field, const char *text)
{
    if (text)
        http_transaction_text(t, field, text, strlen(text));
}

static inline void sample_http(struct http_list *l, const char *target, const char *location)
{
    struct http_transaction *t = http_list_add(l);

    sample_text(t, &t->method, "GET");
    sample_text(t, &t->host, "www.example.org");
    sample_text(t, &t->target, target);
    sample_text(t, &t->version, "1.1");
    sample_text(t, &t->reason, "Moved Temporarily");
    sample_text(t, &t->location, location);
    t->status = 302;
    t->request_packet = 4;
    t->response_packet = 5;
    t->request_ts_ns = t->request_end_ts_ns = SAMPLE_START_NS + 1788000;
    t->response_ts_ns = t->response_end_ts_ns = SAMPLE_START_NS + 3183000;
    t->request_complete = t->complete = true;
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
    app->http = http_list_new();
    sample_http(app->http, "/", name);
    sample_http(app->http, name, NULL);
    return app;
}

static inline void sample_step(struct conversation *c, enum step_kind kind, uint64_t flow, enum status status,
                               int64_t at_ns, const char *text)
{
    struct step s = { kind, flow, c->packet, SAMPLE_START_NS + at_ns, 1687000, status, g_strdup(text) };

    g_array_append_val(c->steps, s);
}

static inline struct conversation *sample_conversation(uint64_t id, uint64_t flow)
{
    struct conversation *c = g_new0(struct conversation, 1);

    c->id = id;
    c->packet = id;
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

/* What a pipeline hands to a writer: all of it once, then the totals. */
struct sample {
    struct report totals;
    GArray *flows;            /* struct judged_flow */
    GPtrArray *conversations; /* struct conversation* */
    GPtrArray *lookups;       /* struct lookup* */
    bool backwards;           /* hand each list over from its end */
};

/* Of a capture with 44 packets. */
static inline void sample_start(struct sample *s)
{
    struct capture_summary *c = &s->totals.capture;

    memset(s, 0, sizeof *s);
    c->source = g_strdup("x.pcap");
    c->linktypes = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(c->linktypes, g_strdup("EN10MB"));
    c->packets = 44;
    c->tcp_packets = 41;
    c->undecoded = 3;
    c->undecoded_by[UNDECODED_IP_SHORT] = 2;
    c->undecoded_by[UNDECODED_ENCRYPTED] = 1;
    c->first_ns = SAMPLE_START_NS;
    c->last_ns = SAMPLE_START_NS + 55445000;
    s->flows = g_array_new(FALSE, TRUE, sizeof(struct judged_flow));
    s->conversations = g_ptr_array_new();
    s->lookups = g_ptr_array_new();
}

static inline void sample_add(struct sample *s, struct flow *f, struct finding *verdict)
{
    struct judged_flow judged = { f, { verdict, NULL } };

    g_array_append_val(s->flows, judged);
    s->totals.flows_by_status[verdict ? verdict->status : STATUS_OK]++;
    s->totals.flows_by_code[verdict ? verdict->code : CODE_OK]++;
}

static inline void sample_converse(struct sample *s, struct conversation *c)
{
    g_ptr_array_add(s->conversations, c);
    s->totals.conversations_by_status[conversation_verdict(c)->status]++;
}

static inline guint sample_at(const struct sample *s, guint i, guint n)
{
    return s->backwards ? n - 1 - i : i;
}

/* A conversation comes before its last flow, as the pipeline has it. */
static inline void sample_hand_over(struct sample *s, struct report_writer *w)
{
    guint n_flows = s->flows->len, n_conversations = s->conversations->len, n_lookups = s->lookups->len;

    for (guint i = 0; i < n_conversations; i++)
        w->format->conversation(w, g_ptr_array_index(s->conversations, sample_at(s, i, n_conversations)));
    for (guint i = 0; i < n_flows; i++)
        w->format->flow(w, &g_array_index(s->flows, struct judged_flow, sample_at(s, i, n_flows)));
    for (guint i = 0; i < n_lookups; i++)
        w->format->lookup(w, g_ptr_array_index(s->lookups, sample_at(s, i, n_lookups)));
}

static inline void sample_clear(struct sample *s)
{
    g_array_free(s->flows, TRUE);
    g_ptr_array_free(s->conversations, TRUE);
    g_ptr_array_free(s->lookups, TRUE);
    g_ptr_array_free(s->totals.capture.linktypes, TRUE);
    g_free(s->totals.capture.source);
    finding_free(s->totals.verdict);
}

/* What the format makes of the sample, which is used up. Free with free. */
static inline char *sample_write(struct sample *s, const char *format, const struct report_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct report_writer *w = report_format_find(format)->open(out, &s->totals, options);

    sample_hand_over(s, w);
    if (w->format->end(w) != 0)
        g_error("%s: the report is not complete", format);
    w->format->free(w);
    if (fclose(out) != 0 || strlen(text) != size)
        g_error("%s: a NUL in it", format);
    sample_clear(s);
    return text;
}

/* Every text from outside is hostile. */
static inline void sample_hostile(struct sample *s)
{
    sample_start(s);
    g_free(s->totals.capture.source);
    s->totals.capture.source = g_strdup(SAMPLE_HOSTILE);
    struct flow *f =
        sample_flow(1, "2001:db8:85a3:1111:2222:8a2e:370:7334", 65535, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535);
    f->app = sample_app(SAMPLE_HOSTILE);
    sample_add(s, f, sample_finding(CODE_TLS_ALERT, SAMPLE_HOSTILE));
    sample_add(s, sample_flow(2, "2001:db8::1", 1, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535), NULL);
    struct conversation *c = sample_conversation(1, 1);
    sample_step(c, STEP_HTTP, 1, STATUS_BROKEN, 0, SAMPLE_HOSTILE);
    c->verdict = sample_finding(CODE_REDIRECT_BROKEN, SAMPLE_HOSTILE);
    c->redirects = g_array_new(FALSE, TRUE, sizeof(struct redirect));
    struct redirect redirect = { 302, g_strdup(SAMPLE_HOSTILE), g_strdup(SAMPLE_HOSTILE), 0 };
    g_array_append_val(c->redirects, redirect);
    sample_converse(s, c);
    g_ptr_array_add(s->lookups, sample_lookup(SAMPLE_HOSTILE));
    s->totals.verdict = sample_finding(CODE_REDIRECT_BROKEN, SAMPLE_HOSTILE);
}

/* A packet for a ladder. */
static inline void sample_log(struct flow *f, enum side side, unsigned flags, uint32_t seq, uint32_t len,
                              unsigned client, unsigned server)
{
    if (!f->log)
        f->log = g_array_new(FALSE, TRUE, sizeof(struct log_entry));
    struct log_entry e = { .packet = f->log->len + 1,
                           .nth = f->log->len,
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
