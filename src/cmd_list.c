/* The command that lists the interfaces (`tcpsleuth -D`). */
#include "capture/live.h"
#include "src/command.h"
#include "src/options.h"

#include <stdio.h>

int command_list(const struct options *o, GError **error)
{
    g_autofree char *list = live_list(error);

    (void)o;
    if (!list)
        return 2;
    if (fputs(list, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    g_set_error(error, OPTIONS_ERROR, 0, "standard output: cannot write there");
    return 2;
}
