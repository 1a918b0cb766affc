/* addr_key: addresses as keys of GLib's hash tables. */
#ifndef TCPSLEUTH_DIAGNOSE_ADDR_KEY_H
#define TCPSLEUTH_DIAGNOSE_ADDR_KEY_H

#include "base/addr.h"

#include <glib.h>

static inline guint addr_key_hash(gconstpointer p)
{
    const struct addr *a = p;
    uint64_t high, low;

    memcpy(&high, a->bytes, 8);
    memcpy(&low, a->bytes + 8, 8);
    return (guint)(((low ^ high * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu) >> 32);
}

static inline gboolean addr_key_equal(gconstpointer a, gconstpointer b)
{
    return addr_cmp(a, b) == 0;
}

#endif
