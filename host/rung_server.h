/* rung_server: the rungs that only a server has: pure functions of what was read of the service. */
#ifndef TCPSLEUTH_HOST_RUNG_SERVER_H
#define TCPSLEUTH_HOST_RUNG_SERVER_H

#include "host/climb.h"
#include "host/service.h"
#include "host/unit.h"

struct rung_step *rung_listening(const struct climb *c, const struct service *s);

struct rung_step *rung_process(const struct service *s);

/* units: struct unit*, those of the processes, or where nobody listens those that usually hold the port; NULL with why: systemd does not tell. */
struct rung_step *rung_unit(const struct service *s, const GPtrArray *units, const char *why);

/* What the logs say, read before. lines: struct log_lines*. */
struct log_lines {
    char *source;     /* "the journal of nginx.service", "/var/log/nginx/error.log" */
    GPtrArray *lines; /* char*; NULL: it could not be read */
};
void log_lines_free(struct log_lines *l); /* NULL-safe */
struct rung_step *rung_log(const GPtrArray *lines, const char *client, const char *why);

/* Reads them, which takes rights: of the units' journals, the processes' own files, and their containers. *why: why the journal is not among
 * them; free with g_free, or NULL. */
GPtrArray *logs_read(const char *root, const struct service *s, const GPtrArray *units, const char *client, char **why);

#endif
