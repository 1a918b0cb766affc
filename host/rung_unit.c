/* unit: whether the service runs, since when, and whether it comes back. */
#include "host/rung_server.h"

#include <string.h>

static char *describe(const struct unit *u)
{
    g_autoptr(GDateTime) at = u->since_us ? g_date_time_new_from_unix_utc(u->since_us / G_USEC_PER_SEC) : NULL;
    g_autofree char *since = at ? g_date_time_format(at, "%Y-%m-%d %H:%M:%S UTC") : NULL;
    g_autoptr(GString) out = g_string_new(u->name);

    g_string_append_printf(out, ": %s (%s)", u->active ? u->active : "?", u->sub ? u->sub : "?");
    if (since)
        g_string_append_printf(out, " since %s", since);
    if (u->enabled && *u->enabled)
        g_string_append_printf(out, ", %s", u->enabled);
    if (u->restarts)
        g_string_append_printf(out, ", restarted %u times", u->restarts);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static bool is_running(const struct unit *u)
{
    return u->active && (strcmp(u->active, "active") == 0 || strcmp(u->active, "reloading") == 0);
}

static void judge(struct rung_step *step, const struct unit *u, bool listening)
{
    if (!is_running(u) && !listening) {
        struct finding *f =
            finding_new(CODE_UNIT_FAILED, WHERE_SERVER, "%s is %s%s%s.", u->name, u->active ? u->active : "?",
                        u->result && strcmp(u->result, "success") != 0 ? ": " : "",
                        u->result && strcmp(u->result, "success") != 0 ? u->result : "");
        step_blame(step, f);
        step_subject(step, u->name);
        step_remedy(step, "systemctl status %s; journalctl -u %s -e; systemctl restart %s", u->name, u->name, u->name);
    } else if (is_running(u) && u->enabled && strcmp(u->enabled, "disabled") == 0) {
        step_note(step, "%s will not come back after the next start of this host: systemctl enable %s", u->name,
                  u->name);
    }
}

struct rung_step *rung_unit(const struct service *s, const GPtrArray *units, const char *why)
{
    if (!units)
        return step_skip(RUNG_UNIT, "%s", why);
    if (units->len == 0)
        return step_skip(RUNG_UNIT, s->listeners->len ? "the program was not started as a service of systemd"
                                                      : "no service that usually holds this port is installed");
    g_autofree char *first = describe(g_ptr_array_index(units, 0));
    struct rung_step *step = step_new(RUNG_UNIT, "%s", first);
    for (guint i = 0; i < units->len; i++) {
        const struct unit *u = g_ptr_array_index(units, i);
        g_autofree char *line = describe(u);
        if (i > 0)
            step_note(step, "%s", line);
        judge(step, u, s->listeners->len > 0);
    }
    step_evidence(step, "systemd, over D-Bus");
    return step;
}
