/* host_tree: small trees of files for the readers of host/: a machine that is not this one. */
#ifndef TCPSLEUTH_TESTS_HOST_TREE_H
#define TCPSLEUTH_TESTS_HOST_TREE_H

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A file; with a text that begins with "-> " a symbolic link to what follows. Folders come by themselves. */
struct tree_file {
    const char *path, *text;
};

static inline void tree_add(const char *root, const char *path, const char *text)
{
    g_autofree char *whole = g_build_filename(root, path, NULL), *folder = g_path_get_dirname(whole);

    g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
    if (g_str_has_prefix(text, "-> "))
        g_assert_cmpint(symlink(text + 3, whole), ==, 0);
    else
        g_assert_true(g_file_set_contents(whole, text, -1, NULL));
}

/* A new folder with these files; remove it with tree_remove. */
static inline char *tree_make(const struct tree_file *files, size_t n)
{
    char *root = g_dir_make_tmp("sleuth-tree-XXXXXX", NULL);

    g_assert_nonnull(root);
    for (size_t i = 0; i < n; i++)
        tree_add(root, files[i].path, files[i].text);
    return root;
}

static inline void tree_remove_below(const char *path)
{
    GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        tree_remove_below(child);
    }
    if (dir)
        g_dir_close(dir);
    g_remove(path);
}

static inline void tree_remove(char *root)
{
    tree_remove_below(root);
    g_free(root);
}

#endif
