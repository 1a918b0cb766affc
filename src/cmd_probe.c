/* The command that asks the network (`tcpsleuth probe HOST[:PORT]`). */
#include "src/command.h"
#include "base/limits.h"
#include "diagnose/probe_verdict.h"
#include "probe/engine.h"
#include "probe/target.h"
#include "src/notice.h"
#include "src/options.h"
#include "src/output.h"
#include "src/privileges.h"

#include <glib-unix.h>
#include <unistd.h>

#define CRAFTED                                                                                                        \
    (PROBE_BIT(PROBE_NEIGHBOR) | PROBE_BIT(PROBE_GATEWAY) | PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN) |             \
     PROBE_BIT(PROBE_SYN_TTL) | PROBE_BIT(PROBE_ECHO_TTL) | PROBE_BIT(PROBE_OPTION_DIFF) | PROBE_BIT(PROBE_ACK_DF) |   \
     PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) | PROBE_BIT(PROBE_SIZE_TTL))

/* Everything of one run, so that one place frees it. */
struct asking {
    struct target *target;
    struct output *output;
    struct probe_engine *engine;
    GMainLoop *loop;
    GPtrArray *results; /* struct probe_result* */
};

static void asking_clear(struct asking *r)
{
    for (guint i = 0; r->results && i < r->results->len; i++)
        probe_result_free(g_ptr_array_index(r->results, i));
    if (r->results)
        g_ptr_array_free(r->results, TRUE);
    probe_engine_free(r->engine);
    if (r->loop)
        g_main_loop_unref(r->loop);
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
static gboolean add_targets(struct asking *r, GError **error)
{
    for (guint i = 0; i < r->target->addresses->len; i++) {
        const struct target_address *a = &g_array_index(r->target->addresses, struct target_address, i);
        struct probe_request request = {
            .version = a->version,
            .addr = a->addr,
            .scope = a->scope,
            .port = r->target->port,
            .kinds = CRAFTED,
            .name = r->target->is_name ? r->target->host : NULL,
        };
        char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE];
        if (!probe_engine_add(r->engine, &request, error))
            return FALSE;
        probe_engine_source(r->engine, i, from);
        if (*from)
            notice("probing %s port %u from %s: ARP or ND, ICMP echo, TCP, UDP; at most %d packets a second, %d in all",
                   addr_text(to, &a->addr, a->version), request.port, from, LIMIT_PROBE_PER_SECOND,
                   LIMIT_PROBE_PACKETS);
    }
    if (r->target->left_out)
        notice("%u more addresses of %s are not probed", r->target->left_out, r->target->host);
    return TRUE;
}

static void on_done(void *user)
{
    g_main_loop_quit(((struct asking *)user)->loop);
}

static gboolean on_interrupt(gpointer user)
{
    probe_engine_stop(((struct asking *)user)->engine);
    return G_SOURCE_CONTINUE;
}

static void ask(struct asking *r)
{
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, r),
          terminate = g_unix_signal_add(SIGTERM, on_interrupt, r);

    r->loop = g_main_loop_new(NULL, FALSE);
    probe_engine_start(r->engine, on_done, r);
    g_main_loop_run(r->loop);
    g_source_remove(interrupt);
    g_source_remove(terminate);
    r->results = probe_engine_results(r->engine);
}

static gboolean tell(struct asking *r, const struct options *o, struct report *report, GError **error)
{
    struct report_writer *w;

    report->probed = r->target->written;
    report->probe_packets = probe_engine_sent(r->engine);
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

    if (!privileges_person(&person, error) || !(r->engine = probe_engine_new(0, error)) || !add_targets(r, error))
        return FALSE;
    privileges_lend(&person);
    r->output = output_open(o->output, true, error);
    privileges_take_back(&person);
    return r->output && privileges_drop(&person, error);
}

int command_probe(const struct options *o, GError **error)
{
    struct asking r = { 0 };
    struct report report = { 0 };
    int status = 2;

    if (check_usage(o, error) && (r.target = target_parse(o->words[0], error)) && target_resolve(r.target, error) &&
        open_all(&r, o, error)) {
        ask(&r);
        if (tell(&r, o, &report, error))
            status = report.verdict && report.verdict->status == STATUS_BROKEN ? 1 : 0;
    }
    finding_free(report.verdict);
    asking_clear(&r);
    return status;
}
