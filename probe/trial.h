/* trial: one probe of one address while it works: the packets sent so far (shots), what answered them, and the three
 * things that make a probe:
 *
 * - a form: how a packet is built, which packets answer it (validate: nothing but what carries the number that only the
 * shot knows), and what such an answer is (classify). forms.c has them.
 * - a plan: what to send next, from the shots so far; pure, so that tests play it against networks that are not there.
 * plan_*.c.
 * - the conclusion: the record of what was found (diagnose/probes.h).
 *
 * A kind (kinds.c) is a row of these. Nothing here sends or waits: the engine does.
 */
#ifndef TCPSLEUTH_PROBE_TRIAL_H
#define TCPSLEUTH_PROBE_TRIAL_H

#include "diagnose/probes.h"
#include "dissect/packet.h"
#include "probe/craft.h"
#include "probe/key.h"
#include "probe/route.h"

enum shot_state { SHOT_SENT, SHOT_ANSWERED, SHOT_LOST, SHOT_FAILED };

/* The packet that an ICMP error quotes: as it looked where the error was made. */
struct quoted {
    bool known;
    struct addr src, dst;
    uint8_t tos;
    uint16_t id; /* IPv4 */
    bool has_ports;
    uint16_t sport, dport;
    bool has_seq; /* TCP */
    uint32_t seq;
    bool has_header; /* TCP: the whole header is quoted: */
    uint16_t window;
    struct tcp_options opt;
    bool has_echo; /* ICMP echo */
    uint16_t echo_id, echo_seq;
    struct slice payload; /* UDP: behind its header; dies with the packet */
};

struct answer {
    enum probe_reply reply; /* REPLY_NONE: none */
    struct addr from;
    int64_t rtt_ns;
    uint8_t ttl;            /* as received */
    uint16_t ip_id, window; /* of TCP */
    uint8_t icmp_type, icmp_code;
    uint32_t mtu;      /* that a too-big names; 0: none */
    uint8_t mac[6];    /* of a neighbour */
    bool in_fragments; /* it came in pieces */
};

struct shot {
    uint8_t ttl;
    uint16_t size;            /* bytes of the IP packet; 0: what the headers take */
    uint8_t variant;          /* enum syn_variant */
    uint16_t sport;           /* 0: the trial's */
    uint32_t seq, ack;        /* TCP: keyed */
    uint16_t ip_id, echo_seq; /* keyed */
    enum shot_state state;
    int error;           /* SHOT_FAILED: errno */
    int64_t sent_ns;     /* by the clock of the capture */
    int64_t deadline_us; /* by the monotonic clock */
    struct answer answer;
    struct quoted quoted; /* of an ICMP answer; without payload */
};

enum match { MATCH_OTHER, MATCH_FORGED, MATCH_ANSWER };

struct trial;

struct probe_form {
    void (*build)(const struct trial *r, const struct shot *s,
                  struct craft *out); /* NULL: neighbours are asked by craft_link_ask */
    /* MATCH_ANSWER: p answers s. MATCH_FORGED: it pretends to answer this run, and not this shot. q: what p quotes. */
    enum match (*validate)(const struct trial *r, const struct shot *s, const struct packet *p, const struct quoted *q);
    enum probe_reply (*classify)(const struct packet *p);
};
extern const struct probe_form form_syn, form_ack, form_echo, form_udp, form_neighbor;

enum readiness { NOT_YET, READY, NEVER };
enum next { NEXT_SEND, NEXT_WAIT, NEXT_DONE };

struct probe_plan {
    const struct probe_form *form;                        /* NULL: `ready` chooses it */
    enum readiness (*ready)(struct trial *r);             /* asked until it is not NOT_YET; may set up r */
    enum next (*next)(struct trial *r, struct shot *out); /* fills ttl, size, variant of the shot to send */
    void (*conclude)(const struct trial *r, struct probe_result *out);
};

/* The rows, by kind; NULL: not a probe of the engine. */
const struct probe_plan *probe_plan_of(enum probe_kind kind);

#define PLAN_SIZES 8 /* sizes that a search asks at a time */

struct trial {
    enum probe_kind kind;
    const struct probe_plan *plan;
    const struct probe_form *form;
    struct aim *aim;
    struct addr dst; /* the target, or the gateway */
    uint16_t sport;
    GArray *shots; /* struct shot, in the order of sending */
    bool started, done;
    bool interrupted; /* ended before its plan did */
    unsigned forged;
    /* of plans */
    uint16_t size;              /* size_ttl: of its packets */
    uint16_t queue[PLAN_SIZES]; /* searches: sizes to ask next */
    unsigned queued;
};

/* Local ports of a target, from aim.ports on. */
enum { PORT_SYN, PORT_ACK, PORT_UDP, PORT_VARIANT, PORTS_EACH };

/* One address that is probed. */
struct aim {
    struct probe_request request;
    char *name;           /* request.name's copy */
    struct probe_syn syn; /* request.syn's copy */
    struct route route;
    uint16_t ports; /* the first of PORTS_EACH local ports */
    uint16_t echo_id;
    uint32_t flow_label; /* IPv6: one for all packets, so that equal paths are not changed */
    uint32_t tsval;
    uint8_t cookie[8];                 /* in each payload */
    struct key *key;                   /* borrowed */
    struct trial *trials[PROBE_KINDS]; /* NULL: not asked for, or not yet */
    unsigned spent;                    /* crafted packets that have left */
    int64_t rtt_ns;                    /* the largest that the target itself took; TIME_NONE: not known */
    bool over;                         /* nothing more leaves: an error of this host, the budget, an interrupt */
};

struct aim *aim_new(const struct probe_request *request, struct key *key, uint16_t ports);
void aim_free(struct aim *a); /* NULL-safe */

struct trial *trial_new(struct aim *a, enum probe_kind kind);
void trial_free(struct trial *r); /* NULL-safe */

/* Whether the probe of that kind is under way: starts it as soon as it may. */
bool aim_begin(struct aim *a, enum probe_kind kind);

/* What its plan says; where it would send and the budget of the address is used up (LIMIT_PROBE_PACKETS), the trial ends, interrupted. */
enum next trial_next(struct trial *r, struct shot *out);

/* Shots whose time is over are lost. now_us: the monotonic clock. */
void trial_expire(struct trial *r, int64_t now_us);

/* The record of a probe that has begun. Free with probe_result_free. */
struct probe_result *trial_conclude(const struct trial *r);

/* The record that says that nothing could be sent: there is no route. */
struct probe_result *aim_without_route(const struct aim *a);

/* Gives a shot its keyed numbers. */
void trial_key(const struct trial *r, struct shot *s);

/* Offers a packet to all runs of an address. True where it answers a shot, which then holds the answer; one that only
 * pretends to is counted with the run that it is aimed at. */
bool aim_offer(struct aim *a, const struct packet *p);

/* Reads what an ICMP error quotes. */
void quoted_read(struct quoted *q, const struct packet *p);

/* --- what plans ask of a run --- */

/* The run of a kind on the same address, if it is done; NULL else. */
const struct trial *aim_done(const struct aim *a, enum probe_kind kind);
bool aim_wants(const struct aim *a, enum probe_kind kind);
bool reply_is_final(
    enum probe_reply reply); /* not of a router that only says that the TTL ended, or that it is too big */
unsigned trial_open(const struct trial *r); /* shots without an answer whose time is not over */

/* Whether the target (or gateway) itself answered. */
bool shot_reached(const struct trial *r, const struct shot *s);

/* The first shot that it answered; NULL: none, or r is NULL. */
const struct shot *trial_answered(const struct trial *r);

/* The answer of somebody on the way who will not pass it on, to a packet with all its hops; NULL: none. */
const struct shot *trial_refused(const struct trial *r);

/* Nobody answers for the next hop: nothing leaves the link. */
bool aim_is_cut_off(const struct aim *a);

/* Hops to the target, where a trail reached it; 0 else. */
unsigned aim_distance(const struct aim *a);

/* --- plan_trail.c --- */
enum next trail_next(struct trial *r, struct shot *out);
void trail_conclude(const struct trial *r, struct probe_result *out);

/* --- plan_size.c --- */
enum next size_next(struct trial *r, struct shot *out);
void size_conclude(const struct trial *r, struct probe_result *out);
bool size_vanished(const struct trial *r, uint16_t *smallest); /* the smallest size that vanishes without a word */

/* --- plan_options.c --- */
void options_conclude(const struct trial *r, struct probe_result *out);

/* --- syn.c --- */

/* The SYN of a shot: what is cloned, with the shot's change. */
enum syn_variant {
    SYN_AS_IT_IS,
    SYN_ANOTHER_PORT,
    SYN_LOW_PORT,
    SYN_BARE,
    SYN_NO_TIMESTAMPS,
    SYN_NO_WSCALE,
    SYN_NO_SACK,
    SYN_SMALL_MSS,
    SYN_SMALL_WINDOW,
    SYN_OTHER_ECN,
    SYN_OTHER_DSCP,
    SYN_VARIANTS
};
struct probe_syn syn_of(const struct trial *r, const struct shot *s);
const char *syn_variant_name(enum syn_variant v);

/* The options as bytes, padded to a multiple of 4; returns how many. */
unsigned syn_options(const struct trial *r, const struct probe_syn *syn, uint8_t out[CRAFT_OPTIONS]);

/* The local port that a variant is sent from, and that answers are listened for on besides those of the engine. */
#define SYN_LOW_SOURCE 1023

enum next variants_next(struct trial *r, struct shot *out);
void variants_conclude(const struct trial *r, struct probe_result *out);

#endif
