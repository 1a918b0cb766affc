/* mkpcap_capture: the frames of a script, and how they become a pcap or pcapng file, plain or compressed. Written here and not
 * through libpcap, which writes neither the other byte order nor several link types. */
#ifndef TCPSLEUTH_TESTS_MKPCAP_CAPTURE_H
#define TCPSLEUTH_TESTS_MKPCAP_CAPTURE_H

#include "tests/tools/mkpcap_script.h"

#include <zlib.h>
#include <zstd.h>

/* LINKTYPE_* numbers, pcap-linktype(7). */
enum link {
    LINK_NULL = 0, LINK_ETHERNET = 1, LINK_PPP = 9, LINK_RAW = 101, LINK_80211 = 105, LINK_LOOP = 108, LINK_SLL = 113,
    LINK_RADIOTAP = 127, LINK_SLL2 = 276
};

static const struct { const char *name; enum link link; } link_names[] = {
    { "ethernet", LINK_ETHERNET }, { "sll", LINK_SLL }, { "sll2", LINK_SLL2 }, { "raw", LINK_RAW }, { "null", LINK_NULL },
    { "loop", LINK_LOOP }, { "ppp", LINK_PPP }, { "80211", LINK_80211 }, { "radiotap", LINK_RADIOTAP },
};

struct interface {
    enum link link;
    char name[32];     /* pcapng if_name; may be empty */
    bool nanoseconds;
    uint32_t snaplen;
};

struct frame {
    int64_t time_ns; /* since the start of the capture */
    unsigned interface;
    uint32_t caplen;
    GByteArray *bytes;
};

enum compression { PLAIN, GZIP, ZSTD };

#define MAX_INTERFACES 16

/* Everything the header lines of a script say, and the frames so far. */
struct capture_file {
    struct interface interface[MAX_INTERFACES];
    unsigned n_interfaces; /* declared ones; 0: interface[0] with its defaults */
    bool pcapng, big_endian, script_order;
    enum compression compression;
    int64_t start_ns; /* since 1970 */
    GArray *frames;   /* struct frame */
};

/* 2024-01-01 00:00:00 UTC: when a script does not say. */
#define DEFAULT_START_NS (INT64_C(1704067200) * NS_PER_S)

static inline void frame_clear(void *data)
{
    g_byte_array_unref(((struct frame *)data)->bytes);
}

static inline void capture_file_init(struct capture_file *c)
{
    *c = (struct capture_file){ .start_ns = DEFAULT_START_NS };
    for (unsigned i = 0; i < MAX_INTERFACES; i++)
        c->interface[i] = (struct interface){ .link = LINK_ETHERNET, .snaplen = 262144 };
    c->frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
    g_array_set_clear_func(c->frames, frame_clear);
}

static inline enum link to_link(const struct line *l, const char *text)
{
    for (size_t i = 0; i < G_N_ELEMENTS(link_names); i++)
        if (strcmp(link_names[i].name, text) == 0)
            return link_names[i].link;
    fail(l, "unknown link type '%s'", text);
}

/* Takes a frame over; cut is the snaplen of this one frame, 0 for none. */
static inline void capture_file_add(struct capture_file *c, int64_t time_ns, unsigned interface, GByteArray *bytes, uint32_t cut)
{
    uint32_t caplen = MIN(bytes->len, c->interface[interface].snaplen);
    struct frame f = { time_ns, interface, cut ? MIN(cut, caplen) : caplen, g_byte_array_ref(bytes) };
    g_array_append_val(c->frames, f);
}

static inline int frame_order(const void *a, const void *b)
{
    const struct frame *x = a, *y = b;
    return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* --- pcap --- */

static inline void write_pcap(const struct capture_file *c, GByteArray *out)
{
    const struct interface *i = &c->interface[0];
    bool big = c->big_endian;
    put_n(out, big, i->nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 4);
    put_n(out, big, 2, 2);
    put_n(out, big, 4, 2);
    put_n(out, big, 0, 4);
    put_n(out, big, 0, 4);
    put_n(out, big, i->snaplen, 4);
    put_n(out, big, i->link, 4);
    for (guint n = 0; n < c->frames->len; n++) {
        const struct frame *f = &g_array_index(c->frames, struct frame, n);
        int64_t at = c->start_ns + f->time_ns;
        put_n(out, big, (uint32_t)(at / NS_PER_S), 4);
        put_n(out, big, (uint32_t)(at % NS_PER_S / (i->nanoseconds ? 1 : NS_PER_US)), 4);
        put_n(out, big, f->caplen, 4);
        put_n(out, big, f->bytes->len, 4);
        put(out, f->bytes->data, f->caplen);
    }
}

/* --- pcapng --- */

static inline void put_block(GByteArray *out, bool big, uint32_t type, const GByteArray *body)
{
    uint32_t length = 12 + body->len;
    put_n(out, big, type, 4);
    put_n(out, big, length, 4);
    put_bytes(out, body);
    put_n(out, big, length, 4);
}

static inline void put_option(GByteArray *body, bool big, unsigned code, const void *value, size_t n)
{
    put_n(body, big, code, 2);
    put_n(body, big, (uint32_t)n, 2);
    put(body, value, n);
    put_fill(body, 0, -n & 3);
}

static inline void put_section(GByteArray *out, bool big)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    put_n(body, big, 0x1a2b3c4d, 4);
    put_n(body, big, 1, 2);
    put_n(body, big, 0, 2);
    put_fill(body, 0xff, 8); /* section length not given */
    put_block(out, big, 0x0a0d0d0a, body);
}

static inline void put_interface(GByteArray *out, bool big, const struct interface *i)
{
    g_autoptr(GByteArray) body = g_byte_array_new();
    uint8_t resolution = i->nanoseconds ? 9 : 6;
    put_n(body, big, i->link, 2);
    put_n(body, big, 0, 2);
    put_n(body, big, i->snaplen, 4);
    if (*i->name)
        put_option(body, big, 2, i->name, strlen(i->name));
    put_option(body, big, 9, &resolution, 1);
    put_option(body, big, 0, NULL, 0);
    put_block(out, big, 1, body);
}

static inline void write_pcapng(const struct capture_file *c, GByteArray *out)
{
    bool big = c->big_endian;
    put_section(out, big);
    for (unsigned n = 0; n < MAX(1, c->n_interfaces); n++)
        put_interface(out, big, &c->interface[n]);
    for (guint n = 0; n < c->frames->len; n++) {
        const struct frame *f = &g_array_index(c->frames, struct frame, n);
        g_autoptr(GByteArray) body = g_byte_array_new();
        uint64_t at = (uint64_t)(c->start_ns + f->time_ns);
        at /= c->interface[f->interface].nanoseconds ? 1 : NS_PER_US;
        put_n(body, big, f->interface, 4);
        put_n(body, big, (uint32_t)(at >> 32), 4);
        put_n(body, big, (uint32_t)at, 4);
        put_n(body, big, f->caplen, 4);
        put_n(body, big, f->bytes->len, 4);
        put(body, f->bytes->data, f->caplen);
        put_fill(body, 0, -f->caplen & 3);
        put_block(out, big, 6, body);
    }
}

/* --- the file --- */

static inline GByteArray *gzip(const GByteArray *in)
{
    z_stream z = { 0 };
    if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, (guint)deflateBound(&z, in->len));
    z.next_in = in->data;
    z.avail_in = in->len;
    z.next_out = out->data;
    z.avail_out = out->len;
    deflate(&z, Z_FINISH); /* its header carries no time and no name */
    g_byte_array_set_size(out, (guint)z.total_out);
    deflateEnd(&z);
    return out;
}

static inline GByteArray *zstd(const GByteArray *in)
{
    GByteArray *out = g_byte_array_new();
    g_byte_array_set_size(out, (guint)ZSTD_compressBound(in->len));
    size_t n = ZSTD_compress(out->data, out->len, in->data, in->len, 9);
    g_byte_array_set_size(out, ZSTD_isError(n) ? 0 : (guint)n);
    return out;
}

/* Writes the whole capture to path; false and *error if that fails. */
static inline bool capture_file_write(struct capture_file *c, const char *path, GError **error)
{
    g_autoptr(GByteArray) plain = g_byte_array_new();
    if (!c->script_order)
        g_array_sort(c->frames, frame_order); /* stable */
    (c->pcapng ? write_pcapng : write_pcap)(c, plain);
    g_autoptr(GByteArray) packed = c->compression == GZIP ? gzip(plain) : c->compression == ZSTD ? zstd(plain) : NULL;
    const GByteArray *out = packed ? packed : plain;
    return g_file_set_contents(path, (const char *)out->data, out->len, error);
}

/* What a case calls this capture: "input.pcapng.gz". */
static inline void capture_file_name(const struct capture_file *c, char out[32])
{
    static const char *const suffix[] = { [PLAIN] = "", [GZIP] = ".gz", [ZSTD] = ".zst" };
    g_snprintf(out, 32, "input.%s%s", c->pcapng ? "pcapng" : "pcap", suffix[c->compression]);
}

#endif
