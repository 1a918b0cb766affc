#include "diagnose/url.h"

#include <glib.h>
#include <string.h>

uint64_t url_hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */

    for (size_t i = 0; i < n; i++)
        h = (h ^ (uint8_t)text[i]) * 1099511628211u;
    return h ? h : 1;
}

/* --- authority --- */

struct authority {
    const char *host;
    size_t n;      /* of the host, brackets included */
    uint16_t port; /* 0: none */
};

/* A port of up to five digits; anything else, or a number that is no port, gives 0. */
static uint16_t read_port(const char *p, const char *end)
{
    uint32_t port = 0;

    if (end - p > 5)
        return 0;
    for (; p < end; p++) {
        if (!g_ascii_isdigit(*p))
            return 0;
        port = port * 10 + (uint32_t)(*p - '0');
    }
    return port <= 65535 ? (uint16_t)port : 0;
}

static struct authority split_authority(const char *text, size_t n)
{
    const char *end = text + n, *at = memchr(text, '@', n), *colon;
    struct authority a = {0};

    a.host = at ? at + 1 : text;
    colon = memrchr(a.host, ':', (size_t)(end - a.host));
    if (colon && *a.host == '[' && colon < end && memchr(colon, ']', (size_t)(end - colon)))
        colon = NULL; /* one of the address itself */
    a.n = (size_t)((colon ? colon : end) - a.host);
    a.port = colon ? read_port(colon + 1, end) : 0;
    if (a.n > 1 && a.host[a.n - 1] == '.')
        a.n--;
    return a;
}

char *url_host(const char *authority, uint16_t *port)
{
    struct authority a = split_authority(authority, strlen(authority));

    *port = a.port;
    if (a.n >= 2 && a.host[0] == '[' && a.host[a.n - 1] == ']') {
        a.host++;
        a.n -= 2;
    }
    return a.n ? g_ascii_strdown(a.host, (gssize)a.n) : NULL;
}

/* --- writing --- */

/* out has room for all that is put there: 3 bytes for each of a text. */
static char *put_lower(char *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        *out++ = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    return out;
}

static char *put_path(char *out, const char *path, size_t n)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < n && path[i] != '#'; i++) {
        uint8_t c = (uint8_t)path[i];
        if (c > ' ' && c < 0x7f) {
            *out++ = (char)c;
            continue;
        }
        *out++ = '%';
        *out++ = hex[c >> 4];
        *out++ = hex[c & 15];
    }
    return out;
}

static char *put_port(char *out, uint16_t port)
{
    char digits[5];
    size_t n = 0;

    *out++ = ':';
    do
        digits[n++] = (char)('0' + port % 10);
    while (port /= 10);
    while (n)
        *out++ = digits[--n];
    return out;
}

static size_t write_url(char *out, bool secure, struct authority a, const char *path, size_t path_n)
{
    char *p = stpcpy(out, secure ? "https://" : "http://");

    p = put_lower(p, a.host, a.n);
    if (a.port && a.port != (secure ? 443 : 80))
        p = put_port(p, a.port);
    if (path_n == 0 || *path != '/')
        *p++ = '/';
    p = put_path(p, path, path_n);
    *p = '\0';
    return (size_t)(p - out);
}

size_t url_of_request(char out[URL_ROOM], bool secure, const char *authority, const char *target)
{
    size_t host_n = MIN(strlen(authority), LIMIT_HTTP_VALUE);

    if (*target != '/') { /* absolute-form (RFC 9112 section 3.2.2) */
        const char *colon = strstr(target, "://");
        if (!colon || (colon - target != 4 && colon - target != 5) || g_ascii_strncasecmp(target, "http", 4) != 0)
            return 0;
        secure = colon - target == 5;
        target = colon + 3 + strcspn(colon + 3, "/?#");
    }
    return write_url(out, secure, split_authority(authority, host_n), target, strnlen(target, LIMIT_HTTP_VALUE));
}

/* --- resolving --- */

char *url_cut(const char *text)
{
    size_t n = strnlen(text, URL_KEPT + 1);

    for (n = MIN(n, URL_KEPT); n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80;) /* not inside a character */
        n--;
    return g_strndup(text, n);
}

/* Writes a parsed URL as this module writes URLs. */
static void keep(struct url *out, GUri *uri)
{
    const char *host = g_uri_get_host(uri), *path = g_uri_get_path(uri), *query = g_uri_get_query(uri);
    int port = g_uri_get_port(uri);
    g_autofree char *authority = g_strdup_printf(strchr(host, ':') ? "[%s]" : "%s", host);
    g_autofree char *target = g_strconcat(path, query ? "?" : "", query, NULL);
    struct authority a = {authority, strlen(authority), port > 0 ? (uint16_t)port : 0};

    if (a.n > 1 && authority[a.n - 1] == '.')
        a.n--;
    out->secure = strcmp(g_uri_get_scheme(uri), "https") == 0;
    out->port = a.port ? a.port : out->secure ? 443 : 80;
    out->host = url_host(authority, &(uint16_t){0});
    g_autofree char *whole = g_malloc(3 * (a.n + strlen(target)) + 64);
    size_t n = write_url(whole, out->secure, a, target, strlen(target));
    out->hash = url_hash(whole, n);
    out->text = url_cut(whole);
}

static bool followable(GUri *uri)
{
    const char *scheme = g_uri_get_scheme(uri), *host = g_uri_get_host(uri);
    return host && *host && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

void url_resolve(struct url *out, const char *base, const char *reference)
{
    const GUriFlags flags = G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED;
    g_autoptr(GUri) from = g_uri_parse(base, flags, NULL);
    g_autoptr(GUri) uri = g_uri_parse_relative(from, reference, flags, NULL);

    *out = (struct url){0};
    if (uri && followable(uri)) {
        keep(out, uri);
        if (out->host)
            return;
        url_clear(out);
    }
    out->text = url_cut(reference);
}

void url_clear(struct url *u)
{
    g_free(u->text);
    g_free(u->host);
    *u = (struct url){0};
}
