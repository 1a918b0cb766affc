/* key: the numbers by which an answer is known to be one: sequence numbers, identifiers, ports. Nobody who does not see
 * our packets can guess them; the same seed gives the same ones, for tests.
 */
#ifndef TCPSLEUTH_PROBE_KEY_H
#define TCPSLEUTH_PROBE_KEY_H

#include <glib.h>
#include <stdint.h>

struct key {
    uint8_t secret[32];
    uint64_t drawn;
};

/* A secret from the kernel, or with seed other than 0 the one that belongs to the seed. */
void key_init(struct key *k, uint64_t seed);

/* The next number: 64 bits of HMAC-SHA256 over a counter. */
uint64_t key_draw(struct key *k);

#endif
