#include "report/json_parts.h"

void json_step_members(struct json *j, const struct rung_step *s)
{
    const struct rung_row *row = rung_row(s->rung);

    json_member(j, "step", string, row->name);
    json_member(j, "layer", string, layer_name(row->layer));
    json_member(j, "status", string, step_status_name(s->status));
    json_member(j, "subject", string, s->subject);
    json_member(j, "text", string, s->text);
    json_member(j, "evidence", string, s->evidence);
    json_member(j, "remedy", string, step_what_to_do(s));
    json_key(j, "notes");
    json_open_array(j);
    for (guint i = 0; i < s->notes->len; i++)
        json_write_string(j, g_ptr_array_index(s->notes, i));
    json_close(j);
    json_key(j, "finding");
    json_finding(j, s->finding);
}
