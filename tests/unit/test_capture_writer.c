/* The file of -w, read back. */
#include "capture_files.h"

#include "base/timens.h"

#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SEC_NS (INT64_C(1700000000) * NS_PER_S)

static const struct frame written[] = {
    { (const uint8_t *)ethernet_packet, 54, 54, SEC_NS + 1001, 1, DLT_EN10MB },
    { (const uint8_t *)arp_packet, 41, 60, SEC_NS + 2002002002, 2, DLT_EN10MB },
    { (const uint8_t *)ip_packet, 40, 40, NS_PER_S * UINT32_MAX + 999999999, 3, DLT_RAW },
};

/* Writes the first n of `written` and reads them back. */
static struct outcome write_and_read(const char *path, size_t n, bool microseconds)
{
    GError *error = NULL;
    struct capture_writer *w = capture_writer_open(path, &error);
    assert_non_null(w);
    if (microseconds)
        capture_writer_set_microseconds(w);
    for (size_t i = 0; i < n; i++)
        assert_true(capture_writer_add(w, &written[i], &error));
    assert_true(capture_writer_close(w, &error));
    assert_null(error);
    struct outcome o = read_path(path, NULL);
    assert_int_equal(o.status, CAPTURE_END);
    assert_int_equal(o.frames->len, n);
    assert_false(o.info.truncated);
    for (guint i = 0; i < n; i++) {
        const struct frame *f = frame_at(&o, i);
        assert_int_equal(f->ts_ns, written[i].ts_ns - (microseconds ? written[i].ts_ns % 1000 : 0));
        assert_int_equal(f->wirelen, written[i].wirelen);
        assert_int_equal(f->caplen, written[i].caplen);
        assert_memory_equal(f->bytes, written[i].bytes, f->caplen);
        assert_int_equal(f->dlt, written[i].dlt);
    }
    return o;
}

/* What the file's header says that packets were cut to, as libpcap reads it. */
static int snapshot_of(struct folder *f, const char *name, uint32_t snaplen)
{
    GError *error = NULL;
    char why[PCAP_ERRBUF_SIZE];
    struct capture_writer *w = capture_writer_open(file_in(f, name, NULL, 0), &error);
    struct frame cut = written[0];

    assert_non_null(w);
    capture_writer_set_snaplen(w, snaplen);
    cut.caplen = 40;
    assert_true(capture_writer_add(w, &cut, &error));
    assert_true(capture_writer_close(w, &error));
    pcap_t *p = pcap_open_offline(f->file, why);
    assert_non_null(p);
    int snapshot = pcap_snapshot(p);
    pcap_close(p);
    return snapshot;
}

static void says_what_it_cut_to(void **state)
{
    (void)state;
    struct folder f = make_folder();
    assert_int_equal(snapshot_of(&f, "cut.pcap", 40), 40);
    assert_int_equal(snapshot_of(&f, "cut.pcapng", 40), 40);
    assert_int_equal(snapshot_of(&f, "whole.pcap", 0), 262144);
    remove_folder(&f);
}

static void writes(void **state)
{
    (void)state;
    struct folder f = make_folder();
    struct outcome o = write_and_read(file_in(&f, "out.pcap", NULL, 0), 2, false);
    assert_true(o.info.nanoseconds);
    outcome_free(&o);
    o = write_and_read(f.file, 2, true); /* over the file before */
    assert_false(o.info.nanoseconds);
    outcome_free(&o);
    o = write_and_read(f.file, 0, false);
    outcome_free(&o);
    o = write_and_read(file_in(&f, "out.pcapng", NULL, 0), 3, false);
    assert_int_equal(o.info.dlts->len, 2);
    outcome_free(&o);
    o = write_and_read(file_in(&f, "none.ntar", NULL, 0), 0, false);
    outcome_free(&o);
    remove_folder(&f);
}

/* How the capture ended stays with a pcapng file, as long as the file is what was captured. */
static void keeps_the_end(void **state)
{
    (void)state;
    struct folder f = make_folder();
    const struct capture_info end = { .drops_known = true, .dropped = 12, .interface_dropped = 2, .end_ns = SEC_NS + 60 * NS_PER_S };
    struct capture_writer *w = capture_writer_open(file_in(&f, "end.pcapng", NULL, 0), NULL);
    for (size_t i = 0; i < 2; i++)
        assert_true(capture_writer_add(w, &written[i], NULL));
    capture_writer_set_end(w, &end);
    assert_true(capture_writer_close(w, NULL));
    struct outcome o = read_path(f.file, NULL);
    assert_int_equal(o.frames->len, 2);
    assert_true(o.info.drops_known);
    assert_int_equal(o.info.dropped, 12);
    assert_int_equal(o.info.interface_dropped, 2);
    assert_int_equal(o.info.end_ns, end.end_ns);
    outcome_free(&o);

    /* One packet is taken out, as an editor would: its block has 32 bytes around 54, filled up to 56. */
    const size_t first = 28 + 32, block = 32 + 56;
    char *bytes;
    gsize n;
    assert_true(g_file_get_contents(f.file, &bytes, &n, NULL));
    memmove(bytes + first, bytes + first + block, n - first - block);
    o = read_path(file_in(&f, "edited.pcapng", bytes, n - block), NULL);
    assert_int_equal(o.frames->len, 1);
    assert_false(o.info.drops_known);
    assert_true(o.info.end_ns == TIME_NONE);
    outcome_free(&o);
    g_free(bytes);
    remove_folder(&f);
}

static void assert_write_error(GError **error, const char *word)
{
    assert_non_null(*error);
    assert_int_equal((*error)->code, CAPTURE_ERROR_WRITE);
    if (!strstr((*error)->message, word))
        fail_msg("\"%s\" does not say \"%s\"", (*error)->message, word);
    g_clear_error(error);
}

static void write_errors(void **state)
{
    (void)state;
    GError *error = NULL;
    assert_null(capture_writer_open("-", &error));
    assert_write_error(&error, "standard output");
    assert_null(capture_writer_open("/nonexistent/x.pcap", &error));
    assert_write_error(&error, "No such file");
    assert_true(capture_writer_close(NULL, &error));

    struct folder f = make_folder();
    struct capture_writer *w = capture_writer_open(file_in(&f, "out.pcap", NULL, 0), &error);
    assert_true(capture_writer_add(w, &written[0], &error));
    assert_false(capture_writer_add(w, &written[2], &error));
    assert_write_error(&error, ".pcapng");
    assert_true(capture_writer_close(w, &error));
    /* A link type that no file can hold */
    struct frame odd = written[0];
    odd.dlt = 70000;
    w = capture_writer_open(f.file, &error);
    assert_false(capture_writer_add(w, &odd, &error));
    assert_write_error(&error, "70000");
    capture_writer_close(w, NULL);
    w = capture_writer_open(file_in(&f, "out.pcapng", NULL, 0), &error);
    assert_false(capture_writer_add(w, &odd, &error));
    assert_write_error(&error, "70000");
    assert_true(capture_writer_close(w, &error));
    remove_folder(&f);
}

/* The disk is full: noticed when the buffer is written out, at the latest when the file is closed. */
static void disk_full(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    for (size_t n = 1; n < 10000; n *= 100) {
        GError *error = NULL;
        struct capture_writer *w = capture_writer_open("/dev/full", &error);
        bool good = true;
        for (size_t i = 0; i < n && good; i++)
            good = capture_writer_add(w, &written[0], &error);
        assert_int_equal(good, n < 1000);
        if (good)
            assert_false(capture_writer_close(w, &error));
        else
            capture_writer_close(w, NULL);
        assert_write_error(&error, "No space left");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes),
        cmocka_unit_test(says_what_it_cut_to),
        cmocka_unit_test(keeps_the_end),
        cmocka_unit_test(write_errors),
        cmocka_unit_test(disk_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
