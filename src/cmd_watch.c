/* The command that watches interfaces (`tcpsleuth -i IFACE [FILTER]`).
 *
 * Opens everything, gives up its rights, and only then reads packets: privileges.h. From then on GLib's main loop waits
 * for packets, for signals and for the clock, which goes on though no packet comes. What happens is told when it
 * happens (pipeline.h); the report comes at the end, whatever ended it: Ctrl-C, SIGTERM, -c, --duration, an interface
 * that went away, a disk that is full.
 */
#include "capture/live.h"
#include "src/clock_watch.h"
#include "src/command.h"
#include "src/confine.h"
#include "src/ending.h"
#include "src/filter_hosts.h"
#include "src/hint.h"
#include "src/join.h"
#include "src/kernel_views.h"
#include "src/notice.h"
#include "src/privileges.h"
#include "src/run.h"
#include "src/status_line.h"

#include <errno.h>
#include <glib-unix.h>
#include <stdio_ext.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 250    /* of the clock: flows that became overdue, the status line */
#define STATS_TICKS 40 /* NDJSON: every 10 s */
#define HINT_TICKS 40  /* nothing seen for 10 s */
#define MONTH_S (30 * 24 * 3600)
#define FLUSH_TICKS 4 /* -w: what was seen is on the disk a second later */

struct watch {
    const struct options *o;
    struct live *live;
    struct run run;
    struct join *join; /* NULL: nothing is probed */
    struct kernel_views *kernel;
    FILE *told; /* NULL: the lines of what happens go where the report goes, or nowhere */
    GMainLoop *loop;
    struct clock_watch clock;
    struct ending ending;
    struct status_line status;
    char *names;                /* of the interfaces, for people */
    int64_t started_us, end_ns; /* end_ns: when it was told to stop; TIME_NONE: not yet */
    int64_t frames;
    unsigned ticks;
    bool hinted;        /* that nothing is seen */
    bool busy;          /* an idle call is on its way */
    bool nobody_reads;  /* standard output is a pipe whose reader has gone */
    GError *lost;       /* an interface went away */
};

static int64_t clock_ns(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t now_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

/* --- what goes out --- */

static bool flush(FILE *stream)
{
    return !stream || fflush(stream) == 0;
}

/* What was told goes out at once; the status line makes room for it. */
static void flush_told(struct watch *w)
{
    FILE *report = output_stream(w->run.output);

    if (__fpending(report) || (w->told && __fpending(w->told)))
        status_line_clear(&w->status);
    bool good = flush(report);
    if (!(flush(w->told) && good)) {
        w->nobody_reads |= output_failure(w->run.output) == EPIPE || errno == EPIPE;
        g_main_loop_quit(w->loop); /* the end says why, where it is worth a word */
    }
}

#define SAY(w, ...) (status_line_clear(&(w)->status), notice(__VA_ARGS__))

/* --- packets --- */

/* live_frame_fn */
static bool take_frame(void *user, const struct frame *frame)
{
    struct watch *w = user;

    if (!run_save(&w->run, live_info(w->live), frame) || !run_frames(&w->run, frame, 1))
        return false;
    return ++w->frames != w->o->count;
}

/* The time between was not watched: no silence may be made of it. */
static void check_clock(struct watch *w)
{
    int64_t jump_ns = clock_watch_step(&w->clock, now_ns(), clock_ns(CLOCK_MONOTONIC));

    if (!jump_ns)
        return;
    SAY(w,
        "the clock jumped by %.0f s: the machine slept, or the clock was set; connections are judged as they stood "
        "before",
        (double)jump_ns / 1e9);
    pipeline_break(w->run.pipeline, now_ns());
}

static gboolean on_busy(gpointer user);

static void read_frames(struct watch *w)
{
    check_clock(w);
    enum live_status status = live_read(w->live, now_ns(), take_frame, w, &w->lost);

    flush_told(w);
    if (status == LIVE_STOPPED || status == LIVE_ENDED)
        g_main_loop_quit(w->loop);
    else if (status == LIVE_BUSY && !w->busy)
        w->busy = g_idle_add(on_busy, w) != 0;
}

/* There was more than one batch: signals and timers had their turn. */
static gboolean on_busy(gpointer user)
{
    struct watch *w = user;

    w->busy = false;
    read_frames(w);
    return G_SOURCE_REMOVE;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer user)
{
    (void)fd;
    (void)condition;
    read_frames(user);
    return G_SOURCE_CONTINUE;
}

/* Frames of several interfaces wait for each other, not for a packet. */
static gboolean on_merge(gpointer user)
{
    read_frames(user);
    return G_SOURCE_CONTINUE;
}

/* --- the clock --- */

static int64_t seconds_since_start(const struct watch *w)
{
    return (g_get_monotonic_time() - w->started_us + G_USEC_PER_SEC / 2) / G_USEC_PER_SEC;
}

static void hint(struct watch *w)
{
    g_autofree char *text = hint_text((const char *const *)w->o->interfaces, w->o->filter);

    SAY(w, "nothing seen on %s for %d s: %s", w->names, (int)seconds_since_start(w), text);
    w->hinted = true;
}

static void show_status(struct watch *w)
{
    struct live_stats stats = pipeline_stats(w->run.pipeline);

    status_line_show(&w->status, &stats, seconds_since_start(w));
}

static gboolean on_tick(gpointer user)
{
    struct watch *w = user;

    w->ticks++;
    read_frames(w); /* what came before now, before time goes on */
    pipeline_drops(w->run.pipeline, live_count_drops(w->live));
    pipeline_clock(w->run.pipeline, now_ns());
    if (w->ticks % STATS_TICKS == 0)
        pipeline_tell_stats(w->run.pipeline);
    flush_told(w);
    if (w->ticks == HINT_TICKS && w->frames == 0)
        hint(w);
    if (w->ticks % FLUSH_TICKS == 0 && !run_flush_saved(&w->run))
        g_main_loop_quit(w->loop);
    if (w->ticks % 2 == 0 && w->end_ns == TIME_NONE)
        show_status(w);
    return G_SOURCE_CONTINUE;
}

/* --- the end --- */

static gboolean on_late(gpointer user)
{
    g_main_loop_quit(((struct watch *)user)->loop);
    return G_SOURCE_REMOVE;
}

/* What was captured until now is still on its way here, at most a batch late. */
static void stop(void *user)
{
    struct watch *w = user;

    if (w->end_ns != TIME_NONE)
        return;
    w->end_ns = now_ns();
    status_line_clear(&w->status);
    g_timeout_add(2 * LIVE_BATCH_MS, on_late, w);
}

static gboolean on_duration(gpointer user)
{
    stop(user);
    return G_SOURCE_REMOVE;
}

/* `| head` has what it wanted. */
static gboolean on_closed(gint fd, GIOCondition condition, gpointer user)
{
    struct watch *w = user;

    (void)fd;
    (void)condition;
    w->nobody_reads = true;
    g_main_loop_quit(w->loop);
    return G_SOURCE_REMOVE;
}

static bool is_pipe(int fd)
{
    struct stat s;

    return fstat(fd, &s) == 0 && (S_ISFIFO(s.st_mode) || S_ISSOCK(s.st_mode));
}

/* Everything that the loop waits for. The sources live as long as the loop's context, which is ours. */
static void add_sources(struct watch *w)
{
    for (size_t i = 0; i < live_count(w->live); i++)
        g_unix_fd_add(live_fd(w->live, i), G_IO_IN | G_IO_ERR, on_readable, w);
    if (live_count(w->live) > 1)
        g_timeout_add(LIVE_BATCH_MS, on_merge, w);
    g_timeout_add(TICK_MS, on_tick, w);
    if (w->o->duration) /* the timer of seconds may be early by one, so it is for those of months */
        w->o->duration < MONTH_S ? g_timeout_add((guint)w->o->duration * 1000, on_duration, w)
                                 : g_timeout_add_seconds((guint)w->o->duration, on_duration, w);
    ending_heed(&w->ending, stop, w);
    if ((w->told || !w->o->output) && is_pipe(STDOUT_FILENO))
        g_unix_fd_add(STDOUT_FILENO, G_IO_ERR, on_closed, w);
}

/* Signals have their usual effect again: a second Ctrl-C ends the writing of the report. */
static void remove_sources(struct watch *w)
{
    ending_leave(&w->ending);
    while (g_source_remove_by_user_data(w))
        ;
}

/* --- life --- */

static void announce(const struct watch *w)
{
    const struct capture_info *info = live_info(w->live);
    g_autoptr(GString) links = g_string_new(NULL);

    for (guint i = 0; i < info->dlts->len; i++) {
        char name[32];
        g_string_append_printf(links, "%s%s", i ? ", " : "", capture_dlt_name(g_array_index(info->dlts, int, i), name));
    }
    if (live_warning(w->live))
        notice("warning: %s", live_warning(w->live));
    notice("watching %s (%s)%s%s; Ctrl-C ends it with the report", w->names, links->str, w->o->filter ? ", " : "",
           w->o->filter ? w->o->filter : "");
}

/* Probes go only to hosts that the filter names; without the right to send them it watches all the same. */
static void open_join(struct watch *w)
{
    g_autoptr(GPtrArray) hosts = filter_hosts(w->o->filter);
    g_autoptr(GError) why = NULL;

    if (w->o->passive || !hosts->len)
        return;
    w->join = join_new(hosts, &why);
    if (!w->join)
        notice("warning: nothing is probed: %s", why->message);
}

/* Not only when the first packet of the second kind comes. */
static gboolean can_save(const struct watch *w, GError **error)
{
    if (!w->run.writer || live_info(w->live)->dlts->len == 1 || capture_writer_holds_all(w->run.writer))
        return TRUE;
    g_set_error(
        error, OPTIONS_ERROR, 0,
        "%s: a pcap file holds one link type, and these interfaces have several; name a file that ends in .pcapng",
        w->o->save);
    return FALSE;
}

/* Opens interfaces and files, and gives up the rights that this took. */
static gboolean open_all(struct watch *w, GError **error)
{
    const struct options *o = w->o;
    const struct live_options options = { .filter = o->filter,
                                          .snaplen = o->snaplen,
                                          .buffer_kib = o->buffer_kib,
                                          .promiscuous = !o->no_promiscuous,
                                          .immediate = o->immediate };
    struct person person;

    if (!privileges_person(&person, error))
        return FALSE;
    w->live = live_open((const char *const *)o->interfaces, g_strv_length(o->interfaces), &options, error);
    if (!w->live)
        return FALSE;
    open_join(w);
    w->kernel = kernel_views_new();
    privileges_lend(&person);
    gboolean opened = run_open(&w->run, o, true, error) && can_save(w, error);
    privileges_take_back(&person);
    if (w->run.writer)
        capture_writer_set_snaplen(w->run.writer, (uint32_t)o->snaplen);
    return opened && privileges_drop(&person, error);
}

/* join_hooks.say */
static void say_line(void *user, const char *line)
{
    struct watch *w = user;

    flush_told(w);
    SAY(w, "%s", line);
}

static void start(struct watch *w)
{
    struct report_options report = w->o->report;
    bool text = g_str_equal(w->o->format->name, "text");

    if (text && w->o->output) {
        w->told = stdout;
        setvbuf(stdout, NULL, _IOFBF, BUFSIZ);
    }
    report.live = true;
    report.told = w->told ? w->told : text ? output_stream(w->run.output) : NULL;
    run_start(&w->run, w->o, &report);
    if (w->join)
        pipeline_set_join(w->run.pipeline, w->join, say_line, w);
    pipeline_set_kernel(w->run.pipeline, w->kernel);
    pipeline_set_precision(w->run.pipeline, live_info(w->live)->nanoseconds);
    w->started_us = g_get_monotonic_time();
    confine_or_warn(w->join ? CONFINE_PROBES : CONFINE_WATCH, NULL);
    w->loop = g_main_loop_new(NULL, FALSE);
    add_sources(w);
    announce(w); /* from now on it does what is said there */
}

/* The report, whatever ended the capture. */
static int finish(struct watch *w, GError **error)
{
    if (!w->lost && !w->run.unsaved && !w->run.full)
        live_read(w->live, INT64_MAX, take_frame, w,
                  &w->lost); /* what still waits, for frames of other interfaces or at all */
    struct capture_info info = *live_count_drops(w->live);

    info.end_ns = w->end_ns != TIME_NONE ? w->end_ns : now_ns();
    if (w->lost) {
        info.truncated = true;
        notice("warning: %s", w->lost->message);
    }
    if (w->frames == 0 && !w->hinted)
        hint(w);
    status_line_clear(&w->status);
    w->run.unread = w->nobody_reads && !w->o->output;
    return run_report(&w->run, &info, w->names, error) ? run_status(&w->run) : 2;
}

int command_watch(const struct options *o, GError **error)
{
    struct watch w = { .o = o, .end_ns = TIME_NONE, .names = g_strjoinv(", ", o->interfaces) };
    int status = 2;

    if (open_all(&w, error)) {
        start(&w);
        g_main_loop_run(w.loop);
        remove_sources(&w);
        status = finish(&w, error);
        g_main_loop_unref(w.loop);
    }
    run_clear(&w.run);
    join_free(w.join);
    kernel_views_free(w.kernel);
    live_free(w.live);
    g_clear_error(&w.lost);
    g_free(w.names);
    return status;
}
