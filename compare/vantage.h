/* vantage: everything that one capture saw of its TCP connections, kept to be held against what another capture saw of
 * the same ones: each flow as the tracker and the judge leave it, and a compact record of each of its packets.
 *
 * This is the one place where packets outlive their frame; LIMIT_COMPARED_PACKETS and LIMIT_COMPARED_FLOWS bound it.
 *
 * The order of the folder: vantage -> join and marks (which flow here is which there) -> match and offload (which
 * packet) -> clock -> fate (what is missing) -> change (what was rewritten) -> verdict; compare.h is the whole.
 * documents.h does the same for two JSON documents.
 */
#ifndef TCPSLEUTH_COMPARE_VANTAGE_H
#define TCPSLEUTH_COMPARE_VANTAGE_H

#include "capture/capture.h"
#include "diagnose/judge.h"
#include "flow/flow.h"

/* What became of a packet between its sender's capture and its receiver's, as far as both can tell. */
enum fate {
    FATE_UNKNOWN,  /* one of the captures did not cover that time */
    FATE_ARRIVED,  /* it is in both */
    FATE_PARTLY,   /* the network card cut it in segments, and some of them did not arrive: `missing` bytes */
    FATE_LOST,     /* at its sender only: it did not arrive */
    FATE_MISSED,   /* in one capture only, but the other one overlooked it: its receiver acknowledged it, or its sender
                      went on behind it */
    FATE_REPEATED, /* at its receiver, once more than it was sent */
    FATE_FORGED    /* at its receiver only, and its sender did not send it */
};
const char *fate_name(enum fate f);

/* Bytes at the head of a payload that make its digest. */
#define DIGEST_BYTES 32

/* A TCP packet as one capture saw it: 64 bytes. */
struct sighting {
    int64_t ts_ns;
    uint64_t number;
    uint32_t seq, ack, len;
    uint32_t tsval;
    uint32_t digest; /* of the first DIGEST_BYTES of the payload, or of all there is; 0: not captured, or none */
    uint32_t match;  /* index + 1 of the packet of the other capture that it is; 0: none. Of one that offload cut: the
                        first of them */
    uint32_t
        missing; /* bytes of the payload that the other capture does not have; valid where fate is not FATE_UNKNOWN */
    uint16_t ip_id, flags, window, present, mss; /* present: TCPOPT_*; mss: of a SYN */
    uint8_t wscale;                              /* of a SYN */
    uint8_t ttl, dscp, ecn;
    uint8_t version : 4;
    uint8_t side : 1; /* enum side, of this capture's flow */
    uint8_t df : 1;
    uint8_t fate; /* enum fate */
};

/* A connection as one capture saw it. */
struct seen_flow {
    struct flow *flow;
    struct judgement judgement;
    GArray *packets; /* struct sighting, in the order of the capture, without what it holds twice */
};

struct vantage {
    char *source;     /* the file's name */
    GPtrArray *flows; /* struct seen_flow*, by id: flow n is at n - 1 */
    uint64_t frames, tcp_packets;
    uint64_t forgotten;        /* TCP packets beyond the limits: not compared */
    int64_t first_ns, last_ns; /* of all frames, or until when the capture went on; TIME_NONE: no frames */
    int64_t from_ns, to_ns;    /* of the first frame in the file, and of the last one, or until when it went on: what it
                                * surely covers, also    where a time stamp in between is wrong */
    uint64_t dropped;          /* packets that the capture is known to have lost */
    bool nanoseconds, truncated;
    struct vantage_work *work; /* NULL after vantage_finish */
};

/* source is copied. Free with vantage_free (NULL-safe). */
struct vantage *vantage_new(const char *source);
void vantage_free(struct vantage *v);

/* Takes n frames into account. */
void vantage_frames(struct vantage *v, const struct frame *frames, size_t n);

/* No more frames: judges the flows. */
void vantage_finish(struct vantage *v, const struct capture_info *info);

static inline struct seen_flow *vantage_flow(const struct vantage *v, uint32_t index)
{
    return g_ptr_array_index(v->flows, index);
}

static inline struct sighting *sighting_at(const struct seen_flow *f, guint index)
{
    return &g_array_index(f->packets, struct sighting, index);
}

/* Sequence numbers that it takes: payload, SYN and FIN. */
static inline uint32_t sighting_span(const struct sighting *s)
{
    return s->len + (s->flags & TCP_SYN ? 1u : 0) + (s->flags & TCP_FIN ? 1u : 0);
}

#endif
