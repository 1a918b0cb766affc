#include "diagnose/overall.h"

#include "base/limits.h"
#include "diagnose/rules.h"

/* Different codes that one end is remembered with; more are counted as connections only. */
#define CODES_KEPT 3

struct alike {
    enum code code;
    uint64_t n;
    struct addr client;    /* of the first */
    bool several;          /* of several clients */
    struct finding *first; /* NULL: of look-ups */
};

/* An end that is asked: a server's address and port, or a name server. */
struct end {
    struct addr addr;
    uint16_t port; /* 0: a name server */
    uint8_t version;
    uint64_t asked, well;
    guint name;             /* a name server: hash of the name that was asked last */
    struct addr well_client; /* one of those that fare well */
    bool several_well;
    struct alike alike[CODES_KEPT];
    unsigned n_alike;
};

struct overall {
    GHashTable *ends; /* struct end, its own key */
    GPtrArray *order; /* struct end*, in order of their first; owned by the table */
    uint64_t well;    /* flows that are ok, of all ends */
};

static guint end_hash(gconstpointer p)
{
    const struct end *e = p;
    uint64_t words[2];

    memcpy(words, &e->addr, sizeof words);
    return (guint)(((words[1] ^ words[0] * 0x9e3779b97f4a7c15u ^ e->port) * 0xff51afd7ed558ccdu) >> 32);
}

static gboolean end_equal(gconstpointer a, gconstpointer b)
{
    const struct end *x = a, *y = b;
    return x->port == y->port && x->version == y->version && addr_cmp(&x->addr, &y->addr) == 0;
}

static void end_free(gpointer p)
{
    struct end *e = p;

    for (unsigned i = 0; i < e->n_alike; i++)
        finding_free(e->alike[i].first);
    g_free(e);
}

struct overall *overall_new(void)
{
    struct overall *o = g_new0(struct overall, 1);

    o->ends = g_hash_table_new_full(end_hash, end_equal, end_free, NULL);
    o->order = g_ptr_array_new();
    return o;
}

void overall_free(struct overall *o)
{
    if (!o)
        return;
    g_hash_table_destroy(o->ends);
    g_ptr_array_free(o->order, TRUE);
    g_free(o);
}

/* --- counting --- */

static struct end *end_of(struct overall *o, const struct addr *addr, uint16_t port, uint8_t version)
{
    struct end key = { .addr = *addr, .port = port, .version = version };
    struct end *e = g_hash_table_lookup(o->ends, &key);

    if (e || o->order->len >= LIMIT_OVERALL)
        return e;
    e = g_memdup2(&key, sizeof key);
    g_hash_table_add(o->ends, e);
    g_ptr_array_add(o->order, e);
    return e;
}

static const struct alike *alike_of(const struct end *e, enum code code)
{
    for (unsigned i = 0; i < e->n_alike; i++)
        if (e->alike[i].code == code)
            return &e->alike[i];
    return NULL;
}

static void count_failing(struct end *e, enum code code, const struct addr *client, const struct finding *first)
{
    struct alike *a = (struct alike *)alike_of(e, code);

    if (!a && e->n_alike == CODES_KEPT)
        return;
    if (!a) {
        a = &e->alike[e->n_alike++];
        *a = (struct alike){ .code = code, .client = *client, .first = first ? finding_copy(first) : NULL };
    }
    a->n++;
    a->several |= addr_cmp(&a->client, client) != 0;
}

static void count_well(struct end *e, const struct addr *client)
{
    if (e->well++ == 0)
        e->well_client = *client;
    else
        e->several_well |= addr_cmp(&e->well_client, client) != 0;
}

void overall_flow(struct overall *o, const struct flow *f, const struct finding *verdict)
{
    struct end *e;

    o->well += verdict->status == STATUS_OK;
    if (verdict->status == STATUS_UNKNOWN)
        return;
    e = end_of(o, flow_addr(f, SERVER), flow_port(f, SERVER), f->key.version);
    if (!e)
        return;
    e->asked++;
    if (verdict->status == STATUS_OK)
        count_well(e, flow_addr(f, CLIENT));
    else
        count_failing(e, verdict->code, flow_addr(f, CLIENT), verdict);
}

/* RFC 1035 section 4.1.1. */
enum { RCODE_SERVFAIL = 2, RCODE_REFUSED = 5 };

static enum code code_of(const struct lookup *l)
{
    if (!l->rcode)
        return CODE_DNS_NO_ANSWER;
    return l->rcode_number == RCODE_SERVFAIL  ? CODE_DNS_SERVFAIL
           : l->rcode_number == RCODE_REFUSED ? CODE_DNS_REFUSED
                                              : CODE_OK;
}

void overall_lookup(struct overall *o, const struct lookup *l)
{
    struct end *e = l->retry_of ? NULL : end_of(o, &l->server, 0, (uint8_t)l->version);
    enum code code = code_of(l);
    guint name = g_str_hash(l->name) | 1;

    if (!e || e->name == name)
        return; /* the same for another family, or once more */
    e->name = name;
    e->asked++;
    if (code == CODE_OK)
        count_well(e, &l->client);
    else
        count_failing(e, code, &l->client, NULL);
}

/* --- telling --- */

/* All that fail alike, added up over their ends. */
struct sum {
    uint64_t alike, of;
    unsigned ends;
    const struct end *largest;
};

static struct sum add_up(const struct overall *o, enum code code, bool names)
{
    struct sum s = { 0 };
    uint64_t most = 0;

    for (guint i = 0; i < o->order->len; i++) {
        const struct end *e = g_ptr_array_index(o->order, i);
        const struct alike *a = (e->port == 0) == names ? alike_of(e, code) : NULL;
        if (!a)
            continue;
        s.ends++;
        s.alike += a->n;
        s.of += e->asked;
        if (a->n > most) {
            most = a->n;
            s.largest = e;
        }
    }
    return s;
}

static char *at_text(const struct end *e)
{
    char addr[ADDR_TEXT_SIZE];

    addr_text(addr, &e->addr, e->version);
    if (e->port == 0)
        return g_strdup(addr);
    return g_strdup_printf(e->version == 6 ? "[%s]:%u" : "%s:%u", addr, e->port);
}

/* A copy of `first` that says first how many there are. */
static struct finding *widened(const struct finding *first, uint64_t alike, uint64_t of, const char *what,
                               const char *at)
{
    struct finding *d = finding_copy(first);

    g_free(d->summary);
    d->summary = g_strdup_printf("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " %s %s %s alike (%s); the first: %s",
                                 alike, of, what, at, d->status == STATUS_BROKEN ? "fail" : "fare",
                                 catalogue_row(d->code)->title, first->summary);
    finding_detail_number(d, "alike", (int64_t)alike);
    finding_detail_number(d, "of", (int64_t)of);
    finding_detail_text(d, "at", at);
    return d;
}

/* All those that fail are one client's, and others fare well at the same server: it is not the server. */
static void tell_client(struct finding *d, const struct end *e, const struct alike *a)
{
    char client[ADDR_TEXT_SIZE];
    bool others = e->well && (e->several_well || addr_cmp(&e->well_client, &a->client) != 0);

    if (a->several || !others)
        return;
    addr_text(client, &a->client, e->version);
    g_autofree char *told = d->summary;
    d->summary = g_strdup_printf("Only %s is affected, other clients fare well: %s", client, told);
    finding_detail_text(d, "client", client);
}

static struct finding *of_connections(const struct overall *o, enum code code)
{
    struct sum s = add_up(o, code, false);
    const struct alike *a = s.largest ? alike_of(s.largest, code) : NULL;

    if (s.alike < ALIKE_LEAST)
        return NULL;
    if (s.ends >= ALIKE_LEAST && o->well == 0 && a->n < s.alike) { /* nothing works, whoever is asked */
        g_autofree char *at = g_strdup_printf("%u servers", s.ends);
        return widened(a->first, s.alike, s.of, "connections to", at);
    }
    if (a->n < ALIKE_LEAST)
        return NULL;
    g_autofree char *at = at_text(s.largest);
    struct finding *d = widened(a->first, a->n, s.largest->asked, "connections to", at);
    tell_client(d, s.largest, a);
    return d;
}

static struct finding *of_names(const struct overall *o, const struct finding *worst)
{
    struct sum s = add_up(o, worst->code, true);
    g_autofree char *at = s.ends == 1 ? at_text(s.largest) : g_strdup_printf("%u name servers", s.ends);

    return s.alike < ALIKE_LEAST ? NULL : widened(worst, s.alike, s.of, "names asked of", at);
}

/* Hosts that ask for one address on the link, and nobody ever answered for it. */
static struct finding *of_neighbors(const struct finding *worst, const struct neighbors *n)
{
    const GPtrArray *all = neighbors_all(n);
    g_autoptr(GHashTable) askers = g_hash_table_new(end_hash, end_equal); /* struct end: of how many hosts in vain */
    struct end *most = NULL;
    g_autoptr(GPtrArray) ends = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < all->len; i++) {
        const struct neighbor *who = g_ptr_array_index(all, i);
        struct end key = { .addr = who->target, .version = who->version };
        struct end *e = g_hash_table_lookup(askers, &key);
        if (who->ever_answered || who->answered)
            continue;
        if (!e) {
            e = g_memdup2(&key, sizeof key);
            g_ptr_array_add(ends, e);
            g_hash_table_add(askers, e);
        }
        e->asked++;
        most = !most || e->asked > most->asked ? e : most;
    }
    if (!most || most->asked < ALIKE_LEAST)
        return NULL;
    g_autofree char *at = at_text(most);
    return widened(worst, most->asked, most->asked, "hosts that ask for", at);
}

struct finding *overall_verdict(const struct overall *o, const struct finding *worst, const struct neighbors *n)
{
    if (!worst)
        return NULL;
    switch (worst->code) {
    case CODE_NEIGHBOR_UNANSWERED: return of_neighbors(worst, n);
    case CODE_DNS_NO_ANSWER:
    case CODE_DNS_SERVFAIL:
    case CODE_DNS_REFUSED: return of_names(o, worst);
    default: return of_connections(o, worst->code);
    }
}
