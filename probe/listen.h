/* listen: the answers: a libpcap handle on all interfaces, inward only, with a filter for what can be one. What it
 * hands out is what the network says, before this host's firewall has its say.
 */
#ifndef TCPSLEUTH_PROBE_LISTEN_H
#define TCPSLEUTH_PROBE_LISTEN_H

#include "capture/frame.h"

#include <glib.h>
#include <stdbool.h>

struct listener;

/* ports: the first of n local ports that answers go to; low: another one. NULL and *error where packets may not be
 * seen. Free with listener_free. */
struct listener *listener_open(uint16_t ports, unsigned n, uint16_t low, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One that hears neighbours alone: ARP, and ICMPv6 with its neighbour discovery. */
struct listener *listener_open_neighbors(GError **error) G_GNUC_WARN_UNUSED_RESULT;
void listener_free(struct listener *l); /* NULL-safe */

/* To wait for: readable where frames are there. */
int listener_fd(const struct listener *l);

/* Hands out the frames that are there (at most `most`); returns how many. */
int listener_read(struct listener *l, int most, void (*frame)(void *user, const struct frame *f), void *user);

#endif
