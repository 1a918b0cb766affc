/* The record of a rung, and the verdict of a climb. */
#include "diagnose/ladder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static struct finding *finding_with(enum code code, enum status status)
{
    struct finding *f = finding_new(code, WHERE_CLIENT, "%s", catalogue_row(code)->title);

    f->status = status;
    return f;
}

static void test_rows(void **state)
{
    (void)state;
    for (int i = 0; i < RUNGS; i++) {
        const struct rung_row *row = rung_row((enum rung)i);
        assert_int_equal(rung_find(row->name), i);
        assert_true(row->layer != LAYER_NONE);
        assert_true(row->question[strlen(row->question) - 1] == '?');
        assert_true(row->why[strlen(row->why) - 1] == '.');
        assert_true(strlen(row->reads) > 10);
    }
    assert_int_equal(rung_find("nothing"), RUNGS);
}

/* Of two findings the worse one stays, and the first of equals; the other is not lost. */
static void test_blame(void **state)
{
    g_autoptr(RungStep) s = step_new(RUNG_PORT, "%s", "x");

    (void)state;
    step_blame(s, finding_with(CODE_SYN_UNANSWERED, STATUS_DEGRADED));
    assert_int_equal(s->status, STEP_DEGRADED);
    step_blame(s, finding_with(CODE_SYN_REFUSED, STATUS_BROKEN));
    assert_int_equal(s->status, STEP_BROKEN);
    assert_int_equal(s->finding->code, CODE_SYN_REFUSED);
    step_blame(s, finding_with(CODE_NO_ROUTE, STATUS_BROKEN));
    assert_int_equal(s->finding->code, CODE_SYN_REFUSED);
    assert_int_equal(s->notes->len, 2);
}

static void add(GPtrArray *steps, enum rung rung, enum code code, enum status status)
{
    struct rung_step *s = step_new(rung, "%s", "x");

    if (code != CODE_OK)
        step_blame(s, finding_with(code, status));
    g_ptr_array_add(steps, s);
}

static void test_verdict(void **state)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func((GDestroyNotify)step_free);

    (void)state;
    assert_null(ladder_verdict(steps));
    add(steps, RUNG_DEVICE, CODE_OK, STATUS_OK);
    g_ptr_array_add(steps, step_skip(RUNG_WIFI, "%s", "none"));
    assert_null(ladder_verdict(steps));
    add(steps, RUNG_DNS, CODE_DNS_DISAGREE, STATUS_DEGRADED);
    add(steps, RUNG_PORT, CODE_SYN_REFUSED, STATUS_BROKEN);
    add(steps, RUNG_TLS, CODE_TLS_RESET, STATUS_BROKEN);
    struct rung_step *port = g_ptr_array_index(steps, 3);
    step_remedy(port, "%s", "start it");
    struct finding *f = ladder_verdict(steps); /* the first that is broken, not the first that is degraded */
    assert_int_equal(f->code, CODE_SYN_REFUSED);
    assert_string_equal(f->remedy, "start it");
    assert_string_equal(g_array_index(f->details, struct detail, f->details->len - 1).text, "port");
    finding_free(f);
}

/* A precision that cuts a character in two leaves valid UTF-8. */
static void test_text(void **state)
{
    g_autoptr(RungStep) s = step_new(RUNG_DNS, "%.2s", "a\xc3\xa9");

    (void)state;
    assert_true(g_utf8_validate(s->text, -1, NULL));
    step_subject(s, "\xff");
    assert_true(g_utf8_validate(s->subject, -1, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_blame),
        cmocka_unit_test(test_verdict),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
