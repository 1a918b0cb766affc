/* status_line: how a live capture or a probe goes, on standard error where that is a terminal: packets, flows open, flows judged, drops. */
#ifndef TCPSLEUTH_SRC_STATUS_LINE_H
#define TCPSLEUTH_SRC_STATUS_LINE_H

#include "report/report.h"

#include <stdbool.h>

/* All zero: nothing shown. */
struct status_line {
    bool visible;
};

/* "1,204 packets, 3 flows open, 12 judged, 0 dropped, 35 s" */
char *status_line_text(const struct live_stats *s, int64_t seconds);

/* Shows or refreshes it; nothing where standard error is no terminal. */
void status_line_show(struct status_line *l, const struct live_stats *s, int64_t seconds);

/* The same with a text of our own. */
void status_line_put(struct status_line *l, const char *text);

/* Wipes it, so that other lines may follow. */
void status_line_clear(struct status_line *l);

#endif
