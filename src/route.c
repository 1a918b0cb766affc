#include "src/route.h"

#include "host/neighbor.h"
#include "probe/route.h"

#include <arpa/inet.h>
#include <glib.h>
#include <string.h>

/* The way to an address given as text. */
static bool find(const char *address, struct route *r, unsigned *version, struct addr *to)
{
    bool six = strchr(address, ':') != NULL;
    uint8_t bytes[16];

    if (inet_pton(six ? AF_INET6 : AF_INET, address, bytes) != 1)
        return false;
    *version = six ? 6 : 4;
    *to = six ? addr_v6(bytes) : addr_v4(bytes);
    route_find(r, *version, to, 0);
    return !r->error;
}

char *route_interface(const char *address)
{
    unsigned version;
    struct addr to;
    struct route r;

    return find(address, &r, &version, &to) && *r.interface ? g_strdup(r.interface) : NULL;
}

char *route_dead_hop(const char *address)
{
    char mac[MAC_TEXT], text[ADDR_TEXT_SIZE];
    unsigned version;
    struct addr to;
    struct route r;

    if (!find(address, &r, &version, &to) || !r.asks_neighbors || r.local)
        return NULL;
    const struct addr *hop = r.has_gateway ? &r.gateway : &to;
    enum neighbor_state state = neighbor_find(r.ifindex, version, hop, mac);
    return state == NEIGHBOR_FAILED || state == NEIGHBOR_ASKING ? g_strdup(addr_text(text, hop, version)) : NULL;
}
