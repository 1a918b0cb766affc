/* Two JSON documents of the same connections. */
#include "compare/documents.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define ENDS "\"client\":{\"addr\":\"10.0.0.2\",\"port\":40000},\"server\":{\"addr\":\"192.0.2.80\",\"port\":80}"
#define DOCUMENT(flows) "{\"schema\":1,\"flows\":[" flows "]}"
#define OK "\"verdict\":{\"status\":\"ok\",\"code\":\"ok\",\"summary\":\"Well.\"}"

static struct documents *parse(const char *a, size_t n, const char *b, GError **error)
{
    const char *const sources[2] = { "a", "b" }, *const texts[2] = { a, b };
    const size_t sizes[2] = { n, strlen(b) };

    return documents_parse(sources, texts, sizes, error);
}

static void check_verdict(const char *a, const char *b, enum code code, enum status status)
{
    g_autoptr(GError) error = NULL;
    struct documents *d = parse(a, strlen(a), b, &error);

    assert_non_null(d);
    assert_int_equal(d->verdict->code, code);
    assert_int_equal(d->verdict->status, status);
    documents_free(d);
}

static void test_same(void **state)
{
    const char *text = DOCUMENT("{\"id\":1," ENDS "," OK "}");
    struct documents *d = parse(text, strlen(text), text, NULL);

    (void)state;
    assert_int_equal(d->pairs->len, 1);
    assert_int_equal(((struct document_pair *)g_ptr_array_index(d->pairs, 0))->differences->len, 0);
    assert_int_equal(d->verdict->code, CODE_OK);
    documents_free(d);
}

static void test_differences(void **state)
{
    const char *a = DOCUMENT("{\"id\":1," ENDS ",\"bytes\":{\"client\":5,\"server\":9},\"app\":null," OK "}");
    const char *b = DOCUMENT("{\"id\":7," ENDS ",\"bytes\":{\"client\":5,\"server\":\"\\u001b[1m\"}," OK "}");
    struct documents *d = parse(a, strlen(a), b, NULL);

    (void)state;
    struct document_pair *p = g_ptr_array_index(d->pairs, 0);
    assert_int_equal(p->flow[1], 7);
    assert_int_equal(p->differences->len, 1);
    const struct difference *x = &g_array_index(p->differences, struct difference, 0);
    assert_string_equal(x->what, "bytes.server");
    assert_string_equal(x->value[0], "9");
    assert_string_equal(x->value[1], "\"\\u001B[1m\"");
    documents_free(d);
}

#define FLOW(outcome, teardown, verdict)                                                                               \
    DOCUMENT("{\"id\":1," ENDS ",\"handshake\":{\"outcome\":\"" outcome "\"},\"teardown\":{" teardown "}," verdict "}")

static void test_verdicts(void **state)
{
    (void)state;
    check_verdict(FLOW("no_answer", "", OK), FLOW("unfinished", "", OK), CODE_SYN_UNANSWERED, STATUS_BROKEN);
    check_verdict(FLOW("complete", "\"reset_by\":\"server\"", OK), FLOW("complete", "\"reset_by\":\"client\"", OK),
                  CODE_RESET_INJECTED, STATUS_BROKEN);
    check_verdict(FLOW("complete", "\"reset_by\":\"server\"", OK), FLOW("complete", "\"reset_by\":\"server\"", OK),
                  CODE_OK, STATUS_OK);
    check_verdict(FLOW("no_answer", "", OK), DOCUMENT(""), CODE_SYN_UNANSWERED, STATUS_BROKEN);
    check_verdict(DOCUMENT(""), DOCUMENT(""), CODE_INCOMPLETE_CAPTURE, STATUS_UNKNOWN);
    check_verdict(
        FLOW("complete", "", "\"verdict\":{\"status\":\"broken\",\"code\":\"server_silent\",\"summary\":\"Silent.\"}"),
        FLOW("complete", "", OK), CODE_SERVER_SILENT, STATUS_BROKEN);
    /* what no tcpsleuth writes is not believed */
    check_verdict(FLOW("complete", "", "\"verdict\":{\"status\":\"broken\",\"code\":\"nonsense\"}"),
                  FLOW("complete", "", OK), CODE_INCOMPLETE_CAPTURE, STATUS_UNKNOWN);
    check_verdict(FLOW("complete", "", "\"verdict\":[]"), FLOW("complete", "", "\"verdict\":7"),
                  CODE_INCOMPLETE_CAPTURE, STATUS_UNKNOWN);
}

static void test_not_documents(void **state)
{
    static const char *const texts[] = {
        "", "{}", "[]", "7", "{\"schema\":2,\"flows\":[]}", "{\"schema\":1,\"flows\":{}}", "{\"schema\":1}"
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(parse(texts[i], strlen(texts[i]), DOCUMENT(""), &error));
        assert_non_null(error);
    }
}

static void test_every_prefix(void **state)
{
    const char *text = FLOW("complete", "\"reset_by\":\"server\"", OK);

    (void)state;
    for (size_t n = 0; n < strlen(text); n++) {
        g_autofree char *cut = g_memdup2(text, n + 1);
        g_autoptr(GError) error = NULL;
        assert_null(parse(cut, n, DOCUMENT(""), &error));
    }
}

static void test_ladder(void **state)
{
    const char *a = "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"link\",\"status\":\"ok\"},{\"step\":\"dns\","
                    "\"status\":\"ok\"}]}";
    const char *b = "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"dns\",\"status\":\"broken\"},{\"step\":"
                    "\"link\",\"status\":\"ok\"}]}";
    struct documents *d = parse(a, strlen(a), b, NULL);

    (void)state;
    assert_int_equal(d->ladder->len, 1);
    assert_string_equal(g_array_index(d->ladder, struct difference, 0).what, "dns");
    documents_free(d);
}

/* What the climb at one end found goes for both. */
static void test_ladder_verdict(void **state)
{
    (void)state;
    check_verdict(
        "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"link\",\"status\":\"ok\"}]," OK "}",
        "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"link\",\"status\":\"broken\"}],\"verdict\":{\"status\":"
        "\"broken\",\"code\":\"no_carrier\",\"summary\":\"No cable.\"}}",
        CODE_NO_CARRIER, STATUS_BROKEN);
}

/* The client's SYN is not answered, and the server is in order; then the server's own word; then all is well. */
static void test_two_ladders(void **state)
{
    static const char *const client =
        "{\"schema\":1,\"flows\":[{\"id\":1,\"client\":{\"addr\":\"10.0.0.1\",\"port\":5},\"server\":{\"addr\":\"10.0.0.2\",\"port\":80},"
        "\"handshake\":{\"outcome\":\"no_answer\"}}],\"ladder\":[{\"step\":\"port\",\"status\":\"broken\"}],"
        "\"verdict\":{\"status\":\"broken\",\"code\":\"syn_unanswered\",\"summary\":\"No answer.\"}}";
    static const char *const sound = "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"listening\",\"status\":\"ok\"}]," OK "}";
    static const char *const broken = "{\"schema\":1,\"flows\":[],\"ladder\":[{\"step\":\"firewall\",\"status\":\"broken\"}],"
                                      "\"verdict\":{\"status\":\"broken\",\"code\":\"firewall_drops\",\"summary\":\"A rule.\"}}";

    (void)state;
    struct documents *d = parse(client, strlen(client), sound, NULL);
    assert_string_equal(d->verdict->summary, "At the client: No answer. The other end's ladder finds nothing wrong there: look between them.");
    assert_int_equal(d->verdict->where, WHERE_PATH);
    assert_null(g_array_index(d->lone, struct document_lone, 0).finding);
    documents_free(d);
    d = parse(client, strlen(client), broken, NULL);
    assert_string_equal(d->verdict->summary, "At the server: A rule.");
    documents_free(d);
    d = parse(sound, strlen(sound), sound, NULL);
    assert_int_equal(d->verdict->code, CODE_OK);
    documents_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),           cmocka_unit_test(test_differences),  cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_not_documents),  cmocka_unit_test(test_every_prefix), cmocka_unit_test(test_ladder),
        cmocka_unit_test(test_ladder_verdict), cmocka_unit_test(test_two_ladders),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
