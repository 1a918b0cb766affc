/* decompress: gzip (RFC 1952) and zstd (RFC 8878) data, piece by piece, members and frames one after the other. */
#ifndef TCPSLEUTH_CAPTURE_DECOMPRESS_H
#define TCPSLEUTH_CAPTURE_DECOMPRESS_H

#include "base/bytes.h"

struct decoder;

/* A decoder for data that begins with these bytes (4 are enough), or NULL where they are not the beginning of
 * compressed data. */
struct decoder *decoder_new(struct slice beginning);

/* Decodes from *in to out, at most n bytes, and moves *in past what it took. Returns how many bytes it wrote: 0 where
 * it needs more input, or where the data is damaged (decoder_damage). */
size_t decoder_run(struct decoder *d, struct slice *in, uint8_t *out, size_t n);

/* What is wrong with the data, in a few words, or NULL. Nothing can be decoded after damage. */
const char *decoder_damage(const struct decoder *d);

/* Whether the data may end here: it stands between two members. */
bool decoder_at_boundary(const struct decoder *d);

/* "gzip" or "zstd". */
const char *decoder_name(const struct decoder *d);

/* NULL-safe. */
void decoder_free(struct decoder *d);

#endif
