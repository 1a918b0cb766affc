/* The bytes seen of one direction, against a map of one flag a byte. */
#include "flow/ranges.h"

#include "base/limits.h"

#include <glib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* --- the model --- */

#define SPACE 600 /* bytes of sequence space that the random runs move in, from `base` on */

struct model {
    uint32_t base, edge; /* edge: relative to base */
    bool seen[SPACE + 1];
};

static void model_advance(struct model *m)
{
    while (m->edge < SPACE && m->seen[m->edge])
        m->edge++;
}

/* Marks [from, to) and returns how much of it above the edge was not marked before. */
static uint32_t model_mark(struct model *m, uint32_t from, uint32_t to)
{
    uint32_t fresh = 0;

    for (uint32_t i = from; i < to; i++) {
        fresh += i >= m->edge && !m->seen[i];
        m->seen[i] = true;
    }
    model_advance(m);
    return fresh;
}

static bool model_covers(const struct model *m, uint32_t from, uint32_t to)
{
    for (uint32_t i = MAX(from, m->edge); i < to; i++)
        if (!m->seen[i])
            return false;
    return true;
}

/* --- what must hold of every set --- */

static void check_shape(const struct ranges *r)
{
    uint32_t below = r->edge;

    assert_true(r->n <= LIMIT_ISLANDS);
    assert_true(r->n <= r->capacity);
    assert_true((r->islands == NULL) == (r->n == 0));
    for (uint32_t i = 0; i < r->n; i++) {
        assert_true((int32_t)(r->islands[i].from - below) > 0); /* apart from the one before, and from the edge */
        assert_true((int32_t)(r->islands[i].to - r->islands[i].from) > 0);
        below = r->islands[i].to;
    }
}

static void check_same(const struct ranges *r, const struct model *m)
{
    uint32_t at = m->edge;

    check_shape(r);
    assert_int_equal(r->edge, m->base + m->edge);
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t from = r->islands[i].from - m->base, to = r->islands[i].to - m->base;
        for (; at < from; at++)
            assert_false(m->seen[at]);
        for (; at < to; at++)
            assert_true(m->seen[at]);
    }
    for (; at < SPACE; at++)
        assert_false(m->seen[at]);
}

/* One random operation on both. `longest` bounds the ranges. */
static void step(GRand *rand, struct ranges *r, struct model *m, uint32_t longest)
{
    uint32_t from = (uint32_t)g_rand_int_range(rand, 0, SPACE), given_up = 0;
    uint32_t to = from + (uint32_t)g_rand_int_range(rand, 1, (gint32)longest + 1);

    to = MIN(to, SPACE);
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        assert_int_equal(ranges_cover(r, m->base + from, m->base + to), model_covers(m, from, to));
        break;
    case 1: /* seldom far: the run would be over */
        to = m->edge + (uint32_t)g_rand_int_range(rand, 0, 12);
        to = MIN(to, SPACE);
        assert_int_equal(ranges_give_up(r, m->base + to), model_mark(m, m->edge, to));
        break;
    default:
        assert_int_equal(ranges_add(r, m->base + from, m->base + to, &given_up), model_mark(m, from, to));
        assert_int_equal(given_up, 0);
    }
}

static void random_run(uint32_t seed, uint32_t base, uint32_t longest)
{
    GRand *rand = g_rand_new_with_seed(seed);
    struct model m = { .base = base };
    struct ranges r;

    ranges_init(&r, base);
    for (int i = 0; i < 400; i++) {
        step(rand, &r, &m, longest);
        check_same(&r, &m);
    }
    ranges_clear(&r);
    assert_null(r.islands);
    assert_int_equal(r.edge, base + m.edge);
    g_rand_free(rand);
}

static void test_random(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        random_run(seed, seed * 7919, 1 + seed % 5 * 10);
        random_run(seed, UINT32_MAX - seed * 10, 1 + seed % 7 * 4); /* 2^32 lies within the space */
        random_run(seed, (1u << 31) - seed * 9, 3);                 /* 2^31 too */
    }
}

/* --- by hand --- */

static void test_joins(void **state)
{
    (void)state;
    struct ranges r;
    uint32_t given_up = 0;

    ranges_init(&r, 100);
    assert_int_equal(ranges_add(&r, 50, 100, &given_up), 0); /* all of it below the edge */
    assert_int_equal(ranges_add(&r, 110, 120, &given_up), 10);
    assert_int_equal(ranges_add(&r, 130, 140, &given_up), 10);
    assert_int_equal(ranges_add(&r, 120, 130, &given_up), 10); /* fills the hole between two islands exactly */
    assert_int_equal(r.n, 1);
    assert_true(ranges_cover(&r, 110, 140));
    assert_true(ranges_cover(&r, 90, 100));
    assert_false(ranges_cover(&r, 99, 101));
    assert_false(ranges_cover(&r, 109, 120));
    assert_false(ranges_cover(&r, 130, 141));
    assert_int_equal(ranges_add(&r, 90, 110, &given_up), 10); /* and the one below */
    assert_int_equal(r.edge, 140);
    assert_int_equal(r.n, 0);
    assert_null(r.islands);
    assert_int_equal(given_up, 0);
}

/* Every other byte: an island each. */
static void fill(struct ranges *r, uint32_t base, uint32_t islands)
{
    uint32_t given_up = 0;

    for (uint32_t i = 0; i < islands; i++)
        assert_int_equal(ranges_add(r, base + 1 + 2 * i, base + 2 + 2 * i, &given_up), 1);
    assert_int_equal(given_up, 0);
}

static void test_limit(void **state)
{
    (void)state;
    uint32_t base = UINT32_MAX - 2 * LIMIT_ISLANDS + 100, given_up = 0;
    struct ranges r;

    ranges_init(&r, base);
    fill(&r, base, LIMIT_ISLANDS);
    assert_int_equal(r.n, LIMIT_ISLANDS);
    for (uint32_t i = 0; i < 100; i++) { /* each takes the place of the lowest: its hole of one byte is given up */
        uint32_t at = base + 1 + 2 * (LIMIT_ISLANDS + i);
        assert_int_equal(ranges_add(&r, at, at + 1, &given_up), 1);
        check_shape(&r);
        assert_int_equal(r.n, LIMIT_ISLANDS);
        assert_int_equal(given_up, i + 1);
        assert_int_equal(r.edge, base + 2 * (i + 1));
    }
    uint32_t edge = r.edge;
    assert_int_equal(ranges_add(&r, edge + 1, edge + 4, &given_up), 1); /* joins two: needs no room */
    assert_int_equal(given_up, 100);
    assert_int_equal(r.n, LIMIT_ISLANDS - 1);
    ranges_clear(&r);
}

/* No room, and the new one lies in the lowest hole itself: what is left of the hole goes on waiting. */
static void test_limit_in_lowest_hole(void **state)
{
    (void)state;
    uint32_t given_up = 0;
    struct ranges r;

    ranges_init(&r, 0);
    fill(&r, 1000, LIMIT_ISLANDS);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(ranges_add(&r, 2 + i * 3, 3 + i * 3, &given_up), 1);
        check_shape(&r);
        assert_int_equal(r.n, LIMIT_ISLANDS);
        assert_int_equal(r.edge, 3 + i * 3);
        assert_int_equal(given_up, 2 * (i + 1));
    }
    assert_false(ranges_cover(&r, 1000, 1001));
    assert_true(ranges_cover(&r, 1001, 1002));
    ranges_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_joins),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_in_lowest_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
