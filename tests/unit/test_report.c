#include "tests/unit/report_samples.h"

#include "report/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

/* What a format's end() writes. Free with free. */
static char *written(const char *format, const struct report *r, const struct report_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    report_format_find(format)->end(out, r, options);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strlen(text), size); /* no NUL in it */
    return text;
}

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("%s at %d: %.200s", error.text, error.position, text);
    return root;
}

static json_t *document(const struct report *r)
{
    struct report_options options = { 0 };
    char *text = written("json", r, &options);
    json_t *root = parsed(text);

    for (const char *c = text; *c; c++)
        assert_true((unsigned char)*c >= 0x20 || *c == '\n');
    free(text);
    return root;
}

/* "flows/0/client/addr" of a document. */
static json_t *at(json_t *value, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (char **part = parts; *part; part++) {
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(*part)) : json_object_get(value, *part);
        if (!value)
            fail_msg("no %s in %s", *part, path);
    }
    return value;
}

#define ASSERT_TEXT(root, path, expected) assert_string_equal(json_string_value(at(root, path)), expected)
#define ASSERT_NUMBER(root, path, expected) assert_int_equal(json_integer_value(at(root, path)), expected)
#define ASSERT_NULL(root, path) assert_true(json_is_null(at(root, path)))

/* The keys of an object, in their order, are exactly these. */
static void assert_keys(json_t *object, const char *expected)
{
    g_autoptr(GString) keys = g_string_new(NULL);
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
        g_string_append_printf(keys, "%s%s", keys->len ? " " : "", key);
    assert_string_equal(keys->str, expected);
}

static void formats(void **state)
{
    (void)state;
    assert_non_null(report_format_find("text"));
    assert_false(report_format_find("json")->streaming);
    assert_true(report_format_find("ndjson")->streaming);
    assert_null(report_format_find("xml"));
    assert_null(report_format_find(""));
}

static void document_of_nothing(void **state)
{
    (void)state;
    struct report r;
    sample_report(&r);
    r.capture.packets = r.capture.undecoded = 0;
    r.capture.first_ns = r.capture.last_ns = TIME_NONE;

    json_t *root = document(&r);
    assert_keys(root, "schema version capture verdict conversations flows dns probes ladder");
    assert_keys(at(root, "capture"), "source linktypes packets tcp_packets undecoded first last dropped truncated "
                                     "undecoded_reasons evicted_flows forgotten_flows reassembly_dropped");
    ASSERT_NUMBER(root, "schema", 1);
    ASSERT_NULL(root, "capture/first");
    ASSERT_NULL(root, "capture/dropped");
    ASSERT_TEXT(root, "verdict/status", "ok");
    ASSERT_NULL(root, "verdict/remedy");
    ASSERT_NULL(root, "verdict/detail");
    assert_int_equal(json_array_size(at(root, "flows")), 0);
    json_decref(root);
    sample_report_clear(&r);
}

static void document_of_a_flow(void **state)
{
    (void)state;
    struct report r;
    sample_report(&r);
    sample_add(&r, sample_flow(1, "10.0.3.15", 47556, "147.83.2.135", 80), NULL);

    json_t *root = document(&r), *f = at(root, "flows/0");
    assert_keys(
        f,
        "id ip vlan client server role_basis first last duration packets bytes handshake teardown conn_state history "
        "completeness anomalies rtt app findings verdict tunnel previous");
    assert_keys(at(f, "handshake"), "outcome syn synack rtt to_server to_client client server");
    assert_keys(at(f, "handshake/client"), "mss wscale sack timestamps ecn fastopen mptcp");
    assert_keys(at(f, "teardown"), "outcome closed_first reset_by time_wait client_state server_state");
    assert_keys(at(f, "anomalies/client"),
                "retransmissions fast_retransmissions spurious_retransmissions out_of_order duplicate_acks "
                "lost_segments acked_unseen zero_windows zero_window_time window_full keep_alives "
                "capture_duplicates zero_window_probes window_updates bad_checksums");
    assert_keys(at(f, "app"), "protocol http tls greeting inner http_dropped");
    assert_keys(at(f, "verdict"), "status code layer where confidence summary evidence remedy detail");
    ASSERT_TEXT(f, "first", "2023-03-15T14:46:57.366725Z");
    ASSERT_TEXT(f, "client/addr", "10.0.3.15");
    ASSERT_NUMBER(f, "server/port", 80);
    assert_float_equal(json_real_value(at(f, "duration")), 0.045118, 1e-9);
    assert_float_equal(json_real_value(at(f, "handshake/rtt")), 0.001733, 1e-9);
    assert_float_equal(json_real_value(at(f, "handshake/to_client")), 0.000046, 1e-9);
    ASSERT_NUMBER(f, "handshake/client/wscale", 7);
    ASSERT_NULL(f, "handshake/server/wscale");
    ASSERT_TEXT(f, "teardown/closed_first", "server");
    ASSERT_TEXT(f, "teardown/time_wait", "server");
    ASSERT_NULL(f, "teardown/reset_by");
    ASSERT_NUMBER(f, "rtt/client/samples", 2);
    assert_float_equal(json_real_value(at(f, "rtt/client/avg")), 0.000866, 1e-9);
    ASSERT_NULL(f, "previous");
    ASSERT_NUMBER(root, "capture/undecoded_reasons/encrypted", 1);
    json_decref(root);
    sample_report_clear(&r);
}

/* What is not known is null, never 0 or NaN. */
static void unknown_is_null(void **state)
{
    (void)state;
    struct report r;
    sample_report(&r);
    sample_add(&r, sample_unanswered(1, "10.0.3.15", 47556, "147.83.2.135", 80),
               sample_finding(CODE_SYN_UNANSWERED, "Nothing came back."));

    json_t *root = document(&r), *f = at(root, "flows/0");
    ASSERT_NULL(f, "handshake/rtt");
    ASSERT_NULL(f, "handshake/to_server");
    ASSERT_NULL(f, "handshake/server");
    ASSERT_NULL(f, "handshake/client/mss");
    ASSERT_NULL(f, "handshake/client/wscale");
    ASSERT_NULL(f, "teardown/server_state");
    ASSERT_NULL(f, "rtt/server/min");
    ASSERT_NULL(f, "rtt/server/avg");
    ASSERT_NUMBER(f, "rtt/server/samples", 0);
    ASSERT_NULL(f, "app/protocol");
    ASSERT_NULL(f, "app/tls");
    ASSERT_TEXT(f, "verdict/code", "syn_unanswered");
    ASSERT_TEXT(f, "verdict/where", "path");
    ASSERT_NUMBER(f, "verdict/evidence/2", 7);
    json_decref(root);
    sample_report_clear(&r);
}

static void encapsulation_and_details(void **state)
{
    (void)state;
    struct report r;
    struct finding *verdict = sample_finding(CODE_SYN_REFUSED, "Refused.");
    static const char *const list[] = { "a", SAMPLE_HOSTILE, NULL };
    finding_detail_text(verdict, "from", SAMPLE_HOSTILE);
    finding_detail_number(verdict, "number", -3);
    finding_detail_seconds(verdict, "idle", 1500 * NS_PER_MS);
    finding_detail_list(verdict, "list", list);
    struct flow *f = sample_flow(1, "2001:db8::1", 47556, "2001:db8::2", 80);
    struct encap encap = {
        .vlans = { 7, 4095 }, .n_vlans = 2, .tunnels = { { TUNNEL_VXLAN, 42 }, { TUNNEL_IPIP, 0 } }, .n_tunnels = 2
    };
    f->encap = g_memdup2(&encap, sizeof encap);
    f->previous = 9;
    sample_report(&r);
    sample_add(&r, f, verdict);

    json_t *root = document(&r);
    ASSERT_NUMBER(root, "flows/0/vlan/1", 4095);
    ASSERT_TEXT(root, "flows/0/tunnel/0", "vxlan 42");
    ASSERT_TEXT(root, "flows/0/tunnel/1", "ipip");
    ASSERT_NUMBER(root, "flows/0/previous", 9);
    ASSERT_TEXT(root, "flows/0/client/addr", "2001:db8::1");
    ASSERT_NUMBER(root, "flows/0/verdict/detail/number", -3);
    assert_float_equal(json_real_value(at(root, "flows/0/verdict/detail/idle")), 1.5, 1e-9);
    assert_int_equal(json_array_size(at(root, "flows/0/verdict/detail/list")), 2);
    json_decref(root);
    sample_report_clear(&r);
}

/* A report in which every text from outside is hostile. */
static void hostile_report(struct report *r)
{
    sample_report(r);
    g_free(r->capture.source);
    r->capture.source = g_strdup(SAMPLE_HOSTILE);
    struct flow *f =
        sample_flow(1, "2001:db8:85a3:1111:2222:8a2e:370:7334", 65535, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535);
    f->app = sample_app(SAMPLE_HOSTILE);
    sample_add(r, f, sample_finding(CODE_TLS_ALERT, SAMPLE_HOSTILE));
    sample_add(r, sample_flow(2, "2001:db8::1", 1, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535), NULL);
    struct conversation *c = sample_conversation(1, 1);
    sample_step(c, STEP_HTTP, 1, STATUS_BROKEN, 0, SAMPLE_HOSTILE);
    c->verdict = sample_finding(CODE_REDIRECT_BROKEN, SAMPLE_HOSTILE);
    c->redirects = g_array_new(FALSE, TRUE, sizeof(struct redirect));
    struct redirect redirect = { 302, g_strdup(SAMPLE_HOSTILE), g_strdup(SAMPLE_HOSTILE), 0 };
    g_array_append_val(c->redirects, redirect);
    g_ptr_array_add(r->conversations, c);
    g_ptr_array_add(r->lookups, sample_lookup(SAMPLE_HOSTILE));
    r->verdict = sample_finding(CODE_REDIRECT_BROKEN, SAMPLE_HOSTILE);
}

static void hostile_names_in_json(void **state)
{
    (void)state;
    struct report r;
    hostile_report(&r);

    json_t *root = document(&r);
    assert_keys(at(root, "flows/0/app/http/0"),
                "method host target version status reason location request_packet response_packet ttfb "
                "request_bytes response_bytes complete");
    assert_keys(at(root, "flows/0/app/tls"),
                "version client_versions sni alpn cipher outcome resumed hello_retry ja3 ja4 alerts "
                "certificate decrypted");
    assert_float_equal(json_real_value(at(root, "flows/0/app/http/0/ttfb")), 0.001395, 1e-9);
    ASSERT_NULL(root, "flows/0/app/http/1/location");
    ASSERT_TEXT(root, "flows/0/app/tls/client_versions/0", "TLS1.3");
    ASSERT_TEXT(root, "flows/0/app/tls/alerts/0/description", "handshake_failure");
    ASSERT_NULL(root, "flows/0/app/tls/alerts/1/level");
    ASSERT_TEXT(root, "flows/0/app/tls/certificate/not_before", "1969-12-31T23:59:59Z");
    ASSERT_TEXT(root, "flows/0/app/tls/certificate/not_after", "9999-12-31T23:59:59Z");
    assert_keys(at(root, "conversations/0"), "id client steps redirects verdict flows first last");
    assert_keys(at(root, "conversations/0/steps/0"), "kind flow packet status text at duration");
    ASSERT_NULL(root, "conversations/0/redirects/0/followed_by");
    assert_keys(at(root, "dns/0"),
                "name type client server rcode answers query_packet response_packet time retries at protocol tcp "
                "truncated icmp_packet");
    assert_float_equal(json_real_value(at(root, "dns/0/time")), 0.016, 1e-9);
    json_decref(root);
    sample_report_clear(&r);
}

static void ndjson_lines(void **state)
{
    (void)state;
    static const char *const types[] = { "flow", "conversation", "dns", "summary" };
    const struct report_format *format = report_format_find("ndjson");
    struct report_options options = { 0 };
    struct report r;
    char *text = NULL;
    size_t size;
    hostile_report(&r);

    FILE *out = open_memstream(&text, &size);
    format->flow(out, &g_array_index(r.flows, struct judged_flow, 0), &r);
    format->conversation(out, g_ptr_array_index(r.conversations, 0), &r);
    format->lookup(out, g_ptr_array_index(r.lookups, 0), &r);
    format->end(out, &r, &options);
    fclose(out);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    assert_int_equal(g_strv_length(lines), G_N_ELEMENTS(types) + 1); /* the last one is empty: every line has its end */
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        json_t *line = parsed(lines[i]);
        ASSERT_TEXT(line, "type", types[i]);
        json_decref(line);
    }
    json_t *line = parsed(lines[0]);
    ASSERT_NUMBER(line, "id", 1);
    json_decref(line);
    line = parsed(lines[2]);
    ASSERT_TEXT(line, "dns/type", "A");
    json_decref(line);
    free(text);
    sample_report_clear(&r);
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
    struct report r;
    hostile_report(&r);

    for (unsigned columns = 80; columns < 180; columns += 7) {
        struct report_options options = { .columns = columns, .verbose = 1 };
        char *text = written("text", &r, &options);
        assert_clean(text, columns);
        assert_non_null(strstr(text, "\\x1b[2J"));
        free(text);
    }
    sample_report_clear(&r);
}

/* 1204 healthy flows in two groups, 1000 that nobody answers at as many servers, a lossy one. */
static void large_report(struct report *r)
{
    char addr[32];
    uint64_t id = 0;

    sample_report(r);
    for (unsigned i = 0; i < 1204; i++) {
        g_snprintf(addr, sizeof addr, "10.1.%u.%u", i >> 8, i & 255);
        struct flow *f = sample_flow(++id, addr, 40000, i < 4 ? "192.0.2.81" : "192.0.2.80", 80);
        f->half[SERVER].bytes = 700 + 2 * i;
        sample_add(r, f, NULL);
    }
    for (unsigned i = 0; i < 1000; i++) {
        g_snprintf(addr, sizeof addr, "255.200.%u.%u", 100 + (i >> 8), i & 255);
        sample_add(r, sample_unanswered(++id, "210.211.212.213", (uint16_t)(50000 + i), addr, 65000),
                   sample_finding(CODE_SYN_UNANSWERED, "Nothing came back."));
    }
    for (unsigned i = 0; i < 20; i++)
        sample_add(r, sample_unanswered(++id, "10.0.3.15", (uint16_t)(50000 + i), "192.0.2.1", 25),
                   sample_finding(CODE_NETWORK_UNREACHABLE, "No route."));
    sample_add(r, sample_flow(++id, "10.0.3.15", 5555, "192.0.2.80", 80),
               sample_finding(CODE_PACKET_LOSS, "Segments were lost."));
    r->capture.packets = 12345678;
}

static unsigned count_of(const char *text, const char *what)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void many_flows_in_text(void **state)
{
    (void)state;
    struct report r;
    struct report_options options = { 0 };
    large_report(&r);

    char *text = written("text", &r, &options);
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
    free(text);
    sample_report_clear(&r);
}

static void all_flows_in_text(void **state)
{
    (void)state;
    struct report r;
    struct report_options options = { .all = true };
    large_report(&r);

    char *text = written("text", &r, &options);
    assert_clean(text, 100);
    assert_int_equal(count_of(text, "-> 192.0.2.80:80"), 1200 + 1 + 1); /* a line each, and the details of one */
    assert_int_equal(count_of(text, "No route."), 20);
    assert_null(strstr(text, "--all"));
    free(text);
    sample_report_clear(&r);
}

static void quiet_and_color(void **state)
{
    (void)state;
    struct report r;
    struct report_options options = { .quiet = true };
    large_report(&r);

    char *text = written("text", &r, &options);
    assert_null(strstr(text, "->"));
    assert_non_null(strstr(text, "2,225 flows"));
    free(text);
    options = (struct report_options){ .color = true };
    text = written("text", &r, &options);
    assert_non_null(strstr(text, "\033[1;31m"));
    assert_int_equal(count_of(text, "\033[") % 2, 0); /* each style is taken back */
    free(text);
    sample_report_clear(&r);
}

static void conversations_in_text(void **state)
{
    (void)state;
    struct report r;
    struct report_options options = { 0 };
    sample_report(&r);
    for (uint64_t i = 1; i <= 40; i++) {
        struct conversation *c = sample_conversation(i, i);
        g_autofree char *other = g_strdup_printf("GET http://192.0.2.80/%u -> 200", (unsigned)i);
        sample_add(&r, sample_flow(i, "10.0.3.15", (uint16_t)i, "192.0.2.80", 80), NULL);
        sample_step(c, STEP_TCP, i, STATUS_OK, 0, "connect");
        if (i > 2)
            sample_step(c, STEP_HTTP, i, STATUS_OK, 1733000, i <= 20 ? "GET http://192.0.2.80/ -> 200" : other);
        g_ptr_array_add(r.conversations, c);
    }
    r.conversations_by_status[STATUS_OK] = 40;

    char *text = written("text", &r, &options);
    assert_clean(text, 100);
    assert_null(strstr(text, "Conversation 1 "));                     /* says nothing that its flow does not */
    assert_non_null(strstr(text, "Conversation 3 of 10.0.3.15: ok")); /* the next 17 read the same */
    assert_non_null(strstr(text, "and 17 more like these"));
    assert_null(strstr(text, "Conversation 4 "));
    assert_non_null(strstr(text, "11 more conversations are not shown; --all shows them"));
    free(text);
    options.all = true;
    text = written("text", &r, &options);
    assert_int_equal(count_of(text, "Conversation "), 40);
    free(text);
    sample_report_clear(&r);
}

static void ladder(void **state)
{
    (void)state;
    struct report r;
    struct report_options options = { .flow = 1 };
    struct flow *f =
        sample_flow(1, "2001:db8:85a3:1111:2222:8a2e:370:7334", 65535, "2001:db8:85a3:1111:2222:8a2e:370:7335", 65535);
    sample_report(&r);
    sample_add(&r, f, NULL);
    sample_log(f, CLIENT, TCP_SYN, 0, 0, STATE_SYN_SENT, STATE_NONE);
    sample_log(f, SERVER, TCP_SYN | TCP_ACK, 0, 0, STATE_SYN_SENT, STATE_SYN_RECEIVED);
    sample_log(f, SERVER, TCP_PSH | TCP_ACK | TCP_URG | TCP_ECE, UINT32_MAX, UINT32_MAX, STATE_ESTABLISHED,
               STATE_ESTABLISHED);
    g_array_index(f->log, struct log_entry, 2).anomaly = UINT32_MAX;
    for (int i = 0; i < 1000; i++)
        sample_log(f, CLIENT, TCP_ACK, 1, 1448, STATE_ESTABLISHED, STATE_ESTABLISHED);

    char *text = written("text", &r, &options);
    assert_clean(text, 100);
    assert_non_null(strstr(text, "|-- [S] seq 0 win 64240 ---"));
    assert_non_null(strstr(text, "|<- [S.] seq 0 ack 1 win 64240 ---"));
    assert_non_null(strstr(text, "| SYN-SENT/SYN-RECV"));
    assert_non_null(strstr(text, "503 packets: --all"));
    free(text);
    for (unsigned columns = 80; columns < 200; columns += 9) {
        options.columns = columns;
        text = written("text", &r, &options);
        assert_clean(text, columns);
        free(text);
    }
    options = (struct report_options){ .flow = 2 };
    text = written("text", &r, &options);
    assert_non_null(strstr(text, "There is no flow 2 in this capture."));
    free(text);
    sample_report_clear(&r);
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
        cmocka_unit_test(formats),
        cmocka_unit_test(document_of_nothing),
        cmocka_unit_test(document_of_a_flow),
        cmocka_unit_test(unknown_is_null),
        cmocka_unit_test(encapsulation_and_details),
        cmocka_unit_test(hostile_names_in_json),
        cmocka_unit_test(ndjson_lines),
        cmocka_unit_test(hostile_names_in_text),
        cmocka_unit_test(many_flows_in_text),
        cmocka_unit_test(all_flows_in_text),
        cmocka_unit_test(quiet_and_color),
        cmocka_unit_test(conversations_in_text),
        cmocka_unit_test(ladder),
        cmocka_unit_test(quantities),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
