#include "probe/hellos.h"

#include "diagnose/finding.h"
#include "probe/connect.h"

/* Their segments may come so long after the end. */
#define STRAGGLERS_US (5 * G_USEC_PER_SEC)

/* What differs from the first. A name that nobody serves: RFC 2606. */
static const struct {
    const char *change;
    struct tls_shape shape;
} shapes[] = {
    { "the same server name", { .named = true } },
    { "no server name", { .named = false } },
    { "another server name", { .other_name = "www.example.com" } },
    { "TLS 1.2 at most", { .named = true, .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" } },
    { "a small ClientHello",
      { .named = true,
        .priority =
            "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+ECDHE-RSA:+ECDHE-ECDSA:+SIGN-ALL:+GROUP-SECP256R1:+GROUP-X25519" } },
};

struct hellos {
    struct probe_request request;
    char *name;
    unsigned at; /* which of the shapes */
    struct connecting *connecting;
    struct probe_result *result;
    uint16_t ports[G_N_ELEMENTS(shapes)]; /* local ones; 0: not opened */
    int64_t ended_us;                     /* monotonic; 0: not yet */
    void (*done)(void *user);
    void *user;
};

static void begin(struct hellos *h);

static void finish(struct hellos *h)
{
    h->ended_us = g_get_monotonic_time();
    h->done(h->user);
}

/* Whoever answers in TLS was reached, also with an alert. */
static enum probe_reply reply_of(const struct probe_result *tls)
{
    if (!tls)
        return REPLY_NONE;
    if (tls->outcome == OUTCOME_COMPLETE)
        return REPLY_TLS;
    switch (tls->finding ? tls->finding->code : CODE_OK) {
    case CODE_TLS_ALERT: return tls->finding->where == WHERE_SERVER ? REPLY_TLS_ALERT : REPLY_TLS;
    case CODE_TLS_RESET: return REPLY_CUT;
    case CODE_TLS_NOT_SPOKEN: return REPLY_NOT_TLS;
    default: return REPLY_NONE;
    }
}

/* Of the first: what it says stands for all. */
static void take_first(struct hellos *h, struct probe_result *connect, struct probe_result **tls)
{
    h->result->outcome = *tls ? (*tls)->outcome : connect->outcome;
    h->result->rtt_ns = *tls ? (*tls)->rtt_ns : TIME_NONE;
    if (!*tls)
        return;
    h->result->note = g_steal_pointer(&(*tls)->note);
    h->result->finding = g_steal_pointer(&(*tls)->finding);
}

static void on_done(void *user)
{
    struct hellos *h = user;
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func((GDestroyNotify)probe_result_free);

    connecting_results(h->connecting, 0, found);
    struct probe_result *tls = found->len > 1 ? g_ptr_array_index(found, 1) : NULL;
    struct probe_variant v = { .change = shapes[h->at].change, .reply = reply_of(tls) };
    g_array_append_val(h->result->variants, v);
    if (h->at == 0)
        take_first(h, g_ptr_array_index(found, 0), &tls);
    bool answered = v.reply == REPLY_TLS || v.reply == REPLY_TLS_ALERT || !tls;
    g_clear_pointer(&h->connecting, connecting_free);
    if ((h->at == 0 && answered) || ++h->at == G_N_ELEMENTS(shapes))
        finish(h);
    else
        begin(h);
}

static void begin(struct hellos *h)
{
    h->connecting = connecting_start(&h->request, &shapes[h->at].shape, on_done, h);
    h->ports[h->at] = connecting_port(h->connecting);
}

struct hellos *hellos_start(const struct probe_request *request, void (*done)(void *user), void *user)
{
    struct hellos *h = g_new0(struct hellos, 1);

    h->request = *request;
    h->name = g_strdup(request->name);
    h->request.name = h->name;
    h->done = done;
    h->user = user;
    h->result = probe_result_new(PROBE_TLS);
    h->result->version = request->version;
    h->result->target = h->result->way_to = request->addr;
    h->result->port = request->port;
    h->result->outcome = OUTCOME_STOPPED_EARLY;
    h->result->variants = g_array_new(FALSE, TRUE, sizeof(struct probe_variant));
    begin(h);
    return h;
}

void hellos_stop(struct hellos *h)
{
    g_clear_pointer(&h->connecting, connecting_free);
    h->ended_us = g_get_monotonic_time();
}

void hellos_free(struct hellos *h)
{
    if (!h)
        return;
    connecting_free(h->connecting);
    probe_result_free(h->result);
    g_free(h->name);
    g_free(h);
}

struct probe_result *hellos_result(const struct hellos *h)
{
    return probe_result_copy(h->result);
}

bool hellos_own(const struct hellos *h, const struct packet *p)
{
    if (p->kind != PACKET_TCP || p->ip.version != h->request.version ||
        (h->ended_us && g_get_monotonic_time() - h->ended_us > STRAGGLERS_US))
        return false;
    bool out = p->tcp.dport == h->request.port && addr_cmp(&p->ip.dst, &h->request.addr) == 0;
    bool in = p->tcp.sport == h->request.port && addr_cmp(&p->ip.src, &h->request.addr) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++)
        if (h->ports[i] && ((out && p->tcp.sport == h->ports[i]) || (in && p->tcp.dport == h->ports[i])))
            return true;
    return false;
}
