#include "src/filter_hosts.h"

#include <arpa/inet.h>

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
