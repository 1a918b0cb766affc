/* tracker: every packet of a capture, in; every TCP connection, look-up and neighbour request of it, out.
 *
 * A tracker is a value: several can live in a process. It owns what it follows and hands each thing out once, when it is over:
 * a flow when it closed and was quiet for a while, was quiet too long, or the capture ended.
 */
#ifndef TCPSLEUTH_FLOW_TRACKER_H
#define TCPSLEUTH_FLOW_TRACKER_H

#include "dissect/packet.h"
#include "flow/flow.h"
#include "flow/lookup.h"
#include "flow/neighbors.h"

struct tracker;

/* When a live capture may have something to tell of a flow that is still followed. */
enum flow_moment {
    FLOW_OPENED, /* its first packet came; only its ends and first_ns are there */
    FLOW_OVER,   /* it closed or was reset; stragglers may still come */
    FLOW_WAITS   /* it goes on, and something is overdue (view.h) */
};

/* Whom to tell. The callee owns what it is handed (flow_free, lookup_free). */
struct tracker_hooks {
    void (*flow)(void *user, struct flow *f);
    void (*lookup)(void *user, struct lookup *l);
    /* NULL: nobody asks. Each TCP packet that the capture does not hold twice, once its flow took it into account; side: who sent it. */
    void (*segment)(void *user, const struct flow *f, enum side side, const struct packet *p);
    /* NULL: nobody asks. f is valid for the call (view.h); *told is the callee's to keep a value in, which stays with the flow. */
    void (*moment)(void *user, const struct flow *f, enum flow_moment moment, uint8_t *told);
    /* NULL: nobody asks. The time of the capture jumped: what was open was handed out at the time that it was before (tracker_now_ns),
     * and what comes next is of another time. */
    void (*jumped)(void *user);
    void *user;
};

/* While hooks.flow hands out f: its last packets go to flow->log, too, which else has only what was kept because something was odd. */
void tracker_complete_log(struct tracker *t, struct flow *f);

/* log_flow: id of a flow of which every packet is kept (flow->log); 0: none. */
struct tracker *tracker_new(const struct tracker_hooks *hooks, uint64_t log_flow);
void tracker_free(struct tracker *t); /* NULL-safe */

/* Takes n packets into account; they are not kept. Many at a time, as many as TRACKER_BATCH, are faster than one at a time and else the
 * same. */
#define TRACKER_BATCH 32
void tracker_packets(struct tracker *t, const struct packet *p, size_t n);
void tracker_packet(struct tracker *t, const struct packet *p);

/* The clock of a live capture: time goes on though no packet comes. Lets go of what has been quiet too long, and looks for moments. */
void tracker_clock(struct tracker *t, int64_t now_ns);

/* Nothing could be seen between the last packet and now (the machine slept, its clock was set): what is open is handed out as it stood,
 * and time goes on from now_ns, which may be earlier. hooks.jumped is told. */
void tracker_break(struct tracker *t, int64_t now_ns);

/* Calls visit for each look-up that was not handed out yet, in order of query. */
void tracker_visit_lookups(const struct tracker *t, void (*visit)(void *user, const struct lookup *l), void *user);

/* Calls visit for each connection that is followed and not over, until it returns false. f is to be looked at. */
void tracker_visit_open(const struct tracker *t, bool (*visit)(void *user, struct flow *f), void *user);

/* The capture went on without packets until then: silence lasts so long. */
void tracker_until(struct tracker *t, int64_t end_ns);

/* The capture is over: hands out everything that is left, in order of id. */
void tracker_finish(struct tracker *t);

/* Time of the capture (clock.h): the latest time stamp so far, or the clock; TIME_NONE before the first packet. */
int64_t tracker_now_ns(const struct tracker *t);

/* Who asked for whose link-layer address. Owned by t. */
const struct neighbors *tracker_neighbors(const struct tracker *t);

/* Whether anything was seen so far that may lead from one thing to another connection: a look-up, a redirect. Until then a flow that is
 * over stands by itself. */
bool tracker_links(const struct tracker *t);

/* Connections that are followed and not over. */
uint64_t tracker_open_flows(const struct tracker *t);
uint64_t tracker_tcp_packets(const struct tracker *t);
/* Packets with a QUIC long header (RFC 9000 section 17.2): QUIC is there, and not looked into. */
uint64_t tracker_quic_packets(const struct tracker *t);
uint64_t tracker_evicted_flows(const struct tracker *t);
uint64_t tracker_reassembly_dropped(const struct tracker *t);

#endif
