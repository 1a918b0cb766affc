/* The packets that are remembered of a flow, and those of them that its ladder shows. */
#include "base/limits.h"
#include "flow/flow.h"
#include "flow/log.h"
#include "packets.h"
#include "report/decisive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OPEN "C S; S S.; C .; "

/* As the pipeline does it for a flow that will be drawn. */
static void leave(void *user, struct flow *f)
{
    tracker_complete_log(((struct talk *)user)->tracker, f);
    talk_flow(user, f);
}

static struct flow *drawn(struct talk **t, const char *lines)
{
    *t = talk_new(0);
    struct tracker_hooks hooks = { .flow = leave, .lookup = talk_lookup, .user = *t };

    tracker_free((*t)->tracker);
    (*t)->tracker = tracker_new(&hooks, 0);
    talk_lines(*t, lines);
    return talk_finish(*t, 0);
}

static char *tell(const GArray *log)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; log && i < log->len; i++)
        g_string_append_printf(s, "%s%" G_GUINT64_FORMAT, i ? " " : "", g_array_index(log, struct log_entry, i).packet);
    return g_string_free(s, FALSE);
}

static void check_log(const char *lines, const char *expected)
{
    struct talk *t;
    const struct flow *f = drawn(&t, lines);
    g_autofree char *told = tell(f->log);

    if (strcmp(told, expected) != 0)
        fail_msg("\"%s\": %s, expected %s", lines, told, expected);
    talk_free(t);
}

/* The first six and the last four, and what is odd with its neighbours; each once, in order. */
static void remembers(void **state)
{
    (void)state;
    check_log("C S", "1");
    check_log(OPEN "C P. (10); S . (10)", "1 2 3 4 5");
    check_log(OPEN "40 { C . (100); S . }", "1 2 3 4 5 6 80 81 82 83");
    check_log(OPEN "10 { C . (100); S . } C . (100); C . (100) seq -100 +1s; 20 { S . (10); C . }",
              "1 2 3 4 5 6 22 23 24 25 26 62 63 64 65");
}

/* What is odd without end takes no memory without end: the first of it and the last are there. */
static void is_bounded(void **state)
{
    (void)state;
    struct talk *t;
    const struct flow *f = drawn(&t, OPEN "2000 { C . (100) seq 1 +1s }");

    assert_in_range(f->log->len, LIMIT_LADDER_FIRST, LIMIT_LADDER);
    for (guint i = 1; i < f->log->len; i++)
        assert_true(g_array_index(f->log, struct log_entry, i - 1).packet <
                    g_array_index(f->log, struct log_entry, i).packet);
    assert_int_equal(g_array_index(f->log, struct log_entry, 0).packet, 1);
    assert_int_equal(g_array_index(f->log, struct log_entry, f->log->len - 1).packet, 2003);
    talk_free(t);
}

/* A flow that nobody draws keeps nothing. */
static void healthy_keeps_nothing(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, OPEN "40 { C . (100); S . } C F.; S F.; C .");
    assert_null(talk_finish(t, 0)->log);
    talk_free(t);
}

/* A dozen lines, of which gaps and pauses take some: the evidence's ends first, then the handshake, then the rest. */
static void decides(void **state)
{
    (void)state;
    struct talk *t;
    struct flow *f = drawn(&t, OPEN "C . (100); 30 { C . (100) seq 1 +1s }");
    const struct finding verdict = { .evidence = { 4, 20, 34 }, .n_evidence = 3 };

    decisive_trim(f, &verdict);
    g_autofree char *told = tell(f->log);
    assert_true(f->log->len <= DECISIVE_LINES);
    assert_true(g_str_has_prefix(told, "1 2 3 4 "));
    assert_true(g_str_has_suffix(told, " 34"));
    assert_true(decisive_proves(&verdict, 20));
    assert_false(decisive_proves(&verdict, 21));
    talk_free(t);
}

/* What fits is left whole. */
static void leaves_short_ones(void **state)
{
    (void)state;
    struct talk *t;
    struct flow *f = drawn(&t, OPEN "C P. (10); S . (10); C R");
    const struct finding verdict = { .evidence = { 6 }, .n_evidence = 1 };

    decisive_trim(f, &verdict);
    g_autofree char *told = tell(f->log);
    assert_string_equal(told, "1 2 3 4 5 6");
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remembers), cmocka_unit_test(is_bounded),        cmocka_unit_test(healthy_keeps_nothing),
        cmocka_unit_test(decides),   cmocka_unit_test(leaves_short_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
