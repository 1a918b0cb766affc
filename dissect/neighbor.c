/* Who has this address: ARP (RFC 826) for IPv4, neighbour solicitation and advertisement (RFC 4861) for IPv6. */
#include "dissect/layers.h"

static enum layer malformed(struct walk *w)
{
    return walk_undecoded(w, UNDECODED_NEIGHBOR);
}

static bool is_zero(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i])
            return false;
    return true;
}

static void keep_mac(struct neighbor_facts *f, const uint8_t *mac)
{
    f->has_mac = true;
    memcpy(f->mac, mac, sizeof f->mac);
}

/* p: the four addresses, hardware ones of `hlen` bytes. */
static void arp_facts(struct neighbor_facts *f, const uint8_t *p, size_t hlen)
{
    const uint8_t *sender = p + hlen, *target = p + hlen + 4 + hlen;
    f->version = 4;
    f->probe = is_zero(sender, 4);
    f->gratuitous = !f->probe && memcmp(sender, target, 4) == 0;
    f->sender = addr_v4(sender);
    f->target = addr_v4(f->request ? target : sender);
    if (hlen == 6)
        keep_mac(f, p);
}

enum layer neighbor_arp(struct walk *w)
{
    const uint8_t *h = walk_take(w, 8);
    if (!h)
        return malformed(w);
    size_t hlen = h[4];
    unsigned operation = be16(h + 6);
    w->network_seen = true;
    if (be16(h + 2) != 0x0800 || h[5] != 4 || operation < 1 || operation > 2) /* of other protocols, RARP, InARP */
        return walk_other(w);
    const uint8_t *addresses = walk_take(w, 2 * (hlen + 4));
    if (!addresses)
        return malformed(w);
    struct neighbor_facts *f = &w->pk->neighbor;
    *f = (struct neighbor_facts){ .request = operation == 1 };
    arp_facts(f, addresses, hlen);
    w->pk->kind = PACKET_NEIGHBOR;
    return LAYER_DONE;
}

/* The link-layer address among the options: type 1 is the asker's, type 2 the target's. False where a length is 0 or
 * too long. */
static bool link_layer_option(struct walk *w, uint8_t wanted, struct neighbor_facts *f)
{
    while (cursor_left(&w->c) >= 2) {
        const uint8_t *o = w->c.p;
        size_t length = (size_t)o[1] * 8;
        if (length == 0 || length > walk_wire(w))
            return false;
        if (!walk_take(w, length)) /* the snaplen's cut */
            return true;
        if (o[0] == wanted)
            keep_mac(f, o + 2);
    }
    return true;
}

enum layer neighbor_discovery(struct walk *w, const uint8_t *h)
{
    const struct ip_facts *ip = &w->pk->ip;
    struct neighbor_facts *f = &w->pk->neighbor;
    bool request = h[0] == 135;
    *f = (struct neighbor_facts){
        .request = request,
        .probe = is_zero(ip->src.bytes, sizeof ip->src.bytes),
        .gratuitous = !request && !(h[4] & 0x40), /* not the answer to a solicitation */
        .version = 6,
        .sender = ip->src,
        .target = addr_v6(h + 8),
    };
    w->pk->kind = PACKET_NEIGHBOR;
    return link_layer_option(w, request ? 1 : 2, f) ? LAYER_DONE : malformed(w);
}
