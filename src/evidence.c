#include "src/evidence.h"

#include "base/limits.h"
#include "report/spool.h"

#include <string.h>

/* Put aside at a time. */
#define BUFFER ((size_t)64 << 10)

struct evidence {
    struct capture_writer *writer;
    struct spool *spool;  /* struct frame without its pointer, then the bytes; for each frame */
    GByteArray *buffer;   /* not yet in the spool */
    uint64_t size;        /* bytes in the spool */
    GHashTable *comments; /* guint64*, packet number -> GString* */
};

static void free_comment(gpointer comment)
{
    g_string_free(comment, TRUE);
}

struct evidence *evidence_open(const char *path, GError **error)
{
    struct capture_writer *writer = capture_writer_open_pcapng(path, error);

    if (!writer)
        return NULL;
    struct evidence *e = g_new0(struct evidence, 1);
    e->writer = writer;
    e->spool = spool_new();
    e->buffer = g_byte_array_new();
    e->comments = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_comment);
    return e;
}

void evidence_free(struct evidence *e)
{
    if (!e)
        return;
    capture_writer_close(e->writer, NULL);
    spool_free(e->spool);
    g_byte_array_free(e->buffer, TRUE);
    g_hash_table_destroy(e->comments);
    g_free(e);
}

static void flush(struct evidence *e)
{
    fwrite(e->buffer->data, 1, e->buffer->len, spool_stream(e->spool)); /* a failure is in spool_error */
    e->size += e->buffer->len;
    g_byte_array_set_size(e->buffer, 0);
}

void evidence_frame(struct evidence *e, const struct frame *frame)
{
    g_byte_array_append(e->buffer, (const guint8 *)frame, sizeof *frame);
    g_byte_array_append(e->buffer, frame->bytes, frame->caplen);
    if (e->buffer->len >= BUFFER)
        flush(e);
}

/* The comment of that packet, so far empty where it is new; NULL: there are too many. */
static GString *comment_of(struct evidence *e, uint64_t packet)
{
    GString *comment = g_hash_table_lookup(e->comments, &packet);

    if (comment || g_hash_table_size(e->comments) >= LIMIT_EVIDENCE)
        return comment;
    comment = g_string_new(NULL);
    g_hash_table_insert(e->comments, g_memdup2(&packet, sizeof packet), comment);
    return comment;
}

static void add_line(GString *comment, uint64_t flow, const struct finding *f)
{
    if (comment->len > LIMIT_EVIDENCE_COMMENT)
        return;
    if (comment->len)
        g_string_append_c(comment, '\n');
    if (flow)
        g_string_append_printf(comment, "flow %" G_GUINT64_FORMAT ", ", flow);
    g_string_append_printf(comment, "%s %s: %s", status_name(f->status), catalogue_row(f->code)->name, f->summary);
}

void evidence_finding(struct evidence *e, uint64_t flow, const struct finding *f)
{
    for (unsigned i = 0; i < f->n_evidence; i++) {
        GString *comment = comment_of(e, f->evidence[i]);
        if (comment)
            add_line(comment, flow, f);
    }
}

static gboolean write_frames(struct evidence *e, GError **error)
{
    g_autofree uint8_t *bytes = g_malloc(LIMIT_FRAME_BYTES);
    struct frame frame;

    for (uint64_t at = 0; at < e->size; at += sizeof frame + frame.caplen) {
        if (!spool_read(e->spool, at, &frame, sizeof frame))
            return FALSE;
        const GString *comment = g_hash_table_lookup(e->comments, &frame.number);
        if (!comment)
            continue;
        if (!spool_read(e->spool, at + sizeof frame, bytes, frame.caplen))
            return FALSE;
        frame.bytes = bytes;
        if (!capture_writer_add_comment(e->writer, &frame, comment->str, error))
            return FALSE;
    }
    return TRUE;
}

gboolean evidence_write(struct evidence *e, GError **error)
{
    flush(e);
    gboolean good = write_frames(e, error) && capture_writer_close(g_steal_pointer(&e->writer), error);

    if (!good && error && !*error)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_WRITE,
                    "%s: no room there to put the packets aside for --evidence: %s; set TMPDIR to a folder with room",
                    g_get_tmp_dir(), g_strerror(spool_error(e->spool)));
    return good;
}
