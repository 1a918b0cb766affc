/* TCP headers, options, cut segments and checksums. */
#include "base/bytes.h"
#include "dissect/checksum.h"
#include "dissect/tcp.h"
#include "tests/unit/dissect_help.h"

static void test_headers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* Flags [P.], length 3: an odd length, checksum right; and wrong */
        { RAW_IP, "4500 002b 0001 4000 4006 26ca 0a00 0001 0a00 0002 1234 0050 0000 0001 0000 0000 5018 0200 c2df "
          "0000 616263",
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 P. seq 1 ack 0 win 512 len 3" },
        { RAW_IP, "4500 002b 0001 4000 4006 26ca 0a00 0001 0a00 0002 1234 0050 0000 0001 0000 0000 5018 0200 c2df "
          "0000 616264",
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 P. seq 1 ack 0 win 512 len 3 bad" },
        /* all flags */
        { RAW_IP, "4500 0028 0001 4000 4006 26cd 0a00 0001 0a00 0002 1234 0050 0000 0001 0000 0000 51ff 0200 0000 0000",
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 FSRP.UEWA seq 1 ack 0 win 512 len 0 bad" },
        /* [nop,nop,TS val 10 ecr 20], length 8 */
        { RAW_IP, "4500 003c 0001 4000 4006 0000 0a00 0001 0a00 0002 "
          "1234 0050 0000 0001 0000 0000 8010 0200 bc7a 0000 0101 080a 0000 000a 0000 0014 6162 6364 6566 6768",
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 . seq 1 ack 0 win 512 len 8 opt 0x10" },
        /* [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7] */
        { RAW_IP, "4500 003c 0001 4000 4006 0000 0a00 0001 0a00 0002 "
          "1234 0050 0000 0001 0000 0000 a002 0200 1f78 0000 0204 05b4 0402 080a 0000 0001 0000 0000 0103 0307",
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 S seq 1 ack 0 win 512 len 0 opt 0x17" },
        /* data offset 4; beyond the segment; 19 bytes */
        { RAW_IP, IP4 "1234 0050 0000 0001 0000 0000 4002 0200 0000 0000", "undecoded: tcp header malformed" },
        { RAW_IP, IP4 "1234 0050 0000 0001 0000 0000 6002 0200 0000 0000", "undecoded: tcp header malformed" },
        { RAW_IP, "4500 0027 0001 4000 4006 0000 0a00 0001 0a00 0002 1234 0050 0000 0001 0000 0000 5002 0200 0000 00",
          "undecoded: tcp header cut" },
    };
    CHECK_ROWS(rows);
}

/* One segment with options and 8 bytes of payload, cut at every place by the snaplen. */
static void test_cut(void **state)
{
    (void)state;
    static const char hex[] = "4500 003c 0001 4000 4006 0000 0a00 0001 0a00 0002 "
                              "1234 0050 0000 0001 0000 0000 8010 0200 bc7a 0000 0101 080a 0000 000a 0000 0014 6162 "
          "6364 6566 6768";
    uint8_t bytes[4096];
    struct packet pk;
    struct dissector *d = dissector_new();
    size_t n = hex_bytes(hex, bytes);
    for (size_t caplen = 20; caplen <= n; caplen++) {
        read_bytes(d, RAW_IP, bytes, caplen, n, &pk);
        if (caplen < 40) {
            assert_int_equal(pk.kind, PACKET_UNDECODED);
            assert_int_equal(pk.reason, UNDECODED_TCP_SHORT);
            continue;
        }
        assert_int_equal(pk.kind, PACKET_TCP);
        assert_int_equal(pk.tcp.len, 8);
        assert_int_equal(pk.tcp.payload.n, caplen < 52 ? 0 : caplen - 52);
        assert_int_equal(pk.tcp.opt.present, caplen < 52 ? TCPOPT_CUT : TCPOPT_HAS_TIMESTAMPS);
        assert_int_equal(pk.tcp.checksum_checked, caplen == n);
        assert_false(pk.tcp.checksum_bad);
    }
    assert_int_equal(pk.tcp.opt.tsval, 10);
    assert_int_equal(pk.tcp.opt.tsecr, 20);
    dissector_free(d);
}

/* Reads an option list of `length` bytes of which `hex` was captured (all of it where length is 0). */
static struct tcp_options read_options(const char *hex, size_t length)
{
    uint8_t bytes[4096];
    struct tcp_options o;
    size_t n = hex_bytes(hex, bytes);
    uint8_t *copy = guard_copy(bytes, n);
    memset(&o, 0xee, sizeof o);
    tcp_options_read(slice_of(copy, n), length ? length : n, &o);
    guard_free(copy);
    return o;
}

static void test_each_option(void **state)
{
    (void)state;
    struct tcp_options o = read_options("0204 05b4 0101 0303 0e", 0);
    assert_int_equal(o.present, TCPOPT_HAS_MSS | TCPOPT_HAS_WSCALE);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.wscale, 14);
    assert_int_equal(o.tsval, 0);
    o = read_options("0101 0512 0000 0001 0000 0002 0000 0003 0000 0004", 0);
    assert_int_equal(o.present, TCPOPT_HAS_SACK);
    assert_int_equal(o.n_sack, 2);
    assert_int_equal(o.sack[1].left, 3);
    assert_int_equal(o.sack[1].right, 4);
    /* fast open: asks for a cookie; has one of 8 bytes; the experiment's form of both */
    o = read_options("2202 0101", 0);
    assert_int_equal(o.present, TCPOPT_HAS_FASTOPEN);
    assert_int_equal(o.fastopen_len, 0);
    o = read_options("220a 1122334455667788 0101", 0);
    assert_int_equal(o.fastopen_len, 8);
    o = read_options("fe04 f989", 0);
    assert_int_equal(o.present, TCPOPT_HAS_FASTOPEN);
    assert_int_equal(o.fastopen_len, 0);
    o = read_options("fe0c f989 1122334455667788", 0);
    assert_int_equal(o.fastopen_len, 8);
    o = read_options("fe04 1234", 0);
    assert_int_equal(o.present, TCPOPT_HAS_OTHER);
    /* multipath: MP_CAPABLE, MP_JOIN */
    o = read_options("1e04 0181", 0);
    assert_int_equal(o.present, TCPOPT_HAS_MPTCP);
    assert_int_equal(o.mptcp_subtype, 0);
    o = read_options("1e0c 1000 11223344 55667788", 0);
    assert_int_equal(o.mptcp_subtype, 1);
    /* MD5 signature, authentication option */
    o = read_options("1312 00112233445566778899aabbccddeeff 0101", 0);
    assert_int_equal(o.present, TCPOPT_HAS_MD5);
    o = read_options("1d10 0000 00112233445566778899aabb", 0);
    assert_int_equal(o.present, TCPOPT_HAS_MD5);
    /* end of the list: what stands behind it is nothing */
    o = read_options("0402 0002 0405 b400", 0);
    assert_int_equal(o.present, TCPOPT_HAS_SACK_OK);
    o = read_options("", 0);
    assert_int_equal(o.present, 0);
    o = read_options("0101 0101", 0);
    assert_int_equal(o.present, 0);
}

static void test_bad_options(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        size_t length;
        unsigned present;
    } rows[] = {
        /* lengths 0 and 1; past the header; a kind without a length at the end; what came before holds */
        { "0200 05b4", 0, TCPOPT_MALFORMED },
        { "0201 05b4", 0, TCPOPT_MALFORMED },
        { "0402 0208", 0, TCPOPT_HAS_SACK_OK | TCPOPT_MALFORMED },
        { "0402 0108", 0, TCPOPT_HAS_SACK_OK | TCPOPT_MALFORMED },
        /* known kinds of wrong sizes */
        { "0203 05", 0, TCPOPT_HAS_OTHER },
        { "0304 0707", 0, TCPOPT_HAS_OTHER },
        { "0403 00", 0, TCPOPT_HAS_OTHER },
        { "0506 00000000", 0, TCPOPT_HAS_OTHER },
        { "0806 00000000", 0, TCPOPT_HAS_OTHER },
        { "1e02", 0, TCPOPT_HAS_OTHER },
        { "fe02", 0, TCPOPT_HAS_OTHER },
        /* cut: before anything, between options, in an option, behind the end of the list */
        { "", 12, TCPOPT_CUT },
        { "0402", 12, TCPOPT_HAS_SACK_OK | TCPOPT_CUT },
        { "0402 08", 12, TCPOPT_HAS_SACK_OK | TCPOPT_CUT },
        { "0402 080a 0000", 12, TCPOPT_HAS_SACK_OK | TCPOPT_CUT },
        { "0402 0101 00", 12, TCPOPT_HAS_SACK_OK },
        /* cut, and malformed all the same */
        { "0402 080c 0000", 12, TCPOPT_HAS_SACK_OK | TCPOPT_MALFORMED },
        { "0402 0101 0800", 12, TCPOPT_HAS_SACK_OK | TCPOPT_MALFORMED },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(read_options(rows[i].hex, rows[i].length).present, rows[i].present);
}

/* The plain way of RFC 1071, to compare with. */
static uint16_t slow_sum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static void test_checksum(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof bytes; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = i < 35000 ? 0xff : (uint8_t)(x >> 24); /* all ones carry the most */
    }
    static const size_t starts[] = { 0, 1, 3, 34950, 40000, 40001 };
    for (size_t s = 0; s < sizeof starts / sizeof starts[0]; s++) {
        for (size_t n = 1; n < 300; n++) {
            uint8_t *copy = guard_copy(bytes + starts[s], n);
            uint16_t expected = slow_sum(copy, n), native = checksum_fold(checksum_sum(copy, n));
            guard_free(copy);
            const uint8_t *halves = (const uint8_t *)&native;
            assert_int_equal(halves[0] << 8 | halves[1], expected);
        }
    }
    assert_true(checksum_ok(checksum_sum(bytes, 34000)));
    uint8_t *large = malloc(9 << 20); /* more than the fast loop does in one go */
    memset(large, 0xff, 9 << 20);
    assert_true(checksum_ok(checksum_sum(large, 9 << 20)));
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_each_option),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
