#include "probe/listen.h"

#include "base/timens.h"
#include "probe/error.h"

#include <pcap/pcap.h>

/* Enough for the whole header of an answer and what it quotes (RFC 1812 section 4.3.2.3: up to 576 bytes; IPv6: up to
 * 1280). */
#define SNAPLEN 2048

struct listener {
    pcap_t *pcap;
    int fd, dlt;
    uint64_t number;
};

struct reader {
    struct listener *listener;
    void (*frame)(void *user, const struct frame *f);
    void *user;
};

static bool set_filter(pcap_t *p, const char *filter)
{
    struct bpf_program program;

    if (pcap_compile(p, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return false;
    bool good = pcap_setfilter(p, &program) == 0;
    pcap_freecode(&program);
    return good;
}

static struct listener *open_with(const char *filter, GError **error)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *p = pcap_create("any", why);
    int status = p ? 0 : PCAP_ERROR;

    if (p) {
        pcap_set_snaplen(p, SNAPLEN);
        pcap_set_immediate_mode(p, 1);
        pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
        status = pcap_activate(p);
    }
    if (status < 0 || pcap_setdirection(p, PCAP_D_IN) != 0 || pcap_setnonblock(p, 1, why) != 0 ||
        !set_filter(p, filter)) {
        g_set_error(error, PROBE_ERROR, PROBE_ERROR_PRIVILEGE, "answers cannot be captured: %s",
                    p ? pcap_statustostr(status < 0 ? status : PCAP_ERROR) : why);
        if (p)
            pcap_close(p);
        return NULL;
    }
    struct listener *l = g_new0(struct listener, 1);
    l->pcap = p;
    l->fd = pcap_get_selectable_fd(p);
    l->dlt = pcap_datalink(p);
    return l;
}

struct listener *listener_open(uint16_t ports, unsigned n, uint16_t low, GError **error)
{
    g_autofree char *filter =
        g_strdup_printf("arp or icmp6 or (icmp and (icmp[0] = 0 or icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12 "
                        "or ip[6:2] & 0x1fff != 0)) "
                        "or ((tcp or udp) and dst portrange %u-%u) or (tcp and dst port %u)",
                        ports, ports + n - 1, low);

    return open_with(filter, error);
}

struct listener *listener_open_neighbors(GError **error)
{
    return open_with("arp or icmp6", error);
}

void listener_free(struct listener *l)
{
    if (!l)
        return;
    pcap_close(l->pcap);
    g_free(l);
}

int listener_fd(const struct listener *l)
{
    return l->fd;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    const struct reader *r = (const struct reader *)(void *)user;
    struct frame f = {
        .bytes = bytes,
        .caplen = h->caplen,
        .wirelen = MAX(h->caplen, h->len),
        .ts_ns = (int64_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec, /* nanoseconds, as asked for */
        .number = ++r->listener->number,
        .dlt = r->listener->dlt,
    };

    r->frame(r->user, &f);
}

int listener_read(struct listener *l, int most, void (*frame)(void *user, const struct frame *f), void *user)
{
    struct reader r = { .listener = l, .frame = frame, .user = user };
    int n = pcap_dispatch(l->pcap, most, on_packet, (u_char *)(void *)&r);

    return MAX(n, 0);
}
