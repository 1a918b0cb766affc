#include "probe/craft.h"

#include "probe/error.h"

#include <errno.h>
#include <libnet.h>
#include <net/if.h>

G_DEFINE_QUARK(probe - error - quark, probe_error)

enum { IPV4, IPV6 };

struct crafter {
    libnet_t *net[2]; /* NULL: this host does not have that family */
};

static const uint8_t zeros[CRAFT_BYTES];

static libnet_t *open_net(int type, const char *interface, char *why)
{
    why[0] = '\0';
    return libnet_init(type, interface, why);
}

/* The path MTU that the kernel remembers must not keep a packet from being sent, or cut it in pieces. */
static void send_as_it_is(const struct crafter *k)
{
    int v4 = IP_PMTUDISC_PROBE, v6 = IPV6_PMTUDISC_PROBE;

    if (k->net[IPV4])
        setsockopt(libnet_getfd(k->net[IPV4]), IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4);
    if (k->net[IPV6])
        setsockopt(libnet_getfd(k->net[IPV6]), IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
}

struct crafter *crafter_new(GError **error)
{
    char why[2][LIBNET_ERRBUF_SIZE];
    struct crafter *k = g_new0(struct crafter, 1);

    k->net[IPV4] = open_net(LIBNET_RAW4, NULL, why[IPV4]);
    k->net[IPV6] = open_net(LIBNET_RAW6, NULL, why[IPV6]);
    if (!k->net[IPV4] && !k->net[IPV6]) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_PRIVILEGE, "raw packets cannot be sent: %s", g_strstrip(why[IPV4]));
        crafter_free(k);
        return NULL;
    }
    send_as_it_is(k);
    return k;
}

struct crafter *crafter_new_dry(void)
{
    char why[LIBNET_ERRBUF_SIZE];
    struct crafter *k = g_new0(struct crafter, 1);

    for (int i = IPV4; i <= IPV6; i++)
        k->net[i] = open_net(LIBNET_NONE, NULL, why);
    return k;
}

void crafter_free(struct crafter *k)
{
    if (!k)
        return;
    for (int i = IPV4; i <= IPV6; i++)
        if (k->net[i])
            libnet_destroy(k->net[i]);
    g_free(k);
}

uint32_t craft_headers(const struct craft *c)
{
    uint32_t ip = c->version == 6 ? LIBNET_IPV6_H : LIBNET_IPV4_H;

    switch (c->protocol) {
    case CRAFT_TCP: return ip + LIBNET_TCP_H + c->n_options;
    case CRAFT_ECHO:
    case CRAFT_UDP: break;
    }
    return ip + 8;
}

static int build_payload(libnet_t *l, const struct craft *c, const uint8_t *payload, uint32_t n)
{
    bool v6 = c->version == 6;

    switch (c->protocol) {
    case CRAFT_TCP:
        if (c->n_options && libnet_build_tcp_options(c->options, c->n_options, l, 0) < 0)
            return -1;
        return libnet_build_tcp(c->sport, c->dport, c->seq, c->ack, c->flags, c->window, 0, 0,
                                (uint16_t)(LIBNET_TCP_H + c->n_options + n), payload, n, l, 0);
    case CRAFT_UDP: return libnet_build_udp(c->sport, c->dport, (uint16_t)(LIBNET_UDP_H + n), 0, payload, n, l, 0);
    case CRAFT_ECHO:
        if (v6)
            return libnet_build_icmpv6_echo(ICMP6_ECHO, 0, 0, c->echo_id, c->echo_seq, (uint8_t *)(uintptr_t)payload, n,
                                            l, 0);
        return libnet_build_icmpv4_echo(ICMP_ECHO, 0, 0, c->echo_id, c->echo_seq, payload, n, l, 0);
    }
    return -1;
}

static int build_ip(libnet_t *l, const struct craft *c, uint32_t size)
{
    static const uint8_t protocols[2][3] = { { IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_UDP },
                                             { IPPROTO_TCP, IPPROTO_ICMPV6, IPPROTO_UDP } };
    bool v6 = c->version == 6;
    uint8_t protocol = protocols[v6][c->protocol];

    if (v6) {
        struct libnet_in6_addr src, dst;
        memcpy(&src, c->src.bytes, sizeof src);
        memcpy(&dst, c->dst.bytes, sizeof dst);
        return libnet_build_ipv6(c->tos, c->flow_label, (uint16_t)(size - LIBNET_IPV6_H), protocol, c->ttl, src, dst,
                                 NULL, 0, l, 0);
    }
    uint32_t src, dst;
    memcpy(&src, c->src.bytes + 12, sizeof src);
    memcpy(&dst, c->dst.bytes + 12, sizeof dst);
    return libnet_build_ipv4((uint16_t)size, c->tos, c->id, IP_DF, c->ttl, protocol, 0, src, dst, NULL, 0, l, 0);
}

/* Frees what libnet_pblock_coalesce gave. */
static void free_packet(const libnet_t *l, uint8_t *packet)
{
    if (packet)
        free(packet - l->aligner);
}

/* The packet in memory; free with free_packet. NULL where it cannot be built. */
static uint8_t *cull(struct crafter *k, const struct craft *c, uint32_t *n)
{
    libnet_t *l = k->net[c->version == 6 ? IPV6 : IPV4];
    uint32_t headers = craft_headers(c), size = MAX(headers, MIN(c->size, (uint32_t)CRAFT_BYTES));
    g_autofree uint8_t *payload = g_memdup2(zeros, MAX(size - headers, 1));
    uint8_t *packet = NULL;

    if (!l)
        return NULL;
    memcpy(payload, c->cookie, MIN(size - headers, sizeof c->cookie));
    libnet_clear_packet(l);
    if (build_payload(l, c, size > headers ? payload : NULL, size - headers) < 0 || build_ip(l, c, size) < 0 ||
        libnet_pblock_coalesce(l, &packet, n) < 0)
        return NULL;
    return packet;
}

size_t crafter_build(struct crafter *k, const struct craft *c, uint8_t *out, size_t room)
{
    uint32_t n = 0;
    uint8_t *packet = cull(k, c, &n);

    bool good = packet && n <= room;
    if (good)
        memcpy(out, packet, n);
    free_packet(k->net[c->version == 6 ? IPV6 : IPV4], packet);
    return good ? n : 0;
}

/* libnet's socket knows no scopes: a link-local destination is reached by binding it to the interface. */
static void bind_to(int fd, unsigned scope)
{
    char name[IF_NAMESIZE] = "";

    if (scope && if_indextoname(scope, name))
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name));
    else
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0);
}

int crafter_send(struct crafter *k, const struct craft *c, unsigned scope)
{
    libnet_t *l = k->net[c->version == 6 ? IPV6 : IPV4];
    uint32_t n = 0;
    uint8_t *packet = cull(k, c, &n);

    if (!l)
        return EAFNOSUPPORT;
    if (!packet)
        return EINVAL;
    if (scope)
        bind_to(libnet_getfd(l), scope);
    errno = 0;
    int sent = c->version == 6 ? libnet_write_raw_ipv6(l, packet, n) : libnet_write_raw_ipv4(l, packet, n);
    int failure = sent == (int)n ? 0 : errno ? errno : EIO;
    if (scope)
        bind_to(libnet_getfd(l), 0);
    free_packet(l, packet);
    return failure;
}

/* --- neighbours --- */

struct craft_link {
    libnet_t *net;
    uint8_t mac[6];
};

struct craft_link *craft_link_open(const char *interface, GError **error)
{
    char why[LIBNET_ERRBUF_SIZE];
    libnet_t *net = open_net(LIBNET_LINK_ADV, interface, why);
    const struct libnet_ether_addr *mac = net ? libnet_get_hwaddr(net) : NULL;

    if (!mac) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_HERE, "%s: neighbours cannot be asked there: %s", interface,
                    net ? "it has no hardware address" : g_strstrip(why));
        if (net)
            libnet_destroy(net);
        return NULL;
    }
    struct craft_link *l = g_new0(struct craft_link, 1);
    l->net = net;
    memcpy(l->mac, mac->ether_addr_octet, sizeof l->mac);
    return l;
}

void craft_link_free(struct craft_link *l)
{
    if (!l)
        return;
    libnet_destroy(l->net);
    g_free(l);
}

const uint8_t *craft_link_mac(const struct craft_link *l)
{
    return l->mac;
}

static bool build_arp(struct craft_link *l, const struct addr *src, const struct addr *whom)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, nobody[6];

    return libnet_build_arp(ARPHRD_ETHER, ETHERTYPE_IP, 6, 4, ARPOP_REQUEST, l->mac, src->bytes + 12, nobody,
                            whom->bytes + 12, NULL, 0, l->net, 0) >= 0 &&
           libnet_build_ethernet(all, l->mac, ETHERTYPE_ARP, NULL, 0, l->net, 0) >= 0;
}

static bool build_solicitation(struct craft_link *l, const struct addr *src, const struct addr *whom)
{
    struct libnet_in6_addr from, to, target;
    uint8_t group[16] = { 0xff, 0x02, [11] = 0x01, [12] = 0xff, whom->bytes[13], whom->bytes[14], whom->bytes[15] };
    uint8_t mac[6] = { 0x33, 0x33, 0xff, whom->bytes[13], whom->bytes[14], whom->bytes[15] };
    uint8_t option[8] = { ND_OPT_SOURCE_LINKADDR, 1 };

    memcpy(option + 2, l->mac, sizeof l->mac);
    memcpy(&from, src->bytes, sizeof from);
    memcpy(&to, group, sizeof to);
    memcpy(&target, whom->bytes, sizeof target);
    return libnet_build_icmpv6_ndp_nsol(ND_NEIGHBOR_SOLICIT, 0, 0, target, option, sizeof option, l->net, 0) >= 0 &&
           libnet_build_ipv6(0, 0, 24 + sizeof option, IPPROTO_ICMPV6, 255, from, to, NULL, 0, l->net, 0) >= 0 &&
           libnet_build_ethernet(mac, l->mac, ETHERTYPE_IPV6, NULL, 0, l->net, 0) >= 0;
}

int craft_link_ask(struct craft_link *l, unsigned version, const struct addr *src, const struct addr *whom)
{
    uint8_t *packet = NULL;
    uint32_t n = 0;

    libnet_clear_packet(l->net);
    if (!(version == 6 ? build_solicitation(l, src, whom) : build_arp(l, src, whom)) ||
        libnet_adv_cull_packet(l->net, &packet, &n) < 0)
        return EINVAL;
    errno = 0;
    int sent = libnet_adv_write_link(l->net, packet, n);
    int failure = sent == (int)n ? 0 : errno ? errno : EIO;
    libnet_adv_free_packet(l->net, packet);
    return failure;
}
