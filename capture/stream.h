/* stream: the bytes of one input, front to back, decompressed where they are gzip or zstd (known by their first bytes,
 * not by a name). Reading never fails loudly: it ends, and stream_problem says why when that was not the end of the
 * file. */
#ifndef TCPSLEUTH_CAPTURE_STREAM_H
#define TCPSLEUTH_CAPTURE_STREAM_H

#include "base/bytes.h"

#include <glib.h>

struct stream;

/* Opens path ("-": standard input) and reads its beginning. CAPTURE_ERROR_OPEN or _EMPTY where that is not possible. */
struct stream *stream_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The next n bytes, fewer only at the end. They stay where they are, unread, until the next call of stream_peek.
 * n is the caller's to bound: so much is kept in memory. */
struct slice stream_peek(struct stream *s, size_t n);

/* What has been read ahead: a stream_peek of no more than that moves nothing. */
struct slice stream_ahead(const struct stream *s);

/* Moves past n bytes of what stream_peek gave last. */
void stream_consume(struct stream *s, size_t n);

/* Reads and forgets n bytes, without keeping them in memory; false where there are fewer. */
bool stream_skip(struct stream *s, uint64_t n);

/* The n bytes at that offset of the decoded input, fewer only at its end: for formats that are not read front to back.
 * They stay where they are until the next call. A plain file is read where it is asked for; of any other input
 * everything up to there is kept in memory, LIMIT_KEPT_BYTES at most (stream_problem says so). Nothing may have been
 * consumed, skipped or read before, or be after. */
struct slice stream_at(struct stream *s, uint64_t offset, size_t n);

/* How the input is called in messages: the path made printable, or "standard input". */
const char *stream_name(const struct stream *s);

/* Why the bytes ended before they should, as part of a sentence ("the gzip data ends too early"), or NULL. Final once
 * the end was met. */
const char *stream_problem(const struct stream *s);

/* Whether that problem is damage, or a failed read, rather than a file that is cut short. */
bool stream_damaged(const struct stream *s);

/* Whether path leads to the regular file that is read here, by whichever of its names. */
bool stream_is_file(const struct stream *s, const char *path);

/* "gzip", "zstd" or NULL. */
const char *stream_compression(const struct stream *s);

/* Bytes read of the input as it lies on disk, or how far into it stream_at has come; and how many it has (0 where that
 * is not known). */
uint64_t stream_bytes_read(const struct stream *s);
uint64_t stream_bytes_total(const struct stream *s);

/* NULL-safe. */
void stream_free(struct stream *s);

#endif
