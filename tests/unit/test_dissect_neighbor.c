/* ARP and neighbour discovery. */
#include "tests/unit/dissect_help.h"

/* Ethernet, IPv4, operation; then hardware and protocol address of sender and target. */
#define ARP(operation) "0001 0800 0604 " operation " "
#define ND_MULTICAST "fd00 0000 0000 0000 0000 0000 0000 0001 ff02 0000 0000 0000 0000 0001 ff00 0002 "
#define TARGET6 "fd00 0000 0000 0000 0000 0000 0000 0002 "

static void test_arp(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* Request who-has 10.0.0.2 tell 10.0.0.1, padded */
        { EN10MB, MACS "0806 " ARP("0001") "020000000001 0a000001 000000000000 0a000002 00000000",
          "arp who-has 10.0.0.2 tell 10.0.0.1 mac 02:01" },
        /* Reply 10.0.0.2 is-at 02:00:00:00:00:02 */
        { EN10MB, MACS "0806 " ARP("0002") "020000000002 0a000002 020000000001 0a000001",
          "arp reply 10.0.0.2 from 10.0.0.2 mac 02:02" },
        /* probe: nobody asks; announcement, as a request and as a reply */
        { EN10MB, MACS "0806 " ARP("0001") "020000000001 00000000 000000000000 0a000001",
          "arp who-has 10.0.0.1 tell 0.0.0.0 mac 02:01 probe" },
        { EN10MB, MACS "0806 " ARP("0001") "020000000001 0a000001 000000000000 0a000001",
          "arp who-has 10.0.0.1 tell 10.0.0.1 mac 02:01 gratuitous" },
        { EN10MB, MACS "0806 " ARP("0002") "020000000001 0a000001 ffffffffffff 0a000001",
          "arp reply 10.0.0.1 from 10.0.0.1 mac 02:01 gratuitous" },
        /* in a tagged frame, in a cooked capture, from hardware with addresses of 8 bytes */
        { EN10MB, MACS "8100 0005 0806 " ARP("0001") "020000000001 0a000001 000000000000 0a000002",
          "vlan 5 arp who-has 10.0.0.2 tell 10.0.0.1 mac 02:01" },
        { 113, "0001 0001 0006 020000000001 0000 0806 " ARP("0001") "020000000001 0a000001 000000000000 0a000002",
          "arp who-has 10.0.0.2 tell 10.0.0.1 mac 02:01" },
        { 276, "0806 0000 00000002 0001 01 06 0200000000010000 " ARP("0001") "020000000001 0a000001 000000000000 "
          "0a000002",
          "arp who-has 10.0.0.2 tell 10.0.0.1 mac 02:01" },
        { EN10MB, MACS "0806 0018 0800 0804 0001 0200000000000001 0a000001 0000000000000000 0a000002",
          "arp who-has 10.0.0.2 tell 10.0.0.1" },
        /* reverse ARP; ARP for another protocol; cut */
        { EN10MB, MACS "0806 " ARP("0003") "020000000001 00000000 020000000001 00000000", "other" },
        { EN10MB, MACS "0806 0001 86dd 0610 0001 0000", "other" },
        { EN10MB, MACS "0806 " ARP("0001") "020000000001 0a000001 000000000000 0a0000",
          "undecoded: arp or nd malformed" },
        { EN10MB, MACS "0806 0001 0800 0604", "undecoded: arp or nd malformed" },
    };
    CHECK_ROWS(rows);
}

static void test_nd(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* neighbor solicitation, who has fd00::2, source link-address option */
        { RAW_IP, "6000 0000 0020 3aff " ND_MULTICAST "8700 0000 0000 0000 " TARGET6 "0101 020000000001",
          "nd who-has fd00::2 tell fd00::1 mac 02:01" },
        /* neighbor advertisement, tgt is fd00::2, Flags [solicited, override], behind a nonce option */
        { RAW_IP, "6000 0000 0028 3aff " TARGET6 "fd00 0000 0000 0000 0000 0000 0000 0001 "
          "8800 0000 6000 0000 " TARGET6 "0e01 112233445566 0201 020000000002",
          "nd reply fd00::2 from fd00::2 mac 02:02" },
        /* unsolicited; no option at all */
        { RAW_IP, "6000 0000 0018 3aff " TARGET6 "ff02 0000 0000 0000 0000 0000 0000 0001 8800 0000 2000 0000 " TARGET6,
          "nd reply fd00::2 from fd00::2 gratuitous" },
        /* duplicate address detection */
        { RAW_IP, "6000 0000 0018 3aff 0000 0000 0000 0000 0000 0000 0000 0000 ff02 0000 0000 0000 0000 0001 ff00 0002 "
          "8700 0000 0000 0000 " TARGET6,
          "nd who-has fd00::2 tell :: probe" },
        /* an option of length 0; one that is longer than the packet; no target */
        { RAW_IP, "6000 0000 0020 3aff " ND_MULTICAST "8700 0000 0000 0000 " TARGET6 "0100 020000000001",
          "undecoded: arp or nd malformed" },
        { RAW_IP, "6000 0000 0020 3aff " ND_MULTICAST "8700 0000 0000 0000 " TARGET6 "0102 020000000001",
          "undecoded: arp or nd malformed" },
        { RAW_IP, "6000 0000 000c 3aff " ND_MULTICAST "8700 0000 0000 0000 fd00 0000", "undecoded: icmp cut" },
        /* router solicitation */
        { RAW_IP, "6000 0000 0008 3aff " ND_MULTICAST "8500 0000 0000 0000", "other" },
    };
    CHECK_ROWS(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arp),
        cmocka_unit_test(test_nd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
