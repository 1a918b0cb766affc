/* sockets: the kernel's TCP sockets (sock_diag). Reads only; needs no rights, but for the processes behind them. */
#ifndef TCPSLEUTH_HOST_SOCKETS_H
#define TCPSLEUTH_HOST_SOCKETS_H

#include "base/addr.h"

#include <glib.h>
#include <stdbool.h>

struct host_socket {
    uint8_t version;
    uint8_t state; /* the kernel's: TCP_ESTABLISHED 1, TCP_TIME_WAIT 6, TCP_CLOSE_WAIT 8, TCP_LISTEN 10, ... */
    struct addr local, remote;
    uint16_t local_port, remote_port;
    uint32_t received, sent; /* of a listener: connections that wait to be accepted, and how many may */
    uint32_t uid, inode;     /* inode 0: no process holds it any more */
    uint32_t link;           /* interface that it is bound to; 0 */
    bool only_v6;            /* of IPv6: takes no IPv4 */
    bool elsewhere;          /* of a listener: its address is not this host's; not read, but set by who asks for the way */
};

/* Those in the states (bits 1 << state), at most LIMIT_SOCKETS: struct host_socket. Free with g_array_free. NULL and
 * *error where the kernel does not tell. */
GArray *sockets_read(unsigned states, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "ESTAB", "TIME-WAIT", ... as ss(8) has them. */
const char *socket_state_name(unsigned state);

#endif
