/* syn: what the SYN of a probe looks like, and its variants, each with one attribute changed: what a filter lets
 * through says what it keys on. */
#include "probe/trial.h"

#include <string.h>

enum { KIND_NOP = 1, KIND_MSS = 2, KIND_WSCALE = 3, KIND_SACK_OK = 4, KIND_TIMESTAMPS = 8 };
enum { ECN_ASKED = TCP_ECE | TCP_CWR, DSCP_EF = 46 };

const char *syn_variant_name(enum syn_variant v)
{
    static const char *const names[SYN_VARIANTS] = {
        [SYN_AS_IT_IS] = "unchanged",
        [SYN_ANOTHER_PORT] = "another source port",
        [SYN_LOW_PORT] = "source port 1023",
        [SYN_BARE] = "without options",
        [SYN_NO_TIMESTAMPS] = "without timestamps",
        [SYN_NO_WSCALE] = "without window scale",
        [SYN_NO_SACK] = "without SACK",
        [SYN_SMALL_MSS] = "MSS 536",
        [SYN_SMALL_WINDOW] = "window 1024",
        [SYN_OTHER_ECN] = "the other ECN flags",
        [SYN_OTHER_DSCP] = "another DSCP",
    };
    return names[v];
}

/* What Linux sends. */
static struct probe_syn usual(const struct trial *r)
{
    unsigned headers = r->aim->request.version == 6 ? 60 : 40;

    return (struct probe_syn){
        .opt = { .present = TCPOPT_HAS_MSS | TCPOPT_HAS_SACK_OK | TCPOPT_HAS_TIMESTAMPS | TCPOPT_HAS_WSCALE,
                 .mss = (uint16_t)(CLAMP(r->aim->route.mtu, 576u, 65535u) - headers),
                 .wscale = 7 },
        .window = 64240,
        .flags = TCP_SYN,
    };
}

struct probe_syn syn_of(const struct trial *r, const struct shot *s)
{
    struct probe_syn syn = r->aim->request.syn ? *r->aim->request.syn : usual(r);

    switch ((enum syn_variant)s->variant) {
    case SYN_BARE: syn.opt.present = 0; break;
    case SYN_NO_TIMESTAMPS: syn.opt.present &= (uint16_t)~TCPOPT_HAS_TIMESTAMPS; break;
    case SYN_NO_WSCALE: syn.opt.present &= (uint16_t)~TCPOPT_HAS_WSCALE; break;
    case SYN_NO_SACK: syn.opt.present &= (uint16_t)~TCPOPT_HAS_SACK_OK; break;
    case SYN_SMALL_MSS: syn.opt.mss = 536; break;
    case SYN_SMALL_WINDOW: syn.window = 1024; break;
    case SYN_OTHER_ECN: syn.flags ^= ECN_ASKED; break;
    case SYN_OTHER_DSCP: syn.tos = (uint8_t)((syn.tos & 3) | (syn.tos >> 2 == DSCP_EF ? 0 : DSCP_EF << 2)); break;
    case SYN_AS_IT_IS:
    case SYN_ANOTHER_PORT:
    case SYN_LOW_PORT:
    case SYN_VARIANTS: break;
    }
    return syn;
}

static unsigned put(uint8_t *out, unsigned at, const uint8_t *option, unsigned n)
{
    memcpy(out + at, option, n);
    return at + n;
}

/* In the order of Linux. */
unsigned syn_options(const struct trial *r, const struct probe_syn *syn, uint8_t out[CRAFT_OPTIONS])
{
    const struct tcp_options *o = &syn->opt;
    uint32_t v = r->aim->tsval;
    const uint8_t mss[] = { KIND_MSS, 4, (uint8_t)(o->mss >> 8), (uint8_t)o->mss }, sack[] = { KIND_SACK_OK, 2 },
                  wscale[] = { KIND_WSCALE, 3, o->wscale };
    const uint8_t stamps[] = {
        KIND_TIMESTAMPS, 10, (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v, 0, 0, 0, 0
    };
    unsigned n = 0;

    if (o->present & TCPOPT_HAS_MSS)
        n = put(out, n, mss, sizeof mss);
    if (o->present & TCPOPT_HAS_SACK_OK)
        n = put(out, n, sack, sizeof sack);
    if (o->present & TCPOPT_HAS_TIMESTAMPS)
        n = put(out, n, stamps, sizeof stamps);
    if (o->present & TCPOPT_HAS_WSCALE)
        n = put(out, n, wscale, sizeof wscale);
    while (n % 4)
        out[n++] = KIND_NOP;
    return n;
}

/* --- the variants --- */

/* A change that the SYN does not allow: it has no such option. */
static bool changes_nothing(const struct trial *r, enum syn_variant v)
{
    struct shot as_it_is = { 0 }, changed = { .variant = (uint8_t)v };
    struct probe_syn a = syn_of(r, &as_it_is), b = syn_of(r, &changed);

    if (v == SYN_AS_IT_IS || v == SYN_ANOTHER_PORT || v == SYN_LOW_PORT)
        return false;
    return a.opt.present == b.opt.present && a.opt.mss == b.opt.mss && a.window == b.window && a.flags == b.flags &&
           a.tos == b.tos;
}

/* What answered it; *sent: whether it was sent at all. */
static enum probe_reply state_of(const struct trial *r, enum syn_variant v, bool *sent)
{
    enum probe_reply reply = REPLY_NONE;

    *sent = false;
    for (guint i = 0; i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        *sent |= s->variant == v;
        if (s->variant == v && s->state == SHOT_ANSWERED)
            reply = s->answer.reply;
    }
    return reply;
}

/* The low port is one for all addresses: only one may use it at a time, which the numbers keep apart. */
static uint16_t port_of(const struct trial *r, enum syn_variant v)
{
    if (v == SYN_LOW_PORT)
        return SYN_LOW_SOURCE;
    return (uint16_t)(r->aim->ports + (v == SYN_ANOTHER_PORT ? PORT_VARIANT : PORT_SYN));
}

/* Each once: one that gets lost is only not named among those that pass. */
enum next variants_next(struct trial *r, struct shot *out)
{
    for (int v = SYN_AS_IT_IS; v < SYN_VARIANTS; v++) {
        bool sent;
        state_of(r, (enum syn_variant)v, &sent);
        if (sent || changes_nothing(r, (enum syn_variant)v))
            continue;
        out->ttl = 64;
        out->variant = (uint8_t)v;
        out->sport = port_of(r, (enum syn_variant)v);
        return NEXT_SEND;
    }
    return trial_open(r) ? NEXT_WAIT : NEXT_DONE;
}

void variants_conclude(const struct trial *r, struct probe_result *out)
{
    out->variants = g_array_new(FALSE, TRUE, sizeof(struct probe_variant));
    out->outcome = OUTCOME_NO_ANSWER;
    for (int v = SYN_AS_IT_IS; v < SYN_VARIANTS; v++) {
        bool sent;
        struct probe_variant variant = { syn_variant_name((enum syn_variant)v),
                                         state_of(r, (enum syn_variant)v, &sent) };
        if (!sent)
            continue;
        g_array_append_val(out->variants, variant);
        if (variant.reply == REPLY_SYN_ACK || variant.reply == REPLY_RST)
            out->outcome = OUTCOME_ANSWERED;
    }
}
