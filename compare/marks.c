#include "compare/marks.h"

/* Segments of a flow that give marks: enough to recognise it where the captures begin and end at other times. */
#define FIRST_SEGMENTS 24
#define SPREAD_SEGMENTS 24

static void put(GArray *out, uint32_t owner, enum side side, enum mark_kind kind, uint8_t weight, uint64_t value)
{
    struct mark m = { mark_mix(value, kind + 1), owner, (uint8_t)side, weight, (uint8_t)kind };

    g_array_append_val(out, m);
}

static uint64_t both(uint64_t a, uint64_t b)
{
    return mark_mix(mark_mix(0, a), b);
}

static bool isn_seen(const struct flow *f, enum side s)
{
    return f->half[s].packets > 0 && f->half[s].offer.seen;
}

/* The time stamp where there is one, else the IP-ID; false: it has neither. */
static bool identity(const struct sighting *s, uint64_t *value)
{
    *value = s->present & TCPOPT_HAS_TIMESTAMPS ? s->tsval : s->ip_id;
    return s->present & TCPOPT_HAS_TIMESTAMPS || s->ip_id;
}

/* Both addresses and ports, whoever is called the client. */
static uint64_t ends_of(const struct flow *f)
{
    uint64_t value = mark_mix(f->key.version, (uint64_t)f->key.low_port << 16 | f->key.high_port);

    for (unsigned i = 0; i < sizeof f->key.low.bytes; i++)
        value = mark_mix(value, (uint64_t)f->key.low.bytes[i] << 8 | f->key.high.bytes[i]);
    return value;
}

/* A SYN alone is 32 bits at random: two of these say the same, so that none is mistaken among many. */
static void syn_marks(GArray *out, const struct sighting *s, const struct flow *f, uint32_t owner)
{
    uint64_t who;

    put(out, owner, s->side, MARK_SYN, 10, both(s->seq, 0));
    put(out, owner, s->side, MARK_SYN, 10, both(s->seq, 1u << 16 | flow_port(f, SERVER)));
    put(out, owner, s->side, MARK_SYN, MARK_ENOUGH, both(s->seq, ends_of(f)));
    if (!identity(s, &who))
        return;
    put(out, owner, s->side, MARK_SYN, 10, both(s->seq, 1ull << 32 | who));
    if (s->present & TCPOPT_HAS_TIMESTAMPS && s->ip_id)
        put(out, owner, s->side, MARK_IDENTITY, 20, mark_mix(both(who, s->ip_id), s->flags & (TCP_SYN | TCP_ACK)));
}

static void segment_marks(GArray *out, const struct sighting *s, const struct flow *f, uint32_t owner)
{
    uint64_t who;

    put(out, owner, s->side, MARK_NUMBERS, 10, both(s->seq, s->ack));
    put(out, owner, s->side, MARK_NUMBERS, MARK_ENOUGH, both(both(s->seq, s->ack), ends_of(f)));
    if (s->digest && s->len >= 8 && identity(s, &who))
        put(out, owner, s->side, MARK_IDENTITY, 10, both(who, s->digest));
}

/* The first ones, and some of all the rest: by their number, which is the same at both ends, so that the same ones are
 * chosen there. */
static bool is_chosen(const struct sighting *s, unsigned taken, unsigned spread)
{
    return taken < FIRST_SEGMENTS || (spread < SPREAD_SEGMENTS && ((s->seq ^ s->ack) * 2654435761u >> 16) % 61 == 0);
}

static void same_connection(GArray *out, const struct seen_flow *f, uint32_t owner)
{
    const struct flow *flow = f->flow;
    unsigned taken[2] = { 0 }, spread[2] = { 0 };

    if (isn_seen(flow, CLIENT) && isn_seen(flow, SERVER))
        put(out, owner, CLIENT, MARK_ISNS, 100, both(flow->half[CLIENT].isn, flow->half[SERVER].isn));
    for (guint i = 0; i < f->packets->len; i++) {
        const struct sighting *s = sighting_at(f, i);
        if (s->flags & TCP_SYN) {
            if (taken[s->side] < FIRST_SEGMENTS)
                syn_marks(out, s, flow, owner);
        } else if (is_chosen(s, taken[s->side], spread[s->side])) {
            segment_marks(out, s, flow, owner);
            spread[s->side] += taken[s->side] >= FIRST_SEGMENTS;
        }
        taken[s->side]++;
    }
}

/* The first bytes of each end, if the flow shows its beginning. */
static void same_content(GArray *out, const struct seen_flow *f, uint32_t owner)
{
    bool told[2] = { false, false };

    for (guint i = 0; i < f->packets->len && !(told[CLIENT] && told[SERVER]); i++) {
        const struct sighting *s = sighting_at(f, i);
        const struct flow *flow = f->flow;
        if (told[s->side] || !s->digest || s->len < 8 || s->seq != flow->half[s->side].isn + 1)
            continue;
        told[s->side] = true;
        put(out, owner, s->side, MARK_CONTENT, MARK_ENOUGH / 2,
            both(s->side, both(s->digest, MIN(s->len, DIGEST_BYTES))));
    }
}

void marks_of_flow(GArray *out, const struct seen_flow *f, uint32_t owner, bool proxied)
{
    if (proxied)
        same_content(out, f, owner);
    else
        same_connection(out, f, owner);
    put(out, owner, CLIENT, MARK_ENDS, 1, ends_of(f->flow));
}

const char *marks_basis(uint32_t kinds)
{
    if (kinds & 1u << MARK_ISNS)
        return "initial_sequence_numbers";
    if (kinds & 1u << MARK_SYN)
        return "syn";
    if (kinds & 1u << MARK_NUMBERS)
        return "sequence_numbers";
    return kinds & 1u << MARK_IDENTITY ? "identity" : "content";
}
