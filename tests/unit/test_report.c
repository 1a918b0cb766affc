#include "tests/unit/report_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *parsed(const char *text)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("%s at %d: %.200s", error.text, error.position, text);
    return root;
}

/* Uses the sample up. */
static json_t *document(struct sample *s)
{
    struct report_options options = { 0 };
    char *text = sample_write(s, "json", &options);
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
    static const char *const names[] = { "text", "json", "ndjson" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_string_equal(report_format_find(names[i])->name, names[i]);
    assert_null(report_format_find("xml"));
    assert_null(report_format_find(""));
}

static void document_of_nothing(void **state)
{
    (void)state;
    struct sample s;
    sample_start(&s);
    s.totals.capture.packets = s.totals.capture.undecoded = 0;
    s.totals.capture.first_ns = s.totals.capture.last_ns = TIME_NONE;

    json_t *root = document(&s);
    assert_keys(root, "schema version capture verdict conversations flows dns probes ladder");
    assert_keys(at(root, "capture"), "source linktypes packets tcp_packets undecoded first last dropped truncated "
                                     "undecoded_reasons quic_packets evicted_flows forgotten_flows reassembly_dropped");
    ASSERT_NUMBER(root, "schema", 1);
    ASSERT_NULL(root, "capture/first");
    ASSERT_NULL(root, "capture/dropped");
    ASSERT_TEXT(root, "verdict/status", "ok");
    ASSERT_NULL(root, "verdict/remedy");
    ASSERT_NULL(root, "verdict/detail");
    assert_int_equal(json_array_size(at(root, "flows")), 0);
    json_decref(root);
}

static void document_of_a_flow(void **state)
{
    (void)state;
    struct sample s;
    sample_start(&s);
    sample_add(&s, sample_flow(1, "10.0.3.15", 47556, "147.83.2.135", 80), NULL);

    json_t *root = document(&s), *f = at(root, "flows/0");
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
}

/* What is not known is null, never 0 or NaN. */
static void unknown_is_null(void **state)
{
    (void)state;
    struct sample s;
    sample_start(&s);
    sample_add(&s, sample_unanswered(1, "10.0.3.15", 47556, "147.83.2.135", 80),
               sample_finding(CODE_SYN_UNANSWERED, "Nothing came back."));

    json_t *root = document(&s), *f = at(root, "flows/0");
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
}

static void encapsulation_and_details(void **state)
{
    (void)state;
    struct sample s;
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
    sample_start(&s);
    sample_add(&s, f, verdict);

    json_t *root = document(&s);
    ASSERT_NUMBER(root, "flows/0/vlan/1", 4095);
    ASSERT_TEXT(root, "flows/0/tunnel/0", "vxlan 42");
    ASSERT_TEXT(root, "flows/0/tunnel/1", "ipip");
    ASSERT_NUMBER(root, "flows/0/previous", 9);
    ASSERT_TEXT(root, "flows/0/client/addr", "2001:db8::1");
    ASSERT_NUMBER(root, "flows/0/verdict/detail/number", -3);
    assert_float_equal(json_real_value(at(root, "flows/0/verdict/detail/idle")), 1.5, 1e-9);
    assert_int_equal(json_array_size(at(root, "flows/0/verdict/detail/list")), 2);
    json_decref(root);
}

static void hostile_names_in_json(void **state)
{
    (void)state;
    struct sample s;
    sample_hostile(&s);

    json_t *root = document(&s);
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
}

static void ndjson_lines(void **state)
{
    (void)state;
    static const char *const types[] = { "conversation", "flow", "flow", "dns", "summary" };
    struct report_options options = { 0 };
    struct sample s;
    sample_hostile(&s);

    char *text = sample_write(&s, "ndjson", &options);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    assert_int_equal(g_strv_length(lines), G_N_ELEMENTS(types) + 1); /* the last one is empty: every line has its end */
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        json_t *line = parsed(lines[i]);
        ASSERT_TEXT(line, "type", types[i]);
        json_decref(line);
    }
    json_t *line = parsed(lines[1]);
    ASSERT_NUMBER(line, "id", 1);
    json_decref(line);
    line = parsed(lines[3]);
    ASSERT_TEXT(line, "dns/type", "A");
    json_decref(line);
    free(text);
}

/* A line has the digits that are known when it is written. */
static void ndjson_precision(void **state)
{
    (void)state;
    struct report totals = { 0 };
    struct report_options options = { 0 };
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct report_writer *w = report_format_find("ndjson")->open(out, &totals, &options);

    for (unsigned i = 0; i < 2; i++) {
        struct judged_flow f = { sample_flow(1 + i, "10.0.3.15", 47556, "147.83.2.135", 80), { NULL, NULL } };
        totals.capture.nanoseconds = i > 0;
        w->format->flow(w, &f);
        assert_int_equal(fflush(out), 0);
        assert_int_equal(text[size - 1], '\n'); /* whole lines, at once */
    }
    w->format->free(w);
    fclose(out);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    json_t *first = parsed(lines[0]), *second = parsed(lines[1]);
    ASSERT_TEXT(first, "first", "2023-03-15T14:46:57.366725Z");
    ASSERT_TEXT(second, "first", "2023-03-15T14:46:57.366725000Z");
    json_decref(first);
    json_decref(second);
    free(text);
}

static void fill_disordered(struct sample *s, unsigned n)
{
    sample_start(s);
    for (unsigned i = 1; i <= n; i++) {
        struct conversation *c = sample_conversation(7000 + i, i);
        c->packet = i / 2; /* pairs begin with one packet */
        sample_step(c, STEP_TCP, i, STATUS_OK, 0, SAMPLE_HOSTILE);
        sample_converse(s, c);
        sample_add(s, sample_flow(i, "10.0.3.15", (uint16_t)i, "192.0.2.80", 80), NULL);
        struct lookup *l = sample_lookup(SAMPLE_HOSTILE);
        l->query_packet = i % 2 ? i : 0;
        l->response_packet = i % 2 ? 0 : i;
        g_ptr_array_add(s->lookups, l);
    }
}

/* Whatever the order in which things end, they are listed in the order in which they began, and conversations are
 * numbered in it; more of them than stay in memory. */
static void document_in_order(void **state)
{
    (void)state;
    static const unsigned n = 3000;

    for (int backwards = 0; backwards < 2; backwards++) {
        struct sample s;
        fill_disordered(&s, n);
        s.backwards = backwards;
        json_t *root = document(&s);
        json_int_t packet = 0;
        assert_int_equal(json_array_size(at(root, "flows")), n);
        assert_int_equal(json_array_size(at(root, "conversations")), n);
        for (unsigned i = 0; i < n; i++) {
            json_t *flow = json_array_get(at(root, "flows"), i), *dns = json_array_get(at(root, "dns"), i);
            json_t *talk = json_array_get(at(root, "conversations"), i);
            ASSERT_NUMBER(flow, "id", i + 1);
            ASSERT_NUMBER(flow, "client/port", i + 1);
            ASSERT_NUMBER(talk, "id", i + 1);
            json_int_t began = json_integer_value(at(talk, "steps/0/packet")); /* null, as 0, for the first one */
            assert_true(began >= packet);
            packet = began;
            ASSERT_NUMBER(dns, i % 2 ? "response_packet" : "query_packet", i + 1);
        }
        json_decref(root);
    }
}

/* What is written in one piece because nearly every flow has it is what would be written piece by piece. */
static void shortcuts(void **state)
{
    (void)state;
    struct sample s;
    struct flow *f = sample_flow(2, "10.0.3.15", 2, "192.0.2.80", 80);
    sample_start(&s);
    sample_add(&s, sample_flow(1, "10.0.3.15", 1, "192.0.2.80", 80), NULL);
    f->trouble = g_new0(struct trouble, 1);
    f->app = g_new0(struct app_facts, 1);
    sample_add(&s, f, finding_copy(finding_ok()));

    struct report_options options = { 0 };
    char *text = sample_write(&s, "ndjson", &options);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (int i = 0; i < 2; i++) {
        char *from = strstr(lines[i], "\"role_basis\"");
        assert_non_null(from);
        memmove(lines[i], from, strlen(from) + 1); /* behind the id and the ports */
    }
    assert_string_equal(lines[0], lines[1]);
    free(text);
}

/* A writer that is given up half way frees what it was handed. */
static void given_up(void **state)
{
    (void)state;
    static const char *const names[] = { "text", "json", "ndjson" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const struct report_format *format = report_format_find(names[i]);
        struct report_options options = { .all = i == 0 };
        struct sample s;
        sample_hostile(&s);
        FILE *out = fopen("/dev/null", "w");
        struct report_writer *w = format->open(out, &s.totals, &options);
        sample_hand_over(&s, w);
        format->free(w);
        format->free(NULL);
        fclose(out);
        sample_clear(&s);
    }
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
        cmocka_unit_test(ndjson_precision),
        cmocka_unit_test(document_in_order),
        cmocka_unit_test(shortcuts),
        cmocka_unit_test(given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
