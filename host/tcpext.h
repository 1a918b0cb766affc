/* tcpext: what the kernel counts of all TCP of this host (TcpExt in /proc/net/netstat). Reads only; needs no rights. */
#ifndef TCPSLEUTH_HOST_TCPEXT_H
#define TCPSLEUTH_HOST_TCPEXT_H

#include <stdbool.h>
#include <stdint.h>

struct tcpext {
    uint64_t listen_overflows; /* ListenOverflows: connections that found the accept queue full */
};

/* False where it cannot be read, or has no such counter. */
bool tcpext_read(struct tcpext *out);

/* The same of a text like that file. */
bool tcpext_parse(const char *text, struct tcpext *out);

#endif
