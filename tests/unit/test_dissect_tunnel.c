/* Tunnels: the SYN inside of each, what is kept of them, and UDP datagrams that only look like one. */
#include "tests/unit/dissect_help.h"

/* An outer IPv4 header 192.0.2.1 > 192.0.2.2 of a total length and protocol; its checksum is left to the card (0). */
#define OUTER4(length, proto) "4500 " length " 0001 4000 40" proto " 0000 c000 0201 c000 0202 "
/* An outer IPv6 header of a payload length and next header. */
#define OUTER6(length, proto) "6000 0000 " length proto "40 " ADDRS6
/* UDP to a port; length 0: the packet's own holds. */
#define UDP(port) "d903 " port " 0000 0000 "
#define UDP_TEXT(port, len) "udp 192.0.2.1:55555 > 192.0.2.2:" port " len " len " captured " len

static void test_ip_in_ip(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* IP 192.0.2.1 > 192.0.2.2: IP 10.0.0.1.4660 > 10.0.0.2.80: Flags [S] */
        { RAW_IP, OUTER4("003c", "04") SYN4, "ipip 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0050", "29") SYN6, "6in4 0 " SYN6_TEXT },
        { RAW_IP, OUTER6("0028", "04") SYN4, "6in4 0 " SYN4_TEXT },
        { RAW_IP, OUTER6("003c", "29") SYN6, "6in4 0 " SYN6_TEXT },
        /* two deep */
        { RAW_IP, OUTER4("0050", "04") OUTER4("003c", "04") SYN4, "ipip 0 ipip 0 " SYN4_TEXT },
        /* EtherIP; a version that is not its own */
        { RAW_IP, OUTER4("004c", "61") "3000 " ETH4 SYN4, "other 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0018", "61") "0000 0000", "other" },
        /* MPLS in IP (label 100) */
        { RAW_IP, OUTER4("0040", "89") "00064140 " SYN4, "mpls 100 " SYN4_TEXT },
        /* the inner packet is no IPv4 */
        { RAW_IP, OUTER4("0028", "04") "6000 0000 0000 0000 0000 0000 0000 0000 0000 0000",
          "undecoded: ip header malformed" },
    };
    CHECK_ROWS(rows);
}

static void test_tunnels_kept(void **state)
{
    (void)state;
    char hex[2048] = "", text[512] = "";
    for (unsigned i = 6; i > 0; i--) { /* six IP headers; a packet keeps four tunnels */
        char outer[128];
        snprintf(outer, sizeof outer, OUTER4("%04x", "04"), 40 + 20 * i);
        strcat(hex, outer);
    }
    strcat(hex, SYN4);
    for (unsigned i = 0; i < PACKET_TUNNELS; i++)
        strcat(text, "ipip 0 ");
    strcat(text, SYN4_TEXT);
    const struct row row = { RAW_IP, hex, text };
    check_row(&row);
}

static void test_gre(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* GREv0, proto IPv4; key 0x1234; checksum, key and sequence number; a source route of one entry */
        { RAW_IP, OUTER4("0040", "2f") "0000 0800 " SYN4, "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0044", "2f") "2000 0800 00001234 " SYN4, "gre 4660 " SYN4_TEXT },
        { RAW_IP, OUTER4("004c", "2f") "b000 0800 0000 0000 00000007 00000001 " SYN4, "gre 7 " SYN4_TEXT },
        { RAW_IP, OUTER4("0050", "2f") "4000 0800 0000 0000 0800 0004 c0000201 0000 0000 " SYN4, "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0054", "2f") "0000 86dd " SYN6, "gre 0 " SYN6_TEXT },
        /* transparent Ethernet bridging (NVGRE: the key is VSID and flow), with a tag; MPLS */
        { RAW_IP, OUTER4("0056", "2f") "2000 6558 00123400 " MACS "8100 0009 0800 " SYN4,
          "vlan 9 gre 1192960 " SYN4_TEXT },
        { RAW_IP, OUTER4("0044", "2f") "0000 8847 00064140 " SYN4, "gre 0 mpls 100 " SYN4_TEXT },
        /* ERSPAN types I, II, III, III with the sub-header */
        { RAW_IP, OUTER4("004e", "2f") "0000 88be " ETH4 SYN4, "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("005a", "2f") "1000 88be 00000001 1001 0001 00000000 " ETH4 SYN4, "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("005e", "2f") "1000 22eb 00000001 2001 0001 00000000 00000000 " ETH4 SYN4,
          "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0066", "2f") "1000 22eb 00000001 2001 0001 00000000 00000001 0000000000000000 " ETH4 SYN4,
          "gre 0 " SYN4_TEXT },
        /* WCCP version 1 and 2 */
        { RAW_IP, OUTER4("0040", "2f") "0000 883e " SYN4, "gre 0 " SYN4_TEXT },
        { RAW_IP, OUTER4("0044", "2f") "0000 883e 00000000 " SYN4, "gre 0 " SYN4_TEXT },
        /* PPTP: GREv1, call 9, seq 1, ack 0; an acknowledgment alone */
        { RAW_IP, OUTER4("0050", "2f") "3081 880b 002c 0009 00000001 00000000 ff03 0021 " SYN4, "gre 9 " SYN4_TEXT },
        { RAW_IP, OUTER4("0020", "2f") "2081 880b 0000 0009 00000001", "other" },
        /* Ethernet over IP of MikroTik, tunnel 5; its keep-alive */
        { RAW_IP, OUTER4("0052", "2f") "2001 6400 0036 0500 " ETH4 SYN4, "gre 5 " SYN4_TEXT },
        { RAW_IP, OUTER4("001c", "2f") "2001 6400 0000 0500", "other" },
        /* keep-alive of Cisco (protocol 0); version 2 */
        { RAW_IP, OUTER4("0018", "2f") "0000 0000", "gre 0 other" },
        { RAW_IP, OUTER4("0018", "2f") "0002 0800", "other" },
    };
    CHECK_ROWS(rows);
}

static void test_mpls(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* label 16, exp 0, ttl 64; label 100 [S] */
        { EN10MB, MACS "8847 00010040 00064140 " SYN4, "mpls 100 " SYN4_TEXT },
        { EN10MB, MACS "8848 00002140 " SYN6, "mpls 2 " SYN6_TEXT },
        /* Ethernet pseudowire with control word; without; without, and an address that begins with zeros */
        { EN10MB, MACS "8847 00064140 00000000 " ETH4 SYN4, "mpls 100 " SYN4_TEXT },
        { EN10MB, MACS "8847 00064140 " ETH4 SYN4, "mpls 100 " SYN4_TEXT },
        { EN10MB, MACS "8847 00064140 " "ac0000000001 020000000002 8100 0003 0800 " SYN4,
          "vlan 3 mpls 100 " SYN4_TEXT },
        /* associated channel: BFD */
        { EN10MB, MACS "8847 0000d140 10000007 2040 0518 00000001 00000000", "mpls 13 other" },
        { EN10MB, MACS "8847 00010040", "undecoded: link header cut" },
        /* network service header, path 8, around IPv4, IPv6, Ethernet */
        { EN10MB, MACS "894f 0fc2 0101 000008ff " SYN4, "other 8 " SYN4_TEXT },
        { EN10MB, MACS "894f 0fc1 0101 000008ff " SYN4, "undecoded: link header cut" },
        { EN10MB, MACS "894f 0006 0202 000008ff 00000000000000000000000000000000 " SYN6, "other 8 " SYN6_TEXT },
        { EN10MB, MACS "894f 0002 0203 000008ff " ETH4 SYN4, "other 8 " SYN4_TEXT },
    };
    CHECK_ROWS(rows);
}

static void test_in_udp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* VXLAN, flags [I], vni 5; on Linux' old port; with an inner tag */
        { RAW_IP, OUTER4("005a", "11") UDP("12b5") "08000000 00000500 " ETH4 SYN4, "vxlan 5 " SYN4_TEXT },
        { RAW_IP, OUTER4("006e", "11") UDP("2118") "08000000 00000500 " ETH6 SYN6, "vxlan 5 " SYN6_TEXT },
        { RAW_IP, OUTER6("004a", "11") UDP("12b5") "08000000 00000500 " MACS "8100 0002 0800 " SYN4,
          "vlan 2 vxlan 5 " SYN4_TEXT },
        /* VXLAN-GPE, next protocol IPv4 */
        { RAW_IP, OUTER4("004c", "11") UDP("12b6") "0c000001 00000600 " SYN4, "vxlan 6 " SYN4_TEXT },
        /* Geneve, vni 7, proto TEB; one option of 8 bytes, proto IPv6 */
        { RAW_IP, OUTER4("005a", "11") UDP("17c1") "0000 6558 00000700 " ETH4 SYN4, "geneve 7 " SYN4_TEXT },
        { RAW_IP, OUTER4("0068", "11") UDP("17c1") "0200 86dd 00000700 0102 8001 00000000 " SYN6,
          "geneve 7 " SYN6_TEXT },
        /* GTP-U T-PDU, TEID 9; with sequence number; with a PDU session container */
        { RAW_IP, OUTER4("004c", "11") UDP("0868") "30ff 0028 00000009 " SYN4, "other 9 " SYN4_TEXT },
        { RAW_IP, OUTER4("0050", "11") UDP("0868") "32ff 002c 00000009 0001 0000 " SYN4, "other 9 " SYN4_TEXT },
        { RAW_IP, OUTER4("0054", "11") UDP("0868") "34ff 0030 00000009 0000 0085 01100900 " SYN4,
          "other 9 " SYN4_TEXT },
        /* Teredo; with an origin indication; with authentication before it */
        { RAW_IP, OUTER4("0058", "11") UDP("0dd8") SYN6, "other 0 " SYN6_TEXT },
        { RAW_IP, OUTER4("0060", "11") UDP("0dd8") "0000 0000 00000000 " SYN6, "other 0 " SYN6_TEXT },
        { RAW_IP, OUTER4("0065", "11") UDP("0dd8") "0001 0000 0000000000000000 00 " SYN6, "other 0 " SYN6_TEXT },
        /* L2TP data, tunnel 1, session 2: bare; with length, sequence numbers and an offset */
        { RAW_IP, OUTER4("004e", "11") UDP("06a5") "0002 0001 0002 ff03 0021 " SYN4, "other 65538 " SYN4_TEXT },
        { RAW_IP, OUTER4("0058", "11") UDP("06a5") "4a02 003e 0001 0002 0000 0000 0002 ffff ff03 0021 " SYN4,
          "other 65538 " SYN4_TEXT },
        /* MPLS in UDP, GRE in UDP */
        { RAW_IP, OUTER4("0048", "11") UDP("19eb") "00064140 " SYN4, "mpls 100 " SYN4_TEXT },
        { RAW_IP, OUTER4("0048", "11") UDP("1292") "0000 0800 " SYN4, "gre 0 " SYN4_TEXT },
        /* a datagram on the outside's VLAN keeps that tag */
        { EN10MB, MACS "8100 0001 0800 " OUTER4("005a", "11") UDP("12b5") "08000000 00000500 " ETH4 SYN4,
          "vlan 1 vxlan 5 " SYN4_TEXT },
    };
    CHECK_ROWS(rows);
}

/* Ports that tunnels use, and content that is none: plain UDP, with nothing left of the attempt. */
static void test_plain_udp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { RAW_IP, OUTER4("0020", "11") UDP("0035") "00112233", UDP_TEXT("53", "4") },
        /* flags without [I]; a good header, no Ethernet behind it; Ethernet without a network packet in it */
        { RAW_IP, OUTER4("0028", "11") UDP("12b5") "00000000 00000500 11223344", UDP_TEXT("4789", "12") },
        { RAW_IP, OUTER4("0028", "11") UDP("12b5") "08000000 00000500 11223344", UDP_TEXT("4789", "12") },
        { RAW_IP, OUTER4("0036", "11") UDP("12b5") "08000000 00000500 " MACS "8100 0002 88cc 00000000",
          UDP_TEXT("4789", "26") },
        /* VXLAN around IPv4 that is none */
        { RAW_IP, OUTER4("0036", "11") UDP("12b5") "08000000 00000500 " ETH4 "11223344", UDP_TEXT("4789", "26") },
        /* Geneve control and version 1; GTP-U echo; Teredo bubble cut; L2TP control; GRE with a version */
        { RAW_IP, OUTER4("0028", "11") UDP("17c1") "0080 6558 00000700 11223344", UDP_TEXT("6081", "12") },
        { RAW_IP, OUTER4("0028", "11") UDP("17c1") "4000 6558 00000700 11223344", UDP_TEXT("6081", "12") },
        { RAW_IP, OUTER4("0028", "11") UDP("0868") "3201 0004 00000000 00010000", UDP_TEXT("2152", "12") },
        { RAW_IP, OUTER4("0028", "11") UDP("0dd8") "60000000 00003b40 00000000", UDP_TEXT("3544", "12") },
        { RAW_IP, OUTER4("0028", "11") UDP("06a5") "c802 000c 0001 0000 0000 0000", UDP_TEXT("1701", "12") },
        { RAW_IP, OUTER4("0024", "11") UDP("1292") "0001 0800 11223344", UDP_TEXT("4754", "8") },
        { RAW_IP, OUTER4("0024", "11") UDP("1292") "0000 0000 11223344", UDP_TEXT("4754", "8") },
        /* VPN in VXLAN is encrypted, but the datagram is readable */
        { RAW_IP, OUTER4("004a",
          "11") UDP("12b5") "08000000 00000500 " ETH4 "4500 0018 0001 0000 4032 0000 0a000001 0a000002 00000001",
          UDP_TEXT("4789", "46") },
        /* something inside that is understood stays what it is */
        { RAW_IP, OUTER4("004e", "11") UDP("12b5") "08000000 00000500 "
          "ffffffffffff 020000000001 0806 0001 0800 0604 0001 020000000001 0a000001 000000000000 0a000002",
          "vxlan 5 arp who-has 10.0.0.2 tell 10.0.0.1 mac 02:01" },
        /* the innermost datagram counts: VXLAN in VXLAN, the second of them none */
        { RAW_IP, OUTER4("0056", "11") UDP("12b5") "08000000 00000500 " ETH4 OUTER4("0024",
          "11") UDP("12b5") "00000000 00000000",
          "vxlan 5 " UDP_TEXT("4789", "8") },
    };
    CHECK_ROWS(rows);
}

static void test_udp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* UDP, length 4: its own length is shorter than the packet's; longer (malformed) */
        { RAW_IP, OUTER4("0024", "11") "0035 8235 000c 0000 00112233 99999999",
          "udp 192.0.2.1:53 > 192.0.2.2:33333 len 4 captured 4" },
        { RAW_IP, OUTER4("0020", "11") "0035 8235 ffff 0000 00112233",
          "udp 192.0.2.1:53 > 192.0.2.2:33333 len 4 captured 4" },
        { RAW_IP, OUTER4("001b", "11") "0035 8235 0008 00", "undecoded: udp header cut" },
        { RAW_IP, OUTER4("001c", "11") "0035 8235 0008 0000", "udp 192.0.2.1:53 > 192.0.2.2:33333 len 0 captured 0" },
    };
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ip_in_ip),
        cmocka_unit_test(test_tunnels_kept),
        cmocka_unit_test(test_gre),
        cmocka_unit_test(test_mpls),
        cmocka_unit_test(test_in_udp),
        cmocka_unit_test(test_plain_udp),
        cmocka_unit_test(test_udp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
