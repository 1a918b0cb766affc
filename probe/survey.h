/* survey: all probes of all addresses of a target: crafted ones by the engine, the kernel's own connection and what is
 * said on it; and where this user may not send raw packets, what the kernel offers to everybody.
 */
#ifndef TCPSLEUTH_PROBE_SURVEY_H
#define TCPSLEUTH_PROBE_SURVEY_H

#include "diagnose/probes.h"
#include "probe/target.h"

struct survey;

/* Opens what takes rights, which may be given up afterwards; target is borrowed and resolved. NULL and *error where an
 * address is never probed. Free with survey_free. */
struct survey *survey_new(const struct target *target, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void survey_free(struct survey *s); /* NULL-safe */

/* Why crafted packets are left out, and how to allow them; NULL: they are not. */
const char *survey_left_out(const struct survey *s);

/* What will be sent to the i-th address, for the announcement; free with g_free. NULL: there are no more. */
char *survey_announcement(const struct survey *s, unsigned i);

/* Sends and waits, on the default main context, until all is known, or survey_stop is called from it. */
void survey_run(struct survey *s);
void survey_stop(struct survey *s);

/* Crafted packets so far. */
unsigned survey_sent(const struct survey *s);

/* struct probe_result*, by address and kind, each to be freed; to be called once. */
GPtrArray *survey_results(struct survey *s);

#endif
