/* route: which interface leads to a host, by the kernel's routing table (probe/route.h), and whether its next hop answers. Needs no rights.
 */
#ifndef TCPSLEUTH_SRC_ROUTE_H
#define TCPSLEUTH_SRC_ROUTE_H

/* address: text of either family. The interface's name; free with g_free. NULL: there is no route, or the kernel does not tell. */
char *route_interface(const char *address);

/* The next hop to the host (itself, where it is on the link), where the kernel asks for its hardware address, or asked the last time, in vain so far. Its
 * address, to be freed with g_free; NULL: it answered, or nobody asked. */
char *route_dead_hop(const char *address);

#endif
