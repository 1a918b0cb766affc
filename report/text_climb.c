/* text_climb: the rungs of `check`, a line each: a mark, the name, what was found; below those that are not well, what
 * else was found and what to do.
 */
#include "report/text_parts.h"

#define MARK 2
#define NAME 4
#define TEXT 20

struct mark {
    const char *sign;
    enum page_style style;
};

static const struct mark *mark_of(enum step_status s)
{
    static const struct mark marks[] = { [STEP_OK] = { "+", PAGE_GREEN },
                                         [STEP_UNKNOWN] = { "?", PAGE_PLAIN },
                                         [STEP_SKIPPED] = { "-", PAGE_DIM },
                                         [STEP_DEGRADED] = { "!", PAGE_YELLOW },
                                         [STEP_BROKEN] = { "X", PAGE_RED } };
    return &marks[s];
}

static void put_details(struct text *t, const struct rung_step *s)
{
    const char *remedy = step_what_to_do(s);

    if (s->finding)
        page_paragraph(t->page, TEXT, "", s->finding->summary);
    for (guint i = 0; i < s->notes->len; i++)
        page_paragraph(t->page, TEXT, "", g_ptr_array_index(s->notes, i));
    if (remedy)
        page_paragraph(t->page, TEXT, "> ", remedy);
    if (s->evidence && t->options.verbose)
        page_paragraph(t->page, TEXT, "read: ", s->evidence);
}

static void put_step(struct text *t, const struct rung_step *s)
{
    const struct mark *mark = mark_of(s->status);

    page_to(t->page, MARK);
    page_styled(t->page, mark->style, mark->sign);
    page_to(t->page, NAME);
    page_styled(t->page, s->status >= STEP_DEGRADED ? PAGE_BOLD : PAGE_PLAIN, rung_row(s->rung)->name);
    page_to(t->page, TEXT);
    if (s->status == STEP_SKIPPED)
        page_put(t->page, "left out: ");
    page_wrap(t->page, TEXT + 2, s->text);
    page_line(t->page);
    if (s->status >= STEP_DEGRADED || t->options.verbose)
        put_details(t, s);
}

void text_climb(struct text *t)
{
    if (t->options.quiet)
        return;
    page_line(t->page);
    for (guint i = 0; i < t->steps->len; i++)
        put_step(t, g_ptr_array_index(t->steps, i));
}
