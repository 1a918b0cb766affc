#include "report/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* The first so many bytes stay in memory: the report on most captures needs no file. */
#define IN_MEMORY (1u << 20)

struct spool {
    FILE *stream;
    char *first;   /* the bytes before IN_MEMORY */
    uint64_t size; /* bytes written, of both */
    int fd;        /* of those beyond; -1: there is none, and why_not says the errno, which matters only when it is needed */
    int why_not;
    int error;
};

static bool fail(struct spool *s, int error)
{
    if (!s->error)
        s->error = error ? error : EIO;
    return false;
}

/* Nobody else can open it, and it is gone when it is closed, whatever becomes of the program. Not every file system has the first way; it is the one
 * that src/confine.h lets pass at any time. */
static int open_nameless(void)
{
    int nameless = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

    if (nameless >= 0)
        return nameless;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "tcpsleuth-XXXXXX", NULL);
    int fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        g_unlink(path);
    return fd;
}

static bool write_file(struct spool *s, const char *bytes, size_t n)
{
    if (s->fd < 0 && n > 0)
        return fail(s, s->why_not);
    while (n > 0) {
        ssize_t part = write(s->fd, bytes, n);
        if (part < 0 && errno != EINTR)
            return fail(s, errno);
        if (part > 0) {
            bytes += part;
            n -= (size_t)part;
            s->size += (uint64_t)part;
        }
    }
    return true;
}

/* Behind the stream: takes all or, with 0, nothing. */
static ssize_t put(void *cookie, const char *bytes, size_t n)
{
    struct spool *s = cookie;
    size_t part = s->size < IN_MEMORY ? MIN(n, IN_MEMORY - (size_t)s->size) : 0;

    if (s->error)
        return 0;
    if (part > 0) {
        memcpy(s->first + s->size, bytes, part);
        s->size += part;
    }
    return write_file(s, bytes + part, n - part) ? (ssize_t)n : 0;
}

struct spool *spool_new(void)
{
    struct spool *s = g_new0(struct spool, 1);

    s->fd = open_nameless(); /* now: later this process may open no file (src/confine.h) */
    s->why_not = s->fd < 0 ? errno : 0;
    s->first = g_malloc(IN_MEMORY); /* takes no memory before it is written */
    s->stream = fopencookie(s, "w", (cookie_io_functions_t){ .write = put });
    if (!s->stream)
        g_error("out of memory");
    setvbuf(s->stream, NULL, _IONBF, 0);
    return s;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    fclose(s->stream);
    if (s->fd >= 0)
        close(s->fd);
    g_free(s->first);
    g_free(s);
}

FILE *spool_stream(struct spool *s)
{
    return s->stream;
}

static bool read_file(struct spool *s, uint64_t offset, char *to, size_t n)
{
    while (n > 0) {
        ssize_t part = pread(s->fd, to, n, (off_t)offset);
        if (part == 0 || (part < 0 && errno != EINTR)) {
            memset(to, 0, n);
            return fail(s, part == 0 ? EIO : errno);
        }
        if (part > 0) {
            offset += (uint64_t)part;
            to += part;
            n -= (size_t)part;
        }
    }
    return true;
}

bool spool_read(struct spool *s, uint64_t offset, void *to, size_t n)
{
    size_t part = offset < IN_MEMORY ? MIN(n, IN_MEMORY - (size_t)offset) : 0;

    if (offset > s->size || n > s->size - offset) {
        memset(to, 0, n);
        return fail(s, EINVAL);
    }
    memcpy(to, s->first + (part ? offset : 0), part);
    return n == part || read_file(s, offset + part - IN_MEMORY, (char *)to + part, n - part);
}

uint64_t spool_size(const struct spool *s)
{
    return s->size;
}

int spool_error(const struct spool *s)
{
    return s->error;
}
