#include "diagnose/sentence.h"
#include "diagnose/url.h"

#include "base/timens.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* --- resolving --- */

/* RFC 3986 section 5.4, but for what an http URL has not: fragments, and the scheme "g". */
static const struct {
    const char *reference, *url;
} rfc_rows[] = {
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g/"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"},
    {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"},
    {"g;x?y#s", "http://a/b/c/g;x?y"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
};

static void test_resolves_as_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rfc_rows); i++) {
        struct url u;
        url_resolve(&u, "http://a/b/c/d;p?q", rfc_rows[i].reference);
        assert_string_equal(u.text, rfc_rows[i].url);
        assert_true(u.hash == url_hash(u.text, strlen(u.text)));
        url_clear(&u);
    }
}

static const struct {
    const char *reference, *url, *host;
    uint16_t port;
    bool secure;
} other_rows[] = {
    {"https://www.upc.edu/", "https://www.upc.edu/", "www.upc.edu", 443, true},
    {"HTTPS://WWW.upc.edu.:443", "https://www.upc.edu/", "www.upc.edu", 443, true},
    {"http://www.upc.edu:8080/x", "http://www.upc.edu:8080/x", "www.upc.edu", 8080, false},
    {"https://user:secret@h/", "https://h/", "h", 443, true},
    {"//[2001:DB8::1]:80/a b\xc3\xa9", "http://[2001:db8::1]/a%20b%C3%A9", "2001:db8::1", 80, false},
    {"http://h?x=http://y/", "http://h/?x=http://y/", "h", 80, false},
    {"mailto:root@h", "mailto:root@h", NULL, 0, false},
    {"javascript:alert(1)", "javascript:alert(1)", NULL, 0, false},
    {"https:///x", "https:///x", NULL, 0, false},
    {"http://h:99999/", "http://h:99999/", NULL, 0, false},
};

static void test_other_references(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(other_rows); i++) {
        struct url u;
        url_resolve(&u, "http://a/", other_rows[i].reference);
        assert_string_equal(u.text, other_rows[i].url);
        if (other_rows[i].host)
            assert_string_equal(u.host, other_rows[i].host);
        else
            assert_null(u.host);
        assert_int_equal(u.port, other_rows[i].port);
        assert_int_equal(u.secure, other_rows[i].secure);
        assert_int_equal(u.hash != 0, u.host != NULL);
        url_clear(&u);
    }
}

static void test_base_that_is_no_url(void **state)
{
    struct url u;

    (void)state;
    url_resolve(&u, "http://[/", "/x");
    assert_null(u.host);
    assert_string_equal(u.text, "/x");
    url_clear(&u);
    url_resolve(&u, "http://[/", "https://h/x");
    assert_string_equal(u.text, "https://h/x");
    url_clear(&u);
}

/* Long ones are told apart by what is not kept. */
static void test_long_urls(void **state)
{
    g_autofree char *filler = g_strnfill(3 * URL_KEPT, 'a');
    g_autofree char *one = g_strconcat("/?", filler, "1", NULL), *two = g_strconcat("/?", filler, "2", NULL);
    struct url u, v;

    (void)state;
    url_resolve(&u, "http://h/", one);
    url_resolve(&v, "http://h/", two);
    assert_int_equal(strlen(u.text), URL_KEPT);
    assert_string_equal(u.text, v.text);
    assert_true(u.hash != v.hash);
    url_clear(&u);
    url_clear(&v);
}

/* What a hostile server writes into Location: never a crash, the text always valid UTF-8 and bounded. */
static void test_hostile_references(void **state)
{
    static const char *const pieces[] = {"/",   "//", "..", "../",  "http:",  "https://", "[",
                                         "]",   "@",  ":",  ":0",   ":65536", "%",        "%zz",
                                         "%00", "?",  "#",  "\\",   " ",      "\xc3\xa9", "\xef\xbf\xbd",
                                         "a.b", ".",  ";",  "xn--", "xn--a-", "::1",      "\x7f",
                                         "\t"};
    uint32_t random = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char base[256] = "http://h/", reference[512] = "";
        for (int i = 0; i < 12; i++) {
            random = random * 1664525 + 1013904223;
            const char *piece = pieces[(random >> 16) % G_N_ELEMENTS(pieces)];
            g_strlcat(i % 3 == 2 && random & 0x40 ? base : reference, piece, 250);
        }
        struct url u;
        url_resolve(&u, base, reference);
        assert_true(g_utf8_validate(u.text, -1, NULL));
        assert_true(strlen(u.text) <= URL_KEPT);
        url_clear(&u);
    }
}

static void test_many_dots_take_no_time(void **state)
{
    GString *dots = g_string_new("/");
    struct url u;

    (void)state;
    while (dots->len < 3 * LIMIT_HTTP_VALUE)
        g_string_append(dots, "a/../");
    gint64 begin = g_get_monotonic_time();
    url_resolve(&u, "http://h/", dots->str);
    assert_true(g_get_monotonic_time() - begin < G_USEC_PER_SEC);
    assert_string_equal(u.text, "http://h/");
    url_clear(&u);
    g_string_free(dots, TRUE);
}

/* --- requests --- */

static void test_urls_of_requests(void **state)
{
    static const struct {
        const char *authority, *target, *url;
    } rows[] = {
        {"www.upc.edu", "/", "http://www.upc.edu/"},
        {"WWW.UPC.edu.:80", "/a?b#c", "http://www.upc.edu/a?b"},
        {"[2001:DB8::1]:8080", "/", "http://[2001:db8::1]:8080/"},
        {"proxy", "HTTPS://www.upc.edu:443", "https://proxy/"},
        {"www.upc.edu", "http://www.upc.edu?x", "http://www.upc.edu/?x"},
        {"h", "*", ""},
        {"h", "h:443", ""},
        {"h", "gopher://x/", ""},
        {"", "/x", "http:///x"},
    };
    char out[URL_ROOM];

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        size_t n = url_of_request(out, false, rows[i].authority, rows[i].target);
        assert_int_equal(n, strlen(rows[i].url));
        assert_memory_equal(out, rows[i].url, n);
    }
}

/* The largest that a dissector keeps: 8192 bytes, each grown to a character of three. */
static void test_largest_request(void **state)
{
    GString *text = g_string_new("/");
    char *out = g_malloc(URL_ROOM);

    (void)state;
    while (text->len < 3 * LIMIT_HTTP_VALUE)
        g_string_append(text, "\xef\xbf\xbd");
    assert_true(url_of_request(out, true, text->str, text->str) < URL_ROOM);
    g_string_free(text, TRUE);
    g_free(out);
}

static void test_hosts(void **state)
{
    static const struct {
        const char *authority, *host;
        uint16_t port;
    } rows[] = {
        {"www.UPC.edu", "www.upc.edu", 0},
        {"h:8080", "h", 8080},
        {"[::1]:443", "::1", 443},
        {"[::1]", "::1", 0},
        {"h:", "h", 0},
        {"u:p@h.:80", "h", 80},
        {"", NULL, 0},
        {":80", NULL, 80},
        {"h:655360", "h", 0},
        {"h:8o", "h", 0},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint16_t port = 1;
        g_autofree char *host = url_host(rows[i].authority, &port);
        if (rows[i].host)
            assert_string_equal(host, rows[i].host);
        else
            assert_null(host);
        assert_int_equal(port, rows[i].port);
    }
}

/* --- sentences --- */

static void test_durations(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {-1, "0.00 ms"},           {0, "0.00 ms"},
        {46000, "0.05 ms"},        {94999, "0.09 ms"},
        {95000, "0.1 ms"},         {1733000, "1.7 ms"},
        {9949999, "9.9 ms"},       {9950000, "10 ms"},
        {16000000, "16 ms"},       {999400000, "999 ms"},
        {NS_PER_S, "1.0 s"},       {9949 * NS_PER_MS, "9.9 s"},
        {10 * NS_PER_S, "10 s"},   {179 * NS_PER_S, "179 s"},
        {300 * NS_PER_S, "5 min"}, {INT64_MAX, "153722867 min"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct sentence s = {0};
        say_duration(&s, rows[i].ns);
        g_autofree char *text = sentence_dup(&s);
        assert_string_equal(text, rows[i].text);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        uint64_t v;
        const char *text;
    } rows[] = {
        {0, "0 bytes"},
        {1, "1 byte"},
        {999, "999 bytes"},
        {1000, "1.0 KB"},
        {12300, "12.3 KB"},
        {5000000, "5.0 MB"},
        {UINT64_MAX, "18446744.1 TB"},
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct sentence s = {0};
        say_bytes(&s, rows[i].v);
        g_autofree char *text = sentence_dup(&s);
        assert_string_equal(text, rows[i].text);
    }
}

/* Cut between characters, and never longer than the room. */
static void test_texts_are_bounded(void **state)
{
    struct sentence s = {0};

    (void)state;
    say_outside(&s,
                "12345\xe2\x82\xac"
                "9",
                10);
    assert_int_equal(s.n, 9);
    s.n = 0;
    say_outside(&s,
                "12345\xe2\x82\xac"
                "90",
                9);
    g_autofree char *cut = sentence_dup(&s);
    assert_string_equal(cut, "12345...");
    for (int i = 0; i < 100; i++) {
        say_outside(&s, "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 7);
        say_number(&s, UINT64_MAX);
    }
    assert_true(s.n <= SENTENCE_SIZE);
    g_autofree char *all = sentence_dup(&s);
    assert_true(g_utf8_validate(all, -1, NULL));
    say_outside(&s, NULL, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolves_as_the_rfc_says),
        cmocka_unit_test(test_other_references),
        cmocka_unit_test(test_base_that_is_no_url),
        cmocka_unit_test(test_long_urls),
        cmocka_unit_test(test_hostile_references),
        cmocka_unit_test(test_many_dots_take_no_time),
        cmocka_unit_test(test_urls_of_requests),
        cmocka_unit_test(test_largest_request),
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_texts_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
