/* tree: small files of sysfs, procfs and /etc, below a root: "" for this machine's own, a folder for the recorded trees
 * of tests. What is read is bounded (LIMIT_HOST_FILE) and comes without the line feed at its end.
 */
#ifndef TCPSLEUTH_HOST_TREE_H
#define TCPSLEUTH_HOST_TREE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* The path of root/folder/name; name NULL: of the folder. Free with g_free. */
char *tree_path(const char *root, const char *folder, const char *name);

/* NULL: not there, or it cannot be read. UTF-8; free with g_free. */
char *tree_text(const char *root, const char *folder, const char *name);

/* A number in decimal, or hexadecimal with 0x; otherwise, or where there is none: fallback. */
int64_t tree_number(const char *root, const char *folder, const char *name, int64_t fallback);

bool tree_exists(const char *root, const char *folder, const char *name);

/* The last part of what a symbolic link leads to; NULL: no link. Free with g_free. */
char *tree_link(const char *root, const char *folder, const char *name);

/* The names in a folder, in order; never NULL. Free with g_strfreev. */
char **tree_list(const char *root, const char *folder);

#endif
