#include "diagnose/judge.h"

#include "diagnose/rules.h"

/* Their order does not matter: findings are ranked by status and code. */
static const struct judge_rule rules[] = {
    { rule_unreachable, ABOUT_OPENING,
      { CODE_NETWORK_UNREACHABLE, CODE_HOST_UNREACHABLE, CODE_ADMIN_PROHIBITED, CODE_PORT_UNREACHABLE, CODE_TTL_EXCEEDED } },
    { rule_syn_unanswered, ABOUT_OPENING, { CODE_SYN_UNANSWERED } },
    { rule_syn_refused, ABOUT_OPENING, { CODE_SYN_REFUSED_BY_MIDDLEBOX, CODE_SYN_REFUSED } },
    { rule_port_reuse_refused, ABOUT_OPENING, { CODE_PORT_REUSE_REFUSED } },
    { rule_accept_queue_full, ABOUT_TROUBLE, { CODE_ACCEPT_QUEUE_FULL } },
    { rule_handshake_unfinished, ABOUT_OPENING, { CODE_HANDSHAKE_UNFINISHED } },
    { rule_dead, ABOUT_TROUBLE,
      { CODE_IDLE_EXPIRED, CODE_PATH_WENT_DEAD, CODE_NETWORK_UNREACHABLE, CODE_HOST_UNREACHABLE, CODE_ADMIN_PROHIBITED,
        CODE_PORT_UNREACHABLE, CODE_TTL_EXCEEDED } },
    { rule_pmtu_ignored, ABOUT_TROUBLE, { CODE_PMTU_IGNORED } },
    { rule_pmtu_blackhole, ABOUT_TROUBLE, { CODE_PMTU_BLACKHOLE, CODE_PATH_WENT_DEAD } },
    { rule_reset, ABOUT_RESET,
      { CODE_IDLE_EXPIRED, CODE_ADDRESS_CONFLICT, CODE_RESET_INJECTED, CODE_RESET_BY_SERVER, CODE_RESET_BY_CLIENT } },
    { rule_zero_window, ABOUT_TROUBLE, { CODE_ZERO_WINDOW_STALL } },
    { rule_tls_certificate, ABOUT_TLS,
      { CODE_TLS_CERTIFICATE_EXPIRED, CODE_TLS_CERTIFICATE_NOT_YET_VALID, CODE_TLS_NAME_MISMATCH, CODE_TLS_SELF_SIGNED } },
    { rule_tls, ABOUT_TLS, { CODE_TLS_NOT_SPOKEN, CODE_TLS_ALERT, CODE_TLS_NO_SERVER_HELLO, CODE_TLS_RESET } },
    { rule_http_to_tls, ABOUT_HTTP, { CODE_TLS_ALERT } },
    { rule_response_truncated, ABOUT_HTTP, { CODE_RESPONSE_TRUNCATED } },
    { rule_http_status, ABOUT_HTTP, { CODE_HTTP_SERVER_ERROR, CODE_HTTP_CLIENT_ERROR } },
    { rule_server_silent, ABOUT_WAITING, { CODE_SERVER_SILENT } },
    { rule_slow_server, ABOUT_HTTP | ABOUT_TLS, { CODE_SLOW_SERVER } },
    { rule_option_stripped, ABOUT_TROUBLE, { CODE_OPTION_STRIPPED } },
    { rule_packet_loss, ABOUT_TROUBLE, { CODE_PACKET_LOSS } },
    { rule_reordering, ABOUT_TROUBLE, { CODE_REORDERING } },
    { rule_ip_fragmented, ABOUT_TROUBLE, { CODE_IP_FRAGMENTED } },
    { rule_half_close_leak, ABOUT_ENDING, { CODE_HALF_CLOSE_LEAK } },
};

const struct judge_rule *judge_rules(size_t *n)
{
    *n = G_N_ELEMENTS(rules);
    return rules;
}

unsigned judge_about(const struct flow *f)
{
    unsigned a = 0;

    if (flow_handshake(f) != HANDSHAKE_COMPLETE)
        a |= ABOUT_OPENING;
    if (f->trouble)
        a |= ABOUT_TROUBLE;
    if (f->reset.packet)
        a |= ABOUT_RESET;
    else if (flow_teardown(f) != TEARDOWN_FIN)
        a |= ABOUT_ENDING;
    if (f->app && f->app->tls)
        a |= ABOUT_TLS;
    if (f->app && f->app->http)
        a |= ABOUT_HTTP;
    if (f->asked_ns != TIME_NONE)
        a |= ABOUT_WAITING;
    return a;
}

int finding_compare(const struct finding *a, const struct finding *b)
{
    if (a->status != b->status)
        return a->status > b->status ? -1 : 1;
    return a->code < b->code ? -1 : a->code > b->code;
}

static gint compare_pointers(gconstpointer a, gconstpointer b)
{
    return finding_compare(*(struct finding *const *)a, *(struct finding *const *)b);
}

/* The client asked and left before a word came back: too early to blame anybody. */
static bool left_early(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT], *s = &f->half[SERVER];
    bool asked = f->app && (f->app->http || (f->app->tls && f->app->tls->client_hello));

    return asked && c->bytes && !s->bytes && c->fin && (!s->fin || s->fin_packet > c->fin_packet);
}

/* What was still under way on an open connection when the capture ended; NULL: nothing that is known. */
static const char *under_way(const struct flow *f)
{
    const struct tls_facts *t = f->app ? f->app->tls : NULL;
    const struct http_transaction *h = flow_transactions(f) ? flow_transaction(f, flow_transactions(f) - 1) : NULL;

    if (!f->half[CLIENT].bytes && !f->half[SERVER].bytes)
        return "The capture ends before anything is said on this connection.";
    if ((f->half[CLIENT].bytes && !f->half[SERVER].bytes) || (h && !h->status && !h->lossy))
        return "The capture ends before the answer.";
    if (t && t->client_hello && t->outcome == TLS_INCOMPLETE && !t->client_data && !t->application_data)
        return "The capture ends before the TLS handshake does.";
    if (h && !h->complete && !h->tunnel && !h->lossy)
        return "The capture ends in the middle of an answer.";
    return NULL;
}

/* Why this capture cannot tell how the connection fared; NULL where it can: it was opened, used and answered, or
 * closed. */
static const char *missing(const struct flow *f)
{
    enum handshake_outcome o = flow_handshake(f);

    if (!both_captured(f) && o != HANDSHAKE_NO_ANSWER)
        return "Only one direction of this connection is in the capture.";
    if (o == HANDSHAKE_HALF_SEEN)
        return "A part of the handshake is missing from the capture.";
    if (o == HANDSHAKE_MIDSTREAM)
        return "The connection began before the capture; what is seen of it is in order.";
    if (o == HANDSHAKE_NO_ANSWER || o == HANDSHAKE_UNREACHABLE)
        return f->half[CLIENT].rst ? "The client let go of its attempt at once."
                                   : "The capture ends before the SYN could be answered.";
    if (o == HANDSHAKE_UNFINISHED)
        return "The capture ends before the handshake does.";
    if (!f->half[SERVER].bytes && capture_missed(f, SERVER))
        return "The server's answer is missing from the capture.";
    if (left_early(f))
        return "The client closed before an answer came.";
    return flow_teardown(f) != TEARDOWN_NONE || o == HANDSHAKE_RESET ? NULL : under_way(f);
}

struct finding *rule_incomplete(const struct flow *f, const struct judge_context *c)
{
    const char *why = missing(f);

    (void)c;
    if (!why)
        return NULL;
    struct finding *d = finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "%s", why);
    finding_add_evidence(d, MIN(f->half[CLIENT].first_packet - 1, f->half[SERVER].first_packet - 1) + 1);
    return d;
}

void judge_flow(const struct flow *f, const struct judge_context *c, struct judgement *j)
{
    GPtrArray *found = NULL;
    unsigned there = judge_about(f);

    *j = (struct judgement){ 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        struct finding *d = there & rules[i].about ? rules[i].rule(f, c) : NULL;
        if (!d)
            continue;
        finding_doubt(d, c->dropped);
        if (!found)
            found = g_ptr_array_new_with_free_func((GDestroyNotify)finding_free);
        g_ptr_array_add(found, d);
    }
    if (!found) {
        j->verdict = rule_incomplete(f, c);
        return;
    }
    g_ptr_array_sort(found, compare_pointers);
    j->verdict = g_ptr_array_steal_index(found, 0);
    if (found->len)
        j->others = found;
    else
        g_ptr_array_free(found, TRUE);
}
