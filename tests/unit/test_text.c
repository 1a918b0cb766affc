#include "base/text.h"

#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define FFFD "\xef\xbf\xbd"

/* One input and what each of the four makes of it. */
struct row {
    const char *in;
    size_t n;
    const char *terminal, *json, *html, *utf8;
};

#define IN(s) s, sizeof s - 1

static const struct row rows[] = {
    { IN(""), "", "", "", "" },
    { IN("www.upc.edu"), "www.upc.edu", "www.upc.edu", "www.upc.edu", "www.upc.edu" },
    /* é, €, and a character of four bytes */
    { IN("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f"), "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f",
      "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9f" },
    { IN("a\\b"), "a\\\\b", "a\\\\b", "a\\b", "a\\b" },
    { IN("<a href=\"x\">'&"), "<a href=\"x\">'&", "<a href=\\\"x\\\">'&", "&lt;a href=&quot;x&quot;&gt;&#39;&amp;", "<a href=\"x\">'&" },
    /* NUL, and the controls that have short forms */
    { IN("\0\b\f\n\r\t"), "\\x00\\x08\\x0c\\x0a\\x0d\\x09", "\\u0000\\b\\f\\n\\r\\t", FFFD FFFD FFFD FFFD FFFD FFFD,
      FFFD "\b\f\n\r\t" },
    /* An escape sequence that would clear the screen; DEL */
    { IN("\x1b[2J\x7f"), "\\x1b[2J\\x7f", "\\u001b[2J\\u007f", FFFD "[2J" FFFD, "\x1b[2J\x7f" },
    /* CSI as one C1 character, U+009B, and as a bare byte */
    { IN("\xc2\x9b" "2J"), "\\xc2\\x9b2J", "\\u009b2J", FFFD "2J", "\xc2\x9b" "2J" },
    { IN("\x9b" "2J"), "\\x9b2J", FFFD "2J", FFFD "2J", FFFD "2J" },
    /* U+202E turns the direction of what follows; U+2066 likewise; U+200B shows nothing; U+2028 breaks the line */
    { IN("\xe2\x80\xae"), "\\xe2\\x80\\xae", "\\u202e", FFFD, "\xe2\x80\xae" },
    { IN("\xe2\x81\xa6"), "\\xe2\\x81\\xa6", "\\u2066", FFFD, "\xe2\x81\xa6" },
    { IN("\xe2\x80\x8b"), "\\xe2\\x80\\x8b", "\\u200b", FFFD, "\xe2\x80\x8b" },
    { IN("\xe2\x80\xa8"), "\\xe2\\x80\\xa8", "\\u2028", FFFD, "\xe2\x80\xa8" },
    /* U+E0001, a format character above U+FFFF: a surrogate pair in JSON */
    { IN("\xf3\xa0\x80\x81"), "\\xf3\\xa0\\x80\\x81", "\\udb40\\udc01", FFFD, "\xf3\xa0\x80\x81" },
    /* Overlong '/', a surrogate (U+D800), a character above U+10FFFF, a lone continuation byte */
    { IN("\xc0\xaf"), "\\xc0\\xaf", FFFD FFFD, FFFD FFFD, FFFD FFFD },
    { IN("\xed\xa0\x80"), "\\xed\\xa0\\x80", FFFD FFFD FFFD, FFFD FFFD FFFD, FFFD FFFD FFFD },
    { IN("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD, FFFD FFFD FFFD FFFD },
    { IN("\xbf"), "\\xbf", FFFD, FFFD, FFFD },
    /* The character is cut by the end; by another one */
    { IN("a\xe2\x82"), "a\\xe2\\x82", "a" FFFD FFFD, "a" FFFD FFFD, "a" FFFD FFFD },
    { IN("\xe2\x82" "a"), "\\xe2\\x82" "a", FFFD FFFD "a", FFFD FFFD "a", FFFD FFFD "a" },
};

static void check(void (*append)(GString *, struct slice), const struct row *row, const char *expected)
{
    GString *out = g_string_new("before ");
    uint8_t *copy = guard_copy(row->in, row->n);
    append(out, slice_of(copy, row->n));
    assert_memory_equal(out->str, "before ", 7);
    assert_string_equal(out->str + 7, expected);
    guard_free(copy);
    g_string_free(out, TRUE);
}

static void all_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        check(text_append_terminal, &rows[i], rows[i].terminal);
        check(text_append_json, &rows[i], rows[i].json);
        check(text_append_html, &rows[i], rows[i].html);
        char *utf8 = text_dup_utf8(slice_of(rows[i].in, rows[i].n), 1000);
        assert_string_equal(utf8, rows[i].utf8);
        g_free(utf8);
    }
}

static void empty_without_bytes(void **state)
{
    (void)state;
    struct slice none = { NULL, 0 };
    GString *out = g_string_new(NULL);
    text_append_terminal(out, none);
    text_append_json(out, none);
    text_append_html(out, none);
    assert_int_equal(out->len, 0);
    g_string_free(out, TRUE);
    char *utf8 = text_dup_utf8(none, 10);
    assert_string_equal(utf8, "");
    g_free(utf8);
}

/* The limit leaves a split character out, and only that. */
static void dup_limit(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t max;
        const char *out;
    } cuts[] = {
        { "abcdef", 3, "abc" },
        { "abcdef", 0, "" },
        { "ab\xe2\x82\xac" "c", 6, "ab\xe2\x82\xac" "c" },
        { "ab\xe2\x82\xac" "c", 5, "ab\xe2\x82\xac" },
        { "ab\xe2\x82\xac" "c", 4, "ab" },
        { "ab\xe2\x82\xac" "c", 3, "ab" },
        { "\xe2\x82\xac", 2, "" },
        { "a\xbf\xbf\xbf\xbf\xbf\xbf", 5, "a" FFFD FFFD FFFD FFFD },
        { "ab\xe2(c", 3, "ab" FFFD },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
        char *out = text_dup_utf8(slice_of(cuts[i].in, strlen(cuts[i].in)), cuts[i].max);
        assert_string_equal(out, cuts[i].out);
        g_free(out);
    }
}

/* Whatever comes in: terminal text is printable, JSON holds no raw control, HTML no markup, and all is valid UTF-8. */
static void every_pair_of_bytes(void **state)
{
    (void)state;
    GString *out = g_string_new(NULL);
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        uint8_t bytes[2] = { (uint8_t)(pair >> 8), (uint8_t)pair };
        g_string_truncate(out, 0);
        text_append_terminal(out, slice_of(bytes, 2));
        text_append_json(out, slice_of(bytes, 2));
        text_append_html(out, slice_of(bytes, 2));
        assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
        for (size_t i = 0; i < out->len; i++)
            assert_true((uint8_t)out->str[i] >= 0x20 && out->str[i] != 0x7f);
    }
    g_string_free(out, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows),
        cmocka_unit_test(empty_without_bytes),
        cmocka_unit_test(dup_limit),
        cmocka_unit_test(every_pair_of_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
