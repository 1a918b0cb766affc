#include "probe/trial.h"

#include "base/limits.h"

#include <errno.h>
#include <string.h>

struct aim *aim_new(const struct probe_request *request, struct key *key, uint16_t ports)
{
    struct aim *a = g_new0(struct aim, 1);
    uint64_t numbers = key_draw(key), cookie = key_draw(key);

    a->request = *request;
    a->name = g_strdup(request->name);
    a->request.name = a->name;
    if (request->syn) {
        a->syn = *request->syn;
        a->request.syn = &a->syn;
    }
    a->key = key;
    a->ports = ports;
    a->echo_id = (uint16_t)numbers;
    a->flow_label = (uint32_t)(numbers >> 16) & 0xff;
    a->flow_label *= 0x101; /* libnet 1.1.6 writes the last byte of it twice */
    a->tsval = (uint32_t)(numbers >> 32) | 1;
    memcpy(a->cookie, &cookie, sizeof a->cookie);
    a->rtt_ns = TIME_NONE;
    return a;
}

void aim_free(struct aim *a)
{
    if (!a)
        return;
    for (int i = 0; i < PROBE_KINDS; i++)
        trial_free(a->trials[i]);
    g_free(a->name);
    g_free(a);
}

struct trial *trial_new(struct aim *a, enum probe_kind kind)
{
    struct trial *r = g_new0(struct trial, 1);

    r->kind = kind;
    r->plan = probe_plan_of(kind);
    r->form = r->plan->form;
    r->aim = a;
    r->dst = a->request.addr;
    r->sport = a->ports;
    r->shots = g_array_new(FALSE, TRUE, sizeof(struct shot));
    a->trials[kind] = r;
    return r;
}

void trial_free(struct trial *r)
{
    if (!r)
        return;
    g_array_free(r->shots, TRUE);
    g_free(r);
}

bool aim_begin(struct aim *a, enum probe_kind kind)
{
    struct trial *r = a->trials[kind];

    if (!aim_wants(a, kind) || !probe_plan_of(kind))
        return false;
    if (!r)
        r = trial_new(a, kind);
    if (r->started || r->done)
        return !r->done;
    switch (r->plan->ready(r)) {
    case READY: r->started = true; break;
    case NEVER: r->done = true; break;
    case NOT_YET: break;
    }
    return r->started;
}

enum next trial_next(struct trial *r, struct shot *out)
{
    enum next next = r->plan->next(r, out);

    if (next != NEXT_SEND || r->aim->spent < LIMIT_PROBE_PACKETS)
        return next;
    r->interrupted = true;
    return NEXT_DONE;
}

void trial_expire(struct trial *r, int64_t now_us)
{
    for (guint i = 0; i < r->shots->len; i++) {
        struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->state == SHOT_SENT && s->deadline_us <= now_us)
            s->state = SHOT_LOST;
    }
}

static bool is_drawn(const struct trial *r, uint16_t ip_id, uint16_t echo_seq)
{
    for (int k = 0; k < PROBE_KINDS; k++) {
        const struct trial *other = r->aim->trials[k];
        for (guint i = 0; other && i < other->shots->len; i++) {
            const struct shot *s = &g_array_index(other->shots, struct shot, i);
            if (s->ip_id == ip_id || s->echo_seq == echo_seq)
                return true;
        }
    }
    return false;
}

/* The short ones are drawn again until no other shot at this address has them. */
void trial_key(const struct trial *r, struct shot *s)
{
    uint64_t numbers = key_draw(r->aim->key);

    s->seq = (uint32_t)numbers;
    s->ack = (uint32_t)(numbers >> 32) | 1;
    do {
        numbers = key_draw(r->aim->key);
        s->ip_id = (uint16_t)numbers;
        s->echo_seq = (uint16_t)(numbers >> 16);
    } while (s->ip_id == 0 || is_drawn(r, s->ip_id, s->echo_seq));
}

static void take_answer(struct trial *r, struct shot *s, const struct packet *p, const struct quoted *q)
{
    struct answer *a = &s->answer;

    a->reply = r->form->classify(p);
    a->from = p->kind == PACKET_NEIGHBOR ? p->neighbor.target : p->ip.src;
    a->rtt_ns = MAX(p->ts_ns - s->sent_ns, 0);
    if (p->kind != PACKET_NEIGHBOR) {
        a->ttl = p->ip.ttl;
        a->ip_id = p->ip.id;
        a->in_fragments = p->ip.reassembled;
    }
    if (p->kind == PACKET_TCP)
        a->window = p->tcp.window;
    if (p->kind == PACKET_NEIGHBOR)
        memcpy(a->mac, p->neighbor.mac, sizeof a->mac);
    if (p->kind == PACKET_ICMP_ERROR) {
        a->icmp_type = p->icmp.type;
        a->icmp_code = p->icmp.code;
        a->mtu = p->icmp.mtu;
    }
    s->quoted = *q;
    s->quoted.payload = (struct slice){ 0 };
    s->state = SHOT_ANSWERED;
    if (p->kind != PACKET_NEIGHBOR && addr_cmp(&a->from, &r->aim->request.addr) == 0)
        r->aim->rtt_ns = MAX(r->aim->rtt_ns, a->rtt_ns);
}

/* The newest shot that p answers; an answer that comes twice changes nothing. */
static enum match offer(struct trial *r, const struct packet *p, const struct quoted *q)
{
    enum match best = MATCH_OTHER;

    for (guint i = r->shots->len; i > 0; i--) {
        struct shot *s = &g_array_index(r->shots, struct shot, i - 1);
        enum match m = s->state == SHOT_FAILED ? MATCH_OTHER : r->form->validate(r, s, p, q);
        if (m == MATCH_ANSWER && s->state != SHOT_ANSWERED)
            take_answer(r, s, p, q);
        if (m == MATCH_ANSWER)
            return m;
        best = MAX(best, m);
    }
    return best;
}

bool aim_offer(struct aim *a, const struct packet *p)
{
    struct trial *pretended = NULL;
    struct quoted q;

    /* this host's own errors say what its neighbour table says: neighbours are asked by a probe */
    if (p->kind == PACKET_ICMP_ERROR && !a->route.local && addr_cmp(&p->ip.src, &a->route.source) == 0)
        return false;
    quoted_read(&q, p);
    for (int i = 0; i < PROBE_KINDS; i++) {
        enum match m = a->trials[i] && a->trials[i]->form ? offer(a->trials[i], p, &q) : MATCH_OTHER;
        if (m == MATCH_ANSWER)
            return true;
        if (m == MATCH_FORGED && !pretended)
            pretended = a->trials[i];
    }
    if (pretended)
        pretended->forged++;
    return false;
}

const struct trial *aim_done(const struct aim *a, enum probe_kind kind)
{
    return a->trials[kind] && a->trials[kind]->done ? a->trials[kind] : NULL;
}

bool aim_wants(const struct aim *a, enum probe_kind kind)
{
    return a->request.kinds & PROBE_BIT(kind);
}

bool reply_is_final(enum probe_reply reply)
{
    return reply != REPLY_NONE && reply != REPLY_TTL_EXCEEDED && reply != REPLY_TOO_BIG;
}

unsigned trial_open(const struct trial *r)
{
    unsigned n = 0;

    for (guint i = 0; i < r->shots->len; i++)
        n += g_array_index(r->shots, struct shot, i).state == SHOT_SENT;
    return n;
}

bool shot_reached(const struct trial *r, const struct shot *s)
{
    return s->state == SHOT_ANSWERED && reply_is_final(s->answer.reply) && addr_cmp(&s->answer.from, &r->dst) == 0;
}

const struct shot *trial_answered(const struct trial *r)
{
    for (guint i = 0; r && i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (shot_reached(r, s))
            return s;
    }
    return NULL;
}

const struct shot *trial_refused(const struct trial *r)
{
    for (guint i = 0; r && i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (s->state == SHOT_ANSWERED && reply_is_final(s->answer.reply) && !shot_reached(r, s))
            return s;
    }
    return NULL;
}

/* It was asked, and is silent; where it could not be asked nothing is known. */
static bool is_silent(const struct trial *r)
{
    return r && r->shots->len && g_array_index(r->shots, struct shot, r->shots->len - 1).state == SHOT_LOST &&
           !trial_answered(r);
}

bool aim_is_cut_off(const struct aim *a)
{
    return is_silent(aim_done(a, PROBE_NEIGHBOR)) && !trial_answered(a->trials[PROBE_ECHO]) &&
           !trial_answered(a->trials[PROBE_SYN]) && !trial_answered(a->trials[PROBE_GATEWAY]);
}

static unsigned distance_of(const struct trial *r)
{
    unsigned nearest = 0;

    for (guint i = 0; r && i < r->shots->len; i++) {
        const struct shot *s = &g_array_index(r->shots, struct shot, i);
        if (shot_reached(r, s) && (nearest == 0 || s->ttl < nearest))
            nearest = s->ttl;
    }
    return nearest;
}

unsigned aim_distance(const struct aim *a)
{
    return MAX(distance_of(a->trials[PROBE_ECHO_TTL]), distance_of(a->trials[PROBE_SYN_TTL]));
}

/* --- the record --- */

static enum probe_outcome outcome_of_error(int error)
{
    switch (error) {
    case EPERM:
    case EACCES: return OUTCOME_BLOCKED_HERE;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case EINVAL:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case ENETDOWN: return OUTCOME_NO_ROUTE;
    default: return OUTCOME_FAILED;
    }
}

static struct probe_result *start_result(const struct aim *a, enum probe_kind kind)
{
    struct probe_result *out = probe_result_new(kind);

    out->version = a->request.version;
    out->target = out->way_to = a->request.addr;
    return out;
}

static bool has_port(const struct trial *r)
{
    return r->form == &form_syn || r->form == &form_ack;
}

struct probe_result *trial_conclude(const struct trial *r)
{
    struct probe_result *out = start_result(r->aim, r->kind);
    const struct shot *last = r->shots->len ? &g_array_index(r->shots, struct shot, r->shots->len - 1) : NULL;

    out->target = r->dst;
    out->port = has_port(r) ? r->aim->request.port : 0;
    for (guint i = 0; i < r->shots->len; i++)
        out->sent += g_array_index(r->shots, struct shot, i).state != SHOT_FAILED;
    out->forged = r->forged;
    r->plan->conclude(r, out);
    if (last && last->state == SHOT_FAILED && last->error != EMSGSIZE) {
        out->outcome = outcome_of_error(last->error);
        out->note = g_strdup_printf("it cannot be sent: %s", g_strerror(last->error));
    } else if (r->interrupted) {
        out->outcome = OUTCOME_STOPPED_EARLY;
        out->path_mtu = 0; /* as far as it came, it is none */
    }
    return out;
}

struct probe_result *aim_without_route(const struct aim *a)
{
    struct probe_result *out = start_result(a, a->request.port ? PROBE_SYN : PROBE_ECHO);

    out->port = a->request.port;
    out->outcome = outcome_of_error(a->route.error);
    out->note = g_strdup_printf("the routing table of this host says: %s", g_strerror(a->route.error));
    return out;
}
