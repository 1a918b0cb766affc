/* Writing pcapng (draft-ietf-opsawg-pcapng): one section in this machine's byte order, an interface for each link type,
 * times in nanoseconds. */
#include "capture/writer.h"

#include "capture/linktype.h"

#include <string.h>

struct pcapng_writer {
    FILE *file;
    uint32_t snaplen;
    GArray *dlts;    /* int: link type of interface 0, 1, ... */
    GArray *packets; /* uint64_t: of each */
};

static void put(struct pcapng_writer *w, const void *bytes, size_t n)
{
    fwrite(bytes, 1, n, w->file);
}

static void put_u32(struct pcapng_writer *w, uint32_t value)
{
    put(w, &value, sizeof value);
}

static void put_u16(struct pcapng_writer *w, uint16_t value)
{
    put(w, &value, sizeof value);
}

/* The section header block: byte order, version 1.0, length not given. */
static void put_section(struct pcapng_writer *w)
{
    put_u32(w, 0x0a0d0d0a);
    put_u32(w, 28);
    put_u32(w, 0x1a2b3c4d);
    put_u16(w, 1);
    put_u16(w, 0);
    put_u32(w, UINT32_MAX);
    put_u32(w, UINT32_MAX);
    put_u32(w, 28);
}

/* An interface description block with if_tsresol, 10^-9 s, as its one option. */
static void put_interface(struct pcapng_writer *w, uint16_t linktype)
{
    static const uint8_t nine[4] = { 9 };
    put_u32(w, 1);
    put_u32(w, 32);
    put_u16(w, linktype);
    put_u16(w, 0);
    put_u32(w, w->snaplen);
    put_u16(w, 9);
    put_u16(w, 1);
    put(w, nine, sizeof nine);
    put_u32(w, 0); /* the end of the options */
    put_u32(w, 32);
}

/* The number of the interface of that link type, which is described where it is new; -1 where files cannot hold it. */
static int find_interface(struct pcapng_writer *w, int dlt)
{
    for (guint i = w->dlts->len; i-- > 0;) {
        if (g_array_index(w->dlts, int, i) == dlt)
            return (int)i;
    }
    int linktype = linktype_of_dlt(dlt);
    if (linktype < 0)
        return -1;
    put_interface(w, (uint16_t)linktype);
    uint64_t none = 0;
    g_array_append_val(w->dlts, dlt);
    g_array_append_val(w->packets, none);
    return (int)w->dlts->len - 1;
}

struct pcapng_writer *pcapng_writer_new(FILE *file)
{
    struct pcapng_writer *w = g_new0(struct pcapng_writer, 1);
    w->file = file;
    w->dlts = g_array_new(FALSE, FALSE, sizeof(int));
    w->packets = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    put_section(w);
    return w;
}

void pcapng_writer_set_snaplen(struct pcapng_writer *w, uint32_t snaplen)
{
    w->snaplen = snaplen;
}

static void put_padding(struct pcapng_writer *w, size_t n)
{
    static const uint8_t padding[3];
    put(w, padding, -n & 3);
}

/* opt_comment and the end of the options; their bytes. */
static uint32_t comment_bytes(size_t n)
{
    return n ? 4 + (((uint32_t)n + 3) & ~3u) + 4 : 0;
}

static void put_comment(struct pcapng_writer *w, const char *comment, size_t n)
{
    if (n == 0)
        return;
    put_u16(w, 1);
    put_u16(w, (uint16_t)n);
    put(w, comment, n);
    put_padding(w, n);
    put_u32(w, 0);
}

bool pcapng_writer_add(struct pcapng_writer *w, const struct frame *frame, const char *comment)
{
    int interface = find_interface(w, frame->dlt);
    if (interface < 0)
        return false;
    size_t n_comment = comment ? MIN(strlen(comment), UINT16_MAX) : 0;
    uint32_t length = 32 + ((frame->caplen + 3) & ~3u) + comment_bytes(n_comment);
    uint64_t ticks = (uint64_t)frame->ts_ns;
    g_array_index(w->packets, uint64_t, interface)++;
    put_u32(w, 6); /* enhanced packet block */
    put_u32(w, length);
    put_u32(w, (uint32_t)interface);
    put_u32(w, (uint32_t)(ticks >> 32));
    put_u32(w, (uint32_t)ticks);
    put_u32(w, frame->caplen);
    put_u32(w, frame->wirelen);
    put(w, frame->bytes, frame->caplen);
    put_padding(w, frame->caplen);
    put_comment(w, comment, n_comment);
    put_u32(w, length);
    return true;
}

/* An option of 64 bits. */
static void put_number(struct pcapng_writer *w, uint16_t code, uint64_t value)
{
    put_u16(w, code);
    put_u16(w, sizeof value);
    put(w, &value, sizeof value);
}

/* A time, the upper half first in either byte order. */
static void put_time(struct pcapng_writer *w, uint16_t code, uint64_t ns)
{
    put_u16(w, code);
    put_u16(w, 8);
    put_u32(w, (uint32_t)(ns >> 32));
    put_u32(w, (uint32_t)ns);
}

/* An interface statistics block: isb_endtime, isb_ifdrop, isb_osdrop, isb_usrdeliv. The drops of the whole capture are
 * told once. */
static void put_statistics(struct pcapng_writer *w, guint interface, const struct capture_info *info)
{
    const uint32_t length = 20 + 4 * 12 + 4 + 4;
    uint64_t end_ns = (uint64_t)info->end_ns;
    put_u32(w, 5);
    put_u32(w, length);
    put_u32(w, interface);
    put_u32(w, (uint32_t)(end_ns >> 32));
    put_u32(w, (uint32_t)end_ns);
    put_time(w, 3, end_ns);
    put_number(w, 5, interface == 0 ? info->interface_dropped : 0);
    put_number(w, 7, interface == 0 ? info->dropped - info->interface_dropped : 0);
    put_number(w, 8, g_array_index(w->packets, uint64_t, interface));
    put_u32(w, 0); /* the end of the options */
    put_u32(w, length);
}

void pcapng_writer_end(struct pcapng_writer *w, const struct capture_info *info)
{
    for (guint i = 0; i < w->dlts->len; i++)
        put_statistics(w, i, info);
}

void pcapng_writer_free(struct pcapng_writer *w)
{
    if (!w)
        return;
    g_array_free(w->dlts, TRUE);
    g_array_free(w->packets, TRUE);
    g_free(w);
}
