/* roles: which end of a connection is the client, decided by the first packet that is seen of it: its SYN or SYN-ACK, else by the ports. */
#ifndef TCPSLEUTH_FLOW_ROLES_H
#define TCPSLEUTH_FLOW_ROLES_H

#include "dissect/packet.h"
#include "flow/flow.h"

/* Decides by the first packet of f, fills f->role_basis, and says whether the packet's sender is the client. */
bool roles_sender_is_client(struct flow *f, const struct tcp_facts *tcp);

#endif
