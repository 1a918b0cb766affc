/* addr_key: addresses as keys of GLib's hash tables. */
#ifndef TCPSLEUTH_BASE_ADDR_KEY_H
#define TCPSLEUTH_BASE_ADDR_KEY_H

#include "base/addr.h"

#include <glib.h>

static inline guint addr_key_hash(gconstpointer p)
{
    uint64_t words[2];

    memcpy(words, p, sizeof words);
    return (guint)(((words[1] ^ words[0] * 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu) >> 32);
}

static inline gboolean addr_key_equal(gconstpointer a, gconstpointer b)
{
    uint64_t x[2], y[2];

    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return x[0] == y[0] && x[1] == y[1];
}

#endif
