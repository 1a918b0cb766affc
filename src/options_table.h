/* options_table: every option of the program: its letter and name, the commands that it serves, where its value goes. Private to options.c. */
#ifndef TCPSLEUTH_SRC_OPTIONS_TABLE_H
#define TCPSLEUTH_SRC_OPTIONS_TABLE_H

#include "src/options.h"

/* What GOption fills in, before it is looked at. Numbers hold NOT_GIVEN before the parsing. */
struct raw_options {
    struct options o;
    char *format, *color;
    char **words;
    gboolean json, all, verbose, quiet, list, help, ignored, why;
    gint64 flow, count, duration, snaplen, buffer;
};

#define NOT_GIVEN G_MININT64

#define FOR(command) (1u << (command))
#define FOR_FILES FOR(COMMAND_READ)
#define FOR_LIVE FOR(COMMAND_WATCH)
#define FOR_CAPTURES (FOR_FILES | FOR_LIVE)
#define FOR_TARGETS (FOR(COMMAND_PROBE) | FOR(COMMAND_CHECK))
#define FOR_COMPARE FOR(COMMAND_COMPARE)
#define FOR_REPORTS (FOR_CAPTURES | FOR_TARGETS | FOR_COMPARE)
#define FOR_ALL (FOR_REPORTS | FOR(COMMAND_LIST) | FOR(COMMAND_EXPLAIN))

struct option_row {
    unsigned commands;    /* FOR_* that take it */
    const char *name;
    char letter;          /* 0: none */
    GOptionArg arg;
    gsize at;             /* of its value in struct raw_options */
    const char *help;     /* NULL: not shown */
    const char *arg_name;
};

extern const struct option_row option_rows[]; /* ends with a row without a name */

/* Whether the command line had it. */
gboolean option_given(const struct option_row *row, const struct raw_options *r);

#endif
