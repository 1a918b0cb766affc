/* ICMP and ICMPv6 errors and the packets that they quote. */
#include "tests/unit/dissect_help.h"

/* IP 192.0.2.9 > 10.0.0.1: ICMP of a total length. */
#define ICMP4(length) "4500 " length " 0001 0000 4001 0000 c000 0209 0a00 0001 "
/* What 10.0.0.1 had sent: 60 bytes to 10.0.0.2, ttl 3. */
#define QUOTED4(proto) "4500 003c 0001 4000 03" proto " 0000 0a00 0001 0a00 0002 "
#define ICMP6(length) "6000 0000 " length \
    "3aff fd00 0000 0000 0000 0000 0000 0000 0009 fd00 0000 0000 0000 0000 0000 0000 0001 "
#define QUOTED6(length, next) "6000 0000 " length next "03 " ADDRS6
#define ABOUT4 " about 10.0.0.1:4660 > 10.0.0.2:80 "
#define ABOUT6 " about fd00::1:4660 > fd00::2:80 "

static void test_v4(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* ICMP 10.0.0.2 tcp port 80 unreachable: eight bytes of TCP, as RFC 792 has it */
        { RAW_IP, ICMP4("0038") "0303 0000 0000 0000 " QUOTED4("06") "1234 0050 0000 0007",
          "icmp4 192.0.2.9 3/3 mtu 0" ABOUT4 "proto 6 ttl 3 total 60 seq 7" },
        /* need to frag (mtu 1400) */
        { RAW_IP, ICMP4("0038") "0304 0000 0000 0578 " QUOTED4("06") "1234 0050 0000 0007",
          "icmp4 192.0.2.9 3/4 mtu 1400" ABOUT4 "proto 6 ttl 3 total 60 seq 7" },
        /* time exceeded in-transit, about UDP with 4 bytes of payload */
        { RAW_IP, ICMP4("003c") "0b00 0000 0000 0000 " QUOTED4("11") "1234 0050 0028 0000 61626364",
          "icmp4 192.0.2.9 11/0 mtu 0" ABOUT4 "proto 17 ttl 3 total 60 payload 4" },
        /* UDP of length 10 with padding behind it; parameter problem */
        { RAW_IP, ICMP4("003c") "0c00 0000 0000 0000 " QUOTED4("11") "1234 0050 000a 0000 61626364",
          "icmp4 192.0.2.9 12/0 mtu 0" ABOUT4 "proto 17 ttl 3 total 60 payload 2" },
        /* a quoted header with options */
        { RAW_IP, ICMP4("003c") "0301 0000 0000 0000 4600 003c 0001 4000 0306 0000 0a00 0001 0a00 0002 0101 0100 "
          "1234 0050 00000007",
          "icmp4 192.0.2.9 3/1 mtu 0" ABOUT4 "proto 6 ttl 3 total 60 seq 7" },
        /* RFC 4884: 7 words are the quotation, extensions follow */
        { RAW_IP, ICMP4("0044") "0b00 0000 0007 0000 " QUOTED4("11") "1234 0050 0028 0000 2000 0000 0008 0101 00000000",
          "icmp4 192.0.2.9 11/0 mtu 0" ABOUT4 "proto 17 ttl 3 total 60" },
        /* ports only; a later fragment; another protocol; a header that is none; nothing quoted */
        { RAW_IP, ICMP4("0034") "0303 0000 0000 0000 " QUOTED4("06") "1234 0050",
          "icmp4 192.0.2.9 3/3 mtu 0" ABOUT4 "proto 6 ttl 3 total 60" },
        { RAW_IP, ICMP4("0038") "0b01 0000 0000 0000 4500 003c 0001 0001 0306 0000 0a00 0001 0a00 0002 1234 0050 "
          "0000 0007",
          "icmp4 192.0.2.9 11/1 mtu 0" },
        { RAW_IP, ICMP4("0038") "0302 0000 0000 0000 " QUOTED4("2f") "0000 0800 0000 0000",
          "icmp4 192.0.2.9 3/2 mtu 0" },
        { RAW_IP, ICMP4("0038") "0303 0000 0000 0000 4400 003c 0001 4000 0306 0000 0a00 0001 0a00 0002 1234 0050 "
          "0000 0007",
          "icmp4 192.0.2.9 3/3 mtu 0" },
        { RAW_IP, ICMP4("001c") "0303 0000 0000 0000", "icmp4 192.0.2.9 3/3 mtu 0" },
        /* source quench, redirect: no errors to follow */
        { RAW_IP, ICMP4("0038") "0400 0000 0000 0000 " QUOTED4("06") "1234 0050 0000 0007", "other" },
        { RAW_IP, ICMP4("0038") "0501 0000 0a00 00fe " QUOTED4("06") "1234 0050 0000 0007", "other" },
        { RAW_IP, ICMP4("001e") "0000 0000 1234 0001 6162", "echo reply id 4660 seq 1 payload 2" },
        { RAW_IP, ICMP4("001c") "0800 0000 0001 0002", "echo request id 1 seq 2 payload 0" },
        { RAW_IP, ICMP4("001b") "0303 0000 0000 00", "undecoded: icmp cut" },
    };
    CHECK_ROWS(rows);
}

static void test_v6(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* ICMP6, destination unreachable, unreachable port, fd00::2 tcp port 80 */
        { RAW_IP, ICMP6("0038") "0104 0000 0000 0000 " QUOTED6("0020", "06") "1234 0050 0000 0007",
          "icmp6 fd00::9 1/4 mtu 0" ABOUT6 "proto 6 ttl 3 total 72 seq 7" },
        /* packet too big, mtu 1280 */
        { RAW_IP, ICMP6("0038") "0200 0000 0000 0500 " QUOTED6("05dc", "06") "1234 0050 0000 0007",
          "icmp6 fd00::9 2/0 mtu 1280" ABOUT6 "proto 6 ttl 3 total 1540 seq 7" },
        /* time exceeded, behind destination options; behind an atomic fragment header; behind AH */
        { RAW_IP, ICMP6("0040") "0300 0000 0000 0000 " QUOTED6("0028", "3c") "1100 0104 00000000 1234 0050 0010 0000",
          "icmp6 fd00::9 3/0 mtu 0" ABOUT6 "proto 17 ttl 3 total 80" },
        { RAW_IP, ICMP6("0040") "0300 0000 0000 0000 " QUOTED6("0028", "2c") "0600 0001 00000007 1234 0050 0000 0007",
          "icmp6 fd00::9 3/0 mtu 0" ABOUT6 "proto 6 ttl 3 total 80 seq 7" },
        { RAW_IP, ICMP6("0044") "0401 0000 0000 0000 " QUOTED6("0028",
          "33") "0601 0000 00000001 00000001 1234 0050 0000 0007",
          "icmp6 fd00::9 4/1 mtu 0" ABOUT6 "proto 6 ttl 3 total 80 seq 7" },
        /* a later fragment; extension headers that never end */
        { RAW_IP, ICMP6("0040") "0301 0000 0000 0000 " QUOTED6("0028", "2c") "0600 0008 00000007 1234 0050 0000 0007",
          "icmp6 fd00::9 3/1 mtu 0" },
        { RAW_IP, ICMP6("0040") "0300 0000 0000 0000 " QUOTED6("0028", "3c") "3cff 0104 00000000 3cff 0050 0010 0000",
          "icmp6 fd00::9 3/0 mtu 0" },
        /* RFC 4884: 6 times 8 bytes are the quotation */
        { RAW_IP, ICMP6("0040") "0300 0000 0600 0000 " QUOTED6("0020", "11") "1234 0050 0020 0000 2000 0000 0008 0101",
          "icmp6 fd00::9 3/0 mtu 0" ABOUT6 "proto 17 ttl 3 total 72" },
        { RAW_IP, ICMP6("0008") "8100 0000 0001 0001", "echo reply id 1 seq 1 payload 0" },
        { RAW_IP, ICMP6("0007") "0104 0000 0000 00", "undecoded: icmp cut" },
    };
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4),
        cmocka_unit_test(test_v6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
