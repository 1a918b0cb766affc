/* What a user may write for a target. */
#include "probe/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_good(void **state)
{
    (void)state;
    static const struct {
        const char *written, *host;
        uint16_t port;
        bool given, tls;
        const char *url; /* NULL: none */
    } rows[] = {
        { "www.example.net", "www.example.net", 443, false, true, "https://www.example.net/" },
        { "www.example.net:80", "www.example.net", 80, true, false, "http://www.example.net/" },
        { "www.example.net:8080", "www.example.net", 8080, true, false, "http://www.example.net:8080/" },
        { "www.example.net:8443", "www.example.net", 8443, true, true, "https://www.example.net:8443/" },
        { "192.0.2.1:22", "192.0.2.1", 22, true, false, NULL },
        { "192.0.2.1:993", "192.0.2.1", 993, true, true, NULL },
        { "2001:db8::1", "2001:db8::1", 443, false, true, "https://[2001:db8::1]/" },
        { "[2001:db8::1]", "2001:db8::1", 443, false, true, "https://[2001:db8::1]/" },
        { "[2001:db8::1]:80", "2001:db8::1", 80, true, false, "http://[2001:db8::1]/" },
        { "[fe80::1%eth0]:80", "fe80::1%eth0", 80, true, false, "http://[fe80::1%eth0]/" },
        { "http://www.example.net", "www.example.net", 80, true, false, "http://www.example.net" },
        { "https://www.example.net/a:b@c?d=[1]", "www.example.net", 443, true, true,
          "https://www.example.net/a:b@c?d=[1]" },
        { "HTTPS://www.example.net:444/", "www.example.net", 444, true, true, "HTTPS://www.example.net:444/" },
        { "http://me:secret@[2001:db8::1]:81/x", "2001:db8::1", 81, true, false, "http://[2001:db8::1]:81/x" },
        { "h:65535", "h", 65535, true, false, NULL },
        { "m\xc3\xbcller.example:80", "xn--mller-kva.example", 80, true, false, "http://xn--mller-kva.example/" },
        { "http://m\xc3\xbcller.example/", "xn--mller-kva.example", 80, true, false, "http://xn--mller-kva.example/" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Target) t = target_parse(rows[i].written, &error);
        if (!t)
            fail_msg("%s: %s", rows[i].written, error->message);
        assert_string_equal(t->host, rows[i].host);
        assert_int_equal(t->port, rows[i].port);
        assert_int_equal(t->port_given, rows[i].given);
        assert_int_equal(t->tls, rows[i].tls);
        assert_string_equal(t->url ? t->url : "none", rows[i].url ? rows[i].url : "none");
    }
}

static void test_bad(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",         ":80",     "[]:80",   "[::1",      "[::1]80",     "[::1]:",        "h:",
        "h:0",      "h:65536", "h:-1",    "h:+1",      "h: 80",       "h:80x",         "h:99999999999999999999",
        "ftp://h/", "://h",    "http://", "http:///x", "http://h:0/", "https://[::1/",
        "h\xff",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Target) t = target_parse(rows[i], &error);
        if (t)
            fail_msg("%s was taken", rows[i]);
        assert_non_null(strstr(error->message, "give HOST"));
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        unsigned version; /* 0: refused */
    } rows[] = {
        { "127.0.0.1", 4 },       { "::1", 6 },       { "::ffff:192.0.2.1", 4 },
        { "223.255.255.255", 4 }, { "0.0.0.0", 0 },   { "0.1.2.3", 0 },
        { "224.0.0.1", 0 },       { "240.0.0.1", 0 }, { "255.255.255.255", 0 },
        { "ff02::1", 0 },         { "::", 0 },        { "::ffff:224.0.0.1", 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(Target) t = target_parse(rows[i].written, NULL);
        gboolean resolved = target_resolve(t, &error);
        if (resolved != (rows[i].version != 0))
            fail_msg("%s: %s", rows[i].written, error ? error->message : "was taken");
        assert_false(t->is_name);
        if (resolved) {
            assert_int_equal(t->addresses->len, 1);
            assert_int_equal(g_array_index(t->addresses, struct target_address, 0).version, rows[i].version);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                        cmocka_unit_test(test_addresses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
