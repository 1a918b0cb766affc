#include "src/read.h"

#include "src/output.h"
#include "src/pipeline.h"
#include "src/progress.h"

/* Everything of one run, so that one place frees it. */
struct run {
    struct capture *capture;
    struct capture_writer *writer;
    struct output *output;
    struct pipeline *pipeline;
};

static void run_clear(struct run *r)
{
    pipeline_free(r->pipeline);
    capture_writer_close(r->writer, NULL);
    output_abandon(r->output);
    capture_free(r->capture);
}

static gboolean read_frames(struct run *r, const struct options *o, GError **error)
{
    struct progress progress = { 0 };
    enum capture_status status;
    struct frame frame;
    int64_t n = 0;

    while ((status = capture_next(r->capture, &frame, error)) == CAPTURE_FRAME) {
        if (r->writer && !capture_writer_add(r->writer, &frame, error))
            return FALSE;
        pipeline_frame(r->pipeline, &frame);
        if (++n == o->count)
            break;
        if ((n & 0xffff) == 0)
            progress_show(&progress, capture_info(r->capture));
    }
    progress_clear(&progress);
    return status != CAPTURE_FAILED;
}

static gboolean finish(struct run *r, const struct options *o, const char *source, GError **error)
{
    const struct capture_info *info = capture_info(r->capture);
    struct capture_writer *writer = g_steal_pointer(&r->writer);

    if (!capture_writer_close(writer, error))
        return FALSE;
    pipeline_finish(r->pipeline, info, source);
    const struct capture_summary *c = &pipeline_report(r->pipeline)->capture;
    if (info->truncated)
        g_printerr("tcpsleuth: warning: %s\n", info->truncated_file);
    if (c->packets == 0)
        g_printerr("tcpsleuth: %s: no packets%s\n", source, o->filter ? " that the filter lets through" : "");
    else if (c->tcp_packets == 0)
        g_printerr("tcpsleuth: %s: no TCP among %" G_GUINT64_FORMAT " packets\n", source, c->packets);
    return output_commit(g_steal_pointer(&r->output), error);
}

static int exit_status(const struct report *report)
{
    return report->verdict && report->verdict->status == STATUS_BROKEN ? 1 : 0;
}

int command_read(const struct options *o, GError **error)
{
    struct run r = { 0 };
    g_autofree char *source = g_strjoinv(", ", o->files);
    int status = 2;

    r.capture = capture_open_files((const char *const *)o->files, g_strv_length(o->files), o->filter, error);
    if (r.capture && (!o->save || (r.writer = capture_writer_open(o->save, error))) && (r.output = output_open(o->output, error))) {
        r.pipeline = pipeline_new(o->format, &o->report, output_stream(r.output));
        if (read_frames(&r, o, error) && finish(&r, o, source, error))
            status = exit_status(pipeline_report(r.pipeline));
    }
    run_clear(&r);
    return status;
}
