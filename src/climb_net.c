/* climb_net: the rungs that send to the target: from the echo to the port. */
#include "src/climbing.h"

#include "base/limits.h"
#include "host/tcpext.h"
#include "probe/connect.h"
#include "diagnose/probe_verdict.h"
#include "src/climb_results.h"

#define PING_TRIES 3
#define REVERSED "IPReversePathFilter" /* of TcpExt: dropped by rp_filter */

struct probe_request climb_request(const struct climbing *c, unsigned i)
{
    const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);

    return (struct probe_request){ .version = a->version,
                                   .addr = a->addr,
                                   .scope = a->scope,
                                   .port = c->target->port,
                                   .name = c->climb.is_name ? c->target->host : NULL };
}

/* An address that is not left out, and to which there is a way. */
bool climb_is_tried(const struct climbing *c, unsigned i)
{
    const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);

    return climb_wants(&c->climb, a->version) && !a->error;
}

static bool is_any_tried(const struct climbing *c)
{
    for (guint i = 0; i < c->climb.addresses->len; i++)
        if (climb_is_tried(c, i))
            return true;
    return false;
}

/* --- ping --- */

static void append_reply(GString *out, const struct climb_address *a, const struct echo_reply *r)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append_printf(out, "%s%s", out->len ? "; " : "", addr_text(text, &a->addr, a->version));
    switch (r->outcome) {
    case ECHO_ANSWERED: g_string_append_printf(out, " answers, %.2f ms", (double)r->rtt_ns / 1e6); break;
    case ECHO_SILENT: g_string_append(out, " does not answer"); break;
    case ECHO_UNSENT: g_string_append_printf(out, ": not sent: %s", g_strerror(r->error)); break;
    case ECHO_ERROR:
        g_string_append_printf(out, ": %s", g_strerror(r->error));
        if (r->has_from)
            g_string_append_printf(out, ", says %s", addr_text(text, &r->from, a->version));
    }
}

struct rung_step *climb_ping(struct climbing *c)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bool any = false, asked = false;

    for (guint i = 0; i < c->climb.addresses->len && !c->stopped; i++) {
        const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);
        struct echo_reply r;
        if (!climb_is_tried(c, i) || !echo_can(c->echo, a->version))
            continue;
        asked = true;
        echo_ask(c->echo, a->version, &a->addr, a->scope, PING_TRIES, &r);
        any |= r.outcome == ECHO_ANSWERED;
        append_reply(out, a, &r);
    }
    if (!asked)
        return step_skip(
            RUNG_PING,
            is_any_tried(c)
                ? "this user may not send echoes: sysctl net.ipv4.ping_group_range='0 2147483647', or run it as root"
                : "there is no way to the target");
    struct rung_step *s = step_new(RUNG_PING, "%s", out->str);
    if (!any)
        s->status = STEP_UNKNOWN;
    step_evidence(s, "an ICMP echo to each address");
    return s;
}

/* --- the crafted probes --- */

#define OF_EACH (PROBE_BIT(PROBE_ECHO) | PROBE_BIT(PROBE_SYN))
#define OF_FIRST                                                                                                       \
    (OF_EACH | PROBE_BIT(PROBE_SYN_TTL) | PROBE_BIT(PROBE_ECHO_TTL) | PROBE_BIT(PROBE_OPTION_DIFF) |                   \
     PROBE_BIT(PROBE_ACK_DF) | PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) | PROBE_BIT(PROBE_SIZE_TTL))

/* The whole set for the first address of each family, the short one for the others. ways: which address each of the
 * engine's results belongs to. */
static void add_targets(struct climbing *c, GArray *ways)
{
    bool had[2] = { false };

    for (guint i = 0; i < c->climb.addresses->len; i++) {
        struct probe_request request = climb_request(c, i);
        bool *family = &had[request.version == 6];
        if (!climb_is_tried(c, i))
            continue;
        request.kinds = *family ? OF_EACH : OF_FIRST;
        *family = true;
        if (probe_engine_add(c->engine, &request, NULL))
            g_array_append_val(ways, i);
    }
}

static void on_probed(void *user)
{
    g_main_loop_quit(user);
}

static gboolean on_look(gpointer user)
{
    struct climbing *c = user;

    if (c->stopped)
        probe_engine_stop(c->engine);
    return G_SOURCE_CONTINUE;
}

static void take_results(struct climbing *c, const GArray *ways)
{
    g_autoptr(GPtrArray) found = probe_engine_results(c->engine);

    for (guint i = 0; i < found->len; i++) {
        struct probe_result *r = g_ptr_array_index(found, i);
        r->way = g_array_index(ways, guint, r->way);
        g_ptr_array_add(c->results, r);
    }
}

static void probe(struct climbing *c)
{
    g_autoptr(GArray) ways = g_array_new(FALSE, FALSE, sizeof(guint));
    GMainLoop *loop = g_main_loop_new(NULL, FALSE);

    add_targets(c, ways);
    if (ways->len) {
        guint look = g_timeout_add(100, on_look, c);
        probe_engine_start(c->engine, on_probed, loop);
        g_main_loop_run(loop);
        g_source_remove(look);
        take_results(c, ways);
    }
    g_main_loop_unref(loop);
}

/* --- path_mtu --- */

#define SIZES (PROBE_BIT(PROBE_ACK_DF) | PROBE_BIT(PROBE_UDP_DF) | PROBE_BIT(PROBE_ECHO_DF) | PROBE_BIT(PROBE_SIZE_TTL))

static const char *size_text(const struct probe_result *r)
{
    switch (r->outcome) {
    case OUTCOME_FITS: return "passes, as the interface allows";
    case OUTCOME_ANNOUNCED: return "passes, and ICMP says so of what is larger";
    case OUTCOME_BLACK_HOLE: return "passes, and what is larger vanishes without a word";
    default: return "cannot be measured: small packets are not answered either";
    }
}

/* The best measure of an address: there and back by echo, else there. */
static const struct probe_result *size_of(const GPtrArray *sizes, unsigned way)
{
    const struct probe_result *best = NULL;

    for (guint i = 0; i < sizes->len; i++) {
        const struct probe_result *r = g_ptr_array_index(sizes, i);
        if (r->way == way && r->kind != PROBE_SIZE_TTL &&
            (!best || !best->path_mtu || (r->path_mtu && r->path_mtu < best->path_mtu)))
            best = r;
    }
    return best;
}

static void append_size(GString *out, const struct probe_result *r)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append_printf(out, "%s%s: ", out->len ? "; " : "", addr_text(text, &r->way_to, r->version));
    if (r->path_mtu)
        g_string_append_printf(out, "%u ", r->path_mtu);
    g_string_append(out, size_text(r));
    if (r->outcome == OUTCOME_ANNOUNCED && r->from.known)
        g_string_append_printf(out, " (%s)", addr_text(text, &r->from.addr, r->version));
}

struct rung_step *climb_path_mtu(struct climbing *c)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (!is_any_tried(c))
        return step_skip(RUNG_PATH_MTU, "there is no way to the target");
    if (!c->engine)
        return step_skip(RUNG_PATH_MTU, "this user may not send crafted packets: run it as root, or with sudo");
    if (climb_stays_here(&c->climb))
        return step_skip(RUNG_PATH_MTU, "the target is this host itself");
    probe(c);
    g_autoptr(GPtrArray) sizes = results_of(c->results, SIZES);
    bool measured = false;
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct probe_result *r = size_of(sizes, i);
        if (r)
            append_size(out, r);
        measured |= r && r->path_mtu;
    }
    struct rung_step *s =
        step_new(RUNG_PATH_MTU, "%s", out->len ? out->str : "not measured: packets are not answered, or refused");
    struct finding *f = probe_verdict(sizes);
    if (f)
        step_blame(s, f);
    else if (!measured)
        s->status = STEP_UNKNOWN;
    step_evidence(s, "TCP segments and ICMP echoes of growing size with DF");
    return s;
}

/* --- port --- */

struct connects {
    struct connecting *all[LIMIT_PROBE_ADDRESSES];
    GMainLoop *loop;
};

static void on_done(void *user)
{
    struct connects *k = user;

    for (int i = 0; i < LIMIT_PROBE_ADDRESSES; i++)
        if (k->all[i] && !connecting_is_done(k->all[i]))
            return;
    g_main_loop_quit(k->loop);
}

void climb_connect(struct climbing *c, const struct probe_request *requests, const unsigned *ways, unsigned n, bool tls)
{
    struct connects k = { .loop = g_main_loop_new(NULL, FALSE) };

    for (unsigned i = 0; i < n; i++)
        k.all[i] = connecting_start(&requests[i], tls ? &tls_usual : NULL, on_done, &k);
    if (n)
        g_main_loop_run(k.loop);
    for (unsigned i = 0; i < n; i++) {
        connecting_results(k.all[i], ways[i], c->results);
        connecting_free(k.all[i]);
    }
    g_main_loop_unref(k.loop);
    probe_results_sort(c->results);
}

/* The record that says that no SYN was crafted: the kernel's own tells then. */
static void leave_out(struct climbing *c)
{
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        struct probe_request request = climb_request(c, i);
        if (!climb_is_tried(c, i))
            continue;
        struct probe_result *r = probe_result_new(PROBE_SYN);
        r->way = i;
        r->version = request.version;
        r->target = r->way_to = request.addr;
        r->port = request.port;
        r->outcome = OUTCOME_LEFT_OUT;
        r->note = g_strdup(c->engine_why);
        g_ptr_array_add(c->results, r);
    }
}

static void connect_all(struct climbing *c)
{
    struct probe_request requests[LIMIT_PROBE_ADDRESSES];
    unsigned ways[LIMIT_PROBE_ADDRESSES], n = 0;

    for (guint i = 0; i < c->climb.addresses->len; i++) {
        if (!climb_is_tried(c, i))
            continue;
        requests[n] = climb_request(c, i);
        ways[n++] = i;
    }
    climb_packets_begin(c);
    climb_connect(c, requests, ways, n, c->target->tls);
    if (!c->engine)
        leave_out(c);
    probe_results_sort(c->results);
}

static void append_connect(GString *out, const struct probe_result *r)
{
    char text[ADDR_TEXT_SIZE];

    g_string_append_printf(out, "%s%s", out->len ? "; " : "", addr_text(text, &r->target, r->version));
    if (r->outcome == OUTCOME_OPEN)
        g_string_append_printf(out, " accepts, %.2f ms", (double)r->rtt_ns / 1e6);
    else
        g_string_append_printf(out, ": %s",
                               r->outcome == OUTCOME_NO_ANSWER ? "no answer" : probe_outcome_name(r->outcome));
}

#define SYNS                                                                                                           \
    (PROBE_BIT(PROBE_CONNECT) | PROBE_BIT(PROBE_SYN) | PROBE_BIT(PROBE_SYN_TTL) | PROBE_BIT(PROBE_ECHO) |              \
     PROBE_BIT(PROBE_ECHO_TTL) | PROBE_BIT(PROBE_OPTION_DIFF))

/* The kernel's own connection decides: what crafted packets met counts where it failed. */
static struct finding *judge_port(const struct climbing *c)
{
    g_autoptr(GPtrArray) told = results_of(c->results, SYNS);

    for (guint i = told->len; i-- > 0;) {
        const struct probe_result *r = g_ptr_array_index(told, i);
        const struct probe_result *connected = result_of(c->results, PROBE_CONNECT, r->way);
        if (r->kind != PROBE_CONNECT && r->kind != PROBE_OPTION_DIFF && connected && connected->outcome == OUTCOME_OPEN)
            g_ptr_array_remove_index(told, i);
    }
    return probe_verdict(told);
}

/* The network answers the SYN, and the kernel of this host never hears of it. reversed: packets that came in by another
 * interface than answers to them would leave by, dropped meanwhile (rp_filter). */
static struct finding *kept_out_here(const struct climbing *c, uint64_t reversed)
{
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct probe_result *syn = result_of(c->results, PROBE_SYN, i),
                                  *own = result_of(c->results, PROBE_CONNECT, i);
        char text[ADDR_TEXT_SIZE];
        if (!syn || !own || own->outcome != OUTCOME_NO_ANSWER ||
            (syn->outcome != OUTCOME_OPEN && syn->outcome != OUTCOME_REFUSED))
            continue;
        struct finding *f =
            finding_new(CODE_FIREWALL_DROPS, WHERE_CLIENT, "%s answers, and %s drops the answer%s.",
                        addr_text(text, &syn->way_to, syn->version),
                        reversed ? "the reverse path filter of this host" : "something on this host",
                        reversed ? ": it comes in by another interface than packets to it leave by" : "");
        f->confidence = CONFIDENCE_LIKELY;
        return f;
    }
    return NULL;
}

/* The network would answer, and the kernel did not even begin: no port left, or something that only it knows. */
static struct finding *not_begun(const struct climbing *c)
{
    const struct probe_result *failed = NULL;

    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct probe_result *own = result_of(c->results, PROBE_CONNECT, i);
        if (own && own->outcome == OUTCOME_OPEN)
            return NULL;
        failed = own ? own : failed;
    }
    if (!failed)
        return NULL;
    struct finding *f =
        finding_new(CODE_NETWORK_UNREACHABLE, WHERE_CLIENT, "The kernel of this host does not connect (%s).",
                    failed->note ? failed->note : probe_outcome_name(failed->outcome));
    f->confidence = CONFIDENCE_LIKELY;
    return f;
}

static void remedy_here(struct rung_step *s, uint64_t reversed)
{
    if (reversed)
        step_remedy(s, "sysctl net.ipv4.conf.all.rp_filter net.ipv4.conf.IFACE.rp_filter: 2 lets it in, 1 does not; "
                       "ip route: let packets leave by the interface that the answers come in by");
    else
        step_remedy(s, "nft -a list ruleset; iptables-legacy -S; tc filter show dev IFACE ingress; sysctl "
                       "net.ipv4.conf.all.rp_filter");
}

static void remedy_not_begun(const struct climbing *c, struct rung_step *s)
{
    char text[ADDR_TEXT_SIZE];
    const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, 0);

    step_remedy(s, "ip route get %s ipproto tcp dport %u; ip rule; nft -a list ruleset",
                addr_text(text, &a->addr, a->version), c->target->port);
}

static bool is_address_of(const struct climbing *c, const struct climb_address *a)
{
    for (guint i = 0; i < c->machine->addresses->len; i++) {
        const struct host_address *own = &g_array_index(c->machine->addresses, struct host_address, i);
        if (own->link == a->link && own->version == a->version && addr_cmp(&own->addr, &a->source) == 0)
            return true;
    }
    return false;
}

/* Not even a router says that a packet passed it. */
static bool is_all_silent(const struct climbing *c, unsigned way)
{
    const struct probe_result *trail = result_of(c->results, PROBE_SYN_TTL, way),
                              *echo = result_of(c->results, PROBE_ECHO, way);

    for (guint i = 0; trail && trail->hops && i < trail->hops->len; i++)
        if (g_array_index(trail->hops, struct probe_hop, i).answered)
            return false;
    return trail && echo && echo->outcome == OUTCOME_NO_ANSWER;
}

/* Where nothing comes back, what to look at first. */
static void look_nearby(const struct climbing *c, struct rung_step *s)
{
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct climb_address *a = &g_array_index(c->climb.addresses, struct climb_address, i);
        char gateway[ADDR_TEXT_SIZE], source[ADDR_TEXT_SIZE], to[ADDR_TEXT_SIZE];
        if (!climb_is_tried(c, i) || a->local)
            continue;
        addr_text(source, &a->source, a->version);
        if (!is_address_of(c, a))
            step_note(s, "packets leave from %s, which is no address of %s: do the routers know the way back to it?",
                      source, machine_link_name(c->machine, a->link));
        if (!a->has_gateway || !is_all_silent(c, i))
            continue;
        addr_text(gateway, &a->gateway, a->version);
        step_note(s, "nothing behind %s answers, and no router on the way says a word", gateway);
        step_remedy(
            s,
            "on %s: sysctl net.ipv4.ip_forward; ip route get %s from %s iif IFACE; its NAT and its filter; where "
            "packets leave it, capture on the server",
            gateway, addr_text(to, &a->addr, a->version), source);
    }
}

/* Whose fault it is that no connection comes about; NULL: one does. */
static struct finding *judge(const struct climbing *c, struct rung_step *s, uint64_t reversed)
{
    struct finding *f = kept_out_here(c, reversed);

    if (f) {
        remedy_here(s, reversed);
    } else if ((f = judge_port(c))) {
        if (f->code == CODE_SYN_UNANSWERED && f->status == STATUS_BROKEN)
            look_nearby(c, s);
    } else if ((f = not_begun(c))) {
        remedy_not_begun(c, s);
    }
    return f;
}

struct rung_step *climb_port(struct climbing *c)
{
    g_autoptr(GString) out = g_string_new(NULL);

    if (!is_any_tried(c))
        return step_skip(RUNG_PORT, "there is no way to the target");
    uint64_t reversed = tcpext_now(REVERSED);
    connect_all(c);
    for (guint i = 0; i < c->climb.addresses->len; i++) {
        const struct probe_result *r = result_of(c->results, PROBE_CONNECT, i);
        if (r)
            append_connect(out, r);
    }
    if (c->more)
        g_string_append_printf(out, "; %u more addresses are not tried", c->more);
    struct rung_step *s = step_new(RUNG_PORT, "%u: %s", c->target->port, out->str);
    struct finding *f = judge(c, s, tcpext_now(REVERSED) - reversed);
    if (f)
        step_blame(s, f);
    step_evidence(s, "a TCP connection to each address, by the kernel");
    return s;
}
