/* table: all flows that are followed at a time: found by their ends, let go when they are over or quiet too long (limits.h).
 *
 * VLANs and tunnels are not part of a flow's identity: a mirror port shows one direction tagged and the other not. But two networks may
 * use the same addresses at the same time; a second connection with the same ends in other layers, begun while the first one lives, is
 * its twin and is told apart by those layers.
 */
#ifndef TCPSLEUTH_FLOW_TABLE_H
#define TCPSLEUTH_FLOW_TABLE_H

#include "dissect/packet.h"
#include "flow/flow.h"

/* How a flow waits: each kind has its own patience. */
enum flow_queue { QUEUE_EMBRYONIC, QUEUE_OPEN, QUEUE_LINGERING, QUEUES };

struct flow_table;

/* Handed every flow that leaves the table; the callee ends it (its track is still there). */
typedef void flow_leaves_fn(void *user, struct flow *f);

struct flow_table *flow_table_new(flow_leaves_fn *leaves, void *user);
/* Frees the table and, without a call of `leaves`, what is still in it. NULL-safe. */
void flow_table_free(struct flow_table *t);

/* Two ends as a packet has them. */
struct ends {
    const struct addr *src, *dst;
    uint16_t sport, dport;
    uint8_t version;
};

/* Fills *k, the key of the connection between two ends without its layers. Returns whether the source is its low end. */
bool flow_table_key(const struct flow_table *t, const struct ends *e, struct flow_key *k);

/* The flow of that key, or NULL; where there are twins, the one of those layers. */
struct flow *flow_table_find(struct flow_table *t, const struct flow_key *k, uint32_t layers);

/* The flow of that key will be asked for soon. Three steps fetch it into the cache, none of which waits where the one before was made some
 * time ago: its place in the table; the flow, which is returned (NULL: there is none, or a twin); its track. Only speed depends on them. */
void flow_table_expect(const struct flow_table *t, const struct flow_key *k);
struct flow *flow_table_warm(const struct flow_table *t, const struct flow_key *k);
void flow_warm_track(const struct flow *f);

/* A new flow of this key, which the table must not hold, its first packet in these layers; twin: beside the one of that key that it
 * holds, told apart by the layers. Its id is the next one, its queue QUEUE_EMBRYONIC. */
struct flow *flow_table_add(struct flow_table *t, const struct flow_key *k, uint32_t layers, bool twin, int64_t now_ns);

/* Puts the flow into a queue (no-op where it is in it). */
void flow_table_queue(struct flow_table *t, struct flow *f, enum flow_queue queue, int64_t now_ns);

/* Takes the flow out and hands it to `leaves`. */
void flow_table_remove(struct flow_table *t, struct flow *f);

/* Lets go of what has been quiet too long, and of the quietest where there are too many (marked `evicted`). Cheap: looks at the heads
 * of the queues only. */
void flow_table_expire(struct flow_table *t, int64_t now_ns);

/* Whether more flows linger than may. Letting go of them one by one is faster than of many at a time. */
bool flow_table_crowded(const struct flow_table *t);
/* Calls visit for every flow that is not over, those without an end of handshake first, until it returns false. */
typedef bool flow_table_visit_fn(void *user, struct flow *f);
void flow_table_visit(struct flow_table *t, flow_table_visit_fn *visit, void *user);

/* The id that the next new flow gets. */
uint64_t flow_table_next_id(const struct flow_table *t);

/* Flows that are not over. */
uint64_t flow_table_open(const struct flow_table *t);

/* Hands the flows with ids below `from` to `leaves`, in order of id; for the others, and those to come, it is now_ns, which may be
 * earlier than it was. */
void flow_table_break(struct flow_table *t, uint64_t from, int64_t now_ns);

/* Hands everything that is left to `leaves`, in order of id. */
void flow_table_drain(struct flow_table *t);

/* Takes back the emptied track (track_clear) of a flow that left. */
void flow_table_recycle(struct flow_table *t, struct track *k);

uint64_t flow_table_evicted(const struct flow_table *t);

#endif
