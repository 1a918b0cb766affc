#include "host/machine.h"

#include "host/kmsg.h"
#include "host/tree.h"

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>

/* clang-format off */
G_DEFINE_QUARK(host-error-quark, host_error)
/* clang-format on */

struct machine *machine_new(const char *root)
{
    struct machine *m = g_new0(struct machine, 1);

    m->root = g_strdup(root);
    m->links = g_array_new(FALSE, TRUE, sizeof(struct host_link));
    m->addresses = g_array_new(FALSE, TRUE, sizeof(struct host_address));
    m->defaults = g_array_new(FALSE, TRUE, sizeof(struct host_route));
    m->elsewhere = g_array_new(FALSE, TRUE, sizeof(struct host_route));
    m->firmware = g_ptr_array_new_with_free_func(g_free);
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    g_free(m->root);
    g_array_free(m->links, TRUE);
    g_array_free(m->addresses, TRUE);
    g_array_free(m->defaults, TRUE);
    g_array_free(m->elsewhere, TRUE);
    g_ptr_array_free(m->firmware, TRUE);
    g_free(m);
}

/* --- from libnl --- */

static bool to_addr(const struct nl_addr *from, struct addr *out)
{
    if (!from || (nl_addr_get_len(from) != 4 && nl_addr_get_len(from) != 16))
        return false;
    *out =
        nl_addr_get_len(from) == 16 ? addr_v6(nl_addr_get_binary_addr(from)) : addr_v4(nl_addr_get_binary_addr(from));
    return true;
}

static struct host_counters read_counters(struct rtnl_link *l)
{
    return (struct host_counters){ .rx_packets = rtnl_link_get_stat(l, RTNL_LINK_RX_PACKETS),
                                   .tx_packets = rtnl_link_get_stat(l, RTNL_LINK_TX_PACKETS),
                                   .rx_bytes = rtnl_link_get_stat(l, RTNL_LINK_RX_BYTES),
                                   .tx_bytes = rtnl_link_get_stat(l, RTNL_LINK_TX_BYTES),
                                   .rx_errors = rtnl_link_get_stat(l, RTNL_LINK_RX_ERRORS),
                                   .tx_errors = rtnl_link_get_stat(l, RTNL_LINK_TX_ERRORS),
                                   .rx_dropped = rtnl_link_get_stat(l, RTNL_LINK_RX_DROPPED),
                                   .tx_dropped = rtnl_link_get_stat(l, RTNL_LINK_TX_DROPPED),
                                   .rx_missed = rtnl_link_get_stat(l, RTNL_LINK_RX_MISSED_ERR),
                                   .tx_carrier = rtnl_link_get_stat(l, RTNL_LINK_TX_CARRIER_ERR),
                                   .collisions = rtnl_link_get_stat(l, RTNL_LINK_COLLISIONS) };
}

static void read_sysfs(const struct machine *m, struct host_link *l)
{
    g_autofree char *folder = g_strdup_printf("sys/class/net/%s", l->name);
    g_autofree char *duplex = tree_text(m->root, folder, "duplex");
    int64_t speed = tree_number(m->root, folder, "speed", 0);

    l->wireless = tree_exists(m->root, folder, "phy80211") || tree_exists(m->root, folder, "wireless");
    l->speed = speed > 0 && speed < INT32_MAX ? (int32_t)speed : 0;
    l->carrier_changes = (uint64_t)MAX(tree_number(m->root, folder, "carrier_changes", 0), 0);
    if (duplex && !g_str_equal(duplex, "unknown"))
        g_strlcpy(l->duplex, duplex, sizeof l->duplex);
}

static void take_link(struct nl_object *object, void *user)
{
    struct rtnl_link *link = (struct rtnl_link *)object;
    struct machine *m = user;
    const char *kind = rtnl_link_get_type(link);
    unsigned flags = rtnl_link_get_flags(link);
    struct host_link l = { .index = (unsigned)rtnl_link_get_ifindex(link),
                           .flags = flags,
                           .lower_up = flags & IFF_LOWER_UP,
                           .mtu = rtnl_link_get_mtu(link),
                           .loopback = flags & IFF_LOOPBACK,
                           .ethernet = !(flags & (IFF_NOARP | IFF_LOOPBACK | IFF_POINTOPOINT)),
                           .counters = read_counters(link) };

    g_strlcpy(l.name, rtnl_link_get_name(link) ? rtnl_link_get_name(link) : "?", sizeof l.name);
    g_strlcpy(l.kind, kind ? kind : "", sizeof l.kind);
    read_sysfs(m, &l);
    g_array_append_val(m->links, l);
}

static void take_address(struct nl_object *object, void *user)
{
    struct rtnl_addr *address = (struct rtnl_addr *)object;
    struct machine *m = user;
    struct nl_addr *local = rtnl_addr_get_local(address);
    uint32_t valid_s = rtnl_addr_get_valid_lifetime(address);
    struct host_address a = { .link = (unsigned)rtnl_addr_get_ifindex(address),
                              .version = rtnl_addr_get_family(address) == AF_INET6 ? 6 : 4,
                              .length = (uint8_t)rtnl_addr_get_prefixlen(address),
                              .scope = (uint8_t)rtnl_addr_get_scope(address),
                              .flags = rtnl_addr_get_flags(address),
                              .valid_s = valid_s ? valid_s : FOREVER };

    a.dynamic = !(a.flags & IFA_F_PERMANENT) && a.valid_s != FOREVER;
    if (to_addr(local, &a.addr))
        g_array_append_val(m->addresses, a);
}

static void add_hop(struct machine *m, struct rtnl_route *route, struct rtnl_nexthop *hop)
{
    struct host_route r = { .version = rtnl_route_get_family(route) == AF_INET6 ? 6 : 4,
                            .table = rtnl_route_get_table(route),
                            .metric = rtnl_route_get_priority(route),
                            .type = rtnl_route_get_type(route) };

    if (hop) {
        r.link = (unsigned)rtnl_route_nh_get_ifindex(hop);
        r.has_gateway =
            to_addr(rtnl_route_nh_get_gateway(hop), &r.gateway) || to_addr(rtnl_route_nh_get_via(hop), &r.gateway);
        r.dead = rtnl_route_nh_get_flags(hop) & (RTNH_F_DEAD | RTNH_F_LINKDOWN);
    }
    bool usual = r.table == RT_TABLE_MAIN || r.table == RT_TABLE_DEFAULT;
    g_array_append_val(usual ? m->defaults : m->elsewhere, r);
}

static bool is_default(struct rtnl_route *route)
{
    struct nl_addr *to = rtnl_route_get_dst(route);

    return !to || nl_addr_get_prefixlen(to) == 0;
}

/* Only the default routes are kept, however many there are: for an address the kernel is asked itself. The kernel's own
 * last IPv6 route (unreachable, of the loopback) is no default route. */
static int on_route(struct nl_msg *message, void *user)
{
    struct rtnl_route *route = NULL;

    if (rtnl_route_parse(nlmsg_hdr(message), &route) != 0)
        return NL_OK;
    bool last_resort = rtnl_route_get_priority(route) == UINT32_MAX;
    if (is_default(route) && !last_resort && rtnl_route_get_table(route) != RT_TABLE_LOCAL) {
        int n = rtnl_route_get_nnexthops(route);
        for (int i = 0; i < n; i++)
            add_hop(user, route, rtnl_route_nexthop_n(route, i));
        if (n == 0)
            add_hop(user, route, NULL);
    }
    rtnl_route_put(route);
    return NL_OK;
}

static int read_routes(struct nl_sock *s, struct machine *m)
{
    struct rtmsg all = { .rtm_family = AF_UNSPEC };

    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_route, m);
    int status = nl_send_simple(s, RTM_GETROUTE, NLM_F_DUMP, &all, sizeof all);
    return status < 0 ? status : nl_recvmsgs_default(s);
}

static int read_cache(int status, struct nl_cache *cache, void (*take)(struct nl_object *, void *), struct machine *m)
{
    if (status < 0)
        return status;
    nl_cache_foreach(cache, take, m);
    nl_cache_free(cache);
    return 0;
}

static int read_all(struct nl_sock *s, struct machine *m)
{
    struct nl_cache *cache = NULL;
    int status = rtnl_link_alloc_cache(s, AF_UNSPEC, &cache);

    status = read_cache(status, cache, take_link, m);
    if (status == 0) {
        status = rtnl_addr_alloc_cache(s, &cache);
        status = read_cache(status, cache, take_address, m);
    }
    return status == 0 ? read_routes(s, m) : status;
}

static int better_route(const void *a, const void *b)
{
    const struct host_route *x = a, *y = b;

    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    if (x->table != y->table)
        return x->table == RT_TABLE_MAIN ? -1 : y->table == RT_TABLE_MAIN ? 1 : x->table < y->table ? -1 : 1;
    return (x->metric > y->metric) - (x->metric < y->metric);
}

static int lower_index(const void *a, const void *b)
{
    const struct host_link *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

struct machine *machine_read(const char *root, GError **error)
{
    struct machine *m = machine_new(root);
    struct nl_sock *s = nl_socket_alloc();
    int status = nl_connect(s, NETLINK_ROUTE);

    if (status == 0)
        status = read_all(s, m);
    nl_socket_free(s);
    if (status < 0) {
        g_set_error(error, HOST_ERROR, 0, "the kernel does not tell its interfaces and routes (rtnetlink): %s",
                    nl_geterror(status));
        machine_free(m);
        return NULL;
    }
    kmsg_read(m->root, m->firmware);
    g_array_sort(m->links, lower_index);
    g_array_sort(m->defaults, better_route);
    g_array_sort(m->elsewhere, better_route);
    return m;
}

/* --- questions --- */

const struct host_link *machine_link(const struct machine *m, unsigned index)
{
    for (guint i = 0; i < m->links->len; i++) {
        const struct host_link *l = &g_array_index(m->links, struct host_link, i);
        if (l->index == index)
            return l;
    }
    return NULL;
}

const struct host_link *machine_loopback(const struct machine *m)
{
    for (guint i = 0; i < m->links->len; i++) {
        const struct host_link *l = &g_array_index(m->links, struct host_link, i);
        if (l->loopback)
            return l;
    }
    return NULL;
}

const char *machine_link_name(const struct machine *m, unsigned index)
{
    const struct host_link *l = machine_link(m, index);

    return l ? l->name : "an interface that is gone";
}

bool link_works(const struct host_link *l)
{
    return l && !l->loopback && l->flags & IFF_UP && l->lower_up;
}

bool address_is_usable(const struct machine *m, const struct host_address *a, bool local)
{
    bool scoped = a->scope == RT_SCOPE_UNIVERSE || a->scope == RT_SCOPE_SITE || (local && a->scope == RT_SCOPE_LINK);

    return scoped && !(a->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) && link_works(machine_link(m, a->link));
}

bool machine_has_address(const struct machine *m, unsigned version)
{
    for (guint i = 0; i < m->addresses->len; i++) {
        const struct host_address *a = &g_array_index(m->addresses, struct host_address, i);
        if (a->version == version && address_is_usable(m, a, false))
            return true;
    }
    return false;
}

static bool is_same_net(const struct addr *a, const struct addr *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return memcmp(a->bytes, b->bytes, bytes) == 0 &&
           (rest == 0 || (a->bytes[bytes] ^ b->bytes[bytes]) >> (8 - rest) == 0);
}

bool machine_is_on_link(const struct machine *m, unsigned version, const struct addr *a)
{
    for (guint i = 0; i < m->addresses->len; i++) {
        const struct host_address *own = &g_array_index(m->addresses, struct host_address, i);
        unsigned bits = own->length + (version == 4 ? 96u : 0u);
        if (own->version == version && own->length > 0 && link_works(machine_link(m, own->link)) &&
            is_same_net(a, &own->addr, bits))
            return true;
    }
    return false;
}
