#include "diagnose/kernel_view.h"

#include "diagnose/rules.h"

static void G_GNUC_PRINTF(2, 3) say(struct finding *d, const char *format, ...)
{
    g_autofree char *before = d->summary;
    va_list args;

    va_start(args, format);
    g_autofree char *more = g_strdup_vprintf(format, args);
    va_end(args);
    d->summary = g_strdup_printf("%s %s", before, more);
}

static void blame_here(struct finding *d, enum side here)
{
    d->where = here == CLIENT ? WHERE_CLIENT : WHERE_SERVER;
    g_free(d->own_remedy);
    d->remedy = d->own_remedy =
        g_strdup("Look at the firewall of this host: `nft list ruleset`, `iptables-save`; and at its counters of what "
                 "it throws away: `nstat -az`.");
}

/* The smallest MTU that an ICMP error on the wire told this end; 0: none. */
static const struct icmp_note *told_mtu(const struct flow *f, enum side here)
{
    const struct icmp_note *least = NULL;

    for (guint i = 0; f->trouble && i < MIN(f->trouble->n_icmp, FLOW_ICMP_KEPT); i++) {
        const struct icmp_note *n = &f->trouble->icmp[i];
        if (n->about == here && n->mtu && icmp_is_too_big(f, n) && (!least || n->mtu < least->mtu))
            least = n;
    }
    return least;
}

/* Below it Linux does not go, whatever it is told: net.ipv4.route.min_pmtu. */
#define LEAST_PATH_MTU 552

/* The error is on the wire of this host, its kernel does not know of it, and goes on as before. */
static void compare_mtu(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    const struct icmp_note *n = told_mtu(f, here);
    char from[ADDR_TEXT_SIZE];

    if (d->code != CODE_PMTU_IGNORED || !n || n->mtu < LEAST_PATH_MTU || !v->path_mtu || v->path_mtu <= n->mtu ||
        (v->route_mtu && v->route_mtu <= n->mtu))
        return;
    say(d,
        "The ICMP error of %s with MTU %u is on this host's wire, and its kernel still counts with %u: a firewall here "
        "drops it.",
        addr_text(from, &n->from, f->key.version), n->mtu, v->path_mtu);
    blame_here(d, here);
}

static void compare_handshake(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    if (here != CLIENT || v->state != STATE_SYN_SENT || !f->synacks)
        return;
    say(d, "The SYN-ACK is on this host's wire, and its kernel is still in SYN-SENT: a firewall here drops it, or a "
           "check of the kernel's (reverse path, checksum).");
    blame_here(d, here);
    d->confidence = CONFIDENCE_LIKELY;
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

    if (here == SERVER && waits && v->overflows)
        say(d,
            "This host's kernel has counted %" G_GUINT64_FORMAT
            " connections that found an accept queue full (ListenOverflows).",
            v->overflows);
}

static void list_kernel(struct finding *d, const struct kernel_view *v)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);

    if (!v->there)
        g_ptr_array_add(list, g_strdup("no socket"));
    else
        g_ptr_array_add(list, g_strdup_printf("state %s", tcp_state_name(v->state)));
    if (v->there)
        g_ptr_array_add(list, g_strdup_printf("retransmits %u", v->retransmits));
    if (v->path_mtu)
        g_ptr_array_add(list, g_strdup_printf("path MTU %u", v->path_mtu));
    if (v->route_mtu)
        g_ptr_array_add(list, g_strdup_printf("learnt MTU %u", v->route_mtu));
    if (v->there)
        g_ptr_array_add(list, g_strdup_printf("unread %u, unacknowledged %u", v->unread, v->unsent));
    if (v->overflows)
        g_ptr_array_add(list, g_strdup_printf("accept queue overflows %" G_GUINT64_FORMAT, v->overflows));
    g_ptr_array_add(list, NULL);
    finding_detail_list(d, "kernel", (const char *const *)list->pdata);
}

void finding_tell_kernel(struct finding *d, const struct flow *f, enum side here, const struct kernel_view *v)
{
    list_kernel(d, v);
    tell_overflows(d, here, v);
    if (!v->there)
        return;
    compare_mtu(d, f, here, v);
    compare_handshake(d, f, here, v);
    tell_unread(d, here, v);
}
