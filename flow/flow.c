#include "flow/flow.h"

#include "flow/track.h"
#include "flow/zeek.h"

#define NAME(names, value) ((size_t)(value) < G_N_ELEMENTS(names) ? (names)[value] : NULL)

const char *tcp_state_name(enum tcp_state s)
{
    static const char *const names[] = {
        [STATE_LISTEN] = "LISTEN",           [STATE_SYN_SENT] = "SYN-SENT",     [STATE_SYN_RECEIVED] = "SYN-RECEIVED",
        [STATE_ESTABLISHED] = "ESTABLISHED", [STATE_FIN_WAIT_1] = "FIN-WAIT-1", [STATE_FIN_WAIT_2] = "FIN-WAIT-2",
        [STATE_CLOSE_WAIT] = "CLOSE-WAIT",   [STATE_CLOSING] = "CLOSING",       [STATE_LAST_ACK] = "LAST-ACK",
        [STATE_TIME_WAIT] = "TIME-WAIT",     [STATE_CLOSED] = "CLOSED",
    };
    return NAME(names, s);
}

const char *role_basis_name(enum role_basis b)
{
    static const char *const names[] = { "syn", "synack", "port", "first_packet" };
    return NAME(names, b);
}

const char *handshake_outcome_name(enum handshake_outcome o)
{
    static const char *const names[] = { "complete", "no_answer", "refused",   "unreachable", "unfinished",
                                         "reset",    "half_seen", "midstream", "simultaneous" };
    return NAME(names, o);
}

const char *teardown_outcome_name(enum teardown_outcome o)
{
    static const char *const names[] = { "none", "fin", "half_closed", "fin_unacked", "reset" };
    return NAME(names, o);
}

const struct addr *flow_addr(const struct flow *f, enum side s)
{
    return (s == CLIENT) == f->client_is_high ? &f->key.high : &f->key.low;
}

uint16_t flow_port(const struct flow *f, enum side s)
{
    return (s == CLIENT) == f->client_is_high ? f->key.high_port : f->key.low_port;
}

const struct anomalies *flow_anomalies(const struct flow *f, enum side s)
{
    static const struct anomalies none;
    return f->trouble ? &f->trouble->anomalies[s] : &none;
}

const struct losses *flow_losses(const struct flow *f, enum side s)
{
    static const struct losses none;
    return f->trouble ? &f->trouble->losses[s] : &none;
}

uint32_t flow_icmp_kept(const struct flow *f)
{
    return f->trouble ? MIN(f->trouble->n_icmp, FLOW_ICMP_KEPT) : 0;
}

uint32_t flow_headers(const struct flow *f)
{
    return f->key.version == 6 ? 60 : 40;
}

/* A SYN and no SYN-ACK in the capture: what came instead? */
static enum handshake_outcome without_synack(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT], *s = &f->half[SERVER];

    if (c->packets > f->syns && c->state >= STATE_ESTABLISHED &&
        !(f->reset.packet && f->reset.by == CLIENT && c->packets == f->syns + 1))
        return HANDSHAKE_HALF_SEEN; /* the client went on: it had the SYN-ACK that is not here */
    if (f->reset.packet && f->reset.by == SERVER)
        return HANDSHAKE_REFUSED;
    if (s->packets > (s->rst ? 1u : 0u))
        return HANDSHAKE_HALF_SEEN;
    if (f->trouble && f->trouble->n_icmp && f->trouble->icmp[0].about == CLIENT)
        return HANDSHAKE_UNREACHABLE;
    return HANDSHAKE_NO_ANSWER;
}

enum handshake_outcome flow_handshake(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT];

    if (f->simultaneous)
        return HANDSHAKE_SIMULTANEOUS;
    if (f->syns == 0 && f->synacks == 0)
        return HANDSHAKE_MIDSTREAM;
    if (f->synacks == 0)
        return without_synack(f);
    if (f->syns == 0)
        return c->packets == 0 ? HANDSHAKE_HALF_SEEN : HANDSHAKE_MIDSTREAM;
    if (f->ack_packet)
        return HANDSHAKE_COMPLETE;
    if (f->reset.packet && f->reset.by == CLIENT)
        return HANDSHAKE_RESET;
    if (f->half[SERVER].bytes || f->half[SERVER].state == STATE_ESTABLISHED ||
        c->packets > f->syns + (c->rst ? 1u : 0u))
        return HANDSHAKE_HALF_SEEN;
    return HANDSHAKE_UNFINISHED;
}

enum teardown_outcome flow_teardown(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT], *s = &f->half[SERVER];

    if (c->fin && s->fin && c->fin_acked && s->fin_acked)
        return TEARDOWN_FIN;
    if (f->reset.packet)
        return TEARDOWN_RESET;
    if (c->fin && s->fin)
        return TEARDOWN_FIN_UNACKED;
    if (c->fin || s->fin)
        return (c->fin ? c : s)->fin_acked ? TEARDOWN_HALF_CLOSED : TEARDOWN_FIN_UNACKED;
    return TEARDOWN_NONE;
}

bool flow_closed_first(const struct flow *f, enum side *who)
{
    uint64_t c = f->half[CLIENT].fin_packet, s = f->half[SERVER].fin_packet;

    if (!c && !s)
        return false;
    *who = !s || (c && c < s) ? CLIENT : SERVER;
    return true;
}

unsigned flow_time_wait(const struct flow *f)
{
    unsigned owners = 0;

    for (int s = CLIENT; s <= SERVER; s++)
        if (f->half[s].state == STATE_TIME_WAIT)
            owners |= 1u << s;
    return owners;
}

static int64_t between(int64_t from_ns, int64_t to_ns)
{
    return from_ns == TIME_NONE || to_ns == TIME_NONE ? TIME_NONE : to_ns - from_ns;
}

int64_t flow_handshake_rtt_ns(const struct flow *f)
{
    return f->synack_packet ? between(f->syn_ns, f->ack_ns) : TIME_NONE;
}

int64_t flow_rtt_to_server_ns(const struct flow *f)
{
    return between(f->syn_ns, f->synack_ns);
}

int64_t flow_rtt_to_client_ns(const struct flow *f)
{
    return between(f->synack_last_ns, f->ack_ns);
}

const char *flow_conn_state(const struct flow *f)
{
    return zeek_conn_state(f);
}

static void trouble_free(struct trouble *t)
{
    if (!t)
        return;
    if (t->notes)
        g_array_free(t->notes, TRUE);
    g_free(t);
}

void flow_free(struct flow *f)
{
    if (!f)
        return;
    track_free(f->track);
    trouble_free(f->trouble);
    g_free(f->encap);
    app_facts_free(f->app);
    if (f->log)
        g_array_free(f->log, TRUE);
    g_free(f);
}
