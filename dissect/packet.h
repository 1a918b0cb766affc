/* packet: what one frame says, in host byte order: the innermost IP packet of it and the tunnels around. The dissector fills it;
 * nothing here is allocated, slices point into the frame (or the reassembled datagram) and die with it.
 *
 * `kind` says which member of the union holds. Fields that are not named as valid for a kind are not written.
 */
#ifndef TCPSLEUTH_DISSECT_PACKET_H
#define TCPSLEUTH_DISSECT_PACKET_H

#include "base/addr.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum packet_kind {
    PACKET_UNDECODED,  /* `reason` says why */
    PACKET_OTHER,      /* understood, and nothing that tcpsleuth follows (other protocols, ARP of other kinds) */
    PACKET_FRAGMENT,   /* ip: an IP fragment, kept until its datagram is whole */
    PACKET_TCP,        /* ip, tcp */
    PACKET_UDP,        /* ip, udp */
    PACKET_ICMP_ERROR, /* ip, icmp: an ICMP or ICMPv6 error with the packet that it quotes */
    PACKET_NEIGHBOR,   /* neighbor: ARP request/reply, neighbour solicitation/advertisement */
    PACKET_ECHO,       /* ip, echo: ICMP or ICMPv6 echo, which only probes look at */
};

/* Why a frame could not be read (PACKET_UNDECODED). The names are what reports show. */
enum undecoded {
    UNDECODED_LINKTYPE,      /* "link type": a DLT that is not known */
    UNDECODED_LINK_SHORT,    /* "link header cut": the link, VLAN, MPLS or tunnel header is cut or malformed */
    UNDECODED_IP_SHORT,      /* "ip header cut" */
    UNDECODED_IP_BAD,        /* "ip header malformed": version, header length, lengths that contradict each other */
    UNDECODED_TCP_SHORT,     /* "tcp header cut" */
    UNDECODED_TCP_BAD,       /* "tcp header malformed": data offset below 5 or beyond the segment */
    UNDECODED_UDP_SHORT,     /* "udp header cut" */
    UNDECODED_ICMP_SHORT,    /* "icmp cut" */
    UNDECODED_NEIGHBOR,      /* "arp or nd malformed" */
    UNDECODED_FRAGMENT,      /* "fragments": malformed, overlapping by intent, or never completed */
    UNDECODED_DEPTH,         /* "too many layers": more nesting than LIMIT_LAYERS */
    UNDECODED_ENCRYPTED,     /* "encrypted": ESP, protected 802.11 data */
    UNDECODED_REASONS
};

/* "link type", ... as above. */
const char *undecoded_name(enum undecoded reason);

enum tunnel_kind { TUNNEL_GRE, TUNNEL_IPIP, TUNNEL_6IN4, TUNNEL_VXLAN, TUNNEL_GENEVE, TUNNEL_PPPOE, TUNNEL_MPLS, TUNNEL_OTHER };

/* "gre", "ipip", "6in4" (IPv6 in IPv4 and any IP in IPv6), ... */
const char *tunnel_name(enum tunnel_kind kind);

struct tunnel {
    enum tunnel_kind kind;
    uint32_t id; /* GRE key, VNI, PPPoE session, MPLS label; 0 where there is none */
};

#define PACKET_VLANS 4   /* VLAN tags kept of a frame, outermost first */
#define PACKET_TUNNELS 4 /* tunnels kept of a frame, outermost first */

/* The layers around the innermost IP packet. */
struct encap {
    uint16_t vlans[PACKET_VLANS]; /* VLAN ids (12 bits) */
    struct tunnel tunnels[PACKET_TUNNELS];
    uint8_t n_vlans, n_tunnels;
};

struct ip_facts {
    struct addr src, dst;
    uint8_t version;     /* 4 or 6 */
    uint8_t ttl;         /* TTL or hop limit */
    uint8_t ecn;         /* the two ECN bits (RFC 3168) */
    uint8_t dscp;        /* the six bits before them (RFC 2474) */
    uint8_t protocol;    /* of the payload, after extension headers */
    bool df;             /* IPv4 Don't Fragment; always true for IPv6 */
    bool reassembled;    /* put together from fragments */
    bool checksum_bad;   /* IPv4 header checksum wrong (and not 0 as with offload) */
    uint16_t id;         /* IPv4 identification; 0 for IPv6 */
    uint32_t total_len;  /* bytes of the whole IP packet on the wire (offload and total length 0 resolved) */
};

/* RFC 9293 header flags. */
enum {
    TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08,
    TCP_ACK = 0x10, TCP_URG = 0x20, TCP_ECE = 0x40, TCP_CWR = 0x80, TCP_AE = 0x100
};

/* Which options a segment carries (bits of tcp_options.present). */
enum {
    TCPOPT_HAS_MSS = 1 << 0,        /* RFC 9293 */
    TCPOPT_HAS_WSCALE = 1 << 1,     /* RFC 7323 */
    TCPOPT_HAS_SACK_OK = 1 << 2,    /* RFC 2018 */
    TCPOPT_HAS_SACK = 1 << 3,       /* RFC 2018 */
    TCPOPT_HAS_TIMESTAMPS = 1 << 4, /* RFC 7323 */
    TCPOPT_HAS_FASTOPEN = 1 << 5,   /* RFC 7413 (kind 34, or experiment 254/0xF989) */
    TCPOPT_HAS_MPTCP = 1 << 6,      /* RFC 8684 */
    TCPOPT_HAS_MD5 = 1 << 7,        /* RFC 2385 or RFC 5925 (TCP-AO) */
    TCPOPT_HAS_OTHER = 1 << 8,
    TCPOPT_MALFORMED = 1 << 9,      /* a length below 2 or past the header: what came before it holds */
    TCPOPT_CUT = 1 << 10            /* the snaplen cut the options */
};

#define TCP_SACK_BLOCKS 4

struct tcp_options {
    uint16_t present;
    uint16_t mss;
    uint8_t wscale;          /* as sent; RFC 7323 caps its use at 14 */
    uint8_t n_sack;          /* blocks in sack[] */
    uint8_t fastopen_len;    /* cookie bytes; 0 = a cookie request */
    uint8_t mptcp_subtype;   /* RFC 8684 section 3: 0 MP_CAPABLE, 1 MP_JOIN, ... */
    uint32_t tsval, tsecr;
    struct { uint32_t left, right; } sack[TCP_SACK_BLOCKS];
};

struct tcp_facts {
    uint16_t sport, dport;
    uint32_t seq, ack;       /* as in the header, not relative */
    uint16_t flags;
    uint16_t window;         /* unscaled */
    uint16_t urgent;
    uint16_t checksum;       /* as in the header */
    bool checksum_checked;   /* the segment was whole, so the checksum was computed */
    bool checksum_bad;       /* it was wrong (a partial pseudo-header sum of offload counts as wrong) */
    uint32_t len;            /* payload bytes on the wire */
    struct slice payload;    /* the captured part of them: payload.n <= len */
    struct tcp_options opt;
};

struct udp_facts {
    uint16_t sport, dport;
    uint32_t len;         /* payload bytes on the wire */
    struct slice payload; /* the captured part */
};

/* Whether it begins as QUIC's long header does (RFC 8999 section 5.1), with a version in use: 1, 2, negotiation, the drafts; on port 443. */
bool udp_is_quic(const struct udp_facts *u);

/* An ICMP or ICMPv6 error and the packet that it quotes (RFC 792, 1191, 4443, 4884). */
struct icmp_facts {
    uint8_t type, code;       /* as in the header; ip.version tells which table */
    uint32_t mtu;             /* next-hop MTU of fragmentation-needed / packet-too-big, 0 where not given */
    bool quotes_ports;        /* the quotation reaches the ports: quoted_* below hold */
    struct addr quoted_src, quoted_dst;
    uint8_t quoted_version, quoted_protocol, quoted_ttl;
    uint16_t quoted_sport, quoted_dport;
    bool quotes_seq;          /* TCP: the quotation reaches the sequence number */
    uint32_t quoted_seq;
    uint32_t quoted_total_len; /* bytes of the quoted IP packet */
    struct slice quoted_payload; /* what it quotes behind the UDP header: for matching a DNS query */
    struct slice quoted;      /* all of the quotation, from its IP header on */
};

/* ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443 section 4). */
struct echo_facts {
    bool reply;           /* else a request */
    uint16_t id, seq;
    struct slice payload; /* the captured part */
};

/* ARP (RFC 826) and neighbour discovery (RFC 4861). */
struct neighbor_facts {
    bool request;        /* ARP request or neighbour solicitation; else reply or advertisement */
    bool probe;          /* sender address unspecified: ARP probe (RFC 5227), DAD (RFC 4862): asks nobody for a next hop */
    bool gratuitous;     /* announces itself: ARP with one address for both, ND advertisement nobody solicited */
    uint8_t version;     /* 4 ARP, 6 ND */
    struct addr sender;  /* who asks or answers */
    struct addr target;  /* the address asked for / the address answered for */
    bool has_mac;
    uint8_t mac[6];      /* of the answer: where the target is; of a request: the asker's */
};

struct packet {
    uint64_t number;
    int64_t ts_ns;
    uint32_t caplen, wirelen;
    enum packet_kind kind;
    enum undecoded reason; /* kind PACKET_UNDECODED */
    struct encap encap;
    struct ip_facts ip;
    union {
        struct tcp_facts tcp;
        struct udp_facts udp;
        struct icmp_facts icmp;
        struct neighbor_facts neighbor;
        struct echo_facts echo;
    };
};

#endif
