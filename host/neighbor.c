#include "host/neighbor.h"

#include <linux/neighbour.h>
#include <netlink/netlink.h>
#include <netlink/route/neighbour.h>

#define STEP_MS 100

static enum neighbor_state state_of(int nud)
{
    if (nud < 0 || nud == NUD_NONE)
        return NEIGHBOR_NONE;
    if (nud & NUD_FAILED)
        return NEIGHBOR_FAILED;
    if (nud & NUD_INCOMPLETE)
        return NEIGHBOR_ASKING;
    return nud & (NUD_STALE | NUD_DELAY | NUD_PROBE) ? NEIGHBOR_OLD : NEIGHBOR_KNOWN;
}

static enum neighbor_state look(struct nl_cache *cache, unsigned link, unsigned version, const struct addr *a,
                                char mac[MAC_TEXT])
{
    struct nl_addr *to =
        version == 6 ? nl_addr_build(AF_INET6, a->bytes, 16) : nl_addr_build(AF_INET, a->bytes + 12, 4);
    struct rtnl_neigh *n = rtnl_neigh_get(cache, (int)link, to);
    enum neighbor_state state = n ? state_of(rtnl_neigh_get_state(n)) : NEIGHBOR_NONE;

    nl_addr_put(to);
    if (n && rtnl_neigh_get_lladdr(n) && state >= NEIGHBOR_OLD)
        nl_addr2str(rtnl_neigh_get_lladdr(n), mac, MAC_TEXT);
    if (n)
        rtnl_neigh_put(n);
    return state;
}

enum neighbor_state neighbor_find(unsigned link, unsigned version, const struct addr *a, char mac[MAC_TEXT])
{
    struct nl_sock *s = nl_socket_alloc();
    struct nl_cache *cache = NULL;
    enum neighbor_state state = NEIGHBOR_NONE;

    mac[0] = '\0';
    if (nl_connect(s, NETLINK_ROUTE) == 0 && rtnl_neigh_alloc_cache(s, &cache) == 0) {
        state = look(cache, link, version, a, mac);
        nl_cache_free(cache);
    }
    nl_socket_free(s);
    return state;
}

enum neighbor_state neighbor_wait(unsigned link, unsigned version, const struct addr *a, unsigned most_ms,
                                  char mac[MAC_TEXT])
{
    enum neighbor_state state = neighbor_find(link, version, a, mac);

    for (unsigned ms = 0; ms < most_ms && state != NEIGHBOR_KNOWN && state != NEIGHBOR_FAILED; ms += STEP_MS) {
        g_usleep(STEP_MS * 1000);
        state = neighbor_find(link, version, a, mac);
    }
    return state;
}
