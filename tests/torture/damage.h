/* damage: what can happen to a file, as bytes in memory. The same numbers give the same bytes on every machine. */
#ifndef TCPSLEUTH_TESTS_TORTURE_DAMAGE_H
#define TCPSLEUTH_TESTS_TORTURE_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that a file may grow by. */
#define DAMAGE_GROWTH 4096

/* One to eight changes at random places, in `bytes` (of `size`, with room for DAMAGE_GROWTH more). Returns the new size. */
size_t damage(uint8_t *bytes, size_t size, uint64_t seed);

#endif
