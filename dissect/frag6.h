/* frag6: reassembly of one datagram in a buffer of its own, with a bit for every 8 bytes that are there. Used for
 * IPv6, where fragments that overlap spoil the datagram (RFC 5722). */
#ifndef TCPSLEUTH_DISSECT_FRAG6_H
#define TCPSLEUTH_DISSECT_FRAG6_H

#include "base/bytes.h"

#include <glib.h>

#define FRAG6_PAYLOAD_MAX 65535

enum frag6_result { FRAG6_WAITS, FRAG6_WHOLE, FRAG6_BAD };

struct frag6;

/* Free with frag6_free (NULL-safe). */
struct frag6 *frag6_new(void);
void frag6_free(struct frag6 *f);

/* Bytes of memory it holds. */
size_t frag6_size(const struct frag6 *f);

/* A piece of the payload: not empty, not beyond FRAG6_PAYLOAD_MAX; offset, and the size of all but the last piece,
 * multiples of 8. The exact copy of one that is there is no overlap. */
enum frag6_result frag6_add(struct frag6 *f, unsigned offset, bool more, struct slice piece);

/* The payload, once WHOLE; f's own. */
struct slice frag6_payload(const struct frag6 *f);

#endif
