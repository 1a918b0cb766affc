/* The command that climbs the ladder (`tcpsleuth check TARGET`): from this host's network card to the page, each rung
 * with what was found, where it was read, and what to do. Changes nothing on the machine.
 */
#include "src/climbing.h"
#include "src/command.h"
#include "src/confine.h"
#include "src/ending.h"
#include "src/notice.h"
#include "src/output.h"
#include "src/privileges.h"

static gboolean check_usage(const struct options *o, GError **error)
{
    const char *wrong =
        o->passive ? "check --passive: most rungs send packets; leave one of the two out"
        : o->server && (!o->words[0] || o->words[1]) ? "check --server: name one port, by its number or its name"
        : !o->words[0]            ? "check: name the target: a URL, HOST, HOST:PORT or [ADDRESS6]:PORT"
        : o->words[1]             ? "check: one target at a time"
        : o->client && !o->server ? "check --client goes with --server: it picks lines of a service's log"
                                  : NULL;
    if (wrong)
        g_set_error_literal(error, OPTIONS_ERROR, 0, wrong);
    return !wrong;
}

static gboolean find_rung(const char *name, enum rung *rung, GError **error)
{
    *rung = RUNGS;
    if (!name || (*rung = rung_find(name)) < RUNGS)
        return TRUE;
    g_autoptr(GString) names = g_string_new(NULL);
    for (int i = 0; i < RUNGS; i++)
        g_string_append_printf(names, "%s%s", i ? ", " : "", rung_row((enum rung)i)->name);
    g_set_error(error, OPTIONS_ERROR, 0, "%s: there is no step of that name; there are %s", name, names->str);
    return FALSE;
}

/* --explain: standard output carries the text, and no report. */
static int explain(const struct options *o, GError **error)
{
    enum rung rung;

    if (!find_rung(o->explain, &rung, error))
        return 2;
    const struct rung_row *row = rung_row(rung);
    g_autofree char *text =
        g_strdup_printf("%s: %s\n  It reads %s.\n  %s\n", row->name, row->question, row->reads, row->why);
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0)
        return 0;
    g_set_error(error, OPTIONS_ERROR, 0, "standard output: cannot write there");
    return 2;
}

/* ending.stop: the rung that is being climbed is the last one. */
static void stop(void *user)
{
    ((struct climbing *)user)->stopped = true;
}

static void climb(struct climbing *c)
{
    struct ending ending;

    ending_heed(&ending, stop, c);
    climbing_run(c);
    ending_leave(&ending);
}

static gboolean tell(struct climbing *c, struct output *output, struct report *report, GError **error)
{
    const struct options *o = c->o;

    g_autofree char *port = c->target ? NULL : g_strdup_printf("port %u of this host", c->climb.port);
    report->climbed = port ? port : c->target->written;
    report->capture.first_ns = report->capture.last_ns = TIME_NONE;
    if (own_traffic_is_judged(c->traffic))
        own_traffic_totals(c->traffic, report);
    report->verdict = ladder_verdict(c->steps);
    struct report_writer *w = o->format->open(output_stream(output), report, &o->report);
    g_ptr_array_set_free_func(c->steps, NULL); /* the writer owns them now */
    g_ptr_array_set_free_func(c->results, NULL);
    if (own_traffic_is_judged(c->traffic))
        own_traffic_tell(c->traffic, o->format, w);
    for (guint i = 0; i < c->results->len; i++)
        o->format->probe(w, g_ptr_array_index(c->results, i));
    for (guint i = 0; i < c->steps->len; i++)
        o->format->step(w, g_ptr_array_index(c->steps, i));
    o->format->end(w);
    o->format->free(w);
    return output_commit(output, error);
}

/* Opens what takes rights, then gives them up: from here on, bytes come from outside. */
static struct output *open_all(struct climbing *c, GError **error)
{
    struct output *output = NULL;
    struct person person;

    if (!privileges_person(&person, error) || !climbing_open(c, error))
        return NULL;
    privileges_lend(&person);
    output = output_open(c->o->output, true, error);
    privileges_take_back(&person);
    if (output && !privileges_drop(&person, error)) {
        output_abandon(output);
        return NULL;
    }
    if (output)
        confine_or_warn(CONFINE_PROBES, NULL);
    return output;
}

/* --only and --until name rungs of this ladder. */
static gboolean choose_rungs(struct climbing *c, GError **error)
{
    if (!find_rung(c->o->only, &c->only, error) || !find_rung(c->o->until, &c->until, error))
        return FALSE;
    enum rung strange = c->only < RUNGS && !climbing_has(c, c->only)     ? c->only
                        : c->until < RUNGS && !climbing_has(c, c->until) ? c->until
                                                                         : RUNGS;
    if (strange < RUNGS)
        g_set_error(error, OPTIONS_ERROR, 0, "%s: not a step of the ladder %s", rung_row(strange)->name,
                    c->target ? "to a target; --server has it" : "of a server; it goes to a TARGET");
    return strange == RUNGS;
}

static gboolean choose_target(struct climbing *c, GError **error)
{
    if (c->o->server)
        return (c->climb.port = climb_port_number(c->o->words[0], error)) != 0;
    return (c->target = target_parse(c->o->words[0], error)) != NULL;
}

int command_check(const struct options *o, GError **error)
{
    struct climbing c = { .o = o };
    struct report report = { 0 };
    struct output *output = NULL;
    int status = 2;

    if (o->explain)
        return explain(o, error);
    if (check_usage(o, error) && choose_target(&c, error) && choose_rungs(&c, error) &&
        (output = open_all(&c, error))) {
        climb(&c);
        if (tell(&c, output, &report, error))
            status = report.verdict && report.verdict->status == STATUS_BROKEN ? 1 : 0;
    }
    finding_free(report.verdict);
    climbing_clear(&c);
    return status;
}
