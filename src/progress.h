/* progress: the line on standard error while a large file is read: bytes done, rate, time left. Only where standard error is a terminal,
 * and only after a second.
 */
#ifndef TCPSLEUTH_SRC_PROGRESS_H
#define TCPSLEUTH_SRC_PROGRESS_H

#include "capture/capture.h"

/* All zero: nothing shown yet. */
struct progress {
    int64_t started_us, shown_us; /* g_get_monotonic_time */
    bool visible;
};

/* Called now and then; shows or refreshes the line at most twice a second. */
void progress_show(struct progress *p, const struct capture_info *info);

/* Wipes the line. */
void progress_clear(struct progress *p);

#endif
