#include "src/join_names.h"

#include "base/limits.h"
#include "diagnose/amend.h"
#include "diagnose/inquiry.h"
#include "host/ask.h"

#include <string.h>

/* CONTRACT: at most 10 packets a second: a question for A and one for AAAA to each server, a name a second. */
#define SERVERS_MOST (LIMIT_PROBE_PER_SECOND / 2)
#define PACE_MS 1000

struct waiter {
    struct conversation *c;
    bool over;
};

/* A name that is asked for once. */
struct round {
    char *name;
    struct resolvers *servers;
    struct ask *ask;    /* NULL: not yet */
    char *said;         /* the line that announces it */
    GArray *packets;    /* uint64_t: the conversations that it serves, by their first packet */
    GArray *waiters;    /* struct waiter */
    char **answers;     /* NULL: none yet */
    enum code now;      /* what they come to */
    int64_t ended_us;
};

struct join_names {
    const struct join_hosts *hosts;
    const struct join_hooks *hooks;
    void (*settled)(void *user);
    void *user;
    GPtrArray *rounds; /* struct round* */
    guint next;        /* of them, the first that is not over */
    guint timer;
    bool stopped, full;
};

static void waiter_clear(gpointer p)
{
    conversation_free(((struct waiter *)p)->c);
}

static void round_free(gpointer p)
{
    struct round *r = p;

    ask_free(r->ask);
    resolvers_free(r->servers);
    g_array_free(r->packets, TRUE);
    g_array_free(r->waiters, TRUE);
    g_strfreev(r->answers);
    g_free(r->said);
    g_free(r->name);
    g_free(r);
}

struct join_names *join_names_new(const struct join_hosts *hosts, const struct join_hooks *hooks,
                                  void (*settled)(void *user), void *user)
{
    struct join_names *n = g_new0(struct join_names, 1);

    *n = (struct join_names){ .hosts = hosts, .hooks = hooks, .settled = settled, .user = user };
    n->rounds = g_ptr_array_new_with_free_func(round_free);
    return n;
}

void join_names_free(struct join_names *n)
{
    if (!n)
        return;
    if (n->timer)
        g_source_remove(n->timer);
    g_ptr_array_free(n->rounds, TRUE);
    g_free(n);
}

/* --- whom to ask for what --- */

static const char *name_of(const struct finding *d)
{
    const struct detail *name = finding_detail(d, "name");
    bool failed = d->status == STATUS_BROKEN && d->code >= CODE_DNS_NXDOMAIN && d->code <= CODE_DNS_NO_ANSWER;

    return failed && name && inquiry_is_name(name->text) ? name->text : NULL;
}

static bool server_of(const struct finding *d, struct resolver *out)
{
    const struct detail *server = finding_detail(d, "server");

    *out = (struct resolver){ .from = "" };
    return server && resolver_address(server->text, &out->version, &out->addr, &out->scope);
}

/* The servers that may be asked about c; NULL: none. */
static struct resolvers *servers_for(const struct join_names *n, const struct conversation *c, const char *name)
{
    struct resolvers *r = resolvers_read("", name);
    struct resolver failed;

    if (server_of(c->verdict, &failed) && !resolvers_hold(r, &failed))
        g_array_prepend_val(r->servers, failed);
    for (guint i = r->servers->len; i-- > 0;) {
        const struct resolver *s = &g_array_index(r->servers, struct resolver, i);
        if (!join_hosts_may(n->hosts, s->version, &s->addr))
            g_array_remove_index(r->servers, i);
    }
    if (r->servers->len)
        g_array_set_size(r->servers, MIN(r->servers->len, SERVERS_MOST));
    else
        g_clear_pointer(&r, resolvers_free);
    return r;
}

/* CONTRACT: only after a conversation with one of the hosts broke. */
static bool is_about_named(const struct join_names *n, const struct conversation *c)
{
    struct resolver server;

    return join_hosts_may(n->hosts, c->version, &c->client) ||
           (server_of(c->verdict, &server) && join_hosts_may(n->hosts, server.version, &server.addr));
}

/* --- what they answer --- */

static void append_addresses(GString *s, const struct asked *a)
{
    char text[ADDR_TEXT_SIZE];

    for (guint i = 0; i < a->addresses->len; i++) {
        const struct found_address *one = &g_array_index(a->addresses, struct found_address, i);
        g_string_append_printf(s, "%s%s", i ? ", " : "", addr_text(text, &one->addr, one->version));
    }
}

/* "192.0.2.53 A: NXDOMAIN" */
static char *answer_text(const struct resolvers *r, const struct asked *a)
{
    static const char *const words[] = {
        [ASK_ADDRESSES] = "",        [ASK_NO_DATA] = "no data",  [ASK_NXDOMAIN] = "NXDOMAIN",
        [ASK_SERVFAIL] = "SERVFAIL", [ASK_REFUSED] = "REFUSED",  [ASK_OTHER] = "another error",
        [ASK_CUT] = "cut short",     [ASK_MALFORMED] = "no DNS", [ASK_SILENT] = "no answer",
        [ASK_UNSENT] = "cannot be sent"
    };
    const struct resolver *server = &g_array_index(r->servers, struct resolver, a->server);
    char text[ADDR_TEXT_SIZE];
    GString *s = g_string_new(addr_text(text, &server->addr, server->version));

    g_string_append_printf(s, " %s: %s", a->version == 6 ? "AAAA" : "A", words[a->outcome]);
    if (a->outcome == ASK_ADDRESSES)
        append_addresses(s, a);
    return g_string_free(s, FALSE);
}

/* What they come to: an address, else the answer that says most about the name. */
static enum code code_of(const GPtrArray *answers)
{
    static const enum code codes[] = {
        [ASK_ADDRESSES] = CODE_OK,         [ASK_NO_DATA] = CODE_DNS_NO_DATA,  [ASK_NXDOMAIN] = CODE_DNS_NXDOMAIN,
        [ASK_SERVFAIL] = CODE_DNS_SERVFAIL, [ASK_REFUSED] = CODE_DNS_REFUSED, [ASK_OTHER] = CODE_DNS_SERVFAIL,
        [ASK_CUT] = CODE_DNS_NO_ANSWER,    [ASK_MALFORMED] = CODE_DNS_NO_ANSWER,
        [ASK_SILENT] = CODE_DNS_NO_ANSWER, [ASK_UNSENT] = CODE_DNS_NO_ANSWER
    };
    enum ask_outcome best = ASK_UNSENT;

    for (guint i = 0; i < answers->len; i++)
        best = MIN(best, ((const struct asked *)g_ptr_array_index(answers, i))->outcome);
    return codes[best];
}

static void take_answers(struct round *r)
{
    const GPtrArray *all = ask_answers(r->ask);
    g_autoptr(GStrvBuilder) answers = g_strv_builder_new();

    for (guint i = 0; i < all->len; i++) {
        g_autofree char *text = answer_text(r->servers, g_ptr_array_index(all, i));
        g_strv_builder_add(answers, text);
    }
    r->answers = g_strv_builder_end(answers);
    r->now = code_of(all);
    r->ended_us = g_get_monotonic_time();
}

static void give_back(struct join_names *n, const struct round *r, struct waiter w)
{
    if (r->answers)
        finding_amend_names(w.c->verdict, (const char *const *)r->answers, r->now);
    if (r->answers || w.over)
        n->hooks->name_answered(n->hooks->user, w.c, w.over);
    else
        conversation_free(w.c);
}

/* A conversation that is told may lead to a question. */
static void give_all_back(struct join_names *n, struct round *r)
{
    GArray *waiters = r->waiters;

    r->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    g_array_set_clear_func(r->waiters, waiter_clear);
    g_array_set_clear_func(waiters, NULL);
    for (guint i = 0; i < waiters->len; i++)
        give_back(n, r, g_array_index(waiters, struct waiter, i));
    g_array_free(waiters, TRUE);
}

/* --- one after the other --- */

static gboolean begin(void *user);

static void begin_later(struct join_names *n, guint ms)
{
    if (!n->timer && !n->stopped && n->next < n->rounds->len)
        n->timer = g_timeout_add(ms, begin, n);
}

static void on_answers(void *user)
{
    struct join_names *n = user;
    struct round *r = g_ptr_array_index(n->rounds, n->next++);

    take_answers(r);
    give_all_back(n, r);
    begin_later(n, PACE_MS);
    if (!join_names_wait(n))
        n->settled(n->user);
}

static gboolean begin(void *user)
{
    struct join_names *n = user;
    struct round *r = g_ptr_array_index(n->rounds, n->next);

    n->timer = 0;
    n->hooks->say(n->hooks->say_user, r->said);
    r->ask = ask_start(r->servers, r->name, on_answers, n);
    return G_SOURCE_REMOVE;
}

static char *announcement(const struct resolvers *servers, const char *name, const struct finding *d)
{
    char text[ADDR_TEXT_SIZE];
    GString *s = g_string_new("asking ");

    for (guint i = 0; i < servers->servers->len; i++) {
        const struct resolver *server = &g_array_index(servers->servers, struct resolver, i);
        g_string_append_printf(s, "%s%s", i ? ", " : "", addr_text(text, &server->addr, server->version));
    }
    g_string_append_printf(s, " for %s, because its look-up failed (%s)", name, catalogue_row(d->code)->name);
    return g_string_free(s, FALSE);
}

static bool serves(const struct round *r, uint64_t packet)
{
    for (guint i = 0; i < r->packets->len; i++)
        if (g_array_index(r->packets, uint64_t, i) == packet)
            return true;
    return false;
}

/* The round that c asked for, or one for the same name that is not over or was so lately. */
static struct round *find_round(const struct join_names *n, const struct conversation *c, const char *name)
{
    for (guint i = n->rounds->len; i-- > 0;) {
        struct round *r = g_ptr_array_index(n->rounds, i);
        bool fresh = !n->stopped && (!r->ended_us || g_get_monotonic_time() - r->ended_us < JOIN_FRESH_US);
        if (serves(r, c->packet) || (fresh && g_ascii_strcasecmp(r->name, name) == 0))
            return r;
    }
    return NULL;
}

static void say_full(struct join_names *n)
{
    if (!n->full)
        n->hooks->say(n->hooks->say_user, "many names could not be looked up: name servers are not asked for further ones");
    n->full = true;
}

static struct round *new_round(struct join_names *n, const struct conversation *c, const char *name)
{
    struct resolvers *servers = is_about_named(n, c) ? servers_for(n, c, name) : NULL;

    if (!servers)
        return NULL;
    if (n->rounds->len >= LIMIT_JOIN_NAMES) {
        resolvers_free(servers);
        say_full(n);
        return NULL;
    }
    struct round *r = g_new0(struct round, 1);
    r->name = g_strdup(name);
    r->servers = servers;
    r->said = announcement(servers, name, c->verdict);
    r->packets = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    r->waiters = g_array_new(FALSE, FALSE, sizeof(struct waiter));
    g_array_set_clear_func(r->waiters, waiter_clear);
    g_ptr_array_add(n->rounds, r);
    begin_later(n, 0);
    return r;
}

bool join_names_ask(struct join_names *n, struct conversation *c, bool over)
{
    const char *name = c->flows->len == 0 && c->verdict ? name_of(c->verdict) : NULL;
    struct round *r = name ? find_round(n, c, name) : NULL;

    if (name && !r && !n->stopped)
        r = new_round(n, c, name);
    if (!r || r->waiters->len >= LIMIT_JOIN_HELD || r->packets->len >= LIMIT_JOIN_HELD)
        return false;
    if (!serves(r, c->packet))
        g_array_append_val(r->packets, c->packet);
    struct waiter w = { .c = c, .over = over };
    if (r->ended_us)
        give_back(n, r, w);
    else
        g_array_append_val(r->waiters, w);
    return true;
}

bool join_names_own(const struct join_names *n, const struct packet *p)
{
    for (guint i = 0; i < n->rounds->len; i++) {
        const struct round *r = g_ptr_array_index(n->rounds, i);
        if (r->ask && ask_owns(r->ask, p))
            return true;
    }
    return false;
}

bool join_names_asked(const struct join_names *n)
{
    return n->rounds->len > 0;
}

bool join_names_wait(const struct join_names *n)
{
    return !n->stopped && n->next < n->rounds->len;
}

void join_names_stop(struct join_names *n)
{
    if (n->stopped)
        return;
    n->stopped = true;
    if (n->timer)
        g_source_remove(n->timer);
    n->timer = 0;
    for (; n->next < n->rounds->len; n->next++) {
        struct round *r = g_ptr_array_index(n->rounds, n->next);
        g_clear_pointer(&r->ask, ask_free);
        r->ended_us = g_get_monotonic_time();
        give_all_back(n, r);
    }
}
