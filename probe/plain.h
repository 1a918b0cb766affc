/* plain: what the kernel lets everybody send, for who may not send raw packets: hops and path MTU by UDP and the error
 * queue (as tracepath does), and ICMP echo by a ping socket where net.ipv4.ping_group_range allows it. One after the
 * other, at the pace of the crafted ones.
 */
#ifndef TCPSLEUTH_PROBE_PLAIN_H
#define TCPSLEUTH_PROBE_PLAIN_H

#include "diagnose/probes.h"

struct plain;

/* Begins; `done` is called once, from the main context. Free with plain_free. */
struct plain *plain_start(const struct probe_request *request, void (*done)(void *user), void *user);

/* Ends it as it stands; `done` is not called any more. */
void plain_stop(struct plain *p);
bool plain_is_done(const struct plain *p);

/* Adds the records: "udp_ttl", and "echo" where it may be sent. To be called once. */
void plain_results(struct plain *p, unsigned way, GPtrArray *into);

void plain_free(struct plain *p); /* NULL-safe */

#endif
