#include "host/tree.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *tree_path(const char *root, const char *folder, const char *name)
{
    return g_strdup_printf("%s/%s%s%s", root, folder, name ? "/" : "", name ? name : "");
}

char *tree_text(const char *root, const char *folder, const char *name)
{
    g_autofree char *path = tree_path(root, folder, name);
    g_autofree char *bytes = NULL;
    FILE *file = fopen(path, "re");

    if (!file)
        return NULL;
    bytes = g_malloc(LIMIT_HOST_FILE);
    size_t n = fread(bytes, 1, LIMIT_HOST_FILE, file);
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        return NULL;
    while (n > 0 && bytes[n - 1] == '\n')
        n--;
    return text_dup_utf8(slice_of(bytes, n), n);
}

int64_t tree_number(const char *root, const char *folder, const char *name, int64_t fallback)
{
    g_autofree char *text = tree_text(root, folder, name);
    char *end = NULL;

    if (!text || !*text)
        return fallback;
    int64_t value = strtoll(text, &end, 0);
    return end == text || (*end && !g_ascii_isspace(*end)) ? fallback : value;
}

bool tree_exists(const char *root, const char *folder, const char *name)
{
    g_autofree char *path = tree_path(root, folder, name);

    return access(path, F_OK) == 0;
}

char *tree_link(const char *root, const char *folder, const char *name)
{
    g_autofree char *path = tree_path(root, folder, name);
    g_autofree char *to = g_file_read_link(path, NULL);

    return to ? g_path_get_basename(to) : NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **tree_list(const char *root, const char *folder)
{
    g_autofree char *path = tree_path(root, folder, NULL);
    GPtrArray *names = g_ptr_array_new();
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && names->len < LIMIT_HOST_NAMES && (name = g_dir_read_name(dir)))
        g_ptr_array_add(names, g_strdup(name));
    if (dir)
        g_dir_close(dir);
    if (names->len > 1)
        qsort(names->pdata, names->len, sizeof names->pdata[0], by_name);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}
