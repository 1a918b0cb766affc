#include "diagnose/probes.h"

#include "diagnose/finding.h"

const char *probe_kind_name(enum probe_kind kind, unsigned version)
{
    static const char *const names[PROBE_KINDS] = {
        [PROBE_NEIGHBOR] = "arp",
        [PROBE_ECHO] = "echo",
        [PROBE_GATEWAY] = "gateway_echo",
        [PROBE_SYN] = "syn",
        [PROBE_SYN_TTL] = "syn_ttl",
        [PROBE_ECHO_TTL] = "echo_ttl",
        [PROBE_OPTION_DIFF] = "option_diff",
        [PROBE_ECHO_DF] = "echo_df",
        [PROBE_ACK_DF] = "ack_df",
        [PROBE_UDP_DF] = "udp_df",
        [PROBE_SIZE_TTL] = "size_ttl",
        [PROBE_SYN_VARIANTS] = "syn_variants",
        [PROBE_CONNECT] = "connect",
        [PROBE_TLS] = "tls",
        [PROBE_REQUEST] = "request",
        [PROBE_UDP_TTL] = "udp_ttl",
    };
    return kind == PROBE_NEIGHBOR && version == 6 ? "nd" : names[kind];
}

const char *probe_reply_name(enum probe_reply reply)
{
    static const char *const names[REPLIES] = {
        [REPLY_NONE] = "none",
        [REPLY_TTL_EXCEEDED] = "ttl_exceeded",
        [REPLY_SYN_ACK] = "syn_ack",
        [REPLY_RST] = "rst",
        [REPLY_ACK] = "ack",
        [REPLY_ECHO] = "echo_reply",
        [REPLY_NEIGHBOR] = "neighbor",
        [REPLY_TOO_BIG] = "too_big",
        [REPLY_NETWORK_UNREACHABLE] = "network_unreachable",
        [REPLY_HOST_UNREACHABLE] = "host_unreachable",
        [REPLY_PORT_UNREACHABLE] = "port_unreachable",
        [REPLY_ADMIN_PROHIBITED] = "admin_prohibited",
        [REPLY_OTHER_ERROR] = "icmp_error",
        [REPLY_DATAGRAM] = "datagram",
    };
    return names[reply];
}

const char *probe_outcome_name(enum probe_outcome outcome)
{
    static const char *const names[OUTCOMES] = {
        [OUTCOME_ANSWERED] = "answered",
        [OUTCOME_OPEN] = "open",
        [OUTCOME_REFUSED] = "refused",
        [OUTCOME_NO_ANSWER] = "no_answer",
        [OUTCOME_UNREACHABLE] = "unreachable",
        [OUTCOME_REACHED] = "reached",
        [OUTCOME_STOPPED] = "stopped",
        [OUTCOME_LOOP] = "loop",
        [OUTCOME_FITS] = "fits",
        [OUTCOME_ANNOUNCED] = "announced",
        [OUTCOME_BLACK_HOLE] = "black_hole",
        [OUTCOME_UNMEASURABLE] = "unmeasurable",
        [OUTCOME_UNCHANGED] = "unchanged",
        [OUTCOME_REWRITTEN] = "rewritten",
        [OUTCOME_NO_ROUTE] = "no_route",
        [OUTCOME_BLOCKED_HERE] = "blocked_here",
        [OUTCOME_COMPLETE] = "complete",
        [OUTCOME_FAILED] = "failed",
        [OUTCOME_LEFT_OUT] = "left_out",
        [OUTCOME_STOPPED_EARLY] = "interrupted",
    };
    return names[outcome];
}

struct probe_result *probe_result_new(enum probe_kind kind)
{
    struct probe_result *r = g_new0(struct probe_result, 1);

    r->kind = kind;
    r->rtt_ns = TIME_NONE;
    return r;
}

void probe_result_free(struct probe_result *r)
{
    if (!r)
        return;
    for (guint i = 0; r->changes && i < r->changes->len; i++) {
        g_free(g_array_index(r->changes, struct probe_change, i).sent);
        g_free(g_array_index(r->changes, struct probe_change, i).seen);
    }
    for (guint i = 0; r->legs && i < r->legs->len; i++) {
        g_free(g_array_index(r->legs, struct probe_leg, i).url);
        g_free(g_array_index(r->legs, struct probe_leg, i).error);
        g_free(g_array_index(r->legs, struct probe_leg, i).server);
    }
    if (r->variants)
        g_array_free(r->variants, TRUE);
    if (r->legs)
        g_array_free(r->legs, TRUE);
    if (r->changes)
        g_array_free(r->changes, TRUE);
    if (r->hops)
        g_array_free(r->hops, TRUE);
    finding_free(r->finding);
    g_free(r->note);
    g_free(r);
}

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct probe_result *x = *(const struct probe_result *const *)a, *y = *(const struct probe_result *const *)b;

    if (x->way != y->way)
        return x->way < y->way ? -1 : 1;
    return (x->kind > y->kind) - (x->kind < y->kind);
}

void probe_results_sort(GPtrArray *results)
{
    g_ptr_array_sort(results, compare);
}
