/* host_machine: machines put together by hand, for the rungs that read nothing but them. */
#ifndef TCPSLEUTH_TESTS_HOST_MACHINE_H
#define TCPSLEUTH_TESTS_HOST_MACHINE_H

#include "host/climb.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

static inline struct addr addr_of(const char *text, uint8_t *version)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        *version = 4;
        return addr_v4(bytes);
    }
    g_assert_cmpint(inet_pton(AF_INET6, text, bytes), ==, 1);
    *version = 6;
    return addr_v6(bytes);
}

static inline struct host_link *add_link(struct machine *m, unsigned index, const char *name, unsigned flags, bool carrier)
{
    struct host_link l = { .index = index, .flags = flags, .lower_up = carrier, .mtu = 1500, .loopback = flags & IFF_LOOPBACK,
                           .ethernet = !(flags & IFF_LOOPBACK) };

    g_strlcpy(l.name, name, sizeof l.name);
    g_array_append_val(m->links, l);
    return &g_array_index(m->links, struct host_link, m->links->len - 1);
}

static inline struct host_address *add_address(struct machine *m, unsigned link, const char *text, uint8_t length, unsigned flags)
{
    struct host_address a = { .link = link, .length = length, .flags = flags | IFA_F_PERMANENT, .valid_s = FOREVER };

    a.addr = addr_of(text, &a.version);
    g_array_append_val(m->addresses, a);
    return &g_array_index(m->addresses, struct host_address, m->addresses->len - 1);
}

static inline struct host_route *add_default(struct machine *m, unsigned link, const char *gateway, uint32_t metric)
{
    struct host_route r = { .table = RT_TABLE_MAIN, .metric = metric, .type = RTN_UNICAST, .link = link, .has_gateway = true };

    r.gateway = addr_of(gateway, &r.version);
    g_array_append_val(m->defaults, r);
    return &g_array_index(m->defaults, struct host_route, m->defaults->len - 1);
}

/* The machine of the case study: a loopback, and enp0s8 with an address and a default route. */
static inline struct machine *usual_machine(const char *root)
{
    struct machine *m = machine_new(root);

    add_link(m, 1, "lo", IFF_UP | IFF_LOOPBACK | IFF_RUNNING, true);
    add_link(m, 3, "enp0s8", IFF_UP | IFF_RUNNING, true);
    add_address(m, 3, "10.0.3.15", 24, 0);
    add_default(m, 3, "10.0.3.2", 0);
    return m;
}

/* A climb to nobody yet. Free its addresses with g_array_free. */
static inline struct climb climb_of(const struct machine *m)
{
    return (struct climb){ .machine = m, .port = 80, .families = { true, true },
                           .addresses = g_array_new(FALSE, TRUE, sizeof(struct climb_address)) };
}

/* A target; error: the errno of the way; link 0: none. */
static inline struct climb_address *add_target(struct climb *c, const char *text, int error, unsigned link)
{
    struct climb_address a = { .error = error, .link = link, .mtu = 1500, .has_gateway = true };
    uint8_t version;

    a.addr = addr_of(text, &a.version);
    a.gateway = addr_of(a.version == 6 ? "2001:db8:3::2" : "10.0.3.2", &version);
    a.source = addr_of(a.version == 6 ? "2001:db8:3::15" : "10.0.3.15", &version);
    g_array_append_val(c->addresses, a);
    climb_set_families(c);
    return &g_array_index(c->addresses, struct climb_address, c->addresses->len - 1);
}

#endif
