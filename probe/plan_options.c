/* plan_options: what the hops quote of it against what was sent (tracebox; Detal et al.,
 * IMC 2013). A hop quotes what it received, so the change was made by the hop before it or on the way between them.
 */
#include "probe/trial.h"

#define TEXT_ROOM 64

/* One thing that can be compared: fills both texts, and returns whether the quotation holds it. They differ where the
 * texts do. */
struct aspect {
    const char *what;
    bool (*compare)(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM]);
};

static void put(char out[TEXT_ROOM], unsigned value)
{
    g_snprintf(out, TEXT_ROOM, "%u", value);
}

/* The value of an option as the error quotes it, if it has the option. */
static void put_quoted(const struct shot *s, unsigned bit, unsigned value, char seen[TEXT_ROOM])
{
    if (s->quoted.opt.present & bit)
        put(seen, value);
    else
        g_strlcpy(seen, "none", TEXT_ROOM);
}

static bool compare_mss(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, syn_of(r, s).opt.mss);
    put_quoted(s, TCPOPT_HAS_MSS, s->quoted.opt.mss, seen);
    return s->quoted.has_header;
}

static void put_presence(const struct trial *r, const struct shot *s, unsigned bit, char sent[TEXT_ROOM],
                         char seen[TEXT_ROOM])
{
    g_strlcpy(sent, syn_of(r, s).opt.present & bit ? "present" : "none", TEXT_ROOM);
    g_strlcpy(seen, s->quoted.opt.present & bit ? "present" : "none", TEXT_ROOM);
}

static bool compare_sack(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put_presence(r, s, TCPOPT_HAS_SACK_OK, sent, seen);
    return s->quoted.has_header;
}

static bool compare_timestamps(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put_presence(r, s, TCPOPT_HAS_TIMESTAMPS, sent, seen);
    return s->quoted.has_header;
}

static bool compare_wscale(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, syn_of(r, s).opt.wscale);
    put_quoted(s, TCPOPT_HAS_WSCALE, s->quoted.opt.wscale, seen);
    return s->quoted.has_header;
}

static bool compare_window(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, syn_of(r, s).window);
    put(seen, s->quoted.window);
    return s->quoted.has_header;
}

static bool compare_sequence(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    (void)r;
    put(sent, s->seq);
    put(seen, s->quoted.seq);
    return s->quoted.has_seq;
}

static bool compare_dscp(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, syn_of(r, s).tos >> 2);
    put(seen, s->quoted.tos >> 2);
    return s->quoted.known;
}

static bool compare_ecn(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, syn_of(r, s).tos & 3);
    put(seen, s->quoted.tos & 3);
    return s->quoted.known;
}

static bool compare_destination(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    addr_text(sent, &r->dst, r->aim->request.version);
    addr_text(seen, &s->quoted.dst, r->aim->request.version);
    return s->quoted.known;
}

static bool compare_source(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    addr_text(sent, &r->aim->route.source, r->aim->request.version);
    addr_text(seen, &s->quoted.src, r->aim->request.version);
    return s->quoted.known;
}

static bool compare_port(const struct trial *r, const struct shot *s, char sent[TEXT_ROOM], char seen[TEXT_ROOM])
{
    put(sent, r->aim->request.port);
    put(seen, s->quoted.dport);
    return s->quoted.has_ports;
}

static const struct aspect aspects[] = {
    { "mss", compare_mss },
    { "sack", compare_sack },
    { "timestamps", compare_timestamps },
    { "wscale", compare_wscale },
    { "window", compare_window },
    { "sequence number", compare_sequence },
    { "dscp", compare_dscp },
    { "ecn", compare_ecn },
    { "destination address", compare_destination },
    { "destination port", compare_port },
    { "source address", compare_source },
};

static const struct shot *quote_at(const struct trial *trail, unsigned ttl)
{
    for (guint i = 0; i < trail->shots->len; i++) {
        const struct shot *s = &g_array_index(trail->shots, struct shot, i);
        if (s->ttl == ttl && s->state == SHOT_ANSWERED && s->quoted.known)
            return s;
    }
    return NULL;
}

static struct probe_place place(const struct shot *s)
{
    return s ? (struct probe_place){ .ttl = s->ttl, .known = true, .addr = s->answer.from } : (struct probe_place){ 0 };
}

/* The first hop that quotes it otherwise. Returns how many quotations hold it. */
static unsigned follow(const struct trial *trail, const struct aspect *a, GArray *changes)
{
    const struct shot *same = NULL;
    unsigned held = 0;

    for (unsigned ttl = 1; ttl <= UINT8_MAX; ttl++) {
        char sent[TEXT_ROOM], seen[TEXT_ROOM];
        const struct shot *s = quote_at(trail, ttl);
        if (!s || !a->compare(trail, s, sent, seen))
            continue;
        held++;
        if (!g_str_equal(sent, seen)) {
            struct probe_change c = { a->what, g_strdup(sent), g_strdup(seen), place(same), place(s) };
            g_array_append_val(changes, c);
            return held;
        }
        same = s;
    }
    return held;
}

void options_conclude(const struct trial *r, struct probe_result *out)
{
    const struct trial *trail = r->aim->trials[PROBE_SYN_TTL];
    unsigned quotes = 0;

    out->changes = g_array_new(FALSE, TRUE, sizeof(struct probe_change));
    for (size_t i = 0; i < G_N_ELEMENTS(aspects); i++)
        quotes += follow(trail, &aspects[i], out->changes);
    out->outcome = out->changes->len ? OUTCOME_REWRITTEN : quotes ? OUTCOME_UNCHANGED : OUTCOME_NO_ANSWER;
}
