#include "flow/tracker.h"

#include "base/limits.h"
#include "base/seq.h"
#include "flow/classify.h"
#include "flow/clock.h"
#include "flow/coming.h"
#include "flow/count.h"
#include "flow/feed.h"
#include "flow/handshake.h"
#include "flow/hosts.h"
#include "flow/log.h"
#include "flow/lookups.h"
#include "flow/reset.h"
#include "flow/roles.h"
#include "flow/state.h"
#include "flow/table.h"
#include "flow/trouble.h"
#include "flow/view.h"
#include "flow/zeek.h"

struct tracker {
    struct tracker_hooks hooks;
    struct track *leaving; /* of the flow that is handed out right now; NULL: none is */
    struct flow_table *table;
    struct lookups *lookups;
    struct neighbors *neighbors;
    struct hosts *hosts;
    struct feed feed;
    struct capture_clock clock;
    uint64_t strange_packet, strange_flow; /* the first ones after a time stamp that is not believed yet */
    int64_t next_expiry_ns;
    unsigned since_expiry; /* packets */
    int64_t next_sweep_ns; /* over live flows; TIME_NONE: at once */
    unsigned looks;        /* at live flows, of this sweep */
    uint64_t tcp_packets, quic_packets, log_flow;
};

/* How often the table is looked through: by capture time, and by packets where many flows begin at once. */
#define EXPIRY_NS (NS_PER_S / 10)
#define EXPIRY_PACKETS 256

static struct flow *new_flow(struct tracker *t, const struct packet *p, const struct coming *c, uint64_t previous,
                             bool twin)
{
    struct flow *f = flow_table_add(t->table, &c->key, c->layers, twin, t->clock.now_ns);
    bool from_client = roles_sender_is_client(f, &p->tcp);

    f->client_is_high = from_client != c->low_is_src;
    f->previous = previous;
    f->reused_ports = previous != 0;
    track_begin(f, p->ts_ns);
    if (!from_client)
        zeek_flipped(f);
    if (c->layers) {
        f->encap = g_new(struct encap, 1);
        *f->encap = p->encap;
    }
    if (f->id == t->log_flow)
        log_all(f);
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

/* Adds up what is only known at the end and frees the working memory. Done when a flow closes, while it is warm in the
 * cache; a straggler makes it necessary once more. */
static void finish(struct tracker *t, struct flow *f, bool no_byte_can_follow)
{
    if (no_byte_can_follow && feed_end(&t->feed, f))
        lookups_tcp(t->lookups, f);
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
    view_open(&view, f, t->clock.now_ns);
    t->hooks.moment(t->hooks.user, &view.flow, moment, &f->told);
    view_close(&view);
}

/* flow_table_visit_fn. A flow without news is looked at ever more seldom. */
static bool look(void *user, struct flow *f)
{
    struct tracker *t = user;

    if (t->clock.now_ns < f->track->look_ns || !view_worthwhile(f, t->clock.now_ns))
        return true;
    show(t, f, FLOW_WAITS);
    f->track->look_ns = t->clock.now_ns + MAX(NS_PER_S, (t->clock.now_ns - f->last_ns) / 4);
    return ++t->looks < LOOKS;
}

void tracker_clock(struct tracker *t, int64_t now_ns)
{
    int64_t settled_ns = now_ns - LATE_NS;

    capture_clock_until(&t->clock, now_ns);
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
    flow_table_queue(t->table, f, queue, t->clock.now_ns);
}

/* Somebody reset it: whose the address is. */
static void know_resetter(const struct tracker *t, struct flow *f)
{
    const struct address_claims *claims = neighbors_claims(t->neighbors, flow_addr(f, (enum side)f->reset.by));

    if (claims)
        trouble_of(f)->claims = *claims;
}

static void take_segment(struct tracker *t, struct flow *f, struct segment *s)
{
    bool first = f->half[CLIENT].packets + f->half[SERVER].packets == 0;
    uint32_t edge = f->track->half[other_side(s->side)].seen.edge;

    handshake_numbers(f, s);
    zeek_segment(f, s);
    classify_segment(f, s);
    if (s->anomaly & ANOMALY_ACKED_UNSEEN && f->track->half[other_side(s->side)].seen.edge != edge &&
        !(s->flags & TCP_FIN))
        zeek_gap(f, other_side(s->side));
    handshake_segment(f, s);
    if (s->packet->number == f->synack_packet)
        hosts_saw(t->hosts, flow_addr(f, SERVER), f->key.version, s->packet->ip.ttl, flow_rtt_to_server_ns(f));
    handshake_completeness(f, s, first);
    bool reset = reset_segment(f, s);
    state_segment(f, s, reset);
    reset_last_data(f, s);
    count_segment(f, s);
    log_segment(f, s);
    if (reset) {
        log_keep(f);
        know_resetter(t, f);
    }
    trouble_segment(f, s);
    feed_segment(&t->feed, f, s);
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
        struct flow *f = flow_table_find(t->table, &key, coming_layers(&p->encap));
        if (f)
            trouble_icmp(f, side_of(f, low_is_src), p);
    } else if (i->quoted_protocol == 17) {
        lookups_icmp(t->lookups, p);
    }
}

static void expire(struct tracker *t)
{
    if (t->clock.now_ns < t->next_expiry_ns && ++t->since_expiry < EXPIRY_PACKETS && !flow_table_crowded(t->table))
        return;
    flow_table_expire(t->table, t->clock.now_ns);
    t->next_expiry_ns = t->clock.now_ns + EXPIRY_NS;
    t->since_expiry = 0;
}

/* Lets go of all that began before these, at the time that it was then; from now on it is now_ns. */
static void jump(struct tracker *t, uint64_t flow, uint64_t packet, int64_t now_ns)
{
    flow_table_break(t->table, flow, now_ns);
    lookups_break(t->lookups, packet);
    if (t->hooks.jumped)
        t->hooks.jumped(t->hooks.user);
    capture_clock_set(&t->clock, now_ns);
    t->next_expiry_ns = t->next_sweep_ns = now_ns;
}

static void take_packet(struct tracker *t, const struct packet *p, const struct coming *c)
{
    switch (p->kind) {
    case PACKET_TCP:
        t->tcp_packets++;
        tcp_packet(t, p, c);
        break;
    case PACKET_UDP:
        t->quic_packets += udp_is_quic(&p->udp);
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

/* Where the clock jumped, what began with the packet before already began in the new time. Before that is known, a packet of a
 * connection that goes on is taken as one of the time that it goes on in. */
static void take_timed(struct tracker *t, const struct packet *p, const struct coming *c)
{
    enum clock_news news = capture_clock_packet(&t->clock, p->ts_ns);

    if (news == CLOCK_JUMPED)
        jump(t, t->strange_flow, t->strange_packet, p->ts_ns);
    if (news != CLOCK_STRANGE) {
        take_packet(t, p, c);
        return;
    }
    t->strange_packet = p->number;
    t->strange_flow = flow_table_next_id(t->table);
    struct packet timed = *p;
    if (p->kind == PACKET_TCP && flow_table_find(t->table, &c->key, c->layers))
        timed.ts_ns = t->clock.now_ns;
    take_packet(t, &timed, c);
}

void tracker_packets(struct tracker *t, const struct packet *p, size_t n)
{
    struct coming coming[TRACKER_BATCH];

    for (size_t done = 0, some; done < n; done += some) {
        some = MIN(n - done, TRACKER_BATCH);
        coming_fetch(t->table, p + done, coming, some);
        for (size_t i = 0; i < some; i++)
            take_timed(t, &p[done + i], &coming[i]);
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
    t->leaving = f->track;
    f->track = NULL;
    t->hooks.flow(t->hooks.user, f);
    flow_table_recycle(t->table, g_steal_pointer(&t->leaving));
}

void tracker_complete_log(struct tracker *t, struct flow *f)
{
    log_complete(f, &t->leaving->log);
}

struct tracker *tracker_new(const struct tracker_hooks *hooks, uint64_t log_flow)
{
    struct tracker *t = g_new0(struct tracker, 1);

    t->hooks = *hooks;
    capture_clock_init(&t->clock);
    t->next_expiry_ns = t->next_sweep_ns = TIME_NONE;
    t->log_flow = log_flow;
    t->table = flow_table_new(flow_leaves, t);
    t->lookups = lookups_new(hooks->lookup, hooks->user);
    t->neighbors = neighbors_new();
    t->feed.certs = certs_new();
    t->hosts = hosts_new();
    return t;
}

void tracker_visit_lookups(const struct tracker *t, void (*visit)(void *user, const struct lookup *l), void *user)
{
    lookups_visit(t->lookups, visit, user);
}

void tracker_visit_open(const struct tracker *t, bool (*visit)(void *user, struct flow *f), void *user)
{
    flow_table_visit(t->table, visit, user);
}

void tracker_until(struct tracker *t, int64_t end_ns)
{
    capture_clock_until(&t->clock, end_ns);
}

void tracker_break(struct tracker *t, int64_t now_ns)
{
    jump(t, UINT64_MAX, UINT64_MAX, now_ns);
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
    certs_free(t->feed.certs);
    hosts_free(t->hosts);
    g_free(t);
}

int64_t tracker_now_ns(const struct tracker *t)
{
    return t->clock.now_ns;
}

const struct neighbors *tracker_neighbors(const struct tracker *t)
{
    return t->neighbors;
}

bool tracker_links(const struct tracker *t)
{
    return t->feed.redirects || lookups_any(t->lookups);
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
    return t->feed.budget.dropped;
}
