#include "probe/target.h"

#include "base/limits.h"
#include "probe/error.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 443

/* Ports whose services begin with a TLS handshake (IANA). */
static bool is_tls_port(uint16_t port)
{
    static const uint16_t ports[] = { 443, 465, 563, 636,  853,  989,  990,  992,
                                      993, 994, 995, 5061, 5671, 6697, 8443, 8883 };

    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

static gboolean complain(const struct target *t, const char *what, GError **error)
{
    g_set_error(error, PROBE_ERROR, PROBE_ERROR_TARGET, "%s: %s; give HOST, HOST:PORT, [ADDRESS6]:PORT or a URL",
                t->written, what);
    return FALSE;
}

static gboolean set_port(struct target *t, const char *digits, GError **error)
{
    char *end = NULL;
    unsigned long value = strtoul(digits, &end, 10);

    if (!g_ascii_isdigit(*digits) || *end || value < 1 || value > UINT16_MAX)
        return complain(t, "the port must be a number from 1 to 65535", error);
    t->port = (uint16_t)value;
    t->port_given = true;
    return TRUE;
}

/* host, host:port, [host]:port; an address with several colons has no port. */
static gboolean split(struct target *t, const char *text, GError **error)
{
    const char *colon = strchr(text, ':'), *bracket = text[0] == '[' ? strchr(text, ']') : NULL;

    if (text[0] == '[') {
        if (!bracket || (bracket[1] && bracket[1] != ':'))
            return complain(t, "an address in brackets is written [ADDRESS6] or [ADDRESS6]:PORT", error);
        t->host = g_strndup(text + 1, (gsize)(bracket - text - 1));
        colon = bracket[1] ? bracket + 1 : NULL;
    } else if (colon && strchr(colon + 1, ':')) {
        t->host = g_strdup(text);
        colon = NULL;
    } else {
        t->host = colon ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    }
    if (!*t->host)
        return complain(t, "there is no host in it", error);
    return !colon || set_port(t, colon + 1, error);
}

/* scheme://[user@]host[:port][/...] */
static gboolean parse_url(struct target *t, const char *scheme, const char *rest, GError **error)
{
    g_autofree char *authority = g_strndup(rest, strcspn(rest, "/?#"));
    const char *at = strrchr(authority, '@');
    bool https = g_ascii_strcasecmp(scheme, "https") == 0;

    if (!https && g_ascii_strcasecmp(scheme, "http") != 0)
        return complain(t, "only URLs of http and https are probed", error);
    if (!split(t, at ? at + 1 : authority, error))
        return FALSE;
    if (!t->port_given)
        t->port = https ? 443 : 80;
    t->port_given = true;
    t->tls = https;
    if (at) { /* a password is neither sent nor told */
        char *told = g_strconcat(scheme, "://", at + 1, rest + strlen(authority), NULL);
        g_free(t->written);
        t->written = told;
    }
    t->url = g_strdup(t->written);
    return TRUE;
}

static char *web_url(const struct target *t)
{
    bool web = t->port == 80 || t->port == 443 || t->port == 8080 || t->port == 8443;
    bool colons = strchr(t->host, ':') != NULL;

    if (!web)
        return NULL;
    g_autofree char *port = t->port == (t->tls ? 443 : 80) ? g_strdup("") : g_strdup_printf(":%u", t->port);
    return g_strdup_printf("%s://%s%s%s%s/", t->tls ? "https" : "http", colons ? "[" : "", t->host, colons ? "]" : "",
                           port);
}

/* "müller.example" is asked for as "xn--mller-kva.example" (RFC 5890). */
static gboolean to_ascii(struct target *t, GError **error)
{
    char *ascii = NULL;

    if (!g_hostname_is_non_ascii(t->host))
        return TRUE;
    if (!g_utf8_validate(t->host, -1, NULL) || !(ascii = g_hostname_to_ascii(t->host)))
        return complain(t, "the host is no name that the DNS can have", error);
    if (t->url) {
        g_autofree char *old = t->url;
        const char *at = strstr(old, t->host);
        t->url = g_strdup_printf("%.*s%s%s", (int)(at - old), old, ascii, at + strlen(t->host));
    }
    g_free(t->host);
    t->host = ascii;
    return TRUE;
}

struct target *target_parse(const char *written, GError **error)
{
    g_autoptr(Target) t = g_new0(struct target, 1);
    const char *scheme = strstr(written, "://");

    t->written = g_strdup(written);
    t->port = DEFAULT_PORT;
    if (scheme) {
        g_autofree char *name = g_strndup(written, (gsize)(scheme - written));
        if (!parse_url(t, name, scheme + 3, error) || !to_ascii(t, error))
            return NULL;
        return g_steal_pointer(&t);
    }
    if (!split(t, written, error) || !to_ascii(t, error))
        return NULL;
    t->tls = is_tls_port(t->port);
    t->url = web_url(t);
    return g_steal_pointer(&t);
}

void target_free(struct target *t)
{
    if (!t)
        return;
    g_free(t->written);
    g_free(t->host);
    g_free(t->url);
    if (t->addresses)
        g_array_free(t->addresses, TRUE);
    g_free(t);
}

bool target_is_refused(unsigned version, const struct addr *a)
{
    static const uint8_t none[16];
    const uint8_t *last = a->bytes + 12;

    if (version == 6)
        return a->bytes[0] == 0xff || memcmp(a->bytes, none, sizeof none) == 0;
    return last[0] == 0 || last[0] >= 224; /* "this network" (RFC 1122), multicast, reserved and broadcast (RFC 1112) */
}

static bool is_known(const GArray *all, const struct target_address *a)
{
    for (guint i = 0; i < all->len; i++) {
        const struct target_address *b = &g_array_index(all, struct target_address, i);
        if (a->version == b->version && a->scope == b->scope && addr_cmp(&a->addr, &b->addr) == 0)
            return true;
    }
    return false;
}

/* An IPv4-mapped IPv6 address is sent to by IPv4. */
static void read_v6(struct target_address *a, const struct sockaddr_in6 *s)
{
    bool mapped = IN6_IS_ADDR_V4MAPPED(&s->sin6_addr);

    a->version = mapped ? 4 : 6;
    a->addr = addr_v6(s->sin6_addr.s6_addr);
    a->scope = IN6_IS_ADDR_LINKLOCAL(&s->sin6_addr) ? s->sin6_scope_id : 0;
}

static void add(struct target *t, const struct sockaddr *s)
{
    struct target_address a = { 0 };

    if (s->sa_family == AF_INET6) {
        read_v6(&a, (const struct sockaddr_in6 *)(const void *)s);
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)s;
        a.version = 4;
        a.addr = addr_v4((const uint8_t *)&v4->sin_addr);
    }
    if (is_known(t->addresses, &a))
        return;
    if (t->addresses->len < LIMIT_PROBE_ADDRESSES)
        g_array_append_val(t->addresses, a);
    else
        t->left_out++;
}

static gboolean check_addresses(const struct target *t, GError **error)
{
    for (guint i = 0; i < t->addresses->len; i++) {
        const struct target_address *a = &g_array_index(t->addresses, struct target_address, i);
        char text[ADDR_TEXT_SIZE];
        if (target_is_refused(a->version, &a->addr)) {
            g_set_error(
                error, PROBE_ERROR, PROBE_ERROR_TARGET,
                "%s: %s is no address of one host; broadcast, multicast and unspecified addresses are never probed",
                t->written, addr_text(text, &a->addr, a->version));
            return FALSE;
        }
    }
    return TRUE;
}

gboolean target_resolve(struct target *t, GError **error)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;

    hints.ai_flags = AI_NUMERICHOST;
    int status = getaddrinfo(t->host, NULL, &hints, &list);
    t->is_name = status == EAI_NONAME;
    hints.ai_flags = 0;
    if (t->is_name)
        status = getaddrinfo(t->host, NULL, &hints, &list);
    if (status != 0) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_TARGET,
                    "%s: the name has no address: %s; check its spelling and the resolver (/etc/resolv.conf)", t->host,
                    gai_strerror(status));
        return FALSE;
    }
    t->addresses = g_array_new(FALSE, FALSE, sizeof(struct target_address));
    for (const struct addrinfo *i = list; i; i = i->ai_next)
        add(t, i->ai_addr);
    freeaddrinfo(list);
    return check_addresses(t, error);
}
