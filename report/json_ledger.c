#include "report/json_parts.h"

#include "diagnose/ledger.h"

static void line(struct json *j, const struct ledger_line *l)
{
    json_open_object(j);
    json_member(j, "text", string, l->text);
    json_key(j, "packets");
    json_open_array(j);
    for (int i = 0; i < LEDGER_PACKETS && l->packets[i]; i++)
        json_write_uint(j, l->packets[i]);
    json_close(j);
    json_key(j, "excludes");
    json_open_array(j);
    for (int i = 0; i < LEDGER_EXCLUDES && l->excludes[i]; i++)
        json_write_string(j, catalogue_row(l->excludes[i])->name);
    json_close(j);
    json_close(j);
}

static void code(struct json *j, const struct ledger_code *c)
{
    json_open_object(j);
    json_member(j, "code", string, catalogue_row(c->code)->name);
    json_member(j, "outcome", string, considered_name(c->how));
    json_member(j, "why", string, c->why);
    json_close(j);
}

void json_ledger(struct json *j, const struct ledger *l)
{
    json_open_object(j);
    json_key(j, "observed");
    json_open_array(j);
    for (guint i = 0; i < l->lines->len; i++)
        line(j, &g_array_index(l->lines, struct ledger_line, i));
    json_close(j);
    json_key(j, "considered");
    json_open_array(j);
    for (guint i = 0; i < l->codes->len; i++)
        code(j, &g_array_index(l->codes, struct ledger_code, i));
    json_close(j);
    json_close(j);
}
