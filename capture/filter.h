/* filter: a pcap-filter(7) expression, compiled for each link type when a frame of it comes first. */
#ifndef TCPSLEUTH_CAPTURE_FILTER_H
#define TCPSLEUTH_CAPTURE_FILTER_H

#include "capture/frame.h"

#include <glib.h>
#include <stdbool.h>

struct filter;

/* NULL and CAPTURE_ERROR_FILTER with libpcap's words where the expression compiles for no link type. */
struct filter *filter_new(const char *expression, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A frame of a link type for which the expression makes no sense ("ether host" without Ethernet) is not accepted. */
bool filter_accepts(struct filter *f, const struct frame *frame);

/* Sets CAPTURE_ERROR_FILTER: the expression does not compile, in libpcap's words. */
void filter_refuse(const char *expression, const char *why, GError **error);

/* NULL-safe. */
void filter_free(struct filter *f);

#endif
