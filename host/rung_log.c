/* log: the last words of the service; they are told, and judge nothing. */
#include "host/logs.h"
#include "host/rung_server.h"

#include <string.h>

void log_lines_free(struct log_lines *l)
{
    if (!l)
        return;
    g_free(l->source);
    if (l->lines)
        g_ptr_array_free(l->lines, TRUE);
    g_free(l);
}

static void add(GPtrArray *all, char *source, GPtrArray *lines)
{
    struct log_lines *l = g_new0(struct log_lines, 1);

    l->source = source;
    l->lines = lines;
    g_ptr_array_add(all, l);
}

static bool has_source(const GPtrArray *all, const char *source)
{
    for (guint i = 0; i < all->len; i++)
        if (strcmp(((const struct log_lines *)g_ptr_array_index(all, i))->source, source) == 0)
            return true;
    return false;
}

static void add_file(GPtrArray *all, const char *root, const char *path, const char *client)
{
    if (!has_source(all, path))
        add(all, g_strdup(path), log_file_lines(root, path, client));
}

GPtrArray *logs_read(const char *root, const struct service *s, const GPtrArray *units, const char *client, char **why)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)log_lines_free);
    g_autoptr(GError) error = NULL;

    for (guint i = 0; units && i < units->len && !error; i++) {
        const struct unit *u = g_ptr_array_index(units, i);
        GPtrArray *lines = log_journal_lines(u->name, client, &error);
        if (lines)
            add(all, g_strdup_printf("the journal of %s", u->name), lines);
    }
    for (guint i = 0; i < s->processes->len; i++) {
        const struct process *p = g_ptr_array_index(s->processes, i);
        g_autofree char *own = g_strdup_printf("%s/proc/%u/root", root, p->pid); /* a container has files of its own */
        g_autofree char *container = p->container_address ? log_of_container(root, p->container_address) : NULL;
        for (guint k = 0; k < p->logs->len; k++)
            add_file(all, own, g_ptr_array_index(p->logs, k), client);
        if (container)
            add_file(all, root, container, client);
    }
    *why = error ? g_strdup(error->message) : NULL;
    return all;
}

static guint unread(const GPtrArray *all)
{
    guint n = 0;

    for (guint i = 0; i < all->len; i++)
        n += ((const struct log_lines *)g_ptr_array_index(all, i))->lines == NULL;
    return n;
}

static struct rung_step *nothing(const GPtrArray *all, const char *client)
{
    guint bad = unread(all), good = all->len - bad;
    const char *first = ((const struct log_lines *)g_ptr_array_index(all, 0))->source;

    if (good == 0)
        return step_skip(RUNG_LOG, "%s cannot be read", first);
    if (client)
        return step_new(RUNG_LOG, "%u log%s, nothing of %s", good, good == 1 ? "" : "s", client);
    return step_new(RUNG_LOG, "%u log%s, no trouble in the last lines", good, good == 1 ? "" : "s");
}

struct rung_step *rung_log(const GPtrArray *all, const char *client, const char *why)
{
    const struct log_lines *told = NULL;
    struct rung_step *step;

    if (all->len == 0)
        return step_skip(RUNG_LOG, "%s", why ? why : "the service writes no log that is seen from here");
    for (guint i = 0; i < all->len; i++) {
        const struct log_lines *l = g_ptr_array_index(all, i);
        if (l->lines && l->lines->len)
            told = l;
    }
    if (told)
        step = step_new(RUNG_LOG, "%s: %s", told->source,
                        (const char *)g_ptr_array_index(told->lines, told->lines->len - 1));
    else
        step = nothing(all, client);
    for (guint i = 0; i < all->len; i++) {
        const struct log_lines *l = g_ptr_array_index(all, i);
        if (!l->lines)
            step_note(step, "%s cannot be read", l->source);
        for (guint k = 0; l->lines && k < l->lines->len; k++)
            step_note(step, "%s: %s", l->source, (const char *)g_ptr_array_index(l->lines, k));
    }
    step_evidence(step, "the last lines of the journal and of the log files that the service has open");
    return step;
}
