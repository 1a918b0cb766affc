/* pipeline: frames in, a report out: capture -> dissector -> tracker -> judge -> conversations -> report. A value: several can live in a
 * process (libnids' fragments apart, see dissect/defrag.h).
 */
#ifndef TCPSLEUTH_SRC_PIPELINE_H
#define TCPSLEUTH_SRC_PIPELINE_H

#include "capture/capture.h"
#include "report/report.h"

#include <glib.h>
#include <stdio.h>

struct join;
struct kernel_views;
struct pipeline;

/* The report goes to out (borrowed), with some formats while frames come. */
struct pipeline *pipeline_new(const struct report_format *format, const struct report_options *options, FILE *out);
void pipeline_free(struct pipeline *p); /* NULL-safe */

/* Probes that confirm or refute what is broken (join.h); borrowed, before the first frame. Their notices go to say. */
void pipeline_set_join(struct pipeline *p, struct join *j, void (*say)(void *user, const char *line), void *user);

/* Live: this host's kernel is asked about its own connections (kernel_views.h); borrowed, before the first frame. */
void pipeline_set_kernel(struct pipeline *p, struct kernel_views *v);

/* What is known so far of capture_info.nanoseconds: the digits of times that are written while frames come. For each
 * file it is known with its first frame; an interface that comes later in a pcapng file may change it. */
void pipeline_set_precision(struct pipeline *p, bool nanoseconds);

/* Calls fn for every finding of trouble, as it becomes final: those of a flow, and what only a conversation shows (flow 0). */
typedef void pipeline_finding_fn(void *user, uint64_t flow, const struct finding *f);
void pipeline_hear(struct pipeline *p, pipeline_finding_fn *fn, void *user);

/* Takes n frames into account. */
void pipeline_frames(struct pipeline *p, const struct frame *frames, size_t n);

/* --- of live captures (report_options.live) --- */

/* The clock: time goes on though no frame comes. Tells what has become certain by that, and lets go of what is over. */
void pipeline_clock(struct pipeline *p, int64_t now_ns);

/* What the capture has lost so far, from info->dropped and its like: verdicts from now on take it into account. */
void pipeline_drops(struct pipeline *p, const struct capture_info *info);

/* How it goes; and the same as an event in the report. */
struct live_stats pipeline_stats(const struct pipeline *p);
void pipeline_tell_stats(struct pipeline *p);

/* Nothing could be seen until now_ns (the machine slept, the clock was set): what is going on is judged as it stood, and what comes later begins
 * anew, so that the time between is no silence. */
void pipeline_break(struct pipeline *p, int64_t now_ns);

/* Memory was at its end before the frames were: the report says so. */
void pipeline_set_full(struct pipeline *p);

/* No more frames: judges what is left, fills the totals from `info` and `source` and writes the report, or the rest of
 * it. Returns 0, or the errno of what other than `out` kept the report from being complete: the temporary file. */
int pipeline_finish(struct pipeline *p, const struct capture_info *info, const char *source);

/* The writer that the format made: for one that is this program's own. */
struct report_writer *pipeline_writer(const struct pipeline *p);

/* The totals; final after pipeline_finish. */
const struct report *pipeline_report(const struct pipeline *p);

#endif
