/* The tracker: what is known of a connection when it is over, in the contract's words and in those of Zeek and Wireshark. */
#include "base/limits.h"
#include "flow/flow.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OPEN "C S; S S.; C .; "

struct row {
    const char *lines, *expected;
};

/* Runs each row's lines and compares what `tell` says of their flow. */
static void check_rows(const struct row *rows, size_t n, char *(*tell)(const struct flow *f))
{
    for (size_t i = 0; i < n; i++) {
        struct talk *t;
        const struct flow *f = talk_one(&t, rows[i].lines);
        g_autofree char *told = tell(f);
        if (strcmp(told, rows[i].expected) != 0)
            fail_msg("\"%s\": %s, expected %s", rows[i].lines, told, rows[i].expected);
        talk_free(t);
    }
}

/* --- beginnings and ends --- */

static char *tell_course(const struct flow *f)
{
    enum side first;
    const char *closed = flow_closed_first(f, &first) ? side_name(first) : "-";
    unsigned wait = flow_time_wait(f);

    return g_strdup_printf("%s %s %s %s", handshake_outcome_name(flow_handshake(f)), teardown_outcome_name(flow_teardown(f)), closed,
                           wait == 3 ? "both" : wait == 2 ? "server" : wait == 1 ? "client" : "-");
}

/* handshake.outcome of the contract, then teardown.outcome, closed_first, time_wait */
static void test_handshakes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S; S S.; C .", "complete none - -" },
        { "C S; C S seq 0 +1s; S S.; S S. seq 0 +1s; C .", "complete none - -" },
        { "C S; S S.; C P. (10)", "complete none - -" }, /* the ACK with data */
        { "C S; S S.; C F.", "complete fin_unacked client -" },
        { "C S", "no_answer none - -" },
        { "C S; C S seq 0 +1s; C S seq 0 +2s", "no_answer none - -" },
        { "C S; S R. seq 0", "refused reset - -" },
        { "C S; C S seq 0 +1s; S R. seq 0", "refused reset - -" },
        { "C S; S R. seq 0 ack 77", "no_answer none - -" }, /* a RST that the client does not believe */
        { "C S; icmp C 3/1", "unreachable none - -" },
        { "C S; C S seq 0 +1s; icmp C 3/13", "unreachable none - -" },
        { "C S; icmp C 3/1; S S.; C .", "complete none - -" }, /* a soft error: the SYN-ACK came all the same */
        { "C S; S S.", "unfinished none - -" },
        { "C S; S S.; S S. seq 0 +1s; S S. seq 0 +2s", "unfinished none - -" },
        { "C S; S S.; C R", "reset reset - -" },
        { "C S; S S.; C .; C R", "complete reset - -" },
        { "C S; C . ack 1; C P. (10) ack 1", "half_seen none - -" }, /* the client only */
        { "S S.; S P. (10); S F.", "half_seen fin_unacked server -" }, /* the server only */
        { "C S; S S.; S P. (10)", "half_seen none - -" }, /* the client's ACK is not in the capture */
        { "C S; S . (10)", "half_seen none - -" }, /* the SYN-ACK is not */
        { "C P. seq 5 (10); S .", "midstream none - -" },
        { "S S.; C .; C P. (10); S .", "midstream none - -" },
        { "C S; S S; C S. seq 0; S S. seq 0; C .; S .", "simultaneous none - -" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), tell_course);
}

static void test_teardowns(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN "C F.; S F.; C .", "complete fin client client" },
        { OPEN "S F.; C F.; S .", "complete fin server server" },
        { OPEN "C F.; S .; S P. (10); C .; S F.; C .", "complete fin client client" },
        { OPEN "C F.; S F. ack -1; C .; S .", "complete fin client both" },
        { OPEN "C F.; S F. ack -1; C .", "complete fin_unacked client -" },
        { OPEN "C F.; S .", "complete half_closed client -" },
        { OPEN "S F.; C .; C P. (10); S .", "complete half_closed server -" },
        { OPEN "C F.", "complete fin_unacked client -" },
        { OPEN "C F.; S F.", "complete fin_unacked client -" },
        { OPEN "S R", "complete reset - -" },
        { OPEN "C F.; S R.", "complete reset client -" },
        { OPEN "S R; C F.", "complete reset - -" }, /* what was on the way closes nothing */
        { OPEN "C F.; S .; S F.; C R", "complete reset client -" }, /* RST instead of the last ACK */
        { OPEN "C F.; S F.; C .; S R", "complete fin client -" },   /* and behind it: what ss shows is CLOSED, the end was a FIN */
        { OPEN "C P. (10); S .", "complete none - -" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), tell_course);
}

/* --- who is the client --- */

static char *tell_roles(const struct flow *f)
{
    return g_strdup_printf("%s %u %u", role_basis_name(f->role_basis), flow_port(f, CLIENT), flow_port(f, SERVER));
}

static void test_roles(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S port 40000; S S.", "syn 40000 80" },
        { "C S port 22; S S.; C .", "syn 22 80" }, /* the ports do not matter where there is a SYN */
        { "S S.; C .", "synack 40000 80" },
        { "S S. port 22; C .", "synack 22 80" },
        { "S . seq 5 (10); C .", "port 40000 80" },
        { "C . seq 5 (10); S .", "port 40000 80" },
        { "C . seq 5 (10) port 22; S .", "first_packet 22 80" },
        { "S . seq 5 (10) port 22; C .", "first_packet 80 22" },
        { "S . seq 5 (10) port 8080; C .", "port 8080 80" },
        { "C R seq 5", "port 40000 80" },
        { "C S port 80; S S.; C .", "syn 80 80" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), tell_roles);
}

/* --- Zeek and Wireshark --- */

static char *tell_zeek(const struct flow *f)
{
    return g_strdup_printf("%s %s %u", flow_conn_state(f), f->history, f->completeness);
}

/* One row for each of Zeek's conn_states at least, in the order in which it decides; behind it history and tcp.completeness. */
static void test_zeek(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S; S R. seq 0", "REJ Sr 37" },
        { "C S; C S seq 0 +1s; S R. seq 0", "REJ Sr 37" },
        { "S S.; S R", "RSTRH ^hr 34" },
        { OPEN "C P. (10); S R.", "RSTR ShADr 47" },
        { OPEN "C F.; S R.", "RSTR ShAFr 55" },
        { "C S; C R", "RSTOS0 SR 33" },
        { "C R seq 5", "OTH R 32" },
        { "C S; C . ack 1; C R", "OTH SAR 37" },
        { OPEN "C R", "RSTO ShAR 39" },
        { OPEN "S P. (10); C R.", "RSTO ShAdR 47" },
        { "C S; S S.; C R", "RSTO ShR 35" },
        { OPEN "C R; S R", "REJ ShARr 39" }, /* nothing was said: as if it had been refused */
        { OPEN "C P. (10); C R; S R", "RSTR ShADRr 47" },
        { OPEN "C P. (10); S P. (20); C F.; S F.; C .", "SF ShADdFf 31" },
        { OPEN "C P. (10); S .; S P. (20); C .; S F.; C F.; S .", "SF ShADadfF 31" },
        { OPEN "C F.; S F. ack -1; C .; S .", "SF ShAFfa 23" },
        { "C S; C F. ack 1", "SH SF 21" },
        { OPEN "C F.; S .", "S2 ShAFa 23" },
        { "S S.; S F.", "SHR ^hf 22" },
        { OPEN "S F.; C .", "S3 ShAf 23" },
        { "C S", "S0 S 1" },
        { "C S; C S seq 0 +1s", "S0 S 1" },
        { "C S; S S.; C .", "S1 ShA 7" },
        { "C S; S S.", "S1 Sh 3" },
        { OPEN "C P. (10); S .", "S1 ShADa 15" },
        { "C P. seq 5 (10); S .", "OTH Da 12" },
        { "C . seq 5; S . (10)", "OTH Ad 12" },
    };
    check_rows(rows, G_N_ELEMENTS(rows), tell_zeek);
}

/* The letters that come once, those that come again with another number, those at powers of ten. */
static void test_history(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "C S; C S seq 5 +1s; S R. seq 0", "S0 S 1" },
        { OPEN "S P. (10); S P. seq 1 (10) +300", "S1 ShAdt 15" },
        { OPEN "C . win 0; C . win 100", "S1 ShAW 7" },
        { OPEN "C F.; C F. seq -1 +300; S F.; S F. seq -1 +300", "SF ShAFf 23" },
        { OPEN "C FR.", "RSTO ShAI 55" },
        { OPEN "S .; C . ack 101; S P. seq 101 (10)", "S1 ShAagd 15" },
        { OPEN "C R; C R seq +1", "RSTO ShARR 39" },
    };

    /* a SYN with another number is another connection: two flows, not one */
    struct talk *t = talk_new(0);
    talk_lines(t, rows[0].lines);
    g_autofree char *first = tell_zeek(talk_finish(t, 0));
    assert_string_equal(first, rows[0].expected);
    assert_int_equal(t->flows->len, 2);
    talk_free(t);
    check_rows(rows + 1, G_N_ELEMENTS(rows) - 1, tell_zeek);

    GString *lines = g_string_new(OPEN "C P. (10); ");
    for (int i = 0; i < 120; i++)
        g_string_append(lines, "C P. seq 1 (10) +300; ");
    struct row row = { lines->str, "S1 ShADTTT 15" };
    check_rows(&row, 1, tell_zeek);
    g_string_free(lines, TRUE);
}

/* A long history does not run over. */
static void test_history_full(void **state)
{
    (void)state;
    GString *lines = g_string_new(OPEN);
    struct talk *t;

    for (int i = 0; i < 100; i++)
        g_string_append_printf(lines, "C R seq %d; ", i);
    const struct flow *f = talk_one(&t, lines->str);
    assert_int_equal(strlen(f->history), sizeof f->history - 1);
    talk_free(t);
    g_string_free(lines, TRUE);
}

/* --- counts --- */

static char *tell_counts(const struct flow *f)
{
    const struct half *c = &f->half[CLIENT], *s = &f->half[SERVER];
    return g_strdup_printf("%d/%d packets %d/%d bytes %d/%d segments %d/%d twice", (int)c->packets, (int)s->packets, (int)c->bytes, (int)s->bytes,
                           (int)c->segments, (int)s->segments, (int)flow_anomalies(f, CLIENT)->capture_duplicates,
                           (int)flow_anomalies(f, SERVER)->capture_duplicates);
}

static void test_counts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { OPEN, "2/1 packets 0/0 bytes 0/0 segments 0/0 twice" },
        { OPEN "C P. (100); S .; S P. (50); C .", "4/3 packets 100/50 bytes 1/1 segments 0/0 twice" },
        /* each byte once: sent again whole, in part, out of order, with a hole */
        { OPEN "C P. (100); C P. seq 1 (100) +300", "4/1 packets 100/0 bytes 2/0 segments 0/0 twice" },
        { OPEN "C P. (100); C P. seq 51 (100) +300", "4/1 packets 150/0 bytes 2/0 segments 0/0 twice" },
        { OPEN "C P. seq 101 (100); C P. seq 1 (100)", "4/1 packets 200/0 bytes 2/0 segments 0/0 twice" },
        { OPEN "C P. seq 101 (100)", "3/1 packets 100/0 bytes 1/0 segments 0/0 twice" },
        /* SYN and FIN are no bytes; data with them is */
        { "C S (30); S S.; C F. (20)", "2/1 packets 50/0 bytes 2/0 segments 0/0 twice" },
        { OPEN "C F. seq +100", "3/1 packets 0/0 bytes 0/0 segments 0/0 twice" }, /* behind a hole: it is remembered all the same */
        /* offload: one packet, several segments on the wire */
        { "C S mss 1000; S S. mss 1400; C .; C P. (2800); S P. (2800)", "3/2 packets 2800/2800 bytes 2/3 segments 0/0 twice" },
        /* a keep-alive is no data */
        { OPEN "C P. (10); S .; C . seq -1 (1) +60s; S . +0", "4/3 packets 10/0 bytes 1/0 segments 0/0 twice" },
        /* a snaplen cuts the capture, not the count */
        { OPEN "C P. (1000) cut 10", "3/1 packets 1000/0 bytes 1/0 segments 0/0 twice" },
        /* captured twice: counted once. A pure ACK is told by its IP-ID */
        { OPEN "C P. (100); dup; S .; dup", "3/2 packets 100/0 bytes 1/0 segments 1/1 twice" },
        { "C S; dup; S S.; dup; C .; dup; dup", "2/1 packets 0/0 bytes 0/0 segments 3/1 twice" },
        /* the same numbers with another IP-ID were sent again */
        { OPEN "C P. (100) id 7; C P. seq 1 (100) id 9 +1", "4/1 packets 100/0 bytes 2/0 segments 0/0 twice" },
        { OPEN "S . id 0; S . id 0 +1", "2/3 packets 0/0 bytes 0/0 segments 0/0 twice" }, /* without one, ACKs may repeat */
        { OPEN "C P. (10) id 7; C P. seq 1 (10) id 7 +300", "4/1 packets 10/0 bytes 2/0 segments 0/0 twice" }, /* nor so late */
    };
    check_rows(rows, G_N_ELEMENTS(rows), tell_counts);
}

/* More than 2^32 bytes in one direction: 64 segments of 2^29 bytes of which nothing was captured. */
static void test_64_bits(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, OPEN);
    for (int i = 0; i < 64; i++)
        talk_lines(t, "S P. (536870912) cut 0; C .");
    const struct flow *f = talk_finish(t, 0);
    assert_int_equal(f->half[SERVER].bytes, UINT64_C(64) << 29);
    assert_int_equal(flow_anomalies(f, SERVER)->retransmissions, 0);
    assert_int_equal(flow_anomalies(f, SERVER)->lost_segments, 0);
    assert_int_equal(flow_anomalies(f, CLIENT)->acked_unseen, 0);
    assert_int_equal(f->half[SERVER].segments, 64 * ((536870912 + 1459) / 1460));
    assert_int_equal(f->half[SERVER].unacked, 0);
    talk_free(t);
}

/* Numbers run over 2^32 and 2^31: nothing is odd about that. */
static void test_wrap(void **state)
{
    (void)state;
    static const uint32_t isns[] = { 0, UINT32_MAX, UINT32_MAX - 1000, 0x7fffffff, 0x80000000, 0x7ffffc00 };

    for (size_t i = 0; i < G_N_ELEMENTS(isns); i++) {
        struct talk *t = talk_new(0);
        t->isn[CLIENT] = t->next[CLIENT] = isns[i];
        t->isn[SERVER] = t->next[SERVER] = isns[G_N_ELEMENTS(isns) - 1 - i];
        talk_lines(t, OPEN);
        for (int k = 0; k < 20; k++)
            talk_lines(t, "C P. (100); S .; S P. (150); C .; S P. (1); C .");
        talk_lines(t, "C F.; S F.; C .");
        const struct flow *f = talk_finish(t, 0);
        assert_int_equal(f->half[CLIENT].bytes, 2000);
        assert_int_equal(f->half[SERVER].bytes, 3020);
        assert_string_equal(flow_conn_state(f), "SF");
        assert_null(f->trouble);
        talk_free(t);
    }
}

/* --- times --- */

static void test_times(void **state)
{
    (void)state;
    struct talk *t;
    /* the SYN and the SYN-ACK are sent twice: each time counts from the last one before the answer */
    const struct flow *f = talk_one(&t, "C S; C S seq 0 +1s; S S. +30; S S. seq 0 +1s; C . +2; C P. (10) +1; S . +40; C P. (10); "
                                        "C P. seq -10 (10) +200; S . +40");

    assert_int_equal(flow_rtt_to_server_ns(f), 30 * NS_PER_MS);
    assert_int_equal(flow_rtt_to_client_ns(f), 2 * NS_PER_MS);
    assert_int_equal(flow_handshake_rtt_ns(f), 1032 * NS_PER_MS);
    assert_int_equal(f->last_ns - f->first_ns, 2323 * NS_PER_MS);
    assert_int_equal(f->half[SERVER].rtt.samples, 1); /* neither the SYN nor the data that was sent twice tell */
    assert_int_equal(f->half[SERVER].rtt.max_ns, 40 * NS_PER_MS);
    assert_int_equal(f->half[CLIENT].rtt.samples, 0);
    assert_int_equal(f->syns, 2);
    assert_int_equal(f->synacks, 2);
    assert_int_equal(f->first_syn_packet, 1);
    assert_int_equal(f->syn_packet, 2);
    assert_int_equal(f->synack_packet, 3);
    assert_int_equal(f->ack_packet, 5);
    talk_free(t);

    f = talk_one(&t, "S S.; C . +2");
    assert_int_equal(flow_handshake_rtt_ns(f), TIME_NONE);
    assert_int_equal(flow_rtt_to_server_ns(f), TIME_NONE);
    assert_int_equal(flow_rtt_to_client_ns(f), 2 * NS_PER_MS);
    talk_free(t);
}

/* Time stamps that run backwards give no negative durations. */
static void test_backwards(void **state)
{
    (void)state;
    struct talk *t;
    const struct flow *f = talk_one(&t, "C S; S S. -20; C . -20; C P. (10) -20; S . -800; S P. (10) win 0 +800; C . -900; S . win 10 -900; "
                                        "C F. -1; S F. -1; C . -1");

    assert_true(f->last_ns >= f->first_ns);
    assert_int_equal(f->half[SERVER].rtt.samples + f->half[CLIENT].rtt.samples, 0);
    assert_true(flow_anomalies(f, SERVER)->zero_window_ns >= 0);
    assert_int_equal(tracker_now_ns(t->tracker), f->first_ns);
    talk_free(t);
}

/* --- several flows --- */

static void test_port_reuse(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, OPEN "C F.; S F.; C .");
    t->isn[CLIENT] = t->next[CLIENT] = 70000;
    t->isn[SERVER] = t->next[SERVER] = 80000;
    talk_lines(t, OPEN "C P. (10); S .");
    const struct flow *first = talk_finish(t, 0), *second = talk_finish(t, 1);
    assert_int_equal(t->flows->len, 2);
    assert_string_equal(flow_conn_state(first), "SF");
    assert_false(first->reused_ports);
    assert_true(second->reused_ports);
    assert_int_equal(second->previous, first->id);
    assert_string_equal(flow_conn_state(second), "S1");
    assert_int_equal(second->half[CLIENT].packets, 3);
    assert_null(second->trouble);
    talk_free(t);

    /* the same number again after the end begins another one too; before it, it is the SYN again */
    t = talk_new(0);
    talk_lines(t, OPEN "C F.; S F.; C .; C S seq 0 +1s");
    talk_finish(t, 1);
    assert_int_equal(t->flows->len, 2);
    talk_free(t);
    t = talk_new(0);
    talk_lines(t, OPEN "C S seq 0 +1s; C P. (10)");
    talk_finish(t, 0);
    assert_int_equal(t->flows->len, 1);
    talk_free(t);
}

/* The same addresses in two VLANs at a time; one connection of which one direction is tagged. */
static void test_twins(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, "C S vlan 10; S S. vlan 10; C . vlan 10");
    t->isn[CLIENT] = t->next[CLIENT] = 70000;
    t->isn[SERVER] = t->next[SERVER] = 80000;
    talk_lines(t, "C S vlan 20; S S. vlan 20; C . vlan 20; C P. (10) vlan 20; S . vlan 20");
    talk_finish(t, 1);
    assert_int_equal(t->flows->len, 2);
    for (guint i = 0; i < 2; i++) {
        const struct flow *f = g_ptr_array_index(t->flows, i);
        assert_string_equal(flow_conn_state(f), "S1");
        assert_int_equal(f->encap->vlans[0], 10 * (i + 1));
        assert_int_equal(f->half[CLIENT].bytes, 10 * i);
        assert_false(f->reused_ports);
    }
    talk_free(t);

    /* the ports of the twin are used again: the first connection goes on */
    t = talk_new(0);
    talk_lines(t, "C S vlan 10; S S. vlan 10; C . vlan 10; C S seq 5000 vlan 20; C S seq 6000 vlan 20; C S seq 6000 vlan 20 +1s; S R. seq 0 ack 6001 vlan 20; "
                  "S P. (30) seq 1 ack 1 vlan 10");
    talk_finish(t, 2);
    assert_int_equal(t->flows->len, 3);
    const struct flow *base = g_ptr_array_index(t->flows, 1), *reused = g_ptr_array_index(t->flows, 2);
    assert_int_equal(base->id, 1);
    assert_int_equal(base->half[SERVER].bytes, 30);
    assert_int_equal(reused->previous, 2);
    assert_int_equal(reused->syns, 2);
    assert_string_equal(flow_conn_state(reused), "REJ");
    talk_free(t);

    const struct flow *f = talk_one(&t, "C S vlan 10; S S.; C . vlan 10; C P. (10) vlan 10; S P. (20)");
    assert_int_equal(f->half[SERVER].bytes, 20);
    talk_free(t);
}

static void test_ipv6(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, OPEN);
    t->version = 6; /* the same 16 bytes, another version: another flow */
    t->next[CLIENT] = t->isn[CLIENT];
    t->next[SERVER] = t->isn[SERVER];
    talk_lines(t, OPEN "C P. (10); icmp C 1/4");
    talk_finish(t, 1);
    assert_int_equal(t->flows->len, 2);
    const struct flow *f = g_ptr_array_index(t->flows, 1);
    assert_int_equal(f->key.version, 6);
    assert_int_equal(f->trouble->n_icmp, 1);
    talk_free(t);
}

/* --- patience --- */

static guint flows_after(const char *lines, const char *wait)
{
    struct talk *t = talk_new(0);

    talk_lines(t, lines);
    talk_say(t, wait);
    guint n = t->flows->len;
    talk_free(t);
    return n;
}

/* A flow is handed out while the capture goes on: closed ones after a minute, attempts after five, open ones after hours. */
static void test_expiry(void **state)
{
    (void)state;
    assert_int_equal(flows_after(OPEN "C F.; S F.; C .", "wait +59s"), 0);
    assert_int_equal(flows_after(OPEN "C F.; S F.; C .", "wait +61s"), 1);
    assert_int_equal(flows_after(OPEN "S R", "wait +61s"), 1);
    assert_int_equal(flows_after("C S; S R. seq 0", "wait +61s"), 1);
    assert_int_equal(flows_after("C S", "wait +299s"), 0);
    assert_int_equal(flows_after("C S", "wait +301s"), 1);
    assert_int_equal(flows_after("C S; S S.", "wait +301s"), 1);
    assert_int_equal(flows_after(OPEN, "wait +301s"), 0);
    assert_int_equal(flows_after(OPEN "C F.; S .", "wait +8000s"), 0); /* a half-closed one is open */
    assert_int_equal(flows_after(OPEN, "wait +9001s"), 1);
    assert_int_equal(flows_after("C P. seq 5 (10)", "wait +301s"), 0); /* as is one that was met in the middle */
}

/* At the end they come in order of their first packets. */
static void test_order(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    for (int i = 0; i < 300; i++) {
        g_autofree char *line = g_strdup_printf("C S seq 0 port %d +1", 1024 + i * 7919 % 40000);
        talk_say(t, line);
    }
    talk_finish(t, 299);
    for (guint i = 0; i < 300; i++)
        assert_int_equal(((struct flow *)g_ptr_array_index(t->flows, i))->id, i + 1);
    assert_int_equal(tracker_tcp_packets(t->tracker), 300);
    assert_int_equal(tracker_evicted_flows(t->tracker), 0);
    talk_free(t);
}

/* Two trackers at a time know nothing of each other. */
static void test_two_trackers(void **state)
{
    (void)state;
    struct talk *a = talk_new(0), *b = talk_new(0);

    talk_lines(a, "C S; S S.");
    talk_lines(b, "C S; S R. seq 0");
    talk_lines(a, "C .; C P. (10)");
    assert_string_equal(flow_conn_state(talk_finish(b, 0)), "REJ");
    talk_free(b);
    assert_string_equal(flow_conn_state(talk_finish(a, 0)), "S1");
    talk_free(a);
}

/* --- ICMP --- */

static void test_icmp(void **state)
{
    (void)state;
    struct talk *t = talk_new(0);

    talk_lines(t, OPEN "S P. (1460); icmp S 3/4 mtu 1400; icmp C 11/0 from server");
    struct packet stray = t->last[CLIENT]; /* about no flow: nothing happens */
    t->last[CLIENT].tcp.sport = 9;
    talk_say(t, "icmp C 3/1");
    t->last[CLIENT] = stray;
    for (int i = 0; i < 10; i++)
        talk_say(t, "icmp C 3/1");
    const struct flow *f = talk_finish(t, 0);
    assert_int_equal(t->flows->len, 1);
    assert_int_equal(f->trouble->n_icmp, 12); /* more than are kept */
    const struct icmp_note *first = &f->trouble->icmp[0], *second = &f->trouble->icmp[1];
    assert_int_equal(first->about, SERVER);
    assert_int_equal(first->mtu, 1400);
    assert_true(first->quotes_seq);
    assert_int_equal(first->quoted_seq, t->isn[SERVER] + 1);
    assert_int_equal(second->about, CLIENT);
    assert_memory_equal(&second->from, &t->addr[SERVER], sizeof second->from);
    assert_int_equal(f->half[CLIENT].packets + f->half[SERVER].packets, 4);
    talk_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshakes), cmocka_unit_test(test_teardowns),    cmocka_unit_test(test_roles),
        cmocka_unit_test(test_zeek),       cmocka_unit_test(test_history),      cmocka_unit_test(test_history_full),
        cmocka_unit_test(test_counts),     cmocka_unit_test(test_64_bits),      cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_times),      cmocka_unit_test(test_backwards),    cmocka_unit_test(test_port_reuse),
        cmocka_unit_test(test_twins),      cmocka_unit_test(test_ipv6),         cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_two_trackers), cmocka_unit_test(test_icmp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
