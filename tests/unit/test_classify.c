/* What is odd about each segment: Wireshark's classes, and where the bytes really seen, IP-IDs and time stamps settle what it guesses. */
#include "flow/classify.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* A line of packets.h, and the names of what is odd about it, joined by ", ". */
struct row {
    const char *line, *odd;
};

static char *names_of(uint32_t anomaly)
{
    GString *out = g_string_new(NULL);

    for (uint32_t bit = 1; bit; bit <<= 1)
        if (anomaly & bit)
            g_string_append_printf(out, "%s%s", out->len ? ", " : "", anomaly_name(bit));
    return g_string_free(out, FALSE);
}

static void check_rows(const struct row *rows, size_t n)
{
    struct talk *t = talk_new(1);

    for (size_t i = 0; i < n; i++)
        talk_lines(t, rows[i].line);
    const struct flow *f = talk_finish(t, 0);
    assert_int_equal(f->log->len, n);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *odd = names_of(g_array_index(f->log, struct log_entry, i).anomaly);
        if (strcmp(odd, rows[i].odd) != 0)
            fail_msg("packet %zu, \"%s\": \"%s\", expected \"%s\"", i + 1, rows[i].line, odd, rows[i].odd);
    }
    talk_free(t);
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        static const struct row rows[] = { __VA_ARGS__ };                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                                          \
    } while (0)

/* A round trip of 20 ms. */
#define HANDSHAKE { "C S", "" }, { "S S.", "" }, { "C .", "" }

static void test_clean(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (100)", "" }, { "S .", "" }, { "S P. (1460)", "" }, { "S P. (1460)", "" }, { "C .", "" }, { "C F.", "" },
          { "S F.", "" }, { "C .", "" });
}

static void test_retransmission(void **state)
{
    (void)state;
    CHECK({ "C S", "" }, { "C S seq 0 +1s", "retransmission" }, { "S S.", "" }, { "S S. seq 0 +1s", "retransmission" }, { "C .", "" });
    CHECK(HANDSHAKE, { "C P. (100)", "" }, { "C P. seq 1 (100) +300", "retransmission" }, { "S .", "" },
          { "C P. seq 1 (100) +300", "retransmission, spurious retransmission" });
    CHECK(HANDSHAKE, { "C F.", "" }, { "C F. seq -1 +300", "retransmission" });
    /* a hole, three duplicate ACKs, the segment again: within a round trip, and with SACK */
    CHECK(HANDSHAKE, { "S . (1460) id 1", "" }, { "S . (1460) seq 2921 id 3 +0", "previous segment not captured" }, { "C . ack 1461 +0", "" },
          { "S . (1460) id 4 +0", "" }, { "C . ack 1461 +0", "duplicate ACK" }, { "S . (1460) id 5 +0", "" }, { "C . ack 1461 +0", "duplicate ACK" },
          { "S . (1460) seq 1461 id 6 +15", "retransmission, fast retransmission" }, { "C .", "" });
    /* after a time-out, not fast */
    CHECK(HANDSHAKE, { "S . (1460)", "" }, { "S . (1460) seq 2921 +0", "previous segment not captured" }, { "C . ack 1461 +0", "" },
          { "C . ack 1461 sack 2921-4381 +0", "duplicate ACK" }, { "C . ack 1461 sack 2921-4381 +0", "duplicate ACK" },
          { "S . (1460) seq 1461 +300", "retransmission" });
}

/* The same picture, a segment below what was seen: it was overtaken, or it was sent again. */
static void test_out_of_order(void **state)
{
    (void)state;
    /* IP-IDs tell, even after three duplicate ACKs */
    CHECK(HANDSHAKE, { "S . (1460) id 10", "" }, { "S . (1460) seq 2921 id 12 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 11 +500", "out of order" });
    CHECK(HANDSHAKE, { "S . (1460) id 10", "" }, { "S . (1460) seq 2921 id 12 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 13 +1", "retransmission" });
    /* they wrap */
    CHECK(HANDSHAKE, { "S . (1460) id 65534", "" }, { "S . (1460) seq 2921 id 2 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 65535 +500", "out of order" });
    /* time stamps tell where there are no IP-IDs */
    CHECK(HANDSHAKE, { "S . (1460) id 0 ts 5", "" }, { "S . (1460) seq 2921 id 0 ts 9 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 0 ts 7 +500", "out of order" });
    CHECK(HANDSHAKE, { "S . (1460) id 0 ts 5", "" }, { "S . (1460) seq 2921 id 0 ts 9 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 0 ts 10 +1", "retransmission" });
    /* neither: the time decides, within a round trip */
    CHECK(HANDSHAKE, { "S . (1460) id 0", "" }, { "S . (1460) seq 2921 id 0 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 0 +5", "out of order" });
    CHECK(HANDSHAKE, { "S . (1460) id 0", "" }, { "S . (1460) seq 2921 id 0 +0", "previous segment not captured" },
          { "S . (1460) seq 1461 id 0 +25", "retransmission" });
    /* an old IP-ID on bytes that were seen before: a copy that comes very late, not a late arrival */
    CHECK(HANDSHAKE, { "S . (1460) id 7", "" }, { "S . (1460) id 8 +0", "" }, { "S . (1460) seq 1 id 7 +400", "retransmission" });
    /* but what was seen before is no late arrival, however soon it comes */
    CHECK(HANDSHAKE, { "S . (1460) id 0", "" }, { "S . (1460) id 0 +0", "" }, { "S . (1460) seq 1 id 0 +5", "retransmission" });
}

static void test_acks(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (10)", "" }, { "S .", "" }, { "S .", "duplicate ACK" }, { "S . win 600", "window update" },
          { "S . win 600", "duplicate ACK" }, { "S F.", "" }, { "S . win 700", "window update" });
    CHECK(HANDSHAKE, { "S . ack 101", "ACKed unseen segment" }, { "C P. seq 1 (100)", "retransmission, spurious retransmission" });
    /* the SYN-ACK that comes twice is answered twice */
    CHECK({ "C S", "" }, { "S S.", "" }, { "C .", "" }, { "S S. seq 0 +1s", "retransmission" }, { "C .", "duplicate ACK" });
}

static void test_keep_alive(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (10)", "" }, { "S .", "" }, { "C . seq -1 (1) +60s", "keep-alive" }, { "S .", "keep-alive ACK" },
          { "C . seq -1 +60s", "keep-alive" }, { "S .", "keep-alive ACK" }, { "C P. (10)", "" }, { "S .", "" });
    /* a retransmission of one byte that was not acknowledged looks the same to Wireshark too */
    CHECK(HANDSHAKE, { "C P. (1)", "" }, { "C P. seq 1 (1) +300", "keep-alive" });
}

static void test_windows(void **state)
{
    (void)state;
    /* scaled by 2^7: 10 is 1280 bytes */
    CHECK(HANDSHAKE, { "C . win 10", "window update" }, { "S . (1280)", "window full" }, { "C . win 0", "zero window" },
          { "S . (1) +300", "zero-window probe" }, { "C . ack 1281 win 0", "zero window, zero-window probe ACK" },
          { "S . seq 1281 (1) +600", "zero-window probe" }, { "C . ack 1281 win 10", "window update" }, { "S . seq 1281 (1280)", "window full" });
    /* a receiver that takes the byte of the probe */
    CHECK(HANDSHAKE, { "C . win 0", "zero window" }, { "S . (1) +300", "zero-window probe" }, { "C . win 0", "zero window, zero-window probe ACK" },
          { "S . (1) +600", "zero-window probe" }, { "C . win 10", "" }, { "S . (100)", "" }, { "C .", "" });
    /* not scaled where one end did not offer it, nor in a SYN-ACK */
    CHECK({ "C S", "" }, { "S S. nows", "" }, { "C . win 1000", "" }, { "S . (1000)", "window full" });
    CHECK({ "C S nows", "" }, { "S S.", "" }, { "C . win 1000", "" }, { "S . (1000)", "window full" });
    CHECK({ "C S ws 0", "" }, { "S S. ws 0", "" }, { "C . win 1000", "" }, { "S . (500)", "" }, { "S . (500)", "window full" });
    /* the scale is not known: no guess */
    CHECK({ "C . seq 5 win 10", "" }, { "S . (10)", "" }, { "S . (1270)", "" });
    /* a zero window in a RST says nothing */
    CHECK(HANDSHAKE, { "S R.", "" });
}

static void test_capture(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (10) badsum", "bad checksum" }, { "S .", "" });
    CHECK(HANDSHAKE, { "S P. (100)", "" }, { "S P. seq +100 (100)", "previous segment not captured" }, { "C .", "ACKed unseen segment" },
          { "S P. (100)", "" }, { "C .", "" });
}

/* Numbers that no real segment has: nothing is learnt from them, and the stream goes on. */
static void test_far_away(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, "C S; S S.; C .; C P. (10)");
    struct packet stray = t->last[CLIENT];
    stray.tcp.seq += 0x40001000;
    talk_send(t, &stray);
    stray.tcp.seq += 0x40000000;
    talk_send(t, &stray);
    stray.tcp.seq = t->last[CLIENT].tcp.seq;
    stray.tcp.len = 0x7fffffff;
    talk_send(t, &stray);
    const struct flow *f = talk_finish(t, 0);
    assert_int_equal(f->half[CLIENT].bytes, 10);
    talk_free(t);
}

static void test_names(void **state)
{
    (void)state;
    for (uint32_t bit = 1; bit <= ANOMALY_BAD_CHECKSUM; bit <<= 1)
        assert_non_null(anomaly_name(bit));
    assert_string_equal(anomaly_name(ANOMALY_BAD_CHECKSUM), "bad checksum");
    assert_null(anomaly_name(0));
    assert_null(anomaly_name(1u << 31));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean),      cmocka_unit_test(test_retransmission), cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_acks),       cmocka_unit_test(test_keep_alive),     cmocka_unit_test(test_windows),
        cmocka_unit_test(test_capture),    cmocka_unit_test(test_far_away),       cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
