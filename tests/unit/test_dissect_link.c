/* Link types, VLAN tags, PPP, 802.11: all around the same SYN. */
#include "tests/unit/dissect_help.h"

static void test_ethernet(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* IP 10.0.0.1.4660 > 10.0.0.2.80: Flags [S], seq 1, win 512, length 0 */
        { EN10MB, ETH4 SYN4, SYN4_TEXT },
        /* the same, padded to the least size of Ethernet */
        { EN10MB, ETH4 SYN4 "0000 0000 0000", SYN4_TEXT },
        /* IP6 fd00::1.4660 > fd00::2.80: Flags [S] */
        { EN10MB, ETH6 SYN6, SYN6_TEXT },
        /* vlan 5, p 3 */
        { EN10MB, MACS "8100 6005 0800 " SYN4, "vlan 5 " SYN4_TEXT },
        /* ethertype 802.1Q-QinQ, vlan 100, vlan 200 */
        { EN10MB, MACS "88a8 0064 8100 00c8 0800 " SYN4, "vlan 100 vlan 200 " SYN4_TEXT },
        /* 0x9100 and three more: four are kept */
        { EN10MB, MACS "9100 0001 9200 0002 8100 0003 8100 0004 8100 0005 86dd " SYN6,
          "vlan 1 vlan 2 vlan 3 vlan 4 " SYN6_TEXT },
        /* 802.3, LLC SNAP */
        { EN10MB, MACS "0030 aaaa03 000000 0800 " SYN4, SYN4_TEXT },
        /* 802.3, LLC, the service point of IP */
        { EN10MB, MACS "002b 060603 " SYN4, SYN4_TEXT },
        /* vlan 7, 802.3, SNAP */
        { EN10MB, MACS "8100 0007 0030 aaaa03 000000 0800 " SYN4, "vlan 7 " SYN4_TEXT },
        /* STP 802.1d, Config */
        { EN10MB, "0180c2000000 020000000001 0026 424203 0000 0000 00", "other" },
        /* CDPv2 */
        { EN10MB, "01000ccccccc 020000000001 0026 aaaa03 00000c 2000 02b4 0000", "other" },
        /* Cisco ISL, VLAN 10 */
        { EN10MB, "01000c000000 020000000001 0046 aaaa03 00000c 0014 0000 0000 " ETH4 SYN4 "00000000",
          "vlan 10 " SYN4_TEXT },
        /* Cisco FabricPath */
        { EN10MB, MACS "8903 0145 " ETH4 SYN4, SYN4_TEXT },
        /* TRILL with one word of options */
        { EN10MB, MACS "22f3 0045 0001 0002 00000000 " ETH4 SYN4, SYN4_TEXT },
        /* 802.1ah: vlan 9, service 0x1234 */
        { EN10MB, MACS "88a8 0009 88e7 0000 1234 " ETH4 SYN4, "vlan 9 other 4660 " SYN4_TEXT },
        /* MACsec, integrity only, with and without the sender's identifier; encrypted */
        { EN10MB, MACS "88e5 2000 00000001 0200000000010001 0800 " SYN4 "00112233445566778899aabbccddeeff", SYN4_TEXT },
        { EN10MB, MACS "88e5 0000 00000001 0800 " SYN4 "00112233445566778899aabbccddeeff", SYN4_TEXT },
        { EN10MB, MACS "88e5 2c00 00000001 0200000000010001 ffffffffffff", "undecoded: encrypted" },
        /* Cisco metadata, VN-tag, E-tag */
        { EN10MB, MACS "8909 0101 0001 0064 0800 " SYN4, SYN4_TEXT },
        { EN10MB, MACS "8926 0000 0000 0800 " SYN4, SYN4_TEXT },
        { EN10MB, MACS "893f 0000 0000 0000 0800 " SYN4, SYN4_TEXT },
        /* LLDP */
        { EN10MB, MACS "88cc 0207 0402 0000 0000 0100", "other" },
        { EN10MB, "", "undecoded: link header cut" },
        { EN10MB, MACS "81", "undecoded: link header cut" },
        { EN10MB, MACS "8100 00", "undecoded: link header cut" },
    };
    CHECK_ROWS(rows);
}

static void test_too_many_tags(void **state)
{
    (void)state;
    char hex[1024] = MACS;
    for (unsigned i = 0; i < 40; i++)
        strcat(hex, "8100 0001 ");
    strcat(hex, "0800 " SYN4);
    const struct row row = { EN10MB, hex, "undecoded: too many layers" };
    check_row(&row);
}

static void test_other_links(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* DLT_NULL in both byte orders, with the IPv6 families of FreeBSD, Darwin, NetBSD and Linux; DLT_LOOP */
        { 0, "02000000 " SYN4, SYN4_TEXT },
        { 0, "00000002 " SYN4, SYN4_TEXT },
        { 0, "1c000000 " SYN6, SYN6_TEXT },
        { 0, "0000001e " SYN6, SYN6_TEXT },
        { 0, "18000000 " SYN6, SYN6_TEXT },
        { 0, "0a000000 " SYN6, SYN6_TEXT },
        { 108, "00000002 " SYN4, SYN4_TEXT },
        { 0, "07000000 00000000", "other" },
        /* Linux cooked v1 and v2: In 02:00:00:00:00:01 */
        { 113, "0000 0001 0006 020000000001 0000 0800 " SYN4, SYN4_TEXT },
        { 113, "0000 0001 0006 020000000001 0000 8100 0005 86dd " SYN6, "vlan 5 " SYN6_TEXT },
        { 113, "0000 0001 0006 020000000001 0000 0004 424203 00", "other" },
        { 113, "0004 0338 0000 0000000000000000 0000 00000000", "other" }, /* netlink */
        { 276, "0800 0000 00000002 0001 00 06 0200000000010000 " SYN4, SYN4_TEXT },
        { 276, "86dd 0000 00000002 0001 04 06 0200000000010000 " SYN6, SYN6_TEXT },
        /* raw IP by its numbers in memory (Linux, OpenBSD) and in files; IPv4, IPv6 */
        { 12, SYN4, SYN4_TEXT },
        { 12, SYN6, SYN6_TEXT },
        { 14, SYN4, SYN4_TEXT },
        { RAW_IP, SYN6, SYN6_TEXT },
        { 228, SYN4, SYN4_TEXT },
        { 229, SYN6, SYN6_TEXT },
        { RAW_IP, "f000", "undecoded: ip header malformed" },
        { RAW_IP, "", "undecoded: ip header cut" },
        /* PPP: bare, in HDLC framing, with a compressed protocol field; Cisco HDLC in its place */
        { 9, "0021 " SYN4, SYN4_TEXT },
        { 9, "ff03 0057 " SYN6, SYN6_TEXT },
        { 50, "ff03 21 " SYN4, SYN4_TEXT },
        { 50, "0f00 0800 " SYN4, SYN4_TEXT },
        { 50, "ff03 c021 0101 0004", "other" }, /* LCP, Conf-Request */
        { 9, "ff03 0053 0000", "undecoded: encrypted" },
        { 204, "00 ff03 0021 " SYN4, SYN4_TEXT },
        { 104, "8f00 86dd " SYN6, SYN6_TEXT },
        /* PPPoE [ses 0x11], on Ethernet and as a link type; discovery */
        { EN10MB, MACS "8864 1100 0011 002a 0021 " SYN4 "0000", "pppoe 17 " SYN4_TEXT },
        { 51, "1100 0011 003e 0057 " SYN6, "pppoe 17 " SYN6_TEXT },
        { EN10MB, MACS "8863 1109 0000 0004 01010000", "other" },
        { EN10MB, MACS "8864 11a7 0011 0000", "other" },
        /* frame relay: RFC 2427 with and without SNAP, Cisco */
        { 107, "1841 03cc " SYN4, SYN4_TEXT },
        { 107, "1841 0300 80 000000 86dd " SYN6, SYN6_TEXT },
        { 107, "1841 0800 " SYN4, SYN4_TEXT },
        /* MPLS as a link type; PPI around Ethernet; NFLOG of a little-endian machine */
        { 219, "00064140 " SYN4, "mpls 100 " SYN4_TEXT },
        { 192, "00 00 0c00 01000000 00000000 " ETH4 SYN4, SYN4_TEXT },
        { 239, "02 00 0000 0800 0100 08000000 0500 0a00 41000000 2c00 0900 " SYN4, SYN4_TEXT },
        { 239, "0a 00 0000 0008 0001 08000000 0040 0009 " SYN6, SYN6_TEXT },
        { 147, "0000", "undecoded: link type" },
    };
    CHECK_ROWS(rows);
}

/* Frame control and duration, three addresses, sequence control. */
#define DATA "0802 0000 020000000001 020000000002 020000000003 1000 "
#define QOS "8802 0000 020000000001 020000000002 020000000003 1000 "
#define SNAP4 "aaaa03 000000 0800 "

static void test_wlan(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* Data from the access point; QoS data; between access points; QoS with HT control */
        { 105, DATA SNAP4 SYN4, SYN4_TEXT },
        { 105, QOS "0000 " SNAP4 SYN4, SYN4_TEXT },
        { 105, "0803 0000 020000000001 020000000002 020000000003 1000 020000000004 " SNAP4 SYN4, SYN4_TEXT },
        { 105, "8882 0000 020000000001 020000000002 020000000003 1000 0000 00000000 " SNAP4 SYN4, SYN4_TEXT },
        /* A-MSDU: two subframes, the first is read */
        { 105, QOS "8000 " "020000000001 020000000002 0030 " SNAP4 SYN4 "020000000001 020000000002 0030 " SNAP4 SYN4,
          SYN4_TEXT },
        /* protected; protected, yet in clear; a later fragment of a frame */
        { 105, "0842 0000 020000000001 020000000002 020000000003 1000 00112233 44556677 8899", "undecoded: encrypted" },
        { 105, "0842 0000 020000000001 020000000002 020000000003 1000 " SNAP4 SYN4, SYN4_TEXT },
        { 105, "0802 0000 020000000001 020000000002 020000000003 1100 00112233", "undecoded: fragments" },
        /* Beacon; acknowledgment; null data */
        { 105, "8000 0000 ffffffffffff 020000000001 020000000001 0000 00", "other" },
        { 105, "d400 0000 020000000001", "other" },
        { 105, "4801 0000 020000000001 020000000002 020000000003 1000", "other" },
        /* radiotap: no flags; time stamp and flags with padding of the body; two words of presence */
        { 127, "00 00 0800 00000000 " DATA SNAP4 SYN4, SYN4_TEXT },
        { 127, "00 00 1100 03000000 0000000000000000 20 " QOS "0000 0000 " SNAP4 SYN4, SYN4_TEXT },
        { 127, "00 00 0d00 02000080 00000000 20 " QOS "0000 0000 " SNAP4 SYN4, SYN4_TEXT },
        { 127, "00 00 0400 00000000", "undecoded: link header cut" },
        /* AVS, Prism of a little-endian machine, and Prism without its header */
        { 163, "80211001 0000000c 00000000 " DATA SNAP4 SYN4, SYN4_TEXT },
        { 119, "44000000 0c000000 00000000 " DATA SNAP4 SYN4, SYN4_TEXT },
        { 119, DATA SNAP4 SYN4, SYN4_TEXT },
        /* in a cooked capture: ARPHRD_IEEE80211, ARPHRD_IEEE80211_RADIOTAP; with the protocol of an ordinary
         * interface */
        { 113, "0000 0321 0006 020000000001 0000 0019 " DATA SNAP4 SYN4, SYN4_TEXT },
        { 113, "0000 0323 0006 020000000001 0000 0019 00 00 0800 00000000 " DATA SNAP4 SYN4, SYN4_TEXT },
        { 113, "0004 0321 0006 020000000001 0000 0800 " SYN4, SYN4_TEXT },
    };
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ethernet),
        cmocka_unit_test(test_too_many_tags),
        cmocka_unit_test(test_other_links),
        cmocka_unit_test(test_wlan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
