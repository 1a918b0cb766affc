/* verdict: what a pair tells that neither of its captures could tell alone: on which way packets are lost, who sent
 * what, who does not answer. What else was found at either end is taken over.
 */
#include "compare/pair.h"

/* A finding of the comparison: of packets that go one way. */
static struct pair_finding *add(struct pair *p, struct finding *f)
{
    struct pair_finding new = { .finding = f };

    g_array_append_val(p->findings, new);
    return &g_array_index(p->findings, struct pair_finding, p->findings->len - 1);
}

static void add_server_packet(struct pair_finding *f, uint64_t packet)
{
    for (unsigned i = 0; i < f->n_server; i++)
        if (f->server[i] == packet)
            return;
    if (packet && f->n_server < FINDING_EVIDENCE)
        f->server[f->n_server++] = packet;
}

/* A packet of that end's capture proves it. */
static void prove(struct pair_finding *f, enum side end, uint64_t packet)
{
    if (end == CLIENT)
        finding_add_evidence(f->finding, packet);
    else
        add_server_packet(f, packet);
}

static const char *direction_name(enum side from)
{
    return from == CLIENT ? "to_server" : "to_client";
}

static enum where where_of(enum side end)
{
    return end == CLIENT ? WHERE_CLIENT : WHERE_SERVER;
}

static bool has_code(const struct pair *p, enum code code)
{
    for (guint i = 0; i < p->findings->len; i++)
        if (g_array_index(p->findings, struct pair_finding, i).finding->code == code)
            return true;
    return false;
}

/* --- resets that nobody sent --- */

static bool was_reset_by(const struct flow *f, uint64_t packet)
{
    return f->reset.packet == packet;
}

/* The first forged RST that ended the connection for the receiver of that way; NULL: none. */
static const struct sighting *forged_reset(const struct pair *p, enum side from)
{
    const struct seen_flow *far = far_of(p, from);

    for (guint i = 0; i < p->way[from].unsent->len; i++) {
        const struct sighting *s = sighting_at(far, g_array_index(p->way[from].unsent, uint32_t, i));
        if (s->fate == FATE_FORGED && s->flags & TCP_RST && was_reset_by(far->flow, s->number))
            return s;
    }
    return NULL;
}

static void judge_resets(struct pair *p, const struct vantage *const end_of[2])
{
    for (int from = CLIENT; from <= SERVER; from++) {
        const struct sighting *s = forged_reset(p, (enum side)from);
        enum side to = other_side((enum side)from);
        if (!s)
            continue;
        bool syn_answered = p->end[to]->flow->half[CLIENT].bytes + p->end[to]->flow->half[SERVER].bytes > 0 ||
                            p->end[to]->flow->ack_packet;
        struct finding *f =
            finding_new(syn_answered ? CODE_RESET_INJECTED : CODE_SYN_REFUSED_BY_MIDDLEBOX, WHERE_PATH,
                        "The %s received a RST that the %s did not send: something between them forged it.",
                        side_name(to), side_name((enum side)from));
        if (p->way[from].missed_near || end_of[from]->dropped)
            f->confidence = CONFIDENCE_LIKELY;
        finding_detail_text(f, "direction", direction_name((enum side)from));
        finding_detail_number(f, "ttl", s->ttl);
        prove(add(p, f), to, s->number);
    }
}

/* --- handshakes --- */

/* How many packets with exactly these of the flags SYN, ACK, RST, FIN the sender's capture has, and of them with a
 * fate. */
struct tally {
    unsigned sent, lost, arrived;
    uint64_t first;
};

static struct tally tally_of(const struct pair *p, enum side from, unsigned flags)
{
    const struct seen_flow *near = near_of(p, from);
    struct tally t = { 0 };

    for (guint i = 0; i < near->packets->len; i++) {
        const struct sighting *s = sighting_at(near, i);
        if (!goes(p, from, s, from) || (s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != flags)
            continue;
        t.sent++;
        t.lost += s->fate == FATE_LOST;
        t.arrived += s->fate == FATE_ARRIVED;
        t.first = t.first ? t.first : s->number;
    }
    return t;
}

static void add_located(struct pair *p, struct finding *f, enum side from, uint64_t packet)
{
    if (f->where == WHERE_PATH)
        f->own_remedy = g_strdup_printf(
            "Look between the two, on the way to the %s: filters, routes, links; a capture on a router in "
            "between halves the search.",
            side_name(other_side(from)));
    else if (f->code == CODE_SYN_UNANSWERED)
        f->own_remedy = g_strdup(
            "Look at the server: its firewall (`nft list ruleset`), who listens there (`ss -lnt`), a full queue.");
    finding_detail_text(f, "direction", direction_name(from));
    prove(add(p, f), from, packet);
}

/* The SYN was seen at the server, and still no connection came of it: who does not hear whom? */
static void judge_handshake(struct pair *p)
{
    enum handshake_outcome client = flow_handshake(p->end[CLIENT]->flow), server = flow_handshake(p->end[SERVER]->flow);
    struct tally syn = tally_of(p, CLIENT, TCP_SYN), answer = tally_of(p, SERVER, TCP_SYN | TCP_ACK);
    struct tally reset = tally_of(p, SERVER, TCP_RST | TCP_ACK), ack = tally_of(p, CLIENT, TCP_ACK);

    if (client == HANDSHAKE_NO_ANSWER && answer.lost && !answer.arrived)
        add_located(
            p,
            finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                        "The SYN reached the server, and its answer was lost on the way back (%u of %u SYN-ACKs).",
                        answer.lost, answer.sent),
            SERVER, answer.first);
    else if (client == HANDSHAKE_NO_ANSWER && reset.lost && !reset.arrived)
        add_located(p,
                    finding_new(CODE_SYN_UNANSWERED, WHERE_PATH,
                                "The server refused the SYN, and its RST was lost on the way back (%u of %u).",
                                reset.lost, reset.sent),
                    SERVER, reset.first);
    else if (client == HANDSHAKE_NO_ANSWER && syn.arrived > 1 && !answer.sent && !reset.sent)
        add_located(p,
                    finding_new(CODE_SYN_UNANSWERED, WHERE_SERVER,
                                "The SYN reached the server %u times, and the server sent no answer.", syn.arrived),
                    CLIENT, syn.first);
    else if (server == HANDSHAKE_UNFINISHED && ack.lost && !ack.arrived)
        add_located(
            p,
            finding_new(CODE_HANDSHAKE_UNFINISHED, WHERE_PATH,
                        "The server's SYN-ACK reached the client, and what the client sent after it was lost on the "
                        "way (%u of %u packets).",
                        ack.lost, ack.sent),
            CLIENT, ack.first);
}

/* --- connections that die --- */

static bool is_death(enum code code)
{
    return code == CODE_PATH_WENT_DEAD || code == CODE_IDLE_EXPIRED || code == CODE_PMTU_BLACKHOLE;
}

/* The packets of a way at its end: how many in a row are lost, and the first of them. Pure ACKs count where data is
 * false. */
static struct tally tail_of(const struct pair *p, enum side from, bool data)
{
    const struct seen_flow *near = near_of(p, from);
    struct tally t = { 0 };

    for (guint i = near->packets->len; i > 0; i--) {
        const struct sighting *s = sighting_at(near, i - 1);
        if (!goes(p, from, s, from) || (data && s->len == 0))
            continue;
        if (s->fate != FATE_LOST && s->fate != FATE_PARTLY) {
            t.arrived = s->fate == FATE_ARRIVED;
            break;
        }
        t.lost++;
        t.first = s->number;
    }
    return t;
}

/* The finding of one end's capture that says so, with the place that both captures together show. from: whose data
 * stays unanswered. */
static struct finding *located(const struct pair *p, const struct finding *f, enum side from, uint64_t *first,
                               enum side *lost_from)
{
    struct tally there = tail_of(p, from, true), back = tail_of(p, other_side(from), false);
    const char *sender = side_name(from), *receiver = side_name(other_side(from));

    *lost_from = from;
    *first = there.first;
    if (there.lost >= 2)
        return finding_new(
            f->code, WHERE_PATH,
            "What the %s sends is lost on the way to the %s: the last %u data packets left it and did not arrive.",
            sender, receiver, there.lost);
    *lost_from = other_side(from);
    *first = back.first;
    if (there.arrived && back.lost >= 2)
        return finding_new(
            f->code, WHERE_PATH,
            "What the %s sends arrives, and what the %s answers is lost on the way back: the last %u packets.", sender,
            receiver, back.lost);
    if (there.arrived && back.arrived)
        return finding_new(f->code, where_of(other_side(from)),
                           "What the %s sends arrives at the %s, and the %s sends no answer to it.", sender, receiver,
                           receiver);
    return NULL;
}

static void judge_death(struct pair *p, enum side end)
{
    const struct finding *f = judgement_verdict(&p->end[end]->judgement);
    enum side lost_from;
    uint64_t first;

    if (!is_death(f->code) || has_code(p, f->code))
        return;
    const struct losses *client = flow_losses(p->end[end]->flow, p->turned[end] ? SERVER : CLIENT);
    const struct losses *server = flow_losses(p->end[end]->flow, p->turned[end] ? CLIENT : SERVER);
    enum side from = client->tail_retries >= server->tail_retries ? CLIENT : SERVER;
    struct finding *new = located(p, f, from, &first, &lost_from);
    if (!new)
        return;
    add_located(p, new, lost_from, first);
}

/* --- loss --- */

/* CONTRACT: at least 1 % of the data segments, and three. */
#define LOSS_LEAST 3
#define LOSS_SHARE 100

/* The arrival of the next copy of a packet that was lost; 0: none near by. */
#define NEXT_COPY 4096
static uint64_t repaired_by(const struct pair *p, enum side from, guint at)
{
    const struct seen_flow *near = near_of(p, from);
    const struct sighting *lost = sighting_at(near, at);

    for (guint i = at + 1; i < near->packets->len && i - at < NEXT_COPY; i++) {
        const struct sighting *s = sighting_at(near, i);
        if (s->match && s->seq == lost->seq && s->len && goes(p, from, s, from))
            return sighting_at(far_of(p, from), s->match - 1)->number;
    }
    return 0;
}

static bool has_death(const struct pair *p)
{
    return has_code(p, CODE_PATH_WENT_DEAD) || has_code(p, CODE_IDLE_EXPIRED) || has_code(p, CODE_PMTU_BLACKHOLE);
}

static void judge_loss(struct pair *p, enum side from)
{
    const struct way *w = &p->way[from];

    bool died = has_death(p) && tail_of(p, from, true).lost >= 2; /* that finding tells it */

    if (died || w->lost_data < LOSS_LEAST || w->lost_data * LOSS_SHARE < w->data_sent)
        return;
    struct finding *f = finding_new(
        CODE_PACKET_LOSS, WHERE_PATH,
        "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
        " data segments were lost between the %s and the %s: they left the one and did not reach the other.",
        w->lost_data, w->data_sent, side_name(from), side_name(other_side(from)));
    finding_detail_text(f, "direction", direction_name(from));
    finding_detail_number(f, "lost", (int64_t)w->lost_data);
    finding_detail_number(f, "sent", (int64_t)w->data_sent);
    finding_detail_number(f, "lost_bytes", (int64_t)w->lost_bytes);
    struct pair_finding *found = add(p, f);
    for (guint i = 0, told = 0; i < w->lost->len && told < FINDING_EVIDENCE; i++) {
        guint at = g_array_index(w->lost, uint32_t, i);
        const struct sighting *s = sighting_at(near_of(p, from), at);
        if (s->len == 0)
            continue;
        told++;
        prove(found, from, s->number);
        prove(found, other_side(from), repaired_by(p, from, at));
    }
}

/* --- options --- */

static bool is_option(int c)
{
    return c == CHANGE_WSCALE || c == CHANGE_SACK || c == CHANGE_TIMESTAMPS || c == CHANGE_MPTCP ||
           c == CHANGE_FASTOPEN;
}

static void judge_options(struct pair *p)
{
    for (int from = CLIENT; from <= SERVER; from++) {
        const struct way *w = &p->way[from];
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        const struct changed *first = NULL;
        for (int c = 0; c < CHANGES; c++) {
            if (!is_option(c) || !w->changes[c].packets)
                continue;
            first = first ? first : &w->changes[c];
            g_ptr_array_add(names, (gpointer)(uintptr_t)change_name((enum change)c));
        }
        if (!first)
            continue;
        g_ptr_array_add(names, NULL);
        g_autofree char *list = g_strdelimit(g_strjoinv(", ", (char **)names->pdata), "_", ' ');
        struct finding *f =
            finding_new(CODE_OPTION_STRIPPED, WHERE_PATH,
                        "Something on the way to the %s removes or rewrites TCP options of the %s's SYN: %s.",
                        side_name(other_side((enum side)from)), side_name((enum side)from), list);
        finding_detail_text(f, "direction", direction_name((enum side)from));
        finding_detail_list(f, "options", (const char *const *)names->pdata);
        struct pair_finding *found = add(p, f);
        prove(found, (enum side)from, first->sent_packet);
        prove(found, other_side((enum side)from), first->come_packet);
    }
}

/* --- what the captures say by themselves --- */

static bool both_ways_known(const struct pair *p)
{
    return p->way[CLIENT].least_ns != TIME_NONE && p->way[SERVER].least_ns != TIME_NONE;
}

/* The RST that ended the connection for that end, if it is in both captures: then its sender did send it. NULL: it is
 * not. */
static const struct sighting *true_reset(const struct pair *p, enum side end)
{
    const struct seen_flow *f = p->end[end];

    for (guint i = 0; i < f->packets->len && f->flow->reset.packet; i++) {
        const struct sighting *s = sighting_at(f, i);
        if (was_reset_by(f->flow, s->number))
            return s->fate == FATE_ARRIVED ? s : NULL;
    }
    return NULL;
}

/* One capture by itself takes the RST for a forgery, and the other one has it, too. */
static void judge_true_reset(struct pair *p, enum side end)
{
    const struct finding *f = judgement_verdict(&p->end[end]->judgement);
    const struct sighting *s = f->code == CODE_RESET_INJECTED ? true_reset(p, end) : NULL;

    if (!s || has_code(p, CODE_RESET_BY_CLIENT) || has_code(p, CODE_RESET_BY_SERVER))
        return;
    enum side by = goes(p, end, s, CLIENT) ? CLIENT : SERVER, to = other_side(by);
    uint64_t other = sighting_at(p->end[other_side(end)], s->match - 1)->number;
    add_located(p,
                finding_new(by == CLIENT ? CODE_RESET_BY_CLIENT : CODE_RESET_BY_SERVER, where_of(by),
                            "The RST comes from the %s itself: both captures have it.", side_name(by)),
                by, by == end ? s->number : other);
    prove(&g_array_index(p->findings, struct pair_finding, p->findings->len - 1), to, to == end ? s->number : other);
}

/* Whether the comparison has the better word on this: it decided, or shows that it is not so. */
static bool is_settled(const struct pair *p, const struct finding *f, enum side end)
{
    switch (f->code) {
    case CODE_OK:
    case CODE_INCOMPLETE_CAPTURE: return true;
    case CODE_PACKET_LOSS: return both_ways_known(p);
    case CODE_SYN_UNANSWERED:
    case CODE_HANDSHAKE_UNFINISHED: return has_code(p, CODE_SYN_UNANSWERED) || has_code(p, CODE_HANDSHAKE_UNFINISHED);
    case CODE_PATH_WENT_DEAD:
    case CODE_IDLE_EXPIRED:
    case CODE_PMTU_BLACKHOLE: return has_code(p, f->code);
    case CODE_RESET_BY_CLIENT:
    case CODE_RESET_BY_SERVER:
    case CODE_SYN_REFUSED: return has_code(p, CODE_RESET_INJECTED) || has_code(p, CODE_SYN_REFUSED_BY_MIDDLEBOX);
    case CODE_SYN_REFUSED_BY_MIDDLEBOX:
    case CODE_RESET_INJECTED: return has_code(p, f->code) || true_reset(p, end);
    default: return false;
    }
}

static void take_over(struct pair *p, enum side end, const struct finding *f)
{
    struct pair_finding *mine = NULL;

    if (is_settled(p, f, end))
        return;
    for (guint i = 0; i < p->findings->len; i++)
        if (g_array_index(p->findings, struct pair_finding, i).finding->code == f->code)
            mine = &g_array_index(p->findings, struct pair_finding, i);
    if (!mine) {
        mine = add(p, finding_copy(f));
        mine->finding->n_evidence = 0;
    }
    for (unsigned i = 0; i < f->n_evidence; i++)
        prove(mine, end, f->evidence[i]);
}

static void take_over_all(struct pair *p)
{
    for (int end = CLIENT; end <= SERVER; end++) {
        const struct judgement *j = &p->end[end]->judgement;
        take_over(p, (enum side)end, judgement_verdict(j));
        for (guint i = 0; j->others && i < j->others->len; i++)
            take_over(p, (enum side)end, g_ptr_array_index(j->others, i));
    }
}

/* --- nothing wrong --- */

/* "7 of 7 packets that the client sent arrived": of those that the other capture covers, and acknowledged ones whether
 * it has them or not. */
static void append_way(GString *s, const struct way *w, enum side from)
{
    g_string_append_printf(s, "%s%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " packets that the %s sent arrived",
                           s->len ? ", " : "", w->arrived + w->missed_far,
                           w->arrived + w->missed_far + w->in_part + w->lost_packets, side_name(from));
}

static void say_ok(struct pair *p)
{
    const struct finding *a = judgement_verdict(&p->end[CLIENT]->judgement),
                         *b = judgement_verdict(&p->end[SERVER]->judgement);

    if (a->code == CODE_INCOMPLETE_CAPTURE && b->code == CODE_INCOMPLETE_CAPTURE && !p->proxied) {
        add(p, finding_copy(a))->finding->n_evidence = 0;
        return;
    }
    g_autoptr(GString) s = g_string_new(NULL);
    if (p->proxied) {
        g_string_append(s, "Two connections with the same content: something between the ends, a proxy or a load "
                           "balancer, ends the one "
                           "and opens the other");
    } else {
        append_way(s, &p->way[CLIENT], CLIENT);
        append_way(s, &p->way[SERVER], SERVER);
    }
    add(p, finding_new(CODE_OK, WHERE_NONE, "%s.", s->str));
}

static int compare_findings(const void *a, const void *b)
{
    return finding_compare(((const struct pair_finding *)a)->finding, ((const struct pair_finding *)b)->finding);
}

static void finding_clear(gpointer f)
{
    finding_free(((struct pair_finding *)f)->finding);
}

void judge_pair(struct pair *p, const struct vantage *const end_of[2])
{
    p->findings = g_array_new(FALSE, TRUE, sizeof(struct pair_finding));
    g_array_set_clear_func(p->findings, finding_clear);
    if (!p->proxied) {
        judge_resets(p, end_of);
        judge_handshake(p);
        judge_death(p, CLIENT);
        judge_death(p, SERVER);
        judge_loss(p, CLIENT);
        judge_loss(p, SERVER);
        judge_options(p);
        judge_true_reset(p, CLIENT);
        judge_true_reset(p, SERVER);
    }
    take_over_all(p);
    if (p->findings->len == 0)
        say_ok(p);
    g_array_sort(p->findings, compare_findings);
}
