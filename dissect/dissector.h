/* dissector: bytes of a frame to facts (struct packet). Link types, VLANs, tunnels, IPv4 and IPv6, then TCP, UDP, ICMP
 * errors, ARP and neighbour discovery. Never fails: what cannot be read becomes PACKET_UNDECODED with its reason. Keeps
 * nothing between frames except the IP fragments that wait for their datagram (defrag.h).
 *
 * IPv4 fragments go through libnids, whose state is one for the process: several dissectors may exist side by side and
 * do not see each other's fragments, but all of them must stay in one thread.
 */
#ifndef TCPSLEUTH_DISSECT_DISSECTOR_H
#define TCPSLEUTH_DISSECT_DISSECTOR_H

#include "capture/frame.h"
#include "dissect/packet.h"

struct dissector;

/* Free with dissector_free (NULL-safe). */
struct dissector *dissector_new(void);
void dissector_free(struct dissector *d);

/* Fills *packet from *frame. Slices in it point into the frame, or, of what was put together from fragments, into memory that is the
 * dissector's until the next call. */
void dissector_frame(struct dissector *d, const struct frame *frame, struct packet *packet);

/* Fills packets from up to n frames, n at least 1, and returns how many were done: it stops behind one that was put together from fragments. */
size_t dissector_frames(struct dissector *d, const struct frame *frames, size_t n, struct packet *packets);

/* Frames so far that could not be read, by reason (UNDECODED_REASONS of them). A fragment is handed out as
 * PACKET_FRAGMENT when it comes and counted under UNDECODED_FRAGMENT when its datagram is given up: it is too old,
 * too many wait, or at dissector_flush. */
const uint64_t *dissector_undecoded(const struct dissector *d);

/* The end of the input: gives up all datagrams that wait for fragments. Returns how many frames they had; they are
 * counted from then on. */
uint64_t dissector_flush(struct dissector *d);

#endif
