#include "dissect/dissector.h"

#include "base/limits.h"
#include "dissect/defrag.h"
#include "dissect/layers.h"

#include <glib.h>

struct dissector {
    uint64_t undecoded[UNDECODED_REASONS];
    struct defrag *defrag; /* counts the frames that it gives up into undecoded[UNDECODED_FRAGMENT] */
};

struct dissector *dissector_new(void)
{
    struct dissector *d = g_new0(struct dissector, 1);
    d->defrag = defrag_new(&d->undecoded[UNDECODED_FRAGMENT]);
    return d;
}

void dissector_free(struct dissector *d)
{
    if (!d)
        return;
    defrag_free(d->defrag);
    g_free(d);
}

const uint64_t *dissector_undecoded(const struct dissector *d)
{
    return d->undecoded;
}

uint64_t dissector_flush(struct dissector *d)
{
    return defrag_flush(d->defrag);
}

const char *undecoded_name(enum undecoded reason)
{
    static const char *const names[UNDECODED_REASONS] = {
        [UNDECODED_LINKTYPE] = "link type",           [UNDECODED_LINK_SHORT] = "link header cut",
        [UNDECODED_IP_SHORT] = "ip header cut",       [UNDECODED_IP_BAD] = "ip header malformed",
        [UNDECODED_TCP_SHORT] = "tcp header cut",     [UNDECODED_TCP_BAD] = "tcp header malformed",
        [UNDECODED_UDP_SHORT] = "udp header cut",     [UNDECODED_ICMP_SHORT] = "icmp cut",
        [UNDECODED_NEIGHBOR] = "arp or nd malformed", [UNDECODED_FRAGMENT] = "fragments",
        [UNDECODED_DEPTH] = "too many layers",        [UNDECODED_ENCRYPTED] = "encrypted",
    };
    return (unsigned)reason < UNDECODED_REASONS ? names[reason] : "unknown";
}

const char *tunnel_name(enum tunnel_kind kind)
{
    static const char *const names[] = {
        [TUNNEL_GRE] = "gre",       [TUNNEL_IPIP] = "ipip",   [TUNNEL_6IN4] = "6in4", [TUNNEL_VXLAN] = "vxlan",
        [TUNNEL_GENEVE] = "geneve", [TUNNEL_PPPOE] = "pppoe", [TUNNEL_MPLS] = "mpls", [TUNNEL_OTHER] = "other",
    };
    return (unsigned)kind < G_N_ELEMENTS(names) ? names[kind] : "unknown";
}

void walk_vlan(struct walk *w, uint16_t id)
{
    struct encap *e = &w->pk->encap;
    if (e->n_vlans < PACKET_VLANS)
        e->vlans[e->n_vlans++] = id & 0xfff;
}

void walk_tunnel(struct walk *w, enum tunnel_kind kind, uint32_t id)
{
    struct encap *e = &w->pk->encap;
    if (e->n_tunnels < PACKET_TUNNELS)
        e->tunnels[e->n_tunnels++] = (struct tunnel){ .kind = kind, .id = id };
}

static enum layer layer_read(struct walk *w, enum layer layer)
{
    switch (layer) {
    case LAYER_LINK: return link_frame(w);
    case LAYER_ETHERNET: return link_ethernet(w);
    case LAYER_ETHERTYPE: return link_ethertype(w);
    case LAYER_LLC: return link_llc(w);
    case LAYER_WLAN: return wlan_frame(w);
    case LAYER_PPP: return ppp_frame(w);
    case LAYER_MPLS: return tunnel_mpls(w);
    case LAYER_IP: return ip_any(w);
    case LAYER_IPV4: return ip_v4(w);
    case LAYER_IPV6: return ip_v6(w);
    case LAYER_PAYLOAD: return ip_payload(w);
    case LAYER_DONE: break;
    }
    return LAYER_DONE;
}

/* The inside of a UDP tunnel could not be read, or was no network packet at all: it was a UDP datagram like any
 * other, which happened to use the port. */
static void fall_back_to_udp(const struct walk *w)
{
    struct packet *pk = w->pk;
    if (pk->kind != PACKET_UNDECODED && w->network_seen)
        return;
    pk->kind = PACKET_UDP;
    pk->encap = w->plain.encap;
    pk->ip = w->plain.ip;
    pk->udp = w->plain.udp;
}

/* Returns whether the packet's slices point into the frame. */
static bool read_frame(struct dissector *d, const struct frame *frame, struct packet *pk)
{
    pk->number = frame->number;
    pk->ts_ns = frame->ts_ns;
    pk->caplen = frame->caplen;
    pk->wirelen = frame->wirelen;
    pk->encap.n_vlans = pk->encap.n_tunnels = 0;

    struct walk w; /* plain is large and seldom used: not initialised */
    w.pk = pk;
    w.defrag = d->defrag;
    w.c = cursor_of(slice_of(frame->bytes, frame->caplen));
    w.missing = frame->wirelen > frame->caplen ? frame->wirelen - frame->caplen : 0;
    w.type = (uint32_t)frame->dlt;
    w.network_seen = w.in_udp = w.put_together = false;

    enum layer layer = LAYER_LINK;
    for (unsigned n = 0; n < LIMIT_LAYERS && layer != LAYER_DONE; n++)
        layer = layer_read(&w, layer);
    if (layer != LAYER_DONE)
        walk_undecoded(&w, UNDECODED_DEPTH);
    if (w.in_udp)
        fall_back_to_udp(&w);
    if (pk->kind == PACKET_UNDECODED)
        d->undecoded[pk->reason]++;
    return !w.put_together;
}

void dissector_frame(struct dissector *d, const struct frame *frame, struct packet *pk)
{
    read_frame(d, frame, pk);
}

size_t dissector_frames(struct dissector *d, const struct frame *frames, size_t n, struct packet *packets)
{
    size_t done = 0;
    bool stays;
    do {
        stays = read_frame(d, &frames[done], &packets[done]);
    } while (++done < n && stays);
    return done;
}
