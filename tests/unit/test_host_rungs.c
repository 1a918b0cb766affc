/* The rungs that judge what the kernel says of its network, against machines put together by hand. */
#include "host_machine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void check_step(struct rung_step *s, enum step_status status, enum code code, const char *part)
{
    assert_int_equal(s->status, status);
    assert_int_equal(s->finding ? s->finding->code : CODE_OK, code);
    if (code != CODE_OK)
        assert_non_null(s->remedy ? s->remedy : s->finding->remedy);
    bool found = strstr(s->text, part) != NULL;
    for (guint i = 0; i < s->notes->len; i++)
        found |= strstr(g_ptr_array_index(s->notes, i), part) != NULL;
    if (!found)
        fail_msg("\"%s\" does not hold \"%s\"", s->text, part);
    step_free(s);
}

/* --- link: the eight interfaces of the case study --- */

static void test_link_study(void **state)
{
    struct machine *m = machine_new("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    add_link(m, 1, "lo", IFF_UP | IFF_LOOPBACK, true);
    add_link(m, 4, "enp0s9", IFF_UP, false);
    add_link(m, 5, "enp0s10", 0, false);
    add_link(m, 7, "wlx001aef0caebc", IFF_UP, false)->wireless = true;
    check_step(rung_link(&c), STEP_BROKEN, CODE_NO_CARRIER, "enp0s9 is up, no carrier");
    add_link(m, 2, "enp0s3", IFF_UP, true);
    check_step(rung_link(&c), STEP_OK, CODE_OK, "enp0s3 is up");
    check_step(rung_link(&c), STEP_OK, CODE_OK, "wlx001aef0caebc: up, not associated");
    check_step(rung_link(&c), STEP_OK, CODE_OK, "enp0s10: not brought up");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void one_link(unsigned flags, bool carrier, bool wireless, enum code code, const char *part)
{
    struct machine *m = machine_new("/nowhere");
    struct climb c = climb_of(m);

    add_link(m, 1, "lo", IFF_UP | IFF_LOOPBACK, true);
    add_link(m, 2, "it", flags, carrier)->wireless = wireless;
    check_step(rung_link(&c), code == CODE_OK ? STEP_OK : STEP_BROKEN, code, part);
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void test_link(void **state)
{
    (void)state;
    one_link(IFF_UP, true, false, CODE_OK, "carrier");
    one_link(0, false, false, CODE_INTERFACE_DOWN, "not brought up");
    one_link(IFF_UP, false, false, CODE_NO_CARRIER, "no carrier");
    one_link(IFF_UP, false, true, CODE_WIFI_NOT_ASSOCIATED, "not associated");
    one_link(0, false, true, CODE_INTERFACE_DOWN, "not brought up");
}

/* The interface that the way leads over counts, not another one that works. */
static void test_link_of_way(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    add_link(m, 9, "enp0s9", IFF_UP, false);
    check_step(rung_link(&c), STEP_OK, CODE_OK, "enp0s8");
    add_target(&c, "192.0.2.1", 0, 9);
    check_step(rung_link(&c), STEP_BROKEN, CODE_NO_CARRIER, "enp0s9");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void test_duplex(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);
    struct host_link *l = &g_array_index(m->links, struct host_link, 1);

    (void)state;
    l->speed = 10;
    strcpy(l->duplex, "half");
    check_step(rung_link(&c), STEP_OK, CODE_OK, "half duplex");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

/* --- address --- */

static void test_address(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    check_step(rung_address(&c), STEP_OK, CODE_OK, "10.0.3.15/24 on enp0s8");
    add_target(&c, "2001:db8::1", ENETUNREACH, 0); /* that has IPv6 only */
    check_step(rung_address(&c), STEP_BROKEN, CODE_NO_ADDRESS, "no usable IPv6 address");
    add_target(&c, "192.0.2.1", 0, 3); /* and both: IPv6 is left out */
    assert_false(climb_wants(&c, 6));
    check_step(rung_address(&c), STEP_OK, CODE_OK, "IPv6 addresses are left out");
    add_address(m, 3, "fe80::1", 64, 0)->scope = RT_SCOPE_LINK;
    check_step(rung_address(&c), STEP_OK, CODE_OK, "IPv6 addresses are left out"); /* a link-local one does not lead there */
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void test_address_flags(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    add_target(&c, "2001:db8::1", 0, 3);
    add_address(m, 3, "2001:db8:3::15", 64, IFA_F_TENTATIVE);
    check_step(rung_address(&c), STEP_BROKEN, CODE_NO_ADDRESS, "tentative");
    g_array_index(m->addresses, struct host_address, 1).flags = IFA_F_DADFAILED;
    check_step(rung_address(&c), STEP_BROKEN, CODE_ADDRESS_CONFLICT, "no usable IPv6 address"); /* that is why */
    add_address(m, 3, "2001:db8:3::16", 64, 0);
    check_step(rung_address(&c), STEP_DEGRADED, CODE_ADDRESS_CONFLICT, "2001:db8:3::16");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void test_address_notes(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);
    struct host_address *a = &g_array_index(m->addresses, struct host_address, 0);

    (void)state;
    a->dynamic = true;
    a->valid_s = 74064;
    check_step(rung_address(&c), STEP_OK, CODE_OK, "(dynamic, 1234 min left)");
    a->valid_s = 20;
    check_step(rung_address(&c), STEP_OK, CODE_OK, "the lease was not renewed");
    add_link(m, 4, "wlan0", IFF_UP, true);
    add_address(m, 4, "10.0.3.109", 24, 0);
    check_step(rung_address(&c), STEP_OK, CODE_OK, "are in one net");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

/* --- routes --- */

static void test_route_default(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    check_step(rung_route_default(&c), STEP_OK, CODE_OK, "IPv4 via 10.0.3.2 on enp0s8");
    g_array_index(m->defaults, struct host_route, 0).dead = true;
    check_step(rung_route_default(&c), STEP_BROKEN, CODE_NO_DEFAULT_ROUTE, "leads nowhere");
    g_array_set_size(m->defaults, 0);
    check_step(rung_route_default(&c), STEP_BROKEN, CODE_NO_DEFAULT_ROUTE, "there is none");
    add_target(&c, "10.0.3.99", 0, 3);
    check_step(rung_route_default(&c), STEP_OK, CODE_OK, "not needed");
    g_array_set_size(c.addresses, 0);
    add_target(&c, "192.0.2.1", 0, 3); /* another route leads there */
    check_step(rung_route_default(&c), STEP_OK, CODE_OK, "another route");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

/* The first one is used, though the second would work. */
static void test_route_default_several(void **state)
{
    struct machine *m = machine_new("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    add_link(m, 3, "enp0s8", IFF_UP, true);
    add_link(m, 4, "enp0s9", IFF_UP, false);
    add_default(m, 4, "10.9.9.1", 100);
    add_default(m, 3, "10.0.3.2", 200);
    struct rung_step *s = rung_route_default(&c);
    assert_non_null(strstr(s->remedy, "ip route del default dev enp0s9"));
    check_step(s, STEP_BROKEN, CODE_NO_DEFAULT_ROUTE, "10.9.9.1");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void to_target(int error, const char *part)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    add_target(&c, "192.0.2.1", error, error ? 0 : 3);
    check_step(rung_route_target(&c), error ? STEP_BROKEN : STEP_OK, error ? CODE_NO_ROUTE : CODE_OK, part);
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

static void test_route_target(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    to_target(0, "192.0.2.1 via 10.0.3.2 on enp0s8, from 10.0.3.15");
    to_target(ENETUNREACH, "no route leads there");
    to_target(EHOSTUNREACH, "unreachable");
    to_target(EACCES, "prohibit");
    to_target(EINVAL, "blackhole");
    check_step(rung_route_target(&c), STEP_SKIPPED, CODE_OK, "not known");
    add_target(&c, "192.0.2.1", 0, 3)->cached_mtu = 1400;
    check_step(rung_route_target(&c), STEP_OK, CODE_OK, "path MTU learnt: 1400");
    add_target(&c, "192.0.2.2", EINVAL, 0); /* one of two addresses */
    check_step(rung_route_target(&c), STEP_DEGRADED, CODE_NO_ROUTE, "192.0.2.2");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

/* --- counters --- */

static void test_counters(void **state)
{
    struct machine *m = usual_machine("/nowhere"), *now = usual_machine("/nowhere");
    struct climb c = climb_of(m);
    struct host_counters *k = &g_array_index(now->links, struct host_link, 1).counters;

    (void)state;
    g_array_index(m->links, struct host_link, 1).counters.rx_errors = 1000; /* of last year */
    k->rx_errors = 1000;
    k->rx_packets = 12;
    k->tx_packets = 9;
    check_step(rung_counters(&c, now), STEP_OK, CODE_OK, "12 packets in, 9 out meanwhile");
    k->rx_errors = 1003;
    check_step(rung_counters(&c, now), STEP_DEGRADED, CODE_INTERFACE_ERRORS, "errors 1003 in");
    k->rx_errors = 1000;
    g_array_index(now->links, struct host_link, 1).carrier_changes = 2;
    check_step(rung_counters(&c, now), STEP_DEGRADED, CODE_INTERFACE_ERRORS, "carrier changed 2 times");
    g_array_index(now->links, struct host_link, 1).carrier_changes = 0;
    k->rx_packets = 0;
    check_step(rung_counters(&c, now), STEP_OK, CODE_OK, "nothing was ever received");
    g_array_free(c.addresses, TRUE);
    machine_free(now);
    machine_free(m);
}

static void test_stays_here(void **state)
{
    struct machine *m = usual_machine("/nowhere");
    struct climb c = climb_of(m);

    (void)state;
    assert_false(climb_stays_here(&c));
    add_target(&c, "127.0.0.1", 0, 1)->local = true;
    assert_true(climb_stays_here(&c));
    add_target(&c, "192.0.2.1", 0, 3);
    assert_false(climb_stays_here(&c));
    g_array_free(c.addresses, TRUE);
    machine_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_link_study),    cmocka_unit_test(test_link),          cmocka_unit_test(test_link_of_way),
        cmocka_unit_test(test_duplex),        cmocka_unit_test(test_address),       cmocka_unit_test(test_address_flags),
        cmocka_unit_test(test_address_notes), cmocka_unit_test(test_route_default), cmocka_unit_test(test_route_default_several),
        cmocka_unit_test(test_route_target),  cmocka_unit_test(test_counters),      cmocka_unit_test(test_stays_here),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
