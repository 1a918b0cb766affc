#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void v4_text(void **state)
{
    (void)state;
    char text[ADDR_TEXT_SIZE];
    const uint8_t four[4] = { 192, 0, 2, 200 };
    struct addr a = addr_v4(four);
    assert_string_equal(addr_text(text, &a, 4), "192.0.2.200");
}

/* The rules of RFC 5952 section 4, one a row. */
static void v6_text(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        const char *text;
    } rows[] = {
        { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, "2001:db8::1" },
        { { [15] = 1 }, "::1" },
        { { 0 }, "::" },
        /* The longer of two runs of zeros, the first of equal ones. */
        { { 0x20, 0x01, [7] = 1, [15] = 1 }, "2001:0:0:1::1" },
        { { 0x20, 0x01, 0x0d, 0xb8, [9] = 1, [15] = 1 }, "2001:db8::1:0:0:1" },
        /* One zero field alone is not shortened. */
        { { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 }, "2001:db8:0:1:1:1:1:1" },
        { { 0xfe, 0x80, [8] = 0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89 }, "fe80::abcd:ef01:2345:6789" },
        { { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 },
          "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[ADDR_TEXT_SIZE];
        struct addr a = addr_v6(rows[i].bytes);
        assert_string_equal(addr_text(text, &a, 6), rows[i].text);
    }
}

/* The version decides, not the bytes: ::ffff:a.b.c.d in an IPv6 packet stays IPv6. */
static void mapped_text(void **state)
{
    (void)state;
    char text[ADDR_TEXT_SIZE];
    const uint8_t four[4] = { 10, 0, 3, 15 };
    struct addr a = addr_v4(four);
    assert_string_equal(addr_text(text, &a, 6), "::ffff:10.0.3.15");
    assert_string_equal(addr_text(text, &a, 4), "10.0.3.15");
}

static void order(void **state)
{
    (void)state;
    const uint8_t low[4] = { 9, 255, 255, 255 }, high[4] = { 10, 0, 0, 0 };
    struct addr a = addr_v4(low), b = addr_v4(high);
    assert_true(addr_cmp(&a, &b) < 0);
    assert_true(addr_cmp(&b, &a) > 0);
    assert_int_equal(addr_cmp(&a, &a), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(v4_text),
        cmocka_unit_test(v6_text),
        cmocka_unit_test(mapped_text),
        cmocka_unit_test(order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
