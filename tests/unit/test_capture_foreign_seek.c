/* The files that are not read front to back, Network Monitor's and NetXray's: whole, damaged, cut at every byte, and
 * inside gzip, where they are read in another way. */
#include "capture_foreign.h"

#include "base/limits.h"

#include <pcap/pcap.h>

/* 2023-11-14 22:13:20, which is SEC, as Windows keeps it (SYSTEMTIME; the day of the week is Tuesday). */
static const uint16_t sec_as_date[] = { 2023, 11, 2, 14, 22, 13, 20 };

/* --- Network Monitor --- */

/* A file under construction, and where its records are. */
struct netmon {
    struct build b;
    unsigned major, minor;
    uint32_t at[8];
    guint n;
};

static struct netmon netmon_new(unsigned major, unsigned minor, unsigned network)
{
    struct netmon m = { build_new(false), major, minor, { 0 }, 0 };
    const uint8_t version[] = { (uint8_t)minor, (uint8_t)major };
    put(&m.b, major == 1 ? "RTSS" : "GMBU", 4);
    put(&m.b, version, 2);
    put_u16(&m.b, network);
    for (size_t i = 0; i < G_N_ELEMENTS(sec_as_date); i++)
        put_u16(&m.b, sec_as_date[i]);
    put_u16(&m.b, 250); /* milliseconds */
    while (m.b.bytes->len < 128)
        put(&m.b, "", 1);
    return m;
}

static void put_u64(struct build *b, uint64_t v)
{
    put_u32(b, v);
    put_u32(b, v >> 32);
}

static void netmon_record(struct netmon *m, uint64_t time, const char *bytes, uint32_t n, uint32_t wirelen,
                          unsigned network)
{
    struct build *b = &m->b;
    m->at[m->n++] = b->bytes->len;
    if (m->major == 1) {
        put_u32(b, time);
        put_u16(b, wirelen);
        put_u16(b, n);
    } else {
        put_u64(b, time);
        put_u32(b, wirelen);
        put_u32(b, n);
    }
    put(b, bytes, n);
    if (m->major == 2 && m->minor >= 1)
        put_u16(b, network);
    if (m->major == 2 && m->minor >= 2)
        put_u32(b, 77); /* process */
    if (m->major == 2 && m->minor >= 3) {
        /* 0.1234567 s after SEC, whatever the time in the head */
        put_u64(b, (UINT64_C(11644473600) + SEC) * 10000000 + 1234567);
        put(b, "", 1);
    }
}

/* Writes the table, of these n records, and where it is into the header. */
static void netmon_finish(struct netmon *m, const guint *order, guint n)
{
    struct build head = build_new(false);
    put_u32(&head, m->b.bytes->len);
    put_u32(&head, 4 * n);
    for (guint i = 0; i < n; i++)
        put_u32(&m->b, m->at[order[i]]);
    memcpy(m->b.bytes->data + 24, head.bytes->data, 8);
    build_free(&head);
}

/* Version by version; in the file there is a hole before the first record, and their order is not that of the table. */
static void netmon_versions(void **state)
{
    (void)state;
    static const struct {
        unsigned major, minor;
        uint64_t ticks; /* in a second */
        bool nanoseconds;
    } rows[] = { { 1, 1, 1000, false },
                 { 2, 0, 1000000, false },
                 { 2, 1, 1000000, false },
                 { 2, 2, 1000000, false },
                 { 2, 3, 1000000, true } };
    static const guint order[] = { 1, 2, 0 };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct netmon m = netmon_new(rows[i].major, rows[i].minor, 1);
        put(&m.b, "a hole", 6);
        netmon_record(&m, rows[i].ticks * 2 + 5, "last", 4, 4, 1);
        netmon_record(&m, 0, "first", 5, 60, 0);
        netmon_record(&m, rows[i].ticks, "", 0, 0, 1);
        netmon_finish(&m, order, 3);
        put(&m.b, "comments", 8);
        struct outcome o = read_build(&m.b, NULL), packed = read_gzip(&m.b);
        bool filetime = rows[i].minor >= 3;
        int64_t start = SEC_NS + (filetime ? 123456700 : 250 * NS_PER_MS), second = filetime ? 0 : NS_PER_S;
        assert_true(went_well(&o));
        assert_same(&o, &packed);
        assert_int_equal(o.frames->len, 3);
        assert_frame(&o, 0, start, "first", 60, DLT_EN10MB);
        assert_frame(&o, 1, start + second, "", 0, DLT_EN10MB);
        assert_frame(&o, 2, start + 2 * second + (filetime ? 0 : 5 * NS_PER_S / (int64_t)rows[i].ticks), "last", 4,
                     DLT_EN10MB);
        assert_int_equal(o.info.nanoseconds, rows[i].nanoseconds);
        outcome_free(&o);
        outcome_free(&packed);
        build_free(&m.b);
    }
}

static void netmon_networks(void **state)
{
    (void)state;
    static const guint order[] = { 0, 1, 2, 3, 4, 5, 6 };
    struct netmon m = netmon_new(2, 1, 1);
    netmon_record(&m, 0, "raw", 3, 3, 9);
    netmon_record(&m, 0, "network information", 19, 19, 0xfffd);
    netmon_record(&m, 0, "\2\5\0..wlan", 9, 100, 6);
    netmon_record(&m, 0, "\2\xff\0..wlan", 9, 100, 6); /* its header is longer than it */
    netmon_record(&m, 0, "pcap", 4, 4, 0xe000 + 101);
    netmon_record(&m, 0, "event", 5, 5, 0xffe0);
    netmon_record(&m, UINT64_MAX - 249999, "before", 6, 6, 1); /* 0.25 s before the start */
    netmon_finish(&m, order, 7);
    struct outcome o = read_build(&m.b, NULL);
    assert_true(went_well(&o));
    assert_int_equal(o.frames->len, 6);
    assert_frame(&o, 0, SEC_NS + 250 * NS_PER_MS, "raw", 3, DLT_RAW);
    assert_frame(&o, 1, SEC_NS + 250 * NS_PER_MS, "wlan", 95, DLT_IEEE802_11);
    assert_int_equal(frame_at(&o, 2)->dlt, DLT_USER0);
    assert_frame(&o, 3, SEC_NS + 250 * NS_PER_MS, "pcap", 4, DLT_RAW);
    assert_frame(&o, 4, SEC_NS + 250 * NS_PER_MS, "event", 5, DLT_USER0);
    assert_frame(&o, 5, SEC_NS, "before", 6, DLT_EN10MB);
    outcome_free(&o);
    build_free(&m.b);
}

/* Without its end there is no table: the records are read one after the other. */
static void netmon_every_prefix(void **state)
{
    (void)state;
    static const guint order[] = { 0, 1, 2 };
    for (unsigned minor = 0; minor < 4; minor++) {
        struct netmon m = netmon_new(2, minor, 1);
        guint ends[3];
        for (guint i = 0; i < 3; i++) {
            netmon_record(&m, i, "packet", 6, 6, 1);
            ends[i] = m.b.bytes->len;
        }
        netmon_finish(&m, order, 3);
        check_prefixes(&m.b, 128, ends, 3, false);
        build_free(&m.b);
    }
}

static void netmon_damaged(void **state)
{
    (void)state;
    static const guint same[] = { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 }, one[] = { 0 };
    struct netmon m = netmon_new(2, 0, 1);
    netmon_record(&m, 0, "packet", 6, 6, 1);
    netmon_record(&m, 0, "packet that is long enough for the file to hold the table twice", 63, 63, 1);
    netmon_finish(&m, same, 14);
    assert_damaged(&m.b, 5, "overlap");
    m.b.bytes->data[128 + 15] = 1; /* captured length */
    assert_damaged(&m.b, 0, "larger than any frame");
    m.b.bytes->data[128 + 15] = 0;
    m.at[0] = 100000; /* beyond the end of the file */
    netmon_finish(&m, one, 1);
    assert_damaged(&m.b, 0, "cut short");
    memset(m.b.bytes->data + 24, 0, 8); /* never finished: no table yet; it is read as records here */
    assert_damaged(&m.b, 2, "cut short");
    m.b.bytes->data[24] = 127;
    assert_refused(&m.b, "frame table has an impossible place");
    m.b.bytes->data[10] = 13; /* month */
    assert_refused(&m.b, "Network Monitor header is damaged (it has no date)");
    m.b.bytes->data[5] = 3;
    assert_refused(&m.b, "Network Monitor capture of version 3.0, which tcpsleuth does not read; convert");
    build_free(&m.b);
}

/* Far more records than are read at a time, in reverse. */
static void netmon_many(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct netmon m = netmon_new(2, 0, 1);
    for (uint32_t i = 0; i < MANY; i++) {
        m.n = 0;
        netmon_record(&m, i, ethernet_packet, 54, 54, 1);
    }
    struct build head = build_new(false);
    put_u32(&head, m.b.bytes->len);
    put_u32(&head, 4 * MANY);
    memcpy(m.b.bytes->data + 24, head.bytes->data, 8);
    for (uint32_t i = MANY; i-- > 0;)
        put_u32(&m.b, 128 + i * (16 + 54));
    struct outcome o = read_build(&m.b, NULL);
    assert_true(went_well(&o));
    assert_int_equal(o.frames->len, MANY);
    for (guint i = 0; i < MANY; i++)
        assert_int_equal(frame_at(&o, i)->ts_ns, SEC_NS + 250 * NS_PER_MS + (MANY - 1 - i) * NS_PER_US);
    outcome_free(&o);
    build_free(&head);
    build_free(&m.b);
}

/* --- NetXray --- */

struct netxray {
    const char *version;
    uint8_t network, kind, clock, type;
    uint32_t units;
};

static void patch_u32(struct build *b, guint at, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(b->bytes->data + at, &value, 4);
}

/* The clock said 1000 when the capture began, at SEC. */
static struct build netxray_new(const struct netxray *x)
{
    struct build b = build_new(false);
    g_byte_array_set_size(b.bytes, 128);
    memset(b.bytes->data, 0, 128);
    memcpy(b.bytes->data, "XCP", 4);
    memcpy(b.bytes->data + 4, x->version, 8);
    patch_u32(&b, 12, SEC);
    patch_u32(&b, 24, 128);
    b.bytes->data[44] = x->network;
    b.bytes->data[45] = x->kind;
    b.bytes->data[48] = x->clock;
    patch_u32(&b, 52, 1000);
    patch_u32(&b, 76, x->units);
    b.bytes->data[84] = x->type;
    return b;
}

static void netxray_record(struct build *b, uint64_t ticks, const char *bytes, uint16_t wirelen, bool tail)
{
    bool version_2 = b->bytes->data[6] == '2';
    put_u64(b, ticks);
    put_u16(b, wirelen);
    put_u16(b, (unsigned)strlen(bytes));
    put(b, tail ? "\0\0\xff\xff" : "\0\0\0\0", 4);
    for (int i = version_2 ? 24 : 12; i > 0; i--)
        put(b, "", 1);
    put(b, bytes, strlen(bytes));
}

static void netxray_finish(struct build *b)
{
    patch_u32(b, 28, b->bytes->len);
}

static void netxray_versions(void **state)
{
    (void)state;
    static const struct {
        struct netxray x;
        uint64_t ticks; /* 1 s after the start */
        int dlt;
        bool nanoseconds;
    } rows[] = {
        { { "001.000", 0, 0, 0, 0, 0 }, 2000, DLT_EN10MB, false },
        { { "001.100", 0, 0, 0, 0, 0 }, 1001000, DLT_EN10MB, false },
        { { "001.100", 3, 0, 0, 3, 0 }, 1001000, DLT_EN10MB, false },
        { { "002.000", 0, 0, 0, 0, 0 }, 1001000, DLT_EN10MB, false },
        { { "002.001", 1, 2, 1, 0, 0 }, 1194000, DLT_EN10MB, true },
        { { "002.002", 0, 0, 2, 0, 3579545 }, 3580545, DLT_EN10MB, true },
        { { "002.001", 0, 0, 0, 2, 0 }, 1000001000, DLT_EN10MB, true },
        { { "002.002", 0, 0, 2, 2, 0 }, 31250000, DLT_EN10MB, true },
        { { "002.003", 0, 0, 2, 3, 0 }, 1250000, DLT_EN10MB, true },
        { { "002.001", 1, 0, 2, 0, 0 }, 1194182, DLT_IEEE802, true },
        { { "002.001", 2, 0, 0, 0, 0 }, 1001000, DLT_FDDI, false },
        { { "002.001", 3, 0, 0, 3, 0 }, 1001000, DLT_PPP, false },
        { { "002.001", 3, 0, 0, 4, 0 }, 1001000, DLT_FRELAY, false },
        { { "002.001", 3, 0, 0, 19, 0 }, 1001000, DLT_C_HDLC, false },
        { { "002.001", 3, 0, 0, 7, 0 }, 1001000, DLT_USER0, false },
        { { "002.001", 9, 0, 0, 0, 0 }, 1001000, DLT_IEEE802_11, false },
        { { "002.001", 8, 0, 0, 15, 0 }, 1001000, DLT_USER0, false },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct build b = netxray_new(&rows[i].x);
        netxray_record(&b, rows[i].ticks, "packet", 60, false);
        netxray_record(&b, 0, "before", 6, false);
        netxray_finish(&b);
        put(&b, "what follows is of no interest", 30);
        struct outcome o = read_build(&b, NULL);
        assert_true(went_well(&o));
        assert_int_equal(o.frames->len, 2);
        assert_frame(&o, 0, SEC_NS + NS_PER_S, "packet", 60, rows[i].dlt);
        assert_true(frame_at(&o, 1)->ts_ns <= SEC_NS);
        assert_int_equal(o.info.nanoseconds, rows[i].nanoseconds);
        outcome_free(&o);
        build_free(&b);
    }
}

/* 4 bytes follow a packet: its checksum, or rubbish, as two bytes in the middle of a clock rate tell. */
static void netxray_tails(void **state)
{
    (void)state;
    for (int keeps = 0; keeps < 2; keeps++) {
        struct build b = netxray_new(&(struct netxray){ "002.001", .units = keeps ? 0x123428 : 0x369e99 });
        netxray_record(&b, 1000, "packetTAIL", 64, true);
        netxray_record(&b, 1000, "packet", 60, false);
        netxray_finish(&b);
        struct outcome o = read_build(&b, NULL);
        assert_true(outcome_clean(&o));
        assert_frame(&o, 0, SEC_NS, keeps ? "packetTAIL" : "packet", keeps ? 64 : 60, DLT_EN10MB);
        assert_frame(&o, 1, SEC_NS, "packet", 60, DLT_EN10MB);
        outcome_free(&o);
        build_free(&b);
    }
    struct build b = netxray_new(&(struct netxray){ "002.001" });
    netxray_record(&b, 1000, "cut", 64, true);
    netxray_finish(&b);
    assert_damaged(&b, 0, "impossible length");
    build_free(&b);
}

/* A full ring: the oldest packet is in the middle of the file. */
static void netxray_ring(void **state)
{
    (void)state;
    struct build b = netxray_new(&(struct netxray){ "001.100" });
    netxray_record(&b, 4000, "third", 5, false);
    netxray_record(&b, 5000, "fourth", 6, false);
    netxray_finish(&b);
    put(&b, "what is left of one that was overwritten", 40);
    patch_u32(&b, 24, b.bytes->len);
    netxray_record(&b, 2000, "first", 5, false);
    netxray_record(&b, 3000, "second", 6, false);
    struct outcome o = read_build(&b, NULL), packed = read_gzip(&b);
    assert_true(went_well(&o));
    assert_same(&o, &packed);
    assert_int_equal(o.frames->len, 4);
    assert_frame(&o, 0, SEC_NS + NS_PER_MS, "first", 5, DLT_EN10MB);
    assert_frame(&o, 1, SEC_NS + 2 * NS_PER_MS, "second", 6, DLT_EN10MB);
    assert_frame(&o, 2, SEC_NS + 3 * NS_PER_MS, "third", 5, DLT_EN10MB);
    assert_frame(&o, 3, SEC_NS + 4 * NS_PER_MS, "fourth", 6, DLT_EN10MB);
    outcome_free(&o);
    outcome_free(&packed);
    build_free(&b);
}

static void netxray_damaged(void **state)
{
    (void)state;
    struct build b = netxray_new(&(struct netxray){ "001.100" });
    netxray_record(&b, 1000, "good", 4, false);
    guint start = b.bytes->len;
    netxray_record(&b, 1000, "bad!", 4, false);
    netxray_finish(&b);
    b.bytes->data[start + 10] = 200; /* captured length: beyond the end that the header names */
    assert_damaged(&b, 1, "impossible length");
    patch_u32(&b, 28, 0); /* a header that was never finished: up to the end of the file */
    assert_damaged(&b, 1, "cut short");
    b.bytes->data[start + 10] = 4;
    struct outcome o = read_build(&b, NULL);
    assert_true(outcome_clean(&o));
    assert_int_equal(o.frames->len, 2);
    outcome_free(&o);
    patch_u32(&b, 24, 100);
    assert_refused(&b, "NetXray header is damaged (its packets have an impossible place)");
    b.bytes->data[6] = '2';
    b.bytes->data[48] = 2; /* a clock whose rate is in the header: 0 */
    assert_refused(&b, "version \"002.100\"");
    b.bytes->data[8] = '0';
    assert_refused(&b, "NetXray capture with clock 2 of capture type 0");
    b.bytes->data[45] = 7;
    assert_refused(&b, "network type 0.7");
    b.bytes->data[4] = '\n';
    assert_refused(&b, "version \"\\n02.000\"");
    build_free(&b);
}

static void netxray_every_prefix(void **state)
{
    (void)state;
    for (int version = 1; version < 3; version++) {
        struct build b = netxray_new(&(struct netxray){ version == 1 ? "001.100" : "002.001" });
        guint ends[3];
        for (guint i = 0; i < 3; i++) {
            netxray_record(&b, 1000 + i, "packet", 60, false);
            ends[i] = b.bytes->len;
        }
        netxray_finish(&b);
        check_prefixes(&b, 128, ends, 3, false);
        build_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(netmon_versions),     cmocka_unit_test(netmon_networks),
        cmocka_unit_test(netmon_every_prefix), cmocka_unit_test(netmon_damaged),
        cmocka_unit_test(netmon_many),         cmocka_unit_test(netxray_versions),
        cmocka_unit_test(netxray_tails),       cmocka_unit_test(netxray_ring),
        cmocka_unit_test(netxray_damaged),     cmocka_unit_test(netxray_every_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
