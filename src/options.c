#include "src/options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

G_DEFINE_QUARK(options-error-quark, options_error)

/* What GOption fills in, before it is looked at. */
struct raw {
    struct options *o;
    char *format, *color;
    char **words;
    gboolean json, all, verbose, quiet, list, passive, confirm, version, ignored;
    gint64 flow, count;
    gint snaplen, buffer;
};

static gboolean set_color(struct raw *r, GError **error)
{
    const char *how = r->color ? r->color : "auto";

    if (g_str_equal(how, "always")) {
        r->o->report.color = true;
    } else if (g_str_equal(how, "auto")) {
        const char *no_color = getenv("NO_COLOR");
        r->o->report.color = !r->o->output && isatty(STDOUT_FILENO) && !(no_color && *no_color);
    } else if (!g_str_equal(how, "never")) {
        g_set_error(error, OPTIONS_ERROR, 0, "--color=%s: not one of auto, always, never", how);
        return FALSE;
    }
    return TRUE;
}

static gboolean set_format(struct raw *r, GError **error)
{
    const char *name = r->json ? "json" : r->format ? r->format : "text";

    r->o->format = report_format_find(name);
    if (!r->o->format)
        g_set_error(error, OPTIONS_ERROR, 0, "--format=%s: not one of text, json, ndjson", name);
    return r->o->format != NULL;
}

static gboolean set_numbers(struct raw *r, GError **error)
{
    struct winsize window;

    if (r->flow < 0 || r->count < 0) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s must be a positive number", r->flow < 0 ? "--flow" : "-c");
        return FALSE;
    }
    r->o->report.flow = (uint64_t)r->flow;
    r->o->count = r->count;
    r->o->report.columns = 100;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 60)
        r->o->report.columns = MIN(window.ws_col, 200);
    return TRUE;
}

static gboolean settle(struct raw *r, GError **error)
{
    struct options *o = r->o;

    o->report.all = r->all;
    o->report.verbose = r->verbose;
    o->report.quiet = r->quiet;
    o->list_interfaces = r->list;
    o->passive = r->passive;
    o->confirm = r->confirm;
    o->version = r->version;
    if (r->words)
        o->filter = g_strjoinv(" ", r->words);
    return set_format(r, error) && set_color(r, error) && set_numbers(r, error);
}

struct options *options_parse(int argc, char **argv, GError **error)
{
    struct options *o = g_new0(struct options, 1);
    struct raw r = { .o = o };
    const GOptionEntry entries[] = {
        { "read", 'r', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files, "Read a capture (pcap, pcapng; gzip or zstd of them; - is standard input)", "FILE" },
        { "interface", 'i', 0, G_OPTION_ARG_STRING, &o->interface, "Capture live (not in this version)", "IFACE" },
        { "format", 0, 0, G_OPTION_ARG_STRING, &r.format, "Report as text (default), json or ndjson", "FORMAT" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &r.json, "The same as --format=json", NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output, "Write the report to FILE", "FILE" },
        { "write", 'w', 0, G_OPTION_ARG_FILENAME, &o->save, "Save the packets read (pcapng where FILE ends so)", "FILE" },
        { "all", 'a', 0, G_OPTION_ARG_NONE, &r.all, "List every flow, healthy ones too", NULL },
        { "flow", 0, 0, G_OPTION_ARG_INT64, &r.flow, "Draw the packets of flow N as a ladder", "N" },
        { "count", 'c', 0, G_OPTION_ARG_INT64, &r.count, "Stop after COUNT packets", "COUNT" },
        { "duration", 0, 0, G_OPTION_ARG_INT, &o->duration, "Stop a live capture after SECONDS", "SECONDS" },
        { "keylog", 0, 0, G_OPTION_ARG_FILENAME, &o->keylog, "TLS secrets, SSLKEYLOGFILE format (not in this version)", "FILE" },
        { "passive", 0, 0, G_OPTION_ARG_NONE, &r.passive, "Send nothing at all", NULL },
        { "confirm", 0, 0, G_OPTION_ARG_NONE, &r.confirm, "Probe the servers of broken conversations (not in this version)", NULL },
        { "color", 0, 0, G_OPTION_ARG_STRING, &r.color, "auto (default), always or never", "WHEN" },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &r.verbose, "More detail", NULL },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &r.quiet, "Less: the verdicts only", NULL },
        { "list-interfaces", 'D', 0, G_OPTION_ARG_NONE, &r.list, "List the interfaces (not in this version)", NULL },
        { "snapshot-length", 's', 0, G_OPTION_ARG_INT, &r.snaplen, "For live captures", "BYTES" },
        { "no-promiscuous-mode", 'p', 0, G_OPTION_ARG_NONE, &r.ignored, "For live captures", NULL },
        { "buffer-size", 'B', 0, G_OPTION_ARG_INT, &r.buffer, "For live captures", "KIB" },
        { "no-names", 'n', 0, G_OPTION_ARG_NONE, &r.ignored, "Accepted: names are never looked up", NULL },
        { "version", 'V', 0, G_OPTION_ARG_NONE, &r.version, "Print the version", NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &r.words, NULL, "[FILTER]" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- where does this conversation break, why, and what to do now");
    g_auto(GStrv) arguments = g_new0(char *, (gsize)argc + 1);

    for (int i = 0; i < argc; i++)
        arguments[i] = g_strdup(argv[i]);
    g_option_context_add_main_entries(context, entries, NULL);
    gboolean good = g_option_context_parse_strv(context, &arguments, error) && settle(&r, error);
    g_free(r.format);
    g_free(r.color);
    g_strfreev(r.words);
    if (good)
        return o;
    options_free(o);
    return NULL;
}

void options_free(struct options *o)
{
    if (!o)
        return;
    g_strfreev(o->files);
    g_free(o->interface);
    g_free(o->output);
    g_free(o->save);
    g_free(o->keylog);
    g_free(o->filter);
    g_free(o);
}
