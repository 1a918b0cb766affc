/* IPv4 and IPv6 headers: lengths that are right, missing or wrong, options, extension headers. */
#include "tests/unit/dissect_help.h"

static void test_v4_lengths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* total length 0, as segmentation offload above 64 KB leaves it: the frame's own length holds */
        { RAW_IP, "4500 0000 0001 4000 4006 0000 0a00 0001 0a00 0002 " TCP4, SYN4_TEXT },
        /* longer than the frame: the rest counts as not captured */
        { RAW_IP, "4500 0030 0001 4000 4006 26c5 0a00 0001 0a00 0002 " TCP4,
          "tcp 10.0.0.1:4660 > 10.0.0.2:80 S seq 1 ack 0 win 512 len 8 captured 0 unchecked" },
        /* shorter than the header; a header of 16 bytes; of 24 bytes in 20; version 5 */
        { RAW_IP, "4500 0010 0001 4000 4006 0000 0a00 0001 0a00 0002 " TCP4, "undecoded: ip header malformed" },
        { RAW_IP, "4400 0028 0001 4000 4006 0000 0a00 0001 0a00 0002 " TCP4, "undecoded: ip header malformed" },
        { RAW_IP, "4600 0014 0001 4000 4006 0000 0a00 0001 0a00 0002", "undecoded: ip header malformed" },
        { RAW_IP, "4600 0018 0001 4000 4006 0000 0a00 0001 0a00 0002", "undecoded: ip header cut" },
        { EN10MB, ETH4 "5500 0028 0001 4000 4006 0000 0a00 0001 0a00 0002 " TCP4, "undecoded: ip header malformed" },
        { RAW_IP, "4500 0014 0001", "undecoded: ip header cut" },
        /* record route, 3 bytes and the end of the list */
        { RAW_IP, "4600 002c 0001 4000 4006 0000 0a00 0001 0a00 0002 0703 0400 " TCP4, SYN4_TEXT },
        /* ICMP echo request; ESP; OSPF; AH around TCP; IPv6's protocol numbers mean nothing here */
        { RAW_IP, "4500 001c 0001 4000 4001 0000 0a00 0001 0a00 0002 0800 f7ff 0000 0000", "echo request id 0 seq 0 payload 0" },
        { RAW_IP, "4500 001c 0001 4000 4032 0000 0a00 0001 0a00 0002 0000 0001 0000 0001", "undecoded: encrypted" },
        { RAW_IP, "4500 001c 0001 4000 4059 0000 0a00 0001 0a00 0002 0000 0001 0000 0001", "other" },
        { RAW_IP, "4500 0040 0001 4000 4033 0000 0a00 0001 0a00 0002 0604 0000 00000001 00000001 "
          "112233445566778899aabbcc " TCP4,
          SYN4_TEXT },
        { RAW_IP, "4500 0030 0001 4000 403c 0000 0a00 0001 0a00 0002 0600 0104 0000 0000 " TCP4, "other" },
    };
    CHECK_ROWS(rows);
}

/* Reads one frame of raw IP. */
static struct packet read_ip(const char *hex)
{
    uint8_t bytes[4096];
    struct packet pk;
    struct dissector *d = dissector_new();
    size_t n = hex_bytes(hex, bytes);
    read_bytes(d, RAW_IP, bytes, n, n, &pk);
    dissector_free(d);
    return pk;
}

static void test_v4_facts(void **state)
{
    (void)state;
    struct packet pk = read_ip("45ba 0028 abcd 4000 3f06 7b46 0a00 0001 0a00 0002 " TCP4);
    assert_int_equal(pk.kind, PACKET_TCP);
    assert_int_equal(pk.ip.version, 4);
    assert_int_equal(pk.ip.ttl, 63);
    assert_int_equal(pk.ip.ecn, 2);
    assert_int_equal(pk.ip.dscp, 46);
    assert_int_equal(pk.ip.protocol, 6);
    assert_int_equal(pk.ip.id, 0xabcd);
    assert_int_equal(pk.ip.total_len, 40);
    assert_true(pk.ip.df);
    assert_false(pk.ip.reassembled);
    assert_false(pk.ip.checksum_bad);
    assert_int_equal(pk.number, 1);
    assert_int_equal(pk.caplen, 40);
    pk = read_ip("4500 0028 0001 0000 4006 0000 0a00 0001 0a00 0002 " TCP4);
    assert_false(pk.ip.df);
    assert_false(pk.ip.checksum_bad); /* 0 is left to the card */
    pk = read_ip("4500 0028 0001 0000 4006 0001 0a00 0001 0a00 0002 " TCP4);
    assert_true(pk.ip.checksum_bad);
    /* options count in the sum */
    pk = read_ip("4600 002c 0001 4000 4006 1ac6 0a00 0001 0a00 0002 0703 0400 " TCP4);
    assert_false(pk.ip.checksum_bad);
    pk = read_ip("4600 002c 0001 4000 4006 1ac7 0a00 0001 0a00 0002 0703 0400 " TCP4);
    assert_true(pk.ip.checksum_bad);
    /* total length 0 */
    pk = read_ip("4500 0000 0001 4000 4006 0000 0a00 0001 0a00 0002 " TCP4);
    assert_int_equal(pk.ip.total_len, 40);
}

static void test_v6_headers(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* hop-by-hop (router alert) and destination options */
        { RAW_IP, "6000 0000 0024 0040 " ADDRS6 "3c00 0502 0000 0100 0600 0104 0000 0000 " TCP6, SYN6_TEXT },
        /* a routing header with nothing to go; with one: to fd00::2 by way of fd00::3 (type 0), segment routing
         * likewise */
        { RAW_IP, "6000 0000 001c 2b40 " ADDRS6 "0600 0000 0000 0000 " TCP6, SYN6_TEXT },
        { RAW_IP, "6000 0000 002c 2b40 fd00 0000 0000 0000 0000 0000 0000 0001 fd00 0000 0000 0000 0000 0000 0000 0003 "
          "0602 0001 0000 0000 fd00 0000 0000 0000 0000 0000 0000 0002 " TCP6, SYN6_TEXT },
        { RAW_IP, "6000 0000 003c 2b40 fd00 0000 0000 0000 0000 0000 0000 0001 fd00 0000 0000 0000 0000 0000 0000 0003 "
          "0604 0401 0100 0000 fd00 0000 0000 0000 0000 0000 0000 0002 fd00 0000 0000 0000 0000 0000 0000 0003 " TCP6,
          SYN6_TEXT },
        /* an atomic fragment; AH; mobility */
        { RAW_IP, "6000 0000 001c 2c40 " ADDRS6 "0600 0000 0000 0007 " TCP6, SYN6_TEXT },
        { RAW_IP, "6000 0000 002c 3340 " ADDRS6 "0604 0000 00000001 00000001 112233445566778899aabbcc " TCP6,
          SYN6_TEXT },
        { RAW_IP, "6000 0000 001c 8740 " ADDRS6 "0600 0000 0000 0000 " TCP6, SYN6_TEXT },
        /* nothing follows; ESP; ICMPv6 echo */
        { RAW_IP, "6000 0000 0000 3b40 " ADDRS6, "other" },
        { RAW_IP, "6000 0000 0008 3240 " ADDRS6 "0000 0001 0000 0001", "undecoded: encrypted" },
        { RAW_IP, "6000 0000 0008 3a40 " ADDRS6 "8000 0000 0000 0001", "echo request id 0 seq 1 payload 0" },
        /* padding behind the packet; a payload longer than the frame */
        { RAW_IP, SYN6 "0000 0000", SYN6_TEXT },
        { RAW_IP, "6000 0000 0018 0640 " ADDRS6 TCP6,
          "tcp fd00::1:4660 > fd00::2:80 S seq 1 ack 0 win 512 len 4 captured 0 unchecked" },
        /* payload length 0: offload; a jumbo payload option of the right length, of one that is not there */
        { RAW_IP, "6000 0000 0000 0640 " ADDRS6 TCP6, SYN6_TEXT },
        { RAW_IP, "6000 0000 0000 0040 " ADDRS6 "0600 c204 0000 001c " TCP6, SYN6_TEXT },
        { RAW_IP, "6000 0000 0000 0040 " ADDRS6 "0600 c204 7fff ffff " TCP6, "undecoded: ip header malformed" },
        /* an extension header that says more than there is; version 7 */
        { RAW_IP, "6000 0000 001c 0040 " ADDRS6 "06ff 0502 0000 0100 " TCP6, "undecoded: ip header cut" },
        { EN10MB, ETH6 "7000 0000 0014 0640 " ADDRS6 TCP6, "undecoded: ip header malformed" },
    };
    CHECK_ROWS(rows);
}

static void test_v6_facts(void **state)
{
    (void)state;
    struct packet pk = read_ip("6bb0 0000 001c 0003 " ADDRS6 "0600 0104 0000 0000 " TCP6);
    assert_int_equal(pk.kind, PACKET_TCP);
    assert_int_equal(pk.ip.version, 6);
    assert_int_equal(pk.ip.ttl, 3);
    assert_int_equal(pk.ip.ecn, 3);
    assert_int_equal(pk.ip.dscp, 46);
    assert_int_equal(pk.ip.protocol, 6);
    assert_int_equal(pk.ip.id, 0);
    assert_int_equal(pk.ip.total_len, 68);
    assert_true(pk.ip.df);
}

static void test_many_extension_headers(void **state)
{
    (void)state;
    char hex[4096] = "6000 0000 0154 3c40 " ADDRS6;
    for (unsigned i = 0; i < 40; i++)
        strcat(hex, "3c00 0104 0000 0000 ");
    strcat(hex, TCP6);
    const struct row row = { RAW_IP, hex, "undecoded: too many layers" };
    check_row(&row);
}

static void test_counts(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    struct packet pk;
    struct dissector *d = dissector_new();
    size_t n = hex_bytes("4500 001c 0001 4000 4032 0000 0a00 0001 0a00 0002 0000 0001 0000 0001", bytes);
    read_bytes(d, RAW_IP, bytes, n, n, &pk);
    read_bytes(d, RAW_IP, bytes, n, n, &pk);
    read_bytes(d, RAW_IP, bytes, 10, n, &pk);
    read_bytes(d, 9999, bytes, n, n, &pk);
    assert_int_equal(dissector_undecoded(d)[UNDECODED_ENCRYPTED], 2);
    assert_int_equal(dissector_undecoded(d)[UNDECODED_IP_SHORT], 1);
    assert_int_equal(dissector_undecoded(d)[UNDECODED_LINKTYPE], 1);
    assert_int_equal(dissector_undecoded(d)[UNDECODED_TCP_BAD], 0);
    dissector_free(d);
    dissector_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4_lengths),
        cmocka_unit_test(test_v4_facts),
        cmocka_unit_test(test_v6_headers),
        cmocka_unit_test(test_v6_facts),
        cmocka_unit_test(test_many_extension_headers),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
