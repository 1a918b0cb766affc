#include "probe/survey.h"

#include "base/limits.h"
#include "probe/connect.h"
#include "probe/engine.h"
#include "probe/error.h"
#include "probe/plain.h"
#include "probe/request.h"

#define CRAFTED                                                                                                        \
    (PROBE_BIT(PROBE_NEIGHBOR) | PROBE_BIT(PROBE_GATEWAY) | PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN) |             \
     PROBE_BIT(PROBE_SYN_TTL) | PROBE_BIT(PROBE_ECHO_TTL) | PROBE_BIT(PROBE_OPTION_DIFF) | PROBE_BIT(PROBE_ACK_DF) |   \
     PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) | PROBE_BIT(PROBE_SIZE_TTL) | PROBE_BIT(PROBE_SYN_VARIANTS))

struct survey {
    const struct target *target;
    struct probe_engine *engine; /* NULL: crafted packets are left out */
    char *left_out;
    bool engine_done, stopped;
    unsigned n;
    struct connecting *connecting[LIMIT_PROBE_ADDRESSES];
    struct plain *plain[LIMIT_PROBE_ADDRESSES];
    GMainLoop *loop;
};

static struct probe_request request_of(const struct target *t, unsigned i)
{
    const struct target_address *a = &g_array_index(t->addresses, struct target_address, i);

    return (struct probe_request){ .version = a->version,
                                   .addr = a->addr,
                                   .scope = a->scope,
                                   .port = t->port,
                                   .kinds = CRAFTED,
                                   .name = t->is_name ? t->host : NULL };
}

static gboolean add_all(struct survey *s, GError **error)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct probe_request request = request_of(s->target, i);
        if (!probe_engine_add(s->engine, &request, error))
            return FALSE;
    }
    return TRUE;
}

struct survey *survey_new(const struct target *target, GError **error)
{
    struct survey *s = g_new0(struct survey, 1);
    g_autoptr(GError) why = NULL;

    s->target = target;
    s->n = target->addresses->len;
    s->loop = g_main_loop_new(NULL, FALSE);
    s->engine = probe_engine_new(0, &why);
    if (!s->engine)
        s->left_out =
            g_strdup_printf("crafted packets are left out: %s; run it as root or with sudo, or give it the capability: "
                            "`setcap cap_net_raw+ep` on the program",
                            why->message);
    else if (!add_all(s, error)) {
        survey_free(s);
        return NULL;
    }
    return s;
}

void survey_free(struct survey *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->n; i++) {
        connecting_free(s->connecting[i]);
        plain_free(s->plain[i]);
    }
    probe_engine_free(s->engine);
    g_main_loop_unref(s->loop);
    g_free(s->left_out);
    g_free(s);
}

const char *survey_left_out(const struct survey *s)
{
    return s->left_out;
}

char *survey_announcement(const struct survey *s, unsigned i)
{
    char to[ADDR_TEXT_SIZE], from[ADDR_TEXT_SIZE] = "";

    if (i >= s->n)
        return NULL;
    struct probe_request request = request_of(s->target, i);
    addr_text(to, &request.addr, request.version);
    if (s->engine)
        probe_engine_source(s->engine, i, from);
    if (!s->engine)
        return g_strdup_printf("probing %s port %u: a TCP connection, UDP, ICMP echo; at most %d packets a second", to,
                               request.port, LIMIT_PROBE_PER_SECOND);
    if (!*from)
        return g_strdup_printf("%s port %u: this host has no route there, nothing is sent", to, request.port);
    return g_strdup_printf(
        "probing %s port %u from %s: %s, ICMP echo, TCP, UDP; at most %d packets a second, %d in all", to, request.port,
        from, request.version == 6 ? "neighbour solicitations" : "ARP", LIMIT_PROBE_PER_SECOND, LIMIT_PROBE_PACKETS);
}

/* --- running --- */

static void on_done(void *user)
{
    struct survey *s = user;
    bool all = !s->engine || s->engine_done;

    for (unsigned i = 0; i < s->n; i++)
        all &=
            (!s->connecting[i] || connecting_is_done(s->connecting[i])) && (!s->plain[i] || plain_is_done(s->plain[i]));
    if (all)
        g_main_loop_quit(s->loop);
}

static void on_engine_done(void *user)
{
    struct survey *s = user;

    s->engine_done = true;
    on_done(s);
}

void survey_run(struct survey *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        struct probe_request request = request_of(s->target, i);
        s->connecting[i] = connecting_start(&request, s->target->tls ? &tls_usual : NULL, on_done, s);
        if (!s->engine)
            s->plain[i] = plain_start(&request, on_done, s);
    }
    if (s->engine)
        probe_engine_start(s->engine, on_engine_done, s);
    g_main_loop_run(s->loop);
}

void survey_stop(struct survey *s)
{
    if (s->stopped)
        return;
    s->stopped = true;
    for (unsigned i = 0; i < s->n; i++) {
        if (s->connecting[i])
            connecting_stop(s->connecting[i]);
        if (s->plain[i])
            plain_stop(s->plain[i]);
    }
    if (s->engine && !s->engine_done)
        probe_engine_stop(s->engine);
    g_main_loop_quit(s->loop);
}

unsigned survey_sent(const struct survey *s)
{
    return s->engine ? probe_engine_sent(s->engine) : 0;
}

/* --- results --- */

static bool is_connected(const GPtrArray *all, unsigned way)
{
    for (guint i = 0; i < all->len; i++) {
        const struct probe_result *r = g_ptr_array_index(all, i);
        if (r->way == way && r->kind == PROBE_CONNECT)
            return r->outcome == OUTCOME_OPEN;
    }
    return false;
}

/* The record that says so: the SYN is what most would be about. */
static struct probe_result *left_out(const struct survey *s, const struct probe_request *request, unsigned way)
{
    struct probe_result *r = probe_result_new(PROBE_SYN);

    r->way = way;
    r->version = request->version;
    r->target = r->way_to = request->addr;
    r->port = request->port;
    r->outcome = OUTCOME_LEFT_OUT;
    r->note = g_strdup(s->left_out);
    return r;
}

GPtrArray *survey_results(struct survey *s)
{
    GPtrArray *all = s->engine ? probe_engine_results(s->engine) : g_ptr_array_new();

    for (unsigned i = 0; i < s->n; i++) {
        struct probe_request request = request_of(s->target, i);
        if (s->connecting[i])
            connecting_results(s->connecting[i], i, all);
        if (s->plain[i]) {
            plain_results(s->plain[i], i, all);
            g_ptr_array_add(all, left_out(s, &request, i));
        }
        if (s->stopped || !s->target->url || !is_connected(all, i))
            continue;
        struct probe_result *asked = request_ask(&request, s->target->url, &s->stopped);
        asked->way = i;
        g_ptr_array_add(all, asked);
    }
    probe_results_sort(all);
    return all;
}
