/* Opening an interface through libpcap, and what to say where that fails. */
#include "capture/filter.h"
#include "capture/live_parts.h"

#include <net/if.h>
#include <string.h>

/* --- what is wrong, and what to do --- */

static bool is_listed(const pcap_if_t *all, const char *name)
{
    for (const pcap_if_t *d = all; d; d = d->next)
        if (strcmp(d->name, name) == 0)
            return true;
    return false;
}

/* The names that a person most likely means: no queues of Netfilter, no buses. */
static char *names_text(const pcap_if_t *all)
{
    GString *s = g_string_new(NULL);

    for (const pcap_if_t *d = all; d; d = d->next)
        if (strcmp(d->name, "any") == 0 || if_nametoindex(d->name) != 0)
            g_string_append_printf(s, "%s%s", s->len ? ", " : "", d->name);
    return g_string_free(s, FALSE);
}

/* Asked before anything else: without rights the system would only say that there are no rights. */
static bool exists(const char *name, GError **error)
{
    char why[PCAP_ERRBUF_SIZE];
    pcap_if_t *all = NULL;

    if (if_nametoindex(name) != 0 || pcap_findalldevs(&all, why) != 0)
        return true;
    bool found = is_listed(all, name);
    if (!found) {
        g_autofree char *names = names_text(all);
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE, "%s: no such interface; there are: %s", name, names);
    }
    pcap_freealldevs(all);
    return found;
}

static void refuse(const struct device *d, int status, GError **error)
{
    const char *name = d->name, *why = pcap_geterr(d->pcap);

    if (status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE,
                    "%s: no permission to capture; run it with sudo, or give the program the right once: `setcap "
                    "cap_net_raw,cap_net_admin+ep` on it, as `make install SETCAP=1` does",
                    name);
    else if (status == PCAP_ERROR_IFACE_NOT_UP)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE,
                    "%s: the interface is down; `ip link set %s up` brings it up", name, name);
    else
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE,
                    "%s: cannot be watched: %s; `tcpsleuth -D` lists the interfaces", name,
                    *why ? why : pcap_statustostr(status));
}

/* --- opening --- */

static void configure(pcap_t *p, const struct live_options *o)
{
    pcap_set_snaplen(p, o->snaplen ? o->snaplen : CAPTURE_WHOLE_FRAMES);
    pcap_set_promisc(p, o->promiscuous);
    pcap_set_timeout(p, LIVE_BATCH_MS);
    pcap_set_immediate_mode(p, o->immediate);
    pcap_set_buffer_size(p, (o->buffer_kib ? o->buffer_kib : LIVE_BUFFER_KIB) * 1024);
    pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO); /* where it is not offered, microseconds stay */
}

static bool activate(struct device *d, GError **error)
{
    int status = pcap_activate(d->pcap);

    if (status < 0) {
        refuse(d, status, error);
        return false;
    }
    if (status == PCAP_WARNING)
        g_string_append_printf(d->live->warning, "%s%s: %s", d->live->warning->len ? "; " : "", d->name,
                               pcap_geterr(d->pcap));
    return true;
}

bool device_set_filter(struct device *d, const char *filter, GError **error)
{
    struct bpf_program code;

    if (!filter || !*filter)
        return true;
    if (pcap_compile(d->pcap, &code, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
        filter_refuse(filter, pcap_geterr(d->pcap), error);
        return false;
    }
    int status = pcap_setfilter(d->pcap, &code);
    pcap_freecode(&code);
    if (status != 0)
        refuse(d, status, error);
    return status == 0;
}

/* The cooked header that names the interface of each packet, where there is a choice ("any"). */
static void prefer_sll2(pcap_t *p)
{
    if (pcap_datalink(p) == DLT_LINUX_SLL)
        pcap_set_datalink(p, DLT_LINUX_SLL2);
}

bool device_open(struct device *d, const struct live_options *options, GError **error)
{
    char why[PCAP_ERRBUF_SIZE];

    if (!exists(d->name, error))
        return false;
    d->pcap = pcap_create(d->name, why);
    if (!d->pcap) {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE,
                    "%s: cannot be watched: %s; `tcpsleuth -D` lists the interfaces", d->name, why);
        return false;
    }
    configure(d->pcap, options);
    if (!activate(d, error))
        return false;
    prefer_sll2(d->pcap);
    if (!device_set_filter(d, options->filter, error))
        return false;
    d->dlt = pcap_datalink(d->pcap);
    d->units = pcap_get_tstamp_precision(d->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : NS_PER_US;
    d->fd = pcap_setnonblock(d->pcap, 1, why) == 0 ? pcap_get_selectable_fd(d->pcap) : -1;
    if (d->fd < 0)
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE,
                    "%s: its packets cannot be waited for; use another interface", d->name);
    return d->fd >= 0;
}
