/* ERF files (Endace "ERF Extensible Record Format Types"): records without a file header before them. The head of a
 * record has its time in little-endian order and all else in network order; extension headers may follow, then what
 * belongs to the record's type, then the packet. */
#include "capture/source.h"

#include "base/timens.h"

#include <pcap/pcap.h>

#define RECORD_HEAD 16
#define EXTENSION 8
#define TYPE_BITS 0x7f
#define MORE_HEADERS 0x80  /* of a type: an extension header follows */
#define FLAG_VARIABLE 0x04 /* of the flags: records are as long as their packets */

enum record_type {
    TYPE_HDLC = 1,
    TYPE_ETHERNET = 2,
    TYPE_MC_HDLC = 5,
    TYPE_COLOR_HDLC = 10,
    TYPE_COLOR_ETHERNET = 11,
    TYPE_DSM_COLOR_HDLC = 15,
    TYPE_DSM_COLOR_ETHERNET = 16,
    TYPE_COLOR_MC_HDLC = 17,
    TYPE_COLOR_HASH_HDLC = 19,
    TYPE_COLOR_HASH_ETHERNET = 20,
    TYPE_IPV4 = 22,
    TYPE_IPV6 = 23,
    TYPE_LAST = 29,
    TYPE_PAD = 48, /* nothing: fills up a buffer */
};

/* What a file has to begin with to be taken for ERF: so many records, or all there are. Its times do not run back by
 * more than the ports of a card may differ, nor on by more than a capture may pause; and the first is not from before
 * there was such a card. */
#define RECORDS_LOOKED_AT 8
#define MOST_BACK_S 2
#define MOST_ON_S (366 * 86400)
#define EARLIEST_S 788918400 /* 1995 */

/* A packet may be filled up to the word of the card's bus. */
#define MOST_FILL 64

struct erf_file {
    struct source source;
};

struct record {
    uint64_t time; /* seconds since 1970, times 2^32 */
    uint8_t type;  /* MORE_HEADERS included */
    uint8_t flags;
    uint16_t length; /* in the file: everything */
    uint16_t wirelen;
};

static bool read_head(struct slice bytes, struct record *r)
{
    struct cursor c = cursor_of(bytes);
    r->time = cursor_le64(&c);
    r->type = cursor_u8(&c);
    r->flags = cursor_u8(&c);
    r->length = cursor_u16(&c);
    cursor_skip(&c, 2); /* packets lost since the one before, or a colour */
    r->wirelen = cursor_u16(&c);
    return !c.failed;
}

/* To the nearest nanosecond. */
static int64_t to_ns(uint64_t time)
{
    uint64_t fraction = time & UINT32_MAX;
    return source_clamp_ts((int64_t)(time >> 32) * NS_PER_S +
                           (int64_t)((fraction * (uint64_t)NS_PER_S + (UINT64_C(1) << 31)) >> 32));
}

/* The bytes between the extension headers and the packet. */
static size_t subheader(uint8_t type)
{
    switch (type & TYPE_BITS) {
    case TYPE_ETHERNET:
    case TYPE_COLOR_ETHERNET:
    case TYPE_DSM_COLOR_ETHERNET:
    case TYPE_COLOR_HASH_ETHERNET: return 2; /* alignment */
    case TYPE_MC_HDLC:
    case TYPE_COLOR_MC_HDLC: return 4; /* channel and errors */
    default: return 0;
    }
}

/* Takes from a whole record the packet, filling included; false where the headers are longer than the record. */
static bool find_packet(struct slice record, const struct record *r, struct slice *packet)
{
    struct cursor c = cursor_of(record);
    uint8_t type = r->type;
    cursor_skip(&c, RECORD_HEAD);
    while (type & MORE_HEADERS && !c.failed) {
        type = cursor_u8(&c);
        cursor_skip(&c, EXTENSION - 1);
    }
    cursor_skip(&c, subheader(r->type));
    bool good = !c.failed;
    *packet = cursor_rest(&c);
    return good;
}

/* The link type of a packet; -1 where the type is none that is taken apart here. */
static int find_dlt(uint8_t type, struct slice packet)
{
    switch (type & TYPE_BITS) {
    case TYPE_ETHERNET:
    case TYPE_COLOR_ETHERNET:
    case TYPE_DSM_COLOR_ETHERNET:
    case TYPE_COLOR_HASH_ETHERNET: return DLT_EN10MB;
    case TYPE_HDLC:
    case TYPE_COLOR_HDLC:
    case TYPE_DSM_COLOR_HDLC:
    case TYPE_COLOR_HASH_HDLC:
    case TYPE_MC_HDLC:
    case TYPE_COLOR_MC_HDLC:
        /* The type does not say which: Cisco's begins with "unicast" or "multicast". */
        return packet.n > 0 && (packet.p[0] == 0x0f || packet.p[0] == 0x8f) ? DLT_C_HDLC : DLT_PPP_SERIAL;
    case TYPE_IPV4:
    case TYPE_IPV6: return DLT_RAW;
    default: return -1;
    }
}

static bool give(struct erf_file *f, struct frame *frame, const struct record *r, struct slice record)
{
    struct slice packet;
    if (!find_packet(record, r, &packet))
        return source_end_damaged(&f->source, "a record shorter than its headers");
    frame->ts_ns = to_ns(r->time);
    frame->dlt = find_dlt(r->type, packet);
    if (frame->dlt >= 0)
        return source_give(&f->source, frame, slice_of(packet.p, MIN(packet.n, r->wirelen)), r->wirelen);
    /* Anything else is counted, and can be saved: the record as it is. */
    frame->dlt = DLT_ERF;
    return source_give(&f->source, frame, record, (uint32_t)record.n);
}

static bool next(struct source *s, struct frame *frame)
{
    for (;;) {
        struct record r;
        struct slice head = stream_peek(s->stream, RECORD_HEAD);
        if (head.n == 0)
            return source_end(s, false, NULL);
        if (!read_head(head, &r))
            return source_end(s, false, "cut short");
        if (r.length < RECORD_HEAD)
            return source_end_damaged(s, "a record with an impossible length");
        struct slice record = stream_peek(s->stream, r.length);
        if (record.n < r.length)
            return source_end(s, false, "cut short");
        stream_consume(s->stream, record.n);
        if ((r.type & TYPE_BITS) != TYPE_PAD)
            return give((struct erf_file *)s, frame, &r, record);
    }
}

/* Whether the head of a record is one that a card may write, after a record of the time `before` (0: none). */
static bool is_plausible_head(const struct record *r, uint64_t before)
{
    int64_t now_s = (int64_t)(r->time >> 32), before_s = (int64_t)(before >> 32);
    uint8_t type = r->type & TYPE_BITS;
    if (type == TYPE_PAD)
        return r->length >= RECORD_HEAD;
    if (type == 0 || type > TYPE_LAST || r->length <= RECORD_HEAD || now_s < EARLIEST_S)
        return false;
    return before == 0 || (now_s >= before_s - MOST_BACK_S && now_s <= before_s + MOST_ON_S);
}

static bool is_plausible_record(const struct record *r, struct slice record)
{
    struct slice packet;
    if ((r->type & TYPE_BITS) == TYPE_PAD)
        return true;
    if (!find_packet(record, r, &packet))
        return false;
    bool known = find_dlt(r->type, packet) >= 0;
    return !known || (r->wirelen > 0 && (!(r->flags & FLAG_VARIABLE) || packet.n <= (size_t)r->wirelen + MOST_FILL));
}

bool erf_file_recognise(struct stream *stream)
{
    size_t at = 0, packets = 0;
    uint64_t before = 0;
    for (int n = 0; n < RECORDS_LOOKED_AT; n++) {
        struct record r;
        struct slice s = stream_peek(stream, at + RECORD_HEAD);
        if (s.n < at + RECORD_HEAD)
            break; /* the end of the file, or a cut */
        if (!read_head(slice_of(s.p + at, RECORD_HEAD), &r) || !is_plausible_head(&r, before))
            return false;
        s = stream_peek(stream, at + r.length);
        if (s.n < at + r.length)
            break;
        if (!is_plausible_record(&r, slice_of(s.p + at, r.length)))
            return false;
        at += r.length;
        if ((r.type & TYPE_BITS) == TYPE_PAD)
            continue;
        before = r.time;
        packets++;
    }
    return packets > 0;
}

static void erf_file_free(struct source *s)
{
    g_free(s);
}

struct source *erf_file_open(struct stream *stream, GError **error)
{
    (void)error; /* what was recognised can be read */
    struct erf_file *f = g_new0(struct erf_file, 1);
    f->source.next = next;
    f->source.free = erf_file_free;
    f->source.stream = stream;
    f->source.nanoseconds = true;
    return &f->source;
}
