/* The rules on connections as such: the verdict that each conversation gets, with the guards that keep a rule from accusing where the
 * capture cannot tell.
 */
#include "diagnose/rules.h"
#include "judge_rows.h"

/* A segment of the server is lost on the way and sent again. */
#define LOSS "S . seq +1000 (1000); C . ack -2000; S . seq -2000 (1000) +300; C .; "
/* Sent, and sent again and again, without an answer. */
#define RETRIES(line) line "; " line " +300; " line " +600; " line " +1200; "

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
        { OPEN REQUEST ANSWER "C P. (100); C P. seq -100 (100) +300; wait +9s", "ok ok" },
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
        { "C S; S S. +6s; C .; " REQUEST ANSWER "C P. (100) +16s; " RETRIES("C P. seq -100 (100) +200"),
          "broken path_went_dead path likely" }, /* where a round trip takes 6 s, 16 s is no idle time */
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
        /* healed by MTU probing (RFC 4821): smaller segments pass */
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (1460)") "S . seq 101 (1000) +1s; C . ack 1101; S . seq 1101 (460); C .; " CLOSE,
          "degraded pmtu_blackhole path likely" },
        /* it was acknowledged as a whole in the end: lost, four times */
        { OPEN REQUEST "S . (100); C .; " RETRIES("S . seq 101 (1460)") "S . seq 101 (1000) +1s; C . ack 1561; " CLOSE,
          "degraded packet_loss path likely" },
        /* told, and heeded or not */
        { OPEN REQUEST "S . (100); C .; S . seq 101 (1460); icmp S 3/4 mtu 1400; S . seq 101 (1300) +300; C .; S . seq 1401 (160); C .; " CLOSE, "ok ok" },
        { OPEN REQUEST "S . (100); C .; S . seq 101 (1460); icmp S 3/4 mtu 1400; " RETRIES("S . seq 101 (1460) +400"),
          "broken pmtu_ignored server likely" },
        /* where the receiver is: holes of full-size segments */
        { OPEN REQUEST "S . seq 2921 (100); C . ack 1; S . seq 2921 (100) +2s; C . ack 1; wait +2s", "broken pmtu_blackhole path likely" },
        { OPEN REQUEST "S . seq 2921 (100); C . ack 1; S . seq 1 (1460) +2s; C . ack 1461; S . (1460); C .; wait +2s", "ok ok" },
        { OPEN REQUEST "S . seq 501 (100); C . ack 1; S . seq 501 (100) +2s; C . ack 1; wait +2s", "ok ok" },
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
        /* sent to somebody who had closed; a short goodbye to a client that waits for nothing is none */
        { OPEN REQUEST ANSWER "C F.; S .; S P. (300); C R", "broken reset_by_client client certain" },
        { OPEN REQUEST ANSWER "C F.; S .; S P. (100); C R", "ok ok" },
        { OPEN "C P. (10); S .; C F. +100; S .; S P. (100); C R", "broken reset_by_client client certain" },
        { OPEN "S P. (20); C .; C P. (4); C F. +5; S .; S P. (100); C R", "ok ok" }, /* QUIT, and gone */
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
        { OPEN REQUEST "S R ttl 59", "broken reset_by_server server likely" },
        /* unless enough others all came with one TTL: then one hop is a sign, too */
        { OPEN REQUEST "4 { S . (1000) }; S R ttl 58", "broken reset_injected path possible" },
        { OPEN REQUEST "2 { S . (1000) }; S . (1000) ttl 58; 2 { S . (1000) }; S R ttl 58", "broken reset_by_server server likely" },
        { OPEN REQUEST "S R ttl 248; S R ttl 57", "broken reset_injected path likely" }, /* its own begins at 64 */
        { OPEN REQUEST ANSWER "C . seq -1 (1) +16s; S R", "broken idle_expired path likely" },
        { OPEN REQUEST ANSWER "C . seq -1 (1) +14s; S R", "ok ok" },
        { OPEN REQUEST "S R ttl 248", "broken reset_by_server server likely" }, /* 7 hops too, from 255 */
        /* the end goes on as if it had sent no RST; what only changed places does not tell */
        { OPEN REQUEST "S R ttl 59; S P. (100)", "broken reset_injected path likely" },
        { OPEN REQUEST "S R; S F. +5s", "broken reset_injected path likely" },
        { OPEN REQUEST "S R seq +100; S P. (100)", "broken reset_by_server server certain" },
        { OPEN REQUEST "S R; S P. (100) +1", "broken reset_by_server server certain" },
        /* sooner than it can answer: the round trip is 10 ms */
        { OPEN "C P. (100); S R. +1", "broken reset_injected path possible" },
        { OPEN "C P. (100); S R. +6", "broken reset_by_server server certain" },
        { OPEN REQUEST "S R ttl 60; S P. (100)", "broken reset_injected path likely" },
        { OPEN REQUEST "C R ttl 62", "broken reset_by_client client likely" },
        { OPEN REQUEST "C R ttl 61", "broken reset_injected path possible" },
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
        { OPEN "S . (1000); C . win 0; S . (1) +300; C . ack -1 win 0; C . ack -1 win 500 +400; S . seq -1 (1000); C .",
          "degraded zero_window_stall client certain" },
        { OPEN "C P. (1000); S . win 0; C . seq -1 +300; S . win 0; S . win 500 +400; C P. (1000); S .; S P. (10); C .",
          "degraded zero_window_stall server certain" },
        /* it sends at once when it opens: data was waiting. A window that is filled to the last byte does not say so */
        { OPEN "C . win 10; S . (1280); C . win 0; C . win 500 +900; C P. (1)", "ok ok" },
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
        { OPEN REQUEST "9 { S . (1460); icmp S 3/4 mtu 1400; S . seq -1460 (1360); S . (100); C . }; " CLOSE, "ok ok" },
        { OPEN REQUEST "3 { S . (1460); icmp S 3/4 mtu 1400 +2s; S . seq -1460 (1360); S . (100); C . }; 3 { " LOSS "}; " CLOSE,
          "degraded packet_loss path likely" }, /* not for these */
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

/* What the capture lost may be what a rule misses: it says so, and is less sure. What was seen stays as it is. */
static void test_doubts(void **state)
{
    static const struct {
        const char *lines, *expected;
        bool doubted;
    } doubts[] = {
        { "C S; C S seq 0 +1s; C S seq 0 +2s", "broken syn_unanswered path possible", true },
        { "C S; S R. seq 0", "broken syn_refused server likely", false },
        { OPEN REQUEST "wait +12s", "broken server_silent server possible", true },
        { OPEN REQUEST ANSWER CLOSE, "ok ok", false },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(doubts); i++) {
        struct talk *t = talk_new(0);
        struct judgement j;
        talk_lines(t, doubts[i].lines);
        const struct flow *f = talk_finish(t, 0);
        const struct judge_context c = { .now_ns = g_array_index(t->now_ns, int64_t, 0), .dropped = 7 };
        judge_flow(f, &c, &j);
        g_autofree char *told = tell(&j);
        const char *summary = judgement_verdict(&j)->summary;
        assert_string_equal(told, doubts[i].expected);
        assert_int_equal(summary && strstr(summary, "lost 7 packets") != NULL, doubts[i].doubted);
        judgement_clear(&j);
        talk_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubts),
        cmocka_unit_test(test_ok),          cmocka_unit_test(test_syn),        cmocka_unit_test(test_icmp_codes),
        cmocka_unit_test(test_one_sided),   cmocka_unit_test(test_dead),       cmocka_unit_test(test_size),
        cmocka_unit_test(test_reset),       cmocka_unit_test(test_half_close_leak), cmocka_unit_test(test_zero_window),
        cmocka_unit_test(test_loss),        cmocka_unit_test(test_reordering), cmocka_unit_test(test_artefacts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
