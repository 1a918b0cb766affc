/* run: what the commands that judge packets share: where packets are saved (-w), where the report goes (-o), the pipeline between them,
 * and how a run ends.
 */
#ifndef TCPSLEUTH_SRC_RUN_H
#define TCPSLEUTH_SRC_RUN_H

#include "capture/capture.h"
#include "src/evidence.h"
#include "src/options.h"
#include "src/output.h"
#include "src/pipeline.h"

/* All zero before run_open; run_clear frees what is left. */
struct run {
    struct capture_writer *writer; /* NULL: no -w, or it is closed */
    struct evidence *evidence;     /* NULL: no --evidence */
    struct output *output;
    struct pipeline *pipeline;
    bool saving;                   /* the writer has its first frame */
};

/* Opens the files of -w, --evidence and -o. in_place: the report is there while it is written (output.h). */
gboolean run_open(struct run *r, const struct options *o, bool in_place, GError **error);

/* The pipeline into the report; report is o->report, or a changed copy of it. */
void run_start(struct run *r, const struct options *o, const struct report_options *report);

/* -w: keeps the frame; info: what is known of the input so far, looked at with the first frame only. */
gboolean run_save(struct run *r, const struct capture_info *info, const struct frame *frame, GError **error);

/* Takes n frames into account. */
void run_frames(struct run *r, const struct frame *frames, size_t n);

/* Ends the file of -w. */
gboolean run_close_saved(struct run *r, const struct capture_info *info, GError **error);

/* Writes the report and the evidence, and gives the report its place. */
gboolean run_report(struct run *r, const struct capture_info *info, const char *source, GError **error);

/* CONTRACT "Exit status" of what was judged: 0 or 1. */
int run_status(const struct run *r);

void run_clear(struct run *r);

#endif
