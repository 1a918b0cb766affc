/* Probes against networks that are not there: hops, MTUs, outcomes and verdicts, exactly. */
#include "base/limits.h"
#include "tests/unit/probe_net.h"

#define ALL                                                                                                            \
    (PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_SYN_TTL) | PROBE_BIT(PROBE_ECHO_TTL) |             \
     PROBE_BIT(PROBE_OPTION_DIFF) | PROBE_BIT(PROBE_ACK_DF) | PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) |     \
     PROBE_BIT(PROBE_SIZE_TTL))

#define BOTH(version) for (unsigned version = 4; version <= 6; version += 2)

/* "kind outcome [mtu N] [after T at T]" of a probe; "none" where it did not begin. */
static const char *said(const struct played *g, enum probe_kind kind)
{
    static char text[200];
    struct probe_result *p = play_result(g, kind);

    if (!p)
        return "none";
    g_snprintf(text, sizeof text, "%s", probe_outcome_name(p->outcome));
    if (p->path_mtu)
        g_snprintf(text + strlen(text), sizeof text - strlen(text), " %u", p->path_mtu);
    if (p->has_end)
        g_snprintf(text + strlen(text), sizeof text - strlen(text), " after %u at %u", p->after.ttl, p->at.ttl);
    probe_result_free(p);
    return text;
}

/* The code and status of all that was found. */
static const char *judged(const struct played *g)
{
    static char text[100];
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);

    for (int k = 0; k < PROBE_KINDS; k++) {
        struct probe_result *p = play_result(g, (enum probe_kind)k);
        if (p)
            g_ptr_array_add(all, p);
    }
    struct finding *f = probe_verdict(all);
    g_snprintf(text, sizeof text, "%s", f ? catalogue_row(f->code)->name : "ok");
    finding_free(f);
    g_ptr_array_free(all, TRUE);
    return text;
}

/* The addresses of a trail by the number of the router: "1 2 * 200". */
static const char *trail(const struct played *g, enum probe_kind kind)
{
    static char text[200];
    struct probe_result *p = play_result(g, kind);

    text[0] = '\0';
    for (guint i = 0; i < p->hops->len; i++) {
        const struct probe_hop *h = &g_array_index(p->hops, struct probe_hop, i);
        char place[8] = "*";
        if (h->place.known)
            g_snprintf(place, sizeof place, "%u", h->place.addr.bytes[15]);
        g_snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s%s", i ? " " : "", place,
                   h->limited ? "!" : "");
    }
    probe_result_free(p);
    return text;
}

static void test_healthy(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3 };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ECHO), "answered");
        assert_string_equal(said(g, PROBE_SYN), "open");
        assert_string_equal(said(g, PROBE_SYN_TTL), "reached");
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 2 3 200");
        assert_string_equal(trail(g, PROBE_ECHO_TTL), "1 2 3 200");
        assert_string_equal(said(g, PROBE_OPTION_DIFF), "unchanged");
        assert_string_equal(said(g, PROBE_ACK_DF), "fits 1500");
        assert_string_equal(said(g, PROBE_ECHO_DF), "fits 1500");
        assert_string_equal(said(g, PROBE_UDP_DF), "none");
        assert_string_equal(said(g, PROBE_SIZE_TTL), "none");
        assert_string_equal(judged(g), "ok");
        assert_true(n.sent <= 20);
        play_end(g);
    }
}

static void test_dropped(void **state)
{
    (void)state;
    BOTH(version)
    {
        for (unsigned router = 1; router <= 3; router++) {
            struct net n = { .version = version, .routers = 3, .drops_tcp = router };
            struct played *g = play(&n, ALL);
            char where[40];
            g_snprintf(where, sizeof where, "stopped after %u at %u", router, router + 1);
            assert_string_equal(said(g, PROBE_SYN), "no_answer");
            assert_string_equal(said(g, PROBE_SYN_TTL), where);
            assert_string_equal(said(g, PROBE_ECHO_TTL), "reached");
            assert_string_equal(said(g, PROBE_ACK_DF), "unmeasurable");
            assert_string_equal(said(g, PROBE_UDP_DF), "fits 1500");
            assert_string_equal(judged(g), "syn_unanswered");
            play_end(g);
        }
    }
}

/* Neither arrives: nothing is known of what lies behind the last hop that answers. */
static void test_all_dropped(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 4, .drops_tcp = 2, .drops_icmp = 2, .drops_udp = 2 };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_SYN_TTL), "stopped after 2 at 0");
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 2 *");
        assert_string_equal(said(g, PROBE_ECHO_DF), "none");
        assert_string_equal(judged(g), "syn_unanswered");
        assert_true(n.sent <= 60);
        play_end(g);
    }
}

static void test_refused(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3, .closed = true };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_SYN), "refused");
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 2 3 200");
        assert_string_equal(judged(g), "syn_refused");
        play_end(g);

        struct net box = { .version = version, .routers = 3, .rejects = 2, .rejects_with_rst = true };
        g = play(&box, ALL);
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 2 200");
        assert_string_equal(judged(g), "syn_refused_by_middlebox");
        play_end(g);
    }
}

static void test_rejected(void **state)
{
    (void)state;
    static const struct {
        unsigned version;
        uint8_t type, code;
        const char *verdict;
    } rows[] = {
        { 4, 3, 0, "network_unreachable" }, { 4, 3, 1, "host_unreachable" },    { 4, 3, 2, "port_unreachable" },
        { 4, 3, 3, "port_unreachable" },    { 4, 3, 6, "network_unreachable" }, { 4, 3, 7, "host_unreachable" },
        { 4, 3, 9, "admin_prohibited" },    { 4, 3, 10, "admin_prohibited" },   { 4, 3, 13, "admin_prohibited" },
        { 6, 1, 0, "network_unreachable" }, { 6, 1, 1, "admin_prohibited" },    { 6, 1, 3, "host_unreachable" },
        { 6, 1, 4, "port_unreachable" },    { 6, 1, 5, "admin_prohibited" },    { 6, 1, 6, "admin_prohibited" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct net n = {
            .version = rows[i].version, .routers = 3, .rejects = 2, .type = rows[i].type, .code = rows[i].code
        };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_SYN), "unreachable");
        assert_string_equal(said(g, PROBE_SYN_TTL), "unreachable after 1 at 2");
        assert_string_equal(judged(g), rows[i].verdict);
        play_end(g);
    }
}

static void test_loop(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 4, .loop = 2 };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_SYN), "unreachable");
        assert_string_equal(said(g, PROBE_SYN_TTL), "loop after 1 at 2");
        assert_string_equal(judged(g), "ttl_exceeded");
        play_end(g);
    }
}

static void test_silent_hops(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version,
                         .routers = 7,
                         .silent = { [2] = true, [3] = true, [4] = true, [5] = true, [6] = true } };
        struct played *g = play(&n, ALL);
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 * * * * * 7 200");
        assert_string_equal(judged(g), "ok");
        play_end(g);

        /* the hop behind the silent one may be where it dies */
        struct net cut = { .version = version, .routers = 4, .silent = { [2] = true }, .drops_tcp = 1 };
        g = play(&cut, ALL);
        assert_string_equal(said(g, PROBE_SYN_TTL), "stopped after 1 at 3");
        play_end(g);
    }
}

static void test_limited_hop(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3, .limit = { [2] = 2 } };
        n.asked[2] = 1; /* the next one is not answered */
        struct played *g = play(&n, PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_SYN_TTL));
        assert_string_equal(trail(g, PROBE_SYN_TTL), "1 2! 3 200");
        play_end(g);
    }
}

static void test_announced_mtu(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3, .mtu = { [1] = 1450, [2] = 1400 } };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ACK_DF), "announced 1400");
        assert_string_equal(said(g, PROBE_ECHO_DF), "announced 1400");
        assert_string_equal(said(g, PROBE_SIZE_TTL), "none");
        assert_string_equal(judged(g), "ok");
        play_end(g);
    }
}

/* RFC 792: without the MTU in the error it has to be searched for. */
static void test_nameless_mtu(void **state)
{
    (void)state;
    struct net n = { .version = 4, .routers = 3, .mtu = { [2] = 1333 }, .nameless = { [2] = true } };
    struct played *g = play(&n, ALL);

    assert_string_equal(said(g, PROBE_ACK_DF), "announced 1333");
    assert_string_equal(judged(g), "ok");
    play_end(g);
}

static void test_black_hole(void **state)
{
    (void)state;
    static const uint16_t mtus[] = { 1499, 1492, 1400, 1337, 1281, 1280 };
    BOTH(version)
    {
        for (size_t i = 0; i < G_N_ELEMENTS(mtus); i++) {
            struct net n = { .version = version, .routers = 3, .mtu = { [2] = mtus[i] }, .untold = { [2] = true } };
            struct played *g = play(&n, ALL);
            char expected[40];
            g_snprintf(expected, sizeof expected, "black_hole %u", mtus[i]);
            assert_string_equal(said(g, PROBE_ACK_DF), expected);
            assert_string_equal(said(g, PROBE_ECHO_DF), expected);
            assert_string_equal(said(g, PROBE_SIZE_TTL), "stopped after 2 at 3");
            assert_string_equal(judged(g), "pmtu_blackhole");
            assert_true(g->aim->trials[PROBE_ACK_DF]->shots->len <= 30);
            assert_true(g->aim->trials[PROBE_ECHO_DF]->shots->len <= 8); /* what the other found spares the search */
            play_end(g);
        }
    }
}

/* Jumbo frames here, an ordinary Ethernet behind, and no word of it. */
static void test_jumbo(void **state)
{
    (void)state;
    BOTH(version) {
        struct net n = { .version = version, .routers = 3, .own_mtu = 9000, .mtu = { [1] = 1500 }, .untold = { [1] = true } };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ACK_DF), "black_hole 1500");
        assert_true(g->aim->trials[PROBE_ACK_DF]->shots->len <= 36);
        play_end(g);
    }
}

/* One link says that it is narrow, another behind it does not. */
static void test_hole_behind_announced(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = {
            .version = version, .routers = 3, .mtu = { [1] = 1450, [3] = 1300 }, .untold = { [3] = true }
        };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ACK_DF), "black_hole 1300");
        assert_string_equal(said(g, PROBE_SIZE_TTL), "stopped after 3 at 4");
        play_end(g);
    }
}

static void test_hole_on_the_way_back(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3, .back_mtu = 1420 };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ACK_DF), "fits 1500");
        assert_string_equal(said(g, PROBE_ECHO_DF), "black_hole 1420");
        assert_string_equal(said(g, PROBE_SIZE_TTL), "none"); /* which hop on the way back, nobody can tell from here */
        assert_string_equal(judged(g), "pmtu_blackhole");
        play_end(g);
    }
}

/* Who ignores segments of no connection is asked by UDP. */
static void test_sizes_by_udp(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = {
            .version = version, .routers = 3, .drops_acks = true, .mtu = { [2] = 1400 }, .untold = { [2] = true }
        };
        struct played *g = play(&n, ALL);
        assert_string_equal(said(g, PROBE_ACK_DF), "unmeasurable");
        assert_string_equal(said(g, PROBE_UDP_DF), "black_hole 1400");
        assert_string_equal(said(g, PROBE_SIZE_TTL), "stopped after 2 at 3");
        play_end(g);
    }
}

static void test_stripped(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net n = { .version = version, .routers = 3, .strips = 2 };
        struct played *g = play(&n, ALL);
        struct probe_result *p = play_result(g, PROBE_OPTION_DIFF);
        assert_int_equal(p->outcome, OUTCOME_REWRITTEN);
        assert_int_equal(p->changes->len, 4); /* MSS, SACK, timestamps, window scale */
        assert_int_equal(g_array_index(p->changes, struct probe_change, 0).after.ttl, 2);
        assert_int_equal(g_array_index(p->changes, struct probe_change, 0).at.ttl, 3);
        assert_string_equal(judged(g), "option_stripped");
        probe_result_free(p);
        play_end(g);
    }
}

/* CONTRACT section 1: so many packets to a target, and not one more, whatever there is left to ask. */
static void test_budget(void **state)
{
    (void)state;
    BOTH(version) {
        struct net n = { .version = version, .routers = 3, .mtu = { [2] = 1400 }, .untold = { [2] = true }, .spent = LIMIT_PROBE_PACKETS - 12 };
        struct played *g = play(&n, ALL);
        assert_int_equal(n.sent, 12);
        assert_string_equal(said(g, PROBE_SYN_TTL), "reached");
        assert_string_equal(said(g, PROBE_ACK_DF), "interrupted");
        play_end(g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),
        cmocka_unit_test(test_dropped),
        cmocka_unit_test(test_all_dropped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_silent_hops),
        cmocka_unit_test(test_limited_hop),
        cmocka_unit_test(test_announced_mtu),
        cmocka_unit_test(test_nameless_mtu),
        cmocka_unit_test(test_black_hole),
        cmocka_unit_test(test_hole_behind_announced),
        cmocka_unit_test(test_hole_on_the_way_back),
        cmocka_unit_test(test_sizes_by_udp),
        cmocka_unit_test(test_stripped), cmocka_unit_test(test_jumbo), cmocka_unit_test(test_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
