/* pcapng files (draft-ietf-opsawg-pcapng), read block by block: sections of either byte order, interfaces of different
 * link types and clocks. Blocks without frames are skipped. */
#include "capture/source.h"

#include "base/limits.h"
#include "capture/linktype.h"

enum block_type {
    BLOCK_INTERFACE = 1,
    BLOCK_OBSOLETE_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED_PACKET = 6,
    BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
};

/* The type and length before a block's body; the length again after it. */
#define BLOCK_HEAD 8
#define BLOCK_TAIL 4

/* By this number a section shows its byte order. */
#define ORDER_MAGIC 0x1a2b3c4d

enum option {
    OPTION_END = 0,
    OPTION_IF_TSRESOL = 9,
    OPTION_IF_TSOFFSET = 14,
    OPTION_ISB_ENDTIME = 3,
    OPTION_ISB_IFDROP = 5,
    OPTION_ISB_OSDROP = 7,
    OPTION_ISB_USRDELIV = 8
};

struct interface {
    int dlt;
    uint32_t snaplen; /* 0: none */
    uint64_t units;   /* of its clock in a second */
    int64_t offset_s; /* to add to its times */
    uint64_t packets; /* read so far */
};

struct pcapng_file {
    struct source source;
    bool little;        /* byte order of the current section */
    GArray *interfaces; /* struct interface: of the current section */
    int64_t last_ts_ns; /* of the frame before: simple packet blocks carry no time */
    const char *damage; /* set with GOT_DAMAGE: what is wrong */
};

struct block {
    uint32_t type;
    uint32_t length; /* as the file has it: head and tail included */
};

/* What a block turned out to be; everything from GOT_END on ends the file. */
enum outcome { GOT_FRAME, GOT_OTHER, GOT_END, GOT_CUT, GOT_DAMAGE };

static enum outcome damaged(struct pcapng_file *f, const char *what)
{
    f->damage = what;
    return GOT_DAMAGE;
}

static uint16_t get_u16(const struct pcapng_file *f, struct cursor *c)
{
    return f->little ? cursor_le16(c) : cursor_u16(c);
}

static uint32_t get_u32(const struct pcapng_file *f, struct cursor *c)
{
    return f->little ? cursor_le32(c) : cursor_u32(c);
}

static uint64_t get_u64(const struct pcapng_file *f, struct cursor *c)
{
    uint64_t first = get_u32(f, c), second = get_u32(f, c);
    return f->little ? second << 32 | first : first << 32 | second;
}

bool pcapng_file_recognise(struct slice beginning)
{
    struct cursor c = cursor_of(beginning);
    return cursor_u32(&c) == BLOCK_SECTION;
}

/* if_tsresol: 10^-n, or 2^-n where the top bit is set. 0 where the clock would be finer than 64 bits can count. */
static uint64_t clock_units(uint8_t tsresol)
{
    unsigned n = tsresol & 0x7f;
    if (tsresol & 0x80)
        return n < 64 ? UINT64_C(1) << n : 0;
    if (n > 19)
        return 0;
    uint64_t units = 1;
    while (n-- > 0)
        units *= 10;
    return units;
}

static int64_t to_ns(const struct interface *i, uint64_t ticks)
{
    if (i->units == NS_PER_S && i->offset_s == 0 && ticks < (uint64_t)SOURCE_TS_MAX)
        return (int64_t)ticks;
    /* 64 bits of ticks times 30 bits of nanoseconds, plus 64 + 30 bits of offset: 96 bits at most. */
    __int128 ns = (__int128)ticks * NS_PER_S / i->units + (__int128)i->offset_s * NS_PER_S;
    return ns > SOURCE_TS_MAX ? SOURCE_TS_MAX : ns < 0 ? 0 : (int64_t)ns;
}

/* One option into *i; false where its value is not what it should be. */
static bool read_option(const struct pcapng_file *f, struct interface *i, uint16_t code, struct slice value)
{
    struct cursor c = cursor_of(value);
    if (code == OPTION_IF_TSRESOL)
        i->units = clock_units(cursor_u8(&c));
    else if (code == OPTION_IF_TSOFFSET)
        i->offset_s = (int64_t)get_u64(f, &c);
    return !c.failed && i->units > 0;
}

static enum outcome read_interface(struct pcapng_file *f, struct cursor body)
{
    struct interface i = { .units = 1000000 };
    i.dlt = linktype_as_dlt(get_u16(f, &body));
    cursor_skip(&body, 2); /* reserved */
    i.snaplen = get_u32(f, &body);
    while (cursor_left(&body) > 0) {
        uint16_t code = get_u16(f, &body), n = get_u16(f, &body);
        if (code == OPTION_END)
            break;
        struct slice value = cursor_take(&body, n);
        if (body.failed || !read_option(f, &i, code, value))
            return damaged(f, "an interface with a malformed option");
        cursor_skip(&body, MIN(-n & 3u, cursor_left(&body)));
    }
    if (body.failed)
        return damaged(f, "an interface block that is too short");
    if (f->interfaces->len >= LIMIT_INTERFACES)
        return damaged(f, "more interfaces than any capture has");
    f->source.nanoseconds |= i.units > 1000000;
    g_array_append_val(f->interfaces, i);
    return GOT_OTHER;
}

/* The interface that a frame names; NULL where there is none of that number. */
static struct interface *find_interface(const struct pcapng_file *f, uint32_t id)
{
    return id < f->interfaces->len ? &g_array_index(f->interfaces, struct interface, id) : NULL;
}

static enum outcome give_frame(struct pcapng_file *f, struct frame *frame, struct interface *i, struct slice bytes,
                               uint32_t wirelen)
{
    if (bytes.n > LIMIT_FRAME_BYTES)
        return damaged(f, "a packet larger than any frame");
    frame->bytes = bytes.p;
    frame->caplen = (uint32_t)bytes.n;
    frame->wirelen = MAX(wirelen, frame->caplen);
    frame->dlt = i->dlt;
    frame->ts_ns = f->last_ts_ns;
    f->source.frames++;
    i->packets++;
    return GOT_FRAME;
}

/* Enhanced packet blocks, and the obsolete ones, whose interface number is shorter. */
static enum outcome read_packet(struct pcapng_file *f, uint32_t type, struct cursor body, struct frame *frame)
{
    uint32_t id;
    if (type == BLOCK_OBSOLETE_PACKET) {
        id = get_u16(f, &body);
        cursor_skip(&body, 2); /* packets dropped since the one before */
    } else {
        id = get_u32(f, &body);
    }
    uint64_t high = get_u32(f, &body), low = get_u32(f, &body);
    uint32_t caplen = get_u32(f, &body), wirelen = get_u32(f, &body);
    struct slice bytes = cursor_take(&body, caplen);
    struct interface *i = find_interface(f, id);
    if (body.failed)
        return damaged(f, "a packet larger than its block");
    if (!i)
        return damaged(f, "a packet of an interface that is not described");
    f->last_ts_ns = to_ns(i, high << 32 | low);
    return give_frame(f, frame, i, bytes, wirelen);
}

/* Length on the wire and bytes of the first interface; no time: that of the frame before it must do. */
static enum outcome read_simple_packet(struct pcapng_file *f, struct cursor body, struct frame *frame)
{
    uint32_t wirelen = get_u32(f, &body), caplen = wirelen;
    struct interface *i = find_interface(f, 0);
    if (!i)
        return damaged(f, "a packet of an interface that is not described");
    if (i->snaplen > 0)
        caplen = MIN(caplen, i->snaplen);
    struct slice bytes = cursor_take(&body, caplen);
    return body.failed ? damaged(f, "a packet larger than its block") : give_frame(f, frame, i, bytes, wirelen);
}

/* The statistics of an interface. They are believed only where they count exactly the packets that were read: a file
 * that was cut, filtered or put together since keeps them, and its capture did not end when they say. Malformed ones
 * are passed over. */
static enum outcome read_statistics(struct pcapng_file *f, struct cursor body)
{
    const struct interface *i = find_interface(f, get_u32(f, &body));
    uint64_t numbers[OPTION_ISB_USRDELIV + 1] = { 0 };
    int64_t end_ns = TIME_NONE;

    cursor_skip(&body, 8); /* when this was written */
    while (i && cursor_left(&body) > 0) {
        uint16_t code = get_u16(f, &body), n = get_u16(f, &body);
        struct cursor value = cursor_of(cursor_take(&body, n));
        if (code == OPTION_END || body.failed)
            break;
        if (code == OPTION_ISB_ENDTIME && n == 8) {
            uint64_t high = get_u32(f, &value), low = get_u32(f, &value);
            end_ns = to_ns(i, high << 32 | low);
        } else if (code < G_N_ELEMENTS(numbers) && n == 8) {
            numbers[code] = get_u64(f, &value);
        }
        cursor_skip(&body, MIN(-n & 3u, cursor_left(&body)));
    }
    if (!i || end_ns == TIME_NONE || numbers[OPTION_ISB_USRDELIV] == 0 || numbers[OPTION_ISB_USRDELIV] != i->packets)
        return GOT_OTHER;
    f->source.end_ns = f->source.ends_known ? MAX(f->source.end_ns, end_ns) : end_ns;
    f->source.interface_dropped += MIN(numbers[OPTION_ISB_IFDROP], UINT32_MAX);
    f->source.dropped += MIN(numbers[OPTION_ISB_IFDROP], UINT32_MAX) + MIN(numbers[OPTION_ISB_OSDROP], UINT32_MAX);
    f->source.ends_known = true;
    return GOT_OTHER;
}

/* A new section: its own byte order, which was read with the block's head, and its own interfaces. Version 1.2 is 1.0,
 * written by mistake (section 4.1 of the draft). */
static enum outcome read_section(struct pcapng_file *f, struct cursor body)
{
    cursor_skip(&body, 4); /* byte order magic */
    uint16_t major = get_u16(f, &body), minor = get_u16(f, &body);
    cursor_skip(&body, 8); /* length of the section: its blocks say where it ends */
    g_array_set_size(f->interfaces, 0);
    if (body.failed || major != 1 || (minor != 0 && minor != 2))
        return damaged(f, "a section header of an unknown version");
    return GOT_OTHER;
}

/* The byte order of the section whose block comes next: it has to be known before the block's length can be read. */
static enum outcome read_byte_order(struct pcapng_file *f)
{
    struct cursor c = cursor_of(stream_peek(f->source.stream, BLOCK_HEAD + 4));
    cursor_skip(&c, BLOCK_HEAD);
    uint32_t magic = cursor_u32(&c);
    if (c.failed)
        return GOT_CUT;
    if (magic != ORDER_MAGIC && magic != GUINT32_SWAP_LE_BE_CONSTANT(ORDER_MAGIC))
        return damaged(f, "a section header without its byte order");
    f->little = magic != ORDER_MAGIC;
    return GOT_OTHER;
}

/* The type and length of the block that comes next. */
static enum outcome read_head(struct pcapng_file *f, struct block *b)
{
    struct slice head = stream_peek(f->source.stream, BLOCK_HEAD);
    if (head.n == 0)
        return GOT_END;
    if (pcapng_file_recognise(head)) {
        enum outcome r = read_byte_order(f);
        if (r != GOT_OTHER)
            return r;
        head = stream_peek(f->source.stream, BLOCK_HEAD); /* peeking further may have moved it */
    }
    struct cursor c = cursor_of(head);
    b->type = get_u32(f, &c);
    b->length = get_u32(f, &c);
    if (c.failed)
        return GOT_CUT;
    return b->length >= BLOCK_HEAD + BLOCK_TAIL ? GOT_OTHER : damaged(f, "a block with an impossible length");
}

static enum outcome read_body(struct pcapng_file *f, uint32_t type, struct cursor body, struct frame *frame)
{
    switch (type) {
    case BLOCK_SECTION: return read_section(f, body);
    case BLOCK_INTERFACE: return read_interface(f, body);
    case BLOCK_SIMPLE_PACKET: return read_simple_packet(f, body, frame);
    case BLOCK_STATISTICS: return read_statistics(f, body);
    default: return read_packet(f, type, body, frame);
    }
}

/* A block that is read here: as a whole in memory. */
static enum outcome read_block(struct pcapng_file *f, const struct block *b, uint64_t padded, struct frame *frame)
{
    if (padded > LIMIT_BLOCK_BYTES)
        return damaged(f, "a block with an impossible length");
    struct slice bytes = stream_peek(f->source.stream, (size_t)padded);
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, BLOCK_HEAD);
    struct cursor body = cursor_block(&c, padded - BLOCK_HEAD - BLOCK_TAIL);
    uint32_t again = get_u32(f, &c);
    if (c.failed)
        return GOT_CUT;
    if (again != b->length)
        return damaged(f, "a block whose two lengths differ");
    stream_consume(f->source.stream, bytes.n);
    return read_body(f, b->type, body, frame);
}

static enum outcome skip_block(struct pcapng_file *f, const struct block *b, uint64_t padded)
{
    if (!stream_skip(f->source.stream, padded - BLOCK_TAIL))
        return GOT_CUT;
    struct slice tail = stream_peek(f->source.stream, BLOCK_TAIL);
    struct cursor c = cursor_of(tail);
    uint32_t again = get_u32(f, &c);
    stream_consume(f->source.stream, tail.n);
    if (c.failed)
        return GOT_CUT;
    return again == b->length ? GOT_OTHER : damaged(f, "a block whose two lengths differ");
}

static enum outcome next_block(struct pcapng_file *f, struct frame *frame)
{
    struct block b;
    enum outcome r = read_head(f, &b);
    if (r != GOT_OTHER)
        return r;
    /* Some writers leave out of the length the bytes that fill up its last word; they are there all the same. */
    uint64_t padded = ((uint64_t)b.length + 3) & ~UINT64_C(3);
    switch (b.type) {
    case BLOCK_SECTION:
    case BLOCK_INTERFACE:
    case BLOCK_OBSOLETE_PACKET:
    case BLOCK_SIMPLE_PACKET:
    case BLOCK_ENHANCED_PACKET: return read_block(f, &b, padded, frame);
    case BLOCK_STATISTICS:
        if (padded > LIMIT_BLOCK_BYTES)
            return skip_block(f, &b, padded);
        return read_block(f, &b, padded, frame);
    default: return skip_block(f, &b, padded);
    }
}

static bool next(struct source *s, struct frame *frame)
{
    struct pcapng_file *f = (struct pcapng_file *)s;
    enum outcome r;
    do {
        r = next_block(f, frame);
    } while (r == GOT_OTHER);
    switch (r) {
    case GOT_FRAME: return true;
    case GOT_CUT: return source_end(s, false, "cut short");
    case GOT_DAMAGE: return source_end_damaged(s, f->damage);
    default: return source_end(s, false, NULL);
    }
}

/* Packet blocks that are there as a whole: others may have the stream read on. */
static size_t more(struct source *s, struct frame *frames, size_t max)
{
    struct pcapng_file *f = (struct pcapng_file *)s;
    size_t n = 0;
    while (n < max) {
        struct slice ahead = stream_ahead(s->stream);
        struct cursor c = cursor_of(ahead);
        uint32_t type = get_u32(f, &c), length = get_u32(f, &c);
        if (type != BLOCK_ENHANCED_PACKET || c.failed || (uint64_t)length + 3 > ahead.n || !next(s, &frames[n]))
            break;
        n++;
    }
    return n;
}

static void pcapng_file_free(struct source *s)
{
    struct pcapng_file *f = (struct pcapng_file *)s;
    g_array_free(f->interfaces, TRUE);
    g_free(f);
}

/* The first block, which makes the file a pcapng file. */
static bool read_first_section(struct pcapng_file *f, GError **error)
{
    struct frame unused;
    struct stream *stream = f->source.stream;
    enum outcome r = next_block(f, &unused);
    if (r == GOT_OTHER)
        return true;
    const char *problem = stream_problem(stream), *what = r == GOT_CUT ? "it is cut short" : f->damage;
    source_refuse_header(stream, "pcapng", problem ? problem : what, error);
    return false;
}

struct source *pcapng_file_open(struct stream *stream, GError **error)
{
    struct pcapng_file *f = g_new0(struct pcapng_file, 1);
    f->source.next = next;
    f->source.more = more;
    f->source.free = pcapng_file_free;
    f->source.stream = stream;
    f->interfaces = g_array_new(FALSE, FALSE, sizeof(struct interface));
    if (read_first_section(f, error))
        return &f->source;
    pcapng_file_free(&f->source);
    return NULL;
}
