#include "conversations_help.h"

/* --- alone --- */

static void test_a_flow_alone(void **state)
{
    struct world *w = *state;
    struct flow *f = flow_made(w, CLIENT4, SERVER4, 22, T0);

    over(w, f);
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 23, T0 + MS(500)), fault(CODE_SYN_UNANSWERED));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
    const struct conversation *c = world_conversation(w, 0);
    assert_int_equal(c->id, 1);
    assert_string_equal(code_of(c), "ok");
    assert_int_equal(c->steps->len, 2);
    assert_string_equal(step_text(c, 0), "connected to 147.83.2.135:22, 2.0 ms");
    assert_string_equal(step_text(c, 1), "closed in order: server first, TIME-WAIT there");
    assert_int_equal(g_array_index(c->flows, uint64_t, 0), 1);
    assert_null(c->redirects);
    c = world_conversation(w, 1);
    assert_string_equal(code_of(c), "syn_unanswered");
    assert_string_equal(step_text(c, 0), "connecting to 147.83.2.135:23: no answer to SYN, 3 SYNs in 3.0 s");
    assert_int_equal(g_array_index(c->steps, struct step, 0).status, STATUS_BROKEN);
}

static void test_parallel_connections_stay_apart(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    for (int i = 0; i < 6; i++)
        over(w, https(w, CLIENT4, SERVER4, T0 + MS(20 + i), "www.upc.edu"));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 6);
    assert_string_equal(step_text(world_conversation(w, 0), 0), "looked up www.upc.edu (A): 147.83.2.135, 16 ms");
    for (guint i = 1; i < 6; i++)
        assert_string_equal(step_text(world_conversation(w, i), 0), "connected to 147.83.2.135:443, 2.0 ms");
}

/* --- redirects --- */

/* What wget of http://www.upc.edu/ does. Handed in the wrong way round: flows come in the order of their ends. */
static void test_look_up_redirect_https(void **state)
{
    struct world *w = *state;
    struct flow *http = get(w, SERVER4, T0 + MS(20), "www.upc.edu", "/", 302, "https://www.upc.edu/"), *tls;

    tls = https(w, CLIENT4, SERVER4, T0 + MS(40), "www.upc.edu");
    over(w, tls);
    over(w, http);
    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, NULL);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "ok");
    assert_int_equal(c->first_ns, T0);
    assert_int_equal(c->flows->len, 2);
    assert_int_equal(c->steps->len, 8);
    assert_string_equal(step_text(c, 1), "looked up www.upc.edu (AAAA): no such record, 16 ms");
    assert_string_equal(step_text(c, 3),
                        "GET http://www.upc.edu/ -> 302 https://www.upc.edu/ (first byte after 5.0 ms)");
    assert_string_equal(step_text(c, 5),
                        "TLS 1.2 with www.upc.edu, 9.0 ms; follows the redirect, what is asked is encrypted");
    assert_string_equal(redirect_at(c, 0)->from, "http://www.upc.edu/");
    assert_string_equal(redirect_at(c, 0)->to, "https://www.upc.edu/");
    assert_int_equal(redirect_at(c, 0)->status, 302);
    assert_int_equal(redirect_at(c, 0)->followed_by, 2);
}

/* Relative, to another host, to another port, and over a connection that is used again. */
static void test_chain_over_several_connections(void **state)
{
    struct world *w = *state;
    struct flow *a = get(w, SERVER4, T0, "a.example", "/x/start?q", 301, "next"), *b, *c;

    asked(w, a, MS(20), "GET", "a.example", "/x/next", 302, "http://b.example:8080/b");
    b = flow_made(w, CLIENT4, OTHER4, 8080, T0 + MS(40));
    asked(w, b, MS(3), "GET", "b.example:8080", "/b", 307, "//A.example/end");
    asked(w, a, MS(80), "GET", "a.example", "/end", 308, "/last");
    c = get(w, SERVER4, T0 + MS(150), "a.example", "/last", 200, NULL);
    over(w, b);
    over(w, c);
    over(w, a);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *v = world_conversation(w, 0);
    assert_string_equal(code_of(v), "ok");
    const struct {
        const char *to;
        uint64_t by;
    } hops[] = {
        {"http://a.example/x/next", 1},
        {"http://b.example:8080/b", 2},
        {"http://a.example/end", 1},
        {"http://a.example/last", 3},
    };
    assert_int_equal(v->redirects->len, G_N_ELEMENTS(hops));
    for (guint i = 0; i < G_N_ELEMENTS(hops); i++) {
        assert_string_equal(redirect_at(v, i)->to, hops[i].to);
        assert_int_equal(redirect_at(v, i)->followed_by, hops[i].by);
    }
}

static void test_redirect_not_followed(void **state)
{
    struct world *w = *state;

    over(w, get(w, SERVER4, T0, "www.upc.edu", "/", 302, "https://www.upc.edu/"));
    over(w, https(w, CLIENT4, SERVER4, T0 + 20 * NS_PER_S, "www.upc.edu"));    /* too late */
    over(w, https(w, "10.0.3.16", SERVER4, T0 + MS(20), "www.upc.edu"));       /* somebody else */
    over(w, https(w, CLIENT4, SERVER4, T0 + MS(20), "mail.upc.edu"));          /* another name */
    over(w, get(w, SERVER4, T0 + MS(30), "www.upc.edu", "/other", 200, NULL)); /* another URL */
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 5);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
    assert_int_equal(redirect_at(world_conversation(w, 0), 0)->followed_by, 0);
}

static void test_redirect_broken(void **state)
{
    struct world *w = *state;

    over(w, get(w, SERVER4, T0, "www.upc.edu", "/", 302, "https://www.upc.edu/"));
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 443, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    const struct finding *d = conversation_verdict(c);
    assert_string_equal(code_of(c), "redirect_broken");
    assert_string_equal(detail_of(c, "cause"), "syn_unanswered");
    assert_string_equal(d->summary,
                        "http://www.upc.edu/ redirects to https://www.upc.edu/, and that fails: It is syn_unanswered.");
    assert_int_equal(d->confidence, CONFIDENCE_LIKELY);
    assert_int_equal(d->n_evidence, 2);
    assert_int_equal(d->evidence[0], 7); /* the answer that redirects */
    assert_int_equal(d->evidence[1], 8); /* the first SYN */
    assert_int_equal(redirect_at(c, 0)->followed_by, 2);
}

static void test_redirect_to_a_name_that_fails(void **state)
{
    struct world *w = *state;

    over(w, get(w, SERVER4, T0, "www.upc.edu", "/", 302, "http://gone.example/"));
    name_lookup(w, CLIENT4, "gone.example", 1, T0 + MS(30), 3, NULL);
    name_lookup(w, CLIENT4, "gone.example", 28, T0 + MS(30), 3, NULL);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "redirect_broken");
    assert_string_equal(detail_of(c, "cause"), "dns_nxdomain");
    assert_string_equal(detail_of(c, "name"), "gone.example");
    assert_int_equal(c->steps->len, 5);
    assert_int_equal(g_array_index(c->steps, struct step, 3).status, STATUS_BROKEN);
}

/* A connection that the browser opens in advance follows nothing: the request is on another one. */
static void test_idle_connection_follows_nothing(void **state)
{
    struct world *w = *state;
    struct flow *f = get(w, SERVER4, T0, "a.example", "/", 302, "/next");

    over(w, flow_made(w, CLIENT4, SERVER4, 80, T0 + MS(20)));
    over(w, flow_made(w, CLIENT4, SERVER4, 443, T0 + MS(20)));
    asked(w, f, MS(50), "GET", "a.example", "/next", 200, NULL);
    over(w, f);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 3);
    assert_int_equal(redirect_at(world_conversation(w, 0), 0)->followed_by, 1);
}

/* Through a proxy: the server is the proxy, the name is in the request. */
static void test_redirect_through_a_proxy(void **state)
{
    struct world *w = *state;
    struct flow *f = flow_made(w, CLIENT4, "10.0.0.8", 3128, T0 + MS(20));

    name_lookup(w, CLIENT4, "proxy.example", 1, T0, 0, "10.0.0.8");
    asked(w, f, MS(3), "GET", "www.upc.edu", "http://www.upc.edu/", 302, "https://www.upc.edu/");
    over(w, f);
    f = flow_made(w, CLIENT4, "10.0.0.8", 3128, T0 + MS(60));
    asked(w, f, MS(3), "CONNECT", "www.upc.edu:443", "www.upc.edu:443", 200, NULL);
    spoke_tls(w, f, "www.upc.edu");
    over(w, f);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_int_equal(redirect_at(world_conversation(w, 0), 0)->followed_by, 2);
    assert_string_equal(step_text(world_conversation(w, 0), 0), "looked up proxy.example (A): 10.0.0.8, 16 ms");
}

/* The redirect's target is a name that the client looked up, on another server: its connection fails. */
static void test_redirect_broken_at_another_host(void **state)
{
    struct world *w = *state;

    over(w, get(w, SERVER4, T0, "www.upc.edu", "/", 302, "https://apps.upc.edu/login"));
    name_lookup(w, CLIENT4, "apps.upc.edu", 1, T0 + MS(20), 0, OTHER4);
    over_with(w, refused_syn(w, CLIENT4, OTHER4, 443, T0 + MS(50)), fault(CODE_SYN_REFUSED));
    over_with(w, refused_syn(w, CLIENT4, "192.0.2.9", 443, T0 + MS(60)),
              fault(CODE_SYN_REFUSED)); /* nothing to do with it */
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 0)), "redirect_broken");
    assert_string_equal(code_of(world_conversation(w, 1)), "syn_refused");
}

/* A final 5xx is told as such; a 404 that was not the last word is not told. */
static void test_final_answer_counts(void **state)
{
    struct world *w = *state;
    struct flow *a = get(w, SERVER4, T0, "a.example", "/", 302, "http://b.example/");

    over(w, a);
    over_with(w, get(w, OTHER4, T0 + MS(30), "b.example", "/", 503, NULL), fault(CODE_HTTP_SERVER_ERROR));
    a = get(w, SERVER4, T0 + NS_PER_S, "a.example", "/2", 302, "http://b.example/2");
    asked(w, a, MS(50), "GET", "a.example", "/favicon.ico", 404, NULL);
    over_with(w, a, fault(CODE_HTTP_CLIENT_ERROR));
    over(w, get(w, OTHER4, T0 + NS_PER_S + MS(30), "b.example", "/2", 200, NULL));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 0)), "http_server_error");
    assert_string_equal(code_of(world_conversation(w, 1)), "ok");
}

/* --- loops --- */

static void test_loop(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 6; i++)
        over(w, get(w, SERVER4, T0 + i * MS(30), "a.example", i % 2 ? "/b" : "/a", 302, i % 2 ? "/a" : "/b"));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "redirect_loop");
    assert_string_equal(conversation_verdict(c)->summary,
                        "http://a.example/a redirects back to itself over 1 other URL.");
    assert_int_equal(c->redirects->len, 6);
}

static void test_loop_that_the_client_noticed(void **state)
{
    struct world *w = *state;
    struct flow *f = get(w, SERVER4, T0, "a.example", "/a", 302, "/b");

    asked(w, f, MS(20), "GET", "a.example", "/b", 302, "/a");
    over(w, f);
    world_finish(w, LATER);
    assert_string_equal(code_of(world_conversation(w, 0)), "redirect_loop");
}

/* A page that sets a cookie and sends the client back to it; a form that does; both get there in the end. */
static void test_no_loop(void **state)
{
    struct world *w = *state;
    struct flow *f = get(w, SERVER4, T0, "a.example", "/", 302, "/cookie");

    asked(w, f, MS(20), "GET", "a.example", "/cookie", 302, "/");
    asked(w, f, MS(40), "GET", "a.example", "/", 200, NULL);
    over(w, f);
    f = flow_made(w, CLIENT4, SERVER4, 80, T0 + NS_PER_S);
    asked(w, f, MS(3), "POST", "a.example", "/form", 303, "/form"); /* Post/Redirect/Get */
    over(w, f);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
    assert_string_equal(code_of(world_conversation(w, 1)), "ok");
}

/* 307 keeps the method: the form is sent again, to the same place. */
static void test_loop_of_a_post(void **state)
{
    struct world *w = *state;
    struct flow *f = flow_made(w, CLIENT4, SERVER4, 80, T0);

    asked(w, f, MS(3), "POST", "a.example", "/form", 307, "/form");
    over(w, f);
    world_finish(w, LATER);
    assert_string_equal(code_of(world_conversation(w, 0)), "redirect_loop");
}

/* http -> https, which sends the client back to http, unseen: a proxy that ends TLS. */
static void test_loop_through_https(void **state)
{
    struct world *w = *state;
    struct flow *plain = flow_made(w, CLIENT4, SERVER4, 80, T0), *tls;

    for (int i = 0; i < 6; i++)
        asked(w, plain, MS(3 + 50 * i), "GET", "a.example", "/", 301, "https://a.example/");
    tls = https(w, CLIENT4, SERVER4, T0 + MS(10), "a.example");
    said(tls, SERVER, 300, T0 + MS(3 + 50 * 6));
    over(w, plain);
    over(w, tls);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "redirect_loop");
    assert_int_equal(conversation_verdict(c)->confidence, CONFIDENCE_LIKELY);
    assert_int_equal(redirect_at(c, 5)->followed_by, 2); /* the https connection that was open */
}

/* Somebody runs curl -L again and again: each run is one conversation, and no loop. */
static void test_repeated_runs_are_no_loop(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 8; i++) {
        over(w, get(w, SERVER4, T0 + i * MS(400), "a.example", "/", 301, "https://a.example/"));
        over(w, https(w, CLIENT4, SERVER4, T0 + i * MS(400) + MS(110), "a.example"));
    }
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 8);
    for (guint i = 0; i < 8; i++)
        assert_string_equal(code_of(world_conversation(w, i)), "ok");
}

/* --- several addresses --- */

/* Happy Eyeballs: the client asks over IPv4, tries IPv6 first, and uses IPv4. */
static void test_happy_eyeballs(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, SERVER6);
    over(w, https(w, CLIENT4, SERVER4, T0 + MS(270), "www.upc.edu"));
    over_with(w, refused_syn(w, CLIENT6, SERVER6, 443, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "ok");
    assert_int_equal(c->flows->len, 2);
    assert_string_equal(step_text(c, 2), "connecting to [2001:db8:2::80]:443: no answer to SYN, 3 SYNs in 3.0 s; not "
                                         "used: another address of the name was");
    assert_int_equal(g_array_index(c->steps, struct step, 2).status, STATUS_DEGRADED);
}

/* The other way round: IPv4 was opened as well and let go. */
static void test_happy_eyeballs_second_loses(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, SERVER6);
    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    over(w, https(w, CLIENT6, SERVER6, T0 + MS(20), "www.upc.edu"));
    over(w, flow_made(w, CLIENT4, SERVER4, 443, T0 + MS(270)));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
}

/* In a long capture the loser is over minutes after the conversation was handed out. It breaks nothing all the same. */
static void test_happy_eyeballs_loser_comes_late(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, SERVER6);
    over(w, https(w, CLIENT4, SERVER4, T0 + MS(270), "www.upc.edu"));
    conversations_settle(w->c, T0 + 395 * NS_PER_S);
    assert_int_equal(w->out->len, 1);
    over_with(w, refused_syn(w, CLIENT6, SERVER6, 443, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    conversations_settle(w->c, T0 + 396 * NS_PER_S);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 1)), "ok");
    assert_int_equal(world_conversation(w, 1)->id, 2);
}

static void test_next_address_after_failure(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 2; i++) /* one look-up with two addresses would do as well */
        name_lookup(w, CLIENT4, "www.upc.edu", i ? 28 : 1, T0, 0, i ? OTHER4 : SERVER4);
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 80, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    over(w, get(w, OTHER4, T0 + 4 * NS_PER_S, "www.upc.edu", "/", 200, NULL));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
}

static void test_all_addresses_fail(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, OTHER4);
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 80, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    over_with(w, refused_syn(w, CLIENT4, OTHER4, 80, T0 + MS(270)), fault(CODE_SYN_REFUSED));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "syn_unanswered");
}

/* The same server again after a failure: two conversations, the first one broken. */
static void test_retry_stays_apart(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 80, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    over(w, get(w, SERVER4, T0 + 4 * NS_PER_S, "www.upc.edu", "/", 200, NULL));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 0)), "syn_unanswered");
    assert_string_equal(code_of(world_conversation(w, 1)), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_flow_alone),
        TEST(test_parallel_connections_stay_apart),
        TEST(test_look_up_redirect_https),
        TEST(test_chain_over_several_connections),
        TEST(test_redirect_not_followed),
        TEST(test_redirect_broken),
        TEST(test_redirect_to_a_name_that_fails),
        TEST(test_idle_connection_follows_nothing),
        TEST(test_redirect_through_a_proxy),
        TEST(test_redirect_broken_at_another_host),
        TEST(test_final_answer_counts),
        TEST(test_loop),
        TEST(test_loop_that_the_client_noticed),
        TEST(test_no_loop),
        TEST(test_loop_of_a_post),
        TEST(test_loop_through_https),
        TEST(test_repeated_runs_are_no_loop),
        TEST(test_happy_eyeballs),
        TEST(test_happy_eyeballs_second_loses),
        TEST(test_happy_eyeballs_loser_comes_late),
        TEST(test_next_address_after_failure),
        TEST(test_all_addresses_fail),
        TEST(test_retry_stays_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
