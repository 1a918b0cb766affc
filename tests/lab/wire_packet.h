/* wire_packet: an Ethernet frame on the wire, what it says, how it is rewritten, and a RST that answers it.
 *
 * A frame may still have to get its checksum from a network card that does not exist (`partial`): then the kernel makes
 * it later, and rewriting leaves it alone. Multi-byte values are in host order.
 */
#ifndef TCPSLEUTH_TESTS_LAB_WIRE_PACKET_H
#define TCPSLEUTH_TESTS_LAB_WIRE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLAG_FIN = 1, FLAG_SYN = 2, FLAG_RST = 4, FLAG_PSH = 8, FLAG_ACK = 16 };
enum { OPTION_MSS = 2, OPTION_WSCALE = 3, OPTION_SACK_PERMITTED = 4, OPTION_SACK = 5, OPTION_TIMESTAMPS = 8 };
#define RST_FRAME_MAX 74 /* Ethernet, IPv6 and TCP headers */

/* family is 0 for what is not IP; is_tcp says whether the rest is there: an unfragmented, whole TCP header. */
struct wire_packet {
    uint8_t *bytes; /* borrowed; from the Ethernet header on */
    size_t size;
    bool partial;
    unsigned family; /* 4, 6, or 0 */
    size_t ip_size;  /* of the IP packet, as the frame's length has it */
    bool is_tcp;
    size_t tcp_at, data_at;
    uint16_t source, target; /* ports */
    uint32_t seq, ack;
    uint8_t flags;
    size_t data_size;
};

/* Reads a frame of `size` bytes. The packet borrows the bytes. */
struct wire_packet wire_packet_of(uint8_t *bytes, size_t size, bool partial);

/* Sequence space that the segment takes: data, SYN and FIN. */
uint32_t wire_packet_span(const struct wire_packet *p);

/* Adds to the TTL or hop limit of what a router would carry; it stays between 1 and 255. */
void wire_packet_add_ttl(struct wire_packet *p, int change);

/* Writes a NOP over every option of that kind; false if there is none. */
bool wire_packet_strip(struct wire_packet *p, uint8_t kind);

/* Writes another MSS into the option; false if there is none. */
bool wire_packet_set_mss(struct wire_packet *p, uint16_t mss);

/* Inverts a bit of the last byte of the data and leaves the checksum as it is; false if there is no data. */
bool wire_packet_corrupt(struct wire_packet *p);

/* How a RST is forged. */
struct forgery {
    bool back; /* to the sender of the packet, in the name of the receiver; else on to the receiver, in the sender's
                  name */
    uint8_t ttl;
    uint16_t ip_id;     /* IPv4 */
    int32_t seq_change; /* from the number that the peer accepts */
    uint16_t window;
};

/* The RST that a third party would make of a TCP packet: `back` takes its number from the packet's ACK, `on` from the
 * end of its data. Writes it to out, which has room for RST_FRAME_MAX bytes; returns its size. */
size_t wire_packet_forge_rst(const struct wire_packet *p, const struct forgery *how, uint8_t *out);

#endif
