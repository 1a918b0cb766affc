/* text_conversations: one block a conversation, a line a step, in the order of time. Blocks that read the same are
 * shown once. */
#include "report/text_parts.h"
#include "report/words.h"

/* Columns of a step: when, what it took, flow, kind, text. */
#define AT 11
#define TOOK (AT + 10)
#define FLOW (TOOK + 7)
#define KIND (FLOW + 2)
#define TEXT (KIND + 6)

static enum status status_of(const struct conversation *c)
{
    return conversation_verdict(c)->status;
}

static const struct step *step_at(const struct conversation *c, guint i)
{
    return &g_array_index(c->steps, struct step, i);
}

static guint n_steps(const struct conversation *c)
{
    return c->steps ? c->steps->len : 0;
}

static void put_step(struct text *t, const struct conversation *c, const struct step *s)
{
    struct page *p = t->page;
    char words[WORDS_ROOM];

    if (s->ts_ns != TIME_NONE && c->first_ns != TIME_NONE)
        page_right(p, AT, words_duration(words, s->ts_ns - c->first_ns));
    if (s->duration_ns != TIME_NONE)
        page_right(p, TOOK, words_duration(words, s->duration_ns));
    if (s->flow)
        page_right(p, FLOW, words_number(words, s->flow));
    page_to(p, KIND);
    page_put(p, step_kind_name(s->kind));
    page_to(p, TEXT);
    if (s->status != STATUS_OK) {
        page_styled(p, text_status_style(s->status), status_name(s->status));
        page_put(p, ": ");
    }
    page_wrap(p, TEXT, s->text ? s->text : "");
    page_line(p);
}

/* The verdict in words, unless one of its flows has the same and has told it. */
static bool told_by_flow(const struct text *t, const struct conversation *c)
{
    for (guint i = 0; c->flows && i < c->flows->len; i++) {
        const struct judged_flow *f = text_flow_by_id(t, g_array_index(c->flows, uint64_t, i));
        if (f && judgement_verdict(&f->judgement)->code == conversation_verdict(c)->code)
            return true;
    }
    return false;
}

static void put_heading(struct text *t, const struct block *b)
{
    const struct conversation *c = b->conversation;
    const struct finding *verdict = conversation_verdict(c);
    char client[ADDR_TEXT_SIZE], words[WORDS_ROOM];

    page_style(t->page, PAGE_BOLD);
    page_put(t->page, "Conversation ");
    if (b->number) {
        page_put(t->page, words_number(words, b->number));
        page_put(t->page, " ");
    }
    page_put(t->page, "of ");
    page_put(t->page, addr_text(client, &c->client, c->version));
    page_put(t->page, ": ");
    page_styled(t->page, text_status_style(verdict->status), status_name(verdict->status));
    if (verdict->status != STATUS_OK) {
        page_put(t->page, ", ");
        page_cut(t->page, catalogue_row(verdict->code)->title, page_left(t->page));
    }
    page_line(t->page);
}

static void put_block(struct text *t, const struct block *b)
{
    const struct conversation *c = b->conversation;
    char words[WORDS_ROOM];

    page_line(t->page);
    put_heading(t, b);
    for (guint i = 0; i < n_steps(c); i++)
        put_step(t, c, step_at(c, i));
    if (status_of(c) != STATUS_OK && !told_by_flow(t, c))
        text_finding(t, conversation_verdict(c), "");
    if (b->alike) {
        page_to(t->page, 4);
        page_put(t->page, "and ");
        page_put(t->page, words_count(words, b->alike));
        page_put(t->page, b->alike == 1 ? " more like this" : " more like these");
        page_line(t->page);
    }
}

void text_conversations(struct text *t)
{
    uint64_t left_out = t->blocks.left_out;
    char words[WORDS_ROOM];

    for (int status = STATUS_BROKEN; status >= STATUS_OK; status--) {
        const GArray *blocks = t->blocks.of_status[status];
        for (guint i = 0; i < blocks->len; i++)
            put_block(t, &g_array_index(blocks, struct block, i));
    }
    if (left_out == 0)
        return;
    page_line(t->page);
    page_put(t->page, words_count(words, left_out));
    page_put(t->page, left_out == 1 ? " more conversation is not shown; --all shows it"
                                    : " more conversations are not shown; --all shows them");
    page_line(t->page);
}
