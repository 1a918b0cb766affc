/* wire_rule: what the wire does with which packets.
 *
 * A rule is a line of words: what a packet has to be, and what then happens to it.
 *
 *     up | down          towards the server, towards the client; neither: both
 *     ip=4  ip=6         the family
 *     port=N             one of the two ports
 *     syn synack fin rst data ack
 *                        a SYN without ACK, a SYN with it, a FIN, a RST, a segment with data, a bare ACK
 *     min=N max=N        the size of the IP packet
 *     seq=A or seq=A-B   the segment holds one of these bytes of its stream, counted from 0 behind the last SYN of that
 * direction n=A or n=A-B or n=A- the A-th to B-th packet of those that match everything else, for each direction;
 * counted from 1 every=K            each K-th of them
 *
 *     drop               it is lost
 *     delay=MS           it comes so much later (delays of several rules add up; the order stays only among equal
 * delays) hold=K             it waits for the next K packets of its direction, HOLD_MS at most dup                it
 * comes twice ttl=-N or ttl=+N   the TTL changes mss=N              another MSS strip=WORD         NOPs over an option:
 * mss wscale sack ts; sack is both the permission and the blocks corrupt            a bit of the data is wrong, and so
 * is the checksum rst=back rst=on    a RST is forged, to the sender or to the receiver of the packet, with rst-ttl=N
 * (64), rst-id=N (0), rst-seq=N (a change, 0), rst-window=N (0)
 *
 * All rules are asked in order, and each that matches adds what it says; `drop` ends it.
 */
#ifndef TCPSLEUTH_TESTS_LAB_WIRE_RULE_H
#define TCPSLEUTH_TESTS_LAB_WIRE_RULE_H

#include "tests/lab/wire_packet.h"

enum { UP, DOWN, WAYS };
#define HOLD_MS 200

struct rule {
    bool ways[WAYS];
    unsigned family, port; /* 0: any */
    unsigned flags, flags_mask;
    bool tcp, data, bare;
    size_t min, max;
    bool has_seq, has_forgery;
    uint32_t seq_from, seq_to;
    unsigned n_from, n_to, every;

    bool drop, dup, corrupt;
    int64_t delay_ns;
    unsigned hold;
    int ttl_change;
    uint16_t mss;     /* 0: as it is */
    uint8_t strip[2]; /* option kinds; 0: none */
    struct forgery forgery;

    unsigned seen[WAYS]; /* packets that matched everything but n and every */
    unsigned used;
};

/* Reads a rule; false with a word of the text that is none, for a message. The word is valid until the next call. */
bool rule_read(struct rule *r, const char *text, const char **bad_word);

/* Whether the rule applies to a packet on its way; counts it. `start`: the first sequence number of the data of that
 * direction. */
bool rule_matches(struct rule *r, const struct wire_packet *p, int way, uint32_t start);

#endif
