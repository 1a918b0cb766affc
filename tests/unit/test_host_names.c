/* Where names are looked up, and what the answers of several resolvers say together. */
#include "host/rung_dns.h"
#include "host_machine.h"
#include "host_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static struct resolvers *read_files(const struct tree_file *files, size_t n, const char *name)
{
    char *root = tree_make(files, n);
    struct resolvers *r = resolvers_read(root, name);

    tree_remove(root);
    return r;
}

static void check_names(const struct resolvers *r, const char *all)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < r->names->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", (const char *)g_ptr_array_index(r->names, i));
    assert_string_equal(text->str, all);
}

static void test_files(void **state)
{
    static const struct tree_file files[] = {
        { "etc/nsswitch.conf", "# a comment\npasswd: files\nhosts:  files mdns4_minimal [NOTFOUND=return] dns myhostname\n" },
        { "etc/hosts", "127.0.0.1 localhost\n10.9.9.9\tWWW.upc.edu www # the old one\n::1 localhost www.upc.edu\nnonsense www.upc.edu\n" },
        { "etc/resolv.conf", "; generated\nnameserver 10.1.1.1\n  nameserver fe80::1%lo\nsearch one.test\nsearch upc.edu upc.es\nnameserver nobody\n"
                             "options timeout:1 ndots:2\nnameserver 10.1.1.1\n" },
        { "run/systemd/resolve/resolv.conf", "nameserver 192.0.2.53\nsearch else.test\n" },
    };
    struct resolvers *r = read_files(files, G_N_ELEMENTS(files), "www.upc.edu");

    (void)state;
    assert_int_equal(r->servers->len, 3);
    assert_int_equal(g_array_index(r->servers, struct resolver, 1).scope, 1);
    assert_true(g_array_index(r->servers, struct resolver, 2).behind);
    assert_int_equal(r->hosts->len, 2);
    assert_string_equal(r->others, "mdns4_minimal, myhostname");
    check_names(r, "www.upc.edu www.upc.edu.upc.edu www.upc.edu.upc.es"); /* two dots of two */
    resolvers_free(r);
    r = read_files(files, G_N_ELEMENTS(files), "www");
    check_names(r, "www.upc.edu www.upc.es www");
    assert_int_equal(r->hosts->len, 1);
    resolvers_free(r);
    r = read_files(files, G_N_ELEMENTS(files), "www.");
    check_names(r, "www");
    resolvers_free(r);
}

static void test_no_files(void **state)
{
    struct resolvers *r = read_files(NULL, 0, "www.upc.edu");

    (void)state;
    assert_int_equal(r->servers->len, 0);
    assert_true(r->uses_dns && r->uses_files);
    assert_null(r->others);
    resolvers_free(r);
}

static void test_addresses(void **state)
{
    static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "::g", "localhost", "%lo", "1.2.3.4/8" };
    struct addr a;
    uint8_t version;
    unsigned scope;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(resolver_address(bad[i], &version, &a, &scope));
    assert_true(resolver_address("192.0.2.1", &version, &a, &scope));
    assert_int_equal(version, 4);
    assert_true(resolver_address("fe80::1%lo", &version, &a, &scope));
    assert_int_equal(version, 6);
    assert_int_equal(scope, 1);
}

/* --- the judgement --- */

/* "A AAAA" of each resolver: an address, or the word of an outcome. */
struct word {
    const char *four, *six;
};

static void answer(GPtrArray *asked, unsigned server, uint8_t version, const char *text)
{
    static const struct {
        const char *word;
        enum ask_outcome outcome;
    } words[] = { { "nxdomain", ASK_NXDOMAIN }, { "none", ASK_NO_DATA }, { "servfail", ASK_SERVFAIL }, { "refused", ASK_REFUSED },
                  { "silent", ASK_SILENT },     { "garbage", ASK_MALFORMED } };
    struct asked *a = g_new0(struct asked, 1);

    *a = (struct asked){ .server = server, .version = version, .outcome = ASK_ADDRESSES, .time_ns = TIME_NONE };
    g_ptr_array_add(asked, a);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(words[i].word, text) == 0) {
            a->outcome = words[i].outcome;
            return;
        }
    }
    struct found_address found;
    found.addr = addr_of(text, &found.version);
    a->addresses = g_array_new(FALSE, FALSE, sizeof found);
    g_array_append_val(a->addresses, found);
}

static void judge(const struct word *words, unsigned n, const char *hosts, enum step_status status, enum code code, const char *addresses)
{
    static const char *const servers[] = { "nameserver 10.1.1.1\n", "nameserver 10.1.1.1\nnameserver 10.1.1.2\n" };
    const struct tree_file files[] = { { "etc/resolv.conf", n ? servers[n - 1] : "" }, { "etc/hosts", hosts } };
    struct resolvers *r = read_files(files, G_N_ELEMENTS(files), "www.upc.edu");
    g_autoptr(GPtrArray) asked = g_ptr_array_new_with_free_func((GDestroyNotify)asked_free);
    g_autoptr(GArray) out = g_array_new(FALSE, FALSE, sizeof(struct found_address));
    g_autoptr(GString) list = g_string_new(NULL);
    char text[ADDR_TEXT_SIZE];

    for (unsigned i = 0; i < n; i++) {
        answer(asked, i, 4, words[i].four);
        answer(asked, i, 6, words[i].six);
    }
    struct rung_step *s = rung_dns_judge(r, asked, "www.upc.edu", out);
    for (guint i = 0; i < out->len; i++) {
        const struct found_address *a = &g_array_index(out, struct found_address, i);
        g_string_append_printf(list, "%s%s", i ? " " : "", addr_text(text, &a->addr, a->version));
    }
    assert_string_equal(list->str, addresses);
    assert_int_equal(s->status, status);
    assert_int_equal(s->finding ? s->finding->code : CODE_OK, code);
    assert_int_equal(s->notes->len >= n, 1);
    assert_true(code == CODE_OK || s->remedy);
    step_free(s);
    resolvers_free(r);
}

#define ONE(four, six) (struct word[]){ { four, six } }, 1, ""
#define TWO(a, b, c, d) (struct word[]){ { a, b }, { c, d } }, 2, ""

static void test_judge_one(void **state)
{
    (void)state;
    judge(ONE("192.0.2.1", "2001:db8::1"), STEP_OK, CODE_OK, "192.0.2.1 2001:db8::1");
    judge(ONE("192.0.2.1", "none"), STEP_OK, CODE_OK, "192.0.2.1");
    judge(ONE("192.0.2.1", "servfail"), STEP_OK, CODE_OK, "192.0.2.1");
    judge(ONE("nxdomain", "nxdomain"), STEP_BROKEN, CODE_DNS_NXDOMAIN, "");
    judge(ONE("none", "none"), STEP_BROKEN, CODE_DNS_NO_DATA, "");
    judge(ONE("servfail", "servfail"), STEP_BROKEN, CODE_DNS_SERVFAIL, "");
    judge(ONE("refused", "refused"), STEP_BROKEN, CODE_DNS_REFUSED, "");
    judge(ONE("silent", "silent"), STEP_BROKEN, CODE_DNS_NO_ANSWER, "");
    judge(ONE("garbage", "silent"), STEP_BROKEN, CODE_DNS_NO_ANSWER, "");
    judge(NULL, 0, "", STEP_BROKEN, CODE_DNS_NO_ANSWER, "");
}

static void test_judge_two(void **state)
{
    (void)state;
    judge(TWO("192.0.2.1", "none", "192.0.2.1", "none"), STEP_OK, CODE_OK, "192.0.2.1");
    judge(TWO("192.0.2.1", "none", "192.0.2.2", "none"), STEP_OK, CODE_OK, "192.0.2.1"); /* may be meant */
    judge(TWO("silent", "silent", "192.0.2.1", "none"), STEP_DEGRADED, CODE_DNS_NO_ANSWER, "192.0.2.1");
    judge(TWO("192.0.2.1", "none", "silent", "silent"), STEP_OK, CODE_OK, "192.0.2.1"); /* it is never asked */
    judge(TWO("servfail", "servfail", "192.0.2.1", "none"), STEP_DEGRADED, CODE_DNS_DISAGREE, "192.0.2.1");
    judge(TWO("192.0.2.1", "none", "nxdomain", "nxdomain"), STEP_DEGRADED, CODE_DNS_DISAGREE, "192.0.2.1");
    judge(TWO("nxdomain", "nxdomain", "192.0.2.1", "none"), STEP_BROKEN, CODE_DNS_NXDOMAIN, ""); /* libc takes the first word */
    judge(TWO("0.0.0.0", "none", "192.0.2.1", "none"), STEP_DEGRADED, CODE_DNS_DISAGREE, "0.0.0.0");
    judge(TWO("127.0.0.1", "::1", "127.0.0.1", "::1"), STEP_OK, CODE_OK, "127.0.0.1 ::1"); /* both say so */
}

static void test_judge_hosts(void **state)
{
    (void)state;
    judge((struct word[]){ { "192.0.2.1", "none" } }, 1, "192.0.2.1 www.upc.edu\n", STEP_OK, CODE_OK, "192.0.2.1");
    judge((struct word[]){ { "192.0.2.1", "none" } }, 1, "10.0.0.1 www.upc.edu\n", STEP_DEGRADED, CODE_DNS_DISAGREE, "10.0.0.1");
    judge((struct word[]){ { "silent", "silent" } }, 1, "10.0.0.1 www.upc.edu\n", STEP_OK, CODE_OK, "10.0.0.1");
    judge(NULL, 0, "10.0.0.1 www.upc.edu\n", STEP_OK, CODE_OK, "10.0.0.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),     cmocka_unit_test(test_no_files),  cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_judge_one), cmocka_unit_test(test_judge_two), cmocka_unit_test(test_judge_hosts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
