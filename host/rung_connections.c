/* connections: the sockets that this host has to the target, and whether a local port is left for one more. */
#include "host/rungs.h"
#include "host/sockets.h"
#include "host/tree.h"

#include <netinet/tcp.h>
#include <stdio.h>

#define STATES 12
#define RANGE "proc/sys/net/ipv4"

static bool goes_to(const struct climb *c, const struct host_socket *s)
{
    struct addr mapped = s->remote; /* of an IPv6 socket that speaks IPv4 it is ::ffff:a.b.c.d: the same 16 bytes */

    for (guint i = 0; i < c->addresses->len; i++)
        if (addr_cmp(&g_array_index(c->addresses, struct climb_address, i).addr, &mapped) == 0)
            return true;
    return false;
}

/* How many local ports the kernel chooses from. */
static unsigned ports(const char *root)
{
    g_autofree char *text = tree_text(root, RANGE, "ip_local_port_range");
    unsigned low = 32768, high = 60999;

    if (text && sscanf(text, "%u %u", &low, &high) == 2 && high >= low && high <= UINT16_MAX)
        return high - low + 1;
    return 60999 - 32768 + 1;
}

static char *by_state(const unsigned count[STATES])
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (unsigned i = 1; i < STATES; i++)
        if (count[i])
            g_string_append_printf(out, "%s%u %s", out->len ? ", " : "", count[i], socket_state_name(i));
    return out->len ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

/* Of one address and port of the target: each local port serves once. */
static unsigned most_used(const struct climb *c, const GArray *all)
{
    unsigned most = 0;

    for (guint i = 0; i < c->addresses->len; i++) {
        unsigned n = 0;
        for (guint k = 0; k < all->len; k++) {
            const struct host_socket *s = &g_array_index(all, struct host_socket, k);
            n += s->remote_port == c->port &&
                 addr_cmp(&s->remote, &g_array_index(c->addresses, struct climb_address, i).addr) == 0;
        }
        most = MAX(most, n);
    }
    return most;
}

static void check_ports(struct rung_step *s, const struct climb *c, const GArray *all)
{
    unsigned used = most_used(c, all), range = ports(c->machine->root);

    if (used < range / 2)
        return;
    if (used < range) {
        step_note(s, "%u of %u local ports are in use towards the target", used, range);
        return;
    }
    struct finding *f = finding_new(CODE_PORTS_EXHAUSTED, WHERE_CLIENT,
                                    "All %u local ports are in use towards port %u of the target.", range, c->port);
    finding_detail_number(f, "ports", range);
    step_blame(s, f);
    step_remedy(
        s, "ss -tan dst :%u | awk '{print $1}' | sort | uniq -c; sysctl -w net.ipv4.ip_local_port_range='10240 65535'",
        c->port);
}

struct rung_step *rung_connections(const struct climb *c)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) all = sockets_read(~(1u << TCP_LISTEN), &error);
    unsigned count[STATES] = { 0 };

    if (!all)
        return step_skip(RUNG_CONNECTIONS, "%s", error->message);
    for (guint i = all->len; i-- > 0;) {
        const struct host_socket *s = &g_array_index(all, struct host_socket, i);
        if (!goes_to(c, s))
            g_array_remove_index_fast(all, i);
        else if (s->state < STATES)
            count[s->state]++;
    }
    g_autofree char *states = by_state(count);
    struct rung_step *s = step_new(RUNG_CONNECTIONS, "%s", states ? states : "none to the target now");
    if (count[TCP_CLOSE_WAIT] >= 100)
        step_note(s, "many wait for a program of this host to close them (CLOSE-WAIT): ss -tp state close-wait");
    check_ports(s, c, all);
    step_evidence(s, "the kernel's sockets (sock_diag), /%s/ip_local_port_range", RANGE);
    return s;
}
