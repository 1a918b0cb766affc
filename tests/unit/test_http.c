#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "dissect/app_http.h"
#include "tests/unit/app_script.h"
#include "tests/unit/guard.h"

/* A conversation and what is to be known of it, however its bytes are cut. */
static void check(const struct step *steps, size_t n, const char *expected)
{
    char *whole = run_script(steps, n, 80, 0);
    assert_string_equal(whole, expected);
    free(whole);
    for (size_t size = 1; size < 4; size++) {
        char *bytes = run_script(steps, n, 80, size);
        assert_string_equal(bytes, expected);
        free(bytes);
    }
    for (size_t cut = 0; cut < n; cut++) {
        for (size_t at = 1; steps[cut].what == SEND && at < steps[cut].n; at++) {
            char *two = run_cut(steps, n, 80, cut, at);
            assert_string_equal(two, expected);
            free(two);
        }
    }
}

/* The same where only whole pieces make sense: framing was lost, so that a message has to begin with a piece. */
static void check_whole(const struct step *steps, size_t n, const char *expected)
{
    char *whole = run_script(steps, n, 80, 0);
    assert_string_equal(whole, expected);
    free(whole);
}

#define CHECK(expected, ...)                                                                                           \
    check((const struct step[]){ __VA_ARGS__ }, sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step), expected)
#define CHECK_WHOLE(expected, ...)                                                                                     \
    check_whole((const struct step[]){ __VA_ARGS__ }, sizeof((struct step[]){ __VA_ARGS__ }) / sizeof(struct step),    \
                expected)

#define GET C("GET /a HTTP/1.1\r\nHost: h\r\n\r\n")

static void test_get(void **state)
{
    (void)state;
    CHECK("http\nGET www.example.org/ HTTP/1.1 -> 302 Moved Temporarily <https://www.example.org/> #1-1/#2-2 0/0 of 0 "
          "asked complete;",
          C("GET / HTTP/1.1\r\nUser-Agent: Wget/1.21\r\nHost: www.example.org\r\nConnection: Keep-Alive\r\n\r\n"),
          S("HTTP/1.1 302 Moved Temporarily\r\nContent-Length: 0\r\nLocation: https://www.example.org/\r\n\r\n"), C_FIN,
          S_FIN);
    /* In packets of their own: header and body; LF alone ends lines too (RFC 9112 section 2.2). */
    CHECK("http\nPOST h/p HTTP/1.0 -> 200 OK #1-2/#3-4 5/3 of 3 asked complete;",
          C("POST /p HTTP/1.0\nhost:h\ncontent-length: 5\n\n12"), C("345"),
          S("HTTP/1.0 200 OK\nContent-Length: 3\n\na"), S("bc"));
}

static void test_no_answer(void **state)
{
    (void)state;
    CHECK("http\nGET h/a HTTP/1.1 -> 0 #1-1/#0 0/0 asked;", GET, S_FIN);
    CHECK("http\nGET h/a HTTP/1.1 -> 0 #1-1/#0 0/0 asked;", GET, S_RST);
    CHECK("http\nGET -- HTTP/- -> 0 #1/#0 0/0;", C("GET http://h"), C_FIN);
}

static void test_keep_alive_and_pipelining(void **state)
{
    (void)state;
    CHECK(
        "http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-2 0/2 of 2 asked complete;\n"
        "HEAD h/b HTTP/1.1 -> 200 OK #3-3/#4-4 0/0 of 9 asked complete;\n"
        "GET h/c HTTP/1.1 -> 304 Not Modified #5-5/#6-6 0/0 of 7 asked complete;\n"
        "GET h/d HTTP/1.1 -> 204 #5-5/#6-6 0/0 asked complete;\n"
        "GET h/e HTTP/1.1 -> 200 #5-5/#6-6 0/1 of 1 asked complete;",
        GET, S("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), C("HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n"),
        S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        C("GET /c HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /d HTTP/1.1\r\nHost: h\r\n\r\nGET /e HTTP/1.1\r\nHost: h\r\n\r\n"),
        S("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nHTTP/1.1 204\r\n\r\nHTTP/1.1 200 \r\nContent-Length: "
          "1\r\n\r\nx"));
}

static void test_chunked(void **state)
{
    (void)state;
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/8 asked complete;\nGET h/a HTTP/1.1 -> 404 No #4-4/#5-5 0/0 of "
          "0 asked complete;",
          GET, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n3;x=y\r\nabc\r\n"),
          S("5\r\n12345\r\n0\r\nLocation: /trailer\r\n\r\n"), GET, S("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"));
    CHECK("http\nPUT h/a HTTP/1.1 -> 201 #1-2/#3-3 4/0 of 0 asked complete;",
          C("PUT /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n"), C("abcd\r\n0\r\n\r\n"),
          S("HTTP/1.1 201\r\nContent-Length: 0\r\n\r\n"));
}

static void test_interim(void **state)
{
    (void)state;
    CHECK("http\nPOST h/a HTTP/1.1 -> 200 Fine #1-3/#4-4 2/0 of 0 asked complete;",
          C("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
          S("HTTP/1.1 100 Continue\r\n\r\n"), C("ab"),
          S("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\nHTTP/1.1 200 Fine\r\nContent-Length: 0\r\n\r\n"));
    CHECK("http\nPOST h/a HTTP/1.1 -> 100 Continue #1/#2 0/0;",
          C("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"),
          S("HTTP/1.1 100 Continue\r\n\r\n"), S_RST);
}

static void test_until_close(void **state)
{
    (void)state;
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-4 0/7 asked complete;", GET, S("HTTP/1.1 200 OK\r\n\r\nabc"),
          S("defg"), S_FIN);
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/3 asked truncated;", GET, S("HTTP/1.1 200 OK\r\n\r\nabc"),
          S_RST);
}

static void test_cut_short(void **state)
{
    (void)state;
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/2 of 9 asked truncated;", GET,
          S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), S_FIN);
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/2 asked truncated;", GET,
          S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"), S_FIN);
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/0 asked truncated;", GET, S("HTTP/1.1 200 OK\r\nContent-Le"),
          C_RST);
    /* The capture ends: nobody cut anything. */
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2 0/2 of 9 asked;", GET,
          S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), { CUT, SERVER, NULL, 0 });
    /* A RST that nobody heeds: the answer goes on. */
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-4 0/4 of 4 asked complete;", GET,
          S("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab"), C_RST, S("cd"));
    /* The client has sent all it had to: half a close is no end of the answer. */
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#3-3 0/1 of 1 asked complete;", GET, C_FIN,
          S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"));
}

static void test_early_answer(void **state)
{
    (void)state;
    CHECK("http\nPOST h/a HTTP/1.1 -> 413 Too Large #1-3/#2-2 4/0 of 0 asked complete;",
          C("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab"),
          S("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"), C("cd"));
}

static void test_targets(void **state)
{
    (void)state;
    CHECK("http\nGET proxy.example:81http://u@proxy.example:81/x HTTP/1.1 -> 0 #1-1/#0 0/0 asked;",
          C("GET http://u@proxy.example:81/x HTTP/1.1\r\nHost: other\r\n\r\n"));
    CHECK("http\nOPTIONS h* HTTP/1.1 -> 0 #1-1/#0 0/0 asked;",
          C("OPTIONS * HTTP/1.1\r\nHost: h\r\nHost: second\r\n\r\n"));
    /* Methods that http-parser does not know. */
    CHECK("http\nRPC_IN_DATA h/rpc HTTP/1.1 -> 0 #1-1/#0 2/0 asked;",
          C("RPC_IN_DATA /rpc HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxx"));
    CHECK("http\nget -/ HTTP/1.0 -> 0 #1-1/#0 0/0 asked;", C("get / HTTP/1.0\r\n\r\n"));
    /* Not UTF-8 and control characters: cleaned in facts, escaped when printed. */
    CHECK("http\nGET a\xef\xbf\xbd\x1b[2J/\xef\xbf\xbd HTTP/1.1 -> 0 #1-1/#0 0/0 asked;",
          C("GET /\xff HTTP/1.1\r\nHost: a\xc3\x1b[2J\r\n\r\n"));
    /* HTTP/0.9 is none, nor is a later version's line. */
    CHECK("nothing", C("GET /\r\n"), C_FIN);
    CHECK("nothing", C("DESCRIBE rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), S("RTSP/1.0 200 OK\r\n\r\n"));
}

static void test_connect(void **state)
{
    (void)state;
    /* What is inside is recognised again; bytes behind the header of the same segment go there too. */
    CHECK("http(ssh) 'SSH-2.0-x'\nCONNECT h:22h:22 HTTP/1.1 -> 200 Connection established #1-1/#2-2 0/0 asked complete "
          "tunnel;",
          C("CONNECT h:22 HTTP/1.1\r\n\r\n"), S("HTTP/1.1 200 Connection established\r\n\r\nSSH-2.0-x\r\n"),
          C("SSH-2.0-y\r\n"));
    /* HTTP inside goes on as transactions of the same connection; the client did not wait. */
    CHECK("http(http)\nCONNECT h:80h:80 HTTP/1.1 -> 200 #1-1/#2-2 0/0 asked complete tunnel;\nGET h/a HTTP/1.1 -> 200 "
          "OK #1-1/#3-3 0/0 of 0 asked complete;",
          C("CONNECT h:80 HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"), S("HTTP/1.1 200\r\n\r\n"),
          S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    CHECK("http\nCONNECT hh:80 HTTP/1.1 -> 407 Authenticate #1-1/#2-2 0/2 of 2 asked complete;\nGET h/a HTTP/1.1 -> 0 "
          "#1-1/#0 0/0 asked;",
          C("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
          S("HTTP/1.1 407 Authenticate\r\nContent-Length: 2\r\n\r\nno"));
}

static void test_upgrade(void **state)
{
    (void)state;
    CHECK("http(websocket)\nGET h/ws HTTP/1.1 -> 101 Switching Protocols #1-1/#2-2 0/0 asked complete tunnel;",
          C("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
          S("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\r\n\x81\x02hi"),
          C("\x81\x80xxxx"));
    CHECK("http(http2)\nGET h/ HTTP/1.1 -> 101 #1-1/#2-2 0/0 asked complete tunnel;",
          C("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
            "AAMA\r\n\r\n"),
          S("HTTP/1.1 101\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"), C("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    /* Not granted: HTTP/1.1 goes on, with what the client sent before it knew. */
    CHECK(
        "http\nGET h/ HTTP/1.1 -> 200 #1-1/#2-2 0/0 of 0 asked complete;\nGET h/a HTTP/1.1 -> 200 #1-1/#3-3 0/0 of 0 "
        "asked complete;",
        C("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n"),
        S("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), S("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"));
}

static void test_gap_in_body(void **state)
{
    (void)state;
    /* Inside, up to the last byte, and from the first one. */
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-4 0/9 of 9 asked complete lossy;\nGET h/a HTTP/1.1 -> 200 "
          "#5-5/#6-7 0/4 of 4 asked complete lossy;\n"
          "GET h/a HTTP/1.1 -> 200 #8-8/#9-10 0/4 of 4 asked complete lossy;\nGET h/a HTTP/1.1 -> 404 #11-11/#12-12 "
          "0/0 of 0 asked complete;",
          GET, S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), S_GAP(5), S("xy"), GET,
          S("HTTP/1.1 200\r\nContent-Length: 4\r\n\r\na"), S_GAP(3), GET,
          S("HTTP/1.1 200\r\nContent-Length: 4\r\n\r\n"), S_GAP(4), GET,
          S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"));
    /* Chunks: in one of known size the framing survives. */
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-4 0/256 asked complete lossy;\nGET h/a HTTP/1.1 -> 404 #5-5/#6-6 "
          "0/0 of 0 asked complete;",
          GET, S("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\nab"), S_GAP(254), S("\r\n0\r\n\r\n"), GET,
          S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"));
    CHECK("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-4 0/4002 asked complete lossy;", GET,
          S("HTTP/1.1 200 OK\r\n\r\nab"), S_GAP(4000), S_FIN);
    CHECK("http\nPOST h/a HTTP/1.1 -> 200 #1-3/#4-4 8/0 of 0 asked complete lossy;",
          C("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nab"), C_GAP(5), C("x"),
          S("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"));
}

static void test_gap_elsewhere(void **state)
{
    (void)state;
    /* A snaplen that leaves the first bytes of each packet. The end of the request is when the answer could begin. */
    CHECK_WHOLE(
        "http\nGET -- HTTP/1.1 -> 200 OK #1-2/#3 0/0 lossy;\nGET -/b HTTP/1.1 -> 404 Not Found #5-6/#7 0/0 lossy;",
        C("GET /index"), C_GAP(300), S("HTTP/1.1 200 OK\r\nServ"), S_GAP(1400), C("GET /b HTTP/1.1\r\nHo"), C_GAP(200),
        S("HTTP/1.1 404 Not Found\r\nDate: x"), S_GAP(10));
    /* Longer than the rest of the body: what comes then begins anew. */
    CHECK_WHOLE("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/9 of 9 asked complete lossy;\nGET h/a HTTP/1.1 -> 0 "
                "#4-4/#0 0/0 asked lossy;\n"
                "GET h/a HTTP/1.1 -> 404 #5-5/#7-7 0/0 of 0 asked complete;",
                GET, S("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"), S_GAP(100), GET, GET, S("x: y\r\n\r\n"),
                S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"));
    /* A request that is missing: its answer stands alone. */
    CHECK_WHOLE("http\nGET h/a HTTP/1.1 -> 200 #1-1/#2-2 0/0 of 0 asked complete;\n- -- HTTP/1.1 -> 500 Oops #0/#4-4 "
                "0/0 of 0 complete;",
                GET, S("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), C_GAP(20),
                S("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"));
}

static void test_midstream(void **state)
{
    (void)state;
    CHECK_WHOLE("http\n- -- HTTP/1.1 -> 200 OK #0/#3-3 0/1 of 1 complete;\nGET h/a HTTP/1.1 -> 404 #4-4/#5-5 0/0 of 0 "
                "asked complete;",
                S("the rest of a body\r\n"), S("and more"), S("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), GET,
                S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"));
    CHECK_WHOLE("http\nGET h/a HTTP/1.1 -> 404 #2-2/#4-4 0/0 of 0 asked complete;", S("the rest of a body\r\n"), GET,
                S("more of it"), S("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"));
    /* What asked was not HTTP, the answer is. */
    CHECK("http\n- -- HTTP/1.1 -> 400 Bad Request #0/#2-2 0/0 of 0 complete;", C("\x01\x02nonsense\r\n"),
          S("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
}

/* The capture holds the packets in another order than their time stamps. */
static void test_answer_before_request(void **state)
{
    (void)state;
    const struct step get = GET, ok = S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct app *a = app_new(80);
    feed_step(a, &ok, 5, 0, 0);
    feed_step(a, &get, 4, 0, 0);
    feed_step(a, &get, 6, 0, 0); /* a younger one is not the one that was answered */
    char *text = finish_as_text(a);
    assert_string_equal(text, "http\nGET h/a HTTP/1.1 -> 200 OK #5-5/#6-6 0/0 of 0 asked complete;\nGET h/a HTTP/1.1 "
                              "-> 0 #7-7/#0 0/0 asked;");
    free(text);
}

static void test_not_http_inside(void **state)
{
    (void)state;
    CHECK_WHOLE("http\nGET h/a HTTP/1.1 -> 200 OK #1-1/#2-3 0/0 asked;", GET,
                S("HTTP/1.1 200 OK\r\nConte\x01nt-Length: 5\r\n\r\nabcde"), S_FIN);
    CHECK("http\nGET -/a b HTTP/1.1 -> 400 Bad #1-1/#2-2 0/0 of 0 asked complete;", C("GET /a b HTTP/1.1\r\n\r\n"),
          S("HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n"));
}

static char *repeated(const char *text, size_t times)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < times; i++)
        g_string_append(s, text);
    return g_string_free(s, FALSE);
}

/* Values of megabytes: the beginning is kept, the message goes on. */
static void test_long_values(void **state)
{
    (void)state;
    char *x = repeated("xxxxxxxxxx", 300000);
    char *request = g_strdup_printf("GET /%s HTTP/1.1\r\nX: %s\r\nHost: %s\r\n\r\n", x, x, x);
    const struct step steps[] = { { SEND, CLIENT, request, strlen(request) },
                                  S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") };
    for (size_t most = 0; most < 3000; most += 1448) {
        struct app *a = app_new(80);
        feed_step(a, &steps[0], 0, 0, most);
        feed_step(a, &steps[1], 1, 0, 0);
        const struct http_transaction *t = http_at(app_facts(a)->http, 0);
        if (most == 0) {
            assert_int_equal(strlen(t->target), LIMIT_HTTP_VALUE);
            assert_int_equal(strlen(t->host), LIMIT_HTTP_VALUE);
        }
        assert_int_equal(t->status, 200);
        assert_true(t->complete);
        app_free(a);
    }
    free(request);
    free(x);
}

/* More transactions than are kept: the newest one is always known. */
static void test_many(void **state)
{
    (void)state;
    const struct step get = GET, ok = S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                      bad = S("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    struct app *a = app_new(80);
    size_t n = 3 * LIMIT_HTTP_TRANSACTIONS;
    for (size_t i = 0; i < n; i++) {
        feed_step(a, &get, 2 * i, 0, 0);
        feed_step(a, i + 1 < n ? &ok : &bad, 2 * i + 1, 0, 0);
    }
    feed_step(a, &get, 2 * n, 0, 0);
    const struct app_facts *f = app_facts(a);
    const struct http_transaction *t = http_at(f->http, f->http->len - 1);
    assert_int_equal(f->http->len, LIMIT_HTTP_TRANSACTIONS);
    assert_int_equal(f->http->len + f->http_dropped, n + 1);
    assert_int_equal(t->request_packet, 2 * n + 1);
    assert_int_equal(t->status, 0);
    feed_step(a, &bad, 2 * n + 1, 0, 0);
    assert_int_equal(t->status, 503);
    app_free(a);
}

/* Pipelined beyond what is kept: answers still find their requests. */
static void test_many_pipelined(void **state)
{
    (void)state;
    const struct step get = GET, ok = S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                      bad = S("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
    struct app *a = app_new(80);
    size_t n = LIMIT_HTTP_TRANSACTIONS + 5;
    for (size_t i = 0; i < n; i++)
        feed_step(a, &get, i, 0, 0);
    for (size_t i = 0; i < LIMIT_HTTP_TRANSACTIONS; i++)
        feed_step(a, &ok, n + i, 0, 0);
    const struct app_facts *f = app_facts(a);
    feed_step(a, &get, 5000, 0, 0); /* takes the last place; five answers that are not kept come before its own */
    for (size_t i = 0; i < 5; i++)
        feed_step(a, &ok, 6000 + i, 0, 0);
    const struct http_transaction *t = http_at(f->http, f->http->len - 1);
    assert_int_equal(t->request_packet, 5001);
    assert_int_equal(t->status, 0);
    feed_step(a, &bad, 7000, 0, 0);
    assert_int_equal(t->status, 503);
    assert_int_equal(f->http_dropped, 6);
    app_free(a);
}

/* Much text in few transactions is bounded too. */
static void test_much_text(void **state)
{
    (void)state;
    char *x = repeated("yyyyyyyy", LIMIT_HTTP_VALUE / 8);
    char *request = g_strdup_printf("GET /%s HTTP/1.1\r\nHost: %s\r\n\r\n", x, x);
    const struct step get = { SEND, CLIENT, request, strlen(request) },
                      ok = S("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct app *a = app_new(80);
    for (size_t i = 0; i < 400; i++) {
        feed_step(a, &get, i, 0, 0);
        feed_step(a, &ok, i, 0, 0);
    }
    size_t kept = 0;
    const struct app_facts *f = app_facts(a);
    for (guint i = 0; i < f->http->len; i++) {
        const struct http_transaction *t = http_at(f->http, i);
        kept += strlen(t->target) + strlen(t->host);
        assert_int_equal(t->status, 200);
    }
    assert_true(kept < LIMIT_HTTP_TEXT + 4 * LIMIT_HTTP_VALUE);
    assert_int_equal(f->http->len + f->http_dropped, 400);
    app_free(a);
    free(request);
    free(x);
}

/* Every prefix of a message ends at a page that cannot be read. */
static void test_recognise_prefixes(void **state)
{
    (void)state;
    static const char request[] = "PROPFIND /x HTTP/1.1\r\n", answer[] = "HTTP/1.1 207 M";
    for (size_t n = 0; n < sizeof request; n++) {
        uint8_t *p = guard_copy(request, n);
        assert_int_equal(app_http_recognise(slice_of(p, n), CLIENT, false), n == sizeof request - 1 ? 1 : 0);
        assert_int_equal(app_http_recognise(slice_of(p, n), CLIENT, true), n > 9 ? 1 : -1);
        guard_free(p);
        if (n == sizeof request - 1)
            break;
    }
    for (size_t n = 0; n < sizeof answer - 1; n++) {
        uint8_t *p = guard_copy(answer, n);
        assert_int_equal(app_http_recognise(slice_of(p, n), SERVER, false), n >= 12 ? 1 : 0);
        guard_free(p);
    }
}

/* Each byte changed in each bit: whatever comes out, it ends, and the sanitizers are quiet. */
static void test_flipped(void **state)
{
    (void)state;
    const struct step steps[] = {
        C("POST /a HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nContent-Length: 2\r\nConnection: upgrade\r\n\r\nab"),
        S("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLocation: "
          "/\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
        C("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"),
        S("HTTP/1.1 206 Part\r\nContent-Length: 30\r\n\r\nab"),
        S_GAP(20),
        S("xyz"),
        S_FIN
    };
    size_t n = sizeof steps / sizeof steps[0];
    for (size_t i = 0; i < n; i++) {
        for (size_t at = 0; steps[i].what == SEND && at < steps[i].n; at++) {
            for (int bit = 0; bit < 8; bit++) {
                struct step changed[sizeof steps / sizeof steps[0]];
                memcpy(changed, steps, sizeof steps);
                char *bytes = g_memdup2(steps[i].bytes, steps[i].n);
                bytes[at] ^= (char)(1 << bit);
                changed[i].bytes = bytes;
                char *whole = run_script(changed, n, 80, 0), *pieces = run_script(changed, n, 80, 3);
                free(whole);
                free(pieces);
                g_free(bytes);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_chunked),
        cmocka_unit_test(test_interim),
        cmocka_unit_test(test_until_close),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_early_answer),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_upgrade),
        cmocka_unit_test(test_gap_in_body),
        cmocka_unit_test(test_gap_elsewhere),
        cmocka_unit_test(test_midstream),
        cmocka_unit_test(test_answer_before_request),
        cmocka_unit_test(test_not_http_inside),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_many_pipelined),
        cmocka_unit_test(test_much_text),
        cmocka_unit_test(test_recognise_prefixes),
        cmocka_unit_test(test_flipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
