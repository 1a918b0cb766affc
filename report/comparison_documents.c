/* comparison_documents: `tcpsleuth compare` of two JSON documents: as text, and as a document of its own. */
#include "report/comparison.h"
#include "report/json_parts.h"
#include "report/text_parts.h"

#include <string.h>

/* Without --all. */
#define PAIRS_TOLD 50
#define LONE_TOLD 20

/* --- text --- */

static void put_verdict(struct page *p, const struct finding *f, unsigned indent)
{
    g_autofree char *word = g_ascii_strup(status_name(f->status), -1);
    g_autofree char *sentence = f->status == STATUS_OK
                                    ? g_strdup(f->summary)
                                    : g_strdup_printf("%s [%s]", f->summary, catalogue_row(f->code)->name);

    page_to(p, indent);
    page_styled(p, text_status_style(f->status), word);
    page_put(p, "  ");
    page_wrap(p, p->column, sentence);
    page_line(p);
}

static void put_differences(struct page *p, const GArray *differences, unsigned indent)
{
    for (guint i = 0; i < differences->len; i++) {
        const struct difference *d = &g_array_index(differences, struct difference, i);
        g_autofree char *line = g_strdup_printf("%.200s at the client, %.200s at the server", d->value[0], d->value[1]);
        g_autofree char *label = g_strdup_printf("%s: ", d->what);
        page_paragraph(p, indent, label, line);
    }
}

static void put_pair(struct page *p, const struct document_pair *pair)
{
    g_autofree char *head =
        g_strdup_printf("flow %" G_GUINT64_FORMAT ", %s at the client; flow %" G_GUINT64_FORMAT ", %s at the server",
                        pair->flow[0], pair->ends[0], pair->flow[1], pair->ends[1]);

    page_line(p);
    page_paragraph(p, 2, "", head);
    put_verdict(p, pair->verdict, 4);
    put_differences(p, pair->differences, 4);
}

static void put_lone(struct page *p, const struct document_lone *l)
{
    g_autofree char *line = g_strdup_printf("flow %" G_GUINT64_FORMAT ", %s", l->flow, l->ends);

    page_paragraph(p, 2, l->file == 0 ? "only at the client: " : "only at the server: ", line);
    if (l->finding)
        put_verdict(p, l->finding, 4);
}

static void put_more(struct page *p, guint all, guint told)
{
    g_autofree char *more = g_strdup_printf("... and %u more; --all tells all", all - told);

    if (all > told)
        page_paragraph(p, 2, "", more);
}

void comparison_documents_text(FILE *out, const struct documents *d, const struct report_options *options)
{
    guint pairs = options->all ? d->pairs->len : MIN(d->pairs->len, PAIRS_TOLD);
    guint lone = options->all ? d->lone->len : MIN(d->lone->len, LONE_TOLD);
    struct page p;

    page_open(&p, out, options->columns, options->color);
    for (int i = 0; i < 2; i++) {
        g_autofree char *line = g_strdup_printf("%s: %" G_GUINT64_FORMAT " %s", d->source[i], d->flows[i],
                                                d->flows[i] == 1 ? "flow" : "flows");
        page_paragraph(&p, 0, "", line);
    }
    page_line(&p);
    put_verdict(&p, d->verdict, 0);
    for (guint i = 0; i < pairs && !options->quiet; i++)
        put_pair(&p, g_ptr_array_index(d->pairs, i));
    put_more(&p, d->pairs->len, options->quiet ? d->pairs->len : pairs);
    if (d->ladder->len && !options->quiet) {
        page_line(&p);
        page_paragraph(&p, 2, "", "steps of the ladder that differ");
        put_differences(&p, d->ladder, 4);
    }
    if (lone && !options->quiet)
        page_line(&p);
    for (guint i = 0; i < lone && !options->quiet; i++)
        put_lone(&p, &g_array_index(d->lone, struct document_lone, i));
    put_more(&p, d->lone->len, options->quiet ? d->lone->len : lone);
    page_close(&p);
}

/* --- JSON --- */

/* The texts are JSON that jansson wrote. */
static void value(struct json *j, const char *text)
{
    size_t n = strlen(text);

    if (n > JSON_BUFFER / 2) {
        json_write_string(j, "(too long)");
        return;
    }
    json_put(j, text, n);
    json_put(j, ",", 1);
}

static void differences(struct json *j, const GArray *all)
{
    json_open_array(j);
    for (guint i = 0; i < all->len; i++) {
        const struct difference *d = &g_array_index(all, struct difference, i);
        json_open_object(j);
        json_member(j, "what", string, d->what);
        json_key(j, "client");
        value(j, d->value[0]);
        json_key(j, "server");
        value(j, d->value[1]);
        json_close(j);
    }
    json_close(j);
}

static void documents_head(struct json *j, const struct documents *d)
{
    static const char *const keys[] = { "client", "server" };

    json_member(j, "schema", uint, JSON_SCHEMA);
    json_member(j, "version", string, TCPSLEUTH_VERSION);
    json_key(j, "documents");
    json_open_object(j);
    for (int i = 0; i < 2; i++) {
        json_key_of(j, keys[i]);
        json_open_object(j);
        json_member(j, "source", string, d->source[i]);
        json_member(j, "flows", uint, d->flows[i]);
        json_close(j);
    }
    json_close(j);
    json_key(j, "verdict");
    json_finding(j, d->verdict);
}

static void pairs(struct json *j, const struct documents *d)
{
    json_key(j, "pairs");
    json_open_array(j);
    for (guint i = 0; i < d->pairs->len; i++) {
        const struct document_pair *p = g_ptr_array_index(d->pairs, i);
        json_break(j);
        json_open_object(j);
        json_member(j, "client_flow", number_or_null, p->flow[0]);
        json_member(j, "server_flow", number_or_null, p->flow[1]);
        json_member(j, "client_ends", string, p->ends[0]);
        json_member(j, "server_ends", string, p->ends[1]);
        json_key(j, "differences");
        differences(j, p->differences);
        json_key(j, "verdict");
        json_finding(j, p->verdict);
        json_close(j);
    }
    json_close(j);
}

static void unpaired(struct json *j, const struct documents *d)
{
    json_key(j, "unpaired");
    json_open_array(j);
    for (guint i = 0; i < d->lone->len; i++) {
        const struct document_lone *l = &g_array_index(d->lone, struct document_lone, i);
        json_break(j);
        json_open_object(j);
        json_member(j, "document", string, l->file == 0 ? "client" : "server");
        json_member(j, "flow", number_or_null, l->flow);
        json_member(j, "ends", string, l->ends);
        json_key(j, "finding");
        json_finding(j, l->finding);
        json_close(j);
    }
    json_close(j);
}

void comparison_documents_json(FILE *out, const struct documents *d)
{
    struct json *j = g_new(struct json, 1);

    json_start(j, out, false);
    json_open_object(j);
    documents_head(j, d);
    pairs(j, d);
    unpaired(j, d);
    json_key(j, "ladder");
    differences(j, d->ladder);
    json_close(j);
    json_end_line(j);
    json_finish(j);
    g_free(j);
}
