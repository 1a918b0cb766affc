/* judge_rows: conversations in the lines of packets.h, and the verdict that the rules must give each of them. */
#ifndef TCPSLEUTH_TESTS_JUDGE_ROWS_H
#define TCPSLEUTH_TESTS_JUDGE_ROWS_H

#include "diagnose/judge.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OPEN "C S; S S.; C .; "
#define REQUEST "C P. 'GET / HTTP/1.1|Host: a||'; S .; "
#define ANSWER "S P. 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .; "
#define CLOSE "C F.; S F.; C .; "
/* Lines of packets.h, and "STATUS CODE WHERE CONFIDENCE", then "+ CODE" for each further finding. */
struct row {
    const char *lines, *expected;
};

static inline char *tell(const struct judgement *j)
{
    const struct finding *v = judgement_verdict(j);
    GString *out = g_string_new(status_name(v->status));

    g_string_append_printf(out, " %s", catalogue_row(v->code)->name);
    if (v->code != CODE_OK)
        g_string_append_printf(out, " %s %s", where_name(v->where) ? where_name(v->where) : "-", confidence_name(v->confidence));
    for (guint i = 0; j->others && i < j->others->len; i++)
        g_string_append_printf(out, " + %s", catalogue_row(((struct finding *)g_ptr_array_index(j->others, i))->code)->name);
    return g_string_free(out, FALSE);
}

/* What holds of every finding. */
static inline bool finding_holds(const struct finding *d, const char *lines, uint64_t packets)
{
    bool holds = d->code == CODE_OK || d->n_evidence > 0;

    if (d->code != CODE_OK)
        holds = holds && d->summary && g_str_has_suffix(d->summary, ".") && g_utf8_validate(d->summary, -1, NULL) && d->remedy && *d->remedy;
    for (unsigned i = 0; i < d->n_evidence; i++)
        holds = holds && d->evidence[i] >= 1 && d->evidence[i] <= packets && (i == 0 || d->evidence[i] > d->evidence[i - 1]);
    if (!holds)
        print_error("\"%s\": %s without summary, remedy or evidence, or with wrong evidence\n", lines, catalogue_row(d->code)->name);
    return holds;
}

static inline bool judgement_holds(const struct judgement *j, const struct row *row, uint64_t packets)
{
    g_autofree char *told = tell(j);
    const struct finding *v = judgement_verdict(j);
    bool holds = strcmp(told, row->expected) == 0;

    if (!holds)
        print_error("\"%s\":\n    \"%s\" (%s)\n    expected \"%s\"\n", row->lines, told, v->summary ? v->summary : "", row->expected);
    holds &= finding_holds(v, row->lines, packets);
    for (guint i = 0; j->others && i < j->others->len; i++)
        holds &= finding_holds(g_ptr_array_index(j->others, i), row->lines, packets);
    return holds;
}

static inline bool row_holds(const struct row *row, uint8_t version)
{
    struct talk *t = talk_new(0);
    struct judgement j;

    t->version = version;
    talk_lines(t, row->lines);
    const struct flow *f = talk_finish(t, 0);
    struct judge_context c = { .now_ns = g_array_index(t->now_ns, int64_t, 0) };
    judge_flow(f, &c, &j);
    bool holds = judgement_holds(&j, row, t->number);
    judgement_clear(&j);
    talk_free(t);
    return holds;
}

static inline void check_rows(const struct row *rows, size_t n, uint8_t version)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++)
        wrong += !row_holds(&rows[i], version);
    assert_int_equal(wrong, 0);
}

#endif
