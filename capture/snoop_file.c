/* snoop files of Solaris (RFC 1761, version 2): a header, then records, all numbers in network order. */
#include "capture/source.h"

#include "base/limits.h"

#include <pcap/pcap.h>
#include <string.h>

#define FILE_HEADER 16
#define RECORD_HEAD 24

static const char magic[SOURCE_MAGIC] = "snoop\0\0";

struct snoop_file {
    struct source source;
    int dlt;
};

bool snoop_file_recognise(struct slice beginning)
{
    return beginning.n >= sizeof magic && memcmp(beginning.p, magic, sizeof magic) == 0;
}

/* RFC 1761 section 4 and the IANA registry "Snoop Datalink Types". */
static int find_dlt(uint32_t datalink)
{
    switch (datalink) {
    case 0: /* IEEE 802.3 */
    case 4: return DLT_EN10MB;
    case 2: return DLT_IEEE802; /* Token Ring */
    case 8: return DLT_FDDI;
    case 9: /* "other", and loopback */
    case 14: return DLT_NULL;
    case 16: return DLT_IP_OVER_FC;
    case 18: return DLT_SUNATM;
    case 0x80000005: return DLT_IPNET; /* Solaris's own: ipnet(7D) */
    default: return SOURCE_DLT_UNKNOWN;
    }
}

struct record {
    uint32_t wirelen, caplen;
    uint32_t length; /* in the file: this head, the packet, what fills it up */
    int64_t ts_ns;
};

static bool read_head(struct slice bytes, struct record *r)
{
    struct cursor c = cursor_of(bytes);
    r->wirelen = cursor_u32(&c);
    r->caplen = cursor_u32(&c);
    r->length = cursor_u32(&c);
    cursor_skip(&c, 4); /* packets dropped so far */
    int64_t seconds = cursor_u32(&c), microseconds = cursor_u32(&c);
    r->ts_ns = source_clamp_ts(seconds * NS_PER_S + microseconds * NS_PER_US);
    return !c.failed;
}

static bool next(struct source *s, struct frame *frame)
{
    struct snoop_file *f = (struct snoop_file *)s;
    struct record r;
    struct slice head = stream_peek(s->stream, RECORD_HEAD);
    if (head.n == 0)
        return source_end(s, false, NULL);
    if (!read_head(head, &r))
        return source_end(s, false, "cut short");
    if (r.length < RECORD_HEAD || r.caplen > r.length - RECORD_HEAD)
        return source_end_damaged(s, "a packet larger than its record");
    if (r.length > LIMIT_BLOCK_BYTES)
        return source_end_damaged(s, "a record with an impossible length");
    struct slice record = stream_peek(s->stream, r.length);
    if (record.n < r.length)
        return source_end(s, false, "cut short");
    stream_consume(s->stream, record.n);
    frame->ts_ns = r.ts_ns;
    frame->dlt = f->dlt;
    return source_give(s, frame, slice_of(record.p + RECORD_HEAD, r.caplen), r.wirelen);
}

static void snoop_file_free(struct source *s)
{
    g_free(s);
}

struct source *snoop_file_open(struct stream *stream, GError **error)
{
    struct slice header = source_header(stream, FILE_HEADER, "snoop", error);
    if (header.n == 0)
        return NULL;
    struct cursor c = cursor_of(header);
    cursor_skip(&c, sizeof magic);
    uint32_t version = cursor_u32(&c), datalink = cursor_u32(&c);
    if (version != 2) {
        source_refuse(stream, error, "a snoop capture of version %u", version);
        return NULL;
    }
    stream_consume(stream, header.n);
    struct snoop_file *f = g_new0(struct snoop_file, 1);
    f->source.next = next;
    f->source.free = snoop_file_free;
    f->source.stream = stream;
    f->dlt = find_dlt(datalink);
    return &f->source;
}
