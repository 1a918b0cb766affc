/* Prints the tables of the completions in completions/: lines that bash and zsh both read, each a call of a function that the file defines.
 *
 *     _tcpsleuth_option 'COMMANDS' KIND 'HELP' LETTER NAME     KIND is what the value is, KIND... where the option may come again
 *     _tcpsleuth_words KIND WORD ...                           all words of a kind
 */
#include "diagnose/catalogue.h"
#include "diagnose/ladder.h"
#include "report/report.h"
#include "src/options_table.h"

#include <stdio.h>

/* In single quotes of the shell. */
static void quoted(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "'", -1);
    g_autofree char *safe = g_strjoinv("'\\''", parts);

    printf(" '%s'", safe);
}

/* The words of the commands that take the option; "-" is what has no word: files, interfaces, the list. */
static void print_commands(unsigned commands)
{
    const unsigned wordless = FOR_CAPTURES | FOR(COMMAND_LIST);
    g_autoptr(GString) words = g_string_new(commands & wordless ? "-" : "");

    for (int i = 0; i < COMMANDS; i++)
        if (command_rows[i].word && commands & FOR(i))
            g_string_append_printf(words, "%s%s", words->len ? " " : "", command_rows[i].word);
    quoted(words->str);
}

static void print_option(const struct option_row *row)
{
    g_assert((row->arg == G_OPTION_ARG_NONE) == !row->arg_name);
    g_autofree char *kind = g_strconcat(row->arg_name ? row->arg_name : "", row->arg == G_OPTION_ARG_FILENAME_ARRAY ? "..." : "", NULL);

    printf("    _tcpsleuth_option");
    print_commands(row->commands);
    quoted(kind);
    quoted(row->help);
    if (row->letter)
        printf(" -%c", row->letter);
    printf(" --%s\n", row->name);
}

int main(void)
{
    for (const struct option_row *row = option_rows; row->name; row++)
        if (row->help)
            print_option(row);
    printf("    _tcpsleuth_words COMMAND");
    for (int i = 0; i < COMMANDS; i++)
        if (command_rows[i].word)
            printf(" %s", command_rows[i].word);
    printf("\n    _tcpsleuth_words FORMAT");
    for (const struct report_format *const *format = report_formats; *format; format++)
        printf(" %s", (*format)->name);
    printf("\n    _tcpsleuth_words WHEN auto always never\n    _tcpsleuth_words STEP");
    for (int i = 0; i < RUNGS; i++)
        printf(" %s", rung_row((enum rung)i)->name);
    printf("\n    _tcpsleuth_words CODE");
    for (int i = 0; i < CODES; i++)
        printf(" %s", catalogue_row((enum code)i)->name);
    printf("\n");
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
