/* text_why: the ledger of a verdict (--why): what was observed, and what became of each verdict that the flow could
 * have got. */
#include "report/text_parts.h"

#include "diagnose/ledger.h"

#define INDENT 4
#define INNER 6

static void append_names(GString *s, const char *before, const enum code *codes, size_t most)
{
    for (size_t i = 0; i < most && codes[i]; i++)
        g_string_append_printf(s, "%s%s", i == 0 ? before : ", ", catalogue_row(codes[i])->name);
}

static void put_line(struct text *t, const struct ledger_line *line)
{
    g_autoptr(GString) label = g_string_new(NULL), s = g_string_new(line->text);

    for (int i = 0; i < LEDGER_PACKETS && line->packets[i]; i++)
        g_string_append_printf(label, "%s%" G_GUINT64_FORMAT,
                               i == 0 ? (line->packets[1] ? "packets " : "packet ") : ", ", line->packets[i]);
    g_string_append(label, label->len ? ": " : "");
    append_names(s, "; so not ", line->excludes, LEDGER_EXCLUDES);
    page_paragraph(t->page, INNER, label->str, s->str);
}

static void put_code(struct text *t, const struct ledger_code *c)
{
    g_autofree char *label = g_strconcat(catalogue_row(c->code)->name, ": ", NULL);
    g_autofree char *no = c->how == CONSIDERED_NO ? g_strconcat("no; it takes this: ", c->why, NULL) : NULL;

    page_paragraph(t->page, INNER, label,
                   c->how == CONSIDERED_VERDICT   ? "the verdict: of what was found it is the nearest to the root"
                   : c->how == CONSIDERED_FINDING ? "found as well, and not as near to the root"
                                                  : no);
}

/* Those that were not asked for one reason are one paragraph. */
static void put_not_asked(struct text *t, const GArray *codes, guint at)
{
    const char *why = g_array_index(codes, struct ledger_code, at).why;
    g_autoptr(GString) s = g_string_new(NULL);

    for (guint i = 0; i < codes->len; i++) {
        const struct ledger_code *c = &g_array_index(codes, struct ledger_code, i);
        if (c->how != CONSIDERED_NOT_ASKED || c->why != why)
            continue;
        if (i < at)
            return; /* told before */
        g_string_append_printf(s, "%s%s", s->len ? ", " : "", catalogue_row(c->code)->name);
    }
    g_string_append_printf(s, ": not asked, %s", why);
    page_paragraph(t->page, INNER, "", s->str);
}

void text_why(struct text *t, const struct ledger *l)
{
    page_paragraph(t->page, INDENT, "observed, with the packets:", "");
    for (guint i = 0; i < l->lines->len; i++)
        put_line(t, &g_array_index(l->lines, struct ledger_line, i));
    page_paragraph(t->page, INDENT, "considered, in order of rank:", "");
    for (guint i = 0; i < l->codes->len; i++) {
        const struct ledger_code *c = &g_array_index(l->codes, struct ledger_code, i);
        if (c->how == CONSIDERED_NOT_ASKED)
            put_not_asked(t, l->codes, i);
        else
            put_code(t, c);
    }
}
