/* renamer: a process of its own that gives a complete file its name, so that the one that reads bytes from outside needs no right to rename or
 * remove anything (confine.h). It is started before the first of them is read, knows these two names, and waits. Where nobody asks it to rename, also
 * because we were killed, it removes the unfinished file.
 */
#ifndef TCPSLEUTH_SRC_RENAMER_H
#define TCPSLEUTH_SRC_RENAMER_H

#include <stdbool.h>

struct renamer;

/* from: the unfinished file, to: its name to be. NULL and errno where no process can be started. */
struct renamer *renamer_start(const char *from, const char *to);

/* Ends it: renames, or removes the unfinished file. Returns 0, or the errno of the renaming that failed: then the file is removed. Frees r. */
int renamer_finish(struct renamer *r, bool rename);

#endif
