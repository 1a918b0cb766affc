#include "diagnose/rules.h"

/* --- who sent it --- */

/* TTLs of one host's packets differ by a route change now and then, not by more. */
#define TTL_SLACK 2

/* A round trip below this is too short to tell an answer that is too fast. */
#define TELLING_RTT_NS (4 * NS_PER_MS)

bool same_distance(uint8_t a, uint8_t b)
{
    int raw = (int)a - b, hops = (int)ttl_hops(a) - (int)ttl_hops(b);
    return ABS(raw) <= TTL_SLACK || ABS(hops) <= TTL_SLACK; /* some hosts begin at another number for RSTs */
}

/* A host sends all packets of a connection with one TTL, and they take one way: where all others arrived with the same,
 * even one hop off is a sign, though a change of the route just then would look alike. */
#define STEADY_PACKETS 4

static bool other_hop(const struct flow *f)
{
    const struct half *h = &f->half[f->reset.by];
    return h->packets > STEADY_PACKETS && !h->ttl_varies && f->reset.ttl != h->ttl &&
           ttl_hops(f->reset.ttl) != ttl_hops(h->ttl);
}

static bool foreign_ttl(const struct flow *f)
{
    const struct half *h = &f->half[f->reset.by];

    if (ABS((int)f->reset.ttl - f->reset.own_ttl) > TTL_SLACK && f->reset.own_ttl)
        return true; /* whatever number the host begins at, its own RST shows it */
    return h->packets >= 2 && !same_distance(f->reset.ttl, h->ttl) &&
           (!h->ttl_last || !same_distance(f->reset.ttl, h->ttl_last));
}

/* It acknowledges data that can hardly have reached that end yet. */
static bool too_fast(const struct flow *f)
{
    const struct minmax *rtt = &f->half[f->reset.by].rtt;
    int64_t least_ns = f->reset.by == SERVER ? flow_rtt_to_server_ns(f) : flow_rtt_to_client_ns(f);

    if (rtt->samples && (least_ns == TIME_NONE || rtt->min_ns < least_ns))
        least_ns = rtt->min_ns;
    return f->reset.answers_ns != TIME_NONE && least_ns >= TELLING_RTT_NS && f->reset.answers_ns < least_ns / 2;
}

bool reset_is_own(const struct flow *f)
{
    return !foreign_ttl(f) && !other_hop(f) && !too_fast(f) && !f->reset.spoke_on;
}

/* The RST is of neither end: it comes from another distance or too early, or the end goes on as if it had not sent it.
 */
static struct finding *injected(const struct flow *f)
{
    const char *side = side_name((enum side)f->reset.by);
    bool far = foreign_ttl(f), near = !far && other_hop(f), fast = too_fast(f), spoke_on = f->reset.spoke_on;
    bool ttl = far || near, own_too = far && f->reset.own_ttl;
    char early[32];

    if (!ttl && !fast && !spoke_on)
        return NULL;
    struct finding *d = finding_new(CODE_RESET_INJECTED, WHERE_PATH, "The RST bears the %s's address", side);
    g_autoptr(GString) why = g_string_new(d->summary);
    if (ttl)
        g_string_append_printf(why, " and TTL %u, while the %s's other packets arrive with TTL %u", f->reset.ttl, side,
                               f->half[f->reset.by].ttl);
    if (own_too)
        g_string_append_printf(why, ", as a RST that follows does");
    if (fast)
        g_string_append_printf(why, "%s comes %s after the data that it acknowledges, sooner than the %s can answer",
                               ttl ? "; it" : " and", duration_text(early, f->reset.answers_ns), side);
    if (spoke_on)
        g_string_append_printf(why, "%s the %s goes on sending after it", ttl || fast ? ";" : ", but", side);
    g_free(d->summary);
    d->summary = g_strdup_printf("%s.", why->str);
    d->confidence = ttl + fast + spoke_on + own_too > 1 || spoke_on ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    if (near && d->confidence == CONFIDENCE_POSSIBLE)
        finding_detail_list(
            d, "alternatives",
            (const char *const[]){ f->reset.by == SERVER ? "reset_by_server" : "reset_by_client", NULL });
    finding_detail_number(d, "rst_ttl", f->reset.ttl);
    finding_detail_number(d, "ttl", f->half[f->reset.by].ttl);
    return d;
}

/* The address is that of two machines, and the RST is not like the packets of the one that the connection was with. */
static struct finding *of_other_owner(const struct flow *f)
{
    const struct address_claims *c = f->trouble ? &f->trouble->claims : NULL;
    const struct half *h = &f->half[f->reset.by];
    char addr[ADDR_TEXT_SIZE], first[MAC_TEXT], second[MAC_TEXT];

    if (!c || !c->packet[1] || h->packets < 2 || f->reset.ttl == h->ttl || f->reset.ttl == h->ttl_last)
        return NULL;
    struct finding *d = finding_new(
        CODE_ADDRESS_CONFLICT, WHERE_PATH,
        "Two machines answer for %s, %s and %s: the RST, with TTL %u where the %s's other packets have %u, is of the one that knows nothing of "
        "this connection.",
        addr_text(addr, flow_addr(f, (enum side)f->reset.by), f->key.version), mac_text(first, c->mac[0]), mac_text(second, c->mac[1]),
        f->reset.ttl, side_name((enum side)f->reset.by), h->ttl);
    d->confidence = CONFIDENCE_LIKELY;
    finding_detail_list(d, "alternatives",
                        (const char *const[]){ f->reset.by == SERVER ? "reset_by_server" : "reset_by_client", "reset_injected", NULL });
    finding_add_evidence(d, c->packet[0]);
    finding_add_evidence(d, c->packet[1]);
    return d;
}

/* --- what it cut off --- */

/* What the server still said to a client that had closed: a goodbye, if the client waited for nothing and it is short.
 */
#define GOODBYE_BYTES 256

static bool only_goodbye(const struct flow *f)
{
    return !f->reset.asked_at_fin && f->reset.bytes_after_fin <= GOODBYE_BYTES;
}

/* A server that is done says so (close_notify, RFC 8446 section 6.1) before it goes; nobody had begun to close. */
static bool cut_inside_tls(const struct flow *f)
{
    const struct tls_facts *t = f->app ? f->app->tls : NULL;

    return t && t->outcome == TLS_COMPLETE && t->application_data && !f->app->closing_only[SERVER] &&
           !f->app->closing_only[CLIENT] && !f->reset.after_fin[CLIENT] && f->reset.last_data == SERVER &&
           f->reset.ts_ns - f->half[SERVER].last_data_ns < NS_PER_S;
}

/* The client closed right behind what it said last: whatever answer comes, it did not want it (QUIT and close). */
static bool did_not_wait(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT];
    int64_t rtt_ns = MAX(flow_handshake_rtt_ns(f), 20 * NS_PER_MS);

    return c->fin && c->last_data_packet > f->half[SERVER].first_data_packet &&
           c->fin_ns - c->last_data_ns <= rtt_ns / 2;
}

/* The server gave its whole answer before it had the whole request (413, 401, 307) and wants no more of it: RFC 9112
 * section 9.6. */
static bool answered_early(const struct flow *f)
{
    const struct http_transaction *h = flow_transactions(f) ? flow_transaction(f, flow_transactions(f) - 1) : NULL;
    return h && h->status >= 200 && h->complete && !h->request_complete && !f->reset.owed[SERVER];
}

/* The server had answered everything and closed its idle connection in order; the client did not see that in time and
 * asked once more. RFC 9112 section 9.5: a client has to be ready for that, and asks again on a new connection. */
static bool idle_race(const struct flow *f)
{
    const struct half *server = &f->half[SERVER];
    const struct tls_facts *t = f->app ? f->app->tls : NULL;
    bool worked = t ? t->application_data : flow_transactions(f) > 1 && flow_transaction(f, 0)->complete;

    return f->reset.by == SERVER && server->fin && worked && f->asked_ns != TIME_NONE &&
           f->asked_packet > server->fin_packet;
}

static const char *after_close(const struct flow *f)
{
    enum side by = (enum side)f->reset.by;

    if (by == CLIENT && !cut_answer(f) && (did_not_wait(f) || only_goodbye(f)))
        return NULL;
    return by == SERVER ? "the client still sent to a server that had closed"
                        : "the server still sent to a client that had closed";
}

/* Whether that side waited for an acknowledgement that the capture would hold. */
static bool owed(const struct flow *f, enum side s)
{
    return f->reset.owed[s] && !capture_missed(f, other_side(s));
}

/* What the sender of the RST cut off, or NULL: all that was asked was answered, and all that was sent had arrived. */
static const char *cut_off(const struct flow *f)
{
    const struct reset_facts *r = &f->reset;
    enum side by = (enum side)r->by, peer = other_side(by);

    if (r->after_fin[CLIENT] && r->after_fin[SERVER] && !r->owed[CLIENT] && !r->owed[SERVER])
        return NULL;
    if (f->app && f->app->closing_only[peer] && (r->data_after_fin || !r->owed[by]))
        return NULL; /* only a TLS close_notify was lost */
    if (by == SERVER && answered_early(f))
        return NULL;
    if (r->data_after_fin && r->after_fin[by])
        return after_close(f);
    if (cut_answer(f))
        return "the answer was not complete yet";
    if (by == SERVER && cut_inside_tls(f))
        return "it was in the middle of its encrypted answer";
    if (owed(f, peer))
        return peer == CLIENT ? "the client's data was not acknowledged yet" : "the server was still sending";
    if (owed(f, by))
        return "its own data was not acknowledged yet";
    if (by == CLIENT && !f->half[SERVER].bytes && f->asked_again)
        return NULL; /* it only tells, and waits for nothing: a log, a sensor */
    if (r->last_data == CLIENT && !r->after_fin[CLIENT] && !capture_missed(f, SERVER))
        return "the request was not answered yet";
    if (r->last_data == 2 && by == SERVER)
        return "nothing had been said yet";
    return NULL;
}

/* --- the rule --- */

static struct finding *aborted(const struct flow *f, const char *what)
{
    enum side by = (enum side)f->reset.by;
    char end[END_TEXT_SIZE];
    struct finding *d = finding_new(
        by == SERVER ? CODE_RESET_BY_SERVER : CODE_RESET_BY_CLIENT, by == SERVER ? WHERE_SERVER : WHERE_CLIENT,
        "The %s %s resets the connection while %s.", side_name(by), end_text(end, f, by), what);

    const struct half *h = &f->half[by]; /* certain: it comes as the others of that end come */
    bool usual = h->packets > 1 && (f->reset.ttl == h->ttl || f->reset.ttl == h->ttl_last);
    bool other_start = h->packets > 1 && !usual && ttl_hops(f->reset.ttl) == ttl_hops(h->ttl);

    d->confidence = usual && !cut_inside_tls(f) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    if (other_start) /* as far, but begun at another number: some hosts do so, and so does another machine as far away */
        finding_detail_list(d, "alternatives", (const char *const[]){ "reset_injected", NULL });
    if (idle_race(f)) {
        d->status = STATUS_DEGRADED;
        d->remedy = d->own_remedy =
            g_strdup("A kept connection was closed while it was idle, and a request crossed that: "
                     "let the client give idle connections up sooner than the server does.");
    }
    return d;
}

/* The TLS handshake failed or was cut: the TLS rules name the cause, the RST is only how it ended. */
static bool told_by_tls(const struct flow *f)
{
    const struct tls_facts *t = f->app ? f->app->tls : NULL;
    return t && t->client_hello && t->outcome != TLS_COMPLETE && t->outcome != TLS_INCOMPLETE;
}

static bool cut_by_reset(const struct flow *f)
{
    enum tls_outcome o = f->app->tls->outcome;
    return o == TLS_RESET || o == TLS_NO_SERVER_HELLO;
}

/* Nothing was under way, but the other end asked whether the connection is still there, and it was not. */
static struct finding *probed_in_vain(const struct flow *f)
{
    enum side by = (enum side)f->reset.by;

    if (!f->reset.answers_probe || f->reset.after_fin[by] || !idle_before(f, f->reset.idle_ns))
        return NULL;
    return idle_finding(f->reset.idle_ns, f->half[other_side(by)].last_packet, "is answered with a RST");
}

static struct finding *reset_finding(const struct flow *f, const struct judge_context *c)
{
    const char *what = cut_off(f);

    if (told_by_tls(f))
        return cut_by_reset(f) ? injected(f) : NULL;
    if (!what)
        return probed_in_vain(f);
    if (silent_for_ns(f, c) >= 0) /* who gives up after a long silence, or is thrown out: that was the cause */
        return NULL;
    if (sent_in_vain(f, CLIENT) || sent_in_vain(f, SERVER) || counted_hole(f))
        return NULL; /* the RST ends a stall */
    if (idle_before(f, f->reset.idle_ns))
        return idle_finding(f->reset.idle_ns, 0, "is answered with a RST");
    return of_other_owner(f) ?: injected(f) ?: aborted(f, what);
}

struct finding *rule_reset(const struct flow *f, const struct judge_context *c)
{
    enum handshake_outcome o = flow_handshake(f);

    if (!f->reset.packet || o == HANDSHAKE_REFUSED || o == HANDSHAKE_RESET || o == HANDSHAKE_UNREACHABLE ||
        o == HANDSHAKE_NO_ANSWER || !both_captured(f) || flow_teardown(f) == TEARDOWN_FIN)
        return NULL;
    struct finding *d = reset_finding(f, c);
    if (!d)
        return NULL;
    for (int s = CLIENT; s <= SERVER; s++)
        if (f->half[s].last_data_packet < f->reset.packet || (f->reset.spoke_on && s == f->reset.by))
            finding_add_evidence(d, f->half[s].last_data_packet);
    finding_add_evidence(d, f->reset.packet);
    return d;
}
