/* climb_results: picking among the records of probes. */
#ifndef TCPSLEUTH_SRC_CLIMB_RESULTS_H
#define TCPSLEUTH_SRC_CLIMB_RESULTS_H

#include "diagnose/probes.h"

/* Those of the kinds (PROBE_BIT()s), in their order; borrowed. Free with g_ptr_array_free. */
GPtrArray *results_of(const GPtrArray *all, unsigned kinds);

/* The one of a kind and an address; NULL: none. */
const struct probe_result *result_of(const GPtrArray *all, enum probe_kind kind, unsigned way);

#endif
