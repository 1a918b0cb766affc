/* json_parts: the objects of the document (docs/json.md), each written by one function. `_members` functions write what
 * stands between the braces, so that the document and the lines of NDJSON share them.
 */
#ifndef TCPSLEUTH_REPORT_JSON_PARTS_H
#define TCPSLEUTH_REPORT_JSON_PARTS_H

#include "report/json.h"
#include "report/report.h"

#define JSON_SCHEMA 1

void json_finding(struct json *j, const struct finding *f);          /* json_finding.c */
void json_findings(struct json *j, const GPtrArray *findings);       /* NULL gives [] */
void json_app(struct json *j, const struct app_facts *app);          /* json_app.c; NULL: nothing recognised */
void json_flow_members(struct json *j, const struct judged_flow *f); /* json_flow.c */
void json_capture(struct json *j, const struct capture_summary *c);  /* json_document.c */
void json_run_verdict(struct json *j, const struct report *r);
void json_conversation_members(struct json *j, const struct conversation *c);
void json_lookup_members(struct json *j, const struct lookup *l);

/* The writers of report.c's table. */
void report_json_end(FILE *out, const struct report *r, const struct report_options *options);
void report_ndjson_flow(FILE *out, const struct judged_flow *f, const struct report *so_far);
void report_ndjson_conversation(FILE *out, const struct conversation *c, const struct report *so_far);
void report_ndjson_lookup(FILE *out, const struct lookup *l, const struct report *so_far);
void report_ndjson_end(FILE *out, const struct report *r, const struct report_options *options);

#endif
