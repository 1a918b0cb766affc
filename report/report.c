#include "report/report.h"
#include "diagnose/judge.h"
#include "report/json_parts.h"
#include "report/text_parts.h"

/* A new format is a file and a row. */
const struct report_format *const report_formats[] = { &text_format, &json_format, &ndjson_format, NULL };

const struct report_format *report_format_find(const char *name)
{
    const struct report_format *const *format = report_formats;

    while (*format && strcmp((*format)->name, name) != 0)
        format++;
    return *format;
}

void judged_flow_clear(struct judged_flow *f)
{
    judgement_clear(&f->judgement);
    flow_free(f->flow);
    f->flow = NULL;
}

void report_weigh(struct report *r, const struct conversation *c)
{
    const struct finding *mine = conversation_verdict(c);

    r->conversations_by_status[mine->status]++;
    if (mine->status < STATUS_DEGRADED || (r->verdict && finding_compare(r->verdict, mine) <= 0))
        return;
    finding_free(r->verdict);
    r->verdict = finding_copy(mine);
}

void report_settle(struct report *r)
{
    if (r->verdict || r->conversations_by_status[STATUS_OK])
        return;
    r->verdict = finding_new(CODE_INCOMPLETE_CAPTURE, WHERE_CAPTURE, "%s",
                             r->conversations_by_status[STATUS_UNKNOWN]
                                 ? "This capture cannot tell how its connections fared."
                                 : "There is nothing to judge in this capture: no TCP connection, no look-up that "
                                   "failed in the end.");
}
