/* output: where the report goes: standard output, or a file that appears only when it is complete (written beside it, then renamed). */
#ifndef TCPSLEUTH_SRC_OUTPUT_H
#define TCPSLEUTH_SRC_OUTPUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

#define OUTPUT_ERROR output_error_quark()
GQuark output_error_quark(void);

struct output;

/* path NULL: standard output. in_place: a file is there, under its name, while it is written: for what is followed as it grows, and where the
 * right to rename may be gone at the end. */
struct output *output_open(const char *path, bool in_place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
FILE *output_stream(struct output *o);

/* Flushes, and gives a file its name; FALSE and *error where the disk or the reader of the pipe said no. Frees o. */
gboolean output_commit(struct output *o, GError **error);

/* The errno of the first write that failed; 0: none so far. */
int output_failure(const struct output *o);

/* Drops a file that was not committed. NULL-safe. */
void output_abandon(struct output *o);

#endif
