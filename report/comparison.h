/* comparison: the report of `tcpsleuth compare`: as text for people, or as one JSON document (docs/json.md).
 */
#ifndef TCPSLEUTH_REPORT_COMPARISON_H
#define TCPSLEUTH_REPORT_COMPARISON_H

#include "compare/compare.h"
#include "compare/documents.h"
#include "report/report.h"

#include <stdio.h>

/* Of two captures. What could not be written stays in ferror(out). */
void comparison_text(FILE *out, const struct comparison *c, const struct report_options *options);
void comparison_json(FILE *out, const struct comparison *c);

/* Of two documents. */
void comparison_documents_text(FILE *out, const struct documents *d, const struct report_options *options);
void comparison_documents_json(FILE *out, const struct documents *d);

#endif
