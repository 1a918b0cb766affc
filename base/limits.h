/* limits: every bound that hostile or huge input can reach, with its reason. Reaching one is reported, never silent. */
#ifndef TCPSLEUTH_BASE_LIMITS_H
#define TCPSLEUTH_BASE_LIMITS_H

#include "base/timens.h"

/* --- capture/ --- */
/* A frame larger than this is damage: the largest real ones are 64 KB (loopback, offload) and USB/BIG-TCP a little more. */
#define LIMIT_FRAME_BYTES (1u << 20)
/* Interfaces of a pcapng section; a real file has a few dozen. */
#define LIMIT_INTERFACES 4096

/* --- dissect/ --- */
/* Nested headers (VLAN tags, MPLS labels, tunnels, extension headers) of one frame. */
#define LIMIT_LAYERS 32
/* IPv6 datagrams waiting for fragments, and the bytes they hold; libnids has bounds of its own for IPv4. */
#define LIMIT_FRAGMENTED_DATAGRAMS 1024
#define LIMIT_FRAGMENT_BYTES (16u << 20)
#define LIMIT_FRAGMENT_AGE_NS (30 * NS_PER_S)
/* HTTP: transactions kept of one connection; a keep-alive benchmark has millions. */
#define LIMIT_HTTP_TRANSACTIONS 1000
/* HTTP: bytes kept of one URL, header value or reason; browsers and servers stop at 8 KB. */
#define LIMIT_HTTP_VALUE 8192
/* TLS: a handshake message larger than this is skipped (certificate chains with many names stay below). */
#define LIMIT_TLS_HANDSHAKE (256u << 10)
/* A greeting's text. */
#define LIMIT_GREETING 256
/* Bytes looked at before the protocol of a stream is given up as unknown. */
#define LIMIT_APP_PROBE 4096
/* DNS: names and addresses kept of one message. */
#define LIMIT_DNS_ANSWERS 64

#endif
