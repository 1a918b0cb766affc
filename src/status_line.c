#include "src/status_line.h"

#include <stdio.h>
#include <unistd.h>

char *status_line_text(const struct live_stats *s, int64_t seconds)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " packet%s, %" G_GUINT64_FORMAT " flow%s open, %" G_GUINT64_FORMAT
                           " judged, %" G_GUINT64_FORMAT " dropped, %" G_GINT64_FORMAT " s",
                           s->packets, s->packets == 1 ? "" : "s", s->flows_open, s->flows_open == 1 ? "" : "s",
                           s->flows_judged, s->dropped, seconds);
}

void status_line_show(struct status_line *l, const struct live_stats *s, int64_t seconds)
{
    g_autofree char *text = status_line_text(s, seconds);

    status_line_put(l, text);
}

void status_line_put(struct status_line *l, const char *text)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    l->visible = true;
}

void status_line_clear(struct status_line *l)
{
    if (!l->visible)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    l->visible = false;
}
