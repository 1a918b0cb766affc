/* pcap files (draft-ietf-opsawg-pcap, pcap-savefile(5)), read record by record: both byte orders, micro- and
 * nanoseconds. libpcap reads them too, at five times the instructions and with a copy of every packet: it asks stdio
 * for each header and each body. Oddities that it knows are known here: what old versions wrote, and the longer headers
 * of a patched libpcap of 1999. */
#include "capture/source.h"

#include "base/limits.h"
#include "capture/linktype.h"

#define FILE_HEADER 24

/* Of a record: seconds, fraction, captured and original length. The patched libpcap puts 8 bytes behind them. */
#define RECORD_HEADER 16
#define RECORD_HEADER_PATCHED 24

/* By this number a file shows its byte order and its clock. */
enum magic { MAGIC_MICROSECONDS = 0xa1b2c3d4, MAGIC_NANOSECONDS = 0xa1b23c4d, MAGIC_PATCHED = 0xa1b2cd34 };

struct pcap_file {
    struct source source;
    int dlt;
    unsigned record_header; /* bytes */
    uint32_t ns;            /* of a unit of the fraction */
    bool little;
    bool lengths_swapped;       /* versions up to 2.2 wrote the original length first */
    bool lengths_maybe_swapped; /* version 2.3: either order */
};

static bool is_magic(uint32_t number)
{
    return number == MAGIC_MICROSECONDS || number == MAGIC_NANOSECONDS || number == MAGIC_PATCHED;
}

bool pcap_file_recognise(struct slice beginning)
{
    struct cursor big = cursor_of(beginning), little = big;
    return is_magic(cursor_u32(&big)) || is_magic(cursor_le32(&little));
}

static inline uint32_t get_u32(const struct pcap_file *f, struct cursor *c)
{
    return f->little ? cursor_le32(c) : cursor_u32(c);
}

static uint16_t get_u16(const struct pcap_file *f, struct cursor *c)
{
    return f->little ? cursor_le16(c) : cursor_u16(c);
}

/* The file ends in a record, or cleanly behind the one before. */
static bool end(struct source *s, struct slice left)
{
    return source_end(s, false, left.n ? "cut short" : NULL);
}

struct record {
    int64_t ts_ns;
    uint32_t captured, wire;
};

/* header: f->record_header bytes. */
static inline struct record read_header(const struct pcap_file *f, struct slice header)
{
    struct cursor c = cursor_of(header);
    uint32_t seconds = get_u32(f, &c), fraction = get_u32(f, &c), first = get_u32(f, &c), second = get_u32(f, &c);
    bool swapped = f->lengths_swapped || (f->lengths_maybe_swapped && first > second);
    return (struct record){ .ts_ns = seconds * NS_PER_S + (int64_t)fraction * f->ns,
                            .captured = swapped ? second : first,
                            .wire = swapped ? first : second };
}

static bool next(struct source *s, struct frame *frame)
{
    struct pcap_file *f = (struct pcap_file *)s;
    struct slice bytes = stream_peek(s->stream, f->record_header);
    if (G_UNLIKELY(bytes.n < f->record_header))
        return end(s, bytes);
    struct record r = read_header(f, bytes);
    if (G_UNLIKELY(r.captured > LIMIT_FRAME_BYTES))
        return source_end_damaged(s, "a packet larger than any frame");
    size_t whole = f->record_header + (size_t)r.captured;
    bytes = stream_peek(s->stream, whole);
    if (G_UNLIKELY(bytes.n < whole))
        return end(s, bytes);
    stream_consume(s->stream, whole);
    frame->dlt = f->dlt;
    frame->ts_ns = source_clamp_ts(r.ts_ns);
    return source_give(s, frame, slice_of(bytes.p + f->record_header, r.captured), r.wire);
}

static size_t more(struct source *s, struct frame *frames, size_t max)
{
    struct pcap_file *f = (struct pcap_file *)s;
    struct slice ahead = stream_ahead(s->stream);
    const uint8_t *p = ahead.p, *end = ahead.p + ahead.n;
    size_t n = 0;
    while (n < max && (size_t)(end - p) >= f->record_header) {
        struct record r = read_header(f, slice_of(p, f->record_header));
        const uint8_t *bytes = p + f->record_header;
        if (r.captured > (size_t)(end - bytes) || r.captured > LIMIT_FRAME_BYTES)
            break;
        frames[n++] = (struct frame){ .ts_ns = source_clamp_ts(r.ts_ns),
                                      .caplen = r.captured,
                                      .wirelen = MAX(r.wire, r.captured),
                                      .dlt = f->dlt,
                                      .bytes = bytes };
        p = bytes + r.captured;
    }
    stream_consume(s->stream, (size_t)(p - ahead.p));
    s->frames += n;
    return n;
}

static void pcap_file_free(struct source *s)
{
    g_free(s);
}

/* What the versions differ in, as libpcap has it; false where a version is none. */
static bool set_version(struct pcap_file *f, unsigned major, unsigned minor)
{
    f->lengths_swapped = (major == 2 && minor < 3) || major == 543; /* 543: DG/UX */
    f->lengths_maybe_swapped = major == 2 && minor == 3;
    return major == 2 || major == 543;
}

struct source *pcap_file_open(struct stream *stream, GError **error)
{
    struct slice header = source_header(stream, FILE_HEADER, "pcap", error);
    if (header.n == 0)
        return NULL;
    struct pcap_file *f = g_new0(struct pcap_file, 1);
    struct cursor c = cursor_of(header), big = c;
    f->little = !is_magic(cursor_u32(&big));
    uint32_t magic = get_u32(f, &c);
    unsigned major = get_u16(f, &c), minor = get_u16(f, &c);
    if (!set_version(f, major, minor)) {
        g_autofree char *why = g_strdup_printf("version %u.%u", major, minor);
        source_refuse_header(stream, "pcap", why, error);
        g_free(f);
        return NULL;
    }
    /* Time zone, accuracy and snapshot length mean nothing: merged and rewritten files often get the last one wrong. */
    cursor_skip(&c, 12);
    f->source = (struct source){ .next = next, .more = more, .free = pcap_file_free, .stream = stream };
    f->source.nanoseconds = magic == MAGIC_NANOSECONDS;
    f->ns = magic == MAGIC_NANOSECONDS ? 1 : 1000;
    f->record_header = magic == MAGIC_PATCHED ? RECORD_HEADER_PATCHED : RECORD_HEADER;
    f->dlt = linktype_as_dlt((uint16_t)get_u32(f, &c)); /* the upper bits tell of check sequences */
    stream_consume(stream, FILE_HEADER);
    return &f->source;
}
