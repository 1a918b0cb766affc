/* Certificates: what is read of good ones, of odd ones, and of every prefix and every changed byte of one. */
#include "dissect/tls_internal.h"
#include "guard.h"
#include "tls_peers.h"

#include <gnutls/x509-ext.h>
#include <time.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define FROM 1000000000 /* 2001-09-09T01:46:40Z */
#define TO 2000000000   /* 2033-05-18T03:33:20Z */

static struct tls_certificate *read_identity(const struct identity *id)
{
    GByteArray *der = identity_der(id);
    uint8_t *copy = guard_copy(der->data, der->len);
    struct tls_certificate *c = tls_certificate_read(slice_of(copy, der->len));
    guard_free(copy);
    g_byte_array_unref(der);
    return c;
}

static void a_certificate(void **state)
{
    (void)state;
    static const char *const names[] = { "www.example.org", "*.example.net", NULL };
    struct identity id = identity_draft("CN=www.example.org,O=Ex\\, ample,C=ES", names, FROM, TO);
    uint8_t v4[4] = { 192, 0, 2, 1 }, v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
    must(gnutls_x509_crt_set_subject_alt_name(id.crt, GNUTLS_SAN_IPADDRESS, v4, 4, GNUTLS_FSAN_APPEND));
    must(gnutls_x509_crt_set_subject_alt_name(id.crt, GNUTLS_SAN_IPADDRESS, v6, 16, GNUTLS_FSAN_APPEND));
    must(gnutls_x509_crt_set_subject_alt_name(id.crt, GNUTLS_SAN_RFC822NAME, "a@b", 3, GNUTLS_FSAN_APPEND));
    identity_sign(&id, NULL);
    struct tls_certificate *c = read_identity(&id);
    assert_false(c->unreadable);
    assert_string_equal(c->subject, "CN=www.example.org,O=Ex\\, ample,C=ES");
    assert_string_equal(c->issuer, c->subject);
    assert_int_equal(c->not_before_s, FROM);
    assert_int_equal(c->not_after_s, TO);
    assert_int_equal(g_strv_length(c->names), 4);
    assert_string_equal(c->names[1], "*.example.net");
    assert_string_equal(c->names[2], "192.0.2.1");
    assert_string_equal(c->names[3], "2001:db8::1");
    assert_true(c->self_signed && tls_certificate_matches(c, "a.example.net"));
    assert_false(tls_certificate_matches(c, "b.a.example.net"));
    assert_true(tls_certificate_matches(c, "192.0.2.1"));
    tls_certificate_free(c);
    identity_free(&id);
}

static void names_that_match(void **state)
{
    (void)state;
    struct identity id = identity_simple();
    static const struct {
        const char *sni;
        bool matches;
    } rows[] = {
        { "www.example.org", true }, { "WWW.EXAMPLE.ORG", true }, { "example.org", true }, { ".org", false },
        { "example.com", false },    { "a.example.org", false },  { "", false },           { "192.0.2.1", false }
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct tls_certificate *c = read_identity(&id);
        assert_int_equal(tls_certificate_matches(c, rows[i].sni), rows[i].matches);
        tls_certificate_free(c);
    }
    identity_free(&id);
}

/* Without alternative names the common name stands for them; a NUL in it does not end it. */
static void common_name(void **state)
{
    (void)state;
    struct identity id = identity_new("CN=old.example.org", NULL, FROM, TO, NULL);
    struct tls_certificate *c = read_identity(&id);
    assert_int_equal(g_strv_length(c->names), 1);
    assert_string_equal(c->names[0], "old.example.org");
    tls_certificate_free(c);
    identity_free(&id);
    static const char nul[] = "\x30\x1e\x82\x1cwww.example.org\0.example.net";
    id = identity_draft("CN=old.example.org", NULL, FROM, TO);
    must(gnutls_x509_crt_set_extension_by_oid(id.crt, GNUTLS_X509EXT_OID_SAN, nul, sizeof nul - 1, 0));
    identity_sign(&id, NULL);
    c = read_identity(&id);
    assert_false(tls_certificate_matches(c, "www.example.org"));
    assert_string_equal(c->names[0], "www.example.org\xef\xbf\xbd.example.net");
    tls_certificate_free(c);
    identity_free(&id);
}

/* Signed by another; and one that says it was issued by itself but was signed with another key. */
static void not_self_signed(void **state)
{
    (void)state;
    struct identity ca = identity_new("CN=Example CA", NULL, FROM, TO, NULL);
    struct identity id = identity_new("CN=www.example.org", NULL, FROM, TO, &ca);
    struct tls_certificate *c = read_identity(&id);
    assert_string_equal(c->issuer, "CN=Example CA");
    assert_false(c->self_signed);
    tls_certificate_free(c);
    struct identity liar = identity_new("CN=Example CA", NULL, FROM, TO, &ca);
    c = read_identity(&liar);
    assert_string_equal(c->issuer, c->subject);
    assert_false(c->self_signed);
    tls_certificate_free(c);
    identity_free(&liar);
    identity_free(&id);
    identity_free(&ca);
}

/* RFC 5280: "no well-defined expiration date"; and an old end. */
static void odd_dates(void **state)
{
    (void)state;
    struct identity id = identity_new("CN=a", NULL, FROM, GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION, NULL);
    struct tls_certificate *c = read_identity(&id);
    assert_int_equal(c->not_after_s, INT64_C(253402300799));
    tls_certificate_free(c);
    identity_free(&id);
    id = identity_new("CN=a", NULL, 0, 1, NULL);
    c = read_identity(&id);
    assert_int_equal(c->not_before_s, 0);
    assert_int_equal(c->not_after_s, 1);
    tls_certificate_free(c);
    identity_free(&id);
}

/* An RSA key too verifies its own signature. */
static void rsa_keys(void **state)
{
    (void)state;
    struct identity id = identity_draft("CN=rsa", NULL, FROM, TO);
    gnutls_x509_privkey_t rsa;
    must(gnutls_x509_privkey_init(&rsa));
    must(gnutls_x509_privkey_generate(rsa, GNUTLS_PK_RSA, 2048, 0));
    must(gnutls_x509_crt_set_key(id.crt, rsa));
    must(gnutls_x509_crt_sign2(id.crt, id.crt, rsa, GNUTLS_DIG_SHA256, 0));
    struct tls_certificate *c = read_identity(&id);
    assert_true(c->self_signed);
    tls_certificate_free(c);
    gnutls_x509_privkey_deinit(rsa);
    identity_free(&id);
}

/* As many names as fit into the largest certificate that is read at all: few are kept, and it does not take long. */
static void many_names(void **state)
{
    (void)state;
    struct identity id = identity_draft("CN=many", NULL, FROM, TO);
    gnutls_subject_alt_names_t list;
    gnutls_datum_t name = { (unsigned char *)"a.b", 3 }, extension;
    must(gnutls_subject_alt_names_init(&list));
    for (int i = 0; i < 2000; i++)
        must(gnutls_subject_alt_names_set(list, GNUTLS_SAN_DNSNAME, &name, NULL));
    must(gnutls_x509_ext_export_subject_alt_names(list, &extension));
    must(gnutls_x509_crt_set_extension_by_oid(id.crt, GNUTLS_X509EXT_OID_SAN, extension.data, extension.size, 0));
    identity_sign(&id, NULL);
    struct tls_certificate *c = read_identity(&id);
    assert_int_equal(g_strv_length(c->names), LIMIT_TLS_NAMES);
    assert_true(c->names_cut && tls_certificate_matches(c, "x.y")); /* who knows */
    tls_certificate_free(c);
    gnutls_free(extension.data);
    gnutls_subject_alt_names_deinit(list);
    identity_free(&id);
}

static void unreadable(const uint8_t *p, size_t n)
{
    uint8_t *copy = guard_copy(p, n);
    struct tls_certificate *c = tls_certificate_read(slice_of(copy, n));
    assert_true(c->unreadable);
    assert_null(c->subject);
    assert_null(c->names);
    assert_false(c->self_signed);
    tls_certificate_free(c);
    guard_free(copy);
}

static void damaged(void **state)
{
    (void)state;
    struct identity id = identity_simple();
    GByteArray *der = identity_der(&id);
    for (unsigned n = 0; n < der->len; n++)
        unreadable(der->data, n);
    for (unsigned at = 0; at < der->len; at++) {
        der->data[at] ^= 0xff;
        uint8_t *copy = guard_copy(der->data, der->len);
        tls_certificate_free(tls_certificate_read(slice_of(copy, der->len)));
        guard_free(copy);
        der->data[at] ^= 0xff;
    }
    der->data[der->len - 1] ^= 1; /* the signature's last byte */
    struct tls_certificate *c = tls_certificate_read(slice_of(der->data, der->len));
    assert_false(c->unreadable || c->self_signed);
    tls_certificate_free(c);
    unsigned length = der->len;
    g_byte_array_set_size(der, LIMIT_TLS_CERTIFICATE + 1);
    memset(der->data + length, 0, der->len - length);
    unreadable(der->data, der->len);
    g_byte_array_unref(der);
    identity_free(&id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate),   cmocka_unit_test(names_that_match), cmocka_unit_test(common_name),
        cmocka_unit_test(not_self_signed), cmocka_unit_test(odd_dates),        cmocka_unit_test(rsa_keys),
        cmocka_unit_test(many_names),      cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
