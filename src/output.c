#include "src/output.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK(output-error-quark, output_error)

#define BUFFER_BYTES (256 * 1024)

struct output {
    FILE *stream;
    char *path, *temporary; /* NULL: standard output, or something that is no regular file */
};

/* A pipe, a terminal, /dev/null: written to as it is. */
static gboolean is_special(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

struct output *output_open(const char *path, GError **error)
{
    struct output *o = g_new0(struct output, 1);

    if (!path || g_str_equal(path, "-")) {
        o->stream = stdout;
    } else if (is_special(path)) {
        o->path = g_strdup(path);
        o->stream = fopen(path, "w");
    } else {
        o->path = g_strdup(path);
        o->temporary = g_strdup_printf("%s.%ld.tmp", path, (long)getpid());
        o->stream = fopen(o->temporary, "wx");
    }
    if (!o->stream) {
        g_set_error(error, OUTPUT_ERROR, 0, "%s: cannot write the report there: %s", path, g_strerror(errno));
        g_clear_pointer(&o->temporary, g_free);
        output_abandon(o);
        return NULL;
    }
    setvbuf(o->stream, NULL, _IOFBF, BUFFER_BYTES);
    return o;
}

FILE *output_stream(struct output *o)
{
    return o->stream;
}

static void output_free(struct output *o)
{
    g_free(o->path);
    g_free(o->temporary);
    g_free(o);
}

gboolean output_commit(struct output *o, GError **error)
{
    gboolean good = !ferror(o->stream);

    good = fflush(o->stream) == 0 && good;
    if (o->stream != stdout)
        good = fclose(o->stream) == 0 && good;
    if (good && o->temporary)
        good = rename(o->temporary, o->path) == 0;
    if (!good) {
        g_set_error(error, OUTPUT_ERROR, 0, "%s: writing the report failed: %s", o->path ? o->path : "standard output", g_strerror(errno));
        if (o->temporary)
            unlink(o->temporary);
    }
    output_free(o);
    return good;
}

void output_abandon(struct output *o)
{
    if (!o)
        return;
    if (o->stream && o->stream != stdout)
        fclose(o->stream);
    if (o->temporary)
        unlink(o->temporary);
    output_free(o);
}
