/* kernel_views: this host asked about its own connections that are in trouble, while they are (diagnose/kernel_view.h). Reads only, sends nothing. */
#ifndef TCPSLEUTH_SRC_KERNEL_VIEWS_H
#define TCPSLEUTH_SRC_KERNEL_VIEWS_H

#include "diagnose/finding.h"
#include "flow/flow.h"

struct kernel_views;

/* Opens what takes rights, which may be given up afterwards; without them it knows less. */
struct kernel_views *kernel_views_new(void);
void kernel_views_free(struct kernel_views *v); /* NULL-safe */

/* Takes what the kernel tells by itself; to be called some times a second. */
void kernel_views_clock(struct kernel_views *v);

/* f is followed and in trouble: looks at it now, where this host is an end of it. The newest look that found the socket is kept. */
void kernel_views_look(struct kernel_views *v, const struct flow *f);

/* What was found, into a verdict of f. */
void kernel_views_tell(const struct kernel_views *v, const struct flow *f, struct finding *d);

#endif
