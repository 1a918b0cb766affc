#include "src/run.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

/* Whether both names lead to one file of data. */
static bool is_same_file(const char *a, const char *b)
{
    GStatBuf x, y;

    return a && b && g_stat(a, &x) == 0 && g_stat(b, &y) == 0 && S_ISREG(x.st_mode) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

gboolean run_open(struct run *r, const struct options *o, bool in_place, GError **error)
{
    if (o->save && !(r->writer = capture_writer_open(o->save, error)))
        return FALSE;
    if (is_same_file(o->save, o->output)) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s: -w and -o are one file; name two", o->output);
        return FALSE;
    }
    if (is_same_file(o->evidence, o->save) || is_same_file(o->evidence, o->output)) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s: --evidence wants a file of its own; name another", o->evidence);
        return FALSE;
    }
    if (o->evidence && !(r->evidence = evidence_open(o->evidence, error)))
        return FALSE;
    r->output = output_open(o->output, in_place, error);
    return r->output != NULL;
}

/* pipeline_finding_fn */
static void hear_finding(void *user, uint64_t flow, const struct finding *f)
{
    evidence_finding(user, flow, f);
}

void run_start(struct run *r, const struct options *o, const struct report_options *report)
{
    r->pipeline = pipeline_new(o->format, report, output_stream(r->output));
    if (r->evidence)
        pipeline_hear(r->pipeline, hear_finding, r->evidence);
}

void run_frames(struct run *r, const struct frame *frames, size_t n)
{
    for (size_t i = 0; r->evidence && i < n; i++)
        evidence_frame(r->evidence, &frames[i]);
    pipeline_frames(r->pipeline, frames, n);
}

gboolean run_save(struct run *r, const struct capture_info *info, const struct frame *frame, GError **error)
{
    if (!r->writer)
        return TRUE;
    if (!r->saving && !info->nanoseconds)
        capture_writer_set_microseconds(r->writer);
    r->saving = true;
    return capture_writer_add(r->writer, frame, error);
}

gboolean run_close_saved(struct run *r, const struct capture_info *info, GError **error)
{
    if (r->writer && info->end_ns != TIME_NONE)
        capture_writer_set_end(r->writer, info);
    return capture_writer_close(g_steal_pointer(&r->writer), error);
}

gboolean run_report(struct run *r, const struct capture_info *info, const char *source, GError **error)
{
    int failure = pipeline_finish(r->pipeline, info, source);

    if (!failure && r->evidence && !evidence_write(r->evidence, error))
        return FALSE;
    if (!failure)
        return output_commit(g_steal_pointer(&r->output), error);
    g_set_error(error, OUTPUT_ERROR, 0,
                "%s: no room there for the report until it is complete: %s; set TMPDIR to a folder with room",
                g_get_tmp_dir(), g_strerror(failure));
    return FALSE;
}

int run_status(const struct run *r)
{
    const struct report *report = pipeline_report(r->pipeline);

    return report->verdict && report->verdict->status == STATUS_BROKEN ? 1 : 0;
}

void run_clear(struct run *r)
{
    pipeline_free(r->pipeline);
    capture_writer_close(r->writer, NULL);
    evidence_free(r->evidence);
    output_abandon(r->output);
}
