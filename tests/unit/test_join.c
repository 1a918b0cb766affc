/* Partners by the marks that they share. */
#include "base/limits.h"
#include "compare/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static GArray *marks(void)
{
    return g_array_new(FALSE, FALSE, sizeof(struct mark));
}

static void add(GArray *to, uint32_t owner, uint64_t value, uint8_t weight, enum side side)
{
    struct mark m = { value, owner, (uint8_t)side, weight, (uint8_t)(value % 32) };

    g_array_append_val(to, m);
}

/* "0-2 1-0x": partners, x: crossed. Frees both. */
static char *joined(GArray *a, GArray *b, uint32_t least)
{
    GArray *partners = join_marks(a, b, least);
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < partners->len; i++) {
        const struct partner *p = &g_array_index(partners, struct partner, i);
        g_string_append_printf(s, "%s%u-%u%s", i ? " " : "", p->a, p->b, p->crossed ? "x" : "");
    }
    g_array_free(partners, TRUE);
    g_array_free(a, TRUE);
    g_array_free(b, TRUE);
    return g_string_free(s, FALSE);
}

static void check(GArray *a, GArray *b, uint32_t least, const char *right)
{
    g_autofree char *got = joined(a, b, least);

    assert_string_equal(got, right);
}

static void test_nothing(void **state)
{
    (void)state;
    check(marks(), marks(), 1, "");
    GArray *a = marks();
    add(a, 0, 1, 10, CLIENT);
    check(a, marks(), 1, "");
}

static void test_best_first(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    add(a, 0, 1, 10, CLIENT);
    add(b, 0, 1, 10, CLIENT);
    add(b, 1, 1, 10, CLIENT); /* shares that, and more */
    add(a, 0, 2, 10, CLIENT);
    add(b, 1, 2, 10, CLIENT);
    add(a, 1, 3, 10, CLIENT);
    add(b, 0, 3, 10, CLIENT);
    check(a, b, 10, "0-1 1-0");
}

static void test_least(void **state)
{
    (void)state;
    for (uint32_t least = 10; least <= 21; least++) {
        GArray *a = marks(), *b = marks();
        for (uint64_t v = 1; v <= 2; v++) {
            add(a, 0, v, 10, CLIENT);
            add(b, 0, v, 10, CLIENT);
        }
        check(a, b, least, least <= 20 ? "0-0" : "");
    }
}

/* The same mark twice of one owner says no more than once. */
static void test_twice(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    for (int i = 0; i < 5; i++) {
        add(a, 0, 7, 10, CLIENT);
        add(b, 0, 7, 10, CLIENT);
    }
    check(a, b, 11, "");
}

static void test_equals_in_order(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    for (uint32_t i = 0; i < LIMIT_MARK_OWNERS; i++) {
        add(a, LIMIT_MARK_OWNERS - 1 - i, 7, 10, CLIENT);
        add(b, i, 7, 10, CLIENT);
    }
    check(a, b, 10, "0-0 1-1 2-2 3-3");
}

static void test_too_common(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    for (uint32_t i = 0; i <= LIMIT_MARK_OWNERS; i++)
        add(a, i, 7, 10, CLIENT);
    add(b, 0, 7, 10, CLIENT);
    check(a, b, 10, "");
}

static void test_crossed(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    add(a, 0, 1, 10, CLIENT);
    add(b, 0, 1, 10, SERVER);
    check(a, b, 10, "0-0x");
}

/* A mark that all have, a million times: no more steps than for a million others. */
static void test_many(void **state)
{
    GArray *a = marks(), *b = marks();

    (void)state;
    for (uint32_t i = 0; i < 300000; i++) {
        add(a, i, 5, 10, CLIENT);
        add(b, i, 5, 10, CLIENT);
    }
    add(a, 17, 6, 10, CLIENT);
    add(b, 4, 6, 10, CLIENT);
    check(a, b, 10, "17-4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),         cmocka_unit_test(test_best_first),
        cmocka_unit_test(test_least),           cmocka_unit_test(test_twice),
        cmocka_unit_test(test_equals_in_order), cmocka_unit_test(test_too_common),
        cmocka_unit_test(test_crossed),         cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
