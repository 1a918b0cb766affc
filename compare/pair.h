/* pair: one connection, seen from both of its ends, and all that comes out of it. The files of the folder fill it in,
 * one after the other.
 *
 * A pair has two ends, end[CLIENT] and end[SERVER]: what the capture near the client saw of it, and the one near the
 * server; and two ways, by who sends. Of a way, what its sender's capture saw was sent, what the other one saw has
 * come: `near` and `far` in the code.
 */
#ifndef TCPSLEUTH_COMPARE_PAIR_H
#define TCPSLEUTH_COMPARE_PAIR_H

#include "compare/span.h"
#include "compare/vantage.h"

/* A value that another one stands for at the other end. */
struct changed {
    uint32_t packets;   /* how many were changed so */
    int64_t sent, come; /* of the first of them: what it was, and what it became; CHANGED_NONE: it is gone */
    uint64_t sent_packet, come_packet; /* that packet, in either capture */
};
#define CHANGED_NONE INT64_MIN

/* What is compared of packets that are in both captures. */
enum change {
    CHANGE_SEQ, /* sequence numbers; sent and come are the initial ones where they are known */
    CHANGE_MSS,
    CHANGE_WSCALE,
    CHANGE_SACK,
    CHANGE_TIMESTAMPS,
    CHANGE_MPTCP,
    CHANGE_FASTOPEN,        /* of SYNs; 1: has the option */
    CHANGE_TIMESTAMP_VALUE, /* of other segments: rewritten or gone */
    CHANGE_DSCP,
    CHANGE_ECN, /* ECN: a codepoint cleared or set that is no congestion mark */
    CHANGE_IP_ID,
    CHANGE_DF,
    CHANGE_WINDOW,
    CHANGE_ECN_FLAGS, /* ECN_FLAGS: ECE and CWR of SYNs */
    CHANGE_PAYLOAD,   /* the first bytes of a segment; sent and come are their digests */
    CHANGES
};
const char *change_name(enum change c);

/* One way of a pair: from one end to the other. */
struct way {
    uint64_t sent, come; /* packets in the sender's capture, in the receiver's */
    uint64_t data_sent;  /* of those sent: segments with payload, what offload joined counted as it travels */
    uint64_t arrived, lost_packets, in_part;     /* of those sent; in_part: some of their segments did not arrive */
    uint64_t lost_data, lost_acks, lost_control; /* data segments; pure ACKs; SYN, FIN and RST without payload */
    uint64_t lost_bytes;                         /* payload, each copy counted */
    uint64_t unknown;                 /* sent while the other capture did not run, or come while the sender's did not */
    uint64_t missed_far, missed_near; /* overlooked by the receiver's capture, by the sender's */
    uint64_t repeated, forged;
    uint64_t congestion_marks; /* ECN: CE at the receiver, not at the sender */
    uint64_t offloaded;        /* packets of the sender's capture that travelled in another size */
    uint32_t shift;            /* far sequence number less near one */
    bool gave_up; /* data in so many odd pieces that it was not laid side by side to its end: what is left is not known
                   */
    bool ids_kept, stamps_kept; /* IP-ID and time stamps are the same at both ends, so that they tell copies apart */
    struct span raw;            /* far time less near time: the delay and the offset of the clocks */
    int64_t least_ns, most_ns; /* bounds of the same, guessed where there is no sample; least_ns TIME_NONE: not known */
    struct span delay;         /* how long packets took, by the offset of the clocks; empty where that is not known */
    int ttl_min, ttl_max;      /* hops: TTL lost on the way, of the packets that arrived; valid where arrived */
    struct changed changes[CHANGES];
    GArray
        *lost; /* uint32_t: indices of sightings of the near capture, lost or in parts; at most LIMIT_LISTED_PACKETS */
    GArray *unsent; /* uint32_t: of the far capture: forged, repeated, missed; likewise */
};

/* What is right or wrong with a pair, and what proves it in either capture. */
struct pair_finding {
    struct finding *finding;           /* its evidence: packets of the client's capture */
    uint64_t server[FINDING_EVIDENCE]; /* packets of the server's capture, ascending */
    unsigned n_server;
};

struct pair {
    unsigned file[2];  /* of each end: 0, the first capture, or 1 */
    uint32_t index[2]; /* its flow there */
    struct seen_flow *end[2];
    bool turned[2];    /* that flow calls client what the pair calls server */
    bool proxied;      /* two connections with the same content: packets are not compared */
    bool swapped;      /* the end near the client is in the second capture */
    uint32_t kinds;    /* of what it was recognised by (marks.h) */
    struct way way[2]; /* by who sends */
    GArray *findings;  /* struct pair_finding, worst first; the first one is the verdict */
};

/* The capture near the sender of a way, and near its receiver. */
static inline struct seen_flow *near_of(const struct pair *p, enum side from)
{
    return p->end[from];
}
static inline struct seen_flow *far_of(const struct pair *p, enum side from)
{
    return p->end[other_side(from)];
}

/* Whether a packet of that end's capture goes the way `from`. */
static inline bool goes(const struct pair *p, enum side end, const struct sighting *s, enum side from)
{
    return (s->side ^ (p->turned[end] ? 1 : 0)) == (int)from;
}

/* The far sequence or acknowledgement number as the near capture has it. */
static inline uint32_t near_seq(const struct pair *p, enum side from, const struct sighting *far)
{
    return far->seq - p->way[from].shift;
}
static inline uint32_t near_ack(const struct pair *p, enum side from, const struct sighting *far)
{
    return far->flags & TCP_ACK ? far->ack + p->way[other_side(from)].shift : 0;
}

/* --- match.c --- */

/* How the numbers of each way are shifted, then every packet that can be told from all its copies. */
void match_certain(struct pair *p);
/* The other ones, by their times: way.raw is known by now. */
void match_rest(struct pair *p);

/* --- offload.c: data that travelled in other sizes than captured --- */
void match_offloaded(struct pair *p, enum side from);

/* --- fate.c: what became of each packet; end_of: the captures, by enum side of the end --- */
void tell_fates(struct pair *p, const struct vantage *const end_of[2]);

/* --- change.c: what was rewritten --- */
void tell_changes(struct pair *p);

/* --- verdict.c --- */

/* Fills in p->findings. */
void judge_pair(struct pair *p, const struct vantage *const end_of[2]);

/* A connection's initial sequence number of that pair's side at that end is known from its SYN. */
bool pair_isn(const struct pair *p, enum side end, enum side of, uint32_t *isn);

/* The sequence number, of the capture near its sender, that places in the stream are counted from. */
uint32_t pair_base(const struct pair *p, enum side from);

/* Whether that end of the connection has another address or port in the other capture: NAT. */
bool pair_end_changes(const struct pair *p, enum side of);

/* Relative to it, or to the first packet where it is not known. */
uint32_t pair_relative(const struct pair *p, enum side end, enum side of, uint32_t seq);

#endif
