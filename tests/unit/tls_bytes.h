/* tls_bytes: TLS messages and records made by hand, piece by piece. */
#ifndef TCPSLEUTH_TESTS_TLS_BYTES_H
#define TCPSLEUTH_TESTS_TLS_BYTES_H

#include "tls_replay.h"

static inline void put(GByteArray *a, unsigned width, unsigned value)
{
    while (width-- > 0) {
        uint8_t byte = (uint8_t)(value >> (8 * width));
        g_byte_array_append(a, &byte, 1);
    }
}

/* Hexadecimal digits, spaces between them as one likes. */
static inline void put_hex(GByteArray *a, const char *hex)
{
    for (; *hex; hex++)
        if (g_ascii_isxdigit(*hex)) {
            put(a, 1, (unsigned)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1])));
            hex++;
        }
}

/* A vector: its length in `width` bytes, then it; frees what. */
static inline void put_vector(GByteArray *a, unsigned width, GByteArray *what)
{
    put(a, width, what->len);
    g_byte_array_append(a, what->data, what->len);
    g_byte_array_unref(what);
}

static inline GByteArray *hex(const char *digits)
{
    GByteArray *a = g_byte_array_new();
    put_hex(a, digits);
    return a;
}

/* A record around a body; frees the body. */
static inline GByteArray *record(uint8_t type, GByteArray *body)
{
    GByteArray *a = g_byte_array_new();
    put(a, 1, type);
    put(a, 2, 0x0301);
    put_vector(a, 2, body);
    return a;
}

static inline GByteArray *extension(unsigned type, const char *body)
{
    GByteArray *a = g_byte_array_new();
    put(a, 2, type);
    put_vector(a, 2, hex(body));
    return a;
}

/* A ClientHello message; extensions in hex, "" for an empty list, NULL for none. */
static inline GByteArray *client_hello(unsigned version, const char *ciphers, const char *extensions)
{
    GByteArray *body = g_byte_array_new(), *message = hex("01");
    put(body, 2, version);
    for (int i = 0; i < 32; i++)
        put(body, 1, (unsigned)i);
    put(body, 1, 0);
    put_vector(body, 2, hex(ciphers));
    put_hex(body, "01 00");
    if (extensions)
        put_vector(body, 2, hex(extensions));
    put_vector(message, 3, body);
    return message;
}

/* Feeds bytes and frees them. */
static inline void feed(struct reader *r, enum side from, uint64_t packet, GByteArray *bytes)
{
    reader_feed(r, from, bytes->data, bytes->len, packet);
    g_byte_array_unref(bytes);
}

/* A reader that has seen a plain ClientHello of that version. */
static inline struct reader *after_hello(unsigned version)
{
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, record(22, client_hello(version, "002f 0035", NULL)));
    return r;
}

/* A ServerHello of TLS 1.2 or older in its record; TLS 1.3 has the version in an extension. */
static inline GByteArray *server_hello(unsigned version)
{
    GByteArray *body = g_byte_array_new(), *message = hex("02");
    put(body, 2, MIN(version, 0x0303));
    for (int i = 0; i < 32; i++)
        put(body, 1, (unsigned)(200 - i));
    put_hex(body, version == 0x0304 ? "00 1301 00 0006 002b0002 0304" : "00 002f 00");
    put_vector(message, 3, body);
    return record(22, message);
}

#endif
