/* probes: what active probes are asked, and what they found: the records that probe/ fills, the judge reads and report/ prints (CONTRACT "probes").
 * A rule that wants to know more returns a request; src/ has it carried out.
 */
#ifndef TCPSLEUTH_DIAGNOSE_PROBES_H
#define TCPSLEUTH_DIAGNOSE_PROBES_H

#include "base/addr.h"
#include "base/timens.h"
#include "dissect/packet.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are told. */
enum probe_kind {
    PROBE_NEIGHBOR,     /* "arp" or "nd": who has the next hop's address */
    PROBE_ECHO,         /* "echo": ICMP echo to the target */
    PROBE_GATEWAY,      /* "gateway_echo": ICMP echo to the next hop */
    PROBE_SYN,          /* "syn" */
    PROBE_SYN_TTL,      /* "syn_ttl": the same SYN with TTL 1, 2, 3, ... */
    PROBE_ECHO_TTL,     /* "echo_ttl": its control */
    PROBE_OPTION_DIFF,  /* "option_diff": what the hops quote against what was sent */
    PROBE_ECHO_DF,      /* "echo_df": the largest echo that comes back: a round trip */
    PROBE_ACK_DF,       /* "ack_df": the largest TCP segment that arrives: forward only */
    PROBE_UDP_DF,       /* "udp_df": the same by UDP to a closed port */
    PROBE_SIZE_TTL,     /* "size_ttl": the hop behind which a size vanishes */
    PROBE_SYN_VARIANTS, /* "syn_variants": the SYN with one attribute changed at a time */
    PROBE_CONNECT,      /* "connect": by the kernel, without any privilege */
    PROBE_TLS,          /* "tls": a handshake and the certificate */
    PROBE_REQUEST,      /* "request": an HTTP request with its redirects */
    PROBE_UDP_TTL,      /* "udp_ttl": hops and path MTU by the kernel's error queue, without any privilege */
    PROBE_KINDS
};

/* What answered a single packet. */
enum probe_reply {
    REPLY_NONE,         /* "none" */
    REPLY_TTL_EXCEEDED, /* "ttl_exceeded" */
    REPLY_SYN_ACK, REPLY_RST, REPLY_ACK,
    REPLY_ECHO,         /* "echo_reply" */
    REPLY_NEIGHBOR,     /* "neighbor" */
    REPLY_TOO_BIG,      /* "too_big": fragmentation needed, packet too big */
    REPLY_NETWORK_UNREACHABLE, REPLY_HOST_UNREACHABLE, REPLY_PORT_UNREACHABLE, REPLY_ADMIN_PROHIBITED,
    REPLY_OTHER_ERROR,  /* "icmp_error": any other */
    REPLY_DATAGRAM,     /* "datagram": a UDP service answered */
    REPLY_TLS,          /* "tls": of a ClientHello: the handshake went on to its end, or the client here ended it */
    REPLY_TLS_ALERT,    /* "tls_alert": a fatal alert of the server's */
    REPLY_CUT,          /* "cut": a RST or FIN in the middle of the handshake */
    REPLY_NOT_TLS,      /* "not_tls" */
    REPLIES
};

/* How a probe ended. */
enum probe_outcome {
    OUTCOME_ANSWERED,     /* "answered": echo, neighbour */
    OUTCOME_OPEN, OUTCOME_REFUSED,
    OUTCOME_NO_ANSWER,    /* "no_answer" */
    OUTCOME_UNREACHABLE,  /* "unreachable": an ICMP error says so; `from` is its sender */
    OUTCOME_REACHED,      /* "reached": a trail leads to the target */
    OUTCOME_STOPPED,      /* "stopped": it ends before; `after` and `at` say where */
    OUTCOME_LOOP,         /* "loop": routers repeat */
    OUTCOME_FITS,         /* "fits": packets of the interface's MTU pass */
    OUTCOME_ANNOUNCED,    /* "announced": smaller ones only, and ICMP says so */
    OUTCOME_BLACK_HOLE,   /* "black_hole": smaller ones only, and no ICMP says so */
    OUTCOME_UNMEASURABLE, /* "unmeasurable": no small packet is answered either */
    OUTCOME_UNCHANGED, OUTCOME_REWRITTEN,
    OUTCOME_NO_ROUTE,     /* "no_route": this host does not know where to send it */
    OUTCOME_BLOCKED_HERE, /* "blocked_here": a rule of this host keeps it from being sent */
    OUTCOME_COMPLETE,     /* "complete": a TLS handshake */
    OUTCOME_FAILED,       /* "failed": `finding` or `note` says why */
    OUTCOME_LEFT_OUT,     /* "left_out": this user may not; `note` says how to allow it */
    OUTCOME_STOPPED_EARLY, /* "interrupted": by the user, or the budget is used up */
    OUTCOMES
};

const char *probe_kind_name(enum probe_kind kind, unsigned version); /* "arp" or "nd" by the version */
const char *probe_reply_name(enum probe_reply reply);
const char *probe_outcome_name(enum probe_outcome outcome);

/* A place on the way. */
struct probe_place {
    unsigned ttl;      /* 0: this host */
    bool known;        /* its address is */
    struct addr addr;
};

struct probe_hop {
    struct probe_place place;
    int64_t rtt_ns;    /* TIME_NONE: silent */
    enum probe_reply reply;
    unsigned sent, answered;
    bool limited;      /* it left some unanswered while those behind it answered all: it limits its ICMP, nothing is lost */
    bool balanced;     /* two addresses answered at this distance: equal paths */
};

/* Something that a hop quotes otherwise than it was sent. */
struct probe_change {
    const char *what;  /* static: "mss", "sack", "dscp", "destination address", ... */
    char *sent, *seen; /* text of our own */
    struct probe_place after, at; /* the last hop that quotes it as it was; the first that does not */
};

/* A SYN, or a ClientHello, with one attribute changed, and what answered it. */
struct probe_variant {
    const char *change;    /* static: "without timestamps", "another source port" */
    enum probe_reply reply;
};

/* One request of a chain of redirects. */
struct probe_leg {
    char *url;             /* UTF-8, may come from outside */
    int status;            /* of HTTP; 0: none */
    char *error;           /* NULL: none */
    bool cut, reset;       /* by which the connection ended, before the answer did: at all; by a RST */
    char *server;          /* what the answer says of the server; NULL: nothing; UTF-8, may come from outside */
    int64_t date_s;        /* the server's clock (Date), since 1970; 0: it does not say */
    int64_t name_ns, connect_ns, tls_ns, first_byte_ns, total_ns; /* since its beginning; TIME_NONE: it did not come to that */
};

struct probe_result {
    enum probe_kind kind;
    enum probe_outcome outcome;
    unsigned way;          /* of the addresses of a run, from 0: results of one stand together */
    uint8_t version;       /* 4 or 6 */
    struct addr target;    /* whom it asked: of some kinds the next hop */
    struct addr way_to;    /* the address whose way is probed */
    uint16_t port;         /* 0: none */
    unsigned sent;         /* crafted packets */
    int64_t rtt_ns;        /* smallest; TIME_NONE: no answer */
    uint32_t path_mtu;     /* 0: not known */
    enum probe_reply reply;
    struct probe_place from; /* who answered, where it is not the target; known false else */
    uint8_t icmp_type, icmp_code; /* of an ICMP answer */
    uint8_t reply_ttl;     /* TTL or hop limit of the answer; 0: none */
    bool reply_is_tcp;     /* the next two hold: */
    uint16_t reply_window, reply_ip_id;
    uint8_t reply_distance; /* hops to who answered, by the trail; 0: not known */
    bool has_end;          /* after, at hold: packets pass `after` and die at or before `at` */
    struct probe_place after, at;
    GArray *hops;          /* struct probe_hop; NULL: none */
    GArray *changes;       /* struct probe_change; NULL: none */
    GArray *variants;      /* struct probe_variant; NULL: none */
    GArray *legs;          /* struct probe_leg; NULL: none */
    unsigned forged;       /* answers that were none: ignored */
    char *note;            /* a sentence; may hold text from outside, as UTF-8; NULL */
    struct finding *finding; /* what this probe alone says (tls, request); NULL: nothing wrong */
};

struct probe_result *probe_result_new(enum probe_kind kind);
void probe_result_free(struct probe_result *r); /* NULL-safe */

/* A deep copy. */
struct probe_result *probe_result_copy(const struct probe_result *r);

/* By way, then by kind. */
void probe_results_sort(GPtrArray *results);

/* What a SYN looks like: the one to clone. Ports, numbers and timestamp values are the probe's own. */
struct probe_syn {
    struct tcp_options opt; /* MSS, window scale, SACK, timestamps as far as `present` has them */
    uint16_t window;
    uint16_t flags;         /* TCP_SYN, and TCP_ECE | TCP_CWR where it asks for ECN */
    uint8_t tos;            /* DSCP and ECN bits */
};

/* Which kinds to use on which address. */
#define PROBE_BIT(kind) (1u << (kind))
struct probe_request {
    uint8_t version;
    struct addr addr;
    unsigned scope;        /* interface index of a link-local address; 0 */
    uint16_t port;         /* 0: no TCP */
    unsigned kinds;        /* PROBE_BIT()s */
    const char *name;      /* as the user wrote it, for TLS and HTTP; borrowed; NULL: an address */
    uint16_t size;         /* PROBE_SIZE_TTL without the kinds that find one: the size that vanished; 0 */
    const struct probe_syn *syn; /* the SYN of the connection in question; borrowed; NULL: what Linux sends */
};

#endif
