/* connect: what the kernel does for everybody, as a control: an ordinary TCP connection, and on it a TLS handshake with
 * the certificate that the server shows. Needs no rights; on the GLib main loop.
 */
#ifndef TCPSLEUTH_PROBE_CONNECT_H
#define TCPSLEUTH_PROBE_CONNECT_H

#include "diagnose/probes.h"

struct connecting;

/* Begins. tls: with a handshake, for request->name (or the address). `done` is called once, from the main context. Free
 * with connecting_free. */
struct connecting *connecting_start(const struct probe_request *request, bool tls, void (*done)(void *user),
                                    void *user);

/* Ends it as it stands; `done` is not called any more. */
void connecting_stop(struct connecting *c);
bool connecting_is_done(const struct connecting *c);

/* Adds the records: "connect", and "tls" where it came to that. To be called once. */
void connecting_results(struct connecting *c, unsigned way, GPtrArray *into);

void connecting_free(struct connecting *c); /* NULL-safe */

#endif
