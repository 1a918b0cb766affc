#include "flow/tracker.h"

#include "base/limits.h"
#include "base/seq.h"
#include "dissect/certs.h"
#include "flow/classify.h"
#include "flow/hosts.h"
#include "flow/lookups.h"
#include "flow/state.h"
#include "flow/table.h"
#include "flow/trouble.h"
#include "flow/view.h"
#include "flow/zeek.h"

struct tracker {
    struct tracker_hooks hooks;
    struct flow_table *table;
    struct lookups *lookups;
    struct neighbors *neighbors;
    struct certs *certs;
    struct hosts *hosts;
    struct stream_budget budget;
    int64_t now_ns;
    bool redirects; /* a redirect was seen */
    int64_t next_expiry_ns;
    unsigned since_expiry; /* packets */
    int64_t next_sweep_ns; /* over live flows; TIME_NONE: at once */
    unsigned looks;        /* at live flows, of this sweep */
    uint64_t tcp_packets, quic_packets, log_flow;
};

/* How often the table is looked through: by capture time, and by packets where many flows begin at once. */
#define EXPIRY_NS (NS_PER_S / 10)
#define EXPIRY_PACKETS 256

void track_clear(struct track *t)
{
    for (int s = CLIENT; s <= SERVER; s++) {
        ranges_clear(&t->half[s].seen);
        rtt_clear(&t->half[s].rtt);
        if (t->half[s].stream.pending)
            g_tree_unref(t->half[s].stream.pending);
        t->half[s].stream.pending = NULL;
    }
    app_free(t->app);
    t->app = NULL;
}

void track_free(struct track *t)
{
    if (t)
        track_clear(t);
    g_free(t);
}

/* --- who is who --- */

/* Ports that servers listen on though they lie above 1023. */
static bool service_port(uint16_t port)
{
    static const uint16_t ports[] = { 1080, 1433, 1521, 1723, 1883, 2049, 3000, 3128, 3306, 3389,  5000,
                                      5060, 5222, 5432, 5672, 5900, 6379, 6443, 6667, 8000, 8008,  8080,
                                      8081, 8443, 8883, 8888, 9000, 9090, 9092, 9200, 9418, 11211, 27017 };

    if (port < 1024)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* Of a connection that was met in the middle: 1 the source is the server, 0 the destination is, -1 the ports do not
 * tell. */
static int server_by_port(uint16_t sport, uint16_t dport)
{
    bool source = service_port(sport), destination = service_port(dport);

    if (source != destination)
        return source;
    if ((sport < 1024) != (dport < 1024))
        return sport < 1024;
    if ((sport >= 32768) != (dport >= 32768)) /* the ephemeral ports of Linux begin at 32768, RFC 6335's at 49152 */
        return sport < 32768;
    return -1;
}

/* Decides the roles from the first packet and says whether its sender is the client. */
static bool sender_is_client(struct flow *f, const struct tcp_facts *tcp)
{
    if (tcp->flags & TCP_SYN && !(tcp->flags & TCP_RST)) {
        f->role_basis = tcp->flags & TCP_ACK ? ROLE_SYNACK : ROLE_SYN;
        return f->role_basis == ROLE_SYN;
    }
    int server = server_by_port(tcp->sport, tcp->dport);
    f->role_basis = server < 0 ? ROLE_FIRST_PACKET : ROLE_PORT;
    return server != 1;
}

static void start_half(struct flow *f, enum side s)
{
    rtt_init(&f->track->half[s].rtt);
    f->half[s].offer.wscale = -1;
    f->half[s].first_data_ns = f->half[s].last_data_ns = f->half[s].last_ns = f->half[s].fin_ns = TIME_NONE;
}

static bool has_layers(const struct encap *e)
{
    return e->n_vlans || e->n_tunnels;
}

/* One number for the VLANs and tunnels around a packet; 0: none. */
static uint32_t layers_of(const struct encap *e)
{
    uint32_t h = 2166136261u;

    if (!has_layers(e))
        return 0;
    for (int i = 0; i < e->n_vlans; i++)
        h = (h ^ e->vlans[i]) * 16777619u;
    for (int i = 0; i < e->n_tunnels; i++)
        h = ((h ^ e->tunnels[i].kind) * 16777619u ^ e->tunnels[i].id) * 16777619u;
    return h | 1;
}

/* Where the flow of a packet that is about to be taken is found. */
struct coming {
    struct flow_key key;
    uint32_t layers;
    bool low_is_src;
    struct flow *flow; /* to be fetched ahead; not to be believed once a packet was taken */
};

static struct flow *new_flow(struct tracker *t, const struct packet *p, const struct coming *c, uint64_t previous,
                             bool twin)
{
    struct flow *f = flow_table_add(t->table, &c->key, c->layers, twin, t->now_ns);
    bool from_client = sender_is_client(f, &p->tcp);

    f->client_is_high = from_client != c->low_is_src;
    f->first_ns = p->ts_ns;
    f->last_ns = p->ts_ns;
    f->previous = previous;
    f->reused_ports = previous != 0;
    f->syn_ns = f->synack_ns = f->synack_last_ns = f->ack_ns = f->reset.ts_ns = f->reset.answers_ns =
        f->reset.host_rtt_ns = f->asked_ns = TIME_NONE;
    f->reset.last_data = 2;
    start_half(f, CLIENT);
    start_half(f, SERVER);
    if (!from_client)
        zeek_flipped(f);
    if (has_layers(&p->encap)) {
        f->encap = g_new(struct encap, 1);
        *f->encap = p->encap;
    }
    if (f->id == t->log_flow)
        f->log = g_array_new(FALSE, FALSE, sizeof(struct log_entry));
    if (t->hooks.moment)
        t->hooks.moment(t->hooks.user, f, FLOW_OPENED, &f->told);
    return f;
}

static enum side side_of(const struct flow *f, bool low_is_src)
{
    return low_is_src != f->client_is_high ? CLIENT : SERVER;
}

/* Whether this SYN or SYN-ACK begins another connection between the same ports: another initial number, or the same one
 * after the end. */
static bool begins_anew(const struct flow *f, enum side s, const struct tcp_facts *tcp)
{
    const struct track_half *h = &f->track->half[s];
    bool over = f->half[CLIENT].fin || f->half[SERVER].fin || f->reset.packet;
    bool other_number = h->isn_known && tcp->seq != f->half[s].isn;

    if (!(tcp->flags & TCP_SYN) || tcp->flags & TCP_RST)
        return false;
    if (tcp->flags & TCP_ACK) /* a SYN that two servers answer is one attempt */
        return other_number && (over || !f->syns);
    return other_number || (over && f->synacks && f->syns);
}

/* The connection is alive and the packet comes in other layers: the same addresses in another network. */
static bool is_twin(const struct flow *f, uint32_t layers)
{
    return f->layers != layers && layers && !f->half[CLIENT].fin && !f->half[SERVER].fin && !f->reset.packet;
}

/* TIME-WAIT lasts two maximum segment lifetimes: 4 minutes in RFC 9293, 1 in Linux. */
#define TIME_WAIT_NS (240 * NS_PER_S)

static struct flow *flow_of(struct tracker *t, const struct packet *p, const struct coming *c, enum side *side)
{
    bool twin = false, waits = false;
    uint64_t previous = 0;
    struct flow *f = flow_table_find(t->table, &c->key, c->layers);

    if (f && begins_anew(f, side_of(f, c->low_is_src), &p->tcp)) {
        twin = is_twin(f, c->layers);
        if (!twin) {
            previous = f->id;
            waits = f->half[SERVER].state == STATE_TIME_WAIT && p->ts_ns - f->last_ns <= TIME_WAIT_NS;
            twin = f->key.layers != 0; /* what follows a twin takes its place beside the other one */
            flow_table_remove(t->table, f);
        }
        f = NULL;
    }
    if (!f) {
        f = new_flow(t, p, c, previous, twin);
        f->reuses_time_wait = waits;
    }
    *side = side_of(f, c->low_is_src);
    return f;
}

/* --- the handshake --- */

static void read_offer(struct half *h, const struct packet *p)
{
    const struct tcp_facts *tcp = &p->tcp;
    const struct tcp_options *o = &tcp->opt;
    uint16_t ecn = tcp->flags & (TCP_ECE | TCP_CWR);

    h->offer = (struct tcp_offer){
        .seen = true,
        .cut = o->present & TCPOPT_CUT,
        .sack = o->present & TCPOPT_HAS_SACK_OK,
        .timestamps = o->present & TCPOPT_HAS_TIMESTAMPS,
        .fastopen = o->present & TCPOPT_HAS_FASTOPEN,
        .mptcp = o->present & TCPOPT_HAS_MPTCP,
        .ecn = tcp->flags & TCP_ACK ? ecn == TCP_ECE : ecn == (TCP_ECE | TCP_CWR),
        .wscale = o->present & TCPOPT_HAS_WSCALE ? (int8_t)MIN(o->wscale, 127) : -1,
        .mss = o->present & TCPOPT_HAS_MSS ? o->mss : 0,
        .window = tcp->window,
        .dscp = p->ip.dscp,
    };
}

static void note_syn(struct flow *f, const struct segment *s)
{
    f->syns++;
    if (!f->first_syn_packet)
        f->first_syn_packet = s->packet->number;
    if (!f->synack_packet) { /* the last transmission before the answer */
        f->syn_packet = s->packet->number;
        f->syn_ns = s->ts_ns;
    }
}

static void note_synack(struct flow *f, const struct segment *s)
{
    f->synacks++;
    if (!f->synack_packet) {
        f->synack_packet = s->packet->number;
        f->synack_ns = s->ts_ns;
    }
    if (!f->ack_packet)
        f->synack_last_ns = s->ts_ns;
}

static void watch_handshake(struct flow *f, const struct segment *s)
{
    if (s->flags & TCP_SYN) {
        if (s->flags & (TCP_RST | TCP_FIN))
            return;
        read_offer(&f->half[s->side], s->packet);
        if (s->flags & TCP_ACK)
            note_synack(f, s);
        else
            note_syn(f, s);
    } else if (!f->ack_packet && s->side == CLIENT && f->synack_packet && s->flags & TCP_ACK && !(s->flags & TCP_RST) &&
               seq_gt(s->tcp->ack, f->half[SERVER].isn)) {
        f->ack_packet = s->packet->number;
        f->ack_ns = s->ts_ns;
    }
}

/* Wireshark's tcp.completeness: SYN 1 (of a connection that begins with it), SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32.
 */
static void completeness(struct flow *f, const struct segment *s, bool first)
{
    uint16_t syn_ack = s->flags & (TCP_SYN | TCP_ACK);

    if (syn_ack == TCP_ACK)
        f->completeness |= s->len ? 8 : 4;
    else if (syn_ack == (TCP_SYN | TCP_ACK))
        f->completeness |= 2;
    else if (first && syn_ack == TCP_SYN)
        f->completeness |= s->len ? 1 | 8 : 1;
    if ((s->flags & (TCP_FIN | TCP_ACK)) == (TCP_FIN | TCP_ACK))
        f->completeness |= 16;
    if (s->flags & TCP_RST)
        f->completeness |= 32;
}

/* --- resets --- */

/* Whether the other end would believe this RST: RFC 9293 section 3.10.7, with room for a capture that missed packets.
 */
static bool reset_counts(const struct flow *f, const struct segment *s)
{
    const struct track_half *rev = &f->track->half[other_side(s->side)];

    if (f->half[s->side].state == STATE_SYN_SENT && s->seq != f->track->half[s->side].next)
        return false; /* RFC 9293 section 3.10.7.3: the answer to an ACK of an old connection; the SYN goes on */
    if (f->half[other_side(s->side)].state == STATE_SYN_SENT)
        return s->flags & TCP_ACK ? s->tcp->ack == rev->next : true;
    if (!rev->ack_known)
        return true;
    uint32_t window = MAX(classify_window(f, other_side(s->side)), 65535);
    return seq_ge(s->seq, rev->highest_ack - 65535) && seq_le(s->seq, rev->highest_ack + window);
}

uint32_t track_unacked(const struct flow *f, enum side s)
{
    const struct track_half *mine = &f->track->half[s], *peer = &f->track->half[other_side(s)];

    if (!mine->seq_known)
        return 0;
    if (!peer->ack_known)
        return mine->next - mine->seen.edge; /* the other direction is not in the capture: nothing is known */
    return seq_gt(mine->next, peer->highest_ack) ? mine->next - peer->highest_ack : 0;
}

/* Sent so long ago, and not again: it was acknowledged by a packet that the capture does not hold (RFC 6298: the first
 * time-out is 1 s). */
#define REPEATED_BY_THEN_NS (3 * NS_PER_S)

/* Whether that side waits for an acknowledgement of more than its FIN. */
static bool owed(const struct flow *f, enum side s, int64_t now_ns)
{
    const struct half *h = &f->half[s];

    if (track_unacked(f, s) <= (h->fin && !h->fin_acked ? 1 : 0))
        return false;
    return h->last_data_ns == TIME_NONE || now_ns - h->last_data_ns < REPEATED_BY_THEN_NS ||
           f->track->half[s].tail_retries;
}

/* Packets that one sender sends within so short a time may change places. */
#define REORDERED_NS (3 * NS_PER_MS)

/* New data or a FIN from the end that had reset the connection: the RST was not its own. */
static bool speaks_on(const struct flow *f, const struct segment *s)
{
    return s->side == f->reset.by && !(s->flags & TCP_RST) && (s->new_bytes || s->flags & TCP_FIN) &&
           seq_gt(s->end, f->reset.seq) && s->ts_ns - f->reset.ts_ns > REORDERED_NS;
}

static bool watch_reset(struct flow *f, const struct segment *s)
{
    if (f->reset.packet) {
        f->reset.spoke_on |= speaks_on(f, s);
        return false;
    }
    if (!(s->flags & TCP_RST) || !reset_counts(f, s))
        return false;
    f->reset.packet = s->packet->number;
    f->reset.ts_ns = s->ts_ns;
    f->reset.by = (uint8_t)s->side;
    const struct track_half *other = &f->track->half[other_side(s->side)];
    f->reset.idle_ns = other->tail_first ? other->tail_idle_ns : 0;
    f->reset.ttl = s->packet->ip.ttl;
    f->reset.seq = s->seq;
    if (s->flags & TCP_ACK && f->track->half[s->side].seq_known && f->half[s->side].packets)
        f->reset.ahead = (uint32_t)MAX(seq_diff(s->seq, f->track->half[s->side].seen.edge), 0);
    if (s->flags & TCP_ACK && other->seq_known && s->tcp->ack == other->next && other->next_len)
        f->reset.answers_ns = s->ts_ns - other->next_ns;
    for (int e = CLIENT; e <= SERVER; e++) {
        f->reset.after_fin[e] = f->half[e].fin;
        f->reset.owed[e] = owed(f, (enum side)e, s->ts_ns);
    }
    if (s->flags & TCP_ACK && other->seq_known && seq_ge(s->tcp->ack, other->next))
        f->reset.owed[other_side(s->side)] = false; /* the RST itself acknowledges all that came */
    return true;
}

static void watch_last_data(struct flow *f, const struct segment *s)
{
    if (s->flags & TCP_FIN && s->side == CLIENT && f->half[CLIENT].fin_packet == s->packet->number)
        f->reset.asked_at_fin = f->asked_ns != TIME_NONE || s->new_bytes;
    if (!s->len || f->reset.packet)
        return;
    f->reset.last_data = (uint8_t)s->side;
    if (f->half[other_side(s->side)].fin && !f->half[s->side].fin) {
        f->reset.data_after_fin = true;
        f->reset.bytes_after_fin += s->new_bytes;
    }
}

/* --- counting --- */

static uint64_t wire_segments(const struct flow *f, const struct segment *s)
{
    uint16_t mss = f->half[other_side(s->side)].offer.mss;

    if (s->len <= 1460 || mss == 0)
        return s->len > 1460 ? (s->len + 1459) / 1460 : 1;
    return (s->len + mss - 1) / mss;
}

/* The client is closing, by FIN or by TLS' closing alert: what the server says then is a goodbye, or the rules look at
 * what it was. */
static bool says_goodbye(const struct flow *f)
{
    const struct app *app = f->track->app;
    return f->half[CLIENT].fin || (app && app_facts(app)->closing_only[CLIENT]);
}

/* Since when the client waits for an answer. */
static void note_question(struct flow *f, const struct segment *s)
{
    if (s->side == SERVER) {
        if (f->asked_ns != TIME_NONE && !says_goodbye(f))
            f->asked_ns = TIME_NONE;
    } else if (f->asked_ns == TIME_NONE && s->new_bytes) {
        f->asked_ns = s->ts_ns;
        f->asked_packet = s->packet->number;
        f->asked_again = 0;
    } else if (s->new_bytes && s->ts_ns - f->half[CLIENT].last_data_ns >= NS_PER_S) {
        f->asked_again++;
    }
}

static void count_half(struct flow *f, const struct segment *s)
{
    struct half *h = &f->half[s->side];

    if (h->packets++ == 0) {
        h->first_packet = s->packet->number;
        h->ttl = s->packet->ip.ttl;
    }
    h->last_packet = s->packet->number;
    h->last_ns = s->ts_ns;
    if (!(s->flags & TCP_RST)) {
        h->ttl_varies |= h->ttl_last && h->ttl_last != s->packet->ip.ttl;
        h->ttl_last = s->packet->ip.ttl;
    }
    h->bytes += s->new_bytes;
    h->rst |= (s->flags & TCP_RST) != 0;
    if (s->len && !(s->anomaly & ANOMALY_KEEP_ALIVE)) {
        note_question(f, s);
        h->segments += wire_segments(f, s);
        h->last_data_packet = s->packet->number;
        h->last_data_ns = s->ts_ns;
        if (!h->first_data_packet) {
            h->first_data_packet = s->packet->number;
            h->first_data_ns = s->ts_ns;
        }
    }
}

/* A SYN begins this direction's numbers, whatever was guessed from packets of an older connection. */
static void restart_numbers(struct track_half *fwd, struct track_half *rev)
{
    ranges_clear(&fwd->seen);
    rtt_clear(&fwd->rtt);
    fwd->seq_known = false;
    rev->ack_known = false;
}

/* The numbers that relative ones are counted from: the SYN's; of a flow met in the middle one below the first seen. */
static void learn_isn(struct flow *f, const struct segment *s)
{
    struct track_half *fwd = &f->track->half[s->side], *rev = &f->track->half[other_side(s->side)];
    bool syn = s->flags & TCP_SYN && (!f->half[s->side].offer.seen || (s->flags & TCP_ACK && !f->ack_packet));

    if (syn && fwd->isn_known && f->half[s->side].isn != s->seq)
        restart_numbers(fwd, rev);
    if (!fwd->isn_known || syn) {
        f->half[s->side].isn = s->flags & TCP_SYN ? s->seq : s->seq - 1;
        fwd->isn_known = true;
    }
    if (!rev->isn_known && s->flags & TCP_ACK) {
        f->half[other_side(s->side)].isn = s->tcp->ack - 1;
        rev->isn_known = true;
    }
}

static void log_packet(struct flow *f, const struct segment *s)
{
    if (f->log->len >= LIMIT_LOG)
        return;
    struct log_entry e = {
        .packet = s->packet->number,
        .ts_ns = s->ts_ns,
        .seq = s->seq - f->half[s->side].isn,
        .ack = s->flags & TCP_ACK ? s->tcp->ack - f->half[other_side(s->side)].isn : 0,
        .len = s->len,
        .flags = s->flags,
        .side = (uint8_t)s->side,
        .window = classify_window(f, s->side),
        .anomaly = s->anomaly,
        .state = { f->half[CLIENT].state, f->half[SERVER].state },
    };
    g_array_append_val(f->log, e);
}

/* --- bytes for the application layer --- */

/* Where the SYN was seen, the stream begins behind it, whatever segment comes first. */
static void stream_start(struct stream *stream, const struct flow *f, enum side s)
{
    if (stream->started || !f->half[s].offer.seen)
        return;
    stream->started = true;
    stream->next = f->half[s].isn + 1;
}

static void feed_app(struct tracker *t, struct flow *f, const struct segment *s)
{
    struct track *k = f->track;
    struct app_bytes bytes = { s->side, s->tcp->payload, s->ts_ns, s->packet->number };
    struct stream *other = &k->half[other_side(s->side)].stream;

    if (k->app_done || (!s->len && !other->pending))
        return;
    if (s->len && !(s->flags & TCP_RST) && !(s->anomaly & ANOMALY_KEEP_ALIVE)) {
        if (!k->app) {
            k->app = app_new(flow_port(f, SERVER));
            app_share(k->app, t->certs);
        }
        stream_start(&k->half[s->side].stream, f, s->side);
        if (app_wants(k->app, s->side))
            stream_segment(&k->half[s->side].stream, k->app, &t->budget, s->seq + (s->flags & TCP_SYN ? 1 : 0), s->len,
                           &bytes);
    }
    if (!k->app)
        return;
    if (other->pending && s->flags & TCP_ACK) {
        bytes.from = other_side(s->side);
        stream_acked(other, k->app, &t->budget, s->tcp->ack, &bytes);
    }
    t->redirects = t->redirects || app_facts(k->app)->redirects;
}

/* Bytes of side s that the other end acknowledged and the capture does not hold, behind all that it holds. */
static void tell_tail_gap(struct flow *f, enum side s, const struct app_bytes *now)
{
    struct track_half *mine = &f->track->half[s], *peer = &f->track->half[other_side(s)];

    stream_start(&mine->stream, f, s);
    if (!mine->stream.started || !peer->ack_known || !app_wants(f->track->app, s))
        return;
    int32_t missing = seq_diff(peer->highest_ack - (f->half[s].fin_acked ? 1 : 0), mine->stream.next);
    if (missing > 0)
        app_gap(f->track->app, s, (uint64_t)missing, now->ts_ns, now->packet);
}

static void end_app(struct tracker *t, struct flow *f)
{
    struct track *k = f->track;

    if (k->app_done)
        return;
    for (int s = CLIENT; s <= SERVER; s++) {
        struct app_bytes now = { (enum side)s, { NULL, 0 }, f->last_ns, f->half[s].last_packet };
        stream_end(&k->half[s].stream, k->app, &t->budget, &now);
        if (k->app)
            tell_tail_gap(f, (enum side)s, &now);
    }
    if (!k->app)
        return;
    for (int s = CLIENT; s <= SERVER; s++) {
        const struct half *h = &f->half[s];
        enum app_ending how = h->fin ? APP_END_FIN : f->reset.packet ? APP_END_RST : APP_END_CAPTURE;
        int64_t end_ns = h->fin ? h->fin_ns : f->reset.packet ? f->reset.ts_ns : h->last_ns;
        app_end(k->app, (enum side)s, how, end_ns != TIME_NONE ? end_ns : f->last_ns);
    }
    f->app = app_finish(k->app);
    lookups_tcp(t->lookups, f);
    k->app = NULL;
    k->app_done = true;
}

/* Adds up what is only known at the end and frees the working memory. Done when a flow closes, while it is warm in the
 * cache; a straggler makes it necessary once more. */
static void finish(struct tracker *t, struct flow *f, bool no_byte_can_follow)
{
    if (no_byte_can_follow)
        end_app(t, f);
    trouble_finish(f);
    for (int s = CLIENT; s <= SERVER; s++)
        f->half[s].unacked = track_unacked(f, (enum side)s);
    if (f->track->app_done)
        track_clear(f->track);
    f->track->finished = f->track->app_done;
}

/* --- live: flows that are still followed --- */

/* At most so many flows are looked at in one sweep: a flood of them must not keep us from the packets. */
#define LOOKS 2000
/* How long a sweep earns rest for each flow that it went past, which takes it a few hundredths of a microsecond. */
#define SWEEP_NS (50 * NS_PER_US)
/* A packet that was captured may be handed over a little later than the clock says. */
#define LATE_NS NS_PER_S

static void show(struct tracker *t, struct flow *f, enum flow_moment moment)
{
    struct view view;

    if (f->track->finished) { /* all is added up already */
        t->hooks.moment(t->hooks.user, f, moment, &f->told);
        return;
    }
    view_open(&view, f, t->now_ns);
    t->hooks.moment(t->hooks.user, &view.flow, moment, &f->told);
    view_close(&view);
}

/* flow_table_visit_fn. A flow without news is looked at ever more seldom. */
static bool look(void *user, struct flow *f)
{
    struct tracker *t = user;

    if (t->now_ns < f->track->look_ns || !view_worthwhile(f, t->now_ns))
        return true;
    show(t, f, FLOW_WAITS);
    f->track->look_ns = t->now_ns + MAX(NS_PER_S, (t->now_ns - f->last_ns) / 4);
    return ++t->looks < LOOKS;
}

void tracker_clock(struct tracker *t, int64_t now_ns)
{
    int64_t settled_ns = now_ns - LATE_NS;

    t->now_ns = MAX(t->now_ns, now_ns);
    flow_table_expire(t->table, settled_ns);
    lookups_expire(t->lookups, settled_ns);
    if (!t->hooks.moment || now_ns < t->next_sweep_ns)
        return;
    t->looks = 0;
    t->next_sweep_ns = now_ns + (int64_t)flow_table_open(t->table) * SWEEP_NS;
    flow_table_visit(t->table, look, t);
}

/* --- one packet --- */

static void settle_queue(struct tracker *t, struct flow *f)
{
    enum flow_queue queue = QUEUE_OPEN;

    if (f->queue == QUEUE_OPEN && !f->half[CLIENT].fin && !f->half[SERVER].fin && !f->reset.packet)
        return;
    if (flow_teardown(f) == TEARDOWN_FIN || f->reset.packet)
        queue = QUEUE_LINGERING;
    else if (f->half[CLIENT].state < STATE_ESTABLISHED && f->half[SERVER].state < STATE_ESTABLISHED)
        queue = QUEUE_EMBRYONIC;
    if (queue == QUEUE_LINGERING && f->queue != QUEUE_LINGERING) {
        finish(t, f, flow_teardown(f) == TEARDOWN_FIN);
        if (t->hooks.moment)
            show(t, f, FLOW_OVER);
    }
    flow_table_queue(t->table, f, queue, t->now_ns);
}

static void take_segment(struct tracker *t, struct flow *f, struct segment *s)
{
    bool first = f->half[CLIENT].packets + f->half[SERVER].packets == 0;
    uint32_t edge = f->track->half[other_side(s->side)].seen.edge;

    learn_isn(f, s);
    zeek_segment(f, s);
    classify_segment(f, s);
    if (s->anomaly & ANOMALY_ACKED_UNSEEN && f->track->half[other_side(s->side)].seen.edge != edge &&
        !(s->flags & TCP_FIN))
        zeek_gap(f, other_side(s->side));
    watch_handshake(f, s);
    if (s->packet->number == f->synack_packet)
        hosts_saw(t->hosts, flow_addr(f, SERVER), f->key.version, s->packet->ip.ttl, flow_rtt_to_server_ns(f));
    completeness(f, s, first);
    state_segment(f, s, watch_reset(f, s));
    watch_last_data(f, s);
    count_half(f, s);
    trouble_segment(f, s);
    feed_app(t, f, s);
    if (f->log)
        log_packet(f, s);
    if (t->hooks.segment)
        t->hooks.segment(t->hooks.user, f, s->side, s->packet);
    settle_queue(t, f);
}

static void tcp_packet(struct tracker *t, const struct packet *p, const struct coming *c)
{
    enum side side;
    struct flow *f = flow_of(t, p, c, &side);
    const struct tcp_facts *tcp = &p->tcp;
    uint32_t controls = (tcp->flags & TCP_SYN ? 1u : 0) + (tcp->flags & TCP_FIN ? 1u : 0);
    struct segment s = {
        .packet = p,
        .tcp = tcp,
        .side = side,
        .seq = tcp->seq,
        .end = tcp->seq + tcp->len + controls,
        .len = tcp->len,
        .flags = tcp->flags,
        .ts_ns = p->ts_ns,
        .idle_ns = MAX(p->ts_ns - f->last_ns, 0),
    };

    if (classify_is_duplicate(f, &s)) {
        trouble_duplicate(f, side);
        return;
    }
    f->last_ns = MAX(f->last_ns, p->ts_ns);
    f->track->finished = false;
    take_segment(t, f, &s);
}

/* RFC 8999 section 5.1 and the versions in use: 1, 2, version negotiation, the drafts. */
static bool is_quic(const struct udp_facts *u)
{
    struct cursor c = cursor_of(u->payload);
    uint8_t first = cursor_u8(&c);
    uint32_t version = cursor_u32(&c);

    if (c.failed || (u->sport != 443 && u->dport != 443) || !(first & 0x80))
        return false;
    return version <= 1 || version == 0x6b3343cf || version >> 8 == 0xff0000;
}

static void icmp_packet(struct tracker *t, const struct packet *p)
{
    const struct icmp_facts *i = &p->icmp;

    if (!i->quotes_ports)
        return;
    if (i->quoted_protocol == 6) {
        const struct ends ends = { &i->quoted_src, &i->quoted_dst, i->quoted_sport, i->quoted_dport,
                                   i->quoted_version };
        struct flow_key key;
        bool low_is_src = flow_table_key(t->table, &ends, &key);
        struct flow *f = flow_table_find(t->table, &key, layers_of(&p->encap));
        if (f)
            trouble_icmp(f, side_of(f, low_is_src), p);
    } else if (i->quoted_protocol == 17) {
        lookups_icmp(t->lookups, p);
    }
}

static void expire(struct tracker *t)
{
    if (t->now_ns < t->next_expiry_ns && ++t->since_expiry < EXPIRY_PACKETS && !flow_table_crowded(t->table))
        return;
    flow_table_expire(t->table, t->now_ns);
    t->next_expiry_ns = t->now_ns + EXPIRY_NS;
    t->since_expiry = 0;
}

static void take_packet(struct tracker *t, const struct packet *p, const struct coming *c)
{
    t->now_ns = t->now_ns == TIME_NONE ? p->ts_ns : MAX(t->now_ns, p->ts_ns);
    switch (p->kind) {
    case PACKET_TCP:
        t->tcp_packets++;
        tcp_packet(t, p, c);
        break;
    case PACKET_UDP:
        t->quic_packets += is_quic(&p->udp);
        lookups_udp(t->lookups, p);
        break;
    case PACKET_ICMP_ERROR: icmp_packet(t, p); break;
    case PACKET_NEIGHBOR: neighbors_packet(t->neighbors, p); break;
    case PACKET_UNDECODED:
    case PACKET_OTHER:
    case PACKET_ECHO:
    case PACKET_FRAGMENT: break;
    }
    expire(t);
}

static void expect(const struct tracker *t, const struct packet *p, struct coming *c)
{
    const struct ends ends = { &p->ip.src, &p->ip.dst, p->tcp.sport, p->tcp.dport, p->ip.version };

    c->flow = NULL;
    if (p->kind != PACKET_TCP)
        return;
    c->layers = layers_of(&p->encap);
    c->low_is_src = flow_table_key(t->table, &ends, &c->key);
    flow_table_expect(t->table, &c->key);
}

/* Whether the application layer will be told of it. */
static bool speaks(const struct packet *p)
{
    return p->tcp.len || p->tcp.flags & (TCP_FIN | TCP_RST);
}

/* With thousands of connections taking turns the flow of each packet has left the cache. So what the packets will need
 * is asked for in turns, a step for all of them before the next step, and has come when it is read. */
static void fetch_ahead(const struct tracker *t, const struct packet *p, struct coming *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect(t, &p[i], &c[i]);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (p[i].kind == PACKET_TCP)
            c[i].flow = flow_table_warm(t->table, &c[i].key);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow)
            flow_warm_track(c[i].flow);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow && speaks(&p[i]))
            app_expect(c[i].flow->track->app);
    for (size_t i = 0; n > 1 && i < n; i++)
        if (c[i].flow && speaks(&p[i]) && c[i].flow->track->app)
            app_warm(c[i].flow->track->app);
}

void tracker_packets(struct tracker *t, const struct packet *p, size_t n)
{
    struct coming coming[TRACKER_BATCH];

    for (size_t done = 0, some; done < n; done += some) {
        some = MIN(n - done, TRACKER_BATCH);
        fetch_ahead(t, p + done, coming, some);
        for (size_t i = 0; i < some; i++)
            take_packet(t, &p[done + i], &coming[i]);
    }
}

void tracker_packet(struct tracker *t, const struct packet *p)
{
    tracker_packets(t, p, 1);
}

/* --- the end of a flow --- */

/* A SYN was refused: how the server looks where it accepts. */
static void know_refuser(const struct tracker *t, struct flow *f)
{
    const struct host *h =
        f->reset.packet && !f->synacks ? hosts_find(t->hosts, flow_addr(f, SERVER), f->key.version) : NULL;

    if (!h)
        return;
    f->reset.host_ttl[0] = h->ttl_least;
    f->reset.host_ttl[1] = h->ttl_most;
    f->reset.host_rtt_ns = h->rtt_ns == INT64_MAX ? TIME_NONE : h->rtt_ns;
}

static void flow_leaves(void *user, struct flow *f)
{
    struct tracker *t = user;

    know_refuser(t, f);
    if (!f->track->finished) {
        finish(t, f, true);
        track_clear(f->track); /* of a flow without data finish() leaves it */
    }
    flow_table_recycle(t->table, f->track);
    f->track = NULL;
    t->hooks.flow(t->hooks.user, f);
}

struct tracker *tracker_new(const struct tracker_hooks *hooks, uint64_t log_flow)
{
    struct tracker *t = g_new0(struct tracker, 1);

    t->hooks = *hooks;
    t->now_ns = t->next_expiry_ns = t->next_sweep_ns = TIME_NONE;
    t->log_flow = log_flow;
    t->table = flow_table_new(flow_leaves, t);
    t->lookups = lookups_new(hooks->lookup, hooks->user);
    t->neighbors = neighbors_new();
    t->certs = certs_new();
    t->hosts = hosts_new();
    return t;
}

void tracker_visit_lookups(const struct tracker *t, void (*visit)(void *user, const struct lookup *l), void *user)
{
    lookups_visit(t->lookups, visit, user);
}

void tracker_until(struct tracker *t, int64_t end_ns)
{
    t->now_ns = MAX(t->now_ns, end_ns);
}

void tracker_finish(struct tracker *t)
{
    flow_table_drain(t->table);
    lookups_finish(t->lookups);
}

void tracker_free(struct tracker *t)
{
    if (!t)
        return;
    flow_table_free(t->table);
    lookups_free(t->lookups);
    neighbors_free(t->neighbors);
    certs_free(t->certs);
    hosts_free(t->hosts);
    g_free(t);
}

int64_t tracker_now_ns(const struct tracker *t)
{
    return t->now_ns;
}

const struct neighbors *tracker_neighbors(const struct tracker *t)
{
    return t->neighbors;
}

bool tracker_links(const struct tracker *t)
{
    return t->redirects || lookups_any(t->lookups);
}

uint64_t tracker_open_flows(const struct tracker *t)
{
    return flow_table_open(t->table);
}

uint64_t tracker_tcp_packets(const struct tracker *t)
{
    return t->tcp_packets;
}

uint64_t tracker_quic_packets(const struct tracker *t)
{
    return t->quic_packets;
}

uint64_t tracker_evicted_flows(const struct tracker *t)
{
    return flow_table_evicted(t->table);
}

uint64_t tracker_reassembly_dropped(const struct tracker *t)
{
    return t->budget.dropped;
}
