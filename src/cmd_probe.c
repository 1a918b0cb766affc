/* The command that asks the network (`tcpsleuth probe HOST[:PORT]`). */
#include "base/text.h"
#include "diagnose/probe_verdict.h"
#include "probe/survey.h"
#include "src/command.h"
#include "src/confine.h"
#include "src/ending.h"
#include "src/notice.h"
#include "src/options.h"
#include "src/output.h"
#include "src/privileges.h"
#include "src/status_line.h"

#include <unistd.h>

/* Everything of one run, so that one place frees it. */
struct asking {
    struct target *target;
    struct output *output;
    struct survey *survey;
    struct status_line status;
    int64_t started_us;
    GPtrArray *results; /* struct probe_result* */
};

static void asking_clear(struct asking *r)
{
    for (guint i = 0; r->results && i < r->results->len; i++)
        probe_result_free(g_ptr_array_index(r->results, i));
    if (r->results)
        g_ptr_array_free(r->results, TRUE);
    survey_free(r->survey);
    output_abandon(r->output);
    target_free(r->target);
}

static gboolean check_usage(const struct options *o, GError **error)
{
    const char *wrong = o->passive     ? "probe --passive: a probe sends packets; leave one of the two out"
                        : !o->words[0] ? "probe: name what to probe: HOST, HOST:PORT, [ADDRESS6]:PORT or a URL"
                        : o->words[1] != NULL
                            ? "probe: one target at a time; its name may have several addresses, which are all probed"
                            : NULL;
    if (wrong)
        g_set_error_literal(error, OPTIONS_ERROR, 0, wrong);
    return !wrong;
}

/* Said before the first packet leaves. */
static void announce(const struct asking *r)
{
    char *line;

    if (!r->target->port_given)
        notice("no port was given: %u", r->target->port);
    if (r->target->left_out)
        notice("%u more addresses of %s are not probed", r->target->left_out, r->target->host);
    if (survey_left_out(r->survey))
        notice("warning: %s", survey_left_out(r->survey));
    for (unsigned i = 0; (line = survey_announcement(r->survey, i)); i++) {
        notice("%s", line);
        g_free(line);
    }
}

/* ending.stop */
static void stop(void *user)
{
    survey_stop(user);
}

static gboolean on_tick(gpointer user)
{
    struct asking *r = user;
    g_autofree char *text = g_strdup_printf(
        "probing %s: %u packets sent, %" G_GINT64_FORMAT " s; Ctrl-C ends it with the report", r->target->host,
        survey_sent(r->survey), (g_get_monotonic_time() - r->started_us) / G_USEC_PER_SEC);
    g_autoptr(GString) clean = g_string_new(NULL);

    text_append_terminal(clean, slice_of(text, strlen(text)));
    status_line_put(&r->status, clean->str);
    return G_SOURCE_CONTINUE;
}

/* Ctrl-C ends it, and what is known is told. */
static void ask(struct asking *r)
{
    guint tick = g_timeout_add(500, on_tick, r);
    struct ending ending;

    ending_heed(&ending, stop, r->survey);
    r->started_us = g_get_monotonic_time();
    survey_run(r->survey);
    r->results = survey_results(r->survey);
    ending_leave(&ending);
    g_source_remove(tick);
    status_line_clear(&r->status);
}

static gboolean tell(struct asking *r, const struct options *o, struct report *report, GError **error)
{
    struct report_writer *w;

    report->probed = r->target->written;
    report->probe_packets = survey_sent(r->survey);
    report->capture.first_ns = report->capture.last_ns = TIME_NONE;
    w = o->format->open(output_stream(r->output), report, &o->report);
    report->verdict = probe_verdict(r->results);
    for (guint i = 0; i < r->results->len; i++)
        o->format->probe(w, g_ptr_array_index(r->results, i));
    g_ptr_array_set_size(r->results, 0); /* the writer owns them now */
    o->format->end(w);
    o->format->free(w);
    return output_commit(g_steal_pointer(&r->output), error);
}

/* Opens what takes rights, then gives them up: from here on, bytes come from outside. */
static gboolean open_all(struct asking *r, const struct options *o, GError **error)
{
    struct person person;

    if (!privileges_person(&person, error) || !(r->survey = survey_new(r->target, error)))
        return FALSE;
    privileges_lend(&person);
    r->output = output_open(o->output, true, error);
    privileges_take_back(&person);
    if (!r->output || !privileges_drop(&person, error))
        return FALSE;
    confine_or_warn(CONFINE_PROBES, NULL);
    return TRUE;
}

int command_probe(const struct options *o, GError **error)
{
    struct asking r = { 0 };
    struct report report = { 0 };
    int status = 2;

    if (check_usage(o, error) && (r.target = target_parse(o->words[0], error)) && target_resolve(r.target, error) &&
        open_all(&r, o, error)) {
        announce(&r);
        ask(&r);
        if (tell(&r, o, &report, error))
            status = report.verdict && report.verdict->status == STATUS_BROKEN ? 1 : 0;
    }
    finding_free(report.verdict);
    asking_clear(&r);
    return status;
}
