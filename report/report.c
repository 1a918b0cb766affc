#include "report/report.h"
#include "report/json_parts.h"
#include "report/text_parts.h"

/* A new format is a file and a row. */
static const struct report_format formats[] = {
    { "text", false, NULL, NULL, NULL, report_text_end },
    { "json", false, NULL, NULL, NULL, report_json_end },
    { "ndjson", true, report_ndjson_flow, report_ndjson_conversation, report_ndjson_lookup, report_ndjson_end },
};

const struct report_format *report_format_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
