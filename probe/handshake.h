/* handshake: a TLS handshake through GnuTLS on a connected socket, and what it says: the version, the certificate, or
 * why it failed, in the contract's codes.
 */
#ifndef TCPSLEUTH_PROBE_HANDSHAKE_H
#define TCPSLEUTH_PROBE_HANDSHAKE_H

#include "diagnose/probes.h"

struct handshake;

/* fd: connected, not blocking; borrowed. name: for SNI and to compare with the certificate; NULL: neither. Free with
 * handshake_free. */
struct handshake *handshake_new(int fd, const char *name);
void handshake_free(struct handshake *h); /* NULL-safe */

enum handshake_state { HANDSHAKE_READS, HANDSHAKE_WRITES, HANDSHAKE_OVER };

/* Goes on as far as it can. HANDSHAKE_OVER: *out holds outcome, note and finding. */
enum handshake_state handshake_step(struct handshake *h, struct probe_result *out);

/* It took too long. */
void handshake_late(struct handshake *h, struct probe_result *out);

#endif
