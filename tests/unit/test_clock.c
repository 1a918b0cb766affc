/* The time of a capture: disorder, single packets that are astray, and clocks that were set. */
#include "flow/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct capture_clock at(int64_t seconds)
{
    struct capture_clock c;

    capture_clock_init(&c);
    assert_int_equal(capture_clock_packet(&c, seconds * NS_PER_S), CLOCK_RUNS);
    return c;
}

static void test_disorder_and_gaps(void **state)
{
    struct capture_clock c = at(1000);

    (void)state;
    assert_int_equal(capture_clock_packet(&c, 1000 * NS_PER_S - CLOCK_DISORDER_NS), CLOCK_RUNS);
    assert_int_equal(c.now_ns, 1000 * NS_PER_S);
    assert_int_equal(capture_clock_packet(&c, 1000 * NS_PER_S + CLOCK_GAP_NS), CLOCK_RUNS);
    assert_int_equal(c.now_ns, 1000 * NS_PER_S + CLOCK_GAP_NS);
}

static void test_one_astray(void **state)
{
    static const int64_t astray[] = { 0, INT64_MAX, -1, TIME_NONE, 900 * NS_PER_S };
    struct capture_clock c = at(1000);

    (void)state;
    for (size_t i = 0; i < sizeof astray / sizeof astray[0]; i++) {
        assert_int_equal(capture_clock_packet(&c, astray[i]), CLOCK_STRANGE);
        assert_int_equal(c.now_ns, 1000 * NS_PER_S);
        assert_int_equal(capture_clock_packet(&c, 1000 * NS_PER_S), CLOCK_RUNS);
    }
    /* one from here and one from there are no clock */
    assert_int_equal(capture_clock_packet(&c, 0), CLOCK_STRANGE);
    assert_int_equal(capture_clock_packet(&c, INT64_MAX), CLOCK_STRANGE);
    assert_int_equal(capture_clock_packet(&c, 500 * NS_PER_S), CLOCK_STRANGE);
}

static void set_to(int64_t seconds)
{
    struct capture_clock c = at(200000);

    assert_int_equal(capture_clock_packet(&c, seconds * NS_PER_S), CLOCK_STRANGE);
    assert_int_equal(capture_clock_packet(&c, seconds * NS_PER_S + NS_PER_S), CLOCK_JUMPED);
    assert_int_equal(c.now_ns, 200000 * NS_PER_S);
    capture_clock_set(&c, seconds * NS_PER_S + NS_PER_S);
    assert_int_equal(capture_clock_packet(&c, seconds * NS_PER_S + 2 * NS_PER_S), CLOCK_RUNS);
    assert_int_equal(c.now_ns, seconds * NS_PER_S + 2 * NS_PER_S);
}

static void test_clock_was_set(void **state)
{
    (void)state;
    set_to(199990);
    set_to(0);
    set_to(1704067200);
}

static void test_until(void **state)
{
    struct capture_clock c = at(1000);

    (void)state;
    capture_clock_until(&c, 900 * NS_PER_S);
    assert_int_equal(c.now_ns, 1000 * NS_PER_S);
    capture_clock_until(&c, 1100 * NS_PER_S);
    assert_int_equal(c.now_ns, 1100 * NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disorder_and_gaps),
        cmocka_unit_test(test_one_astray),
        cmocka_unit_test(test_clock_was_set),
        cmocka_unit_test(test_until),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
