/* Reassembly, against a model that keeps one state for every byte of the stream. */
#include "flow/stream.h"

#include "base/limits.h"
#include "guard.h"
#include "stub_app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* --- the model: segments in a plain list, handed on byte by byte --- */

#define SPACE 2000

struct piece {
    uint32_t from, len, captured; /* of len bytes so many are in the capture */
    uint8_t bytes[80];
};

struct model {
    GArray *waiting; /* struct piece */
    uint32_t next;
    struct app *out; /* what a right reassembly hands over */
};

static void model_gap(struct model *m, uint32_t to)
{
    if (to > m->next)
        app_gap(m->out, CLIENT, to - m->next, 0, 0);
    m->next = MAX(m->next, to);
}

/* What the piece has beyond `next`. */
static void model_hand_on(struct model *m, const struct piece *p)
{
    while (m->next < p->from + p->len) {
        uint32_t at = m->next - p->from;
        struct app_bytes one = { CLIENT, { &p->bytes[at], 1 }, 0, 0 };
        if (at >= p->captured) {
            model_gap(m, m->next + 1);
        } else {
            app_data(m->out, &one);
            m->next++;
        }
    }
}

/* Index of the piece that begins lowest; -1: none. */
static int model_lowest(const struct model *m)
{
    int lowest = -1;

    for (guint i = 0; i < m->waiting->len; i++)
        if (lowest < 0 || g_array_index(m->waiting, struct piece, i).from < g_array_index(m->waiting, struct piece, lowest).from)
            lowest = (int)i;
    return lowest;
}

/* Hands on what begins at `to` or before; holes below it are gaps. */
static void model_drain(struct model *m, uint32_t to)
{
    int i;

    while ((i = model_lowest(m)) >= 0 && g_array_index(m->waiting, struct piece, i).from <= MAX(to, m->next)) {
        struct piece p = g_array_index(m->waiting, struct piece, i);
        g_array_remove_index(m->waiting, (guint)i);
        model_gap(m, p.from);
        model_hand_on(m, &p);
    }
}

static void model_segment(struct model *m, const struct piece *p)
{
    if (p->from <= m->next) {
        model_hand_on(m, p);
        model_drain(m, m->next);
        return;
    }
    for (guint i = 0; i < m->waiting->len; i++) {
        struct piece *old = &g_array_index(m->waiting, struct piece, i);
        if (old->from != p->from)
            continue;
        if (old->len < p->len)
            *old = *p;
        return;
    }
    g_array_append_val(m->waiting, *p);
}

/* --- both, side by side --- */

struct pair {
    GRand *rand;
    uint32_t isn;
    struct model model;
    struct stream stream;
    struct stream_budget budget;
    struct app *app;
};

static void check_same(const struct pair *p)
{
    const struct stub_stream *mine = &p->app->streams[CLIENT], *expected = &p->model.out->streams[CLIENT];

    assert_int_equal(p->stream.position, expected->position);
    assert_int_equal(mine->position, expected->position);
    assert_int_equal(mine->bytes->len, expected->bytes->len);
    assert_int_equal(mine->gaps->len, expected->gaps->len);
    if (mine->bytes->len)
        assert_memory_equal(mine->bytes->data, expected->bytes->data, mine->bytes->len);
    if (mine->gaps->len)
        assert_memory_equal(mine->gaps->data, expected->gaps->data, mine->gaps->len * sizeof(struct stub_gap));
    assert_int_equal(p->budget.used, p->stream.pending_bytes);
    assert_true((p->stream.pending == NULL) == (p->stream.pending_bytes == 0));
    assert_true((p->stream.pending == NULL) == (p->model.waiting->len == 0));
    assert_int_equal(p->budget.dropped, 0);
}

/* A segment whose captured bytes end at a page that cannot be read, and are gone afterwards. */
static void segment(struct pair *p, uint32_t from, uint32_t len, uint32_t captured)
{
    struct piece piece = { .from = from, .len = len, .captured = captured };

    for (uint32_t i = 0; i < captured; i++)
        piece.bytes[i] = (uint8_t)g_rand_int(p->rand); /* others than before: it shows who wins */
    uint8_t *copy = guard_copy(piece.bytes, captured);
    struct app_bytes b = { CLIENT, { captured ? copy : NULL, captured }, 1, 1 };

    stream_segment(&p->stream, p->app, &p->budget, p->isn + from, len, &b);
    guard_free(copy);
    model_segment(&p->model, &piece);
}

static void random_step(struct pair *p, uint32_t reach, bool cuts)
{
    struct app_bytes now = { .from = CLIENT };
    uint32_t lowest = p->model.next > 100 ? p->model.next - 100 : 0;
    uint32_t from = lowest + (uint32_t)g_rand_int_range(p->rand, 0, (gint32)reach);
    uint32_t len = (uint32_t)g_rand_int_range(p->rand, 1, 80);

    from = MIN(from, SPACE - 1);
    len = MIN(len, SPACE - from);
    if (g_rand_int_range(p->rand, 0, 12) == 0) {
        stream_acked(&p->stream, p->app, &p->budget, p->isn + from, &now);
        model_drain(&p->model, from);
    } else {
        segment(p, from, len, cuts ? (uint32_t)g_rand_int_range(p->rand, 0, (gint32)len + 1) : len);
    }
}

static void pair_init(struct pair *p, uint32_t seed, uint32_t isn)
{
    memset(p, 0, sizeof *p);
    p->rand = g_rand_new_with_seed(seed);
    p->isn = isn;
    p->app = app_new(80);
    p->model.out = app_new(80);
    p->model.waiting = g_array_new(FALSE, FALSE, sizeof(struct piece));
}

static void pair_clear(struct pair *p)
{
    app_free(p->app);
    app_free(p->model.out);
    g_array_free(p->model.waiting, TRUE);
    g_rand_free(p->rand);
}

static void random_run(uint32_t seed, uint32_t isn, bool cuts)
{
    struct app_bytes now = { .from = CLIENT };
    struct pair p;

    pair_init(&p, seed, isn);
    segment(&p, 0, 10, 10); /* where the stream begins */
    for (int i = 0; i < 300; i++) {
        random_step(&p, 150 + seed % 4 * 200, cuts);
        check_same(&p);
    }
    stream_end(&p.stream, p.app, &p.budget, &now);
    model_drain(&p.model, SPACE);
    check_same(&p);
    assert_null(p.stream.pending);
    pair_clear(&p);
}

static void test_random(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        random_run(seed, seed * 104729, false);
        random_run(seed, UINT32_MAX - 40 * seed, seed & 1); /* over 2^32 */
        random_run(seed, seed, true);
    }
}

/* --- by hand --- */

struct one_stream {
    struct stream stream;
    struct stream_budget budget;
    struct app *app;
};

static void put(struct one_stream *o, uint32_t seq, const char *text)
{
    struct app_bytes b = { SERVER, { (const uint8_t *)text, strlen(text) }, 1, 1 };
    stream_segment(&o->stream, o->app, &o->budget, seq, (uint32_t)strlen(text), &b);
}

static void put_size(struct one_stream *o, uint32_t seq, uint32_t captured, uint32_t len)
{
    uint8_t *bytes = g_malloc0(captured ? captured : 1);
    struct app_bytes b = { SERVER, { bytes, captured }, 1, 1 };

    stream_segment(&o->stream, o->app, &o->budget, seq, len, &b);
    g_free(bytes);
}

static void acked(struct one_stream *o, uint32_t ack)
{
    struct app_bytes now = { .from = SERVER };
    stream_acked(&o->stream, o->app, &o->budget, ack, &now);
}

static void end(struct one_stream *o)
{
    struct app_bytes now = { .from = SERVER };
    stream_end(&o->stream, o->app, &o->budget, &now);
    assert_int_equal(o->budget.used, 0);
    assert_null(o->stream.pending);
}

static void check_text(const struct one_stream *o, const char *text, uint64_t gaps)
{
    const struct stub_stream *s = &o->app->streams[SERVER];
    uint64_t missing = 0;

    assert_int_equal(s->bytes->len, strlen(text));
    if (*text)
        assert_memory_equal(s->bytes->data, text, strlen(text));
    for (guint i = 0; i < s->gaps->len; i++)
        missing += g_array_index(s->gaps, struct stub_gap, i).n;
    assert_int_equal(missing, gaps);
}

static void test_by_hand(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put(&o, 100, "abc");
    put(&o, 106, "ghi");
    check_text(&o, "abc", 0);
    acked(&o, 105); /* a part of the hole: wait */
    check_text(&o, "abc", 0);
    put(&o, 101, "bcdefg"); /* overlaps on both sides */
    check_text(&o, "abcdefghi", 0);
    put(&o, 112, "mno");
    put(&o, 118, "s");
    acked(&o, 112); /* all of the first hole, nothing of the second */
    check_text(&o, "abcdefghimno", 3);
    put(&o, 109, "jkl"); /* too late */
    check_text(&o, "abcdefghimno", 3);
    acked(&o, 300); /* beyond everything: the second hole too */
    check_text(&o, "abcdefghimnos", 6);
    put(&o, 119, "t");
    put(&o, 121, "v");
    end(&o);
    check_text(&o, "abcdefghimnostv", 7);
    app_free(o.app);
}

/* A capture that begins in the middle: what comes later and lies before its first byte is of no use. */
static void test_before_the_start(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put(&o, 5, "fgh");
    put(&o, 0xfffffffe, "yzabcde");
    check_text(&o, "fgh", 0);
    put(&o, 0xfffffffe, "yzabcdefghij"); /* its end is new */
    check_text(&o, "fghij", 0);
    assert_int_equal(o.stream.position, 5);
    end(&o);
    app_free(o.app);
}

/* stream_end without an app drops what waits. */
static void test_dropped_at_the_end(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };
    struct app_bytes now = { .from = SERVER };

    put(&o, 0, "a");
    put(&o, 2, "c");
    stream_end(&o.stream, NULL, &o.budget, &now);
    assert_int_equal(o.budget.used, 0);
    check_text(&o, "a", 0);
    app_free(o.app);
}

/* --- memory --- */

/* A byte here and there above a hole that is never filled: of one direction no more than its limit is held, and the stream goes on. */
static void test_flow_limit(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };
    size_t most = 0;
    uint32_t segments = 400000;

    put_size(&o, 0, 1, 1);
    for (uint32_t i = 1; i <= segments; i++) {
        put_size(&o, i * 2, 1, 1);
        most = MAX(most, o.stream.pending_bytes);
        assert_int_equal(o.budget.used, o.stream.pending_bytes);
    }
    assert_true(most <= LIMIT_REASSEMBLY_FLOW);
    assert_true(most > LIMIT_REASSEMBLY_FLOW - 1000);
    assert_true(o.stream.position > segments);
    end(&o);
    assert_int_equal(o.app->streams[SERVER].bytes->len, segments + 1); /* nothing was dropped */
    assert_int_equal(o.app->streams[SERVER].position, segments * 2 + 1);
    assert_int_equal(o.budget.dropped, 0);
    app_free(o.app);
}

/* Bytes that were not captured cost something too. */
static void test_flow_limit_cut(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put_size(&o, 0, 1, 1);
    for (uint32_t i = 1; i <= 200000; i++) {
        put_size(&o, i * 20, 0, 10);
        assert_true(o.stream.pending_bytes <= LIMIT_REASSEMBLY_FLOW);
    }
    end(&o);
    assert_int_equal(o.app->streams[SERVER].bytes->len, 1);
    assert_int_equal(o.app->streams[SERVER].position, 200000 * 20 + 10);
    app_free(o.app);
}

/* No room, and the new segment lies below all that waits: the hole is given up only as far as it. */
static void test_flow_limit_low_segment(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put(&o, 0, "a");
    put_size(&o, 100, LIMIT_REASSEMBLY_FLOW - 1000, LIMIT_REASSEMBLY_FLOW - 1000);
    put_size(&o, 50, 40, 40);
    put_size(&o, 5, 1000, 1000);
    assert_int_equal(o.app->streams[SERVER].bytes->len, 1 + LIMIT_REASSEMBLY_FLOW - 1000 + 95);
    assert_int_equal(o.app->streams[SERVER].gaps->len, 1);
    assert_int_equal(o.budget.dropped, 0);
    end(&o);
    app_free(o.app);
}

/* The limit of all together: what does not fit is counted, and is a gap in the end. */
static void test_limit_of_all(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put(&o, 0, "a");
    o.budget.used = LIMIT_REASSEMBLY_ALL - 300;
    put(&o, 2, "cd");
    size_t held = o.stream.pending_bytes;
    assert_true(held > 2 && held < 300);
    put_size(&o, 10, 400, 400);
    assert_int_equal(o.stream.pending_bytes, held);
    assert_int_equal(o.budget.dropped, 400);
    put(&o, 1, "b"); /* in order: needs no room */
    check_text(&o, "abcd", 0);
    assert_int_equal(o.budget.used, LIMIT_REASSEMBLY_ALL - 300);
    app_free(o.app);
}

/* A segment larger than all that may be held: not kept, and what waits already is handed on. */
static void test_giant_segment(void **state)
{
    (void)state;
    struct one_stream o = { .app = app_new(80) };

    put(&o, 0, "a");
    put(&o, 5, "f");
    put_size(&o, 10, LIMIT_REASSEMBLY_FLOW, LIMIT_REASSEMBLY_FLOW);
    assert_true(o.stream.pending_bytes <= LIMIT_REASSEMBLY_FLOW);
    assert_int_equal(o.budget.dropped, LIMIT_REASSEMBLY_FLOW);
    end(&o);
    check_text(&o, "af", 4);
    app_free(o.app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_before_the_start),
        cmocka_unit_test(test_dropped_at_the_end),
        cmocka_unit_test(test_flow_limit),
        cmocka_unit_test(test_flow_limit_cut),
        cmocka_unit_test(test_flow_limit_low_segment),
        cmocka_unit_test(test_limit_of_all),
        cmocka_unit_test(test_giant_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
