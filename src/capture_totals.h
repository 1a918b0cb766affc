/* capture_totals: what a report says of the capture as a whole (struct capture_summary of report/report.h), from the stages that know it. */
#ifndef TCPSLEUTH_SRC_CAPTURE_TOTALS_H
#define TCPSLEUTH_SRC_CAPTURE_TOTALS_H

#include "capture/capture.h"
#include "dissect/dissector.h"
#include "flow/tracker.h"
#include "report/report.h"

/* Nothing was seen yet. */
void capture_totals_init(struct capture_summary *c);
void capture_totals_clear(struct capture_summary *c);

void capture_totals_frame(struct capture_summary *c, const struct frame *frame);

/* What was lost so far. */
void capture_totals_drops(struct capture_summary *c, const struct capture_info *info);

/* The capture, named `source` for people, is over. */
void capture_totals_end(struct capture_summary *c, const struct capture_info *info, const char *source, const struct dissector *d,
                        const struct tracker *t);

#endif
