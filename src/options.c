#include "src/options.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

G_DEFINE_QUARK(options - error - quark, options_error)

/* What GOption fills in, before it is looked at. */
struct raw {
    struct options *o;
    char *format, *color;
    char **words;
    gboolean json, all, verbose, quiet, list, passive, confirm, server, version, help, ignored;
    gint64 flow, count, duration;
    gint ignored_number;
};

#define NOT_GIVEN G_MININT64

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

/* A number that was given must count something: -c 0 is a slip, not "no limit". */
static gboolean is_positive(const char *option, gint64 value, GError **error)
{
    if (value > 0 || value == NOT_GIVEN)
        return TRUE;
    g_set_error(error, OPTIONS_ERROR, 0, "%s %" G_GINT64_FORMAT ": it must be 1 or more", option, value);
    return FALSE;
}

static gboolean set_numbers(struct raw *r, GError **error)
{
    struct winsize window;

    if (!is_positive("--flow", r->flow, error) || !is_positive("-c", r->count, error) ||
        !is_positive("--duration", r->duration, error))
        return FALSE;
    r->o->report.flow = (uint64_t)MAX(r->flow, 0);
    r->o->count = MAX(r->count, 0);
    r->o->duration = MAX(r->duration, 0);
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
    o->server = r->server;
    o->version = r->version;
    if (r->words)
        o->filter = g_strjoinv(" ", r->words);
    return set_format(r, error) && set_color(r, error) && set_numbers(r, error);
}

static const char summary[] =
    "Reads captures and says where each TCP conversation breaks, why, and what to do now.\n"
    "FILTER is in the syntax of pcap-filter(7); options may stand before or after it, -- ends them.";

static const char description[] = "Exit status: 0 nothing is broken; 1 something is; 2 the work could not be done, and "
                                  "one line on standard error says why.\n"
                                  "Accepted without effect here: -n, -p, -s, -B, --duration, --passive. Not in this "
                                  "version: -i, -D, --keylog, --confirm, check, probe.\n"
                                  "\n"
                                  "  tcpsleuth -r x.pcapng                      what is broken in this capture?\n"
                                  "  tcpsleuth -r x.pcapng host 192.0.2.80      only what this host had to do with it\n"
                                  "  tcpsleuth -r x.pcapng --flow 3             draw the packets of flow 3\n"
                                  "  tcpdump -i any -w - | tcpsleuth -r -       from a pipe\n";

/* The options, as GOption wants them; hidden ones are those without an effect in this version. */
static gboolean parse_into(struct raw *r, char ***arguments, GError **error)
{
    const int later = G_OPTION_FLAG_HIDDEN;
    struct options *o = r->o;
    const GOptionEntry entries[] = {
        { "read", 'r', 0, G_OPTION_ARG_FILENAME_ARRAY, &o->files,
          "Read a capture (pcap, pcapng and others, also in gzip or zstd); - is standard input", "FILE" },
        { "format", 0, 0, G_OPTION_ARG_FILENAME, &r->format, "Report as text (default), json or ndjson", "FORMAT" },
        { "json", 0, 0, G_OPTION_ARG_NONE, &r->json, "The same as --format=json", NULL },
        { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o->output, "Write the report to FILE", "FILE" },
        { "write", 'w', 0, G_OPTION_ARG_FILENAME, &o->save, "Save the packets read (pcapng where FILE ends so)",
          "FILE" },
        { "count", 'c', 0, G_OPTION_ARG_INT64, &r->count, "Stop after COUNT packets", "COUNT" },
        { "all", 'a', 0, G_OPTION_ARG_NONE, &r->all, "List every flow, healthy ones too", NULL },
        { "flow", 0, 0, G_OPTION_ARG_INT64, &r->flow, "Draw the packets of flow N as a ladder", "N" },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &r->verbose, "More detail", NULL },
        { "quiet", 'q', 0, G_OPTION_ARG_NONE, &r->quiet, "Less: the verdicts only", NULL },
        { "color", 0, 0, G_OPTION_ARG_FILENAME, &r->color, "auto (default), always or never", "WHEN" },
        { "version", 'V', 0, G_OPTION_ARG_NONE, &r->version, "Print the version", NULL },
        { "help", 'h', 0, G_OPTION_ARG_NONE, &r->help, "Print this", NULL },
        { "interface", 'i', later, G_OPTION_ARG_FILENAME, &o->interface, NULL, NULL },
        { "list-interfaces", 'D', later, G_OPTION_ARG_NONE, &r->list, NULL, NULL },
        { "duration", 0, later, G_OPTION_ARG_INT64, &r->duration, NULL, NULL },
        { "snapshot-length", 's', later, G_OPTION_ARG_INT, &r->ignored_number, NULL, NULL },
        { "buffer-size", 'B', later, G_OPTION_ARG_INT, &r->ignored_number, NULL, NULL },
        { "no-promiscuous-mode", 'p', later, G_OPTION_ARG_NONE, &r->ignored, NULL, NULL },
        { "no-names", 'n', later, G_OPTION_ARG_NONE, &r->ignored, NULL, NULL },
        { "keylog", 0, later, G_OPTION_ARG_FILENAME, &o->keylog, NULL, NULL },
        { "passive", 0, later, G_OPTION_ARG_NONE, &r->passive, NULL, NULL },
        { "confirm", 0, later, G_OPTION_ARG_NONE, &r->confirm, NULL, NULL },
        { "server", 0, later, G_OPTION_ARG_NONE, &r->server, NULL, NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &r->words, NULL, "-r FILE [FILTER]" },
        { NULL, 0, 0, 0, NULL, NULL, NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) why = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_summary(context, summary);
    g_option_context_set_description(context, description);
    if (!g_option_context_parse_strv(context, arguments, &why)) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s; `tcpsleuth --help` lists the options", why->message);
        return FALSE;
    }
    if (r->help)
        o->help = g_option_context_get_help(context, TRUE, NULL);
    return TRUE;
}

struct options *options_parse(int argc, char **argv, GError **error)
{
    struct options *o = g_new0(struct options, 1);
    struct raw r = { .o = o, .flow = NOT_GIVEN, .count = NOT_GIVEN, .duration = NOT_GIVEN };
    g_auto(GStrv) arguments = g_new0(char *, (gsize)argc + 1);

    for (int i = 0; i < argc; i++)
        arguments[i] = g_strdup(argv[i]);
    gboolean good = parse_into(&r, &arguments, error) && (o->help || settle(&r, error));
    g_free(r.format);
    g_free(r.color);
    g_strfreev(r.words);
    if (good)
        return o;
    options_free(o);
    return NULL;
}

bool options_first_word_is(const struct options *o, const char *word)
{
    size_t n = strlen(word);
    return o->filter && strncmp(o->filter, word, n) == 0 && (o->filter[n] == '\0' || o->filter[n] == ' ');
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
    g_free(o->help);
    g_free(o);
}
