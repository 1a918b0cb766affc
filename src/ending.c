#include "src/ending.h"

#include <glib-unix.h>
#include <signal.h>

static gboolean on_signal(struct ending *e, int number)
{
    if (e->asked) {
        signal(number, SIG_DFL);
        raise(number);
    }
    e->asked = true;
    e->stop(e->user);
    return G_SOURCE_CONTINUE;
}

static gboolean on_interrupt(gpointer user)
{
    return on_signal(user, SIGINT);
}

static gboolean on_terminate(gpointer user)
{
    return on_signal(user, SIGTERM);
}

static gboolean on_hangup(gpointer user)
{
    return on_signal(user, SIGHUP);
}

void ending_heed(struct ending *e, void (*stop)(void *user), void *user)
{
    *e = (struct ending){ .stop = stop, .user = user };
    e->sources[0] = g_unix_signal_add(SIGINT, on_interrupt, e);
    e->sources[1] = g_unix_signal_add(SIGTERM, on_terminate, e);
    e->sources[2] = g_unix_signal_add(SIGHUP, on_hangup, e);
}

void ending_leave(struct ending *e)
{
    for (size_t i = 0; i < G_N_ELEMENTS(e->sources); i++)
        g_source_remove(e->sources[i]);
}
