/* dns: whether the name has an address, by every source that this host has. The first resolver that answers decides, as
 * for libc; one that is silent before it costs every look-up seconds; one that says otherwise is told.
 */
#include "host/rung_dns.h"

#include "base/timens.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

static const char *outcome_text(const struct asked *a)
{
    switch (a->outcome) {
    case ASK_ADDRESSES: return "answers";
    case ASK_NO_DATA: return "no address of this family";
    case ASK_NXDOMAIN: return "NXDOMAIN";
    case ASK_SERVFAIL: return "SERVFAIL";
    case ASK_REFUSED: return "REFUSED";
    case ASK_OTHER: return "another error";
    case ASK_CUT: return "an answer that is cut short";
    case ASK_MALFORMED: return "what it answers is no DNS";
    case ASK_SILENT: return "no answer";
    default: return g_strerror(a->error);
    }
}

/* --- sums --- */

/* What a server says of the name, of both families together: an address goes before none. */
struct word {
    bool answered; /* it said anything */
    bool addresses, nxdomain, no_data;
    bool cut;     /* an answer that is too long for UDP, and TCP gives none */
    bool refused; /* nobody is at its port */
    bool bogus;   /* an address that leads to nobody: 0.0.0.0, 127.0.0.1 */
    enum ask_outcome worst;
};

static bool is_bogus(const struct found_address *a)
{
    static const uint8_t zero[16];
    const uint8_t *b = a->addr.bytes;

    if (a->version == 4)
        return b[12] == 0 || b[12] == 127;
    return memcmp(b, zero, 15) == 0 && b[15] <= 1;
}

static struct word word_of(const GPtrArray *asked, unsigned server)
{
    struct word w = { .worst = ASK_SILENT };

    for (guint i = 0; i < asked->len; i++) {
        const struct asked *a = g_ptr_array_index(asked, i);
        if (a->server != server)
            continue;
        w.answered |= a->outcome < ASK_MALFORMED;
        w.addresses |= a->outcome == ASK_ADDRESSES;
        w.nxdomain |= a->outcome == ASK_NXDOMAIN;
        w.no_data |= a->outcome == ASK_NO_DATA;
        w.cut |= a->outcome == ASK_CUT;
        w.refused |= a->outcome == ASK_UNSENT && a->error == ECONNREFUSED;
        if (a->outcome != ASK_ADDRESSES && a->outcome != ASK_NO_DATA)
            w.worst = a->outcome;
        for (guint k = 0; a->addresses && k < a->addresses->len; k++)
            w.bogus |= is_bogus(&g_array_index(a->addresses, struct found_address, k));
    }
    return w;
}

static char *server_text(const struct resolvers *r, unsigned i)
{
    const struct resolver *s = &g_array_index(r->servers, struct resolver, i);
    char text[ADDR_TEXT_SIZE];

    return g_strdup(addr_text(text, &s->addr, s->version));
}

/* --- lines --- */

static void append_answer(GString *out, const struct asked *a)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append_printf(out, "%s%s: ", out->str[out->len - 1] == ' ' ? "" : "; ", a->version == 6 ? "AAAA" : "A");
    for (guint i = 0; a->outcome == ASK_ADDRESSES && i < a->addresses->len && i < 4; i++) {
        const struct found_address *f = &g_array_index(a->addresses, struct found_address, i);
        g_string_append_printf(out, "%s%s", i ? ", " : "", addr_text(text, &f->addr, f->version));
    }
    if (a->outcome == ASK_ADDRESSES && a->addresses->len > 4)
        g_string_append_printf(out, ", %u more", a->addresses->len - 4);
    if (a->outcome != ASK_ADDRESSES)
        g_string_append(out, outcome_text(a));
    if (a->time_ns != TIME_NONE)
        g_string_append_printf(out, " (%.0f ms)", (double)a->time_ns / 1e6);
}

static void note_server(struct rung_step *s, const struct resolvers *r, const GPtrArray *asked, unsigned server)
{
    const struct resolver *it = &g_array_index(r->servers, struct resolver, server);
    g_autofree char *name = server_text(r, server);
    g_autoptr(GString) out = g_string_new(NULL);
    const char *alias = NULL;

    g_string_append_printf(out, "%s%s: ", name, it->behind ? " (behind systemd-resolved)" : "");
    for (guint i = 0; i < asked->len; i++) {
        const struct asked *a = g_ptr_array_index(asked, i);
        if (a->server == server)
            append_answer(out, a);
        if (a->server == server && a->alias)
            alias = a->alias;
    }
    if (alias)
        g_string_append_printf(out, "; it is an alias of %s", alias);
    step_note(s, "%s", out->str);
}

/* --- verdicts --- */

static enum code code_of(const struct word *w)
{
    if (w->nxdomain)
        return CODE_DNS_NXDOMAIN;
    if (w->worst == ASK_SERVFAIL || w->worst == ASK_OTHER)
        return CODE_DNS_SERVFAIL;
    if (w->worst == ASK_REFUSED)
        return CODE_DNS_REFUSED;
    if (w->no_data && !w->cut)
        return CODE_DNS_NO_DATA;
    return CODE_DNS_NO_ANSWER;
}

/* Nothing comes back, or nothing of use. */
static struct finding *no_answer(const struct word *w, const char *name, const char *server)
{
    if (w->cut)
        return finding_new(CODE_DNS_NO_ANSWER, WHERE_PATH,
                           "The answer of %s for %s is too long for UDP, and TCP to its port 53 is not answered.",
                           server, name);
    if (w->refused)
        return finding_new(CODE_DNS_NO_ANSWER, WHERE_SERVER, "No name server is at %s: its port 53 refuses.", server);
    return finding_new(CODE_DNS_NO_ANSWER, WHERE_PATH, "None of the resolvers of this host answers (%s).", server);
}

static struct finding *nothing_found(enum code code, const struct word *w, const char *name, const char *server)
{
    switch (code) {
    case CODE_DNS_NXDOMAIN: return finding_new(code, WHERE_NONE, "The name %s does not exist, says %s.", name, server);
    case CODE_DNS_SERVFAIL:
        return finding_new(code, WHERE_SERVER, "The resolver %s fails to look %s up.", server, name);
    case CODE_DNS_REFUSED:
        return finding_new(code, WHERE_SERVER, "The resolver %s refuses to look %s up.", server, name);
    case CODE_DNS_NO_DATA:
        return finding_new(code, WHERE_NONE, "The name %s exists and has no address, says %s.", name, server);
    default: return no_answer(w, name, server);
    }
}

static void blame_nothing(struct rung_step *s, const struct resolvers *r, const struct word *w, unsigned server,
                          const char *name)
{
    g_autofree char *address = r->servers->len ? server_text(r, server) : g_strdup("there is none");
    enum code code = code_of(w);

    step_blame(s, nothing_found(code, w, name, address));
    if (r->servers->len == 0)
        step_remedy(s, "nano /etc/resolv.conf: add a line `nameserver ADDRESS`");
    else if (code == CODE_DNS_NO_ANSWER && w->cut)
        step_remedy(s, "dig +tcp @%s %s; let TCP port 53 pass, not UDP alone", address, name);
    else if (code == CODE_DNS_NO_ANSWER && w->refused && g_str_has_prefix(address, "127."))
        step_remedy(
            s, "systemctl status systemd-resolved (or dnsmasq, unbound): the resolver of this host does not run; or "
               "nano /etc/resolv.conf: name another one");
    else if (code == CODE_DNS_NO_ANSWER)
        step_remedy(s, "ping %s; dig @%s %s; then nano /etc/resolv.conf: name a resolver that answers", address,
                    address, name);
    else if (code == CODE_DNS_NXDOMAIN)
        step_remedy(s, "dig @%s %s; check the spelling and the search list in /etc/resolv.conf", address, name);
    else
        step_remedy(s, "dig @%s %s; nano /etc/resolv.conf: try another resolver", address, name);
}

/* The first is silent, a later one answers: every look-up waits for the first. */
static void blame_slow(struct rung_step *s, const struct resolvers *r, const GPtrArray *asked, unsigned first)
{
    for (unsigned i = 0; i < first; i++) {
        struct word w = word_of(asked, i);
        g_autofree char *name = server_text(r, i);
        if (w.answered || g_array_index(r->servers, struct resolver, i).behind)
            continue;
        struct finding *f =
            finding_new(CODE_DNS_NO_ANSWER, WHERE_PATH,
                        "The resolver %s does not answer; every look-up waits for it before it asks the next.", name);
        f->status = STATUS_DEGRADED;
        step_blame(s, f);
        step_remedy(s, "nano /etc/resolv.conf: take out `nameserver %s`, or let it answer", name);
    }
}

/* Another source says otherwise: there is no such name, or it leads to nobody. */
static void blame_disagreement(struct rung_step *s, const struct resolvers *r, const GPtrArray *asked, unsigned first)
{
    struct word mine = word_of(asked, first);

    for (unsigned i = 0; i < r->servers->len; i++) {
        struct word w = word_of(asked, i);
        g_autofree char *name = server_text(r, i), *good = server_text(r, first);
        if (i == first || !w.answered || (w.addresses && w.bogus == mine.bogus))
            continue;
        struct finding *f = finding_new(CODE_DNS_DISAGREE, WHERE_NONE, "The resolvers %s and %s disagree.", good, name);
        finding_detail_text(f, "resolver", w.bogus || !w.addresses ? name : good);
        step_blame(s, f);
        step_remedy(s, "dig @%s ...; dig @%s ...: take the one that is wrong out of /etc/resolv.conf", good, name);
    }
}

static bool holds(const GArray *all, const struct found_address *a)
{
    for (guint i = 0; i < all->len; i++) {
        const struct found_address *b = &g_array_index(all, struct found_address, i);
        if (a->version == b->version && addr_cmp(&a->addr, &b->addr) == 0)
            return true;
    }
    return false;
}

/* /etc/hosts goes before the DNS, and nobody remembers what was written there. */
static void blame_hosts_file(struct rung_step *s, const struct resolvers *r, const GPtrArray *asked, const char *name)
{
    bool any = false, same = false;

    for (guint i = 0; i < asked->len; i++) {
        const struct asked *a = g_ptr_array_index(asked, i);
        any |= a->outcome == ASK_ADDRESSES;
        for (guint k = 0; a->outcome == ASK_ADDRESSES && k < r->hosts->len; k++)
            same |= holds(a->addresses, &g_array_index(r->hosts, struct found_address, k));
    }
    if (!any || same)
        return;
    step_blame(s, finding_new(CODE_DNS_DISAGREE, WHERE_CLIENT,
                              "/etc/hosts has another address for %s than the name servers.", name));
    step_remedy(s, "nano /etc/hosts: take out the line with %s, unless it is meant", name);
}

/* --- the rung --- */

static void take_all(GArray *out, const GArray *from)
{
    for (guint i = 0; from && i < from->len; i++) {
        const struct found_address *a = &g_array_index(from, struct found_address, i);
        if (!holds(out, a))
            g_array_append_val(out, *a);
    }
}

static void take_of_server(GArray *out, const GPtrArray *asked, unsigned server)
{
    for (guint i = 0; i < asked->len; i++) {
        const struct asked *a = g_ptr_array_index(asked, i);
        if (a->server == server && a->outcome == ASK_ADDRESSES)
            take_all(out, a->addresses);
    }
}

/* The first server that has an address, else the first that answers, else the first. */
static unsigned deciding(const struct resolvers *r, const GPtrArray *asked)
{
    for (unsigned i = 0; i < r->servers->len; i++) {
        struct word w = word_of(asked, i);
        if (w.answered && (w.addresses || w.nxdomain || w.no_data))
            return i;
    }
    for (unsigned i = 0; i < r->servers->len; i++)
        if (word_of(asked, i).answered)
            return i;
    return 0;
}

static char *list_of(const GArray *addresses)
{
    g_autoptr(GString) out = g_string_new(NULL);
    char text[ADDR_TEXT_SIZE];

    for (guint i = 0; i < addresses->len && i < 4; i++) {
        const struct found_address *a = &g_array_index(addresses, struct found_address, i);
        g_string_append_printf(out, "%s%s", i ? ", " : "", addr_text(text, &a->addr, a->version));
    }
    if (addresses->len > 4)
        g_string_append_printf(out, ", %u more", addresses->len - 4);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

struct rung_step *rung_dns_judge(const struct resolvers *r, const GPtrArray *asked, const char *name, GArray *out)
{
    unsigned first = deciding(r, asked);
    bool by_file = r->hosts->len > 0;
    struct rung_step *s;

    if (by_file)
        take_all(out, r->hosts);
    else if (r->uses_dns && r->servers->len)
        take_of_server(out, asked, first);
    if (out->len) {
        g_autofree char *list = list_of(out), *server = by_file ? g_strdup("/etc/hosts") : server_text(r, first);
        s = step_new(RUNG_DNS, "%s is %s, by %s", name, list, server);
        if (by_file)
            blame_hosts_file(s, r, asked, name);
        else
            blame_slow(s, r, asked, first);
        blame_disagreement(s, r, asked, first);
    } else {
        struct word w = word_of(asked, first);
        s = step_new(RUNG_DNS, "%s has no address", name);
        blame_nothing(s, r, &w, first, name);
    }
    step_subject(s, name);
    for (unsigned i = 0; i < r->servers->len; i++)
        note_server(s, r, asked, i);
    step_evidence(s,
                  "/etc/nsswitch.conf, /etc/hosts, /etc/resolv.conf; A and AAAA asked of each resolver (UDP port 53)");
    return s;
}

/* mdns, myhostname and their like: libc itself asks them. */
static void ask_libc(const char *name, GArray *out)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM }, *list = NULL;

    if (getaddrinfo(name, NULL, &hints, &list) != 0)
        return;
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        struct found_address a = { .version = i->ai_family == AF_INET6 ? 6 : 4 };
        if (a.version == 6)
            a.addr = addr_v6(((const struct sockaddr_in6 *)(const void *)i->ai_addr)->sin6_addr.s6_addr);
        else
            a.addr = addr_v4((const uint8_t *)&((const struct sockaddr_in *)(const void *)i->ai_addr)->sin_addr);
        if (!holds(out, &a))
            g_array_append_val(out, a);
    }
    freeaddrinfo(list);
}

static GPtrArray *ask_until_found(const struct resolvers *r, const char **name)
{
    GPtrArray *asked = NULL;

    for (guint i = 0; i < r->names->len && i <= LIMIT_SEARCH_NAMES; i++) {
        if (asked)
            g_ptr_array_free(asked, TRUE);
        *name = g_ptr_array_index(r->names, i);
        asked = ask_all(r, *name);
        if (r->servers->len == 0)
            break;
        struct word w = word_of(asked, deciding(r, asked));
        if (w.addresses || !w.answered)
            break;
    }
    return asked;
}

struct rung_step *rung_dns(const struct climb *c, GArray *out)
{
    struct resolvers *r = resolvers_read(c->machine->root, c->host);
    const char *name = c->host;
    g_autoptr(GPtrArray) asked = ask_until_found(r, &name);
    struct rung_step *s = rung_dns_judge(r, asked, name, out);

    if (out->len == 0 && r->others && !*c->machine->root) {
        ask_libc(c->host, out);
        g_autofree char *list = list_of(out);
        if (out->len) {
            step_free(s);
            s = step_new(RUNG_DNS, "%s is %s, by one of %s", c->host, list, r->others);
            step_subject(s, c->host);
        }
    }
    resolvers_free(r);
    return s;
}
