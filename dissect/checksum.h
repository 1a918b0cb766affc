/* checksum: the Internet checksum (RFC 1071). Sums are kept in the byte order of the machine, which the arithmetic
 * allows: only the test against 0xffff at the end is ever made. */
#ifndef TCPSLEUTH_DISSECT_CHECKSUM_H
#define TCPSLEUTH_DISSECT_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Sum of n bytes; an odd one counts as padded with zero. n below 2^32. */
uint64_t checksum_sum(const uint8_t *p, size_t n);

/* The 32 bits at p, as checksum_sum adds them. */
static inline uint32_t checksum_word(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

/* 32 bits modulo 2^32 - 1, and so modulo 2^16 - 1. */
static inline uint32_t checksum_fold32(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    return (uint32_t)(sum + (sum >> 32));
}

static inline uint16_t checksum_fold(uint64_t sum)
{
    uint32_t s = checksum_fold32(sum);
    s = (s & 0xffff) + (s >> 16);
    return (uint16_t)(s + (s >> 16));
}

/* Whether what was summed, the checksum field included, is in order. */
static inline bool checksum_ok(uint64_t sum)
{
    return checksum_fold(sum) == 0xffff;
}

/* Sum of two IPv6 addresses, folded: walk.address_sum. For IPv4 it is the fold of the two words. */
static inline uint32_t checksum_addresses(const uint8_t *src, const uint8_t *dst)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < 16; i += 4)
        sum += (uint64_t)checksum_word(src + i) + checksum_word(dst + i);
    return checksum_fold32(sum);
}

/* Whether the n bytes of a TCP segment agree with its checksum (RFC 9293 section 3.1, RFC 8200 section 8.1). */
bool checksum_tcp_ok(uint32_t address_sum, const uint8_t *segment, size_t n);

#endif
