/* flow: the record of one TCP connection and all that was measured on it: what the rules (diagnose/) and the reports read.
 *
 * A flow has two ends of the same type, `half[CLIENT]` and `half[SERVER]`; "who is the client" is data (role_basis). Facts stay; the
 * working memory that is only needed while packets still come (struct track, track.h) is freed when the flow is retired. Healthy
 * connections never allocate a struct trouble: what goes wrong is recorded there, on first need.
 *
 * Packet numbers are those of the capture, from 1; 0 means "there was none". Times are TIME_NONE where there was none.
 * Sequence numbers are as in the headers; relative ones are made by subtracting half.isn.
 */
#ifndef TCPSLEUTH_FLOW_FLOW_H
#define TCPSLEUTH_FLOW_FLOW_H

#include "base/addr.h"
#include "base/minmax.h"
#include "base/side.h"
#include "base/timens.h"
#include "dissect/app.h"
#include "dissect/packet.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* RFC 9293 section 3.3.2. STATE_NONE: nothing is known of this end (its packets and its peer's say nothing yet). */
enum tcp_state {
    STATE_NONE = 0, STATE_LISTEN, STATE_SYN_SENT, STATE_SYN_RECEIVED, STATE_ESTABLISHED, STATE_FIN_WAIT_1, STATE_FIN_WAIT_2,
    STATE_CLOSE_WAIT, STATE_CLOSING, STATE_LAST_ACK, STATE_TIME_WAIT, STATE_CLOSED
};
/* "SYN-SENT", "FIN-WAIT-2", ... as RFC 9293 and ss(8) write them; NULL for STATE_NONE. */
const char *tcp_state_name(enum tcp_state s);

/* Why this side is called the client. */
enum role_basis { ROLE_SYN, ROLE_SYNACK, ROLE_PORT, ROLE_FIRST_PACKET };
const char *role_basis_name(enum role_basis b);

enum handshake_outcome {
    HANDSHAKE_COMPLETE, HANDSHAKE_NO_ANSWER, HANDSHAKE_REFUSED, HANDSHAKE_UNREACHABLE, HANDSHAKE_UNFINISHED, HANDSHAKE_RESET,
    HANDSHAKE_HALF_SEEN, HANDSHAKE_MIDSTREAM, HANDSHAKE_SIMULTANEOUS
};
const char *handshake_outcome_name(enum handshake_outcome o);

enum teardown_outcome { TEARDOWN_NONE, TEARDOWN_FIN, TEARDOWN_HALF_CLOSED, TEARDOWN_FIN_UNACKED, TEARDOWN_RESET };
const char *teardown_outcome_name(enum teardown_outcome o);

/* What a SYN or SYN-ACK offered. */
struct tcp_offer {
    bool seen;           /* this end's SYN or SYN-ACK is in the capture */
    bool cut;            /* the snaplen cut its options: what is absent may have been there */
    bool sack, timestamps, fastopen, mptcp;
    bool ecn;            /* RFC 3168 section 6.1.1: SYN with ECE and CWR, SYN-ACK with ECE alone */
    int8_t wscale;       /* shift count; -1 = option absent */
    uint8_t dscp;        /* of the packet */
    uint16_t mss;        /* 0 = option absent */
    uint16_t window;     /* of the SYN, never scaled */
    bool whole_windows;  /* without window scale: later windows are of that size */
};

/* What one end sent and how it fared. */
struct half {
    uint64_t packets;    /* less those that the capture holds twice */
    uint64_t bytes;      /* stream bytes, each counted once, SYN and FIN not */
    uint64_t segments;   /* data segments on the wire, retransmissions included: a packet larger than the MSS (offload) is several */
    struct minmax rtt;   /* from the capture to this end and back: its ACKs of the other end's segments */
    uint64_t first_packet, last_packet, first_data_packet, last_data_packet;
    uint64_t fin_packet; /* first FIN */
    int64_t first_data_ns, last_data_ns, last_ns; /* last_ns: last packet of any kind */
    int64_t fin_ns;      /* time of the first FIN */
    uint32_t acked_largest; /* payload bytes of the largest segment that was acknowledged */
    uint32_t isn;        /* sequence number of the SYN, or of the first packet - 1; valid where packets > 0 */
    uint32_t unacked;    /* bytes (SYN and FIN count) sent and not acknowledged when the flow ended */
    struct tcp_offer offer;
    uint8_t state;       /* enum tcp_state */
    uint8_t ttl, ttl_last; /* of its first packet; of its last one that is no RST (0: none) */
    bool ttl_varies;       /* those that are no RST did not all arrive with one TTL */
    bool fin, fin_acked, rst;
};

/* Wireshark's classes of oddities, counted on the side that sent the packet. See docs/anomalies.md for where and why these differ. */
struct anomalies {
    uint32_t retransmissions;          /* of every kind: the next two are counted here too */
    uint32_t fast_retransmissions, spurious_retransmissions;
    uint32_t out_of_order, duplicate_acks, lost_segments, acked_unseen;
    uint32_t zero_windows, window_full, keep_alives, zero_window_probes, window_updates;
    uint32_t capture_duplicates;
    uint32_t bad_checksums;
    int64_t zero_window_ns;            /* this end's receive window stood at zero so long, in all */
};

/* A packet worth remembering: evidence. */
enum note_kind {
    NOTE_SYN, NOTE_SYNACK,     /* repeated ones: the first is in the flow itself */
    NOTE_RETRANSMISSION,       /* any kind */
    NOTE_OUT_OF_ORDER, NOTE_LOST_SEGMENT, NOTE_WINDOW_OPEN, NOTE_PROBE, NOTE_KEEP_ALIVE, NOTE_FRAGMENTED
};
struct note {
    uint64_t packet;
    int64_t ts_ns;
    uint32_t seq, len;         /* seq relative to the side's isn */
    uint32_t missing;          /* NOTE_LOST_SEGMENT: bytes before it that had not arrived */
    uint8_t kind, side;
};

/* An ICMP error that quotes a packet of this flow. */
struct icmp_note {
    uint64_t packet;
    int64_t ts_ns;
    struct addr from;
    uint8_t type, code;
    uint8_t about;             /* enum side: whose packet it quotes */
    bool quotes_seq;
    uint32_t quoted_seq, mtu;
    uint32_t quoted_len;       /* bytes of the IP packet that it quotes */
};
#define FLOW_ICMP_KEPT 4

/* A time in which one end kept its window at zero. */
struct stall {
    uint64_t from_packet, to_packet; /* zero window; the packet that opened it, 0 = never */
    int64_t from_ns, to_ns;          /* to_ns: TIME_NONE = never */
    uint32_t probes;                 /* zero-window probes of the other end in it */
    bool wanted;                     /* the other end had data to send: it probed, or sent at once after; a window filled to the last byte does not say so */
};

/* A large segment that is sent again and again while its ACK does not come. */
struct stuck {
    uint32_t retries, seq, ack; /* how often; where it begins; the other end's highest ACK meanwhile */
    uint32_t size;             /* its payload bytes on the wire */
    uint64_t packet;           /* its first repetition */
    uint32_t passed;           /* payload bytes of the largest segment acknowledged before it */
    uint32_t smaller;          /* payload bytes of the first smaller piece that it was tried in; 0: none */
    bool small_passed;         /* a SACK block smaller than it came meanwhile */
    bool over;                 /* it was acknowledged in the end */
    bool healed;               /* and what brought the ACK was that piece */
};

/* Data that was sent again and again and not acknowledged, though the other end may have been heard meanwhile. */
struct in_vain {
    uint32_t retries, ack;     /* how often; the other end's highest ACK all that time */
    uint64_t packet;           /* the first repetition */
    int64_t from_ns, to_ns;    /* first and last repetition */
};

/* ICMP errors that told a side that its packets are too big (RFC 1191, RFC 8201). */
struct told_size {
    uint32_t times;
    uint32_t from, to;         /* sequence numbers that the last ones quoted, of one flight: these bytes are asked for again */
    uint64_t last_packet;
    int64_t last_ns;
    struct icmp_note least;    /* the first that told the smallest MTU; valid where times > 0 */
};

/* Bytes that never arrived, though later ones did, or what came later counts them, when the flow ended. */
struct hole {
    uint32_t size;             /* bytes; 0: none */
    uint32_t arrived_largest;  /* payload bytes of the largest segment that did arrive */
    uint64_t packet;           /* the first behind it */
    int64_t since_ns;
    bool counted;              /* known by the number of a packet without data alone */
};

/* Per side: what was lost, late or without answer. */
struct losses {
    uint32_t lost;             /* data segments of this side lost on the way: retransmitted because they did not arrive, and no ICMP too-big asked for them */
    uint32_t reordered;        /* data segments that arrived late without loss */
    uint32_t unclear;          /* of `lost`: nothing on them tells whether they were sent again or only late */
    uint32_t tail_retries;     /* retransmissions since the other side was last heard */
    uint32_t tail_probes;      /* keep-alives and window probes since then */
    uint64_t tail_first;       /* the first packet that stayed without answer since then */
    int64_t tail_first_ns;
    int64_t tail_idle_ns;      /* how long the connection had been quiet before that packet */
    uint32_t tail_largest, tail_smallest; /* payload bytes of unanswered data segments; 0 = none */
    struct stall longest, current;        /* this end's own zero windows; current.from_packet == 0: none open */
    struct stuck stuck;
    struct in_vain in_vain;    /* of the bytes that stayed without ACK to the end; retries 0: none */
    struct hole hole;
    struct told_size told;
    uint32_t too_large;        /* data segments sent again above the MTU that it had been told */
    uint64_t too_large_packet; /* the first of those */
    uint32_t bare;             /* segments without timestamps although both SYNs agreed on them */
    uint64_t bare_packet;
    uint32_t shrunk;           /* segments with a small part of the SYN's window, as if that was scaled, which its SYN did not say */
    uint64_t shrunk_packet;
    uint32_t wild_sacks;       /* segments whose SACK blocks name bytes that the other end never sent */
    uint64_t wild_sack_packet;
};

/* Two machines answered for one address, by ARP or neighbour advertisement: the first one, and the last other one. */
struct address_claims {
    uint64_t packet[2];        /* [1] 0: there was one machine at most */
    uint8_t mac[2][6];
};

/* Everything that went wrong; allocated on first need. */
struct trouble {
    struct anomalies anomalies[2];
    struct losses losses[2];
    GArray *notes;             /* struct note; at most LIMIT_NOTES: the first and the last ones stay; not in order */
    uint32_t n_notes;          /* how many there were */
    struct icmp_note icmp[FLOW_ICMP_KEPT];
    uint32_t n_icmp;           /* may exceed FLOW_ICMP_KEPT: the first ones are kept; too-big errors without news are in `told` alone */
    uint32_t late_synacks;     /* SYN-ACKs sent again though the client's ACK was in the capture before */
    uint64_t late_synack_packet; /* the last of those */
    uint32_t stale_acks;       /* ACKs of the server that answer a SYN with the numbers of an older connection */
    uint64_t stale_ack_packet; /* the first of those */
    uint32_t fragmented;       /* packets that came in IP fragments */
    uint64_t first_fragmented;
    struct address_claims claims; /* of the address of who reset it, before that */
};

/* The first RST that counts (in window, or answering a SYN) and how things stood then. */
struct reset_facts {
    uint64_t packet;           /* 0: none */
    int64_t ts_ns;
    int64_t idle_ns;           /* how long the connection had been quiet before the packet that it answers; 0: it answers none */
    uint8_t by;                /* enum side */
    uint8_t ttl;
    uint8_t own_ttl;           /* of a later RST of that end, which comes with another TTL, that of its other packets; 0: none */
    bool answers_probe;        /* it answers keep-alives (or window probes) of the other end, and no data */
    uint32_t seq;              /* as in the header */
    uint32_t ahead;            /* bytes that its number counts and that never came before it */
    int64_t answers_ns;        /* since the data that it acknowledges was sent; TIME_NONE: it acknowledges nothing new */
    bool after_fin[2];         /* that side had sent FIN before */
    bool owed[2];              /* that side had bytes on the way that were not acknowledged */
    bool data_after_fin;       /* one side had sent FIN, and the other sent data to it after that */
    bool asked_at_fin;         /* the client waited for an answer when it sent its FIN */
    uint32_t bytes_after_fin;  /* how much data that was, up to the RST */
    uint8_t last_data;         /* enum side: who sent data last; 2 = nobody */
    bool spoke_on;             /* the end whose address it bears sent new data or closed after it */
    uint8_t host_ttl[2];       /* of a refused SYN: least and greatest TTL of the server's SYN-ACKs on other connections; 0: none */
    int64_t host_rtt_ns;       /* and the least time to one; TIME_NONE: not known */
};

/* Sorted ends: the same for both directions. The first member of struct flow. */
struct flow_key {
    struct addr low, high;
    uint16_t low_port, high_port;
    uint8_t version;
    uint8_t zero[3];
    uint32_t layers; /* 0; of a twin (table.h) the hash of its VLANs and tunnels */
    uint32_t hash;   /* of all the above, seeded; table.c */
};

struct track; /* working memory, track.h */

struct flow {
    struct flow_key key;
    bool client_is_high;       /* the client is the `high` end of the key */
    uint8_t role_basis;        /* enum role_basis */
    uint8_t completeness;      /* Wireshark's tcp.completeness */
    uint8_t zeek_state[2];     /* enum zeek_state (zeek.h) */
    bool reused_ports;         /* an earlier flow had the same ends; `previous` is its id */
    bool reuses_time_wait;     /* and its server was in TIME-WAIT, as far as the packets tell */
    bool evicted;              /* retired early because LIMIT_LIVE_FLOWS was reached */
    uint8_t told;              /* of the live report: what was told of it so far (tracker_hooks.moment); 0: nothing */
    bool simultaneous;         /* both ends sent a SYN before any SYN-ACK */
    uint8_t history_len;
    char history[32];          /* Zeek's history letters, NUL-terminated */
    uint8_t queue;             /* the lists of table.c: enum flow_queue */
    int64_t queued_ns;
    struct flow *queue_next, *queue_previous;
    struct track *track;       /* NULL after retirement */
    struct trouble *trouble;   /* NULL: nothing went wrong */
    GArray *log;               /* struct log_entry, those of its packets that are remembered (log.h); NULL: none */
    int64_t first_ns, last_ns;
    struct half half[2];

    uint64_t syn_packet, synack_packet, ack_packet; /* last SYN before the first SYN-ACK; first SYN-ACK; the handshake's ACK */
    int64_t syn_ns, synack_ns, synack_last_ns, ack_ns; /* synack_last_ns: last transmission of the SYN-ACK before the ACK */
    struct reset_facts reset;
    int64_t asked_ns;          /* the client's first data since the server's last; TIME_NONE: the server spoke last, or nobody did */
    uint64_t asked_packet;
    uint32_t asked_again;      /* times that it sent more a second or later, without an answer: it does not wait for one */
    uint64_t first_syn_packet;
    uint32_t syns, synacks;    /* transmissions seen of each */
    uint32_t layers;           /* hash of the VLANs and tunnels of its first packet; 0: none */
    uint64_t id;               /* 1, 2, ... in order of first packet */
    uint64_t previous;         /* id of the flow that had these ports before; 0 */
    struct encap *encap;       /* VLANs and tunnels of its first packet; NULL: none */
    struct app_facts *app;     /* after retirement; NULL: nothing recognised */
};

/* One packet of a flow, to be drawn in a ladder. */
struct log_entry {
    uint64_t packet;
    int64_t ts_ns;
    uint32_t seq, ack;         /* relative; ack holds where flags has TCP_ACK */
    uint16_t flags;            /* TCP_* */
    uint16_t window;           /* as in the header */
    uint32_t len;
    uint32_t nth;              /* how many packets of the flow came before it */
    uint32_t anomaly;          /* ANOMALY_* bits of classify.h; shown beside the arrow */
    uint8_t side;
    uint8_t state[2];          /* enum tcp_state of both ends after it */
    bool kept;                 /* of log.c */
};

/* Ends of the flow. */
const struct addr *flow_addr(const struct flow *f, enum side s);
uint16_t flow_port(const struct flow *f, enum side s);

/* Never NULL: a table of zeros where nothing went wrong. */
const struct anomalies *flow_anomalies(const struct flow *f, enum side s);
const struct losses *flow_losses(const struct flow *f, enum side s);

/* How many ICMP errors trouble->icmp holds; 0 where nothing was wrong. */
uint32_t flow_icmp_kept(const struct flow *f);

/* Bytes of an IP and a TCP header without options, of this flow's version. */
uint32_t flow_headers(const struct flow *f);

/* CONTRACT "handshake.outcome". */
enum handshake_outcome flow_handshake(const struct flow *f);

/* CONTRACT "teardown". closed_first: false where no FIN was seen; time_wait: who owns TIME-WAIT, as bits 1 << side. */
enum teardown_outcome flow_teardown(const struct flow *f);
bool flow_closed_first(const struct flow *f, enum side *who);
unsigned flow_time_wait(const struct flow *f);

/* Handshake times; TIME_NONE where one of the packets is missing. */
int64_t flow_handshake_rtt_ns(const struct flow *f);
int64_t flow_rtt_to_server_ns(const struct flow *f);
int64_t flow_rtt_to_client_ns(const struct flow *f);

/* Zeek's conn_state ("SF", "S0", ...). */
const char *flow_conn_state(const struct flow *f);

/* Frees a retired or live flow and all it owns. NULL-safe. */
void flow_free(struct flow *f);

#endif
