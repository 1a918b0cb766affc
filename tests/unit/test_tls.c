/* The TLS dissector against bytes made by hand: recognition, old and odd forms, alerts, gaps, sizes. */
#include "dissect/tls_internal.h"
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* --- recognition --- */

static const struct {
    const char *hex;
    enum side from;
    int verdict;
} recognised[] = {
    { "", CLIENT, 0 },
    { "16", CLIENT, 0 },
    { "16 03 01 02 00", CLIENT, 0 },
    { "16 03 01 02 00 01 00 01 fc 03", CLIENT, 1 },       /* ClientHello */
    { "16 03 03 00 5a 02 00 00 56 03", SERVER, 1 },       /* ServerHello */
    { "16 03 01 00 01 01 16 03 01 00 01 00", CLIENT, 1 }, /* ClientHello cut into records of one byte */
    { "16 03 01 00 01 01 47 45 54", CLIENT, -1 },         /* that, but no record behind it */
    { "16 03 01 02 00 01 00 01 fc 47", CLIENT, 1 }, /* no hello by its version, an encrypted message by its length */
    { "15 03 03 00 02 02 28", SERVER, 1 },          /* handshake_failure */
    { "15 03 03 00 02 02", SERVER, 0 },
    { "15 03 03 00 02 07 28", SERVER, -1 }, /* no such level */
    { "15 03 03 00 1a", CLIENT, 1 },        /* encrypted alert */
    { "14 03 03 00 01 01", CLIENT, 1 },     /* ChangeCipherSpec */
    { "14 03 03 00 02 01", CLIENT, -1 },
    { "17 03 03 00 20", SERVER, 1 },        /* application data, the rest not there yet */
    { "17 03 03 00 02 aa bb", SERVER, -1 }, /* too short for encrypted data */
    { "17 03 03 ff ff", SERVER, -1 },       /* too long for a record */
    { "17 03 03 00 10 00112233445566778899aabbccddeeff 17 03 03 00", CLIENT, 1 },
    { "17 03 03 00 10 00112233445566778899aabbccddeeff 17 03 01", CLIENT, -1 }, /* another version behind it */
    { "17 03 05 00 20", SERVER, -1 },
    { "18 03 03 00 20", SERVER, -1 },
    { "47 45 54 20 2f", CLIENT, -1 },                  /* GET / */
    { "80 2e 01 03 01 00 15 00 00 00 10", CLIENT, 1 }, /* SSL 2.0 form: 9 + 21 + 0 + 16 */
    { "80 2e 01 03 01 00 15 00 00", CLIENT, 0 },
    { "80 2f 01 03 01 00 15 00 00 00 10", CLIENT, -1 }, /* lengths that do not add up */
    { "80 2e 01 03 01 00 15 00 00 00 10", SERVER, -1 },
    { "80 2e 01 04 01 00 15 00 00 00 10", CLIENT, -1 },
};

static void recognition(void **state)
{
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(recognised); i++) {
        GByteArray *bytes = hex(recognised[i].hex);
        uint8_t *copy = guard_copy(bytes->data, bytes->len);
        int verdict = app_tls_recognise(slice_of(copy, bytes->len), recognised[i].from);
        if (verdict != recognised[i].verdict)
            fail_msg("%s: %d", recognised[i].hex, verdict);
        guard_free(copy);
        g_byte_array_unref(bytes);
    }
}

/* No prefix of a ClientHello is refused, and none is read beyond its end. */
static void every_prefix_of_a_hello(void **state)
{
    (void)state;
    GByteArray *bytes = record(22, client_hello(0x0303, "1301 002f", "0000 0010 000e 00 000b 7777772e7570632e656475"));
    for (unsigned n = 0; n < bytes->len; n++) {
        uint8_t *copy = guard_copy(bytes->data, n);
        assert_true(app_tls_recognise(slice_of(copy, n), CLIENT) >= 0);
        guard_free(copy);
        struct reader *r = reader_new();
        reader_feed(r, CLIENT, bytes->data, n, 1);
        assert_false(r->facts.client_hello);
        app_tls_end(r->tls, CLIENT, APP_END_CAPTURE, 0);
        assert_int_equal(r->facts.client_hello, n >= 9); /* what there is of it is told */
        assert_null(r->facts.ja3);
        reader_free(r);
    }
    g_byte_array_unref(bytes);
}

/* --- odd forms --- */

/* Records of one byte each; and one of a million records that hold no handshake. */
static void tiny_records(void **state)
{
    (void)state;
    GByteArray *message = client_hello(0x0303, "002f", "0000 0010 000e 00 000b 7777772e7570632e656475");
    struct reader *r = reader_new();
    for (unsigned i = 0; i < message->len; i++) {
        GByteArray *body = g_byte_array_new();
        put(body, 1, message->data[i]);
        feed(r, CLIENT, i + 1, record(22, body));
    }
    assert_string_equal(r->facts.sni, "www.upc.edu");
    assert_non_null(r->facts.ja4);
    assert_int_equal(r->facts.client_hello_packet, message->len);
    GByteArray *many = g_byte_array_new();
    for (int i = 0; i < 1000000; i++)
        put_hex(many, "1703030000");
    feed(r, SERVER, 1000, many);
    assert_true(app_tls_wants(r->tls, SERVER));
    reader_free(r);
    g_byte_array_unref(message);
}

/* An announced length costs nothing; a message beyond the limit is stepped over. */
static void huge_messages(void **state)
{
    (void)state;
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, record(22, hex("01 03ffff 0303")));
    assert_false(r->facts.client_hello);
    reader_free(r);
    r = after_hello(0x0303);
    feed(r, SERVER, 2, server_hello(0x0303));
    feed(r, SERVER, 2, record(22, hex("0b ffffff 000000")));
    assert_null(r->tls->half[SERVER].message);
    assert_true(app_tls_wants(r->tls, SERVER));
    reader_free(r);
}

/* ClientHello in the form of SSL 2.0, answered in that of SSL 3.0; and answered in SSL 2.0. */
static void ssl2_hellos(void **state)
{
    (void)state;
    static const char hello[] = "80 1c 01 0301 0003 0000 0010 00002f 000102030405060708090a0b0c0d0e0f";
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, hex(hello));
    assert_true(r->facts.client_hello);
    assert_int_equal(r->facts.client_versions[0], 0x0301);
    feed(r, SERVER, 2, server_hello(0x0301));
    assert_int_equal(r->facts.version, 0x0301);
    reader_free(r);
    r = reader_new();
    feed(r, CLIENT, 1, hex(hello));
    feed(r, SERVER, 2, hex("80 0e 04 00 01 0002 0000 0003 0000 010080"));
    assert_int_equal(r->facts.version, 0x0002);
    feed(r, CLIENT, 3, hex("80 05 02 0102030405"));
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    feed(r, SERVER, 4, hex("80 05 0102030405"));
    assert_int_equal(r->facts.outcome, TLS_COMPLETE);
    reader_free(r);
}

static void plain_answers(void **state)
{
    (void)state;
    static const char *const answers[] = { "48", "16 4f", "80 05", "0a" };
    for (unsigned i = 0; i < G_N_ELEMENTS(answers); i++) {
        struct reader *r = after_hello(0x0303);
        feed(r, SERVER, 7, hex(answers[i]));
        assert_int_equal(r->facts.outcome, TLS_NOT_TLS);
        assert_int_equal(r->facts.not_tls_packet, 7);
        assert_false(app_tls_wants(r->tls, CLIENT) || app_tls_wants(r->tls, SERVER));
        app_tls_end(r->tls, SERVER, APP_END_RST, 0);
        assert_int_equal(r->facts.outcome, TLS_NOT_TLS);
        reader_free(r);
    }
}

/* A greeting before the ClientHello is no TLS either; what stands behind a gap proves nothing. */
static void plain_or_unknown(void **state)
{
    (void)state;
    struct reader *r = reader_new();
    feed(r, SERVER, 1, hex("53 53 48 2d"));
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    feed(r, CLIENT, 2, record(22, client_hello(0x0303, "002f", NULL)));
    assert_int_equal(r->facts.outcome, TLS_NOT_TLS);
    assert_int_equal(r->facts.not_tls_packet, 1);
    reader_free(r);
    r = after_hello(0x0303);
    app_tls_gap(r->tls, SERVER, 100, 0, 2);
    assert_true(app_tls_wants(r->tls, SERVER));
    feed(r, SERVER, 3, hex("53 53 48 2d 32 2e"));
    assert_false(app_tls_wants(r->tls, SERVER));
    app_tls_end(r->tls, SERVER, APP_END_RST, 0);
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    reader_free(r);
}

/* --- alerts --- */

static void alerts_in_clear(void **state)
{
    (void)state;
    struct reader *r = after_hello(0x0303);
    feed(r, SERVER, 2, hex("15 0303 0002 01 70")); /* warning, unrecognized_name: the handshake survives it */
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    feed(r, SERVER, 2, hex("15 0303 0001 02 15 0303 0001 28")); /* one alert in two records */
    assert_int_equal(r->facts.outcome, TLS_ALERT);
    assert_int_equal(r->facts.n_alerts, 2);
    assert_false(r->facts.alerts[0].fatal);
    assert_true(r->facts.alerts[1].fatal);
    assert_int_equal(r->facts.alerts[1].description, 40);
    app_tls_end(r->tls, SERVER, APP_END_RST, 0);
    assert_int_equal(r->facts.outcome, TLS_ALERT);
    reader_free(r);
    /* In TLS 1.3 the level says nothing. */
    r = after_hello(0x0303);
    feed(r, SERVER, 2, server_hello(0x0304));
    feed(r, CLIENT, 3, hex("15 0303 0002 01 2f"));
    assert_true(r->facts.alerts[0].fatal);
    reader_free(r);
}

/* The list is full of warnings: the fatal one is still told. */
static void alert_flood(void **state)
{
    (void)state;
    struct reader *r = after_hello(0x0303);
    for (int i = 0; i < 100; i++)
        feed(r, SERVER, 2, hex("15 0303 0002 01 70"));
    feed(r, SERVER, 3, hex("15 0303 0002 02 50"));
    assert_int_equal(r->facts.n_alerts, TLS_ALERTS_KEPT);
    assert_int_equal(r->facts.alerts[TLS_ALERTS_KEPT - 1].description, 80);
    assert_int_equal(r->facts.outcome, TLS_ALERT);
    reader_free(r);
}

/* Up to TLS 1.2, an alert where the Finished of the other side was due. */
static void encrypted_alert_for_finished(void **state)
{
    (void)state;
    struct reader *r = after_hello(0x0303);
    feed(r, SERVER, 2, server_hello(0x0303));
    feed(r, CLIENT, 3, hex("14 0303 0001 01"));
    GByteArray *body = g_byte_array_new();
    g_byte_array_set_size(body, 26);
    memset(body->data, 0x5a, body->len);
    feed(r, CLIENT, 3, record(21, body));
    assert_int_equal(r->facts.outcome, TLS_ALERT);
    assert_true(r->facts.alerts[0].encrypted);
    reader_free(r);
}

/* The same, but the server's half was held up by a hole: by its packet's number its Finished came before that alert. */
static void late_proof(void **state)
{
    (void)state;
    for (uint64_t packet = 4; packet <= 6; packet += 2) {
        struct reader *r = after_hello(0x0303);
        feed(r, SERVER, 2, server_hello(0x0303));
        feed(r, CLIENT, 3, hex("14 0303 0001 01 16 0303 0010 00112233445566778899aabbccddeeff"));
        feed(r, CLIENT, 5, hex("15 0303 0010 00112233445566778899aabbccddeeff"));
        assert_int_equal(r->facts.outcome, TLS_ALERT);
        feed(r, SERVER, packet, hex("14 0303 0001 01 16 0303 0010 00112233445566778899aabbccddeeff"));
        assert_int_equal(r->facts.outcome, packet < 5 ? TLS_COMPLETE : TLS_ALERT);
        reader_free(r);
    }
}

static void goodbyes(void **state)
{
    (void)state;
    struct reader *r = after_hello(0x0303);
    assert_false(app_tls_closing_only(r->tls, CLIENT) || app_tls_closing_only(r->tls, SERVER));
    feed(r, CLIENT, 2, hex("15 0303 0002 01"));
    assert_false(app_tls_closing_only(r->tls, CLIENT));
    feed(r, CLIENT, 2, hex("00"));
    assert_true(app_tls_closing_only(r->tls, CLIENT));
    feed(r, SERVER, 3, hex("15 0303 0002 02 28"));
    assert_false(app_tls_closing_only(r->tls, SERVER)); /* bad news is something of value */
    reader_free(r);
    /* In mid-stream: data, then a record of an alert's size, then data again. */
    r = reader_new();
    feed(r, SERVER, 1, hex("17 0303 0014 00112233445566778899aabbccddeeff00112233"));
    assert_false(app_tls_closing_only(r->tls, SERVER));
    feed(r, SERVER, 2, hex("17 0303 0013 00112233445566778899aabbccddeeff001122"));
    assert_true(app_tls_closing_only(r->tls, SERVER));
    feed(r, SERVER, 3, hex("17"));
    assert_false(app_tls_closing_only(r->tls, SERVER));
    reader_free(r);
}

/* --- gaps and mid-stream --- */

static void gaps(void **state)
{
    (void)state;
    struct reader *r = reader_new();
    feed(r, SERVER, 1, hex("17 0303 0100 0011"));
    app_tls_gap(r->tls, SERVER, 254, 0, 2); /* to the end of the record */
    feed(r, SERVER, 3, hex("17 0303 0014 0011"));
    app_tls_gap(r->tls, SERVER, 10, 0, 4); /* inside it */
    feed(r, SERVER, 5, hex("0011223344556677 17 0303 0020"));
    assert_true(app_tls_wants(r->tls, SERVER));
    app_tls_gap(r->tls, SERVER, 100, 0, 6); /* beyond it, to where a record begins */
    feed(r, SERVER, 7, hex("17 0303 0020 11"));
    assert_true(app_tls_wants(r->tls, SERVER));
    app_tls_gap(r->tls, SERVER, 100, 0, 8); /* beyond it, to somewhere */
    feed(r, SERVER, 9, hex("0011223344556677"));
    assert_false(app_tls_wants(r->tls, SERVER));
    assert_true(app_tls_wants(r->tls, CLIENT));
    assert_int_equal(r->facts.version, 0);
    assert_true(r->facts.application_data);
    app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    reader_free(r);
}

/* The ClientHello's tail is missing, as where packets were cut when captured: the name is still read, no
 * fingerprint is made. */
static void cut_hello(void **state)
{
    (void)state;
    GByteArray *bytes =
        record(22, client_hello(0x0303, "002f", "0000 0010 000e 00 000b 7777772e7570632e656475 0017 0000 0023 0000"));
    for (unsigned less = 1; less < 9; less++) {
        struct reader *r = reader_new();
        reader_feed(r, CLIENT, bytes->data, bytes->len - less, 1);
        app_tls_gap(r->tls, CLIENT, less, 0, 1);
        assert_string_equal(r->facts.sni, "www.upc.edu");
        assert_null(r->facts.ja3);
        feed(r, CLIENT, 2, hex("14 0303 0001 01"));
        assert_true(r->tls->half[CLIENT].change_cipher);
        reader_free(r);
    }
    g_byte_array_unref(bytes);
}

/* --- TLS 1.3 by sizes --- */

/* An application data record whose body has so many bytes. */
static GByteArray *protected(unsigned n)
{
    GByteArray *body = g_byte_array_new();
    g_byte_array_set_size(body, n);
    memset(body->data, 0x77, n);
    return record(23, body);
}

/* 0-RTT: the client's early data prove nothing, its EndOfEarlyData (21) neither, its Finished (53) does. */
static void early_data(void **state)
{
    (void)state;
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, record(22, client_hello(0x0303, "1301", "002a 0000 002b 0003 02 0304")));
    feed(r, CLIENT, 1, hex("14 0303 0001 01"));
    feed(r, CLIENT, 1, protected(300));
    feed(r, SERVER, 2, server_hello(0x0304));
    feed(r, CLIENT, 3, protected(19)); /* two bytes of early data look like an alert */
    feed(r, SERVER, 4, protected(100));
    feed(r, CLIENT, 5, protected(19));
    feed(r, CLIENT, 5, protected(21));
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    assert_int_equal(r->facts.n_alerts, 0);
    feed(r, CLIENT, 6, protected(53));
    assert_int_equal(r->facts.outcome, TLS_COMPLETE);
    assert_int_equal(r->facts.finished_packet, 6);
    reader_free(r);
    /* With padded records the server's going on says it. */
    r = reader_new();
    feed(r, CLIENT, 1, record(22, client_hello(0x0303, "1301", "002a 0000 002b 0003 02 0304")));
    feed(r, SERVER, 2, server_hello(0x0304));
    feed(r, SERVER, 2, protected(100));
    feed(r, CLIENT, 3, protected(64));
    assert_int_equal(r->facts.outcome, TLS_INCOMPLETE);
    feed(r, SERVER, 4, protected(200));
    assert_int_equal(r->facts.outcome, TLS_COMPLETE);
    reader_free(r);
}

/* A client certificate (three records), a request, an answer; and the same with a goodbye of the client before
 * that of the server. */
static void client_certificate(void **state)
{
    (void)state;
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, record(22, client_hello(0x0303, "1301", "002b 0003 02 0304")));
    feed(r, SERVER, 2, server_hello(0x0304));
    feed(r, SERVER, 2, protected(900));
    feed(r, CLIENT, 3, protected(700));
    feed(r, CLIENT, 3, protected(99));
    feed(r, CLIENT, 4, protected(53));
    assert_int_equal(r->facts.outcome, TLS_COMPLETE);
    assert_int_equal(r->facts.finished_packet, 4);
    feed(r, CLIENT, 5, protected(200));
    assert_false(r->facts.application_data);
    feed(r, CLIENT, 6, protected(19));
    feed(r, SERVER, 7, protected(19));
    app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
    app_tls_end(r->tls, CLIENT, APP_END_FIN, 0);
    assert_int_equal(r->facts.outcome, TLS_COMPLETE); /* the server said goodbye to a client that had left */
    assert_int_equal(r->facts.n_alerts, 2);
    reader_free(r);
}

/* A FIN, then a RST by the same side: the RST counts. */
static void fin_then_reset(void **state)
{
    (void)state;
    struct reader *r = after_hello(0x0303);
    app_tls_end(r->tls, SERVER, APP_END_FIN, 0);
    assert_int_equal(r->facts.outcome, TLS_CLOSED);
    app_tls_end(r->tls, SERVER, APP_END_RST, 0);
    app_tls_end(r->tls, CLIENT, APP_END_CAPTURE, 0);
    assert_int_equal(r->facts.outcome, TLS_RESET);
    reader_free(r);
}

/* One a connection, and there are many. */
static void sizes(void **state)
{
    (void)state;
    assert_true(sizeof(struct app_tls) < 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recognition),
        cmocka_unit_test(every_prefix_of_a_hello),
        cmocka_unit_test(tiny_records),
        cmocka_unit_test(huge_messages),
        cmocka_unit_test(ssl2_hellos),
        cmocka_unit_test(plain_answers),
        cmocka_unit_test(plain_or_unknown),
        cmocka_unit_test(alerts_in_clear),
        cmocka_unit_test(alert_flood),
        cmocka_unit_test(goodbyes),
        cmocka_unit_test(encrypted_alert_for_finished),
        cmocka_unit_test(late_proof),
        cmocka_unit_test(gaps),
        cmocka_unit_test(cut_hello),
        cmocka_unit_test(early_data),
        cmocka_unit_test(client_certificate),
        cmocka_unit_test(fin_then_reset),
        cmocka_unit_test(sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
