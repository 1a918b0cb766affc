#include "src/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

/* clang-format off */
G_DEFINE_QUARK(descriptors-error-quark, descriptors_error)
/* clang-format on */

/* The usual limit; a log of many files takes hundreds. And what a climb with its probes was seen to have open at a time, twice. */
#define WANTED 1024
#define NEEDED 64

static void raise_limit(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= WANTED)
        return;
    r.rlim_cur = MIN(r.rlim_max, (rlim_t)WANTED);
    setrlimit(RLIMIT_NOFILE, &r);
}

/* By trying: others may have left files open here, and the whole system has a limit, too. */
gboolean descriptors_suffice(GError **error)
{
    int fds[NEEDED], n = 0;

    raise_limit();
    while (n < NEEDED && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
        n++;
    int failure = errno;
    for (int i = 0; i < n; i++)
        close(fds[i]);
    if (n < NEEDED)
        g_set_error(error, DESCRIPTORS_ERROR, 0, "%d more files and sockets can be opened here, and it takes %d: %s; raise the limit (ulimit -n)",
                    n, NEEDED, g_strerror(failure));
    return n == NEEDED;
}
