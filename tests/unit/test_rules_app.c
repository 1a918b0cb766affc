/* The rules on what is said on top of a connection: HTTP as it is read from the bytes, TLS from facts that are put together here; and
 * what holds of all findings.
 */
#include "diagnose/rules.h"
#include "judge_rows.h"

/* --- what is said on top --- */

static void test_http(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "S P. 'HTTP/1.1 503 Down|Content-Length: 0||'; C .", "broken http_server_error server certain" },
        { OPEN REQUEST "S P. 'HTTP/1.1 404 Not Found|Content-Length: 0||'; C .; " CLOSE, "degraded http_client_error client certain" },
        { OPEN REQUEST "S P. 'HTTP/1.1 302 Found|Location: /x|Content-Length: 0||'; C .", "ok ok" },
        /* the same again, and well; something else does not make it good */
        { OPEN REQUEST "S P. 'HTTP/1.1 503 Down|Content-Length: 0||'; C .; " REQUEST ANSWER, "ok ok" },
        { OPEN REQUEST "S P. 'HTTP/1.1 503 Down|Content-Length: 0||'; C .; C P. 'GET /b HTTP/1.1|Host: a||'; S .; " ANSWER,
          "broken http_server_error server certain" },
        { OPEN REQUEST "S P. 'HTTP/1.1 401 Who|Content-Length: 0||'; C .; " REQUEST ANSWER, "ok ok" },
        { OPEN REQUEST "S P. 'HTTP/1.1 100 Continue||'; C .; " ANSWER, "ok ok" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 100||ok'; C .; S F.; C F.; S .",
          "broken response_truncated server likely" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 100||ok'; C .; " CLOSE, "broken response_truncated client likely" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 100||ok'; C .; C F. +4s; S F.; C .", "broken response_truncated - possible" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Transfer-Encoding: chunked||2|ok|'; C .; C F. +4s; S .", "ok ok" }, /* it may be endless */
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Transfer-Encoding: chunked||2|ok|'; C .; S F.; C F.; S .",
          "broken response_truncated server likely" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK||ok'; C .; S F.; C F.; S .", "ok ok" }, /* ends with the connection */
        /* late: a second and five round trips (of 20 ms) */
        { OPEN REQUEST "S P. +1100 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .", "degraded slow_server server likely" },
        { OPEN REQUEST "S P. +900 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .", "ok ok" },
        { "C S; S S. +400; C .; C P. 'GET / HTTP/1.1|Host: a||'; S . +400; S P. +1100 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .",
          "ok ok" },
        { OPEN REQUEST "S P. +5s 'HTTP/1.1 500 Oh|Content-Length: 0||'; C .", "broken http_server_error server certain + slow_server" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);

    /* a name of two-byte characters, too long for the sentence: it is not cut inside one */
    GString *lines = g_string_new(OPEN "C P. 'GET / HTTP/1.1|Host: x");
    for (int i = 0; i < 100; i++)
        g_string_append(lines, "\xc3\xa9");
    g_string_append(lines, "||'; S .; S P. 'HTTP/1.1 404 Oh|Content-Length: 0||'; C .");
    const struct row row = { lines->str, "degraded http_client_error client certain" };
    check_rows(&row, 1, 4);
    g_string_free(lines, TRUE);
}

static void test_silent(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "wait +10s", "broken server_silent server likely" },
        { OPEN REQUEST "S F. +11s; C F.; S .", "broken response_truncated server likely + server_silent" },
        { OPEN REQUEST "S F. +9s; C F.; S .", "broken response_truncated server likely" }, /* it closes instead of answering */
        { OPEN REQUEST "C F. +9s; S F.; C .", "unknown incomplete_capture capture certain" }, /* the client did not wait */
        { OPEN REQUEST "C F. +11s; S F.; C .", "broken server_silent server likely" },
        /* the request is not acknowledged: nobody knows whether the server has it */
        { OPEN "C P. 'GET / HTTP/1.1|Host: a||'; wait +10s", "unknown incomplete_capture capture certain" },
        /* the silence of a server that speaks first is no silence after a request */
        { OPEN "wait +99s", "unknown incomplete_capture capture certain" },
        /* a request of which the capture missed the beginning */
        { "C P. seq 5 (10); S .; wait +20s", "unknown incomplete_capture capture certain" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* --- TLS, from facts that are put together here --- */

struct tls_row {
    const char *lines; /* the connection under it */
    struct tls_facts tls;
    struct tls_certificate cert;
    const char *expected;
    bool closing_only[2];
};

static bool tls_holds(const struct tls_row *r)
{
    struct talk *t;
    struct flow *f = talk_one(&t, r->lines);
    struct tls_facts tls = r->tls;
    struct tls_certificate cert = r->cert;
    struct app_facts facts = { .protocol = APP_TLS, .tls = &tls }, *before = f->app;
    struct judgement j;
    struct judge_context c = { .now_ns = g_array_index(t->now_ns, int64_t, 0) };

    memcpy(facts.closing_only, r->closing_only, sizeof facts.closing_only);
    tls.client_hello_packet = 4;
    tls.client_hello_ts_ns = f->half[CLIENT].first_data_ns;
    tls.server_hello_ts_ns = tls.finished_ts_ns = TIME_NONE;
    if (cert.not_after_s) {
        tls.certificate = &cert;
        tls.certificate_packet = 6;
    }
    f->app = &facts;
    judge_flow(f, &c, &j);
    const struct row row = { r->lines, r->expected };
    bool holds = judgement_holds(&j, &row, t->number);
    judgement_clear(&j);
    f->app = before;
    talk_free(t);
    return holds;
}

static void check_tls(const struct tls_row *rows, size_t n)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++)
        wrong += !tls_holds(&rows[i]);
    assert_int_equal(wrong, 0);
}

#define HELLO "C P. (300); S .; "
#define HELLOS HELLO "S P. (900); C .; "
#define ASKED(how) .outcome = how, .client_hello = true
#define ANSWERED(how) ASKED(how), .server_hello = true
#define NONE { 0 } /* no certificate to be seen */

static void test_tls(void **state)
{
    (void)state;
    static char sni[] = "www.example.net";
    static const struct tls_row rows[] = {
        { OPEN HELLOS "C P. (99); S .; " CLOSE, { ANSWERED(TLS_COMPLETE) }, NONE, "ok ok" },
        { OPEN HELLOS, { ANSWERED(TLS_INCOMPLETE) }, NONE, "unknown incomplete_capture capture certain" },
        { OPEN HELLOS, { ANSWERED(TLS_INCOMPLETE), .application_data = true }, NONE, "ok ok" }, /* its end was in a gap */
        /* alerts: the fatal one counts, not the warning before it; one that cannot be read is less sure */
        { OPEN HELLO "S FP. (7); C F.; S .",
          { ASKED(TLS_ALERT), .n_alerts = 1, .alerts = { { .from = SERVER, .fatal = true, .description = 40, .packet = 6 } } }, NONE,
          "broken tls_alert server certain" },
        { OPEN HELLOS "C FP. (7); S F.; C .",
          { ANSWERED(TLS_ALERT), .n_alerts = 2, .alerts = { { .from = SERVER, .description = 112, .packet = 6 },
                                                            { .from = CLIENT, .fatal = true, .description = 48, .packet = 8 } } }, NONE,
          "broken tls_alert client certain" },
        { OPEN HELLOS "C FP. (24); S F.; C .",
          { ANSWERED(TLS_ALERT), .n_alerts = 1, .alerts = { { .from = CLIENT, .encrypted = true, .packet = 8 } } }, NONE,
          "broken tls_alert client likely" },
        /* silence: acknowledged, and long enough */
        { OPEN HELLO "wait +10s", { ASKED(TLS_INCOMPLETE), .sni = sni }, NONE, "broken tls_no_server_hello - likely" },
        { OPEN HELLO "wait +9s", { ASKED(TLS_INCOMPLETE) }, NONE, "unknown incomplete_capture capture certain" },
        { OPEN "C P. (300); wait +20s", { ASKED(TLS_INCOMPLETE) }, NONE, "unknown incomplete_capture capture certain" },
        { OPEN HELLO "S F.; C F.; S .", { ASKED(TLS_NO_SERVER_HELLO) }, NONE, "broken tls_reset - likely" },
        { OPEN HELLO "S R", { ASKED(TLS_RESET) }, NONE, "broken tls_reset - likely" },
        { OPEN HELLOS "S F.; C F.; S .", { ANSWERED(TLS_CLOSED) }, NONE, "broken tls_reset - likely" },
        { OPEN HELLOS "C F. +11s; S F.; C .", { ANSWERED(TLS_CLOSED) }, NONE, "broken tls_reset server likely" },
        { OPEN HELLOS "C R +11s", { ANSWERED(TLS_RESET) }, NONE, "broken tls_reset server likely" },
        { OPEN HELLO "S R ttl 200", { ASKED(TLS_RESET) }, NONE, "broken reset_injected path possible + tls_reset" },
        /* only a closing alert meets the RST, or data */
        { OPEN HELLOS "S F.; C .; C P. (31); S R", { ANSWERED(TLS_COMPLETE) }, NONE, "ok ok", { true, false } },
        { OPEN HELLOS "S F.; C .; C P. (31); S R", { ANSWERED(TLS_COMPLETE) }, NONE, "broken reset_by_server server certain" },
        { OPEN HELLO "S P. (99); C .; " CLOSE, { ASKED(TLS_NOT_TLS), .not_tls_packet = 6 }, NONE, "broken tls_not_spoken server certain" },
    };
    check_tls(rows, G_N_ELEMENTS(rows));
}

/* The capture is of November 2023: 1700000000. */
#define GOOD .not_before_s = 1690000000, .not_after_s = 1710000000
#define EXPIRED { .not_before_s = 1, .not_after_s = 1699999999, .subject = subject }
#define TOO_NEW { .not_before_s = 1700000001, .not_after_s = 1800000000 }
#define OWN_KEY { GOOD, .subject = subject, .self_signed = true }
#define DONE ANSWERED(TLS_COMPLETE), .application_data = true
#define CUT_OFF ANSWERED(TLS_CLOSED)
#define MATCHES .certificate_matches = true

static void test_certificates(void **state)
{
    (void)state;
    static char sni[] = "www.example.net", subject[] = "CN=example.org", name[] = "example.org";
    static char *names[] = { name, NULL };
    static const struct tls_row rows[] = {
        { OPEN HELLOS CLOSE, { DONE, .sni = sni, MATCHES }, { GOOD, .names = names }, "ok ok" },
        { OPEN HELLOS CLOSE, { DONE, MATCHES }, EXPIRED, "degraded tls_certificate_expired server certain" },
        { OPEN HELLOS CLOSE, { CUT_OFF, MATCHES }, EXPIRED, "broken tls_certificate_expired server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { CUT_OFF, MATCHES }, TOO_NEW, "broken tls_certificate_not_yet_valid server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { CUT_OFF, .sni = sni }, { GOOD, .names = names }, "broken tls_name_mismatch server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { DONE, .sni = sni }, { GOOD }, "degraded tls_name_mismatch server certain" },
        { OPEN HELLOS CLOSE, { DONE, MATCHES }, OWN_KEY, "degraded tls_self_signed server certain" },
        { OPEN HELLOS CLOSE, { CUT_OFF, MATCHES }, OWN_KEY, "broken tls_self_signed server certain + tls_reset" },
        /* one that cannot be read says nothing */
        { OPEN HELLOS CLOSE, { DONE, .sni = sni }, { .not_after_s = 1, .unreadable = true }, "ok ok" },
        /* where the certificate explains the alert it is the cause */
        { OPEN HELLOS "C FP. (7); S F.; C .",
          { ANSWERED(TLS_ALERT), MATCHES, .n_alerts = 1, .alerts = { { .from = CLIENT, .fatal = true, .description = 45, .packet = 8 } } }, EXPIRED,
          "broken tls_certificate_expired server certain + tls_alert" },
    };
    check_tls(rows, G_N_ELEMENTS(rows));
}

/* --- findings --- */

static void test_catalogue(void **state)
{
    (void)state;
    for (int i = 0; i < CODES; i++) {
        const struct catalogue_row *row = catalogue_row((enum code)i);
        assert_non_null(row->name);
        assert_non_null(row->title);
        assert_non_null(row->meaning);
        assert_non_null(row->source);
        assert_true(i == CODE_OK || (row->remedy && *row->remedy));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(row->name, catalogue_row((enum code)k)->name);
    }
}

static void test_evidence(void **state)
{
    (void)state;
    struct finding *d = finding_new(CODE_PACKET_LOSS, WHERE_PATH, "%d%s.", 7, " lost");

    assert_string_equal(d->summary, "7 lost.");
    for (uint64_t i = 100; i > 0; i--) {
        finding_add_evidence(d, i * 2);
        finding_add_evidence(d, i * 2);
        finding_add_evidence(d, 0);
    }
    assert_int_equal(d->n_evidence, FINDING_EVIDENCE);
    for (unsigned i = 1; i < d->n_evidence; i++)
        assert_true(d->evidence[i] > d->evidence[i - 1]);
    finding_detail_number(d, "n", 5);
    finding_detail_seconds(d, "s", NS_PER_S);
    finding_detail_text(d, "t", "text");
    finding_detail_list(d, "l", (const char *const[]){ "a", "b", NULL });
    struct finding *copy = finding_copy(d);
    finding_free(d);
    assert_int_equal(copy->n_evidence, FINDING_EVIDENCE);
    assert_int_equal(copy->details->len, 4);
    assert_string_equal(g_array_index(copy->details, struct detail, 2).text, "text");
    assert_string_equal(g_array_index(copy->details, struct detail, 3).list[1], "b");
    finding_free(copy);
    finding_free(NULL);
}

static void test_rank(void **state)
{
    (void)state;
    struct finding *reset = finding_new(CODE_RESET_BY_SERVER, WHERE_SERVER, "x."), *cut = finding_new(CODE_RESPONSE_TRUNCATED, WHERE_SERVER, "x."),
                   *loss = finding_new(CODE_PACKET_LOSS, WHERE_PATH, "x."), *none = finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "x.");
    const struct finding *order[] = { reset, cut, loss, none, finding_ok() };

    for (size_t i = 0; i < G_N_ELEMENTS(order); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(order); k++) {
            int sign = finding_compare(order[i], order[k]);
            assert_int_equal((sign > 0) - (sign < 0), (i > k) - (i < k));
        }
    finding_free(reset);
    finding_free(cut);
    finding_free(loss);
    finding_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http),         cmocka_unit_test(test_silent),    cmocka_unit_test(test_tls),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_catalogue), cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
