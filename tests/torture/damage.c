#include "tests/torture/damage.h"

#include "bench/random.h"

#include <string.h>

/* Headers of files, blocks and the first packets: half of the damage goes there, since what is behind is mostly alike. */
#define HEAD 256
#define CHANGES 8

struct victim {
    uint8_t *bytes;
    size_t size, room;
    uint64_t random;
};

static size_t below(struct victim *v, size_t limit)
{
    return limit ? random_below(&v->random, (uint32_t)limit) : 0;
}

static size_t place(struct victim *v)
{
    return below(v, below(v, 2) && v->size > HEAD ? HEAD : v->size);
}

/* A length that is small most of the time, and fits behind `at`. */
static size_t span(struct victim *v, size_t at)
{
    size_t n = 1 + below(v, (size_t)1 << below(v, 12));

    return n < v->size - at ? n : v->size - at;
}

static void flip_bit(struct victim *v)
{
    v->bytes[place(v)] ^= (uint8_t)(1 << below(v, 8));
}

static void any_byte(struct victim *v)
{
    v->bytes[place(v)] = (uint8_t)below(v, 256);
}

/* What lengths, counts and offsets are wrong by. */
static void odd_number(struct victim *v)
{
    static const uint32_t numbers[] = { 0, 1, 4, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff };
    uint32_t number = numbers[below(v, sizeof numbers / sizeof *numbers)];
    size_t at = place(v), width = (size_t)1 << below(v, 3);
    int big = below(v, 2) != 0;

    for (size_t i = 0; i < width && at + i < v->size; i++)
        v->bytes[at + i] = (uint8_t)(number >> 8 * (big ? width - 1 - i : i));
}

static void add_little(struct victim *v)
{
    v->bytes[place(v)] += (uint8_t)(below(v, 2) ? 1 + below(v, 16) : 256 - 1 - below(v, 16));
}

static void fill(struct victim *v)
{
    size_t at = place(v);
    uint8_t with = below(v, 2) ? 0 : 0xff;

    memset(v->bytes + at, with, span(v, at));
}

static void noise(struct victim *v)
{
    size_t at = place(v), n = span(v, at);

    for (size_t i = 0; i < n; i++)
        v->bytes[at + i] = (uint8_t)below(v, 256);
}

static void take_out(struct victim *v)
{
    size_t at = place(v), n = span(v, at);

    memmove(v->bytes + at, v->bytes + at + n, v->size - at - n);
    v->size -= n;
}

/* A piece once more, right behind itself. */
static void repeat(struct victim *v)
{
    size_t at = place(v), n = span(v, at);

    if (v->size + n > v->room)
        return;
    memmove(v->bytes + at + n, v->bytes + at, v->size - at);
    v->size += n;
}

/* A piece over another one. */
static void copy_over(struct victim *v)
{
    size_t from = place(v), to = place(v), n = span(v, from > to ? from : to);

    memmove(v->bytes + to, v->bytes + from, n);
}

size_t damage(uint8_t *bytes, size_t size, uint64_t seed)
{
    static void (*const changes[])(struct victim *) = { flip_bit, any_byte,   odd_number, odd_number, add_little, fill,
                                                        noise,    take_out, repeat,     copy_over };
    struct victim v = { bytes, size, size + DAMAGE_GROWTH, seed * UINT64_C(0x9e3779b97f4a7c15) | 1 };
    size_t n = 0;

    random_next(&v.random);
    n = 1 + below(&v, CHANGES);
    for (size_t i = 0; i < n && v.size > 0; i++)
        changes[below(&v, sizeof changes / sizeof *changes)](&v);
    return v.size;
}
