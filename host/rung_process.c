/* process: who holds the listening sockets. */
#include "host/rung_server.h"

#define COMMAND_CHARS 120

/* By SIGSTOP, a terminal or a debugger: the kernel goes on accepting in its name, and nobody answers. */
static bool is_stopped(const struct process *p)
{
    return p->state == 'T' || p->state == 't';
}

static bool is_full(const struct process *p)
{
    return p->most_files && p->files >= p->most_files;
}

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
    if (is_stopped(p))
        g_string_append(out, ", stopped");
    if (is_full(p))
        g_string_append_printf(out,
                               ": all of its %u file descriptors are in use, it accepts nobody: raise its limit "
                               "(LimitNOFILE=), or find what it does not close",
                               p->most_files);
    if (p->container_address)
        g_string_append_printf(out, ": forwards to the container %s port %u", p->container_address, p->container_port);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void judge(struct rung_step *step, const struct service *s)
{
    const struct process *one = g_ptr_array_index(s->processes, 0);
    bool all_stopped = true;

    for (guint i = 0; i < s->processes->len; i++) {
        const struct process *p = g_ptr_array_index(s->processes, i);
        all_stopped &= is_stopped(p);
        if (is_full(p))
            step->status = STEP_UNKNOWN;
    }
    if (!all_stopped)
        return;
    step_blame(step, finding_new(CODE_PROCESS_MISSING, WHERE_SERVER,
                                 "Process %u holds port %u and is stopped: connections are accepted by the kernel, and "
                                 "nobody answers them.",
                                 one->pid, s->port));
    step_remedy(step, "kill -CONT %u; ps -o pid,ppid,stat,wchan,cmd -p %u: is a debugger at it?", one->pid, one->pid);
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
    judge(step, s);
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
