#include "src/route.h"

#include <arpa/inet.h>
#include <glib.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct question {
    struct nlmsghdr head;
    struct rtmsg route;
    struct rtattr destination;
    unsigned char address[16];
};

static gboolean make(struct question *q, const char *address)
{
    gboolean six = strchr(address, ':') != NULL;
    size_t n = six ? 16 : 4;

    *q = (struct question){ .head = { .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST, .nlmsg_seq = 1 } };
    q->head.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof q->route) + RTA_LENGTH(n));
    q->route.rtm_family = six ? AF_INET6 : AF_INET;
    q->route.rtm_dst_len = (unsigned char)(8 * n);
    q->destination.rta_type = RTA_DST;
    q->destination.rta_len = (unsigned short)RTA_LENGTH(n);
    return inet_pton(six ? AF_INET6 : AF_INET, address, q->address) == 1;
}

/* The index in the kernel's answer of n bytes; 0: none. */
static unsigned interface_of(const struct nlmsghdr *h, ssize_t n)
{
    if (n < 0 || !NLMSG_OK(h, (size_t)n) || h->nlmsg_type != RTM_NEWROUTE)
        return 0;
    const struct rtmsg *route = NLMSG_DATA(h);
    int left = (int)RTM_PAYLOAD(h);
    for (const struct rtattr *a = RTM_RTA(route); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
        unsigned index;
        if (a->rta_type != RTA_OIF || RTA_PAYLOAD(a) != sizeof index)
            continue;
        memcpy(&index, RTA_DATA(a), sizeof index);
        return index;
    }
    return 0;
}

char *route_interface(const char *address)
{
    const struct timeval patience = { .tv_sec = 1 };
    struct question question;
    union {
        struct nlmsghdr head;
        char bytes[4096];
    } answer;
    char name[IF_NAMESIZE];
    unsigned index = 0;

    if (!make(&question, address))
        return NULL;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return NULL;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (send(fd, &question, question.head.nlmsg_len, 0) == (ssize_t)question.head.nlmsg_len)
        index = interface_of(&answer.head, recv(fd, &answer, sizeof answer, 0));
    close(fd);
    return index && if_indextoname(index, name) ? g_strdup(name) : NULL;
}
