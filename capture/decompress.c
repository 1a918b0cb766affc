#include "capture/decompress.h"

#include <glib.h>
#include <zlib.h>
#include <zstd.h>

struct decoder {
    z_stream gzip;
    ZSTD_DStream *zstd; /* NULL: gzip */
    bool at_boundary;
    const char *damage;
};

static bool is_gzip(struct slice s)
{
    return s.n >= 2 && s.p[0] == 0x1f && s.p[1] == 0x8b;
}

/* RFC 8878 section 3.1: a frame, or one of the 16 kinds of skippable frames (parallel zstd writes one first). */
static bool is_zstd(struct slice s)
{
    struct cursor c = cursor_of(s);
    uint32_t magic = cursor_le32(&c);
    return !c.failed && (magic == 0xfd2fb528 || magic >> 4 == 0x184d2a5);
}

struct decoder *decoder_new(struct slice beginning)
{
    if (!is_gzip(beginning) && !is_zstd(beginning))
        return NULL;
    struct decoder *d = g_new0(struct decoder, 1);
    if (is_zstd(beginning)) {
        d->zstd = ZSTD_createDStream();
        if (!d->zstd)
            d->damage = "no memory for zstd";
    } else if (inflateInit2(&d->gzip, 15 + 16) != Z_OK) { /* 15: the largest window; 16: a gzip header */
        d->damage = "no memory for gzip";
    }
    return d;
}

/* What follows the end of a member: another member, or zero bytes that fill up a block of a tape or a device. Returns
 * whether there is a member to begin with. */
static bool begin_next_member(struct decoder *d, struct slice *in)
{
    while (in->n > 0 && in->p[0] == 0)
        *in = slice_of(in->p + 1, in->n - 1);
    if (in->n == 0)
        return false;
    if (in->p[0] != 0x1f) {
        d->damage = "bytes that are not gzip data follow its end";
        return false;
    }
    d->at_boundary = false;
    return inflateReset(&d->gzip) == Z_OK;
}

static size_t run_gzip(struct decoder *d, struct slice *in, uint8_t *out, size_t n)
{
    if (d->at_boundary && !begin_next_member(d, in))
        return 0;
    /* zlib's counters are unsigned int; the rest waits for the next call. */
    uInt most_in = (uInt)MIN(in->n, G_MAXINT), most_out = (uInt)MIN(n, G_MAXINT);
    d->gzip.next_in = (Bytef *)in->p; /* zlib only reads it */
    d->gzip.avail_in = most_in;
    d->gzip.next_out = out;
    d->gzip.avail_out = most_out;
    int r = inflate(&d->gzip, Z_NO_FLUSH);
    uInt taken = most_in - d->gzip.avail_in;
    if (taken > 0)
        *in = slice_of(in->p + taken, in->n - taken);
    if (r == Z_STREAM_END)
        d->at_boundary = true;
    else if (r != Z_OK && r != Z_BUF_ERROR)
        d->damage = d->gzip.msg ? d->gzip.msg : "not gzip data";
    return most_out - d->gzip.avail_out;
}

static size_t run_zstd(struct decoder *d, struct slice *in, uint8_t *out, size_t n)
{
    ZSTD_inBuffer from = { in->p, in->n, 0 };
    ZSTD_outBuffer to = { out, n, 0 };
    size_t r = ZSTD_decompressStream(d->zstd, &to, &from);
    if (from.pos > 0)
        *in = slice_of(in->p + from.pos, in->n - from.pos);
    if (ZSTD_isError(r))
        d->damage = ZSTD_getErrorName(r);
    d->at_boundary = r == 0;
    return to.pos;
}

size_t decoder_run(struct decoder *d, struct slice *in, uint8_t *out, size_t n)
{
    size_t written = 0, left;
    /* A call may end a member, or eat a header, without any output; and it may give output that it held back without
     * taking any input. Between members there is nothing to give. */
    do {
        if (d->damage || (d->at_boundary && in->n == 0))
            break;
        left = in->n;
        written = d->zstd ? run_zstd(d, in, out, n) : run_gzip(d, in, out, n);
    } while (written == 0 && in->n < left);
    return written;
}

const char *decoder_damage(const struct decoder *d)
{
    return d->damage;
}

bool decoder_at_boundary(const struct decoder *d)
{
    return d->at_boundary;
}

const char *decoder_name(const struct decoder *d)
{
    return d->zstd ? "zstd" : "gzip";
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    if (d->zstd)
        ZSTD_freeDStream(d->zstd);
    else
        inflateEnd(&d->gzip);
    g_free(d);
}
