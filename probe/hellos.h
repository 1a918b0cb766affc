/* hellos: the same server asked by ClientHellos that differ in one thing each, on ordinary connections of the kernel's, one after the other: what
 * is answered and what is cut says what somebody on the way looks at. Needs no rights.
 */
#ifndef TCPSLEUTH_PROBE_HELLOS_H
#define TCPSLEUTH_PROBE_HELLOS_H

#include "diagnose/probes.h"

struct hellos;

/* Begins; request->name: the server name of the connection in question, NULL: none. `done` is called once, from the main context. Free with
 * hellos_free. */
struct hellos *hellos_start(const struct probe_request *request, void (*done)(void *user), void *user);

/* Ends it as it stands; `done` is not called any more. */
void hellos_stop(struct hellos *h);
void hellos_free(struct hellos *h); /* NULL-safe */

/* The record, "tls": outcome and finding of the first ClientHello, all in `variants`. Where the first is answered, no other is asked. Free with
 * probe_result_free. */
struct probe_result *hellos_result(const struct hellos *h);

/* Whether a captured packet belongs to one of these connections: to be asked until some seconds after the end, when their ports may be given
 * to others. */
bool hellos_own(const struct hellos *h, const struct packet *p);

#endif
