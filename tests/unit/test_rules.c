/* The rules: conversations and the verdict that each of them gets, with the guards that keep a rule from accusing where the capture cannot tell
 * (docs: CONTRACT section 3).
 */
#include "diagnose/judge.h"
#include "diagnose/rules.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OPEN "C S; S S.; C .; "
#define REQUEST "C P. 'GET / HTTP/1.1|Host: a||'; S .; "
#define ANSWER "S P. 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .; "
#define CLOSE "C F.; S F.; C .; "
/* A segment of the server is lost on the way and sent again. */
#define LOSS "S . seq +1000 (1000); C . ack -2000; S . seq -2000 (1000) +300; C .; "
/* Sent, and sent again and again, without an answer. */
#define RETRIES(line) line "; " line " +300; " line " +600; " line " +1200; "

/* Lines of packets.h, and "STATUS CODE WHERE CONFIDENCE", then "+ CODE" for each further finding. */
struct row {
    const char *lines, *expected;
};

static char *tell(const struct judgement *j)
{
    const struct finding *v = judgement_verdict(j);
    GString *out = g_string_new(status_name(v->status));

    g_string_append_printf(out, " %s", catalogue_row(v->code)->name);
    if (v->code != CODE_OK)
        g_string_append_printf(out, " %s %s", where_name(v->where) ? where_name(v->where) : "-", confidence_name(v->confidence));
    for (guint i = 0; j->others && i < j->others->len; i++)
        g_string_append_printf(out, " + %s", catalogue_row(((struct finding *)g_ptr_array_index(j->others, i))->code)->name);
    return g_string_free(out, FALSE);
}

/* What holds of every finding. */
static bool finding_holds(const struct finding *d, const char *lines, uint64_t packets)
{
    bool holds = d->code == CODE_OK || d->n_evidence > 0;

    if (d->code != CODE_OK)
        holds = holds && d->summary && g_str_has_suffix(d->summary, ".") && g_utf8_validate(d->summary, -1, NULL) && d->remedy && *d->remedy;
    for (unsigned i = 0; i < d->n_evidence; i++)
        holds = holds && d->evidence[i] >= 1 && d->evidence[i] <= packets && (i == 0 || d->evidence[i] > d->evidence[i - 1]);
    if (!holds)
        print_error("\"%s\": %s without summary, remedy or evidence, or with wrong evidence\n", lines, catalogue_row(d->code)->name);
    return holds;
}

static bool judgement_holds(const struct judgement *j, const struct row *row, uint64_t packets)
{
    g_autofree char *told = tell(j);
    const struct finding *v = judgement_verdict(j);
    bool holds = strcmp(told, row->expected) == 0;

    if (!holds)
        print_error("\"%s\":\n    \"%s\" (%s)\n    expected \"%s\"\n", row->lines, told, v->summary ? v->summary : "", row->expected);
    holds &= finding_holds(v, row->lines, packets);
    for (guint i = 0; j->others && i < j->others->len; i++)
        holds &= finding_holds(g_ptr_array_index(j->others, i), row->lines, packets);
    return holds;
}

static bool row_holds(const struct row *row, uint8_t version)
{
    struct talk *t = talk_new(0);
    struct judgement j;

    t->version = version;
    talk_lines(t, row->lines);
    const struct flow *f = talk_finish(t, 0);
    struct judge_context c = { .now_ns = g_array_index(t->now_ns, int64_t, 0) };
    judge_flow(f, &c, &j);
    bool holds = judgement_holds(&j, row, t->number);
    judgement_clear(&j);
    talk_free(t);
    return holds;
}

static void check_rows(const struct row *rows, size_t n, uint8_t version)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < n; i++)
        wrong += !row_holds(&rows[i], version);
    assert_int_equal(wrong, 0);
}

/* --- nothing wrong, or nothing to say --- */

static void test_ok(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST ANSWER CLOSE, "ok ok" },
        { OPEN REQUEST ANSWER, "ok ok" }, /* still open */
        { OPEN CLOSE, "ok ok" },
        { OPEN "C R", "ok ok" }, /* a port scan: nothing was asked for */
        { "C S; S S.; C R", "ok ok" },
        { OPEN "S P. (100); C .; C F.; S F. ack -1; C .; S .", "ok ok" }, /* simultaneous close */
        { "C S; S S; C S. seq 0; S S. seq 0; C P. (10); S P. (10); C .; " CLOSE, "ok ok" },
        { OPEN REQUEST ANSWER "C F.; S .; S P. (10); C .; S F.; C .", "ok ok" }, /* half-close */
        { "C P. seq 5 (10); S .; S P. (10); C .", "unknown incomplete_capture capture certain" },
        { "C P. seq 5 (10); S .; S P. (10); C .; " CLOSE, "unknown incomplete_capture capture certain" },
        { "C S", "unknown incomplete_capture capture certain" },
        { OPEN, "unknown incomplete_capture capture certain" },
        { OPEN REQUEST, "unknown incomplete_capture capture certain" }, /* before the answer */
        { OPEN REQUEST "wait +9s", "unknown incomplete_capture capture certain" },
        { "C S; S S.; wait +9s", "unknown incomplete_capture capture certain" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* --- no connection --- */

static void test_syn(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S; C S seq 0 +1s; C S seq 0 +2s", "broken syn_unanswered path likely" },
        { "C S; C S seq 0 +1s", "broken syn_unanswered path likely" }, /* retried: no need to wait */
        { "C S; wait +3s", "broken syn_unanswered path possible" },
        /* silence that is too short */
        { "C S; wait +2s", "unknown incomplete_capture capture certain" },
        { "C S; C R +1s; wait +20s", "unknown incomplete_capture capture certain" }, /* the client lost interest */
        /* a copy by the capture is no retry */
        { "C S; dup; dup", "unknown incomplete_capture capture certain" },
        { "C S; S R. seq 0", "broken syn_refused server likely" },
        { "C S; C S seq 0 +1s; S R. seq 0", "broken syn_refused server likely" },
        /* a RST that answers another SYN */
        { "C S; S R. seq 0 ack 77; C S seq 0 +1s", "unknown incomplete_capture capture certain" },
        { "C S; S S.; S S. seq 0 +1s; S S. seq 0 +2s", "broken handshake_unfinished path likely" },
        { "C S; S S.; dup", "unknown incomplete_capture capture certain" },
        /* ICMP goes before silence */
        { "C S; icmp C 3/0; C S seq 0 +1s", "broken network_unreachable path certain" },
        { "C S; C S seq 0 +1s; C S seq 0 +2s; icmp C 3/1", "broken host_unreachable path certain" },
        { "C S; icmp C 3/13", "broken admin_prohibited path certain" },
        { "C S; icmp C 3/3 from server", "broken port_unreachable server certain" },
        { "C S; icmp C 11/0", "broken ttl_exceeded path certain" },
        { "C S; icmp C 3/4 mtu 1400; C S seq 0 +1s", "broken syn_unanswered path likely" }, /* says nothing of the SYN's fate */
        { "C S; icmp C 3/1; S S.; C .; " REQUEST ANSWER, "ok ok" }, /* and passes */
        { OPEN REQUEST "icmp C 3/1; " ANSWER, "ok ok" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
    static const struct row v6[] = {
        { "C S; icmp C 1/0", "broken network_unreachable path certain" },
        { "C S; icmp C 1/1", "broken admin_prohibited path certain" },
        { "C S; icmp C 1/3", "broken host_unreachable path certain" },
        { "C S; icmp C 1/4 from server", "broken port_unreachable server certain" },
        { "C S; icmp C 3/0", "broken ttl_exceeded path certain" },
        { "C S; icmp C 2/0 mtu 1280; C S seq 0 +1s", "broken syn_unanswered path likely" },
    };
    check_rows(v6, G_N_ELEMENTS(v6), 6);
}

/* RFC 792, RFC 1812 section 5.2.7.1; RFC 4443 section 3.1 */
static void test_icmp_codes(void **state)
{
    (void)state;
    static const char *const v4[] = {
        "network_unreachable", "host_unreachable",    "port_unreachable", "port_unreachable",  "ok",                  "host_unreachable",
        "network_unreachable", "host_unreachable",    "network_unreachable", "admin_prohibited", "admin_prohibited",  "network_unreachable",
        "host_unreachable",    "admin_prohibited",    "admin_prohibited", "admin_prohibited",  "ok",
    };
    static const char *const v6[] = { "network_unreachable", "admin_prohibited", "network_unreachable", "host_unreachable",
                                      "port_unreachable",    "admin_prohibited", "admin_prohibited" };

    for (uint8_t i = 0; i < G_N_ELEMENTS(v4); i++)
        assert_string_equal(catalogue_row(icmp_code_of(4, 3, i))->name, v4[i]);
    for (uint8_t i = 0; i < G_N_ELEMENTS(v6); i++)
        assert_string_equal(catalogue_row(icmp_code_of(6, 1, i))->name, v6[i]);
    assert_int_equal(icmp_code_of(4, 11, 1), CODE_OK); /* reassembly time exceeded */
    assert_int_equal(icmp_code_of(6, 3, 1), CODE_OK);
    assert_int_equal(icmp_code_of(4, 5, 0), CODE_OK); /* redirect */
    assert_int_equal(icmp_code_of(6, 2, 0), CODE_OK);
}

/* A side whose packets were not captured is never blamed. */
static void test_one_sided(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S; C . ack 1; " RETRIES("C P. seq 1 ack 1 (100)") "wait +9s", "unknown incomplete_capture capture certain" },
        { "S S.; S . (100); C F. ack 101", "unknown incomplete_capture capture certain" },
        { "S S.; " RETRIES("S P. seq 1 (100)") "wait +9s", "unknown incomplete_capture capture certain" },
        { "S S.; S S. seq 0 +1s; S S. seq 0 +2s", "unknown incomplete_capture capture certain" },
        { "C P. seq 5 (10); C R", "unknown incomplete_capture capture certain" },
        { "C P. seq 5 (10); C F.; wait +99s", "unknown incomplete_capture capture certain" },
        { "S S.; S R", "unknown incomplete_capture capture certain" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* --- a bad end --- */

static void test_dead(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST ANSWER RETRIES("C P. seq 29 (100)"), "broken path_went_dead path likely" },
        { OPEN RETRIES("S P. seq 1 (100)"), "broken path_went_dead path likely" },
        { OPEN REQUEST ANSWER RETRIES("C F. seq 29"), "broken path_went_dead path likely" },
        /* one retry, or a short time: the answer may be on its way */
        { OPEN REQUEST ANSWER "C P. (100); C P. seq -100 (100) +300", "ok ok" },
        { OPEN REQUEST ANSWER "C P. (100); C P. seq -100 (100) +200; C P. seq -100 (100) +400", "ok ok" },
        { OPEN REQUEST ANSWER "C P. (100); C P. seq -100 (100) +200; C P. seq -100 (100) +400; wait +3s", "broken path_went_dead path likely" },
        /* the answer came */
        { OPEN REQUEST ANSWER "2 { C P. seq 29 (100) +300 }; S .", "ok ok" },
        { OPEN REQUEST ANSWER RETRIES("C P. seq 29 (100)") "S .", "degraded packet_loss path likely" },
        /* copies by the capture are no retries */
        { OPEN REQUEST ANSWER "C P. (100); dup; dup; dup; wait +9s", "ok ok" },
        /* an ICMP error explains the silence */
        { OPEN REQUEST ANSWER "C P. (100); icmp C 3/1; " RETRIES("C P. seq 29 (100)"), "broken host_unreachable path certain" },
        { OPEN "C P. (10); icmp C 3/1; S .; C P. (10); " RETRIES("C P. seq 11 (10)"), "broken path_went_dead path likely" }, /* an old one does not */
        /* quiet for 15 s before it */
        { OPEN REQUEST ANSWER "C P. (100) +16s; " RETRIES("C P. seq -100 (100) +200"), "broken idle_expired path likely" },
        { OPEN REQUEST ANSWER "C P. (100) +14s; " RETRIES("C P. seq -100 (100) +200"), "broken path_went_dead path likely" },
        { OPEN "C P. (100) +16s; " RETRIES("C P. seq -100 (100) +200"), "broken idle_expired path likely" },
        { OPEN REQUEST ANSWER "5 { C . seq -1 (1) +60s }", "broken idle_expired path likely" }, /* keep-alives without answer */
        { OPEN REQUEST ANSWER "5 { C . seq -1 (1) +60s; S . }", "ok ok" },
        { OPEN REQUEST ANSWER "C P. (100) +16s; S R", "broken idle_expired path likely" },
        { OPEN REQUEST ANSWER "C P. (100) +14s; S R", "broken reset_by_server server certain" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

static void test_size(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (1460)"), "broken pmtu_blackhole path likely" },
        /* nothing ever passed: less sure */
        { OPEN REQUEST RETRIES("S . seq 1 (1460)"), "broken pmtu_blackhole path possible" },
        /* a large one had passed before, or a small one stays without answer too: it is not the size */
        { OPEN REQUEST "S . (1460); C .; " RETRIES("S . seq 1461 (1460)"), "broken path_went_dead path likely" },
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (1460)") "S . seq 101 (100) +9s", "broken path_went_dead path likely" },
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (500)"), "broken path_went_dead path likely" },
        /* it healed: smaller segments pass */
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (1460)") "S . seq 101 (1000) +1s; C . ack 1101; S . seq 1101 (460); C .; " CLOSE,
          "degraded packet_loss path likely" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

static void test_reset(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "S R", "broken reset_by_server server certain" }, /* not answered yet */
        { OPEN "C P. (100); S R.", "broken reset_by_server server certain" },
        { OPEN "S R", "broken reset_by_server server certain" }, /* nothing said yet */
        { OPEN REQUEST "C R", "broken reset_by_client client certain" },
        { OPEN REQUEST "2 { S . (1000) }; C R", "broken reset_by_client client certain" }, /* the server was still sending */
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 500||ok'; C .; S R", "broken reset_by_server server certain + response_truncated" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 500||ok'; C .; C R", "broken reset_by_client client certain + response_truncated" },
        /* sent to somebody who had closed */
        { OPEN REQUEST ANSWER "C F.; S .; S P. (100); C R", "broken reset_by_client client certain" },
        { OPEN REQUEST ANSWER "S F.; C .; C P. (100); S R", "broken reset_by_server server certain" },
        /* everything was exchanged: no break */
        { OPEN REQUEST ANSWER "S R", "ok ok" },
        { OPEN REQUEST ANSWER "C R", "ok ok" },
        { OPEN REQUEST ANSWER "C F.; S R.", "ok ok" },
        { OPEN REQUEST ANSWER "C F.; S .; S F.; C R", "ok ok" },
        { OPEN REQUEST ANSWER CLOSE "C R", "ok ok" },
        /* RSTs that the other end does not believe */
        { OPEN REQUEST ANSWER "S R seq +5000000; C P. (10); S P. (10); C .", "ok ok" },
        /* another TTL than the packets of its sender: 2 hops are a change of route */
        { OPEN REQUEST "S R ttl 200", "broken reset_injected path possible" },
        { OPEN REQUEST "S R ttl 200; S P. (100); C .", "broken reset_injected path likely" },
        { OPEN REQUEST "S R ttl 59; S P. (100)", "broken reset_by_server server certain" },
        { OPEN REQUEST "C R ttl 50", "broken reset_injected path possible" },
        { OPEN REQUEST ANSWER "S R ttl 200", "ok ok" }, /* harmless, whoever sent it */
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

static void test_half_close_leak(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST ANSWER "C F.; S .; wait +60s", "degraded half_close_leak server certain" },
        { OPEN REQUEST ANSWER "S F.; C .; wait +60s", "degraded half_close_leak client certain" },
        { OPEN REQUEST ANSWER "S F.; C .; wait +59s", "ok ok" },
        { OPEN REQUEST ANSWER "S F.; C .; C P. (10) +50s; S .; wait +50s", "ok ok" },         /* it still has something to say */
        { OPEN REQUEST ANSWER "S F.; wait +99s", "ok ok" },                                    /* not acknowledged: not known to have arrived */
        { OPEN REQUEST ANSWER "S F.; C .; C R +99s", "ok ok" },
        { OPEN REQUEST ANSWER "C F.; S .; S F. +99s; C .", "ok ok" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* --- working badly --- */

static void test_zero_window(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN "S . (1000); C . win 0; S . (1) +300; C . ack -1 win 0; C . ack -1 win 500 +400; S . seq -1 (1000); C .", "degraded zero_window_stall client certain" },
        { OPEN "C P. (1000); S . win 0; C . seq -1 +300; S . win 0; S . win 500 +400; C P. (1000); S .; S P. (10); C .", "degraded zero_window_stall server certain" },
        /* it filled the window before, or sends at once when it opens: data was waiting */
        { OPEN "C . win 10; S . (1280); C . win 0; C . win 500 +900; C P. (1)", "degraded zero_window_stall client certain" },
        { OPEN "S . (1000); C . win 0; C . win 500 +900; S . (1000); C .", "degraded zero_window_stall client certain" },
        /* it never opens again */
        { OPEN "S . (1000); C . win 0; 5 { S . seq 1001 (1) +300; C . ack 1001 win 0 }", "broken zero_window_stall client certain" },
        /* no data waits: no stall */
        { OPEN REQUEST ANSWER "C . win 0; C . win 500 +2s", "ok ok" },
        { OPEN REQUEST ANSWER "C . win 0; C . win 500 +2s; S P. (10) +1s; C .", "ok ok" },
        { OPEN REQUEST ANSWER "C . win 0; wait +9s", "ok ok" },
        /* short */
        { OPEN "S . (1000); C . win 0; C . win 500 +400; S . (1000); C .", "ok ok" },
        { OPEN "S . (1000); 5 { C . win 0; C . win 500 +200; S . (1000) }; C .", "ok ok" },
        /* the window of a RST is no window */
        { OPEN REQUEST ANSWER "C R; wait +9s", "ok ok" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

static void test_loss(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN "20 { S . (1000); C . }; 3 { " LOSS "}; " CLOSE, "degraded packet_loss path likely" },
        { OPEN "20 { S . (1000); C . }; 2 { " LOSS "}; " CLOSE, "ok ok" },          /* less than 3 */
        { OPEN "400 { S . (1000); C . +0 }; 3 { " LOSS "}; " CLOSE, "ok ok" },      /* less than 1 % */
        { OPEN "3 { C . (1000); C . seq -1000 (1000) +300; S . }; " CLOSE, "degraded packet_loss path likely" },
        /* the capture holds packets twice */
        { OPEN "20 { S . (1000); dup; C .; dup }; " CLOSE, "ok ok" },
        /* it missed them: the receiver has acknowledged them */
        { OPEN "20 { S . (1000); S . seq +1000 (1000); C . }; " CLOSE, "ok ok" },
        /* not lost: they had arrived, and their ACKs too */
        { OPEN "20 { S . (1000); C .; S . seq -1000 (1000) +300; C . }; " CLOSE, "ok ok" },
        /* the receiver says that it has them twice (RFC 2883) */
        { OPEN "5 { S . (1000); S . seq -1000 (1000) +300; C . sack 1-101 }; " CLOSE, "ok ok" },
        /* one side only: who knows what the other one saw */
        { "S S.; 20 { S . (1000); S . seq -1000 (1000) +300 }", "unknown incomplete_capture capture certain" },
        /* nobody answers any more: that is no loss on the way */
        { OPEN REQUEST ANSWER "C P. (100); 20 { C P. seq -100 (100) +300 }", "broken path_went_dead path likely" },
        /* an ICMP too-big asked for it */
        { OPEN REQUEST "3 { S . (1460); icmp S 3/4 mtu 1400; S . seq -1460 (1360); S . (100); C . }; " CLOSE, "ok ok" },
        /* keep-alives */
        { OPEN REQUEST ANSWER "10 { C . seq -1 (1) +50s; S . }; " CLOSE, "ok ok" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

static void test_reordering(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* IP-IDs in order of sending: late, not lost */
        { OPEN "29 { S . (1000) }; S . seq +1000 (1000) id 500; S . seq -2000 (1000) id 499; C .; "
               "S . seq +1000 (1000) id 600; S . seq -2000 (1000) id 599; C .; S . seq +1000 (1000) id 700; S . seq -2000 (1000) id 699; C .; " CLOSE,
          "degraded reordering path likely" },
        { OPEN "9 { S . (1000) }; S . seq +1000 (1000) id 500; S . seq -2000 (1000) id 499; C .; "
               "S . seq +1000 (1000) id 600; S . seq -2000 (1000) id 599; C .; " CLOSE, "ok ok" },
        /* half a second late, and still not lost */
        { OPEN "S . seq +1000 (1000) id 500; C . ack -2000; S . seq -2000 (1000) id 499 +500; C .; "
               "S . seq +1000 (1000) id 600; C . ack -2000; S . seq -2000 (1000) id 599 +500; C .; "
               "S . seq +1000 (1000) id 700; C . ack -2000; S . seq -2000 (1000) id 699 +500; C .; " CLOSE,
          "degraded reordering path likely" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* Artefacts of the capturing host: segmentation offload, checksums left to the card; and fragments. */
static void test_artefacts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "10 { S . (14600); C . }; " CLOSE, "ok ok" },
        { OPEN REQUEST "10 { S . (14600) badsum; C . badsum }; " CLOSE, "ok ok" },
        { "C S badsum; S S.; C . badsum; " REQUEST ANSWER CLOSE, "ok ok" },
        { OPEN REQUEST "S P. (1000) cut 10; C .; " CLOSE, "ok ok" },
        { OPEN REQUEST "S P. (1000) frag; C .; " CLOSE, "degraded ip_fragmented path certain" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), 4);
}

/* --- what is said on top --- */

static void test_http(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN REQUEST "S P. 'HTTP/1.1 503 Down|Content-Length: 0||'; C .", "broken http_server_error server certain" },
        { OPEN REQUEST "S P. 'HTTP/1.1 404 Not Found|Content-Length: 0||'; C .; " CLOSE, "degraded http_client_error client certain" },
        { OPEN REQUEST "S P. 'HTTP/1.1 302 Found|Location: /x|Content-Length: 0||'; C .", "ok ok" },
        /* only the last answer counts */
        { OPEN REQUEST "S P. 'HTTP/1.1 503 Down|Content-Length: 0||'; C .; " REQUEST ANSWER, "ok ok" },
        { OPEN REQUEST "S P. 'HTTP/1.1 100 Continue||'; C .; " ANSWER, "ok ok" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 100||ok'; C .; " CLOSE, "broken response_truncated server likely" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Transfer-Encoding: chunked||2|ok|'; C .; S F.; C F.; S .", "broken response_truncated server likely" },
        { OPEN REQUEST "S P. 'HTTP/1.1 200 OK||ok'; C .; S F.; C F.; S .", "ok ok" }, /* ends with the connection */
        /* late: a second and five round trips (of 20 ms) */
        { OPEN REQUEST "S P. +1100 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .", "degraded slow_server server likely" },
        { OPEN REQUEST "S P. +900 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .", "ok ok" },
        { "C S; S S. +400; C .; C P. 'GET / HTTP/1.1|Host: a||'; S . +400; S P. +1100 'HTTP/1.1 200 OK|Content-Length: 2||ok'; C .", "ok ok" },
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
        { OPEN REQUEST "S F. +11s; C F.; S .", "broken server_silent server likely" },
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

static void test_tls(void **state)
{
    (void)state;
    static char sni[] = "www.example.net";
    static const struct tls_row rows[] = {
        { OPEN HELLOS "C P. (99); S .; " CLOSE, { .outcome = TLS_COMPLETE, .client_hello = true, .server_hello = true }, { 0 }, "ok ok" },
        { OPEN HELLOS, { .outcome = TLS_INCOMPLETE, .client_hello = true, .server_hello = true }, { 0 }, "ok ok" },
        { OPEN HELLO "S FP. (7); C F.; S .", { .outcome = TLS_ALERT, .client_hello = true, .n_alerts = 1, .alerts = { { .from = SERVER, .fatal = true, .description = 40, .packet = 6 } } }, { 0 },
          "broken tls_alert server certain" },
        { OPEN HELLOS "C FP. (7); S F.; C .",
          { .outcome = TLS_ALERT, .client_hello = true, .server_hello = true, .n_alerts = 2,
            .alerts = { { .from = SERVER, .description = 112, .packet = 6 }, { .from = CLIENT, .fatal = true, .description = 48, .packet = 8 } } },
          { 0 }, "broken tls_alert client certain" },
        { OPEN HELLOS "C FP. (24); S F.; C .", { .outcome = TLS_ALERT, .client_hello = true, .server_hello = true, .n_alerts = 1, .alerts = { { .from = CLIENT, .encrypted = true, .packet = 8 } } }, { 0 },
          "broken tls_alert client likely" },
        { OPEN HELLO "wait +10s", { .outcome = TLS_INCOMPLETE, .client_hello = true, .sni = sni }, { 0 }, "broken tls_no_server_hello - likely" },
        { OPEN HELLO "wait +9s", { .outcome = TLS_INCOMPLETE, .client_hello = true }, { 0 }, "unknown incomplete_capture capture certain" },
        { OPEN "C P. (300); wait +20s", { .outcome = TLS_INCOMPLETE, .client_hello = true }, { 0 }, "unknown incomplete_capture capture certain" },
        { OPEN HELLO "S F.; C F.; S .", { .outcome = TLS_NO_SERVER_HELLO, .client_hello = true }, { 0 }, "broken tls_reset - likely" },
        { OPEN HELLO "S R", { .outcome = TLS_RESET, .client_hello = true }, { 0 }, "broken reset_by_server server certain + tls_reset" },
        { OPEN HELLOS "S F.; C F.; S .", { .outcome = TLS_CLOSED, .client_hello = true, .server_hello = true }, { 0 }, "broken tls_reset - likely" },
        { OPEN HELLO "S P. (99); C .; " CLOSE, { .outcome = TLS_NOT_TLS, .client_hello = true, .not_tls_packet = 6 }, { 0 }, "broken tls_not_spoken server certain" },
    };
    check_tls(rows, G_N_ELEMENTS(rows));
}

/* The capture is of November 2023: 1700000000. */
#define GOOD .not_before_s = 1690000000, .not_after_s = 1710000000, .subject = subject
#define DONE .outcome = TLS_COMPLETE, .client_hello = true, .server_hello = true, .application_data = true
#define CUT_SHORT .outcome = TLS_CLOSED, .client_hello = true, .server_hello = true

static void test_certificates(void **state)
{
    (void)state;
    static char sni[] = "www.example.net", subject[] = "CN=example.org", name[] = "example.org";
    static char *names[] = { name, NULL };
    static const struct tls_row rows[] = {
        { OPEN HELLOS CLOSE, { DONE, .sni = sni, .certificate_matches = true }, { GOOD, .names = names }, "ok ok" },
        { OPEN HELLOS CLOSE, { DONE, .certificate_matches = true }, { .not_before_s = 1, .not_after_s = 1699999999 }, "degraded tls_certificate_expired server certain" },
        { OPEN HELLOS CLOSE, { CUT_SHORT, .certificate_matches = true }, { .not_before_s = 1, .not_after_s = 1699999999 },
          "broken tls_certificate_expired server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { CUT_SHORT, .certificate_matches = true }, { .not_before_s = 1700000001, .not_after_s = 1800000000 },
          "broken tls_certificate_not_yet_valid server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { CUT_SHORT, .sni = sni }, { GOOD, .names = names }, "broken tls_name_mismatch server certain + tls_reset" },
        { OPEN HELLOS CLOSE, { DONE, .sni = sni }, { GOOD }, "degraded tls_name_mismatch server certain" },
        { OPEN HELLOS CLOSE, { DONE, .certificate_matches = true }, { GOOD, .self_signed = true }, "degraded tls_self_signed server certain" },
        { OPEN HELLOS CLOSE, { CUT_SHORT, .certificate_matches = true }, { GOOD, .self_signed = true }, "broken tls_self_signed server certain + tls_reset" },
        /* one that cannot be read says nothing */
        { OPEN HELLOS CLOSE, { DONE, .sni = sni }, { .not_after_s = 1, .unreadable = true }, "ok ok" },
        /* where the certificate explains the alert it is the cause */
        { OPEN HELLOS "C FP. (7); S F.; C .",
          { .outcome = TLS_ALERT, .client_hello = true, .server_hello = true, .certificate_matches = true, .n_alerts = 1,
            .alerts = { { .from = CLIENT, .fatal = true, .description = 45, .packet = 8 } } },
          { .not_before_s = 1, .not_after_s = 1699999999 }, "broken tls_certificate_expired server certain + tls_alert" },
    };
    check_tls(rows, G_N_ELEMENTS(rows));
}

/* --- the machinery --- */

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
        cmocka_unit_test(test_ok),          cmocka_unit_test(test_syn),        cmocka_unit_test(test_icmp_codes),
        cmocka_unit_test(test_one_sided),   cmocka_unit_test(test_dead),       cmocka_unit_test(test_size),
        cmocka_unit_test(test_reset),       cmocka_unit_test(test_half_close_leak), cmocka_unit_test(test_zero_window),
        cmocka_unit_test(test_loss),        cmocka_unit_test(test_reordering), cmocka_unit_test(test_artefacts),
        cmocka_unit_test(test_http),        cmocka_unit_test(test_silent),     cmocka_unit_test(test_tls),
        cmocka_unit_test(test_certificates), cmocka_unit_test(test_catalogue), cmocka_unit_test(test_evidence),
        cmocka_unit_test(test_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
