/* What the writers are made of: sets of ids, groups of healthy flows, bytes put aside. */
#include "tests/unit/report_samples.h"

#include "base/limits.h"
#include "report/healthy.h"
#include "report/ids.h"
#include "report/spool.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

/* --- ids --- */

static void assert_ids(const struct ids *ids, size_t max, const char *expected)
{
    g_autoptr(GString) s = g_string_new(NULL);

    ids_append(s, ids, max);
    assert_string_equal(s->str, expected);
}

static void ids_in_ranges(void **state)
{
    (void)state;
    struct ids ids = { 0 };

    ids_add(&ids, 5);
    assert_ids(&ids, 100, "5");
    ids_add(&ids, 6);
    ids_add(&ids, 9);
    assert_ids(&ids, 100, "5-6, 9");
    ids_add(&ids, 3);
    ids_add(&ids, 8); /* touches 9 */
    assert_ids(&ids, 100, "3, 5-6, 8-9");
    ids_add(&ids, 4);
    ids_add(&ids, 7);
    assert_ids(&ids, 100, "3-9");
    ids_add(&ids, 18446744073709551614u);
    ids_add(&ids, 18446744073709551615u);
    assert_ids(&ids, 100, "3-9, 18446744073709551614-18446744073709551615");
    assert_ids(&ids, 20, "3-9, ...");
    assert_ids(&ids, 1, "3-9, ..."); /* the first one always */
    assert_int_equal(ids_first(&ids), 3);
    ids_clear(&ids);
}

/* In any order, against a table of bits. */
static void ids_in_any_order(void **state)
{
    (void)state;
    uint32_t random = 1;

    for (int round = 0; round < 50; round++) {
        struct ids ids = { 0 };
        bool in[301] = { false };
        for (int i = 0; i < 200; i++) {
            random = random * 1664525 + 1013904223;
            unsigned id = 1 + (random >> 16) % (round < 25 ? 90u : 300u);
            if (!in[id])
                ids_add(&ids, id);
            in[id] = true;
        }
        unsigned n = 0, at = 1;
        for (; n < ids.n; n++) { /* each range is one of the table's, in its order */
            while (!in[at])
                at++;
            assert_int_equal(ids.ranges[n].first, at);
            while (at <= 300 && in[at] && at <= ids.ranges[n].last)
                at++;
            assert_int_equal(ids.ranges[n].last, at - 1);
        }
        while (at <= 300 && !in[at])
            at++;
        assert_int_equal(ids.more, at <= 300);
        ids_clear(&ids);
    }
}

static void ids_are_bounded(void **state)
{
    (void)state;
    struct ids ids = { 0 };

    for (uint64_t id = 1; id < 20000; id += 2)
        ids_add(&ids, id);
    assert_int_equal(ids.n, IDS_RANGES);
    assert_true(ids.more);
    ids_add(&ids, 2); /* one range less, and what lies above those left out is not told as if nothing was between */
    ids_add(&ids, 30000);
    assert_int_equal(ids.n, IDS_RANGES - 1);
    assert_ids(&ids, 30, "1-3, 5, 7, 9, 11, 13, 15, ...");
    ids_clear(&ids);
}

/* --- healthy flows --- */

static void add_healthy(struct healthy *h, uint64_t id, const char *server, unsigned bytes)
{
    struct flow *f = sample_flow(id, "10.0.3.15", 40000, server, 80);

    f->half[SERVER].bytes = bytes;
    healthy_add(h, f);
    flow_free(f);
}

static const struct healthy_group *group_at(const GPtrArray *groups, guint i)
{
    return g_ptr_array_index(groups, i);
}

static void healthy_in_groups(void **state)
{
    (void)state;
    struct healthy *h = healthy_new();

    for (uint64_t id = 100; id > 0; id--) {
        if (id % 10 == 0)
            healthy_pass(h, id);
        else
            add_healthy(h, id, id % 10 == 5 ? "192.0.2.81" : id % 10 == 6 ? "192.0.2.82" : "192.0.2.80", (unsigned)id);
    }
    const GPtrArray *groups = healthy_finish(h);
    assert_int_equal(groups->len, 3);
    assert_int_equal(group_at(groups, 0)->flows, 70);
    assert_int_equal(group_at(groups, 0)->bytes_low, 124 + 1);
    assert_int_equal(group_at(groups, 0)->bytes_high, 124 + 99);
    assert_int_equal(group_at(groups, 0)->rtt_low_ns, 1733000);
    assert_ids(&group_at(groups, 0)->ids, 30, "1-4, 7-9, 11-14, 17-19, ...");
    assert_int_equal(ids_first(&group_at(groups, 1)->ids), 5); /* as large as the next one: the older first */
    assert_ids(&group_at(groups, 2)->ids, 60, "6, 16, 26, 36, 46, 56, 66, 76, 86, 96");
    assert_int_equal(healthy_ungrouped(h), 0);
    healthy_free(h);
}

/* Many end before an old one does; then, and at the end of the capture, the rest. */
static void healthy_outlived(void **state)
{
    (void)state;
    struct healthy *h = healthy_new();

    for (uint64_t id = 2; id <= 200000; id++)
        if (id % 50000)
            add_healthy(h, id, "192.0.2.80", 1);
    for (uint64_t id = 200000; id > 0; id -= 50000)
        add_healthy(h, id, "192.0.2.80", 1);
    add_healthy(h, 1, "192.0.2.80", 1);
    add_healthy(h, 200005, "192.0.2.80", 1);
    const GPtrArray *groups = healthy_finish(h);
    assert_int_equal(groups->len, 1);
    assert_ids(&group_at(groups, 0)->ids, 100, "1-200000, 200005");
    healthy_free(h);
    healthy_free(NULL);
}

/* Every flow with a server of its own. */
static void healthy_bounded(void **state)
{
    (void)state;
    struct healthy *h = healthy_new();
    const unsigned beyond = 1000;

    for (unsigned i = 0; i < LIMIT_HEALTHY_GROUPS + beyond; i++) {
        char server[32];
        g_snprintf(server, sizeof server, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        add_healthy(h, i + 1, server, i);
    }
    assert_int_equal(healthy_ungrouped(h), beyond);
    assert_int_equal(healthy_finish(h)->len, LIMIT_HEALTHY_GROUPS);
    healthy_free(h);
}

/* --- spool --- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset * 31 + (offset >> 8));
}

/* More than stays in memory, in pieces of every size, read around each border. */
static void spool_reads_back(void **state)
{
    (void)state;
    static uint8_t bytes[70000];
    struct spool *s = spool_new();
    uint64_t size = 0;

    for (size_t n = 1; size < 3u << 20; n = n * 3 % 69997 + 1) {
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(size + i);
        assert_int_equal(fwrite(bytes, 1, n, spool_stream(s)), n);
        size += n;
    }
    for (uint64_t offset = 0; offset + sizeof bytes <= size; offset += 9973) {
        assert_true(spool_read(s, offset, bytes, sizeof bytes));
        for (size_t i = 0; i < sizeof bytes; i += 7)
            assert_int_equal(bytes[i], byte_at(offset + i));
    }
    assert_true(spool_read(s, size, bytes, 0));
    assert_int_equal(spool_error(s), 0);
    assert_false(spool_read(s, size - 1, bytes, 2)); /* what was never written */
    assert_int_equal(spool_error(s), EINVAL);
    spool_free(s);
    spool_free(NULL);
}

/* The disk is full: the report is known to be incomplete, and nothing else happens. */
static void spool_fails(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct report_options options = { 0 };
    struct sample s;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){ 100000, before.rlim_max };
    sample_start(&s);
    for (unsigned i = 1; i < 2000; i++)
        sample_add(&s, sample_flow(i, "10.0.3.15", 1, "192.0.2.80", 80), NULL);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct report_writer *w = report_format_find("json")->open(out, &s.totals, &options);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    sample_hand_over(&s, w);
    assert_int_equal(w->format->end(w), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    w->format->free(w);
    assert_int_equal(fclose(out), 0);
    assert_true(size > 100000); /* what was put aside before is told */
    assert_string_equal(text + size - 2, "}\n");
    assert_null(strstr(text, "\"forgotten_flows\": 0"));
    free(text);
    sample_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_ranges),
        cmocka_unit_test(ids_in_any_order),
        cmocka_unit_test(ids_are_bounded),
        cmocka_unit_test(healthy_in_groups),
        cmocka_unit_test(healthy_outlived),
        cmocka_unit_test(healthy_bounded),
        cmocka_unit_test(spool_reads_back),
        cmocka_unit_test(spool_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
