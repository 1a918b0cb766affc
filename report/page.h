/* page: lines of text for a terminal of a given width: columns counted, words wrapped, colours where they are wanted.
 *
 * Text of the project's own (ASCII) goes through page_put; text that came from outside only through page_wrap, which
 * cleans it with text_append_terminal. A line begins with the first thing put and ends with page_line.
 */
#ifndef TCPSLEUTH_REPORT_PAGE_H
#define TCPSLEUTH_REPORT_PAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum page_style { PAGE_PLAIN, PAGE_BOLD, PAGE_DIM, PAGE_RED, PAGE_YELLOW, PAGE_GREEN, PAGE_CYAN };

struct page {
    FILE *out;
    bool color;
    unsigned width;    /* columns of a line */
    unsigned column;   /* columns written of the line at hand */
    GString *text;     /* not yet handed to out */
    GString *cleaned;  /* of page_wrap */
};

/* Begins; width 0: 100 columns; at least 80. End with page_close, which hands the rest to out (borrowed). */
void page_open(struct page *p, FILE *out, unsigned width, bool color);
void page_close(struct page *p);

/* The style of what follows, until the next call. */
void page_style(struct page *p, enum page_style style);

void page_put(struct page *p, const char *ascii);
void page_styled(struct page *p, enum page_style style, const char *ascii); /* and plain behind it */
void page_to(struct page *p, unsigned column);                       /* spaces up to that column, if it lies ahead */
void page_right(struct page *p, unsigned column, const char *ascii); /* ends at that column */
void page_line(struct page *p);                                      /* ends the line */

/* Columns left of the line. */
unsigned page_left(const struct page *p);

/* ASCII, cut to at most max columns, with ".." at its end where it was cut. */
void page_cut(struct page *p, const char *ascii, unsigned max);

/* Words, on as many lines as they need; lines after the first begin at column `indent`. The last line stays open. */
void page_wrap(struct page *p, unsigned indent, const char *outside);

/* A whole paragraph at that indentation, its later lines two columns further in; label: "" or what it begins with. */
void page_paragraph(struct page *p, unsigned indent, const char *label, const char *outside);

#endif
