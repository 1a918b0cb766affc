/* bytes: borrowed byte ranges and a bounds-checked reader with a sticky error.
 *
 * Everything that came from outside is read through a `struct cursor`.  A read past the end returns 0, moves nothing and
 * sets `failed`; later reads return 0 too.  So a whole header is read first and `failed` is tested once.
 * A slice or cursor owns nothing: it is valid as long as the buffer that it points into.
 */
#ifndef TCPSLEUTH_BASE_BYTES_H
#define TCPSLEUTH_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bytes at p; p may be NULL when n is 0. */
struct slice {
    const uint8_t *p;
    size_t n;
};

/* The unread bytes [p, end); failed is set by the first read that did not fit and stays set. */
struct cursor {
    const uint8_t *p;
    const uint8_t *end;
    bool failed;
};

static inline struct slice slice_of(const void *p, size_t n)
{
    return (struct slice){ .p = p, .n = n };
}

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){ .p = s.p, .end = s.n ? s.p + s.n : s.p, .failed = false };
}

/* Bytes not yet read; 0 after a failure. */
static inline size_t cursor_left(const struct cursor *c)
{
    return c->failed ? 0 : (size_t)(c->end - c->p);
}

/* The next n bytes as a slice, or an empty slice and the error set. */
static inline struct slice cursor_take(struct cursor *c, size_t n)
{
    if (cursor_left(c) < n) {
        c->failed = true;
        return (struct slice){ NULL, 0 };
    }
    struct slice s = { c->p, n };
    c->p = n ? c->p + n : c->p; /* p may be NULL */
    return s;
}

/* All that is left. */
static inline struct slice cursor_rest(struct cursor *c)
{
    return cursor_take(c, cursor_left(c));
}

/* A cursor over the next n bytes only: a nested block (TLS vectors, option bodies) cannot be over-read. It starts failed
 * where the n bytes are not there. */
static inline struct cursor cursor_block(struct cursor *c, size_t n)
{
    struct slice s = cursor_take(c, n);
    return (struct cursor){ .p = s.p, .end = s.n ? s.p + s.n : s.p, .failed = c->failed };
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
    (void)cursor_take(c, n);
}

/* Big-endian (network order) readers. */
static inline uint8_t cursor_u8(struct cursor *c)
{
    struct slice s = cursor_take(c, 1);
    return s.n ? s.p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    struct slice s = cursor_take(c, 2);
    return s.n ? (uint16_t)(s.p[0] << 8 | s.p[1]) : 0;
}

static inline uint32_t cursor_u24(struct cursor *c)
{
    struct slice s = cursor_take(c, 3);
    return s.n ? (uint32_t)s.p[0] << 16 | (uint32_t)s.p[1] << 8 | s.p[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    struct slice s = cursor_take(c, 4);
    return s.n ? (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3] : 0;
}

/* Little-endian readers (radiotap, pcapng of little-endian writers). */
static inline uint16_t cursor_le16(struct cursor *c)
{
    struct slice s = cursor_take(c, 2);
    return s.n ? (uint16_t)(s.p[1] << 8 | s.p[0]) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
    struct slice s = cursor_take(c, 4);
    return s.n ? (uint32_t)s.p[3] << 24 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[1] << 8 | s.p[0] : 0;
}

static inline uint64_t cursor_le64(struct cursor *c)
{
    uint64_t low = cursor_le32(c);
    return (uint64_t)cursor_le32(c) << 32 | low;
}

#endif
