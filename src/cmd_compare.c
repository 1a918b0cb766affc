/* The command that compares two captures of the same connections, or two reports on them (`tcpsleuth compare CLIENT
 * SERVER [FILTER]`). */
#include "report/comparison.h"
#include "src/command.h"
#include "src/confine.h"
#include "src/memory.h"
#include "src/notice.h"
#include "src/options.h"
#include "src/output.h"
#include "src/progress.h"

/* Frames taken at a time (tracker.h), and how many there are until the progress is shown again. */
#define FRAMES 32
#define PROGRESS_FRAMES 65536

/* What one packet is remembered by, and what a new connection takes. */
#define FRAME_NEEDS 2048

static gboolean read_frames(struct vantage *v, struct capture *c, struct memory *memory, GError **error)
{
    struct progress progress = { 0 };
    bool lasts = true;
    enum capture_status status = CAPTURE_END;
    struct frame frames[FRAMES];
    uint64_t shown = 0;
    size_t n;

    while (lasts && (status = capture_batch(c, frames, FRAMES, &n, error)) == CAPTURE_FRAME) {
        vantage_frames(v, frames, n);
        lasts = memory_lasts(memory, n * FRAME_NEEDS);
        if (v->frames - shown < PROGRESS_FRAMES)
            continue;
        progress_show(&progress, capture_info(c));
        shown = v->frames;
    }
    progress_clear(&progress);
    if (!lasts)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_READ,
                    "memory is at its end after %" G_GUINT64_FORMAT
                    " packets, and the rest of a capture would seem lost: " MEMORY_REMEDY,
                    v->frames);
    return lasts && status != CAPTURE_FAILED;
}

static struct capture *open_file(const char *path, const struct options *o, const char *filter, GError **error)
{
    struct capture *c = capture_open_files(&path, 1, filter, error);

    if (!c || !o->output || !capture_is_input(c, o->output))
        return c;
    options_refuse_overwrite("-o", o->output, error);
    capture_free(c);
    return NULL;
}

/* Everything that one file saw. NULL and *error where it cannot be read. */
static struct vantage *read_file(struct capture *c, const char *path, struct memory *memory, GError **error)
{
    struct vantage *v = vantage_new(path);

    if (!read_frames(v, c, memory, error)) {
        vantage_free(v);
        return NULL;
    }
    vantage_finish(v, capture_info(c));
    if (capture_info(c)->truncated)
        notice("warning: %s", capture_info(c)->truncated_file);
    return v;
}

static gboolean as_json(const struct options *o)
{
    return g_str_equal(o->format->name, "json");
}

/* Frees out. */
static gboolean write_report(const struct comparison *c, const struct options *o, struct output *out, GError **error)
{
    if (as_json(o))
        comparison_json(output_stream(out), c);
    else
        comparison_text(output_stream(out), c, &o->report);
    return output_commit(out, error);
}

/* CONTRACT "Exit status". */
static int status_of(const struct finding *verdict)
{
    return verdict->status == STATUS_BROKEN ? 1 : 0;
}

/* Frees out. */
static gboolean write_documents(const struct documents *d, const struct options *o, struct output *out, GError **error)
{
    if (as_json(o))
        comparison_documents_json(output_stream(out), d);
    else
        comparison_documents_text(output_stream(out), d, &o->report);
    return output_commit(out, error);
}

static int compare_documents(const struct options *o, GError **error)
{
    if (o->words[2] || o->report.flow) {
        g_set_error(error, OPTIONS_ERROR, 0,
                    "compare: a filter and --flow are for captures; leave them out for documents");
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        if (o->output && g_str_equal(o->output, o->words[i])) {
            options_refuse_overwrite("-o", o->output, error);
            return 2;
        }
    }
    size_t sizes[2] = { 0, 0 };
    g_autofree char *first = documents_text(o->words[0], &sizes[0], error);
    g_autofree char *second = first ? documents_text(o->words[1], &sizes[1], error) : NULL;
    struct output *out = second ? output_open(o->output, false, error) : NULL;
    if (!out)
        return 2;
    confine(CONFINE_FILES, NULL);
    struct documents *d =
        documents_parse((const char *const *)o->words, (const char *const[]){ first, second }, sizes, error);
    if (!d) {
        output_abandon(out);
        return 2;
    }
    int status = write_documents(d, o, out, error) ? status_of(d->verdict) : 2;
    documents_free(d);
    return status;
}

/* What the reader should know when there is nothing to compare. */
static void warn(const struct comparison *c, const struct options *o, const char *filter)
{
    if (c->pairs->len > 0 || o->report.flow)
        return;
    if (filter && (c->vantage[0]->frames == 0 || c->vantage[1]->frames == 0))
        notice("warning: the filter \"%s\" lets no packet of %s through; a NAT on the way gives the other end other "
               "addresses",
               filter, o->words[c->vantage[0]->frames ? 1 : 0]);
    else
        notice("warning: no connection is in both %s and %s; capture at both ends at the same time, without a filter "
               "on addresses "
               "that a NAT changes",
               o->words[0], o->words[1]);
}

static gboolean flow_is_there(const struct vantage *v, const struct options *o, GError **error)
{
    if (o->report.flow <= v->flows->len)
        return TRUE;
    g_set_error(error, OPTIONS_ERROR, 0, "--flow %" G_GUINT64_FORMAT ": %s has %u; `tcpsleuth -r %s --all` lists them",
                o->report.flow, o->words[0], v->flows->len, o->words[0]);
    return FALSE;
}

/* Reads both and writes what came of it; frees out. */
static int compare_opened(struct capture *const captures[2], const struct options *o, const char *filter,
                          struct memory *memory, struct output *out, GError **error)
{
    struct vantage *first = read_file(captures[0], o->words[0], memory, error);
    struct vantage *second =
        first && flow_is_there(first, o, error) ? read_file(captures[1], o->words[1], memory, error) : NULL;
    int status = 2;

    if (!second) {
        vantage_free(first);
        output_abandon(out);
        return 2;
    }
    struct comparison *c = comparison_new(first, second, o->report.flow);
    if (write_report(c, o, out, error)) {
        status = status_of(c->verdict);
        warn(c, o, filter);
    }
    comparison_free(c);
    return status;
}

static int compare_captures(const struct options *o, const char *filter, GError **error)
{
    g_autoptr(Capture) first = open_file(o->words[0], o, filter, error);
    g_autoptr(Capture) second = first ? open_file(o->words[1], o, filter, error) : NULL;
    struct output *out = second ? output_open(o->output, false, error) : NULL;

    if (!out)
        return 2;
    struct memory memory;
    memory_open(&memory, MEMORY_KEPT); /* it opens files of the kernel */
    confine(CONFINE_FILES, filter);
    int status = compare_opened((struct capture *const[]){ first, second }, o, filter, &memory, out, error);
    memory_close(&memory);
    return status;
}

int command_compare(const struct options *o, GError **error)
{
    if (g_strv_length(o->words) < 2) {
        g_set_error(error, OPTIONS_ERROR, 0,
                    "compare: name two captures, of the client's end and of the server's: `tcpsleuth compare "
                    "CLIENT.pcap SERVER.pcap`");
        return 2;
    }
    if (g_str_equal(o->words[0], "-") && g_str_equal(o->words[1], "-")) {
        g_set_error(error, OPTIONS_ERROR, 0,
                    "compare: only one of both can be standard input; name a file for the other one");
        return 2;
    }
    if (!g_str_equal(o->format->name, "json") && !g_str_equal(o->format->name, "text")) {
        g_set_error(error, OPTIONS_ERROR, 0, "--format=%s: compare writes text or json", o->format->name);
        return 2;
    }
    g_autofree char *filter = g_strjoinv(" ", o->words + 2);
    confine(CONFINE_OPENING, filter);
    bool first = documents_are_at(o->words[0]), second = documents_are_at(o->words[1]);
    if (first && second)
        return compare_documents(o, error);
    if (first || second) {
        g_set_error(error, OPTIONS_ERROR, 0,
                    "%s: a JSON document, and the other file is none; compare two captures or two documents",
                    o->words[first ? 0 : 1]);
        return 2;
    }
    return compare_captures(o, *filter ? filter : NULL, error);
}
