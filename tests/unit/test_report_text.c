/* What the text report says, and how it looks. */
#include "tests/unit/report_samples.h"

#include "report/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static unsigned columns_of(const char *line)
{
    unsigned columns = 0;

    for (; *line; line = g_utf8_next_char(line)) {
        gunichar ch = g_utf8_get_char(line);
        columns += g_unichar_iszerowidth(ch) ? 0 : g_unichar_iswide(ch) ? 2 : 1;
    }
    return columns;
}

/* Nothing moves the cursor, reorders or hides, and no line is too wide or ends in spaces. */
static void assert_clean(const char *text, unsigned width)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    assert_true(g_utf8_validate(text, -1, NULL));
    for (char **line = lines; *line; line++) {
        if (columns_of(*line) > width)
            fail_msg("%u columns: %s", columns_of(*line), *line);
        assert_false(g_str_has_suffix(*line, " "));
        for (const char *c = *line; *c; c = g_utf8_next_char(c))
            assert_true(g_unichar_isprint(g_utf8_get_char(c)));
    }
}

static void hostile_names_in_text(void **state)
{
    (void)state;

    for (unsigned columns = 80; columns < 180; columns += 7) {
        struct report_options options = { .columns = columns, .verbose = 1 };
        struct sample s;
        sample_hostile(&s);
        char *text = sample_write(&s, "text", &options);
        assert_clean(text, columns);
        assert_non_null(strstr(text, "\\x1b[2J"));
        free(text);
    }
}

/* 1204 healthy flows in two groups, 1000 that nobody answers at as many servers, a lossy one. */
static void large_report(struct sample *s)
{
    char addr[32];
    uint64_t id = 0;

    sample_start(s);
    for (unsigned i = 0; i < 1204; i++) {
        g_snprintf(addr, sizeof addr, "10.1.%u.%u", i >> 8, i & 255);
        struct flow *f = sample_flow(++id, addr, 40000, i < 4 ? "192.0.2.81" : "192.0.2.80", 80);
        f->half[SERVER].bytes = 700 + 2 * i;
        sample_add(s, f, NULL);
    }
    for (unsigned i = 0; i < 1000; i++) {
        g_snprintf(addr, sizeof addr, "255.200.%u.%u", 100 + (i >> 8), i & 255);
        sample_add(s, sample_unanswered(++id, "210.211.212.213", (uint16_t)(50000 + i), addr, 65000),
                   sample_finding(CODE_SYN_UNANSWERED, "Nothing came back."));
    }
    for (unsigned i = 0; i < 20; i++)
        sample_add(s, sample_unanswered(++id, "10.0.3.15", (uint16_t)(50000 + i), "192.0.2.1", 25),
                   sample_finding(CODE_NETWORK_UNREACHABLE, "No route."));
    sample_add(s, sample_flow(++id, "10.0.3.15", 5555, "192.0.2.80", 80),
               sample_finding(CODE_PACKET_LOSS, "Segments were lost."));
    s->totals.capture.packets = 12345678;
}

static char *large_text(struct report_options options, bool backwards)
{
    struct sample s;

    large_report(&s);
    s.backwards = backwards;
    return sample_write(&s, "text", &options);
}

static void many_flows_in_text(void **state)
{
    (void)state;
    char *text = large_text((struct report_options){ 0 }, false);
    assert_clean(text, 100);
    assert_non_null(strstr(text, "1,200  192.0.2.80:80")); /* alike: one line, with ranges */
    assert_non_null(strstr(text, "5-1204"));
    assert_non_null(strstr(text, "0.8..3.2 KB"));
    assert_non_null(strstr(text, "\n      4  192.0.2.81:80"));
    assert_non_null(strstr(text, "and 821 more: 820 syn_unanswered, 1 packet_loss; --all lists them"));
    assert_non_null(strstr(text, "20 flows to 192.0.2.1:25: broken")); /* one block of details for all */
    assert_int_equal(count_of(text, "No route."), 1);
    assert_true(strstr(text, "network unreachable") < strstr(text, "no answer to SYN")); /* nearer to the root: first */
    assert_non_null(strstr(text, "2,225 flows: 1,020 broken, 1 degraded, 1,204 ok; 12,345,678 packets"));
    assert_null(strchr(text, '\033'));

    char *other = large_text((struct report_options){ 0 }, true);
    assert_string_equal(other, text); /* whatever the order in which they end */
    free(other);
    free(text);
}

static void all_flows_in_text(void **state)
{
    (void)state;
    char *text = large_text((struct report_options){ .all = true }, true);

    assert_clean(text, 100);
    assert_int_equal(count_of(text, "-> 192.0.2.80:80"), 1200 + 1 + 1); /* a line each, and the details of one */
    assert_int_equal(count_of(text, "No route."), 20);
    assert_null(strstr(text, "--all"));
    free(text);
}

static void quiet_and_color(void **state)
{
    (void)state;
    char *text = large_text((struct report_options){ .quiet = true }, false);

    assert_null(strstr(text, "->"));
    assert_non_null(strstr(text, "2,225 flows"));
    free(text);
    text = large_text((struct report_options){ .color = true }, false);
    assert_non_null(strstr(text, "\033[1;31m"));
    assert_int_equal(count_of(text, "\033[") % 2, 0); /* each style is taken back */
    free(text);
}

/* Two that say nothing more than their flows, 18 that read alike, 20 others. */
static char *conversations_text(struct report_options options, bool backwards)
{
    struct sample s;

    sample_start(&s);
    s.backwards = backwards;
    for (uint64_t i = 1; i <= 40; i++) {
        struct conversation *c = sample_conversation(i, i);
        g_autofree char *other = g_strdup_printf("GET http://192.0.2.80/%u -> 200", (unsigned)i);
        sample_add(&s, sample_flow(i, "10.0.3.15", (uint16_t)i, "192.0.2.80", 80), NULL);
        sample_step(c, STEP_TCP, i, STATUS_OK, 0, "connect");
        if (i > 2)
            sample_step(c, STEP_HTTP, i, STATUS_OK, 1733000, i <= 20 ? "GET http://192.0.2.80/ -> 200" : other);
        sample_converse(&s, c);
    }
    return sample_write(&s, "text", &options);
}

static void conversations_in_text(void **state)
{
    (void)state;
    char *text = conversations_text((struct report_options){ 0 }, false);

    assert_clean(text, 100);
    assert_null(strstr(text, "Conversation 1 "));                     /* says nothing that its flow does not */
    assert_non_null(strstr(text, "Conversation 3 of 10.0.3.15: ok")); /* the next 17 read the same */
    assert_non_null(strstr(text, "and 17 more like these"));
    assert_null(strstr(text, "Conversation 4 "));
    assert_non_null(strstr(text, "11 more conversations are not shown; --all shows them"));
    free(text);
    text = conversations_text((struct report_options){ .all = true }, false);
    assert_int_equal(count_of(text, "Conversation "), 40);
    char *other = conversations_text((struct report_options){ .all = true }, true);
    assert_string_equal(other, text);
    free(other);
    free(text);
    text = conversations_text((struct report_options){ .quiet = true }, false);
    assert_null(strstr(text, "Conversation "));
    free(text);
}

/* Numbers are those of the JSON document, also where most of what is numbered is not kept: here the last come first. */
static void conversations_are_numbered(void **state)
{
    (void)state;
    char *text = conversations_text((struct report_options){ 0 }, true);

    assert_clean(text, 100);
    for (unsigned i = 31; i <= 40; i++) {
        g_autofree char *heading = g_strdup_printf("\nConversation %u of 10.0.3.15: ok", i);
        assert_non_null(strstr(text, heading));
    }
    assert_int_equal(count_of(text, "Conversation "), 10);
    free(text);
}

/* A conversation whose healthy flow was not told in steps is counted, and a broken one is shown all the same. */
static void conversations_not_told(void **state)
{
    (void)state;
    struct report_options options = { 0 };
    struct sample s;

    sample_start(&s);
    for (uint64_t i = 1; i <= 3; i++) {
        struct conversation *c = sample_conversation(i, i);
        sample_add(&s, sample_flow(i, "10.0.3.15", (uint16_t)i, "192.0.2.80", 80), NULL);
        if (i == 3)
            c->verdict = sample_finding(CODE_REDIRECT_LOOP, "Round and round.");
        if (i == 3) {
            uint64_t second = 2;
            g_array_append_val(c->flows, second);
        }
        sample_step(c, STEP_DNS, 0, STATUS_OK, 0, "www.example.org");
        sample_converse(&s, c);
    }
    char *text = sample_write(&s, "text", &options);
    assert_non_null(strstr(text, "Conversation 3 of 10.0.3.15: broken"));
    assert_non_null(strstr(text, "Round and round."));
    assert_int_equal(count_of(text, "\nConversation "), 1);
    assert_non_null(strstr(text, "2 more conversations are not shown; --all shows them"));
    free(text);
}

/* A verdict that the conversation shares with its flow is explained once. */
static void told_once(void **state)
{
    (void)state;
    struct report_options options = { 0 };
    struct sample s;

    sample_start(&s);
    for (uint64_t i = 1; i <= 2; i++) {
        struct conversation *c = sample_conversation(i, i);
        sample_add(&s, sample_unanswered(i, "10.0.3.15", (uint16_t)i, "192.0.2.80", 80),
                   sample_finding(CODE_SYN_UNANSWERED, "Nothing came back."));
        sample_step(c, STEP_DNS, 0, STATUS_OK, 0, "www.example.org");
        sample_step(c, STEP_TCP, i, STATUS_BROKEN, 0, i == 1 ? "connecting" : "connecting too");
        c->verdict = sample_finding(i == 1 ? CODE_SYN_UNANSWERED : CODE_REDIRECT_BROKEN, "Said by the conversation.");
        sample_converse(&s, c);
    }
    char *text = sample_write(&s, "text", &options);
    assert_int_equal(count_of(text, "Nothing came back."), 2);
    assert_int_equal(count_of(text, "Said by the conversation."), 1);
    free(text);
}

static char *ladder_text(struct report_options options)
{
    struct sample s;
    struct flow *f =
        sample_flow(1, "2001:db8:85a3:1111:2222:8a2e:370:7334", 65535, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535);

    sample_start(&s);
    sample_add(&s, f, NULL);
    sample_add(&s, sample_flow(3, "10.0.3.15", 3, "192.0.2.80", 80), NULL);
    sample_log(f, CLIENT, TCP_SYN, 0, 0, STATE_SYN_SENT, STATE_NONE);
    sample_log(f, SERVER, TCP_SYN | TCP_ACK, 0, 0, STATE_SYN_SENT, STATE_SYN_RECEIVED);
    sample_log(f, SERVER, TCP_PSH | TCP_ACK | TCP_URG | TCP_ECE, UINT32_MAX, UINT32_MAX, STATE_ESTABLISHED,
               STATE_ESTABLISHED);
    g_array_index(f->log, struct log_entry, 2).anomaly = UINT32_MAX;
    for (int i = 0; i < 1000; i++)
        sample_log(f, CLIENT, TCP_ACK, 1, 1448, STATE_ESTABLISHED, STATE_ESTABLISHED);
    return sample_write(&s, "text", &options);
}

static void ladder(void **state)
{
    (void)state;
    char *text = ladder_text((struct report_options){ .flow = 1 });

    assert_clean(text, 100);
    assert_non_null(strstr(text, "|-- [S] seq 0 win 64240 ---"));
    assert_non_null(strstr(text, "|<- [S.] seq 0 ack 1 win 64240 ---"));
    assert_non_null(strstr(text, "| SYN-SENT/SYN-RECV"));
    assert_non_null(strstr(text, "503 packets: --all"));
    free(text);
    for (unsigned columns = 80; columns < 200; columns += 9) {
        text = ladder_text((struct report_options){ .flow = 1, .columns = columns });
        assert_clean(text, columns);
        free(text);
    }
    text = ladder_text((struct report_options){ .flow = 2 });
    assert_non_null(strstr(text, "There is no flow 2 in this capture."));
    free(text);
}

static void quantities(void **state)
{
    (void)state;
    char out[WORDS_ROOM];

    assert_string_equal(words_duration(out, 0), "0 s");
    assert_string_equal(words_duration(out, 46000), "46 us");
    assert_string_equal(words_duration(out, 1733000), "1.7 ms");
    assert_string_equal(words_duration(out, 45118000), "45 ms");
    assert_string_equal(words_duration(out, 3 * NS_PER_S), "3.0 s");
    assert_string_equal(words_duration(out, -3 * NS_PER_S), "-3.0 s");
    assert_string_equal(words_duration(out, 125 * NS_PER_S), "2m05s");
    assert_string_equal(words_duration(out, 3 * 3600 * NS_PER_S), "3h00m");
    assert_string_equal(words_duration(out, INT64_MAX), "106751d23h");
    assert_string_equal(words_duration(out, TIME_NONE), "-");
    assert_string_equal(words_duration_range(out, 10 * NS_PER_MS, 24 * NS_PER_MS), "10..24 ms");
    assert_string_equal(words_bytes(out, 0), "0 B");
    assert_string_equal(words_bytes(out, 999), "999 B");
    assert_string_equal(words_bytes(out, 3249), "3.2 KB");
    assert_string_equal(words_bytes(out, UINT64_MAX), "18446744 TB");
    assert_string_equal(words_bytes_range(out, 800, 3200), "0.8..3.2 KB");
    assert_string_equal(words_bytes_range(out, 3200, 3201), "3.2 KB");
    assert_string_equal(words_count(out, 1234567), "1,234,567");
    assert_string_equal(words_count(out, 123), "123");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_names_in_text),
        cmocka_unit_test(many_flows_in_text),
        cmocka_unit_test(all_flows_in_text),
        cmocka_unit_test(quiet_and_color),
        cmocka_unit_test(conversations_in_text),
        cmocka_unit_test(conversations_are_numbered),
        cmocka_unit_test(conversations_not_told),
        cmocka_unit_test(told_once),
        cmocka_unit_test(ladder),
        cmocka_unit_test(quantities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
