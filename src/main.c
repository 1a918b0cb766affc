/* tcpsleuth: where does this TCP conversation break, why, and what do I do now? */

#include "src/notice.h"
#include "src/options.h"
#include "src/read.h"

#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define RECORD_FIRST "record with `tcpdump -i IFACE -w FILE`, then `tcpsleuth -r FILE`"

/* Words and options of the contract that this version cannot serve: it says so instead of guessing. */
static gboolean supported(const struct options *o, GError **error)
{
    const struct {
        gboolean wanted;
        const char *name, *instead;
    } missing[] = {
        { options_first_word_is(o, "check"), "check", RECORD_FIRST },
        { options_first_word_is(o, "probe"), "probe", RECORD_FIRST },
        { o->server, "--server", RECORD_FIRST },
        { o->interface != NULL, "-i", RECORD_FIRST },
        { o->list_interfaces, "-D", "`ip link` lists the interfaces" },
        { o->keylog != NULL, "--keylog",
          "leave it out: what travels in clear of a TLS handshake is judged without it" },
        { o->confirm && !o->passive, "--confirm", "leave it out: the capture is judged without it" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(missing); i++) {
        if (missing[i].wanted) {
            g_set_error(error, OPTIONS_ERROR, 0, "%s: not in this version, which reads capture files; %s",
                        missing[i].name, missing[i].instead);
            return FALSE;
        }
    }
    if (!o->files)
        g_set_error(error, OPTIONS_ERROR, 0,
                    "nothing to read: give a capture with -r FILE (`tcpsleuth --help` lists the options)");
    return o->files != NULL;
}

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

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 2;

    setlocale(LC_CTYPE, "");  /* names of files; numbers stay as C prints them */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, not a death */
    occupy_standard_streams();
    struct options *o = options_parse(argc, argv, &error);
    if (o && o->help)
        status = print(o->help, &error);
    else if (o && o->version)
        status = print("tcpsleuth " TCPSLEUTH_VERSION "\n", &error);
    else if (o && supported(o, &error))
        status = command_read(o, &error);
    if (error)
        notice("%s", error->message);
    options_free(o);
    return status;
}
