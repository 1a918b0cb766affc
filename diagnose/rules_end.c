#include "diagnose/rules.h"

/* Quiet for so long, then trouble at once: something on the way forgot the connection (CONTRACT idle_expired). */
#define IDLE_NS (15 * NS_PER_S)

/* TTLs of one host's packets differ by a route change now and then, not by more. */
#define TTL_SLACK 2

/* The connection worked, and was then quiet for much longer than its packets take. */
static bool idle_before(const struct flow *f, int64_t idle_ns)
{
    int64_t slowest_ns = MAX(f->half[CLIENT].rtt.max_ns + f->half[SERVER].rtt.max_ns, flow_handshake_rtt_ns(f));

    return f->half[CLIENT].bytes + f->half[SERVER].bytes > 0 && both_captured(f) && idle_ns >= IDLE_NS &&
           idle_ns >= 3 * slowest_ns;
}

static struct finding *idle_finding(int64_t idle_ns, uint64_t first_after, const char *what)
{
    char idle[32];
    struct finding *d = finding_new(CODE_IDLE_EXPIRED, WHERE_PATH,
                                    "The connection worked, was quiet for %s, and the first packet after that %s.",
                                    duration_text(idle, idle_ns), what);

    d->confidence = CONFIDENCE_LIKELY;
    finding_detail_seconds(d, "idle", idle_ns);
    finding_add_evidence(d, first_after);
    return d;
}

/* --- nothing comes back any more --- */

static bool unanswered(const struct flow *f, enum side s, const struct judge_context *c)
{
    const struct losses *l = flow_losses(f, s);

    if (!both_captured(f) || f->half[other_side(s)].rst)
        return false;
    if (l->tail_retries < 2 && l->tail_probes < 3)
        return false;
    return f->last_ns - l->tail_first_ns >= NS_PER_S || c->now_ns - f->last_ns >= SILENCE_NS;
}

/* Only segments larger than all that ever got through stay without answer: a matter of size. */
static bool only_large(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);
    return l->tail_smallest >= 1000 && l->tail_smallest > f->half[s].acked_largest && !icmp_too_big(f, s);
}

static struct finding *large_finding(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);
    struct finding *d = finding_new(CODE_PMTU_BLACKHOLE, WHERE_PATH,
                                    "The %s's segments of %u bytes and more are repeated and never acknowledged; "
                                    "nothing above %u bytes got through.",
                                    side_name(s), l->tail_smallest, f->half[s].acked_largest);

    d->confidence = f->half[s].acked_largest ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_detail_number(d, "largest_acknowledged", f->half[s].acked_largest);
    finding_detail_number(d, "smallest_lost", l->tail_smallest);
    return d;
}

static struct finding *dead_finding(const struct flow *f, enum side s)
{
    const struct losses *l = flow_losses(f, s);
    const struct icmp_note *icmp = icmp_since(f, s, l->tail_first_ns);
    char lasted[32];

    if (icmp)
        return icmp_finding(f, icmp);
    if (idle_before(f, l->tail_idle_ns))
        return idle_finding(l->tail_idle_ns, l->tail_first, "is repeated without answer");
    if (only_large(f, s))
        return large_finding(f, s);
    struct finding *d = finding_new(
        CODE_PATH_WENT_DEAD, WHERE_PATH, "The %s repeats its data for %s and nothing comes back from the %s any more.",
        side_name(s), duration_text(lasted, f->last_ns - l->tail_first_ns), side_name(other_side(s)));
    d->confidence = CONFIDENCE_LIKELY;
    return d;
}

/* The other end's window is shut for good: its silence is the stall's, which has a rule of its own. */
static bool shut_out(const struct flow *f, enum side s)
{
    const struct stall *stall = &flow_losses(f, other_side(s))->longest;
    return stall->from_packet && stall->to_ns == TIME_NONE;
}

struct finding *rule_dead(const struct flow *f, const struct judge_context *c)
{
    for (int s = CLIENT; f->trouble && s <= SERVER; s++) {
        const struct losses *l = flow_losses(f, (enum side)s);

        if (f->half[s].state < STATE_ESTABLISHED) /* an unanswered SYN or SYN-ACK has rules of its own */
            continue;
        if (!unanswered(f, (enum side)s, c) || shut_out(f, (enum side)s))
            continue;
        struct finding *d = dead_finding(f, (enum side)s);
        finding_add_evidence(d, l->tail_first);
        add_notes(d, f, NOTE_RETRANSMISSION, s, FINDING_EVIDENCE);
        finding_detail_number(d, "retransmissions", l->tail_retries);
        return d;
    }
    return NULL;
}

/* --- resets --- */

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

/* What the sender of the RST cut off, or NULL: all that was asked was answered, and all that was sent had arrived. */
static const char *cut_off(const struct flow *f)
{
    const struct reset_facts *r = &f->reset;
    enum side by = (enum side)r->by, peer = other_side(by);

    if (r->after_fin[CLIENT] && r->after_fin[SERVER] && !r->owed[CLIENT] && !r->owed[SERVER])
        return NULL;
    if (f->app && f->app->closing_only[peer] && (r->data_after_fin || !r->owed[by]))
        return NULL; /* only a TLS close_notify was lost */
    if (r->data_after_fin && r->after_fin[by] && by == CLIENT && !cut_answer(f) && (did_not_wait(f) || only_goodbye(f)))
        return NULL;
    if (r->data_after_fin && r->after_fin[by])
        return peer == CLIENT ? "the client still sent to a server that had closed"
                              : "the server still sent to a client that had closed";
    if (cut_answer(f))
        return "the answer was not complete yet";
    if (by == SERVER && cut_inside_tls(f))
        return "it was in the middle of its encrypted answer";
    if (r->owed[peer])
        return peer == CLIENT ? "the client's data was not acknowledged yet" : "the server was still sending";
    if (r->owed[by])
        return "its own data was not acknowledged yet";
    if (r->last_data == CLIENT && !r->after_fin[CLIENT])
        return "the request was not answered yet";
    if (r->last_data == 2 && by == SERVER)
        return "nothing had been said yet";
    return NULL;
}

static struct finding *injected(const struct flow *f)
{
    const struct half *h = &f->half[f->reset.by];
    int difference = (int)f->reset.ttl - h->ttl;

    if (h->packets < 2 || (difference >= -TTL_SLACK && difference <= TTL_SLACK))
        return NULL;
    struct finding *d =
        finding_new(CODE_RESET_INJECTED, WHERE_PATH,
                    "The RST bears the %s's address and TTL %u; the %s's other packets arrive with TTL %u.",
                    side_name((enum side)f->reset.by), f->reset.ttl, side_name((enum side)f->reset.by), h->ttl);
    d->confidence = f->reset.late ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE;
    finding_detail_number(d, "rst_ttl", f->reset.ttl);
    finding_detail_number(d, "ttl", h->ttl);
    return d;
}

static struct finding *aborted(const struct flow *f, const char *what)
{
    enum side by = (enum side)f->reset.by;
    char end[END_TEXT_SIZE];
    struct finding *d = finding_new(
        by == SERVER ? CODE_RESET_BY_SERVER : CODE_RESET_BY_CLIENT, by == SERVER ? WHERE_SERVER : WHERE_CLIENT,
        "The %s %s resets the connection while %s.", side_name(by), end_text(end, f, by), what);

    d->confidence = f->half[by].packets > 1 && !cut_inside_tls(f) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY;
    return d;
}

/* The TLS handshake failed or was cut: the TLS rules name the cause, the RST is only how it ended. */
static bool told_by_tls(const struct flow *f)
{
    const struct tls_facts *t = f->app ? f->app->tls : NULL;
    return t && t->client_hello && t->outcome != TLS_COMPLETE && t->outcome != TLS_INCOMPLETE;
}

struct finding *rule_reset(const struct flow *f, const struct judge_context *c)
{
    enum handshake_outcome o = flow_handshake(f);
    const char *what;

    (void)c;
    if (told_by_tls(f))
        return NULL;
    if (!f->reset.packet || o == HANDSHAKE_REFUSED || o == HANDSHAKE_RESET || o == HANDSHAKE_UNREACHABLE ||
        o == HANDSHAKE_NO_ANSWER)
        return NULL;
    if (!both_captured(f) || flow_teardown(f) == TEARDOWN_FIN || !(what = cut_off(f)))
        return NULL;

    struct finding *d = NULL;
    if (idle_before(f, f->reset.idle_ns))
        d = idle_finding(f->reset.idle_ns, 0, "is answered with a RST");
    if (!d)
        d = injected(f);
    if (!d)
        d = aborted(f, what);
    finding_add_evidence(d, f->half[CLIENT].last_data_packet < f->reset.packet ? f->half[CLIENT].last_data_packet : 0);
    finding_add_evidence(d, f->half[SERVER].last_data_packet < f->reset.packet ? f->half[SERVER].last_data_packet : 0);
    finding_add_evidence(d, f->reset.packet);
    return d;
}

/* --- no end at all --- */

struct finding *rule_half_close_leak(const struct flow *f, const struct judge_context *c)
{
    char lasted[32];
    enum side closed;

    if (!both_captured(f) || f->reset.packet || flow_teardown(f) != TEARDOWN_HALF_CLOSED ||
        !flow_closed_first(f, &closed))
        return NULL;
    const struct half *open = &f->half[other_side(closed)];
    int64_t since_ns = MAX(f->half[closed].fin_ns, open->last_data_ns);
    if (c->now_ns - since_ns < 60 * NS_PER_S)
        return NULL;
    struct finding *d = finding_new(
        CODE_HALF_CLOSE_LEAK, closed == CLIENT ? WHERE_SERVER : WHERE_CLIENT,
        "The %s closed, the %s acknowledged that and neither sent nor closed for %s: it stays in CLOSE-WAIT.",
        side_name(closed), side_name(other_side(closed)), duration_text(lasted, c->now_ns - since_ns));
    finding_add_evidence(d, f->half[closed].fin_packet);
    finding_add_evidence(d, open->last_packet);
    finding_detail_seconds(d, "idle", c->now_ns - since_ns);
    return d;
}
