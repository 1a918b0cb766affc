/* A certificate (RFC 5280) through GnuTLS: who, by whom, from when to when, for which names.
 *
 * It comes from the network: what would cost more than its size is bounded (names, and the public key of the one
 * signature that is verified). */
#include "base/addr.h"
#include "base/text.h"
#include "dissect/tls_internal.h"

#include <gnutls/abstract.h>
#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>
#include <string.h>

/* Verifying a signature takes a power of the key's exponent: real ones have 17 bits, a few 32; real moduli 4096. */
#define RSA_BITS_MAX 8192
#define RSA_EXPONENT_BYTES_MAX 5
/* DSA takes full-size exponents; FIPS 186-4 stops at 3072. */
#define DSA_BITS_MAX 3072
/* A distinguished name in text; X.520 bounds each part to 64 characters, a DN has some ten. */
#define DN_TEXT_MAX 4096

static struct slice slice_of_datum(const gnutls_datum_t *d)
{
    return slice_of(d->data, d->size);
}

/* Takes over the text of a distinguished name; "" for an empty one. */
static char *dn_text(int result, gnutls_datum_t *dn)
{
    if (result < 0)
        return g_strdup("");
    char *text = text_dup_utf8(slice_of_datum(dn), DN_TEXT_MAX);
    gnutls_free(dn->data);
    return text;
}

static void read_subject_and_issuer(struct tls_certificate *c, gnutls_x509_crt_t crt)
{
    gnutls_datum_t subject = { 0 }, issuer = { 0 };
    c->subject = dn_text(gnutls_x509_crt_get_dn3(crt, &subject, 0), &subject);
    c->issuer = dn_text(gnutls_x509_crt_get_issuer_dn3(crt, &issuer, 0), &issuer);
}

/* RFC 5280 section 4.1.2.5: 99991231235959Z means that there is no end; GnuTLS has a number of its own for it. */
static bool read_validity(struct tls_certificate *c, gnutls_x509_crt_t crt)
{
    time_t from = gnutls_x509_crt_get_activation_time(crt), to = gnutls_x509_crt_get_expiration_time(crt);
    if (from == (time_t)-1 || to == (time_t)-1)
        return false;
    c->not_before_s = from;
    c->not_after_s = to == GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION ? INT64_C(253402300799) : to;
    return true;
}

/* --- names --- */

static char *ip_text(struct slice ip)
{
    char out[ADDR_TEXT_SIZE];
    struct addr a = ip.n == 4 ? addr_v4(ip.p) : addr_v6(ip.p);
    return g_strdup(addr_text(out, &a, ip.n == 4 ? 4 : 6));
}

/* A DNS name or an address as text; NULL for other kinds of names. */
static char *alternative_text(unsigned type, struct slice name)
{
    if (type == GNUTLS_SAN_DNSNAME)
        return text_dup_utf8(name, LIMIT_TLS_NAME);
    if (type == GNUTLS_SAN_IPADDRESS && (name.n == 4 || name.n == 16))
        return ip_text(name);
    return NULL;
}

/* Reads the extension once: asking the certificate name by name would parse all of it each time. */
static void read_alternatives(GPtrArray *names, gnutls_datum_t *extension)
{
    gnutls_subject_alt_names_t list;
    if (gnutls_subject_alt_names_init(&list) < 0)
        return;
    if (gnutls_x509_ext_import_subject_alt_names(extension, list, 0) >= 0) {
        gnutls_datum_t name;
        unsigned type;
        for (unsigned i = 0; names->len < LIMIT_TLS_NAMES; i++) {
            if (gnutls_subject_alt_names_get(list, i, &type, &name, NULL) < 0)
                break;
            char *text = alternative_text(type, slice_of_datum(&name));
            if (text)
                g_ptr_array_add(names, text);
        }
    }
    gnutls_subject_alt_names_deinit(list);
}

static void read_common_name(GPtrArray *names, gnutls_x509_crt_t crt)
{
    char name[LIMIT_TLS_NAME];
    size_t n = sizeof name;
    if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &n) >= 0 && n > 0)
        g_ptr_array_add(names, text_dup_utf8(slice_of(name, MIN(n, sizeof name)), LIMIT_TLS_NAME));
}

static void read_names(struct tls_certificate *c, gnutls_x509_crt_t crt)
{
    GPtrArray *names = g_ptr_array_new();
    gnutls_datum_t extension = { 0 };
    if (gnutls_x509_crt_get_extension_by_oid2(crt, GNUTLS_X509EXT_OID_SAN, 0, &extension, NULL) >= 0) {
        read_alternatives(names, &extension);
        gnutls_free(extension.data);
    }
    if (names->len == 0)
        read_common_name(names, crt);
    c->names_cut = names->len >= LIMIT_TLS_NAMES;
    g_ptr_array_add(names, NULL);
    c->names = (char **)g_ptr_array_free(names, FALSE);
}

/* --- signature --- */

/* Whether an RSA key is one that a power of it can be taken of in a moment. */
static bool rsa_is_affordable(gnutls_pubkey_t key)
{
    gnutls_datum_t modulus = { 0 }, exponent = { 0 };
    if (gnutls_pubkey_export_rsa_raw2(key, &modulus, &exponent, GNUTLS_EXPORT_FLAG_NO_LZ) < 0)
        return false;
    bool affordable = modulus.size <= RSA_BITS_MAX / 8 && exponent.size <= RSA_EXPONENT_BYTES_MAX;
    gnutls_free(modulus.data);
    gnutls_free(exponent.data);
    return affordable;
}

static bool key_is_affordable(gnutls_pubkey_t key)
{
    unsigned bits = 0;
    int algorithm = gnutls_pubkey_get_pk_algorithm(key, &bits);
    switch (algorithm) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS: return rsa_is_affordable(key);
    case GNUTLS_PK_DSA: return bits <= DSA_BITS_MAX;
    default: return true; /* the curves have fixed sizes */
    }
}

/* One DER value, header included; empty where it is not there whole. */
static struct slice der_value(struct cursor *c)
{
    struct cursor start = *c;
    cursor_skip(c, 1);
    size_t length = cursor_u8(c);
    if (length & 0x80) {
        unsigned digits = length & 0x7f;
        if (digits > 4)
            return slice_of(NULL, 0);
        for (length = 0; digits > 0; digits--)
            length = length << 8 | cursor_u8(c);
    }
    cursor_skip(c, length);
    return c->failed ? slice_of(NULL, 0) : slice_of(start.p, (size_t)(c->p - start.p));
}

/* The part that is signed: the first value inside the outer sequence (RFC 5280 section 4.1). */
static struct slice signed_part(struct slice der)
{
    struct cursor c = cursor_of(der);
    cursor_skip(&c, 1);
    size_t length = cursor_u8(&c);
    if (length & 0x80)
        cursor_skip(&c, length & 0x7f);
    return der_value(&c);
}

/* Whether the certificate's own key made its signature. */
static bool verifies_itself(gnutls_x509_crt_t crt, struct slice der)
{
    char signature[RSA_BITS_MAX / 8];
    size_t n = sizeof signature;
    struct slice part = signed_part(der);
    gnutls_pubkey_t key;
    if (part.n == 0 || gnutls_x509_crt_get_signature(crt, signature, &n) < 0 || gnutls_pubkey_init(&key) < 0)
        return false;
    gnutls_datum_t data = { (unsigned char *)part.p, (unsigned)part.n };
    gnutls_datum_t sig = { (unsigned char *)signature, (unsigned)n };
    int algorithm = gnutls_x509_crt_get_signature_algorithm(crt);
    bool good = algorithm > 0 && gnutls_pubkey_import_x509(key, crt, 0) >= 0 && key_is_affordable(key) &&
                gnutls_pubkey_verify_data2(key, (gnutls_sign_algorithm_t)algorithm, GNUTLS_VERIFY_ALLOW_BROKEN, &data,
                                           &sig) >= 0;
    gnutls_pubkey_deinit(key);
    return good;
}

static bool is_self_signed(gnutls_x509_crt_t crt, struct slice der)
{
    gnutls_datum_t subject = { 0 }, issuer = { 0 };
    bool there = gnutls_x509_crt_get_raw_dn(crt, &subject) >= 0 && gnutls_x509_crt_get_raw_issuer_dn(crt, &issuer) >= 0;
    bool same = there && subject.size == issuer.size && memcmp(subject.data, issuer.data, subject.size) == 0;
    gnutls_free(subject.data);
    gnutls_free(issuer.data);
    return same && verifies_itself(crt, der);
}

/* --- all of it --- */

/* RFC 6125 section 6.4.3: a name of the certificate matches the host, without regard to case; "*" stands for the whole leftmost label. */
static bool name_matches(const char *name, const char *host)
{
    if (name[0] == '*' && name[1] == '.') {
        const char *rest = strchr(host, '.');
        return rest && rest != host && strchr(rest + 1, '.') && g_ascii_strcasecmp(name + 1, rest) == 0;
    }
    return g_ascii_strcasecmp(name, host) == 0;
}

bool tls_certificate_matches(const struct tls_certificate *c, const char *host)
{
    for (char **name = c->names; name && *name; name++)
        if (name_matches(*name, host))
            return true;
    return c->names_cut; /* it may be among those that were not kept */
}

static bool read_all(struct tls_certificate *c, gnutls_x509_crt_t crt, struct slice der)
{
    gnutls_datum_t data = { (unsigned char *)der.p, (unsigned)der.n };
    if (gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_DER) < 0 || !read_validity(c, crt))
        return false;
    read_subject_and_issuer(c, crt);
    read_names(c, crt);
    c->self_signed = is_self_signed(crt, der);
    return true;
}

struct tls_certificate *tls_certificate_read(struct slice der)
{
    struct tls_certificate *c = g_new0(struct tls_certificate, 1);
    gnutls_x509_crt_t crt;
    c->unreadable = true;
    if (der.n == 0 || der.n > LIMIT_TLS_CERTIFICATE || gnutls_x509_crt_init(&crt) < 0)
        return c;
    c->unreadable = !read_all(c, crt, der);
    gnutls_x509_crt_deinit(crt);
    return c;
}

void tls_certificate_free(struct tls_certificate *c)
{
    if (!c || c->references-- > 0)
        return;
    g_free(c->subject);
    g_free(c->issuer);
    g_strfreev(c->names);
    g_free(c);
}
