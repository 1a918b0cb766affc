#include "probe/key.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

void key_init(struct key *k, uint64_t seed)
{
    *k = (struct key){ 0 };
    if (seed) {
        memcpy(k->secret, &seed, sizeof seed);
        return;
    }
    while (getrandom(k->secret, sizeof k->secret, 0) != (ssize_t)sizeof k->secret)
        g_assert(errno == EINTR); /* 32 bytes come whole, or not at all where a signal came first */
}

uint64_t key_draw(struct key *k)
{
    uint64_t n = GUINT64_TO_LE(++k->drawn), value = 0;
    uint8_t digest[32];
    gsize room = sizeof digest;
    GHmac *h = g_hmac_new(G_CHECKSUM_SHA256, k->secret, sizeof k->secret);

    g_hmac_update(h, (const guchar *)&n, sizeof n);
    g_hmac_get_digest(h, digest, &room);
    g_hmac_unref(h);
    memcpy(&value, digest, sizeof value);
    return GUINT64_FROM_LE(value);
}
