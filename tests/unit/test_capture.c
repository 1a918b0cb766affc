/* The reader as a whole: what it refuses and how it says so, filters, merging, standard input. */
#include "capture_files.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>

static void assert_error(struct outcome o, int code, const char *const *words)
{
    assert_false(o.opened);
    assert_non_null(o.message);
    for (; *words; words++) {
        if (!strstr(o.message, *words))
            fail_msg("\"%s\" does not say \"%s\"", o.message, *words);
    }
    assert_null(strchr(o.message, '\n'));
    assert_int_equal(o.code, code);
    outcome_free(&o);
}

/* clang-format off */
#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }
/* clang-format on */

static void refuses_paths(void **state)
{
    (void)state;
    struct folder f = make_folder();
    assert_error(read_path(file_in(&f, "none.pcap", NULL, 0), NULL), CAPTURE_ERROR_OPEN, WORDS(f.file, "no such file"));
    assert_error(read_path(f.path, NULL), CAPTURE_ERROR_OPEN, WORDS(f.path, "directory", "name the capture files"));
    assert_error(read_path(file_in(&f, "empty.pcap", "", 0), NULL), CAPTURE_ERROR_EMPTY,
                 WORDS(f.file, "empty (0 bytes)"));
    assert_error(read_paths(WORDS("-", "-"), 2, NULL), CAPTURE_ERROR_OPEN, WORDS("standard input", "twice"));
    /* A name never reaches the terminal raw. */
    assert_error(read_path("a\x1b[2J\nb", NULL), CAPTURE_ERROR_OPEN, WORDS("a\\x1b[2J\\x0ab: no such file"));
    file_in(&f, "secret.pcap", "x", 1);
    g_chmod(f.file, 0);
    if (geteuid() != 0) /* root may read everything */
        assert_error(read_path(f.file, NULL), CAPTURE_ERROR_OPEN, WORDS(f.file, "permission denied", "sudo"));
    remove_folder(&f);
}

static void refuses_contents(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *words[3];
    } rows[] = {
#define BYTES(s) s, sizeof s - 1
        { BYTES("hello, world\n"), { "not a capture file", "starts with text", "pcap and pcapng, snoop, ERF," } },
        { BYTES("x"), { "not a capture file", "starts with text" } },
        { BYTES("\x7f\x45LF\2\1\1"), { "not a capture file", "ELF" } },
        { BYTES("PK\3\4\0\0"), { "ZIP archive", "unpack it first" } },
        { BYTES("TRSNIFF data"), { "Sniffer capture", "editcap" } },
        { BYTES("\0\0\0\0\0\0\0\0"), { "not a capture file", "zero bytes" } },
        { BYTES("\x80\x81\x82\x83\x84"), { "not a capture file", "no known kind" } },
        { BYTES("\xd4\xc3\xb2\xa1\2\0"), { "only 6 of the 24 bytes" } },
        { BYTES("\xd4\xc3\xb2\xa1\x09\0\x09\0\0\0\0\0\0\0\0\0\xff\xff\0\0\1\0\0\0"),
          { "pcap header is damaged", "9.9" } },
        { BYTES("\n\r\r\n\x1c\0\0\0"), { "pcapng header is damaged", "cut short" } },
        { BYTES("\n\r\r\n\x1c\0\0\0\1\2\3\4\1\0\0\0\0\0\0\0\0\0\0\0\x1c\0\0\0"),
          { "pcapng header is damaged", "byte order" } },
        { BYTES("\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\2\0\0\0\0\0\0\0\0\0\0\0\x1c\0\0\0"), { "unknown version" } },
        { BYTES("\x1f\x8b\x08\0\0\0"), { "nothing of it can be read", "the gzip data ends too early" } },
        { BYTES("\x1f\x8b\xff\0\0\0\0\0\0\0\0\0"), { "nothing of it can be read", "the gzip data is damaged" } },
        /* gzip of nothing, and zstd of nothing */
        { BYTES("\x1f\x8b\x08\0\0\0\0\0\0\3\3\0\0\0\0\0\0\0\0\0"), { "empty (a gzip file of 0 bytes)" } },
        { BYTES("\x28\xb5\x2f\xfd\x20\0\1\0\0"), { "empty (a zstd file of 0 bytes)" } },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int code = strncmp(rows[i].words[0], "empty", 5) == 0 ? CAPTURE_ERROR_EMPTY : CAPTURE_ERROR_FORMAT;
        for (size_t k = 0; k < 3 && rows[i].words[k]; k++)
            assert_error(read_bytes(rows[i].bytes, rows[i].n, NULL), code, WORDS("/proc/self/fd/", rows[i].words[k]));
    }
}

/* A header without packets is a capture. */
static void no_packets(void **state)
{
    (void)state;
    struct build b = build_new(false);
    pcap_header(&b, 0xa1b2c3d4, 1);
    struct outcome o = read_build(&b, "tcp");
    assert_int_equal(o.status, CAPTURE_END);
    assert_int_equal(o.frames->len, 0);
    assert_false(o.info.truncated);
    outcome_free(&o);
    build_free(&b);
}

/* The first packet is nonsense: nothing could be read, and that is a failure; a cut there is not. */
static void first_packet_damaged(void **state)
{
    (void)state;
    struct build b = build_new(false);
    pcap_header(&b, 0xa1b2c3d4, 1);
    put(&b, "nonsense instead of a packet", 28);
    struct outcome o = read_build(&b, NULL);
    assert_int_equal(o.status, CAPTURE_FAILED);
    assert_int_equal(o.code, CAPTURE_ERROR_READ);
    assert_non_null(strstr(o.message, "damaged"));
    assert_non_null(strstr(o.message, "first packet"));
    outcome_free(&o);
    o = read_bytes(b.bytes->data, 30, NULL);
    assert_int_equal(o.status, CAPTURE_END);
    assert_true(o.info.truncated);
    assert_non_null(strstr(o.truncated_file, "cut short before the end of its first packet"));
    outcome_free(&o);
    build_free(&b);
}

/* One file with a packet on Ethernet, ARP on Ethernet, the packet on a link without a header. */
static void mixed_file(struct build *b)
{
    ng_section(b);
    ng_interface(b, 1, 0, NULL);
    ng_interface(b, 101, 0, NULL);
    ng_packet(b, 0, 1, ethernet_packet, 54, 54);
    ng_packet(b, 0, 2, arp_packet, 42, 42);
    ng_packet(b, 1, 3, ip_packet, 40, 40);
}

/* For every link type its own program; numbers count the frames that are not accepted too. */
static void filters(void **state)
{
    (void)state;
    static const struct {
        const char *filter;
        guint n;
        uint64_t numbers[3];
    } rows[] = {
        { NULL, 3, { 1, 2, 3 } },
        { "", 3, { 1, 2, 3 } },
        { "tcp port 80", 2, { 1, 3 } },
        { "host 147.83.2.135 and tcp[tcpflags] & tcp-syn != 0", 2, { 1, 3 } },
        { "arp", 1, { 2 } },
        { "greater 41", 2, { 1, 2 } },
        { "not tcp", 1, { 2 } },
        /* No sense on a link without Ethernet addresses, not even when negated. */
        { "ether host 02:00:00:00:00:01", 2, { 1, 2 } },
        { "not ether host 02:00:00:00:00:09", 2, { 1, 2 } },
        /* No sense on Ethernet: accepted as a filter, and by no frame. */
        { "wlan type mgt", 0, { 0 } },
        { "udp", 0, { 0 } },
    };
    struct build b = build_new(false);
    mixed_file(&b);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct outcome o = read_build(&b, rows[i].filter);
        assert_int_equal(o.status, CAPTURE_END);
        assert_int_equal(o.frames->len, rows[i].n);
        for (guint k = 0; k < rows[i].n; k++)
            assert_int_equal(frame_at(&o, k)->number, rows[i].numbers[k]);
        assert_int_equal(o.info.dlts->len, 2);
        outcome_free(&o);
    }
    assert_error(read_build(&b, "tcp prot 80"), CAPTURE_ERROR_FILTER,
                 WORDS("filter \"tcp prot 80\"", "syntax error", "pcap-filter"));
    assert_error(read_build(&b, "tcp port 99999999"), CAPTURE_ERROR_FILTER, WORDS("filter"));
    build_free(&b);
}

/* Three files: times tie, one runs backwards, one ends in the middle of a packet. */
static void merges(void **state)
{
    (void)state;
    static const uint32_t times[3][4] = { { 10, 30, 30, 50 }, { 20, 30, 5, 40 }, { 10, 60, 61, 62 } };
    /* By time; ties by path; after 30 of b its 5 is next, as b's order is kept. */
    static const char expected[] = "a0 c0 b0 a1 a2 b1 b2 b3 a3 c1 c2";
    char paths[3][32];
    int fds[3];
    for (unsigned i = 0; i < 3; i++) {
        struct build b = build_new(i == 1);
        pcap_header(&b, i == 2 ? 0xa1b23c4d : 0xa1b2c3d4, i == 1 ? 101 : 1);
        for (unsigned k = 0; k < 4; k++) {
            char name[3] = { (char)('a' + i), (char)('0' + k), 0 };
            pcap_packet(&b, times[i][k], 0, name, 2, 2);
        }
        fds[i] = memory_file(b.bytes->data, b.bytes->len - (i == 2), paths[i]);
        build_free(&b);
    }
    struct outcome o = read_paths(WORDS(paths[0], paths[1], paths[2]), 3, NULL);
    assert_int_equal(o.status, CAPTURE_END);
    GString *got = g_string_new(NULL);
    for (guint i = 0; i < o.frames->len; i++) {
        const struct frame *f = frame_at(&o, i);
        assert_int_equal(f->number, i + 1);
        assert_int_equal(f->dlt, f->bytes[0] == 'b' ? DLT_RAW : DLT_EN10MB);
        g_string_append_printf(got, "%s%.2s", i ? " " : "", (const char *)f->bytes);
    }
    assert_string_equal(got->str, expected);
    g_string_free(got, TRUE);
    assert_true(o.info.nanoseconds);
    assert_int_equal(o.info.dlts->len, 2);
    assert_int_equal(o.info.bytes_read, o.info.bytes_total);
    assert_int_equal(o.info.bytes_total, 3 * (24 + 4 * 18) - 1);
    assert_true(o.info.truncated);
    assert_non_null(strstr(o.truncated_file, paths[2]));
    assert_null(strstr(o.truncated_file, paths[0]));
    outcome_free(&o);
    for (unsigned i = 0; i < 3; i++)
        close(fds[i]);
}

/* Many files at once: the heap gives them in order. */
static void merges_many(void **state)
{
    (void)state;
    enum { FILES = 50, PACKETS = 20 };
    char paths[FILES][32];
    const char *names[FILES];
    int fds[FILES];
    for (uint32_t i = 0; i < FILES; i++) {
        struct build b = build_new(false);
        pcap_header(&b, 0xa1b2c3d4, 1);
        for (uint32_t k = 0; k < PACKETS; k++)
            pcap_packet(&b, k * 10 + i * 7 % 10, i, "x", 1, 1);
        fds[i] = memory_file(b.bytes->data, b.bytes->len, paths[i]);
        names[i] = paths[i];
        build_free(&b);
    }
    struct outcome o = read_paths(names, FILES, NULL);
    assert_int_equal(o.frames->len, FILES * PACKETS);
    for (guint i = 1; i < o.frames->len; i++)
        assert_true(frame_at(&o, i)->ts_ns >= frame_at(&o, i - 1)->ts_ns);
    outcome_free(&o);
    for (size_t i = 0; i < FILES; i++)
        close(fds[i]);
}

/* Reads `path` with fd as standard input. */
static struct outcome read_with_stdin(int fd, const char *path)
{
    int saved = dup(STDIN_FILENO);
    assert_true(dup2(fd, STDIN_FILENO) == STDIN_FILENO);
    close(fd);
    struct outcome o = read_path(path, NULL);
    dup2(saved, STDIN_FILENO);
    close(saved);
    return o;
}

static void standard_input(void **state)
{
    (void)state;
    struct build b = build_new(true);
    mixed_file(&b);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], b.bytes->data, b.bytes->len), b.bytes->len);
    close(ends[1]);
    struct outcome o = read_with_stdin(ends[0], "-");
    assert_int_equal(o.status, CAPTURE_END);
    assert_int_equal(o.frames->len, 3);
    assert_int_equal(o.info.bytes_total, 0);
    assert_int_equal(o.info.bytes_read, b.bytes->len);
    outcome_free(&o);
    /* A pipe that nobody wrote to; a file, of which a part was read before. */
    assert_int_equal(pipe(ends), 0);
    close(ends[1]);
    assert_error(read_with_stdin(ends[0], "-"), CAPTURE_ERROR_EMPTY, WORDS("standard input", "empty"));
    char path[32];
    g_byte_array_prepend(b.bytes, (const guint8 *)"skip", 4);
    int fd = memory_file(b.bytes->data, b.bytes->len, path);
    lseek(fd, 4, SEEK_SET);
    o = read_with_stdin(fd, "-");
    assert_int_equal(o.frames->len, 3);
    assert_int_equal(o.info.bytes_total, b.bytes->len - 4);
    outcome_free(&o);
    build_free(&b);
    fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (fd >= 0)
        assert_error(read_with_stdin(fd, "-"), CAPTURE_ERROR_OPEN, WORDS("standard input", "terminal"));
}

/* A pipe that is still open for writing: the packet that is there comes all the same, without waiting for more. */
static void live_pipe(void **state)
{
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct build b = build_new(false);
        if (ng)
            mixed_file(&b);
        else
            pcap_header(&b, 0xa1b2c3d4, 1), pcap_packet(&b, 1, 0, ethernet_packet, 54, 54);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], b.bytes->data, b.bytes->len), b.bytes->len);
        char path[32];
        snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
        struct frame frame;
        struct capture *c = capture_open_files(WORDS(path), 1, "tcp", NULL);
        assert_non_null(c);
        for (int i = 0; i < 1 + ng; i++)
            assert_int_equal(capture_next(c, &frame, NULL), CAPTURE_FRAME);
        close(ends[1]);
        assert_int_equal(capture_next(c, &frame, NULL), CAPTURE_END);
        capture_free(c);
        close(ends[0]);
        build_free(&b);
    }
}

static void dlt_names(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(capture_dlt_name(DLT_EN10MB, out), "EN10MB");
    assert_string_equal(capture_dlt_name(9999, out), "DLT_9999");
}

/* A file is its own input by whichever name; a file with the same bytes is not; nor is what is no regular file. */
static void knows_its_inputs(void **state)
{
    (void)state;
    struct folder f = make_folder();
    struct build b = build_new(false);
    pcap_header(&b, 0xa1b2c3d4, 1);
    g_autofree char *first = g_strdup(file_in(&f, "first", b.bytes->data, b.bytes->len));
    g_autofree char *second = g_strdup(file_in(&f, "second", b.bytes->data, b.bytes->len));
    g_autofree char *copy = g_strdup(file_in(&f, "copy", b.bytes->data, b.bytes->len));
    g_autofree char *hard = g_strdup(file_in(&f, "hard", NULL, 0));
    g_autofree char *symbolic = g_strdup(file_in(&f, "symbolic", NULL, 0));
    assert_int_equal(link(second, hard), 0);
    assert_int_equal(symlink("first", symbolic), 0);
    struct capture *c = capture_open_files(WORDS(first, second), 2, NULL, NULL);
    assert_non_null(c);
    const char *const inputs[] = { first, second, hard, symbolic };
    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++)
        assert_true(capture_is_input(c, inputs[i]));
    assert_false(capture_is_input(c, copy));
    assert_false(capture_is_input(c, file_in(&f, "none", NULL, 0)));
    assert_false(capture_is_input(c, f.path));
    assert_false(capture_is_input(c, "/dev/null"));
    capture_free(c);
    build_free(&b);
    remove_folder(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_paths), cmocka_unit_test(refuses_contents),
        cmocka_unit_test(no_packets),    cmocka_unit_test(first_packet_damaged),
        cmocka_unit_test(filters),       cmocka_unit_test(merges),
        cmocka_unit_test(merges_many),   cmocka_unit_test(standard_input),
        cmocka_unit_test(live_pipe),     cmocka_unit_test(dlt_names),
        cmocka_unit_test(knows_its_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
