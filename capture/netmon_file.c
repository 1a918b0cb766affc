/* Network Monitor files of Microsoft, versions 1.x and 2.x (Network Monitor 3 help, "Capture File Format"), all numbers
 * little-endian: a header, records, and behind them a table of where each record is, which alone tells their order.
 * Where the end of the file is missing, and with it the table, the records are read one after the other. */
#include "capture/source.h"

#include "base/limits.h"
#include "capture/linktype.h"

#include <pcap/pcap.h>
#include <string.h>

#define FILE_HEADER 128
#define VERSION_OFFSET 4

/* The head of a record: time, length on the wire, length here; 32, 16 and 16 bits in version 1, 64, 32 and 32 in 2. */
#define RECORD_HEAD_1 8
#define RECORD_HEAD_2 16

/* Entries of the table that are read at a time: reading jumps between it and the records. */
#define ENTRY 4
#define ENTRIES 1024

/* Networks of packets: of NDIS, some used otherwise, and above them what is not of NDIS. */
enum network {
    NETWORK_UNSET = 0, /* of packets on some Ethernets */
    NETWORK_ETHERNET = 1,
    NETWORK_TOKEN_RING = 2,
    NETWORK_FDDI = 3,
    NETWORK_WLAN = 6, /* a header of its own before the 802.11 one */
    NETWORK_TUNNEL = 7,
    NETWORK_WIRELESS_WAN = 8,
    NETWORK_RAW_IP = 9,
    NETWORK_PCAP = 0xe000, /* plus a LINKTYPE of pcap */
    NETWORK_PCAP_LAST = 0xe07f,
    NETWORK_FIRST_NOTE = 0xfffc, /* reassembled payload, network information, name cache: no packets */
    NETWORK_LAST_NOTE = 0xfffe,
};

struct netmon_file {
    struct source source;
    uint8_t major, minor;
    uint16_t network;     /* of all packets, before version 2.1 */
    int64_t start_ns;     /* times are relative to this one, before version 2.3 */
    uint64_t table, end;  /* where the table begins and ends; 0: the file was never finished */
    bool walks;           /* the table is not there */
    uint64_t at;          /* where the next entries, or, without a table, the next record is */
    uint64_t extent;      /* the highest end of a record or the table so far */
    uint64_t given;       /* bytes of the records given */
    struct slice entries; /* those read ahead, in: */
    uint8_t buffer[ENTRIES * ENTRY];
};

struct record {
    uint64_t time; /* in units of the version, as in the file */
    uint32_t wirelen, caplen;
    size_t head, tail; /* bytes before and behind the packet */
};

/* What came of looking for a record. */
enum outcome { GOT_FRAME, GOT_NOTE, GOT_END, GOT_CUT, GOT_OVERLAP, GOT_LARGE };

bool netmon_file_recognise(struct slice beginning)
{
    return beginning.n >= 4 && (memcmp(beginning.p, "RTSS", 4) == 0 || memcmp(beginning.p, "GMBU", 4) == 0);
}

static int find_dlt(uint16_t network)
{
    switch (network) {
    case NETWORK_UNSET:
    case NETWORK_ETHERNET: return DLT_EN10MB;
    case NETWORK_TOKEN_RING: return DLT_IEEE802;
    case NETWORK_FDDI: return DLT_FDDI;
    case NETWORK_WLAN: return DLT_IEEE802_11;
    case NETWORK_TUNNEL:
    case NETWORK_WIRELESS_WAN:
    case NETWORK_RAW_IP: return DLT_RAW;
    default:
        if (network >= NETWORK_PCAP && network <= NETWORK_PCAP_LAST)
            return linktype_as_dlt(network - NETWORK_PCAP);
        return SOURCE_DLT_UNKNOWN;
    }
}

/* What follows a packet since version 2.1: its network; since 2.2 its process; since 2.3 its time, and a time zone. */
static size_t tail_size(const struct netmon_file *f)
{
    static const size_t sizes[] = { 0, 2, 6 };
    if (f->major < 2)
        return 0;
    return f->minor < G_N_ELEMENTS(sizes) ? sizes[f->minor] : 15;
}

/* Times relative to the start of the capture. Those of version 2 are microseconds of 64 bits that are meant to be
 * multiplied by 10, and signed then. */
static int64_t relative_ns(const struct netmon_file *f, uint64_t time)
{
    __int128 ns = f->start_ns;
    if (f->major == 1)
        ns += (__int128)time * NS_PER_MS;
    else
        ns += (__int128)(int64_t)(time * 10) * 100;
    return ns < 0 ? 0 : ns > SOURCE_TS_MAX ? SOURCE_TS_MAX : (int64_t)ns;
}

/* A FILETIME of Windows: tenths of a microsecond since 1601. */
static int64_t filetime_ns(uint64_t filetime)
{
    static const uint64_t from_1601_to_1970 = UINT64_C(11644473600) * 10000000;
    if (filetime < from_1601_to_1970)
        return 0;
    filetime -= from_1601_to_1970;
    return filetime > SOURCE_TS_MAX / 100 ? SOURCE_TS_MAX : (int64_t)filetime * 100;
}

static enum outcome read_head(struct netmon_file *f, uint64_t at, struct record *r)
{
    r->head = f->major == 1 ? RECORD_HEAD_1 : RECORD_HEAD_2;
    r->tail = tail_size(f);
    struct cursor c = cursor_of(stream_at(f->source.stream, at, r->head));
    r->time = f->major == 1 ? cursor_le32(&c) : cursor_le64(&c);
    r->wirelen = f->major == 1 ? cursor_le16(&c) : cursor_le32(&c);
    r->caplen = f->major == 1 ? cursor_le16(&c) : cursor_le32(&c);
    /* Without the table a hole in the file, of zeros, would be read as packets without bytes. */
    if (c.failed || (f->walks && r->caplen == 0))
        return GOT_CUT;
    return r->caplen <= LIMIT_FRAME_BYTES ? GOT_FRAME : GOT_LARGE;
}

/* Counts the record; its end. Records do not overlap, so that all together are no longer than the file: a table that
 * names one of them a million times is not followed. */
static bool account(struct netmon_file *f, uint64_t at, size_t length)
{
    f->extent = MAX(f->extent, at + length);
    f->given += length;
    return f->given <= f->extent;
}

/* Takes Network Monitor's own header off an 802.11 packet: a version, then its length in 16 bits. */
static void strip_radio(struct frame *frame)
{
    struct cursor c = cursor_of(slice_of(frame->bytes, frame->caplen));
    cursor_skip(&c, 1);
    uint16_t length = cursor_le16(&c);
    if (c.failed || length > frame->caplen) {
        frame->dlt = SOURCE_DLT_UNKNOWN;
        return;
    }
    frame->bytes += length;
    frame->caplen -= length;
    frame->wirelen -= length;
}

static enum outcome read_record(struct netmon_file *f, uint64_t at, struct frame *frame)
{
    struct record r;
    enum outcome o = read_head(f, at, &r);
    if (o != GOT_FRAME)
        return o;
    size_t length = r.head + r.caplen + r.tail;
    struct cursor c = cursor_of(stream_at(f->source.stream, at, length));
    cursor_skip(&c, r.head);
    struct slice packet = cursor_take(&c, r.caplen);
    struct cursor tail = cursor_block(&c, r.tail);
    if (tail.failed)
        return GOT_CUT;
    if (f->walks)
        f->at = at + length;
    if (!account(f, at, length))
        return GOT_OVERLAP;
    uint16_t network = r.tail > 0 ? cursor_le16(&tail) : f->network;
    if (network >= NETWORK_FIRST_NOTE && network <= NETWORK_LAST_NOTE)
        return GOT_NOTE;
    cursor_skip(&tail, 4); /* process */
    uint64_t filetime = cursor_le64(&tail);
    frame->ts_ns = tail.failed ? relative_ns(f, r.time) : filetime_ns(filetime);
    frame->dlt = find_dlt(network);
    source_give(&f->source, frame, packet, r.wirelen); /* not too large: read_head */
    if (network == NETWORK_WLAN)
        strip_radio(frame);
    return GOT_FRAME;
}

/* Where the next record is, by the table. */
static enum outcome next_by_table(struct netmon_file *f, uint64_t *at)
{
    if (f->entries.n == 0) {
        size_t n = (size_t)MIN(f->end - f->at, sizeof f->buffer);
        if (n < ENTRY)
            return GOT_END;
        struct slice some = stream_at(f->source.stream, f->at, n);
        if (some.n < n)
            return GOT_CUT;
        memcpy(f->buffer, some.p, n);
        f->entries = slice_of(f->buffer, n - n % ENTRY);
        f->at += n;
    }
    struct cursor c = cursor_of(f->entries);
    *at = cursor_le32(&c);
    f->entries = cursor_rest(&c);
    return GOT_FRAME;
}

static enum outcome next_record(struct netmon_file *f, struct frame *frame)
{
    uint64_t at = f->at;
    enum outcome o = GOT_FRAME;
    if (!f->walks)
        o = next_by_table(f, &at);
    else if (f->end > 0 && at >= f->table)
        o = GOT_CUT;
    return o == GOT_FRAME ? read_record(f, at, frame) : o;
}

static bool next(struct source *s, struct frame *frame)
{
    enum outcome o;
    do {
        o = next_record((struct netmon_file *)s, frame);
    } while (o == GOT_NOTE);
    switch (o) {
    case GOT_FRAME: return true;
    case GOT_END: return source_end(s, false, NULL);
    case GOT_OVERLAP: return source_end_damaged(s, "packets that overlap");
    case GOT_LARGE: return source_end_damaged(s, "a packet larger than any frame");
    default: return source_end(s, false, "cut short");
    }
}

static void netmon_file_free(struct source *s)
{
    g_free(s);
}

/* The date and time of the start, in a time zone that the file does not tell: taken for UTC, so that the same file
 * gives the same times everywhere. false where it is no date. */
static bool read_start(struct cursor *c, int64_t *start_ns)
{
    int year = cursor_le16(c), month = cursor_le16(c);
    cursor_skip(c, 2); /* day of the week */
    int day = cursor_le16(c), hour = cursor_le16(c), minute = cursor_le16(c), second = cursor_le16(c);
    int64_t milliseconds = cursor_le16(c);
    GDateTime *start = g_date_time_new_utc(year, month, day, hour, minute, second);
    if (!start)
        return false;
    int64_t seconds = g_date_time_to_unix(start);
    g_date_time_unref(start);
    *start_ns = seconds < 0 || seconds > UINT32_MAX ? 0 : seconds * NS_PER_S + milliseconds * NS_PER_MS;
    return true;
}

/* NULL, or what is wrong with the header. */
static const char *read_header(struct netmon_file *f, struct slice header)
{
    struct cursor c = cursor_of(header);
    cursor_skip(&c, VERSION_OFFSET + 2);
    f->network = cursor_le16(&c);
    if (!read_start(&c, &f->start_ns))
        return "it has no date";
    f->table = cursor_le32(&c);
    uint32_t length = cursor_le32(&c);
    if (f->table > 0 && f->table < FILE_HEADER)
        return "its frame table has an impossible place";
    f->end = f->extent = f->table > 0 ? f->table + length : 0;
    return NULL;
}

/* Looks whether the whole table is there. */
static void find_table(struct netmon_file *f)
{
    f->walks = f->end == 0 || (f->end > f->table && stream_at(f->source.stream, f->end - 1, 1).n == 0);
    f->at = f->walks ? FILE_HEADER : f->table;
}

struct source *netmon_file_open(struct stream *stream, GError **error)
{
    struct slice header = source_header(stream, FILE_HEADER, "Network Monitor", error);
    if (header.n == 0)
        return NULL;
    uint8_t minor = header.p[VERSION_OFFSET], major = header.p[VERSION_OFFSET + 1];
    if (major != 1 && major != 2) {
        source_refuse(stream, error, "a Network Monitor capture of version %u.%u", major, minor);
        return NULL;
    }
    struct netmon_file *f = g_new0(struct netmon_file, 1);
    f->source = (struct source){ .next = next, .free = netmon_file_free, .stream = stream };
    f->source.nanoseconds = major == 2 && minor >= 3;
    f->major = major;
    f->minor = minor;
    const char *wrong = read_header(f, header);
    if (wrong) {
        source_refuse_header(stream, "Network Monitor", wrong, error);
        g_free(f);
        return NULL;
    }
    find_table(f);
    return &f->source;
}
