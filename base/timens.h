/* timens: times are int64_t nanoseconds since 1970-01-01 UTC, durations int64_t nanoseconds; both carry the suffix _ns. */
#ifndef TCPSLEUTH_BASE_TIMENS_H
#define TCPSLEUTH_BASE_TIMENS_H

#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* "No time": never a real time stamp. */
#define TIME_NONE INT64_MIN

#endif
