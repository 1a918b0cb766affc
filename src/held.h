/* held: what is over and waits for what probes find, before it is handed on. Private to pipeline.c. */
#ifndef TCPSLEUTH_SRC_HELD_H
#define TCPSLEUTH_SRC_HELD_H

#include "report/report.h"

struct held;

struct held *held_new(void);
void held_free(struct held *h); /* NULL-safe; what is left in it is freed */

/* Takes it over; false, and nothing is taken, where LIMIT_JOIN_HELD wait. */
bool held_flow(struct held *h, const struct judged_flow *f);

/* Whether flows wait. */
bool held_any_flow(const struct held *h);

/* The next in the order of coming, the caller's; false: there is none. */
bool held_next_flow(struct held *h, struct judged_flow *out);

#endif
