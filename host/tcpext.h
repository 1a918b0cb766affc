/* tcpext: what the kernel counts of all TCP of this host (TcpExt in /proc/net/netstat). Reads only; needs no rights. */
#ifndef TCPSLEUTH_HOST_TCPEXT_H
#define TCPSLEUTH_HOST_TCPEXT_H

#include "diagnose/kernel_view.h"

#define TCPEXT_FILE "/proc/net/netstat"

/* Fills counted, with 0 for what this kernel does not count. False where it counts none of them, or they cannot be read. */
bool tcpext_read(uint64_t counted[KERNEL_COUNTERS]);

/* One of them by its name ("ListenDrops"), of such a text and of now; 0: this kernel does not count it. */
uint64_t tcpext_value(const char *text, const char *name);
uint64_t tcpext_now(const char *name);

/* The same of a text like that file. */
bool tcpext_parse(const char *text, uint64_t counted[KERNEL_COUNTERS]);

#endif
