/* held: what is over and waits for what probes find, before it is handed on. Private to pipeline.c. */
#ifndef TCPSLEUTH_SRC_HELD_H
#define TCPSLEUTH_SRC_HELD_H

#include "report/report.h"

struct held;

struct held *held_new(void);
void held_free(struct held *h); /* NULL-safe; what is left in it is freed */

/* Takes it over; false, and nothing is taken, where LIMIT_JOIN_HELD (of names LIMIT_JOIN_NAMES) wait. */
bool held_flow(struct held *h, const struct judged_flow *f);
bool held_names(struct held *h, struct conversation *c);

/* Whether flows wait. */
bool held_any_flow(const struct held *h);

/* The next in the order of coming, the caller's; false, NULL: there is none. */
bool held_next_flow(struct held *h, struct judged_flow *out);
struct conversation *held_next_names(struct held *h);

#endif
