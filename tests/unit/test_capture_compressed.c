/* Capture files inside gzip and zstd. */
#include "capture_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

static void two_packets(struct build *b)
{
    pcap_header(b, 0xa1b2c3d4, 1);
    pcap_packet(b, 1700000000, 0, "first", 5, 5);
    pcap_packet(b, 1700000001, 0, "second", 6, 6);
}

/* A member of its own. */
static void put_gzip(struct build *b, const void *bytes, size_t n)
{
    uint8_t out[4096];
    z_stream z = { .next_in = (Bytef *)bytes, .avail_in = (uInt)n, .next_out = out, .avail_out = sizeof out };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    put(b, out, z.total_out);
    deflateEnd(&z);
}

static void put_zstd(struct build *b, const void *bytes, size_t n)
{
    uint8_t out[4096];
    size_t written = ZSTD_compress(out, sizeof out, bytes, n, 3);
    assert_false(ZSTD_isError(written));
    put(b, out, written);
}

/* Whole, as two members, then cut at every byte: never more packets than there are, never silent. */
static void check_compressed(void (*compress_into)(struct build *, const void *, size_t), const char *name)
{
    struct build plain = build_new(false), packed = build_new(false);
    two_packets(&plain);
    compress_into(&packed, plain.bytes->data, 30);
    compress_into(&packed, plain.bytes->data + 30, plain.bytes->len - 30);
    struct outcome o = read_build(&packed, NULL);
    assert_true(outcome_clean(&o));
    assert_int_equal(o.frames->len, 2);
    assert_memory_equal(frame_at(&o, 1)->bytes, "second", 6);
    assert_int_equal(o.info.bytes_total, packed.bytes->len);
    outcome_free(&o);
    for (guint n = 1; n < packed.bytes->len; n++) {
        o = read_bytes(packed.bytes->data, n, NULL);
        const char *said = o.message ? o.message : o.truncated_file;
        assert_true(o.frames->len <= 2);
        assert_non_null(said);
        assert_true(o.message || o.info.truncated);
        /* Before its first bytes tell what it is, and where the first member ends, it is no compressed file that is
         * cut. */
        assert_true(n < 4 || strstr(said, name) || strstr(said, "cut short"));
        outcome_free(&o);
    }
    build_free(&packed);
    build_free(&plain);
}

static void gzip_files(void **state)
{
    (void)state;
    check_compressed(put_gzip, "the gzip data ends too early");
}

static void zstd_files(void **state)
{
    (void)state;
    check_compressed(put_zstd, "the zstd data ends too early");
}

/* Padding with zeros is no damage; other bytes are; a wrong checksum is; what came before is given. */
static void compressed_and_damaged(void **state)
{
    (void)state;
    struct build plain = build_new(false), packed = build_new(false);
    two_packets(&plain);
    put_gzip(&packed, plain.bytes->data, plain.bytes->len);
    guint n = packed.bytes->len;
    put(&packed, "\0\0\0\0\0\0\0", 7);
    struct outcome o = read_build(&packed, NULL);
    assert_true(outcome_clean(&o));
    outcome_free(&o);
    put(&packed, "x", 1);
    o = read_build(&packed, NULL);
    assert_int_equal(o.frames->len, 2);
    assert_non_null(strstr(o.truncated_file, "bytes that are not gzip data follow"));
    outcome_free(&o);
    g_byte_array_set_size(packed.bytes, n);
    packed.bytes->data[n - 8] ^= 1; /* the checksum */
    o = read_build(&packed, NULL);
    assert_int_equal(o.frames->len, 2);
    assert_non_null(strstr(o.truncated_file, "the gzip data is damaged (incorrect data check)"));
    outcome_free(&o);
    build_free(&packed);
    build_free(&plain);
}

/* A block that nobody reads may be large, and larger still once it is unpacked: what follows it is found. */
static void large_unpacked(void **state)
{
    (void)state;
    struct build plain = build_new(false), body = build_new(false), packed = build_new(false);
    ng_section(&plain);
    ng_interface(&plain, 1, 0, NULL);
    g_byte_array_set_size(body.bytes, 8 << 20);
    memset(body.bytes->data, 0, body.bytes->len);
    ng_block(&plain, 0x0bad, &body);
    ng_packet(&plain, 0, 1, "found", 5, 5);
    size_t room = ZSTD_compressBound(plain.bytes->len);
    g_byte_array_set_size(packed.bytes, (guint)room);
    size_t n = ZSTD_compress(packed.bytes->data, room, plain.bytes->data, plain.bytes->len, 1);
    assert_true(n < plain.bytes->len / 1000);
    struct outcome o = read_bytes(packed.bytes->data, n, NULL);
    assert_true(outcome_clean(&o));
    assert_int_equal(o.frames->len, 1);
    assert_memory_equal(frame_at(&o, 0)->bytes, "found", 5);
    outcome_free(&o);
    build_free(&packed);
    build_free(&body);
    build_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gzip_files),
        cmocka_unit_test(zstd_files),
        cmocka_unit_test(compressed_and_damaged),
        cmocka_unit_test(large_unpacked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
