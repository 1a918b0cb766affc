/* Two captures of one connection: what was lost, forged and rewritten between them has to be found, and nothing else.
 */
#include "compare/compare.h"
#include "two_ends.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* Both captures of what was told, compared; *lost: what was lost, by the numbers of each sender's capture. */
static struct comparison *compare_ends(struct two_ends *t, GArray *lost[2])
{
    for (int i = 0; i < 2 && lost; i++)
        lost[i] = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    struct vantage *client = two_ends_vantage(t, CLIENT, lost ? lost[CLIENT] : NULL);
    struct vantage *server = two_ends_vantage(t, SERVER, lost ? lost[SERVER] : NULL);
    return comparison_new(client, server, 0);
}

static struct pair *only_pair(const struct comparison *c)
{
    assert_int_equal(c->pairs->len, 1);
    assert_int_equal(c->lone->len, 0);
    return g_ptr_array_index(c->pairs, 0);
}

static uint64_t lost_number(const struct pair *p, enum side from, guint i)
{
    return sighting_at(p->end[from], g_array_index(p->way[from].lost, uint32_t, i))->number;
}

static void check_lost(const struct pair *p, GArray *const lost[2])
{
    for (int from = CLIENT; from <= SERVER; from++) {
        assert_int_equal(p->way[from].lost->len, lost[from]->len);
        for (guint i = 0; i < lost[from]->len; i++)
            assert_int_equal(lost_number(p, (enum side)from, i), g_array_index(lost[from], uint64_t, i));
        assert_int_equal(p->way[from].forged, 0);
        assert_int_equal(p->way[from].missed_near + p->way[from].missed_far + p->way[from].unknown, 0);
    }
}

static void done(struct two_ends *t, struct comparison *c, GArray *lost[2])
{
    comparison_free(c);
    two_ends_free(t);
    for (int i = 0; i < 2 && lost; i++)
        g_array_free(lost[i], TRUE);
}

/* --- transfers with everything that happens on the way, by chance --- */

/* One segment, sent until it arrives. Some of the copies are lost, some late. */
static void send_until_there(struct two_ends *t, GRand *r, enum side from, uint32_t place, uint32_t len)
{
    int copies = 0;

    while (g_rand_int_range(r, 0, 100) < 8 && copies++ < 4) {
        two_ends_send(t, from, TCP_ACK | TCP_PSH, place, len, LOST);
        two_ends_wait(t, 30 * NS_PER_MS + g_rand_int_range(r, 0, 20) * NS_PER_MS);
    }
    t->extra_ns = g_rand_int_range(r, 0, 1000) * NS_PER_US;
    two_ends_send(t, from, TCP_ACK | TCP_PSH, place, len, ARRIVES);
    two_ends_wait(t, g_rand_int_range(r, 20, 3000) * NS_PER_US);
}

static void transfer(struct two_ends *t, GRand *r)
{
    uint32_t place[2] = { 1, 1 };

    two_ends_open(t);
    for (int i = 0; i < 200; i++) {
        enum side from = g_rand_boolean(r) ? CLIENT : SERVER;
        uint32_t len = (uint32_t)g_rand_int_range(r, 1, 1449);
        send_until_there(t, r, from, place[from], len);
        place[from] += len;
        if (g_rand_boolean(r)) {
            two_ends_send(t, other_side(from), TCP_ACK, place[other_side(from)], 0,
                          g_rand_int_range(r, 0, 20) ? ARRIVES : LOST);
            two_ends_wait(t, g_rand_int_range(r, 1, 200) * NS_PER_US + NS_PER_MS);
        }
    }
    two_ends_wait(t, NS_PER_S);
    send_until_there(t, r, CLIENT, place[CLIENT], 1); /* both captures go on */
    two_ends_wait(t, NS_PER_S);
    send_until_there(t, r, SERVER, place[SERVER], 1);
    two_ends_wait(t, NS_PER_S);
    two_ends_send(t, CLIENT, TCP_FIN | TCP_ACK, place[CLIENT] + 1, 0, ARRIVES);
    two_ends_wait(t, NS_PER_S);
    two_ends_send(t, SERVER, TCP_FIN | TCP_ACK, place[SERVER] + 1, 0, ARRIVES);
}

static void check_transfer(uint32_t seed, bool ids, bool stamps, bool nat, bool shifted)
{
    struct two_ends *t = two_ends_new();
    GRand *r = g_rand_new_with_seed(seed);
    GArray *lost[2];

    t->ids = ids;
    t->stamps = stamps;
    t->nat = nat;
    t->shift[CLIENT] = shifted ? 0x80000123 : 0;
    t->shift[SERVER] = shifted ? 77 : 0;
    t->offset_ns = (int64_t)seed * 1234567891 - 5000 * NS_PER_S;
    transfer(t, r);
    struct comparison *c = compare_ends(t, lost);
    struct pair *p = only_pair(c);
    check_lost(p, lost);
    assert_false(p->swapped);
    assert_int_equal(pair_end_changes(p, CLIENT), nat);
    assert_int_equal(p->way[CLIENT].changes[CHANGE_SEQ].packets > 0, shifted);
    assert_int_equal(p->way[CLIENT].ttl_min, 4);
    assert_true(c->clock.known);
    assert_true(llabs(c->clock.offset_ns - t->offset_ns) <= c->clock.uncertainty_ns);
    g_rand_free(r);
    done(t, c, lost);
}

static void test_transfers(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < 24; seed++) {
        check_transfer(seed, true, true, false, false);
        check_transfer(seed, true, false, true, false);
        check_transfer(seed, false, true, true, true);
        check_transfer(seed, true, true, false, true);
        check_transfer(seed, false, false, true, false); /* nothing tells copies apart but time */
    }
}

/* --- one thing at a time --- */

static void exchange(struct two_ends *t)
{
    two_ends_open(t);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 1, 100, ARRIVES);
    two_ends_wait(t, 20 * NS_PER_MS);
    two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 1, 500, ARRIVES);
    two_ends_wait(t, 20 * NS_PER_MS);
}

static void test_forged_reset(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    exchange(t);
    two_ends_send(t, SERVER, TCP_RST, 501, 0, FORGED);
    two_ends_wait(t, 50 * NS_PER_MS);
    two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501, 500, ARRIVES);
    two_ends_wait(t, 50 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_RST, 101, 0, ARRIVES);
    struct comparison *c = compare_ends(t, NULL);
    struct pair *p = only_pair(c);
    assert_int_equal(p->way[SERVER].forged, 1);
    assert_int_equal(p->way[CLIENT].forged, 0);
    assert_int_equal(c->verdict->code, CODE_RESET_INJECTED);
    assert_int_equal(c->verdict->confidence, CONFIDENCE_CERTAIN);
    done(t, c, NULL);
}

/* The same bytes of the stream with other content: an answer that the server never gave. */
static void test_forged_data(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    exchange(t);
    two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501, 300, FORGED);
    struct end_frame *f = &g_array_index(t->file[CLIENT].frames, struct end_frame, t->file[CLIENT].frames->len - 1);
    memset(f->bytes + ENDS_HEADER, 'x', ENDS_CAPTURED);
    two_ends_wait(t, 2 * NS_PER_MS);
    two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501, 400, ARRIVES);
    two_ends_wait(t, 50 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 1, ARRIVES);
    struct comparison *c = compare_ends(t, NULL);
    assert_int_equal(only_pair(c)->way[SERVER].forged, 1);
    done(t, c, NULL);
}

/* What happens before the other capture begins or after it ends is not known. */
static void test_time_that_only_one_covers(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    exchange(t);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, LOST);
    two_ends_wait(t, 300 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, LOST);
    struct comparison *c = compare_ends(t, NULL);
    struct pair *p = only_pair(c);
    assert_int_equal(p->way[CLIENT].unknown, 2);
    assert_int_equal(p->way[CLIENT].lost->len, 0);
    done(t, c, NULL);
}

/* A capture that lost packets: their receiver acknowledged them, their sender sent what follows them. */
static void test_capture_loss(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    exchange(t);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, HERE); /* not in the server's capture ... */
    t->ack[SERVER] = t->isn[CLIENT] + 201;                       /* ... and still it arrived */
    two_ends_wait(t, NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 201, 100, THERE);
    two_ends_wait(t, NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 301, 100, ARRIVES);
    two_ends_wait(t, 20 * NS_PER_MS);
    two_ends_send(t, SERVER, TCP_ACK, 501, 0, ARRIVES);
    two_ends_wait(t, 20 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 401, 1, ARRIVES);
    struct comparison *c = compare_ends(t, NULL);
    struct pair *p = only_pair(c);
    assert_int_equal(p->way[CLIENT].missed_far, 1);
    assert_int_equal(p->way[CLIENT].missed_near, 1);
    assert_int_equal(p->way[CLIENT].lost->len, 0);
    assert_int_equal(p->way[CLIENT].forged, 0);
    done(t, c, NULL);
}

/* One packet of ten segments here, ten packets there; the third is lost. */
static void test_offload(void **state)
{
    (void)state;
    for (int joined = CLIENT; joined <= SERVER; joined++) { /* whose capture has them in one */
        struct two_ends *t = two_ends_new();
        exchange(t);
        two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, joined == CLIENT ? 10000 : 1000, HERE);
        for (uint32_t i = 1; joined == SERVER && i < 10; i++)
            two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101 + i * 1000, 1000, HERE);
        for (uint32_t i = 0; joined == CLIENT && i < 10; i++)
            if (i != 2)
                two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101 + i * 1000, 1000, THERE);
        if (joined == SERVER)
            two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 10000, THERE);
        two_ends_wait(t, 100 * NS_PER_MS);
        two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501, 1, ARRIVES);
        two_ends_wait(t, 100 * NS_PER_MS);
        two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 10101, 1, ARRIVES);
        struct comparison *c = compare_ends(t, NULL);
        const struct way *w = &only_pair(c)->way[CLIENT];
        assert_int_equal(w->lost_bytes, joined == CLIENT ? 1000 : 0);
        assert_int_equal(w->in_part, joined == CLIENT ? 1 : 0);
        assert_int_equal(w->offloaded, joined == CLIENT ? 1 : 10);
        assert_int_equal(w->forged + w->missed_near + w->missed_far, 0);
        done(t, c, NULL);
    }
}

static void test_repeated_by_the_network(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    t->ids = false; /* with the same IP-ID it is taken for a packet that was captured twice */
    exchange(t);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, ARRIVES);
    t->extra_ns = 30 * NS_PER_MS;
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, THERE);
    two_ends_wait(t, 50 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 201, 1, ARRIVES);
    struct comparison *c = compare_ends(t, NULL);
    assert_int_equal(only_pair(c)->way[CLIENT].repeated, 1);
    assert_int_equal(only_pair(c)->way[CLIENT].forged, 0);
    done(t, c, NULL);
}

/* Captures that begin in mid-stream, at other times. */
static void test_midstream(void **state)
{
    struct two_ends *t = two_ends_new();
    GArray *lost[2];

    (void)state;
    exchange(t);
    g_array_set_size(t->file[SERVER].frames, 0);
    g_array_remove_range(t->file[CLIENT].frames, 0, 3);
    for (uint32_t i = 0; i < 10; i++) {
        two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501 + i * 100, 100, i == 5 ? LOST : ARRIVES);
        two_ends_wait(t, 50 * NS_PER_MS);
        if (i == 5)
            two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501 + i * 100, 100, ARRIVES);
        two_ends_wait(t, 50 * NS_PER_MS);
        two_ends_send(t, CLIENT, TCP_ACK, 101, 0, ARRIVES);
        two_ends_wait(t, 50 * NS_PER_MS);
    }
    struct comparison *c = compare_ends(t, lost);
    struct pair *p = only_pair(c);
    assert_int_equal(p->way[SERVER].lost->len, 1);
    assert_int_equal(lost_number(p, SERVER, 0), g_array_index(lost[SERVER], uint64_t, 0));
    assert_int_equal(p->way[CLIENT].lost->len + p->way[CLIENT].forged + p->way[SERVER].forged, 0);
    done(t, c, lost);
}

/* The files in the wrong order. */
static void test_swapped(void **state)
{
    struct two_ends *t = two_ends_new();

    (void)state;
    exchange(t);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, LOST);
    two_ends_wait(t, 300 * NS_PER_MS);
    two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101, 100, ARRIVES);
    struct vantage *client = two_ends_vantage(t, CLIENT, NULL), *server = two_ends_vantage(t, SERVER, NULL);
    struct comparison *c = comparison_new(server, client, 0);
    struct pair *p = only_pair(c);
    assert_true(p->swapped);
    assert_int_equal(p->way[CLIENT].lost->len, 1);
    assert_int_equal(p->way[SERVER].lost->len, 0);
    done(t, c, NULL);
}

static void test_nothing(void **state)
{
    struct two_ends *t = two_ends_new(), *u = two_ends_new();

    (void)state;
    exchange(t);
    struct comparison *c = comparison_new(two_ends_vantage(t, CLIENT, NULL), two_ends_vantage(u, SERVER, NULL), 0);
    assert_int_equal(c->pairs->len, 0);
    assert_int_equal(c->lone->len, 1);
    assert_int_equal(c->verdict->status, STATUS_UNKNOWN);
    assert_false(c->clock.known);
    two_ends_free(u);
    done(t, c, NULL);
}

/* --- clocks --- */

static void test_drift(void **state)
{
    (void)state;
    for (int ppm = -200; ppm <= 200; ppm += 100) {
        struct two_ends *t = two_ends_new();
        int64_t began_ns = t->now_ns;
        t->offset_ns = 7 * NS_PER_S;
        exchange(t);
        for (uint32_t i = 0; i < 40; i++) {
            t->offset_ns = 7 * NS_PER_S + (t->now_ns - began_ns) / 1000000 * ppm;
            two_ends_send(t, CLIENT, TCP_ACK | TCP_PSH, 101 + i, 1, ARRIVES);
            two_ends_wait(t, 20 * NS_PER_MS);
            two_ends_send(t, SERVER, TCP_ACK | TCP_PSH, 501 + i, 1, ARRIVES);
            two_ends_wait(t, 30 * NS_PER_S);
        }
        struct comparison *c = compare_ends(t, NULL);
        assert_int_equal(c->clock.drifts, ppm != 0);
        if (ppm)
            assert_true(fabs(c->clock.drift_ppm - ppm) <= c->clock.drift_uncertainty_ppm);
        done(t, c, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transfers),
        cmocka_unit_test(test_forged_reset),
        cmocka_unit_test(test_forged_data),
        cmocka_unit_test(test_time_that_only_one_covers),
        cmocka_unit_test(test_capture_loss),
        cmocka_unit_test(test_offload),
        cmocka_unit_test(test_repeated_by_the_network),
        cmocka_unit_test(test_midstream),
        cmocka_unit_test(test_swapped),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_drift),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
