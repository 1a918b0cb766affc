/* Files of NetXray and of Sniffer for Windows, versions 1.x and 2.x (never published; as captures show), all numbers
 * little-endian: a header, then records, in a ring that may begin in the middle of the file. */
#include "capture/source.h"

#include "base/timens.h"
#include <pcap/pcap.h>
#include <string.h>

#define FILE_HEADER 128
#define VERSION 7

/* The head of a record: time (64 bits), length on the wire, length here (16 bits each), more in version 2. */
#define RECORD_HEAD_1 28
#define RECORD_HEAD_2 40
#define RECORD_MARK_OFFSET 14 /* version 2: two bytes 0xff where 4 bytes follow the packet */
#define RECORD_TAIL 4

enum network { NETWORK_ETHERNET = 1, NETWORK_TOKEN_RING = 2, NETWORK_FDDI = 3, NETWORK_WAN = 4, NETWORK_WLAN = 10 };

/* What took the capture: on Ethernet a card or a pod, which have different clocks; on a WAN what the line speaks. */
enum capture_type { BY_CARD = 0, WAN_PPP = 3, WAN_FRAME_RELAY = 4, WAN_CISCO = 19 };

struct netxray_file {
    struct source source;
    bool version_2;
    bool has_tails;   /* 4 bytes may follow a packet ... */
    bool drops_tails; /* ... and are rubbish, not its checksum */
    int dlt;
    uint32_t start_s;      /* when the capture began ... */
    uint64_t start_ticks;  /* ... and what its clock said then */
    uint64_t units;        /* of the clock in a second */
    uint64_t at;           /* the next record */
    uint64_t stop;         /* where the records end; UINT64_MAX: with the file */
    uint64_t wrapped_stop; /* after the end of the file they go on behind the header, up to here; 0: they do not */
};

/* The header, without what is not understood. */
struct header {
    char version[VERSION + 1];
    uint32_t start_s, first, end;
    uint8_t network, network_kind;
    uint8_t clock;
    uint64_t ticks;
    uint32_t clock_units;
    uint8_t type; /* enum capture_type */
};

struct record {
    uint64_t ticks;
    uint16_t wirelen, caplen; /* the bytes behind the packet counted */
    bool has_tail;
};

bool netxray_file_recognise(struct slice beginning)
{
    return beginning.n >= 4 && memcmp(beginning.p, "XCP", 4) == 0;
}

/* `bytes` is a whole header. */
static void read_header(struct slice bytes, struct header *h)
{
    struct cursor c = cursor_of(bytes);
    cursor_skip(&c, 4); /* magic */
    memcpy(h->version, cursor_take(&c, VERSION).p, VERSION);
    h->version[VERSION] = '\0';
    cursor_skip(&c, 1);
    h->start_s = cursor_le32(&c);
    cursor_skip(&c, 8); /* how many packets, and an offset */
    h->first = cursor_le32(&c);
    h->end = cursor_le32(&c);
    cursor_skip(&c, 12);
    h->network = cursor_u8(&c);
    h->network_kind = cursor_u8(&c);
    cursor_skip(&c, 2);
    h->clock = cursor_u8(&c);
    cursor_skip(&c, 3);
    h->ticks = cursor_le64(&c);
    cursor_skip(&c, 16); /* speed of the line, and more */
    h->clock_units = cursor_le32(&c);
    cursor_skip(&c, 4);
    h->type = cursor_u8(&c);
}

/* Networks are counted from 0, or, with a 2 behind them, from 1 as NDIS does. */
static int network_of(const struct header *h)
{
    return h->network_kind == 2 ? h->network : h->network + 1;
}

static int find_wan_dlt(const struct header *h, bool version_2)
{
    if (!version_2)
        return DLT_EN10MB; /* Windows gives packets of dial-up lines that form */
    switch (h->type) {
    case WAN_PPP: return DLT_PPP;
    case WAN_FRAME_RELAY: return DLT_FRELAY;
    case WAN_CISCO: return DLT_C_HDLC;
    default: return SOURCE_DLT_UNKNOWN;
    }
}

static int find_dlt(const struct header *h, bool version_2)
{
    switch (network_of(h)) {
    case NETWORK_ETHERNET: return DLT_EN10MB;
    case NETWORK_TOKEN_RING: return DLT_IEEE802;
    case NETWORK_FDDI: return DLT_FDDI;
    case NETWORK_WAN: return find_wan_dlt(h, version_2);
    case NETWORK_WLAN: return DLT_IEEE802_11;
    default: return SOURCE_DLT_UNKNOWN;
    }
}

/* Units of the clock in a second, by the number of the clock: of cards, and of the pods (capture types 2, 3, 5, 6). 0:
 * unknown, or, for cards, in the header. */
static uint64_t pod_units(uint8_t type, uint8_t clock)
{
    static const struct {
        uint8_t type;
        uint32_t units[3];
    } pods[] = {
        { 2, { 1000000000, 0, 31250000 } },
        { 3, { 1000000, 0, 1250000 } },
        { 5, { 1000000, 0, 0 } },
        { 6, { 1000000000, 0, 20000000 } },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(pods); i++) {
        if (pods[i].type == type && clock < G_N_ELEMENTS(pods[i].units))
            return pods[i].units[clock];
    }
    return 0;
}

static uint64_t card_units(const struct header *h, bool ethernet)
{
    static const uint32_t units[] = { 1000000, 1193000, 1193182 };
    if (ethernet && h->clock == 2)
        return h->clock_units;
    return h->clock < G_N_ELEMENTS(units) ? units[h->clock] : 0;
}

static uint64_t find_units(const struct header *h)
{
    bool ethernet = network_of(h) == NETWORK_ETHERNET;
    if (strcmp(h->version, "001.000") == 0)
        return 1000;
    if (strcmp(h->version, "001.100") == 0)
        return 1000000;
    return ethernet && h->type != BY_CARD ? pod_units(h->type, h->clock) : card_units(h, ethernet);
}

static bool is_known_version(const char *version)
{
    static const char *const versions[] = { "001.000", "001.100", "002.000", "002.001", "002.002", "002.003", NULL };
    return g_strv_contains(versions, version);
}

/* The clock of a pod starts at 0 with the capture, from version 2.002 on; the header still says something else. */
static bool starts_at_zero(const struct header *h)
{
    return network_of(h) == NETWORK_ETHERNET && h->type != BY_CARD && strcmp(h->version, "002.002") >= 0;
}

static bool read_head(struct netxray_file *f, struct record *r)
{
    struct slice head = stream_at(f->source.stream, f->at, f->version_2 ? RECORD_HEAD_2 : RECORD_HEAD_1);
    struct cursor c = cursor_of(head);
    r->ticks = cursor_le64(&c);
    r->wirelen = cursor_le16(&c);
    r->caplen = cursor_le16(&c);
    r->has_tail = false;
    if (f->version_2) {
        cursor_skip(&c, RECORD_MARK_OFFSET - 12);
        r->has_tail = cursor_u16(&c) == 0xffff && f->has_tails;
        cursor_skip(&c, RECORD_HEAD_2 - RECORD_MARK_OFFSET - 2);
    } else {
        cursor_skip(&c, RECORD_HEAD_1 - 12);
    }
    return !c.failed;
}

static int64_t to_ns(const struct netxray_file *f, uint64_t ticks)
{
    /* 64 bits of ticks times 30 bits of nanoseconds; 32 bits of seconds times 32 of units times 30: 95 bits at most. */
    __int128 since = (__int128)ticks - f->start_ticks;
    __int128 ns = ((__int128)f->start_s * f->units + since) * NS_PER_S;
    return ns < 0 ? 0 : ns / f->units > SOURCE_TS_MAX ? SOURCE_TS_MAX : (int64_t)(ns / f->units);
}

/* From the end of the file on to behind the header, once. */
static void wrap(struct netxray_file *f)
{
    if (f->wrapped_stop == 0 || stream_at(f->source.stream, f->at, 1).n > 0)
        return;
    f->at = FILE_HEADER;
    f->stop = f->wrapped_stop;
    f->wrapped_stop = 0;
}

static bool is_at_end(struct netxray_file *f)
{
    return f->at >= f->stop || (f->stop == UINT64_MAX && stream_at(f->source.stream, f->at, 1).n == 0);
}

static bool next(struct source *s, struct frame *frame)
{
    struct netxray_file *f = (struct netxray_file *)s;
    struct record r;
    size_t head = f->version_2 ? RECORD_HEAD_2 : RECORD_HEAD_1;
    wrap(f);
    if (is_at_end(f))
        return source_end(s, false, NULL);
    if (!read_head(f, &r))
        return source_end(s, false, "cut short");
    size_t dropped = r.has_tail && f->drops_tails ? RECORD_TAIL : 0;
    if (r.caplen < dropped || r.wirelen < dropped || f->stop - f->at < head + r.caplen)
        return source_end_damaged(s, "a record with an impossible length");
    struct slice record = stream_at(s->stream, f->at, head + r.caplen);
    if (record.n < head + r.caplen)
        return source_end(s, false, "cut short");
    f->at += record.n;
    frame->ts_ns = to_ns(f, r.ticks);
    frame->dlt = f->dlt;
    return source_give(s, frame, slice_of(record.p + head, r.caplen - dropped), (uint32_t)(r.wirelen - dropped));
}

static void netxray_file_free(struct source *s)
{
    g_free(s);
}

/* The records go from first to end; in a ring that is full first lies behind end. */
static void find_records(struct netxray_file *f, const struct header *h)
{
    f->at = h->first;
    f->stop = h->end;
    if (h->end < FILE_HEADER) {
        f->stop = UINT64_MAX; /* the header was never finished */
    } else if (h->end < h->first) {
        f->stop = UINT64_MAX;
        f->wrapped_stop = h->end;
    }
}

static struct netxray_file *new_file(struct stream *stream, const struct header *h)
{
    struct netxray_file *f = g_new0(struct netxray_file, 1);
    f->source = (struct source){ .next = next, .free = netxray_file_free, .stream = stream };
    f->version_2 = h->version[2] == '2';
    f->units = find_units(h);
    f->source.nanoseconds = f->units > 1000000;
    f->start_s = h->start_s;
    f->start_ticks = starts_at_zero(h) ? 0 : h->ticks;
    f->dlt = find_dlt(h, f->version_2);
    f->has_tails = f->version_2 && (f->dlt == DLT_EN10MB || f->dlt == DLT_IEEE802_11 || f->dlt == DLT_FRELAY);
    /* Odd, but all that tells the two apart. */
    f->drops_tails = f->dlt == DLT_FRELAY || (h->clock_units >> 8 & 0xffff) != 0x1234;
    find_records(f, h);
    return f;
}

struct source *netxray_file_open(struct stream *stream, GError **error)
{
    struct slice bytes = source_header(stream, FILE_HEADER, "NetXray", error);
    struct header h;
    if (bytes.n == 0)
        return NULL;
    read_header(bytes, &h);
    if (!is_known_version(h.version)) {
        g_autofree char *version = g_strescape(h.version, NULL);
        source_refuse(stream, error, "a NetXray capture of version \"%s\"", version);
    } else if (h.network_kind != 0 && h.network_kind != 2) {
        source_refuse(stream, error, "a NetXray capture of network type %u.%u", h.network, h.network_kind);
    } else if (find_units(&h) == 0) {
        source_refuse(stream, error, "a NetXray capture with clock %u of capture type %u", h.clock, h.type);
    } else if (h.first < FILE_HEADER) {
        source_refuse_header(stream, "NetXray", "its packets have an impossible place", error);
    } else {
        return &new_file(stream, &h)->source;
    }
    return NULL;
}
