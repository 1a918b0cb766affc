/* limits: every bound that hostile or huge input can reach, with its reason. Reaching one is reported, never silent. */
#ifndef TCPSLEUTH_BASE_LIMITS_H
#define TCPSLEUTH_BASE_LIMITS_H

#include "base/timens.h"

/* --- capture/ --- */
/* A frame larger than this is damage: the largest real ones are 64 KB (loopback, offload) and USB/BIG-TCP a little more. */
#define LIMIT_FRAME_BYTES (1u << 20)
/* A pcapng block that has to be in memory as a whole: a frame and its options. Blocks that nobody here reads (keys, names,
 * statistics) may be larger; they are skipped without being kept. */
#define LIMIT_BLOCK_BYTES (LIMIT_FRAME_BYTES + (256u << 10))
/* Interfaces of a pcapng section; a real file has a few dozen. */
#define LIMIT_INTERFACES 4096
/* A file that is not read front to back (Network Monitor, NetXray) and is compressed or comes through a pipe is kept in memory up to
 * here. Those programs kept what they captured in memory too, so that their files are seldom larger; a plain file has no such bound. */
#define LIMIT_KEPT_BYTES (256u << 20)
/* Frames of several interfaces that wait for their turn: at 1 Gbit/s what comes in two batches. Beyond it the earliest goes first as it
 * stands. */
#define LIMIT_LIVE_HELD (32u << 20)

/* --- dissect/ --- */
/* Nested headers (VLAN tags, MPLS labels, tunnels, extension headers) of one frame. */
#define LIMIT_LAYERS 32
/* IP datagrams of both versions waiting for fragments, the bytes they hold, and how long by the time of the packets (Linux: 30 s). */
#define LIMIT_FRAGMENTED_DATAGRAMS 1024
#define LIMIT_FRAGMENT_BYTES (16u << 20)
#define LIMIT_FRAGMENT_AGE_NS (30 * NS_PER_S)
/* HTTP: transactions kept of one connection; a keep-alive benchmark has millions. */
#define LIMIT_HTTP_TRANSACTIONS 1000
/* HTTP: bytes kept of one URL, header value or reason; browsers and servers stop at 8 KB. */
#define LIMIT_HTTP_VALUE 8192
/* HTTP: bytes of text kept of all transactions of one connection; beyond it only the newest transaction is kept up to date. */
#define LIMIT_HTTP_TEXT (1u << 20)
/* HTTP: a method longer than this is none; the longest registered one (UPDATEREDIRECTREF) has 17 bytes. */
#define LIMIT_HTTP_METHOD 31
/* TLS: a handshake message larger than this is skipped (certificate chains with many names stay below). */
#define LIMIT_TLS_HANDSHAKE (256u << 10)
/* TLS: a leaf certificate larger than this is not parsed (GnuTLS takes some 10 us for each of its names, and a made-up one could be
 * full of short names; a real one with 1000 names has 40 KB), and so many of its names are kept. */
#define LIMIT_TLS_CERTIFICATE (48u << 10)
#define LIMIT_TLS_NAMES 256
/* TLS: bytes kept of a server name: a DNS name has 253 at most. */
#define LIMIT_TLS_NAME 256
/* DNS: bytes kept of the text of one answer. */
#define LIMIT_DNS_TEXT 512
/* Certificates remembered with what was read of them: a capture holds those of a few hundred servers at a time. */
#define LIMIT_KNOWN_CERTIFICATES 256
/* A greeting's text. */
#define LIMIT_GREETING 256
/* Bytes looked at before the protocol of a stream is given up as unknown. */
#define LIMIT_APP_PROBE 4096
/* DNS over TCP: messages kept of one connection; a zone transfer has many. */
#define LIMIT_DNS_MESSAGES 1000
/* DNS: names and addresses kept of one message. */
#define LIMIT_DNS_ANSWERS 64

/* --- flow/ --- */
/* Flows that are followed at a time. A flood of SYNs from random sources must not take the machine: beyond it the flow that has been
 * quiet longest is judged and let go, unfinished handshakes first. */
#define LIMIT_LIVE_FLOWS (1u << 18)
/* Of these, unfinished handshakes. */
#define LIMIT_EMBRYONIC_FLOWS (1u << 16)
/* Flows, and conversations, kept for a report that is written at the end (flows of trouble with half a kilobyte each in memory; for JSON
 * two on disk); those beyond are only counted. */
#define LIMIT_KEPT_FLOWS (1u << 21)
/* A closed flow waits so long for stragglers (2 MSL as most systems have it), and at most so many wait. */
#define LIMIT_LINGER_NS (60 * NS_PER_S)
#define LIMIT_LINGERING (1u << 13)
/* A handshake that never finished: Linux gives up after 127 s of SYN retries, others later. */
#define LIMIT_EMBRYONIC_IDLE_NS (300 * NS_PER_S)
/* An open connection without a packet: RFC 5382 wants NATs to keep them 2 h 4 min; keep-alives come every 2 h. */
#define LIMIT_OPEN_IDLE_NS (9000 * NS_PER_S)
/* Islands of bytes above a hole in one direction: a receiver's SACK scoreboard has less. Beyond it the lowest hole is given up. */
#define LIMIT_ISLANDS 4096
/* Segments of one direction that wait for their ACK to give a round-trip time. */
#define LIMIT_UNACKED_SEGMENTS 16384
/* Stream bytes kept while a hole is open: of one direction, and of all flows together. */
#define LIMIT_REASSEMBLY_FLOW (4u << 20)
#define LIMIT_REASSEMBLY_ALL (256u << 20)
/* A SACK block so many bytes from the highest one sent is no block of this connection: no stack keeps as much on the way. */
#define LIMIT_SACK_FAR (1 << 26)

/* Notes (evidence) kept of a flow: the first LIMIT_NOTES_FIRST and the last ones. */
#define LIMIT_NOTES 48
#define LIMIT_NOTES_FIRST 16
/* Packets kept of a flow for its ladder (48 bytes each) where something is odd: the first LIMIT_LADDER_FIRST and the last ones. */
#define LIMIT_LADDER 40
#define LIMIT_LADDER_FIRST 16
/* Packets kept of the flow that --flow draws. */
#define LIMIT_LOG (1u << 20)
/* Unanswered look-ups and neighbour requests that are remembered at a time. */
#define LIMIT_OPEN_LOOKUPS 65536
#define LIMIT_KEPT_LOOKUPS (1u << 20)
#define LIMIT_NEIGHBORS 65536

/* --- diagnose/ --- */
/* Servers and name servers that the view of the whole capture tells apart: 200 bytes each. */
#define LIMIT_OVERALL 16384
/* Flows and look-ups that wait for what belongs to them, and the bytes they hold; beyond it the oldest are judged at once. */
#define LIMIT_WAITING (1u << 16)
#define LIMIT_WAITING_BYTES (64u << 20)
/* Addresses that were seen to send something: none of them is an absent neighbour. Beyond it no neighbour is called absent. */
#define LIMIT_SEEN_ADDRESSES (1u << 16)

/* --- probe/ --- */
/* CONTRACT section 1: what may leave, of crafted packets: in a second, and to one target. */
#define LIMIT_PROBE_PER_SECOND 10
#define LIMIT_PROBE_PACKETS 200
/* Addresses of one name that are probed; large services have more, and each costs seconds. */
#define LIMIT_PROBE_ADDRESSES 8
/* Targets at a time. */
#define LIMIT_PROBE_TARGETS 32
/* Connections in trouble of which this host's kernel is asked: some system calls each. */
#define LIMIT_KERNEL_LOOKS 1024
/* Directions of tracked connections that are remembered: some 70 bytes each. */
#define LIMIT_CONNTRACK 65536
/* Interfaces that are opened in advance to ask for neighbours on. */
#define LIMIT_PROBE_LINKS 16
/* Hardware addresses that claim one address: two say all that there is to say. */
#define LIMIT_CLAIMS 8
/* Flows that broke and whose verdict probes may amend; and those of one target that are told so at once, a line each. */
#define LIMIT_JOIN_FLOWS 4096
#define LIMIT_JOIN_TOLD 16
/* Flows that are over and wait for what probes find: some hundred bytes each, and what their conversations hold. */
#define LIMIT_JOIN_HELD 1024
/* Names whose look-up failed and that name servers are asked for: each may take 4 s, and 4 packets to each server. */
#define LIMIT_JOIN_NAMES 16
/* Hops of a trail: the diameter of the Internet stays below (traceroute's 30). */
#define LIMIT_PROBE_HOPS 30

/* --- host/ --- */
/* Bytes read of a small file (sysfs, /etc/hosts of a block list has some MB; what is beyond is not looked at), and names of a folder. */
#define LIMIT_HOST_FILE (1u << 20)
#define LIMIT_HOST_NAMES 4096
/* Resolvers that are asked: libc itself takes 3; and names tried of a search list. */
#define LIMIT_RESOLVERS 8
#define LIMIT_SEARCH_NAMES 8
/* Lines of the kernel about firmware. */
#define LIMIT_KMSG_LINES 8
/* Log files of a process, and bytes looked at from the end of each. */
#define LIMIT_LOG_FILES 16
#define LIMIT_LOG_BYTES (256u << 10)
/* Sockets that are counted; a busy proxy has some hundred thousand. */
#define LIMIT_SOCKETS (1u << 20)
/* --- compare/ --- */
/* Packets and connections of one capture that are kept to be compared with another one (64 bytes each; a connection 1 KB); those beyond are
 * counted, and a filter brings them in. */
#define LIMIT_COMPARED_PACKETS (1u << 21)
#define LIMIT_COMPARED_FLOWS (1u << 18)
/* Connections that share a mark (join.h): more of them make it worthless, and the pairs of all with all too many. */
#define LIMIT_MARK_OWNERS 4
/* Packets looked at to find the one that carries a byte which segmentation offload cut elsewhere: 64 KB in small segments. */
#define LIMIT_OFFLOAD_STEPS 64
/* Packets that are listed one by one for each direction of a pair: what was lost, what nobody sent. */
#define LIMIT_LISTED_PACKETS 1000
/* Bytes of a JSON document that is compared: it takes ten times as much memory while it is looked at. */
#define LIMIT_DOCUMENT_BYTES (64u << 20)

/* --- report/ --- */
/* --evidence: packets that are taken out, and bytes of the comment of one, about: more is no evidence but a capture. */
#define LIMIT_EVIDENCE (1u << 16)
#define LIMIT_EVIDENCE_COMMENT 2000
/* Groups of healthy flows that the text report keeps (0.2 KB each), of which it shows the 50 largest. */
#define LIMIT_HEALTHY_GROUPS (1u << 16)

/* An hour in a minute, to see in a short time that memory stays where it is (VARIANT=short, bench/live --memory): waiting times and what a report
 * lists are a sixtieth. */
#ifdef SHORTENED_LIMITS
#undef LIMIT_LINGER_NS
#undef LIMIT_EMBRYONIC_IDLE_NS
#undef LIMIT_OPEN_IDLE_NS
#undef LIMIT_KEPT_FLOWS
#undef LIMIT_KEPT_LOOKUPS
#define LIMIT_LINGER_NS (1 * NS_PER_S)
#define LIMIT_EMBRYONIC_IDLE_NS (5 * NS_PER_S)
#define LIMIT_OPEN_IDLE_NS (150 * NS_PER_S)
#define LIMIT_KEPT_FLOWS ((1u << 21) / 60)
#define LIMIT_KEPT_LOOKUPS ((1u << 20) / 60)
#endif

/* Bounds that small inputs reach, so that what happens there is tried as well (VARIANT=fuzz and coverage). */
#ifdef TIGHT_LIMITS
#undef LIMIT_FRAGMENTED_DATAGRAMS
#undef LIMIT_FRAGMENT_BYTES
#undef LIMIT_HTTP_TRANSACTIONS
#undef LIMIT_HTTP_TEXT
#undef LIMIT_KNOWN_CERTIFICATES
#undef LIMIT_DNS_MESSAGES
#undef LIMIT_DNS_ANSWERS
#undef LIMIT_LIVE_FLOWS
#undef LIMIT_EMBRYONIC_FLOWS
#undef LIMIT_KEPT_FLOWS
#undef LIMIT_LINGERING
#undef LIMIT_ISLANDS
#undef LIMIT_UNACKED_SEGMENTS
#undef LIMIT_REASSEMBLY_FLOW
#undef LIMIT_REASSEMBLY_ALL
#undef LIMIT_OPEN_LOOKUPS
#undef LIMIT_KEPT_LOOKUPS
#undef LIMIT_NEIGHBORS
#undef LIMIT_OVERALL
#undef LIMIT_WAITING
#undef LIMIT_WAITING_BYTES
#undef LIMIT_SEEN_ADDRESSES
#undef LIMIT_HEALTHY_GROUPS
#define LIMIT_FRAGMENTED_DATAGRAMS 4
#define LIMIT_FRAGMENT_BYTES (16u << 10)
#define LIMIT_HTTP_TRANSACTIONS 4
#define LIMIT_HTTP_TEXT 1024
#define LIMIT_KNOWN_CERTIFICATES 2
#define LIMIT_DNS_MESSAGES 2
#define LIMIT_DNS_ANSWERS 4
#define LIMIT_LIVE_FLOWS 8
#define LIMIT_EMBRYONIC_FLOWS 4
#define LIMIT_KEPT_FLOWS 16
#define LIMIT_LINGERING 2
#define LIMIT_ISLANDS 4
#define LIMIT_UNACKED_SEGMENTS 16
#define LIMIT_REASSEMBLY_FLOW (8u << 10)
#define LIMIT_REASSEMBLY_ALL (16u << 10)
#define LIMIT_OPEN_LOOKUPS 4
#define LIMIT_KEPT_LOOKUPS 8
#define LIMIT_NEIGHBORS 4
#define LIMIT_OVERALL 4
#define LIMIT_WAITING 8
#define LIMIT_WAITING_BYTES (16u << 10)
#define LIMIT_SEEN_ADDRESSES 8
#define LIMIT_HEALTHY_GROUPS 4
#endif

#endif
