/* defrag: puts IP fragments together. IPv4 goes through libnids (frag4.h), IPv6 through frag6.h; here is what both
 * need: which datagram a fragment belongs to, how long and how much is kept, and how many frames were given up. Time is
 * the packets' own.
 */
#ifndef TCPSLEUTH_DISSECT_DEFRAG_H
#define TCPSLEUTH_DISSECT_DEFRAG_H

#include "base/bytes.h"
#include "dissect/packet.h"

struct defrag;

struct fragment {
    const struct ip_facts *ip; /* of this fragment's header */
    uint32_t id;
    uint8_t protocol;          /* what the fragment carries; of IPv6: its header's next header field */
    unsigned offset;           /* of the payload in the datagram's */
    bool more;                 /* it is not the last one */
    struct slice payload;      /* all of it, borrowed for the call */
    int64_t ts_ns;
};

struct datagram {
    struct ip_facts ip;        /* the first fragment's, with the datagram's length, reassembled set */
    struct slice payload;      /* behind the IP header, valid until the next call */
};

enum defrag_result {
    DEFRAG_WAITS, /* kept until the rest comes */
    DEFRAG_WHOLE, /* it was the missing piece: *whole is filled in */
    DEFRAG_BAD    /* malformed, or of a datagram that is spoilt (overlaps) */
};

/* Frames that were kept and then given up are added to *lost. Free with defrag_free (NULL-safe), which counts no
 * more. */
struct defrag *defrag_new(uint64_t *lost);
void defrag_free(struct defrag *d);

enum defrag_result defrag_add(struct defrag *d, const struct fragment *f, struct datagram *whole);

/* Gives up all that waits; returns how many frames those were. */
uint64_t defrag_flush(struct defrag *d);

#endif
