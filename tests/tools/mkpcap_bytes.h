/* mkpcap_bytes: appending wire fields to a GByteArray, and the Internet checksum (RFC 1071). */
#ifndef TCPSLEUTH_TESTS_MKPCAP_BYTES_H
#define TCPSLEUTH_TESTS_MKPCAP_BYTES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void put(GByteArray *b, const void *p, size_t n)
{
    if (n)
        g_byte_array_append(b, p, (guint)n);
}

static inline void put_bytes(GByteArray *b, const GByteArray *more)
{
    put(b, more->data, more->len);
}

static inline void put_fill(GByteArray *b, uint8_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(b, &value, 1);
}

static inline void put_u8(GByteArray *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    put(b, &byte, 1);
}

static inline void put_u16(GByteArray *b, unsigned v)
{
    put_u8(b, v >> 8);
    put_u8(b, v);
}

static inline void put_u32(GByteArray *b, uint32_t v)
{
    put_u16(b, v >> 16);
    put_u16(b, v & 0xffff);
}

static inline void set_u16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Fields of a capture file, in the byte order that the script asks for. */
static inline void put_n(GByteArray *b, bool big, uint32_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        put_u8(b, v >> 8 * (big ? n - 1 - i : i));
}

/* Adds n bytes, as big-endian 16-bit words, to a checksum that has not been folded yet. */
static inline uint64_t sum_add(uint64_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint64_t)p[i] << 8 | p[i + 1];
    return n % 2 ? sum + ((uint64_t)p[n - 1] << 8) : sum;
}

static inline uint16_t sum_fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

#endif
