/* connection: the kernel's own record of a TCP connection of this host (sock_diag, tcp_info). Reads only; needs no rights. */
#ifndef TCPSLEUTH_HOST_CONNECTION_H
#define TCPSLEUTH_HOST_CONNECTION_H

#include "base/addr.h"
#include "diagnose/kernel_view.h"

/* Fills of *out what belongs to the socket, and clears the rest; `there` false where the kernel has no such socket, or does not tell. */
void connection_find(unsigned version, const struct addr *local, uint16_t local_port, const struct addr *remote, uint16_t remote_port,
                     struct kernel_view *out);

#endif
