#include "diagnose/ledger.h"

#include "diagnose/explain.h"
#include "diagnose/rules.h"

#include <string.h>

const char *considered_name(enum considered c)
{
    static const char *const names[] = { "verdict", "finding", "no", "not_asked" };
    return names[c];
}

/* --- observations --- */

static struct ledger_line *observe(struct ledger *l, const char *format, ...) G_GNUC_PRINTF(2, 3);
static struct ledger_line *observe(struct ledger *l, const char *format, ...)
{
    struct ledger_line line = { .text = NULL };
    va_list args;

    va_start(args, format);
    line.text = g_strdup_vprintf(format, args);
    va_end(args);
    g_array_append_val(l->lines, line);
    return &g_array_index(l->lines, struct ledger_line, l->lines->len - 1);
}

static void at_packets(struct ledger_line *line, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t all[] = { a, b, c };
    int n = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        if (all[i] && (n == 0 || all[i] != line->packets[n - 1]))
            line->packets[n++] = all[i];
}

static void exclude(struct ledger_line *line, enum code code)
{
    int i = 0;

    while (i < LEDGER_EXCLUDES - 1 && line->excludes[i])
        i++;
    line->excludes[i] = code;
}

static void see_directions(struct ledger *l, const struct flow *f)
{
    struct ledger_line *line = observe(
        l, "the capture holds %" G_GUINT64_FORMAT " packets of the client and %" G_GUINT64_FORMAT " of the server",
        f->half[CLIENT].packets, f->half[SERVER].packets);

    at_packets(line, f->half[CLIENT].first_packet, f->half[SERVER].first_packet, 0);
    if (both_captured(f))
        exclude(line, CODE_SYN_UNANSWERED);
}

static void see_handshake(struct ledger *l, const struct flow *f)
{
    int64_t rtt_ns = flow_handshake_rtt_ns(f);
    char took[32];
    struct ledger_line *line = observe(
        l, "the handshake: %s, %u SYN, %u SYN-ACK%s%s", handshake_outcome_name(flow_handshake(f)), f->syns, f->synacks,
        rtt_ns == TIME_NONE ? "" : ", round trip ", rtt_ns == TIME_NONE ? "" : duration_text(took, rtt_ns));

    at_packets(line, f->first_syn_packet, f->synack_packet, f->ack_packet);
    if (flow_handshake(f) != HANDSHAKE_COMPLETE)
        return;
    exclude(line, CODE_SYN_REFUSED);
    exclude(line, CODE_HANDSHAKE_UNFINISHED);
    exclude(line, CODE_PORT_REUSE_REFUSED);
}

static void see_bytes(struct ledger *l, const struct flow *f, enum side s)
{
    const struct half *h = &f->half[s];

    if (!h->bytes)
        return;
    uint32_t open = h->unacked > (h->fin && !h->fin_acked ? 1 : 0) ? h->unacked : 0;
    struct ledger_line *line = observe(l, "the %s sent %" G_GUINT64_FORMAT " bytes, %s", side_name(s), h->bytes,
                                       open ? "not all of which were acknowledged" : "all acknowledged");
    at_packets(line, h->first_data_packet, h->last_data_packet, 0);
    if (s == SERVER)
        exclude(line, CODE_ACCEPT_QUEUE_FULL);
}

static void see_losses(struct ledger *l, const struct flow *f, enum side s)
{
    const struct anomalies *a = flow_anomalies(f, s);
    const struct losses *k = flow_losses(f, s);

    if (!f->half[s].segments)
        return;
    struct ledger_line *line = observe(l,
                                       "data segments of the %s: %" G_GUINT64_FORMAT
                                       ", sent again %u, of those lost on the way %u, late without loss %u",
                                       side_name(s), f->half[s].segments, a->retransmissions, k->lost, k->reordered);
    if (k->tail_retries || k->tail_probes)
        at_packets(line, k->tail_first, 0, 0);
}

/* What neither side met. */
static void see_no_losses(struct ledger *l, const struct flow *f)
{
    const struct losses *c = flow_losses(f, CLIENT), *s = flow_losses(f, SERVER);

    if (!both_captured(f))
        return;
    if (!c->lost && !s->lost && !flight_lost(f))
        exclude(observe(l, "no data segment of either side is known to be lost"), CODE_PACKET_LOSS);
    if (!c->reordered && !s->reordered)
        exclude(observe(l, "no data segment came late without loss"), CODE_REORDERING);
    if (!c->tail_retries && !c->tail_probes && !s->tail_retries && !s->tail_probes && !counted_hole(f) &&
        !sent_in_vain(f, CLIENT) && !sent_in_vain(f, SERVER))
        exclude(observe(l, "nothing was repeated in vain at the end"), CODE_PATH_WENT_DEAD);
}

static void see_windows(struct ledger *l, const struct flow *f, enum side s)
{
    const struct stall *stall = &flow_losses(f, s)->longest;
    char lasted[32];

    if (!stall->from_packet)
        return;
    struct ledger_line *line =
        observe(l, "the %s's window stood at zero for %s%s", side_name(s),
                duration_text(lasted, (stall->to_ns == TIME_NONE ? f->last_ns : stall->to_ns) - stall->from_ns),
                stall->wanted ? ", and the other end had data for it" : ", and nobody wanted to send");
    at_packets(line, stall->from_packet, stall->to_packet, 0);
}

static void see_icmp(struct ledger *l, const struct flow *f)
{
    guint n = flow_icmp_kept(f);
    char from[ADDR_TEXT_SIZE];

    for (guint i = 0; i < n; i++) {
        const struct icmp_note *note = &f->trouble->icmp[i];
        struct ledger_line *line = observe(
            l, "%s sends ICMP%s type %u code %u about a packet of the %s", addr_text(from, &note->from, f->key.version),
            f->key.version == 6 ? "v6" : "", note->type, note->code, side_name((enum side)note->about));
        at_packets(line, note->packet, 0, 0);
    }
    if (n)
        return;
    struct ledger_line *none = observe(l, "no ICMP error in the capture quotes a packet of this connection");
    exclude(none, CODE_HOST_UNREACHABLE);
    exclude(none, CODE_NETWORK_UNREACHABLE);
    exclude(none, CODE_ADMIN_PROHIBITED);
    exclude(none, CODE_PORT_UNREACHABLE);
    exclude(none, CODE_TTL_EXCEEDED);
    exclude(none, CODE_PMTU_IGNORED);
}

static void see_reset(struct ledger *l, const struct flow *f)
{
    const struct reset_facts *r = &f->reset;
    struct ledger_line *line;

    if (!r->packet) {
        line = observe(l, "no RST that counts");
        exclude(line, CODE_RESET_BY_SERVER);
        exclude(line, CODE_RESET_BY_CLIENT);
        exclude(line, CODE_RESET_INJECTED);
        return;
    }
    line =
        observe(l, "a RST of the %s with TTL %u; its other packets arrive with TTL %u%s", side_name((enum side)r->by),
                r->ttl, f->half[r->by].ttl, r->spoke_on ? ", and it sent new data after the RST" : "");
    at_packets(line, r->packet, 0, 0);
    if (reset_is_own(f))
        exclude(line, CODE_RESET_INJECTED);
}

static void see_ending(struct ledger *l, const struct flow *f)
{
    struct ledger_line *line =
        observe(l, "the ending: %s; the client is in %s, the server in %s", teardown_outcome_name(flow_teardown(f)),
                tcp_state_name((enum tcp_state)f->half[CLIENT].state) ?: "no known state",
                tcp_state_name((enum tcp_state)f->half[SERVER].state) ?: "no known state");

    at_packets(line, f->half[CLIENT].fin_packet, f->half[SERVER].fin_packet, 0);
    if (flow_teardown(f) == TEARDOWN_FIN)
        exclude(line, CODE_HALF_CLOSE_LEAK);
}

/* Transactions that are told; the last one is always among them. */
#define TOLD_TRANSACTIONS 4

static void see_http(struct ledger *l, const struct flow *f)
{
    guint n = flow_transactions(f);

    for (guint i = n > TOLD_TRANSACTIONS ? n - TOLD_TRANSACTIONS : 0; i < n; i++) {
        const struct http_transaction *h = flow_transaction(f, i);
        g_autofree char *status = h->status ? g_strdup_printf("answered %d", h->status) : g_strdup("no answer");
        struct ledger_line *line = observe(l, "HTTP %.20s %.80s: %s%s", h->method ?: "request", h->target ?: "", status,
                                           !h->status    ? ""
                                           : h->complete ? ", complete"
                                                         : ", not complete");
        at_packets(line, h->request_packet, h->response_packet, 0);
        if (h->complete && i + 1 == n) {
            exclude(line, CODE_SERVER_SILENT);
            exclude(line, CODE_RESPONSE_TRUNCATED);
        }
    }
}

static void see_tls(struct ledger *l, const struct flow *f)
{
    const struct tls_facts *t = f->app ? f->app->tls : NULL;
    char name[16];

    if (!t)
        return;
    struct ledger_line *line = observe(l, "TLS: %s%s%s", tls_outcome_name(t->outcome), t->version ? ", " : "",
                                       t->version ? tls_version_name(t->version, name) : "");
    at_packets(line, t->client_hello_packet, t->server_hello_packet, t->finished_packet);
    if (t->outcome != TLS_COMPLETE)
        return;
    exclude(line, CODE_TLS_ALERT);
    exclude(line, CODE_TLS_RESET);
    exclude(line, CODE_TLS_NOT_SPOKEN);
    exclude(line, CODE_TLS_NO_SERVER_HELLO);
}

static void see_time(struct ledger *l, const struct flow *f, const struct judge_context *c)
{
    char behind[32];

    if (c->dropped)
        observe(l, "the capture lost %" G_GUINT64_FORMAT " packets of its own", c->dropped);
    observe(l, "it was judged %s of capture time after its last packet",
            duration_text(behind, MAX(c->now_ns - f->last_ns, 0)));
}

static void see_all(struct ledger *l, const struct flow *f, const struct judge_context *c)
{
    see_directions(l, f);
    see_handshake(l, f);
    for (int s = CLIENT; s <= SERVER; s++) {
        see_bytes(l, f, (enum side)s);
        see_losses(l, f, (enum side)s);
        see_windows(l, f, (enum side)s);
    }
    see_no_losses(l, f);
    see_icmp(l, f);
    see_tls(l, f);
    see_http(l, f);
    see_reset(l, f);
    see_ending(l, f);
    see_time(l, f, c);
}

/* --- verdicts --- */

/* What a flow has nothing of, where no rule of a code was asked. */
static const char *nothing_of(unsigned about)
{
    switch (about & -about) {
    case ABOUT_OPENING: return "the handshake completed";
    case ABOUT_TROUBLE: return "nothing was lost, late, stalled, fragmented or answered by ICMP";
    case ABOUT_RESET: return "there is no RST";
    case ABOUT_ENDING: return "it was closed in order, or reset";
    case ABOUT_TLS: return "no TLS was seen";
    case ABOUT_HTTP: return "no HTTP was seen";
    default: return "the client does not wait for an answer";
    }
}

static bool gives(const struct judge_rule *r, enum code code)
{
    for (int i = 0; i < JUDGE_RULE_CODES && r->codes[i]; i++)
        if (r->codes[i] == code)
            return true;
    return false;
}

/* The things that the rules of a code speak of; 0: no rule of flows gives it. */
static unsigned about_code(enum code code)
{
    size_t n;
    const struct judge_rule *rules = judge_rules(&n);
    unsigned about = 0;

    for (size_t i = 0; i < n; i++)
        if (gives(&rules[i], code))
            about |= rules[i].about;
    return about;
}

static bool is_among(const GPtrArray *findings, enum code code)
{
    for (guint i = 0; findings && i < findings->len; i++)
        if (((const struct finding *)g_ptr_array_index(findings, i))->code == code)
            return true;
    return false;
}

static void consider(struct ledger *l, const struct flow *f, const struct judgement *j, enum code code)
{
    unsigned about = about_code(code);
    struct ledger_code c = { .code = code };

    if (judgement_verdict(j)->code == code) {
        c.how = CONSIDERED_VERDICT;
    } else if (is_among(j->others, code)) {
        c.how = CONSIDERED_FINDING;
    } else if (about & judge_about(f)) {
        c.how = CONSIDERED_NO;
        c.why = explanation(code)->recognised;
    } else {
        c.how = CONSIDERED_NOT_ASKED;
        c.why = nothing_of(about);
    }
    if (about || c.how <= CONSIDERED_FINDING)
        g_array_append_val(l->codes, c);
}

/* --- all --- */

static void line_clear(gpointer line)
{
    g_free(((struct ledger_line *)line)->text);
}

struct ledger *ledger_new(const struct flow *f, const struct judge_context *c, const struct judgement *j)
{
    struct ledger *l = g_new0(struct ledger, 1);

    l->lines = g_array_new(FALSE, FALSE, sizeof(struct ledger_line));
    g_array_set_clear_func(l->lines, line_clear);
    l->codes = g_array_new(FALSE, FALSE, sizeof(struct ledger_code));
    see_all(l, f, c);
    for (int code = 0; code < CODES; code++)
        consider(l, f, j, (enum code)code);
    return l;
}

void ledger_free(struct ledger *l)
{
    if (!l)
        return;
    g_array_free(l->lines, TRUE);
    g_array_free(l->codes, TRUE);
    g_free(l);
}
