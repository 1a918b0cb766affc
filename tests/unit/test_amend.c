/* What probes make of a finding: which code asks for what, and what networks that are not there change in it. */
#include "diagnose/amend.h"
#include "diagnose/inquiry.h"
#include "tests/unit/probe_net.h"

#define BOTH(version) for (unsigned version = 4; version <= 6; version += 2)

static const struct amend_view from_client = {
    .target = SERVER, .at_other_end = true, .at_once = true, .reset_by_target = true
};

/* d after the probes that it asks for were played against n; "code confidence before now after-at". */
static const char *amended(struct net *n, struct finding *d, const struct amend_view *view)
{
    static char text[400];
    struct played *g = play(n, inquiry_kinds(d, view->target));
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);

    for (int k = 0; k < PROBE_KINDS; k++) {
        struct probe_result *p = play_result(g, (enum probe_kind)k);
        if (p)
            g_ptr_array_add(all, p);
    }
    finding_amend(d, view, all);
    const struct detail *hop = finding_detail(d, "hop"), *now = finding_detail(d, "now"),
                        *before = finding_detail(d, "confidence_before");
    g_snprintf(text, sizeof text, "%s %s %s %s %u-%u", catalogue_row(d->code)->name, confidence_name(d->confidence),
               before ? before->text : "-", now ? now->text : "-", hop ? hop->ttl[0] : 0, hop ? hop->ttl[1] : 0);
    assert_true((before != NULL) == (finding_detail(d, "probe") != NULL));
    assert_true((before != NULL) == (strstr(d->summary, "Probes from here") != NULL));
    g_ptr_array_free(all, TRUE);
    play_end(g);
    return text;
}

static struct finding *finding_of(enum code code, enum confidence confidence)
{
    struct finding *d = finding_new(code, WHERE_PATH, "It broke.");

    d->confidence = confidence;
    return d;
}

#define AMENDED(n, d, view, right)                                                                                     \
    do {                                                                                                               \
        struct finding *f_ = (d);                                                                                      \
        assert_string_equal(amended(n, f_, view), right);                                                              \
        finding_free(f_);                                                                                              \
    } while (0)

/* --- who asks for what --- */

static void test_inquiries(void **state)
{
    (void)state;
    struct finding *d = finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY);
    unsigned kinds = inquiry_kinds(d, SERVER);

    assert_true(kinds & PROBE_BIT(PROBE_SYN_TTL) && kinds & PROBE_BIT(PROBE_ECHO_TTL) &&
                !(kinds & PROBE_BIT(PROBE_ECHO_DF)));
    assert_false(inquiry_kinds(d, CLIENT) & (PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_SYN_TTL)));
    assert_true(inquiry_kinds(d, CLIENT) & PROBE_BIT(PROBE_ECHO));
    d->status = STATUS_DEGRADED; /* it works */
    assert_int_equal(inquiry_kinds(d, SERVER), 0);
    finding_free(d);
    for (int code = 0; code < CODES; code++) {
        struct finding *f = finding_of((enum code)code, CONFIDENCE_LIKELY);
        kinds = inquiry_kinds(f, SERVER);
        bool size = code == CODE_PMTU_BLACKHOLE || code == CODE_PMTU_IGNORED,
             tls = code == CODE_TLS_RESET || code == CODE_TLS_NO_SERVER_HELLO;
        assert_int_equal(!!(kinds & PROBE_BIT(PROBE_SIZE_TTL)), size);
        assert_int_equal(!!(kinds & PROBE_BIT(PROBE_TLS)), tls);
        assert_true(!kinds || kinds & PROBE_BIT(PROBE_SYN));
        finding_free(f);
    }
    d = finding_of(CODE_HTTP_SERVER_ERROR, CONFIDENCE_CERTAIN); /* nothing that a probe could tell */
    assert_int_equal(inquiry_kinds(d, SERVER), 0);
    finding_free(d);
}

static void test_clone(void **state)
{
    (void)state;
    struct flow f = { .half = { [CLIENT] = { .offer = { .seen = true,
                                                        .mss = 1400,
                                                        .wscale = -1,
                                                        .sack = true,
                                                        .window = 8192,
                                                        .ecn = true,
                                                        .dscp = 46 } } } };
    struct probe_syn syn;

    assert_true(inquiry_syn(&f, &syn));
    assert_int_equal(syn.opt.present, TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK);
    assert_int_equal(syn.opt.mss, 1400);
    assert_int_equal(syn.window, 8192);
    assert_int_equal(syn.flags, TCP_SYN | TCP_ECE | TCP_CWR);
    assert_int_equal(syn.tos, 46 << 2);
    f.half[CLIENT].offer.cut = true;
    assert_false(inquiry_syn(&f, &syn));
}

/* A name that came from outside is only said again where it is one. */
static void test_name(void **state)
{
    (void)state;
    struct tls_facts tls = { .sni = (char[]){ "www.example.org" } };
    struct app_facts app = { .tls = &tls };
    struct flow f = { .app = &app };

    assert_string_equal(inquiry_name(&f), "www.example.org");
    tls.sni = (char[]){ "www\nexample" };
    assert_null(inquiry_name(&f));
    char *longer = g_strnfill(254, 'a');
    tls.sni = longer;
    assert_null(inquiry_name(&f));
    g_free(longer);
    f.app = NULL;
    assert_null(inquiry_name(&f));
}

/* --- opening --- */

static void test_unanswered(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net dropped = { .version = version, .routers = 3, .drops_tcp = 2 };
        AMENDED(&dropped, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY), &from_client,
                "syn_unanswered certain likely - 2-3");
        struct net dead = { .version = version, .routers = 3, .drops_tcp = 2, .drops_icmp = 2 };
        AMENDED(&dead, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_POSSIBLE), &from_client,
                "syn_unanswered likely possible - 2-0");
        struct net open = { .version = version, .routers = 3 };
        AMENDED(&open, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY), &from_client,
                "syn_unanswered likely likely ok 0-0");
        struct net closed = { .version = version, .routers = 3, .closed = true };
        AMENDED(&closed, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY), &from_client,
                "syn_unanswered likely likely syn_refused 3-4");
    }
}

/* From another host the way is another: what it finds is told and makes nothing surer. */
static void test_elsewhere(void **state)
{
    (void)state;
    struct net dropped = { .version = 4, .routers = 3, .drops_tcp = 2 };
    struct amend_view elsewhere = { .target = SERVER, .at_once = true };
    struct finding *d = finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY);

    assert_string_equal(amended(&dropped, d, &elsewhere), "syn_unanswered likely likely - 2-3");
    assert_non_null(strstr(d->summary, "which is no end of this flow"));
    finding_free(d);
}

static void test_unseen_icmp(void **state)
{
    (void)state;
    struct amend_view later = from_client;
    struct net n = { .version = 4, .routers = 3, .rejects = 2, .type = 3, .code = 13 };

    AMENDED(&n, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY), &from_client,
            "admin_prohibited likely likely - 1-2");
    later.at_once = false; /* of a file: it may have changed since */
    AMENDED(&n, finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY), &later,
            "syn_unanswered likely likely admin_prohibited 1-2");
    AMENDED(&n, finding_of(CODE_ADMIN_PROHIBITED, CONFIDENCE_CERTAIN), &from_client,
            "admin_prohibited certain certain - 1-2");
}

static void test_refused(void **state)
{
    (void)state;
    struct net server = { .version = 4, .routers = 3, .closed = true },
               router = { .version = 4, .routers = 3, .rejects = 2, .rejects_with_rst = true };
    struct finding *d = finding_of(CODE_SYN_REFUSED, CONFIDENCE_LIKELY);

    finding_detail_number(d, "rst_ttl", 61);
    AMENDED(&server, d, &from_client, "syn_refused certain likely - 3-4");
    d = finding_of(CODE_SYN_REFUSED_BY_MIDDLEBOX, CONFIDENCE_LIKELY); /* by its TTL, in the capture */
    finding_detail_number(d, "rst_ttl", 63);
    AMENDED(&server, d, &from_client, "syn_refused_by_middlebox likely likely - 1-2");
    d = finding_of(CODE_SYN_REFUSED, CONFIDENCE_LIKELY);
    assert_string_equal(amended(&router, d, &from_client), "syn_refused_by_middlebox likely likely - 2-3");
    assert_int_equal(d->where, WHERE_PATH);
    assert_string_equal(d->remedy, catalogue_row(CODE_SYN_REFUSED_BY_MIDDLEBOX)->remedy);
    finding_free(d);
}

/* --- later --- */

static void test_dead(void **state)
{
    (void)state;
    struct net open = { .version = 6, .routers = 3 },
               dead = { .version = 6, .routers = 3, .drops_tcp = 1, .drops_icmp = 1 };

    AMENDED(&open, finding_of(CODE_PATH_WENT_DEAD, CONFIDENCE_LIKELY), &from_client,
            "path_went_dead likely likely ok 0-0");
    AMENDED(&open, finding_of(CODE_IDLE_EXPIRED, CONFIDENCE_LIKELY), &from_client, "idle_expired likely likely ok 0-0");
    AMENDED(&dead, finding_of(CODE_PATH_WENT_DEAD, CONFIDENCE_LIKELY), &from_client,
            "path_went_dead likely likely syn_unanswered 1-0");
}

static struct finding *injected(uint8_t ttl)
{
    struct finding *d = finding_of(CODE_RESET_INJECTED, CONFIDENCE_POSSIBLE);

    finding_detail_number(d, "rst_ttl", ttl);
    return d;
}

static void test_injected(void **state)
{
    (void)state;
    struct net n = { .version = 4, .routers = 3 };
    struct amend_view of_client = from_client;

    AMENDED(&n, injected(63), &from_client, "reset_injected possible possible - 1-2");
    AMENDED(&n, injected(255), &from_client, "reset_injected possible possible - 0-1");
    AMENDED(&n, injected(39), &from_client, "reset_injected possible possible ok 0-0"); /* no hop is so far */
    AMENDED(&n, injected(61), &from_client, "reset_injected possible possible ok 0-0"); /* the server's own distance */
    of_client.reset_by_target = false;
    AMENDED(&n, injected(63), &of_client, "reset_injected possible possible ok 0-0");
}

/* --- sizes --- */

static struct finding *hole(const char *from)
{
    struct finding *d = finding_of(CODE_PMTU_BLACKHOLE, CONFIDENCE_LIKELY);

    finding_detail_text(d, "from", from);
    return d;
}

static void test_sizes(void **state)
{
    (void)state;
    BOTH(version)
    {
        struct net untold = { .version = version, .routers = 3, .mtu = { [2] = 1400 }, .untold = { [2] = true } };
        struct finding *d = hole("client");
        assert_string_equal(amended(&untold, d, &from_client), "pmtu_blackhole certain likely - 2-3");
        assert_int_equal(finding_detail(d, "path_mtu")->number, 1400);
        finding_free(d);
        struct net told = { .version = version, .routers = 3, .mtu = { [2] = 1400 } };
        d = hole("client");
        assert_string_equal(amended(&told, d, &from_client), "pmtu_blackhole likely likely - 0-0");
        assert_int_equal(finding_detail(d, "path_mtu")->number, 1400);
        finding_free(d);
        struct net wide = { .version = version, .routers = 3 };
        AMENDED(&wide, hole("client"), &from_client, "pmtu_blackhole possible likely ok 0-0");
        AMENDED(&wide, hole("server"), &from_client, "pmtu_blackhole possible likely ok 0-0");
    }
}

/* --- nothing found out --- */

static void test_nothing(void **state)
{
    (void)state;
    struct finding *d = finding_of(CODE_SYN_UNANSWERED, CONFIDENCE_LIKELY);
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);
    struct probe_result *p = probe_result_new(PROBE_SYN);

    finding_amend(d, &from_client, all);
    assert_null(d->details);
    p->version = 4;
    p->outcome = OUTCOME_STOPPED_EARLY;
    g_ptr_array_add(all, p);
    finding_amend(d, &from_client, all);
    assert_null(d->details);
    assert_string_equal(d->summary, "It broke.");
    g_ptr_array_free(all, TRUE);
    finding_free(d);
}

/* --- TLS --- */

static struct finding *tls(const enum probe_reply replies[3])
{
    static const char *const changes[] = { "the same server name", "no server name", "a small ClientHello" };
    struct finding *d = finding_of(CODE_TLS_RESET, CONFIDENCE_LIKELY);
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);
    struct probe_result *p = probe_result_new(PROBE_TLS);

    p->version = 4;
    p->outcome = replies[0] == REPLY_TLS ? OUTCOME_COMPLETE : OUTCOME_FAILED;
    p->variants = g_array_new(FALSE, TRUE, sizeof(struct probe_variant));
    for (int i = 0; i < 3; i++) {
        struct probe_variant v = { changes[i], replies[i] };
        g_array_append_val(p->variants, v);
    }
    g_ptr_array_add(all, p);
    finding_amend(d, &from_client, all);
    g_ptr_array_free(all, TRUE);
    return d;
}

static void test_tls(void **state)
{
    (void)state;
    struct finding *d = tls((enum probe_reply[]){ REPLY_CUT, REPLY_TLS_ALERT, REPLY_TLS });

    assert_string_equal(finding_detail(d, "passes")->list[0], "no server name");
    assert_string_equal(finding_detail(d, "passes")->list[1], "a small ClientHello");
    finding_free(d);
    d = tls((enum probe_reply[]){ REPLY_CUT, REPLY_NONE, REPLY_CUT });
    assert_null(finding_detail(d, "passes"));
    assert_non_null(strstr(d->summary, "no ClientHello of 3"));
    finding_free(d);
    d = tls((enum probe_reply[]){ REPLY_TLS, REPLY_NONE, REPLY_NONE });
    assert_string_equal(finding_detail(d, "now")->text, "ok");
    finding_free(d);
}

/* --- names --- */

static void test_names(void **state)
{
    (void)state;
    struct finding *d = finding_of(CODE_DNS_NXDOMAIN, CONFIDENCE_CERTAIN);

    finding_amend_names(d, (const char *const[]){ "192.0.2.53 A: NXDOMAIN", "192.0.2.53 AAAA: NXDOMAIN", NULL },
                        CODE_DNS_NXDOMAIN);
    assert_non_null(strstr(d->summary, "have no address either: 192.0.2.53 A: NXDOMAIN; 192.0.2.53 AAAA"));
    assert_string_equal(finding_detail(d, "resolvers")->list[1], "192.0.2.53 AAAA: NXDOMAIN");
    assert_null(finding_detail(d, "now"));
    finding_free(d);
    d = finding_of(CODE_DNS_NO_ANSWER, CONFIDENCE_LIKELY);
    finding_amend_names(d, (const char *const[]){ "192.0.2.53 A: 192.0.2.80", NULL }, CODE_OK);
    assert_string_equal(finding_detail(d, "now")->text, "ok");
    finding_free(d);
    d = finding_of(CODE_DNS_NO_ANSWER, CONFIDENCE_LIKELY);
    finding_amend_names(d, (const char *const[]){ "192.0.2.53 A: NXDOMAIN", NULL }, CODE_DNS_NXDOMAIN);
    assert_non_null(strstr(d->summary, "for another reason: 192.0.2.53 A: NXDOMAIN"));
    assert_string_equal(finding_detail(d, "now")->text, "dns_nxdomain");
    assert_int_equal(d->confidence, CONFIDENCE_LIKELY);
    finding_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inquiries),    cmocka_unit_test(test_clone),     cmocka_unit_test(test_name),
        cmocka_unit_test(test_unanswered),   cmocka_unit_test(test_elsewhere), cmocka_unit_test(test_unseen_icmp),
        cmocka_unit_test(test_refused),      cmocka_unit_test(test_dead),      cmocka_unit_test(test_injected),
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_nothing),   cmocka_unit_test(test_tls),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
