/* json_parts: the objects of the document (docs/json.md), each written by one function. `_members` functions write what
 * stands between the braces, so that the document and the lines of NDJSON share them.
 */
#ifndef TCPSLEUTH_REPORT_JSON_PARTS_H
#define TCPSLEUTH_REPORT_JSON_PARTS_H

#include "report/json.h"
#include "report/report.h"

#define JSON_SCHEMA 1

void json_finding(struct json *j, const struct finding *f);          /* json_finding.c; NULL gives null */
void json_finding_members(struct json *j, const struct finding *f);
void json_findings(struct json *j, const GPtrArray *findings);       /* NULL gives [] */
void json_app(struct json *j, const struct app_facts *app);          /* json_app.c; NULL: nothing recognised */
void json_flow_members(struct json *j, const struct judged_flow *f); /* json_flow.c */
void json_lookup_members(struct json *j, const struct lookup *l);    /* json_conversation.c */
void json_conversation_members(struct json *j, const struct conversation *c); /* all but the id, which comes first */
void json_probe_members(struct json *j, const struct probe_result *p);        /* json_probe.c */
void json_step_members(struct json *j, const struct rung_step *s);
void json_ledger(struct json *j, const struct ledger *l);            /* json_ledger.c */
void json_capture(struct json *j, const struct capture_summary *c);  /* json_capture.c */
void json_run_verdict(struct json *j, const struct report *r);

/* The rows of report.c's table. */
extern const struct report_format json_format, ndjson_format;

#endif
