/* notice: what the program says on standard error: one line each, whatever bytes a file name, a filter or an argument holds. */
#ifndef TCPSLEUTH_SRC_NOTICE_H
#define TCPSLEUTH_SRC_NOTICE_H

#include <glib.h>

/* Prints "tcpsleuth: ..." and a line feed. Control characters and bytes that are not UTF-8 come out as \xNN; a backslash stays as it is, so that
 * text which was made printable before is not changed again. */
void notice(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
