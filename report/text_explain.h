/* text_explain: what the catalogue holds of a code (diagnose/explain.h), for people to read: on a terminal, and as the page docs/verdicts.md. */
#ifndef TCPSLEUTH_REPORT_TEXT_EXPLAIN_H
#define TCPSLEUTH_REPORT_TEXT_EXPLAIN_H

#include "diagnose/catalogue.h"
#include "report/page.h"

/* A code with all that is known of it. */
void text_explain(struct page *p, enum code code);

/* All codes, a line each, in order of rank. */
void text_explain_list(struct page *p);

/* All codes as Markdown: out is borrowed, failures stay in ferror(out). */
void text_explain_page(FILE *out);

#endif
