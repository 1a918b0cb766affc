/* run: what the commands that judge packets share: where packets are saved (-w), where the report goes (-o), the pipeline between them,
 * and how a run ends.
 */
#ifndef TCPSLEUTH_SRC_RUN_H
#define TCPSLEUTH_SRC_RUN_H

#include "capture/capture.h"
#include "src/evidence.h"
#include "src/memory.h"
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
    struct memory memory;
    GError *unsaved;               /* -w failed: told when the report is out; NULL: no */
    bool unread;                   /* nobody reads the report, and that is no failure */
    bool full;                     /* memory was at its end before the packets were */
};

/* Opens the files of -w, --evidence and -o. in_place: the report is there while it is written (output.h). */
gboolean run_open(struct run *r, const struct options *o, bool in_place, GError **error);

/* The pipeline into the report; report is o->report, or a changed copy of it. */
void run_start(struct run *r, const struct options *o, const struct report_options *report);

/* -w: keeps the frame; info: what is known of the input so far, looked at with the first frame. False where it cannot; there is no
 * writer from then on. */
bool run_save(struct run *r, const struct capture_info *info, const struct frame *frame);

/* What was saved goes to the disk now; false as above. */
bool run_flush_saved(struct run *r);

/* Takes n frames into account. False: memory is near its end, and no more are to be read. */
bool run_frames(struct run *r, const struct frame *frames, size_t n);

/* Ends the file of -w, writes the report, gives it its place, writes the evidence. One that fails does not keep the others from being
 * written. FALSE and *error where anything of the run was not done. */
gboolean run_report(struct run *r, const struct capture_info *info, const char *source, GError **error);

/* CONTRACT "Exit status" of what was judged: 0 or 1. */
int run_status(const struct run *r);

void run_clear(struct run *r);

#endif
