/* Fragments of both IP versions: put together, given up, refused. */
#include "base/limits.h"
#include "tests/unit/dissect_help.h"

#define PAYLOAD 1003 /* of the TCP segment that is cut up */
#define SEGMENT (20 + PAYLOAD)

/* The segment; its checksum is right between the addresses of either version (see set_up). */
static uint8_t segment[2][SEGMENT];

static unsigned sum_words(const uint8_t *p, size_t n, unsigned sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (unsigned)p[i] << 8;
    return sum;
}

/* 1234 > 80, seq 1, flags [P.]; the checksum is computed in the plainest way. */
static int set_up(void **state)
{
    (void)state;
    uint8_t addresses[32];
    for (unsigned v6 = 0; v6 < 2; v6++) {
        uint8_t *s = segment[v6];
        hex_bytes("1234 0050 0000 0001 0000 0000 5018 0200 0000 0000", s);
        for (unsigned i = 0; i < PAYLOAD; i++)
            s[20 + i] = (uint8_t)(i * 7);
        size_t n = hex_bytes(v6 ? ADDRS6 : "0a000001 0a000002", addresses);
        unsigned sum = sum_words(s, SEGMENT, sum_words(addresses, n, 6 + SEGMENT));
        while (sum >> 16)
            sum = (sum & 0xffff) + (sum >> 16);
        s[16] = (uint8_t)(~sum >> 8);
        s[17] = (uint8_t)~sum;
    }
    return 0;
}

/* A piece of a datagram. */
struct piece {
    unsigned version, id, offset, n;
    bool more;
    uint8_t protocol;
    const uint8_t *bytes; /* NULL: of the segment, at the offset */
    int64_t ts_ns;
};

/* Writes the IP packet of a piece to out; returns its length. */
static size_t write_piece(const struct piece *p, uint8_t *out)
{
    size_t header;
    if (p->version == 4) {
        header = hex_bytes("4500 0000 0000 0000 4006 0000 0a00 0001 0a00 0002", out);
        unsigned total = 20 + p->n, flags = p->offset / 8 | (p->more ? 0x2000 : 0);
        out[2] = (uint8_t)(total >> 8), out[3] = (uint8_t)total;
        out[4] = (uint8_t)(p->id >> 8), out[5] = (uint8_t)p->id;
        out[6] = (uint8_t)(flags >> 8), out[7] = (uint8_t)flags;
        out[9] = p->protocol ? p->protocol : 6;
    } else {
        header = hex_bytes("6000 0000 0000 2c40 " ADDRS6 "0600 0000 0000 0000", out);
        unsigned length = 8 + p->n, flags = p->offset | (p->more ? 1 : 0);
        out[4] = (uint8_t)(length >> 8), out[5] = (uint8_t)length;
        out[40] = p->protocol ? p->protocol : 6;
        out[42] = (uint8_t)(flags >> 8), out[43] = (uint8_t)flags;
        out[46] = (uint8_t)(p->id >> 8), out[47] = (uint8_t)p->id;
    }
    memcpy(out + header, p->bytes ? p->bytes : segment[p->version == 6] + p->offset, p->n);
    return header + p->n;
}

static uint8_t packet_bytes[70000]; /* of the frame read last: what the packet's slices point into */

static struct packet read_piece(struct dissector *d, const struct piece *p)
{
    struct packet pk;
    size_t n = write_piece(p, packet_bytes);
    struct frame f = { .bytes = packet_bytes, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .ts_ns = p->ts_ns,
                       .number = 9, .dlt = RAW_IP };
    memset(&pk, 0xee, sizeof pk);
    dissector_frame(d, &f, &pk);
    return pk;
}

/* Cuts the segment into pieces of `size` bytes and reads them in an order: the i-th read is the piece (i * step)
 * modulo their number. */
static struct packet read_segment(struct dissector *d, unsigned version, unsigned size, unsigned step)
{
    unsigned count = (SEGMENT + size - 1) / size;
    struct packet pk = { 0 };
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i * step % count * size;
        bool more = at + size < SEGMENT;
        pk = read_piece(d, &(struct piece){ .version = version, .id = 7, .offset = at, .n = more ? size : SEGMENT - at,
                                            .more = more, .ts_ns = i });
        if (i < count - 1)
            assert_int_equal(pk.kind, PACKET_FRAGMENT);
    }
    return pk;
}

static void check_whole(const struct packet *pk, unsigned version)
{
    assert_int_equal(pk->kind, PACKET_TCP);
    assert_true(pk->ip.reassembled);
    assert_int_equal(pk->ip.version, version);
    assert_int_equal(pk->ip.protocol, 6);
    assert_int_equal(pk->ip.total_len, (version == 4 ? 20 : 40) + SEGMENT);
    assert_int_equal(pk->number, 9);
    assert_int_equal(pk->tcp.len, PAYLOAD);
    assert_int_equal(pk->tcp.payload.n, PAYLOAD);
    assert_memory_equal(pk->tcp.payload.p, segment[version == 6] + 20, PAYLOAD);
    assert_true(pk->tcp.checksum_checked);
    assert_false(pk->tcp.checksum_bad);
}

/* In order, backwards and in disorder; sizes of 8 and 1016 leave a last piece of 7 bytes, which comes first when
 * backwards. */
static void test_whole(void **state)
{
    (void)state;
    static const unsigned sizes[] = { 8, 16, 24, 504, 1016 };
    for (unsigned version = 4; version <= 6; version += 2) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned count = (SEGMENT + sizes[i] - 1) / sizes[i];
            const unsigned steps[] = { 1, count - 1, count % 5 ? 5 : 1 };
            for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
                struct dissector *d = dissector_new();
                struct packet pk = read_segment(d, version, sizes[i], steps[s]);
                check_whole(&pk, version);
                assert_int_equal(pk.ts_ns, count - 1);
                assert_int_equal(dissector_flush(d), 0);
                assert_int_equal(dissector_undecoded(d)[UNDECODED_FRAGMENT], 0);
                dissector_free(d);
            }
        }
    }
}

/* What is known of a datagram is what its first fragment says, whenever that comes. */
static void test_facts_of_the_first(void **state)
{
    (void)state;
    struct dissector *d = dissector_new();
    read_piece(d, &(struct piece){ .version = 4, .offset = 512, .n = SEGMENT - 512 });
    uint8_t bytes[4096];
    size_t n = write_piece(&(struct piece){ .version = 4, .offset = 0, .n = 512, .more = true }, bytes);
    bytes[1] = 3;  /* congestion */
    bytes[8] = 77; /* ttl */
    struct packet pk;
    struct frame f = { .bytes = bytes, .caplen = (uint32_t)n, .wirelen = (uint32_t)n, .number = 9, .dlt = RAW_IP };
    dissector_frame(d, &f, &pk);
    check_whole(&pk, 4);
    assert_int_equal(pk.ip.ttl, 77);
    assert_int_equal(pk.ip.ecn, 3);
    dissector_free(d);
}

/* The same fragment twice, before the datagram is whole: no harm. */
static void test_copies(void **state)
{
    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        struct dissector *d = dissector_new();
        const struct piece first = { .version = version, .offset = 0, .n = 512, .more = true };
        const struct piece last = { .version = version, .offset = 512, .n = SEGMENT - 512 };
        assert_int_equal(read_piece(d, &first).kind, PACKET_FRAGMENT);
        assert_int_equal(read_piece(d, &first).kind, PACKET_FRAGMENT);
        struct packet pk = read_piece(d, &last);
        check_whole(&pk, version);
        /* after it: the start of another one */
        assert_int_equal(read_piece(d, &last).kind, PACKET_FRAGMENT);
        assert_int_equal(dissector_flush(d), 1);
        assert_int_equal(dissector_undecoded(d)[UNDECODED_FRAGMENT], 1);
        assert_int_equal(dissector_flush(d), 0);
        dissector_free(d);
    }
}

/* Identification, addresses and (IPv4) protocol keep datagrams apart; so does the dissector. */
static void test_kept_apart(void **state)
{
    (void)state;
    struct dissector *a = dissector_new(), *b = dissector_new();
    for (unsigned version = 4; version <= 6; version += 2) {
        const struct piece first = { .version = version, .id = 1, .offset = 0, .n = 512, .more = true };
        const struct piece last = { .version = version, .id = 1, .offset = 512, .n = SEGMENT - 512 };
        const struct piece other_id = { .version = version, .id = 2, .offset = 512, .n = SEGMENT - 512 };
        const struct piece other_protocol = { .version = 4, .id = 1, .offset = 512, .n = SEGMENT - 512,
                                              .protocol = 17 };
        assert_int_equal(read_piece(a, &first).kind, PACKET_FRAGMENT);
        assert_int_equal(read_piece(a, &other_id).kind, PACKET_FRAGMENT);
        if (version == 4)
            assert_int_equal(read_piece(a, &other_protocol).kind, PACKET_FRAGMENT);
        assert_int_equal(read_piece(b, &last).kind, PACKET_FRAGMENT);
        struct packet pk = read_piece(a, &last);
        check_whole(&pk, version);
    }
    dissector_free(b);
    assert_int_equal(dissector_flush(a), 3);
    dissector_free(a);
}

/* Frames of datagrams that never became whole are counted once: when they are too old, or at the end. */
static void test_given_up(void **state)
{
    (void)state;
    for (unsigned version = 4; version <= 6; version += 2) {
        struct dissector *d = dissector_new();
        const uint64_t *lost = &dissector_undecoded(d)[UNDECODED_FRAGMENT];
        struct piece p = { .version = version, .id = 1, .offset = 0, .n = 512, .more = true };
        read_piece(d, &p);
        p.offset = 600, p.n = 8;
        read_piece(d, &p);
        p.ts_ns = LIMIT_FRAGMENT_AGE_NS;
        p.id = 2;
        read_piece(d, &p);
        assert_int_equal(*lost, 0);
        p.ts_ns++;
        p.id = 3;
        read_piece(d, &p);
        assert_int_equal(*lost, 2); /* both of 1 */
        /* the rest of 1 finds nothing left */
        assert_int_equal(read_piece(d, &(struct piece){ .version = version, .id = 1, .offset = 512, .n = SEGMENT - 512,
                                                        .ts_ns = p.ts_ns }).kind, PACKET_FRAGMENT);
        /* back in time: nothing is too old */
        p.ts_ns = 0;
        p.id = 4;
        read_piece(d, &p);
        assert_int_equal(*lost, 2);
        assert_int_equal(dissector_flush(d), 4);
        assert_int_equal(*lost, 6);
        dissector_free(d);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct dissector *d = dissector_new();
    const uint64_t *lost = &dissector_undecoded(d)[UNDECODED_FRAGMENT];
    for (unsigned id = 0; id < LIMIT_FRAGMENTED_DATAGRAMS + 10; id++)
        read_piece(d, &(struct piece){ .version = id % 2 ? 4 : 6, .id = id, .n = 8, .more = true });
    assert_int_equal(*lost, 10);
    /* the oldest went, the newest is there */
    struct packet pk = read_piece(d, &(struct piece){ .version = 4, .id = LIMIT_FRAGMENTED_DATAGRAMS + 9, .offset = 8,
                                                      .n = SEGMENT - 8 });
    check_whole(&pk, 4);
    dissector_flush(d);
    /* memory: each of these holds 64 KB for 8 bytes */
    uint64_t before = *lost;
    const unsigned many = LIMIT_FRAGMENT_BYTES / 65536 + 50;
    static const uint8_t nothing[8];
    for (unsigned id = 0; id < many; id++)
        read_piece(d, &(struct piece){ .version = 6, .id = id, .offset = 65520, .n = 8, .more = true,
                                       .bytes = nothing });
    assert_in_range(*lost - before, 48, 60);
    assert_int_equal(*lost - before + dissector_flush(d), many);
    dissector_free(d);
}

/* IPv4: as libnids has it, later bytes win over those behind them. */
static void test_overlap_v4(void **state)
{
    (void)state;
    struct dissector *d = dissector_new();
    read_piece(d, &(struct piece){ .version = 4, .offset = 512, .n = SEGMENT - 512 });
    struct packet pk = read_piece(d, &(struct piece){ .version = 4, .offset = 0, .n = 520, .more = true });
    check_whole(&pk, 4);
    /* a piece that lies within another ("teardrop"): libnids never takes the datagram for whole */
    read_piece(d, &(struct piece){ .version = 4, .offset = 0, .n = 64, .more = true });
    read_piece(d, &(struct piece){ .version = 4, .offset = 64, .n = 64, .more = true });
    read_piece(d, &(struct piece){ .version = 4, .offset = 16, .n = 16, .more = true });
    pk = read_piece(d, &(struct piece){ .version = 4, .offset = 128, .n = SEGMENT - 128 });
    assert_int_equal(pk.kind, PACKET_FRAGMENT);
    assert_int_equal(dissector_flush(d), 4);
    /* bytes behind the end: it throws the datagram away */
    read_piece(d, &(struct piece){ .version = 4, .offset = 512, .n = 504, .more = true });
    read_piece(d, &(struct piece){ .version = 4, .offset = 504, .n = 8 });
    pk = read_piece(d, &(struct piece){ .version = 4, .offset = 0, .n = 504, .more = true });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    assert_int_equal(pk.reason, UNDECODED_FRAGMENT);
    assert_int_equal(dissector_undecoded(d)[UNDECODED_FRAGMENT], 7);
    assert_int_equal(dissector_flush(d), 0);
    dissector_free(d);
}

/* IPv6: RFC 5722, the datagram is spoilt, and what comes of it later, too. */
static void test_overlap_v6(void **state)
{
    (void)state;
    struct dissector *d = dissector_new();
    const uint64_t *lost = &dissector_undecoded(d)[UNDECODED_FRAGMENT];
    read_piece(d, &(struct piece){ .version = 6, .offset = 0, .n = 512, .more = true });
    struct packet pk = read_piece(d, &(struct piece){ .version = 6, .offset = 504, .n = SEGMENT - 504 });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    assert_int_equal(pk.reason, UNDECODED_FRAGMENT);
    assert_int_equal(*lost, 2);
    pk = read_piece(d, &(struct piece){ .version = 6, .offset = 512, .n = SEGMENT - 512 });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    assert_int_equal(*lost, 3);
    assert_int_equal(dissector_flush(d), 0);
    /* a copy with other bytes; two ends; a piece behind the end */
    read_piece(d, &(struct piece){ .version = 6, .id = 1, .offset = 0, .n = 512, .more = true });
    pk = read_piece(d, &(struct piece){ .version = 6, .id = 1, .offset = 0, .n = 512, .more = true,
                                        .bytes = segment[0] + 1 });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    read_piece(d, &(struct piece){ .version = 6, .id = 2, .offset = 512, .n = 8 });
    pk = read_piece(d, &(struct piece){ .version = 6, .id = 2, .offset = 520, .n = 8 });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    read_piece(d, &(struct piece){ .version = 6, .id = 3, .offset = 512, .n = 8 });
    pk = read_piece(d, &(struct piece){ .version = 6, .id = 3, .offset = 520, .n = 8, .more = true });
    assert_int_equal(pk.kind, PACKET_UNDECODED);
    dissector_free(d);
}

static void test_malformed(void **state)
{
    (void)state;
    static uint8_t zero[65535];
    struct dissector *d = dissector_new();
    for (unsigned version = 4; version <= 6; version += 2) {
        const struct piece pieces[] = {
            { .version = version, .offset = 0, .n = 0, .more = true },          /* empty */
            { .version = version, .offset = 8, .n = 0 },
            { .version = version, .offset = 0, .n = 12, .more = true },         /* not of 8 bytes, yet not the last */
            { .version = version, .offset = 65528, .n = 16, .bytes = zero },    /* beyond 64 KB */
            { .version = version, .offset = 65528, .n = 8, .bytes = zero },
        };
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            struct packet pk = read_piece(d, &pieces[i]);
            assert_int_equal(pk.kind, PACKET_UNDECODED);
            assert_int_equal(pk.reason, UNDECODED_FRAGMENT);
        }
    }
    assert_int_equal(dissector_undecoded(d)[UNDECODED_FRAGMENT], 10);
    /* cut by the snaplen */
    uint8_t bytes[4096];
    struct packet pk;
    size_t n = write_piece(&(struct piece){ .version = 4, .n = 512, .more = true }, bytes);
    read_bytes(d, RAW_IP, bytes, 60, n, &pk);
    assert_int_equal(pk.reason, UNDECODED_FRAGMENT);
    assert_int_equal(dissector_flush(d), 0);
    dissector_free(d);
}

/* The largest datagrams, in pieces of 1480 bytes. */
static void test_largest(void **state)
{
    (void)state;
    static uint8_t zero[65535];
    for (unsigned version = 4; version <= 6; version += 2) {
        struct dissector *d = dissector_new();
        unsigned total = version == 4 ? 65515 : 65535, at = 0;
        struct packet pk = { 0 };
        for (; at < total; at += 1480)
            pk = read_piece(d, &(struct piece){ .version = version, .offset = at, .protocol = 17, .bytes = zero,
                                                .n = total - at < 1480 ? total - at : 1480,
                                                .more = total - at > 1480 });
        assert_int_equal(pk.kind, PACKET_UDP);
        assert_int_equal(pk.udp.len, total - 8);
        dissector_free(d);
    }
}

/* The tunnel's packets are fragmented; the tunnel's content is; both. */
static void test_in_tunnels(void **state)
{
    (void)state;
    struct dissector *d = dissector_new();
    uint8_t inner[2][4096], outer[4096];
    size_t n[2];
    n[0] = write_piece(&(struct piece){ .version = 4, .id = 1, .offset = 0, .n = 512, .more = true }, inner[0]);
    n[1] = write_piece(&(struct piece){ .version = 4, .id = 1, .offset = 512, .n = SEGMENT - 512 }, inner[1]);
    struct packet pk = { 0 };
    for (unsigned i = 0; i < 2; i++) { /* each inner fragment in an outer datagram of two fragments, protocol 4 */
        memcpy(outer, inner[i], n[i]);
        pk = read_piece(d, &(struct piece){ .version = 4, .id = 10 + i, .offset = 256, .n = (unsigned)n[i] - 256,
                                            .protocol = 4, .bytes = outer + 256 });
        assert_int_equal(pk.kind, PACKET_FRAGMENT);
        pk = read_piece(d, &(struct piece){ .version = 4, .id = 10 + i, .offset = 0, .n = 256, .more = true,
                                            .protocol = 4, .bytes = outer });
    }
    check_whole(&pk, 4);
    assert_int_equal(pk.encap.n_tunnels, 1);
    assert_int_equal(pk.encap.tunnels[0].kind, TUNNEL_IPIP);
    assert_int_equal(dissector_flush(d), 0);
    dissector_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_facts_of_the_first),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_kept_apart),
        cmocka_unit_test(test_given_up),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_overlap_v4),
        cmocka_unit_test(test_overlap_v6),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_in_tunnels),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
