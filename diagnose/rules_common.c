#include "diagnose/rules.h"

#include <stdio.h>

char *end_text(char out[END_TEXT_SIZE], const struct flow *f, enum side s)
{
    char addr[ADDR_TEXT_SIZE];

    addr_text(addr, flow_addr(f, s), f->key.version);
    snprintf(out, END_TEXT_SIZE, f->key.version == 6 ? "[%s]:%u" : "%s:%u", addr, flow_port(f, s));
    return out;
}

char *duration_text(char out[32], int64_t ns)
{
    if (ns < NS_PER_MS)
        snprintf(out, 32, "%.3g ms", (double)ns / 1e6);
    else if (ns < NS_PER_S)
        snprintf(out, 32, "%.0f ms", (double)ns / 1e6);
    else if (ns < 10 * NS_PER_S)
        snprintf(out, 32, "%.1f s", (double)ns / 1e9);
    else if (ns < 180 * NS_PER_S)
        snprintf(out, 32, "%.0f s", (double)ns / 1e9);
    else
        snprintf(out, 32, "%.0f min", (double)ns / 60e9);
    return out;
}

void add_notes(struct finding *d, const struct flow *f, int kind, int side, unsigned most)
{
    if (!f->trouble || !f->trouble->notes)
        return;
    for (guint i = 0; i < f->trouble->notes->len && most > 0; i++) {
        const struct note *n = &g_array_index(f->trouble->notes, struct note, i);
        if (n->kind == kind && (side < 0 || n->side == side)) {
            finding_add_evidence(d, n->packet);
            most--;
        }
    }
}

static enum code icmpv4_code(uint8_t type, uint8_t code)
{
    if (type == 11)
        return code == 0 ? CODE_TTL_EXCEEDED : CODE_OK;
    if (type != 3)
        return CODE_OK;
    switch (code) {
    case 0:
    case 6:
    case 8:
    case 11: return CODE_NETWORK_UNREACHABLE;
    case 1:
    case 5:
    case 7:
    case 12: return CODE_HOST_UNREACHABLE;
    case 2:
    case 3: return CODE_PORT_UNREACHABLE;
    case 9:
    case 10:
    case 13:
    case 14:
    case 15: return CODE_ADMIN_PROHIBITED;
    default: return CODE_OK; /* 4: too big, has rules of its own */
    }
}

static enum code icmpv6_code(uint8_t type, uint8_t code)
{
    if (type == 3)
        return code == 0 ? CODE_TTL_EXCEEDED : CODE_OK;
    if (type != 1)
        return CODE_OK;
    switch (code) {
    case 0:
    case 2: return CODE_NETWORK_UNREACHABLE;
    case 1:
    case 5:
    case 6: return CODE_ADMIN_PROHIBITED;
    case 4: return CODE_PORT_UNREACHABLE;
    default: return CODE_HOST_UNREACHABLE;
    }
}

enum code icmp_code_of(unsigned version, uint8_t type, uint8_t code)
{
    return version == 6 ? icmpv6_code(type, code) : icmpv4_code(type, code);
}

struct finding *icmp_finding(const struct flow *f, const struct icmp_note *n)
{
    char from[ADDR_TEXT_SIZE], server[END_TEXT_SIZE];
    enum code code = icmp_code_of(f->key.version, n->type, n->code);
    enum side about = (enum side)n->about, target = other_side(about);
    bool from_target = addr_cmp(&n->from, flow_addr(f, target)) == 0;
    enum where where = !from_target ? WHERE_PATH : target == SERVER ? WHERE_SERVER : WHERE_CLIENT;

    addr_text(from, &n->from, f->key.version);
    struct finding *d = finding_new(code, where, "%s%s answers the packets to %s with ICMP: %s.",
                                    from_target ? (target == SERVER ? "The server " : "The client ") : "", from,
                                    end_text(server, f, target), catalogue_row(code)->title);
    finding_detail_text(d, "icmp_from", from);
    finding_detail_number(d, "icmp_type", n->type);
    finding_detail_number(d, "icmp_code", n->code);
    for (guint i = 0; i < flow_icmp_kept(f); i++)
        finding_add_evidence(d, f->trouble->icmp[i].packet);
    return d;
}

bool data_ignored(const struct flow *f)
{
    const struct half *client = &f->half[CLIENT];
    return client->bytes && client->unacked >= client->bytes && !f->half[SERVER].bytes;
}

bool both_captured(const struct flow *f)
{
    return f->half[CLIENT].packets > 0 && f->half[SERVER].packets > 0;
}

bool capture_missed(const struct flow *f, enum side s)
{
    return flow_anomalies(f, other_side(s))->acked_unseen > 0;
}

/* Quiet for so long, then trouble at once: something on the way forgot the connection (CONTRACT idle_expired). */
#define IDLE_NS (15 * NS_PER_S)

/* The connection worked, and was then quiet for much longer than its packets take. */
bool idle_before(const struct flow *f, int64_t idle_ns)
{
    int64_t slowest_ns = MAX(f->half[CLIENT].rtt.max_ns + f->half[SERVER].rtt.max_ns, flow_handshake_rtt_ns(f));

    return f->half[CLIENT].bytes + f->half[SERVER].bytes > 0 && both_captured(f) && idle_ns >= IDLE_NS &&
           idle_ns >= 3 * slowest_ns;
}

struct finding *idle_finding(int64_t idle_ns, uint64_t first_after, const char *what)
{
    char idle[32];
    struct finding *d = finding_new(CODE_IDLE_EXPIRED, WHERE_PATH,
                                    "The connection worked, was quiet for %s, and the first packet after that %s.",
                                    duration_text(idle, idle_ns), what);

    d->confidence = CONFIDENCE_LIKELY;
    finding_detail_seconds(d, "idle", idle_ns);
    finding_add_evidence(d, first_after);
    return d;
}

unsigned ttl_hops(uint8_t ttl)
{
    return ttl > 128 ? 255u - ttl : ttl > 64 ? 128u - ttl : 64u - ttl;
}

const struct icmp_note *icmp_since(const struct flow *f, enum side about, int64_t since_ns)
{
    for (guint i = 0; i < flow_icmp_kept(f); i++) {
        const struct icmp_note *n = &f->trouble->icmp[i];
        if (n->about == about && n->ts_ns >= since_ns && icmp_code_of(f->key.version, n->type, n->code) != CODE_OK)
            return n;
    }
    return NULL;
}

const struct tls_facts *flow_tls(const struct flow *f)
{
    return f->app ? f->app->tls : NULL;
}

guint flow_transactions(const struct flow *f)
{
    return f->app && f->app->http ? f->app->http->len : 0;
}

const struct http_transaction *flow_transaction(const struct flow *f, guint i)
{
    return http_at(f->app->http, i);
}

const struct http_transaction *cut_answer(const struct flow *f)
{
    for (guint i = 0; i < flow_transactions(f); i++)
        if (flow_transaction(f, i)->truncated && !flow_transaction(f, i)->complete)
            return flow_transaction(f, i);
    return NULL;
}
