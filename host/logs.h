/* logs: the last words of a service: lines of the journal that are warnings or worse, lines of its own log files. */
#ifndef TCPSLEUTH_HOST_LOGS_H
#define TCPSLEUTH_HOST_LOGS_H

#include <glib.h>

#define LOG_LINES 5 /* of each source */

/* The last lines of a file that look like trouble, or with client those that have it as a word: char*, UTF-8, may hold
 * anything. Only the end of the file is looked at (LIMIT_LOG_BYTES). NULL: it cannot be read, or is no file (a pipe would
 * keep who opens it waiting). Free with g_ptr_array_free. */
GPtrArray *log_file_lines(const char *root, const char *path, const char *client);

/* The same of the journal, of a unit. NULL and *error where it cannot be read. */
GPtrArray *log_journal_lines(const char *unit, const char *client, GError **error);

/* The log of the container that has the address (Docker's json-file), below the root. NULL: there is none. Free with
 * g_free. */
char *log_of_container(const char *root, const char *address);

#endif
