/* The RFC 9293 state of both ends after every packet, as ss(8) on each of them would show it. "-": nothing is known of that end. */
#include "flow/flow.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* A line of packets.h, and the states of client and server after it. */
struct row {
    const char *line, *states;
};

static const char *name(const struct log_entry *e, enum side s)
{
    return e->state[s] == STATE_NONE ? "-" : tcp_state_name((enum tcp_state)e->state[s]);
}

static void check_rows(const struct row *rows, size_t n)
{
    struct talk *t = talk_new(1);

    for (size_t i = 0; i < n; i++)
        talk_lines(t, rows[i].line);
    const struct flow *f = talk_finish(t, 0);
    assert_int_equal(f->log->len, n);
    for (size_t i = 0; i < n; i++) {
        const struct log_entry *e = &g_array_index(f->log, struct log_entry, i);
        g_autofree char *states = g_strdup_printf("%s %s", name(e, CLIENT), name(e, SERVER));
        if (strcmp(states, rows[i].states) != 0)
            fail_msg("packet %zu, \"%s\": %s, expected %s", i + 1, rows[i].line, states, rows[i].states);
    }
    for (int s = CLIENT; n && s <= SERVER; s++)
        assert_int_equal(f->half[s].state, g_array_index(f->log, struct log_entry, n - 1).state[s]);
    talk_free(t);
}

#define CHECK(...)                                                                                                     \
    do {                                                                                                               \
        static const struct row rows[] = { __VA_ARGS__ };                                                              \
        check_rows(rows, G_N_ELEMENTS(rows));                                                                          \
    } while (0)

#define HANDSHAKE                                                                                                      \
    { "C S", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" }, { "C .", "ESTABLISHED ESTABLISHED" }

/* RFC 9293 figure 6 */
static void test_handshake(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (100)", "ESTABLISHED ESTABLISHED" }, { "S .", "ESTABLISHED ESTABLISHED" });
    /* the SYN, the SYN-ACK and the ACK again */
    CHECK({ "C S", "SYN-SENT -" }, { "C S seq 0 +1s", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" },
          { "S S. seq 0 +1s", "SYN-SENT SYN-RECEIVED" }, { "C .", "ESTABLISHED ESTABLISHED" },
          { "S S. seq 0 +1s", "ESTABLISHED ESTABLISHED" }, { "C .", "ESTABLISHED ESTABLISHED" });
    /* an ACK of something else is no answer to the SYN-ACK (RFC 9293 3.10.7.3) */
    CHECK({ "C S", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" }, { "C . ack 0", "SYN-SENT SYN-RECEIVED" });
    /* data in the SYN (RFC 7413), taken by the server */
    CHECK({ "C S (100)", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" }, { "C .", "ESTABLISHED ESTABLISHED" });
    /* the client's ACK is not in the capture, but the server goes on */
    CHECK({ "C S", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" }, { "S P. (50)", "SYN-SENT ESTABLISHED" },
          { "C .", "ESTABLISHED ESTABLISHED" });
}

/* RFC 9293 figure 12, from both sides, the FIN acknowledged alone and together with the other one */
static void test_close(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C F.", "FIN-WAIT-1 ESTABLISHED" }, { "S .", "FIN-WAIT-2 CLOSE-WAIT" }, { "S F.", "FIN-WAIT-2 LAST-ACK" },
          { "C .", "TIME-WAIT CLOSED" });
    CHECK(HANDSHAKE, { "S F.", "ESTABLISHED FIN-WAIT-1" }, { "C .", "CLOSE-WAIT FIN-WAIT-2" }, { "C F.", "LAST-ACK FIN-WAIT-2" },
          { "S .", "CLOSED TIME-WAIT" });
    CHECK(HANDSHAKE, { "C F.", "FIN-WAIT-1 ESTABLISHED" }, { "S F.", "FIN-WAIT-2 LAST-ACK" }, { "C .", "TIME-WAIT CLOSED" });
    CHECK(HANDSHAKE, { "S FP. (1000)", "ESTABLISHED FIN-WAIT-1" }, { "C F.", "LAST-ACK FIN-WAIT-2" }, { "S .", "CLOSED TIME-WAIT" });
    /* the FIN with the handshake's ACK */
    CHECK({ "C S", "SYN-SENT -" }, { "S S.", "SYN-SENT SYN-RECEIVED" }, { "C F.", "FIN-WAIT-1 ESTABLISHED" },
          { "S F.", "FIN-WAIT-2 LAST-ACK" }, { "C .", "TIME-WAIT CLOSED" });
}

/* FINs that are lost, or whose ACK is */
static void test_close_again(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C F.", "FIN-WAIT-1 ESTABLISHED" }, { "C F. seq -1 +300", "FIN-WAIT-1 ESTABLISHED" },
          { "S . ack 1", "FIN-WAIT-1 ESTABLISHED" }, /* of what came before it */
          { "S .", "FIN-WAIT-2 CLOSE-WAIT" }, { "S F.", "FIN-WAIT-2 LAST-ACK" }, { "S F. seq -1 +300", "FIN-WAIT-2 LAST-ACK" },
          { "C .", "TIME-WAIT CLOSED" }, { "S F. seq -1 +300", "TIME-WAIT CLOSED" }, { "C .", "TIME-WAIT CLOSED" });
    /* a FIN behind data of which a part is not acknowledged yet */
    CHECK(HANDSHAKE, { "C P. (100)", "ESTABLISHED ESTABLISHED" }, { "C FP. (100)", "FIN-WAIT-1 ESTABLISHED" },
          { "S . ack 101", "FIN-WAIT-1 ESTABLISHED" }, { "S . ack 201", "FIN-WAIT-1 ESTABLISHED" }, { "S .", "FIN-WAIT-2 CLOSE-WAIT" });
}

static void test_half_close(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C P. (100)", "ESTABLISHED ESTABLISHED" }, { "C F.", "FIN-WAIT-1 ESTABLISHED" },
          { "S .", "FIN-WAIT-2 CLOSE-WAIT" }, { "S P. (1000)", "FIN-WAIT-2 CLOSE-WAIT" }, { "C .", "FIN-WAIT-2 CLOSE-WAIT" },
          { "S FP. (1000)", "FIN-WAIT-2 LAST-ACK" }, { "C .", "TIME-WAIT CLOSED" });
}

/* RFC 9293 figure 13: the FINs cross */
static void test_simultaneous_close(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "C F.", "FIN-WAIT-1 ESTABLISHED" }, { "S F. ack -1", "FIN-WAIT-1 FIN-WAIT-1" }, { "C .", "CLOSING FIN-WAIT-2" },
          { "S .", "TIME-WAIT TIME-WAIT" });
    CHECK(HANDSHAKE, { "S F.", "ESTABLISHED FIN-WAIT-1" }, { "C F. ack -1", "FIN-WAIT-1 FIN-WAIT-1" }, { "C .", "CLOSING FIN-WAIT-2" },
          { "S .", "TIME-WAIT TIME-WAIT" });
}

/* RFC 9293 figure 7: the SYNs cross */
static void test_simultaneous_open(void **state)
{
    (void)state;
    CHECK({ "C S", "SYN-SENT -" }, { "S S", "SYN-SENT SYN-SENT" }, { "C S. seq 0", "SYN-RECEIVED SYN-SENT" },
          { "S S. seq 0", "ESTABLISHED SYN-RECEIVED" }, { "C .", "ESTABLISHED ESTABLISHED" },
          { "S .", "ESTABLISHED ESTABLISHED" });
    /* ACKs instead of SYN-ACKs, as some systems do it */
    CHECK({ "C S", "SYN-SENT -" }, { "S S", "SYN-SENT SYN-SENT" }, { "C .", "ESTABLISHED SYN-SENT" },
          { "S .", "ESTABLISHED ESTABLISHED" });
}

/* A connection that began before the capture */
static void test_midstream(void **state)
{
    (void)state;
    CHECK({ "C P. seq 5 (10)", "ESTABLISHED -" }, { "S .", "ESTABLISHED ESTABLISHED" }, { "C F.", "FIN-WAIT-1 ESTABLISHED" },
          { "S F.", "FIN-WAIT-2 LAST-ACK" }, { "C .", "TIME-WAIT CLOSED" });
    CHECK({ "S F. seq 5", "- FIN-WAIT-1" }, { "C .", "CLOSE-WAIT FIN-WAIT-2" }, { "C F.", "LAST-ACK FIN-WAIT-2" });
    CHECK({ "S S.", "- SYN-RECEIVED" }, { "C .", "ESTABLISHED ESTABLISHED" });
}

/* --- RST in each state: both ends are closed --- */

static void reset_after(const char *lines, const char *rst)
{
    struct talk *t;
    g_autofree char *all = g_strdup_printf("%s; %s", lines, rst);
    const struct flow *f = talk_one(&t, all);

    if (f->half[CLIENT].state != STATE_CLOSED || f->half[SERVER].state != STATE_CLOSED || f->reset.packet != t->number)
        fail_msg("\"%s\": %s %s", all, tcp_state_name((enum tcp_state)f->half[CLIENT].state), tcp_state_name((enum tcp_state)f->half[SERVER].state));
    talk_free(t);
}

static void test_reset_in_each_state(void **state)
{
    (void)state;
    static const char *const before[] = {
        "C S; S S.", "C S; S S.; C .", "C S; S S.; C .; C P. (10)", "C S; S S.; C .; C F.", "C S; S S.; C .; S F.",
        "C S; S S.; C .; C F.; S .", "C S; S S.; C .; C F.; S F.", "C S; S S.; C .; C F.; S F. ack -1", "C S; S S.; C .; C F.; S F. ack -1; C .",
        "C S; S S.; C .; C F.; S F.; C .", "C P. seq 5 (10); S .", "C S; S S",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
        reset_after(before[i], "C R");
        reset_after(before[i], "C R.");
        if (strcmp(before[i], "C S; S S") != 0) /* in SYN-SENT a RST must acknowledge the SYN: the next test */
            reset_after(before[i], "S R");
        reset_after(before[i], "S R.");
    }
    reset_after("C S", "S R. seq 0");
    reset_after("C S", "C R");
}

/* RSTs that the other end would not believe (RFC 9293 3.5.3, 3.10.7) */
static void test_reset_not_believed(void **state)
{
    (void)state;
    /* the answer to a SYN must acknowledge it */
    CHECK({ "C S", "SYN-SENT -" }, { "S R. seq 0 ack 0", "SYN-SENT -" }, { "S R. seq 0 ack 77", "SYN-SENT -" }, { "S R. seq 0", "CLOSED CLOSED" });
    /* beyond any window */
    CHECK(HANDSHAKE, { "S R seq +1000000", "ESTABLISHED ESTABLISHED" }, { "S R seq -1000000", "ESTABLISHED ESTABLISHED" },
          { "C P. (10)", "ESTABLISHED ESTABLISHED" }, { "S R", "CLOSED CLOSED" });
    /* the client in SYN-SENT gets the ACK of an old connection and answers it with RST; its SYN goes on (RFC 9293 figure 9) */
    CHECK({ "C S", "SYN-SENT -" }, { "S . seq 500 ack -5000", "SYN-SENT ESTABLISHED" }, { "C R seq -5000", "SYN-SENT ESTABLISHED" },
          { "C S seq 0 +1s", "SYN-SENT ESTABLISHED" }, { "S S.", "SYN-SENT ESTABLISHED" }, { "C .", "ESTABLISHED ESTABLISHED" });
}

/* What was still on the way changes nothing */
static void test_after_reset(void **state)
{
    (void)state;
    CHECK(HANDSHAKE, { "S R.", "CLOSED CLOSED" }, { "C P. (100)", "CLOSED CLOSED" }, { "C F.", "CLOSED CLOSED" }, { "S R", "CLOSED CLOSED" });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handshake),          cmocka_unit_test(test_close),
        cmocka_unit_test(test_close_again),        cmocka_unit_test(test_half_close),
        cmocka_unit_test(test_simultaneous_close), cmocka_unit_test(test_simultaneous_open),
        cmocka_unit_test(test_midstream),          cmocka_unit_test(test_reset_in_each_state),
        cmocka_unit_test(test_reset_not_believed), cmocka_unit_test(test_after_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
