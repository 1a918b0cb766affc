/* tcpsleuth: where does this TCP conversation break, why, and what do I do now? */

#include "base/text.h"
#include "src/options.h"
#include "src/read.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/* Words and options of the contract that this version cannot serve: it says so instead of guessing. */
static gboolean supported(int argc, char **argv, const struct options *o, GError **error)
{
    const char *missing = NULL;

    if (argc > 1 && (g_str_equal(argv[1], "check") || g_str_equal(argv[1], "probe")))
        missing = argv[1];
    else if (o->interface)
        missing = "-i";
    else if (o->list_interfaces)
        missing = "-D";
    else if (o->keylog)
        missing = "--keylog";
    else if (o->confirm && !o->passive)
        missing = "--confirm";
    if (missing)
        g_set_error(error, OPTIONS_ERROR, 0, "%s: not in this version, which reads capture files: record with `tcpdump -w FILE`, then `tcpsleuth -r FILE`", missing);
    else if (!o->files)
        g_set_error(error, OPTIONS_ERROR, 0, "nothing to read: give a capture with -r FILE (`tcpsleuth --help` lists the options)");
    return missing == NULL && o->files;
}

/* One line, whatever bytes a file name or argument holds. */
static int complain(const GError *error)
{
    g_autoptr(GString) line = g_string_new("tcpsleuth: ");

    text_append_terminal(line, slice_of(error->message, strlen(error->message)));
    fprintf(stderr, "%s\n", line->str);
    return 2;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    int status = 2;

    setlocale(LC_CTYPE, ""); /* names of files; numbers stay as C prints them */
    signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, not a death */
    struct options *o = options_parse(argc, argv, &error);
    if (o && o->version) {
        printf("tcpsleuth %s\n", TCPSLEUTH_VERSION);
        status = 0;
    } else if (o && supported(argc, argv, o, &error)) {
        status = command_read(o, &error);
    }
    if (error)
        status = complain(error);
    options_free(o);
    return status;
}
