/* Replays files through a fuzz target, for builds without an engine: the arguments are files, or directories of
 * files. Each file's bytes are handed over in a heap buffer of exactly their size, so that a sanitizer sees every
 * read past the end. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(size ? size : 1);
    if (!f || !bytes || fread(bytes, 1, size, f) != size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    uint8_t *exact = size ? bytes : NULL;
    LLVMFuzzerTestOneInput(exact, size);
    free(bytes);
}

/* Returns how many files were replayed. */
static unsigned replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        perror(path);
        exit(2);
    }
    if (!S_ISDIR(st.st_mode)) {
        replay_file(path, (size_t)st.st_size);
        return 1;
    }
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort);
    unsigned count = 0;
    for (int i = 0; i < n; i++) {
        char *name = NULL;
        if (entries[i]->d_name[0] != '.' && asprintf(&name, "%s/%s", path, entries[i]->d_name) > 0)
            count += replay(name);
        free(name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return count;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    for (int i = 1; i < argc; i++)
        count += replay(argv[i]);
    fprintf(stderr, "%u inputs\n", count);
    return 0;
}
