/* spool: bytes put aside, to be read again in any order: in memory while they are few, then in a temporary file without
 * a name (in the folder of TMPDIR, or /tmp), which is opened at once. What went wrong sticks.
 */
#ifndef TCPSLEUTH_REPORT_SPOOL_H
#define TCPSLEUTH_REPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct spool;

struct spool *spool_new(void);
void spool_free(struct spool *s); /* NULL-safe */

/* Where to write; unbuffered, owned by s. A failed write is in ferror() too. */
FILE *spool_stream(struct spool *s);

/* Reads n of the bytes that were written, from that offset on; false and zeros where they cannot be had. */
bool spool_read(struct spool *s, uint64_t offset, void *to, size_t n);

/* So many bytes can be read: all that were written, or those before the first failure. */
uint64_t spool_size(const struct spool *s);

/* 0, or the errno of the first failure. */
int spool_error(const struct spool *s);

#endif
