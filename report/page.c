#include "report/page.h"
#include "base/text.h"

#include <string.h>

#define FLUSH_BYTES (32u << 10)
#define DEFAULT_WIDTH 100
#define LEAST_WIDTH 80

void page_open(struct page *p, FILE *out, unsigned width, bool color)
{
    p->out = out;
    p->color = color;
    p->width = width == 0 ? DEFAULT_WIDTH : MAX(width, LEAST_WIDTH);
    p->column = 0;
    p->text = g_string_sized_new(FLUSH_BYTES + 1024);
    p->cleaned = g_string_new(NULL);
}

static void flush(struct page *p)
{
    fwrite(p->text->str, 1, p->text->len, p->out); /* a failure stays in ferror(out) */
    g_string_truncate(p->text, 0);
}

void page_close(struct page *p)
{
    flush(p);
    g_string_free(p->text, TRUE);
    g_string_free(p->cleaned, TRUE);
}

void page_style(struct page *p, enum page_style style)
{
    static const char *const codes[] = {
        [PAGE_PLAIN] = "\033[0m",   [PAGE_BOLD] = "\033[1m",   [PAGE_DIM] = "\033[2m",   [PAGE_RED] = "\033[1;31m",
        [PAGE_YELLOW] = "\033[33m", [PAGE_GREEN] = "\033[32m", [PAGE_CYAN] = "\033[36m",
    };

    if (p->color)
        g_string_append(p->text, codes[style]);
}

/* n columns in as many bytes. */
static void put_bytes(struct page *p, const char *bytes, size_t n)
{
    g_string_append_len(p->text, bytes, (gssize)n);
    p->column += (unsigned)n;
}

void page_put(struct page *p, const char *ascii)
{
    put_bytes(p, ascii, strlen(ascii));
}

void page_styled(struct page *p, enum page_style style, const char *ascii)
{
    page_style(p, style);
    page_put(p, ascii);
    page_style(p, PAGE_PLAIN);
}

void page_to(struct page *p, unsigned column)
{
    while (p->column < column)
        put_bytes(p, " ", 1);
}

void page_right(struct page *p, unsigned column, const char *ascii)
{
    size_t n = strlen(ascii);

    if (n < column)
        page_to(p, column - (unsigned)n);
    page_put(p, ascii);
}

void page_line(struct page *p)
{
    while (p->text->len > 0 && p->text->str[p->text->len - 1] == ' ')
        g_string_truncate(p->text, p->text->len - 1);
    g_string_append_c(p->text, '\n');
    p->column = 0;
    if (p->text->len >= FLUSH_BYTES)
        flush(p);
}

unsigned page_left(const struct page *p)
{
    return p->column < p->width ? p->width - p->column : 0;
}

void page_cut(struct page *p, const char *ascii, unsigned max)
{
    size_t n = strlen(ascii);

    if (n <= max) {
        put_bytes(p, ascii, n);
    } else if (max > 2) {
        put_bytes(p, ascii, max - 2);
        put_bytes(p, "..", 2);
    }
}

/* A character on a terminal; `next` is set behind it. */
static unsigned columns_of(const char *s, const char **next)
{
    if ((unsigned char)*s < 0x80) {
        *next = s + 1;
        return 1;
    }
    gunichar ch = g_utf8_get_char(s);
    *next = g_utf8_next_char(s);
    return g_unichar_iszerowidth(ch) ? 0 : g_unichar_iswide(ch) ? 2 : 1;
}

static void next_line(struct page *p, unsigned indent)
{
    page_line(p);
    page_to(p, indent);
}

/* A word of so many columns, over several lines where it is wider than one. */
static void put_word(struct page *p, const char *word, const char *end, unsigned columns, unsigned indent)
{
    if (columns <= page_left(p)) {
        g_string_append_len(p->text, word, end - word);
        p->column += columns;
        return;
    }
    while (word < end) {
        const char *next;
        unsigned wide = columns_of(word, &next);
        if (page_left(p) < wide)
            next_line(p, indent);
        g_string_append_len(p->text, word, next - word);
        p->column += wide;
        word = next;
    }
}

static unsigned word_columns(const char *word, const char *end)
{
    unsigned columns = 0;

    while (word < end)
        columns += columns_of(word, &word);
    return columns;
}

void page_wrap(struct page *p, unsigned indent, const char *outside)
{
    g_string_truncate(p->cleaned, 0);
    text_append_terminal(p->cleaned, slice_of(outside, strlen(outside)));

    bool first = true;
    for (const char *word = p->cleaned->str; *word;) {
        const char *end = word + strcspn(word, " ");
        unsigned columns = word_columns(word, end);
        unsigned gap = first ? 0 : 1;
        if (columns + gap > page_left(p) && p->column > indent && columns <= p->width - indent)
            next_line(p, indent);
        else if (gap && page_left(p) > 0)
            put_bytes(p, " ", 1);
        put_word(p, word, end, columns, indent);
        first = false;
        word = end + strspn(end, " ");
    }
}

void page_paragraph(struct page *p, unsigned indent, const char *label, const char *outside)
{
    page_to(p, indent);
    if (*label)
        page_styled(p, PAGE_DIM, label);
    page_wrap(p, indent + 2, outside);
    page_line(p);
}
