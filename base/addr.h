/* addr: IP addresses of both versions in 16 bytes. IPv4 is kept as ::ffff:a.b.c.d; the version always travels beside the
 * address (a flow, a packet has one version), so an IPv6 packet that really carries a mapped address stays IPv6. */
#ifndef TCPSLEUTH_BASE_ADDR_H
#define TCPSLEUTH_BASE_ADDR_H

#include <glib.h>
#include <stdint.h>
#include <string.h>

struct addr {
    uint8_t bytes[16];
};

/* Room for any address in text with its NUL. */
#define ADDR_TEXT_SIZE 46

/* All 16 bytes as one value: an address that is written at once can be read again at once, in any part; one that is put together from
 * small stores makes the processor wait. */
typedef uint64_t addr_words __attribute__((vector_size(16)));

/* From 4 bytes in network order. */
static inline struct addr addr_v4(const uint8_t *four)
{
    static const uint8_t prefix[8] = { 0, 0, 0xff, 0xff };
    uint64_t high;
    uint32_t last;
    struct addr a;

    memcpy(&high, prefix, sizeof high);
    memcpy(&last, four, sizeof last);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    addr_words words = { 0, high | (uint64_t)last << 32 };
#else
    addr_words words = { 0, high | last };
#endif
    memcpy(a.bytes, &words, sizeof a.bytes);
    return a;
}

/* From 16 bytes in network order. */
static inline struct addr addr_v6(const uint8_t *sixteen)
{
    struct addr a;
    memcpy(a.bytes, sixteen, 16);
    return a;
}

/* The order of the bytes, as memcmp has it. */
static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
    for (int i = 0; i < 16; i += 8) {
        uint64_t x, y;
        memcpy(&x, a->bytes + i, sizeof x);
        memcpy(&y, b->bytes + i, sizeof y);
        if (x != y)
            return GUINT64_FROM_BE(x) < GUINT64_FROM_BE(y) ? -1 : 1;
    }
    return 0;
}

/* Writes the address in its usual text form (RFC 5952 for IPv6) into out and returns out. version is 4 or 6. */
char *addr_text(char out[ADDR_TEXT_SIZE], const struct addr *a, unsigned version);

/* The same of an Ethernet address: 02:00:5e:10:00:01. */
#define MAC_TEXT 18
char *mac_text(char out[MAC_TEXT], const uint8_t mac[6]);

#endif
