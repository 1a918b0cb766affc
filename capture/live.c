#include "capture/live_parts.h"

#include "base/limits.h"
#include "capture/filter.h"
#include "capture/source.h"

#include <net/if.h>
#include <string.h>

/* Frames taken in one go: some milliseconds of work, so that timers and signals get their turn. */
#define BATCH 4096

/* How long a frame of one of several interfaces waits for earlier ones of the others: three batches of the kernel. */
#define MERGE_NS (3 * LIVE_BATCH_MS * NS_PER_MS)

/* --- life --- */

static void note_dlt(struct live *l, int dlt)
{
    for (guint i = 0; i < l->info.dlts->len; i++)
        if (g_array_index(l->info.dlts, int, i) == dlt)
            return;
    g_array_append_val(l->info.dlts, dlt);
}

struct live *live_open(const char *const *names, size_t n, const struct live_options *options, GError **error)
{
    struct filter *filter = NULL;

    /* The filter first: its mistake can be told without any right. */
    if (options->filter && *options->filter && !(filter = filter_new(options->filter, error)))
        return NULL;
    filter_free(filter);
    struct live *l = g_new0(struct live, 1);
    l->devices = g_new0(struct device, n);
    l->warning = g_string_new(NULL);
    l->info.dlts = g_array_new(FALSE, FALSE, sizeof(int));
    l->info.drops_known = true;
    l->info.end_ns = TIME_NONE;
    for (; l->n < n; l->n++) {
        struct device *d = &l->devices[l->n];
        *d = (struct device){ .live = l, .name = g_strdup(names[l->n]) };
        if (!device_open(d, options, error)) {
            l->n++;
            live_free(l);
            return NULL;
        }
        note_dlt(l, d->dlt);
        l->info.nanoseconds |= d->units == 1;
    }
    return l;
}

void live_free(struct live *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        if (l->devices[i].pcap)
            pcap_close(l->devices[i].pcap);
        held_clear(&l->devices[i].held);
        g_free(l->devices[i].name);
    }
    g_free(l->devices);
    g_free(l->info.truncated_file);
    g_string_free(l->warning, TRUE);
    g_array_free(l->info.dlts, TRUE);
    g_free(l);
}

size_t live_count(const struct live *l)
{
    return l->n;
}

int live_fd(const struct live *l, size_t i)
{
    return l->devices[i].fd;
}

bool live_set_filter(struct live *l, const char *filter, GError **error)
{
    for (size_t i = 0; i < l->n; i++)
        if (!device_set_filter(&l->devices[i], filter, error))
            return false;
    return true;
}

const char *live_warning(const struct live *l)
{
    return l->warning->len ? l->warning->str : NULL;
}

const struct capture_info *live_info(const struct live *l)
{
    return &l->info;
}

const struct capture_info *live_count_drops(struct live *l)
{
    uint64_t dropped = 0, by_interface = 0;
    struct pcap_stat s;

    for (size_t i = 0; i < l->n; i++) {
        if (pcap_stats(l->devices[i].pcap, &s) != 0)
            return &l->info; /* it went away: what was known last stands */
        dropped += s.ps_drop;
        by_interface += s.ps_ifdrop;
    }
    l->info.dropped = dropped + by_interface;
    l->info.interface_dropped = by_interface;
    return &l->info;
}

/* --- frames --- */

static void give(struct live *l, struct frame *frame)
{
    frame->number = ++l->frames;
    if (!l->fn(l->user, frame))
        l->stopped = true;
}

/* pcap_handler */
static void take(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    struct device *d = (struct device *)(void *)user;
    struct live *l = d->live;
    int64_t ts_ns = (int64_t)h->ts.tv_sec * NS_PER_S + (int64_t)h->ts.tv_usec * d->units;
    struct frame frame = { .bytes = bytes,
                           .caplen = MIN(h->caplen, LIMIT_FRAME_BYTES),
                           .wirelen = MAX(h->len, h->caplen),
                           .ts_ns = source_clamp_ts(ts_ns),
                           .dlt = d->dlt };

    if (l->n > 1) {
        held_add(&d->held, &frame);
        l->held_bytes += frame.caplen;
        return;
    }
    give(l, &frame);
    if (l->stopped)
        pcap_breakloop(d->pcap);
}

/* The interface with the earliest frame; NULL: none waits. */
static struct device *earliest(struct live *l)
{
    struct device *found = NULL;

    for (size_t i = 0; i < l->n; i++) {
        const struct held_frame *f = held_first(&l->devices[i].held);
        if (f && (!found || f->ts_ns < held_first(&found->held)->ts_ns))
            found = &l->devices[i];
    }
    return found;
}

static void give_held(struct live *l, int64_t now_ns)
{
    struct device *d;

    while (!l->stopped && (d = earliest(l))) {
        const struct held_frame *f = held_first(&d->held);
        if (f->ts_ns > now_ns - MERGE_NS && l->held_bytes <= LIMIT_LIVE_HELD)
            return;
        struct frame frame = { .bytes = d->held.bytes->data + f->at,
                               .caplen = f->caplen,
                               .wirelen = f->wirelen,
                               .ts_ns = f->ts_ns,
                               .dlt = d->dlt };
        give(l, &frame);
        l->held_bytes -= f->caplen;
        held_drop(&d->held);
    }
}

/* An interface that went down comes back; one that is gone does not. */
static bool is_over(const struct device *d, GError **error)
{
    const char *why = pcap_geterr(d->pcap);

    if (strcmp(d->name, "any") == 0 || if_nametoindex(d->name) != 0) {
        if (strstr(why, "went down"))
            return false;
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE, "%s: the capture ends: %s", d->name, why);
    } else {
        g_set_error(error, CAPTURE_ERROR, CAPTURE_ERROR_LIVE, "%s: the capture ends: the interface disappeared",
                    d->name);
    }
    return true;
}

enum live_status live_read(struct live *l, int64_t now_ns, live_frame_fn *fn, void *user, GError **error)
{
    enum live_status status = LIVE_WAITING;

    l->fn = fn;
    l->user = user;
    for (size_t i = 0; i < l->n && !l->stopped && status != LIVE_ENDED; i++) {
        struct device *d = &l->devices[i];
        int n = pcap_dispatch(d->pcap, BATCH, take, (u_char *)d);
        if (n == PCAP_ERROR && is_over(d, error))
            status = LIVE_ENDED;
        else if (n >= BATCH)
            status = LIVE_BUSY;
    }
    if (l->n > 1)
        give_held(l, status == LIVE_ENDED ? INT64_MAX : now_ns);
    return l->stopped ? LIVE_STOPPED : status;
}
