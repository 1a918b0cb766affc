#include "base/timens.h"
#include "report/json_parts.h"
#include "report/number.h"

static void end_of(struct json *j, const struct flow *f, enum side s)
{
    json_open_object(j);
    json_member(j, "addr", addr, flow_addr(f, s), f->key.version);
    json_member(j, "port", uint, flow_port(f, s));
    json_close(j);
}

static void both(struct json *j, uint64_t client, uint64_t server)
{
    json_open_object(j);
    json_member(j, "client", uint, client);
    json_member(j, "server", uint, server);
    json_close(j);
}

static void vlans(struct json *j, const struct encap *e)
{
    json_open_array(j);
    for (unsigned i = 0; e && i < e->n_vlans && i < PACKET_VLANS; i++)
        json_write_uint(j, e->vlans[i]);
    json_close(j);
}

/* "vxlan 42", "gre": the id where there is one. */
static void tunnel(struct json *j, const struct tunnel *t)
{
    char text[NUMBER_ROOM * 2];
    size_t n = g_strlcpy(text, tunnel_name(t->kind), NUMBER_ROOM);
    char *end = text + MIN(n, NUMBER_ROOM - 1);

    if (t->id) {
        *end++ = ' ';
        end = number_uint(end, t->id);
    }
    *end = '\0';
    json_write_string(j, text);
}

static void tunnels(struct json *j, const struct encap *e)
{
    json_open_array(j);
    for (unsigned i = 0; e && i < e->n_tunnels && i < PACKET_TUNNELS; i++)
        tunnel(j, &e->tunnels[i]);
    json_close(j);
}

static void offer(struct json *j, const struct tcp_offer *o)
{
    if (!o->seen) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_member(j, "mss", number_or_null, o->mss);
    json_key(j, "wscale");
    if (o->wscale < 0)
        json_write_null(j);
    else
        json_write_uint(j, (uint64_t)o->wscale);
    json_member(j, "sack", bool, o->sack);
    json_member(j, "timestamps", bool, o->timestamps);
    json_member(j, "ecn", bool, o->ecn);
    json_member(j, "fastopen", bool, o->fastopen);
    json_member(j, "mptcp", bool, o->mptcp);
    json_close(j);
}

static void handshake(struct json *j, const struct flow *f)
{
    json_open_object(j);
    json_member(j, "outcome", string, handshake_outcome_name(flow_handshake(f)));
    json_member(j, "syn", uint, f->syns);
    json_member(j, "synack", uint, f->synacks);
    json_member(j, "rtt", seconds, flow_handshake_rtt_ns(f));
    json_member(j, "to_server", seconds, flow_rtt_to_server_ns(f));
    json_member(j, "to_client", seconds, flow_rtt_to_client_ns(f));
    json_key(j, "client");
    offer(j, &f->half[CLIENT].offer);
    json_key(j, "server");
    offer(j, &f->half[SERVER].offer);
    json_close(j);
}

static const char *time_wait_owner(const struct flow *f)
{
    static const char *const owners[] = { NULL, "client", "server", "both" };

    return owners[flow_time_wait(f) & 3];
}

static void teardown(struct json *j, const struct flow *f)
{
    enum side first = CLIENT;
    bool closed = flow_closed_first(f, &first);

    json_open_object(j);
    json_member(j, "outcome", string, teardown_outcome_name(flow_teardown(f)));
    json_member(j, "closed_first", string, closed ? side_name(first) : NULL);
    json_member(j, "reset_by", string, f->reset.packet ? side_name(f->reset.by) : NULL);
    json_member(j, "time_wait", string, time_wait_owner(f));
    json_member(j, "client_state", string, tcp_state_name(f->half[CLIENT].state));
    json_member(j, "server_state", string, tcp_state_name(f->half[SERVER].state));
    json_close(j);
}

static void anomalies(struct json *j, const struct anomalies *a)
{
    json_open_object(j);
    json_member(j, "retransmissions", uint, a->retransmissions);
    json_member(j, "fast_retransmissions", uint, a->fast_retransmissions);
    json_member(j, "spurious_retransmissions", uint, a->spurious_retransmissions);
    json_member(j, "out_of_order", uint, a->out_of_order);
    json_member(j, "duplicate_acks", uint, a->duplicate_acks);
    json_member(j, "lost_segments", uint, a->lost_segments);
    json_member(j, "acked_unseen", uint, a->acked_unseen);
    json_member(j, "zero_windows", uint, a->zero_windows);
    json_member(j, "zero_window_time", seconds, a->zero_window_ns);
    json_member(j, "window_full", uint, a->window_full);
    json_member(j, "keep_alives", uint, a->keep_alives);
    json_member(j, "capture_duplicates", uint, a->capture_duplicates);
    json_member(j, "zero_window_probes", uint, a->zero_window_probes);
    json_member(j, "window_updates", uint, a->window_updates);
    json_member(j, "bad_checksums", uint, a->bad_checksums);
    json_close(j);
}

/* What nearly every connection has, in one piece. */
#define NONE_OF_SIDE \
    "{\"retransmissions\":0,\"fast_retransmissions\":0,\"spurious_retransmissions\":0,\"out_of_order\":0," \
    "\"duplicate_acks\":0,\"lost_segments\":0,\"acked_unseen\":0,\"zero_windows\":0,\"zero_window_time\":0.0," \
    "\"window_full\":0,\"keep_alives\":0,\"capture_duplicates\":0,\"zero_window_probes\":0,\"window_updates\":0," \
    "\"bad_checksums\":0}"
#define NONE "{\"client\":" NONE_OF_SIDE ",\"server\":" NONE_OF_SIDE "},"

static void both_anomalies(struct json *j, const struct flow *f)
{
    if (!f->trouble) {
        json_put(j, NONE, sizeof NONE - 1);
        return;
    }
    json_open_object(j);
    json_key(j, "client");
    anomalies(j, flow_anomalies(f, CLIENT));
    json_key(j, "server");
    anomalies(j, flow_anomalies(f, SERVER));
    json_close(j);
}

static void rtt(struct json *j, const struct minmax *m)
{
    bool known = m->samples > 0;

    json_open_object(j);
    json_member(j, "min", seconds, known ? m->min_ns : TIME_NONE);
    json_member(j, "avg", seconds, known ? minmax_mean_ns(m) : TIME_NONE);
    json_member(j, "max", seconds, known ? m->max_ns : TIME_NONE);
    json_member(j, "samples", uint, m->samples);
    json_close(j);
}

/* What both ends have: how they are called, what they sent, how it fared. */
static void identity(struct json *j, const struct flow *f)
{
    json_member(j, "id", uint, f->id);
    json_member(j, "ip", uint, f->key.version);
    json_key(j, "vlan");
    vlans(j, f->encap);
    json_key(j, "client");
    end_of(j, f, CLIENT);
    json_key(j, "server");
    end_of(j, f, SERVER);
    json_member(j, "role_basis", string, role_basis_name(f->role_basis));
    json_member(j, "first", time, f->first_ns);
    json_member(j, "last", time, f->last_ns);
    json_member(j, "duration", seconds, f->last_ns - f->first_ns);
    json_key(j, "packets");
    both(j, f->half[CLIENT].packets, f->half[SERVER].packets);
    json_key(j, "bytes");
    both(j, f->half[CLIENT].bytes, f->half[SERVER].bytes);
}

static void measured(struct json *j, const struct flow *f)
{
    json_key(j, "anomalies");
    both_anomalies(j, f);
    json_key(j, "rtt");
    json_open_object(j);
    json_key(j, "client");
    rtt(j, &f->half[CLIENT].rtt);
    json_key(j, "server");
    rtt(j, &f->half[SERVER].rtt);
    json_close(j);
}

void json_flow_members(struct json *j, const struct judged_flow *judged)
{
    const struct flow *f = judged->flow;

    identity(j, f);
    json_key(j, "handshake");
    handshake(j, f);
    json_key(j, "teardown");
    teardown(j, f);
    json_member(j, "conn_state", string, flow_conn_state(f));
    json_member(j, "history", string, f->history);
    json_member(j, "completeness", uint, f->completeness);
    measured(j, f);
    json_key(j, "app");
    json_app(j, f->app);
    json_key(j, "findings");
    json_findings(j, judged->judgement.others);
    json_key(j, "verdict");
    json_finding(j, judgement_verdict(&judged->judgement));
    if (judged->judgement.ledger) {
        json_key(j, "ledger");
        json_ledger(j, judged->judgement.ledger);
    }
    json_key(j, "tunnel");
    tunnels(j, f->encap);
    json_member(j, "previous", number_or_null, f->previous);
}
