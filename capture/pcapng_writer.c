/* Writing pcapng (draft-ietf-opsawg-pcapng): one section in this machine's byte order, an interface for each link type,
 * times in nanoseconds. */
#include "capture/writer.h"

#include "capture/linktype.h"

struct pcapng_writer {
    FILE *file;
    GArray *dlts; /* int: link type of interface 0, 1, ... */
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
    put_u32(w, 0); /* snaplen: no limit */
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
    g_array_append_val(w->dlts, dlt);
    return (int)w->dlts->len - 1;
}

struct pcapng_writer *pcapng_writer_new(FILE *file)
{
    struct pcapng_writer *w = g_new0(struct pcapng_writer, 1);
    w->file = file;
    w->dlts = g_array_new(FALSE, FALSE, sizeof(int));
    put_section(w);
    return w;
}

bool pcapng_writer_add(struct pcapng_writer *w, const struct frame *frame)
{
    static const uint8_t padding[3];
    int interface = find_interface(w, frame->dlt);
    if (interface < 0)
        return false;
    uint32_t pad = -frame->caplen & 3, length = 32 + frame->caplen + pad;
    uint64_t ticks = (uint64_t)frame->ts_ns;
    put_u32(w, 6); /* enhanced packet block */
    put_u32(w, length);
    put_u32(w, (uint32_t)interface);
    put_u32(w, (uint32_t)(ticks >> 32));
    put_u32(w, (uint32_t)ticks);
    put_u32(w, frame->caplen);
    put_u32(w, frame->wirelen);
    put(w, frame->bytes, frame->caplen);
    put(w, padding, pad);
    put_u32(w, length);
    return true;
}

void pcapng_writer_free(struct pcapng_writer *w)
{
    if (!w)
        return;
    g_array_free(w->dlts, TRUE);
    g_free(w);
}
