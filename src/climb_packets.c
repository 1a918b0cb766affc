/* climb_packets: the packets of a climb's own connections, and what they say of its rungs. */
#include "src/climbing.h"

#include "src/climb_results.h"

/* Only the connections to the target, and what routers say of them; what other programs of this host say to others is
 * not looked at. */
static char *filter_of(const struct climbing *c)
{
    g_autoptr(GString) hosts = g_string_new(NULL);
    char text[ADDR_TEXT_SIZE];

    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);
        if (climb_is_tried(c, i))
            g_string_append_printf(hosts, "%shost %s", hosts->len ? " or " : "", addr_text(text, &a->addr, a->version));
    }
    return hosts->len ? g_strdup_printf("(tcp and (%s)) or icmp or icmp6", hosts->str) : NULL;
}

void climb_packets_begin(struct climbing *c)
{
    g_autofree char *filter = c->traffic ? filter_of(c) : NULL;

    if (filter)
        own_traffic_begin(c->traffic, filter, NULL);
}

static struct rung_step *step_of(const struct climbing *c, enum rung rung)
{
    for (guint i = 0; i < c->steps->len; i++) {
        struct rung_step *s = g_ptr_array_index(c->steps, i);
        if (s->rung == rung && s->status != STEP_SKIPPED)
            return s;
    }
    return NULL;
}

/* The rung that a verdict belongs to, by its layer and by how far the climb came. */
static struct rung_step *rung_of(const struct climbing *c, const struct finding *f, bool connected)
{
    enum layer layer = catalogue_row(f->code)->layer;
    struct rung_step *s = NULL;

    if (!connected)
        return step_of(c, RUNG_PORT);
    if (layer == LAYER_TLS)
        s = step_of(c, RUNG_TLS);
    if (!s)
        s = step_of(c, RUNG_APPLICATION);
    return s ? s : step_of(c, RUNG_TLS) ? step_of(c, RUNG_TLS) : step_of(c, RUNG_PORT);
}

static void add_evidence(struct finding *to, const struct finding *from)
{
    for (unsigned i = 0; i < from->n_evidence; i++)
        finding_add_evidence(to, from->evidence[i]);
}

/* One verdict of both: what agrees is proved by the packets. What only the packets show is no worse than degraded where
 * the rung itself came to its end. */
static void join(struct rung_step *s, const struct finding *packets)
{
    if (s->finding && s->finding->code == packets->code) {
        add_evidence(s->finding, packets);
        return;
    }
    if (s->finding && s->finding->code == CODE_SERVER_SILENT && packets->status == STATUS_BROKEN) {
        step_note(s, "%s", s->finding->summary); /* why nothing came is what the packets know */
        finding_free(s->finding);
        s->finding = finding_copy(packets);
        return;
    }
    if (s->finding) {
        step_note(s, "its packets: %s [%s]", packets->summary, catalogue_row(packets->code)->name);
        return;
    }
    struct finding *f = finding_copy(packets);
    f->status = MIN(f->status, STATUS_DEGRADED);
    step_blame(s, f);
}

void climb_packets_end(struct climbing *c)
{
    if (!c->traffic)
        return;
    own_traffic_end(c->traffic);
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);
        const struct probe_result *own = result_of(c->results, PROBE_CONNECT, i);
        const struct finding *f = own_traffic_verdict(c->traffic, a->version, &a->addr, c->target->port);
        struct rung_step *s = f && own ? rung_of(c, f, own->outcome == OUTCOME_OPEN) : NULL;
        if (s)
            join(s, f);
    }
}

/* --- consequences --- */

/* Without a link there is no address that serves, without an address no route, without a route nobody to ask. */
static bool follows_from(const struct rung_step *s, enum rung broken)
{
    static const enum rung order[] = { RUNG_LINK, RUNG_ADDRESS, RUNG_ROUTE_DEFAULT, RUNG_ROUTE_TARGET };
    bool below = false;

    if (s->rung == RUNG_DNS)
        return s->finding->code == CODE_DNS_NO_ANSWER;
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        if (s->rung == order[i])
            return below;
        below |= order[i] == broken;
    }
    return false;
}

static void excuse(struct rung_step *s, enum rung broken)
{
    g_autofree char *text = g_steal_pointer(&s->text);

    s->text = g_strdup_printf("%s: follows from %s", text, rung_row(broken)->name);
    s->status = STEP_UNKNOWN;
    finding_free(g_steal_pointer(&s->finding));
    g_clear_pointer(&s->remedy, g_free);
}

void climb_settle_consequences(struct climbing *c)
{
    enum rung broken = RUNGS;

    for (guint i = 0; i < c->steps->len; i++) {
        struct rung_step *s = g_ptr_array_index(c->steps, i);
        bool first =
            s->rung == RUNG_LINK || s->rung == RUNG_ADDRESS || s->rung == RUNG_ROUTE_DEFAULT || s->rung == RUNG_GATEWAY;
        if (s->status != STEP_BROKEN)
            continue;
        if (broken == RUNGS && first)
            broken = s->rung;
        else if (broken < RUNGS && s->finding && follows_from(s, broken))
            excuse(s, broken);
    }
}

/* --- causes on this host --- */

/* It would stop the connection, and does not: the rung knows less than the kernel. */
static void withdraw(struct rung_step *s)
{
    step_note(s, "%s Yet the connection is accepted.", s->finding->summary);
    finding_free(s->finding);
    s->finding = NULL;
    s->status = STEP_UNKNOWN;
    g_clear_pointer(&s->remedy, g_free);
}

static void join_cause(struct rung_step *port, struct rung_step *cause)
{
    if (!port || !cause || !cause->finding || cause->finding->status != STATUS_BROKEN)
        return;
    if (port->status != STEP_BROKEN) {
        withdraw(cause);
        return;
    }
    if (port->finding)
        step_note(port, "%s", port->finding->summary);
    finding_free(port->finding);
    port->finding = finding_copy(cause->finding);
    if (cause->remedy)
        step_remedy(port, "%s", cause->remedy);
}

/* Two with one address: which of them is met is luck, and where nothing comes back it was the wrong one. */
static void worsen(struct rung_step *s, const struct rung_step *port)
{
    if (!s || !port || port->status != STEP_BROKEN || !s->finding || s->finding->status != STATUS_DEGRADED ||
        s->finding->confidence == CONFIDENCE_CERTAIN)
        return;
    s->finding->status = STATUS_BROKEN;
    s->status = STEP_BROKEN;
}

void climb_join_causes(struct climbing *c)
{
    worsen(step_of(c, RUNG_ADDRESS), step_of(c, RUNG_PORT));
    worsen(step_of(c, RUNG_GATEWAY), step_of(c, RUNG_PORT));
    join_cause(step_of(c, RUNG_PORT), step_of(c, RUNG_FIREWALL));
    join_cause(step_of(c, RUNG_PORT), step_of(c, RUNG_CONNECTIONS));
}
