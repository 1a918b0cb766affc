/* counters: what grew on the interfaces of the way while the climb lasted. */
#include "host/climb.h"

struct growth {
    uint64_t rx, tx, errors, drops;
};

static uint64_t grown(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static struct growth growth_of(const struct host_counters *a, const struct host_counters *b)
{
    return (struct growth){
        .rx = grown(a->rx_packets, b->rx_packets),
        .tx = grown(a->tx_packets, b->tx_packets),
        .errors =
            grown(a->rx_errors, b->rx_errors) + grown(a->tx_errors, b->tx_errors) + grown(a->tx_carrier, b->tx_carrier),
        .drops = grown(a->rx_missed, b->rx_missed) + grown(a->tx_dropped, b->tx_dropped),
    };
}

static void look(struct rung_step *s, const struct host_link *before, const struct host_link *after, bool first)
{
    struct growth g = growth_of(&before->counters, &after->counters);
    const struct host_counters *c = &after->counters;
    uint64_t flaps = grown(before->carrier_changes, after->carrier_changes);

    if (first) {
        g_free(s->text);
        s->text = g_strdup_printf("%s: %" G_GUINT64_FORMAT " packets in, %" G_GUINT64_FORMAT " out meanwhile",
                                  after->name, g.rx, g.tx);
        step_subject(s, after->name);
    }
    step_note(s,
              "%s: %" G_GUINT64_FORMAT " packets in, %" G_GUINT64_FORMAT " out in all; errors %" G_GUINT64_FORMAT
              " in, %" G_GUINT64_FORMAT " out; dropped %" G_GUINT64_FORMAT " in, %" G_GUINT64_FORMAT
              " out; carrier changed %" G_GUINT64_FORMAT " times",
              after->name, c->rx_packets, c->tx_packets, c->rx_errors, c->tx_errors, c->rx_dropped, c->tx_dropped,
              after->carrier_changes);
    if (c->rx_packets == 0 && c->tx_packets > 0)
        step_note(s, "nothing was ever received on %s: is it the right network, the right VLAN?", after->name);
    if (g.errors + g.drops + flaps == 0)
        return;
    struct finding *f = finding_new(CODE_INTERFACE_ERRORS, WHERE_CLIENT,
                                    "On %s errors grew by %" G_GUINT64_FORMAT ", drops by %" G_GUINT64_FORMAT
                                    " and carrier changes by %" G_GUINT64_FORMAT " while it was looked at.",
                                    after->name, g.errors, g.drops, flaps);
    finding_detail_number(f, "errors", (int64_t)g.errors);
    finding_detail_number(f, "drops", (int64_t)g.drops);
    finding_detail_number(f, "carrier_changes", (int64_t)flaps);
    step_blame(s, f);
    step_remedy(s, "ip -s -s link show %s; ethtool -S %s; then the cable, and the duplex of both ends: ethtool %s",
                after->name, after->name, after->name);
}

struct rung_step *rung_counters(const struct climb *c, const struct machine *now)
{
    g_autoptr(GArray) links = climb_links(c);
    struct rung_step *s = step_new(RUNG_COUNTERS, "no interface to count on");
    bool first = true;

    for (guint i = 0; i < links->len; i++) {
        unsigned index = g_array_index(links, unsigned, i);
        const struct host_link *before = machine_link(c->machine, index), *after = machine_link(now, index);
        if (!before || !after)
            continue;
        look(s, before, after, first);
        first = false;
    }
    step_evidence(s, "the interfaces' counters before and after the climb (rtnetlink)");
    return s;
}
