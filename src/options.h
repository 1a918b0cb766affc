/* options: the command line as tcpdump users know it (CONTRACT section 1), parsed. */
#ifndef TCPSLEUTH_SRC_OPTIONS_H
#define TCPSLEUTH_SRC_OPTIONS_H

#include "report/report.h"

#include <glib.h>
#include <stdbool.h>

#define OPTIONS_ERROR options_error_quark()
GQuark options_error_quark(void);

struct options {
    char **files;                /* -r, NULL-terminated; NULL: none */
    char *interface;             /* -i */
    char *output;                /* -o; NULL: standard output */
    char *save;                  /* -w; NULL: no */
    char *keylog;                /* --keylog */
    char *filter;                /* the words that are left, joined; NULL: none */
    const struct report_format *format;
    struct report_options report;
    int64_t count;               /* -c; 0: no limit */
    int duration;                /* --duration, seconds; 0: no limit */
    bool list_interfaces, passive, confirm, server, version;
    char *help;                  /* --help: the text to print; NULL: not asked for */
};

/* Parses argv. NULL and *error where it makes no sense; free with options_free. */
struct options *options_parse(int argc, char **argv, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the filter's first word is this one: commands stand where a filter may stand. */
bool options_first_word_is(const struct options *o, const char *word);

void options_free(struct options *o); /* NULL-safe */

#endif
