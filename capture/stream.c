#include "capture/stream.h"

#include "base/limits.h"
#include "base/text.h"
#include "capture/capture.h"
#include "capture/decompress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Large enough that system calls do not count, small enough to stay in a second-level cache. */
#define CHUNK ((size_t)64 << 10)

/* Where reading jumps about: a packet or two, and what the system reads anyway. */
#define PIECE ((size_t)4 << 10)

struct stream {
    int fd;
    char *name;
    bool is_file; /* a regular file: then these three are known */
    dev_t device;
    ino_t inode;
    off_t origin; /* where in it reading began */
    uint64_t bytes_read, bytes_total;
    bool ended;
    bool damaged;
    char *problem;
    struct decoder *decoder; /* NULL: plain */
    uint8_t *raw;            /* CHUNK bytes: compressed data on its way to the decoder */
    struct slice raw_left;   /* what it has not taken of that */
    uint8_t *buffer;         /* decoded bytes read ahead: [start, end) of size */
    size_t start, end, size;
    uint64_t window; /* stream_at of a plain file: the offset of buffer[0] */
};

static void end_with_problem(struct stream *s, bool damaged, char *problem)
{
    s->ended = true;
    s->damaged = damaged;
    s->problem = problem;
}

/* Whether a failed read is to be tried again: after a signal, or once a pipe that does not block has data. */
static bool try_again(const struct stream *s)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    struct pollfd wait = { .fd = s->fd, .events = POLLIN };
    return poll(&wait, 1, -1) >= 0 || errno == EINTR;
}

/* One read(2) as the input gives it: 0 at its end. */
static size_t read_input(struct stream *s, void *out, size_t n)
{
    ssize_t got;
    do {
        got = read(s->fd, out, n);
    } while (got < 0 && try_again(s));
    if (got < 0) {
        end_with_problem(s, true, g_strdup_printf("reading it failed: %s", g_strerror(errno)));
        return 0;
    }
    s->bytes_read += (uint64_t)got;
    return (size_t)got;
}

static void finish_decoding(struct stream *s)
{
    const char *damage = decoder_damage(s->decoder), *name = decoder_name(s->decoder);
    if (damage)
        end_with_problem(s, true, g_strdup_printf("the %s data is damaged (%s)", name, damage));
    else if (!decoder_at_boundary(s->decoder))
        end_with_problem(s, false, g_strdup_printf("the %s data ends too early", name));
    s->ended = true;
}

static size_t read_decoded(struct stream *s, void *out, size_t n)
{
    for (;;) {
        size_t got = decoder_run(s->decoder, &s->raw_left, out, n);
        if (got > 0)
            return got;
        if (!decoder_damage(s->decoder))
            s->raw_left = slice_of(s->raw, read_input(s, s->raw, CHUNK));
        if (s->ended)
            return 0; /* reading failed */
        if (s->raw_left.n == 0 || decoder_damage(s->decoder)) {
            finish_decoding(s);
            return 0;
        }
    }
}

/* Decoded bytes past those in the buffer. */
static size_t read_on(struct stream *s, void *out, size_t n)
{
    if (s->ended || n == 0)
        return 0;
    if (s->decoder)
        return read_decoded(s, out, n);
    size_t got = read_input(s, out, n);
    if (got == 0)
        s->ended = true;
    return got;
}

/* Moves what is buffered to the front, so that reads are long, and makes room for n bytes in all. */
static void make_room(struct stream *s, size_t n)
{
    memmove(s->buffer, s->buffer + s->start, s->end - s->start);
    s->end -= s->start;
    s->start = 0;
    if (s->size < n) {
        s->size = MAX(n, 2 * s->size);
        s->buffer = g_realloc(s->buffer, s->size);
    }
}

struct slice stream_peek(struct stream *s, size_t n)
{
    if (s->end - s->start < n) {
        make_room(s, n);
        size_t got;
        do {
            got = read_on(s, s->buffer + s->end, s->size - s->end);
            s->end += got;
        } while (got > 0 && s->end - s->start < n);
    }
    return slice_of(s->buffer + s->start, MIN(n, s->end - s->start));
}

struct slice stream_ahead(const struct stream *s)
{
    return slice_of(s->buffer + s->start, s->end - s->start);
}

void stream_consume(struct stream *s, size_t n)
{
    s->start += MIN(n, s->end - s->start);
}

bool stream_skip(struct stream *s, uint64_t n)
{
    while (n > 0) {
        struct slice some = stream_peek(s, (size_t)MIN(n, CHUNK));
        if (some.n == 0)
            return false;
        stream_consume(s, some.n);
        n -= some.n;
    }
    return true;
}

/* Fills the buffer from that offset of a plain file on, with n bytes or more where there are so many. */
static void move_window(struct stream *s, uint64_t offset, size_t n)
{
    /* Much at a time where reading goes on from where it was; little where it jumps, as it may for every packet. */
    bool onward = offset >= s->window && offset - s->window <= s->end + CHUNK;
    size_t most = MAX(n, onward ? CHUNK : PIECE);
    s->window = offset;
    s->end = 0;
    make_room(s, most);
    while (s->end < n && !s->problem) {
        ssize_t got = pread(s->fd, s->buffer + s->end, most - s->end, s->origin + (off_t)(offset + s->end));
        if (got == 0)
            break;
        if (got > 0)
            s->end += (size_t)got;
        else if (errno != EINTR)
            end_with_problem(s, true, g_strdup_printf("reading it failed: %s", g_strerror(errno)));
    }
}

static struct slice at_in_file(struct stream *s, uint64_t offset, size_t n)
{
    if (offset < s->window || offset + n > s->window + s->end)
        move_window(s, offset, n);
    s->bytes_read = MIN(offset + n, s->bytes_total);
    size_t skip = (size_t)(offset - s->window);
    return slice_of(s->buffer + skip, MIN(n, s->end - skip));
}

/* Keeps everything up to there. Step by step: an offset that is made up must not take memory that the input does not
 * fill. */
static struct slice at_in_memory(struct stream *s, uint64_t offset, size_t n)
{
    size_t most = (size_t)MIN(offset + n, LIMIT_KEPT_BYTES), have = s->end, step;
    do {
        step = MIN(most, MAX(CHUNK, 2 * have));
        have = stream_peek(s, step).n;
    } while (have == step && step < most);
    if (have == LIMIT_KEPT_BYTES && most < offset + n && !s->problem)
        end_with_problem(s, false,
                         g_strdup_printf("cut off at %u MB because it is compressed or piped (unpack it into a file)",
                                         LIMIT_KEPT_BYTES >> 20));
    return offset < have ? slice_of(s->buffer + offset, MIN(n, have - offset)) : slice_of(NULL, 0);
}

struct slice stream_at(struct stream *s, uint64_t offset, size_t n)
{
    return s->is_file && !s->decoder ? at_in_file(s, offset, n) : at_in_memory(s, offset, n);
}

/* What lies at path, opened for reading; -1 and *error. */
static int open_path(const char *path, const char *name, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    int why = errno;
    const char *what = g_strerror(why), *advice = "check that it is a file that can be read";
    if (why == ENOENT || why == ENOTDIR) {
        what = "no such file";
        advice = "check its name and its folder";
    } else if (why == EACCES || why == EPERM) {
        what = "permission denied";
        advice = "ask its owner for read permission, or use sudo";
    } else if (why == EMFILE || why == ENFILE) {
        what = "too many files are open";
        advice = "read fewer at once, or raise the limit (ulimit -n)";
    }
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN, "%s: %s; %s", name, what, advice);
    return -1;
}

/* Standard input, unless a person would have to type the capture. The descriptor is a copy: stream_free closes it. */
static int open_stdin(GError **error)
{
    if (isatty(STDIN_FILENO)) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN,
                    "standard input: it is a terminal, not a capture; pipe one into it (tcpdump -w -) or name a file");
        return -1;
    }
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN,
                    "standard input: %s; redirect a capture into it, or name a file", g_strerror(errno));
    return fd;
}

/* Refuses a directory; finds the size of a regular file, and which one it is. */
static bool look_at_kind(struct stream *s, GError **error)
{
    struct stat st;
    if (fstat(s->fd, &st) != 0) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN, "%s: %s; check that it is a file that can be read",
                    s->name, g_strerror(errno));
        return false;
    }
    if (S_ISDIR(st.st_mode)) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_OPEN, "%s: it is a directory; name the capture files in it",
                    s->name);
        return false;
    }
    s->origin = S_ISREG(st.st_mode) ? lseek(s->fd, 0, SEEK_CUR) : -1;
    s->is_file = s->origin >= 0;
    s->device = st.st_dev;
    s->inode = st.st_ino;
    if (s->is_file && s->origin <= st.st_size)
        s->bytes_total = (uint64_t)(st.st_size - s->origin);
    return true;
}

/* Reads the beginning and decides how to decode it. */
static bool begin(struct stream *s, GError **error)
{
    struct slice beginning = stream_peek(s, 4);
    if (beginning.n == 0 && s->problem) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_READ, "%s: %s; check that it is a file that can be read",
                    s->name, s->problem);
        return false;
    }
    if (beginning.n == 0) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_EMPTY, "%s: it is empty (0 bytes); capture or copy it again",
                    s->name);
        return false;
    }
    s->decoder = decoder_new(beginning);
    if (!s->decoder)
        return true;
    /* What was read ahead is input of the decoder. */
    s->raw = s->buffer;
    s->raw_left = slice_of(s->raw, s->end);
    s->buffer = g_malloc(CHUNK);
    s->end = 0;
    s->ended = false;
    return true;
}

struct stream *stream_open(const char *path, GError **error)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stream *s = g_new0(struct stream, 1);
    GString *name = g_string_new(NULL);
    text_append_terminal(name, is_stdin ? slice_of("standard input", 14) : slice_of(path, strlen(path)));
    s->name = g_string_free(name, FALSE);
    s->size = CHUNK;
    s->buffer = g_malloc(s->size);
    s->fd = is_stdin ? open_stdin(error) : open_path(path, s->name, error);
    if (s->fd >= 0 && look_at_kind(s, error) && begin(s, error))
        return s;
    stream_free(s);
    return NULL;
}

const char *stream_name(const struct stream *s)
{
    return s->name;
}

const char *stream_problem(const struct stream *s)
{
    return s->problem;
}

bool stream_damaged(const struct stream *s)
{
    return s->damaged;
}

bool stream_is_file(const struct stream *s, const char *path)
{
    struct stat st;
    return s->is_file && stat(path, &st) == 0 && st.st_dev == s->device && st.st_ino == s->inode;
}

const char *stream_compression(const struct stream *s)
{
    return s->decoder ? decoder_name(s->decoder) : NULL;
}

uint64_t stream_bytes_read(const struct stream *s)
{
    return s->bytes_read;
}

uint64_t stream_bytes_total(const struct stream *s)
{
    return s->bytes_total;
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    decoder_free(s->decoder);
    g_free(s->raw);
    g_free(s->buffer);
    g_free(s->problem);
    g_free(s->name);
    g_free(s);
}
