/* The tracker of a live capture: what it shows of flows that go on, and that a flow is not changed by being looked at.
 */
#include "diagnose/judge.h"
#include "flow/view.h"
#include "packets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define OPEN "C S; S S.; C .; "
#define REQUEST "C P. 'GET / HTTP/1.1|Host: a||'; S . ; "

/* A talk, and what was shown of its flows in between: "waits syn_unanswered, over ok". */
struct watched {
    struct talk *talk;
    GString *shown;
};

/* tracker_hooks.moment: a verdict is noted when it is another one than before. */
static void note_moment(void *user, const struct flow *f, enum flow_moment moment, uint8_t *told)
{
    struct watched *w = user;
    struct judge_context context = { .now_ns = tracker_now_ns(w->talk->tracker) };
    struct judgement j;

    if (moment == FLOW_OPENED)
        return;
    judge_flow(f, &context, &j);
    enum code code = judgement_verdict(&j)->code;
    if (moment == FLOW_WAITS && judgement_verdict(&j)->status < STATUS_DEGRADED)
        code = CODE_OK; /* no news */
    else if (*told != code + 1)
        g_string_append_printf(w->shown, "%s%s %s", w->shown->len ? ", " : "", moment == FLOW_OVER ? "over" : "waits",
                               catalogue_row(code)->name);
    *told = code == CODE_OK ? *told : (uint8_t)(code + 1);
    judgement_clear(&j);
}

static void keep_flow(void *user, struct flow *f)
{
    talk_flow(((struct watched *)user)->talk, f);
}

static void watched_start(struct watched *w)
{
    struct tracker_hooks hooks = { .flow = keep_flow, .lookup = talk_lookup, .moment = note_moment, .user = w };

    w->talk = talk_new(0);
    w->shown = g_string_new(NULL);
    tracker_free(w->talk->tracker);
    w->talk->tracker = tracker_new(&hooks, 0);
}

static void watched_end(struct watched *w)
{
    g_string_free(w->shown, TRUE);
    talk_free(w->talk);
}

static const struct {
    const char *lines;
    int wait_s; /* the clock goes on for so long, and no packet comes */
    const char *shown;
} rows[] = {
    { "C S; C S seq 0 +1s", 1, "" },
    { "C S; C S seq 0 +1s; C S seq 0 +2s", 1, "waits syn_unanswered" },
    { "C S; C S seq 0 +1s; C S seq 0 +2s", 20, "waits syn_unanswered" },
    { "C S", 2, "" },
    { "C S", 11, "waits syn_unanswered" },
    { "C S; S R. seq 0", 0, "over syn_refused" },
    { "C S; icmp C 3/13", 1, "waits admin_prohibited" },
    { OPEN "C F.; S F.; C .", 0, "over ok" },
    { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 1||x'; C F.; S F.; C .", 0, "over ok" },
    { OPEN REQUEST "S R.", 0, "over reset_by_server" },
    { OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 9||x'; S R.", 0, "over reset_by_server" },
    { OPEN REQUEST, 9, "" },
    { OPEN REQUEST, 12, "waits server_silent" },
    { OPEN "C P. (100); C P. (100) seq 1 +1s; C P. (100) seq 1 +2s", 1, "" },
    { OPEN "C P. (100); C P. (100) seq 1 +1s; C P. (100) seq 1 +2s; C P. (100) seq 1 +3s", 1, "waits path_went_dead" },
    { OPEN "C P. (100); S . win 0; C . seq -1 +1s; S .", 1, "" },
    { OPEN "C P. (100); S . win 0; C . seq -1 +1s; S .", 5, "waits zero_window_stall" },
    { OPEN "C P. (100); S . ; S F.; C .", 90, "waits half_close_leak" },
    { OPEN "C P. (100); S P. (100); C .", 600, "" }, /* nobody owes anything */
};

static void test_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct watched w;
        watched_start(&w);
        talk_lines(w.talk, rows[i].lines);
        for (int s = 0; s <= 4 * rows[i].wait_s; s++)
            tracker_clock(w.talk->tracker, w.talk->ts_ns + s * NS_PER_S / 4);
        if (strcmp(w.shown->str, rows[i].shown) != 0)
            fail_msg("\"%s\" and %d s: %s, expected %s", rows[i].lines, rows[i].wait_s, w.shown->str, rows[i].shown);
        watched_end(&w);
    }
}

/* Much of what a flow holds, as a text. */
static char *tell(const struct flow *f)
{
    GString *s = g_string_new(f->history);

    g_string_append_printf(s, " %s %d %s", flow_conn_state(f), f->completeness,
                           teardown_outcome_name(flow_teardown(f)));
    for (int e = CLIENT; e <= SERVER; e++) {
        const struct anomalies *a = flow_anomalies(f, (enum side)e);
        const struct losses *l = flow_losses(f, (enum side)e);
        g_string_append_printf(s, " %u/%u/%u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %d %u %u", a->retransmissions,
                               a->zero_windows, l->tail_retries, a->zero_window_ns,
                               l->longest.to_ns - l->longest.from_ns, l->longest.wanted, l->longest.probes,
                               f->half[e].unacked);
    }
    const struct http_transaction *h = f->app && f->app->http ? http_at(f->app->http, 0) : NULL;
    if (h)
        g_string_append_printf(s, " http %d %d%d", h->status, h->complete, h->truncated);
    return g_string_free(s, FALSE);
}

/* Looked at behind every packet, or never: the flow is the same at its end. */
static void test_looking_changes_nothing(void **state)
{
    static const char *const talks[] = {
        OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 9||x'; S P. (8); C .; C F.; S F.; C .",
        OPEN REQUEST "S P. 'HTTP/1.1 200 OK|Content-Length: 9||x'; S R.; S P. (8)",
        OPEN "C P. (100); S . win 0; C . seq -1 +1s; S .; S . win 500; C P. (100); S .",
        OPEN "C P. (100); S . win 0; S . win 500; C P. (100); S . win 0; S . win 500; C P. (100)",
        OPEN "C P. (100); C P. (100) seq 1 +1s; C P. (100) seq 1 +2s; S .; S P. (5)",
        OPEN REQUEST "S P. 'HTTP/1.0 200 OK||x'; S F.; C R.",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(talks); i++) {
        struct talk *plain;
        g_autofree char *expected = tell(talk_one(&plain, talks[i]));
        struct watched w;
        watched_start(&w);
        g_auto(GStrv) lines = g_strsplit(talks[i], ";", -1);
        for (char **line = lines; *line; line++) {
            talk_lines(w.talk, *line);
            tracker_clock(w.talk->tracker, w.talk->ts_ns);
        }
        g_autofree char *told = tell(talk_finish(w.talk, 0));
        assert_string_equal(told, expected);
        watched_end(&w);
        talk_free(plain);
    }
}

/* The clock alone lets go of what is over, and what comes later is another flow. */
static void test_clock_expires(void **state)
{
    struct watched w;

    (void)state;
    watched_start(&w);
    talk_lines(w.talk, OPEN "C F.; S F.; C .");
    tracker_clock(w.talk->tracker, w.talk->ts_ns + 60 * NS_PER_S);
    assert_int_equal(w.talk->flows->len, 0);
    tracker_clock(w.talk->tracker, w.talk->ts_ns + 62 * NS_PER_S);
    assert_int_equal(w.talk->flows->len, 1);
    assert_int_equal(tracker_open_flows(w.talk->tracker), 0);
    watched_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_clock_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
