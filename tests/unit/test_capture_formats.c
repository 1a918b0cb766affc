/* The kinds of files: pcap and pcapng, in both byte orders, damaged, cut at every byte. */
#include "capture_files.h"

#include "base/limits.h"
#include "capture/linktype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pcap/pcap.h>

#define SEC 1700000000
#define SEC_NS (INT64_C(1700000000) * NS_PER_S)

static void assert_frame(const struct outcome *o, guint i, int64_t ts_ns, const char *bytes, uint32_t wirelen, int dlt)
{
    const struct frame *f = frame_at(o, i);
    assert_int_equal(f->ts_ns, ts_ns);
    assert_int_equal(f->caplen, strlen(bytes));
    assert_memory_equal(f->bytes, bytes, f->caplen);
    assert_int_equal(f->wirelen, wirelen);
    assert_int_equal(f->dlt, dlt);
    assert_int_equal(f->number, i + 1);
}

/* Two packets: whole, and the second cut by the snapshot length. */
static void small_pcap(struct build *b, uint32_t magic)
{
    pcap_header(b, magic, 1);
    pcap_packet(b, SEC, 5, "whole", 5, 5);
    pcap_packet(b, SEC + 1, 999999, "cut", 3, 1500);
}

static void pcap_both_orders_and_resolutions(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool big = kind & 1, nano = kind & 2;
        struct build b = build_new(big);
        small_pcap(&b, nano ? 0xa1b23c4d : 0xa1b2c3d4);
        struct outcome o = read_build(&b, NULL);
        assert_true(outcome_clean(&o));
        assert_int_equal(o.frames->len, 2);
        assert_frame(&o, 0, SEC_NS + (nano ? 5 : 5000), "whole", 5, DLT_EN10MB);
        assert_frame(&o, 1, SEC_NS + NS_PER_S + (nano ? 999999 : 999999000), "cut", 1500, DLT_EN10MB);
        assert_int_equal(o.info.nanoseconds, nano);
        assert_int_equal(o.info.dlts->len, 1);
        outcome_free(&o);
        build_free(&b);
    }
}

/* The patched libpcap of old: packet headers of 24 bytes (interface, protocol, packet type, padding). */
static void pcap_patched(void **state)
{
    (void)state;
    struct build b = build_new(false);
    pcap_header(&b, 0xa1b2cd34, 1);
    pcap_packet(&b, SEC, 5, "", 0, 5);
    b.bytes->data[24 + 8] = 5; /* captured length */
    put(&b, "\1\0\0\0\0\x08\0\0whole", 13);
    struct outcome o = read_build(&b, NULL);
    assert_true(outcome_clean(&o));
    assert_frame(&o, 0, SEC_NS + 5000, "whole", 5, DLT_EN10MB);
    outcome_free(&o);
    build_free(&b);
}

/* Values that a sane writer never writes: what struct frame promises holds all the same. */
static void pcap_odd_values(void **state)
{
    (void)state;
    struct build b = build_new(false);
    pcap_header(&b, 0xa1b2c3d4, 101);
    b.bytes->data[16] = 2; /* a snapshot length of 2, and longer packets */
    b.bytes->data[17] = 0;
    pcap_packet(&b, UINT32_MAX, 0, "after 2038", 10, 10);
    pcap_packet(&b, 0, UINT32_MAX, "microseconds", 12, 12);
    pcap_packet(&b, SEC, 0, "shorter on the wire", 19, 3);
    struct outcome o = read_build(&b, NULL);
    assert_true(outcome_clean(&o));
    assert_frame(&o, 0, UINT32_MAX * NS_PER_S, "after 2038", 10, DLT_RAW);
    assert_true(frame_at(&o, 1)->ts_ns >= 0);
    assert_frame(&o, 2, SEC_NS, "shorter on the wire", 19, DLT_RAW);
    outcome_free(&o);
    build_free(&b);
}

static void pcap_damaged(void **state)
{
    (void)state;
    struct build b = build_new(false);
    small_pcap(&b, 0xa1b2c3d4);
    pcap_packet(&b, SEC + 2, 0, "", 0, 9);
    memset(b.bytes->data + b.bytes->len - 8, 0x7f, 4); /* captured length */
    pcap_packet(&b, SEC + 3, 0, "lost", 4, 4);
    struct outcome o = read_build(&b, NULL);
    assert_int_equal(o.status, CAPTURE_END);
    assert_int_equal(o.frames->len, 2);
    assert_true(o.info.truncated);
    assert_non_null(strstr(o.truncated_file, "damaged"));
    assert_non_null(strstr(o.truncated_file, "after 2 packets"));
    outcome_free(&o);
    build_free(&b);
}

/* Options of an interface: its clock, where resolution is not 0xff, and an offset in seconds. */
static struct build clock_options(bool big, uint8_t resolution, int64_t offset)
{
    struct build b = build_new(big);
    put_u16(&b, 2); /* if_name, which is skipped */
    put_u16(&b, 5);
    put(&b, "wlan0\0\0\0", 8);
    put_u16(&b, 9);
    put_u16(&b, 1);
    put(&b, &resolution, 1);
    put(&b, "\0\0\0", 3);
    put_u16(&b, 14);
    put_u16(&b, 8);
    put_u32(&b, big ? (uint64_t)offset >> 32 : (uint64_t)offset);
    put_u32(&b, big ? (uint64_t)offset : (uint64_t)offset >> 32);
    put_u32(&b, 0);
    return b;
}

static void ng_clocks(void **state)
{
    (void)state;
    static const struct {
        uint8_t resolution;
        uint64_t ticks;
        int64_t offset, ts_ns;
    } rows[] = {
        { 6, UINT64_C(1700000000000001), 0, SEC_NS + 1000 },
        { 9, UINT64_C(1700000000000000001), 0, SEC_NS + 1 },
        { 0, 1700000000, 0, SEC_NS },
        { 3, 5, 1700000000, SEC_NS + 5 * NS_PER_MS },
        { 12, UINT64_C(1700000000000), 0, 1700000000 },
        { 19, UINT64_C(10000000000000000000), 0, NS_PER_S },
        { 0x80, 7, 0, 7 * NS_PER_S },
        { 0x80 | 10, 1536, 1700000000, SEC_NS + 1500 * NS_PER_MS },
        { 0x80 | 63, UINT64_C(1) << 63, 0, NS_PER_S },
        /* Before 1970, and beyond all clocks */
        { 6, 0, -1, 0 },
        { 6, UINT64_MAX, INT64_MAX, INT64_C(1) << 62 },
        { 9, UINT64_MAX, 0, INT64_C(1) << 62 },
        { 0, UINT64_MAX, INT64_MIN, INT64_C(1) << 62 },
    };
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        bool big = i & 1;
        struct build b = build_new(big), options = clock_options(big, rows[i / 2].resolution, rows[i / 2].offset);
        ng_section(&b);
        ng_interface(&b, 1, 0, &options);
        ng_packet(&b, 0, rows[i / 2].ticks, "x", 1, 1);
        struct outcome o = read_build(&b, NULL);
        assert_true(outcome_clean(&o));
        assert_frame(&o, 0, rows[i / 2].ts_ns, "x", 1, DLT_EN10MB);
        outcome_free(&o);
        build_free(&options);
        build_free(&b);
    }
}

/* Two sections of different byte order; every kind of block; interfaces of different link types. */
static void ng_full(struct build *b)
{
    struct build body = build_new(b->big), options = clock_options(b->big, 9, 0);
    ng_section(b);
    ng_interface(b, 1, 3, NULL);
    ng_interface(b, 101, 0, &options);
    put(&body, "names, keys, statistics", 23);
    ng_block(b, 4, &body);
    ng_packet(b, 0, UINT64_C(1700000000000001), "cut", 3, 60);
    ng_packet(b, 1, UINT64_C(1700000000000000007), "raw", 3, 3);
    g_byte_array_set_size(body.bytes, 0);
    put_u32(&body, 1000);
    put(&body, "spb", 3); /* the snapshot length of interface 0 */
    ng_block(b, 3, &body);
    g_byte_array_set_size(body.bytes, 0);
    put_u16(&body, 0);
    put_u16(&body, 17); /* dropped */
    put_u32(&body, UINT64_C(1700000001000000) >> 32);
    put_u32(&body, UINT64_C(1700000001000000));
    put_u32(&body, 3);
    put_u32(&body, 3);
    put(&body, "old", 3);
    ng_block(b, 2, &body);
    b->big = !b->big;
    ng_section(b);
    ng_interface(b, 113, 0, NULL);
    ng_packet(b, 0, UINT64_C(1700000002000000), "sll", 3, 3);
    b->big = !b->big;
    build_free(&options);
    build_free(&body);
}

static void ng_blocks(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct build b = build_new(big);
        ng_full(&b);
        struct outcome o = read_build(&b, NULL);
        assert_true(outcome_clean(&o));
        assert_int_equal(o.frames->len, 5);
        assert_frame(&o, 0, SEC_NS + 1000, "cut", 60, DLT_EN10MB);
        assert_frame(&o, 1, SEC_NS + 7, "raw", 3, DLT_RAW);
        assert_frame(&o, 2, SEC_NS + 7, "spb", 1000, DLT_EN10MB); /* no time of its own */
        assert_frame(&o, 3, SEC_NS + NS_PER_S, "old", 3, DLT_EN10MB);
        assert_frame(&o, 4, SEC_NS + 2 * NS_PER_S, "sll", 3, DLT_LINUX_SLL);
        assert_true(o.info.nanoseconds);
        assert_int_equal(o.info.dlts->len, 3);
        assert_int_equal(g_array_index(o.info.dlts, int, 1), DLT_RAW);
        outcome_free(&o);
        build_free(&b);
    }
}

/* A block that a writer gave a length without the bytes that fill up its last word. */
static void ng_length_without_padding(void **state)
{
    (void)state;
    struct build b = build_new(false);
    ng_section(&b);
    ng_interface(&b, 1, 0, NULL);
    guint start = b.bytes->len;
    ng_packet(&b, 0, 0, "five5", 5, 5);
    b.bytes->data[start + 4] -= 3;
    b.bytes->data[b.bytes->len - 4] -= 3;
    ng_packet(&b, 0, 0, "next", 4, 4);
    struct outcome o = read_build(&b, NULL);
    assert_true(outcome_clean(&o));
    assert_frame(&o, 0, 0, "five5", 5, DLT_EN10MB);
    assert_frame(&o, 1, 0, "next", 4, DLT_EN10MB);
    outcome_free(&o);
    build_free(&b);
}

/* One wrong byte in the second packet's block: the first packet is given, then the file ends with a reason. The block
 * starts with type and length, then interface, two words of time, captured length, length. */
static void ng_damaged(void **state)
{
    (void)state;
    static const struct {
        int offset; /* in the block; negative: from its end */
        uint8_t value;
        const char *reason;
    } rows[] = {
        { -4, 0x30, "two lengths differ" },   { 4, 4, "impossible length" },
        { 6, 0xff, "impossible length" },     { 8, 9, "interface that is not described" },
        { 20, 200, "larger than its block" }, { 22, 200, "larger than its block" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct build b = build_new(false);
        ng_section(&b);
        ng_interface(&b, 1, 0, NULL);
        ng_packet(&b, 0, 0, "good", 4, 4);
        guint start = b.bytes->len;
        ng_packet(&b, 0, 0, "bad!", 4, 4);
        b.bytes->data[(rows[i].offset < 0 ? b.bytes->len : start) + rows[i].offset] = rows[i].value;
        struct outcome o = read_build(&b, NULL);
        assert_int_equal(o.status, CAPTURE_END);
        assert_int_equal(o.frames->len, 1);
        assert_true(o.info.truncated);
        assert_non_null(strstr(o.truncated_file, rows[i].reason));
        outcome_free(&o);
        build_free(&b);
    }
}

static void ng_too_many_interfaces(void **state)
{
    (void)state;
    struct build b = build_new(false);
    ng_section(&b);
    for (unsigned i = 0; i <= LIMIT_INTERFACES; i++)
        ng_interface(&b, 1, 0, NULL);
    struct outcome o = read_build(&b, NULL);
    assert_int_equal(o.status, CAPTURE_FAILED);
    assert_int_equal(o.code, CAPTURE_ERROR_READ);
    assert_non_null(strstr(o.message, "more interfaces"));
    outcome_free(&o);
    build_free(&b);
}

/* The numbers of pcapng are those of pcap, for which libpcap has its own table: both must agree. */
static void linktypes_as_libpcap(void **state)
{
    (void)state;
    for (unsigned linktype = 0; linktype < 400; linktype++) {
        struct build b = build_new(false);
        char why[PCAP_ERRBUF_SIZE];
        pcap_header(&b, 0xa1b2c3d4, linktype);
        FILE *file = fmemopen(b.bytes->data, b.bytes->len, "r");
        pcap_t *pcap = pcap_fopen_offline(file, why);
        assert_non_null(pcap);
        assert_int_equal(linktype_as_dlt((uint16_t)linktype), pcap_datalink(pcap));
        pcap_close(pcap);
        build_free(&b);
    }
    assert_int_equal(linktype_of_dlt(DLT_RAW), 101);
    assert_int_equal(linktype_of_dlt(-1), -1);
    assert_int_equal(linktype_of_dlt(65536), -1);
}

/* Reads every prefix. ends[i] is where the i-th of n_ends whole parts ends: the header, then each packet; frames[i] how
 * many packets have been given there. */
static void check_prefixes(const struct build *b, const guint *ends, const guint *frames, size_t n_ends)
{
    for (guint n = 0; n <= b->bytes->len; n++) {
        struct outcome o = read_bytes(b->bytes->data, n, NULL);
        if (n < ends[0]) {
            assert_false(o.opened);
            assert_int_equal(o.code, n == 0 ? CAPTURE_ERROR_EMPTY : CAPTURE_ERROR_FORMAT);
            outcome_free(&o);
            continue;
        }
        size_t part = 0;
        while (part + 1 < n_ends && ends[part + 1] <= n)
            part++;
        assert_int_equal(o.status, CAPTURE_END);
        assert_int_equal(o.frames->len, frames[part]);
        assert_int_equal(o.info.truncated, n != ends[part]);
        assert_true(!o.info.truncated || strstr(o.truncated_file, "cut short"));
        outcome_free(&o);
    }
}

static void pcap_every_prefix(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct build b = build_new(big);
        small_pcap(&b, 0xa1b2c3d4);
        const guint ends[] = { 24, 24 + 16 + 5, 24 + 16 + 5 + 16 + 3 }, frames[] = { 0, 1, 2 };
        assert_int_equal(b.bytes->len, ends[2]);
        check_prefixes(&b, ends, frames, 3);
        build_free(&b);
    }
}

static void ng_every_prefix(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct build b = build_new(big);
        ng_full(&b);
        guint ends[16], frames[16], n = 0, at = 0, given = 0;
        while (at < b.bytes->len) {
            /* Every block is shorter than 256 bytes: the length's one byte that is not 0, and the type's. */
            const uint8_t *p = b.bytes->data + at;
            uint8_t type = p[0] | p[3];
            given += type == 2 || type == 3 || type == 6;
            at += p[4] | p[7];
            ends[n] = at;
            frames[n++] = given;
        }
        assert_int_equal(n, 11);
        assert_int_equal(given, 5);
        check_prefixes(&b, ends, frames, n);
        build_free(&b);
    }
}

/* More than the buffers hold, in each kind: nothing is lost where they are filled again. */
static void large_files(void **state)
{
    (void)state;
    char *bytes = g_malloc(LIMIT_FRAME_BYTES + 1);
    for (size_t i = 0; i < LIMIT_FRAME_BYTES + 1; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    for (int ng = 0; ng < 2; ng++) {
        struct build b = build_new(false);
        if (ng) {
            ng_section(&b);
            ng_interface(&b, 1, 0, NULL);
        } else {
            pcap_header(&b, 0xa1b2c3d4, 1);
        }
        for (uint32_t n = 0; n < 1500; n++)
            ng ? ng_packet(&b, 0, n, bytes + n, n, n) : pcap_packet(&b, 0, n, bytes + n, n, n);
        const uint32_t largest = LIMIT_FRAME_BYTES;
        ng ? ng_packet(&b, 0, 0, bytes, largest, largest) : pcap_packet(&b, 0, 0, bytes, largest, largest);
        ng ? ng_packet(&b, 0, 0, bytes, largest + 1, largest) : pcap_packet(&b, 0, 0, bytes, largest + 1, largest);
        struct outcome o = read_build(&b, NULL);
        assert_int_equal(o.frames->len, 1501);
        assert_true(o.info.truncated); /* the last one is too large to be true */
        for (guint n = 0; n < 1501; n++) {
            const struct frame *f = frame_at(&o, n);
            assert_int_equal(f->caplen, n < 1500 ? n : largest);
            if (f->caplen > 0)
                assert_memory_equal(f->bytes, n < 1500 ? bytes + n : bytes, f->caplen);
        }
        outcome_free(&o);
        build_free(&b);
    }
    g_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_both_orders_and_resolutions),
        cmocka_unit_test(pcap_patched),
        cmocka_unit_test(pcap_odd_values),
        cmocka_unit_test(pcap_damaged),
        cmocka_unit_test(pcap_every_prefix),
        cmocka_unit_test(ng_clocks),
        cmocka_unit_test(ng_blocks),
        cmocka_unit_test(ng_length_without_padding),
        cmocka_unit_test(ng_damaged),
        cmocka_unit_test(ng_too_many_interfaces),
        cmocka_unit_test(ng_every_prefix),
        cmocka_unit_test(linktypes_as_libpcap),
        cmocka_unit_test(large_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
