#include "conversations_help.h"
#include "diagnose/chain.h"
#include "diagnose/sentence.h"

/* --- time --- */

/* What is complete is handed out while the capture goes on; a redirect waits for a connection that takes minutes to
 * fail. */
static void test_settle(void **state)
{
    struct world *w = *state;

    over(w, get(w, SERVER4, T0, "www.upc.edu", "/", 302, "https://www.upc.edu/"));
    over(w, flow_made(w, CLIENT4, SERVER4, 22, T0 + NS_PER_S));
    conversations_settle(w->c, T0 + 60 * NS_PER_S);
    assert_int_equal(w->out->len, 0);
    conversations_settle(w->c, T0 + 160 * NS_PER_S);
    assert_int_equal(w->out->len, 1);
    over_with(w, refused_syn(w, CLIENT4, SERVER4, 443, T0 + MS(20)), fault(CODE_SYN_UNANSWERED));
    conversations_settle(w->c, T0 + 400 * NS_PER_S);
    assert_int_equal(w->out->len, 1);
    conversations_settle(w->c, T0 + 600 * NS_PER_S);
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 1)), "redirect_broken");
    world_finish(w, T0 + 601 * NS_PER_S);
    assert_int_equal(w->out->len, 2);
    assert_int_equal(world_conversation(w, 1)->flows->len, 2);
}

/* What is dropped in the middle of a capture is freed. */
static void test_dropped(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 1, T0, 0, SERVER4);
    over(w, get(w, SERVER4, T0 + MS(20), "www.upc.edu", "/", 302, "https://www.upc.edu/"));
    over(w, https(w, CLIENT4, SERVER4, T0 + MS(40), "www.upc.edu"));
    conversations_settle(w->c, T0 + 392 * NS_PER_S);
    assert_int_equal(w->out->len, 0);
}

/* Many flows of one client, all with redirects that nobody follows: nothing grows without bound, nothing is lost. */
static void test_many(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 70000; i++) {
        g_autofree char *target = g_strdup_printf("/%d", i);
        over(w, get(w, SERVER4, T0 + MS(i), "a.example", target, 302, "https://b.example/"));
    }
    assert_true(w->out->len > 0);
    world_finish(w, LATER + 60 * NS_PER_S);
    assert_int_equal(w->out->len, 70000);
}

/* --- anything, in any order --- */

static uint32_t rolled;

static uint32_t roll(uint32_t n)
{
    rolled = rolled * 1664525 + 1013904223;
    return (rolled >> 8) % n;
}

#define HOSTS 4
static const char *const hosts[HOSTS] = {"a.example", "b.example", "c.example", "www.upc.edu"};
static const char *const servers[HOSTS] = {"192.0.2.1", "192.0.2.2", "2001:db8::3", "192.0.2.1"};
static const char *const clients[] = {CLIENT4, "10.0.3.16", CLIENT6};

static struct flow *any_flow(struct world *w)
{
    uint32_t host = roll(HOSTS), client = strchr(servers[host], ':') ? 2 : roll(2);
    bool tls = roll(3) == 0;
    struct flow *f = flow_made(w, clients[client], servers[host], tls ? 443 : 80, T0 + MS(roll(20000)));

    if (roll(5) == 0) {
        failed_to_connect(f);
    } else if (tls) {
        spoke_tls(w, f, roll(4) ? hosts[host] : NULL);
    } else {
        for (uint32_t i = 0; i < roll(4); i++) {
            g_autofree char *target = g_strdup_printf("/%u", roll(3));
            g_autofree char *to =
                g_strdup_printf("%s://%s/%u", roll(3) ? "http" : "https", hosts[roll(HOSTS)], roll(3));
            bool redirect = roll(2);
            asked(w, f, MS(3 + 10 * i), roll(5) ? "GET" : "POST", hosts[host], target, redirect ? 302 : 200,
                  redirect ? to : NULL);
        }
    }
    return f;
}

static void any_lookup(struct world *w, int64_t at_ns)
{
    uint32_t host = roll(HOSTS), client = roll(2), how = roll(6);
    struct lookup *l = lookup_made(w, clients[client], hosts[host], strchr(servers[host], ':') ? 28 : 1, at_ns);

    if (how < 4)
        answered_with(w, l, how == 3 ? 3 : 0, how == 3 ? NULL : servers[host]);
    looked_up(w, l);
}

/* What a run came to, in text: the flows, the verdict and the steps of each conversation. */
static char *digest(const struct world *w)
{
    GString *s = g_string_new(NULL);

    for (guint i = 0; i < w->out->len; i++) {
        const struct conversation *c = world_conversation(w, i);
        g_string_append_printf(s, "%s:", code_of(c));
        for (guint k = 0; k < c->flows->len; k++)
            g_string_append_printf(s, " %" G_GUINT64_FORMAT, g_array_index(c->flows, uint64_t, k));
        for (guint k = 0; k < c->steps->len; k++)
            g_string_append_printf(s, "\n  %s", step_text(c, k));
        g_string_append_c(s, '\n');
    }
    return g_string_free(s, FALSE);
}

/* Every flow is in one conversation, ids count up, steps are in order of time and readable. */
static void check_all(const struct world *w)
{
    g_autofree uint8_t *seen = g_malloc0(w->flows + 1);
    uint64_t flows = 0;

    for (guint i = 0; i < w->out->len; i++) {
        const struct conversation *c = world_conversation(w, i);
        assert_int_equal(c->id, i + 1);
        assert_true(c->steps->len > 0 && c->steps->len <= CHAIN_STEPS);
        for (guint k = 0; k < c->flows->len; k++, flows++)
            assert_int_equal(seen[g_array_index(c->flows, uint64_t, k)]++, 0);
        for (guint k = 0; k < c->steps->len; k++) {
            assert_true(g_utf8_validate(step_text(c, k), -1, NULL) && strlen(step_text(c, k)) <= 2 * SENTENCE_SIZE);
            assert_true(k == 0 || g_array_index(c->steps, struct step, k - 1).ts_ns <=
                                      g_array_index(c->steps, struct step, k).ts_ns);
        }
    }
    assert_int_equal(flows, w->flows);
}

/* The same flows, handed in in two orders: the same conversations. */
static void test_order_does_not_matter(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        char *digests[2];
        for (int turned = 0; turned < 2; turned++) {
            struct world *w = world_new();
            struct flow *flows[40];
            rolled = seed;
            for (int i = 0; i < 40; i++)
                any_lookup(w, T0 + MS(500 * i));
            for (int i = 0; i < 40; i++)
                flows[i] = any_flow(w);
            for (int i = 0; i < 40; i++) {
                struct flow *f = flows[turned ? 39 - i : i];
                over_with(w, f, f->syns > 1 ? fault(CODE_SYN_UNANSWERED) : NULL);
            }
            world_finish(w, LATER);
            check_all(w);
            digests[turned] = digest(w);
            world_free(w);
        }
        assert_string_equal(digests[0], digests[1]);
        g_free(digests[0]);
        g_free(digests[1]);
    }
}

/* While time goes on, in bursts, with everything coming late or early; sometimes dropped in the middle. */
static void test_any_order(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 100; seed++) {
        struct world *w = world_new();
        rolled = seed;
        for (int i = 0; i < 200; i++) {
            if (roll(3) == 0)
                any_lookup(w, T0 + MS(roll(20000)));
            struct flow *f = any_flow(w);
            over_with(w, f, f->syns > 1 ? fault(CODE_SYN_UNANSWERED) : NULL);
            if (roll(4) == 0)
                conversations_settle(w->c, T0 + (int64_t)roll(600) * NS_PER_S);
        }
        if (seed % 8) {
            world_finish(w, T0 + 700 * NS_PER_S);
            check_all(w);
        }
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settle),
        TEST(test_dropped),
        TEST(test_many),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
