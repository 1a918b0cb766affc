/* capture_foreign: what the tests of the kinds of files that are not pcap share. */
#ifndef TCPSLEUTH_TESTS_CAPTURE_FOREIGN_H
#define TCPSLEUTH_TESTS_CAPTURE_FOREIGN_H

#include "capture_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <zlib.h>

#define SEC 1700000000
#define SEC_NS (INT64_C(1700000000) * NS_PER_S)

static inline void assert_frame(const struct outcome *o, guint i, int64_t ts_ns, const char *bytes, uint32_t wirelen,
                                int dlt)
{
    const struct frame *f = frame_at(o, i);
    assert_int_equal(f->ts_ns, ts_ns);
    assert_int_equal(f->caplen, strlen(bytes));
    assert_memory_equal(f->bytes, bytes, f->caplen);
    assert_int_equal(f->wirelen, wirelen);
    assert_int_equal(f->dlt, dlt);
    assert_int_equal(f->number, i + 1);
}

/* Read to the end without a complaint, though not necessarily every byte. */
static inline bool went_well(const struct outcome *o)
{
    if (o->message || o->truncated_file)
        fprintf(stderr, "%s\n", o->message ? o->message : o->truncated_file);
    return o->opened && !o->message && o->status == CAPTURE_END && !o->info.truncated;
}

static inline struct outcome read_gzip(const struct build *b)
{
    uint8_t out[8192];
    z_stream z = { .next_in = b->bytes->data, .avail_in = b->bytes->len, .next_out = out, .avail_out = sizeof out };
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return read_bytes(out, z.total_out, NULL);
}

static inline void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->frames->len, b->frames->len);
    for (guint i = 0; i < a->frames->len; i++) {
        const struct frame *x = frame_at(a, i), *y = frame_at(b, i);
        assert_int_equal(x->ts_ns, y->ts_ns);
        assert_int_equal(x->caplen, y->caplen);
        assert_int_equal(x->wirelen, y->wirelen);
        assert_int_equal(x->dlt, y->dlt);
        assert_memory_equal(x->bytes, y->bytes, x->caplen);
    }
}

static inline void assert_refused(const struct build *b, const char *words)
{
    struct outcome o = read_build(b, NULL);
    assert_false(o.opened);
    assert_int_equal(o.code, CAPTURE_ERROR_FORMAT);
    if (!strstr(o.message, words))
        fail_msg("\"%s\" does not say \"%s\"", o.message, words);
    outcome_free(&o);
}

/* The file ends after n frames, with a reason. */
static inline void assert_damaged(const struct build *b, guint n, const char *reason)
{
    struct outcome o = read_build(b, NULL);
    const char *said = o.message ? o.message : o.truncated_file;
    assert_true(o.opened);
    assert_int_equal(o.frames->len, n);
    if (!said || !strstr(said, reason))
        fail_msg("\"%s\" does not say \"%s\"", said ? said : "nothing", reason);
    outcome_free(&o);
}

/* Reads every prefix, as it is and from gzip. It is no capture before `begins`; then it has as many packets as ends[]
 * says are whole there; it is clean where it is whole, and, with clean_between, between two packets. */
static inline void check_prefixes(const struct build *b, guint begins, const guint *ends, guint n_ends,
                                  bool clean_between)
{
    for (guint n = 0; n <= b->bytes->len; n++) {
        struct build part = { g_byte_array_new(), b->big };
        put(&part, b->bytes->data, n);
        struct outcome o = read_build(&part, NULL), packed = read_gzip(&part);
        guint whole = 0;
        while (whole < n_ends && ends[whole] <= n)
            whole++;
        bool between = n == begins || (whole > 0 && ends[whole - 1] == n);
        assert_int_equal(o.opened, n >= begins);
        assert_int_equal(packed.opened, n >= begins);
        assert_int_equal(o.code, n == 0 ? CAPTURE_ERROR_EMPTY : n < begins ? CAPTURE_ERROR_FORMAT : -1);
        if (o.opened) {
            assert_int_equal(o.frames->len, whole);
            assert_int_equal(o.info.truncated, n < b->bytes->len && !(between && clean_between));
            assert_true(!o.info.truncated || strstr(o.truncated_file, "cut short"));
            assert_same(&o, &packed);
        }
        outcome_free(&o);
        outcome_free(&packed);
        build_free(&part);
    }
}

#endif
