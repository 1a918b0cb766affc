#include "src/filter_hosts.h"

#include <arpa/inet.h>
#include <string.h>

static gboolean is_address(const char *word)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, word, bytes) == 1 || inet_pton(AF_INET6, word, bytes) == 1;
}

GPtrArray *filter_hosts(const char *filter)
{
    GPtrArray *hosts = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) words = g_strsplit_set(filter ? filter : "", " \t\n()", -1);

    for (char **w = words; *w; w++) {
        if (g_str_equal(*w, "not") || **w == '!') {
            g_ptr_array_set_size(hosts, 0);
            return hosts;
        }
        if (g_str_equal(*w, "host") && w[1] && is_address(w[1]) &&
            !g_ptr_array_find_with_equal_func(hosts, w[1], g_str_equal, NULL))
            g_ptr_array_add(hosts, g_strdup(w[1]));
    }
    return hosts;
}

/* A word of the language: of what is not here, a name is supposed. */
static bool is_common(const char *word)
{
    static const char *const common[] = { "tcp",       "udp",       "icmp",     "icmp6",   "ip",      "ip6",     "arp",
                                          "host",      "net",       "port",     "src",     "dst",     "and",     "or",
                                          "not",       "proto",     "vlan",     "ether",   "less",    "greater", "mask",
                                          "broadcast", "multicast", "mpls",     "len",     "inbound", "outbound", "portrange",
                                          "tcpflags",  "tcp-fin",   "tcp-syn",  "tcp-rst", "tcp-push", "tcp-ack", "tcp-urg",
                                          NULL };

    return g_strv_contains(common, word);
}

static bool is_name(const char *word)
{
    return strpbrk(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") && !is_common(word) && !is_address(word) &&
           !(word[0] == '0' && g_ascii_tolower(word[1]) == 'x');
}

bool filter_looks_up(const char *filter)
{
    g_auto(GStrv) words = g_strsplit_set(filter ? filter : "", " \t\n()[]!&|<>=+*/\\", -1);

    for (char **w = words; *w; w++)
        if (is_name(*w))
            return true;
    return false;
}
