/* frag4: IPv4 reassembly by libnids. Its state is global: these functions must all be called from one thread, and
 * nothing else in the process may use libnids while one of them has it open.
 *
 * libnids knows a datagram by addresses, identification and protocol. It is shown none of the real ones: every datagram
 * has a number of its own, which stands in the destination, under a protocol that libnids does nothing with. So its own
 * TCP and UDP never run, it never meets IP options (which it rewrites in place), its limit of 256 KB for each
 * destination is one for each datagram, and several users do not see each other's fragments.
 *
 * libnids forgets a datagram 30 s after its last fragment by the clock on the wall, not by the time of the packets;
 * whoever calls this gives datagrams up by packet time and well before, unless reading the input took that long.
 */
#ifndef TCPSLEUTH_DISSECT_FRAG4_H
#define TCPSLEUTH_DISSECT_FRAG4_H

#include "base/bytes.h"

#include <glib.h>

/* Payload bytes of the longest datagram that can be put together. */
#define FRAG4_PAYLOAD_MAX (65535 - 20)

/* What libnids needs for a fragment besides its bytes, about. */
#define FRAG4_OVERHEAD 128

enum frag4_result { FRAG4_WAITS, FRAG4_WHOLE, FRAG4_BAD };

/* Every user opens once, before anything else, and closes once, when all its datagrams are whole or dropped. False:
 * libnids refused. */
bool frag4_open(void);
void frag4_close(void);

/* A number for a new datagram. */
uint32_t frag4_number(void);

/* A piece of the payload of datagram `number`, not empty, not beyond FRAG4_PAYLOAD_MAX; offset, and the size of all
 * but the last piece, are multiples of 8. WHOLE: *out is the payload. BAD: libnids threw the datagram away. Overlaps
 * are resolved as libnids (an early Linux) does. */
enum frag4_result frag4_add(uint32_t number, unsigned offset, bool more, struct slice piece, GByteArray *out);

/* The datagram will never be whole. */
void frag4_drop(uint32_t number);

#endif
