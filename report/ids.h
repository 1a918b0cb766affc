/* ids: a set of flow ids, told as ranges: "3-7, 12, ...". Only the lowest ranges are kept: a line has no room for more.
 */
#ifndef TCPSLEUTH_REPORT_IDS_H
#define TCPSLEUTH_REPORT_IDS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* More than a line of 200 columns holds. */
#define IDS_RANGES 48

struct id_range {
    uint64_t first, last;
};

/* All zero is the empty set. */
struct ids {
    struct id_range *ranges; /* ascending, none touches the next */
    uint16_t n, room;
    bool more;               /* higher ids were left out */
};

/* Adds an id that is not in it yet. Cheap where ids come in ascending order. */
void ids_add(struct ids *s, uint64_t id);

/* The lowest id; the set is not empty. */
static inline uint64_t ids_first(const struct ids *s)
{
    return s->ranges[0].first;
}

/* Appends the ranges, in at most `max` columns where there is more than one; ", ..." where some are left out. */
void ids_append(GString *out, const struct ids *s, size_t max);

void ids_clear(struct ids *s);

#endif
