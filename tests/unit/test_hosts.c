#include "base/timens.h"
#include "flow/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const uint8_t one[4] = { 192, 0, 2, 80 }, other[4] = { 192, 0, 2, 81 };

static void test_remembers(void **state)
{
    (void)state;
    struct hosts *h = hosts_new();
    struct addr a = addr_v4(one), b = addr_v4(other);

    assert_null(hosts_find(h, &a, 4));
    hosts_saw(h, &a, 4, 57, 20 * NS_PER_MS);
    hosts_saw(h, &a, 4, 55, 30 * NS_PER_MS);
    hosts_saw(h, &a, 4, 56, TIME_NONE);

    const struct host *found = hosts_find(h, &a, 4);
    assert_non_null(found);
    assert_int_equal(found->ttl_least, 55);
    assert_int_equal(found->ttl_most, 57);
    assert_int_equal(found->rtt_ns, 20 * NS_PER_MS);
    assert_null(hosts_find(h, &a, 6));
    assert_null(hosts_find(h, &b, 4));
    hosts_free(h);
    hosts_free(NULL);
}

/* A cache: the one that comes later takes the place, and nothing of the one before is told of it. */
static void test_forgets(void **state)
{
    (void)state;
    struct hosts *h = hosts_new();
    struct addr first = addr_v4(one);
    unsigned kept = 0;

    hosts_saw(h, &first, 4, 99, NS_PER_MS);
    for (unsigned i = 0; i < 20000; i++) {
        const uint8_t four[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
        struct addr a = addr_v4(four);
        hosts_saw(h, &a, 4, 64, TIME_NONE);
        const struct host *found = hosts_find(h, &a, 4);
        assert_non_null(found);
        assert_int_equal(found->ttl_most, 64);
        assert_true(found->rtt_ns == INT64_MAX);
    }
    for (unsigned i = 0; i < 20000; i++) {
        const uint8_t four[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
        struct addr a = addr_v4(four);
        kept += hosts_find(h, &a, 4) != NULL;
    }
    assert_in_range(kept, 2000, 4096); /* they spread over the places */
    hosts_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_remembers), cmocka_unit_test(test_forgets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
