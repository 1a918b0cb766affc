/* Two JSON documents, with a 0 between them. What is made of them is text, and JSON again. */
#include "report/comparison.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reports(const struct documents *d)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);

    comparison_documents_text(out, d, &(struct report_options){ .columns = 80, .all = true });
    fflush(out);
    size_t json = n;
    comparison_documents_json(out, d);
    fclose(out);
    g_assert(g_utf8_validate(text, (gssize)n, NULL));
    for (size_t i = 0; i < n; i++)
        g_assert(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
    json_t *again = json_loadb(text + json, n - json, 0, NULL);
    g_assert(again);
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *copy = g_memdup2(data, MAX(size, 1));
    const char *middle = size ? memchr(copy, 0, size) : NULL;
    const char *const sources[2] = { "client", "server" };
    g_autoptr(GError) error = NULL;

    if (!middle)
        return 0;
    const char *const texts[2] = { copy, middle + 1 };
    const size_t sizes[2] = { (size_t)(middle - copy), (size_t)(copy + size - middle - 1) };
    struct documents *d = documents_parse(sources, texts, sizes, &error);
    g_assert((d != NULL) == (error == NULL));
    if (d)
        check_reports(d);
    documents_free(d);
    return 0;
}
