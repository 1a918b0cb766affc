#include "src/progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_show(struct progress *p, const struct capture_info *info)
{
    int64_t now_us = g_get_monotonic_time();

    if (!p->started_us)
        p->started_us = now_us;
    if (now_us - p->started_us < G_USEC_PER_SEC || now_us - p->shown_us < G_USEC_PER_SEC / 2 || !isatty(STDERR_FILENO))
        return;
    double seconds = (double)(now_us - p->started_us) / 1e6, done = (double)info->bytes_read;
    double rate = done / seconds;

    fprintf(stderr, "\r\033[K%.0f MB", done / 1e6);
    if (info->bytes_total)
        fprintf(stderr, " of %.0f MB (%.0f %%)", (double)info->bytes_total / 1e6,
                100 * done / (double)info->bytes_total);
    fprintf(stderr, ", %.0f MB/s", rate / 1e6);
    if (info->bytes_total > info->bytes_read && rate > 0)
        fprintf(stderr, ", %.0f s left", ((double)info->bytes_total - done) / rate);
    fflush(stderr);
    p->shown_us = now_us;
    p->visible = true;
}

void progress_clear(struct progress *p)
{
    if (p->visible)
        fputs("\r\033[K", stderr);
    p->visible = false;
}
