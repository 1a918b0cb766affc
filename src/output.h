/* output: where the report goes: standard output, or a file that appears only when it is complete (written beside it, then renamed). */
#ifndef TCPSLEUTH_SRC_OUTPUT_H
#define TCPSLEUTH_SRC_OUTPUT_H

#include <glib.h>
#include <stdio.h>

#define OUTPUT_ERROR output_error_quark()
GQuark output_error_quark(void);

struct output;

/* path NULL: standard output. */
struct output *output_open(const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;
FILE *output_stream(struct output *o);

/* Flushes, and gives a file its name; FALSE and *error where the disk or the reader of the pipe said no. Frees o. */
gboolean output_commit(struct output *o, GError **error);

/* Drops a file that was not committed. NULL-safe. */
void output_abandon(struct output *o);

#endif
