#include "src/read.h"

#include "src/notice.h"
#include "src/output.h"
#include "src/pipeline.h"
#include "src/progress.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

/* Frames taken at a time: enough that what they need can be fetched ahead (tracker.h). */
#define FRAMES 32

/* Everything of one run, so that one place frees it. */
struct run {
    struct capture *capture;
    struct capture_writer *writer; /* NULL: no -w */
    struct output *output;
    struct pipeline *pipeline;
    bool saving; /* the writer has its first frame */
};

static void run_clear(struct run *r)
{
    pipeline_free(r->pipeline);
    capture_writer_close(r->writer, NULL);
    output_abandon(r->output);
    capture_free(r->capture);
}

static gboolean save(struct run *r, const struct frame *frame, GError **error)
{
    if (!r->writer)
        return TRUE;
    if (!r->saving && !capture_info(r->capture)->nanoseconds)
        capture_writer_set_microseconds(r->writer);
    r->saving = true;
    return capture_writer_add(r->writer, frame, error);
}

static gboolean save_all(struct run *r, const struct frame *frames, size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++)
        if (!save(r, &frames[i], error))
            return FALSE;
    return TRUE;
}

/* How many frames there are until the progress is shown again, and until it is seen that nobody reads the report. */
#define PROGRESS_FRAMES 65536

static gboolean read_frames(struct run *r, const struct options *o, GError **error)
{
    struct progress progress = { 0 };
    enum capture_status status = CAPTURE_END;
    struct frame frames[FRAMES];
    gboolean good = TRUE;
    int64_t left = o->count ? o->count : INT64_MAX, shown = 0, done = 0;
    size_t n;

    while (left > 0 &&
           (status = capture_batch(r->capture, frames, (size_t)MIN(left, FRAMES), &n, error)) == CAPTURE_FRAME) {
        good = save_all(r, frames, n, error);
        if (!good)
            break;
        pipeline_set_precision(r->pipeline, capture_info(r->capture)->nanoseconds); /* an interface may have come */
        pipeline_frames(r->pipeline, frames, n);
        left -= (int64_t)n;
        done += (int64_t)n;
        if (done - shown < PROGRESS_FRAMES)
            continue;
        if (ferror(output_stream(r->output))) /* nobody reads what is written: finish() says so */
            break;
        progress_show(&progress, capture_info(r->capture));
        shown = done;
    }
    progress_clear(&progress);
    return good && status != CAPTURE_FAILED;
}

/* What the reader of the report should know, too, and what is no reason to fail. */
static void warn(const struct report *report, const struct capture_info *info, const struct options *o,
                 const char *source)
{
    uint64_t conversations = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(report->conversations_by_status); i++)
        conversations += report->conversations_by_status[i];
    if (info->truncated)
        notice("warning: %s", info->truncated_file);
    else if (report->capture.packets == 0 && o->filter)
        notice("warning: %s: the filter \"%s\" lets no packet through; look at what is there without it", source,
               o->filter);
    else if (report->capture.packets == 0)
        notice("warning: %s: no packets; capture again, on the interface that carries the traffic", source);
    else if (report->capture.tcp_packets == 0 && conversations == 0)
        notice("warning: %s: no TCP among %" G_GUINT64_FORMAT
               " packets; capture on the interface that carries the traffic",
               source, report->capture.packets);
}

static gboolean finish(struct run *r, const struct options *o, const char *source, GError **error)
{
    const struct capture_info *info = capture_info(r->capture);
    struct capture_writer *writer = g_steal_pointer(&r->writer);

    if (!capture_writer_close(writer, error))
        return FALSE;
    int failure = pipeline_finish(r->pipeline, info, source);
    if (failure) {
        g_set_error(error, OUTPUT_ERROR, 0,
                    "%s: no room there for the report until it is complete: %s; set TMPDIR to a folder with room",
                    g_get_tmp_dir(), g_strerror(failure));
        return FALSE;
    }
    warn(pipeline_report(r->pipeline), info, o, source);
    return output_commit(g_steal_pointer(&r->output), error);
}

static int exit_status(const struct report *report)
{
    return report->verdict && report->verdict->status == STATUS_BROKEN ? 1 : 0;
}

/* Whether both names lead to one file of data. */
static bool is_same_file(const char *a, const char *b)
{
    GStatBuf x, y;

    return a && b && g_stat(a, &x) == 0 && g_stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

static gboolean open_files(struct run *r, const struct options *o, GError **error)
{
    r->capture = capture_open_files((const char *const *)o->files, g_strv_length(o->files), o->filter, error);
    if (!r->capture)
        return FALSE;
    const char *clash = o->save && capture_is_input(r->capture, o->save)       ? "-w"
                        : o->output && capture_is_input(r->capture, o->output) ? "-o"
                                                                               : NULL;
    if (clash) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s: it is read, and %s would overwrite it; name another file for %s",
                    clash[1] == 'w' ? o->save : o->output, clash, clash);
        return FALSE;
    }
    if (o->save && !(r->writer = capture_writer_open(o->save, error)))
        return FALSE;
    if (is_same_file(o->save, o->output)) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s: -w and -o are one file; name two", o->output);
        return FALSE;
    }
    r->output = output_open(o->output, error);
    return r->output != NULL;
}

int command_read(const struct options *o, GError **error)
{
    struct run r = { 0 };
    g_autofree char *source = g_strjoinv(", ", o->files);
    int status = 2;

    if (open_files(&r, o, error)) {
        r.pipeline = pipeline_new(o->format, &o->report, output_stream(r.output));
        if (read_frames(&r, o, error) && finish(&r, o, source, error))
            status = exit_status(pipeline_report(r.pipeline));
    }
    run_clear(&r);
    return status;
}
