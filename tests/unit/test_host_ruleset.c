/* A recorded ruleset (tests/unit/data/ruleset.json, by `nft -j -a list ruleset`), walked for packets whose fate the kernel's own rules tell. */
#include "dissect/packet.h"
#include "host/ruleset.h"
#include "host/rungs.h"
#include "host_machine.h"
#include "host_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define RECORDED "tests/unit/data/ruleset.json"

static struct ruleset *rules;

static int read_rules(void **state)
{
    g_autofree char *json = NULL;

    (void)state;
    if (g_file_get_contents(RECORDED, &json, NULL, NULL))
        rules = ruleset_parse(json, NULL);
    return rules ? 0 : -1;
}

static int free_rules(void **state)
{
    (void)state;
    ruleset_free(rules);
    return 0;
}

static struct walker syn_to(const char *text, uint16_t port)
{
    struct walker w = { .dport = port, .flags = TCP_SYN, .out = "enp0s8" };
    uint8_t version;

    w.dst = addr_of(text, &w.version);
    w.src = addr_of(w.version == 6 ? "2001:db8:3::15" : "10.0.3.15", &version);
    return w;
}

/* handle 0: no rule; -1: the policy. */
static void check_walk(const struct walker *p, enum walk_verdict verdict, int handle)
{
    struct walk w;

    ruleset_walk(rules, p, &w);
    assert_int_equal(w.verdict, verdict);
    assert_int_equal(w.handle, MAX(handle, 0));
    assert_int_equal(w.by_policy, handle == -1);
    assert_true((w.rule != NULL) == (handle != 0));
    walk_clear(&w);
}

static void out(const char *to, uint16_t port, enum walk_verdict verdict, int handle)
{
    struct walker p = syn_to(to, port);

    check_walk(&p, verdict, handle);
}

static void test_out(void **state)
{
    (void)state;
    out("192.0.2.1", 443, WALK_PASSES, 0);              /* not in the set; the second chain accepts up to 1024 */
    out("147.83.2.135", 444, WALK_PASSES, 0);           /* in the set, another port */
    out("147.83.2.135", 443, WALK_MAY_PASS, 20);        /* a limit may accept it before the drop */
    out("10.9.0.8", 8005, WALK_MAY_PASS, -1);           /* behind the range; the policy, unless this user may */
    out("192.0.2.1", 25, WALK_DROPPED, 12);             /* a verdict map */
    out("192.0.2.1", 80, WALK_MAY_PASS, 20);            /* the map jumps */
    out("192.0.2.1", 99, WALK_MAY_PASS, 15);            /* a mark */
    out("192.0.2.1", 53, WALK_PASSES, 0);               /* of UDP only */
    out("192.0.2.1", 90, WALK_PASSES, 0);               /* != 90-100 */
    out("192.0.2.1", 150, WALK_DROPPED, 17);
    out("192.0.2.1", 200, WALK_PASSES, 0);              /* < 200 */
    out("192.0.2.1", 5000, WALK_PASSES, 0);             /* accepted before the policy */
    out("192.0.2.1", 5001, WALK_MAY_PASS, -1);          /* the policy, unless this user may */
    out("2001:db8:2::135", 85, WALK_REJECTED, 14);      /* a concatenation */
    out("2001:db8:2::136", 85, WALK_PASSES, 0);
}

/* What iptables-nft wrote: a comment is no condition, a match of its own one that is not known. */
static void test_iptables(void **state)
{
    (void)state;
    out("192.0.2.1", 777, WALK_REJECTED, 7);
    out("192.0.2.1", 779, WALK_MAY_PASS, 8);
}

static void test_established(void **state)
{
    struct walker p = syn_to("192.0.2.1", 150);

    (void)state;
    p.established = true;
    check_walk(&p, WALK_PASSES, 0);
}

static void test_translated(void **state)
{
    struct walker p = syn_to("192.0.2.1", 89);
    struct walk w;

    (void)state;
    ruleset_walk(rules, &p, &w);
    assert_non_null(strstr(w.translated, "inet f nat handle 25"));
    assert_int_equal(w.verdict, WALK_MAY_PASS); /* to which port it goes is not followed */
    walk_clear(&w);
}

static struct walker from(const char *text, uint16_t port, const char *in)
{
    struct walker w = { .dport = port, .flags = TCP_SYN, .inward = true, .in = in };
    uint8_t version;

    w.src = addr_of(text, &w.version);
    w.dst = addr_of("10.0.3.15", &version);
    return w;
}

static void test_in(void **state)
{
    struct walker near = from("10.0.3.7", 22, "eth0"), far = from("192.0.2.1", 22, "eth0"), web = from("10.0.3.7", 80, "eth0"),
                  here = from("127.0.0.1", 80, "lo"), anybody = { .version = 4, .any_src = true, .dport = 22, .inward = true, .in = "eth0" };

    (void)state;
    check_walk(&near, WALK_PASSES, 0);
    check_walk(&far, WALK_REJECTED, 3);
    check_walk(&web, WALK_DROPPED, -1);
    check_walk(&here, WALK_PASSES, 0);
    check_walk(&anybody, WALK_MAY_PASS, 3);
    web.established = true;
    check_walk(&web, WALK_PASSES, 0);
}

/* The hooks of an interface, of one or of several, are met by what passes it. */
static void test_ingress(void **state)
{
    static const char json[] =
        "{\"nftables\": [{\"chain\": {\"family\": \"netdev\", \"table\": \"n\", \"name\": \"i\", \"hook\": \"ingress\", \"type\": \"filter\","
        "\"dev\": [\"eth0\", \"eth1\"], \"prio\": 0, \"policy\": \"drop\"}}, {\"chain\": {\"family\": \"inet\", \"table\": \"n\", \"name\": \"j\","
        "\"hook\": \"ingress\", \"type\": \"filter\", \"dev\": \"eth2\", \"prio\": 0, \"policy\": \"drop\"}}]}";
    static const struct {
        const char *in;
        enum walk_verdict verdict;
    } cases[] = { { "eth0", WALK_DROPPED }, { "eth1", WALK_DROPPED }, { "eth2", WALK_DROPPED }, { "eth3", WALK_PASSES }, { NULL, WALK_PASSES } };
    struct ruleset *r = ruleset_parse(json, NULL);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct walker p = from("10.0.3.7", 80, cases[i].in);
        struct walk w;
        ruleset_walk(r, &p, &w);
        assert_int_equal(w.verdict, cases[i].verdict);
        walk_clear(&w);
    }
    struct walker out = syn_to("192.0.2.1", 80);
    struct walk w;
    out.out = "eth0";
    ruleset_walk(r, &out, &w);
    assert_int_equal(w.verdict, WALK_PASSES);
    walk_clear(&w);
    ruleset_free(r);
}

/* No ruleset, an empty one, and nonsense in the place of each part. */
static void test_parse(void **state)
{
    static const char *const bad[] = { "", "{", "[]", "{\"nftables\": 1}", "null" };
    static const char *const odd[] = {
        "{\"nftables\": []}",
        "{\"nftables\": [1, null, {\"rule\": 1}, {\"chain\": {\"family\": \"inet\"}}, {\"rule\": {\"family\": \"inet\", \"table\": \"f\", \"chain\": \"c\"}}]}",
        "{\"nftables\": [{\"chain\": {\"family\": \"inet\", \"table\": \"f\", \"name\": \"c\", \"hook\": \"output\", \"type\": \"filter\", \"prio\": 0}},"
        "{\"rule\": {\"family\": \"inet\", \"table\": \"f\", \"chain\": \"c\", \"handle\": 1, \"expr\": [{\"match\": {\"op\": \"==\"}}, {}, 7,"
        "{\"vmap\": {}}, {\"match\": {\"op\": \"in\", \"left\": {\"concat\": []}, \"right\": \"@none\"}}, {\"jump\": {\"target\": \"c\"}}]}}]}",
    };
    struct walker p = syn_to("192.0.2.1", 80);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        assert_null(ruleset_parse(bad[i], &error));
        assert_non_null(error);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(odd); i++) {
        struct ruleset *r = ruleset_parse(odd[i], NULL);
        struct walk w;
        assert_non_null(r);
        ruleset_walk(r, &p, &w);
        assert_int_equal(w.verdict, WALK_PASSES);
        walk_clear(&w);
        ruleset_free(r);
    }
}

/* --- the rung --- */

static struct rung_step *climb_to(const char *root, const char *target, uint16_t port, const struct ruleset *with)
{
    struct machine *m = usual_machine(root);
    struct climb c = climb_of(m);

    c.port = port;
    add_address(m, 3, "2001:db8:3::15", 64, 0);
    add_target(&c, target, 0, 3);
    struct rung_step *s = rung_firewall(&c, with, "no right to");
    g_array_free(c.addresses, TRUE);
    machine_free(m);
    return s;
}

static void test_rung(void **state)
{
    char *root = tree_make(NULL, 0);
    struct rung_step *s = climb_to(root, "192.0.2.1", 443, rules);

    (void)state;
    assert_int_equal(s->status, STEP_OK); /* the SYN passes, and the answer is of an established connection */
    step_free(s);
    s = climb_to(root, "192.0.2.1", 25, rules);
    assert_int_equal(s->status, STEP_BROKEN);
    assert_int_equal(s->finding->code, CODE_FIREWALL_DROPS);
    assert_non_null(strstr(s->remedy, "nft insert rule inet f out position 12 tcp dport 25 accept"));
    step_free(s);
    s = climb_to(root, "192.0.2.1", 99, rules);
    assert_int_equal(s->status, STEP_OK); /* a mark: told, and not believed */
    assert_non_null(strstr(g_ptr_array_index(s->notes, 0), "may be dropped"));
    step_free(s);
    tree_remove(root);
}

static void conntrack(const char *count, const char *max, enum step_status status, enum code code)
{
    const struct tree_file files[] = { { "proc/sys/net/netfilter/nf_conntrack_count", count }, { "proc/sys/net/netfilter/nf_conntrack_max", max } };
    char *root = tree_make(files, G_N_ELEMENTS(files));
    struct ruleset *none = ruleset_parse("{\"nftables\": []}", NULL);
    struct rung_step *s = climb_to(root, "192.0.2.1", 80, none);

    assert_int_equal(s->status, status);
    assert_int_equal(s->finding ? s->finding->code : CODE_OK, code);
    step_free(s);
    ruleset_free(none);
    tree_remove(root);
}

static void test_conntrack(void **state)
{
    (void)state;
    conntrack("0\n", "262144\n", STEP_OK, CODE_OK);
    conntrack("262144\n", "262144\n", STEP_BROKEN, CODE_CONNTRACK_FULL);
    conntrack("nonsense", "", STEP_OK, CODE_OK);
}

static void test_legacy(void **state)
{
    static const struct tree_file files[] = { { "proc/net/ip_tables_names", "filter\n" } };
    char *root = tree_make(files, G_N_ELEMENTS(files));
    struct ruleset *none = ruleset_parse("{\"nftables\": []}", NULL);
    struct rung_step *s = climb_to(root, "192.0.2.1", 80, none), *without = climb_to(root, "192.0.2.1", 80, NULL);

    (void)state;
    assert_int_equal(s->status, STEP_UNKNOWN); /* they are not walked, and that is said */
    assert_non_null(strstr(g_ptr_array_index(s->notes, 0), "iptables-legacy"));
    assert_int_equal(without->status, STEP_SKIPPED);
    assert_non_null(strstr(without->text, "no right to"));
    step_free(s);
    step_free(without);
    ruleset_free(none);
    tree_remove(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_out),        cmocka_unit_test(test_iptables), cmocka_unit_test(test_established),
        cmocka_unit_test(test_translated), cmocka_unit_test(test_in),       cmocka_unit_test(test_parse), cmocka_unit_test(test_ingress), cmocka_unit_test(test_rung), cmocka_unit_test(test_conntrack), cmocka_unit_test(test_legacy),
    };

    return cmocka_run_group_tests(tests, read_rules, free_rules);
}
