/* The records of probes in text and JSON: all their parts, whatever bytes they hold. */
#include "diagnose/finding.h"
#include "diagnose/probes.h"
#include "report/report.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOSTILE "\033[2J\xe2\x80\xae\xff\"<b>"

static struct addr address(unsigned last)
{
    const uint8_t four[4] = { 192, 0, 2, (uint8_t)last };
    return addr_v4(four);
}

static struct probe_place place(unsigned ttl, unsigned last)
{
    struct probe_place p = { .ttl = ttl, .known = last != 0 };
    if (last)
        p.addr = address(last);
    return p;
}

static struct probe_result *record(enum probe_kind kind, enum probe_outcome outcome)
{
    struct probe_result *r = probe_result_new(kind);
    r->outcome = outcome;
    r->version = 4;
    r->target = r->way_to = address(80);
    return r;
}

static struct probe_result *trail(void)
{
    struct probe_result *r = record(PROBE_SYN_TTL, OUTCOME_STOPPED);
    struct probe_hop hops[] = {
        { .place = place(1, 1),
          .rtt_ns = 1500000,
          .reply = REPLY_TTL_EXCEEDED,
          .sent = 2,
          .answered = 1,
          .limited = true },
        { .place = place(2, 2),
          .rtt_ns = 2500000,
          .reply = REPLY_TTL_EXCEEDED,
          .sent = 1,
          .answered = 1,
          .balanced = true },
        { .place = place(3, 0), .rtt_ns = TIME_NONE, .sent = 3 },
    };
    r->port = 443;
    r->sent = 6;
    r->hops = g_array_new(FALSE, TRUE, sizeof(struct probe_hop));
    g_array_append_vals(r->hops, hops, G_N_ELEMENTS(hops));
    r->has_end = true;
    r->after = place(2, 2);
    r->at = place(0, 80);
    return r;
}

static struct probe_result *differences(void)
{
    struct probe_result *r = record(PROBE_OPTION_DIFF, OUTCOME_REWRITTEN);
    struct probe_change c = { "mss", g_strdup("1460"), g_strdup("1200"), place(0, 0), place(1, 1) };
    r->changes = g_array_new(FALSE, TRUE, sizeof c);
    g_array_append_val(r->changes, c);
    return r;
}

static struct probe_result *variants(void)
{
    struct probe_result *r = record(PROBE_SYN_VARIANTS, OUTCOME_ANSWERED);
    struct probe_variant v[] = { { "unchanged", REPLY_NONE }, { "without options", REPLY_SYN_ACK } };
    r->variants = g_array_new(FALSE, TRUE, sizeof v[0]);
    g_array_append_vals(r->variants, v, G_N_ELEMENTS(v));
    return r;
}

/* What came from outside: a URL of a redirect, an error of curl, a certificate's subject. */
static struct probe_result *hostile(void)
{
    struct probe_result *r = record(PROBE_REQUEST, OUTCOME_FAILED);
    struct probe_leg leg = { .url = g_strdup("http://x/" HOSTILE),
                             .error = g_strdup(HOSTILE),
                             .name_ns = TIME_NONE,
                             .connect_ns = 1000,
                             .tls_ns = TIME_NONE,
                             .first_byte_ns = TIME_NONE,
                             .total_ns = 5000000 };
    r->legs = g_array_new(FALSE, TRUE, sizeof leg);
    g_array_append_val(r->legs, leg);
    r->note = g_strdup(HOSTILE);
    r->finding = finding_new(CODE_REDIRECT_BROKEN, WHERE_SERVER, "It leads to %s.", HOSTILE);
    return r;
}

/* The whole report in a format; free with free(). */
static char *written(const char *format, const struct report_options *options)
{
    struct report report = { .probed = "x" HOSTILE ":443",
                             .probe_packets = 9,
                             .capture = { .first_ns = TIME_NONE, .last_ns = TIME_NONE } };
    const struct report_format *f = report_format_find(format);
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct report_writer *w = f->open(out, &report, options);

    report.verdict = finding_new(CODE_SYN_UNANSWERED, WHERE_PATH, "Nobody answers.");
    struct probe_place after = place(2, 2), at = place(0, 80);
    finding_detail_hop(report.verdict, 4, &after, &at);
    f->probe(w, trail());
    f->probe(w, differences());
    f->probe(w, variants());
    f->probe(w, hostile());
    assert_int_equal(f->end(w), 0);
    f->free(w);
    fclose(out);
    finding_free(report.verdict);
    return text;
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *j = json_loads(text, 0, &error);
    if (!j)
        fail_msg("%s: %s", error.text, text);
    return j;
}

static void test_json(void **state)
{
    (void)state;
    const struct report_options options = { .columns = 100 };
    char *text = written("json", &options);
    json_t *j = parsed(text), *probes = json_object_get(j, "probes"), *first = json_array_get(probes, 0);
    json_t *hop = json_object_get(json_object_get(json_object_get(j, "verdict"), "detail"), "hop");

    assert_true(json_is_null(json_object_get(j, "capture")));
    assert_int_equal(json_array_size(probes), 4);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "syn_ttl");
    assert_string_equal(json_string_value(json_object_get(first, "outcome")), "stopped");
    assert_int_equal(json_array_size(json_object_get(first, "hops")), 3);
    json_t *silent = json_array_get(json_object_get(first, "hops"), 2);
    assert_true(json_is_null(json_object_get(silent, "addr")) && json_is_null(json_object_get(silent, "rtt")));
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(first, "hops"), 0), "rate_limited")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(hop, "after"), "ttl")), 2);
    assert_true(json_is_null(json_object_get(json_object_get(hop, "at"), "ttl")));
    assert_string_equal(json_string_value(json_object_get(json_object_get(hop, "at"), "addr")), "192.0.2.80");
    assert_null(strchr(text, '\033'));
    json_decref(j);
    free(text);
}

static void test_ndjson(void **state)
{
    (void)state;
    const struct report_options options = { .columns = 100 };
    char *text = written("ndjson", &options);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    assert_int_equal(g_strv_length(lines), 6); /* four, the summary, and what is behind the last line's end */
    for (int i = 0; i < 5; i++) {
        json_t *j = parsed(lines[i]);
        assert_string_equal(json_string_value(json_object_get(j, "type")), i < 4 ? "probe" : "summary");
        json_decref(j);
    }
    free(text);
}

static void test_text(void **state)
{
    (void)state;
    for (unsigned columns = 80; columns <= 140; columns += 20) {
        const struct report_options options = { .columns = columns };
        char *text = written("text", &options);
        assert_null(strchr(text, '\033'));
        assert_true(g_utf8_validate(text, -1, NULL));
        assert_non_null(strstr(text, "BROKEN  Nobody answers. [syn_unanswered]"));
        assert_non_null(strstr(text, "SYNs to port 443 pass 192.0.2.2 (hop 2) and die"));
        assert_non_null(strstr(text, ", limits"));
        assert_non_null(strstr(text, "mss: sent 1460, 1200 between"));
        assert_non_null(strstr(text, "answered: without options"));
        assert_non_null(strstr(text, "\\x1b[2J"));
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++) {
            if (g_utf8_strlen(*line, -1) > columns)
                fail_msg("%ld columns: %s", g_utf8_strlen(*line, -1), *line);
            assert_false(g_str_has_suffix(*line, " "));
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_json), cmocka_unit_test(test_ndjson),
                                        cmocka_unit_test(test_text) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
