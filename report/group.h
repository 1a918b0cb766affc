/* group: flows that are alike, put together: the same server and the same kind. Sorted rather than hashed, so that
 * nobody who chooses addresses and ports can make it slow.
 */
#ifndef TCPSLEUTH_REPORT_GROUP_H
#define TCPSLEUTH_REPORT_GROUP_H

#include "base/addr.h"

#include <glib.h>
#include <stdint.h>

/* What has to be the same. No padding: it is compared as bytes. */
struct group_key {
    struct addr server;
    uint16_t port;
    uint8_t version;
    uint8_t kind[5]; /* whatever else the caller tells apart */
};

struct group_item {
    struct group_key key;
    uint32_t at;     /* which flow: its place in the caller's list */
};

/* n items with the same key, in the order of `at`; borrowed from the array of items. */
struct group {
    const struct group_item *items;
    guint n;
};

/* Sorts the items (struct group_item) and returns the groups, in the order of their first items. Up to `alone` items
 * that are alike stay groups of one each (1: nothing stays apart). Free with g_array_unref, before the items. */
GArray *group_items(GArray *items, guint alone) G_GNUC_WARN_UNUSED_RESULT;

#endif
