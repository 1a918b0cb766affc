/* The TLS dissector against real handshakes, made in memory by GnuTLS: every version, resumption, retry, refusals;
 * and each of them cut in every place, a byte at a time, and with every byte changed. */
#include "tls_replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define LEGACY ":%COMPAT:+SIGN-ALL"
#define TLS10 "NORMAL:-VERS-ALL:+VERS-TLS1.0" LEGACY
#define TLS11 "NORMAL:-VERS-ALL:+VERS-TLS1.1" LEGACY
#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static struct identity server_id;

static int make_identity(void **state)
{
    (void)state;
    server_id = identity_simple();
    return 0;
}

static int drop_identity(void **state)
{
    (void)state;
    identity_free(&server_id);
    return 0;
}

/* --- what is read of good connections --- */

static void a_full_handshake(const char *priority, uint16_t version)
{
    struct plan plan = {
        .client_priority = priority, .server_priority = priority, .sni = "www.example.org", .alpn = "h2"
    };
    struct transcript tr = peers_connect(&plan, &server_id);
    struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
    const struct tls_facts *f = &r->facts;
    bool is_13 = version == 0x0304;
    assert_int_equal(f->outcome, TLS_COMPLETE);
    assert_int_equal(f->version, version);
    assert_string_equal(f->sni, "www.example.org");
    assert_int_equal(f->n_client_versions, 1);
    assert_int_equal(f->client_versions[0], version);
    assert_false(f->resumed || f->hello_retry);
    assert_true(f->client_hello && f->server_hello && f->application_data);
    assert_int_equal(f->client_hello_packet, 1);
    assert_int_equal(f->server_hello_packet, 2);
    assert_int_equal(f->client_hello_bytes + 5, transcript_chunk(&tr, 0)->bytes->len);
    assert_int_equal(f->finished_packet, is_13 ? 3 : 4);
    assert_int_equal(f->finished_ts_ns, (int64_t)f->finished_packet * NS_PER_MS);
    if (is_13) {
        assert_null(f->alpn);
        assert_null(f->certificate);
    } else {
        assert_string_equal(f->alpn, "h2");
        assert_string_equal(f->certificate->subject, "CN=www.example.org,O=Example");
        assert_true(f->certificate->self_signed && f->certificate_matches);
        assert_int_equal(f->certificate_packet, 2);
    }
    assert_true(app_tls_closing_only(r->tls, CLIENT) && app_tls_closing_only(r->tls, SERVER));
    assert_int_equal(f->n_alerts, 2);
    assert_true(f->alerts[0].encrypted && f->alerts[1].encrypted);
    reader_free(r);
    transcript_free(&tr);
}

static void every_version(void **state)
{
    (void)state;
    a_full_handshake(TLS10, 0x0301);
    a_full_handshake(TLS11, 0x0302);
    a_full_handshake(TLS12, 0x0303);
    a_full_handshake(TLS13, 0x0304);
}

/* The client offers two versions, the server has the lower one; the highest stands first. */
static void versions_are_negotiated(void **state)
{
    (void)state;
    struct plan plan = { .client_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3", .server_priority = TLS12 };
    struct transcript tr = peers_connect(&plan, &server_id);
    struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
    assert_int_equal(r->facts.version, 0x0303);
    assert_int_equal(r->facts.n_client_versions, 2);
    assert_int_equal(r->facts.client_versions[0], 0x0304);
    assert_int_equal(r->facts.client_versions[1], 0x0303);
    assert_null(r->facts.sni);
    assert_memory_equal(r->facts.ja4, "t13i", 4);
    reader_free(r);
    transcript_free(&tr);
}

static void resumption(void **state)
{
    (void)state;
    static const char *const priorities[] = { TLS12, TLS13 };
    for (unsigned i = 0; i < 2; i++) {
        struct plan plan = { .client_priority = priorities[i], .server_priority = priorities[i], .resume = true };
        struct transcript tr = peers_connect(&plan, &server_id);
        struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
        assert_int_equal(r->facts.outcome, TLS_COMPLETE);
        assert_true(r->facts.resumed);
        assert_null(r->facts.certificate);
        reader_free(r);
        transcript_free(&tr);
    }
}

/* The client's only key share is of a group that the server does not have. */
static struct plan retry_plan(void)
{
    return (struct plan){ .client_priority = TLS13 ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1",
                          .server_priority = TLS13 ":-GROUP-ALL:+GROUP-SECP256R1",
                          .single_key_share = true };
}

static void hello_retry(void **state)
{
    (void)state;
    struct plan plan = retry_plan();
    struct transcript tr = peers_connect(&plan, &server_id);
    struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
    assert_int_equal(r->facts.outcome, TLS_COMPLETE);
    assert_true(r->facts.hello_retry);
    assert_int_equal(r->facts.client_hello_packet, 1);
    assert_int_equal(r->facts.server_hello_packet, 4);
    reader_free(r);
    /* Given up behind the retry: no ServerHello yet, but the version is said. */
    r = reader_replay(&tr, tr.chunks->len - 2, APP_END_RST);
    assert_int_equal(r->facts.outcome, TLS_RESET);
    assert_false(r->facts.server_hello);
    assert_int_equal(r->facts.version, 0x0304);
    reader_free(r);
    transcript_free(&tr);
}

/* --- refusals --- */

/* Replays a connection that must fail with one alert. */
static struct tls_alert the_alert(const struct plan *plan)
{
    struct transcript tr = peers_connect(plan, &server_id);
    struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
    assert_int_equal(r->facts.outcome, TLS_ALERT);
    assert_int_equal(r->facts.n_alerts, 1);
    struct tls_alert alert = r->facts.alerts[0];
    reader_free(r);
    transcript_free(&tr);
    return alert;
}

static void refused_hellos(void **state)
{
    (void)state;
    struct plan versions = { .client_priority = TLS10, .server_priority = TLS12, .quiet = true };
    struct tls_alert alert = the_alert(&versions);
    assert_int_equal(alert.from, SERVER);
    assert_true(alert.fatal && !alert.encrypted);
    assert_int_equal(alert.description, 70);
    assert_int_equal(alert.packet, 2);
    struct plan ciphers = { .client_priority = TLS12 ":-CIPHER-ALL:+AES-256-GCM",
                            .server_priority = TLS12 ":-CIPHER-ALL:+AES-128-GCM",
                            .quiet = true };
    alert = the_alert(&ciphers);
    assert_int_equal(alert.description, 40);
}

/* In clear up to TLS 1.2; in TLS 1.3 by its size, where the Finished should be. */
static void refused_certificates(void **state)
{
    (void)state;
    struct plan plan = { .client_priority = TLS12, .server_priority = TLS12, .reject = true, .quiet = true };
    struct tls_alert alert = the_alert(&plan);
    assert_int_equal(alert.from, CLIENT);
    assert_int_equal(alert.description, 42);
    plan.client_priority = plan.server_priority = TLS13;
    alert = the_alert(&plan);
    assert_int_equal(alert.from, CLIENT);
    assert_true(alert.encrypted);
    plan.client_priority = plan.server_priority = TLS13 ":-CIPHER-ALL:+AES-128-CCM-8";
    alert = the_alert(&plan);
    assert_true(alert.encrypted);
}

/* The client shows that it has no certificate; TLS 1.3 thinks itself complete before the server refuses. */
static void missing_client_certificates(void **state)
{
    (void)state;
    struct plan plan = {
        .client_priority = TLS12, .server_priority = TLS12, .want_client_certificate = true, .quiet = true
    };
    struct tls_alert alert = the_alert(&plan);
    assert_int_equal(alert.from, SERVER);
    assert_false(alert.encrypted);
    struct transcript tr = peers_connect(&plan, &server_id);
    struct reader *r = reader_replay(&tr, 0, APP_END_FIN);
    assert_true(r->facts.certificate_requested);
    reader_free(r);
    transcript_free(&tr);
    plan.client_priority = plan.server_priority = TLS13;
    alert = the_alert(&plan);
    assert_int_equal(alert.from, SERVER);
    assert_true(alert.encrypted);
}

/* --- cut short --- */

/* How a connection of which only the first chunks were sent ends. */
static void cut_after(const struct transcript *tr, unsigned chunks, enum tls_outcome fin, enum tls_outcome rst,
                      enum tls_outcome capture)
{
    const enum tls_outcome expected[] = { [APP_END_FIN] = fin, [APP_END_RST] = rst, [APP_END_CAPTURE] = capture };
    for (int how = APP_END_FIN; how <= APP_END_CAPTURE; how++) {
        struct reader *r = reader_replay(tr, tr->chunks->len - chunks, (enum app_ending)how);
        assert_int_equal(r->facts.outcome, expected[how]);
        reader_free(r);
    }
}

static void endings(void **state)
{
    (void)state;
    static const char *const priorities[] = { TLS12, TLS13 };
    for (unsigned i = 0; i < 2; i++) {
        struct plan plan = { .client_priority = priorities[i], .server_priority = priorities[i] };
        struct transcript tr = peers_connect(&plan, &server_id);
        cut_after(&tr, 1, TLS_NO_SERVER_HELLO, TLS_RESET, TLS_NO_SERVER_HELLO);
        cut_after(&tr, 2, TLS_CLOSED, TLS_RESET, TLS_INCOMPLETE);
        cut_after(&tr, i == 0 ? 4 : 3, TLS_COMPLETE, TLS_COMPLETE, TLS_COMPLETE);
        transcript_free(&tr);
    }
}

/* The server closes without an answer; the client only then. */
static void server_closes_first(void **state)
{
    (void)state;
    struct plan plan = { .client_priority = TLS13 };
    struct transcript tr = peers_connect(&plan, &server_id);
    struct reader *r = reader_new();
    reader_chunk(r, &tr, 0);
    app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
    app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
    assert_int_equal(r->facts.outcome, TLS_CLOSED);
    reader_free(r);
    transcript_free(&tr);
}

/* Only one direction was captured: nothing is said about the other. */
static void one_direction(void **state)
{
    (void)state;
    static const char *const priorities[] = { TLS12, TLS13 };
    for (unsigned i = 0; i < 4; i++) {
        struct plan plan = { .client_priority = priorities[i / 2], .server_priority = priorities[i / 2] };
        struct transcript tr = peers_connect(&plan, &server_id);
        struct reader *r = reader_new();
        for (unsigned k = 0; k < tr.chunks->len; k++)
            if (transcript_chunk(&tr, k)->from == i % 2)
                reader_chunk(r, &tr, k);
        app_tls_end(r->tls, (enum side)(i % 2), APP_END_FIN, 0);
        app_tls_end(r->tls, other_side((enum side)(i % 2)), APP_END_CAPTURE, 0);
        assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
        reader_free(r);
        transcript_free(&tr);
    }
}

/* The server's certificate is lost with half of its flight, or all of its flight: data in both directions proves
 * the rest. */
static void gaps_in_the_handshake(void **state)
{
    (void)state;
    static const char *const priorities[] = { TLS12, TLS13 };
    for (unsigned i = 0; i < 4; i++) {
        struct plan plan = { .client_priority = priorities[i / 2],
                             .server_priority = priorities[i / 2],
                             .sni = "www.example.org" };
        struct transcript tr = peers_connect(&plan, &server_id);
        struct reader *r = reader_new();
        unsigned lost = transcript_chunk(&tr, 1)->bytes->len / (1 + i % 2),
                 kept = transcript_chunk(&tr, 1)->bytes->len - lost;
        reader_chunk(r, &tr, 0);
        reader_feed(r, SERVER, transcript_chunk(&tr, 1)->bytes->data, kept, 2);
        app_tls_gap(r->tls, SERVER, lost, 0, 2);
        assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
        for (unsigned k = 2; k < tr.chunks->len; k++)
            reader_chunk(r, &tr, k);
        app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
        app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
        assert_int_equal(r->facts.outcome, TLS_COMPLETE);
        assert_null(r->facts.certificate);
        reader_free(r);
        transcript_free(&tr);
    }
}

/* --- the same facts, however the bytes are cut --- */

static char *facts_split(const struct transcript *tr, unsigned chunk, unsigned at)
{
    struct reader *r = reader_new();
    for (unsigned i = 0; i < tr->chunks->len; i++) {
        const struct chunk *c = transcript_chunk(tr, i);
        if (i == chunk) {
            reader_feed(r, c->from, c->bytes->data, at, i + 1);
            reader_feed(r, c->from, c->bytes->data + at, c->bytes->len - at, i + 1);
        } else {
            reader_chunk(r, tr, i);
        }
    }
    app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
    app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
    char *text = facts_text(&r->facts);
    reader_free(r);
    return text;
}

static char *facts_bytewise(const struct transcript *tr)
{
    struct reader *r = reader_new();
    for (unsigned i = 0; i < tr->chunks->len; i++)
        for (unsigned k = 0; k < transcript_chunk(tr, i)->bytes->len; k++)
            reader_feed(r, transcript_chunk(tr, i)->from, transcript_chunk(tr, i)->bytes->data + k, 1, i + 1);
    app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
    app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
    char *text = facts_text(&r->facts);
    reader_free(r);
    return text;
}

static void same_in_pieces(const struct transcript *tr)
{
    char *whole = facts_split(tr, 0, 0), *bytewise = facts_bytewise(tr);
    assert_string_equal(whole, bytewise);
    for (unsigned i = 0; i < tr->chunks->len; i++)
        for (unsigned at = 1; at < transcript_chunk(tr, i)->bytes->len; at++) {
            char *split = facts_split(tr, i, at);
            assert_string_equal(whole, split);
            g_free(split);
        }
    g_free(whole);
    g_free(bytewise);
}

/* Nothing is promised of the facts, but that they can be read. */
static void any_byte_changed(struct transcript *tr)
{
    for (unsigned i = 0; i < tr->chunks->len; i++) {
        GByteArray *bytes = transcript_chunk(tr, i)->bytes;
        for (unsigned at = 0; at < bytes->len; at++) {
            bytes->data[at] ^= 0xff;
            char *text = facts_split(tr, i, at / 2);
            assert_non_null(text);
            g_free(text);
            bytes->data[at] ^= 0xff;
        }
    }
}

static void pieces_and_damage(void **state)
{
    (void)state;
    struct plan plans[] = {
        { .client_priority = TLS12, .server_priority = TLS12, .sni = "www.example.org", .alpn = "http/1.1" },
        { .client_priority = TLS12, .server_priority = TLS12, .resume = true },
        { .client_priority = TLS12, .server_priority = TLS12, .reject = true, .quiet = true },
        { .client_priority = TLS13, .server_priority = TLS13, .want_client_certificate = true, .quiet = true },
        retry_plan()
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(plans); i++) {
        struct transcript tr = peers_connect(&plans[i], &server_id);
        same_in_pieces(&tr);
        any_byte_changed(&tr);
        transcript_free(&tr);
    }
}

/* Who connected does not matter: an FTP server opens data connections on which it is the TLS server (RFC 4217). */
static void roles_reversed(void **state)
{
    (void)state;
    static const char *const priorities[] = { TLS12, TLS13 };
    for (unsigned i = 0; i < 2; i++) {
        struct plan plan = { .client_priority = priorities[i],
                             .server_priority = priorities[i],
                             .sni = "www.example.org" };
        struct transcript tr = peers_connect(&plan, &server_id);
        struct reader *r = reader_new();
        for (unsigned k = 0; k < tr.chunks->len; k++) {
            const struct chunk *c = transcript_chunk(&tr, k);
            reader_feed(r, other_side(c->from), c->bytes->data, c->bytes->len, k + 1);
        }
        assert_int_equal(r->facts.outcome, TLS_COMPLETE);
        assert_true(r->facts.application_data);
        assert_true((r->facts.certificate != NULL) == (i == 0));
        reader_free(r);
        transcript_free(&tr);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_version),
        cmocka_unit_test(versions_are_negotiated),
        cmocka_unit_test(resumption),
        cmocka_unit_test(hello_retry),
        cmocka_unit_test(refused_hellos),
        cmocka_unit_test(refused_certificates),
        cmocka_unit_test(missing_client_certificates),
        cmocka_unit_test(endings),
        cmocka_unit_test(server_closes_first),
        cmocka_unit_test(one_direction),
        cmocka_unit_test(gaps_in_the_handshake),
        cmocka_unit_test(pieces_and_damage),
        cmocka_unit_test(roles_reversed),
    };
    return cmocka_run_group_tests(tests, make_identity, drop_identity);
}
