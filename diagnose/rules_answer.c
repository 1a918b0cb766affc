#include "diagnose/rules.h"

/* Whether what the client said last was a request: nothing was ever answered, or the protocol tells. */
static bool waits_for_answer(const struct flow *f)
{
    const struct tls_facts *t = flow_tls(f);

    if (f->asked_ns == TIME_NONE || f->half[CLIENT].unacked > (f->half[CLIENT].fin ? 1 : 0) ||
        capture_missed(f, SERVER))
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

int64_t silent_for_ns(const struct flow *f, const struct judge_context *c)
{
    const struct half *client = &f->half[CLIENT], *server = &f->half[SERVER];

    if (!both_captured(f) || flow_handshake(f) != HANDSHAKE_COMPLETE || !waits_for_answer(f))
        return -1;
    int64_t until_ns = f->reset.packet ? f->reset.ts_ns
                       : server->fin   ? server->fin_ns
                       : client->fin   ? MAX(client->fin_ns, f->last_ns)
                                       : c->now_ns;
    return until_ns - f->asked_ns >= SILENT_NS ? until_ns - f->asked_ns : -1;
}

struct finding *rule_server_silent(const struct flow *f, const struct judge_context *c)
{
    int64_t waited_ns = silent_for_ns(f, c);
    char waited[32], end[END_TEXT_SIZE];

    if (waited_ns < 0)
        return NULL;
    struct finding *d = finding_new(CODE_SERVER_SILENT, WHERE_SERVER,
                                    "%s acknowledges the request and sends no byte of an answer in %s.",
                                    end_text(end, f, SERVER), duration_text(waited, waited_ns));
    d->confidence = f->app ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE; /* of what is not known: was it a request? */
    finding_add_evidence(d, f->asked_packet);
    finding_add_evidence(d, f->half[CLIENT].last_data_packet);
    finding_add_evidence(d, f->half[SERVER].last_packet);
    finding_detail_seconds(d, "waited", waited_ns);
    return d;
}

/* How long the server took over its first byte: not the time in which the request was lost and sent again, nor that in
 * which the answer's first segment was missing while later ones came, nor that of a client whose window was shut. */
static int64_t thought_ns(const struct flow *f, int64_t asked_ns, int64_t answered_ns)
{
    const struct stall *stall = &flow_losses(f, CLIENT)->longest;
    int64_t from_ns = asked_ns, to_ns = answered_ns;

    if (stall->from_packet && stall->from_ns < to_ns && (stall->to_ns == TIME_NONE || stall->to_ns > from_ns))
        return 0;
    for (guint i = 0; f->trouble && f->trouble->notes && i < f->trouble->notes->len; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        if (n->ts_ns <= asked_ns || n->ts_ns >= answered_ns)
            continue;
        if (n->kind == NOTE_RETRANSMISSION && n->side == CLIENT)
            from_ns = MAX(from_ns, n->ts_ns);
        else if (n->kind == NOTE_LOST_SEGMENT && n->side == SERVER)
            to_ns = MIN(to_ns, n->ts_ns);
    }
    return to_ns - from_ns;
}

/* The round trip between the ends. Which SYN a SYN-ACK answers is not known where one of them was sent twice (Karn: RFC
 * 6298 section 3): then data tell, or else the first SYN is the one. */
static int64_t round_trip_ns(const struct flow *f)
{
    const struct minmax *there = &f->half[SERVER].rtt, *back = &f->half[CLIENT].rtt;
    int64_t shaken_ns = flow_handshake_rtt_ns(f);

    if (shaken_ns != TIME_NONE && f->syns <= 1 && f->synacks <= 1)
        return shaken_ns;
    if (there->samples)
        return MAX(shaken_ns, there->min_ns + (back->samples ? back->min_ns : 0));
    return shaken_ns != TIME_NONE ? f->ack_ns - f->first_ns : 0;
}

/* So many bytes missing right behind the first segment that arrives are a flight, not a chance loss: 4 full segments,
 * the initial window of RFC 5681; RFC 6928's has 10. */
#define FLIGHT_BYTES (4 * 1460)

/* Nothing is repeated by a time-out before that: Linux' TCP_RTO_MIN, which is below RFC 6298's second. */
#define LEAST_TIMEOUT_NS (200 * NS_PER_MS)

/* Right behind the answer's first bytes its stream jumps over a flight: these bytes are a repetition, and the answer
 * was sent before, when nothing of it arrived. */
static bool sent_before(const struct flow *f, int64_t answered_ns)
{
    int64_t soon_ns = answered_ns + MAX(round_trip_ns(f), 20 * NS_PER_MS);

    for (guint i = 0; f->trouble && f->trouble->notes && i < f->trouble->notes->len; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        if (n->kind == NOTE_LOST_SEGMENT && n->side == SERVER && n->ts_ns >= answered_ns && n->ts_ns <= soon_ns &&
            n->missing >= FLIGHT_BYTES)
            return true;
    }
    return false;
}

bool flight_lost(const struct flow *f)
{
    for (guint i = 0; i < flow_transactions(f); i++) {
        const struct http_transaction *h = flow_transaction(f, i);
        if (h->request_end_ts_ns != TIME_NONE && h->response_ts_ns != TIME_NONE &&
            h->response_ts_ns - h->request_end_ts_ns >= LEAST_TIMEOUT_NS && sent_before(f, h->response_ts_ns))
            return true;
    }
    return false;
}

/* The slowest first byte of the flow's transactions. */
static const struct http_transaction *slowest(const struct flow *f, int64_t *ttfb_ns)
{
    const struct http_transaction *worst = NULL;

    for (guint i = 0; i < flow_transactions(f); i++) {
        const struct http_transaction *h = flow_transaction(f, i);
        if (h->request_end_ts_ns == TIME_NONE || h->response_ts_ns == TIME_NONE || h->tunnel ||
            h->response_ts_ns - h->request_end_ts_ns < NS_PER_S)
            continue;
        int64_t thought = thought_ns(f, h->request_end_ts_ns, h->response_ts_ns);
        if (thought > *ttfb_ns && !sent_before(f, h->response_ts_ns)) {
            worst = h;
            *ttfb_ns = thought;
        }
    }
    return worst;
}

static struct finding *slow_finding(int64_t took_ns, const char *what, uint64_t asked, uint64_t answered)
{
    char late[32];
    struct finding *d =
        finding_new(CODE_SLOW_SERVER, WHERE_SERVER, "The first byte of the answer to %s came after %s.", what,
                    duration_text(late, took_ns));

    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, asked);
    finding_add_evidence(d, answered);
    finding_detail_seconds(d, "ttfb", took_ns);
    return d;
}

/* How long the server took over its part of the TLS handshake; -1: that is not known. */
static int64_t hello_thought_ns(const struct flow *f)
{
    const struct tls_facts *t = flow_tls(f);

    if (!t || !t->server_hello || t->hello_retry || t->client_hello_ts_ns == TIME_NONE ||
        t->server_hello_ts_ns == TIME_NONE || sent_before(f, t->server_hello_ts_ns))
        return -1;
    return thought_ns(f, t->client_hello_ts_ns, t->server_hello_ts_ns);
}

struct finding *rule_slow_server(const struct flow *f, const struct judge_context *c)
{
    int64_t ttfb_ns = 0, hello_ns = hello_thought_ns(f), rtt_ns = round_trip_ns(f);
    const struct http_transaction *h = slowest(f, &ttfb_ns);

    (void)c;
    if (MAX(ttfb_ns, hello_ns) < NS_PER_S || MAX(ttfb_ns, hello_ns) < 5 * rtt_ns || capture_missed(f, SERVER))
        return NULL;
    if (!h || hello_ns > ttfb_ns)
        return slow_finding(hello_ns, "the ClientHello", flow_tls(f)->client_hello_packet,
                            flow_tls(f)->server_hello_packet);
    g_autofree char *request = request_text(h, false, "a request");
    return slow_finding(ttfb_ns, request, h->request_packet, h->response_packet);
}
