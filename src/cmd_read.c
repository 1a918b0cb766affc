/* The command that judges capture files (`tcpsleuth -r FILE`); with --confirm it asks the servers of what broke, from here. */
#include "src/command.h"
#include "src/confine.h"
#include "src/ending.h"
#include "src/join.h"
#include "src/notice.h"
#include "src/privileges.h"
#include "src/progress.h"
#include "src/run.h"

/* Frames taken at a time: enough that what they need can be fetched ahead (tracker.h). */
#define FRAMES 32

/* Everything of one run, so that one place frees it. */
struct reading {
    struct capture *capture;
    struct run run;
    struct join *join; /* NULL: nothing is probed */
};

/* Where it cannot, the report still comes. */
static void save_all(struct reading *r, const struct capture_info *info, const struct frame *frames, size_t n)
{
    for (size_t i = 0; r->run.writer && i < n; i++)
        run_save(&r->run, info, &frames[i]);
}

/* How many frames there are until the progress is shown again, and until it is seen that nobody reads the report. */
#define PROGRESS_FRAMES 65536

static gboolean read_frames(struct reading *r, const struct options *o, GError **error)
{
    struct progress progress = { 0 };
    enum capture_status status = CAPTURE_END;
    struct frame frames[FRAMES];
    int64_t left = o->count ? o->count : INT64_MAX, since_shown = 0;
    size_t n;

    while (left > 0 &&
           (status = capture_batch(r->capture, frames, (size_t)MIN(left, FRAMES), &n, error)) == CAPTURE_FRAME) {
        const struct capture_info *info = capture_info(r->capture);
        save_all(r, info, frames, n);
        pipeline_set_precision(r->run.pipeline, info->nanoseconds); /* an interface may have come */
        if (!run_frames(&r->run, frames, n))
            break;
        left -= (int64_t)n;
        since_shown += (int64_t)n;
        if (since_shown < PROGRESS_FRAMES)
            continue;
        if (ferror(output_stream(r->run.output))) /* nobody reads what is written: the end says so */
            break;
        progress_show(&progress, info);
        since_shown = 0;
    }
    progress_clear(&progress);
    return status != CAPTURE_FAILED;
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

/* ending.stop */
static void stop_probes(void *user)
{
    join_stop(user);
}

/* Probes leave now, where they may. Ctrl-C ends them, not the report. */
static gboolean report(struct reading *r, const struct capture_info *info, const char *source, GError **error)
{
    struct ending ending;

    if (r->join)
        ending_heed(&ending, stop_probes, r->join);
    gboolean good = run_report(&r->run, info, source, error);

    if (r->join)
        ending_leave(&ending);
    return good;
}

static gboolean finish(struct reading *r, const struct options *o, const char *source, GError **error)
{
    const struct capture_info *info = capture_info(r->capture);

    if (!report(r, info, source, error))
        return FALSE;
    warn(pipeline_report(r->run.pipeline), info, o, source);
    return TRUE;
}

/* Writing to one of the files that are read would empty it. */
static gboolean spares_input(const struct reading *r, const struct options *o, GError **error)
{
    const struct {
        const char *option, *file;
    } written[] = { { "-w", o->save }, { "-o", o->output }, { "--evidence", o->evidence } };

    for (gsize i = 0; i < G_N_ELEMENTS(written); i++) {
        if (!written[i].file || !capture_is_input(r->capture, written[i].file))
            continue;
        options_refuse_overwrite(written[i].option, written[i].file, error);
        return FALSE;
    }
    return TRUE;
}

static gboolean open_files(struct reading *r, const struct options *o, GError **error)
{
    r->capture = capture_open_files((const char *const *)o->files, g_strv_length(o->files), o->filter, error);
    return r->capture && spares_input(r, o, error) && run_open(&r->run, o, r->join != NULL, error);
}

/* join_hooks.say */
static void say_line(void *user, const char *line)
{
    (void)user;
    notice("%s", line);
}

/* What takes rights; they are given up before the first packet is looked at. */
static gboolean open_to_probe(struct reading *r, const struct options *o, GError **error)
{
    struct person person;

    if (!privileges_person(&person, error) || !(r->join = join_new(NULL, error))) {
        g_prefix_error(error, "--confirm: ");
        g_autofree char *more = g_strdup_printf("%s; run it as root or with sudo, or leave --confirm out", (*error)->message);
        g_free((*error)->message);
        (*error)->message = g_steal_pointer(&more);
        return FALSE;
    }
    privileges_lend(&person);
    gboolean opened = open_files(r, o, error);
    privileges_take_back(&person);
    return opened && privileges_drop(&person, error);
}

/* Everything is open, and the process confined to what is left to do. */
static gboolean start(struct reading *r, const struct options *o, GError **error)
{
    bool probes = o->confirm && !o->passive;

    if (!probes)
        confine(CONFINE_OPENING, o->filter);
    if (!(probes ? open_to_probe : open_files)(r, o, error))
        return FALSE;
    run_start(&r->run, o, &o->report);
    if (probes) {
        pipeline_set_join(r->run.pipeline, r->join, say_line, NULL);
        confine_or_warn(CONFINE_PROBES, o->filter);
    } else {
        confine(CONFINE_FILES, o->filter);
    }
    return TRUE;
}

int command_read(const struct options *o, GError **error)
{
    struct reading r = { 0 };
    g_autofree char *source = g_strjoinv(", ", o->files);
    int status = 2;

    if (start(&r, o, error) && read_frames(&r, o, error) && finish(&r, o, source, error))
        status = run_status(&r.run);
    run_clear(&r.run);
    join_free(r.join);
    capture_free(r.capture);
    return status;
}
