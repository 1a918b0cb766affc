#include "diagnose/kernel_view.h"

#include "diagnose/rules.h"

#include <errno.h>

const char *kernel_counter_name(enum kernel_counter c)
{
    static const char *const names[] = { "ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "IPReversePathFilter",
                                         "TCPTimeouts" };

    G_STATIC_ASSERT(G_N_ELEMENTS(names) == KERNEL_COUNTERS);
    return names[c];
}

static void G_GNUC_PRINTF(2, 3) say(struct finding *d, const char *format, ...)
{
    g_autofree char *before = d->summary;
    va_list args;

    va_start(args, format);
    g_autofree char *more = g_strdup_vprintf(format, args);
    va_end(args);
    d->summary = g_strdup_printf("%s %s", before, more);
}

static void take_remedy(struct finding *d, char *remedy)
{
    g_free(d->own_remedy);
    d->remedy = d->own_remedy = remedy;
}

static void blame_here(struct finding *d, enum side here)
{
    d->where = here == CLIENT ? WHERE_CLIENT : WHERE_SERVER;
    take_remedy(d, g_strdup("Look at the firewall of this host: `nft list ruleset`, `iptables-save`; and at its "
                            "counters of what it throws away: `nstat -az`."));
}

/* Below it Linux does not go, whatever it is told: net.ipv4.route.min_pmtu. */
#define LEAST_PATH_MTU 552

/* The error is on the wire of this host, its kernel does not know of it, and goes on as before. */
static void compare_mtu(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    const struct told_size *told = &flow_losses(f, here)->told;
    const struct icmp_note *n = &told->least;
    char from[ADDR_TEXT_SIZE];

    if (d->code != CODE_PMTU_IGNORED || !told->times || n->mtu < LEAST_PATH_MTU || !v->path_mtu || v->path_mtu <= n->mtu ||
        (v->route_mtu && v->route_mtu <= n->mtu))
        return;
    say(d,
        "The ICMP error of %s with MTU %u is on this host's wire, and its kernel still counts with %u: a firewall here "
        "drops it.",
        addr_text(from, &n->from, f->key.version), n->mtu, v->path_mtu);
    blame_here(d, here);
}

static void tell_reverse_path(struct finding *d, const struct flow *f, const struct kernel_view *v)
{
    if (f->key.version == 4 && v->counted[COUNTER_REVERSE_PATH])
        say(d,
            "It has counted %" G_GUINT64_FORMAT
            " packets meanwhile whose source has its route elsewhere (IPReversePathFilter).",
            v->counted[COUNTER_REVERSE_PATH]);
}

/* A new fact reaches the events of connection tracking with the next packet that passes. */
#define TRACK_RETRIES 2

static void compare_handshake(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    if (here != CLIENT || v->state != STATE_SYN_SENT || !f->synacks)
        return;
    say(d, "The SYN-ACK is on this host's wire, and its kernel is still in SYN-SENT: a firewall here drops it, or a "
           "check of the kernel's (reverse path, checksum).");
    blame_here(d, here);
    d->confidence = CONFIDENCE_LIKELY;
    tell_reverse_path(d, f, v);
    if (v->track == TRACK_REPLIED)
        say(d, "Its connection tracking has seen the SYN-ACK: what drops it stands behind that.");
    else if (v->track == TRACK_UNREPLIED && v->retransmits >= TRACK_RETRIES)
        say(d, "Its connection tracking has not seen the SYN-ACK either: what drops it stands before that, at ingress or "
               "in a raw table.");
}

/* The socket is in a connection that the rules of this host may no longer know. */
static void compare_track(struct finding *d, const struct kernel_view *v)
{
    bool lives = v->state == STATE_ESTABLISHED || v->state == STATE_CLOSE_WAIT;

    if (!lives || (v->track != TRACK_GONE && v->track != TRACK_NONE) ||
        (d->code != CODE_PATH_WENT_DEAD && d->code != CODE_IDLE_EXPIRED))
        return;
    say(d,
        "This host's connection tracking %s the connection, and its socket is in %s: a rule that lets only known "
        "connections pass drops here what comes.",
        v->track == TRACK_GONE ? "has forgotten" : "has no entry of", tcp_state_name(v->state));
}

/* SYNs that arrive, and get no answer: where on this host they, or the answers, get lost. Repeated ones, for one alone may be on its way. */
static void compare_syn(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    bool way = !v->route_error && (!v->asks_neighbor || v->neighbor != NEIGHBOR_ASKING);

    if (here != SERVER || d->code != CODE_SYN_UNANSWERED || f->syns < 3)
        return;
    if (v->listens && !v->counted[COUNTER_LISTEN_DROPS] && v->queued <= v->queue_most) {
        say(d, "The SYNs are on this host's wire, and the socket that listens here has not heard of them: a firewall "
               "of this host drops or redirects them, or a check of its kernel's does (reverse path, checksum, signature).");
        tell_reverse_path(d, f, v);
    } else if (way && v->there && v->state == STATE_SYN_RECEIVED && !f->synacks) {
        say(d, "This host's kernel has answered, it is in SYN-RECEIVED, and its SYN-ACK is not on the wire: a firewall "
               "here drops it.");
    } else {
        return;
    }
    blame_here(d, here);
}

/* Codes of silence: what this host sends, or should, has no answer. */
static bool is_silence(const struct finding *d)
{
    return d->code == CODE_SYN_UNANSWERED || d->code == CODE_HANDSHAKE_UNFINISHED || d->code == CODE_PATH_WENT_DEAD ||
           d->code == CODE_IDLE_EXPIRED || d->code == CODE_PMTU_BLACKHOLE;
}

/* What the routing says of an address that it leads nowhere; NULL: none of these. */
static const char *no_way(int route_error)
{
    switch (route_error) {
    case ENETUNREACH: return "has no route";
    case EHOSTUNREACH: return "has a route of type unreachable";
    case EACCES: return "has a route or rule of type prohibit";
    case EINVAL: return "has a route of type blackhole";
    default: return NULL;
    }
}

/* What the other end sends is on the wire, and what this host has to say does not even leave it. */
static bool compare_route(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    const char *why = is_silence(d) ? no_way(v->route_error) : NULL;
    char to[ADDR_TEXT_SIZE];

    if (!why)
        return false;
    addr_text(to, flow_addr(f, other_side(here)), f->key.version);
    say(d, "This host %s to %s: what it sends there never leaves it.", why, to);
    d->where = here == CLIENT ? WHERE_CLIENT : WHERE_SERVER;
    take_remedy(d, g_strdup_printf("Look at the routes of this host: `ip route get %s`, `ip rule`.", to));
    return true;
}

/* Only where the kernel has given up: that it asks, right now, is nothing yet. */
static bool compare_neighbor(struct finding *d, const struct flow *f, const struct kernel_view *v)
{
    char hop[ADDR_TEXT_SIZE];

    if (!is_silence(d) || !v->asks_neighbor || v->neighbor != NEIGHBOR_FAILED)
        return false;
    addr_text(hop, &v->next_hop, f->key.version);
    say(d, "Nobody answers this host for the hardware address of its next hop, %s: the kernel has given it up.", hop);
    take_remedy(d, g_strdup_printf("Look whether %s lives and is on this link: `ip neigh show %s`; at it `ip addr`.",
                                   hop, hop));
    return true;
}

/* It arrived, and the program does not fetch it. */
static void tell_unread(struct finding *d, enum side here, const struct kernel_view *v)
{
    bool waits = d->code == CODE_SERVER_SILENT ? here == SERVER : d->code == CODE_ZERO_WINDOW_STALL;

    if (waits && v->unread)
        say(d, "%u bytes wait in this host's socket, and its program does not read them.", v->unread);
}

/* Of the whole host: it explains what did not come to be accepted here. */
static void tell_overflows(struct finding *d, enum side here, const struct kernel_view *v)
{
    bool waits =
        d->code == CODE_SYN_UNANSWERED || d->code == CODE_HANDSHAKE_UNFINISHED || d->code == CODE_ACCEPT_QUEUE_FULL;

    if (here != SERVER || !waits)
        return;
    if (v->listens && v->queued > v->queue_most) {
        say(d, "%u of %u connections wait to be accepted by the program that listens here: the queue is full.", v->queued,
            v->queue_most);
        d->where = WHERE_SERVER;
        take_remedy(d, g_strdup(catalogue_row(CODE_ACCEPT_QUEUE_FULL)->remedy));
    }
    if (v->counted[COUNTER_LISTEN_OVERFLOWS])
        say(d,
            "This host's kernel has counted %" G_GUINT64_FORMAT
            " connections that found an accept queue full (ListenOverflows).",
            v->counted[COUNTER_LISTEN_OVERFLOWS]);
    if (v->counted[COUNTER_SYN_QUEUE_FULL])
        say(d,
            "This host's kernel has counted %" G_GUINT64_FORMAT
            " SYNs that found the queue of half-open connections full (TCPReqQFullDrop).",
            v->counted[COUNTER_SYN_QUEUE_FULL]);
}

static const char *neighbor_word(enum neighbor_state s)
{
    static const char *const words[] = { "not asked for", "being asked for", "failed", "known for some time", "known" };

    return words[s];
}

static void list_way(GPtrArray *list, unsigned version, const struct kernel_view *v)
{
    const char *why = no_way(v->route_error);
    char hop[ADDR_TEXT_SIZE];

    if (why)
        g_ptr_array_add(list, g_strdup_printf("way: %s", why));
    if (v->asks_neighbor)
        g_ptr_array_add(list, g_strdup_printf("next hop %s %s", addr_text(hop, &v->next_hop, version),
                                              neighbor_word(v->neighbor)));
}

static const char *track_word(enum kernel_track t)
{
    static const char *const words[] = { NULL, "not read", "no entry", "unreplied", "replied", "assured", "forgotten" };

    return words[t];
}

static void list_counters(GPtrArray *list, const struct kernel_view *v)
{
    for (int c = 0; c < KERNEL_COUNTERS; c++)
        if (v->counted[c])
            g_ptr_array_add(list, g_strdup_printf("%s %" G_GUINT64_FORMAT, kernel_counter_name((enum kernel_counter)c),
                                                  v->counted[c]));
}

static void list_kernel(struct finding *d, const struct flow *f, const struct kernel_view *v)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    if (v->there) {
        g_ptr_array_add(list, g_strdup_printf("state %s", tcp_state_name(v->state)));
        g_ptr_array_add(list, g_strdup_printf("retransmits %u", v->retransmits));
    } else if (v->listens) {
        g_ptr_array_add(list, g_strdup_printf("no socket but one that listens, where %u of %u wait to be accepted",
                                              v->queued, v->queue_most));
    } else {
        g_ptr_array_add(list, g_strdup("no socket"));
    }
    if (v->path_mtu)
        g_ptr_array_add(list, g_strdup_printf("path MTU %u", v->path_mtu));
    if (v->route_mtu)
        g_ptr_array_add(list, g_strdup_printf("learnt MTU %u", v->route_mtu));
    if (v->there)
        g_ptr_array_add(list, g_strdup_printf("unread %u, unacknowledged %u", v->unread, v->unsent));
    list_way(list, f->key.version, v);
    if (track_word(v->track))
        g_ptr_array_add(list, g_strdup_printf("connection tracking: %s", track_word(v->track)));
    list_counters(list, v);
    g_ptr_array_add(list, NULL);
    finding_detail_list(d, "kernel", (const char *const *)list->pdata);
}

void finding_tell_kernel(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    list_kernel(d, f, v);
    tell_overflows(d, here, v);
    if (!compare_route(d, f, here, v) && !compare_neighbor(d, f, v))
        compare_syn(d, f, here, v);
    if (!v->there)
        return;
    compare_mtu(d, f, here, v);
    compare_handshake(d, f, here, v);
    compare_track(d, v);
    tell_unread(d, here, v);
}
