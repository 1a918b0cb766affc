#include "host/connection.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

/* The kernel's numbers: include/net/tcp_states.h. */
static uint8_t state_of(unsigned kernel)
{
    static const uint8_t states[] = { STATE_NONE,        STATE_ESTABLISHED, STATE_SYN_SENT,  STATE_SYN_RECEIVED,
                                      STATE_FIN_WAIT_1,  STATE_FIN_WAIT_2,  STATE_TIME_WAIT, STATE_CLOSED,
                                      STATE_CLOSE_WAIT,  STATE_LAST_ACK,    STATE_LISTEN,    STATE_CLOSING,
                                      STATE_SYN_RECEIVED };

    return kernel < G_N_ELEMENTS(states) ? states[kernel] : STATE_NONE;
}

/* Older kernels tell less of it. */
static void read_info(struct kernel_view *out, struct nlattr *a)
{
    struct tcp_info info = { 0 };

    memcpy(&info, nla_data(a), MIN((size_t)nla_len(a), sizeof info));
    out->retransmits = info.tcpi_retransmits;
    out->path_mtu = info.tcpi_pmtu;
}

static int on_socket(struct nl_msg *message, void *user)
{
    struct kernel_view *out = user;
    struct nlmsghdr *head = nlmsg_hdr(message);
    const struct inet_diag_msg *m = nlmsg_data(head);
    struct nlattr *attributes[INET_DIAG_MAX + 1];

    if (head->nlmsg_len < NLMSG_LENGTH(sizeof *m))
        return NL_OK;
    if (state_of(m->idiag_state) == STATE_LISTEN) { /* what the kernel finds where there is none for both ends */
        out->listens = true;
        out->queued = m->idiag_rqueue;
        out->queue_most = m->idiag_wqueue;
        return NL_OK;
    }
    out->there = true;
    out->state = state_of(m->idiag_state);
    out->unread = m->idiag_rqueue;
    out->unsent = m->idiag_wqueue;
    if (nlmsg_parse(head, sizeof *m, attributes, INET_DIAG_MAX, NULL) == 0 && attributes[INET_DIAG_INFO])
        read_info(out, attributes[INET_DIAG_INFO]);
    return NL_OK;
}

static void put_addr(__be32 out[4], unsigned version, const struct addr *a)
{
    if (version == 6)
        memcpy(out, a->bytes, 16);
    else
        memcpy(out, a->bytes + 12, 4);
}

void connection_find(unsigned version, const struct addr *local, uint16_t local_port, const struct addr *remote,
                     uint16_t remote_port, struct kernel_view *out)
{
    struct inet_diag_req_v2 request = { .sdiag_family = version == 6 ? AF_INET6 : AF_INET,
                                        .sdiag_protocol = IPPROTO_TCP,
                                        .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                                        .idiag_states = UINT32_MAX,
                                        .id = { .idiag_sport = htons(local_port),
                                                .idiag_dport = htons(remote_port),
                                                .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } };
    struct nl_sock *s = nl_socket_alloc();

    *out = (struct kernel_view){ 0 };
    put_addr(request.id.idiag_src, version, local);
    put_addr(request.id.idiag_dst, version, remote);
    nl_socket_disable_auto_ack(s);
    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_socket, out);
    if (nl_connect(s, NETLINK_SOCK_DIAG) == 0 &&
        nl_send_simple(s, SOCK_DIAG_BY_FAMILY, 0, &request, sizeof request) >= 0)
        nl_recvmsgs_default(s); /* the socket, or an error: there is none */
    nl_socket_free(s);
}
