#include "dissect/frag6.h"

#include <string.h>

#define UNIT 8
#define UNITS ((FRAG6_PAYLOAD_MAX + UNIT - 1) / UNIT)

struct frag6 {
    GByteArray *bytes;             /* as long as the farthest piece reaches */
    size_t length;                 /* of the datagram; 0 until the last piece came */
    size_t units;                  /* bits set */
    uint8_t present[UNITS / 8 + 1];
};

struct frag6 *frag6_new(void)
{
    struct frag6 *f = g_new0(struct frag6, 1);
    f->bytes = g_byte_array_new();
    return f;
}

void frag6_free(struct frag6 *f)
{
    if (!f)
        return;
    g_byte_array_free(f->bytes, TRUE);
    g_free(f);
}

size_t frag6_size(const struct frag6 *f)
{
    return sizeof *f + f->bytes->len;
}

static bool unit_present(const struct frag6 *f, size_t unit)
{
    return f->present[unit / 8] >> unit % 8 & 1;
}

static size_t count_present(const struct frag6 *f, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t unit = from; unit < to; unit++)
        n += unit_present(f, unit);
    return n;
}

static void mark_present(struct frag6 *f, size_t from, size_t to)
{
    for (size_t unit = from; unit < to; unit++)
        f->present[unit / 8] |= (uint8_t)(1 << unit % 8);
    f->units += to - from;
}

/* Whether the piece fits to what is known of the datagram's end. */
static bool agrees_with_end(const struct frag6 *f, size_t end, bool more)
{
    if (f->length)
        return more ? end <= f->length : end == f->length;
    return more || end >= f->bytes->len;
}

enum frag6_result frag6_add(struct frag6 *f, unsigned offset, bool more, struct slice piece)
{
    size_t end = offset + piece.n;
    size_t from = offset / UNIT, to = (end + UNIT - 1) / UNIT;
    if (!agrees_with_end(f, end, more))
        return FRAG6_BAD;
    size_t there = count_present(f, from, to);
    if (there == to - from && end <= f->bytes->len && memcmp(f->bytes->data + offset, piece.p, piece.n) == 0)
        return FRAG6_WAITS; /* a copy */
    if (there > 0)
        return FRAG6_BAD;
    if (end > f->bytes->len)
        g_byte_array_set_size(f->bytes, (guint)end);
    memcpy(f->bytes->data + offset, piece.p, piece.n);
    mark_present(f, from, to);
    if (!more)
        f->length = end;
    return f->length && f->units == (f->length + UNIT - 1) / UNIT ? FRAG6_WHOLE : FRAG6_WAITS;
}

struct slice frag6_payload(const struct frag6 *f)
{
    return slice_of(f->bytes->data, f->length);
}
