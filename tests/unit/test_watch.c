/* The parts of a live capture that need no interface: options, the status line, clocks, hosts of a filter, routes, whom
 * to become. */
#include "src/clock_watch.h"
#include "src/filter_hosts.h"
#include "src/hint.h"
#include "src/options.h"
#include "src/privileges.h"
#include "src/route.h"
#include "src/status_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static int never(const struct options *o, GError **error)
{
    (void)o;
    (void)error;
    return 2;
}

static const struct command commands[COMMANDS] = {
    [COMMAND_READ] = { NULL, "-r", never, "" },        [COMMAND_WATCH] = { NULL, "-i", never, "" },
    [COMMAND_LIST] = { NULL, "-D", never, "" },        [COMMAND_PROBE] = { "probe", "probe", never, "" },
    [COMMAND_CHECK] = { "check", "check", never, "" },
};

static struct options *parse(const char *line, GError **error)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);

    return options_parse((int)g_strv_length(words), words, commands, error);
}

static void test_commands(void **state)
{
    static const struct {
        const char *line;
        enum command_id command;
        const char *filter;
    } rows[] = {
        { "x -r f", COMMAND_READ, NULL },
        { "x -i lo host 1.2.3.4", COMMAND_WATCH, "host 1.2.3.4" },
        { "x host 1.2.3.4 -i lo -i eth0", COMMAND_WATCH, "host 1.2.3.4" },
        { "x -D", COMMAND_LIST, NULL },
        { "x probe host:80", COMMAND_PROBE, "host:80" },
        { "x --json probe host:80", COMMAND_PROBE, "host:80" },
        { "x check --server 80", COMMAND_CHECK, "80" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        struct options *o = parse(rows[i].line, &error);
        if (!o)
            fail_msg("%s: %s", rows[i].line, error->message);
        assert_int_equal(o->command, rows[i].command);
        assert_int_equal(g_strcmp0(o->filter, rows[i].filter), 0);
        options_free(o);
    }
}

static void test_usage(void **state)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        { "x -r f -i lo", "choose one" },         { "x --server -r f", "--server: not with -r" },
        { "x -i lo --duration 0", "1 or more" },  { "x -i lo -s -1", "0 (all) or more" },
        { "x -i lo -B 3000000", "2 GB" },         { "x -w f probe h", "--write: not with probe" },
        { "x -D --json", "--json: not with -D" }, { "x", "nothing to read" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        struct options *o = parse(rows[i].line, &error);
        assert_null(o);
        if (!strstr(error->message, rows[i].message))
            fail_msg("%s: \"%s\" does not say \"%s\"", rows[i].line, error->message, rows[i].message);
    }
}

static void test_live_options(void **state)
{
    struct options *o = parse("x -i any -s 96 -B 4096 -p -c 7 --duration 60 --immediate-mode --passive", NULL);

    (void)state;
    assert_non_null(o);
    assert_string_equal(o->interfaces[0], "any");
    assert_int_equal(o->snaplen, 96);
    assert_int_equal(o->buffer_kib, 4096);
    assert_int_equal(o->count, 7);
    assert_int_equal(o->duration, 60);
    assert_true(o->no_promiscuous && o->immediate && o->passive);
    options_free(o);
}

static void test_status_line(void **state)
{
    const struct live_stats stats = {
        .packets = 1204, .tcp_packets = 1000, .flows_open = 1, .flows_judged = 12, .dropped = 3
    };
    g_autofree char *text = status_line_text(&stats, 35);

    (void)state;
    assert_string_equal(text, "1204 packets, 1 flow open, 12 judged, 3 dropped, 35 s");
}

static void test_clock_watch(void **state)
{
    const int64_t s = INT64_C(1000000000), hour = 3600 * s;
    struct clock_watch w = { 0 };

    (void)state;
    assert_int_equal(clock_watch_step(&w, 1000 * s, 50 * s), 0); /* the first look */
    assert_int_equal(clock_watch_step(&w, 1001 * s, 51 * s), 0);
    assert_int_equal(clock_watch_step(&w, 1002 * s + s / 2, 52 * s), 0); /* the clock is being corrected a little */
    assert_int_equal(clock_watch_step(&w, 1003 * s + s / 2 + hour, 53 * s), hour); /* slept */
    assert_int_equal(clock_watch_step(&w, 1004 * s + s / 2 + hour, 54 * s), 0);
    assert_int_equal(clock_watch_step(&w, 1005 * s + s / 2, 55 * s), -hour); /* set back */
}

static void test_filter_hosts(void **state)
{
    static const struct {
        const char *filter, *hosts;
    } rows[] = {
        { NULL, "" },
        { "port 80", "" },
        { "host 147.83.2.135", "147.83.2.135" },
        { "src host 10.0.0.1 and dst host 2001:db8::1 and tcp", "10.0.0.1 2001:db8::1" },
        { "(host 10.0.0.1 or host 10.0.0.1)", "10.0.0.1" },
        { "host www.upc.edu", "" },
        { "net 10.0.0.0/8", "" },
        { "not host 10.0.0.1", "" },
        { "host 10.0.0.1 and ! host 10.0.0.2", "" },
        { "host", "" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) hosts = filter_hosts(rows[i].filter);
        g_ptr_array_add(hosts, NULL);
        g_autofree char *joined = g_strjoinv(" ", (char **)hosts->pdata);
        assert_string_equal(joined, rows[i].hosts);
    }
}

static void test_route(void **state)
{
    g_autofree char *four = route_interface("127.0.0.1"), *none = route_interface("not an address");

    (void)state;
    assert_string_equal(four, "lo");
    assert_null(none);
}

static void test_hint(void **state)
{
    static const char *const other[] = { "eth9", NULL }, *const same[] = { "lo", NULL }, *const all[] = { "any", NULL };
    g_autofree char *leads = hint_text(other, "host 127.0.0.1"), *here = hint_text(same, "host 127.0.0.1");
    g_autofree char *any = hint_text(all, "host 127.0.0.1 and port 80"), *none = hint_text(other, NULL);

    (void)state;
    assert_string_equal(leads, "the route to 127.0.0.1 leads over lo; try -i lo");
    assert_non_null(strstr(here, "no packet passes the filter \"host 127.0.0.1\""));
    assert_non_null(strstr(any, "no packet passes"));
    assert_non_null(strstr(none, "-D lists"));
}

/* Whom root becomes; anybody else stays who they are. */
static void test_person(void **state)
{
    g_autoptr(GError) error = NULL;
    struct person p;

    (void)state;
    setenv("SUDO_UID", "1234", 1);
    setenv("SUDO_GID", "99", 1);
    assert_true(privileges_person(&p, &error));
    assert_int_equal(p.uid, geteuid() == 0 ? 1234 : getuid());
    assert_int_equal(p.gid, geteuid() == 0 ? 99 : getgid());
    assert_int_equal(p.called_sudo, geteuid() == 0);
    setenv("SUDO_UID", "0", 1); /* sudo called by root, or made up */
    assert_true(privileges_person(&p, &error));
    assert_int_not_equal(p.uid, 0);
    assert_false(p.called_sudo);
    setenv("SUDO_UID", "-1", 1);
    assert_true(privileges_person(&p, &error));
    assert_int_not_equal(p.uid, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),    cmocka_unit_test(test_usage),       cmocka_unit_test(test_live_options),
        cmocka_unit_test(test_status_line), cmocka_unit_test(test_clock_watch), cmocka_unit_test(test_filter_hosts),
        cmocka_unit_test(test_route),       cmocka_unit_test(test_hint),        cmocka_unit_test(test_person),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
