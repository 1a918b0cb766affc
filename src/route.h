/* route: which interface leads to a host, by the kernel's routing table (probe/route.h). Needs no rights.
 */
#ifndef TCPSLEUTH_SRC_ROUTE_H
#define TCPSLEUTH_SRC_ROUTE_H

/* address: text of either family. The interface's name; free with g_free. NULL: there is no route, or the kernel does not tell. */
char *route_interface(const char *address);

#endif
