#include "src/hint.h"

#include "src/filter_hosts.h"
#include "src/route.h"

char *hint_text(const char *const *interfaces, const char *filter)
{
    g_autoptr(GPtrArray) hosts = filter_hosts(filter);

    for (guint i = 0; i < hosts->len && !g_strv_contains(interfaces, "any"); i++) {
        const char *host = g_ptr_array_index(hosts, i);
        g_autofree char *leads = route_interface(host);
        if (leads && !g_strv_contains(interfaces, leads))
            return g_strdup_printf("the route to %s leads over %s; try -i %s", host, leads, leads);
    }
    for (guint i = 0; i < hosts->len; i++) {
        const char *host = g_ptr_array_index(hosts, i);
        g_autofree char *hop = route_dead_hop(host);
        if (hop)
            return g_strdup_printf("this host asked the link for %s, the way to %s, and has no answer (`ip neigh show %s`)", hop, host,
                                   hop);
    }
    if (filter)
        return g_strdup_printf("no packet passes the filter \"%s\"; is there such traffic now?", filter);
    return g_strdup("-D lists the interfaces, `ip route get ADDRESS` says which one leads to a host");
}
