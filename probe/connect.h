/* connect: what the kernel does for everybody, as a control: an ordinary TCP connection, and on it a TLS handshake with
 * the certificate that the server shows. Needs no rights; on the GLib main loop.
 */
#ifndef TCPSLEUTH_PROBE_CONNECT_H
#define TCPSLEUTH_PROBE_CONNECT_H

#include "diagnose/probes.h"
#include "probe/handshake.h"

struct connecting;

/* Begins. tls: with a handshake of that shape (static), for request->name (or the address); NULL: without. `done` is called once, from the main context. Free
 * with connecting_free. */
struct connecting *connecting_start(const struct probe_request *request, const struct tls_shape *tls,
                                    void (*done)(void *user), void *user);

/* Its local port; 0: there is none. */
uint16_t connecting_port(const struct connecting *c);

/* Ends it as it stands; `done` is not called any more. */
void connecting_stop(struct connecting *c);
bool connecting_is_done(const struct connecting *c);

/* Adds the records: "connect", and "tls" where it came to that. To be called once. */
void connecting_results(struct connecting *c, unsigned way, GPtrArray *into);

void connecting_free(struct connecting *c); /* NULL-safe */

#endif
