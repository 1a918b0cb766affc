/* DNS messages: answers of the usual kinds, aliases, the extended response code, and what hostile bytes can do. */
#include "dissect/dns.h"

#include "base/limits.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* --- making bytes --- */

/* A message as it grows. */
struct message {
    uint8_t bytes[65536];
    size_t n;
};

static void put(struct message *m, const char *hex)
{
    for (; *hex; hex++)
        if (g_ascii_isxdigit(*hex)) {
            assert_true(m->n < sizeof m->bytes);
            m->bytes[m->n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
            hex++;
        }
}

static struct message *message(const char *hex)
{
    struct message *m = g_new0(struct message, 1);
    put(m, hex);
    return m;
}

/* Parses a copy that ends at a page that cannot be read. */
static struct dns_message *parse_bytes(const uint8_t *p, size_t n)
{
    uint8_t *copy = guard_copy(p, n);
    struct dns_message *d = dns_parse(slice_of(copy, n));
    guard_free(copy);
    return d;
}

static struct dns_message *parse(const char *hex)
{
    struct message *m = message(hex);
    struct dns_message *d = parse_bytes(m->bytes, m->n);
    g_free(m);
    return d;
}

/* 12 bytes of header: id 0x1234, flags, counts; then the question www.UPC.edu. */
#define QUESTION "03 777777 03 555043 03 656475 00"
#define HEADER(flags, answers, authorities, additionals) "1234" flags "0001" answers authorities additionals QUESTION
/* An A record for the question's name. */
#define A_RECORD "c00c 0001 0001 0000003c 0004 9353 0287"

/* --- good messages --- */

static void a_query(void **state)
{
    (void)state;
    struct dns_message *d = parse(HEADER("0100", "0000", "0000", "0001") "001c 0001  00 0029 04d0 00000000 0000");
    assert_non_null(d);
    assert_int_equal(d->id, 0x1234);
    assert_false(d->response || d->truncated);
    assert_string_equal(d->name, "www.upc.edu");
    assert_int_equal(d->type, 28);
    assert_int_equal(d->rcode, 0);
    assert_null(d->answers[0]);
    assert_int_equal(d->addresses->len, 0);
    dns_message_free(d);
}

/* www is an alias of host.upc.edu, which has one address of each family. */
static void an_answer(void **state)
{
    (void)state;
    struct dns_message *d =
        parse(HEADER("8180", "0003", "0000", "0000") "0001 0001"
                                                     "c00c 0005 0001 0000003c 0007 04 484f5354 c010"
                                                     "c029 0001 0001 0000003c 0004 9353 0287"
                                                     "c029 001c 0001 0000003c 0010 20010db8000000000000000000000001");
    assert_non_null(d);
    assert_true(d->response);
    assert_int_equal(g_strv_length(d->answers), 3);
    assert_string_equal(d->answers[0], "host.upc.edu");
    assert_string_equal(d->answers[1], "147.83.2.135");
    assert_string_equal(d->answers[2], "2001:db8::1");
    assert_int_equal(d->addresses->len, 2);
    const struct dns_address *a = &g_array_index(d->addresses, struct dns_address, 0);
    static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 147, 83, 2, 135 };
    assert_int_equal(a[0].version, 4);
    assert_memory_equal(a[0].bytes, mapped, 16);
    assert_int_equal(a[1].version, 6);
    assert_int_equal(a[1].bytes[0], 0x20);
    dns_message_free(d);
}

static const struct {
    const char *record, *text;
} records[] = {
    { "c00c 000f 0001 0000003c 0009 000a 04 6d61696c c010", "MX 10 mail.UPC.edu." },
    { "c00c 0010 0001 0000003c 0006 05 68656c6c6f", "TXT \"hello\"" },
    { "c00c 0041 0001 0000003c 000a 0001 00 0001 0003 02 6832", "HTTPS 1 . alpn=h2" },
    { "c00c 0021 0001 0000003c 0008 0000 0000 01bb c00c", "SRV 0 0 443 www.UPC.edu." },
    { "c00c ff12 0001 0000003c 0002 abcd", "TYPE65298 \\# 2 abcd" },
    { "c00c 0001 0001 0000003c 0003 010203", "A" },   /* an address of three bytes */
    { "c00c 0005 0001 0000003c 0002 c0ff", "CNAME" }, /* an alias that points out of the message */
    { "c00c 0001 0001 0000003c 0000", "A" },
    { "c00c 0005 0001 0000003c 0001 00", "." },
};

static void texts_of_records(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(records); i++) {
        struct message *m = message(HEADER("8180", "0001", "0000", "0000") "0001 0001");
        put(m, records[i].record);
        struct dns_message *d = parse_bytes(m->bytes, m->n);
        assert_non_null(d);
        assert_string_equal(d->answers[0], records[i].text);
        assert_null(d->answers[1]);
        dns_message_free(d);
        g_free(m);
    }
}

/* NXDOMAIN with a SOA; the upper bits of the code in the OPT record behind it (BADVERS is 16). */
static void response_codes(void **state)
{
    (void)state;
    struct dns_message *d =
        parse(HEADER("8183", "0000", "0001",
                     "0000") "0001 0001"
                             "c010 0006 0001 00000e10 0016 00 00 00000001 00000002 00000003 00000004 00000005");
    assert_int_equal(d->rcode, 3);
    assert_null(d->answers[0]);
    dns_message_free(d);
    d = parse(HEADER("8180", "0001", "0000", "0002") "0001 0001" A_RECORD A_RECORD "00 0029 1000 01000000 0000");
    assert_int_equal(d->rcode, 16);
    assert_int_equal(d->addresses->len, 1); /* what stands in the additional section is no answer */
    dns_message_free(d);
}

/* Truncated for UDP: the records that are there whole are told. */
static void cut_off(void **state)
{
    (void)state;
    struct dns_message *d = parse(HEADER("8380", "0003", "0000", "0001") "0001 0001" A_RECORD "c00c 0001");
    assert_non_null(d);
    assert_true(d->truncated);
    assert_int_equal(g_strv_length(d->answers), 1);
    dns_message_free(d);
}

static void names(void **state)
{
    (void)state;
    /* the root; bytes that are no letters, written as in a zone file */
    struct dns_message *d = parse("0000 0100 0001 0000 0000 0000 00 0002 0001");
    assert_string_equal(d->name, ".");
    dns_message_free(d);
    d = parse("0000 0100 0001 0000 0000 0000 05 41 2e 00 1b ff 00 0001 0001");
    assert_string_equal(d->name, "a\\.\\000\\027\\255");
    dns_message_free(d);
    static const struct {
        uint16_t number;
        const char *text;
    } types[] = { { 1, "A" }, { 28, "AAAA" }, { 65, "HTTPS" }, { 65280, "TYPE65280" } },
      codes[] = { { 0, "NOERROR" },  { 2, "SERVFAIL" }, { 3, "NXDOMAIN" }, { 5, "REFUSED" },
                  { 12, "RCODE12" }, { 16, "BADVERS" }, { 99, "RCODE99" }, { 4095, "RCODE4095" } };
    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        char *text = dns_type_name(types[i].number);
        assert_string_equal(text, types[i].text);
        g_free(text);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(codes); i++) {
        char *text = dns_rcode_name(codes[i].number);
        assert_string_equal(text, codes[i].text);
        g_free(text);
    }
}

/* --- bad messages --- */

static void refused(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "",
        "1234 0100 0000 0000 0000 0000",                               /* no question */
        "1234 0100 0002 0000 0000 0000" QUESTION "0001 0001" QUESTION, /* two */
        "1234 2800 0001 0000 0000 0000" QUESTION "0006 0001",          /* an update (RFC 2136) */
        "1234 0100 0001 0000 0000 0000 c00c 0001 0001",                /* a name that points to itself */
        "1234 0100 0001 0000 0000 0000 03 616161 c00c 0001 0001",      /* one that comes back to itself */
        "1234 0100 0001 0000 0000 0000 41 61 00 0001 0001",            /* a kind of label that there is not */
        "1234 0100 0001 0000 0000 0000 c0ff 0001 0001",                /* beyond the end */
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++)
        assert_null(parse(messages[i]));
    dns_message_free(NULL);
}

#define FULL                                                                                                           \
    HEADER("8180", "0004", "0000", "0001")                                                                             \
    "0001 0001 c00c 0005 0001 0000003c 0007 04 686f7374 c010" A_RECORD                                                 \
    "c00c 0041 0001 0000003c 000a 0001 00 0001 0003 02 6832 c00c 000f 0001 0000003c 0009 000a 04 6d61696c c010"        \
    "00 0029 1000 00000000 0000"

static void every_prefix(void **state)
{
    (void)state;
    struct message *m = message(FULL);
    size_t question = 12 + 13 + 4;
    for (size_t n = 0; n <= m->n; n++) {
        struct dns_message *d = parse_bytes(m->bytes, n);
        assert_int_equal(d != NULL, n >= question);
        dns_message_free(d);
    }
    g_free(m);
}

static void every_byte_changed(void **state)
{
    (void)state;
    struct message *m = message(FULL);
    for (size_t i = 0; i < m->n; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            m->bytes[i] ^= (uint8_t)(1u << bit);
            dns_message_free(parse_bytes(m->bytes, m->n));
            m->bytes[i] ^= (uint8_t)(1u << bit);
        }
    g_free(m);
}

/* More answers than are kept; a text longer than is kept. */
static void limits(void **state)
{
    (void)state;
    struct message *m = message(HEADER("8180", "1000", "0000", "0000") "0001 0001");
    for (int i = 0; i < 3000; i++)
        put(m, A_RECORD);
    struct dns_message *d = parse_bytes(m->bytes, m->n);
    assert_int_equal(g_strv_length(d->answers), LIMIT_DNS_ANSWERS);
    assert_int_equal(d->addresses->len, LIMIT_DNS_ANSWERS);
    dns_message_free(d);
    g_free(m);
    m = message(HEADER("8180", "0001", "0000", "0000") "0001 0001 c00c 0010 0001 0000003c 4000");
    for (int i = 0; i < 64; i++) {
        put(m, "ff");
        memset(m->bytes + m->n, 1, 255);
        m->n += 255;
    }
    d = parse_bytes(m->bytes, m->n);
    assert_memory_equal(d->answers[0], "TXT \"\\001", 9);
    assert_true(strlen(d->answers[0]) <= LIMIT_DNS_TEXT);
    dns_message_free(d);
    g_free(m);
}

/* Every answer an alias whose name follows a chain of thousands of pointers: it ends, and soon. */
static void pointer_chains(void **state)
{
    (void)state;
    struct message *m = message("1234 8180 0001 1000 0000 0001 00 0001 0001");
    put(m, "00 0063 0001 00000000 3ff0"); /* a record with 8000 pointers, each to the one before it */
    size_t first = m->n;
    put(m, "00 00");
    while (m->n < first + 0x3ff0) {
        size_t to = m->n - 2;
        m->bytes[m->n++] = (uint8_t)(0xc0 | to >> 8);
        m->bytes[m->n++] = (uint8_t)to;
    }
    uint8_t last[2] = { m->bytes[m->n - 4], m->bytes[m->n - 3] };
    for (int i = 0; i < 3000; i++) {
        put(m, "00 0005 0001 00000000 0002");
        memcpy(m->bytes + m->n, last, 2);
        m->n += 2;
    }
    struct dns_message *d = parse_bytes(m->bytes, m->n);
    assert_non_null(d);
    assert_int_equal(g_strv_length(d->answers), LIMIT_DNS_ANSWERS);
    dns_message_free(d);
    g_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query),        cmocka_unit_test(an_answer),      cmocka_unit_test(texts_of_records),
        cmocka_unit_test(response_codes), cmocka_unit_test(cut_off),        cmocka_unit_test(names),
        cmocka_unit_test(refused),        cmocka_unit_test(every_prefix),   cmocka_unit_test(every_byte_changed),
        cmocka_unit_test(limits),         cmocka_unit_test(pointer_chains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
