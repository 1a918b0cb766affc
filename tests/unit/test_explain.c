/* Every code is explained, and with care: no part is missing where it is due, none is a stump. */
#include "diagnose/explain.h"
#include "diagnose/finding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void assert_sentence(const char *text)
{
    assert_non_null(text);
    assert_true(strlen(text) > 20);
    assert_int_equal(text[strlen(text) - 1] == '.' || text[strlen(text) - 1] == '?', 1);
}

static void test_every_code(void **state)
{
    (void)state;
    for (int code = 0; code < CODES; code++) {
        const struct catalogue_row *row = catalogue_row((enum code)code);
        const struct explanation *e = explanation((enum code)code);

        assert_sentence(row->meaning);
        assert_sentence(e->recognised);
        assert_sentence(e->resembles);
        if (row->status < STATUS_DEGRADED)
            continue;
        assert_true(e->client || e->server); /* somebody can do something */
        if (e->client)
            assert_sentence(e->client);
        if (e->server)
            assert_sentence(e->server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_code) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
