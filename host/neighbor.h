/* neighbor: what the kernel knows of a neighbour's hardware address (rtnetlink). Reads only: it is the kernel that
 * asks, when something is sent to it.
 */
#ifndef TCPSLEUTH_HOST_NEIGHBOR_H
#define TCPSLEUTH_HOST_NEIGHBOR_H

#include "base/addr.h"
#include "diagnose/kernel_view.h"

#include <glib.h>

/* mac: its hardware address as text, "" where none is known. */
enum neighbor_state neighbor_find(unsigned link, unsigned version, const struct addr *a, char mac[MAC_TEXT]);

/* Waits until the state is certain (known or failed), at most so long. */
enum neighbor_state neighbor_wait(unsigned link, unsigned version, const struct addr *a, unsigned most_ms,
                                  char mac[MAC_TEXT]);

#endif
