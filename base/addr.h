/* addr: IP addresses of both versions in 16 bytes. IPv4 is kept as ::ffff:a.b.c.d; the version always travels beside the
 * address (a flow, a packet has one version), so an IPv6 packet that really carries a mapped address stays IPv6. */
#ifndef TCPSLEUTH_BASE_ADDR_H
#define TCPSLEUTH_BASE_ADDR_H

#include <stdint.h>
#include <string.h>

struct addr {
    uint8_t bytes[16];
};

/* Room for any address in text with its NUL. */
#define ADDR_TEXT_SIZE 46

/* From 4 bytes in network order. */
static inline struct addr addr_v4(const uint8_t *four)
{
    struct addr a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };
    memcpy(a.bytes + 12, four, 4);
    return a;
}

/* From 16 bytes in network order. */
static inline struct addr addr_v6(const uint8_t *sixteen)
{
    struct addr a;
    memcpy(a.bytes, sixteen, 16);
    return a;
}

static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* Writes the address in its usual text form (RFC 5952 for IPv6) into out and returns out. version is 4 or 6. */
char *addr_text(char out[ADDR_TEXT_SIZE], const struct addr *a, unsigned version);

#endif
