#include "src/options_table.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

G_DEFINE_QUARK(options - error - quark, options_error)

void options_refuse_overwrite(const char *option, const char *file, GError **error)
{
    g_set_error(error, OPTIONS_ERROR, 0, "%s: it is read, and %s would overwrite it; name another file for %s", file, option,
                option);
}

static gboolean set_color(struct raw_options *r, GError **error)
{
    const char *how = r->color ? r->color : "auto";

    if (g_str_equal(how, "always")) {
        r->o.report.color = true;
    } else if (g_str_equal(how, "auto")) {
        const char *no_color = getenv("NO_COLOR");
        r->o.report.color = !r->o.output && isatty(STDOUT_FILENO) && !(no_color && *no_color);
    } else if (!g_str_equal(how, "never")) {
        g_set_error(error, OPTIONS_ERROR, 0, "--color=%s: not one of auto, always, never", how);
        return FALSE;
    }
    return TRUE;
}

static gboolean set_format(struct raw_options *r, GError **error)
{
    const char *name = r->json ? "json" : r->format ? r->format : "text";

    r->o.format = report_format_find(name);
    if (r->o.format)
        return TRUE;
    g_autoptr(GString) known = g_string_new(NULL);
    for (const struct report_format *const *format = report_formats; *format; format++)
        g_string_append_printf(known, "%s%s", known->len ? ", " : "", (*format)->name);
    g_set_error(error, OPTIONS_ERROR, 0, "--format=%s: not one of %s", name, known->str);
    return FALSE;
}

/* A number that was given must count something: -c 0 is a slip, not "no limit". */
static gboolean is_positive(const char *option, gint64 value, GError **error)
{
    if (value > 0 || value == NOT_GIVEN)
        return TRUE;
    g_set_error(error, OPTIONS_ERROR, 0, "%s %" G_GINT64_FORMAT ": it must be 1 or more", option, value);
    return FALSE;
}

/* libpcap counts its bytes in an int. */
#define BUFFER_KIB_MOST ((2 << 20) - 1)

static gboolean set_numbers(struct raw_options *r, GError **error)
{
    struct options *o = &r->o;
    struct winsize window;

    if (!is_positive("--flow", r->flow, error) || !is_positive("-c", r->count, error) ||
        !is_positive("--duration", r->duration, error) || !is_positive("-B", r->buffer, error))
        return FALSE;
    if (r->buffer > BUFFER_KIB_MOST) {
        g_set_error(error, OPTIONS_ERROR, 0, "-B %" G_GINT64_FORMAT ": it must be %d (2 GB) or less", r->buffer,
                    BUFFER_KIB_MOST);
        return FALSE;
    }
    if (r->snaplen < 0 && r->snaplen != NOT_GIVEN) {
        g_set_error(error, OPTIONS_ERROR, 0, "-s %" G_GINT64_FORMAT ": it must be 0 (all) or more", r->snaplen);
        return FALSE;
    }
    o->report.flow = (uint64_t)MAX(r->flow, 0);
    o->count = MAX(r->count, 0);
    o->duration = (int)CLAMP(r->duration, 0, G_MAXINT);
    o->snaplen = (int)CLAMP(r->snaplen, 0, G_MAXINT);
    o->buffer_kib = (int)CLAMP(r->buffer, 0, G_MAXINT);
    o->report.columns = 100;
    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 60)
        o->report.columns = MIN(window.ws_col, 200);
    return TRUE;
}

/* --- which command --- */

static gboolean choose_by_option(struct raw_options *r, GError **error)
{
    struct options *o = &r->o;

    o->command = r->list ? COMMAND_LIST : o->interfaces ? COMMAND_WATCH : COMMAND_READ;
    if (o->files && o->interfaces) {
        g_set_error(error, OPTIONS_ERROR, 0, "-r and -i: choose one; files are read, interfaces are watched");
        return FALSE;
    }
    if (o->command == COMMAND_READ && !o->files && !r->help && !o->version) {
        g_set_error(error, OPTIONS_ERROR, 0,
                    "nothing to read: give a capture with -r FILE, or an interface with -i IFACE (`tcpsleuth --help` "
                    "lists the options)");
        return FALSE;
    }
    return TRUE;
}

/* The first word, where it is a command's; else what -r, -i and -D say. Leaves the words behind it in o->words. */
static gboolean choose_command(struct raw_options *r, const struct command *commands, GError **error)
{
    const char *first = r->words ? r->words[0] : NULL;

    for (int i = 0; first && i < COMMANDS; i++) {
        if (commands[i].word && g_str_equal(first, commands[i].word)) {
            r->o.command = (enum command_id)i;
            r->o.words = g_strdupv(r->words + 1);
            return TRUE;
        }
    }
    r->o.words = r->words ? g_strdupv(r->words) : g_new0(char *, 1);
    return choose_by_option(r, error);
}

/* No option may be there that the command does not know: it would be passed over in silence. */
static gboolean check_options(const struct raw_options *r, const struct command *command, GError **error)
{
    for (const struct option_row *row = option_rows; row->name; row++) {
        if (row->commands & FOR(r->o.command) || !option_given(row, r))
            continue;
        g_set_error(error, OPTIONS_ERROR, 0, "--%s: not with %s; `tcpsleuth --help` lists the options", row->name,
                    command->name);
        return FALSE;
    }
    return TRUE;
}

/* Options of the contract that this version cannot serve. */
static gboolean check_later(const struct options *o, GError **error)
{
    if (o->keylog)
        g_set_error(error, OPTIONS_ERROR, 0, "--keylog: not in this version; leave it out: what travels in clear of a "
                                             "TLS handshake is judged without it");
    return !o->keylog;
}

static gboolean settle(struct raw_options *r, const struct command *commands, GError **error)
{
    struct options *o = &r->o;

    o->report.all = r->all;
    o->report.verbose = r->verbose;
    o->report.quiet = r->quiet;
    o->report.why = r->why;
    if (o->version)
        return TRUE;
    if (!check_options(r, &commands[o->command], error) || !check_later(o, error))
        return FALSE;
    if (o->words[0])
        o->filter = g_strjoinv(" ", o->words);
    return set_format(r, error) && set_color(r, error) && set_numbers(r, error);
}

/* --- parsing --- */

static const char summary[] =
    "Watches interfaces or reads captures and says where each TCP conversation breaks, why, and what to do now.\n"
    "FILTER is in the syntax of pcap-filter(7); options may stand before or after it, -- ends them.";

static const char description[] =
    "Exit status: 0 nothing is broken; 1 something is; 2 the work could not be done, and one line on standard error "
    "says why.\n"
    "Accepted without effect: -n. Not in this version: --keylog.\n"
    "\n"
    "  tcpsleuth -i enp0s8 host 192.0.2.80        what goes wrong with this host, now?\n"
    "  tcpsleuth -r x.pcapng                      what is broken in this capture?\n"
    "  tcpsleuth -r x.pcapng host 192.0.2.80      only what this host had to do with it\n"
    "  tcpsleuth -r x.pcapng --flow 3             draw the packets of flow 3\n"
    "  tcpdump -i any -w - | tcpsleuth -r -       from a pipe\n"
    "  tcpsleuth compare client.pcap server.pcap  where between both ends are packets lost, forged or changed?\n";

/* The rows as GOption wants them; those that none of the commands in `shown` takes are hidden. */
static GOptionContext *make_context(struct raw_options *r, unsigned shown, const char *words)
{
    const GOptionEntry rest = { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &r->words, NULL, words };
    GOptionContext *context = g_option_context_new(NULL);
    g_autoptr(GArray) entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry));

    for (const struct option_row *row = option_rows; row->name; row++) {
        int hidden = row->help && row->commands & shown ? 0 : G_OPTION_FLAG_HIDDEN;
        GOptionEntry e = { row->name, row->letter, hidden, row->arg, (char *)r + row->at, row->help, row->arg_name };
        g_array_append_val(entries, e);
    }
    g_array_append_val(entries, rest);
    g_option_context_add_main_entries(context, (const GOptionEntry *)(void *)entries->data, NULL);
    g_option_context_set_help_enabled(context, FALSE);
    return context;
}

/* --help: of the command whose word was given, else of all captures. */
static char *help_of(struct raw_options *r, const struct command *command)
{
    bool captures = !command->word;
    g_autofree char *words =
        captures ? g_strdup("{-r FILE | -i IFACE} [FILTER]") : g_strconcat(command->word, " ", command->words, NULL);
    g_autofree char *head = g_strdup_printf("%s: %s.", command->name, command->help);
    g_autoptr(GOptionContext) context =
        make_context(r, captures ? FOR_CAPTURES | FOR(COMMAND_LIST) : FOR(r->o.command), words);

    g_option_context_set_summary(context, captures ? summary : head);
    if (captures)
        g_option_context_set_description(context, description);
    return g_option_context_get_help(context, TRUE, NULL);
}

static gboolean parse_into(struct raw_options *r, char ***arguments, const struct command *commands, GError **error)
{
    g_autoptr(GOptionContext) context = make_context(r, FOR_ALL, NULL);
    g_autoptr(GError) why = NULL;

    if (!g_option_context_parse_strv(context, arguments, &why)) {
        g_set_error(error, OPTIONS_ERROR, 0, "%s; `tcpsleuth --help` lists the options", why->message);
        return FALSE;
    }
    if (!choose_command(r, commands, error))
        return FALSE;
    if (r->help)
        r->o.help = help_of(r, &commands[r->o.command]);
    return TRUE;
}

struct options *options_parse(int argc, char **argv, const struct command *commands, GError **error)
{
    struct raw_options r = {
        .flow = NOT_GIVEN, .count = NOT_GIVEN, .duration = NOT_GIVEN, .snaplen = NOT_GIVEN, .buffer = NOT_GIVEN
    };
    g_auto(GStrv) arguments = g_new0(char *, (gsize)argc + 1);

    for (int i = 0; i < argc; i++)
        arguments[i] = g_strdup(argv[i]);
    gboolean good = parse_into(&r, &arguments, commands, error) && (r.help || settle(&r, commands, error));
    struct options *o = g_memdup2(&r.o, sizeof r.o);
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
    g_strfreev(o->interfaces);
    g_strfreev(o->words);
    g_free(o->output);
    g_free(o->save);
    g_free(o->evidence);
    g_free(o->keylog);
    g_free(o->only);
    g_free(o->until);
    g_free(o->explain);
    g_free(o->client);
    g_free(o->filter);
    g_free(o->help);
    g_free(o);
}
