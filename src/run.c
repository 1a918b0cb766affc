#include "src/run.h"

#include "src/notice.h"

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
    memory_open(&r->memory, o->report.why ? MEMORY_KEPT_FOR_WHY : MEMORY_KEPT);
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

/* What a frame may take in memory beside its bytes: a new flow, its ends, what is noted of it; and how often its bytes may be there. */
#define FRAME_NEEDS 4096
#define BYTES_NEED 4

bool run_frames(struct run *r, const struct frame *frames, size_t n)
{
    size_t needs = n * FRAME_NEEDS;

    for (size_t i = 0; i < n; i++)
        needs += BYTES_NEED * (size_t)frames[i].caplen;
    for (size_t i = 0; r->evidence && i < n; i++)
        evidence_frame(r->evidence, &frames[i]);
    pipeline_frames(r->pipeline, frames, n);
    r->full = r->full || !memory_lasts(&r->memory, needs);
    return !r->full;
}

/* What is in the file stays there. */
static bool stop_saving(struct run *r)
{
    capture_writer_close(g_steal_pointer(&r->writer), NULL);
    return false;
}

bool run_save(struct run *r, const struct capture_info *info, const struct frame *frame)
{
    if (!r->writer)
        return !r->unsaved;
    if (!r->saving && !info->nanoseconds)
        capture_writer_set_microseconds(r->writer);
    r->saving = true;
    return capture_writer_add(r->writer, frame, &r->unsaved) || stop_saving(r);
}

bool run_flush_saved(struct run *r)
{
    if (!r->writer)
        return !r->unsaved;
    return capture_writer_flush(r->writer, &r->unsaved) || stop_saving(r);
}

static void close_saved(struct run *r, const struct capture_info *info)
{
    if (r->writer && info->end_ns != TIME_NONE)
        capture_writer_set_end(r->writer, info);
    if (r->writer)
        capture_writer_close(g_steal_pointer(&r->writer), &r->unsaved);
}

static void set_full(const struct run *r, GError **error)
{
    g_set_error(error, OUTPUT_ERROR, 0,
                "memory is at its end: the report is on the first %" G_GUINT64_FORMAT " packets; " MEMORY_REMEDY,
                pipeline_report(r->pipeline)->capture.packets);
}

static void set_no_room(GError **error, int failure)
{
    g_set_error(error, OUTPUT_ERROR, 0,
                "%s: no room there for all of the report until it is complete: %s; set TMPDIR to a folder with room",
                g_get_tmp_dir(), g_strerror(failure));
}

/* The first one is the caller's to tell; each further one gets its line here. */
static void add_failure(GError **error, GError *failure)
{
    if (!failure)
        return;
    if (!*error) {
        *error = failure;
        return;
    }
    notice("%s", failure->message);
    g_error_free(failure);
}

gboolean run_report(struct run *r, const struct capture_info *info, const char *source, GError **error)
{
    GError *all = NULL, *uncommitted = NULL, *unproved = NULL, *cut = NULL, *full = NULL;

    close_saved(r, info);
    if (r->full)
        pipeline_set_full(r->pipeline);
    int failure = pipeline_finish(r->pipeline, info, source);
    output_commit(g_steal_pointer(&r->output), r->unread ? NULL : &uncommitted);
    if (r->evidence)
        evidence_write(r->evidence, &unproved);
    if (failure)
        set_no_room(&cut, failure);
    if (r->full)
        set_full(r, &full);
    GError *failures[] = { uncommitted, cut, full, g_steal_pointer(&r->unsaved), unproved };
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++)
        add_failure(&all, failures[i]);
    if (all)
        g_propagate_error(error, all);
    return !all;
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
    g_clear_error(&r->unsaved);
    memory_close(&r->memory);
}
