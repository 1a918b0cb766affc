/* The table of live flows: finding them by either direction, patience by capture time, eviction where there are too many. table.c is compiled
 * here with limits small enough to be reached at once.
 */
#include "base/limits.h"

#undef LIMIT_LIVE_FLOWS
#undef LIMIT_LINGERING
#undef LIMIT_EMBRYONIC_FLOWS
#define LIMIT_LIVE_FLOWS 100
#define LIMIT_LINGERING 20
#define LIMIT_EMBRYONIC_FLOWS 60

#include "flow/table.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* --- ends, and what left --- */

struct left {
    uint64_t ids[65536];
    unsigned n, evicted;
};

static void on_leave(void *user, struct flow *f)
{
    struct left *l = user;

    assert_true(l->n < G_N_ELEMENTS(l->ids));
    l->ids[l->n++] = f->id;
    l->evicted += f->evicted;
    flow_free(f);
}

/* 10.0.x.y:port to 192.0.2.1:80, number n; the other way round with `back`. */
struct path {
    struct addr a, b;
    struct ends ends;
};

static const struct ends *path(struct path *p, unsigned n, bool back)
{
    p->a = addr_v4((const uint8_t[]){ 10, 0, (uint8_t)(n >> 8), (uint8_t)n });
    p->b = addr_v4((const uint8_t[]){ 192, 0, 2, 1 });
    p->ends = (struct ends){ &p->a, &p->b, (uint16_t)(40000 + n % 7), 80, 4 };
    if (back)
        p->ends = (struct ends){ &p->b, &p->a, 80, p->ends.sport, 4 };
    return &p->ends;
}

static struct flow *add_between(struct flow_table *t, const struct ends *e, uint32_t layers, bool twin, int64_t now_ns)
{
    struct flow_key k;

    flow_table_key(t, e, &k);
    return flow_table_add(t, &k, layers, twin, now_ns);
}

static struct flow *find_between(struct flow_table *t, const struct ends *e, uint32_t layers, bool *low_is_src)
{
    struct flow_key k;

    *low_is_src = flow_table_key(t, e, &k);
    flow_table_expect(t, &k);
    struct flow *warm = flow_table_warm(t, &k), *f = flow_table_find(t, &k, layers);
    if (layers == 0 && f)
        assert_ptr_equal(warm, f);
    return f;
}

static struct flow *add(struct flow_table *t, unsigned n, enum flow_queue queue, int64_t now_ns)
{
    struct path p;
    struct flow *f = add_between(t, path(&p, n, n & 1), 0, false, now_ns);

    f->first_ns = f->last_ns = now_ns;
    flow_table_queue(t, f, queue, now_ns);
    return f;
}

static struct flow *find(struct flow_table *t, unsigned n, bool back, bool *low_is_src)
{
    struct path p;
    return find_between(t, path(&p, n, back), 0, low_is_src);
}

/* --- finding --- */

static void test_both_directions(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    bool low_is_src;

    for (unsigned n = 0; n < 60; n++) {
        assert_null(find(t, n, false, &low_is_src));
        struct flow *f = add(t, n, QUEUE_OPEN, 1);
        assert_int_equal(f->id, n + 1);
    }
    for (unsigned n = 0; n < 60; n++) {
        struct flow *f = find(t, n, false, &low_is_src);
        assert_int_equal(f->id, n + 1);
        assert_true(low_is_src); /* 10.0.x.y is lower than 192.0.2.1 */
        assert_ptr_equal(find(t, n, true, &low_is_src), f);
        assert_false(low_is_src);
    }
    flow_table_drain(t);
    assert_int_equal(left.n, 60);
    for (unsigned n = 0; n < 60; n++)
        assert_int_equal(left.ids[n], n + 1);
    assert_null(find(t, 3, false, &low_is_src));
    flow_table_free(t);
}

/* Everything in a key counts: addresses, ports, version. */
static void test_other_ends(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    struct path p;
    bool low_is_src;

    struct flow *f = add(t, 0, QUEUE_OPEN, 1);
    struct ends e = *path(&p, 0, false);
    assert_ptr_equal(find_between(t, &e, 0, &low_is_src), f);
    e.version = 6; /* the same bytes as a mapped IPv6 address */
    assert_null(find_between(t, &e, 0, &low_is_src));
    e.version = 4;
    e.sport++;
    assert_null(find_between(t, &e, 0, &low_is_src));
    e.sport--;
    e.dport++;
    assert_null(find_between(t, &e, 0, &low_is_src));
    e.dport = e.sport;
    e.sport = 80; /* ports exchanged, addresses not */
    assert_null(find_between(t, &e, 0, &low_is_src));
    for (int i = 0; i < 16; i++) {
        e = *path(&p, 0, false);
        p.a.bytes[i] ^= 1;
        assert_null(find_between(t, &e, 0, &low_is_src));
        p.a.bytes[i] ^= 1;
    }
    flow_table_free(t); /* with the flow still in it */
    assert_int_equal(left.n, 0);
}

/* One host talks to itself: the lower port is the low end. */
static void test_same_address(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    struct addr lo = addr_v4((const uint8_t[]){ 127, 0, 0, 1 });
    struct ends there = { &lo, &lo, 40000, 80, 4 }, back = { &lo, &lo, 80, 40000, 4 }, self = { &lo, &lo, 80, 80, 4 };
    bool low_is_src;

    struct flow *f = add_between(t, &there, 0, false, 1), *g = add_between(t, &self, 0, false, 1);
    assert_ptr_equal(find_between(t, &there, 0, &low_is_src), f);
    assert_false(low_is_src);
    assert_ptr_equal(find_between(t, &back, 0, &low_is_src), f);
    assert_true(low_is_src);
    assert_ptr_equal(find_between(t, &self, 0, &low_is_src), g);
    assert_true(low_is_src);
    flow_table_free(t);
}

/* Layers are not part of a flow's identity, until there is a twin. */
static void test_twins(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    struct path p;
    bool low_is_src;

    struct ends e = *path(&p, 0, false);
    struct flow *first = add_between(t, &e, 10, false, 1);
    assert_ptr_equal(find_between(t, &e, 0, &low_is_src), first);
    assert_ptr_equal(find_between(t, &e, 20, &low_is_src), first);
    struct flow *twin = add_between(t, &e, 20, true, 2);
    assert_ptr_equal(find_between(t, &e, 10, &low_is_src), first);
    assert_ptr_equal(find_between(t, &e, 0, &low_is_src), first);
    assert_ptr_equal(find_between(t, &e, 20, &low_is_src), twin);
    flow_table_remove(t, twin);
    assert_ptr_equal(find_between(t, &e, 20, &low_is_src), first);
    assert_int_equal(left.n, 1);
    flow_table_free(t);
}

/* Coming and going in any order: the index finds what it holds and nothing else. */
static void test_coming_and_going(void **state)
{
    (void)state;
    enum { MANY = 3000 };
    static struct flow *held[MANY];
    static struct left left;
    struct flow_table *t = flow_table_new(on_leave, &left);
    uint64_t random = 1;
    bool low_is_src;

    for (int i = 0; i < 100000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned n = (unsigned)(random >> 33) % (i < 50000 ? MANY : 50);
        assert_ptr_equal(find(t, n, n & 1, &low_is_src), held[n]);
        if (held[n])
            flow_table_remove(t, held[n]);
        held[n] = held[n] ? NULL : add(t, n, QUEUE_OPEN, 1);
    }
    for (unsigned n = 0; n < MANY; n++)
        assert_ptr_equal(find(t, n, false, &low_is_src), held[n]);
    flow_table_free(t);
}

/* --- patience --- */

static void expires_at(enum flow_queue queue, int64_t patience_ns)
{
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    int64_t start_ns = 1000;

    add(t, 0, queue, start_ns);
    flow_table_expire(t, start_ns + patience_ns);
    assert_int_equal(left.n, 0);
    flow_table_expire(t, start_ns + patience_ns + 1);
    assert_int_equal(left.n, 1);
    assert_int_equal(left.evicted, 0);
    flow_table_free(t);
}

static void test_patience(void **state)
{
    (void)state;
    expires_at(QUEUE_EMBRYONIC, LIMIT_EMBRYONIC_IDLE_NS);
    expires_at(QUEUE_OPEN, LIMIT_OPEN_IDLE_NS);
    expires_at(QUEUE_LINGERING, LIMIT_LINGER_NS);
}

/* A packet now and then keeps an open flow; a closed one goes its time after its end, whatever still comes. */
static void test_activity(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    struct flow *open = add(t, 0, QUEUE_OPEN, 0), *quiet = add(t, 1, QUEUE_OPEN, 1), *closed = add(t, 2, QUEUE_OPEN, 1);

    open->last_ns = LIMIT_OPEN_IDLE_NS;
    flow_table_queue(t, closed, QUEUE_LINGERING, LIMIT_OPEN_IDLE_NS);
    closed->last_ns = LIMIT_OPEN_IDLE_NS + LIMIT_LINGER_NS;
    flow_table_expire(t, LIMIT_OPEN_IDLE_NS + 2);
    assert_int_equal(left.n, 1);
    assert_int_equal(left.ids[0], 2);
    (void)quiet;
    flow_table_expire(t, LIMIT_OPEN_IDLE_NS + LIMIT_LINGER_NS + 1);
    assert_int_equal(left.n, 2);
    assert_int_equal(left.ids[1], 3);
    flow_table_expire(t, 2 * LIMIT_OPEN_IDLE_NS);
    assert_int_equal(left.n, 2);
    flow_table_expire(t, 2 * LIMIT_OPEN_IDLE_NS + 1);
    assert_int_equal(left.n, 3);
    assert_int_equal(flow_table_evicted(t), 0);
    flow_table_free(t);
}

/* --- too many --- */

static void test_too_many(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    bool low_is_src;

    for (unsigned n = 0; n < 50; n++)
        add(t, n, QUEUE_OPEN, n);
    for (unsigned n = 50; n < 70; n++)
        add(t, n, QUEUE_LINGERING, n);
    for (unsigned n = 70; n < 100; n++)
        add(t, n, QUEUE_EMBRYONIC, n);
    flow_table_expire(t, 100);
    assert_int_equal(left.n, 0);
    for (unsigned n = 100; n < 120; n++) { /* the closed ones make room first: nothing is lost with them */
        add(t, n, QUEUE_OPEN, n);
        flow_table_expire(t, n);
        assert_int_equal(left.n, n - 99);
        assert_int_equal(left.ids[left.n - 1], n - 50 + 1);
    }
    assert_int_equal(flow_table_evicted(t), 0);
    for (unsigned n = 120; n < 150; n++) { /* then unfinished handshakes, the quietest first */
        add(t, n, QUEUE_OPEN, n);
        flow_table_expire(t, n);
        assert_int_equal(left.ids[left.n - 1], n - 50 + 1);
    }
    assert_int_equal(flow_table_evicted(t), 30);
    find(t, 0, false, &low_is_src)->last_ns = 150; /* and last the open ones; this one is not the quietest */
    add(t, 150, QUEUE_OPEN, 150);
    flow_table_expire(t, 150);
    assert_int_equal(left.ids[left.n - 1], 2);
    assert_non_null(find(t, 0, false, &low_is_src));
    assert_int_equal(flow_table_evicted(t), 31);
    assert_int_equal(left.evicted, 31);
    flow_table_drain(t);
    assert_int_equal(left.n, 151);
    flow_table_free(t);
}

static void test_too_many_closed(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);

    for (unsigned n = 0; n < LIMIT_LINGERING + 5; n++)
        add(t, n, QUEUE_LINGERING, n);
    flow_table_expire(t, 100);
    assert_int_equal(left.n, 5);
    assert_int_equal(left.ids[0], 1);
    assert_int_equal(flow_table_evicted(t), 0);
    flow_table_free(t);
}

/* A flood of SYNs: most of the table stays for real connections. */
static void test_flood(void **state)
{
    (void)state;
    struct left left = { 0 };
    struct flow_table *t = flow_table_new(on_leave, &left);
    bool low_is_src;

    for (unsigned n = 0; n < 30; n++)
        add(t, n, QUEUE_OPEN, n);
    for (unsigned n = 30; n < 2000; n++) {
        add(t, n, QUEUE_EMBRYONIC, n);
        flow_table_expire(t, n);
    }
    for (unsigned n = 0; n < 30; n++)
        assert_non_null(find(t, n, true, &low_is_src));
    assert_non_null(find(t, 1999, true, &low_is_src));
    assert_int_equal(left.n, 2000 - 30 - LIMIT_EMBRYONIC_FLOWS);
    assert_int_equal(flow_table_evicted(t), left.n);
    flow_table_free(t);
}

/* --- tracks are used again, as good as new --- */

static struct flow_table *recycling;

static void on_leave_recycle(void *user, struct flow *f)
{
    (void)user;
    flow_table_recycle(recycling, f->track);
    f->track = NULL;
    flow_free(f);
}

static void test_recycle(void **state)
{
    (void)state;
    static const struct track empty;

    recycling = flow_table_new(on_leave_recycle, NULL);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 0; n < 90; n++) { /* more than are kept */
            struct flow *f = add(recycling, n, QUEUE_OPEN, 1);
            assert_memory_equal(f->track->half, empty.half, sizeof empty.half);
            memset(f->track->half, 0xff, sizeof empty.half); /* what the flow before left behind */
        }
        flow_table_drain(recycling);
    }
    flow_table_free(recycling);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_directions),
        cmocka_unit_test(test_other_ends),
        cmocka_unit_test(test_same_address),
        cmocka_unit_test(test_twins),
        cmocka_unit_test(test_coming_and_going),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_activity),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_too_many_closed),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_recycle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
