/* documents_file: the documents as they lie on disk. */
#include "base/limits.h"
#include "compare/documents.h"

#include <stdio.h>
#include <string.h>

gboolean documents_are_at(const char *path)
{
    char head[64] = "";
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(head, 1, sizeof head - 1, file) : 0;

    if (file)
        fclose(file);
    return n > 0 && head[strspn(head, " \t\r\n")] == '{';
}

char *documents_text(const char *path, size_t *size, GError **error)
{
    char *text = NULL;

    if (!g_file_get_contents(path, &text, size, error))
        return NULL;
    if (*size <= LIMIT_DOCUMENT_BYTES)
        return text;
    g_set_error(error, DOCUMENTS_ERROR, 0,
                "%s: more than %u MB; compare the captures themselves, or write it with a filter", path,
                LIMIT_DOCUMENT_BYTES >> 20);
    g_free(text);
    return NULL;
}
