/* The frame dissector: the first byte chooses the link type; then frames, each after two bytes of its length
 * (big-endian, 15 bits; the first bit says that the snaplen cut 100 bytes off it). One dissector reads them all, so
 * fragments can meet. */
#include "dissect/dissector.h"

#include <glib.h>

static const int link_types[] = {
    1 /* Ethernet */,     101 /* raw IP */,  113 /* cooked */,   276 /* cooked v2 */,
    0 /* BSD loopback */, 9 /* PPP */,       51 /* PPPoE */,     104 /* Cisco HDLC */,
    105 /* 802.11 */,     127 /* radiotap */, 119 /* Prism */,   107 /* frame relay */,
    192 /* PPI */,        239 /* NFLOG */,   219 /* MPLS */,     100 /* LLC */,
};

/* Slices lie in readable memory and are no longer than the lengths beside them. */
static void use(struct slice s, size_t len)
{
    static volatile uint8_t sink;
    g_assert_cmpuint(s.n, <=, len);
    for (size_t i = 0; i < s.n; i++)
        sink = s.p[i];
    (void)sink;
}

static void check(const struct packet *pk)
{
    g_assert_cmpuint(pk->kind, <=, PACKET_ECHO);
    g_assert_cmpuint(pk->kind == PACKET_UNDECODED ? pk->reason : 0, <, UNDECODED_REASONS);
    g_assert_cmpuint(pk->encap.n_vlans, <=, PACKET_VLANS);
    g_assert_cmpuint(pk->encap.n_tunnels, <=, PACKET_TUNNELS);
    if (pk->kind == PACKET_TCP)
        use(pk->tcp.payload, pk->tcp.len);
    else if (pk->kind == PACKET_UDP)
        use(pk->udp.payload, pk->udp.len);
    else if (pk->kind == PACKET_ECHO)
        use(pk->echo.payload, UINT16_MAX);
    else if (pk->kind == PACKET_ICMP_ERROR)
        use(pk->icmp.quoted, UINT16_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cursor_of(slice_of(data, size));
    int dlt = link_types[cursor_u8(&c) % G_N_ELEMENTS(link_types)];
    struct dissector *d = dissector_new();
    for (uint64_t number = 1; cursor_left(&c) >= 2; number++) {
        uint16_t length = cursor_u16(&c);
        struct slice bytes = cursor_take(&c, MIN((size_t)(length & 0x7fff), cursor_left(&c)));
        uint8_t *exact = g_memdup2(bytes.p, bytes.n);
        uint32_t n = (uint32_t)bytes.n, cut = length >> 15 ? 100 : 0;
        struct frame f = { .bytes = exact, .caplen = n, .wirelen = n + cut, .ts_ns = (int64_t)number * 1000000,
                           .number = number, .dlt = dlt };
        struct packet pk;
        dissector_frame(d, &f, &pk);
        check(&pk);
        g_free(exact);
    }
    dissector_flush(d);
    dissector_free(d);
    return 0;
}
