#include "src/output.h"

#include "src/renamer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(output - error - quark, output_error)

#define BUFFER_BYTES (256 * 1024)

struct output {
    FILE *stream; /* over fd, so that the reason of a failed write is kept: stdio forgets it */
    int fd;
    int failure;             /* errno of the first write that failed; 0: none */
    char *path;              /* NULL: standard output */
    struct renamer *renamer; /* NULL: written under its name */
    char buffer[BUFFER_BYTES];
};

/* cookie_write_function_t: all of it, or 0. */
static ssize_t write_all(void *cookie, const char *bytes, size_t n)
{
    struct output *o = cookie;
    size_t done = 0;

    while (done < n && !o->failure) {
        ssize_t wrote = write(o->fd, bytes + done, n - done);
        if (wrote >= 0)
            done += (size_t)wrote;
        else if (errno != EINTR)
            o->failure = errno;
    }
    return o->failure ? 0 : (ssize_t)n;
}

/* A pipe, a terminal, /dev/null: written to as it is. */
static gboolean is_special(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

/* The unfinished file, and the process that will name or remove it. */
static int open_unfinished(struct output *o)
{
    g_autofree char *temporary = g_strdup_printf("%s.%ld.tmp", o->path, (long)getpid());
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd >= 0 && !(o->renamer = renamer_start(temporary, o->path))) {
        int why = errno;
        unlink(temporary);
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

static int open_path(struct output *o, const char *path, bool in_place)
{
    sigset_t all, before;

    o->path = g_strdup(path);
    if (is_special(path))
        return open(path, O_WRONLY | O_CLOEXEC);
    if (in_place)
        return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    sigfillset(&all); /* a signal in between would leave a file behind that nobody removes */
    sigprocmask(SIG_BLOCK, &all, &before);
    int fd = open_unfinished(o), why = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return fd;
}

struct output *output_open(const char *path, bool in_place, GError **error)
{
    const cookie_io_functions_t functions = { .write = write_all };
    struct output *o = g_new0(struct output, 1);

    o->fd = !path || g_str_equal(path, "-") ? STDOUT_FILENO : open_path(o, path, in_place);
    o->stream = o->fd >= 0 ? fopencookie(o, "w", functions) : NULL;
    if (!o->stream) {
        g_set_error(error, OUTPUT_ERROR, 0, "%s: cannot write the report there: %s; name another file for -o",
                    path ? path : "standard output", g_strerror(errno));
        output_abandon(o);
        return NULL;
    }
    setvbuf(o->stream, o->buffer, _IOFBF, sizeof o->buffer);
    return o;
}

int output_failure(const struct output *o)
{
    return o->failure;
}

FILE *output_stream(struct output *o)
{
    return o->stream;
}

/* Closes what is open; FALSE where not everything came to its place. */
static gboolean close_both(struct output *o)
{
    gboolean good = !o->stream || fclose(o->stream) == 0;

    if (o->path && o->fd >= 0 && close(o->fd) != 0 && !o->failure)
        o->failure = errno;
    return good && !o->failure;
}

static void output_free(struct output *o)
{
    g_free(o->path);
    g_free(o);
}

gboolean output_commit(struct output *o, GError **error)
{
    gboolean good = close_both(o);
    int unnamed = o->renamer ? renamer_finish(o->renamer, good) : 0;

    if (good && unnamed) {
        o->failure = unnamed;
        good = FALSE;
    }
    if (!good)
        g_set_error(error, OUTPUT_ERROR, 0, "%s: the report could not be written to its end: %s%s",
                    o->path ? o->path : "standard output", g_strerror(o->failure ? o->failure : EIO),
                    o->path ? "; name another file for -o" : "");
    output_free(o);
    return good;
}

void output_abandon(struct output *o)
{
    if (!o)
        return;
    if (!o->failure)
        o->failure = ECANCELED; /* what waits in the buffer is not written any more */
    close_both(o);
    if (o->renamer)
        renamer_finish(o->renamer, false);
    output_free(o);
}
