/* handshake: a TLS handshake through GnuTLS on a connected socket, and what it says: the version, the certificate, or
 * why it failed, in the contract's codes.
 */
#ifndef TCPSLEUTH_PROBE_HANDSHAKE_H
#define TCPSLEUTH_PROBE_HANDSHAKE_H

#include "diagnose/probes.h"

struct handshake;

/* What the ClientHello looks like. */
struct tls_shape {
    bool named;             /* it bears the name of the server */
    const char *other_name; /* or this one; NULL */
    const char *priority;   /* versions and ciphers, as GnuTLS writes them; NULL: its defaults */
};
extern const struct tls_shape tls_usual; /* with the server's name and the defaults */

/* fd: connected, not blocking; borrowed. name: of the server, to compare with the certificate where the ClientHello bears
 * it; NULL: none. Free with handshake_free. */
struct handshake *handshake_new(int fd, const char *name, const struct tls_shape *shape);
void handshake_free(struct handshake *h); /* NULL-safe */

enum handshake_state { HANDSHAKE_READS, HANDSHAKE_WRITES, HANDSHAKE_OVER };

/* Goes on as far as it can. HANDSHAKE_OVER: *out holds outcome, note and finding. */
enum handshake_state handshake_step(struct handshake *h, struct probe_result *out);

/* It took too long. */
void handshake_late(struct handshake *h, struct probe_result *out);

#endif
