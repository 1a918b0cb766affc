#include "conversations_help.h"

/* --- look-ups that fail --- */

/* One or more look-ups, each as "name type rcode address"; what code the conversation has, or NULL for none. */
struct asked_row {
    const char *name;
    uint16_t type;
    int rcode; /* -1: no answer */
    const char *address;
    int at_ms;
};

static const struct {
    const char *what, *code;
    struct asked_row asked[6];
} name_rows[] = {
    {"the name is not there", "dns_nxdomain", {{"nope.example", 1, 3, NULL, 0}, {"nope.example", 28, 3, NULL, 0}}},
    {"SERVFAIL", "dns_servfail", {{"broken.example", 1, 2, NULL, 0}}},
    {"REFUSED", "dns_refused", {{"closed.example", 1, 5, NULL, 0}}},
    {"no address of any family", "dns_no_data", {{"mx.example", 1, 0, NULL, 0}, {"mx.example", 28, 0, NULL, 0}}},
    {"only IPv4", NULL, {{"v4.example", 1, 0, "192.0.2.1", 0}, {"v4.example", 28, 0, NULL, 0}}},
    {"only IPv4, the other resolver step fails",
     NULL,
     {{"v4.example", 28, 2, NULL, 0}, {"v4.example", 1, 0, "192.0.2.1", 1}}},
    {"no answer", "dns_no_answer", {{"lost.example", 1, -1, NULL, 0}, {"lost.example", 28, -1, NULL, 0}}},
    {"the search list finds it",
     NULL,
     {{"www.corp.example", 1, 3, NULL, 0}, {"www.corp.example", 28, 3, NULL, 0}, {"www", 1, 0, "192.0.2.1", 17}}},
    {"the search list finds it in the parent",
     NULL,
     {{"db.a.corp.example", 1, 3, NULL, 0}, {"db.corp.example", 1, 0, "192.0.2.1", 17}}},
    {"the search list finds it elsewhere",
     NULL,
     {{"db.corp.example", 1, 3, NULL, 0}, {"db.lab.test", 1, 0, "192.0.2.1", 17}}},
    {"the whole search list fails",
     "dns_nxdomain",
     {{"www.nope.test", 1, 3, NULL, 0},
      {"www.nope.test.corp.example", 1, 3, NULL, 17},
      {"www.nope.test.example", 1, 3, NULL, 34}}},
    {"two names of two programs",
     "dns_nxdomain",
     {{"www.foo.example", 1, 3, NULL, 0}, {"www.bar.test", 1, 0, "192.0.2.1", 60}}},
    {"the second resolver answers", NULL, {{"a.example", 1, -1, NULL, 0}, {"a.example", 1, 0, "192.0.2.1", 5000}}},
    {"the second resolver says no", "dns_nxdomain", {{"a.example", 1, -1, NULL, 0}, {"a.example", 1, 3, NULL, 5000}}},
    {"PTR", NULL, {{"1.2.0.192.in-addr.arpa", 12, 3, NULL, 0}}},
    {"HTTPS alone", NULL, {{"a.example", 65, -1, NULL, 0}}},
    {"FORMERR", NULL, {{"a.example", 1, 1, NULL, 0}}},
};

static void test_failed_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(name_rows); i++) {
        struct world *w = world_new();
        for (const struct asked_row *r = name_rows[i].asked; r->name; r++) {
            struct lookup *l = lookup_made(w, CLIENT4, r->name, r->type, T0 + MS(r->at_ms));
            if (r->rcode >= 0)
                answered_with(w, l, (uint8_t)r->rcode, r->address);
            looked_up(w, l);
        }
        world_finish(w, LATER);
        if (w->out->len != (name_rows[i].code ? 1 : 0))
            fail_msg("%s: %u conversations", name_rows[i].what, w->out->len);
        if (name_rows[i].code && strcmp(code_of(world_conversation(w, 0)), name_rows[i].code) != 0)
            fail_msg("%s: %s", name_rows[i].what, code_of(world_conversation(w, 0)));
        world_free(w);
    }
}

static void test_search_list_is_told(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.nope.test", 1, T0, 3, NULL);
    name_lookup(w, CLIENT4, "www.nope.test.corp.example", 1, T0 + MS(17), 3, NULL);
    world_finish(w, LATER);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(conversation_verdict(c)->summary,
                        "The name \"www.nope.test\" does not exist: 10.0.0.53 answers NXDOMAIN.");
    assert_int_equal(c->steps->len, 2);
    assert_string_equal(step_text(c, 1), "looked up www.nope.test.corp.example (A): NXDOMAIN, 16 ms");
    assert_int_equal(c->flows->len, 0);
    assert_int_equal(conversation_verdict(c)->n_evidence, 4);
}

/* The capture ends before the silence means anything; a repeated query does. */
static void test_silence_at_the_end(void **state)
{
    struct world *w = *state;
    struct lookup *l = lookup_made(w, CLIENT4, "late.example", 1, LATER - NS_PER_S);

    looked_up(w, l);
    l = lookup_made(w, "10.0.3.16", "late.example", 1, LATER - 2 * NS_PER_S);
    l->retries = 1;
    l->last_query_ns = LATER - NS_PER_S;
    looked_up(w, l);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "dns_no_answer");
    assert_string_equal(step_text(world_conversation(w, 0), 0), "looked up late.example (A): no answer, asked 2 times");
}

static void test_icmp_answers_a_query(void **state)
{
    struct world *w = *state;
    struct lookup *l = lookup_made(w, CLIENT4, "a.example", 1, LATER - NS_PER_S);

    l->icmp_packet = ++w->packets;
    l->icmp_type = l->icmp_code = 3;
    l->icmp_from = l->server;
    looked_up(w, l);
    world_finish(w, LATER);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "dns_no_answer");
    assert_string_equal(detail_of(c, "icmp_from"), "10.0.0.53");
    assert_int_equal(conversation_verdict(c)->where, WHERE_SERVER);
}

/* mDNS and LLMNR, an answer without its query, a question that a name server asks for somebody else. */
static void test_never_accused(void **state)
{
    struct world *w = *state;
    struct lookup *l = lookup_made(w, CLIENT4, "printer.local", 1, T0);

    l->flavour = DNS_MULTICAST;
    looked_up(w, l);
    l = lookup_made(w, CLIENT4, "wpad", 1, T0);
    l->flavour = DNS_LLMNR;
    looked_up(w, l);
    l = lookup_made(w, CLIENT4, "half.example", 1, T0);
    answered_with(w, l, 3, NULL);
    l->query_packet = 0;
    l->query_ns = l->last_query_ns = TIME_NONE;
    looked_up(w, l);
    name_lookup(w, CLIENT4, "nope.example", 1, T0, 3, NULL);
    l = lookup_made(w, "10.0.0.53", "nope.example", 1, T0 + MS(1));
    l->server = address("192.0.2.53");
    answered_with(w, l, 3, NULL);
    looked_up(w, l);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    char text[ADDR_TEXT_SIZE];
    assert_string_equal(addr_text(text, &world_conversation(w, 0)->client, 4), CLIENT4);
}

/* Two clients ask, no answer is in the capture at all: it holds queries only. A query that was repeated stayed without
 * answer all the same. */
static void test_answers_not_seen(void **state)
{
    struct world *w = *state;
    struct lookup *l;

    for (int i = 0; i < 3; i++) {
        l = lookup_made(w, i ? "10.0.3.16" : CLIENT4, "a.example", 1, T0 + i * 20 * NS_PER_S);
        l->retries = i == 2;
        looked_up(w, l);
    }
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_int_equal(conversation_verdict(world_conversation(w, 0))->evidence[0], 3);
}

/* The name failed here, but a connection for it came all the same: it was known from elsewhere. */
static void test_connection_came_all_the_same(void **state)
{
    struct world *w = *state;

    name_lookup(w, CLIENT4, "www.upc.edu", 28, T0, 0, NULL);
    over(w, https(w, CLIENT4, SERVER4, T0 + MS(30), "www.upc.edu"));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
    assert_string_equal(step_text(world_conversation(w, 0), 0), "looked up www.upc.edu (AAAA): no such record, 16 ms");
}

/* --- neighbours --- */

static void arp(struct world *w, const char *sender, const char *target, bool request, int64_t ts_ns)
{
    struct packet p = {0};

    p.number = ++w->packets;
    p.ts_ns = ts_ns;
    p.neighbor =
        (struct neighbor_facts){.version = 4, .request = request, .sender = address(sender), .target = address(target)};
    neighbors_packet(w->neighbors, &p);
}

static void ask_in_vain(struct world *w, const char *asker, const char *target, int times)
{
    for (int i = 0; i < times; i++)
        arp(w, asker, target, true, T0 + i * NS_PER_S);
}

static void test_neighbor_unanswered(void **state)
{
    struct world *w = *state;

    ask_in_vain(w, "10.0.0.2", "10.0.0.1", 3);
    ask_in_vain(w, "10.0.0.2", "10.0.0.7", 1);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    const struct conversation *c = world_conversation(w, 0);
    assert_string_equal(code_of(c), "neighbor_unanswered");
    assert_string_equal(step_text(c, 0), "who has 10.0.0.1? asked 3 times in 2.0 s, no answer");
    assert_int_equal(conversation_verdict(c)->n_evidence, 3);
}

static void test_neighbor_guards(void **state)
{
    struct world *w = *state;

    ask_in_vain(w, "10.0.0.2", SERVER4, 3); /* is there: a connection with it is in the capture */
    over(w, get(w, SERVER4, T0, "a.example", "/", 200, NULL));
    arp(w, "10.0.0.9", "10.0.0.2", false, T0);
    for (int i = 0; i < 20; i++) { /* a scan */
        g_autofree char *target = g_strdup_printf("10.0.1.%d", i + 1);
        ask_in_vain(w, "10.0.0.3", target, 2);
    }
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "ok");
}

/* Several hosts ask and no answer at all is seen: a switch keeps them from this capture. */
static void test_neighbor_answers_not_seen(void **state)
{
    struct world *w = *state;

    ask_in_vain(w, "10.0.0.2", "10.0.0.1", 3);
    ask_in_vain(w, "10.0.0.3", "10.0.0.1", 3);
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 0);
}

/* --- neighbours, live --- */

static void look(struct world *w, int64_t now_ns)
{
    if (neighbors_have_news(w->neighbors, now_ns))
        conversations_tell_neighbors(w->c, w->neighbors, now_ns, world_take, w);
}

/* Asked 0, 1 and 2 s after T0: told at 3 s, once; not in the report, where an answer came after all. */
static void test_neighbor_told_early(void **state)
{
    struct world *w = *state;

    ask_in_vain(w, "10.0.0.2", "10.0.0.1", 3);
    look(w, T0 + MS(2999));
    assert_int_equal(w->out->len, 0);
    look(w, T0 + MS(3000));
    assert_int_equal(w->out->len, 1);
    assert_string_equal(code_of(world_conversation(w, 0)), "neighbor_unanswered");
    arp(w, "10.0.0.2", "10.0.0.1", true, T0 + MS(3500));
    look(w, T0 + MS(5000));
    assert_int_equal(w->out->len, 1);
    arp(w, "10.0.0.1", "10.0.0.2", false, T0 + MS(5500));
    look(w, T0 + MS(6000));
    assert_int_equal(w->out->len, 2);
    assert_string_equal(code_of(world_conversation(w, 1)), "ok");
    assert_string_equal(step_text(world_conversation(w, 1), 0), "who has 10.0.0.1? asked 4 times in 3.5 s, then an answer");
    for (int i = 0; i < 4; i++)
        arp(w, "10.0.0.2", "10.0.0.1", true, T0 + MS(7000 + 1000 * i));
    look(w, T0 + MS(20000));
    world_finish(w, LATER);
    assert_int_equal(w->out->len, 2);
}

/* The third was answered within its second, or the target is in a connection that goes on: nobody is accused. */
static void test_neighbor_not_told(void **state)
{
    struct world *w = *state;
    struct flow *f = get(w, SERVER4, T0, "a.example", "/", 200, NULL);

    ask_in_vain(w, "10.0.0.2", "10.0.0.1", 3);
    ask_in_vain(w, "10.0.0.2", SERVER4, 3);
    ask_in_vain(w, "10.0.0.2", "10.0.0.7", 2);
    look(w, T0 + MS(2500));
    arp(w, "10.0.0.1", "10.0.0.2", false, T0 + MS(2900));
    conversations_saw_flow(w->c, f);
    look(w, T0 + MS(30000));
    assert_int_equal(w->out->len, 0);
    over(w, f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failed_names),     TEST(test_search_list_is_told), TEST(test_silence_at_the_end),
        TEST(test_icmp_answers_a_query),         TEST(test_never_accused),       TEST(test_answers_not_seen),
        TEST(test_connection_came_all_the_same), TEST(test_neighbor_unanswered), TEST(test_neighbor_guards),
        TEST(test_neighbor_answers_not_seen), TEST(test_neighbor_told_early), TEST(test_neighbor_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
