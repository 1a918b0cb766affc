/* Round-trip times: samples only where an ACK ends exactly at a segment that was sent once. */
#include "flow/rtt.h"

#include "base/limits.h"
#include "base/seq.h"
#include "base/timens.h"

#include <glib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* --- by hand --- */

static void test_samples(void **state)
{
    (void)state;
    struct minmax m = { 0 };
    struct rtt_queue q;

    rtt_init(&q);
    rtt_sent(&q, 0, 1, 100); /* the SYN */
    rtt_acked(&q, 1, 150, &m);
    assert_int_equal(m.samples, 1);
    assert_int_equal(m.min_ns, 50);

    rtt_sent(&q, 1, 101, 200);
    rtt_sent(&q, 101, 201, 210);
    rtt_acked(&q, 50, 220, &m); /* in the middle of a segment */
    assert_int_equal(m.samples, 1);
    assert_int_equal(q.count, 2);
    rtt_acked(&q, 201, 300, &m); /* of two at once only the last tells */
    assert_int_equal(m.samples, 2);
    assert_int_equal(m.max_ns, 90);
    assert_int_equal(minmax_mean_ns(&m), 70);
    assert_int_equal(q.count, 0);

    rtt_acked(&q, 201, 400, &m); /* again */
    rtt_sent(&q, 201, 301, 500);
    rtt_acked(&q, 400, 600, &m); /* beyond what was sent */
    assert_int_equal(m.samples, 2);
    assert_int_equal(q.count, 0);
    rtt_clear(&q);
}

/* Karn's algorithm: RFC 6298 section 3. */
static void test_resent(void **state)
{
    (void)state;
    struct minmax m = { 0 };
    struct rtt_queue q;

    rtt_init(&q);
    for (uint32_t i = 0; i < 5; i++)
        rtt_sent(&q, i * 100, i * 100 + 100, i);
    rtt_resent(&q, 150, 250);    /* a part of the second and of the third */
    rtt_acked(&q, 100, 50, &m);  /* not touched */
    assert_int_equal(m.samples, 1);
    rtt_acked(&q, 200, 60, &m);
    rtt_acked(&q, 300, 70, &m);
    assert_int_equal(m.samples, 1);
    rtt_acked(&q, 400, 80, &m);
    assert_int_equal(m.samples, 2);
    rtt_resent(&q, 500, 600);    /* nothing there */
    rtt_acked(&q, 500, 2, &m);   /* an ACK before its segment: times run backwards, no sample */
    assert_int_equal(m.samples, 2);
    assert_int_equal(q.count, 0);
    rtt_clear(&q);
}

static void test_limit(void **state)
{
    (void)state;
    struct minmax m = { 0 };
    struct rtt_queue q;

    rtt_init(&q);
    for (uint32_t i = 0; i < LIMIT_UNACKED_SEGMENTS + 100; i++)
        rtt_sent(&q, i, i + 1, 0);
    assert_int_equal(q.count, LIMIT_UNACKED_SEGMENTS);
    assert_true(q.capacity <= LIMIT_UNACKED_SEGMENTS);
    rtt_acked(&q, LIMIT_UNACKED_SEGMENTS, 7, &m); /* the last one that was remembered */
    assert_int_equal(m.samples, 1);
    rtt_acked(&q, LIMIT_UNACKED_SEGMENTS + 50, 8, &m);
    assert_int_equal(m.samples, 1);
    rtt_sent(&q, 20000, 20001, 10); /* there is room again */
    rtt_acked(&q, 20001, 11, &m);
    assert_int_equal(m.samples, 2);
    assert_int_equal(m.min_ns, 1);
    rtt_clear(&q);
}

/* --- against a plain list --- */

struct sent {
    uint32_t from, to;
    int64_t ts_ns;
    bool resent;
};

static void model_acked(GArray *list, uint32_t ack, int64_t ts_ns, struct minmax *m)
{
    while (list->len && seq_le(g_array_index(list, struct sent, 0).to, ack)) {
        struct sent s = g_array_index(list, struct sent, 0);
        if (s.to == ack && !s.resent)
            minmax_add(m, ts_ns - s.ts_ns);
        g_array_remove_index(list, 0);
    }
}

static void model_resent(GArray *list, uint32_t from, uint32_t to)
{
    for (guint i = 0; i < list->len; i++) {
        struct sent *s = &g_array_index(list, struct sent, i);
        s->resent |= seq_lt(s->from, to) && seq_gt(s->to, from);
    }
}

static void random_run(uint32_t seed)
{
    GRand *rand = g_rand_new_with_seed(seed);
    GArray *list = g_array_new(FALSE, TRUE, sizeof(struct sent));
    struct minmax mine = { 0 }, expected = { 0 };
    uint32_t next = UINT32_MAX - 20000, oldest = next;
    struct rtt_queue q;

    rtt_init(&q);
    for (int64_t now_ns = 1; now_ns < 2000; now_ns++) {
        uint32_t in_flight = next - oldest, at = oldest + (uint32_t)g_rand_int_range(rand, 0, (gint32)in_flight + 2);
        uint32_t len = (uint32_t)g_rand_int_range(rand, 1, 40);
        struct sent s = { .ts_ns = now_ns, .from = next, .to = next + len };

        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
            rtt_resent(&q, at, at + len);
            model_resent(list, at, at + len);
            break;
        case 1:
            if (list->len && g_rand_boolean(rand)) /* a place where a segment ends */
                at = g_array_index(list, struct sent, g_rand_int_range(rand, 0, (gint32)list->len)).to;
            rtt_acked(&q, at, now_ns, &mine);
            model_acked(list, at, now_ns, &expected);
            oldest = at;
            next = seq_max(next, at);
            break;
        default:
            rtt_sent(&q, s.from, s.to, now_ns);
            g_array_append_val(list, s);
            next += len;
        }
        assert_int_equal(q.count, list->len);
        assert_memory_equal(&mine, &expected, sizeof mine);
    }
    assert_true(mine.samples > 10);
    rtt_clear(&q);
    g_array_free(list, TRUE);
    g_rand_free(rand);
}

static void test_random(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed++)
        random_run(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_resent),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
