/* What libFuzzer changes, for targets that read packets: instead of bytes of the file, a packet is changed in one place (a flag, a sequence number,
 * options, what it carries), sent once more, dropped, split, sent the other way, or it changes places with another one. Lengths are put right
 * afterwards, and checksums most of the time, so that what comes behind the headers is reached. Input is a pcap file (fuzz_pipeline), or
 * frames behind their lengths (fuzz_frame); what is neither is changed as libFuzzer would.
 */
#include "base/bytes.h"
#include "bench/random.h"

#include <glib.h>
#include <string.h>

#define PCAP_HEADER 24
#define RECORD_HEADER 16
#define PACKETS 512
/* Room for a packet to grow. */
#define GROWTH 256

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

struct one {
    uint32_t sec, usec, missing; /* missing: bytes that the snaplen cut off */
    size_t n, room;
    uint8_t *bytes;
};

struct all {
    bool pcap;
    int dlt;
    uint8_t head[PCAP_HEADER];
    size_t n_head, n;
    struct one at[PACKETS];
    uint64_t random;
};

static uint32_t below(struct all *a, size_t limit)
{
    return limit ? random_below(&a->random, (uint32_t)limit) : 0;
}

static uint32_t little(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_little(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static uint32_t big(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | *p++;
    return v;
}

static void put_big(uint8_t *p, unsigned n, uint32_t v)
{
    while (n-- > 0) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* --- in and out --- */

static void add(struct all *a, struct one o, const uint8_t *bytes)
{
    o.room = o.n + GROWTH;
    o.bytes = memcpy(g_malloc(o.room), bytes, o.n);
    a->at[a->n++] = o;
}

static bool read_pcap(struct all *a, const uint8_t *p, size_t size)
{
    if (size < PCAP_HEADER || little(p) != 0xa1b2c3d4)
        return false;
    a->pcap = true;
    a->dlt = (int)little(p + 20) & 0xffff;
    memcpy(a->head, p, a->n_head = PCAP_HEADER);
    for (size_t at = PCAP_HEADER; at + RECORD_HEADER <= size && a->n < PACKETS;) {
        uint32_t n = little(p + at + 8), wire = little(p + at + 12);
        if (n > size - at - RECORD_HEADER)
            break;
        add(a, (struct one){ little(p + at), little(p + at + 4), wire > n ? wire - n : 0, n, 0, NULL }, p + at + RECORD_HEADER);
        at += RECORD_HEADER + n;
    }
    return a->n > 0;
}

static bool read_frames(struct all *a, const uint8_t *p, size_t size)
{
    static const int dlts[16] = { 1, 101, 113, 276 };
    size_t at = 1;

    if (size < 4)
        return false;
    a->dlt = dlts[p[0] % 16];
    memcpy(a->head, p, a->n_head = 1);
    while (at + 2 <= size && a->n < PACKETS) {
        uint32_t n = big(p + at, 2) & 0x7fff;
        if (n > size - at - 2)
            return false;
        add(a, (struct one){ 0, 0, p[at] >> 7, n, 0, NULL }, p + at + 2);
        at += 2 + n;
    }
    return a->n > 0;
}

/* As much as fits. */
static size_t put_all(const struct all *a, uint8_t *out, size_t max)
{
    size_t at = a->n_head, header = a->pcap ? RECORD_HEADER : 2;

    memcpy(out, a->head, a->n_head);
    for (size_t i = 0; i < a->n && at + header + a->at[i].n <= max; i++) {
        const struct one *o = &a->at[i];
        uint32_t n = (uint32_t)o->n;
        if (a->pcap) {
            put_little(out + at, o->sec);
            put_little(out + at + 4, o->usec);
            put_little(out + at + 8, n);
            put_little(out + at + 12, n + o->missing);
        } else {
            put_big(out + at, 2, (n & 0x7fff) | (o->missing ? 0x8000 : 0));
        }
        memcpy(out + at + header, o->bytes, n);
        at += header + n;
    }
    return at;
}

/* --- where things are --- */

struct place {
    size_t ip, l4, payload; /* 0 (l4, payload): there is none */
    bool v6;
    uint8_t protocol;
};

static size_t link_length(const struct all *a, const struct one *o)
{
    switch (a->dlt) {
    case 1: return o->n > 18 && big(o->bytes + 12, 2) == 0x8100 ? 18 : 14;
    case 113: return 16;
    case 276: return 20;
    default: return 0;
    }
}

static struct place find(const struct all *a, const struct one *o)
{
    struct place p = { .ip = link_length(a, o) };
    const uint8_t *b = o->bytes + p.ip;

    if (o->n < p.ip + 40)
        return p;
    p.v6 = b[0] >> 4 == 6;
    p.protocol = b[p.v6 ? 6 : 9];
    p.l4 = p.ip + (p.v6 ? 40 : 4 * (b[0] & 15u));
    size_t header = p.protocol == 6 ? 20 : p.protocol == 17 ? 8 : 0;
    bool fragment = !p.v6 && big(b + 6, 2) & 0x3fff;
    if ((!p.v6 && b[0] >> 4 != 4) || fragment || !header || o->n < p.l4 + header)
        return (struct place){ .ip = p.ip };
    p.payload = p.l4 + (p.protocol == 6 ? 4 * (size_t)(o->bytes[p.l4 + 12] >> 4) : 8);
    if (p.payload < p.l4 + header || p.payload > o->n)
        p.payload = o->n;
    return p;
}

static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        so_far += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    return so_far;
}

static uint32_t folded(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void fix_checksums(struct one *o, const struct place *p)
{
    uint8_t *b = o->bytes, *at = b + p->l4 + (p->protocol == 6 ? 16 : 6);
    size_t n = o->n - p->l4;

    if (!p->v6) {
        put_big(b + p->ip + 10, 2, 0);
        put_big(b + p->ip + 10, 2, folded(sum(0, b + p->ip, p->l4 - p->ip)));
    }
    put_big(at, 2, 0);
    uint32_t pseudo = p->v6 ? sum(0, b + p->ip + 8, 32) : sum(0, b + p->ip + 12, 8);
    put_big(at, 2, folded(sum(pseudo + p->protocol + (uint32_t)n, b + p->l4, n)));
}

/* Lengths always, since a packet with a wrong one ends there. Fragments, and what the snaplen cut, stay as they are. */
static void fix(struct all *a, struct one *o)
{
    struct place p = find(a, o);

    if (!p.l4 || o->missing || o->n - p.ip > UINT16_MAX)
        return;
    put_big(o->bytes + p.ip + (p.v6 ? 4 : 2), 2, (uint32_t)(o->n - (p.v6 ? p.l4 : p.ip)));
    if (p.protocol == 17)
        put_big(o->bytes + p.l4 + 4, 2, (uint32_t)(o->n - p.l4));
    if (below(a, 16))
        fix_checksums(o, &p);
}

/* --- what is done to them --- */

static void resize(struct one *o, size_t from, size_t old, size_t now)
{
    memmove(o->bytes + from + now, o->bytes + from + old, o->n - from - old);
    o->n = o->n - old + now;
}

/* libFuzzer's own changes, to a part of a packet that may grow. */
static void change_part(struct one *o, size_t from, size_t n, size_t max)
{
    uint8_t part[UINT16_MAX + 1];
    size_t now;

    max = MIN(max, n + o->room - o->n);
    if (n > sizeof part || max > sizeof part || max == 0)
        return;
    memcpy(part, o->bytes + from, n);
    now = LLVMFuzzerMutate(part, n, max);
    resize(o, from, n, now);
    memcpy(o->bytes + from, part, now);
}

static void change_payload(struct all *a, struct one *o)
{
    struct place p = find(a, o);
    size_t from = p.l4 ? p.payload : p.ip;

    change_part(o, from, o->n - from, o->room - from);
}

/* Options end at a multiple of four bytes. */
static void change_options(struct all *a, struct one *o)
{
    struct place p = find(a, o);
    size_t from = p.l4 + 20, before = o->n;

    if (p.protocol != 6 || p.payload < from)
        return;
    change_part(o, from, p.payload - from, 40);
    size_t n = p.payload - from + o->n - before;
    resize(o, from + n - n % 4, n % 4, 0);
    o->bytes[p.l4 + 12] = (uint8_t)((5 + n / 4) << 4 | (o->bytes[p.l4 + 12] & 15));
}

/* A number of the TCP header, or one of IP: what one side means by it moves a little, or far. */
static void change_number(struct all *a, struct one *o)
{
    static const struct number {
        uint8_t at, width;
    } tcp[] = { { 0, 2 }, { 2, 2 }, { 4, 4 }, { 4, 4 }, { 8, 4 }, { 8, 4 }, { 14, 2 }, { 18, 2 } }, v4[] = { { 1, 1 }, { 4, 2 }, { 6, 2 }, { 8, 1 } };
    struct place p = find(a, o);
    bool ip = !p.v6 && below(a, 4) == 0;
    struct number number = ip ? v4[below(a, G_N_ELEMENTS(v4))] : tcp[below(a, p.protocol == 6 ? G_N_ELEMENTS(tcp) : 2)];
    static const uint32_t steps[] = { 1, 2, 1448, 1460, 0x8000, 65535, 1u << 24, 1u << 31 };
    uint32_t step = below(a, 2) ? steps[below(a, G_N_ELEMENTS(steps))] : (uint32_t)(o->n - p.payload);

    if (!p.l4)
        return;
    uint8_t *at = o->bytes + (ip ? p.ip : p.l4) + number.at;
    put_big(at, number.width, big(at, number.width) + (below(a, 2) ? step : 0u - step));
}

static void change_flags(struct all *a, struct one *o)
{
    struct place p = find(a, o);

    if (p.protocol == 6)
        o->bytes[p.l4 + 13] ^= (uint8_t)(1 << below(a, 8));
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

static void turn_round(struct all *a, struct one *o)
{
    struct place p = find(a, o);

    if (!p.l4)
        return;
    if (p.v6)
        swap(o->bytes + p.ip + 8, o->bytes + p.ip + 24, 16);
    else
        swap(o->bytes + p.ip + 12, o->bytes + p.ip + 16, 4);
    swap(o->bytes + p.l4, o->bytes + p.l4 + 2, 2);
    if (p.protocol == 6 && below(a, 2))
        swap(o->bytes + p.l4 + 4, o->bytes + p.l4 + 8, 4);
}

static void cut_short(struct all *a, struct one *o)
{
    size_t gone = below(a, o->n);

    o->n -= gone;
    o->missing += (uint32_t)gone;
}

static void wait_longer(struct all *a, struct one *o)
{
    static const uint32_t steps[] = { 0, 1, 3, 20, 40, 130, 400, 10000 };
    uint32_t step = steps[below(a, G_N_ELEMENTS(steps))];
    size_t from = (size_t)(o - a->at), to = below(a, 4) ? a->n : from + 1;

    for (size_t i = from; i < to; i++)
        a->at[i].sec += step;
    o->usec = below(a, 1000000);
}

/* --- to the order of them --- */

static void repeat(struct all *a, size_t i)
{
    struct one copy = a->at[i];
    size_t to = below(a, a->n + 1);

    if (a->n == PACKETS)
        return;
    copy.bytes = memcpy(g_malloc(copy.room), copy.bytes, copy.n);
    memmove(a->at + to + 1, a->at + to, (a->n - to) * sizeof *a->at);
    a->at[to] = copy;
    if (to > 0) {
        a->at[to].sec = a->at[to - 1].sec;
        a->at[to].usec = a->at[to - 1].usec;
    }
    a->n++;
}

static void drop(struct all *a, size_t i)
{
    if (a->n == 1)
        return;
    g_free(a->at[i].bytes);
    memmove(a->at + i, a->at + i + 1, (--a->n - i) * sizeof *a->at);
}

static void change_places(struct all *a, size_t i)
{
    size_t other = below(a, a->n);
    struct one kept = a->at[i];

    a->at[i] = a->at[other];
    a->at[other] = kept;
}

/* A segment in two pieces: the second one begins where the first ends. */
static void split(struct all *a, size_t i)
{
    struct place p = find(a, &a->at[i]);
    size_t n = a->at[i].n - p.payload, first = below(a, n);

    if (p.protocol != 6 || !p.l4 || n < 2 || a->n == PACKETS || first == 0)
        return;
    memmove(a->at + i + 1, a->at + i, (a->n++ - i) * sizeof *a->at);
    struct one *head = &a->at[i], *tail = &a->at[i + 1];
    tail->bytes = memcpy(g_malloc(tail->room), head->bytes, head->n);
    resize(tail, p.payload, first, 0);
    head->n = p.payload + first;
    put_big(tail->bytes + p.l4 + 4, 4, big(tail->bytes + p.l4 + 4, 4) + (uint32_t)first);
    fix(a, head);
    fix(a, tail);
}

static void mutate(struct all *a)
{
    static void (*const changes[])(struct all *, struct one *) = { change_payload, change_payload, change_payload, change_options, change_number,
                                                                   change_number,  change_flags,   turn_round,     cut_short,      wait_longer };
    static void (*const orders[])(struct all *, size_t) = { repeat, drop, change_places, split };
    size_t i = below(a, a->n);

    if (below(a, 4) == 0) {
        orders[below(a, G_N_ELEMENTS(orders))](a, i);
        return;
    }
    changes[below(a, G_N_ELEMENTS(changes))](a, &a->at[i]);
    fix(a, &a->at[i]);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
    struct all *a = g_new0(struct all, 1);

    a->random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    random_next(&a->random);
    if (below(a, 8) == 0 || !(read_pcap(a, data, size) || read_frames(a, data, size))) {
        size = LLVMFuzzerMutate(data, size, max);
    } else {
        for (uint32_t n = 1 + below(a, 3); n > 0; n--)
            mutate(a);
        size = put_all(a, data, max);
    }
    for (size_t i = 0; i < a->n; i++)
        g_free(a->at[i].bytes);
    g_free(a);
    return size;
}
