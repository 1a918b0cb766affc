/* service: what stands behind a listening port: the sockets, the processes that hold them, and their logs (sock_diag,
 * /proc). Other users' processes and logs take root, so all is read at once, before rights are given up; the rungs make
 * sense of it afterwards.
 */
#ifndef TCPSLEUTH_HOST_SERVICE_H
#define TCPSLEUTH_HOST_SERVICE_H

#include "host/sockets.h"

struct process {
    unsigned pid;
    uint32_t inode;    /* of the socket that it holds */
    char *command;     /* its command line, UTF-8, may hold anything: escape it; a password in it is left as it is */
    char *user;        /* its name, or its number */
    char state;        /* of proc(5): 'R', 'S', 'T' stopped, ...; 0: not known */
    unsigned files, most_files; /* that it has open, and may; most 0: not known */
    int64_t started_s; /* since 1970; 0: not known */
    char *cgroup;      /* "/system.slice/nginx.service"; NULL: not known */
    char *unit;        /* "nginx.service", of the cgroup; NULL: none */
    char *container_address; /* of docker-proxy: where it forwards to; NULL: it is none */
    unsigned container_port;
    GPtrArray *logs; /* char*: paths of log files that it writes */
};

struct service {
    uint16_t port;
    GArray *listeners;    /* struct host_socket, of the port */
    GPtrArray *processes; /* struct process*, by number */
    bool all_seen;        /* no process was hidden from this user */
    uint64_t overflows,
        drops; /* of all listeners of this host since it started (TcpExt ListenOverflows, ListenDrops) */
};

/* Reads it. NULL and *error where the kernel does not tell its sockets. Free with service_free. */
struct service *service_read(const char *root, uint16_t port, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The processes of a tree of files that hold one of the sockets (inodes): of tests. */
void service_find_processes(struct service *s, const char *root);

/* An empty one, for tests. */
struct service *service_new(uint16_t port);
void service_free(struct service *s); /* NULL-safe */

bool socket_is_local(const struct host_socket *s);      /* a loopback address */
bool socket_is_everywhere(const struct host_socket *s); /* 0.0.0.0 or :: */

#endif
