#include "capture/source.h"

#include "base/limits.h"
#include "capture/capture.h"

#include <string.h>

/* What people take for a capture that can be read here, by its first bytes, and what to do about it (NULL: nothing). */
struct lookalike {
    const char *magic;
    size_t n;
    const char *what;
    const char *advice;
};

static const char convert[] = "convert it first: editcap -F pcap IN OUT";
static const char unpack[] = "unpack it first";

static const struct lookalike lookalikes[] = {
    { "VL\0", 4, "a capture of an early NetXray", convert }, { "TRSNIFF data", 12, "a Sniffer capture", convert },
    { "\x54\x52\x00\x64", 4, "a Sniffer capture", convert }, { "\x1f\x8b", 2, "compressed twice", unpack },
    { "\x28\xb5\x2f\xfd", 4, "compressed twice", unpack },   { "BZh", 3, "bzip2-compressed", unpack },
    { "\xfd\x37zXZ", 5, "xz-compressed", unpack },           { "\x04\x22\x4d\x18", 4, "lz4-compressed", unpack },
    { "7z\xbc\xaf", 4, "a 7-Zip archive", unpack },          { "PK\x03\x04", 4, "a ZIP archive", unpack },
    { "\x7f\x45LF", 4, "an ELF program or library", NULL },  { "%PDF", 4, "a PDF document", NULL },
    { "SQLite format 3", 15, "an SQLite database", NULL },
};

static bool is_text(struct slice s)
{
    if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < 0x20 && !strchr("\t\n\r\f", s.p[i])) || s.p[i] >= 0x7f || s.p[i] == 0)
            return false;
    }
    return true;
}

static const struct lookalike *find_lookalike(struct slice s)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lookalikes); i++) {
        if (s.n >= lookalikes[i].n && memcmp(s.p, lookalikes[i].magic, lookalikes[i].n) == 0)
            return &lookalikes[i];
    }
    return NULL;
}

static const char *describe(struct slice s)
{
    static const uint8_t zeros[4];
    if (is_text(s))
        return "it starts with text";
    if (s.n >= 4 && memcmp(s.p, zeros, 4) == 0)
        return "it starts with zero bytes, as if its content were lost";
    return "its first bytes are of no known kind";
}

/* The stream has bytes, and they are of no kind that is read here. */
static void set_kind_error(const char *name, struct slice beginning, GError **error)
{
    const struct lookalike *known = find_lookalike(beginning);
    if (known && known->advice)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT, "%s: it is %s, which tcpsleuth does not read; %s", name,
                    known->what, known->advice);
    else
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT,
                    "%s: not a capture file (%s%s); tcpsleuth reads pcap and pcapng, snoop, ERF, Network Monitor and "
                    "NetXray captures, also gzip- or zstd-compressed",
                    name, known ? "it is " : "", known ? known->what : describe(beginning));
}

static void set_format_error(struct stream *stream, GError **error)
{
    struct slice beginning = stream_peek(stream, 16);
    const char *name = stream_name(stream), *problem = stream_problem(stream), *kind = stream_compression(stream);
    if (problem && beginning.n < 4)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT, "%s: nothing of it can be read: %s; copy it again",
                    name, problem);
    else if (beginning.n == 0)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_EMPTY,
                    "%s: it is empty (a %s file of 0 bytes); capture or copy it again", name, kind);
    else
        set_kind_error(name, beginning, error);
}

/* The kinds that have a magic number. */
static const struct kind {
    bool (*recognise)(struct slice beginning);
    struct source *(*open)(struct stream *stream, GError **error);
} kinds[] = {
    { pcapng_file_recognise, pcapng_file_open },   { pcap_file_recognise, pcap_file_open },
    { snoop_file_recognise, snoop_file_open },     { netmon_file_recognise, netmon_file_open },
    { netxray_file_recognise, netxray_file_open },
};

static const struct kind *find_kind(struct stream *stream)
{
    struct slice beginning = stream_peek(stream, SOURCE_MAGIC);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].recognise(beginning))
            return &kinds[i];
    }
    return NULL;
}

struct source *source_open(const char *path, GError **error)
{
    struct stream *stream = stream_open(path, error);
    if (!stream)
        return NULL;
    const struct kind *kind = find_kind(stream);
    struct source *s = NULL;
    if (kind)
        s = kind->open(stream, error);
    else if (erf_file_recognise(stream))
        s = erf_file_open(stream, error);
    else
        set_format_error(stream, error);
    if (!s)
        stream_free(stream);
    return s;
}

static bool ended_next(struct source *s, struct frame *frame)
{
    (void)s;
    (void)frame;
    return false;
}

bool source_end(struct source *s, bool damaged, const char *what)
{
    const char *cause = stream_problem(s->stream), *name = stream_name(s->stream);
    s->next = ended_next;
    if (!cause && !what)
        return false;
    s->damaged = cause ? stream_damaged(s->stream) : damaged;
    if (s->frames == 0)
        s->problem = g_strdup_printf("%s: %s before the end of its first packet", name, cause ? cause : what);
    else
        s->problem = g_strdup_printf("%s: %s after %" G_GUINT64_FORMAT " packet%s; what came before is used", name,
                                     cause ? cause : what, s->frames, s->frames == 1 ? "" : "s");
    return false;
}

bool source_end_damaged(struct source *s, const char *what)
{
    g_autofree char *sentence = g_strdup_printf("damaged (%s)", what);
    return source_end(s, true, sentence);
}

bool source_give(struct source *s, struct frame *frame, struct slice bytes, uint32_t wirelen)
{
    if (bytes.n > LIMIT_FRAME_BYTES)
        return source_end_damaged(s, "a packet larger than any frame");
    frame->bytes = bytes.p;
    frame->caplen = (uint32_t)bytes.n;
    frame->wirelen = MAX(wirelen, frame->caplen);
    s->frames++;
    return true;
}

struct slice source_header(struct stream *stream, size_t n, const char *kind, GError **error)
{
    struct slice have = stream_peek(stream, n);
    if (have.n == n)
        return have;
    const char *problem = stream_problem(stream);
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT,
                "%s: only %zu of the %zu bytes that a %s file begins with are there%s%s; capture or copy it again",
                stream_name(stream), have.n, n, kind, problem ? ": " : "", problem ? problem : "");
    return slice_of(NULL, 0);
}

void source_refuse_header(const struct stream *stream, const char *kind, const char *what, GError **error)
{
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT,
                "%s: its %s header is damaged (%s); capture or copy it again", stream_name(stream), kind, what);
}

void source_refuse(const struct stream *stream, GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *what = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_FORMAT, "%s: it is %s, which tcpsleuth does not read; %s",
                stream_name(stream), what, convert);
}

void source_free(struct source *s)
{
    if (!s)
        return;
    struct stream *stream = s->stream;
    g_free(s->problem);
    s->free(s);
    stream_free(stream);
}
