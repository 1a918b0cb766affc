/* options: the command line as tcpdump users know it (CONTRACT section 1), parsed. All options of all commands are rows of one table
 * (options_table.c), each with the commands that it serves; given to another one it is an error of usage.
 */
#ifndef TCPSLEUTH_SRC_OPTIONS_H
#define TCPSLEUTH_SRC_OPTIONS_H

#include "report/report.h"
#include "src/command.h"

#include <glib.h>
#include <stdbool.h>

#define OPTIONS_ERROR options_error_quark()
GQuark options_error_quark(void);

/* Sets *error: the option names a file to write that is one of those to read. */
void options_refuse_overwrite(const char *option, const char *file, GError **error);

struct options {
    enum command_id command;
    char **files;                /* -r, NULL-terminated; NULL: none */
    char **interfaces;           /* -i, likewise */
    char *output;                /* -o; NULL: standard output */
    char *save;                  /* -w; NULL: no */
    char *only, *until, *explain; /* names of rungs; NULL: not given */
    char *client;                /* --client; NULL */
    char *evidence;              /* --evidence; NULL: no */
    char *keylog;                /* --keylog */
    char **words;                /* what is left behind the command's word, NULL-terminated: targets, or the words of the filter; never NULL */
    char *filter;                /* the words, joined; NULL: none */
    const struct report_format *format;
    struct report_options report;
    int64_t count;               /* -c; 0: no limit */
    int duration;                /* --duration, seconds; 0: no limit */
    int snaplen;                 /* -s, bytes; 0: all of each packet */
    int buffer_kib;              /* -B; 0: the system's own size */
    gboolean no_promiscuous, immediate, passive, confirm, server, version;
    char *help;                  /* --help: the text to print; NULL: not asked for */
};

/* Parses argv. commands: command_rows, or what a test has instead. NULL and *error where it makes no sense; free with options_free. */
struct options *options_parse(int argc, char **argv, const struct command *commands, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void options_free(struct options *o); /* NULL-safe */

#endif
