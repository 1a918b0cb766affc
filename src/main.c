/* tcpsleuth: where does this TCP conversation break, why, and what do I do now? */

#include "src/command.h"
#include "src/descriptors.h"
#include "src/memory.h"
#include "src/notice.h"
#include "src/options.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* A file that is opened must not become standard output or standard error, where these were closed: the report would go
 * into it. */
static void occupy_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* Help and version: what goes to standard output without a report. */
static int print(const char *text, GError **error)
{
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    g_set_error(error, OPTIONS_ERROR, 0, "standard output: cannot write there");
    return 2;
}

/* What asks this host or the network. */
static bool asks(const struct options *o)
{
    return o->command == COMMAND_WATCH || o->command == COMMAND_PROBE || o->command == COMMAND_CHECK || o->confirm;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 2;

    memory_guard();
    setlocale(LC_CTYPE, "");  /* names of files; numbers stay as C prints them */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, not a death; so is a file that may not grow */
    signal(SIGXFSZ, SIG_IGN);
    occupy_standard_streams();
    struct options *o = options_parse(argc, argv, command_rows, &error);
    if (o && o->help)
        status = print(o->help, &error);
    else if (o && o->version)
        status = print("tcpsleuth " TCPSLEUTH_VERSION "\n", &error);
    else if (o && (!asks(o) || descriptors_suffice(&error)))
        status = command_rows[o->command].run(o, &error);
    if (error)
        notice("%s", error->message);
    options_free(o);
    return status;
}
