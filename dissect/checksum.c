#include "dissect/checksum.h"

#include <arpa/inet.h>
#include <netinet/in.h>

/* Four 32-bit lanes: 16 bytes a step, in one register on every 64-bit machine; GCC and Clang split it where there is
 * none. */
typedef uint32_t lanes __attribute__((vector_size(16)));

#define STRIDE 64            /* bytes a round of the fast loop */
#define ROUNDS_MAX 8192      /* a lane gains less than 2^18 a round: 2^31 in all */

/* Sums whole strides. Each lane takes the two halves of its word apart, so that it cannot overflow within
 * ROUNDS_MAX. */
static uint64_t sum_strides(const uint8_t *p, size_t rounds)
{
    const lanes low = { 0xffff, 0xffff, 0xffff, 0xffff };
    lanes even = { 0 }, odd = { 0 };
    for (; rounds > 0; rounds--, p += STRIDE) {
        lanes v[4];
        memcpy(v, p, STRIDE);
        even += (v[0] & low) + (v[1] & low) + (v[2] & low) + (v[3] & low);
        odd += (v[0] >> 16) + (v[1] >> 16) + (v[2] >> 16) + (v[3] >> 16);
    }
    uint64_t sum = 0;
    for (unsigned i = 0; i < 4; i++)
        sum += even[i] + ((uint64_t)odd[i] << 16);
    return sum;
}

/* Fewer than 8 bytes, read as if zeros followed. */
static uint64_t sum_tail(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    if (n & 4) {
        sum += checksum_word(p);
        p += 4;
    }
    uint8_t last[4] = { 0 };
    for (size_t i = 0; i < (n & 3); i++)
        last[i] = p[i];
    return sum + checksum_word(last);
}

uint64_t checksum_sum(const uint8_t *p, size_t n)
{
    uint64_t sum = 0;
    while (n >= STRIDE) {
        size_t rounds = n / STRIDE < ROUNDS_MAX ? n / STRIDE : ROUNDS_MAX;
        sum += sum_strides(p, rounds);
        p += rounds * STRIDE;
        n -= rounds * STRIDE;
    }
    for (; n >= 8; n -= 8, p += 8)
        sum += (uint64_t)checksum_word(p) + checksum_word(p + 4);
    return sum + sum_tail(p, n);
}

bool checksum_tcp_ok(uint32_t address_sum, const uint8_t *segment, size_t n)
{
    return checksum_ok(checksum_sum(segment, n) + address_sum + htonl((uint32_t)n) + htonl(IPPROTO_TCP));
}
