#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "dissect/app_first.h"
#include "tests/unit/app_script.h"
#include "tests/unit/guard.h"

static void check_port(uint16_t port, const struct step *steps, size_t n, const char *expected)
{
    char *whole = run_script(steps, n, port, 0);
    assert_string_equal(whole, expected);
    free(whole);
    char *bytes = run_script(steps, n, port, 1);
    assert_string_equal(bytes, expected);
    free(bytes);
    for (size_t cut = 0; cut < n; cut++) {
        for (size_t at = 1; steps[cut].what == SEND && at < steps[cut].n; at++) {
            char *two = run_cut(steps, n, port, cut, at);
            assert_string_equal(two, expected);
            free(two);
        }
    }
}

#define STEPS(...) (const struct step[]){ __VA_ARGS__ }, sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step)
#define CHECK(expected, ...) check_port(12345, STEPS(__VA_ARGS__), expected)
#define CHECK_PORT(port, expected, ...) check_port(port, STEPS(__VA_ARGS__), expected)

/* A record with a ClientHello: TLS 1.2, one cipher suite (ECDHE-RSA-AES128-GCM-SHA256), no extensions. */
#define HELLO                                                                                                          \
    "\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03"                                                                     \
    "0123456789abcdef0123456789abcdef"                                                                                 \
    "\x00\x00\x02\xc0\x2f\x01\x00"
/* The answer: a record with a fatal handshake_failure alert. */
#define ALERT "\x15\x03\x03\x00\x02\x02\x28"

static void test_nothing(void **state)
{
    (void)state;
    CHECK("nothing", C_FIN, S_FIN);
    CHECK("nothing", C("hello\r\n"), S("world\r\n"), C_FIN);
    CHECK("nothing", C("\0\0\0\0\0\0"), S("\xff\xff\xff\xff"), S_RST);
    struct app *a = app_new(80);
    assert_int_equal(app_facts(a)->protocol, APP_UNKNOWN);
    app_free(a);
    app_free(NULL);
    app_facts_free(NULL);
}

static void test_names(void **state)
{
    (void)state;
    assert_null(app_protocol_name(APP_UNKNOWN));
    assert_null(app_protocol_name(APP_PROTOCOLS));
    for (int p = APP_UNKNOWN + 1; p < APP_PROTOCOLS; p++)
        assert_non_null(app_protocol_name((enum app_protocol)p));
    assert_string_equal(app_protocol_name(APP_POSTGRESQL), "postgresql");
}

static void test_greetings(void **state)
{
    (void)state;
    CHECK("ssh 'SSH-2.0-OpenSSH_9.2p1 Debian-2'", S("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\0\0\x04"), C("SSH-2.0-x\r\n"));
    CHECK("smtp '220 mx.example ESMTP Postfix'", S("220 mx.example ESMTP Postfix\r\n"), C("QUIT\r\n"));
    CHECK("smtp '220-mx.example'", S("220-mx.example\r\n220 ready\r\n"), C("EHLO me\r\n"), S("250 mx.example\r\n"));
    CHECK("ftp '220 (vsFTPd 3.0.3)'", S("220 (vsFTPd 3.0.3)\r\n"), C("USER anonymous\r\n"));
    CHECK("ftp '220 Welcome.'", S("220 Welcome.\r\n"), C("USER anonymous\r\n"));
    CHECK_PORT(21, "ftp '421 Too many.'", S("421 Too many.\r\n"), S_FIN);
    CHECK_PORT(25, "smtp '554 Go away'", S("554 Go away\r\n"), S_FIN);
    CHECK("unknown '220 Welcome'", S("220 Welcome\r\n"), S_FIN);
    CHECK("imap '* OK [CAPABILITY IMAP4rev1] ready'", S("* OK [CAPABILITY IMAP4rev1] ready\r\n"), C("a LOGIN x y\r\n"));
    CHECK("pop3 '+OK POP3 ready <1@x>'", S("+OK POP3 ready <1@x>\r\n"), C("USER x\r\n"));
    CHECK("redis '-NOAUTH Authentication required.'", C("*1\r\n$4\r\nPING\r\n"),
          S("-NOAUTH Authentication required.\r\n"));
    CHECK("redis", C("*1\r\n$4\r\nPING\r\n"), S("+PONG\r\n"));
    CHECK("mysql '8.0.36'",
          S("\x2d\0\0\0\x0a"
            "8.0.36\0"
            "0123456789012345678901234567890123"),
          C("\x20\0\0\x01\x05\xa2\0\0"));
    CHECK("mysql 'Host is blocked'", S("\x18\0\0\0\xff\x69\x04#HY000Host is blocked"), S_FIN);
    CHECK("postgresql 'too many'", C("\0\0\0\x0f\0\3\0\0user\0x\0"), S("E\0\0\0\x1dSFATAL\0C53300\0Mtoo many\0\0"));
    CHECK("postgresql", S("R\0\0\0\x08\0\0\0\x05"), S("x"));
    CHECK("http2", C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"), S("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"));
    CHECK("http2", S("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"));
    /* A DNS query for example.org, A, with its length. */
    CHECK("dns", C("\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"));
    /* A greeting that is never whole is kept as far as it goes. */
    CHECK("ssh 'SSH-2.0-Op'", S("SSH-2.0-Op"), S_GAP(10), S("rest\r\n"));
}

static void test_greeting_is_bounded(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof text);
    memcpy(text, "SSH-2.0-", 8);
    const struct step s = { SEND, SERVER, text, sizeof text };
    struct app *a = app_new(22);
    feed_step(a, &s, 0, 0, 100);
    assert_true(app_wants(a, SERVER));
    feed_step(a, &s, 1, 0, 100);
    feed_step(a, &(const struct step)S("\r\n"), 2, 0, 0);
    assert_false(app_wants(a, SERVER)); /* beyond LIMIT_APP_PROBE nobody waits for the end of the line */
    app_free(a);
}

static void test_tls(void **state)
{
    (void)state;
    CHECK("tls tls alert client_hello", C(HELLO), S(ALERT), S_FIN);
    /* The server speaks plainly to a ClientHello: TLS says so, no second protocol appears. */
    CHECK("tls tls not_tls client_hello", C(HELLO), S("HTTP/1.1 400 Bad Request\r\n\r\n"), S_FIN);
    /* The other way round: a client that speaks TLS to a server that has greeted plainly. */
    const struct step steps[] = { S("220 mx ESMTP\r\n"), C(HELLO), S("500 What?\r\n"), S_FIN };
    char *text = run_script(steps, 4, 25, 0);
    assert_string_equal(text, "smtp(tls) '220 mx ESMTP' tls not_tls client_hello");
    free(text);
}

static void test_starttls(void **state)
{
    (void)state;
    CHECK("smtp(tls) '220 mx ESMTP' tls alert client_hello", S("220 mx ESMTP\r\n"), C("EHLO me\r\n"),
          S("250-mx\r\n250 STARTTLS\r\n"), C("starttls\r\n"), S("220 Go ahead\r\n"), C(HELLO), S(ALERT), S_FIN);
    CHECK("smtp '220 mx ESMTP'", S("220 mx ESMTP\r\n"), C("STARTTLS\r\n"), S("454 Not now\r\n"), C("QUIT\r\n"),
          S("221 Bye\r\n"), S_FIN);
    CHECK("ftp(tls) '220 FTP' tls alert client_hello", S("220 FTP\r\n"), C("AUTH TLS\r\n"), S("234 Proceed\r\n"),
          C(HELLO), S(ALERT), S_FIN);
    CHECK("pop3(tls) '+OK hi' tls alert client_hello", S("+OK hi\r\n"), C("STLS\r\n"), S("+OK Begin\r\n"), C(HELLO),
          S(ALERT), S_FIN);
    CHECK("pop3 '+OK hi'", S("+OK hi\r\n"), C("STLS\r\n"), S("-ERR no\r\n"), C("QUIT\r\n"), S("+OK bye\r\n"), S_FIN);
    CHECK("imap(tls) '* OK hi' tls alert client_hello", S("* OK hi\r\n"), C("a1 CAPABILITY\r\nx2 STARTTLS\r\n"),
          S("* CAPABILITY\r\na1 OK done\r\nx2 OK begin\r\n"), C(HELLO), S(ALERT), S_FIN);
    CHECK("imap '* OK hi'", S("* OK hi\r\n"), C("x2 STARTTLS\r\n"), S("x2 BAD no\r\n"), C("x3 NOOP\r\n"),
          S("x3 OK\r\n"), S_FIN);
    CHECK("postgresql(tls) tls alert client_hello", C("\0\0\0\x08\x04\xd2\x16\x2f"), S("S"), C(HELLO), S(ALERT), S_FIN);
    CHECK("postgresql 'no'", C("\0\0\0\x08\x04\xd2\x16\x2f"), S("N"), C("\0\0\0\x0f\0\3\0\0user\0x\0"),
          S("E\0\0\0\x09Mno\0\0"), S_FIN);
    CHECK("mysql(tls) '8.0' tls alert client_hello",
          S("\x2a\0\0\0\x0a"
            "8.0\0"
            "0123456789012345678901234567890123"),
          C("\x20\0\0\1\x85\xae\xff\1\0\0\0\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" HELLO), S(ALERT),
          S_FIN);
}

/* The bytes behind the line that begins TLS stand in the same segment. */
static void test_starttls_at_once(void **state)
{
    (void)state;
    CHECK("smtp(tls) '220 mx ESMTP' tls alert client_hello", S("220 mx ESMTP\r\n"), C("STARTTLS\r\n"),
          S("220 Go\r\n" ALERT), C(HELLO), S_FIN);
    const struct step steps[] = { S("220 mx ESMTP\r\n"), C("STARTTLS\r\n"), C(HELLO), S("220 Go\r\n") };
    char *text = run_script(steps, 4, 25, 0); /* the hello was captured before the answer that it waited for */
    assert_non_null(strstr(text, "smtp(tls)"));
    free(text);
}

static void test_connect_tls(void **state)
{
    (void)state;
    CHECK(
        "http(tls) tls alert client_hello\nCONNECT h:443h:443 HTTP/1.1 -> 200 OK #1-1/#2-2 0/0 asked complete tunnel;",
        C("CONNECT h:443 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 OK\r\n\r\n"), C(HELLO), S(ALERT), S_FIN);
    /* The client did not wait. */
    CHECK(
        "http(tls) tls alert client_hello\nCONNECT h:443h:443 HTTP/1.1 -> 200 OK #1-1/#2-2 0/0 asked complete tunnel;",
        C("CONNECT h:443 HTTP/1.1\r\n\r\n" HELLO), S("HTTP/1.1 200 OK\r\n\r\n" ALERT), S_FIN);
}

/* Tunnels in tunnels come to an end. */
static void test_handovers_are_bounded(void **state)
{
    (void)state;
    const struct step c = C("CONNECT h:1 HTTP/1.1\r\n\r\n"), s = S("HTTP/1.1 200 OK\r\n\r\n");
    struct app *a = app_new(8080);
    for (size_t i = 0; i < 100; i++) {
        feed_step(a, &c, 2 * i, 0, 0);
        feed_step(a, &s, 2 * i + 1, 0, 0);
    }
    assert_true(app_facts(a)->http->len < 10);
    assert_false(app_wants(a, CLIENT));
    app_free(a);
}

/* SOCKS is not known, the TLS behind it is. */
static void test_tls_later(void **state)
{
    (void)state;
    const struct step steps[] = {
        C("\5\1\0"), S("\5\0"), C("\5\1\0\1\x7f\0\0\1\0\x50"), S("\5\0\0\1\0\0\0\0\0\0"), C(HELLO), S(ALERT), S_FIN
    };
    char *text = run_script(steps, sizeof steps / sizeof steps[0], 1080, 0);
    assert_string_equal(text, "tls tls alert client_hello");
    free(text);
}

static void test_wants(void **state)
{
    (void)state;
    char junk[1000];
    memset(junk, 7, sizeof junk);
    const struct step s = { SEND, SERVER, junk, sizeof junk };
    struct app *a = app_new(80);
    for (size_t i = 0; i < 5; i++) {
        assert_true(i * sizeof junk >= LIMIT_APP_PROBE || app_wants(a, SERVER));
        feed_step(a, &s, i, 0, 0);
    }
    assert_false(app_wants(a, SERVER));
    assert_true(app_wants(a, CLIENT));
    feed_step(a, &(const struct step)C("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), 5, 0, 0);
    assert_true(app_wants(a, SERVER)); /* the other direction said what it is */
    app_free(a);
}

/* A first line that never ends is given up, and nothing is kept of it. */
static void test_endless_first_line(void **state)
{
    (void)state;
    char text[2 * LIMIT_APP_PROBE];
    memset(text, 'A', sizeof text);
    memcpy(text, "FOO /", 5);
    struct step s = { SEND, CLIENT, text, sizeof text };
    char *unknown = run_script(&s, 1, 80, 1);
    assert_string_equal(unknown, "nothing");
    free(unknown);
    memcpy(text, "GET /", 5); /* a method and a path that are well known are enough then */
    char *get = run_script(&s, 1, 80, 1);
    assert_string_equal(get, "http\nGET -- HTTP/- -> 0 #1/#0 0/0;");
    free(get);
}

/* First bytes of each protocol, every prefix at the end of a page: never an answer that a longer one takes back. */
static void test_first_prefixes(void **state)
{
    (void)state;
    const struct step firsts[] = {
        S("SSH-2.0-x"),
        S("220 x"),
        S("* PREAUTH x"),
        S("+OK x"),
        S("-NOAUTH x"),
        S("R\0\0\0\x08\0\0\0\x05"),
        S("\x2d\0\0\0\x0a"
          "8.0.36"),
        S("\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"),
        C("SSH-2.0-x"),
        C("EHLO x"),
        C("AUTH TLS\r\n"),
        C("a1 LOGIN x"),
        C("CAPA\r\n"),
        C("\0\0\0\x08\x04\xd2\x16\x2f"),
        C("*12\r\n$4\r\n"),
        C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        C("\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"),
    };
    for (size_t i = 0; i < sizeof firsts / sizeof firsts[0]; i++) {
        int last = 0;
        for (size_t n = 0; n <= firsts[i].n; n++) {
            enum app_protocol protocol;
            uint8_t *p = guard_copy(firsts[i].bytes, n);
            int verdict = app_first_recognise(slice_of(p, n), firsts[i].from, false, &protocol);
            assert_true(verdict >= last);
            assert_true(app_first_recognise(slice_of(p, n), firsts[i].from, true, &protocol) != 0);
            last = verdict;
            guard_free(p);
        }
        assert_int_equal(last, 1);
    }
}

/* Each byte of each conversation changed: it ends, and the sanitizers are quiet. */
static void flip(const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; steps[i].what == SEND && at < steps[i].n; at++) {
            for (int bit = 0; bit < 8; bit++) {
                struct step changed[8];
                memcpy(changed, steps, n * sizeof *steps);
                char *bytes = g_memdup2(steps[i].bytes, steps[i].n);
                bytes[at] ^= (char)(1 << bit);
                changed[i].bytes = bytes;
                free(run_script(changed, n, 0, 0));
                free(run_script(changed, n, 0, 2));
                g_free(bytes);
            }
        }
    }
}

static void test_flipped(void **state)
{
    (void)state;
    flip(
        STEPS(S("220 mx ESMTP\r\n"), C("EHLO x\r\nSTARTTLS\r\n"), S("250 x\r\n220 Go\r\n"), C(HELLO), S(ALERT), S_FIN));
    flip(STEPS(C("\0\0\0\x08\x04\xd2\x16\x2f"), S("N"), C("\0\0\0\x0f\0\3\0\0user\0x\0"),
               S("E\0\0\0\x1dSFATAL\0C53300\0Mtoo many\0\0"), S_FIN));
    flip(STEPS(S("\x18\0\0\0\xff\x69\x04#HY000Host is blocked"),
               C("\x20\0\0\1\x85\xae\xff\1\0\0\0\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" HELLO)));
    flip(STEPS(C("CONNECT h:443 HTTP/1.1\r\n\r\n" HELLO), S("HTTP/1.1 200 OK\r\n\r\n" ALERT), S_FIN));
    flip(STEPS(C("\0\x1d\x12\x34\x01\0\0\1\0\0\0\0\0\0\7example\3org\0\0\1\0\1"), S("* OK\r\n"), S_FIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_greetings),
        cmocka_unit_test(test_greeting_is_bounded),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_starttls),
        cmocka_unit_test(test_starttls_at_once),
        cmocka_unit_test(test_connect_tls),
        cmocka_unit_test(test_handovers_are_bounded),
        cmocka_unit_test(test_tls_later),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_endless_first_line),
        cmocka_unit_test(test_first_prefixes),
        cmocka_unit_test(test_flipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
