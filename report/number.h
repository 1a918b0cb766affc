/* number: numbers and times as characters, without printf: a report on a large capture holds tens of millions of them.
 *
 * Each function writes at p, without a NUL, and returns the end of what it wrote; NUMBER_ROOM bytes are always enough.
 */
#ifndef TCPSLEUTH_REPORT_NUMBER_H
#define TCPSLEUTH_REPORT_NUMBER_H

#include "base/addr.h"

#include <stdint.h>

#define NUMBER_ROOM 64

/* Decimal digits. */
char *number_uint(char *p, uint64_t v);
char *number_int(char *p, int64_t v);

/* Exactly n digits (at most 19), with leading zeros; what does not fit into them is lost. */
char *number_digits(char *p, uint64_t v, unsigned n);

/* A duration in seconds with `decimals` (1 to 9) places, the trailing zeros left out but the first place: "0.045118",
 * "3.0". What is finer is cut off; "-0.0" does not come out. ns is a duration: not TIME_NONE. */
char *number_seconds(char *p, int64_t ns, unsigned decimals);

/* "2023-03-15T14:46:57", UTC, from seconds since 1970; returns p itself where the year is not one of 0000 to 9999. */
char *number_date(char *p, int64_t seconds);

/* "14:46:57", of a second of the day (0 to 86399). */
char *number_clock(char *p, uint32_t second);

/* Whole seconds, towards the past, and the nanoseconds beyond them, of a time before or after 1970. */
int64_t number_split_ns(int64_t ns, uint32_t *beyond);

/* Dotted quad of an IPv4 address. */
char *number_ipv4(char *p, const struct addr *a);

#endif
