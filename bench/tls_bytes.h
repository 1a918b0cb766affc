/* tls_bytes: the messages of a TLS 1.2 connection (ECDHE-ECDSA, AES-128-GCM), well formed, with random bytes where a
 * real one has keys, signatures and ciphertext.  Each tls_ function writes one flight of connection `id` at room and
 * returns it.
 */
#ifndef TCPSLEUTH_BENCH_TLS_BYTES_H
#define TCPSLEUTH_BENCH_TLS_BYTES_H

#include "bench/frames.h"

enum { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_APPLICATION_DATA = 23 };

/* CN=*.bench.test, SAN *.bench.test, P-256, 2024 to 2044, by "CN=Bench CA"; made for this file with `openssl ecparam
 * -name prime256v1 -genkey`, `openssl req -new` and `openssl ca -startdate 20240101000000Z -enddate 20440101000000Z`.
 */
static const uint8_t tls_certificate[] =
    "\x30\x82\x01\x75\x30\x82\x01\x1a\xa0\x03\x02\x01\x02\x02\x01\x01\x30\x0a\x06\x08"
    "\x2a\x86\x48\xce\x3d\x04\x03\x02\x30\x13\x31\x11\x30\x0f\x06\x03\x55\x04\x03\x0c"
    "\x08\x42\x65\x6e\x63\x68\x20\x43\x41\x30\x1e\x17\x0d\x32\x34\x30\x31\x30\x31\x30"
    "\x30\x30\x30\x30\x30\x5a\x17\x0d\x34\x34\x30\x31\x30\x31\x30\x30\x30\x30\x30\x30"
    "\x5a\x30\x17\x31\x15\x30\x13\x06\x03\x55\x04\x03\x0c\x0c\x2a\x2e\x62\x65\x6e\x63"
    "\x68\x2e\x74\x65\x73\x74\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06"
    "\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04\x2f\x86\x76\x4f\xac\x05\x4a"
    "\xe8\xee\x43\xe4\x76\x4d\x9e\x17\x2c\xc7\x99\x76\xc5\xbb\x6a\xb3\x3b\x81\xad\x4a"
    "\x07\xfb\xa0\x95\xa4\xe9\x23\x81\x0d\x32\x58\x50\x49\xbb\x0f\x3e\x23\x91\xd9\x3d"
    "\x20\x3e\x8b\x82\x85\x63\x5e\x7d\xf3\x7c\x07\xdd\xf2\x32\xb6\xe8\x99\xa3\x5b\x30"
    "\x59\x30\x17\x06\x03\x55\x1d\x11\x04\x10\x30\x0e\x82\x0c\x2a\x2e\x62\x65\x6e\x63"
    "\x68\x2e\x74\x65\x73\x74\x30\x1d\x06\x03\x55\x1d\x0e\x04\x16\x04\x14\x0e\x60\x4e"
    "\x4f\xa1\xba\x1e\xb2\x60\x8e\xda\x17\x2c\xab\x12\x97\x1e\x40\x0d\x8f\x30\x1f\x06"
    "\x03\x55\x1d\x23\x04\x18\x30\x16\x80\x14\xa2\xc9\x16\x50\x9e\xb7\x1f\x61\x4b\x58"
    "\xdd\x5e\x12\x3e\x2c\x82\x8a\xd0\xe5\x6f\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04"
    "\x03\x02\x03\x49\x00\x30\x46\x02\x21\x00\xc3\xce\xfa\xee\xcc\x8e\x8f\x90\x8a\x8b"
    "\xbd\x81\x37\xe8\x62\x1b\x63\x50\xcf\xa3\x3b\x99\x31\xad\x6a\xbc\xcb\xe8\xff\x45"
    "\x2a\x19\x02\x21\x00\xd0\x78\xf5\xda\xa6\x3e\xf6\xa5\xec\xc5\xeb\xcf\x31\xff\x8c"
    "\xfb\xc0\xf2\xb0\x8c\x1c\xce\x36\xb0\x01\xf8\xca\x84\x41\x27\xb0\x85";

static inline uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t n)
{
    memcpy(p, bytes, n);
    return p + n;
}

/* Random bytes that depend on the connection and on what they are for. */
static inline uint8_t *put_noise(uint8_t *p, uint32_t id, uint32_t purpose, size_t n)
{
    uint64_t state = ((uint64_t)id << 32 | purpose) * 2 + 1;

    (void)random_next(&state);
    while (n--)
        *p++ = (uint8_t)(random_next(&state) >> 56);
    return p;
}

/* A length of 2 or 3 bytes is left open at p until its block ends. */
static inline void close16(uint8_t *length, const uint8_t *end)
{
    put16(length, (uint32_t)(end - length - 2));
}

static inline void close24(uint8_t *length, const uint8_t *end)
{
    length[0] = 0;
    put16(length + 1, (uint32_t)(end - length - 3));
}

static inline uint8_t *put_record(uint8_t *p, uint8_t type, uint16_t version)
{
    *p++ = type;
    return put16(put16(p, version), 0);
}

/* The record that began at `start` ends at `end`. */
static inline uint8_t *close_record(uint8_t *start, uint8_t *end)
{
    close16(start + 3, end);
    return end;
}

static inline uint8_t *put_message(uint8_t *p, uint8_t type)
{
    memset(p, 0, 4);
    *p = type;
    return p + 4;
}

static inline uint8_t *close_message(uint8_t *start, uint8_t *end)
{
    close24(start + 1, end);
    return end;
}

/* A record of n bytes nobody can read. */
static inline uint8_t *put_sealed(uint8_t *p, uint8_t type, uint32_t id, uint32_t purpose, size_t n)
{
    uint8_t *start = p;

    p = put_noise(put_record(p, type, 0x0303), id, purpose, n);
    return close_record(start, p);
}

static inline uint8_t *put_change_cipher_spec(uint8_t *p)
{
    return put_bytes(p, "\x14\x03\x03\x00\x01\x01", 6);
}

static inline uint8_t *put_server_name(uint8_t *p, uint32_t id)
{
    char name[32];
    size_t n = (size_t)snprintf(name, sizeof name, "www%u.bench.test", id % 1000);

    p = put16(p, 0);
    p = put16(p, (uint32_t)n + 5);
    p = put16(p, (uint32_t)n + 3);
    *p++ = 0;
    return put_bytes(put16(p, (uint32_t)n), name, n);
}

static inline uint8_t *put_client_extensions(uint8_t *p, uint32_t id)
{
    static const uint8_t rest[] = "\x00\x17\x00\x00"                                 /* extended_master_secret */
                                  "\xff\x01\x00\x01\x00"                             /* renegotiation_info */
                                  "\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17"         /* supported_groups */
                                  "\x00\x0b\x00\x02\x01\x00"                         /* ec_point_formats */
                                  "\x00\x0d\x00\x08\x00\x06\x04\x03\x08\x04\x04\x01" /* signature_algorithms */
                                  "\x00\x10\x00\x0b\x00\x09\x08http/1.1";            /* ALPN */
    uint8_t *length = p;

    p = put_server_name(p + 2, id);
    p = put_bytes(p, rest, sizeof rest - 1);
    close16(length, p);
    return p;
}

static inline struct slice tls_client_hello(uint32_t id, uint8_t *room)
{
    uint8_t *message = put_record(room, TLS_HANDSHAKE, 0x0301);
    uint8_t *p = put_message(message, 1);

    p = put_noise(put16(p, 0x0303), id, 1, 32);
    *p++ = 0; /* no session to resume */
    p = put_bytes(p, "\x00\x08\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30", 10);
    p = put_bytes(p, "\x01\x00", 2);
    p = put_client_extensions(p, id);
    return slice_of(room, (size_t)(close_record(room, close_message(message, p)) - room));
}

static inline uint8_t *put_server_hello(uint8_t *p, uint32_t id)
{
    static const uint8_t extensions[] = "\x00\x17\x00\x00"                      /* extended_master_secret */
                                        "\xff\x01\x00\x01\x00"                  /* renegotiation_info */
                                        "\x00\x0b\x00\x02\x01\x00"              /* ec_point_formats */
                                        "\x00\x10\x00\x0b\x00\x09\x08http/1.1"; /* ALPN */
    uint8_t *start = p;

    p = put_noise(put16(put_message(p, 2), 0x0303), id, 2, 32);
    *p++ = 32;
    p = put_noise(p, id, 3, 32);
    p = put_bytes(p, "\xc0\x2b\x00", 3);
    uint8_t *length = p;
    p = put_bytes(p + 2, extensions, sizeof extensions - 1);
    close16(length, p);
    return close_message(start, p);
}

static inline uint8_t *put_certificate(uint8_t *p)
{
    uint8_t *start = p, *list = put_message(p, 11), *entry = list + 3;

    p = put_bytes(entry + 3, tls_certificate, sizeof tls_certificate - 1);
    close24(entry, p);
    close24(list, p);
    return close_message(start, p);
}

/* X25519 key and an ECDSA signature. */
static inline uint8_t *put_server_key_exchange(uint8_t *p, uint32_t id)
{
    uint8_t *start = p;

    p = put_bytes(put_message(p, 12), "\x03\x00\x1d\x20", 4);
    p = put_noise(p, id, 4, 32);
    p = put_bytes(p, "\x04\x03\x00\x46\x30\x44\x02\x20\x11", 9);
    p = put_noise(p, id, 5, 31);
    p = put_bytes(p, "\x02\x20\x22", 3);
    p = put_noise(p, id, 6, 31);
    return close_message(start, p);
}

static inline struct slice tls_server_hello(uint32_t id, uint8_t *room)
{
    uint8_t *p = put_record(room, TLS_HANDSHAKE, 0x0303);

    p = put_server_hello(p, id);
    p = put_certificate(p);
    p = put_server_key_exchange(p, id);
    p = put_message(p, 14);
    return slice_of(room, (size_t)(close_record(room, p) - room));
}

static inline struct slice tls_client_finished(uint32_t id, uint8_t *room)
{
    uint8_t *message = put_record(room, TLS_HANDSHAKE, 0x0303);
    uint8_t *p = put_message(message, 16);

    *p++ = 32;
    p = put_noise(p, id, 7, 32);
    p = close_record(room, close_message(message, p));
    p = put_change_cipher_spec(p);
    p = put_sealed(p, TLS_HANDSHAKE, id, 8, 40);
    return slice_of(room, (size_t)(p - room));
}

static inline struct slice tls_server_finished(uint32_t id, uint8_t *room)
{
    uint8_t *p = put_sealed(put_change_cipher_spec(room), TLS_HANDSHAKE, id, 9, 40);

    return slice_of(room, (size_t)(p - room));
}

static inline struct slice tls_request(uint32_t id, uint8_t *room)
{
    return slice_of(room, (size_t)(put_sealed(room, TLS_APPLICATION_DATA, id, 10, 160) - room));
}

static inline struct slice tls_answer(uint32_t id, uint8_t *room)
{
    return slice_of(room, (size_t)(put_sealed(room, TLS_APPLICATION_DATA, id, 11, 800) - room));
}

static inline struct slice tls_close_notify(uint32_t id, uint8_t *room)
{
    return slice_of(room, (size_t)(put_sealed(room, TLS_ALERT, id, 12, 26) - room));
}

#endif
