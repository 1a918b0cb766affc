/* The command that tells what stands behind the verdicts (`tcpsleuth explain [CODE ...]`). */
#include "report/text_explain.h"
#include "src/command.h"
#include "src/confine.h"
#include "src/options.h"
#include "src/output.h"

/* CODES where there is no code of that name. */
static enum code find_code(const char *name)
{
    enum code code = 0;

    while (code < CODES && !g_str_equal(catalogue_row(code)->name, name))
        code++;
    return code;
}

static gboolean check_names(char **names, GError **error)
{
    for (; *names; names++) {
        if (find_code(*names) < CODES)
            continue;
        g_set_error(error, OPTIONS_ERROR, 0, "%s: no such verdict; `tcpsleuth explain` lists them", *names);
        return FALSE;
    }
    return TRUE;
}

int command_explain(const struct options *o, GError **error)
{
    struct output *output = check_names(o->words, error) ? output_open(o->output, false, error) : NULL;
    struct page page;

    if (!output)
        return 2;
    confine(CONFINE_FILES, NULL);
    page_open(&page, output_stream(output), o->report.columns, o->report.color);
    if (!o->words[0])
        text_explain_list(&page);
    for (char **name = o->words; *name; name++) {
        if (name != o->words)
            page_line(&page);
        text_explain(&page, find_code(*name));
    }
    page_close(&page);
    return output_commit(output, error) ? 0 : 2;
}
