/* JA3 and JA4 of a ClientHello: texts by which one TLS client program is told from another.
 *
 * JA3 (salesforce/ja3, BSD 3-clause): MD5 of "version,ciphers,extensions,groups,point formats", decimal, in the order
 * sent.
 * JA4 (FoxIO, BSD 3-clause for this one member of the family; the others are licensed otherwise and are not made here):
 * a readable part, then hashes of the sorted ciphers and of the sorted extensions with the signature algorithms.
 * Both leave the GREASE values of RFC 8701 out. */
#include "dissect/tls_internal.h"

#include <stdlib.h>

enum { EXT_SERVER_NAME = 0, EXT_ALPN = 16 };

/* --- lists of numbers --- */

/* The 16-bit numbers of a list without GREASE, in order. */
static GArray *numbers_of(struct slice list)
{
    GArray *numbers = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    struct cursor c = cursor_of(list);
    while (cursor_left(&c) >= 2) {
        uint16_t n = cursor_u16(&c);
        if (!tls_is_grease(n))
            g_array_append_val(numbers, n);
    }
    return numbers;
}

/* The types of the extensions, the same way. */
static GArray *extension_types(const struct tls_client_hello *hello)
{
    GArray *types = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    struct cursor c = cursor_of(hello->extensions);
    uint16_t type;
    struct slice body;
    while (tls_next_extension(&c, &type, &body))
        if (!tls_is_grease(type))
            g_array_append_val(types, type);
    return types;
}

/* "0005,000a,000d": as JA4 has it. */
static void append_hex(GString *out, const GArray *numbers)
{
    for (unsigned i = 0; i < numbers->len; i++)
        g_string_append_printf(out, "%s%04x", i ? "," : "", g_array_index(numbers, uint16_t, i));
}

static int ascending(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* --- JA3 --- */

/* ",5-10-13"; frees the numbers. */
static void append_decimal(GString *out, GArray *numbers)
{
    g_string_append_c(out, ',');
    for (unsigned i = 0; i < numbers->len; i++)
        g_string_append_printf(out, "%s%u", i ? "-" : "", g_array_index(numbers, uint16_t, i));
    g_array_unref(numbers);
}

char *tls_ja3(const struct tls_client_hello *hello)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%u", hello->version);
    append_decimal(text, numbers_of(hello->ciphers));
    append_decimal(text, extension_types(hello));
    append_decimal(text, numbers_of(hello->groups));
    for (size_t i = 0; i < hello->formats.n; i++)
        g_string_append_printf(text, "%c%u", i ? '-' : ',', hello->formats.p[i]);
    if (hello->formats.n == 0)
        g_string_append_c(text, ',');
    char *md5 = g_compute_checksum_for_string(G_CHECKSUM_MD5, text->str, (gssize)text->len);
    g_string_free(text, TRUE);
    return md5;
}

/* --- JA4 --- */

/* The highest version offered. */
static const char *ja4_version(const struct tls_client_hello *hello)
{
    GArray *versions = numbers_of(hello->versions);
    uint16_t highest = versions->len > 0 ? 0 : hello->version;
    for (unsigned i = 0; i < versions->len; i++)
        highest = MAX(highest, g_array_index(versions, uint16_t, i));
    g_array_unref(versions);
    switch (highest) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    default: return "00";
    }
}

/* First and last character of the first protocol offered; of its hexadecimal form where one of them is no letter
 * or digit. */
static void append_alpn(GString *out, struct slice list)
{
    struct cursor c = cursor_of(list);
    struct slice first = cursor_take(&c, cursor_u8(&c));
    if (first.n == 0) {
        g_string_append(out, "00");
        return;
    }
    uint8_t head = first.p[0], tail = first.p[first.n - 1];
    if (g_ascii_isalnum(head) && g_ascii_isalnum(tail))
        g_string_append_printf(out, "%c%c", head, tail);
    else
        g_string_append_printf(out, "%x%x", head >> 4, tail & 0xfu);
}

/* Appends the first 12 digits of the text's SHA-256, zeros for an empty text; frees the text. */
static void append_hash(GString *out, GString *text)
{
    char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, (gssize)text->len);
    g_string_append_printf(out, "_%.12s", text->len > 0 ? hash : "000000000000");
    g_free(hash);
    g_string_free(text, TRUE);
}

/* "_" and the signature algorithms in the order sent, where there are any. */
static void append_signatures(GString *out, struct slice signatures)
{
    GArray *numbers = numbers_of(signatures);
    if (numbers->len > 0) {
        g_string_append_c(out, '_');
        append_hex(out, numbers);
    }
    g_array_unref(numbers);
}

/* The extensions in order, without those whose presence or content belongs to the connection and not to the client
 * program. */
static GString *sorted_extensions(GArray *types)
{
    GArray *kept = g_array_new(FALSE, FALSE, sizeof(uint16_t));
    for (unsigned i = 0; i < types->len; i++) {
        uint16_t type = g_array_index(types, uint16_t, i);
        if (type != EXT_SERVER_NAME && type != EXT_ALPN)
            g_array_append_val(kept, type);
    }
    g_array_sort(kept, ascending);
    GString *text = g_string_new(NULL);
    append_hex(text, kept);
    g_array_unref(kept);
    return text;
}

char *tls_ja4(const struct tls_client_hello *hello)
{
    GArray *ciphers = numbers_of(hello->ciphers), *types = extension_types(hello);
    GString *out = g_string_new(NULL), *text = g_string_new(NULL);
    g_string_append_printf(out, "t%s%c%02u%02u", ja4_version(hello), hello->has_name ? 'd' : 'i', MIN(ciphers->len, 99),
                           MIN(types->len, 99));
    append_alpn(out, hello->alpn);
    g_array_sort(ciphers, ascending);
    append_hex(text, ciphers);
    append_hash(out, text);
    text = sorted_extensions(types);
    if (text->len > 0)
        append_signatures(text, hello->signatures);
    append_hash(out, text);
    g_array_unref(ciphers);
    g_array_unref(types);
    return g_string_free(out, FALSE);
}
