/* Every golden capture as if it were watched live: the clock ticks between its packets, and each line of the report is
 * that of the file. */
#include "src/pipeline.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TICK_NS (NS_PER_S / 4)

struct run {
    char *text; /* the report, NDJSON */
    size_t n;
};

struct course {
    bool live;        /* with the clock */
    int64_t break_at; /* packets before a pipeline_break; 0: none */
};

/* The clock goes on to the next packet's time, as a main loop would let it. */
static void tick(struct pipeline *p, int64_t *clock_ns, int64_t ts_ns)
{
    if (*clock_ns == TIME_NONE || ts_ns - *clock_ns > 3600 * NS_PER_S)
        *clock_ns = ts_ns; /* so that captures over days take no days */
    for (; *clock_ns + TICK_NS <= ts_ns; *clock_ns += TICK_NS)
        pipeline_clock(p, *clock_ns);
}

static bool run_through(const char *path, const struct course *course, struct run *run)
{
    const char *paths[] = { path };
    const struct report_options options = { .columns = 100, .live = course->live };
    struct capture *c = capture_open_files(paths, 1, NULL, NULL);
    int64_t clock_ns = TIME_NONE, packets = 0;
    struct frame frame;

    if (!c)
        return false;
    FILE *out = open_memstream(&run->text, &run->n);
    struct pipeline *p = pipeline_new(report_format_find("ndjson"), &options, out);
    while (capture_next(c, &frame, NULL) == CAPTURE_FRAME) {
        pipeline_set_precision(p, capture_info(c)->nanoseconds);
        if (course->live)
            tick(p, &clock_ns, frame.ts_ns);
        if (++packets == course->break_at)
            pipeline_break(p, frame.ts_ns);
        pipeline_frames(p, &frame, 1);
    }
    assert_int_equal(pipeline_finish(p, capture_info(c), "x"), 0);
    pipeline_free(p);
    fclose(out);
    capture_free(c);
    return true;
}

static gint compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines of the results, sorted; those of events are left out. */
static GPtrArray *results(const struct run *run)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(run->text, "\n", -1);

    for (char **line = lines; *line; line++)
        if (g_str_has_prefix(*line, "{\"type\":\"flow\",") || g_str_has_prefix(*line, "{\"type\":\"dns\""))
            g_ptr_array_add(found, g_strdup(*line));
    g_ptr_array_sort(found, compare_text);
    return found;
}

/* A line without its verdict and findings: these may say how long a silence lasts, which is until the flow was let go.
 */
static gsize facts_of(const char *line)
{
    const char *findings = strstr(line, ",\"findings\":");
    return findings ? (gsize)(findings - line) : strlen(line);
}

/* "code" of a line's verdict */
static char *code_of(const char *line)
{
    const char *verdict = strstr(line, "\"verdict\":");
    const char *code = verdict ? strstr(verdict, "\"code\":\"") : NULL;
    return code ? g_strndup(code + 8, strcspn(code + 8, "\"")) : g_strdup("");
}

static guint compare_runs(const char *path, const struct run *plain, const struct run *live)
{
    g_autoptr(GPtrArray) a = results(plain), b = results(live);

    if (a->len != b->len)
        fail_msg("%s: %u results from the file, %u live", path, a->len, b->len);
    for (guint i = 0; i < a->len; i++) {
        const char *x = g_ptr_array_index(a, i), *y = g_ptr_array_index(b, i);
        g_autofree char *code = code_of(x), *live_code = code_of(y);
        if (facts_of(x) != facts_of(y) || strncmp(x, y, facts_of(x)) != 0 || strcmp(code, live_code) != 0)
            fail_msg("%s:\n%s\nlive:\n%s", path, x, y);
    }
    return a->len;
}

static void test_every_capture(void **state)
{
    const struct course from_file = { .live = false }, live = { .live = true };
    guint captures = 0, found = 0;
    glob_t names;

    (void)state;
    assert_int_equal(glob("tests/pcaps/*/input.pcap*", 0, NULL, &names), 0);
    for (size_t i = 0; i < names.gl_pathc; i++) {
        struct run a, b;
        if (!run_through(names.gl_pathv[i], &from_file, &a))
            continue;
        assert_true(run_through(names.gl_pathv[i], &live, &b));
        found += compare_runs(names.gl_pathv[i], &a, &b);
        captures++;
        free(a.text);
        free(b.text);
    }
    globfree(&names);
    assert_true(captures > 100 && found > captures);
}

static unsigned count(const struct run *run, const char *what)
{
    unsigned n = 0;

    for (const char *at = run->text; (at = strstr(at, what)); at++)
        n++;
    return n;
}

/* Events: each flow is opened, is told once, and has its line; the look at the whole is unchanged by a break in the
 * middle. */
static void test_events(void **state)
{
    const struct course live = { .live = true }, broken = { .live = true, .break_at = 20 };
    struct run run;

    (void)state;
    assert_true(run_through("tests/pcaps/wget-upc/input.pcap", &live, &run));
    assert_int_equal(count(&run, "\"type\":\"flow_opened\""), 2);
    assert_int_equal(count(&run, "\"type\":\"flow_verdict\""), 2);
    assert_int_equal(count(&run, "\"type\":\"flow\","), 2);
    assert_int_equal(count(&run, "\"type\":\"summary\""), 1);
    free(run.text);

    /* Both connections go on over the break: they are judged as they stood, what follows is met in mid-stream, and
     * nobody is blamed. */
    assert_true(run_through("tests/pcaps/wget-upc/input.pcap", &broken, &run));
    assert_int_equal(count(&run, "\"type\":\"flow\","), 4);
    assert_int_equal(count(&run, "\"status\":\"broken\""), 0);
    assert_int_equal(count(&run, "\"outcome\":\"midstream\""), 2);
    free(run.text);
}

/* Somebody sets the clock back by an hour: the SYN that comes then has not waited for an hour. */
static void test_set_back(void **state)
{
    const struct report_options options = { .columns = 100, .live = true };
    const char *paths[] = { "tests/pcaps/syn-unanswered/input.pcap" };
    struct capture *c = capture_open_files(paths, 1, NULL, NULL);
    struct run run;
    struct frame frame;
    FILE *out = open_memstream(&run.text, &run.n);
    struct pipeline *p = pipeline_new(report_format_find("ndjson"), &options, out);

    (void)state;
    assert_int_equal(capture_next(c, &frame, NULL), CAPTURE_FRAME);
    pipeline_clock(p, frame.ts_ns + 3600 * NS_PER_S);
    pipeline_break(p, frame.ts_ns);
    pipeline_frames(p, &frame, 1);
    pipeline_clock(p, frame.ts_ns + 2 * NS_PER_S);
    fflush(out);
    assert_int_equal(count(&run, "\"type\":\"flow_opened\""), 1);
    assert_int_equal(count(&run, "\"type\":\"flow_verdict\""), 0);
    pipeline_clock(p, frame.ts_ns + 12 * NS_PER_S);
    fflush(out);
    assert_int_equal(count(&run, "syn_unanswered"), 1);
    assert_int_equal(pipeline_finish(p, capture_info(c), "x"), 0);
    pipeline_free(p);
    fclose(out);
    capture_free(c);
    free(run.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_capture),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
