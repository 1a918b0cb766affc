#include "flow/roles.h"

/* Ports that servers listen on though they lie above 1023. */
static bool service_port(uint16_t port)
{
    static const uint16_t ports[] = { 1080, 1433, 1521, 1723, 1883, 2049, 3000, 3128, 3306, 3389,  5000,
                                      5060, 5222, 5432, 5672, 5900, 6379, 6443, 6667, 8000, 8008,  8080,
                                      8081, 8443, 8883, 8888, 9000, 9090, 9092, 9200, 9418, 11211, 27017 };

    if (port < 1024)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++)
        if (ports[i] == port)
            return true;
    return false;
}

/* Of a connection that was met in the middle: 1 the source is the server, 0 the destination is, -1 the ports do not
 * tell. */
static int server_by_port(uint16_t sport, uint16_t dport)
{
    bool source = service_port(sport), destination = service_port(dport);

    if (source != destination)
        return source;
    if ((sport < 1024) != (dport < 1024))
        return sport < 1024;
    if ((sport >= 32768) != (dport >= 32768)) /* the ephemeral ports of Linux begin at 32768, RFC 6335's at 49152 */
        return sport < 32768;
    return -1;
}

bool roles_sender_is_client(struct flow *f, const struct tcp_facts *tcp)
{
    if (tcp->flags & TCP_SYN && !(tcp->flags & TCP_RST)) {
        f->role_basis = tcp->flags & TCP_ACK ? ROLE_SYNACK : ROLE_SYN;
        return f->role_basis == ROLE_SYN;
    }
    int server = server_by_port(tcp->sport, tcp->dport);
    f->role_basis = server < 0 ? ROLE_FIRST_PACKET : ROLE_PORT;
    return server != 1;
}
