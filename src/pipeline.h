/* pipeline: frames in, a report out: capture -> dissector -> tracker -> judge -> conversations -> report. A value: several can live in a
 * process (libnids' fragments apart, see dissect/defrag.h).
 */
#ifndef TCPSLEUTH_SRC_PIPELINE_H
#define TCPSLEUTH_SRC_PIPELINE_H

#include "capture/capture.h"
#include "report/report.h"

#include <glib.h>
#include <stdio.h>

struct pipeline;

/* out is where a streaming format writes while frames come; borrowed. */
struct pipeline *pipeline_new(const struct report_format *format, const struct report_options *options, FILE *out);
void pipeline_free(struct pipeline *p); /* NULL-safe */

/* Takes one frame into account. */
void pipeline_frame(struct pipeline *p, const struct frame *frame);

/* No more frames: judges what is left, fills the summary from `info` and `source` and writes the report. */
void pipeline_finish(struct pipeline *p, const struct capture_info *info, const char *source);

/* After pipeline_finish. */
const struct report *pipeline_report(const struct pipeline *p);

#endif
