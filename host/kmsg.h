/* kmsg: what the kernel said of firmware (/dev/kmsg below a root). */
#ifndef TCPSLEUTH_HOST_KMSG_H
#define TCPSLEUTH_HOST_KMSG_H

#include <glib.h>

/* Adds the lines about firmware that was not found or not taken: char*, UTF-8, the last LIMIT_KMSG_LINES. Nothing where
 * it may not be read. */
void kmsg_read(const char *root, GPtrArray *into);

#endif
