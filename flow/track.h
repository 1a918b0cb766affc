/* track: the working memory of a flow while packets still come: what the modules of flow/ remember of each
 * direction from packet to packet. Freed when the flow is retired.
 */
#ifndef TCPSLEUTH_FLOW_TRACK_H
#define TCPSLEUTH_FLOW_TRACK_H

#include "dissect/packet.h"
#include "flow/flow.h"
#include "flow/ranges.h"
#include "flow/rtt.h"
#include "flow/stream.h"

#define TRACK_SIGNATURES 4

/* What one direction of a flow has sent so far, in Wireshark's terms where it has some (packet-tcp.c, tcp_analyze_sequence_number). */
struct track_half {
    /* touched by every packet of this direction, in the order of its work */
    struct { uint32_t signature, us; } recent[TRACK_SIGNATURES]; /* its last packets, for capture duplicates; ring */
    uint8_t recent_at;
    bool ip_id_constant;     /* two different packets bore the same IP-ID: it says nothing */
    uint16_t last_ip_id;
    bool isn_known;          /* flow->half[].isn holds */
    uint8_t zeek_previous;   /* enum zeek_state before the last change */
    uint8_t zeek_seen;       /* ZEEK_SEEN_* letters given already */
    bool seq_known;          /* next holds */
    uint32_t zeek_start, zeek_last;
    bool ack_known;          /* last_ack holds */
    bool window_known;
    bool window_scales;      /* its last packet was no SYN: the scale applies to its window */
    bool next_has_tsval;
    uint16_t window;         /* as in its last packet */
    uint16_t next_ip_id;
    uint32_t next;           /* "nextseq": highest sequence number sent + 1 */
    uint32_t last_ack;       /* of its last packet */
    uint32_t highest_ack;    /* highest it ever sent */
    uint32_t last_anomaly;   /* ANOMALY_* of its last packet */
    uint32_t dup_acks;       /* in a row */
    uint32_t waiting_largest, waiting_end; /* payload of the largest segment that waits for its ACK, and where it ends; 0: none */
    struct ranges seen;      /* its edge is "maxseqtobeacked": an ACK beyond it acknowledges what was not seen */
    int64_t next_ns;         /* when `next` was reached */
    int64_t last_ack_ns;     /* time of its last packet */
    uint32_t next_len;       /* payload of the packet that reached `next` */
    uint32_t next_tsval;
    uint64_t tail_first;     /* first packet since the other end was last heard that waits for an answer; 0: none */
    struct rtt_queue rtt;
    /* the rest is for what is out of the ordinary */
    bool gave_up;            /* LIMIT_ISLANDS was reached: bytes below the edge of `seen` may not have been seen */
    uint8_t n_sack;
    uint32_t fin_end;        /* sequence number behind its FIN */
    struct { uint32_t left, right; } sack[TCP_SACK_BLOCKS]; /* of its last packet */
    int64_t tail_first_ns, tail_idle_ns; /* of tail_first */
    uint32_t tail_retries, tail_probes, tail_largest, tail_smallest; /* since then */
    uint32_t zeek_syn, zeek_fin, zeek_rst; /* relative sequence numbers of the last of each */
    uint32_t zeek_count[3];  /* g t w */
    struct stream stream;
};

/* The flow's packets that are at hand for its log (log.h). */
#define LOG_FIRST 6 /* handshake, question and answer */
#define LOG_LAST 4
struct log_recent {
    uint32_t n;              /* packets so far */
    uint32_t kept;           /* how many were put into flow->log */
    uint32_t until;          /* those before that place in the flow go there, whatever they are */
    struct log_entry entries[LOG_FIRST + LOG_LAST]; /* the first ones, then a ring */
};

struct track {
    struct app *app;
    bool app_done;           /* both directions ended: its facts are in the flow */
    bool finished;           /* nothing to add up since tracker.c finish() */
    int64_t look_ns;         /* live: not to be looked at before then (tracker_clock) */
    bool stall_watch[2];     /* that side's window just opened: does the other one send at once? */
    struct track *spare;     /* of table.c */
    struct track_half half[2];
    struct log_recent log;   /* last: its entries are not cleared for each flow */
};

/* Everything about the packet at hand that several modules need, worked out once. */
struct segment {
    const struct packet *packet;
    const struct tcp_facts *tcp;
    enum side side;
    uint32_t seq, end;       /* end: behind the payload, SYN and FIN counted */
    uint32_t len;
    uint16_t flags;
    int64_t ts_ns;
    uint32_t anomaly;        /* ANOMALY_*, filled by classify */
    uint32_t new_bytes;      /* payload bytes not seen before */
    int64_t idle_ns;         /* since the flow's packet before */
    bool unclear;            /* called a retransmission, and may as well be an original that was overtaken; filled by classify */
};

/* A flow of zeros, with its track, begins with a packet at ts_ns: what is not known yet says so. */
void track_begin(struct flow *f, int64_t ts_ns);

/* Bytes (SYN and FIN count) that side s sent and the other end has not acknowledged. f has its track. */
uint32_t track_unacked(const struct flow *f, enum side s);

/* Frees what it holds. */
void track_clear(struct track *t);
void track_free(struct track *t); /* NULL-safe */

#endif
