/* snoop and ERF files, and how kinds are told apart: whole, damaged, cut at every byte. */
#include "capture_foreign.h"
#include "guard.h"

#include "base/limits.h"
#include "capture/source.h"

#include <pcap/pcap.h>

/* --- snoop --- */

static struct build snoop_new(uint32_t version, uint32_t datalink)
{
    struct build b = build_new(true);
    put(&b, "snoop\0\0\0", 8);
    put_u32(&b, version);
    put_u32(&b, datalink);
    return b;
}

static void snoop_record(struct build *b, uint32_t sec, uint32_t usec, const char *bytes, uint32_t wirelen,
                         uint32_t fill)
{
    uint32_t n = (uint32_t)strlen(bytes);
    put_u32(b, wirelen);
    put_u32(b, n);
    put_u32(b, 24 + n + fill);
    put_u32(b, 3); /* dropped */
    put_u32(b, sec);
    put_u32(b, usec);
    put(b, bytes, n);
    put(b, "fillfillfillfill", fill);
}

static void snoop_packets(void **state)
{
    (void)state;
    static const struct {
        uint32_t datalink;
        int dlt;
    } rows[] = {
        { 0, DLT_EN10MB }, { 4, DLT_EN10MB },  { 2, DLT_IEEE802 },        { 8, DLT_FDDI },
        { 9, DLT_NULL },   { 18, DLT_SUNATM }, { 14, DLT_NULL },          { 16, DLT_IP_OVER_FC },
        { 5, DLT_USER0 },  { 999, DLT_USER0 }, { 0x80000005, DLT_IPNET },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct build b = snoop_new(2, rows[i].datalink);
        snoop_record(&b, SEC, 5, "whole", 5, 3);
        snoop_record(&b, SEC + 1, 999999, "cut", 1500, 0);
        snoop_record(&b, UINT32_MAX, UINT32_MAX, "shorter on the wire", 3, 16);
        struct outcome o = read_build(&b, NULL);
        assert_true(outcome_clean(&o));
        assert_int_equal(o.frames->len, 3);
        assert_frame(&o, 0, SEC_NS + 5000, "whole", 5, rows[i].dlt);
        assert_frame(&o, 1, SEC_NS + NS_PER_S + 999999000, "cut", 1500, rows[i].dlt);
        assert_frame(&o, 2, UINT32_MAX * NS_PER_S + UINT32_MAX * NS_PER_US, "shorter on the wire", 19, rows[i].dlt);
        assert_false(o.info.nanoseconds);
        outcome_free(&o);
        build_free(&b);
    }
}

/* One word of the second record's head wrong. */
static void snoop_damaged(void **state)
{
    (void)state;
    static const struct {
        guint word;
        uint32_t value;
        const char *reason;
    } rows[] = {
        { 1, 9, "larger than its record" },
        { 1, UINT32_MAX, "larger than its record" },
        { 2, 23, "larger than its record" },
        { 2, 0, "larger than its record" },
        { 2, 0x7fffffff, "with an impossible length" },
        { 2, 33, "cut short" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct build b = snoop_new(2, 4), head = build_new(true);
        snoop_record(&b, SEC, 0, "good", 4, 4);
        guint start = b.bytes->len;
        snoop_record(&b, SEC, 0, "bad!", 4, 4);
        put_u32(&head, rows[i].value);
        memcpy(b.bytes->data + start + 4 * rows[i].word, head.bytes->data, 4);
        assert_damaged(&b, 1, rows[i].reason);
        build_free(&head);
        build_free(&b);
    }
    struct build newer = snoop_new(3, 4);
    assert_refused(&newer, "snoop capture of version 3, which tcpsleuth does not read; convert");
    build_free(&newer);
    /* A frame of more than any, in a record that is large enough for it. */
    struct build large = snoop_new(2, 4);
    char *bytes = g_strnfill(LIMIT_FRAME_BYTES + 1, 'x');
    snoop_record(&large, SEC, 0, bytes, 1, 0);
    assert_damaged(&large, 0, "larger than any frame");
    g_free(bytes);
    build_free(&large);
}

static void snoop_every_prefix(void **state)
{
    (void)state;
    struct build b = snoop_new(2, 4);
    guint ends[2];
    snoop_record(&b, SEC, 5, "whole", 5, 3);
    ends[0] = b.bytes->len;
    snoop_record(&b, SEC + 1, 6, "cut", 1500, 1);
    ends[1] = b.bytes->len;
    check_prefixes(&b, 16, ends, 2, true);
    build_free(&b);
}

/* --- ERF --- */

/* `rest`: all that follows the head, n bytes. */
static void erf_record(struct build *b, uint8_t type, uint64_t time, uint16_t wirelen, const char *rest, uint16_t n)
{
    uint64_t little = GUINT64_TO_LE(time);
    put(b, &little, sizeof little);
    put(b, &type, 1);
    put(b, "\4", 1); /* records of their own length, port 0 */
    put_u16(b, 16 + n);
    put_u16(b, 0);
    put_u16(b, wirelen);
    put(b, rest, n);
}

#define ERF_SEC ((uint64_t)SEC << 32)
#define REST(s) s, sizeof s - 1

static void erf_types(void **state)
{
    (void)state;
    struct build b = build_new(true);
    erf_record(&b, 48, 0, 0, REST("filling"));
    erf_record(&b, 2, ERF_SEC, 8, REST("\0\0ethernetfill"));
    erf_record(&b, 0x80 | 11, ERF_SEC + (UINT64_C(1) << 31), 1500, REST("\x81xxxxxxx\1yyyyyyy\0\0color"));
    erf_record(&b, 1, ERF_SEC + 2, 7, REST("\xff\x03\0\x21ppp")); /* 0.47 ns */
    erf_record(&b, 10, ERF_SEC + 3, 7,
               REST("\x0f\0\x08\x01"
                    "cis")); /* 0.70 ns */
    erf_record(&b, 5, ERF_SEC + UINT32_MAX, 5, REST("chan\xff\x03mchfill"));
    erf_record(&b, 22, ERF_SEC + ERF_SEC / SEC, 4, REST("ipv4"));
    erf_record(&b, 48, 0, 0, REST(""));
    erf_record(&b, 23, ERF_SEC, 4, REST("ipv6"));
    erf_record(&b, 27, ERF_SEC, 4, REST("meta"));
    struct outcome o = read_build(&b, NULL);
    assert_true(outcome_clean(&o));
    assert_int_equal(o.frames->len, 8);
    assert_frame(&o, 0, SEC_NS, "ethernet", 8, DLT_EN10MB);
    assert_frame(&o, 1, SEC_NS + NS_PER_S / 2, "color", 1500, DLT_EN10MB);
    assert_int_equal(frame_at(&o, 2)->dlt, DLT_PPP_SERIAL);
    assert_int_equal(frame_at(&o, 2)->caplen, 7);
    assert_int_equal(frame_at(&o, 2)->ts_ns, SEC_NS);
    assert_int_equal(frame_at(&o, 3)->dlt, DLT_C_HDLC);
    assert_int_equal(frame_at(&o, 3)->ts_ns, SEC_NS + 1);
    assert_frame(&o, 4, SEC_NS + NS_PER_S, "\xff\x03mch", 5, DLT_PPP_SERIAL);
    assert_frame(&o, 5, SEC_NS + NS_PER_S, "ipv4", 4, DLT_RAW);
    assert_frame(&o, 6, SEC_NS, "ipv6", 4, DLT_RAW);
    assert_int_equal(frame_at(&o, 7)->dlt, DLT_ERF);
    assert_int_equal(frame_at(&o, 7)->caplen, 20);
    assert_true(o.info.nanoseconds);
    outcome_free(&o);
    build_free(&b);
}

/* No ERF: one good record, and a second one that no card writes after it. */
static void erf_not_recognised(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        uint64_t time;
        uint16_t wirelen;
        const char *rest;
        uint16_t n;
    } rows[] = {
        { 0, ERF_SEC, 4, REST("\0\0good") },
        { 30, ERF_SEC, 4, REST("\0\0good") },
        { 49, ERF_SEC, 4, REST("\0\0good") },
        { 2, ERF_SEC - ((uint64_t)10 << 32), 4, REST("\0\0back") },
        { 2, ERF_SEC + ((uint64_t)40000000 << 32), 4, REST("\0\0far on") },
        { 2, ERF_SEC, 0, REST("\0\0good") },
        { 2, ERF_SEC, 4, REST("") },
        { 2, ERF_SEC, 4, REST("\0") },
        { 0x82, ERF_SEC, 4, REST("\1xxxxxxx") },
        { 0x82, ERF_SEC, 4, REST("\x81xxxxxxx\x81xxx") },
        { 2, ERF_SEC, 1, REST("\0\0........................................................................") },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct build b = build_new(true);
        erf_record(&b, 2, ERF_SEC, 4, REST("\0\0good"));
        erf_record(&b, rows[i].type, rows[i].time, rows[i].wirelen, rows[i].rest, rows[i].n);
        erf_record(&b, 2, ERF_SEC, 4, REST("\0\0good"));
        assert_refused(&b, "not a capture file");
        build_free(&b);
    }
    struct build old = build_new(true);
    erf_record(&old, 2, (uint64_t)700000000 << 32, 4, REST("\0\0good"));
    assert_refused(&old, "not a capture file");
    build_free(&old);
    struct build padding = build_new(true);
    for (int i = 0; i < 20; i++)
        erf_record(&padding, 48, 0, 0, REST("only that"));
    assert_refused(&padding, "not a capture file");
    build_free(&padding);
}

/* After the records that are looked at first. */
static void erf_damaged(void **state)
{
    (void)state;
    struct build b = build_new(true);
    for (int i = 0; i < 10; i++)
        erf_record(&b, 2, ERF_SEC, 4, REST("\0\0good"));
    guint good = b.bytes->len;
    erf_record(&b, 0x82, ERF_SEC, 4, REST("\x81xxxxxxx"));
    assert_damaged(&b, 10, "shorter than its headers");
    g_byte_array_set_size(b.bytes, good);
    erf_record(&b, 2, ERF_SEC, 4, REST("\0\0good"));
    b.bytes->data[good + 11] = 15;
    assert_damaged(&b, 10, "impossible length");
    build_free(&b);
}

static void erf_every_prefix(void **state)
{
    (void)state;
    struct build b = build_new(true);
    guint ends[3];
    for (int i = 0; i < 3; i++) {
        erf_record(&b, 0x82, ERF_SEC, 10, REST("\1xxxxxxx\0\0packet"));
        ends[i] = b.bytes->len;
    }
    check_prefixes(&b, ends[0], ends, 3, true);
    build_free(&b);
}

/* --- all --- */

/* The first bytes, at the end of a page. */
static void recognise_short(void **state)
{
    (void)state;
    static const struct {
        bool (*recognise)(struct slice beginning);
        const char *beginning;
        size_t needs;
    } rows[] = {
        { snoop_file_recognise, "snoop\0\0", 8 },     { netmon_file_recognise, "RTSS....", 4 },
        { netmon_file_recognise, "GMBU....", 4 },     { netxray_file_recognise, "XCP\0....", 4 },
        { pcapng_file_recognise, "\n\r\r\n....", 4 }, { pcap_file_recognise, "\xd4\xc3\xb2\xa1....", 4 },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t n = 0; n <= SOURCE_MAGIC; n++) {
            uint8_t *copy = guard_copy(rows[i].beginning, n);
            assert_int_equal(rows[i].recognise(slice_of(copy, n)), n >= rows[i].needs);
            guard_free(copy);
        }
    }
}

/* Filters and merging know nothing of the kinds. */
static void filtered(void **state)
{
    (void)state;
    struct build b = build_new(true);
    char rest[2 + 54] = "";
    memcpy(rest + 2, ethernet_packet, 54);
    erf_record(&b, 2, ERF_SEC, 54, rest, sizeof rest);
    memcpy(rest + 2, arp_packet, 42);
    erf_record(&b, 2, ERF_SEC, 42, rest, 44);
    struct outcome o = read_build(&b, "tcp port 80");
    assert_true(outcome_clean(&o));
    assert_int_equal(o.frames->len, 1);
    assert_int_equal(frame_at(&o, 0)->number, 1);
    outcome_free(&o);
    build_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snoop_packets),    cmocka_unit_test(snoop_damaged),      cmocka_unit_test(snoop_every_prefix),
        cmocka_unit_test(erf_types),        cmocka_unit_test(erf_not_recognised), cmocka_unit_test(erf_damaged),
        cmocka_unit_test(erf_every_prefix), cmocka_unit_test(recognise_short),    cmocka_unit_test(filtered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
