#include "report/json_parts.h"

static void place(struct json *j, const struct detail *d, int i)
{
    json_open_object(j);
    json_key(j, "ttl");
    if (i == 1 && d->ttl[i] == 0)
        json_write_null(j);
    else
        json_write_uint(j, d->ttl[i]);
    json_member(j, "addr", string, d->addr[i]);
    json_close(j);
}

static void hop(struct json *j, const struct detail *d)
{
    json_open_object(j);
    json_key(j, "after");
    place(j, d, 0);
    json_key(j, "at");
    place(j, d, 1);
    json_close(j);
}

static void detail(struct json *j, const struct detail *d)
{
    json_key_of(j, d->key);
    switch (d->kind) {
    case DETAIL_TEXT:
        json_write_string(j, d->text);
        break;
    case DETAIL_NUMBER:
        json_write_int(j, d->number);
        break;
    case DETAIL_SECONDS:
        json_write_seconds(j, d->number);
        break;
    case DETAIL_LIST:
        json_write_strings(j, d->list);
        break;
    case DETAIL_HOP: hop(j, d); break;
    }
}

static void details(struct json *j, const GArray *all)
{
    json_key(j, "detail");
    if (!all || all->len == 0) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    for (guint i = 0; i < all->len; i++)
        detail(j, &g_array_index(all, struct detail, i));
    json_close(j);
}

static void evidence(struct json *j, const struct finding *f)
{
    json_key(j, "evidence");
    json_open_array(j);
    for (unsigned i = 0; i < f->n_evidence; i++)
        json_write_uint(j, f->evidence[i]);
    json_close(j);
}

/* finding_ok() in one piece: what nearly every connection and conversation has. */
#define OK \
    "{\"status\":\"ok\",\"code\":\"ok\",\"layer\":null,\"where\":null,\"confidence\":\"certain\"," \
    "\"summary\":\"Nothing wrong was seen.\",\"evidence\":[],\"remedy\":null,\"detail\":null},"

void json_finding(struct json *j, const struct finding *f)
{
    if (f == finding_ok()) {
        json_put(j, OK, sizeof OK - 1);
        return;
    }
    if (!f) {
        json_write_null(j);
        return;
    }
    json_open_object(j);
    json_finding_members(j, f);
    json_close(j);
}

void json_finding_members(struct json *j, const struct finding *f)
{
    const struct catalogue_row *row = catalogue_row(f->code);

    json_member(j, "status", string, status_name(f->status));
    json_member(j, "code", string, row->name);
    json_member(j, "layer", string, layer_name(row->layer));
    json_member(j, "where", string, where_name(f->where));
    json_member(j, "confidence", string, confidence_name(f->confidence));
    json_member(j, "summary", string, f->summary);
    evidence(j, f);
    json_member(j, "remedy", string, f->status == STATUS_OK ? NULL : f->own_remedy ? f->own_remedy : f->remedy);
    details(j, f->details);
}

void json_findings(struct json *j, const GPtrArray *findings)
{
    json_open_array(j);
    for (guint i = 0; findings && i < findings->len; i++)
        json_finding(j, g_ptr_array_index(findings, i));
    json_close(j);
}
