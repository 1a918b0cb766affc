#include "base/text.h"
#include "capture/live_parts.h"

#include <arpa/inet.h>
#include <string.h>

/* How many bits of an address are the network's. */
static int prefix_of(const struct sockaddr *mask)
{
    const uint8_t *bytes = mask->sa_family == AF_INET6
                               ? ((const struct sockaddr_in6 *)(const void *)mask)->sin6_addr.s6_addr
                               : (const uint8_t *)&((const struct sockaddr_in *)(const void *)mask)->sin_addr;
    int n = 0, most = mask->sa_family == AF_INET6 ? 16 : 4;

    for (int i = 0; i < most; i++)
        n += __builtin_popcount(bytes[i]);
    return n;
}

static void append_address(GString *s, const pcap_addr_t *a)
{
    char text[INET6_ADDRSTRLEN];
    const void *bytes = a->addr->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)a->addr)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)a->addr)->sin_addr;

    if (!inet_ntop(a->addr->sa_family, bytes, text, sizeof text))
        return;
    g_string_append_printf(s, "%s%s", s->len ? ", " : "", text);
    if (a->netmask && a->netmask->sa_family == a->addr->sa_family)
        g_string_append_printf(s, "/%d", prefix_of(a->netmask));
}

static char *addresses_of(const pcap_if_t *d)
{
    GString *s = g_string_new(NULL);

    for (const pcap_addr_t *a = d->addresses; a; a = a->next)
        if (a->addr && (a->addr->sa_family == AF_INET || a->addr->sa_family == AF_INET6))
            append_address(s, a);
    return g_string_free(s, FALSE);
}

static const char *state_of(const pcap_if_t *d)
{
    if (strcmp(d->name, "any") == 0)
        return "all";
    if (!(d->flags & PCAP_IF_UP))
        return "down";
    return (d->flags & PCAP_IF_CONNECTION_STATUS) == PCAP_IF_CONNECTION_STATUS_DISCONNECTED ||
                   !(d->flags & PCAP_IF_RUNNING)
               ? "up, no carrier"
               : "up";
}

static void append_outside(GString *s, const char *text)
{
    text_append_terminal(s, slice_of(text, strlen(text)));
}

static void append_device(GString *s, const pcap_if_t *d, int width)
{
    g_autofree char *addresses = addresses_of(d);
    g_autoptr(GString) name = g_string_new(NULL);

    append_outside(name, d->name);
    g_string_append_printf(s, "%-*s  %-14s  %s", width, name->str, state_of(d), addresses);
    if (d->flags & PCAP_IF_WIRELESS)
        g_string_append(s, *addresses ? "  wireless" : "wireless");
    if (d->description) {
        g_string_append(s, *addresses || d->flags & PCAP_IF_WIRELESS ? "  " : "");
        append_outside(s, d->description);
    }
    while (s->len && s->str[s->len - 1] == ' ')
        g_string_truncate(s, s->len - 1);
    g_string_append_c(s, '\n');
}

char *live_list(GError **error)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;

    if (pcap_findalldevs(&all, why) != 0) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE, "the interfaces cannot be listed: %s; `ip link` may tell",
                    why);
        return NULL;
    }
    GString *s = g_string_new(NULL);
    int width = 0;
    for (const pcap_if_t *d = all; d; d = d->next)
        width = MAX(width, (int)strlen(d->name));
    for (const pcap_if_t *d = all; d; d = d->next)
        append_device(s, d, width);
    pcap_freealldevs(all);
    return g_string_free(s, FALSE);
}
