#include "probe/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <sys/socket.h>

static bool to_addr(const struct nl_addr *from, unsigned version, struct addr *out)
{
    unsigned want = version == 6 ? 16 : 4;

    if (!from || nl_addr_get_len(from) != want)
        return false;
    *out = version == 6 ? addr_v6(nl_addr_get_binary_addr(from)) : addr_v4(nl_addr_get_binary_addr(from));
    return true;
}

static void read_route(struct route *r, struct rtnl_route *route)
{
    unsigned version = rtnl_route_get_family(route) == AF_INET6 ? 6 : 4;
    struct rtnl_nexthop *hop = rtnl_route_nexthop_n(route, 0);
    uint8_t type = rtnl_route_get_type(route);

    r->error = 0;
    r->broadcast = type == RTN_BROADCAST || type == RTN_MULTICAST;
    r->local = type == RTN_LOCAL;
    to_addr(rtnl_route_get_pref_src(route), version, &r->source);
    if (hop) {
        r->ifindex = (unsigned)rtnl_route_nh_get_ifindex(hop);
        r->has_gateway = to_addr(rtnl_route_nh_get_gateway(hop), version, &r->gateway);
    }
    if (rtnl_route_get_metric(route, RTAX_MTU, &r->cached_mtu) != 0)
        r->cached_mtu = 0;
}

static int on_route(struct nl_msg *message, void *user)
{
    struct rtnl_route *route = NULL;

    if (rtnl_route_parse(nlmsg_hdr(message), &route) == 0) {
        read_route(user, route);
        rtnl_route_put(route);
    }
    return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *user)
{
    (void)from;
    ((struct route *)user)->error = -e->error;
    return NL_STOP;
}

static bool put_port(struct nl_msg *m, uint16_t port)
{
    uint16_t wire = htons(port);

    return port == 0 || (nla_put_u8(m, RTA_IP_PROTO, IPPROTO_TCP) == 0 && nla_put_u16(m, RTA_DPORT, wire) == 0);
}

static void ask(struct nl_sock *s, unsigned version, const struct addr *to, unsigned scope, uint16_t port)
{
    int n = version == 6 ? 16 : 4;
    struct rtmsg request = { .rtm_family = version == 6 ? AF_INET6 : AF_INET, .rtm_dst_len = (unsigned char)(n * 8) };
    struct nl_msg *m = nlmsg_alloc_simple(RTM_GETROUTE, 0);

    if (nlmsg_append(m, &request, sizeof request, NLMSG_ALIGNTO) == 0 &&
        nla_put(m, RTA_DST, n, to->bytes + 16 - n) == 0 && (scope == 0 || nla_put_u32(m, RTA_OIF, scope) == 0) &&
        put_port(m, port) && nl_send_auto(s, m) >= 0)
        nl_recvmsgs_default(s);
    nlmsg_free(m);
}

static void read_link(struct nl_sock *s, struct route *r)
{
    struct rtnl_link *link = NULL;

    if (rtnl_link_get_kernel(s, (int)r->ifindex, NULL, &link) != 0)
        return;
    unsigned flags = rtnl_link_get_flags(link);
    g_strlcpy(r->interface, rtnl_link_get_name(link), sizeof r->interface);
    r->mtu = rtnl_link_get_mtu(link);
    r->up = flags & IFF_UP;
    r->carrier = flags & IFF_RUNNING;
    r->asks_neighbors = !(flags & (IFF_NOARP | IFF_LOOPBACK | IFF_POINTOPOINT));
    rtnl_link_put(link);
}

void route_find(struct route *r, unsigned version, const struct addr *to, unsigned scope)
{
    route_find_port(r, version, to, scope, 0);
}

void route_find_port(struct route *r, unsigned version, const struct addr *to, unsigned scope, uint16_t port)
{
    struct nl_sock *s = nl_socket_alloc();

    *r = (struct route){ .error = ENETUNREACH };
    if (nl_connect(s, NETLINK_ROUTE) != 0) {
        r->error = EPROTONOSUPPORT;
        nl_socket_free(s);
        return;
    }
    nl_socket_disable_auto_ack(s);
    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_route, r);
    nl_socket_modify_err_cb(s, NL_CB_CUSTOM, on_error, r);
    ask(s, version, to, scope, port);
    nl_close(s);
    if (nl_connect(s, NETLINK_ROUTE) == 0 && r->ifindex)
        read_link(s, r);
    nl_socket_free(s);
}
