#include "base/limits.h"
#include "diagnose/overall.h"

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct addr addr_of(uint32_t number)
{
    const uint8_t four[4] = { 10, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };
    return addr_v4(four);
}

/* A flow of that client to that server ends with a verdict of that code. */
static void judged(struct overall *o, uint32_t client, uint32_t server, enum code code)
{
    struct flow f = {
        .key = { .low = addr_of(client), .high = addr_of(server), .low_port = 40000, .high_port = 80, .version = 4 }
    };
    struct finding *d =
        code == CODE_OK ? NULL : finding_new(code, WHERE_SERVER, "Client %u and server %u.", client, server);

    overall_flow(o, &f, d ? d : finding_ok());
    finding_free(d);
}

static void asked(struct overall *o, const char *name, const char *rcode, uint8_t number)
{
    struct lookup l = { .name = (char *)name,
                        .client = addr_of(1),
                        .server = addr_of(99),
                        .version = 4,
                        .rcode = (char *)rcode,
                        .rcode_number = number };
    overall_lookup(o, &l);
}

/* The sentence of the run for a worst finding of that code; NULL: it stands for itself. */
static char *sentence(const struct overall *o, enum code code)
{
    struct finding *worst = finding_new(code, WHERE_PATH, "The worst."), *wide = overall_verdict(o, worst, NULL);
    char *text = wide ? g_strdup(wide->summary) : NULL;

    assert_true(!wide || wide->code == code);
    finding_free(worst);
    finding_free(wide);
    return text;
}

static void says(struct overall *o, enum code code, const char *expected)
{
    g_autofree char *text = sentence(o, code);

    if (expected)
        assert_non_null(text);
    assert_true(expected ? g_str_has_prefix(text, expected) : !text);
    overall_free(o);
}

static void test_one_server(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < 5; i++)
        judged(o, 1 + i, 100, i < 4 ? CODE_SYN_REFUSED : CODE_OK);
    says(o, CODE_SYN_REFUSED,
         "4 of 5 connections to 10.0.0.100:80 fail alike (connection refused); the first: Client 1");
}

static void test_few(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < ALIKE_LEAST - 1; i++)
        judged(o, 1 + i, 100, CODE_SYN_REFUSED);
    judged(o, 9, 100, CODE_RESET_BY_SERVER);
    says(o, CODE_SYN_REFUSED, NULL);
}

static void test_one_client(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        judged(o, i < 3 ? 7 : 10 + i, 100, i < 3 ? CODE_SYN_UNANSWERED : CODE_OK);
    says(o, CODE_SYN_UNANSWERED, "Only 10.0.0.7 is affected, other clients fare well: 3 of 6 ");
}

static void test_everything(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        judged(o, 7, 100 + i / 2, CODE_SYN_UNANSWERED);
    says(o, CODE_SYN_UNANSWERED, "8 of 8 connections to 4 servers ");
}

static void test_names(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    asked(o, "a.test", NULL, 0);
    asked(o, "a.test", NULL, 0); /* AAAA */
    asked(o, "b.test", NULL, 0);
    asked(o, "c.test", "NOERROR", 0);
    asked(o, "d.test", NULL, 0);
    asked(o, "e.test", "NXDOMAIN", 3); /* an answer like any other */
    says(o, CODE_DNS_NO_ANSWER, "3 of 5 names asked of 10.0.0.99 fail alike ");
}

/* Beyond the limit nothing is counted, and of what was nothing is lost. */
static void test_limit(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < 3; i++)
        judged(o, 1, 5, CODE_SYN_REFUSED);
    for (uint32_t i = 0; i < LIMIT_OVERALL + 100; i++)
        judged(o, 1, 1000 + i, CODE_OK);
    for (uint32_t i = 0; i < 50; i++)
        judged(o, 1, 1000 + LIMIT_OVERALL + 50, CODE_SYN_REFUSED);
    says(o, CODE_SYN_REFUSED, "3 of 3 connections to 10.0.0.5:80 ");
}

/* Codes beyond those that an end is remembered with count as connections. */
static void test_codes(void **state)
{
    struct overall *o = overall_new();

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        judged(o, 1, 5, CODE_SYN_REFUSED);
        judged(o, 1, 5, CODE_SYN_UNANSWERED);
        judged(o, 1, 5, CODE_RESET_BY_SERVER);
        judged(o, 1, 5, CODE_SERVER_SILENT);
    }
    g_autofree char *kept = sentence(o, CODE_RESET_BY_SERVER);
    assert_true(g_str_has_prefix(kept, "3 of 12 "));
    says(o, CODE_SERVER_SILENT, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_server), cmocka_unit_test(test_few),   cmocka_unit_test(test_one_client),
        cmocka_unit_test(test_everything), cmocka_unit_test(test_names), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
