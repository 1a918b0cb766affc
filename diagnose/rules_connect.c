#include "diagnose/rules.h"

struct finding *rule_unreachable(const struct flow *f, const struct judge_context *c)
{
    (void)c;
    if (flow_handshake(f) != HANDSHAKE_UNREACHABLE)
        return NULL;
    const struct icmp_note *n = icmp_since(f, CLIENT, TIME_NONE);
    if (!n)
        return NULL;
    struct finding *d = icmp_finding(f, n);
    finding_add_evidence(d, f->first_syn_packet);
    finding_add_evidence(d, f->syn_packet);
    return d;
}

struct finding *rule_syn_unanswered(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE], waited[32];
    enum handshake_outcome o = flow_handshake(f);

    if (o != HANDSHAKE_NO_ANSWER && !(o == HANDSHAKE_UNREACHABLE && !icmp_since(f, CLIENT, TIME_NONE)))
        return NULL;
    if (f->half[SERVER].packets || (f->reset.packet && f->syns < 2))
        return NULL; /* a SYN and its own RST: a scanner that lost interest */
    if (f->syns < 2 && c->now_ns - f->syn_ns < SILENCE_NS)
        return NULL;

    int64_t silence_ns = MAX(c->now_ns - f->first_ns, 0);
    struct finding *d;
    if (f->syns > 1)
        d = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                        "%u SYNs to %s within %s got no answer: neither SYN-ACK nor RST nor ICMP.", f->syns,
                        end_text(server, f, SERVER), duration_text(waited, f->last_ns - f->first_ns));
    else
        d = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                        "One SYN to %s got no answer in the %s that the capture goes on.", end_text(server, f, SERVER),
                        duration_text(waited, silence_ns));
    d->confidence = f->syns > 1 ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_add_evidence(d, f->first_syn_packet);
    add_notes(d, f, NOTE_SYN, CLIENT, FINDING_EVIDENCE - 2);
    finding_add_evidence(d, f->syn_packet);
    finding_detail_number(d, "syns", f->syns);
    return d;
}

/* The RST does not come from where the server's SYN-ACKs of other connections come from. */
static bool refused_from_elsewhere(const struct reset_facts *r)
{
    return r->host_ttl[0] && !same_distance(r->ttl, r->host_ttl[0]) && !same_distance(r->ttl, r->host_ttl[1]);
}

/* Nothing else of the server is in the capture, or what is comes from a few hops more or less, which another route may
 * explain as well: a filter on the way that refuses in its name would look the same. */
static bool refused_by_whom(const struct reset_facts *r)
{
    return !r->host_ttl[0] ||
           (r->ttl != r->host_ttl[0] && r->ttl != r->host_ttl[1] && ttl_hops(r->ttl) != ttl_hops(r->host_ttl[0]));
}

static struct finding *middlebox_finding(const struct flow *f)
{
    const struct reset_facts *r = &f->reset;
    char server[END_TEXT_SIZE], waited[32], usual[32];
    struct finding *d =
        finding_new(CODE_SYN_REFUSED_BY_MIDDLEBOX, WHERE_PATH, "The RST that refuses %s arrives with TTL %u after %s",
                    end_text(server, f, SERVER), r->ttl, duration_text(waited, r->ts_ns - f->syn_ns));
    g_autofree char *begin = d->summary;

    if (r->host_rtt_ns == TIME_NONE)
        d->summary = g_strdup_printf("%s; the server's own answers arrive with TTL %u.", begin, r->host_ttl[0]);
    else
        d->summary = g_strdup_printf("%s; the server's own answers arrive with TTL %u after %s.", begin, r->host_ttl[0],
                                     duration_text(usual, r->host_rtt_ns));
    finding_detail_number(d, "ttl", r->host_ttl[0]);
    return d;
}

struct finding *rule_syn_refused(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];
    struct finding *d;

    (void)c;
    if (flow_handshake(f) != HANDSHAKE_REFUSED)
        return NULL;
    if (refused_from_elsewhere(&f->reset))
        d = middlebox_finding(f);
    else
        d = finding_new(CODE_SYN_REFUSED, WHERE_SERVER,
                        "%s answers the SYN with RST: nothing listens there, or a filter rejects.",
                        end_text(server, f, SERVER));
    d->confidence = CONFIDENCE_LIKELY;
    if (d->code == CODE_SYN_REFUSED && refused_by_whom(&f->reset))
        finding_detail_list(d, "alternatives", (const char *const[]){ "syn_refused_by_middlebox", NULL });
    finding_add_evidence(d, f->first_syn_packet);
    finding_add_evidence(d, f->syn_packet);
    finding_add_evidence(d, f->reset.packet);
    finding_detail_number(d, "rst_ttl", f->reset.ttl);
    return d;
}

/* The same ports again while the server's end of the old connection is in TIME-WAIT: it answers for the old one. */
struct finding *rule_port_reuse_refused(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];
    bool refused = f->reset.packet && f->reset.by == SERVER;

    if (!f->reuses_time_wait || f->synacks || f->half[SERVER].bytes ||
        !(refused || (f->trouble && f->trouble->stale_acks)))
        return NULL;
    if (!refused && f->syns < 2 && c->now_ns - f->last_ns < SILENCE_NS)
        return NULL; /* the client's RST ends the TIME-WAIT, and its next SYN may be accepted */
    struct finding *d = finding_new(
        CODE_PORT_REUSE_REFUSED, WHERE_SERVER,
        "The client uses its port again while %s is in TIME-WAIT from the connection before, and is answered "
        "with %s.",
        end_text(server, f, SERVER), refused ? "a RST" : "an ACK of that one");
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, f->first_syn_packet);
    finding_add_evidence(d, f->trouble ? f->trouble->stale_ack_packet : 0);
    finding_add_evidence(d, refused ? f->reset.packet : 0);
    finding_detail_number(d, "previous", (int64_t)f->previous);
    return d;
}

/* The capture stands where the server is: what is in it has arrived. */
static bool at_server(const struct flow *f)
{
    return flow_rtt_to_server_ns(f) <= flow_rtt_to_client_ns(f) / 10;
}

/* Repetitions of the client's data at the server itself that make a matter of chance unlikely. */
#define IGNORED_RETRIES 3

/* The client's data arrive and nobody answers, nor is the SYN-ACK repeated: so it looks where the SYN-ACK was a SYN cookie, which a full
 * queue forgets. A filter of the server's own would look alike. */
static bool forgotten(const struct flow *f)
{
    return at_server(f) && f->synacks == 1 && flow_losses(f, CLIENT)->tail_retries >= IGNORED_RETRIES;
}

static bool synack_goes_on(const struct flow *f)
{
    const struct trouble *t = f->trouble;
    return t->late_synack_packet > f->half[CLIENT].first_data_packet &&
           (t->late_synacks >= 2 || flow_anomalies(f, CLIENT)->retransmissions >= 2);
}

static struct finding *repeated_synack(const struct flow *f, const char *server)
{
    const struct trouble *t = f->trouble;
    struct finding *d =
        finding_new(CODE_ACCEPT_QUEUE_FULL, WHERE_SERVER,
                    "%s repeats its SYN-ACK %u times although the client's ACK and data are here: it does not accept.",
                    server, t->late_synacks);

    d->confidence = at_server(f) ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    if (!at_server(f)) /* from here, both may be lost on the way */
        finding_detail_list(d, "alternatives", (const char *const[]){ "handshake_unfinished", NULL });
    return d;
}

static struct finding *ignored_data(const struct flow *f, const char *server)
{
    struct finding *d = finding_new(CODE_ACCEPT_QUEUE_FULL, WHERE_SERVER,
                                    "The client's data arrive at %s %u times and it acknowledges none of them, though it "
                                    "took the SYN: it does not accept, or drops them itself.",
                                    server, flow_losses(f, CLIENT)->tail_retries + 1);

    d->confidence = CONFIDENCE_POSSIBLE;
    finding_detail_list(d, "alternatives", (const char *const[]){ "firewall_drops", NULL });
    return d;
}

struct finding *rule_accept_queue_full(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];

    (void)c;
    if (!f->trouble || flow_handshake(f) != HANDSHAKE_COMPLETE || !data_ignored(f))
        return NULL; /* a client that says nothing may meet TCP_DEFER_ACCEPT, which is meant so */
    end_text(server, f, SERVER);
    struct finding *d = synack_goes_on(f) ? repeated_synack(f, server) : forgotten(f) ? ignored_data(f, server) : NULL;
    if (!d)
        return NULL;
    finding_detail_number(d, "synacks", f->synacks);
    finding_add_evidence(d, f->ack_packet);
    finding_add_evidence(d, f->half[CLIENT].first_data_packet);
    add_notes(d, f, f->synacks > 1 ? NOTE_SYNACK : NOTE_RETRANSMISSION, f->synacks > 1 ? SERVER : CLIENT, FINDING_EVIDENCE - 3);
    finding_add_evidence(d, f->trouble->late_synack_packet);
    return d;
}

struct finding *rule_handshake_unfinished(const struct flow *f, const struct judge_context *c)
{
    char server[END_TEXT_SIZE];

    (void)c;
    if (flow_handshake(f) != HANDSHAKE_UNFINISHED || f->synacks < 2)
        return NULL;
    struct finding *d = finding_new(CODE_HANDSHAKE_UNFINISHED, WHERE_PATH,
                                    "%s sends its SYN-ACK %u times; the client's ACK of it is not in the capture.",
                                    end_text(server, f, SERVER), f->synacks);
    d->confidence = CONFIDENCE_LIKELY;
    finding_add_evidence(d, f->syn_packet);
    finding_add_evidence(d, f->synack_packet);
    add_notes(d, f, NOTE_SYNACK, SERVER, FINDING_EVIDENCE - 3);
    finding_detail_number(d, "synacks", f->synacks);
    return d;
}
