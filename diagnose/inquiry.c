#include "diagnose/inquiry.h"

#include <string.h>

/* RFC 1035 section 2.3: of a name that is worth to be said again. */
#define LONGEST_NAME 253
#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* Does a new connection come to be, and where does its SYN end? Echo is the control. */
#define OPENING                                                                                                        \
    (PROBE_BIT(PROBE_NEIGHBOR) | PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_SYN_TTL) |             \
     PROBE_BIT(PROBE_ECHO_TTL))
/* Which sizes pass, and where do others end? */
#define SIZES                                                                                                          \
    (OPENING | PROBE_BIT(PROBE_ACK_DF) | PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) | PROBE_BIT(PROBE_SIZE_TTL))
/* Is another ClientHello answered? */
#define TLS (PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_TLS))
#define WITHOUT_PORT                                                                                                   \
    (PROBE_BIT(PROBE_NEIGHBOR) | PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_ECHO_TTL) | PROBE_BIT(PROBE_ECHO_DF) |        \
     PROBE_BIT(PROBE_SIZE_TTL))

unsigned inquiry_kinds(const struct finding *d, enum side target)
{
    static const unsigned wanted[CODES] = {
        [CODE_SYN_UNANSWERED] = OPENING,
        [CODE_SYN_REFUSED] = OPENING,
        [CODE_SYN_REFUSED_BY_MIDDLEBOX] = OPENING,
        [CODE_HANDSHAKE_UNFINISHED] = OPENING,
        [CODE_NETWORK_UNREACHABLE] = OPENING,
        [CODE_HOST_UNREACHABLE] = OPENING,
        [CODE_ADMIN_PROHIBITED] = OPENING,
        [CODE_PORT_UNREACHABLE] = OPENING,
        [CODE_TTL_EXCEEDED] = OPENING,
        [CODE_RESET_INJECTED] = OPENING,
        [CODE_PATH_WENT_DEAD] = OPENING,
        [CODE_IDLE_EXPIRED] = OPENING,
        [CODE_TLS_RESET] = TLS,
        [CODE_TLS_NO_SERVER_HELLO] = TLS,
        [CODE_PMTU_BLACKHOLE] = SIZES,
        [CODE_PMTU_IGNORED] = SIZES,
    };
    unsigned kinds = d->status == STATUS_BROKEN ? wanted[d->code] : 0;

    return target == SERVER ? kinds : kinds & WITHOUT_PORT;
}

bool inquiry_is_name(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n <= LONGEST_NAME && strspn(text, NAME_LETTERS) == n;
}

const char *inquiry_name(const struct flow *f)
{
    const char *sni = f->app && f->app->tls ? f->app->tls->sni : NULL;

    return sni && inquiry_is_name(sni) ? sni : NULL;
}

bool inquiry_syn(const struct flow *f, struct probe_syn *out)
{
    const struct tcp_offer *o = &f->half[CLIENT].offer;

    if (!o->seen || o->cut)
        return false;
    *out = (struct probe_syn){ .window = o->window,
                               .flags = o->ecn ? TCP_SYN | TCP_ECE | TCP_CWR : TCP_SYN,
                               .tos = (uint8_t)(o->dscp << 2) };
    out->opt.mss = o->mss;
    out->opt.wscale = (uint8_t)MAX(o->wscale, 0);
    out->opt.present =
        (uint16_t)((o->mss ? TCPOPT_HAS_MSS : 0) | (o->sack ? TCPOPT_HAS_SACK_OK : 0) |
                   (o->timestamps ? TCPOPT_HAS_TIMESTAMPS : 0) | (o->wscale >= 0 ? TCPOPT_HAS_WSCALE : 0));
    return true;
}
