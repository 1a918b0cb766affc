/* JA3 and JA4 against published values; names of numbers. */
#include "tls_bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void check_prints(GByteArray *message, const char *ja3, const char *ja4)
{
    struct reader *r = reader_new();
    feed(r, CLIENT, 1, record(22, message));
    if (ja3)
        assert_string_equal(r->facts.ja3, ja3);
    if (ja4)
        assert_string_equal(r->facts.ja4, ja4);
    reader_free(r);
}

/* The two examples that JA3 was published with:
 * 769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0 and 769,4-5-10-9-100-98-3-6-19-18-99,,, ;
 * and the first with GREASE strewn in. */
static void ja3(void **state)
{
    (void)state;
    check_prints(client_hello(0x0301, "002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004",
                              "0000 0006 0004 00 0001 61  000a 0008 0006 0017 0018 0019  000b 0002 01 00"),
                 "ada70206e40642a3e4461f35503241d5", NULL);
    check_prints(client_hello(0x0301, "0004 0005 000a 0009 0064 0062 0003 0006 0013 0012 0063", NULL),
                 "de350869b8c85de67a350c8d186f11e6", NULL);
    check_prints(
        client_hello(0x0301, "0a0a 002f 0035 0005 000a c009 c00a c013 c014 0032 0038 0013 0004",
                     "fafa 0000  0000 0006 0004 00 0001 61  000a 000a 0008 baba 0017 0018 0019  000b 0002 01 00"),
        "ada70206e40642a3e4461f35503241d5", NULL);
}

/* The example of JA4's definition; the order of ciphers and extensions does not matter, that of the algorithms does. */
#define JA4_CIPHERS "1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035"
#define JA4_ALPN "0010 0005 0003 02 6832"
#define JA4_REST                                                                                                       \
    "0033 0000  4469 0000  0017 0000  000d 0012 0010 0403 0804 0401 0503 0805 0501 0806 0601  0005 0000  0023 0000  "  \
    "0012 0000 "                                                                                                       \
    "002b 0007 06 0a0a 0304 0303  ff01 0000  000b 0000  000a 0000  0015 0000  002d 0000"

static void ja4(void **state)
{
    (void)state;
    check_prints(
        client_hello(0x0303, "8a8a" JA4_CIPHERS, "5a5a 0000 001b 0000  0000 0006 0004 00 0001 61 " JA4_ALPN JA4_REST),
        NULL, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    check_prints(client_hello(0x0303, JA4_CIPHERS, JA4_REST JA4_ALPN "001b 0000"), NULL,
                 "t13i1515h2_8daaf6152771_e5627efa2ab1");
    check_prints(client_hello(0x0301, "", NULL), NULL, "t10i000000_000000000000_000000000000");
    check_prints(client_hello(0x0300, "0a0a", "0000 0000"), NULL, "ts3d000100_000000000000_000000000000");
}

/* The part for ALPN: characters, or hexadecimal digits where one of them is no letter or digit. */
static void ja4_alpn(void **state)
{
    (void)state;
    static const struct {
        const char *list, *part;
    } rows[] = { { "0009 08 687474702f312e31", "h1" },
                 { "0002 01 68", "hh" },
                 { "0002 01 ab", "ab" },
                 { "0003 02 abcd", "ad" },
                 { "0003 02 30ab", "3b" },
                 { "0005 04 3031abcd", "3d" },
                 { "0005 04 30abcd31", "01" },
                 { "0001 00", "00" },
                 { "0000", "00" } };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        GByteArray *alpn = extension(16, rows[i].list);
        char *digits = g_malloc0(2 * alpn->len + 1);
        for (unsigned k = 0; k < alpn->len; k++)
            g_snprintf(digits + 2 * k, 3, "%02x", alpn->data[k]);
        struct reader *r = reader_new();
        feed(r, CLIENT, 1, record(22, client_hello(0x0303, "002f", digits)));
        assert_memory_equal(r->facts.ja4 + 8, rows[i].part, 2);
        reader_free(r);
        g_free(digits);
        g_byte_array_unref(alpn);
    }
}

static void names(void **state)
{
    (void)state;
    char out[16];
    assert_string_equal(tls_version_name(0x0303, out), "TLS1.2");
    assert_string_equal(tls_version_name(0x0300, out), "SSL3.0");
    assert_string_equal(tls_version_name(0x7f1c, out), "TLS1.3-draft28");
    assert_string_equal(tls_version_name(0x7fff, out), "TLS1.3-draft255");
    assert_string_equal(tls_version_name(0x0a0a, out), "0x0a0a");
    assert_string_equal(tls_cipher_name(0x0000, out), "TLS_NULL_WITH_NULL_NULL");
    assert_string_equal(tls_cipher_name(0xc030, out), "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_string_equal(tls_cipher_name(0x1305, out), "TLS_AES_128_CCM_8_SHA256");
    assert_string_equal(tls_cipher_name(0xd005, out), "TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256");
    assert_string_equal(tls_cipher_name(0xffff, out), "0xffff");
    assert_string_equal(tls_alert_name(40, out), "handshake_failure");
    assert_string_equal(tls_alert_name(121, out), "ech_required");
    assert_string_equal(tls_alert_name(255, out), "alert_255");
    assert_string_equal(tls_outcome_name(TLS_NOT_TLS), "not_tls");
    assert_string_equal(tls_outcome_name(TLS_NO_SERVER_HELLO), "no_server_hello");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja3),
        cmocka_unit_test(ja4),
        cmocka_unit_test(ja4_alpn),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
