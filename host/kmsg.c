#include "host/kmsg.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "host/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define RECORD 8192 /* CONSOLE_EXT_LOG_MAX: a record is read whole, or not at all */
#define RECORDS 100000

static bool is_trouble(const char *line)
{
    return strcasestr(line, "firmware") &&
           (strcasestr(line, "fail") || strcasestr(line, "error") || strcasestr(line, "missing") ||
            strcasestr(line, "not found") || strcasestr(line, "unable"));
}

/* "6,1234,5678901,-;e1000: ..." (kernel: Documentation/ABI/testing/dev-kmsg); without the head it is a line of a
 * recorded log. */
static void take_line(const char *line, GPtrArray *into)
{
    const char *text = strchr(line, ';');

    text = text ? text + 1 : line;
    if (!is_trouble(text))
        return;
    if (into->len >= LIMIT_KMSG_LINES)
        g_ptr_array_remove_index(into, 0);
    g_ptr_array_add(into, text_dup_utf8(slice_of(text, strlen(text)), RECORD));
}

void kmsg_read(const char *root, GPtrArray *into)
{
    g_autofree char *path = tree_path(root, "dev/kmsg", NULL);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char bytes[RECORD + 1];
    ssize_t n = 0;

    for (int i = 0; fd >= 0 && i < RECORDS; i++) {
        n = read(fd, bytes, RECORD);
        if (n < 0 && errno == EPIPE) /* that record was overwritten: on with the next */
            continue;
        if (n <= 0)
            break;
        bytes[n] = '\0';
        for (char *rest = bytes, *line; (line = strtok_r(rest, "\n", &rest));)
            take_line(line, into);
    }
    if (fd >= 0)
        close(fd);
}
