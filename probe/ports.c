#include "probe/ports.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int hold_of(int family, uint16_t port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), both = 0;
    bool six = family == AF_INET6;

    if (fd < 0)
        return -1;
    if (six)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &both, sizeof both);
    if (bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, six ? sizeof v6 : sizeof v4) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Without IPv6 there is the other family. */
static int hold_one(uint16_t port)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return hold_of(AF_INET, port);
    close(fd);
    return hold_of(AF_INET6, port);
}

bool ports_hold(struct held_ports *h, uint16_t first)
{
    memset(h->fd, -1, sizeof h->fd);
    for (unsigned i = 0; i < PORTS_HELD; i++) {
        h->fd[i] = hold_one((uint16_t)(first + i));
        if (h->fd[i] >= 0)
            continue;
        ports_release(h);
        return false;
    }
    return true;
}

void ports_release(struct held_ports *h)
{
    for (unsigned i = 0; i < PORTS_HELD; i++)
        if (h->fd[i] >= 0)
            close(h->fd[i]);
    memset(h->fd, -1, sizeof h->fd);
}
