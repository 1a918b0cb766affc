#include "base/timens.h"
#include "report/json.h"
#include "report/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

/* What was written, in memory. */
struct sheet {
    char *text;
    size_t size;
    FILE *out;
    struct json json;
};

static void sheet_start(struct sheet *s, bool nanoseconds)
{
    s->text = NULL;
    s->out = open_memstream(&s->text, &s->size);
    assert_non_null(s->out);
    json_start(&s->json, s->out, nanoseconds);
}

static bool sheet_finish(struct sheet *s)
{
    json_end_line(&s->json);
    bool good = json_finish(&s->json);

    assert_int_equal(fclose(s->out), 0);
    return good;
}

/* One value, written by `write`, is `expected` and a new line. */
#define ASSERT_WRITES(expected, nanoseconds, write) \
    do { \
        static struct sheet s; \
        sheet_start(&s, nanoseconds); \
        write; \
        assert_true(sheet_finish(&s)); \
        assert_string_equal(s.text, expected "\n"); \
        free(s.text); \
    } while (0)

static void numbers(void **state)
{
    (void)state;
    ASSERT_WRITES("18446744073709551615", false, json_write_uint(&s.json, UINT64_MAX));
    ASSERT_WRITES("0", false, json_write_uint(&s.json, 0));
    ASSERT_WRITES("-9223372036854775808", false, json_write_int(&s.json, INT64_MIN));
    ASSERT_WRITES("9223372036854775807", false, json_write_int(&s.json, INT64_MAX));
    ASSERT_WRITES("null", false, json_write_number_or_null(&s.json, 0));
    ASSERT_WRITES("7", false, json_write_number_or_null(&s.json, 7));
}

/* Every number of digits, against printf. */
static void numbers_of_every_length(void **state)
{
    (void)state;
    char text[NUMBER_ROOM], expected[NUMBER_ROOM];

    for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
        const uint64_t around[] = { power - 1, power, power + 1, power * 10 - 1 };
        for (size_t i = 0; i < G_N_ELEMENTS(around); i++) {
            *number_uint(text, around[i]) = '\0';
            snprintf(expected, sizeof expected, "%" G_GUINT64_FORMAT, around[i]);
            assert_string_equal(text, expected);
        }
    }
}

static void durations(void **state)
{
    (void)state;
    ASSERT_WRITES("0.0", false, json_write_seconds(&s.json, 0));
    ASSERT_WRITES("0.045118", false, json_write_seconds(&s.json, 45118000));
    ASSERT_WRITES("0.045118", true, json_write_seconds(&s.json, 45118000));
    ASSERT_WRITES("0.045118001", true, json_write_seconds(&s.json, 45118001));
    ASSERT_WRITES("0.045118", false, json_write_seconds(&s.json, 45118999)); /* beyond the precision: cut */
    ASSERT_WRITES("3.0", false, json_write_seconds(&s.json, 3 * NS_PER_S));
    ASSERT_WRITES("3.1", false, json_write_seconds(&s.json, 3 * NS_PER_S + 100 * NS_PER_MS));
    ASSERT_WRITES("-1.5", false, json_write_seconds(&s.json, -1500 * NS_PER_MS)); /* a file whose times run backwards */
    ASSERT_WRITES("0.0", false, json_write_seconds(&s.json, -1));                 /* no "-0.0" */
    ASSERT_WRITES("-0.000000001", true, json_write_seconds(&s.json, -1));
    ASSERT_WRITES("9223372036.854775807", true, json_write_seconds(&s.json, INT64_MAX));
    ASSERT_WRITES("null", false, json_write_seconds(&s.json, TIME_NONE));
}

/* The day that is remembered, around its ends. */
static void seconds_of_a_day(void **state)
{
    (void)state;
    ASSERT_WRITES("[\"2023-03-15T00:00:00Z\",\"2023-03-15T23:59:59Z\",\"2023-03-14T23:59:59Z\",\"2023-03-14T00:00:00Z\","
                  "\"2023-03-15T00:00:00Z\",\"1969-12-31T23:59:59Z\",\"1969-12-31T00:00:00Z\",\"1970-01-01T00:00:00Z\"]",
                  false, {
                      json_open_array(&s.json);
                      json_write_date(&s.json, INT64_C(1678838400));
                      json_write_date(&s.json, INT64_C(1678838400) + 86399);
                      json_write_date(&s.json, INT64_C(1678838400) - 1);
                      json_write_date(&s.json, INT64_C(1678838400) - 86400);
                      json_write_date(&s.json, INT64_C(1678838400));
                      json_write_date(&s.json, -1);
                      json_write_date(&s.json, -86400);
                      json_write_date(&s.json, 0);
                      json_close(&s.json);
                  });
}

static void times(void **state)
{
    (void)state;
    ASSERT_WRITES("\"2023-03-15T14:46:57.366725Z\"", false, json_write_time(&s.json, INT64_C(1678891617366725000)));
    ASSERT_WRITES("\"2023-03-15T14:46:57.366725001Z\"", true, json_write_time(&s.json, INT64_C(1678891617366725001)));
    ASSERT_WRITES("\"1970-01-01T00:00:00.000000Z\"", false, json_write_time(&s.json, 0));
    ASSERT_WRITES("\"1969-12-31T23:59:59.999999999Z\"", true, json_write_time(&s.json, -1));
    ASSERT_WRITES("\"1969-12-31T23:59:59.000000Z\"", false, json_write_time(&s.json, -NS_PER_S));
    ASSERT_WRITES("\"2024-02-29T12:00:00.000000Z\"", false,
                  json_write_time(&s.json, INT64_C(1709208000) * NS_PER_S)); /* leap day */
    ASSERT_WRITES("\"2262-04-11T23:47:16.854775807Z\"", true, json_write_time(&s.json, INT64_MAX));
    ASSERT_WRITES("\"1677-09-21T00:12:43.145224193Z\"", true, json_write_time(&s.json, INT64_MIN + 1));
    ASSERT_WRITES("null", false, json_write_time(&s.json, TIME_NONE));
}

/* Certificates say any second at all. */
static void dates(void **state)
{
    (void)state;
    ASSERT_WRITES("\"9999-12-31T23:59:59Z\"", false, json_write_date(&s.json, INT64_C(253402300799)));
    ASSERT_WRITES("null", false, json_write_date(&s.json, INT64_C(253402300800)));
    ASSERT_WRITES("\"0000-01-01T00:00:00Z\"", false, json_write_date(&s.json, INT64_C(-62167219200)));
    ASSERT_WRITES("null", false, json_write_date(&s.json, INT64_C(-62167219201)));
    ASSERT_WRITES("null", false, json_write_date(&s.json, INT64_MAX));
    ASSERT_WRITES("null", false, json_write_date(&s.json, INT64_MIN));
    ASSERT_WRITES("\"1969-12-31T23:59:59Z\"", false, json_write_date(&s.json, -1));
}

/* The second that is remembered must not serve another one, nor survive one that cannot be written. */
static void remembered_second(void **state)
{
    (void)state;
    ASSERT_WRITES("[\"1970-01-01T00:00:01Z\",\"1970-01-01T00:00:01.500000Z\",\"1970-01-01T00:00:02.000000Z\",null,null,"
                  "\"1970-01-01T00:00:01.000000Z\"]",
                  false, {
                      json_open_array(&s.json);
                      json_write_date(&s.json, 1);
                      json_write_time(&s.json, 1500 * NS_PER_MS);
                      json_write_time(&s.json, 2 * NS_PER_S);
                      json_write_date(&s.json, INT64_MAX);
                      json_write_date(&s.json, INT64_MAX);
                      json_write_time(&s.json, NS_PER_S);
                      json_close(&s.json);
                  });
}

static void addresses(void **state)
{
    (void)state;
    static const uint8_t four[] = { 10, 0, 203, 255 };
    static const uint8_t sixteen[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
    struct addr v4 = addr_v4(four), v6 = addr_v6(sixteen);

    ASSERT_WRITES("\"10.0.203.255\"", false, json_write_addr(&s.json, &v4, 4));
    ASSERT_WRITES("\"2001:db8::1\"", false, json_write_addr(&s.json, &v6, 6));
    ASSERT_WRITES("\"::ffff:10.0.203.255\"", false, json_write_addr(&s.json, &v4, 6));
}

static void strings(void **state)
{
    (void)state;
    ASSERT_WRITES("\"\"", false, json_write_string(&s.json, ""));
    ASSERT_WRITES("null", false, json_write_string(&s.json, NULL));
    ASSERT_WRITES("\"plain ~ text\"", false, json_write_string(&s.json, "plain ~ text"));
    ASSERT_WRITES("\"a\\\"b\\\\c\\nd\\u001be\"", false, json_write_string(&s.json, "a\"b\\c\nd\033e"));
    ASSERT_WRITES("\"\xe4\xb8\xad\"", false, json_write_string(&s.json, "\xe4\xb8\xad"));
    ASSERT_WRITES("\"x\xef\xbf\xbdy\"", false, json_write_string(&s.json, "x\xffy")); /* no UTF-8: U+FFFD */
    ASSERT_WRITES("[]", false, json_write_strings(&s.json, NULL));
    char a[] = "a", b[] = "\"";
    char *list[] = { a, b, NULL };
    ASSERT_WRITES("[\"a\",\"\\\"\"]", false, json_write_strings(&s.json, list));
}

/* Longer than the buffer, plain and not, and every length around its end. */
static void long_strings(void **state)
{
    (void)state;
    static struct sheet s;
    static char text[3 * JSON_BUFFER];

    for (size_t n = JSON_BUFFER - 20; n < JSON_BUFFER + 20; n++) {
        memset(text, 'a', n);
        text[n] = '\0';
        text[n / 2] = n % 2 ? '\t' : 'a';
        sheet_start(&s, false);
        json_open_array(&s.json);
        json_write_string(&s.json, text);
        json_write_uint(&s.json, n);
        json_close(&s.json);
        assert_true(sheet_finish(&s));
        json_t *parsed = json_loads(s.text, 0, NULL);
        assert_non_null(parsed);
        assert_string_equal(json_string_value(json_array_get(parsed, 0)), text);
        assert_int_equal(json_integer_value(json_array_get(parsed, 1)), n);
        json_decref(parsed);
        free(s.text);
    }
}

static void nesting(void **state)
{
    (void)state;
    ASSERT_WRITES("{}", false, {
        json_open_object(&s.json);
        json_close(&s.json);
    });
    ASSERT_WRITES("[[],[]]", false, {
        json_open_array(&s.json);
        json_open_array(&s.json);
        json_close(&s.json);
        json_open_array(&s.json);
        json_close(&s.json);
        json_close(&s.json);
    });
    ASSERT_WRITES("{\"a\":1,\"b\":[true,null,false],\"c\":{\"d\":\",\"}}", false, {
        json_open_object(&s.json);
        json_member(&s.json, "a", uint, 1);
        json_key(&s.json, "b");
        json_open_array(&s.json);
        json_write_bool(&s.json, true);
        json_write_null(&s.json);
        json_write_bool(&s.json, false);
        json_close(&s.json);
        json_key_of(&s.json, "c");
        json_open_object(&s.json);
        json_member(&s.json, "d", string, ",");
        json_close(&s.json);
        json_close(&s.json);
    });
    ASSERT_WRITES("[\n1,\n2]", false, {
        json_open_array(&s.json);
        json_break(&s.json);
        json_write_uint(&s.json, 1);
        json_break(&s.json);
        json_write_uint(&s.json, 2);
        json_close(&s.json);
    });
}

/* The comma that an end takes back may be the last byte before the buffer was written. */
static void ends_at_every_place_of_the_buffer(void **state)
{
    (void)state;
    static struct sheet s;
    static char text[JSON_BUFFER + 64];

    for (size_t n = JSON_BUFFER - 40; n < JSON_BUFFER + 8; n++) {
        memset(text, 'x', n);
        text[n] = '\0';
        sheet_start(&s, false);
        json_open_array(&s.json);
        json_open_array(&s.json);
        json_write_string(&s.json, text);
        json_close(&s.json);
        json_open_array(&s.json);
        json_close(&s.json);
        json_close(&s.json);
        assert_true(sheet_finish(&s));
        json_t *parsed = json_loads(s.text, 0, NULL);
        assert_non_null(parsed);
        assert_int_equal(json_array_size(parsed), 2);
        json_decref(parsed);
        free(s.text);
    }
}

/* Lines follow each other on one writer, each as a whole; places are counted over all of them. */
static void lines_and_places(void **state)
{
    (void)state;
    static struct sheet s;

    sheet_start(&s, false);
    for (unsigned i = 0; i < 3; i++) {
        json_open_object(&s.json);
        json_member(&s.json, "a", uint, i);
        json_set_precision(&s.json, i == 2);
        json_member(&s.json, "b", seconds, 1500000001);
        json_close(&s.json);
        uint64_t place = json_position(&s.json);
        json_end_line(&s.json); /* a new line for the comma */
        assert_int_equal(json_position(&s.json), place);
        assert_int_equal(fflush(s.out), 0);
        assert_int_equal(s.size, place);
    }
    assert_true(json_finish(&s.json));
    assert_int_equal(fclose(s.out), 0);
    assert_string_equal(s.text, "{\"a\":0,\"b\":1.5}\n{\"a\":1,\"b\":1.5}\n{\"a\":2,\"b\":1.500000001}\n");
    free(s.text);
}

/* What needs escaping at every place of a text of every length: texts are looked at eight bytes at a time. */
static void escapes_at_every_place(void **state)
{
    (void)state;
    static const char special[] = { '"', '\\', '\n', 0x1f, 0x7f, (char)0x80, (char)0xff };
    static struct sheet s;
    char text[40];

    for (size_t n = 1; n < sizeof text; n++) {
        for (size_t at = 0; at <= n; at++) {
            char c = special[(n + at) % sizeof special];
            memset(text, n % 2 ? '~' : ' ', n);
            text[n] = '\0';
            if (at < n)
                text[at] = c;
            sheet_start(&s, false);
            json_open_array(&s.json);
            json_write_string(&s.json, text);
            json_close(&s.json);
            assert_true(sheet_finish(&s));
            assert_int_equal(strlen(s.text) == n + 5, at == n); /* plain: as it is, between [" and "] and a new line */
            json_t *parsed = json_loads(s.text, 0, NULL);
            assert_non_null(parsed);
            if (at == n || (unsigned char)c < 0x80)
                assert_string_equal(json_string_value(json_array_get(parsed, 0)), text);
            json_decref(parsed);
            free(s.text);
        }
    }
}

static void errors_stick(void **state)
{
    (void)state;
    static struct sheet s;

    sheet_start(&s, false);
    json_open_object(&s.json); /* left open */
    assert_false(sheet_finish(&s));
    free(s.text);

    sheet_start(&s, false);
    json_close(&s.json); /* nothing is open */
    assert_false(sheet_finish(&s));
    free(s.text);

    sheet_start(&s, false);
    for (int i = 0; i < JSON_DEPTH + 1; i++)
        json_open_array(&s.json);
    for (int i = 0; i < JSON_DEPTH; i++)
        json_close(&s.json);
    assert_false(sheet_finish(&s));
    free(s.text);

    static struct json j;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    json_start(&j, full, false);
    json_open_array(&j);
    for (int i = 0; i < 100000; i++)
        json_write_uint(&j, 1000000);
    json_close(&j);
    assert_false(json_finish(&j));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(numbers_of_every_length),
        cmocka_unit_test(durations),
        cmocka_unit_test(times),
        cmocka_unit_test(seconds_of_a_day),
        cmocka_unit_test(dates),
        cmocka_unit_test(remembered_second),
        cmocka_unit_test(addresses),
        cmocka_unit_test(strings),
        cmocka_unit_test(long_strings),
        cmocka_unit_test(nesting),
        cmocka_unit_test(ends_at_every_place_of_the_buffer),
        cmocka_unit_test(lines_and_places),
        cmocka_unit_test(escapes_at_every_place),
        cmocka_unit_test(errors_stick),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
