/* UDP (RFC 768), and the step into the tunnels that travel in it. */
#include "dissect/layers.h"

/* Looks whether the datagram is a tunnel. The facts of the datagram itself are kept aside: the inside overwrites
 * them. */
static enum layer inside(struct walk *w)
{
    struct packet *pk = w->pk;
    uint8_t n_tunnels = pk->encap.n_tunnels;
    enum layer next = udptunnel(w, pk->udp.sport, pk->udp.dport);
    if (next == LAYER_DONE) {
        pk->kind = PACKET_UDP;
        pk->encap.n_tunnels = n_tunnels;
        return LAYER_DONE;
    }
    w->plain = (struct plain_udp){ .encap = pk->encap, .ip = pk->ip, .udp = pk->udp };
    w->plain.encap.n_tunnels = n_tunnels;
    w->in_udp = true;
    w->network_seen = false;
    return next;
}

enum layer udp_datagram(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h)
        return walk_undecoded(w, UNDECODED_UDP_SHORT);
    size_t length = be16(h + 4); /* 0 (RFC 2675, offload) or wrong: the packet's own length holds */
    if (length >= 8 && length - 8 < walk_wire(w))
        walk_trim(w, length - 8);
    w->pk->kind = PACKET_UDP;
    w->pk->udp = (struct udp_facts){
        .sport = be16(h),
        .dport = be16(h + 2),
        .len = (uint32_t)walk_wire(w),
        .payload = slice_of(w->c.p, cursor_left(&w->c)),
    };
    return inside(w);
}

bool udp_is_quic(const struct udp_facts *u)
{
    struct cursor c = cursor_of(u->payload);
    uint8_t first = cursor_u8(&c);
    uint32_t version = cursor_u32(&c);

    if (c.failed || (u->sport != 443 && u->dport != 443) || !(first & 0x80))
        return false;
    return version <= 1 || version == 0x6b3343cf || version >> 8 == 0xff0000;
}
