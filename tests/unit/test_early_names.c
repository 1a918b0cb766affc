/* Names that failed, told before their look-ups are over: within seconds, once, and not where something may still come.
 */
#include "conversations_help.h"
#include "diagnose/early_names.h"

struct asked {
    const char *name;
    uint16_t type;
    int rcode; /* -1: no answer */
    const char *address;
    int at_ms;
};

static const struct {
    const char *what;
    struct asked asked[4];
    int told_s; /* when it is told, by the clock of whole seconds; 0: never */
    const char *code;
} rows[] = {
    { "the name is not there",
      { { "nope.example", 1, 3, NULL, 0 }, { "nope.example", 28, 3, NULL, 1 } },
      3,
      "dns_nxdomain" },
    { "SERVFAIL", { { "broken.example", 1, 2, NULL, 0 } }, 3, "dns_servfail" },
    { "no answer", { { "lost.example", 1, -1, NULL, 0 } }, 5, "dns_no_answer" },
    { "all is well", { { "www.example", 1, 0, "192.0.2.1", 0 } }, 0, NULL },
    { "the search list finds it",
      { { "www.corp.example", 1, 3, NULL, 0 }, { "www", 1, 0, "192.0.2.1", 17 } },
      0,
      NULL },
    { "the second resolver answers",
      { { "a.example", 1, -1, NULL, 0 }, { "a.example", 1, 0, "192.0.2.1", 4900 } },
      0,
      NULL },
    { "the second resolver says no",
      { { "a.example", 1, -1, NULL, 0 }, { "a.example", 1, 3, NULL, 4900 } },
      7,
      "dns_nxdomain" },
    { "PTR", { { "1.2.0.192.in-addr.arpa", 12, 3, NULL, 0 } }, 0, NULL },
};

/* What is told at that second, of the look-ups asked until then. */
static void look(struct early_names *e, struct world *w, const GPtrArray *lookups, int64_t now_ns)
{
    for (guint i = 0; i < lookups->len; i++) {
        const struct lookup *l = g_ptr_array_index(lookups, i);
        if (l->query_ns <= now_ns)
            early_names_take(e, l, now_ns);
    }
    early_names_judge(e, now_ns, 0, world_take, w);
}

static void check_row(size_t i)
{
    struct world *w = world_new();
    struct early_names *e = early_names_new();
    g_autoptr(GPtrArray) lookups = g_ptr_array_new_with_free_func((GDestroyNotify)lookup_free);

    for (const struct asked *a = rows[i].asked; a->name; a++) {
        struct lookup *l = lookup_made(w, CLIENT4, a->name, a->type, T0 + MS(a->at_ms));
        if (a->rcode >= 0)
            answered_with(w, l, (uint8_t)a->rcode, a->address);
        g_ptr_array_add(lookups, l);
    }
    for (int s = 1; s <= 110; s++) {
        look(e, w, lookups, T0 + s * NS_PER_S);
        guint expected = rows[i].told_s && s >= rows[i].told_s ? 1 : 0;
        if (w->out->len != expected)
            fail_msg("%s: told %u times after %d s", rows[i].what, w->out->len, s);
    }
    if (rows[i].code) {
        const struct conversation *c = world_conversation(w, 0);
        assert_string_equal(catalogue_row(conversation_verdict(c)->code)->name, rows[i].code);
        assert_true(early_names_told(e, c->packet));
    }
    assert_false(early_names_told(e, 77777));
    early_names_free(e);
    world_free(w);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        check_row(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
