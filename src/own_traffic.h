/* own_traffic: the packets that a climb exchanges with its target, captured while it does and judged by the same rules as any capture: what a
 * rung meets and what its packets show are one.
 */
#ifndef TCPSLEUTH_SRC_OWN_TRAFFIC_H
#define TCPSLEUTH_SRC_OWN_TRAFFIC_H

#include "report/report.h"

struct own_traffic;

/* Opens the capture on all interfaces, which takes rights; nothing is taken yet. NULL and *error without them. Free with
 * own_traffic_free. */
struct own_traffic *own_traffic_open(GError **error) G_GNUC_WARN_UNUSED_RESULT;
void own_traffic_free(struct own_traffic *t); /* NULL-safe */

/* From now on the packets that pass the filter are taken, as the default main context is served. FALSE: the filter makes no sense. */
gboolean own_traffic_begin(struct own_traffic *t, const char *filter, GError **error);

/* Waits for what is on its way here (0.2 s), and judges it. */
void own_traffic_end(struct own_traffic *t);

/* Whether it began and has ended. */
bool own_traffic_is_judged(const struct own_traffic *t);

/* The worst verdict of the connections to this server; NULL: there was none, or all are well. `finding` is borrowed. */
const struct finding *own_traffic_verdict(const struct own_traffic *t, unsigned version, const struct addr *server, uint16_t port);

/* Hands all to a writer, which owns it then, and the totals of the capture to `report`, which borrows them from t. */
void own_traffic_tell(struct own_traffic *t, const struct report_format *format, struct report_writer *w);
void own_traffic_totals(const struct own_traffic *t, struct report *report);

#endif
