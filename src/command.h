/* command: what the program can do, as the table of commands.c has it: one row a command, one file a command (cmd_*.c).
 *
 * To add one: a value of enum command_id, its function below, its row in commands.c, its bit in the options of options_table.c that it takes.
 */
#ifndef TCPSLEUTH_SRC_COMMAND_H
#define TCPSLEUTH_SRC_COMMAND_H

#include <glib.h>

struct options;

/* read, watch and list are asked for by an option (-r, -i, -D), the others by the first word. */
enum command_id { COMMAND_READ, COMMAND_WATCH, COMMAND_LIST, COMMAND_PROBE, COMMAND_CHECK, COMMAND_EXPLAIN, COMMAND_COMPARE, COMMANDS };

/* Returns the exit status; 2 with *error set where the work could not be done. */
typedef int command_fn(const struct options *o, GError **error);

struct command {
    const char *word; /* on the command line; NULL: it is asked for by an option */
    const char *name; /* for messages: "probe", "-i" */
    command_fn *run;
    const char *help; /* one line */
    const char *words; /* what may follow the word, for --help; NULL where it is asked for by an option */
};

extern const struct command command_rows[COMMANDS];

command_fn command_read, command_watch, command_list, command_probe, command_check, command_explain, command_compare;

#endif
