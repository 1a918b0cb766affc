/* conntrack: what this host's connection tracking (nf_conntrack) makes of TCP connections, heard from its events (ctnetlink, through
 * libnetfilter_conntrack). A question would take CAP_NET_ADMIN when it is asked; to listen takes it once, so that it can be given up. Reads only;
 * loads no module: where connections are not tracked it does not open.
 */
#ifndef TCPSLEUTH_HOST_CONNTRACK_H
#define TCPSLEUTH_HOST_CONNTRACK_H

#include "base/addr.h"
#include "diagnose/kernel_view.h"

struct conntrack;

/* Whether this host tracks connections at all. */
bool conntrack_used(void);

/* NULL without the right, or where it is not used. Free with conntrack_free. */
struct conntrack *conntrack_open(void);
void conntrack_free(struct conntrack *c); /* NULL-safe */

/* Takes the events that wait; to be called some times a second. Where they come faster than they are read it gives up, and knows nothing any more. */
void conntrack_read(struct conntrack *c);

/* What is known of a connection that began after conntrack_open. c may be NULL. TRACK_NONE only where others of the version are tracked. */
enum kernel_track conntrack_find(const struct conntrack *c, unsigned version, const struct addr *client, uint16_t client_port,
                                 const struct addr *server, uint16_t server_port);

#endif
