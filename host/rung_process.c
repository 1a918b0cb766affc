/* process: who holds the listening sockets. */
#include "host/rung_server.h"

#define COMMAND_CHARS 120

static char *describe(const struct process *p)
{
    g_autofree char *command = g_utf8_substring(p->command ? p->command : "?", 0,
                                                MIN(g_utf8_strlen(p->command ? p->command : "?", -1), COMMAND_CHARS));
    g_autoptr(GDateTime) start = p->started_s ? g_date_time_new_from_unix_utc(p->started_s) : NULL;
    g_autofree char *since = start ? g_date_time_format(start, "%Y-%m-%d %H:%M:%S UTC") : NULL;
    g_autoptr(GString) out = g_string_new(command);

    g_string_append_printf(out, " (process %u, user %s", p->pid, p->user);
    if (since)
        g_string_append_printf(out, ", since %s", since);
    g_string_append_c(out, ')');
    if (p->container_address)
        g_string_append_printf(out, ": forwards to the container %s port %u", p->container_address, p->container_port);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

struct rung_step *rung_process(const struct service *s)
{
    if (s->listeners->len == 0)
        return step_skip(RUNG_PROCESS, "nobody listens");
    if (s->processes->len == 0 && !s->all_seen)
        return step_skip(RUNG_PROCESS, "other users' processes are not seen; run it as root or with sudo");
    if (s->processes->len == 0) {
        struct rung_step *step = step_new(RUNG_PROCESS, "none");
        step_blame(step, finding_new(CODE_PROCESS_MISSING, WHERE_SERVER,
                                     "No process of this host holds the socket of port %u.", s->port));
        step_remedy(step, "systemctl list-sockets; ss -ltnpe 'sport = :%u'", s->port);
        step_evidence(step, "/proc/PID/fd");
        return step;
    }
    g_autofree char *first = describe(g_ptr_array_index(s->processes, 0));
    struct rung_step *step = step_new(RUNG_PROCESS, "%s", first);
    for (guint i = 0; i < s->processes->len; i++) {
        const struct process *p = g_ptr_array_index(s->processes, i);
        g_autofree char *line = describe(p);
        if (i > 0)
            step_note(step, "%s", line);
        if (p->cgroup)
            step_note(step, "process %u is in %s", p->pid, p->cgroup);
    }
    step_evidence(step, "/proc/PID: fd, cmdline, status, stat, cgroup");
    return step;
}
