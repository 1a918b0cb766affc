#include "host/sockets.h"

#include "base/limits.h"
#include "host/machine.h"

#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

const char *socket_state_name(unsigned state)
{
    static const char *const names[] = { "?",         "ESTAB", "SYN-SENT",   "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2",
                                         "TIME-WAIT", "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN",     "CLOSING" };

    return state < G_N_ELEMENTS(names) ? names[state] : "?";
}

static struct addr addr_of(uint8_t version, const uint32_t words[4])
{
    return version == 6 ? addr_v6((const uint8_t *)words) : addr_v4((const uint8_t *)words);
}

static int on_socket(struct nl_msg *message, void *user)
{
    const struct nlmsghdr *head = nlmsg_hdr(message);
    const struct inet_diag_msg *m = nlmsg_data(head);
    struct nlattr *attributes[INET_DIAG_MAX + 1];
    GArray *all = user;

    if (head->nlmsg_len < NLMSG_LENGTH(sizeof *m) || all->len >= LIMIT_SOCKETS)
        return NL_OK;
    struct host_socket s = { .version = m->idiag_family == AF_INET6 ? 6 : 4,
                             .state = m->idiag_state,
                             .local_port = ntohs(m->id.idiag_sport),
                             .remote_port = ntohs(m->id.idiag_dport),
                             .received = m->idiag_rqueue,
                             .sent = m->idiag_wqueue,
                             .uid = m->idiag_uid,
                             .inode = m->idiag_inode,
                             .link = m->id.idiag_if };
    s.local = addr_of(s.version, m->id.idiag_src);
    s.remote = addr_of(s.version, m->id.idiag_dst);
    if (nlmsg_parse((struct nlmsghdr *)(uintptr_t)head, sizeof *m, attributes, INET_DIAG_MAX, NULL) == 0 &&
        attributes[INET_DIAG_SKV6ONLY])
        s.only_v6 = nla_get_u8(attributes[INET_DIAG_SKV6ONLY]);
    g_array_append_val(all, s);
    return NL_OK;
}

static int ask(struct nl_sock *s, uint8_t family, unsigned states)
{
    struct inet_diag_req_v2 request = { .sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = states };
    int status = nl_send_simple(s, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof request);

    return status < 0 ? status : nl_recvmsgs_default(s);
}

GArray *sockets_read(unsigned states, GError **error)
{
    GArray *all = g_array_new(FALSE, TRUE, sizeof(struct host_socket));
    struct nl_sock *s = nl_socket_alloc();
    int status = nl_connect(s, NETLINK_SOCK_DIAG);

    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_socket, all);
    if (status == 0)
        status = ask(s, AF_INET, states);
    if (status >= 0)
        status = ask(s, AF_INET6, states);
    nl_socket_free(s);
    if (status >= 0)
        return all;
    g_array_free(all, TRUE);
    g_set_error(error, HOST_ERROR, 0, "the kernel does not tell its sockets (sock_diag): %s", nl_geterror(status));
    return NULL;
}
