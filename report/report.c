#include "report/report.h"
#include "report/json_parts.h"
#include "report/text_parts.h"

/* A new format is a file and a row. */
static const struct report_format *const formats[] = { &text_format, &json_format, &ndjson_format };

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

void judged_flow_clear(struct judged_flow *f)
{
    judgement_clear(&f->judgement);
    flow_free(f->flow);
    f->flow = NULL;
}
