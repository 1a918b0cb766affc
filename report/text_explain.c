#include "report/text_explain.h"

#include "diagnose/explain.h"
#include "diagnose/finding.h"

#include <string.h>

#define TITLE_COLUMN 34 /* behind the longest code */

/* What is told of a code, in the order in which it is told. */
struct told {
    const char *label, *text; /* text NULL or empty: nothing */
};
#define TOLD 7

static void gather(enum code code, struct told told[TOLD])
{
    const struct catalogue_row *row = catalogue_row(code);
    const struct explanation *e = explanation(code);
    const struct told all[TOLD] = {
        { "meaning", row->meaning },   { "recognised by", e->recognised }, { "looks alike", e->resembles },
        { "what to do", row->remedy }, { "at the client", e->client },     { "at the server", e->server },
        { "follows", row->source },
    };

    memcpy(told, all, sizeof all);
}

static bool is_told(const struct told *t)
{
    return t->text && *t->text;
}

/* "transport layer, broken" */
static char *kind_of(const struct catalogue_row *row)
{
    const char *status = status_name((enum status)row->status);

    return row->layer == LAYER_NONE ? g_strdup(status)
                                    : g_strdup_printf("%s layer, %s", layer_name(row->layer), status);
}

void text_explain(struct page *p, enum code code)
{
    const struct catalogue_row *row = catalogue_row(code);
    g_autofree char *kind = kind_of(row);
    struct told told[TOLD];

    gather(code, told);
    page_styled(p, PAGE_BOLD, row->name);
    page_put(p, ": ");
    page_put(p, row->title);
    page_put(p, " (");
    page_put(p, kind);
    page_put(p, ")");
    page_line(p);
    for (int i = 0; i < TOLD; i++) {
        g_autofree char *label = g_strconcat(told[i].label, ": ", NULL);
        if (is_told(&told[i]))
            page_paragraph(p, 4, label, told[i].text);
    }
}

void text_explain_list(struct page *p)
{
    for (int code = 0; code < CODES; code++) {
        const struct catalogue_row *row = catalogue_row((enum code)code);
        page_put(p, row->name);
        page_to(p, TITLE_COLUMN);
        page_put(p, row->title);
        page_line(p);
    }
}

/* All codes on a page, each a link to what is told of it. */
static void put_table(FILE *out)
{
    fputs("\n| code | layer | status | when |\n|---|---|---|---|\n", out);
    for (int code = 0; code < CODES; code++) {
        const struct catalogue_row *row = catalogue_row((enum code)code);
        const char *layer = row->layer == LAYER_NONE ? "" : layer_name(row->layer);

        fprintf(out, "| [`%s`](#%s) | %s | %s | %s |\n", row->name, row->name, layer,
                status_name((enum status)row->status), row->meaning);
    }
}

void text_explain_page(FILE *out)
{
    fputs("# The verdicts\n\n"
          "Made from the catalogue: `tcpsleuth explain CODE` prints the same of one, `tcpsleuth explain` lists them. "
          "The order is that of rank: of "
          "two\nfindings with the same status the one nearer to the top is nearer to the root, and becomes the "
          "verdict.\n",
          out);
    put_table(out);
    for (int code = 0; code < CODES; code++) {
        const struct catalogue_row *row = catalogue_row((enum code)code);
        g_autofree char *kind = kind_of(row);
        struct told told[TOLD];

        gather((enum code)code, told);
        fprintf(out, "\n## %s\n\n%s (%s)\n\n", row->name, row->title, kind);
        for (int i = 0; i < TOLD; i++)
            if (is_told(&told[i]))
                fprintf(out, "- **%s**: %s\n", told[i].label, told[i].text);
    }
}
